"""Draws the pictures of docs/recording.md: a real session in a real window.

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
BARE_SECONDS = 4


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_scene(folder / "scene.mp4")
        desk = Desk(folder / "log.txt")
        try:
            shots = session(desk, folder)
        finally:
            desk.close()
    sheet = np.vstack([np.hstack(shots[:2]), np.hstack(shots[2:])])
    small = cv2.resize(sheet, None, fx=0.55, fy=0.55, interpolation=cv2.INTER_AREA)
    quality = [cv2.IMWRITE_JPEG_QUALITY, 86]
    cv2.imwrite(str(PICTURES / "capture.jpg"), small[..., ::-1], quality)


def session(desk: Desk, folder: Path) -> list:
    """Record, and return pictures of the window: countdown, recording, review, and a question."""
    desk.start("--out", folder / "my_gestures", "--labels", "swipe_left,swipe_right,wave",
               "--camera", folder / "scene.mp4", "--loop", "--quiet", "--no-coach",
               "--review", 3)  # fmt: skip
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
    while True:  # until a recording falls on what shows no hand
        desk.press("r")
        desk.wait_title("review")
        shot = desk.look()
        if is_question(shot):
            return [*shots, shot]
        desk.press("u")
        desk.wait_title("idle")


def is_question(shot: np.ndarray) -> bool:
    """Say whether the frame of the window is orange."""
    red, green, blue = shot[300, 3].astype(int)
    return red > 220 and 110 < green < 160 and blue < 90


def write_scene(path: Path) -> None:
    """Write a video of a waving hand that goes away for some seconds."""
    person, scene = Person.random(3), Scene(y=0.58, seed=5, background="room")
    moving = [p.pixels for _, p in render_movement("wave", person, scene, fps=FPS, size=SIZE)]
    away = Scene(y=3.0, seed=5, background="room")
    empty = next(iter(render_movement("wave", person, away, fps=FPS, size=SIZE)))[1].pixels
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, SIZE)
    for pixels in moving * 40 + [empty] * BARE_SECONDS * FPS:
        video.write(np.ascontiguousarray(pixels[..., ::-1]))
    video.release()


if __name__ == "__main__":
    main()
