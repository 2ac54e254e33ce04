"""Videos in a folder per label, or with the label in the name."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from ..files import MAX_LISTED, SAMPLED, files_of, spread
from ..pictures import is_picture, is_video
from ..videos import FrameSelection, has_times, is_animated, read_video
from ._readings import likely_readings
from .base import (
    LABEL_HELP,
    PATTERN_HELP,
    SOURCES,
    Clip,
    Item,
    Listing,
    NamedFiles,
    Source,
    not_listed,
    option,
)

# wave_12, wave-12, wave (2): the number distinguishes recordings of one gesture.
_NUMBERED = re.compile(r"(?<=.)(?:[_-]\d+| ?\(\d+\))$")

STRIDE_HELP = "Read every Nth frame."


@SOURCES.register
@dataclass(frozen=True)
class Videos(Source):
    r"""Videos and animated GIFs in a folder per label, or with the label in the name.

    Folders are read as for images: labels, people, train, val and test. Videos in no such folder
    are named after their gesture; a number at the end does not count (wave_3.mp4, wave-3.mp4,
    wave (3).mp4). Other names are read by a name pattern, for example 'H-(?P<label>\w+)\.mp4'.
    Frames keep their own times, and are turned as the phone was held. A video that ends before
    its container says so is a failure, unless --max-frames stops before that.
    """

    name = "videos"
    layout = "<label>/*.mp4|avi|webm|mov|mkv|gif, below train|val|test too, or <label>_<n>.mp4"
    kind = "sequence"
    specificity = 5

    name_pattern: str = option("", PATTERN_HELP)
    label: str = option("", LABEL_HELP)
    stride: int = option(1, STRIDE_HELP)
    fps: float = option(
        0.0,
        "Read at most this many frames a second, by their times, after --stride; 0 = all.",
    )
    max_frames: int = option(
        0,
        "Read only the first frames of a video, after --stride and --fps; 0 = all.",
    )

    def __post_init__(self) -> None:
        """Refuse options out of range."""
        self._selection()

    def fits(self, root: Path) -> bool:
        """Say whether most of a sample of the pictures and videos are videos or animated GIFs."""
        if self.name_pattern:
            return bool(self.scan(root).items)
        first = [path for _, path in islice(files_of(root), MAX_LISTED)]
        seen = [path for path in first if is_video(path) or is_picture(path)]
        videos = [path for path in seen if is_video(path)]
        gifs = [path for path in seen if _is_gif(path)]
        sample = spread(gifs, SAMPLED)
        moving = sum(is_animated(path) for path in sample) / len(sample) if sample else 0.0
        return 2 * (len(videos) + moving * len(gifs)) > len(seen)

    def scan(self, root: Path) -> Listing:
        """List the videos and GIFs."""
        files = dict(files_of(root))
        videos = [name for name, path in files.items() if is_video(path) or _is_gif(path)]
        columns = NamedFiles(self.name_pattern, self.label).read(videos, root, _label_of)
        items = [Item(files[name], name, **own) for name, own in columns.of.items()]
        numbers = [] if self.name_pattern or self.label else _about_numbers(items)
        return Listing(
            items,
            not_listed(files, items),
            [*columns.notes, *numbers, *_about_times(items)],
            doubt=columns.doubt,
            readings=likely_readings(videos) if columns.doubt else (),
        )

    def read(self, item: Item) -> Clip:
        """Open one video; its frames are decoded as they are asked for."""
        frames, sha256 = read_video(item.path, self._selection())
        return Clip(sha256, frames)

    def _selection(self) -> FrameSelection:
        return FrameSelection(self.stride, self.fps, self.max_frames)


def _about_times(items: Sequence[Item]) -> list[str]:
    """Say how many videos are bare streams, whose frames have no times."""
    bare = [item.source for item in items if not has_times(item.path)]
    if not bare:
        return []
    return [
        f"bare streams have no times and are read at their nominal rate, mostly 25 frames a second:"
        f" {len(bare)}, such as {bare[0]}"
    ]


def _about_numbers(items: Sequence[Item]) -> list[str]:
    """Say which labels were made by removing a number from the file's name."""
    shortened = {}
    for item in items:
        path = PurePosixPath(item.source)
        if item.label == _label_of(path.stem) and item.label not in (*path.parts[:-1], path.stem):
            shortened[path.stem] = item.label
    if not shortened:
        return []
    stem, label = next(iter(shortened.items()))
    return [
        f"the number at the end of {len(shortened)} file names is not part of the label, such"
        f" as {stem}: {label} (otherwise use --name-pattern)"
    ]


def _is_gif(path: Path) -> bool:
    return path.suffix.lower() == ".gif"


def _label_of(stem: str) -> str:
    return _NUMBERED.sub("", stem)
