"""A session that is killed, and a disk that is full."""

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from capture_stubs import BITS, Rig

from handlore.datasets.recordings import RecordingFolder
from handlore.datasets.storage import load_dataset
from handlore.datasets.videos import read_video

PROGRAM = Path(__file__).parents[2] / "stubs" / "capture_killed.py"


def check_whole(root: Path) -> int:
    """Check that every recording of a folder is complete; return their number."""
    assert RecordingFolder.open(root).failures() == []
    found = sorted(root.glob("*/*.npz"))
    for path in found:
        recording = load_dataset(path)
        numbers = recording.image[:, 0, 0, 0]
        assert ((numbers - numbers[0]) % 2**BITS).tolist() == list(range(10))
        frames = read_video(path.with_suffix(".avi"))[0]
        assert sum(1 for _ in frames) == 10
    return len(found)


@pytest.mark.slow
def test_killed_twenty_times(tmp_path: Path):
    rng, kept, grown = random.Random(6), 0, 0
    for _ in range(20):
        process = subprocess.Popen([sys.executable, PROGRAM, tmp_path], stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(rng.uniform(0.02, 0.6))
        process.kill()
        process.wait()
        process.stdout.close()
        now = check_whole(tmp_path)
        assert now >= kept, "what was kept stays"
        grown += now > kept
        kept = now
    assert grown >= 10, "it was killed while it recorded"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 200 KB; needs root."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("needs root to mount a small disk")
    args = [mount, "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(disk)]
    if subprocess.run(args, capture_output=True, check=False).returncode:
        pytest.skip("this system does not let us mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_that_is_really_full(small_disk: Path):
    root = small_disk / "gestures"
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 150_000)
    keys = {f"f{20 * k}": "r" for k in range(40)} | {"f900": "k"}
    rig = Rig(root, range(1000), keys=keys)
    while not rig.writer.unsaved:
        rig.loop.step()
    before = len(list(root.glob("*/*.npz")))
    rig.loop.step()
    assert any("No space left on device; it is kept in memory" in line for line in rig.view.said)
    while rig.loop.frames < 890:
        rig.loop.step()
    assert len(list(root.glob("*/*.npz"))) <= before + 1
    ballast.unlink()
    rig.run()
    left = len(list(root.glob("*/*.npz")))
    assert left > before, "there is room again"
    assert left + len(rig.writer.unsaved) == 40, "nothing has got lost"
    assert RecordingFolder.open(root).failures() == []
