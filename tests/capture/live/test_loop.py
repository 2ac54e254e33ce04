"""The live loop, with fakes for all its parts."""

import gc
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from live_stubs import EMPTY, FIST, LABELS, PALM, Detector, Playback, Stage, Witness, frames
from stream_stubs import Spread, stream

from handlore.capture.actions.file import ActionSet, load_actions
from handlore.capture.live.buffer import LandmarkBuffer
from handlore.capture.live.limiter import RateLimiter
from handlore.capture.live.loop import GAP, LiveState, _Timeline, boottime
from handlore.capture.recording.writer import RecordingWriter, SessionInfo
from handlore.capture.serve.server import Hub
from handlore.capture.views.live import PageView
from handlore.datasets.recordings import RecordingFolder
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.hands import Hand
from handlore.models.stream.recogniser import ModelState, recognise
from handlore.models.stream.settings import RecogniserSettings

TWO = frames(EMPTY, 0, 1) + frames(FIST, 1, 2) + frames(EMPTY, 2, 3) + frames(PALM, 3, 4)


def test_events() -> None:
    witness = Stage(TWO).run()
    assert witness.labels == ["fist", "open_palm"]
    assert [event.start for event in witness.events] == pytest.approx([1.0, 3.0], abs=0.001)


def test_states() -> None:
    witness = Stage(TWO).run()
    assert len(witness.moments) == len(TWO)
    last = witness.moments[-1]
    assert last.label == "open_palm"
    assert last.bars("pose")[0] == ("open_palm", 1.0)
    assert last.fps == pytest.approx(30.0, abs=0.1)
    assert last.latency == pytest.approx(0.01, abs=0.001)
    assert last.armed is None


def test_slow_detector() -> None:
    """A detector that takes 0.1 s of a camera of 30 frames a second."""
    stage = Stage(frames(FIST, 0, 20), work=0.1)
    witness = stage.run()
    assert stage.live.frames == pytest.approx(200, abs=3)
    assert max(moment.latency for moment in witness.moments) < 0.1 + 1 / 30 + 0.001


def test_limiter() -> None:
    stage = Stage(frames(EMPTY, 0, 20), limiter=RateLimiter(10.0))
    stage.run()
    assert stage.live.frames == pytest.approx(200, abs=3)


def test_quit_key() -> None:
    stage = Stage(frames(EMPTY, 0, 100))
    stage.witness.keys.extend([[], [], ["q"]])
    stage.run()
    assert stage.live.frames == 3


def test_lost_camera() -> None:
    lost: list[tuple[float, int | str]] = [(1.0, "camera 0 was unplugged; plug it in again")]
    stage = Stage(frames(FIST, 0, 1) + lost + frames(FIST, 11, 12))
    witness = stage.run()
    assert witness.said == ["camera 0 was unplugged; plug it in again", "camera 0 is back"]
    # The same pose after the gap is a new one: nobody knows what was in between.
    assert witness.labels == ["fist", "fist"]
    assert (stage.detector.resets, witness.restarts) == (1, 1)
    assert [event.start for event in witness.events] == pytest.approx([0.0, 11.0], abs=0.01)
    shown = [moment for moment in witness.moments if moment.problem]
    assert shown
    assert all(moment.pixels is None for moment in shown)


def test_suspend() -> None:
    stage = Stage(frames(FIST, 0, 2))
    for _ in range(30):
        stage.live.step()
    stage.time.now += 8 * 3600
    stage.camera.began += 8 * 3600
    witness = stage.run()
    assert (stage.detector.resets, witness.restarts) == (1, 1)
    assert witness.labels == ["fist", "fist"]


def test_file_with_a_gap() -> None:
    """It is one video, as in a conversion, and its times remain exact."""
    script = frames(FIST, 0, 1) + frames(FIST, 11, 12)
    stage = Stage(script, real_time=False)
    witness = stage.run()
    assert (stage.detector.resets, witness.restarts) == (0, 0)
    assert witness.labels == ["fist"]
    assert stage.detector.times == pytest.approx([seconds for seconds, _ in script])


def test_actions(tmp_path: Path) -> None:
    text = '[actions.fist]\nsay = "well"\n[actions.open_palm]\npost = "http://127.0.0.1:9/"\n'
    stage = Stage(TWO, actions=text, folder=tmp_path)
    witness = stage.run()
    assert sorted((o.event.label, o.state) for o in witness.outcomes) == [
        ("fist", "done"),
        ("open_palm", "failed"),
    ]
    assert [t.name for t in threading.enumerate() if t.name.startswith("action")] == []


def test_arming(tmp_path: Path) -> None:
    text = '[arming]\nlabel = "open_palm"\nseconds = 60\n[actions.fist]\nsay = "x"\n'
    script = frames(FIST, 0, 1) + frames(PALM, 1, 2) + frames(FIST, 2, 3) + frames(FIST, 9, 10)
    witness = Stage(script, actions=text, folder=tmp_path).run()
    outcomes = sorted(witness.outcomes, key=lambda outcome: outcome.event.end)
    assert [(o.state, o.detail) for o in outcomes] == [
        ("skipped", "not armed"),
        ("done", "x"),
        ("skipped", "not armed"),
    ]
    assert [moment.armed for moment in witness.moments[::30]] == [False, True, True, False]


class Interrupt(Witness):
    """Presses Ctrl-C, or stops the process, at a time of the stream."""

    def __init__(
        self, seconds: float, error: type[BaseException], ready: Callable[[], object]
    ) -> None:
        super().__init__()
        self._at, self._error, self._ready = seconds, error, ready

    def show(self, state: LiveState) -> None:
        if state.seconds >= self._at:
            # Time passes faster here than a shell starts.
            wait_until(self._ready)
            raise self._error


def wait_until(ready: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = boottime() + seconds
    while not ready():
        assert boottime() < deadline
        threading.Event().wait(0.01)


PRESSED = (
    '[[actions.wide]]\nrun = ["sh", "-c", "echo down >> $OUT"]\non = "start"\n'
    '[[actions.wide]]\nrun = ["sh", "-c", "echo up >> $OUT"]\non = "end"\n'
)


def pressed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str = PRESSED) -> ActionSet:
    monkeypatch.setenv("OUT", str(tmp_path / "out"))
    path = tmp_path / "actions.toml"
    path.write_text(text)
    return load_actions(path, Spread.labels)


@pytest.mark.skipif(os.name != "posix", reason="uses the programs of Unix")
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, HandloreError])
def test_interrupted_while_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    """What a pose has pressed is released, whatever ends the run."""
    actions = pressed(tmp_path, monkeypatch)
    out = tmp_path / "out"
    interrupt = Interrupt(2.0, error, lambda: out.exists() and out.read_text())
    live = Playback(stream([("wide", 9)]), [Spread()], actions, interrupt)
    with pytest.raises(error):
        live.run()
    assert out.read_text() == "down\nup\n"
    assert [one.state for one in live.witness.outcomes] == ["done", "done"]


@pytest.mark.skipif(os.name != "posix", reason="uses the programs of Unix")
def test_interrupted_while_a_start_takes_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    actions = pressed(tmp_path, monkeypatch, PRESSED.replace("echo down", "sleep 60; echo down"))
    children = psutil.Process().children
    interrupt = Interrupt(2.0, KeyboardInterrupt, lambda: [one.name() for one in children()])
    live = Playback(stream([("wide", 9)]), [Spread()], actions, interrupt)
    begun = boottime()
    with pytest.raises(KeyboardInterrupt):
        live.run()
    assert boottime() - begun < 20
    assert (tmp_path / "out").read_text() == "up\n"
    assert sorted(one.state for one in live.witness.outcomes) == ["done", "failed"]


@pytest.mark.skipif(os.name != "posix", reason="uses the programs of Unix")
def test_camera_lost_while_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is released although no further frame comes."""
    actions = pressed(tmp_path, monkeypatch)
    live = Playback(stream([("wide", 2)]), [Spread()], actions)
    lost = "camera 0 was unplugged; plug it in again"
    live.camera.script.extend([(2.0, lost), (60.0, lost)])
    released: list[float] = []

    class Watch(Witness):
        def on_action(self, outcome: Any) -> None:
            if outcome.action.timing.on == "end":
                released.append(outcome.event.end)

        def show(self, state: LiveState) -> None:
            # Time passes faster than a shell starts; the loop goes on meanwhile.
            if state.problem and not released:
                threading.Event().wait(0.02)

    live.views.append(Watch())
    live.run()
    assert released == [pytest.approx(2.0, abs=0.1)]
    assert (tmp_path / "out").read_text() == "down\nup\n"
    assert live.time.now - live.camera.began < 62


def test_hold_events_of_views() -> None:
    """Views get them so many seconds apart; the rest of the run does not change."""
    video = stream([("gone", 1), ("wide", 3), ("gone", 1)])
    settings = RecogniserSettings(hold_interval=0.5)
    witness = Playback(video, [Spread()], ActionSet(()), settings=settings).run()
    assert witness.labels == ["wide"]
    assert [event.type for event in witness.held] == [*["hold"] * 5, "end"]
    first = witness.events[0]
    assert [event.end - first.end for event in witness.held[:-1]] == pytest.approx(
        [0.5, 1.0, 1.5, 2.0, 2.5], abs=1 / 30 + 1e-6
    )
    replayed = [*recognise([Spread()], video, settings)]
    assert [one.detailed() for one in replayed] == [
        one.detailed() for one in (first, *witness.held)
    ]


def test_detector_error(tmp_path: Path) -> None:
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


def memory(keeper: object, said: list[str], remember: float = 60.0, **more: Any) -> LandmarkBuffer:
    info = SessionInfo(Detector.info, "0", "anna", "live-1")
    return LandmarkBuffer(RecordingWriter(keeper), info, remember, said.append, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("real_time", [True, False])
@pytest.mark.parametrize(("rate", "n_messages"), [(2.0, 1), (4.5, 1), (7.0, 0), (30.0, 0)])
def test_too_few_frames(rate: float, n_messages: int, real_time: bool) -> None:
    said = Stage(frames(EMPTY, 0, 40, rate), real_time=real_time).run().said
    assert len(said) == n_messages
    assert all(f"{rate:.1f} frames per second are too few" in line for line in said)


@pytest.mark.parametrize("real_time", [True, False])
def test_gap_is_not_a_slow_camera(real_time: bool) -> None:
    stage = Stage(frames(EMPTY, 0, 2) + frames(EMPTY, 60, 61.2), real_time=real_time)
    assert stage.run().said == []
    assert stage.witness.moments[-1].fps == pytest.approx(30, rel=0.1)


@pytest.mark.slow
def test_memory_over_an_hour(tmp_path: Path) -> None:
    """108,000 frames as fast as they go, with actions, a page that is watched, and recordings."""
    script = [
        (n / 30, (EMPTY, FIST, EMPTY, PALM)[n // 90 % 4]) for n in range(30 * 3600)
    ]  # the script itself is there from the beginning
    hub, said = Hub(), []
    text = '[actions.fist]\nsay = "{end}"\n[actions.open_palm]\nrun = ["true"]\n'
    folder = RecordingFolder.open(tmp_path / "kept")
    view = memory(folder, said, all_at_end=False)
    stage = Stage(script, PageView(hub), view, actions=text, folder=tmp_path)
    stage.live._parts.views = stage.live._parts.views[1:]  # the witness keeps everything
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
        hub.updates(0, 0, 0.0)


def test_timeline_rises() -> None:
    line = _Timeline()
    assert line.place(50.0, 7.0) == (0.0, False)
    assert line.place(50.1, 7.1) == (pytest.approx(0.1), False)
    # The camera is back after a minute, and counts from 0.
    time, gap = line.place(0.0, 67.1)
    assert (time, gap) == (pytest.approx(60.1), True)
    assert line.place(0.1, 67.2) == (pytest.approx(60.2), False)


def test_timeline_over_suspend() -> None:
    line = _Timeline()
    line.place(1.0, 1.0)
    assert line.place(1.03, 8 * 3600.0)[1]


def test_timeline_of_a_fast_file() -> None:
    line = _Timeline()
    assert not any(line.place(n / 7, n / 1000)[1] for n in range(100))
    assert line.place(100 / 7 + GAP, 0.1)[1]


def test_timeline_of_a_file_is_exact() -> None:
    line, times = _Timeline(), [n / 30 for n in range(1000)] + [n / 30 for n in range(1300, 1400)]
    assert [line.place(seconds, seconds)[0] for seconds in times] == times


def test_boottime() -> None:
    assert 0 <= boottime() - boottime() + 1 <= 1


def test_bars() -> None:
    poses = LABELS, np.array([0.2, 0.7, 0.1], np.float32)
    one = ModelState(None, *poses)
    other = ModelState("wave", ("wave", "none"), np.array([0.6, 0.4], np.float32), "sequence")
    second = ModelState(None, LABELS, np.array([0.9, 0.05, 0.05], np.float32), slots=range(1, 2))
    moment = LiveState(0.0, None, (), (one, other, second, ModelState(None, LABELS, None)))
    shown = [(label, round(share, 2)) for label, share in moment.bars("pose")]
    assert shown == [("fist", 0.9), ("open_palm", 0.7)], "the higher of two hands, without none"
    assert [label for label, _ in moment.bars("sequence")] == ["wave"]
    assert moment.label == "wave"


def test_labels_beside_two_hands() -> None:
    def hand(side: float) -> Hand:
        return Hand(np.zeros((21, 3), np.float32), np.zeros((21, 3), np.float32), side)

    right, left = hand(0.9), hand(0.1)
    states = (
        ModelState("fist", LABELS, None, slots=range(1, 2)),
        ModelState("wave", ("wave", "none"), None, "sequence", range(1, 2)),
        ModelState(None, LABELS, None, slots=range(1)),
    )
    assert LiveState(0.0, None, [right, left], states).hand_labels() == ["fist", ""]
    assert LiveState(0.0, None, [left], states).hand_labels() == [""]
    both = (ModelState("clap", ("clap",), None, "sequence", range(2)),)
    assert LiveState(0.0, None, [right, left], both).hand_labels() == ["clap", "clap"]
