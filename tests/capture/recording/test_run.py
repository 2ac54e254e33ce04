"""A whole session over a folder of frames, with a fake detector."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from capture_stubs import NumberDetector, stamp
from recording_stubs import movement

from handlore.capture.keys import ScriptedKeys
from handlore.capture.recording import run as module
from handlore.capture.recording.options import SessionOptions
from handlore.capture.recording.run import SessionSummary, record
from handlore.datasets.recordings import RecordingFolder
from handlore.datasets.storage import load_dataset
from handlore.landmarks.errors import HandloreError

OPTIONS = SessionOptions(
    headless=True, countdown=0, coach=False, subject="anna", session="monday", frames=10
)


class _Detector(NumberDetector):
    """A fake that can be opened and closed."""

    def __enter__(self) -> "_Detector":
        return self

    def __exit__(self, *_: object) -> None: ...


@pytest.fixture
def frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder of numbered frames, at the rate of a slow camera."""
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in range(15):
        pixels = stamp(np.zeros((480, 640, 3), np.uint8), number)
        cv2.imwrite(str(folder / f"{number:03d}.png"), pixels)
    monkeypatch.setattr(module, "open_detector", lambda *_, **__: _Detector())
    return str(folder)


def test_one_recording(frames: str, tmp_path: Path) -> None:
    said: list[str] = []
    summary = record(
        tmp_path / "out", ["wave"], frames, OPTIONS, keys=ScriptedKeys("r"), say=said.append
    )
    assert summary == SessionSummary("monday", {"wave": 1, "none": 0}, {"wave": 1}, 0, [])
    (entry,) = RecordingFolder.open(tmp_path / "out").entries()
    assert (entry.label, entry.n_frames, entry.subject) == ("wave", 10, "anna")
    assert load_dataset(entry.path).image[:, 0, 0, 0].tolist() == list(range(10))
    assert said[0].startswith("keys: r record")
    assert said[-1] == "kept: wave (0001.npz)", "however the session ended"


def test_a_recording_nobody_decided_about_can_be_restored(
    frames: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file in the camera's place, or the window, is gone before anybody could answer."""
    nobody = _Detector(without=range(15))
    monkeypatch.setattr(module, "open_detector", lambda *_, **__: nobody)
    said: list[str] = []
    summary = record(
        tmp_path / "out", ["wave"], frames, OPTIONS, keys=ScriptedKeys("r"), say=said.append
    )
    assert summary.kept == {"wave": 0, "none": 0}
    assert "ended without a decision" in said[-1]
    assert "recordings restore" in said[-1]
    folder = RecordingFolder.open(tmp_path / "out")
    assert [one.discarded for one in folder.entries(discarded=True)] == [True]


def test_an_unfinished_recording_is_reported(frames: str, tmp_path: Path) -> None:
    """In a line that stays, after the window is closed."""
    said: list[str] = []
    keys = SimpleNamespace(pressed=iter([["r"], [], [], ["q"]]).__next__)
    record(tmp_path / "out", ["wave"], frames, OPTIONS, keys=keys, say=said.append)
    assert said[-1] == "the unfinished recording was discarded"


def test_labels_of_the_folder(frames: str, tmp_path: Path) -> None:
    record(tmp_path / "out", ["Wave"], frames, OPTIONS, keys=ScriptedKeys("r"))
    said: list[str] = []
    summary = record(
        tmp_path / "out", ["stop", "wave"], frames, OPTIONS, keys=ScriptedKeys(), say=said.append
    )
    assert list(summary.kept) == ["stop", "Wave", "none"]
    assert any("writes wave as Wave" in line for line in said)


def test_labels_of_a_folder_with_unsorted_recordings(frames: str, tmp_path: Path) -> None:
    """A folder of live runs can be continued; `unsorted` is the label of no gesture."""
    folder = RecordingFolder.open(tmp_path / "out")
    for label in ("unsorted", "wave"):
        folder.keep(movement(label, like="left"))
    summary = record(tmp_path / "out", [], frames, OPTIONS, keys=ScriptedKeys("r"))
    assert summary.kept == {"wave": 1, "none": 0}
    assert summary.counts == {"unsorted": 1, "wave": 2}


def test_nothing_is_left_without_a_detector(
    frames: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object, **__: object) -> None:
        raise HandloreError("no detector")

    monkeypatch.setattr(module, "open_detector", missing)
    with pytest.raises(HandloreError, match="no detector"):
        record(tmp_path / "out", ["wave"], frames, OPTIONS)
    assert not (tmp_path / "out").exists()


def test_nothing_is_left_above_the_folder(
    frames: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> None:
        raise HandloreError("no terminal")

    monkeypatch.setattr(module, "terminal_keys", fails)
    with pytest.raises(HandloreError, match="no terminal"):
        record(tmp_path / "a" / "b" / "c", ["wave"], frames, OPTIONS)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("labels", [["a", "A"], ["a/b"]])
def test_invalid_labels(labels: list[str], frames: str, tmp_path: Path) -> None:
    with pytest.raises(HandloreError, match="label"):
        record(tmp_path / "out", labels, frames)
    assert not (tmp_path / "out").exists()


def test_keys_count_once_there_is_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is typed while a camera warms up is dropped by the terminal, not pressed later."""
    done: list[str] = []

    class Feed:
        name, problem, ended = "camera", None, False

        def next(self, timeout: float) -> None:
            self.ended = "keys" in done
            done.append("frame")

        def close(self) -> None: ...

    def terminal() -> AbstractContextManager[ScriptedKeys]:
        done.append("keys")
        return nullcontext(ScriptedKeys())

    monkeypatch.setattr(module, "open_detector", lambda *_, **__: _Detector())
    monkeypatch.setattr(module, "open_feed", lambda _: Feed())
    monkeypatch.setattr(module, "terminal_keys", terminal)
    record(tmp_path / "out", ["wave"], "0", OPTIONS)
    assert done[:2] == ["frame", "keys"]


def test_one_label_needs_no_list(frames: str, tmp_path: Path) -> None:
    summary = record(tmp_path / "out", "wave", frames, OPTIONS, keys=ScriptedKeys("r"))
    assert summary.kept == {"wave": 1, "none": 0}
