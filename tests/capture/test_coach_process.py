"""The coach in a process of its own."""

import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest
from recording_stubs import filled, movement

from handlore.capture.coach_process import BackgroundCoach
from handlore.datasets.recordings import RecordingFolder


@pytest.fixture
def folder(tmp_path: Path) -> RecordingFolder:
    return RecordingFolder.open(tmp_path / "gestures")


def wait_for(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + 180
    while not what() and time.monotonic() < deadline:
        time.sleep(0.1)


def processes() -> list[psutil.Process]:
    """Return the coaches that are running."""
    found = []
    for one in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):  # it, or a zombie, ended meanwhile
            if "coach_process" in " ".join(one.cmdline()):
                found.append(one)
    return found


@pytest.mark.slow
def test_calls_return_immediately(tmp_path: Path) -> None:
    folder = filled(tmp_path / "gestures", 1, ("left", "right"))
    with closing(BackgroundCoach()) as coach:
        assert coach.advice() == []
        coach.consult(folder.root)
        folder.keep(movement("left", seed=5))
        started = time.perf_counter()
        # Requested during an analysis: one more follows, of the folder as it is then.
        coach.consult(folder.root, ["up"])
        coach.consult(folder.root, ["up"])
        assert time.perf_counter() - started < 1.0
        assert not coach.is_settled
        wait_for(lambda: "record next: up" in " ".join(coach.advice()) and coach.is_settled)
        assert coach.advice()[0] == "record next: up (none yet; others up to 2)"
        assert coach.is_settled


def test_missing_folder(tmp_path: Path) -> None:
    with closing(BackgroundCoach()) as coach:
        coach.consult(tmp_path / "gone")
        wait_for(lambda: coach.advice() or not processes())
        assert coach.advice() == []


def test_close(tmp_path: Path) -> None:
    coach = BackgroundCoach()
    coach.consult(filled(tmp_path / "gestures", 1).root)
    assert processes()
    coach.close()
    assert not processes()
