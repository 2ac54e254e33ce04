"""A live run: its options, and runs over a folder of frames and a video."""

from collections.abc import Callable
from dataclasses import replace
from math import inf
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from live_stubs import EMPTY, FIST, Detector, FakeRecogniser, Time, Witness

from handlore.capture.cameras import CameraOptions, camera_spec
from handlore.capture.live import run as module
from handlore.capture.live.limiter import RateLimiter
from handlore.capture.live.run import LiveOptions, run_live
from handlore.datasets.conversion.convert import convert
from handlore.datasets.dataset import Header, LandmarkDataset, Samples
from handlore.datasets.recording_files import labels_in_marker
from handlore.datasets.recordings import RecordingFolder
from handlore.datasets.rendered import Person, Scene, render_background, render_movement
from handlore.datasets.sources import make_source
from handlore.landmarks.detector import DetectorOptions
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.hands import Hand, by_slot
from handlore.landmarks.opening import open_detector
from handlore.models.stream.events import Event


@pytest.mark.parametrize(
    ("options", "needed"),
    [
        ({"dry_run": True}, "`actions`"),
        ({"keep_video": True}, "`record`"),
        ({"subject": "anna"}, "`record`"),
        ({"token": "correct-horse"}, "`serve`"),
        ({"home_assistant_name": "Kitchen"}, "`home_assistant` mqtt://HOST"),
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

    model = SimpleNamespace(card=SimpleNamespace(labels=("fist", "none")))
    monkeypatch.setattr(module, "load_models", lambda models: ([model], ["a note"]))
    monkeypatch.setattr(module, "required_landmarker", lambda models: "full")
    monkeypatch.setattr(module, "Recogniser", Models)
    monkeypatch.setattr(module, "open_detector", lambda *_, **__: _Detector(Time(), 0.0))

    def run(options: LiveOptions, witness: Witness) -> list[Event]:
        events: list[Event] = []
        camera = camera_spec(str(frames), CameraOptions(paced=False))
        summary = run_live(["m.onnx"], camera, events.append, options, views=[witness])
        n_frames = min(60, 2 * options.max_fps)
        assert (summary.frames, summary.events, summary.unsaved) == (n_frames, len(events), 0)
        return events

    return run


def test_events_actions_and_messages(play: Callable[..., list[Event]]) -> None:
    witness = Witness()
    (event,) = play(LiveOptions(), witness)
    assert event.label == "fist"
    assert witness.events == [event]
    assert witness.said == ["note: a note", "frames: fist, none", "60 frames, 1 event"]


def test_record(play: Callable[..., list[Event]], tmp_path: Path) -> None:
    play(LiveOptions(record=tmp_path / "kept", subject="anna"), Witness())
    recordings = RecordingFolder.open(tmp_path / "kept")
    found = {(one.label, one.subject) for one in recordings.entries()}
    assert found == {("fist", "anna"), ("unsorted", "anna")}
    assert labels_in_marker(recordings.root) == ["fist"], "a review offers those of the model"
    recordings.order_labels(["wave"])
    play(LiveOptions(record=tmp_path / "kept"), Witness())
    assert labels_in_marker(recordings.root) == ["wave", "fist"], "and of the model before"


def test_a_file_is_not_throttled(
    play: Callable[..., list[Event]], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = _Detector(Time(), 0.0)
    opened.info = replace(opened.info, name="mediapipe")
    monkeypatch.setattr(module, "open_detector", lambda *_, **__: opened)
    play(LiveOptions(), Witness())
    assert len(opened.times) == 60


def test_max_fps_of_a_file(
    play: Callable[..., list[Event]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frames are left out by their times; it is not played in slow motion."""
    limits: list[float] = []

    def limiter(max_fps: float, *_: object) -> RateLimiter:
        limits.append(max_fps)
        return RateLimiter()

    monkeypatch.setattr(module, "RateLimiter", limiter)
    witness = Witness()
    play(LiveOptions(max_fps=10), witness)
    assert [one.seconds for one in witness.moments] == pytest.approx([n / 10 for n in range(20)])
    assert limits == [inf]


@pytest.fixture(scope="module")
def swipes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two fast movements; before, between and after them an empty room."""
    path, size = tmp_path_factory.mktemp("swipes") / "swipes.avi", (320, 240)
    room = render_background(5, size=size)
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 24, size)
    for movement in ("swipe_right", "grab"):
        moving = render_movement(movement, Person.random(3), Scene(seed=5), fps=24, size=size)
        for picture in (*[room] * 5, *(one.pixels for _, one in moving), *[room] * 5):
            video.write(np.ascontiguousarray(picture[..., ::-1]))
    video.release()
    return path


class _Recorder(FakeRecogniser):
    """Keeps what it is fed."""

    def __init__(self, *_: object, **__: object) -> None:
        super().__init__()
        self.time: list[float] = []
        self.hands: list[list[Hand]] = []

    def feed_hands(self, time: float, hands: list[Hand]) -> list[Event]:
        self.time.append(time)
        self.hands.append(hands)
        return []


def test_landmarks_and_times_are_those_of_a_conversion(
    swipes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = _Recorder()
    monkeypatch.setattr(module, "load_models", lambda models: ([], []))
    monkeypatch.setattr(module, "required_landmarker", lambda models: "full")
    monkeypatch.setattr(module, "Recogniser", lambda *_, **__: recorder)
    run_live(["m.onnx"], camera_spec(str(swipes), CameraOptions(paced=False)))
    live = LandmarkDataset.of_hands(
        [by_slot(hands, 1) for hands in recorder.hands],
        Samples.make(["?"]),
        time=recorder.time,
        offsets=[0, len(recorder.time)],
        header=Header(kind="sequence"),
    )
    with open_detector(DetectorOptions(video=True)) as detector:
        offline = convert(make_source("videos", {"label": "?"}), swipes.parent, detector).dataset
    for name in ("time", "image", "world", "handedness"):
        np.testing.assert_array_equal(getattr(offline, name), getattr(live, name))
    assert 10 < np.count_nonzero(offline.detected) < offline.n_frames - 10
