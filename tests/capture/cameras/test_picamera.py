"""The Raspberry Pi's camera, with picamera2 replaced."""

import sys
import types

import numpy as np
import pytest

from handlore.capture.cameras import CameraError, CameraOptions, camera_spec, open_feed


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

    def test_sensor_time(self, picamera2):
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
