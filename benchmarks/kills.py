"""Commands that are killed (kill -9) at random moments lose nothing that was kept.

``kills.py [--times 100] [--seed 0]``. After each kill every output is either absent, or what it was
before, or the whole result; the same command then gives the bytes of an undisturbed run.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from handlore.datasets.recordings import RecordingFolder
from handlore.datasets.rendered import write_pictures
from handlore.datasets.storage import load_dataset

TESTS = Path(__file__).parents[1] / "tests"
OLDER = TESTS / "older_files"
COMMAND = [sys.executable, "-P", "-m", "handlore"]


def run(words, check=True):
    """Run a command to its end; return the seconds it took."""
    started = time.monotonic()
    subprocess.run([*COMMAND, *map(str, words)], check=check, capture_output=True)
    return time.monotonic() - started


def killed(words, seconds, program=COMMAND):
    """Start a command and kill it after some seconds; say whether it was still running."""
    child = subprocess.Popen(
        [*program, *map(str, words)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        return True
    return False


class Converting:
    """`convert` with two processes."""

    def __init__(self, home):
        self.pictures, self.out = home / "pictures", home / "out.npz"
        write_pictures(self.pictures, poses=("fist", "point"), n_people=2, per_pose=3)
        self.words = ["convert", self.pictures, self.out, "--jobs", "2", "--detector", "litert"]
        self.seconds = run(self.words)
        self.whole = self.out.read_bytes()
        self.out.unlink()

    def kill(self, rng):
        """Kill it once, and check what is left."""
        early = killed(self.words, rng.uniform(0.2, self.seconds))
        assert not self.out.exists() or self.out.read_bytes() == self.whole
        if early:
            # Measured anew, for a computer that is busy now and then.
            self.seconds = run(self.words)
        assert self.out.read_bytes() == self.whole, "not the bytes of an undisturbed run"
        self.out.unlink()
        return early


class Training:
    """`train` over a model that is there."""

    def __init__(self, home):
        self.out = home / "model.onnx"
        self.words = ["train", OLDER / "poses.npz", "--model", "linear", "--out", self.out]
        self.seconds = run(self.words)
        self.whole = self.out.read_bytes()
        self.before = (OLDER / "poses-linear.onnx").read_bytes()

    def kill(self, rng):
        """Kill it once, and check what is left."""
        self.out.write_bytes(self.before)
        early = killed(self.words, rng.uniform(0.2, self.seconds))
        assert self.out.read_bytes() in (self.before, self.whole)
        if early:
            self.seconds = run(self.words)
        assert self.out.read_bytes() == self.whole
        return early


class Calibrating:
    """`calibrate`, which replaces a model file."""

    def __init__(self, home):
        self.out = home / "calibrated.onnx"
        self.before = (OLDER / "movements.onnx").read_bytes()
        self.words = ["calibrate", self.out, OLDER / "moves.npz"]
        self.out.write_bytes(self.before)
        self.seconds = run(self.words)
        self.whole = self.out.read_bytes()

    def kill(self, rng):
        """Kill it once, and check what is left."""
        self.out.write_bytes(self.before)
        early = killed(self.words, rng.uniform(0.2, self.seconds))
        assert self.out.read_bytes() in (self.before, self.whole)
        self.seconds *= 1.2 if early else 0.7
        return early


class Editing:
    """`recordings discard` and `restore`."""

    def __init__(self, home):
        self.root = home / "gestures"
        shutil.copytree(OLDER / "recordings", self.root)
        self.bytes = self._all()
        self.numbers = sorted(str(int(path.stem)) for path in self.root.glob("*/*.npz"))
        self.seconds = run(["recordings", "discard", self.root, *self.numbers])
        run(["recordings", "restore", self.root, *self.numbers])

    def _all(self):
        return sorted(path.read_bytes() for path in self.root.rglob("*.npz"))

    def kill(self, rng):
        """Kill it once, and check what is left."""
        how = rng.choice(["discard", "restore"])
        words = ["recordings", how, self.root, *self.numbers]
        early = killed(words, rng.uniform(0.1, self.seconds))
        assert self._all() == self.bytes, "a recording was lost or changed"
        self.seconds = run(["recordings", "list", self.root, "--json"])
        return early


class Capturing:
    """A session that records without end, with videos."""

    program = (sys.executable, str(TESTS / "stubs" / "capture_killed.py"))

    def __init__(self, home):
        self.root = home / "captured"
        self.root.mkdir()
        self.kept = 0
        started = time.monotonic()
        with subprocess.Popen([*self.program, self.root], stdout=subprocess.DEVNULL) as child:
            while len(list(self.root.glob("*/*.npz"))) < 2:
                time.sleep(0.05)
            child.kill()
        self.seconds = time.monotonic() - started

    def kill(self, rng):
        """Kill it once, and check what is left."""
        killed([self.root], rng.uniform(0.2, 1.5 * self.seconds), self.program)
        if not (self.root / "recordings.json").exists():
            return True
        assert RecordingFolder.open(self.root).failures() == []
        found = sorted(self.root.glob("*/*.npz"))
        for path in found:
            load_dataset(path)
        assert len(found) >= self.kept, "what was kept is gone"
        self.kept = len(found)
        return True


def kills_of(kind, times, seed, home):
    """Kill one command so many times; return losses, and how much there was to lose."""
    rng, lost, kills, subject = random.Random(f"{kind.__name__} {seed}"), 0, 0, kind(home)
    while kills < times:
        try:
            # It may have ended before its moment came.
            kills += subject.kill(rng)
        except (AssertionError, subprocess.CalledProcessError) as error:
            lost, kills = lost + 1, kills + 1
            print(f"{kind.__name__}: {error}", flush=True)
    print(f"{kind.__name__}: {kills} kills, {lost} losses", flush=True)
    return lost, getattr(subject, "kept", 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = str(TESTS / "stubs")
    every = (Converting, Training, Calibrating, Editing, Capturing)
    times = options.times // len(every)
    # Side by side: most of the time is spent waiting for the moment.
    with (
        tempfile.TemporaryDirectory(prefix="handlore-kills-") as folder,
        ThreadPoolExecutor(len(every)) as pool,
    ):
        runs = [pool.submit(kills_of, kind, times, options.seed, Path(folder)) for kind in every]
        found = [run.result() for run in runs]
    lost, kept = sum(one for one, _ in found), found[-1][1]
    print(f"{times * len(every)} kills, {lost} losses; {kept} recordings captured")
    return bool(lost)


if __name__ == "__main__":
    sys.exit(main())
