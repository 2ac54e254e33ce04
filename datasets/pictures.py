"""Reading a picture file, whatever it is, as RGB pixels.

A file of 100 KB may describe a thousand million pixels. So every picture is measured before it is
decoded; large photos are decoded at a half, a quarter or an eighth of their size, which shows a
hand as well, and larger ones are refused.
"""

import hashlib
import io
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.files import as_path, no_file
from handlore.landmarks.hands import Pixels
from handlore.landmarks.untrusted import DAMAGE, damage_as

from .files import read_bytes

FULL_PIXELS = 17_000_000
"""Pictures with more pixels are decoded smaller; searching takes some 30 bytes a pixel."""

_MAX_DECODED_BYTES = 400_000_000
"""Most memory for decoding a picture, its file included."""

_MAX_SIDE = 32_000
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
        most = max(_MAX_DECODED_BYTES - n_bytes, 0) // each
        most = min(most, FULL_PIXELS * _FACTORS[-1] ** 2)
        if self.width * self.height > most:
            raise InvalidDataError(
                f"{size}, expected at most {most // 1_000_000} million in such a file; make it"
                " smaller"
            )
        if max(self.width, self.height) > _MAX_SIDE * self.factor:
            raise InvalidDataError(f"{size}, expected sides of at most {_MAX_SIDE:,}")


def _measured(data: bytes) -> PictureSize | None:
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
            f"the picture has more than {_MAX_DECODED_BYTES // 3_000_000} million pixels; make it"
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


_START_OF_SCAN = 0xDA
"""The marker of a JPEG after which the pixels begin."""


def _jpeg_markers(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield markers and their places, up to that of the pixels; each segment has its length."""
    place, marker = 2, 0
    while place + 4 <= len(data) and data[place] == 0xFF and marker != _START_OF_SCAN:
        marker = data[place + 1]
        if marker == 0xFF:
            place += 1
        else:
            yield marker, place
            place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")


def _jpeg_size(data: bytes) -> PictureSize | None:
    """Return the size in the frame header."""
    for marker, place in _jpeg_markers(data):
        is_frame = 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)
        if is_frame and place + 9 <= len(data):
            height, width = (int.from_bytes(data[place + k : place + k + 2], "big") for k in (5, 7))
            progressive = marker in (0xC2, 0xC6, 0xCA)
            return PictureSize(width, height, "progressive" if progressive else "jpeg")
    return None


DECODER_DAMAGE = (*DAMAGE, Image.DecompressionBombError, cv2.error)
"""What decoders of pictures and videos raise about damaged bytes."""

_FLAGS = {
    1: cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
"""How OpenCV decodes at a fraction of the size."""


def read_picture(path: str | Path) -> tuple[Pixels, str]:
    """Read a picture file.

    EXIF orientation is honoured; grey becomes RGB; transparency is laid over white; 16-bit and
    floating-point values are brought to 8 bit. Pictures with more than 17 million pixels are
    decoded at a half, a quarter or an eighth of their size.

    Parameters
    ----------
    path
        A file in any format that OpenCV reads.

    Returns
    -------
    pixels
        (height, width, 3) RGB.
    sha256
        Digest of the file.

    Raises
    ------
    InvalidDataError
        If there is no such file, or it is not a whole, readable picture, or too large.

    Examples
    --------
    >>> pixels, sha256 = handlore.read_picture("photo.png")
    >>> pixels.shape, len(sha256)
    ((320, 320, 3), 64)
    """
    path = as_path(path, "a picture file")
    if not path.exists():
        raise InvalidDataError(no_file(path))
    try:
        return picture_and_digest(path)
    except InvalidDataError as error:
        raise InvalidDataError(f"{path}: {error}") from error


def picture_and_digest(path: Path) -> tuple[Pixels, str]:
    """Read a picture as :func:`read_picture` does; InvalidDataError does not repeat the path."""
    data = read_bytes(Path(path), _MAX_DECODED_BYTES)
    return _decoded(data), hashlib.sha256(data).hexdigest()


def _decoded(data: bytes) -> Pixels:
    if not data:
        raise InvalidDataError("the file is empty")
    # OpenCV decodes what there is of a JPEG that was cut off and fills the rest with grey.
    if data.startswith(b"\xff\xd8") and not _jpeg_is_whole(data):
        raise InvalidDataError("the JPEG is cut off; copy it again")
    size = _measured(data)
    if size is not None:
        size.require_usable(len(data))
    factor = 1 if size is None else size.factor
    if _is_heic(data):
        return _read_heic(data, factor)
    if size is not None and size.transparent:
        transparent = _with_transparency(data, factor)
        if transparent is not None:
            return transparent
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), _FLAGS[factor])
    except cv2.error as error:
        raise InvalidDataError(f"OpenCV cannot decode it ({error.err})") from error
    if decoded is None:
        raise InvalidDataError(_why_unreadable(data))
    return np.asarray(cv2.cvtColor(_as_8_bit(np.asarray(decoded)), cv2.COLOR_BGR2RGB), np.uint8)


def _is_heic(data: bytes) -> bool:
    """Say whether a picture is HEIC; AVIF, which may call itself mif1 too, is not."""
    brands = data[8 : 8 + 40]
    return data[4:8] == b"ftyp" and b"avif" not in brands and brands[:4] in _HEIC


_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"heif", b"msf1")


def _read_heic(data: bytes, factor: int) -> Pixels:
    # Imported here: an optional package, which only pictures of iPhones need.
    try:
        import pillow_heif
    except ImportError as error:
        raise InvalidDataError(
            "HEIC needs pillow-heif: pip install 'handlore[heif]'; or export it as JPEG (iPhone:"
            " Settings, Camera, Formats)"
        ) from error
    with damage_as("the HEIC picture is cut off or damaged", OSError, EOFError):
        opened = pillow_heif.open_heif(data, convert_hdr_to_8bit=True)
        upright = ImageOps.exif_transpose(opened.to_pillow()).convert("RGB")
        return np.asarray(upright.reduce(factor) if factor > 1 else upright, np.uint8)


def _as_8_bit(pixels: NDArray[Any]) -> Pixels:
    if pixels.dtype == np.uint8:
        return pixels.astype(np.uint8, copy=False)
    if np.issubdtype(pixels.dtype, np.floating):
        return _clipped(np.clip(np.nan_to_num(pixels), 0, 1) * 255)
    # 10-, 12- and 14-bit cameras store their values in 16 bits: divide by the range in use.
    bits = max(8, int(pixels.max(initial=0)).bit_length())
    return _clipped(pixels // 2 ** (bits - 8))


def _clipped(values: NDArray[Any]) -> Pixels:
    clipped: Pixels = np.clip(values, 0, 255).astype(np.uint8)
    return clipped


def _reduced(picture: Image.Image, factor: int) -> Image.Image:
    if factor == 1:
        return picture
    return (picture if picture.mode in ("RGBA", "LA") else picture.convert("RGBA")).reduce(factor)


def _with_transparency(data: bytes, factor: int) -> Pixels | None:
    """Decode a picture that has transparency, over white; None if Pillow cannot.

    OpenCV drops transparency and shows what is behind it, or keeps it and then ignores the
    EXIF orientation. Pillow does both, in every format.
    """
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return over_white(ImageOps.exif_transpose(_reduced(picture, factor)))
    except (*DECODER_DAMAGE, OSError):
        return None  # OpenCV may be able to read it, or says what is wrong.


def over_white(picture: Image.Image) -> Pixels:
    """Return (height, width, 3) RGB, with white behind what is transparent."""
    if not picture.has_transparency_data:
        return np.asarray(picture.convert("RGB"), np.uint8)
    shown = picture.convert("RGBA")
    white = Image.new("RGBA", shown.size, "white")
    return np.asarray(Image.alpha_composite(white, shown).convert("RGB"), np.uint8)


def _jpeg_is_whole(data: bytes) -> bool:
    """Look for the end marker behind the start of the pixels.

    Markers before the pixels carry their length, so a thumbnail with an end of its own is
    stepped over; within the pixels a 0xFF byte is always stuffed with 0x00.
    """
    return any(
        marker == _START_OF_SCAN and data.find(b"\xff\xd9", place) != -1
        for marker, place in _jpeg_markers(data)
    )


def _why_unreadable(data: bytes) -> str:
    if data.startswith((b"\x89PNG", b"BM", b"GIF8", b"RIFF", b"II*\0", b"MM\0*")):
        return "the picture is cut off or damaged"
    if b"\0" not in data[:512]:
        return "it is a text file, not a picture"
    return "it is not a picture that OpenCV can read"
