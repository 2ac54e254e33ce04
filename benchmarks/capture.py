"""What the loop of a recording session costs over camera and detector.

The session records all the time, at 30 frames a second, and writes to the disk. Two ways to look:
with a detector that answers at once, so that a step of the loop is what the loop costs; and side
by side with a bare loop of camera and detector on the same frames, in turns. Run it as
``python benchmarks/capture.py``.
"""

import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from handlore.capture.cameras import CameraFrame
from handlore.capture.recording.loop import SessionComponents, SessionLoop
from handlore.capture.recording.options import SessionOptions
from handlore.capture.recording.session import Session, State
from handlore.capture.recording.writer import RecordingWriter, SessionInfo, VideoFolder
from handlore.datasets.recordings import RecordingFolder
from handlore.datasets.rendered import Person, Scene, render_movement
from handlore.landmarks.detector import DetectorOptions
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.opening import open_detector

FPS = 30.0
N_FRAMES = 600
WARM_UP = 60
SLOW_DISK = 1.0
"""Seconds that a slow memory card takes for a recording."""


class Memory:
    """A camera whose pictures are there at once."""

    name, problem, ended = "memory", None, False

    def __init__(self, pictures):
        self._pictures, self._number = pictures, 0

    def next(self, timeout):  # noqa: D102
        self._number += 1
        return CameraFrame(self._pictures[self._number % len(self._pictures)], self._number / FPS)


class Instant:
    """A detector that knows the hands of all pictures."""

    def __init__(self, detector, pictures):
        self.info = detector.info
        self._hands = {}
        for number, pixels in enumerate(pictures):
            self._hands[id(pixels)] = detector.track(pixels, 1 + number / FPS)

    def track(self, pixels, seconds):  # noqa: D102
        return self._hands[id(pixels)]


class Always:
    """Presses the key that records whenever the session rests; shows nothing."""

    def __init__(self, session):
        self._session = session

    def pressed(self):  # noqa: D102
        return ["r"] if self._session.state is State.IDLE else []

    def show(self, pixels, hands, status):  # noqa: D102
        pass

    say = cue = lambda self, what: None


class SlowDisk:
    """A folder of recordings on a slow disk."""

    def __init__(self, recordings):
        self._recordings = recordings
        self.counts, self.discard = recordings.counts, recordings.discard

    def keep(self, recording, video=None):  # noqa: D102
        time.sleep(SLOW_DISK)
        return self._recordings.keep(recording, video)


def main():
    moving = render_movement("wave", Person.random(1), Scene(), fps=FPS, size=(640, 480))
    shown = [picture.pixels for _, picture in moving]
    options = DetectorOptions(video=True)
    with quiet_native_log(), open_detector(options) as detector:
        instant = Instant(detector, shown)
        print(f"the loop alone, 640x480 at {FPS:g} frames a second, recording all the time:")
        for name, videos, slow in (
            ("landmarks", False, False),
            ("landmarks, a disk that takes 1 s", False, True),
            ("landmarks and video", True, False),
        ):
            with begun(shown, instant, videos=videos, slow=slow) as (loop, writer):
                spent = paced(loop.step)
            print(f"  {name:<34}{words(spent)}; {len(writer.kept)} recordings kept")
        detector.reset()
        with begun(shown, detector) as (loop, _), open_detector(options) as plain:
            bare, ours = in_turns(loop, plain, Memory(shown))
    print(f"side by side: camera and detector {words(bare)}")
    print(f"              the same in the loop {words(ours)}")
    print(f"              ratio of the medians {np.median(ours) / np.median(bare):.3f}")


@contextmanager
def begun(shown, detector, *, videos=False, slow=False):
    """Begin a session that records all the time."""
    with tempfile.TemporaryDirectory() as folder:
        recordings = RecordingFolder.open(Path(folder) / "gestures")
        writer = RecordingWriter(SlowDisk(recordings) if slow else recordings)
        session = Session(("wave",), SessionOptions(seconds=2, countdown=0.3, review=0.3))
        face = Always(session)
        make = VideoFolder(recordings.root) if videos else None
        info = SessionInfo(detector.info, "memory")
        parts = SessionComponents(
            Memory(shown), detector, session, info, writer, face, face, videos=make
        )
        yield SessionLoop(parts), writer
        writer.close()


def paced(step):
    """Do it at the camera's rate, and return how long it took each time."""
    spent, due = [], time.perf_counter()
    for _ in range(N_FRAMES):
        due += 1 / FPS
        time.sleep(max(0.0, due - time.perf_counter()))
        before = time.perf_counter()
        step()
        spent.append(time.perf_counter() - before)
    return np.array(spent[WARM_UP:])


def in_turns(loop, detector, camera):
    spent = []
    for _ in range(N_FRAMES):
        first = time.perf_counter()
        frame = camera.next(0.1)
        detector.track(frame.pixels, frame.seconds)
        second = time.perf_counter()
        loop.step()
        spent.append((second - first, time.perf_counter() - second))
    return np.array(spent[WARM_UP:]).T


def words(spent):
    return (
        f"median {1e3 * np.median(spent):.2f} ms, mean {1e3 * spent.mean():.2f} ms,"
        f" 99 % {1e3 * np.quantile(spent, 0.99):.2f} ms"
    )


if __name__ == "__main__":
    main()
