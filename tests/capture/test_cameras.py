"""Cameras, and files in their place."""

import sys
import types
from pathlib import Path

import cv2
import numpy as np
import pytest
from capture_stubs import Stage, stamp, stamped

from handlore.capture.cameras import (
    CameraError,
    CameraFrame,
    CameraOptions,
    LiveFeed,
    camera,
    camera_spec,
    feed,
    open_feed,
    webcam,
)
from handlore.capture.cameras.feed import Health
from handlore.capture.cameras.files import FileCamera
from handlore.landmarks.errors import HandloreError


class Clock:
    """Time that passes only by waiting."""

    def __init__(self) -> None:
        self.now, self.slept = 50.0, []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 20, (640, 480))
    for number in range(8):
        video.write(stamp(np.full((480, 640, 3), (200, 60, 20), np.uint8), number))
    video.release()
    return path


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in range(12):
        cv2.imwrite(
            str(folder / f"f{number}.png"), stamp(np.zeros((480, 640, 3), np.uint8), number)
        )
    return folder


class TestFiles:
    def test_a_video_plays_at_its_own_times(self, clip: Path):
        clock = Clock()
        camera = FileCamera(clip, CameraOptions(), clock)
        shown = []
        while frame := camera.read():
            shown.append((stamped(frame.pixels), round(frame.seconds, 3), round(clock.now - 50, 3)))
        assert shown == [(k, k / 20, k / 20) for k in range(8)]
        assert camera.name == "clip.mp4"

    def test_its_colours_are_rgb(self, clip: Path):
        pixel = FileCamera(clip, CameraOptions(paced=False)).read().pixels[400, 100]
        assert np.abs(pixel.astype(int) - (20, 60, 200)).max() < 12

    def test_a_slow_reader_misses_nothing(self, clip: Path):
        clock = Clock()
        camera = FileCamera(clip, CameraOptions(), clock)
        for number in range(8):
            frame = camera.read()
            assert (stamped(frame.pixels), frame.seconds) == (number, pytest.approx(number / 20))
            clock.now += 0.4
        assert clock.slept == [], "it never waits, and never catches up"

    def test_it_can_go_on_for_ever(self, clip: Path):
        camera = FileCamera(clip, CameraOptions(loop=True, paced=False))
        shown = [camera.read() for _ in range(20)]
        assert [stamped(frame.pixels) for frame in shown] == [k % 8 for k in range(20)]
        assert [frame.seconds for frame in shown] == pytest.approx(np.arange(20) / 20)

    def test_a_folder_of_frames(self, frames: Path):
        camera = FileCamera(frames, CameraOptions(paced=False, frame_rate=10))
        shown = [camera.read() for _ in range(12)]
        assert [stamped(frame.pixels) for frame in shown] == list(range(12)), "f2 before f10"
        assert shown[-1].seconds == pytest.approx(1.1)
        assert camera.read() is None

    def test_what_is_damaged_says_so(self, frames: Path, tmp_path: Path):
        (frames / "f1.png").write_bytes(b"no picture")
        camera = FileCamera(frames, CameraOptions(paced=False))
        camera.read()
        with pytest.raises(CameraError, match=r"frames: f1.png: "):
            camera.read()
        (tmp_path / "x.mp4").write_bytes(b"no video")
        with pytest.raises(CameraError, match=r"x.mp4: it is not a whole video"):
            FileCamera(tmp_path / "x.mp4", CameraOptions())

    def test_as_a_feed_it_ends(self, clip: Path):
        source = open_feed(camera_spec(str(clip), CameraOptions(paced=False)))
        n = 0
        while source.next(0.1):
            n += 1
        assert (n, source.ended, source.trouble) == (8, True, None)
        source.close()


class TestSpecs:
    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("nothing.mp4", "no camera or file 'nothing.mp4'; expected .*a camera's number"),
            ("", "expected .*a camera's number"),
            ("-1", "no camera or file '-1'"),
            ("picamera:x", "no camera or file"),
        ],
    )
    def test_what_is_no_camera(self, text: str, why: str, tmp_path: Path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(HandloreError, match=why):
            camera_spec(text)

    def test_files_that_are_none(self, tmp_path: Path):
        (tmp_path / "notes.txt").write_text("x")
        with pytest.raises(HandloreError, match="not a video by its name"):
            camera_spec(str(tmp_path / "notes.txt"))

    @pytest.mark.parametrize(
        ("options", "why"),
        [
            ({"size": (320, 240)}, "are for cameras"),
            ({"frame_rate": 10.0}, "are for cameras"),
            ({"backend": "v4l2"}, "are for cameras"),
        ],
    )
    def test_options_that_a_file_does_not_have(self, clip: Path, options: dict, why: str):
        with pytest.raises(HandloreError, match=why):
            camera_spec(str(clip), CameraOptions(**options))

    def test_options_that_a_camera_does_not_have(self):
        with pytest.raises(HandloreError, match="--loop plays a file"):
            camera_spec("0", CameraOptions(loop=True))
        with pytest.raises(HandloreError, match=r"unknown camera backend 'x'.*auto, v4l2"):
            camera_spec("0", CameraOptions(backend="x"))

    @pytest.mark.parametrize("options", [{"size": (0, 4)}, {"frame_rate": -1.0},
                                         {"frame_rate": float("nan")}])  # fmt: skip
    def test_options_out_of_range(self, options: dict):
        with pytest.raises(HandloreError):
            CameraOptions(**options)


class FakeCapture:
    """OpenCV's camera, as far as it is used."""

    opens = True

    def __init__(self, device, backend) -> None:
        self.device, self.settings, self.released = device, {}, False

    def isOpened(self) -> bool:
        return self.opens

    def set(self, name, value) -> None:
        self.settings[name] = value

    def grab(self) -> bool:
        return not self.released

    def retrieve(self):
        return True, np.full((4, 6, 3), (200, 60, 20), np.uint8)

    def release(self) -> None:
        self.released = True


class TestWebcams:
    def test_asked_for_what_is_wanted(self, monkeypatch):
        monkeypatch.setattr(cv2, "VideoCapture", FakeCapture)
        camera = webcam.Webcam(0, CameraOptions(size=(1280, 720), frame_rate=60))
        settings = camera._capture.settings
        assert settings[cv2.CAP_PROP_FRAME_WIDTH] == 1280
        assert settings[cv2.CAP_PROP_FRAME_HEIGHT] == 720
        assert settings[cv2.CAP_PROP_FPS] == 60
        first, second = camera.read(), camera.read()
        assert first.pixels[0, 0].tolist() == [20, 60, 200]
        assert first.seconds <= second.seconds
        camera.close()
        with pytest.raises(CameraError, match="camera 0 gives no picture; was it unplugged"):
            camera.read()


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux about its cameras")
class TestWhyNot:
    """The real OpenCV, and devices that are made up."""

    @pytest.fixture(autouse=True)
    def _system(self, tmp_path: Path, monkeypatch):
        self.devices, self.processes = tmp_path / "dev", tmp_path / "proc"
        self.devices.mkdir()
        self.processes.mkdir()
        monkeypatch.setattr(camera, "DEVICES", self.devices)
        monkeypatch.setattr(camera, "PROCESSES", self.processes)
        monkeypatch.setattr(camera, "is_arm_linux", lambda: False)

    def test_there_is_none(self):
        with pytest.raises(
            CameraError, match="camera 97 cannot be opened: no camera is plugged in"
        ):
            open_feed(camera_spec("97"))

    def test_it_has_another_number(self):
        (self.devices / "video10").touch()
        (self.devices / "video2").touch()
        said = camera.why_not_open(0)
        assert f"found: {self.devices}/video2, {self.devices}/video10 (--camera" in said

    def test_another_program_has_it(self):
        device = self.devices / "video0"
        device.touch()
        holder = self.processes / "4711"
        (holder / "fd").mkdir(parents=True)
        (holder / "fd" / "5").symlink_to(device)
        (holder / "comm").write_text("zoom\n")
        assert "it is in use by zoom (process 4711); end that program" in camera.why_not_open(0)

    def test_it_may_not_be_read(self, monkeypatch):
        (self.devices / "video0").touch()
        monkeypatch.setattr(camera.os, "access", lambda *_: False)
        assert "sudo usermod -aG video $USER" in camera.why_not_open(0)

    def test_it_is_none_that_gives_pictures(self):
        (self.devices / "video0").touch()
        assert "gives no pictures; name another" in camera.why_not_open(0)

    def test_a_raspberry_pi_has_one_of_its_own(self, monkeypatch):
        monkeypatch.setattr(camera, "is_arm_linux", lambda: True)
        assert "--camera picamera" in camera.why_not_open(0)


class TestPiCamera:
    @pytest.fixture
    def picamera2(self, monkeypatch):
        class Request:
            def make_array(self, name):
                return np.full((4, 6, 3), (20, 60, 200), np.uint8)

            def get_metadata(self):
                return {"SensorTimestamp": 12_500_000_000}

            def release(self):
                self.released = True

        class Picamera2:
            made = None

            def __init__(self, number) -> None:
                if number > 0:
                    raise IndexError("list index out of range")
                Picamera2.made = self

            def create_video_configuration(self, **wanted):
                return wanted

            def configure(self, wanted) -> None:
                self.wanted = wanted

            def start(self) -> None: ...
            def stop(self) -> None: ...
            def close(self) -> None: ...

            def capture_request(self):
                return Request()

        module = types.ModuleType("picamera2")
        module.Picamera2 = Picamera2
        monkeypatch.setitem(sys.modules, "picamera2", module)
        return Picamera2

    def test_pictures_with_the_time_of_the_sensor(self, picamera2):
        source = open_feed(camera_spec("picamera", CameraOptions(frame_rate=25)))
        frame = source.next(5.0)
        source.close()
        assert frame.pixels[0, 0].tolist() == [20, 60, 200]
        assert frame.seconds == 12.5
        wanted = picamera2.made.wanted
        assert wanted["main"] == {"format": "BGR888", "size": (640, 480)}
        assert wanted["controls"] == {"FrameRate": 25}

    def test_one_that_is_not_there(self, picamera2):
        with pytest.raises(CameraError, match=r"picamera 1 cannot be opened .*rpicam-hello"):
            open_feed(camera_spec("picamera:1"))

    def test_without_the_package(self):
        with pytest.raises(CameraError, match="sudo apt install python3-picamera2"):
            open_feed(camera_spec("picamera"))


@pytest.fixture
def stage(monkeypatch):
    monkeypatch.setattr(feed, "AGAIN", 0.01)
    made = Stage()
    made.feeds = []

    def start() -> LiveFeed:
        made.feeds.append(LiveFeed(made.open, clock=lambda: made.now))
        return made.feeds[-1]

    made.start = start
    yield made
    for one in made.feeds:
        one._closing.set()
        made.give("the test is over")
        one.close()


def grey(frame: CameraFrame) -> int:
    return int(frame.pixels[0, 0, 0])


class TestLive:
    def test_one_that_cannot_be_opened_says_so_at_once(self, stage):
        stage.faults.append("camera 7 cannot be opened: nobody knows why")
        with pytest.raises(CameraError, match="nobody knows why"):
            stage.start()

    def test_a_slow_reader_gets_the_newest_frame(self, stage):
        live = stage.start()
        stage.give(20, 30, 40, 50)
        while live.missed < 3:
            pass
        assert grey(live.next(5)) == 50
        assert live.next(0.0) is None, "and never the same one twice"
        stage.give(60)
        assert grey(live.next(5)) == 60

    def test_unplugged_and_plugged_in_again(self, stage):
        live = stage.start()
        stage.give(20)
        assert grey(live.next(5)) == 20
        stage.faults.extend(["there is no camera"] * 3)
        stage.give("camera 7 gives no picture; was it unplugged?")
        while stage.opened < 5:
            pass
        assert live.trouble == "there is no camera"
        assert stage.closed == 1, "it lets go of what it had"
        stage.give(30)
        assert grey(live.next(5)) == 30
        assert live.trouble is None

    @pytest.mark.parametrize("error", [KeyError("SensorTimestamp"), cv2.error("(-215) bad\nsize")])
    def test_whatever_a_driver_raises_is_told_and_the_camera_opened_again(self, stage, error):
        live = stage.start()
        stage.give(error)
        while stage.opened < 2:
            pass
        words = " ".join(str(error).split())
        assert (
            live.trouble == f"camera 7 fails ({type(error).__name__}: {words}); it is opened again"
        )
        stage.faults.append(RuntimeError("the bus is down"))
        stage.give("it was unplugged")
        while stage.opened < 4:
            pass
        assert live.trouble == "camera 7 fails (RuntimeError: the bus is down); it is opened again"
        stage.give(30)
        assert grey(live.next(5)) == 30
        assert live.trouble is None

    def test_a_driver_that_cannot_even_open_is_told_in_one_line(self, stage):
        stage.faults.append(RuntimeError("the bus is down"))
        with pytest.raises(
            CameraError, match=r"cannot be opened \(RuntimeError: the bus is down\)"
        ):
            stage.start()

    def test_a_camera_that_hangs(self, stage):
        live = stage.start()
        stage.give(20)
        live.next(5)
        assert live.trouble is None
        stage.now += 2.5
        assert live.next(0.0) is None
        assert live.trouble.startswith("camera 7 has given no picture for 2 s")

    def test_black_pictures_are_shown_and_said(self, stage):
        live = stage.start()
        for number in range(30):
            stage.give(3 + number % 2)
            assert live.next(5) is not None
        assert live.trouble == "camera 7 gives black pictures; open its cover, or make light"
        stage.give(90)
        live.next(5)
        assert live.trouble is None

    def test_a_frozen_camera_is_opened_again(self, stage):
        live = stage.start()
        stage.give(*[80] * 25)
        while stage.opened < 2:
            pass
        assert stage.closed == 1
        stage.give(81)
        while live.trouble is not None:
            pass
        assert grey(live.next(5)) in (80, 81)


def test_a_still_scene_is_not_frozen():
    rng = np.random.default_rng(0)
    health = Health("camera 7")
    for number in range(100):
        pixels = (100 + rng.integers(0, 2, (480, 640, 3))).astype(np.uint8)
        assert health.look(CameraFrame(pixels, number / 10)) is None


def test_a_moment_in_the_dark_is_nothing():
    health = Health("camera 7")
    for number in range(100):
        shade = 90 + number % 2 if number % 30 == 0 else number % 2
        pixels = np.full((480, 640, 3), shade, np.uint8)
        said = health.look(CameraFrame(pixels, number / 20))
        assert said is None
