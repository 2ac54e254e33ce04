"""Reading a picture file, whatever it is, as RGB pixels."""

import hashlib
import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.hands import Pixels
from handlore.landmarks.untrusted import DAMAGE, damage_as

from .files import read_bytes
from .picture_size import MAX_DECODED_BYTES, measured

DECODER_DAMAGE = (*DAMAGE, Image.DecompressionBombError, cv2.error)
"""What decoders of pictures and videos raise about damaged bytes."""

_FLAGS = {
    1: cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
"""How OpenCV decodes at a fraction of the size."""


def read_picture(path: Path) -> tuple[Pixels, str]:
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
        If it is not a whole, readable picture, or too large.

    Examples
    --------
    >>> pixels, sha256 = handlore.read_picture("photo.png")
    >>> pixels.shape, len(sha256)
    ((320, 320, 3), 64)
    """
    path = Path(path)
    data = read_bytes(path, MAX_DECODED_BYTES)
    return _decoded(data), hashlib.sha256(data).hexdigest()


def _decoded(data: bytes) -> Pixels:
    if not data:
        raise InvalidDataError("the file is empty")
    # OpenCV decodes what there is of a JPEG that was cut off and fills the rest with grey.
    if data.startswith(b"\xff\xd8") and not _jpeg_is_whole(data):
        raise InvalidDataError("the JPEG is cut off; copy it again")
    size = measured(data)
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
            upright = ImageOps.exif_transpose(_reduced(picture, factor)).convert("RGBA")
    except (*DECODER_DAMAGE, OSError):
        return None  # OpenCV may be able to read it, or says what is wrong.
    white = Image.new("RGBA", upright.size, "white")
    return np.asarray(Image.alpha_composite(white, upright).convert("RGB"), np.uint8)


def _jpeg_is_whole(data: bytes) -> bool:
    """Look for the end marker behind the start of the pixels.

    Markers before the pixels carry their length, so a thumbnail with an end of its own is
    stepped over; within the pixels a 0xFF byte is always stuffed with 0x00.
    """
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        if data[place + 1] == 0xDA:
            return data.find(b"\xff\xd9", place) != -1
        if data[place + 1] == 0xFF:
            place += 1
        else:
            place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return False


def _why_unreadable(data: bytes) -> str:
    if data.startswith((b"\x89PNG", b"BM", b"GIF8", b"RIFF", b"II*\0", b"MM\0*")):
        return "the picture is cut off or damaged"
    if b"\0" not in data[:512]:
        return "it is a text file, not a picture"
    return "it is not a picture that OpenCV can read"


# Which files are pictures and videos, by their names.

_PICTURE_SUFFIXES = frozenset(
    f".{ending}"
    for ending in (
        *(
            "bmp",
            "dib",
            "jpg",
            "jpeg",
            "jpe",
            "jfif",
            "jp2",
            "png",
            "webp",
            "avif",
            "gif",
            "tif",
            "tiff",
        ),
        *("pbm", "pgm", "ppm", "pnm", "ras", "sr", "exr", "hdr", "heic", "heif"),
    )
)
"""Endings of pictures; HEIC needs a package of its own."""

_VIDEO_SUFFIXES = frozenset(
    f".{ending}"
    for ending in (
        *("mp4", "m4v", "avi", "webm", "mov", "mkv", "mpg", "mpeg", "wmv", "3gp", "3g2", "flv"),
        *("ts", "mts", "m2ts", "m2v", "vob", "ogv", "asf", "mxf", "divx", "f4v"),
        *("h264", "264", "h265", "265", "hevc", "mjpeg", "mjpg"),
    )
)
"""Endings of videos; a GIF may be a picture as well."""


def is_picture(path: Path) -> bool:
    """Say whether a file's name is that of a picture."""
    return path.suffix.lower() in _PICTURE_SUFFIXES


def is_video(path: Path) -> bool:
    """Say whether a file's name is that of a video."""
    return path.suffix.lower() in _VIDEO_SUFFIXES
