"""Pictures, videos and folders that a command was given."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from handlore.landmarks.errors import HandloreError

if TYPE_CHECKING:
    from handlore.datasets.dataset import LandmarkDataset
    from handlore.landmarks.detector import HandDetector


@dataclass(frozen=True)
class Medium:
    """One thing to look at."""

    path: Path
    what: Literal["picture", "video", "frames"]
    """``frames`` is a folder whose pictures are a video."""


def media_in(paths: Sequence[Path], *, moving: bool) -> list[Medium]:
    """List what paths stand for.

    Parameters
    ----------
    paths
        Pictures, videos, and folders of them.
    moving
        Whether movements are looked for: then the pictures of a folder are frames of a video.

    Raises
    ------
    HandloreError
        If a path does not exist, holds nothing to look at, or is a picture where movements are
        looked for.
    """
    from handlore.datasets.pictures import is_picture

    media = [medium for path in paths for medium in _of(path, moving)]
    still = next((medium.path for medium in media if moving and medium.what == "picture"), None)
    if still is not None:
        what = "a picture" if is_picture(still) else "neither a picture nor a video by its name"
        raise HandloreError(
            f"{still} is {what}, and the model takes movements; give a video, or the folder of"
            " its frames"
        )
    return media


def _of(path: Path, moving: bool) -> list[Medium]:
    from handlore.datasets.pictures import is_picture, is_video
    from handlore.datasets.sources.base import walk
    from handlore.datasets.videos import is_animated

    if not path.exists():
        raise HandloreError(f"there is no file {path}")

    def of_file(file: Path) -> Medium:
        moves = is_video(file) or (file.suffix.lower() == ".gif" and is_animated(file))
        return Medium(file, "video" if moves else "picture")

    if not path.is_dir():
        return [of_file(path)]
    files = [path / name for name in walk(path) if is_picture(Path(name)) or is_video(Path(name))]
    found = [of_file(file) for file in files]
    if moving:
        folders = dict.fromkeys(one.path.parent for one in found if one.what == "picture")
        found = [one for one in found if one.what == "video"]
        found += [Medium(folder, "frames") for folder in folders]
    if not found:
        raise HandloreError(f"the folder {path} holds no pictures or videos")
    return found


def tracked(
    detector: "HandDetector", medium: Medium, n_hands: int, frame_rate: float
) -> "LandmarkDataset":
    """Follow the hands through a video.

    Returns
    -------
    A dataset of one sample.

    Raises
    ------
    InvalidDataError
        If it cannot be read.
    """
    from handlore.datasets.conversion.batches import SearchOptions, find_hands
    from handlore.datasets.dataset import Header, LandmarkDataset, Samples
    from handlore.datasets.sources import make_source
    from handlore.datasets.sources.base import Item

    options = {"frame_rate": frame_rate} if medium.what == "frames" else {}
    source = make_source("frames" if medium.what == "frames" else "videos", options)
    item = Item(medium.path, medium.path.name, "")
    (sample,), _ = find_hands(source, item, detector, SearchOptions(max_hands=n_hands))
    return LandmarkDataset.of_hands(
        sample.slots, Samples.make(["?"]), time=sample.time, offsets=[0, len(sample.time)],
        header=Header(kind="sequence"),
    )  # fmt: skip
