"""Fakes for the parts of a recording session, and a scene with numbered frames."""

import dataclasses
import queue
import threading
from collections import deque
from pathlib import Path

import cv2
import numpy as np
from fakes import FakeDetector, hand_of

from handlore.capture.cameras import CameraError, CameraFrame
from handlore.capture.recording.loop import SessionComponents, SessionLoop
from handlore.capture.recording.options import SessionOptions
from handlore.capture.recording.session import Session
from handlore.capture.recording.writer import RecordingWriter, SessionInfo
from handlore.datasets.recordings import RecordingFolder
from handlore.datasets.rendered import Person, Scene, render_movement
from handlore.landmarks.detector import DetectorInfo

FPS = 30.0
BITS, BIT = 10, 8
"""A frame's number stands in a column of black and white blocks of so many pixels."""

TOP, LEFT, WIDE = 24, 300, 40
MOVEMENTS = ("swipe_left", "swipe_right", "wave")
SECTION = 120
"""So many frames of each movement."""


def stamp(pixels, number: int):
    """Write a number into a picture of 640x480, the same seen in a mirror."""
    for bit in range(BITS):
        rows = slice(TOP + BIT * bit, TOP + BIT * (bit + 1))
        pixels[rows, LEFT : LEFT + WIDE] = 255 * (number >> bit & 1)
    return pixels


def stamped(pixels) -> int:
    """Read it again, from a picture of any size."""
    scale = pixels.shape[0] / 480
    column = pixels[:, round((LEFT + WIDE / 2) * scale)]
    rows = [round((TOP + BIT * (bit + 0.5)) * scale) for bit in range(BITS)]
    return sum(1 << bit for bit, row in enumerate(rows) if column[row].mean() > 128)


def write_scene(path: Path) -> list:
    """Write a video in which a hand repeats each movement for four seconds; return its truth."""
    truth, frames = [], []
    for number, movement in enumerate(MOVEMENTS):
        person, scene = Person.random(7), Scene(hand="right", seed=number, y=0.6)
        # Drawn small, which is faster; landmarks in image widths are the same.
        shown = [p for _, p in render_movement(movement, person, scene, fps=FPS, size=(320, 240))]
        frames += [shown[k % len(shown)] for k in range(SECTION)]
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (640, 480))
    for number, picture in enumerate(frames):
        pixels = cv2.resize(picture.pixels, (640, 480), interpolation=cv2.INTER_CUBIC)
        video.write(np.ascontiguousarray(stamp(pixels, number)[..., ::-1]))
        truth.append(picture.image)
    video.release()
    return truth


class Feed:
    """Gives scripted frames: numbers of frames, None where there is no frame."""

    name = "camera 7"

    def __init__(self, frames, times=None) -> None:
        self.left = deque(frames)
        self.times = times or (lambda number: number / FPS)
        self.problem = None
        self.ended = False

    def next(self, timeout: float):
        if not self.left:
            self.ended = True
            return None
        number = self.left.popleft()
        if isinstance(number, str):
            self.problem = number
            return None
        if number is None:
            return None
        self.problem = None
        return CameraFrame(stamp(np.zeros((480, 640, 3), np.uint8), number), self.times(number))

    def close(self) -> None:
        self.left.clear()


class NumberDetector(FakeDetector):
    """Finds a hand in every frame but those named; its landmarks are the frame's number."""

    info = DetectorInfo("numbers", "1", "full", "0" * 64)

    def __init__(self, without=(), hands: int = 1) -> None:
        super().__init__(self._hands)
        self.without, self.hands = set(without), hands

    def _hands(self, pixels):
        number = stamped(pixels)
        n_hands = 0 if number in self.without else self.hands
        return [hand_of(number, 0.9 - 0.8 * k, 0.8) for k in range(n_hands)]


class Keys:
    """Presses keys when it is asked for the nth time."""

    def __init__(self, **pressed: str) -> None:
        self.script = {int(when[1:]): keys.split(",") for when, keys in pressed.items()}
        self.asked = -1

    def pressed(self) -> list[str]:
        self.asked += 1
        return self.script.get(self.asked, [])


class View:
    """Remembers what it is shown."""

    def __init__(self) -> None:
        self.shown, self.said, self.cues = [], [], []

    def show(self, pixels, hands, status) -> None:
        self.shown.append(status)

    def say(self, text: str) -> None:
        self.said.append(text)

    def cue(self, what: str) -> None:
        self.cues.append(what)


class Rig:
    """A loop of fakes that writes into a real folder of recordings."""

    def __init__(
        self,
        root: Path,
        numbers,
        *,
        keeper=None,
        videos=None,
        times=None,
        hands=1,
        without=(),
        keys=None,
        **options,
    ) -> None:
        given = {"frames": 10, "countdown": 0.0, "review": 0.1}
        labels = options.pop("labels", ("left", "right"))
        self.root, self.view = root, View()
        self.keeper = keeper or RecordingFolder.open(root)
        self.writer = RecordingWriter(self.keeper)
        detector = NumberDetector(without, hands)
        info = SessionInfo(detector.info, "7", "anna", "monday", "by a window", hands)
        parts = SessionComponents(
            Feed(numbers, times),
            detector,
            Session(labels, SessionOptions(**given | options)),
            info,
            self.writer,
            Keys(**(keys or {})),
            self.view,
        )
        self.parts = dataclasses.replace(parts, videos=videos) if videos else parts
        self.loop = SessionLoop(self.parts)

    def run(self) -> "Rig":
        self.loop.run()
        self.left = self.writer.close()
        return self


class FullDisk:
    """A folder of recordings on a disk that is full until room is made."""

    def __init__(self, recordings: RecordingFolder) -> None:
        self.recordings, self.full = recordings, threading.Event()

    def keep(self, recording, video=None):
        if self.full.is_set():
            raise OSError(28, "No space left on device")
        return self.recordings.keep(recording, video)

    def discard(self, path):
        return self.recordings.discard(path)

    def counts(self):
        return self.recordings.counts()


class Stage:
    """A live camera whose pictures, faults and clock a test holds in its hands."""

    def __init__(self) -> None:
        self.now = 100.0
        self.opened = 0
        self.closed = 0
        self.faults: deque[str | Exception] = deque()
        """Why it cannot be opened, one for each try."""
        self._pictures: queue.Queue = queue.Queue()

    def open(self) -> "Stage":
        self.opened += 1
        if self.faults:
            fault = self.faults.popleft()
            raise CameraError(fault) if isinstance(fault, str) else fault
        return self

    name = "camera 7"

    def give(self, *pictures: int | str | Exception, every: float = 0.1) -> None:
        """Give pictures, as shades of grey, or faults."""
        for picture in pictures:
            self._pictures.put((picture, every))

    def read(self):
        picture, every = self._pictures.get()
        if isinstance(picture, str):
            raise CameraError(picture)
        if isinstance(picture, Exception):
            raise picture
        self.now += every
        return CameraFrame(np.full((32, 32, 3), picture, np.uint8), self.now)

    def close(self) -> None:
        self.closed += 1
