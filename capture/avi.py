"""Motion JPEG in an AVI file: the pictures of a recording exactly as they were encoded.

OpenCV's writer does not say when the disk is full, and cannot write a video that begins later
than its frames came in. Source: Microsoft, "AVI RIFF File Reference".
"""

import struct
from collections.abc import Sequence
from typing import BinaryIO

_HAS_INDEX = 0x10
_KEY_FRAME = 0x10
_LARGEST = 2**31 - 2**20
"""Of a file without the extension for larger ones; bytes."""


def write_avi(
    stream: BinaryIO, pictures: Sequence[bytes], size: tuple[int, int], frame_rate: float
) -> None:
    """Write a video.

    Parameters
    ----------
    stream
        Open for writing.
    pictures
        JPEG files, one a frame.
    size
        Width and height in pixels.
    frame_rate
        Frames a second, the same for all.

    Raises
    ------
    ValueError
        If there is no frame, or the file would become larger than AVI allows.
    """
    if not pictures or sum(map(len, pictures)) > _LARGEST:
        raise ValueError(f"{len(pictures)} pictures do not fit into an AVI file")
    frames = [_chunk(b"00dc", picture) for picture in pictures]
    index, place = b"", 4
    for picture, frame in zip(pictures, frames, strict=True):
        index += struct.pack("<4sIII", b"00dc", _KEY_FRAME, place, len(picture))
        place += len(frame)
    header = _list(b"hdrl", _header(len(pictures), size, frame_rate, max(map(len, pictures))))
    n_movie = 4 + sum(map(len, frames))
    tail = _chunk(b"idx1", index)
    n_riff = 4 + len(header) + 8 + n_movie + len(tail)
    stream.write(struct.pack("<4sI4s", b"RIFF", n_riff, b"AVI ") + header)
    stream.write(struct.pack("<4sI4s", b"LIST", n_movie, b"movi"))
    for frame in frames:
        stream.write(frame)
    stream.write(tail)


def _header(n_frames: int, size: tuple[int, int], frame_rate: float, largest: int) -> bytes:
    width, height = size
    scale, rate = 1000, round(frame_rate * 1000)
    main = struct.pack(
        "<14I", round(1e6 / frame_rate), 0, 0, _HAS_INDEX, n_frames, 0, 1, largest, width, height,
        *(0, 0, 0, 0),
    )  # fmt: skip
    stream = struct.pack(
        "<4s4sIHHIIIIIIII4H", b"vids", b"MJPG", 0, 0, 0, 0, scale, rate, 0, n_frames, largest,
        0xFFFFFFFF, 0, 0, 0, width, height,
    )  # fmt: skip
    picture = struct.pack(
        "<IiiHH4sIiiII", 40, width, height, 1, 24, b"MJPG", width * height * 3, 0, 0, 0, 0
    )
    track = _list(b"strl", _chunk(b"strh", stream) + _chunk(b"strf", picture))
    return _chunk(b"avih", main) + track


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack("<4sI", name, len(data)) + data + b"\0" * (len(data) % 2)


def _list(name: bytes, data: bytes) -> bytes:
    return _chunk(b"LIST", name + data)
