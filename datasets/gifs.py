"""Reading an animated GIF frame by frame.

Pillow reads them, because OpenCV takes what is left of a GIF that was cut off for the whole, and
paints what is transparent with what lies behind it.
"""

import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.hands import Pixels

_DAMAGED = (
    OSError, ValueError, SyntaxError, EOFError, struct.error, IndexError, KeyError, TypeError,
    OverflowError, MemoryError, Image.DecompressionBombError,
)  # fmt: skip

# What browsers do with a duration of 0 or 1 hundredth of a second.
SHORTEST_MS = 20
SHOWN_INSTEAD_MS = 100


def n_gif_frames(data: bytes) -> int | None:
    """Count the pictures in a GIF without decoding them; None if it is cut off or no GIF."""
    if data[:6] not in (b"GIF87a", b"GIF89a") or len(data) < 13:
        return None
    place, count = 13 + _palette(data[10]), 0
    while place < len(data):
        kind = data[place]
        if kind == 0x3B:
            return count
        if kind == 0x2C and place + 9 < len(data):
            count += 1
            place += 11 + _palette(data[place + 9])
        elif kind == 0x21:
            place += 2
        else:
            return None
        while place < len(data) and data[place]:
            place += 1 + data[place]
        place += 1
    return None


def _palette(flags: int) -> int:
    """Return how many bytes the table of colours has."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def is_animated(path: Path) -> bool:
    """Say whether a file is a GIF with several pictures, by a look at it."""
    try:
        if not path.is_file():
            return False
        with Image.open(path, formats=["GIF"]) as picture:
            return bool(getattr(picture, "is_animated", False))
    except _DAMAGED:
        return False


def read_gif(
    path: Path, chosen: Callable[[Iterable[float]], Iterator[float]]
) -> Iterator[tuple[float, Pixels]]:
    """Open a GIF.

    Parameters
    ----------
    path
        The file.
    chosen
        Chooses among the times of the frames.

    Returns
    -------
    Seconds since the first frame, and (height, width, 3) RGB; transparency is laid over white.

    Raises
    ------
    InvalidDataError
        If it is no whole GIF.
    """
    count = n_gif_frames(path.read_bytes())
    if not count:
        raise InvalidDataError("it is not a whole GIF; copy it again")
    return _frames(path, count, chosen)


def _frames(
    path: Path, count: int, chosen: Callable[[Iterable[float]], Iterator[float]]
) -> Iterator[tuple[float, Pixels]]:
    try:
        with Image.open(path, formats=["GIF"]) as picture:
            for seconds in chosen(_times(picture, count)):
                yield seconds, _over_white(picture)
    except _DAMAGED as error:
        raise InvalidDataError(f"the GIF is damaged: {error}") from error


def _times(picture: Image.Image, count: int) -> Iterator[float]:
    milliseconds = 0.0
    for number in range(count):
        picture.seek(number)
        picture.load()
        yield milliseconds / 1000
        duration = picture.info.get("duration", 0)
        milliseconds += duration if duration >= SHORTEST_MS else SHOWN_INSTEAD_MS


def _over_white(picture: Image.Image) -> Pixels:
    shown = picture.convert("RGBA")
    white = Image.new("RGBA", shown.size, "white")
    return np.asarray(Image.alpha_composite(white, shown).convert("RGB"), np.uint8)
