"""Recordings are written one after the other, whatever is wrong with one of them."""

from pathlib import Path

import numpy as np
import pytest
from capture_stubs import NumberDetector
from recording_stubs import movement

from handlore.capture.recording import writer as writing
from handlore.capture.recording.writer import (
    FinishVideo,
    Job,
    RecordingWriter,
    SessionInfo,
    VideoFolder,
)
from handlore.datasets.recordings import RecordingFolder


@pytest.fixture
def store(tmp_path: Path) -> RecordingFolder:
    return RecordingFolder.open(tmp_path / "mine")


def a_video(folder: Path) -> FinishVideo:
    videos, times = VideoFolder(folder), [0.0, 0.1, 0.2]
    frames = [videos.encode(np.zeros((48, 64, 3), np.uint8)) for _ in times]
    return videos.finisher(frames, times, (64, 48))


def test_subjects_are_written_in_one_way() -> None:
    info = SessionInfo(NumberDetector.info, "7", " Anna Mu\u0308ller ")
    assert info.recording("left", "sequence", [[None]], [0.0]).samples.group == ["Anna M\u00fcller"]


def test_a_video_that_is_too_large(store: RecordingFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The landmarks are kept, this is said, and nothing is left half-written."""
    monkeypatch.setattr(writing, "_LARGEST", 100)
    writer = RecordingWriter(store)
    writer.keep(Job(movement("left"), a_video(store.root)))
    writer.keep(Job(movement("right")))
    first, second = writer.close()
    assert "without its video: 3 frames" in first.note
    assert [one.problem for one in (first, second)] == [None, None]
    assert store.counts() == {"left": 1, "right": 1}
    assert [*store.root.rglob("*.avi"), *store.root.rglob("*.tmp*")] == []


@pytest.mark.parametrize("error", [RuntimeError("the encoder failed"), MemoryError()])
def test_no_recording_takes_others_with_it(store: RecordingFolder, error: Exception) -> None:
    def fails() -> Path:
        raise error

    writer = RecordingWriter(store)
    writer.keep(Job(movement("left"), fails))
    writer.keep(Job(movement("right")))
    said = {written.line for written in writer.finish()}
    assert said == {str(error) or "MemoryError", "kept: right (0001.npz)"}
    assert store.counts() == {"right": 1}
    assert [job.label for job in writer.unsaved] == ["left"]
