"""From frames with timestamps to events: the one recogniser of live, replay and long videos."""
