"""Recording sessions: the state machine, the loop around it, and what is written."""
