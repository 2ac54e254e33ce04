"""Recognising gestures in a stream of frames: the same code for live, replay and long videos.

A frame becomes an event in these steps, a module each:

1. :mod:`.frames`: frames arrive at any rate. They are resampled to 30 ticks a second, and the
   landmarks of each hand are smoothed (One-Euro filter).
2. :mod:`.inference`: at a tick the model classifies the hand (poses), or windows of several lengths
   that end at this tick (movements). The result is a :class:`~.inference.ModelOutput`.
3. :mod:`.decisions`: a pose that reaches its threshold for the hold time becomes an event; of
   windows that overlap, the one with the highest probability does. After an event a label has to
   fall below its release threshold for the cooldown before it is emitted again.
4. :mod:`.recogniser` runs these steps for any number of models and hands; :mod:`.events` is what
   comes out, :mod:`.settings` holds the thresholds and times.

:mod:`.replay` applies all of it to recordings. :mod:`.ground_truth` scores events against labelled
intervals, and :mod:`.calibration` chooses thresholds by such scores.
"""
