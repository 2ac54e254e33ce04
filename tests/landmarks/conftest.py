from hypothesis import settings

# The first example of a test may import half a library; how long that takes is no failure.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")
