"""Camera, keys, recording sessions, live recognition, actions. Still empty."""
