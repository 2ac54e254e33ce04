"""Videos, and folders of numbered pictures that are videos: labels from folders or names."""

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from handlore.landmarks.errors import InvalidDataError, OptionError
from handlore.landmarks.hands import Pixels

from ..files import (
    MAX_LISTED,
    SAMPLED,
    files_of,
    is_hidden,
    is_picture,
    is_video,
    natural_order,
    parent_of,
    readable,
    spread,
    walk,
)
from ..layouts.folders import FileFacts
from ..layouts.words import Pattern, likely_readings
from ..pictures import picture_and_digest
from ..videos import FrameSelection, has_times, is_animated, read_video
from .base import (
    LABEL_HELP,
    PATTERN_HELP,
    SOURCES,
    Clip,
    Item,
    Listing,
    Source,
    file_facts,
    not_listed,
    option,
)

# wave_12, wave-12, wave (2): the number distinguishes recordings of one gesture.
_NUMBERED = re.compile(r"(?<=.)(?:[_-]\d+| ?\(\d+\))$")

_STRIDE_HELP = "Read every Nth frame."


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
    stride: int = option(1, _STRIDE_HELP)
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
        columns = file_facts(videos, root, self.name_pattern, self.label, of_stem=_label_of)
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


_MIN_FRAMES = 5
"""With fewer numbered pictures a folder is not recognised as a sequence."""


@SOURCES.register
@dataclass(frozen=True)
class Frames(Source):
    r"""Videos as folders of numbered pictures, in a folder per label.

    The folder of the pictures is the sequence, the one above it the label; train, val, test and
    people may be above that, as for images. Pictures follow each other in the natural order of
    their names: frame_2 before frame_10. A name pattern is searched for in the path of the
    sequence's folder, for example '/(?P<group>p\d+)_' for wave/p03_7. A sequence with a damaged
    picture fails.
    """

    name = "frames"
    layout = "<label>/<sequence>/frame_0001.png, below train|val|test too"
    kind = "sequence"
    specificity = 6

    name_pattern: str = option("", PATTERN_HELP)
    label: str = option("", LABEL_HELP)
    stride: int = option(1, _STRIDE_HELP)
    frame_rate: float = option(
        30.0, "Frames per second in the folder, before --stride; sets the times."
    )

    def __post_init__(self) -> None:
        """Refuse options out of range."""
        if self.stride < 1:
            raise OptionError(f"--stride is {self.stride}, expected 1 or more")
        if not (math.isfinite(self.frame_rate) and self.frame_rate > 0):
            raise OptionError(f"--frame-rate is {self.frame_rate}, expected more than 0")

    def fits(self, root: Path) -> bool:
        """Say whether the folders of pictures are numbered consecutively, below those of labels."""
        files = list(islice((f for f in walk(root) if is_picture(Path(f))), MAX_LISTED))
        sequences = _by_folder(files)
        columns = self._columns(list(sequences), root)
        named = columns.of
        if "" in sequences or not named or (len(named) < len(sequences) and not self._asked):
            return False
        if columns.doubt and not self._asked and _are_photos(files, root):
            return False
        series = sum(_is_series(sequences[folder]) for folder in named)
        return 10 * series >= 9 * len(named) and (self._asked or not _are_labels(named))

    @property
    def _asked(self) -> bool:
        return bool(self.name_pattern or self.label)

    def _columns(self, sequences: Sequence[str], root: Path) -> FileFacts:
        inside = [sequence for sequence in sequences if sequence]
        return file_facts(inside, root, self.name_pattern, self.label)

    def scan(self, root: Path) -> Listing:
        """List the sequences; pictures that are in no sequence are left out."""
        files = list(walk(root))
        sequences = _by_folder(file for file in files if is_picture(Path(file)))
        columns = self._columns(list(sequences), root)
        items = [Item(root / folder, folder, **own) for folder, own in columns.of.items()]
        return Listing(
            items,
            [file for file in files if parent_of(file) not in columns.of],
            [*columns.notes, f"{self.frame_rate:g} frames a second (--frame-rate)"],
            doubt=columns.doubt,
            readings=likely_readings(list(sequences)) if columns.doubt else (),
        )

    def read(self, item: Item) -> Clip:
        """Read one sequence.

        The digest is that of the digests of all its pictures, in their order, whatever the
        stride; each picture is decoded when it is asked for.
        """
        pictures = natural_order(path for path in _listed(item.path) if is_picture(path))
        sha256 = hashlib.sha256()
        for path in pictures:
            sha256.update(_digest(path))
        return Clip(sha256.hexdigest(), self._decoded(pictures))

    def _decoded(self, pictures: Sequence[Path]) -> Iterator[tuple[float, Pixels]]:
        for number in range(0, len(pictures), self.stride):
            try:
                pixels, _ = picture_and_digest(pictures[number])
            except InvalidDataError as error:
                raise InvalidDataError(f"its picture {pictures[number].name}: {error}") from error
            yield number / self.frame_rate, pixels


def _by_folder(files: Iterable[str]) -> dict[str, list[str]]:
    folders: dict[str, list[str]] = {}
    for file in files:
        folders.setdefault(parent_of(file), []).append(PurePosixPath(file).stem)
    return folders


def _are_labels(named: Mapping[str, Mapping[str, str]]) -> bool:
    """Say whether folders of pictures are labels, 00/01_palm, and the ones above them people.

    Then people show the same labels, and each has one folder of pictures for each of them.
    """
    people = {columns["label"] for columns in named.values()}
    shown = Counter(PurePosixPath(folder).name for folder in named)
    shared = [name for name, n in shown.items() if n > 1]
    words = not any(kind.covers(shared) for kind in Pattern)
    return len(shared) > 1 and words and any(kind.covers(people) for kind in Pattern)


def _are_photos(files: Sequence[str], root: Path) -> bool:
    """Say whether folders name gestures if numbered pictures are photos: my_signs/fist/1.jpg."""
    read = file_facts(files, root)
    labels = {own["label"] for own in read.of.values()}
    return not read.doubt and not any(kind.covers(labels) for kind in Pattern)


def _is_series(stems: list[str]) -> bool:
    """Say whether names differ in their last number only, and count on.

    A handful of photos of one person in one folder are numbered too, by the camera.
    """
    ends = [re.fullmatch(r"(.*?)(\d+)(\D*)", stem, re.DOTALL) for stem in stems]
    around = {(end[1], end[3]) if end else None for end in ends}
    numbers = [int(end[2]) for end in ends if end]
    counts_on = bool(numbers) and max(numbers) - min(numbers) < 1.5 * len(numbers)
    return len(stems) >= _MIN_FRAMES and len(around) == 1 and None not in around and counts_on


def _listed(folder: Path) -> list[Path]:
    with readable():
        return [path for path in folder.iterdir() if not (is_hidden(path.name) or path.is_dir())]


def _digest(path: Path) -> bytes:
    """Return the digest of a picture file; a name that is no file counts as an empty one."""
    if not path.is_file():
        return hashlib.sha256().digest()
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise InvalidDataError(f"its picture {path.name} cannot be read: {error}") from error
