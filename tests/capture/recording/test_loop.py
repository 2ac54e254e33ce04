"""The loop of a session, with fakes for all its parts."""

import threading
from pathlib import Path

import numpy as np
import pytest
from capture_stubs import FPS, FullDisk, Rig, stamped

from handlore.capture.recording import loop
from handlore.capture.recording.loop import _MOST_MOMENTS, _Replay
from handlore.capture.recording.session import State
from handlore.capture.recording.writer import VideoFolder
from handlore.datasets.recordings import RecordingFolder
from handlore.datasets.storage import load_dataset
from handlore.datasets.videos import read_video


def kept(root: Path) -> list:
    return [load_dataset(path) for path in sorted(root.glob("*/*.npz"))]


def test_frames_labels_and_times(tmp_path: Path):
    def times(number):
        return 100 + number / FPS + 0.003 * (number % 3)

    rig = Rig(tmp_path, range(60), keys={"f5": "r", "f30": "2,r"}, times=times).run()
    first, second = kept(tmp_path)
    for recording, label, start in ((first, "left", 5), (second, "right", 30)):
        numbers = np.arange(start, start + 10)
        assert recording.labels == [label]
        assert recording.image[:, 0, 0, 0].tolist() == numbers.tolist()
        assert recording.world[:, 0, 20, 2].tolist() == numbers.tolist()
        expected = [times(number) - times(start) for number in numbers]
        assert recording.time == pytest.approx(expected, abs=1e-9)
        assert recording.handedness[:, 0] == pytest.approx(0.9)
        assert recording.score[:, 0] == pytest.approx(0.8)
        assert (recording.samples.group[0], recording.samples.session[0]) == ("anna", "monday")
        assert recording.header.kind == "sequence"
        assert recording.header.detector.name == "numbers"
        rate = 9 / (times(start + 9) - times(start))
        assert recording.header.options == {
            "camera": "7",
            "size": [640, 480],
            "frame_rate": pytest.approx(rate, abs=1e-3),
            "mirrored": True,
            "note": "by a window",
            "session": "monday",
            "max_hands": 1,
        }
    assert [path.name for path in sorted(tmp_path.glob("*/*.npz"))] == ["0001.npz", "0002.npz"]
    assert "camera 7 has ended" in rig.view.said
    assert rig.view.cues == ["go", "end"] * 2


def test_frame_without_a_hand(tmp_path: Path):
    Rig(tmp_path, range(30), keys={"f0": "r"}, without=[3, 4]).run()
    (recording,) = kept(tmp_path)
    assert np.flatnonzero(~recording.detected[:, 0]).tolist() == [3, 4]
    assert np.isnan(recording.image[3:5]).all()


def test_two_hands(tmp_path: Path):
    Rig(tmp_path, range(30), keys={"f0": "r"}, hands=2).run()
    (recording,) = kept(tmp_path)
    assert recording.handedness == pytest.approx(np.tile([0.1, 0.9], (10, 1)), abs=1e-6)


def test_sampled_poses(tmp_path: Path):
    keys = {"f3": "s", "f30": "s"}
    Rig(tmp_path, range(60), keys=keys, sample_every=5 / FPS).run()
    (recording,) = kept(tmp_path)
    assert recording.header.kind == "pose"
    assert recording.image[:, 0, 0, 0].tolist() == [3, 8, 13, 18, 23, 28, 33]
    assert recording.time.tolist() == [0.0] * 7
    assert len(set(recording.samples.recording)) == 1


def test_trimmed_to_the_hand(tmp_path: Path):
    keys = {"f0": "r"}
    without = [*range(8), *range(20, 60)]
    Rig(tmp_path, range(60), keys=keys, without=without, frames=0, hand_gone=True).run()
    (recording,) = kept(tmp_path)
    assert recording.image[:, 0, 0, 0].tolist() == list(range(8, 20))
    assert recording.time[0] == 0.0


def test_replay(tmp_path: Path):
    """What may still be discarded is shown again, without the frames that are cut off."""
    without = [*range(8), *range(20, 90)]
    rig = Rig(
        tmp_path,
        range(90),
        keys={"f0": "r", "f80": "u"},
        without=without,
        frames=0,
        hand_gone=True,
        review=10.0,
    )
    rig.parts.replays = True
    rig.run()
    replayed = [status.replay for status in rig.view.shown if status.replay is not None]
    numbers = [int(moment.hands[0].image[0, 0]) for moment in replayed if moment.hands]
    assert set(numbers) == set(range(8, 20)), "each frame of it, and no other"
    assert len(numbers) > 2 * 12, "again and again"
    states = {status.state for status in rig.view.shown if status.replay is not None}
    assert states == {State.REVIEW}


def test_video(tmp_path: Path):
    keys = {"f0": "r", "f40": "r", "f45": "u"}
    without = [*range(8), *range(20, 60)]
    Rig(
        tmp_path,
        range(60),
        keys=keys,
        without=without,
        frames=0,
        hand_gone=True,
        videos=VideoFolder(tmp_path),
    ).run()
    (video,) = tmp_path.glob("left/*.avi")
    assert video.with_suffix(".npz").exists()
    frames = list(read_video(video)[0])
    assert [stamped(pixels) for _, pixels in frames] == list(range(8, 20))
    assert [seconds for seconds, _ in frames] == pytest.approx(np.arange(12) / FPS, abs=2e-3)
    assert list(tmp_path.rglob("*.tmp*")) == []


def test_undo(tmp_path: Path):
    rig = Rig(tmp_path, range(80), keys={"f0": "r", "f20": "r", "f50": "u", "f70": "u"}).run()
    assert kept(tmp_path) == []
    assert len(list((tmp_path / "discarded").glob("*/*.npz"))) == 2
    assert rig.writer.counts["left"] == 0


def test_undo_only_this_session(tmp_path: Path):
    Rig(tmp_path, range(30), keys={"f0": "r"}).run()
    rig = Rig(tmp_path, range(30), keys={"f5": "u"}).run()
    assert len(kept(tmp_path)) == 1
    said = rig.view.said + [one.problem for one in rig.left]
    assert any("no kept recording to discard" in line for line in said if line)


def test_slow_disk(tmp_path: Path):
    recordings, go_on = RecordingFolder.open(tmp_path), threading.Event()

    class Slow(FullDisk):
        def keep(self, recording, video=None):
            assert go_on.wait(20)
            return recordings.keep(recording, video)

    rig = Rig(tmp_path, range(200), keeper=Slow(recordings), keys={"f0": "r", "f50": "r"})
    for _ in range(199):
        rig.loop.step()
    assert rig.loop.frames == 199
    assert kept(tmp_path) == []
    go_on.set()
    rig.run()
    assert [recording.n_frames for recording in kept(tmp_path)] == [10, 10]


def until(condition) -> None:
    for _ in range(2000):
        if condition():
            return
        threading.Event().wait(0.005)
    raise AssertionError("it did not come about")


def test_full_disk(tmp_path: Path):
    disk = FullDisk(RecordingFolder.open(tmp_path))
    rig = Rig(tmp_path, range(100), keeper=disk, keys={"f0": "r", "f40": "r", "f80": "k"})
    for _ in range(35):
        rig.loop.step()
    until(lambda: kept(tmp_path))
    disk.full.set()
    for _ in range(35):
        rig.loop.step()
    until(lambda: rig.writer.unsaved)
    rig.loop.step()
    assert any("No space left on device; it is kept in memory" in line for line in rig.view.said)
    assert len(kept(tmp_path)) == 1, "what was kept is untouched"
    disk.full.clear()
    rig.run()
    assert [recording.image[0, 0, 0, 0] for recording in kept(tmp_path)] == [0, 40]
    assert rig.writer.unsaved == []


@pytest.mark.parametrize("burst", [False, True])
def test_undo_an_unsaved_recording(tmp_path: Path, burst: bool):
    disk = FullDisk(RecordingFolder.open(tmp_path))
    again = {"f40": "b", "f55": "u"} if burst else {"f40": "r", "f75": "u"}
    keys = {"f0": "r", **again, "f78": "b" if burst else "k", "f79": "k"}
    rig = Rig(tmp_path, range(100), keeper=disk, keys=keys, burst=2, pause=3.0)
    for _ in range(35):
        rig.loop.step()
    until(lambda: kept(tmp_path))
    disk.full.set()
    for _ in range(18):
        rig.loop.step()
    until(lambda: rig.writer.unsaved)
    for _ in range(23):
        rig.loop.step()
    until(lambda: not rig.writer.unsaved)
    disk.full.clear()
    rig.run()
    assert [recording.image[0, 0, 0, 0] for recording in kept(tmp_path)] == [0]
    assert "discarded: left (not written yet)" in rig.view.said


def test_quit_with_unsaved_recordings(tmp_path: Path):
    disk = FullDisk(RecordingFolder.open(tmp_path))
    disk.full.set()
    rig = Rig(tmp_path, range(100), keeper=disk, keys={"f0": "r", "f41": "q", "f60": "q"})
    for _ in range(40):
        rig.loop.step()
    until(lambda: rig.writer.unsaved)
    for _ in range(10):
        rig.loop.step()
    assert not rig.loop.ended
    assert any("1 recording is not written" in line for line in rig.view.said)
    rig.run()
    assert rig.loop.frames < 65, "asked twice it ends"


def test_video_cannot_be_written(tmp_path: Path):
    folder = VideoFolder(tmp_path)
    rig = Rig(tmp_path, range(40), keys={"f0": "r"}, videos=folder)
    folder._folder = tmp_path / "gone"
    rig.run()
    problems = [one.problem for one in rig.left] + rig.view.said
    assert any("cannot write the video" in line for line in problems if line)
    assert len(rig.writer.unsaved) == 1
    assert list(tmp_path.glob("left/*")) == []


def test_lost_camera(tmp_path: Path):
    gone = "camera 7 gives no picture"
    frames = [*range(7), gone, gone, gone, *range(7, 60)]
    rig = Rig(tmp_path, frames, keys={"f0": "r", "f9": "k", "f20": "r"}).run()
    assert rig.view.said.count(gone) == 1, "it is said once"
    assert "the camera was lost: k keeps it, u discards it" in rig.view.said
    assert "camera 7 is back" in rig.view.said
    assert [recording.n_frames for recording in kept(tmp_path)] == [7, 10]
    troubled = [status for status in rig.view.shown if status.problem]
    assert len(troubled) == 3
    assert troubled[0].state is State.REVIEW
    assert troubled[0].question == "the camera was lost"
    assert (troubled[0].hand, troubled[0].fps) == (False, 0.0), "nothing is seen, and not old news"


def test_status(tmp_path: Path):
    rig = Rig(tmp_path, range(60), keys={"f10": "r", "f15": "+"}, countdown=0.5, without=[59]).run()
    shown = rig.view.shown
    assert [status.state for status in shown[9:12]] == [State.IDLE, *[State.COUNTDOWN] * 2]
    assert shown[12].left == pytest.approx(0.5 - 2 / FPS)
    recording = [status for status in shown if status.state is State.RECORDING]
    assert recording[4].recorded == pytest.approx(4 / FPS)
    assert recording[4].progress == pytest.approx(0.5)
    assert shown[40].fps == pytest.approx(FPS)
    assert shown[40].share == 1.0
    assert (shown[58].hand, shown[59].hand) == (True, False)
    assert "stop the recording before" in shown[20].message
    assert [label for label, _ in shown[0].counts] == ["left", "right", "none"]


def test_message_and_question(tmp_path: Path):
    keys = {"f0": "r", "f20": " ", "f25": "q"}
    rig = Rig(tmp_path, range(40), keys=keys, without=range(40)).run()
    assert rig.view.shown[15].question == "no hand in 100 % of the frames"
    assert rig.view.shown[22].message.startswith("decide first")
    assert "the same key again quits without it" in rig.view.shown[30].message
    assert rig.view.shown[30].question == rig.view.shown[15].question


def test_next_label(tmp_path: Path):
    rig = Rig(tmp_path, range(30), keys={"f0": "r", "f5": "2"}).run()
    assert (rig.view.shown[4].next_label, rig.view.shown[6].next_label) == ("", "right")
    assert (rig.view.shown[6].label, rig.view.shown[25].label) == ("left", "right")


def test_quit_without_a_camera(tmp_path: Path):
    rig = Rig(tmp_path, [0, 1, *["it is gone"] * 50], keys={"f10": "q"}).run()
    assert len(rig.parts.feed.left) > 30


@pytest.mark.parametrize("within", ["track", "add"], ids=["between frames", "within a frame"])
def test_a_signal_keeps_a_stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, within: str):
    """Ten minutes of none are not lost to Ctrl-C, wherever it comes."""

    class Interrupted(list):
        def append(self, item) -> None:
            if len(self) == 50:
                raise KeyboardInterrupt
            super().append(item)

    def track(pixels, seconds):
        if rig.loop.frames > 50:
            raise KeyboardInterrupt
        return found(pixels, seconds)

    rig = Rig(tmp_path, range(90), keys={"f0": "0,r"})
    found = rig.parts.detector.track
    if within == "track":
        rig.parts.detector.track = track
    else:
        take = loop.Take
        monkeypatch.setattr(loop, "Take", lambda *given: take(*given, hands=Interrupted()))
    with pytest.raises(KeyboardInterrupt):
        rig.loop.run()
    (written,) = rig.writer.finish()
    assert written.line == "kept: none (0001.npz)"
    (recording,) = kept(tmp_path)
    assert (recording.labels, recording.n_frames) == (["none"], 50)


def test_a_signal_discards_a_gesture(tmp_path: Path):
    rig = Rig(tmp_path, [*range(5), None], keys={"f0": "r"})
    for _ in range(5):
        rig.loop.step()
    rig.parts.feed.next = lambda _: (_ for _ in ()).throw(SystemExit(143))
    with pytest.raises(SystemExit):
        rig.loop.run()
    assert rig.writer.finish() == []
    assert rig.parts.session.is_unfinished


def test_frames_with_equal_times(tmp_path: Path):
    rig = Rig(tmp_path, range(30), keys={"f0": "r"}, times=lambda number: number // 2 / 10)
    seen = []
    track = rig.parts.detector.track
    rig.parts.detector.track = lambda pixels, seconds: (
        seen.append(seconds) or track(pixels, seconds)
    )
    rig.run()
    assert np.diff(np.round(np.array(seen) * 1000)).min() >= 1
    (recording,) = kept(tmp_path)
    assert recording.time == pytest.approx(np.arange(10) // 2 / 10)


def test_no_tracking_while_typing(tmp_path: Path):
    rig = Rig(tmp_path, range(40), keys={"f10": "+", "f20": "w,enter", "f30": "r"})
    tracked, track = [], rig.parts.detector.track
    rig.parts.detector.track = lambda pixels, seconds: (
        tracked.append(stamped(pixels)) or track(pixels, seconds)
    )
    rig.run()
    assert tracked == [*range(10), *range(20, 40)]
    assert len(kept(tmp_path)) == 1


def filled(n: int, fps: float = 10.0) -> _Replay:
    replay = _Replay()
    for number in range(n):
        replay.add(np.full((48, 64, 3), number % 256, np.uint8), [], 100.0 + number / fps)
    return replay


def shown(replay: _Replay, now: float) -> int:
    moment = replay.at(now)
    assert moment is not None
    return int(moment.pixels[0, 0, 0])


def test_it_is_played_in_a_loop() -> None:
    replay = filled(10)
    replay.start(2, 8, 50.0)
    assert [shown(replay, 50.0 + 0.1 * k) for k in range(6)] == [2, 3, 4, 5, 6, 7]
    assert shown(replay, 50.8) == 7, "it rests at its end"
    assert shown(replay, 50.95) == 2


def test_a_long_one_is_played_in_steps() -> None:
    replay = filled(1000, fps=30.0)
    replay.start(0, 1000, 0.0)
    assert len(replay._frames) <= _MOST_MOMENTS
    for seconds in (0.0, 4.0, 8.0):
        assert shown(replay, seconds) == pytest.approx(round(30 * seconds) % 256, abs=8)


def test_large_pictures_are_kept_small() -> None:
    replay = _Replay()
    replay.add(np.zeros((1920, 1080, 3), np.uint8), [], 0.0)
    replay.start(0, 1, 0.0)
    moment = replay.at(9.0)
    assert moment is not None
    assert moment.pixels.shape == (320, 180, 3)
    assert _Replay().at(0.0) is None
