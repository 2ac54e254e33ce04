from pathlib import Path

import cv2
import numpy as np
import pytest
from capture_stubs import stamp


@pytest.fixture(scope="package")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 20, (640, 480))
    for number in range(8):
        video.write(stamp(np.full((480, 640, 3), (200, 60, 20), np.uint8), number))
    video.release()
    return path
