"""Whatever a camera is for: recording gestures, recognising them live, and acting on them.

:mod:`.cameras`, :mod:`.keyboard` and :mod:`.drawing` know nothing of either. A recording session is
a state machine (:mod:`.recording.session`) that is told of keys and frames and answers with what is
to be done; :mod:`.recording.loop` does it, with camera, detector, keys, view and writer passed in;
:mod:`.recording.running` opens all of them. Live recognition is :mod:`.live.loop`, with camera,
detector, recogniser, actions (:mod:`.actions`) and views passed in.
"""
