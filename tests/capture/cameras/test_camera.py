"""Which camera a text names, and why a webcam cannot be opened."""

import sys
from pathlib import Path

import pytest

from handlore.capture.cameras import CameraError, CameraOptions, camera, camera_spec, open_feed
from handlore.landmarks.errors import HandloreError


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

    def test_no_camera(self):
        with pytest.raises(
            CameraError, match="camera 97 cannot be opened: no camera is plugged in"
        ):
            open_feed(camera_spec("97"))

    @pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
    def test_what_can_take_its_place(self, monkeypatch, platform):
        monkeypatch.setattr(camera.sys, "platform", platform)
        assert "can take its place: --camera clip.mp4" in camera.why_not_open(0)

    def test_other_numbers(self):
        (self.devices / "video10").touch()
        (self.devices / "video2").touch()
        said = camera.why_not_open(0)
        assert f"found: {self.devices}/video2, {self.devices}/video10 (--camera" in said

    def test_in_use(self):
        device = self.devices / "video0"
        device.touch()
        holder = self.processes / "4711"
        (holder / "fd").mkdir(parents=True)
        (holder / "fd" / "5").symlink_to(device)
        (holder / "comm").write_text("zoom\n")
        assert "it is in use by zoom (process 4711); close that program" in camera.why_not_open(0)

    def test_no_permission(self, monkeypatch):
        (self.devices / "video0").touch()
        monkeypatch.setattr(camera.os, "access", lambda *_: False)
        assert "sudo usermod -aG video $USER" in camera.why_not_open(0)

    def test_device_without_pictures(self):
        (self.devices / "video0").touch()
        assert "gives no pictures; name another" in camera.why_not_open(0)

    def test_raspberry_pi(self, monkeypatch):
        monkeypatch.setattr(camera, "is_arm_linux", lambda: True)
        assert "--camera picamera" in camera.why_not_open(0)


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

    def test_other_files(self, tmp_path: Path):
        (tmp_path / "notes.txt").write_text("x")
        with pytest.raises(HandloreError, match="does not have the name of a video"):
            camera_spec(str(tmp_path / "notes.txt"))

    @pytest.mark.parametrize(
        ("options", "why"),
        [
            ({"size": (320, 240)}, "^size is for cameras; "),
            ({"frame_rate": 10.0}, "^frame rate is for cameras; "),
            ({"backend": "v4l2"}, "^backend is for cameras; "),
            ({"size": (320, 240), "backend": "v4l2"}, "^size and backend are for cameras; "),
        ],
    )
    def test_options_of_a_file(self, clip: Path, options: dict, why: str):
        with pytest.raises(HandloreError, match=why):
            camera_spec(str(clip), CameraOptions(**options))

    def test_options_of_a_camera(self):
        with pytest.raises(HandloreError, match="--loop repeats a file"):
            camera_spec("0", CameraOptions(loop=True))
        with pytest.raises(HandloreError, match=r"unknown camera backend 'x'.*auto, v4l2"):
            camera_spec("0", CameraOptions(backend="x"))

    @pytest.mark.parametrize(
        "options", [{"size": (0, 4)}, {"frame_rate": -1.0}, {"frame_rate": float("nan")}]
    )
    def test_options_out_of_range(self, options: dict):
        with pytest.raises(HandloreError):
            CameraOptions(**options)
