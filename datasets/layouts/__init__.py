"""What the names of folders and files say about a data set, before anything of it is read."""
