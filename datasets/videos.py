"""Reading a video file frame by frame, with the time of each frame."""

import hashlib
import math
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from PIL import Image

from handlore.landmarks.errors import InvalidDataError, OptionError
from handlore.landmarks.hands import Pixels
from handlore.landmarks.untrusted import reason, require_size

from .files import read_bytes, readable, require_regular
from .pictures import DECODER_DAMAGE, PictureSize, over_white

# Reading an animated GIF frame by frame.
#
# Pillow reads them, because OpenCV reads a truncated GIF without an error, and fills transparent
# pixels with the colour stored behind them.

_DAMAGED = (*DECODER_DAMAGE, OSError)

MAX_VIDEO_BYTES = 16 << 30
"""Most bytes of a video; its digest takes about a second for each gigabyte."""

MAX_FRAME_PIXELS = 36_000_000
"""Most pixels of a frame; those of 8K have 33 million."""

MAX_FRAMES = 500_000
"""Most frames that are read of a video: 4.6 hours at 30 frames a second."""

MAX_GIF_FRAMES = 20_000
MAX_GIF_FRAME_PIXELS = 17_000_000
"""Most pixels of a frame of a GIF; decoding takes up to 24 bytes for each."""
MAX_GIF_PIXELS = 2_000_000_000
"""Most pixels of all frames of a GIF, which take about 15 seconds. Its files tell nothing: a
frame of one colour has some bytes."""

# What browsers do with a duration of 0 or 1 hundredth of a second.
_MIN_MS = 20
_REPLACED_MS = 100


@dataclass(frozen=True)
class _GifSize:
    """What a GIF declares: its frames, and a size that contains all of them."""

    count: int
    width: int
    height: int

    def require_small(self) -> None:
        """Refuse what takes long or needs much memory to decode."""
        _require_frame(self.width, self.height, MAX_GIF_FRAME_PIXELS)
        pixels = self.count * self.width * self.height
        if self.count > MAX_GIF_FRAMES or pixels > MAX_GIF_PIXELS:
            raise InvalidDataError(
                f"the GIF has {self.count:,} frames of {self.width:,} x {self.height:,} pixels,"
                f" expected at most {MAX_GIF_FRAMES:,} frames and {MAX_GIF_PIXELS // 10**6:,}"
                " million pixels in all; convert it to mp4"
            )


def _gif_size(data: bytes) -> _GifSize | None:
    """Measure a GIF without decoding it; None if it is cut off or no GIF."""
    if data[:6] not in (b"GIF87a", b"GIF89a") or len(data) < 13:
        return None
    width, height = struct.unpack_from("<2H", data, 6)
    place, count = 13 + _palette(data[10]), 0
    while place < len(data):
        kind = data[place]
        if kind == 0x3B:
            return _GifSize(count, width, height)
        if kind == 0x2C and place + 9 < len(data):
            left, top, across, down = struct.unpack_from("<4H", data, place + 1)
            width, height = max(width, left + across), max(height, top + down)
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


def _read_gif(
    path: Path, chosen: Callable[[Iterable[float]], Iterator[float]]
) -> Iterator[tuple[float, Pixels]]:
    """Open a GIF, which must be whole; ``chosen`` chooses among the times of the frames.

    Yields seconds since the first frame, and (height, width, 3) RGB over white.
    """
    size = _gif_size(read_bytes(path))
    if size is None or not size.count:
        raise InvalidDataError("it is not a whole GIF; copy it again")
    size.require_small()
    return _gif_frames(path, size.count, chosen)


def _gif_frames(
    path: Path, count: int, chosen: Callable[[Iterable[float]], Iterator[float]]
) -> Iterator[tuple[float, Pixels]]:
    try:
        with Image.open(path, formats=["GIF"]) as picture:
            for seconds in _limited(chosen(_times(picture, count))):
                yield seconds, over_white(picture)
    except InvalidDataError:
        raise
    except _DAMAGED as error:
        raise InvalidDataError(f"the GIF is damaged ({reason(error)})") from error


def _times(picture: Image.Image, count: int) -> Iterator[float]:
    milliseconds = 0.0
    for number in range(count):
        picture.seek(number)
        picture.load()
        yield milliseconds / 1000
        duration = picture.info.get("duration", 0)
        milliseconds += duration if duration >= _MIN_MS else _REPLACED_MS


def _require_frame(width: float, height: float, most: int | None = None) -> None:
    most = MAX_FRAME_PIXELS if most is None else most
    if width * height > most:
        raise InvalidDataError(
            f"its frames have {width:,.0f} x {height:,.0f} pixels, expected at most"
            f" {most // 1_000_000} million; convert it to a smaller size"
        )


def _limited(times: Iterable[float]) -> Iterator[float]:
    for number, seconds in enumerate(times):
        if number == MAX_FRAMES:
            raise InvalidDataError(
                f"it has more than {MAX_FRAMES:,} frames; cut it, or read fewer with --fps,"
                " --stride or --max-frames"
            )
        yield seconds


_MIN_SHARE = 0.95
_MAX_LOST = 3
"""A video may lack this many frames, or 5 % of them: containers miscount at both ends."""

# Timestamps are rounded to their container's ticks, 1 ms at worst.
_TICK = 0.001

# Detectors count milliseconds; of two frames within one, the second would not be later.
_MIN_STEP = 0.002


@dataclass(frozen=True)
class Span:
    """A part of a video, in seconds or in frames counted from 0."""

    start: float = 0.0
    end: float = math.inf
    """The last moment of the part."""
    unit: Literal["s", "frame"] = "s"
    open_end: bool = False
    """Whether the part ends just before ``end``."""

    def begun(self, seconds: float, number: int) -> bool:
        """Say whether a frame is not before the part."""
        return (number if self.unit == "frame" else seconds + _TICK) >= self.start

    def ended(self, seconds: float, number: int) -> bool:
        """Say whether a frame is behind the part."""
        tick = 0.0 if self.unit == "frame" else _TICK
        place = number if self.unit == "frame" else seconds
        return place + tick >= self.end if self.open_end else place - tick > self.end


@dataclass(frozen=True)
class FrameSelection:
    """Which frames of a video are read: first every Nth, of these at most ``fps`` a second."""

    stride: int = 1
    """Every Nth frame."""
    fps: float = 0.0
    """At most this many frames a second, by their timestamps; 0 = all."""
    max_frames: int = 0
    """At most this many, the first ones; 0 = all."""

    span: Span | None = None
    """The part of the video; its first frame is at 0 seconds."""

    def __post_init__(self) -> None:
        if self.stride < 1:
            raise OptionError(f"--stride is {self.stride}, expected 1 or more")
        if not (math.isfinite(self.fps) and self.fps >= 0):
            raise OptionError(f"--fps is {self.fps}, expected 0 (all frames) or more")
        if self.max_frames < 0:
            raise OptionError(f"--max-frames is {self.max_frames}, expected 0 (all) or more")

    def chosen(self, times: Iterable[float]) -> Iterator[float]:
        """Yield the times of the frames to take, and advance ``times`` no further than that."""
        taken, slot = 0, -1
        for number, seconds in self._in_span(times):
            if number % self.stride:
                continue
            # One frame in each 1/fps of a second: steadier than a least distance, with which
            # 20 of 30 frames would become 15.
            now = math.floor((seconds + _TICK) * self.fps)
            if self.fps and now <= slot:
                continue
            slot, taken = now, taken + 1
            yield seconds
            if taken == self.max_frames:
                return

    def _in_span(self, times: Iterable[float]) -> Iterator[tuple[int, float]]:
        """Yield number and time of the frames of the part, both counted from its start."""
        begun: tuple[int, float] | None = None if self.span else (0, 0.0)
        for number, seconds in enumerate(times):
            if self.span and self.span.ended(seconds, number):
                return
            if self.span and begun is None and self.span.begun(seconds, number):
                begun = number, seconds
            if begun:
                yield number - begun[0], seconds - begun[1]


def video_length(path: Path) -> tuple[float, int] | None:
    """Return seconds and frames of a video as its container says; None if it says nothing."""
    try:
        capture = _opened(Path(path))
    except InvalidDataError:
        return None
    try:
        n, rate = capture.get(cv2.CAP_PROP_FRAME_COUNT), capture.get(cv2.CAP_PROP_FPS)
    finally:
        capture.release()
    return (n / rate, int(n)) if 0 < n < 1e9 and 0 < rate < 1e6 else None


def read_video(
    path: Path, selection: FrameSelection | None = None
) -> tuple[Iterator[tuple[float, Pixels]], str]:
    """Open a file that FFmpeg decodes, or an animated GIF; return its frames and its digest.

    Frames are seconds since the first one, at least 2 ms apart, and (height, width, 3) RGB,
    upright. One at a time is in memory; iterating raises InvalidDataError where it turns out that
    the video ends before its container says.
    """
    path, selection = Path(path), selection or FrameSelection()
    sha256 = _digest(path)
    if path.suffix.lower() == ".gif":
        return _read_gif(path, selection.chosen), sha256
    capture = _opened(path)
    return _frames(capture, selection, timed=has_times(path)), sha256


def _digest(path: Path) -> str:
    require_regular(path)
    with readable(), path.open("rb") as file:
        require_size(path.stat().st_size, MAX_VIDEO_BYTES, "the file")
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        empty = file.tell() == 0
    if empty:
        raise InvalidDataError("the file is empty")
    return sha256


def _opened(path: Path) -> Any:
    # An absolute path: FFmpeg takes other names with a colon for protocols, such as http:.
    name = str(path.absolute())
    try:
        name.encode()
    except UnicodeEncodeError as error:
        # OpenCV crashes on such a name.
        raise InvalidDataError("OpenCV cannot open a name that is not UTF-8; rename it") from error
    # Only FFmpeg: others take a name with a number in it for a series of pictures.
    capture = cv2.VideoCapture(name, cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise InvalidDataError(
            "it is not a whole video that FFmpeg can read (expected mp4, avi, webm, mov or mkv);"
            " copy it again, or convert it to mp4"
        )
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
    return capture


def _frames(
    capture: Any, selection: FrameSelection, *, timed: bool = True
) -> Iterator[tuple[float, Pixels]]:
    try:
        _require_frame(*(capture.get(side) for side in _SIDES))
        times = _grabbed(capture) if timed else _nominal(capture)
        for seconds in _limited(selection.chosen(times)):
            done, pixels = capture.retrieve()
            if not done:
                raise InvalidDataError(f"the frame at {seconds:.2f} s cannot be decoded")
            # The size may change within a video.
            _require_frame(*pixels.shape[1::-1])
            yield seconds, _in_rgb(pixels)
    except (cv2.error, MemoryError) as error:
        raise InvalidDataError(f"the video cannot be decoded ({reason(error)})") from error
    finally:
        capture.release()


def has_times(path: Path) -> bool:
    """Say whether a video file says when each of its frames was taken; bare streams do not."""
    return path.suffix.lower() not in _BARE


_BARE = frozenset((".h264", ".264", ".h265", ".265", ".hevc", ".mjpeg", ".mjpg"))


def _nominal(capture: Any) -> Iterator[float]:
    """Decode frame after frame of a stream without times, and yield those of its nominal rate."""
    rate = capture.get(cv2.CAP_PROP_FPS)
    rate = rate if 1 <= rate <= 1000 else _USUAL_RATE
    count = 0
    while capture.grab():
        yield count / rate
        count += 1
    if count == 0:
        raise InvalidDataError("not one frame of the video can be decoded; copy it again")


_USUAL_RATE = 25.0
"""What FFmpeg takes for the rate of a stream that does not say it."""

_SIDES = (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)


def _in_rgb(pixels: Any) -> Pixels:
    """Return a frame in RGB; a very large one at a fraction of its size, as pictures are."""
    height, width = pixels.shape[:2]
    factor = PictureSize(width, height).factor
    if factor > 1:
        size = (width // factor, height // factor)
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)


def _grabbed(capture: Any) -> Iterator[float]:
    """Decode frame after frame, without converting them, and yield their times."""
    first, last, count = None, 0.0, 0
    while capture.grab():
        now = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        first = now if first is None else first
        last, count = max(now - first, last + _MIN_STEP if count else 0.0), count + 1
        yield last
    _require_whole(capture, count, last)


def _require_whole(capture: Any, count: int, last: float) -> None:
    """Compare the frames decoded with the count in the container.

    Where a container has no count, OpenCV makes one of duration and rate, which is wrong if the
    rate varies; so the time that is missing must be too long as well.
    """
    if count == 0:
        raise InvalidDataError("not one frame of the video can be decoded; copy it again")
    n_expected, rate = capture.get(cv2.CAP_PROP_FRAME_COUNT), capture.get(cv2.CAP_PROP_FPS)
    if not (0 < n_expected < 1e9 and rate > 0):
        return
    least = min(n_expected * _MIN_SHARE, n_expected - _MAX_LOST)
    if count < least and last + 1 / rate < least / rate:
        raise InvalidDataError(
            f"the video ends early: {count} of {n_expected:.0f} frames could be decoded;"
            " copy it again"
        )
