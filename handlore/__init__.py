"""handlore: hand gestures from landmarks, on any computer.

Data flows in one direction, and each step is a package of its own::

    photos, videos, tables --convert-->  LandmarkDataset  --train-->  model file
    a camera               --record--->  LandmarkDataset
    model file + pictures, videos, a stream or a camera  ---------->  predictions, events

* :mod:`handlore.landmarks`: what a hand is, how it is found in a picture and drawn;
* :mod:`handlore.datasets`: photos, videos, tables and recordings as datasets of landmarks;
* :mod:`handlore.classifiers`: training and evaluation (needs scikit-learn);
* :mod:`handlore.models`: model files, and predictions for pictures, videos and streams;
* :mod:`handlore.capture`: cameras, recording sessions, live recognition, actions.

The command line (:mod:`handlore.cli`) calls the functions below. Each is imported when it is first
used, so that recognition does not load what only training needs.

From a photo to a prediction:

>>> model = handlore.load_model("poses.onnx")
>>> pixels, _ = handlore.read_picture("photo.png")
>>> with handlore.open_detector() as detector:
...     model.predict_picture(detector, pixels).label
'fist'

From a folder of photos, with the person in each file name, to a dataset, a cross-validation and a
model file:

>>> source = handlore.make_source("images", {"name_pattern": "_(?P<group>p..)_"})
>>> with handlore.open_detector() as detector:
...     dataset = handlore.convert(source, "photos", detector).dataset
>>> handlore.cross_validate(dataset, "linear").scores.n
24
>>> handlore.train(dataset, "hands.onnx", "linear").card.labels
('fist', 'open_palm', 'point', 'victory')

From a video to events:

>>> with handlore.open_detector(handlore.DetectorOptions(video=True)) as detector:
...     video = handlore.track_video("wave.mp4", detector)
>>> moves = handlore.load_model("moves.onnx")
>>> [event.label for event in handlore.recognise([moves], video)]
['wave']

From a stream of landmarks to events:

>>> stream = handlore.load_dataset("stream.npz")
>>> recogniser = handlore.Recogniser([handlore.load_model("moves.onnx")])
>>> for frame in zip(stream.time, stream.image, stream.world, stream.handedness):
...     for event in recogniser.feed(*frame):
...         print(event.label)
swipe_left

Recording with a camera; here a video replaces the camera, and a script the keys:

>>> options = handlore.SessionOptions(headless=True, countdown=0, coach=False)
>>> keys = handlore.ScriptedKeys("r")
>>> handlore.record("gestures", ["wave"], "wave.mp4", options, keys=keys).kept
{'wave': 1, 'none': 0}

Live recognition with a camera, or here with a video:

>>> events = []
>>> summary = handlore.run_live(["moves.onnx"], "wave.mp4", on_event=events.append)
>>> [event.label for event in events]
['wave']
"""

import sys

if getattr(sys, "argv", [])[:1] == ["-m"] and not sys.flags.safe_path:
    # `python -m handlore` puts the current folder first on the path: a numpy.py in a folder of
    # pictures would run. While the package of such a module is imported, the command is "-m".
    del sys.path[0]

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from handlore.capture.keys import ScriptedKeys as ScriptedKeys
    from handlore.capture.live.run import LiveOptions as LiveOptions
    from handlore.capture.live.run import run_live as run_live
    from handlore.capture.recording.options import SessionOptions as SessionOptions
    from handlore.capture.recording.run import record as record
    from handlore.classifiers.evaluation.comparison import compare as compare
    from handlore.classifiers.evaluation.crossval import cross_validate as cross_validate
    from handlore.classifiers.evaluation.evaluation import evaluate as evaluate
    from handlore.classifiers.improving import improve as improve
    from handlore.classifiers.selection import compare_estimators as compare_estimators
    from handlore.classifiers.training import train as train
    from handlore.datasets.conversion.batches import ConvertOptions as ConvertOptions
    from handlore.datasets.conversion.convert import convert as convert
    from handlore.datasets.conversion.convert import convert_to_file as convert_to_file
    from handlore.datasets.conversion.preview import preview as preview
    from handlore.datasets.dataset import Header as Header
    from handlore.datasets.dataset import LandmarkDataset as LandmarkDataset
    from handlore.datasets.dataset import Samples as Samples
    from handlore.datasets.dataset import concatenate as concatenate
    from handlore.datasets.describe import describe as describe
    from handlore.datasets.loading import load_data as load_data
    from handlore.datasets.pictures import read_picture as read_picture
    from handlore.datasets.sources import make_source as make_source
    from handlore.datasets.storage import load_dataset as load_dataset
    from handlore.datasets.storage import save_dataset as save_dataset
    from handlore.datasets.tables.exporting import export_table as export_table
    from handlore.datasets.tracking import track_video as track_video
    from handlore.landmarks.detector import DetectorOptions as DetectorOptions
    from handlore.landmarks.errors import HandloreError as HandloreError
    from handlore.landmarks.errors import InvalidDataError as InvalidDataError
    from handlore.landmarks.geometry import canonicalize as canonicalize
    from handlore.landmarks.hands import HAND_CONNECTIONS as HAND_CONNECTIONS
    from handlore.landmarks.hands import Hand as Hand
    from handlore.landmarks.hands import HandLandmark as HandLandmark
    from handlore.landmarks.opening import open_detector as open_detector
    from handlore.landmarks.search import search as search
    from handlore.models.files import load_model as load_model
    from handlore.models.files import load_models as load_models
    from handlore.models.files import required_landmarker as required_landmarker
    from handlore.models.model import Prediction as Prediction
    from handlore.models.predict import predict_files as predict_files
    from handlore.models.predict import predict_video as predict_video
    from handlore.models.stream.calibration import calibrate as calibrate
    from handlore.models.stream.events import Event as Event
    from handlore.models.stream.recogniser import Recogniser as Recogniser
    from handlore.models.stream.recogniser import recognise as recognise
    from handlore.models.stream.replay import replay as replay
    from handlore.models.stream.settings import RecogniserSettings as RecogniserSettings
    from handlore.report.writing import write_report as write_report

__version__ = "0.1.0"

_API = {
    name: module
    for module, names in {
        "capture.keys": "ScriptedKeys",
        "capture.live.run": "LiveOptions run_live",
        "capture.recording.options": "SessionOptions",
        "capture.recording.run": "record",
        "datasets.conversion.batches": "ConvertOptions",
        "datasets.conversion.convert": "convert convert_to_file",
        "datasets.conversion.preview": "preview",
        "datasets.dataset": "Header LandmarkDataset Samples concatenate",
        "datasets.describe": "describe",
        "datasets.loading": "load_data",
        "datasets.pictures": "read_picture",
        "datasets.sources": "make_source",
        "datasets.storage": "load_dataset save_dataset",
        "datasets.tables.exporting": "export_table",
        "datasets.tracking": "track_video",
        "landmarks.detector": "DetectorOptions",
        "landmarks.errors": "HandloreError InvalidDataError",
        "landmarks.geometry": "canonicalize",
        "landmarks.hands": "HAND_CONNECTIONS Hand HandLandmark",
        "landmarks.opening": "open_detector",
        "landmarks.search": "search",
        "models.files": "load_model load_models required_landmarker",
        "models.model": "Prediction",
        "models.stream.calibration": "calibrate",
        "models.stream.events": "Event",
        "models.stream.recogniser": "Recogniser recognise",
        "models.stream.settings": "RecogniserSettings",
        "classifiers.improving": "improve",
        "classifiers.selection": "compare_estimators",
        "classifiers.training": "train",
        "classifiers.evaluation.crossval": "cross_validate",
        "classifiers.evaluation.evaluation": "evaluate",
        "classifiers.evaluation.comparison": "compare",
        "report.writing": "write_report",
        "models.predict": "predict_files predict_video",
        "models.stream.replay": "replay",
    }.items()
    for name in names.split()
}
"""The module of each public name; the imports above are for type checkers."""

__all__ = [*_API]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name not in _API:
        raise AttributeError(f"module 'handlore' has no attribute {name!r}")
    return getattr(importlib.import_module(f"handlore.{_API[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_API])
