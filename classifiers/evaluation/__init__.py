"""How far the scores of a classifier can be believed, and what they are made of."""
