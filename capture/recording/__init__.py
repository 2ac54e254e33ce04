"""Recording sessions: what happens when, the loop that does it, what is written and shown."""
