"""Cameras, keys, recording sessions, and what helps while recording.

:mod:`.cameras` knows nothing of sessions. A session is a state machine (:mod:`.session`) that is
told of keys and frames and answers with what is to be done; :mod:`.loop` does it, with camera,
detector, keys, view and writer passed in; :mod:`.running` opens all of them.
"""
