"""Short forms of what runs for hours: campaigns, kills, and an unattended live run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="uses the processes of Unix"),
]


def script(name: str, *words: object) -> str:
    quiet = {"OMP_NUM_THREADS": "1", "OPENCV_FFMPEG_LOGLEVEL": "-8"}
    done = subprocess.run(
        [sys.executable, BENCHMARKS / name, *map(str, words)],
        env=os.environ | quiet,
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_campaigns_of_damaged_files() -> None:
    """A fault is printed with the words that repeat it."""
    output = script("fuzz/run.py", "--minutes", 10, "--cases", 25, "--seed", 11)
    name, cases, _, faults, *_ = output.strip().splitlines()[-1].split()
    assert (name, cases, faults) == ("all", "225", "0")


def test_kills_lose_nothing() -> None:
    assert "10 kills, 0 losses" in script("kills.py", "--times", 10, "--seed", 3)


def test_live_that_is_left_alone() -> None:
    """Memory settles: the slope itself is measured over hours."""
    # The second loss comes after some 100 seconds, later on a busy machine.
    found = json.loads(script("soak.py", "--minutes", 2.5))
    assert found["events"] > 10
    assert found["actions"] > 5
    assert found["camera_losses"] >= 2, "the camera went"
    assert found["last_mb"] - found["first_mb"] < 60
    assert found["threads"] < 20
