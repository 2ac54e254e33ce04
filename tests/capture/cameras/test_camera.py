"""Why a webcam cannot be opened."""

import sys
from pathlib import Path

import pytest

from handlore.capture.cameras import CameraError, camera, camera_spec, open_feed


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
