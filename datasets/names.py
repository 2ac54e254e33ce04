"""Which files are pictures and videos, by their names."""

from pathlib import Path

PICTURE_SUFFIXES = frozenset(
    f".{ending}"
    for ending in (
        *("bmp", "dib", "jpg", "jpeg", "jpe", "jp2", "png", "webp", "avif", "gif", "tif", "tiff"),
        *("pbm", "pgm", "ppm", "pnm", "ras", "sr", "exr", "hdr", "heic", "heif"),
    )
)
"""Endings that are taken for pictures. HEIC is not readable, but must not vanish in silence."""


VIDEO_SUFFIXES = frozenset(
    f".{ending}"
    for ending in ("mp4", "m4v", "avi", "webm", "mov", "mkv", "mpg", "mpeg", "wmv", "3gp")
)
"""Endings that are taken for videos; a GIF may be a picture as well."""


def is_picture(path: Path) -> bool:
    """Say whether a file's name is that of a picture."""
    return path.suffix.lower() in PICTURE_SUFFIXES


def is_video(path: Path) -> bool:
    """Say whether a file's name is that of a video."""
    return path.suffix.lower() in VIDEO_SUFFIXES
