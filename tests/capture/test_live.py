"""The loop of live recognition, with stand-ins for all that it is made of."""

import gc
import io
import os
import threading
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import pytest
from live_stubs import EMPTY, FIST, LABELS, PALM, Detector, Stage, Stub, frames

from handlore.capture.live.buffer import UNSORTED, LandmarkBuffer
from handlore.capture.live.limiter import RateLimiter
from handlore.capture.recording.take import SessionInfo
from handlore.capture.recording.video import VideoFolder
from handlore.capture.recording.writer import RecordingWriter
from handlore.capture.serve.server import Hub
from handlore.capture.views.live import LiveState, LiveView
from handlore.capture.views.page import PageView
from handlore.capture.views.printer import Printer
from handlore.datasets.recordings import RecordingFolder
from handlore.datasets.storage import load_dataset
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.hands import Hand
from handlore.models.stream.events import Event
from handlore.models.stream.recogniser import HandRecogniser, ModelState

TWO = frames(EMPTY, 0, 1) + frames(FIST, 1, 2) + frames(EMPTY, 2, 3) + frames(PALM, 3, 4)


def test_what_is_shown_is_told_once_with_its_time() -> None:
    witness = Stage(TWO).run()
    assert witness.labels == ["fist", "open_palm"]
    assert [event.start for event in witness.events] == pytest.approx([1.0, 3.0], abs=0.001)


def test_every_moment_is_shown_with_rate_and_latency() -> None:
    witness = Stage(TWO).run()
    assert len(witness.moments) == len(TWO)
    last = witness.moments[-1]
    assert last.label == "open_palm"
    assert last.bars()[0] == ("open_palm", 1.0)
    assert last.fps == pytest.approx(30.0, abs=0.1)
    assert last.latency == pytest.approx(0.01, abs=0.001)
    assert last.armed is None


def test_who_is_slow_sees_the_newest_frame_and_never_falls_behind() -> None:
    """A detector that takes 0.1 s of a camera of 30 frames a second."""
    stage = Stage(frames(FIST, 0, 20), work=0.1)
    witness = stage.run()
    assert stage.live.frames == pytest.approx(200, abs=3)
    assert max(moment.latency for moment in witness.moments) < 0.1 + 1 / 30 + 0.001


def test_the_limiter_is_obeyed() -> None:
    stage = Stage(frames(EMPTY, 0, 20), limiter=RateLimiter(10.0))
    stage.run()
    assert stage.live.frames == pytest.approx(200, abs=3)


def test_a_key_ends_it() -> None:
    stage = Stage(frames(EMPTY, 0, 100))
    stage.witness.keys.extend([[], [], ["q"]])
    stage.run()
    assert stage.live.frames == 3


def test_a_camera_that_was_lost_is_told_and_nothing_of_before_counts_after() -> None:
    lost: list[tuple[float, int | str]] = [(1.0, "camera 0 was unplugged; plug it in again")]
    stage = Stage(frames(FIST, 0, 1) + lost + frames(FIST, 11, 12))
    witness = stage.run()
    assert witness.said == ["camera 0 was unplugged; plug it in again", "camera 0 is back"]
    # The same pose after the gap is a new one: nobody knows what was in between.
    assert witness.labels == ["fist", "fist"]
    assert (stage.detector.resets, witness.restarts) == (1, 1)
    assert [event.start for event in witness.events] == pytest.approx([0.0, 11.0], abs=0.01)
    shown = [moment for moment in witness.moments if moment.trouble]
    assert shown
    assert all(moment.pixels is None for moment in shown)


def test_suspend_resets_even_where_the_camera_noticed_nothing() -> None:
    stage = Stage(frames(FIST, 0, 2))
    for _ in range(30):
        stage.live.step()
    stage.time.now += 8 * 3600
    stage.camera.began += 8 * 3600
    witness = stage.run()
    assert (stage.detector.resets, witness.restarts) == (1, 1)
    assert witness.labels == ["fist", "fist"]


def test_actions_run_beside_it_and_a_failing_one_does_no_harm(tmp_path: Path) -> None:
    text = '[actions.fist]\nsay = "well"\n[actions.open_palm]\npost = "http://127.0.0.1:9/"\n'
    stage = Stage(TWO, actions=text, folder=tmp_path)
    witness = stage.run()
    assert sorted((o.event.label, o.state) for o in witness.outcomes) == [
        ("fist", "done"), ("open_palm", "failed"),
    ]  # fmt: skip
    assert [t.name for t in threading.enumerate() if t.name.startswith("action")] == []


def test_arming_is_shown_and_forgotten_over_a_gap(tmp_path: Path) -> None:
    text = '[arming]\nlabel = "open_palm"\nseconds = 60\n[actions.fist]\nsay = "x"\n'
    script = frames(FIST, 0, 1) + frames(PALM, 1, 2) + frames(FIST, 2, 3) + frames(FIST, 9, 10)
    witness = Stage(script, actions=text, folder=tmp_path).run()
    outcomes = sorted(witness.outcomes, key=lambda outcome: outcome.event.end)
    assert [(o.state, o.detail) for o in outcomes] == [
        ("skipped", "not armed"), ("done", "x"), ("skipped", "not armed"),
    ]  # fmt: skip
    assert [moment.armed for moment in witness.moments[::30]] == [False, True, True, False]


def test_an_error_in_the_detector_ends_it_with_actions_put_away(tmp_path: Path) -> None:
    stage = Stage(TWO, actions='[actions.fist]\nrun = ["sleep", "60"]', folder=tmp_path)
    track = stage.detector.track

    def breaks(picture: object, seconds: float) -> list[Hand]:
        if seconds > 2.5:
            raise HandloreError("the networks have gone")
        return track(picture, seconds)

    stage.detector.track = breaks  # type: ignore[method-assign]
    with pytest.raises(HandloreError, match="the networks have gone"):
        stage.run()
    # Killed, or not even begun; in any case not left behind.
    assert [o.state for o in stage.witness.outcomes] in (["failed"], ["skipped"])
    assert "sleep" not in [child.name() for child in psutil.Process().children()]


def test_one_hand_models_follow_each_of_two_hands() -> None:
    recognition = HandRecogniser(Stub, 2)
    left, right = (
        Hand(np.full((21, 3), grey, np.float32), np.zeros((21, 3), np.float32), side, 0.9)
        for grey, side in ((FIST, 0.1), (PALM, 0.9))
    )
    assert [e.label for e in recognition.feed(0.0, [right])] == ["open_palm"]
    assert [e.label for e in recognition.feed(0.1, [right, left])] == ["fist"]
    assert [one.label for one in recognition.shown] == ["fist", "open_palm"]
    assert recognition.feed(0.2, [left, right]) == []


def test_models_of_two_hands_are_refused_one() -> None:
    class Two(Stub):
        n_hands = 2

    with pytest.raises(HandloreError, match="give --max-hands 2"):
        HandRecogniser(Two, 1)
    assert HandRecogniser(Two).max_hands == 2


def test_events_are_lines_that_are_there_at_once() -> None:
    class Flushed(io.StringIO):
        flushes = 0

        def flush(self) -> None:
            self.flushes += 1

    out = Flushed()
    event = Event("fist", 1.0, 1.23456, 0.98765, None)
    Printer(as_json=True, out=out).tell(event)
    assert out.getvalue() == event.line() + "\n"
    assert out.flushes == 1
    out = Flushed()
    Printer(out=out).tell(Event("fist", 1.0, 1.234, 0.987, "left"))
    assert out.getvalue().split() == ["1.23", "fist", "99", "%", "left", "hand"]


def test_the_same_trouble_is_not_written_over_and_over(tmp_path: Path) -> None:
    talk = io.StringIO()
    printer = Printer(out=io.StringIO(), talk=talk)
    text = '[actions.fist]\nsay = "x"\ncooldown = 3600'
    flicker = [(n / 30, FIST if n % 2 else EMPTY) for n in range(60)]
    Stage(flicker, printer, actions=text, folder=tmp_path).run()
    lines = talk.getvalue().splitlines()
    assert sorted(line.strip() for line in lines) == [
        "0.03  fist (say): x",
        "fist (say) was skipped: cooling down",
    ]


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


def memory(keeper: object, said: list[str], remember: float = 60.0, **more: Any) -> LandmarkBuffer:
    sitting = SessionInfo(Detector.info, "0", "anna", "live-1")
    return LandmarkBuffer(RecordingWriter(keeper), sitting, remember, said.append, **more)  # type: ignore[arg-type]


def test_pictures_are_kept_only_when_asked_for(tmp_path: Path) -> None:
    for asked in (False, True):
        folder = RecordingFolder.open(tmp_path / str(asked))
        view = memory(folder, [], videos=VideoFolder(folder.root) if asked else None)
        Stage(TWO, view).run()
        view.close()
        (fist,) = [entry for entry in folder.entries() if entry.label == "fist"]
        video = fist.path.with_suffix(".avi")
        assert video.exists() == asked
        assert len(list(folder.root.rglob("*.avi"))) == 3 * asked
    film = cv2.VideoCapture(str(video))
    assert film.get(cv2.CAP_PROP_FRAME_COUNT) == len(load_dataset(fist.path).time)
    film.release()


def test_what_led_to_an_event_is_kept_as_a_recording(tmp_path: Path) -> None:
    folder, said = RecordingFolder.open(tmp_path / "kept"), []
    view = memory(folder, said)
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
    whole = load_dataset(next(e.path for e in folder.entries() if e.label == UNSORTED))
    assert whole.n_frames == len(TWO)


def test_no_more_is_remembered_than_was_asked_for() -> None:
    shelf, said = Shelf(), []
    view = memory(shelf, said, remember=5.0)
    Stage(frames(EMPTY, 0, 60), view).run()
    assert len(view._frames) == pytest.approx(150, abs=2)
    view.close()
    assert shelf.kept == [UNSORTED]


def test_a_key_keeps_the_last_minutes() -> None:
    shelf, said = Shelf(), []
    view = memory(shelf, said, all_at_end=False)
    stage = Stage(frames(EMPTY, 0, 10), view)
    stage.witness.keys.extend([[]] * 200 + [["k"]])
    stage.run()
    view.close()
    assert shelf.kept == [UNSORTED]
    assert said == ["the last 7 seconds are kept as unsorted"]


def test_a_recording_has_no_gap_in_it() -> None:
    shelf, said = Shelf(), []
    view = memory(shelf, said)
    Stage(frames(FIST, 0, 1) + frames(EMPTY, 60, 61), view).run()
    assert view._remembered() < 1.0
    view.close()
    assert sorted(shelf.kept) == ["fist", UNSORTED]


def test_a_full_disk_is_told_and_does_not_fill_the_memory() -> None:
    shelf, said = Shelf(), []
    shelf.problem = "the disk is full"
    view = memory(shelf, said, all_at_end=False)
    flicker = [(n / 2, FIST if n % 2 else EMPTY) for n in range(200)]
    stage = Stage(flicker, view)
    stage.run()
    view.close()
    assert "the disk is full" in said
    assert len(view._writer.unsaved) <= 16
    # All clips of about a hundred events.
    assert view.lost == pytest.approx(100, abs=5)


def test_a_recording_that_fails_while_another_is_counted_is_counted_too() -> None:
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
    view = memory(Slow(), said, all_at_end=False)
    Stage(frames(EMPTY, 0, 1), view).run()
    assert view.keep_all()
    assert view.keep_all()
    assert second.wait(5.0)
    view.show(LiveState(1.0, None))
    full.set()
    view.close()
    assert (view.lost, set(said)) == (1, {"the disk is full"})


def test_what_was_kept_is_not_remembered_for_ever() -> None:
    shelf, said = Shelf(), []
    view = memory(shelf, said, all_at_end=False)
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


def test_a_key_before_the_first_picture_keeps_nothing_and_says_so() -> None:
    shelf, said = Shelf(), []
    view = memory(shelf, said)
    view.key("k")
    view.close()
    assert (shelf.kept, said) == ([], ["no picture has come yet, so there is nothing to keep"])


@pytest.mark.parametrize(("rate", "told"), [(2.0, 1), (4.5, 1), (7.0, 0), (30.0, 0)])
def test_too_few_frames_are_told_once(rate: float, told: int) -> None:
    said = Stage(frames(EMPTY, 0, 40, rate)).run().said
    assert len(said) == told
    assert all(f"{rate:.1f} frames a second are too few" in line for line in said)


def test_a_gap_does_not_make_a_camera_slow() -> None:
    stage = Stage(frames(EMPTY, 0, 2) + frames(EMPTY, 60, 61.2))
    assert stage.run().said == []
    assert stage.witness.moments[-1].fps == pytest.approx(30, rel=0.1)


def test_the_page_is_told_what_happens(tmp_path: Path) -> None:
    hub = Hub()
    text = '[actions.fist]\nsay = "well"\n'
    Stage(TWO, PageView(hub), actions=text, folder=tmp_path).run()
    (_, state), log = hub.news(0, 0, 0.0)
    assert sorted(line["text"] for _, line in log) == ["fist", "fist (say): done", "open_palm"]
    assert state["trouble"] is None
    # Nobody looks: no picture was left there, none will be made.
    assert hub.jpeg(0, 0.0) is None


def test_bars_are_the_likeliest_of_all_models() -> None:
    one = ModelState(None, LABELS, np.array([0.2, 0.7, 0.1], np.float32))
    other = ModelState("wave", ("wave", "none"), np.array([0.6, 0.4], np.float32))
    moment = LiveState(0.0, None, (), (one, other, ModelState(None, LABELS, None)))
    assert [label for label, _ in moment.bars()] == ["open_palm", "wave", "none", "fist", "none"]
    assert moment.label == "wave"


@pytest.mark.slow
def test_memory_is_flat_over_an_hour(tmp_path: Path) -> None:
    """108,000 frames as fast as they go, with actions, a page that is watched, and recordings."""
    script = [
        (n / 30, (EMPTY, FIST, EMPTY, PALM)[n // 90 % 4]) for n in range(30 * 3600)
    ]  # the script itself is there from the beginning
    hub, said = Hub(), []
    text = '[actions.fist]\nsay = "{end}"\n[actions.open_palm]\nrun = ["true"]\n'
    folder = RecordingFolder.open(tmp_path / "kept")
    view = memory(folder, said, all_at_end=False)
    stage = Stage(script, PageView(hub), view, actions=text, folder=tmp_path)
    stage.live._.views = stage.live._.views[1:]  # the witness keeps everything
    process, after_a_minute = psutil.Process(os.getpid()), 0
    watcher = threading.Thread(target=_watch, args=(hub,), daemon=True)
    watcher.start()
    while not stage.live.ended:
        stage.live.step()
        if stage.live.frames == 30 * 60:
            gc.collect()
            after_a_minute = process.memory_info().rss
    gc.collect()
    grown = (process.memory_info().rss - after_a_minute) / 2**20
    hub.close()
    view.close()
    assert stage.live.events == 600
    assert grown < 20, f"grown by {grown:.1f} MB over {stage.live.frames} frames"


def _watch(hub: Hub) -> None:
    number = 0
    while not hub.closed:
        shown = hub.jpeg(number, 1.0)
        number = shown[0] if shown else number
        hub.news(0, 0, 0.0)
