"""Recording gestures with a camera, recognising them live, and running actions.

:func:`.recording.run.record` and :func:`.live.run.run_live` open what they need and run a loop:
:mod:`.recording.loop` around a state machine (:mod:`.recording.session`), and :mod:`.live.loop`
around a recogniser. Cameras (:mod:`.cameras`), keys (:mod:`.keys`), the detector, the clock and the
views (:mod:`.views`) are passed to the loops. :mod:`.review` steps through recordings.
"""
