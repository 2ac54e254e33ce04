"""Whole sessions: the command in a real window and in a real terminal, with real keys."""

import os
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from capture_desk import Desk, Tty, wait_for
from capture_stubs import FPS, MOVEMENTS, SECTION, stamped

from handlore.datasets.storage import load_dataset
from handlore.datasets.videos import read_video

FRAMES = 24
LABELS = ",".join(MOVEMENTS)


def arguments(scene: Path, out: Path) -> list:
    return ["--out", out, "--labels", LABELS, "--subject", "anna", "--session", "monday",
            "--camera", scene, "--loop", "--frames", FRAMES, "--countdown", "0.3",
            "--review", "0.3", "--keep-video"]  # fmt: skip


def check(out: Path, truth: list, *, by_section: bool) -> None:
    """Hold six recordings of three labels to what the camera showed."""
    found = sorted(out.glob("*/*.npz"), key=lambda path: path.name)
    assert [path.name for path in found] == [f"{k:04d}.npz" for k in range(1, 7)]
    for number, path in enumerate(found):
        recording = load_dataset(path)
        label = MOVEMENTS[number // 2]
        assert recording.labels == [label]
        assert recording.samples.group.tolist() == ["anna"]
        assert recording.n_frames == FRAMES
        assert recording.time == pytest.approx(np.arange(FRAMES) / FPS, abs=2e-3)
        shown = [stamped(pixels) for _, pixels in read_video(path.with_suffix(".avi"))[0]]
        expected = (shown[0] + np.arange(FRAMES)) % len(truth)
        assert shown == expected.tolist(), "no frame is missing, none comes twice"
        if by_section:
            assert {frame // SECTION for frame in shown} == {number // 2}
        marks = np.array([truth[frame] for frame in shown])
        palm = np.linalg.norm((marks[:, 0] - marks[:, 9])[:, :2], axis=1)
        away = np.linalg.norm((recording.image[:, 0] - marks)[..., :2], axis=2).mean(axis=1)
        assert np.mean(away < 0.25 * palm) >= 0.8, "they are the landmarks of these frames"


def train(out: Path, model: Path) -> None:
    command = [sys.executable, "-m", "handlore", "train", str(out), "--model", "rocket", "--out",
               str(model), "--param", "n_kernel_features=300", "--param",
               "n_augmented=2"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert model.is_file()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path / "log.txt")
    yield opened
    opened.close()


@pytest.mark.skipif(
    os.getloadavg()[0] > (os.cpu_count() or 1),
    reason="a session in real time needs a machine that is not busy with other work",
)
def test_in_a_window(scene: tuple[Path, list], tmp_path: Path, desk: Desk, artefacts: Path):
    video, truth = scene
    out = tmp_path / "my_gestures"
    desk.start(*arguments(video, out))
    for number, label in enumerate(MOVEMENTS):
        desk.press(str(number + 1))
        desk.wait_title(f"idle {label}")
        # Two recordings take less than what is left of the section.
        begins = range(SECTION * number, SECTION * number + 20)
        wait_for(lambda frames=begins: desk.frame_shown() in frames, f"{begins}", 240)
        for _ in range(2):
            desk.press("r")
            desk.wait_title("recording")
            if number == 1:
                cv2.imwrite(str(artefacts / "capture-window.png"), desk.look()[..., ::-1])
            desk.wait_title("idle")
    desk.press("q")
    assert desk.end() == 0
    check(out, truth, by_section=True)
    train(out, tmp_path / "gestures.onnx")


@pytest.fixture
def terminal() -> Iterator[list]:
    opened: list[Tty] = []
    yield opened
    for one in opened:
        one.close()


def test_in_a_terminal(scene: tuple[Path, list], tmp_path: Path, terminal: list):
    video, truth = scene
    out = tmp_path / "my_gestures"
    tty = Tty(*arguments(video, out))
    terminal.append(tty)
    before = termios.tcgetattr(tty.fd)
    place = tty.wait("ready: swipe_left")
    assert "there is no display" in tty.text
    assert termios.tcgetattr(tty.fd) != before, "keys come without Enter"
    for number, label in enumerate(MOVEMENTS):
        tty.press(str(number + 1))
        place = tty.wait(f"ready: {label}", place)
        for _ in range(2):
            tty.press("r")
            place = tty.wait(f"kept: {label}", place)
    tty.press("q")
    assert tty.end() == 0
    assert termios.tcgetattr(tty.fd) == before
    check(out, truth, by_section=False)
    train(out, tmp_path / "gestures.onnx")


def test_closing_the_window_ends_the_session(scene: tuple[Path, list], tmp_path: Path, desk: Desk):
    out = tmp_path / "my_gestures"
    desk.start("--out", out, "--labels", "wave", "--camera", scene[0], "--loop", "--review", "30",
               "--countdown", "0", "--frames", "10", "--no-coach")  # fmt: skip
    desk.press("r")
    desk.wait_title("review")
    desk.close_window()
    assert desk.end() == 0
    assert len(list(out.glob("wave/*.npz"))) == 1, "what was under review and good is kept"
