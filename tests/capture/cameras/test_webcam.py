"""Webcams, with OpenCV replaced."""

import cv2
import numpy as np
import pytest

from handlore.capture.cameras import CameraError, CameraOptions, camera_spec


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
