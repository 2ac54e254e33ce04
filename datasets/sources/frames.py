"""Videos as folders of numbered pictures."""

import hashlib
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.landmarks.hands import Pixels

from ..files import MAX_LISTED, is_hidden, natural_order, readable, walk
from ..pictures import is_picture, read_picture
from .base import (
    PATTERN_HELP,
    SOURCES,
    SPLITS,
    Clip,
    Folders,
    Item,
    Listing,
    NamePattern,
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

    The folder of the pictures is the sequence, the one above it the label; train, val and test
    may be above that. Pictures follow each other in the natural order of their names:
    frame_2 before frame_10. A name pattern is searched for in the path of the sequence's folder,
    for example '/(?P<group>p\d+)_' for wave/p03_7. A sequence with a damaged picture fails.
    """

    name = "frames"
    layout = "<label>/<sequence>/frame_0001.png, below train|val|test too"
    kind = "sequence"
    specificity = 6

    name_pattern: str = option("", PATTERN_HELP)
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
        """Say whether all pictures are two folders down and numbered consecutively."""
        files = (file for file in walk(root) if is_picture(Path(file)))
        sequences = _by_folder(islice(files, MAX_LISTED))
        pattern, folders = NamePattern(self.name_pattern), _folders(sequences)
        if not all(_is_sequence(folder, folders) for folder in sequences):
            return False
        named = [folder for folder in sequences if pattern.read(folder) is not None]
        series = sum(_is_series(sequences[folder]) for folder in named)
        return bool(named) and 10 * series >= 9 * len(named)

    def scan(self, root: Path) -> Listing:
        """List the sequences; pictures that are in no sequence are left out."""
        pattern = NamePattern(self.name_pattern)
        pictures = [file for file in walk(root) if is_picture(Path(file))]
        sequences = list(_by_folder(pictures))
        folders = _folders(sequences)
        found = (_item(root, sequence, folders, pattern) for sequence in sequences if sequence)
        items = [item for item in found if item]
        listed = {item.source for item in items}
        left_out = [file for file in pictures if _folder_of(file) not in listed]
        return Listing(items, left_out, [f"{self.frame_rate:g} frames a second (--frame-rate)"])

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


def _folders(sequences: Iterable[str]) -> Folders:
    return Folders([f"{sequence}/x" for sequence in sequences if sequence], 2)


def _is_sequence(folder: str, folders: Folders) -> bool:
    """Say whether a folder is <label>/<sequence>, perhaps in a split, and not test/<label>."""
    inside = folders.inside(f"{folder}/x")
    is_split = len(inside) == 2 and inside[0].lower() in SPLITS
    return len(folders.split_off(f"{folder}/x")[1]) == 2 and not is_split


def _is_series(stems: list[str]) -> bool:
    """Say whether names differ in their last number only, and count on.

    A handful of photos of one person in one folder are numbered too, by the camera.
    """
    ends = [re.fullmatch(r"(.*?)(\d+)(\D*)", stem, re.DOTALL) for stem in stems]
    around = {(end[1], end[3]) if end else None for end in ends}
    numbers = [int(end[2]) for end in ends if end]
    counts_on = bool(numbers) and max(numbers) - min(numbers) < 1.5 * len(numbers)
    return len(stems) >= _MIN_FRAMES and len(around) == 1 and None not in around and counts_on


def _item(root: Path, folder: str, folders: Folders, pattern: NamePattern) -> Item | None:
    """Make the item of a sequence's folder; None if it has no label."""
    split, rest = folders.split_off(f"{folder}/x")
    named = pattern.read(folder)
    if named is None:
        return None
    if pattern.has_label and len(rest) == 2 and rest[0].lower() in SPLITS:
        split = SPLITS[rest[0].lower()]
    named = {"split": split, "label": folders.label_in(split, rest)} | named
    return Item(root / folder, folder, **named) if named["label"] else None


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
