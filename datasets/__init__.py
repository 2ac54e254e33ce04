"""Images, videos and recordings become landmark datasets on disk."""
