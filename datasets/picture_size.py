"""How large a picture is, by its header, and how much of it is decoded.

A file of 100 KB may describe a thousand million pixels. So every picture is measured before it is
decoded; large photos are decoded at a half, a quarter or an eighth of their size, which shows a
hand as well, and larger ones are refused.
"""

import io
import re
import warnings
from dataclasses import dataclass

from PIL import Image

from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.untrusted import DAMAGE

FULL_PIXELS = 17_000_000
"""Pictures with more pixels are decoded smaller; searching takes some 30 bytes a pixel."""

MAX_DECODED_BYTES = 400_000_000
"""Most memory for decoding a picture, its file included."""

MAX_SIDE = 32_000
"""Most pixels of a side after that; OpenCV cannot transform larger ones."""

_BYTES = {"jpeg": 1, "progressive": 6, "tiff": 6, "gif": 8, "avif": 16, "jpeg2000": 16, "": 3}
_TRANSPARENT_BYTES = 8
"""Memory for each pixel of the whole picture, by its kind. A JPEG is decoded at a fraction of its
size; others are decoded whole before they are made smaller."""

_FACTORS = (1, 2, 4, 8)


@dataclass(frozen=True)
class PictureSize:
    """What the header of a picture says."""

    width: int
    height: int
    kind: str = ""
    """``jpeg``, ``progressive`` (also a JPEG), another format, or empty for the rest."""
    transparent: bool = False

    @property
    def factor(self) -> int:
        """By how much the sides are divided in decoding: 1, 2, 4 or 8."""
        n = self.width * self.height
        return next((f for f in _FACTORS if n <= FULL_PIXELS * f * f), _FACTORS[-1])

    def require_usable(self, n_bytes: int) -> None:
        """Refuse a picture that is too large; InvalidDataError says how large it may be.

        ``n_bytes`` is the size of its file.
        """
        size = f"the picture has {self.width:,} x {self.height:,} pixels"
        each = max(_BYTES[self.kind], _TRANSPARENT_BYTES if self.transparent else 0)
        most = max(MAX_DECODED_BYTES - n_bytes, 0) // each
        most = min(most, FULL_PIXELS * _FACTORS[-1] ** 2)
        if self.width * self.height > most:
            raise InvalidDataError(
                f"{size}, expected at most {most // 1_000_000} million in such a file; make it"
                " smaller"
            )
        if max(self.width, self.height) > MAX_SIDE * self.factor:
            raise InvalidDataError(f"{size}, expected sides of at most {MAX_SIDE:,}")


def measured(data: bytes) -> PictureSize | None:
    """Measure a picture by its header; None if it is of no kind that can be measured."""
    if data.startswith(b"\xff\xd8"):
        return _jpeg_size(data)
    if data.startswith(b"\x59\xa6\x6a\x95"):  # Sun raster
        return PictureSize(int.from_bytes(data[4:8], "big"), int.from_bytes(data[8:12], "big"))
    if data.startswith((b"#?RADIANCE", b"#?RGBE")):
        found = re.search(rb"[-+]Y (\d{1,9}) [-+]X (\d{1,9})\n", data[:65536])
        return PictureSize(int(found[2]), int(found[1])) if found else None
    return _size_by_pillow(data) or _size_in_boxes(data)


def _size_by_pillow(data: bytes) -> PictureSize | None:
    try:
        with warnings.catch_warnings():
            # Of its own limits: ours are stricter.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as picture:
                kind = (picture.format or "").lower()
                kind = kind if kind in _BYTES else ""
                return PictureSize(*picture.size, kind, picture.has_transparency_data)
    except Image.DecompressionBombError as error:
        raise InvalidDataError(
            f"the picture has more than {MAX_DECODED_BYTES // 3_000_000} million pixels; make it"
            " smaller"
        ) from error
    except (*DAMAGE, OSError):
        return None


def _size_in_boxes(data: bytes) -> PictureSize | None:
    """Return the size of an AVIF or HEIC where Pillow reads none."""
    if data[4:8] != b"ftyp":
        return None
    sizes = [
        (int.from_bytes(data[k + 8 : k + 12], "big"), int.from_bytes(data[k + 12 : k + 16], "big"))
        for k in (found.start() for found in re.finditer(rb"ispe", data[:65536]))
    ]
    largest = max(sizes, key=lambda size: size[0] * size[1], default=None)
    kind = "avif" if b"avif" in data[8:48] else ""
    return PictureSize(*largest, kind) if largest else None


def _jpeg_size(data: bytes) -> PictureSize | None:
    """Return the size in the frame header; segments before it carry their length."""
    place = 2
    while place + 9 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF:
            place += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = (int.from_bytes(data[place + k : place + k + 2], "big") for k in (5, 7))
            progressive = marker in (0xC2, 0xC6, 0xCA)
            return PictureSize(width, height, "progressive" if progressive else "jpeg")
        else:
            place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return None
