"""Predictions for files: pictures, videos, folders of them, and recordings."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from handlore.datasets.dataset import NONE_LABEL, LandmarkDataset
from handlore.datasets.kinds import KIND_NAMES
from handlore.datasets.loading import load_recordings
from handlore.datasets.pictures import picture_and_digest
from handlore.datasets.recording_files import is_recordings
from handlore.datasets.tracking import Medium, list_media, track_video
from handlore.landmarks.detector import DetectorOptions, HandDetector
from handlore.landmarks.errors import (
    HandloreError,
    InvalidArgumentError,
    InvalidDataError,
    counted,
    naming,
)
from handlore.landmarks.files import each_path
from handlore.landmarks.opening import open_detector
from handlore.landmarks.untrusted import reason

from .files import load_model, required_landmarker
from .model import Model, MovementModel, PoseModel, Prediction
from .stream.events import Event
from .stream.recogniser import recognise
from .stream.settings import RecogniserSettings

_MAX_CLIP_LENGTH = 1.5
"""A video up to this many times as long as the longest training clips is one clip."""
_MIN_HOLD = 0.2
"""Hold time of poses in seconds; a third of the video, if that is shorter."""
OpenDetector = Callable[[bool], AbstractContextManager[HandDetector]]
"""Opens a detector when it is needed; receives whether there are videos."""


@dataclass(frozen=True)
class FilePrediction:
    """The prediction for one file."""

    path: Path

    prediction: Prediction | None = None
    """Of a picture, or of a recorded pose."""
    events: tuple[Event, ...] = ()
    """The gestures in a video, without ``none``."""

    def as_json(self) -> dict[str, Any]:
        """Return it under the names that scripts rely on."""
        if self.prediction is not None:
            one = self.prediction
            return {
                "path": str(self.path),
                "label": one.label,
                "probability": one.probability,
                "rotation_deg": one.rotation_deg,
                "hand": one.hand,
                "familiarity": None if one.novelty is None else 1 - one.novelty,
            }
        segments = [event.as_json() for event in self.events]
        longest = max(segments, key=lambda one: one["end"] - one["start"], default=None)
        return {
            "path": str(self.path),
            "label": longest["label"] if longest else NONE_LABEL,
            "probability": longest["probability"] if longest else None,
            "rotation_deg": None,
            "hand": longest["hand"] if longest else None,
            "segments": segments,
        }


@dataclass(frozen=True)
class FilePredictions:
    """The predictions for some files."""

    predictions: tuple[FilePrediction, ...]

    failures: tuple[tuple[str, str], ...]
    """Files that cannot be read, and why."""
    notes: tuple[str, ...]
    """What was left out."""


def _video_events(model: Model, video: LandmarkDataset) -> list[Event]:
    """Return the gestures in a video with their times, without ``none``.

    A model of movements classifies a video as one clip if it is about as long as the training
    clips. Longer videos, and all videos for a model of poses, are recognised as a stream.
    """
    seen = np.flatnonzero(video.detected.any(axis=1))
    if not len(seen):
        return []
    start, end = float(video.time[seen[0]]), float(video.time[seen[-1]])
    if isinstance(model, MovementModel) and end - start <= _MAX_CLIP_LENGTH * model.seconds[-1]:
        found = model.predict_clip(video)
        if found.label == NONE_LABEL or found.probability is None:
            return []
        return [Event(found.label, start, end, found.probability, found.hand)]
    dwell = min(_MIN_HOLD, float(np.ptp(video.time)) / 3)
    return list(recognise([model], video, RecogniserSettings(pose_events="end", dwell=dwell)))


def predict_video(
    model: Model | str | Path, path: str | Path, detector: HandDetector, *, frame_rate: float = 30.0
) -> list[Event]:
    """Return the gestures in a video file with their times.

    Parameters
    ----------
    model
        Of poses or movements; or its file or name.
    path
        A video, an animated GIF, or a folder of numbered pictures, its frames.
    detector
        An open detector, for as many hands as the model takes.
    frame_rate
        Frames per second, for a folder of pictures.

    Raises
    ------
    InvalidDataError
        If the video cannot be read.

    Examples
    --------
    >>> model = handlore.load_model("moves.onnx")
    >>> with handlore.open_detector(handlore.DetectorOptions(video=True)) as detector:
    ...     events = handlore.predict_video(model, "wave.mp4", detector)
    >>> [event.label for event in events]
    ['wave']
    """
    model = load_model(model)
    n_hands = model.card.n_hands
    video = track_video(path, detector, max_hands=n_hands, frame_rate=frame_rate)
    return _video_events(model, video)


def predict_files(
    model: Model | str | Path,
    paths: Sequence[str | Path] | str | Path,
    *,
    detector: OpenDetector | None = None,
    frame_rate: float = 30.0,
    tta: int = 0,
    max_hands: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> FilePredictions:
    """Predict the gestures in pictures, videos and recordings.

    Parameters
    ----------
    model
        Of poses or movements; or its file or name.
    paths
        Pictures, videos, folders of them, and folders of recordings, which are predicted from
        their landmarks. A model of movements takes a folder of pictures as the frames of a video.
    detector
        Opens a detector, if there are pictures or videos; default: with the network that the model
        was trained on.
    frame_rate
        Frames per second of folders of pictures.
    tta
        Test-time augmentation, see :meth:`~.model.PoseModel.predict_picture`.
    max_hands
        With 2, a model of one hand predicts each of two hands, which ``detector`` must look for.
    progress
        Called with the number of finished pictures and videos, and of all.

    Raises
    ------
    HandloreError
        If no path exists and holds something of the model's kind; else those are failures.

    Examples
    --------
    >>> model = handlore.load_model("poses.onnx")
    >>> [one] = handlore.predict_files(model, ["photo.png"]).predictions
    >>> one.prediction.label
    'fist'
    """
    model, found = load_model(model), _Predicted()
    _check(model, detector, tta, max_hands)
    media = _listed(model, each_path(paths), found)
    if tta and all(medium.kind != "picture" for medium in media):
        with naming(found.failures):
            raise HandloreError("--tta is for pictures, and none are named")
    if media:
        video = any(medium.kind != "picture" for medium in media)
        n_hands = max(model.card.n_hands, max_hands or 1)
        with detector(video) if detector else detector_for([model], video, n_hands) as opened:
            for done, medium in enumerate(media, 1):
                with found.failing(medium.path):
                    found.predictions += _predict_medium(
                        model, opened, medium, frame_rate, tta, n_hands=n_hands
                    )
                progress(done, len(media))
    return FilePredictions(tuple(found.predictions), tuple(found.failures), tuple(found.notes))


def _check(
    model: Model, detector: OpenDetector | None, tta: int | None, max_hands: int | None
) -> None:
    if detector is not None and not callable(detector):
        raise HandloreError(
            "`detector` is no function that opens one; leave it out for the default"
        )
    if (tta or 0) < 0 or max_hands not in (None, 1, 2):
        raise InvalidArgumentError(
            f"tta is {tta} and max_hands {max_hands}, expected 0 or more, and 1, 2 or None"
        )
    if tta and model.card.kind != "pose":
        raise HandloreError("the model takes videos; --tta is for models of poses")


@dataclass
class _Predicted:
    """What was predicted so far."""

    predictions: list[FilePrediction] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @contextmanager
    def failing(self, path: Path) -> Iterator[None]:
        """Note a file that cannot be read, and go on."""
        try:
            yield
        except InvalidDataError as error:
            self.failures.append((str(path), str(error)))
        except MemoryError as error:
            self.failures.append((str(path), reason(error)))


def _listed(model: Model, paths: Sequence[Path], found: _Predicted) -> list[Medium]:
    """Return pictures and videos; recordings are predicted. A path that is wrong is a failure.

    HandloreError is raised if all paths are wrong.
    """
    media: list[Medium] = []
    wrong: list[HandloreError] = []
    for path in paths:
        try:
            if is_recordings(path):
                _predict_recordings(model, path, found)
            else:
                media += list_media([path], movements=model.card.kind == "sequence")
        except HandloreError as error:
            wrong.append(error)
            found.failures.append((str(path), _reason_without(path, error)))
    if wrong and len(wrong) == len(paths):
        raise wrong[0]
    return media


def _reason_without(path: Path, error: HandloreError) -> str:
    """Return what an error says of a path that is named beside it."""
    return str(error).removeprefix(f"{path} ").replace(f" {path}", "", 1)


def detector_for(models: Sequence[Model], video: bool, n_hands: int) -> HandDetector:
    """Open a detector with the network that models were trained with."""
    landmarker = required_landmarker(models)
    return open_detector(DetectorOptions(landmarker=landmarker, max_hands=n_hands, video=video))


def _predict_medium(
    model: Model,
    detector: HandDetector,
    medium: Medium,
    frame_rate: float,
    tta: int,
    *,
    n_hands: int,
) -> list[FilePrediction]:
    """Predict a picture or a video; a model of one hand predicts each of ``n_hands``."""
    path, each = medium.path, n_hands > model.card.n_hands
    if medium.kind == "picture" and isinstance(model, PoseModel):
        pixels, _ = picture_and_digest(path)
        if not each:
            return [FilePrediction(path, model.predict_picture(detector, pixels, tta))]
        predictions = model.predict_each_hand(detector, pixels, tta)
        return [FilePrediction(path, one) for one in predictions]
    if not each:
        events = predict_video(model, path, detector, frame_rate=frame_rate)
        return [FilePrediction(path, events=tuple(events))]
    video = track_video(path, detector, max_hands=n_hands, frame_rate=frame_rate)
    hands = [video.with_slots(slice(slot, slot + 1)) for slot in range(n_hands)]
    found = (event for one in hands for event in _video_events(model, one))
    events = sorted(found, key=lambda one: one.start)
    return [FilePrediction(path, events=tuple(events))]


def _predict_recordings(model: Model, folder: Path, found: _Predicted) -> None:
    """Add the predictions for the recordings of the model's kind."""
    recorded, kind = load_recordings(folder), model.encoder.kind
    chosen = recorded.require(kind)
    found.failures += recorded.failed()
    found.notes += [
        f"{counted(n, 'recording')} of {KIND_NAMES[other]} in {folder}"
        f" {'is' if n == 1 else 'are'} left out"
        for other, n in recorded.counts().items()
        if other != kind
    ]
    for recording in chosen:
        path = folder / str(recording.samples.source[0]).partition("#")[0]
        with found.failing(path):
            found.predictions.append(_predict_recording(model, path, recording))


def _predict_recording(model: Model, path: Path, recording: LandmarkDataset) -> FilePrediction:
    model.require_hands(recording)
    if isinstance(model, PoseModel):
        return FilePrediction(path, model.predict_clip(recording))
    return FilePrediction(path, events=tuple(_video_events(model, recording)))
