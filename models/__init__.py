"""Trained models: their files, and everything that runs them.

Running a model takes numpy and onnxruntime; nothing here imports scikit-learn, pandas or
:mod:`handlore.classifiers`. :mod:`.files` reads and writes ``.onnx`` files, :mod:`.model` predicts
pictures and clips, and :mod:`.stream` recognises gestures in a stream of frames.
"""
