"""Numbers of MediaPipe's holistic or hand model, a file a frame, as many tutorials keep them."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice, pairwise
from math import nan
from pathlib import Path, PurePosixPath

import numpy as np

from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.hands import Hand

from ..files import files_of, natural_key, read_bytes, read_start, readable
from ..layouts.words import SPLITS
from ..tables.arrays import parse_npy, read_npy_header
from ..tables.units import height_in_widths
from ._landmarks import (
    ASPECT_HELP,
    FRAME_RATE_HELP,
    LandmarkSource,
    Numbers,
    first_files,
    require_aspect,
    require_frame_rate,
    require_within,
)
from .base import SOURCES, Item, LandmarkClip, Listing, option

_SIZES = (63, 126, 258, 1662)
_FRAME = re.compile(r"[^0-9]*([0-9]{1,9})\.npy", re.IGNORECASE)
_LARGEST_FILE = 1_000_000


@SOURCES.register
@dataclass(frozen=True)
class _MpHolistic(LandmarkSource):
    """Landmarks of MediaPipe in MP_Data/<label>/<sequence>/<frame>.npy, as tutorials record them.

    A frame holds 63 numbers (one hand, 21 x 3), 126 (left hand, right hand), 258 (33 x 4 of the
    body before the hands) or 1662 (468 x 3 of the face between body and hands); all zeros mean
    that no hand was found. x and y are shares of the picture, so the aspect has to be given.
    Frames are put in order by their number, and a missing one leaves a gap in time.

    Whose hand it is: unknown with 63 numbers; else left and right are those that the holistic model
    gives for a picture that is not mirrored. Many recorders flip the camera's picture first:
    then --mirrored flips it back and exchanges the sides. A folder train, val or test above the
    labels is the split. World landmarks are unknown.
    """

    name = "mp-holistic"
    layout = "MP_Data/<label>/<sequence>/<frame>.npy"
    kind = "sequence"

    frame_rate: float = option(30.0, FRAME_RATE_HELP)
    aspect: str = option("4:3", ASPECT_HELP)
    mirrored: bool = option(
        False, "The pictures were mirrored before the hands were found: flip x, exchange sides."
    )

    def fits(self, root: Path) -> bool:
        """Say whether one of the first numbered files holds as many numbers as it should."""
        numbered = (path for name, path in first_files(root, ".npy") if _sequence_of(name))
        return any(_has_header(read_start(path, 4096)) for path in islice(numbered, 20))

    def scan(self, root: Path) -> Listing:
        """List the folders of frames; arrays that are no numbered frame are left out."""
        require_frame_rate(self.frame_rate)
        require_aspect(self.aspect)
        arrays = [name for name, _ in files_of(root) if name.lower().endswith(".npy")]
        folders = {folder for name in arrays if (folder := _sequence_of(name))}
        items = [_item(root, folder) for folder in sorted(folders, key=natural_key)]
        flipped = "mirrored, flipped back" if self.mirrored else "treated as not mirrored"
        note = f"{self.frame_rate:g} frames a second; pictures of {self.aspect}, {flipped}"
        return Listing(items, [name for name in arrays if not _sequence_of(name)], [note])

    def read_landmarks(self, item: Item) -> LandmarkClip:
        """Read the frames of a sequence."""
        files = [(number, path, read_bytes(path)) for number, path in _frames(item.path)]
        if len({number for number, _, _ in files}) < len(files):
            same = next(a[1].name for a, b in pairwise(files) if a[0] == b[0])
            raise InvalidDataError(f"two frames have the number of {same}")
        rows = [_numbers(path.name, data) for _, path, data in files]
        if len({len(row) for row in rows}) > 1:
            raise InvalidDataError("its frames hold different amounts of numbers")
        times = [(number - files[0][0]) / self.frame_rate for number, _, _ in files]
        frames = [(time, list(self._hands(row))) for time, row in zip(times, rows, strict=True)]
        parts = (part for number, _, data in files for part in (b"%d\n" % number, data))
        return LandmarkClip(sha256(b"".join(parts)).hexdigest(), frames)

    def _hands(self, row: Numbers) -> Iterator[Hand]:
        sides = {nan: row} if len(row) == 63 else {0.0: row[-126:-63], 1.0: row[-63:]}
        for handedness, numbers in sides.items():
            if numbers.any():
                yield self._hand(numbers.reshape(21, 3), handedness)

    def _hand(self, marks: Numbers, handedness: float) -> Hand:
        """Return a hand in image widths of shares of the picture (21, 3)."""
        x, y, z = marks.T
        x = 1 - x if self.mirrored else x
        image = np.stack([x, y * height_in_widths(self.aspect), z], axis=1).astype(np.float32)
        side = 1 - handedness if self.mirrored else handedness
        return Hand(image, np.full((21, 3), np.nan, np.float32), side)


def is_frame_name(name: str) -> bool:
    """Say whether a name is that of a numbered frame in a sequence below a label."""
    return bool(_sequence_of(name))


def is_numbered_frame(name: str, path: Path) -> bool:
    """Say whether an array is one frame of a sequence below a label."""
    return bool(_sequence_of(name)) and _has_header(read_start(path, 4096))


def _sequence_of(name: str) -> str:
    """Return the folder of a frame below a label, nothing if it is no frame."""
    path = PurePosixPath(name)
    return str(path.parent) if len(path.parts) > 2 and _FRAME.fullmatch(path.name) else ""


def _item(root: Path, folder: str) -> Item:
    *above, label, _ = PurePosixPath(folder).parts
    split = SPLITS.get(above[-1].lower(), "") if above else ""
    return Item(root / folder, folder, label, split=split)


def _frames(folder: Path) -> list[tuple[int, Path]]:
    """Return the frames of a sequence with their numbers, in order."""
    with readable():
        found = [(_FRAME.fullmatch(path.name), path) for path in folder.iterdir()]
    shown = [(match, path) for match, path in found if match and path.name[0] != "."]
    return sorted((int(match[1]), path) for match, path in shown if path.is_file())


def _has_header(data: bytes) -> bool:
    try:
        _require_header(data)
    except InvalidDataError:
        return False
    return True


def _require_header(data: bytes) -> None:
    """Check that an array has the right amount of numbers, before anything is made of it."""
    shape, _, dtype = read_npy_header(io.BytesIO(data))
    if dtype.kind not in "fiu" or shape not in _SHAPES:
        expected = ", ".join(map(str, _SIZES))
        raise InvalidDataError(f"it is {dtype} {shape}, expected {expected} numbers")


_SHAPES = {(21, 3), *((size,) for size in _SIZES), *((1, size) for size in _SIZES)}


def _numbers(name: str, data: bytes) -> Numbers:
    """Return the numbers of one frame."""
    try:
        if len(data) > _LARGEST_FILE:
            raise InvalidDataError("it is too large for one frame")
        _require_header(data)
        row = np.asarray(parse_npy(data), np.float64).ravel()
        require_within(row[-126:], 20, "shares of the picture in [0, 1]")
    except InvalidDataError as error:
        raise InvalidDataError(f"{name}: {error}") from error
    return row
