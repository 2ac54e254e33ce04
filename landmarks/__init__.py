"""What a hand is, and how it is found. Imports no other room."""
