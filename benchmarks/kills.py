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
    """Start a command and kill it after some seconds, with its process group."""
    child = subprocess.Popen(
        [*program, *map(str, words)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(seconds)
    child.kill()
    child.wait()


class Converting:
    """`convert` with two processes."""

    def __init__(self, home):
        self.pictures, self.out = home / "pictures", home / "out.npz"
        write_pictures(self.pictures, poses=("fist", "point"), n_people=4, per_pose=4)
        self.words = ["convert", self.pictures, self.out, "--jobs", "2"]
        self.seconds = run(self.words)
        self.whole = self.out.read_bytes()
        self.out.unlink()

    def kill(self, rng):
        """Kill it once, and check what is left."""
        killed(self.words, rng.uniform(0.2, self.seconds))
        assert not self.out.exists() or self.out.read_bytes() == self.whole
        run(self.words)
        assert self.out.read_bytes() == self.whole, "not the bytes of an undisturbed run"
        self.out.unlink()


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
        killed(self.words, rng.uniform(0.2, self.seconds))
        assert self.out.read_bytes() in (self.before, self.whole)
        run(self.words)
        assert self.out.read_bytes() == self.whole


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
        killed(self.words, rng.uniform(0.2, self.seconds))
        assert self.out.read_bytes() in (self.before, self.whole)


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
        killed(["recordings", how, self.root, *self.numbers], rng.uniform(0.1, self.seconds))
        assert self._all() == self.bytes, "a recording was lost or changed"
        run(["recordings", "list", self.root, "--json"])


class Capturing:
    """A session that records without end, with videos."""

    def __init__(self, home):
        self.root = home / "captured"
        self.root.mkdir()
        self.kept = 0

    def kill(self, rng):
        """Kill it once, and check what is left."""
        program = [sys.executable, str(TESTS / "stubs" / "capture_killed.py")]
        killed([self.root], rng.uniform(1.0, 4.0), program)
        if not (self.root / "recordings.json").exists():
            return
        assert RecordingFolder.open(self.root).failures() == []
        found = sorted(self.root.glob("*/*.npz"))
        for path in found:
            load_dataset(path)
        assert len(found) >= self.kept, "what was kept is gone"
        self.kept = len(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = str(TESTS / "stubs")
    rng, lost = random.Random(options.seed), 0
    with tempfile.TemporaryDirectory(prefix="handlore-kills-") as folder:
        every = (Converting, Training, Calibrating, Editing, Capturing)
        kinds = [kind(Path(folder)) for kind in every]
        for number in range(options.times):
            kind = kinds[number % len(kinds)]
            try:
                kind.kill(rng)
            except (AssertionError, subprocess.CalledProcessError) as error:
                lost += 1
                print(f"{number} {type(kind).__name__}: {error}", flush=True)
        print(f"{options.times} kills, {lost} losses; {kinds[-1].kept} recordings captured")
    return bool(lost)


if __name__ == "__main__":
    sys.exit(main())
