"""Webcams, with OpenCV replaced."""

import base64
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from network_stubs import PASSWORD, USER, MjpegCamera, RtspCamera

from handlore.capture.cameras import CameraError, CameraOptions, camera_spec, feed, opencv
from handlore.capture.cameras.feed import LiveFeed, open_feed
from handlore.landmarks.errors import HandloreError


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
        camera = camera_spec("0", CameraOptions(size=(1280, 720), frame_rate=60)).open()
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


KEY = f"{USER}:{PASSWORD}@"


@pytest.fixture
def camera() -> Iterator[MjpegCamera]:
    made = MjpegCamera()
    yield made
    made.die()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "_RETRY_SECONDS", 0.02)
    monkeypatch.setattr(opencv, "_OPEN_SECONDS", 0.4)
    monkeypatch.setattr(opencv, "_READ_SECONDS", 0.4)
    monkeypatch.setattr(opencv, "_ASK_SECONDS", 0.2)


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def shade(opened: LiveFeed) -> int:
    """Return how bright the next picture is."""
    frame = opened.next(10.0)
    assert frame is not None
    return int(np.median(frame.pixels))


def test_camera_that_dies_and_returns(camera: MjpegCamera) -> None:
    opened = open_feed(camera_spec(camera.url()))
    try:
        assert opened.name == f"camera http://127.0.0.1:{camera.port}"
        assert abs(shade(opened) - 100) < 4
        camera.die()
        until(lambda: opened.problem is not None)
        assert re.search("connection was lost|cannot be reached", opened.problem)
        camera.grey = 200
        camera.start()
        until(lambda: opened.problem is None)
        until(lambda: abs(shade(opened) - 200) < 4)
    finally:
        opened.close()


def test_newest_picture(camera: MjpegCamera) -> None:
    """Nothing builds up while nobody reads."""
    opened = open_feed(camera_spec(camera.url()))
    try:
        time.sleep(0.5)
        camera.grey = 200
        time.sleep(0.3)
        assert abs(shade(opened) - 200) < 4
    finally:
        opened.close()


def test_rtsp_camera_that_is_lost_and_returns() -> None:
    camera = RtspCamera()
    opened = open_feed(camera_spec(f"rtsp://{KEY}127.0.0.1:{camera.port}/stream?channel=1"))
    try:
        assert opened.name == f"camera rtsp://127.0.0.1:{camera.port}"
        assert abs(shade(opened) - 100) < 4
        assert camera.authorized[0] == "Basic " + base64.b64encode(KEY[:-1].encode()).decode()
        camera.grey = 200
        camera.drop()
        until(lambda: opened.problem is not None)
        until(lambda: abs(shade(opened) - 200) < 4)
        assert opened.problem is None
    finally:
        opened.close()
        camera.close()


class TestSecrets:
    def test_in_no_message(self) -> None:
        secret = MjpegCamera(secret=True)
        spec = camera_spec(secret.url(user=KEY))
        opened = open_feed(spec)
        try:
            assert opened.next(10.0) is not None
            secret.die()
            until(lambda: opened.problem is not None)
            for text in (spec.text, opened.name, opened.problem):
                assert USER not in text
                assert PASSWORD not in text
        finally:
            opened.close()

    @pytest.mark.parametrize(
        ("user", "why"),
        [("", "needs a user name and a password: http://USER:PASSWORD"), ("x:y@", "it refuses")],
    )
    def test_refused(self, user: str, why: str) -> None:
        secret = MjpegCamera(secret=True)
        try:
            with pytest.raises(CameraError, match=why) as refused:
                camera_spec(secret.url(user=user)).open()
            assert "x:y" not in str(refused.value)
        finally:
            secret.die()

    @pytest.mark.parametrize(
        "text",
        [
            f"rtps://{KEY}camera/1",  # misspelt
            "rtsp://anna:1#s3cret@camera/1",  # a # that ends the name of the host
            "rtsp://anna:s3cret/x@camera/1",
            "rtsp://anna:s3cret@camera:port/1",
            f"rtspsrc location=rtsp://{KEY}camera/1 ! x",
        ],
    )
    def test_in_no_error(self, text: str) -> None:
        with pytest.raises(HandloreError) as refused:
            camera_spec(text, CameraOptions(loop=True))
        assert not re.search(f"{USER}|{PASSWORD}|camera/1", str(refused.value))

    def test_command_line(self, run, camera: MjpegCamera, monkeypatch) -> None:
        camera.secret = True
        monkeypatch.setenv("HANDLORE_CAMERA", camera.url(user="anna:wr0ng@"))
        ended = run("live", "--headless")
        assert ended.exit_code == 1
        assert "it refuses the user name" in ended.stderr
        assert not re.search("wr0ng|anna", ended.output)


class TestHostile:
    @pytest.mark.parametrize(
        ("path", "why"),
        [
            ("nothing", "no stream under this path"),
            ("circle", "redirects to an address without a stream"),
            ("headers", "sends no video that FFmpeg can read within 0.4 s"),
            ("hang", "cannot be reached .it does not answer"),
            ("page", "sends no video that FFmpeg can read"),
        ],
    )
    def test_one_line_in_bounded_time(self, camera: MjpegCamera, path: str, why: str) -> None:
        began = time.monotonic()
        with pytest.raises(CameraError, match=why) as refused:
            camera_spec(camera.url(path)).open()
        assert "\n" not in str(refused.value)
        assert time.monotonic() - began < 3.0

    def test_nobody_there(self) -> None:
        with pytest.raises(CameraError, match=r"cannot be reached .*check the address"):
            camera_spec("rtsp://127.0.0.1:9/1").open()

    def test_single_picture(self, camera: MjpegCamera) -> None:
        opened = camera_spec(camera.url("still")).open()
        opened.read()
        with pytest.raises(CameraError, match=r"a single picture.*:81/stream"):
            opened.read()
        opened.close()

    def test_huge_pictures(self, camera: MjpegCamera, monkeypatch) -> None:
        monkeypatch.setattr(opencv, "MAX_FRAME_PIXELS", 5000)
        opened = camera_spec(camera.url()).open()
        camera.size = (640, 480)
        assert {opened.read().pixels.shape for _ in range(20)} == {(48, 64, 3)}
        opened.close()
        with pytest.raises(CameraError, match="640x480, expected at most"):
            camera_spec(camera.url()).open()

    @pytest.mark.slow
    def test_memory_for_100_megapixels(self, camera: MjpegCamera) -> None:
        camera.size = (10_000, 10_000)
        program = (
            "from handlore.capture.cameras import camera_spec\n"
            f"try: camera_spec({camera.url()!r}).open()\n"
            "except Exception as error: print(error)\n"
            # Not ru_maxrss: a child inherits that of the process that starts it.
            "(peak,) = [line.split()[1] for line in open('/proc/self/status') if 'VmHWM' in line]\n"
            "print(int(peak) // 1024)"
        )
        ended = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        )
        message, megabytes = ended.stdout.splitlines()
        assert "10000x10000, expected at most 36 million pixels" in message
        assert int(megabytes) < 600


class TestAddresses:
    def test_path_of_an_address(self, camera: MjpegCamera) -> None:
        """`Path` leaves one slash of two."""
        opened = camera_spec(str(Path(camera.url()))).open()
        assert opened.read().pixels.shape == (48, 64, 3)
        opened.close()

    def test_options(self) -> None:
        with pytest.raises(HandloreError, match=r"set them in the camera \(rtsp://cam:554\)"):
            camera_spec("rtsp://cam/1", CameraOptions(size=(640, 480)))

    def test_no_host(self) -> None:
        with pytest.raises(HandloreError, match="names no host"):
            camera_spec("rtsp://:554/1")


class TestPipelines:
    def test_ends_with_the_newest_picture(self, monkeypatch) -> None:
        class Capture:
            def __init__(self, text, backend) -> None:
                assert backend == cv2.CAP_GSTREAMER
                assert text.endswith("appsink drop=true max-buffers=1 sync=false")

            def isOpened(self) -> bool:
                return True

        monkeypatch.setattr(cv2, "VideoCapture", Capture)
        spec = camera_spec("v4l2src device=/dev/video2 ! jpegdec")
        assert spec.text == "v4l2src ! ..."
        assert spec.open().name == "pipeline v4l2src ! ..."

    @pytest.mark.skipif(
        cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER), reason="OpenCV has GStreamer"
    )
    def test_without_gstreamer(self) -> None:
        with pytest.raises(CameraError, match="built without GStreamer"):
            camera_spec("videotestsrc ! video/x-raw").open()

    def test_file_of_such_a_name(self, clip: Path, tmp_path: Path) -> None:
        other = tmp_path / "look ! a clip.mp4"
        other.write_bytes(clip.read_bytes())
        assert not camera_spec(str(other)).live

    def test_options(self) -> None:
        with pytest.raises(HandloreError, match=r"^size is part of a GStreamer pipeline"):
            camera_spec("v4l2src ! jpegdec", CameraOptions(size=(640, 480), backend="gstreamer"))
