"""What a person sees: the windows, the terminal line and the page of record, review and live."""
