"""What people see of a session, a review and a live run: windows, a terminal line, a page."""
