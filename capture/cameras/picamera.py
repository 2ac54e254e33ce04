"""The Raspberry Pi's own camera, through picamera2."""

import re
from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np

from .camera import CAMERAS, CameraError, CameraFrame, CameraKind, CameraOptions, Opener
from .opencv import SIZE


@CAMERAS.register
class _PiCamera(CameraKind):
    """A camera on the ribbon cable."""

    name = "picamera"
    texts: ClassVar[str] = "picamera"
    live: ClassVar[bool] = True

    @classmethod
    def find(cls, text: str, options: CameraOptions) -> Opener | None:
        number = re.fullmatch(r"picamera(?::(\d+))?", text)
        return (lambda: cls(int(number[1] or 0), options)) if number else None

    @classmethod
    def present(cls) -> Iterable[tuple[str, str]]:
        if find_spec("picamera2") is None:
            return []
        from picamera2 import Picamera2

        infos = Picamera2.global_camera_info()
        return [(f"picamera:{k}", str(info.get("Model", ""))) for k, info in enumerate(infos)]

    def __init__(self, number: int, options: CameraOptions) -> None:
        self.name = f"picamera {number}"
        try:
            from picamera2 import Picamera2
        except ImportError as error:
            raise CameraError(
                "picamera2 is not installed: `sudo apt install python3-picamera2`, and make the"
                " environment with `python3 -m venv --system-site-packages`"
            ) from error
        try:
            self._camera: Any = Picamera2(number)
            # What picamera2 calls BGR888 is R, G, B in memory.
            wanted: dict[str, Any] = {"main": {"format": "BGR888", "size": options.size or SIZE}}
            if options.frame_rate:
                wanted["controls"] = {"FrameRate": options.frame_rate}
            self._camera.configure(self._camera.create_video_configuration(**wanted))
            self._camera.start()
        except (RuntimeError, IndexError, OSError) as error:
            raise CameraError(
                f"{self.name} cannot be opened ({error}); check its cable, and that no other"
                " program uses it: `rpicam-hello --list-cameras`"
            ) from error

    def read(self) -> CameraFrame:
        """Wait for the next picture, with the time of the sensor."""
        try:
            request = self._camera.capture_request()
        except (RuntimeError, OSError, TimeoutError) as error:
            raise CameraError(f"{self.name} gives no picture ({error}); check its cable") from error
        try:
            pixels = np.array(request.make_array("main"), np.uint8)
            nanoseconds = request.get_metadata()["SensorTimestamp"]
        finally:
            request.release()
        return CameraFrame(pixels[..., :3], nanoseconds / 1e9)

    def close(self) -> None:
        self._camera.stop()
        self._camera.close()
