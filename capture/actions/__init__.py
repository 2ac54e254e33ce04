"""What happens when a gesture is recognised: one small file per kind of action."""
