"""Camera, keys, recording sessions, live recognition, actions."""
