"""From pictures to hands: a still is searched stage by stage, a video is tracked.

A video is tracked by the same steps as a camera, so that both give the same landmarks.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import isnan
from pathlib import Path
from typing import Literal

import numpy as np

from handlore.landmarks.detector import HandDetector, checked_detector
from handlore.landmarks.errors import HandloreError, InvalidArgumentError, InvalidDataError
from handlore.landmarks.files import as_path, no_file
from handlore.landmarks.hands import Hand, Pixels, by_slot
from handlore.landmarks.search import as_searched, augmented_hands, search
from handlore.landmarks.stages import STAGES, Stage

from .dataset import Header, LandmarkDataset, Samples
from .files import is_picture, is_video, walk
from .recording_files import refuse_other_recordings
from .sources.base import Clip, HandBox, Item, LandmarkClip, Source
from .sources.videos import Frames, Videos
from .storage import is_dataset
from .videos import is_animated


@dataclass(frozen=True)
class SearchOptions:
    """How hands are found."""

    max_hands: int = 1
    """How many hands a frame has room for."""
    stages: Sequence[Stage] = STAGES
    """The search stages to try in pictures; videos are tracked without them."""
    augment: int = 0
    """How many augmented copies of each picture (turned, scaled, mirrored) become samples, too.
    They share the picture's source."""
    min_score: float = 0.0
    """Hands in stills with a lower score are left out. If a detector gives no score, it is measured
    by a second look."""
    hand: str = ""
    """Which of two hands is used, as the detector was opened with
    (:class:`~handlore.landmarks.detector.DetectorOptions`)."""

    def __post_init__(self) -> None:
        if self.max_hands not in (1, 2):
            raise InvalidArgumentError(f"max_hands is {self.max_hands}, expected 1 or 2")
        if self.augment < 0:
            raise InvalidArgumentError(f"augment is {self.augment}, expected 0 or more")
        if not 0 <= self.min_score <= 1:
            raise HandloreError(f"min_score is {self.min_score}, expected a number from 0 to 1")


@dataclass
class _HandsInItem:
    """The hands of one item, frame by frame."""

    slots: list[list[Hand | None]] = field(default_factory=list)
    """For each frame the hand in each slot."""
    time: list[float] = field(default_factory=list)
    """Seconds from the start of the item."""
    copy: int = 0
    """0 = the item itself, else the number of its augmented copy."""


def find_hands(
    source: Source,
    clip: Clip | LandmarkClip,
    detector: HandDetector | None,
    options: SearchOptions,
) -> list[_HandsInItem]:
    """Return the samples that one item of a source makes.

    ``detector`` is None for a source that brings landmarks.
    """
    if isinstance(clip, LandmarkClip):
        sample = _own_landmarks(clip, options.max_hands)
    elif detector is None:
        raise ValueError(f"source {source.name} has pictures, which need a detector")
    elif source.kind == "sequence":
        sample = _tracked(clip, detector, options)
    else:
        return _searched(source, clip, detector, options)
    if not sample.slots:
        raise InvalidDataError("it has no frames")
    return [sample]


def _searched(
    source: Source, clip: Clip, detector: HandDetector, options: SearchOptions
) -> list[_HandsInItem]:
    """Search a picture, and its augmented copies where a hand was found."""
    samples = []
    for seconds, pixels in clip.frames:
        hands = _hands_in(source, clip.box, pixels, detector, options)
        if options.min_score > 0:
            hands = _with_min_score(detector, pixels, hands, options.min_score)
        slots = by_slot(hands, options.max_hands)
        samples.append(_HandsInItem([slots], [seconds]))
        copies = augmented_hands(detector, pixels, slots, options.augment)
        samples += [_HandsInItem([slots], [seconds], number) for number, slots in copies]
    if not samples:
        raise InvalidDataError("it has no frames")
    return samples


_AROUND_BOX = 0.25
"""The share of its size by which a box is enlarged before the hand in it is searched for."""


def _hands_in(
    source: Source,
    box: HandBox | None,
    pixels: Pixels,
    detector: HandDetector,
    options: SearchOptions,
) -> list[Hand]:
    """Return the hands in a picture; with a box, those in it.

    The box is searched by itself if no hand in it is found in the whole picture. The landmarks are
    in widths of the whole picture.
    """
    silhouette = source.silhouettes
    if box is None:
        return search(detector, pixels, options.stages, silhouette=silhouette)
    plain = search(detector, pixels, options.stages[:1], silhouette=silhouette)
    inside = [hand for hand in plain if _is_inside(hand, box, pixels.shape[1])]
    if inside:
        return inside
    x0, y0, x1, y1 = _enlarged(box, pixels.shape)
    if min(x1 - x0, y1 - y0) < _LEAST_BOX:
        return search(detector, pixels, options.stages, silhouette=silhouette)
    cut = np.ascontiguousarray(pixels[y0:y1, x0:x1])
    found = search(detector, cut, options.stages, silhouette=silhouette)
    scale, width = (x1 - x0) / pixels.shape[1], pixels.shape[1]
    moved = np.array([x0 / width, y0 / width, 0.0], np.float32)
    return [replace(hand, image=(hand.image * scale + moved).astype(np.float32)) for hand in found]


_LEAST_BOX = 8
"""Pixels; smaller boxes are no hands."""


def _is_inside(hand: Hand, box: HandBox, width: int) -> bool:
    """Say whether the centre of a hand is in a box in pixels."""
    x, y = hand.image[:, :2].mean(axis=0) * width
    return bool(box[0] <= x <= box[0] + box[2] and box[1] <= y <= box[1] + box[3])


def _enlarged(box: HandBox, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of a box with a margin, within the picture."""
    x, y, width, height = box
    margin = _AROUND_BOX * max(width, height)
    left, top = max(int(x - margin), 0), max(int(y - margin), 0)
    right, bottom = int(x + width + margin) + 1, int(y + height + margin) + 1
    return left, top, min(right, shape[1]), min(bottom, shape[0])


def _with_min_score(
    detector: HandDetector, pixels: Pixels, hands: Sequence[Hand], min_score: float
) -> list[Hand]:
    """Return the hands with at least this score; unknown scores are measured."""
    scored = [
        replace(hand, score=detector.detect_again(as_searched(hand, pixels), hand)[0].score)
        if isnan(hand.score)
        else hand
        for hand in hands
    ]
    return [hand for hand in scored if hand.score >= min_score]


def _tracked(clip: Clip, detector: HandDetector, options: SearchOptions) -> _HandsInItem:
    detector.reset()
    sample, last = _HandsInItem(), -1.0
    for seconds, pixels in clip.frames:
        # Detectors count milliseconds and need rising times: frames within one are moved apart.
        last = max(seconds, last + 0.001)
        sample.slots.append(by_slot(detector.track(pixels, last), options.max_hands))
        sample.time.append(seconds)
    detector.reset()
    return sample


def _own_landmarks(clip: LandmarkClip, max_hands: int) -> _HandsInItem:
    """Return landmarks as they are; with room for one hand, those of the more frequent side."""
    frames = [list(hands) for _, hands in clip.frames]
    sides = Counter(hand.side for hands in frames for hand in hands)
    if max_hands == 1 and len(sides) > 1:
        ((side, _),) = sides.most_common(1)  # of two sides seen equally often, the first one seen
        frames = [[hand for hand in hands if hand.side == side] for hands in frames]
    slots = [by_slot(hands, max_hands) for hands in frames]
    return _HandsInItem(slots, [seconds for seconds, _ in clip.frames])


@dataclass(frozen=True)
class Medium:
    """A picture or a video."""

    path: Path
    kind: Literal["picture", "video", "frames"]
    """``frames`` is a folder whose pictures are the frames of a video."""


def list_media(paths: Sequence[Path], *, movements: bool) -> list[Medium]:
    """List the pictures, videos and animated GIFs at some paths, in folders too.

    For a model of ``movements`` the pictures of a folder are the frames of one video, and a single
    picture is refused.
    """
    media = [medium for path in paths for medium in _media_of(path, movements)]
    still = next((m.path for m in media if movements and m.kind == "picture"), None)
    if still is not None:
        what = "a picture" if is_picture(still) else "neither a picture nor a video by its name"
        raise HandloreError(
            f"{still} is {what}, and the model takes movements; give a video, or the folder of"
            " its frames"
        )
    return media


def _media_of(path: Path, movements: bool) -> list[Medium]:
    if not path.exists():
        raise HandloreError(no_file(path))
    if is_dataset(path):
        raise HandloreError(
            f"{path} is a landmark dataset, which `handlore evaluate` takes; expected a picture, a"
            " video, or a folder of them or of recordings"
        )
    if not path.is_dir():
        return [_medium(path)]
    names = [name for name in walk(path) if is_picture(Path(name)) or is_video(Path(name))]
    media = [_medium(path / name) for name in names]
    if movements:
        folders = dict.fromkeys(one.path.parent for one in media if one.kind == "picture")
        media = [one for one in media if one.kind == "video"]
        media += [Medium(folder, "frames") for folder in folders]
    if not media:
        refuse_other_recordings(path)
        raise HandloreError(f"the folder {path} holds no pictures or videos")
    return media


def _medium(path: Path) -> Medium:
    moves = is_video(path) or (path.suffix.lower() == ".gif" and is_animated(path))
    return Medium(path, "video" if moves else "picture")


def track_video(
    path: str | Path, detector: HandDetector, *, max_hands: int = 1, frame_rate: float = 30.0
) -> LandmarkDataset:
    """Track the hands in a video.

    Parameters
    ----------
    path
        A video, an animated GIF, or a folder of numbered pictures, its frames.
    detector
        An open detector; one that is opened with ``DetectorOptions(video=True)`` gives the
        landmarks of live recognition.
    max_hands
        How many hands a frame has room for, 1 or 2.
    frame_rate
        Frames per second, for a folder of pictures; videos have times of their own.

    Returns
    -------
    A dataset of kind ``sequence`` with one sample, labelled ``?``; ``image`` is in image widths.

    Raises
    ------
    InvalidDataError
        If it cannot be read.

    Examples
    --------
    >>> import handlore
    >>> with handlore.open_detector(handlore.DetectorOptions(video=True)) as detector:
    ...     hands = handlore.track_video("wave.mp4", detector)
    >>> hands.image.shape[1:]
    (1, 21, 3)
    """
    path, detector = as_path(path), checked_detector(detector)
    source = Frames(frame_rate=frame_rate) if path.is_dir() else Videos()
    options = SearchOptions(max_hands=max_hands)
    clip = source.read(Item(path, path.name, ""))
    sizes: list[tuple[int, int]] = []
    if isinstance(clip, Clip):
        clip = replace(clip, frames=_measured(clip.frames, sizes))
    (sample,) = find_hands(source, clip, detector, options)
    return LandmarkDataset.of_hands(
        sample.slots,
        Samples.make(["?"]),
        time=sample.time,
        offsets=[0, len(sample.time)],
        header=Header(kind="sequence", options={"size": list(sizes[0])} if sizes else {}),
    )


def _measured(
    frames: Iterator[tuple[float, Pixels]], sizes: list[tuple[int, int]]
) -> Iterator[tuple[float, Pixels]]:
    """Yield frames, and keep the width and height of the first one."""
    for seconds, pixels in frames:
        if not sizes:
            sizes.append((pixels.shape[1], pixels.shape[0]))
        yield seconds, pixels
