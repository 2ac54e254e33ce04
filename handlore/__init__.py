"""handlore: hand gestures from landmarks, on any computer.

How data flows, and where each step lives::

    photos, videos  --handlore.datasets-->     LandmarkDataset (.npz)
                        finds hands with handlore.landmarks
    LandmarkDataset --handlore.classifiers-->  a fitted estimator, honest scores
    estimator       --handlore.models-->       one .onnx file
    .onnx + camera  --handlore.capture-->      recordings, live recognition

The command line (:mod:`handlore.cli`) is a thin skin over these rooms. The names that programs
need most are here, each imported when it is first used::

    model = handlore.load_model("poses.onnx")
    with handlore.open_detector() as detector:
        pixels, _ = handlore.read_picture("photo.jpg")
        print(model.predict_picture(detector, pixels))
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from handlore.classifiers.evaluation.comparison import compare as compare
    from handlore.classifiers.evaluation.crossval import cross_validate as cross_validate
    from handlore.classifiers.evaluation.evaluation import evaluate as evaluate
    from handlore.classifiers.training import train as train
    from handlore.datasets.conversion.convert import convert as convert
    from handlore.datasets.dataset import LandmarkDataset as LandmarkDataset
    from handlore.datasets.pictures import read_picture as read_picture
    from handlore.datasets.sources import make_source as make_source
    from handlore.datasets.storage import load_dataset as load_dataset
    from handlore.datasets.storage import save_dataset as save_dataset
    from handlore.landmarks.detector import DetectorOptions as DetectorOptions
    from handlore.landmarks.errors import HandloreError as HandloreError
    from handlore.landmarks.geometry import canonicalize as canonicalize
    from handlore.landmarks.hands import HAND_CONNECTIONS as HAND_CONNECTIONS
    from handlore.landmarks.hands import Hand as Hand
    from handlore.landmarks.hands import HandLandmark as HandLandmark
    from handlore.landmarks.opening import open_detector as open_detector
    from handlore.landmarks.search import search as search
    from handlore.models.files import load_model as load_model
    from handlore.models.files import load_models as load_models
    from handlore.models.stream.calibration import calibrate as calibrate
    from handlore.models.stream.recogniser import Recogniser as Recogniser
    from handlore.models.stream.recogniser import recognise as recognise
    from handlore.models.stream.settings import RecogniserSettings as RecogniserSettings
    from handlore.report.writing import write_report as write_report

__version__ = "0.1.0"

_API = {
    "convert": "datasets.conversion.convert",
    "LandmarkDataset": "datasets.dataset",
    "read_picture": "datasets.pictures",
    "make_source": "datasets.sources",
    "load_dataset": "datasets.storage",
    "save_dataset": "datasets.storage",
    "DetectorOptions": "landmarks.detector",
    "open_detector": "landmarks.opening",
    "HandloreError": "landmarks.errors",
    "canonicalize": "landmarks.geometry",
    "Hand": "landmarks.hands",
    "search": "landmarks.search",
    "HAND_CONNECTIONS": "landmarks.hands",
    "HandLandmark": "landmarks.hands",
    "load_model": "models.files",
    "load_models": "models.files",
    "calibrate": "models.stream.calibration",
    "Recogniser": "models.stream.recogniser",
    "recognise": "models.stream.recogniser",
    "RecogniserSettings": "models.stream.settings",
    "train": "classifiers.training",
    "cross_validate": "classifiers.evaluation.crossval",
    "evaluate": "classifiers.evaluation.evaluation",
    "compare": "classifiers.evaluation.comparison",
    "write_report": "report.writing",
}


def __getattr__(name: str) -> Any:
    if name not in _API:
        raise AttributeError(f"module 'handlore' has no attribute {name!r}")
    return getattr(importlib.import_module(f"handlore.{_API[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_API])
