"""Which camera a text names."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from capture_stubs import stamp

from handlore.capture.cameras import CameraOptions, camera_spec
from handlore.landmarks.errors import HandloreError


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 20, (640, 480))
    for number in range(8):
        video.write(stamp(np.full((480, 640, 3), (200, 60, 20), np.uint8), number))
    video.release()
    return path


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
            ({"size": (320, 240)}, "are for cameras"),
            ({"frame_rate": 10.0}, "are for cameras"),
            ({"backend": "v4l2"}, "are for cameras"),
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
