"""Replay: the events of recordings, videos and datasets, the same as live."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.recording_files import DISCARDED, is_recordings, recording_files
from handlore.datasets.storage import load_dataset
from handlore.datasets.tracking import list_media, track_video
from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.landmarks.files import each, each_path

from ..files import load_model
from ..model import Model
from ..predict import OpenDetector, detector_for
from .events import Event
from .ground_truth import dataset_streams
from .recogniser import recognise
from .settings import RecogniserSettings


@dataclass(frozen=True)
class _StreamLog:
    """The events of one stream."""

    name: str
    events: tuple[Event, ...]


@dataclass(frozen=True)
class ReplayResult:
    """The events of some recordings."""

    logs: tuple[_StreamLog, ...]

    failures: tuple[tuple[str, str], ...]
    """Recordings that cannot be read, and why."""
    n_recordings: int
    """Number of files, with those that failed."""


def replay(
    models: Sequence[Model | str | Path] | Model | str | Path,
    paths: Sequence[str | Path] | str | Path,
    settings: RecogniserSettings | None = None,
    *,
    detector: OpenDetector | None = None,
    frame_rate: float = 30.0,
) -> ReplayResult:
    """Return the events that live recognition would emit for recordings or videos.

    Parameters
    ----------
    models
        As for :class:`~.recogniser.Recogniser`.
    paths
        Dataset files, folders of recordings, and videos or folders of their frames.
    settings
        Thresholds and times.
    detector
        Opens a detector, if there are videos; default: with the network that the models were
        trained on.
    frame_rate
        Frames per second of folders of pictures.

    Raises
    ------
    HandloreError
        If there is no model, or the only recording is missing; recordings with contents that cannot
        be replayed are among the failures.

    Examples
    --------
    >>> models, _ = handlore.load_models(["moves.onnx"])
    >>> [log] = handlore.replay(models, ["stream.npz"]).logs
    >>> [event.label for event in log.events]
    ['swipe_left']
    """
    loaded = [load_model(one) for one in each(models)]
    if not loaded:
        raise InvalidDataError("no models; expected one or more")
    recordings = [file for path in each_path(paths) for file in _recordings(path)]
    logs: list[_StreamLog] = []
    failures: list[tuple[str, str]] = []
    for path in recordings:
        try:
            for name, video in _streams(path, loaded, detector, frame_rate):
                logs.append(_StreamLog(name, tuple(recognise(loaded, video, settings))))
        except HandloreError as error:
            # With several recordings, one that is missing does not stop the others.
            if len(recordings) == 1 and not isinstance(error, InvalidDataError):
                raise
            failures.append((str(path), str(error)))
    return ReplayResult(tuple(logs), tuple(failures), len(recordings))


def _recordings(path: Path) -> list[Path]:
    """Return the files of a folder of recordings, or of one label in it; else the path itself."""
    above = path.resolve()
    root = next((one for one in (above, *above.parents[:2]) if is_recordings(one)), None)
    if root is None or not path.is_dir():
        return [path]
    # Landmarks, not the videos beside them: the landmarks are what live recognition got.
    files = recording_files(root, discarded=DISCARDED in above.relative_to(root).parts)
    own = [path / file.relative_to(above) for file in files if above in file.parents]
    return own or [path]


def _streams(
    path: Path,
    models: Sequence[Model],
    detector: OpenDetector | None,
    frame_rate: float,
) -> Iterator[tuple[str, LandmarkDataset]]:
    """Yield the streams of a dataset, or the tracked hands of videos."""
    if path.suffix.lower() == ".npz":
        dataset = load_dataset(path)
        if dataset.n_samples and not (dataset.samples.view == 0).any():
            raise InvalidDataError("it holds augmented copies only, no recording")
        for stream in dataset_streams(dataset):
            yield stream.name or str(path), stream.video
        return
    media, n_hands = list_media([path], movements=True), models[0].card.n_hands
    with detector(True) if detector else detector_for(models, True, n_hands) as opened:
        for medium in media:
            video = track_video(medium.path, opened, max_hands=n_hands, frame_rate=frame_rate)
            yield str(medium.path), video
