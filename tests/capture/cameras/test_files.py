"""Files in a camera's place."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from capture_stubs import stamp, stamped

from handlore.capture.cameras import (
    Camera,
    CameraError,
    CameraOptions,
    camera_spec,
    files,
    open_feed,
)


class Clock:
    """Time that passes only by waiting."""

    def __init__(self) -> None:
        self.now, self.slept = 50.0, []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in range(12):
        cv2.imwrite(
            str(folder / f"f{number}.png"), stamp(np.zeros((480, 640, 3), np.uint8), number)
        )
    return folder


def opened(path: Path, options: CameraOptions) -> Camera:
    return camera_spec(str(path), options).open()


class TestFiles:
    def test_paced_video(self, clip: Path, monkeypatch):
        monkeypatch.setattr(files, "time", clock := Clock())
        camera = opened(clip, CameraOptions())
        shown = []
        while frame := camera.read():
            shown.append((stamped(frame.pixels), round(frame.seconds, 3), round(clock.now - 50, 3)))
        assert shown == [(k, k / 20, k / 20) for k in range(8)]
        assert camera.name == "clip.mp4"

    def test_its_colours_are_rgb(self, clip: Path):
        pixel = opened(clip, CameraOptions(paced=False)).read().pixels[400, 100]
        assert np.abs(pixel.astype(int) - (20, 60, 200)).max() < 12

    def test_slow_reader(self, clip: Path, monkeypatch):
        monkeypatch.setattr(files, "time", clock := Clock())
        camera = opened(clip, CameraOptions())
        for number in range(8):
            frame = camera.read()
            assert (stamped(frame.pixels), frame.seconds) == (number, pytest.approx(number / 20))
            clock.now += 0.4
        assert clock.slept == [], "it never waits, and never catches up"

    def test_it_can_go_on_for_ever(self, clip: Path):
        camera = opened(clip, CameraOptions(loop=True, paced=False))
        shown = [camera.read() for _ in range(20)]
        assert [stamped(frame.pixels) for frame in shown] == [k % 8 for k in range(20)]
        assert [frame.seconds for frame in shown] == pytest.approx(np.arange(20) / 20)

    def test_a_folder_of_frames(self, frames: Path):
        camera = opened(frames, CameraOptions(paced=False, frame_rate=10))
        shown = [camera.read() for _ in range(12)]
        assert [stamped(frame.pixels) for frame in shown] == list(range(12)), "f2 before f10"
        assert shown[-1].seconds == pytest.approx(1.1)
        assert camera.read() is None

    def test_what_is_damaged_says_so(self, frames: Path, tmp_path: Path):
        (frames / "f1.png").write_bytes(b"no picture")
        camera = opened(frames, CameraOptions(paced=False))
        camera.read()
        with pytest.raises(CameraError, match=r"frames: f1.png: "):
            camera.read()
        (tmp_path / "x.mp4").write_bytes(b"no video")
        with pytest.raises(CameraError, match=r"x.mp4: it is not a whole video"):
            opened(tmp_path / "x.mp4", CameraOptions())

    def test_as_a_feed_of_few_frames(self, frames: Path):
        options = CameraOptions(frame_rate=10, paced=False)
        source = open_feed(camera_spec(str(frames), options), max_fps=4)
        read = iter(lambda: source.next(0.1), None)
        assert [stamped(frame.pixels) for frame in read] == [0, 3, 5, 8, 10]
        assert source.ended

    def test_as_a_feed_it_ends(self, clip: Path):
        source = open_feed(camera_spec(str(clip), CameraOptions(paced=False)))
        n = 0
        while source.next(0.1):
            n += 1
        assert (n, source.ended, source.problem) == (8, True, None)
        source.close()
