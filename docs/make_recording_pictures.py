"""Draws the pictures of docs/how-to/record.md: a real session in a real window.

The display is one of its own.
Needs Xvfb, xdotool and ImageMagick. Run it as ``python docs/make_recording_pictures.py``.
"""

import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from handlore.datasets.rendered import Person, Scene, render_movement

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "stubs"))
from capture_desk import Desk  # noqa: E402

PICTURES = Path(__file__).parent / "pictures"
FPS = 30
SIZE = (640, 480)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_scenes(folder)
        desk = Desk(folder / "log.txt")
        try:
            shots = [*session(desk, folder), question(desk, folder)]
        finally:
            desk.close()
    sheet = np.vstack([np.hstack(shots[:2]), np.hstack(shots[2:])])
    small = cv2.resize(sheet, None, fx=0.55, fy=0.55, interpolation=cv2.INTER_AREA)
    quality = [cv2.IMWRITE_JPEG_QUALITY, 86]
    cv2.imwrite(str(PICTURES / "capture.jpg"), small[..., ::-1], quality)


def start(desk: Desk, folder: Path, scene: str) -> None:
    desk.start(
        "--out",
        folder / "my_gestures",
        "--labels",
        "swipe_left,swipe_right,wave",
        "--camera",
        folder / scene,
        "--loop",
        "--quiet",
        "--no-coach",
        "--review",
        3,
    )


def session(desk: Desk, folder: Path) -> list:
    """Record, and return pictures of the window: countdown, recording and review."""
    start(desk, folder, "waving.mp4")
    shots = []
    for label in ("1", "2"):
        for _ in range(2):
            desk.press(label, "r")
            desk.wait_title("recording")
            desk.wait_title("review")
            desk.press("k")
            desk.wait_title("idle")
    desk.press("3")
    desk.wait_title("idle wave")
    desk.press("space")
    for title in ("countdown", "recording", "review"):
        desk.wait_title(title)
        time.sleep(1.0)
        shots.append(desk.look())
    desk.press("k")
    desk.wait_title("idle")
    desk.press("q")
    desk.end()
    return shots


def question(desk: Desk, folder: Path) -> np.ndarray:
    """Record what shows no hand half of the time, and return the picture of what is asked."""
    start(desk, folder, "coming_and_going.mp4")
    desk.press("3")
    desk.wait_title("idle wave")
    desk.press("r")
    desk.wait_title("review")
    while not is_question(shot := desk.look()):  # the title changes before the window does
        time.sleep(0.2)
    return shot


def is_question(shot: np.ndarray) -> bool:
    """Say whether the frame of the window is orange."""
    red, green, blue = shot[300, 3].astype(int)
    return red > 220 and 110 < green < 160 and blue < 90


def write_scenes(folder: Path) -> None:
    """Write a video of a waving hand, and one of a hand that is away half of the time."""
    person, scene = Person.random(3), Scene(y=0.58, seed=5, background="room")
    waving = [p.pixels for _, p in render_movement("wave", person, scene, fps=FPS, size=SIZE)]
    away = Scene(y=3.0, seed=5, background="room")
    empty = next(iter(render_movement("wave", person, away, fps=FPS, size=SIZE)))[1].pixels
    write(folder / "waving.mp4", waving)
    write(folder / "coming_and_going.mp4", waving[:FPS] + [empty] * FPS)


def write(path: Path, pictures: list) -> None:
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, SIZE)
    for pixels in pictures:
        video.write(np.ascontiguousarray(pixels[..., ::-1]))
    video.release()


if __name__ == "__main__":
    main()
