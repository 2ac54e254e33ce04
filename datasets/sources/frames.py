"""Videos as folders of numbered pictures."""

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.landmarks.hands import Pixels

from ..files import MAX_LISTED, is_hidden, natural_order, readable, walk
from ..layouts.folders import FileFacts
from ..layouts.words import Pattern, all_are
from ..pictures import is_picture, read_picture
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
    option,
)
from .videos import STRIDE_HELP

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
    stride: int = option(1, STRIDE_HELP)
    frame_rate: float = option(
        30.0, "Frames per second in the folder, before --stride; sets the times."
    )

    def __post_init__(self) -> None:
        """Refuse options out of range."""
        if self.stride < 1:
            raise HandloreError(f"--stride is {self.stride}, expected 1 or more")
        if not (math.isfinite(self.frame_rate) and self.frame_rate > 0):
            raise HandloreError(f"--frame-rate is {self.frame_rate}, expected more than 0")

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
        return NamedFiles(self.name_pattern, self.label).read(inside, root)

    def scan(self, root: Path) -> Listing:
        """List the sequences; pictures that are in no sequence are left out."""
        files = list(walk(root))
        sequences = _by_folder(file for file in files if is_picture(Path(file)))
        columns = self._columns(list(sequences), root)
        items = [Item(root / folder, folder, **own) for folder, own in columns.of.items()]
        return Listing(
            items,
            [file for file in files if _folder_of(file) not in columns.of],
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
                pixels, _ = read_picture(pictures[number])
            except InvalidDataError as error:
                raise InvalidDataError(f"its picture {pictures[number].name}: {error}") from error
            yield number / self.frame_rate, pixels


def _by_folder(files: Iterable[str]) -> dict[str, list[str]]:
    folders: dict[str, list[str]] = {}
    for file in files:
        folders.setdefault(_folder_of(file), []).append(PurePosixPath(file).stem)
    return folders


def _folder_of(file: str) -> str:
    return file.rpartition("/")[0]


def _are_labels(named: Mapping[str, Mapping[str, str]]) -> bool:
    """Say whether folders of pictures are labels, 00/01_palm, and the ones above them people.

    Then people show the same labels, and each has one folder of pictures for each of them.
    """
    people = {columns["label"] for columns in named.values()}
    shown = Counter(PurePosixPath(folder).name for folder in named)
    shared = [name for name, n in shown.items() if n > 1]
    words = not any(all_are(kind, shared) for kind in Pattern)
    return len(shared) > 1 and words and any(all_are(kind, people) for kind in Pattern)


def _are_photos(files: Sequence[str], root: Path) -> bool:
    """Say whether folders name gestures if numbered pictures are photos: my_signs/fist/1.jpg."""
    read = NamedFiles("").read(files, root)
    labels = {own["label"] for own in read.of.values()}
    return not read.doubt and not any(all_are(kind, labels) for kind in Pattern)


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
