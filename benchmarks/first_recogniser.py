"""From nothing to a recogniser of three gestures: how long a person needs, and how good it is.

A rendered person sits before the camera and does what the session asks for: bursts of three
gestures, then everyday movement. The session runs on the camera's clock, so that the time is that
of a real session however fast this machine is. A second session, under other light and from other
angles, is the test. Run it as ``python benchmarks/first_recogniser.py``.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from handlore.capture.cameras import CameraFrame
from handlore.capture.recording.loop import SessionComponents, SessionLoop
from handlore.capture.recording.options import SessionOptions
from handlore.capture.recording.session import Session, State
from handlore.capture.recording.writer import RecordingWriter, SessionInfo
from handlore.datasets.recordings import RecordingFolder
from handlore.datasets.rendered import Person, Scene, render_movement, render_pose
from handlore.landmarks.detector import DetectorOptions
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.opening import open_detector

LABELS = ("swipe_left", "swipe_right", "wave")
EVERYDAY = ("circle", "grab", "push", "release", "tap", "swipe_up")
BURST = 8
NONE_SECONDS = 40.0
N_EVERYDAY = 20
"""So many different movements everyday life has here; more take long to render."""

FPS = 15.0
REACTION = 2.0
"""Seconds a person takes to press the next key."""


class PersonAtCamera:
    """A rendered person who is camera and keyboard at once."""

    name, problem, ended = "a rendered person", None, False

    def __init__(self, session, seed):
        self._session, self._rng = session, np.random.default_rng(seed)
        self._now, self._rested_since = 0.0, 0.0
        self._last, self._moving = None, iter(())
        self._rest = large(render_pose("open_palm", Person.random(11), Scene(), size=(320, 240)))
        self._done = Counter()
        self._everyday = []

    def next(self, timeout):  # noqa: D102
        self._now += 1 / FPS
        return CameraFrame(self._picture(), self._now)

    def _picture(self):
        recording = self._session.recording
        if self._session.state is not State.RECORDING:
            return self._rest
        if recording is not self._last:
            self._last, self._moving = recording, self._movement(recording.label)
        picture = next(self._moving, None)
        if picture is None:
            self._moving = self._movement(recording.label)
            picture = next(self._moving)
        return large(picture[1])

    def _movement(self, label):
        if label != "none":
            return self._rendered(label)
        if len(self._everyday) < N_EVERYDAY:
            self._everyday.append(list(self._rendered(str(self._rng.choice(EVERYDAY)))))
            return iter(self._everyday[-1])
        return iter(self._everyday[int(self._rng.integers(N_EVERYDAY))])

    def _rendered(self, name):
        scene = Scene.random(self._rng, hand="right")
        return iter(render_movement(name, Person.random(11), scene, fps=FPS, size=(320, 240)))

    def pressed(self):  # noqa: D102
        session = self._session
        if session.state is not State.IDLE:
            self._rested_since = self._now
            return ["k"] if session.flagged else ["r"] if self._has_had_enough() else []
        if self._now - self._rested_since < REACTION:
            return []
        for digit, label in enumerate(LABELS, 1):
            if not self._done[label]:
                self._done[label] += 1
                return [str(digit), "b"]
        self._done["none"] += 1
        return ["0", "r"] if self._done["none"] <= 2 else ["q"]

    def _has_had_enough(self):
        recording = self._session.recording
        under_way = self._session.state is State.RECORDING and recording.is_stream
        return under_way and self._now - recording.began > NONE_SECONDS

    def show(self, pixels, hands, status):  # noqa: D102
        pass

    say = cue = lambda self, what: None

    @property
    def seconds(self):
        """How long the session took."""
        return self._now


def large(picture):
    return cv2.resize(picture.pixels, (640, 480), interpolation=cv2.INTER_LINEAR)


def record(folder, seed, detector):
    """Record a session; return its seconds and what was kept."""
    session = Session(LABELS, SessionOptions(seconds=2, burst=BURST))
    person = PersonAtCamera(session, seed)
    recordings = RecordingFolder.open(folder)
    writer = RecordingWriter(recordings)
    info = SessionInfo(detector.info, person.name, "rendered", f"session {seed}")
    detector.reset()
    SessionLoop(SessionComponents(person, detector, session, info, writer, person, person)).run()
    writer.close()
    return person.seconds, recordings.counts()


def handlore(*args):
    command = [sys.executable, "-m", "handlore", *map(str, args)]
    begun = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return time.perf_counter() - begun, done.stdout


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with quiet_native_log(), open_detector(DetectorOptions(video=True)) as detector:
            seconds, counts = record(folder / "gestures", 1, detector)
            record(folder / "test", 2, detector)
        training, _ = handlore("train", folder / "gestures", "--out", folder / "g.onnx")
        _, scores = handlore("evaluate", folder / "g.onnx", folder / "test", "--json")
    print(f"recorded {counts} in {seconds:.0f} s of a person's time")
    print(f"trained in {training:.0f} s")
    scores = json.loads(scores)
    print(f"second session: accuracy {scores['accuracy']:.3f} of {scores['n']}")
    print(f"together {(seconds + training) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
