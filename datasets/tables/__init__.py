"""Tables of hand landmarks: rows of numbers whose columns have roles, in files of many kinds."""
