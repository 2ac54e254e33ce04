"""The buffer of the last minutes, and the clips of events."""

import threading
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from live_stubs import EMPTY, FIST, PALM, Detector, Stage, frames

from handlore.capture.live.buffer import LandmarkBuffer
from handlore.capture.live.loop import LiveState, LiveView
from handlore.capture.recording.writer import RecordingWriter, SessionInfo, VideoFolder
from handlore.datasets.recorded import UNSORTED, RecordedEvent
from handlore.datasets.recordings import RecordingFolder
from handlore.datasets.storage import load_dataset
from handlore.landmarks.errors import HandloreError

TWO = frames(EMPTY, 0, 1) + frames(FIST, 1, 2) + frames(EMPTY, 2, 3) + frames(PALM, 3, 4)


class Shelf:
    """A disk that can be full."""

    def __init__(self) -> None:
        self.problem = ""
        self.kept: list[str] = []

    def keep(self, recording: object, video: Path | None = None) -> Path:
        if self.problem:
            raise HandloreError(self.problem)
        self.kept.append(recording.labels[0])  # type: ignore[attr-defined]
        return Path("x")

    def discard(self, path: Path) -> Path:
        return path

    def counts(self) -> dict[str, int]:
        return {}


def buffer_of(
    keeper: object, said: list[str], seconds: float = 60.0, **more: Any
) -> LandmarkBuffer:
    info = SessionInfo(Detector.info, "0", "anna", "live-1")
    return LandmarkBuffer(RecordingWriter(keeper), info, seconds, said.append, **more)  # type: ignore[arg-type]


def test_keep_video(tmp_path: Path) -> None:
    for asked in (False, True):
        folder = RecordingFolder.open(tmp_path / str(asked))
        view = buffer_of(folder, [], videos=VideoFolder(folder.root) if asked else None)
        Stage(TWO, view).run()
        view.close()
        (fist,) = [entry for entry in folder.entries() if entry.label == "fist"]
        video = fist.path.with_suffix(".avi")
        assert video.exists() == asked
        assert len(list(folder.root.rglob("*.avi"))) == 3 * asked
    film = cv2.VideoCapture(str(video))
    assert film.get(cv2.CAP_PROP_FRAME_COUNT) == len(load_dataset(fist.path).time)
    film.release()


def test_clip_of_an_event(tmp_path: Path) -> None:
    folder, said = RecordingFolder.open(tmp_path / "kept"), []
    view = buffer_of(folder, said, clock=lambda: 1_000_000.0)
    Stage(TWO, view).run()
    view.close()
    assert said == []
    assert folder.counts() == {"fist": 1, "open_palm": 1, UNSORTED: 1}
    (fist,) = [entry for entry in folder.entries() if entry.label == "fist"]
    clip = load_dataset(fist.path)
    # From a second before the event to a second after it.
    assert clip.time[[0, -1]] == pytest.approx([0.0, 2.0], abs=0.04)
    shown = clip.image[:, 0, 0, 0]
    assert np.isnan(shown[:29]).all()
    assert (shown[31:59] == FIST).all()
    assert (clip.header.kind, clip.samples.group[0]) == ("sequence", "anna")
    event = RecordedEvent.of(clip)
    assert event is not None
    assert (event.label, event.start) == ("fist", pytest.approx(1.0, abs=0.04))
    assert (fist.recognised, fist.reviewed, fist.needs_review) == ("fist", False, True)
    assert fist.recognised_at == time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(1_000_000))
    assert fist.probability is not None
    assert 0.5 < fist.probability <= 1
    whole = load_dataset(next(e.path for e in folder.entries() if e.label == UNSORTED))
    assert whole.n_frames == len(TWO)


def test_length() -> None:
    shelf, said = Shelf(), []
    view = buffer_of(shelf, said, 5.0)
    Stage(frames(EMPTY, 0, 60), view).run()
    assert len(view._frames) == pytest.approx(150, abs=2)
    view.close()
    assert shelf.kept == [UNSORTED]


def test_keep_key() -> None:
    shelf, said = Shelf(), []
    view = buffer_of(shelf, said, all_at_end=False)
    stage = Stage(frames(EMPTY, 0, 10), view)
    stage.witness.keys.extend([[]] * 200 + [["k"]])
    stage.run()
    view.close()
    assert shelf.kept == [UNSORTED]
    assert said == ["the last 7 seconds were kept as unsorted"]


def test_no_gaps() -> None:
    shelf, said = Shelf(), []
    view = buffer_of(shelf, said)
    Stage(frames(FIST, 0, 1) + frames(EMPTY, 60, 61), view).run()
    assert view._length() < 1.0
    view.close()
    assert sorted(shelf.kept) == ["fist", UNSORTED]


def test_a_single_frame_is_not_kept() -> None:
    """The camera was lost at once, or the file is a picture."""
    shelf, said = Shelf(), []
    view = buffer_of(shelf, said)
    Stage([*frames(FIST, 0, 1), (60.0, EMPTY)], view).run()
    view.on_key("k")
    view.close()
    assert shelf.kept == ["fist"]
    assert said == ["a recording of unsorted was not kept: too short (1 frame)"] * 2
    assert view.lost == 0


def test_full_disk() -> None:
    shelf, said = Shelf(), []
    shelf.problem = "the disk is full"
    view = buffer_of(shelf, said, all_at_end=False)
    flicker = [(n / 2, FIST if n % 2 else EMPTY) for n in range(200)]
    stage = Stage(flicker, view)
    stage.run()
    view.close()
    assert "the disk is full" in said
    assert len(view._writer.unsaved) <= 16
    # All clips of about a hundred events.
    assert view.lost == pytest.approx(100, abs=5)


def test_failure_during_another_recording() -> None:
    """A slow disk: the second is being written when the first is known to be there."""
    second, full = threading.Event(), threading.Event()

    class Slow(Shelf):
        def keep(self, recording: object, video: Path | None = None) -> Path:
            if self.kept:
                second.set()
                full.wait(5.0)
                self.problem = "the disk is full"
            return super().keep(recording, video)

    said: list[str] = []
    view = buffer_of(Slow(), said, all_at_end=False)
    Stage(frames(EMPTY, 0, 1), view).run()
    assert view.keep_all()
    assert view.keep_all()
    assert second.wait(5.0)
    view.show(LiveState(1.0, None))
    full.set()
    view.close()
    assert (view.lost, said) == (1, ["the disk is full"]), "said once, although it was retried"


def test_kept_recordings_are_forgotten() -> None:
    shelf, said = Shelf(), []
    view = buffer_of(shelf, said, all_at_end=False)
    flicker = [(n / 2, FIST if n % 2 else EMPTY) for n in range(200)]

    class QuickDisk(LiveView):
        """The loop's time is made up, the writer's is not."""

        def show(self, moment: LiveState) -> None:
            while not view._writer._jobs.empty():
                time.sleep(0.0005)

    Stage(flicker, view, QuickDisk()).run()
    view.close()
    assert len(shelf.kept) > 50
    assert len(view._writer.kept) <= 16


def test_empty_buffer() -> None:
    shelf, said = Shelf(), []
    view = buffer_of(shelf, said)
    view.on_key("k")
    view.close()
    assert (shelf.kept, said) == ([], ["the buffer is still empty, nothing was kept"])
