"""handlore: hand gestures from landmarks, on any computer.

How data flows, and where each step lives::

    photos, videos  --handlore.datasets-->     LandmarkDataset (.npz)
                        finds hands with handlore.landmarks
    LandmarkDataset --handlore.classifiers-->  a fitted estimator, honest scores
    estimator       --handlore.models-->       one .onnx file
    .onnx + camera  --handlore.capture-->      recordings, live recognition

The command line (:mod:`handlore.cli`) is a thin skin over these rooms.
"""

__version__ = "0.1.0"
