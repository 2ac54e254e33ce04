"""A live run: its options, and a run over a folder of frames."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from live_stubs import EMPTY, FIST, Detector, FakeRecogniser, Time, Witness

from handlore.capture.cameras import CameraOptions, camera_spec
from handlore.capture.live import run as module
from handlore.capture.live.run import LiveOptions, run_live
from handlore.datasets.recordings import RecordingFolder
from handlore.landmarks.errors import HandloreError
from handlore.models.stream.events import Event


@pytest.mark.parametrize(
    ("options", "needed"),
    [
        ({"dry_run": True}, "--actions"),
        ({"keep_video": True}, "--record"),
        ({"subject": "anna"}, "--record"),
        ({"token": "correct-horse"}, "--serve"),
    ],
)
def test_options_without_effect(options: dict, needed: str) -> None:
    with pytest.raises(HandloreError, match=needed):
        LiveOptions(**options)


def test_missing_model(tmp_path: Path) -> None:
    with pytest.raises(HandloreError, match="there is no file"):
        run_live([tmp_path / "none.onnx"])


class _Detector(Detector):
    """A fake that can be opened and closed."""

    def __enter__(self) -> "_Detector":
        return self

    def __exit__(self, *_: object) -> None: ...


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Event]]:
    """Run over frames of an empty room and a fist with a fake detector and recogniser."""
    frames = tmp_path / "frames"
    frames.mkdir()
    for number, grey in enumerate([EMPTY] * 10 + [FIST] * 10 + [EMPTY] * 40):
        cv2.imwrite(str(frames / f"{number:03d}.png"), np.full((48, 64, 3), grey, np.uint8))

    class Models(FakeRecogniser):
        def __init__(self, *_: object, **__: object) -> None:
            super().__init__()

    monkeypatch.setattr(module, "load_models", lambda models: ([], ["a note"]))
    monkeypatch.setattr(module, "required_landmarker", lambda models: "full")
    monkeypatch.setattr(module, "Recogniser", Models)
    monkeypatch.setattr(module, "open_detector", lambda *_, **__: _Detector(Time(), 0.0))

    def run(options: LiveOptions, witness: Witness) -> list[Event]:
        events: list[Event] = []
        camera = camera_spec(str(frames), CameraOptions(paced=False))
        summary = run_live(["m.onnx"], camera, events.append, options, views=[witness])
        assert (summary.frames, summary.events, summary.unsaved) == (60, len(events), 0)
        return events

    return run


def test_events_actions_and_messages(play: Callable[..., list[Event]]) -> None:
    witness = Witness()
    (event,) = play(LiveOptions(), witness)
    assert event.label == "fist"
    assert witness.events == [event]
    assert witness.said == ["note: a note", "frames: ", "60 frames, 1 events"]


def test_record(play: Callable[..., list[Event]], tmp_path: Path) -> None:
    play(LiveOptions(record=tmp_path / "kept", subject="anna"), Witness())
    entries = RecordingFolder.open(tmp_path / "kept").entries()
    assert {(one.label, one.subject) for one in entries} == {("fist", "anna"), ("unsorted", "anna")}
