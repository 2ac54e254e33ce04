"""Whole sessions: the command in a real window and in a real terminal, with real keys."""

import signal
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from capture_desk import Desk, Tty, wait_for
from capture_stubs import FPS, MOVEMENTS, SECTION, stamped
from click.testing import CliRunner

from handlore.cli import main
from handlore.datasets.recordings import RecordingFolder
from handlore.datasets.storage import load_dataset
from handlore.datasets.videos import read_video
from handlore.landmarks.fonts import unwritable

FRAMES = 24
LABELS = ",".join(MOVEMENTS)


def arguments(scene: Path, out: Path) -> list:
    return [
        "--out",
        out,
        "--labels",
        LABELS,
        "--subject",
        "anna",
        "--session",
        "monday",
        "--camera",
        scene,
        "--loop",
        "--frames",
        FRAMES,
        "--countdown",
        "0.3",
        "--review",
        "0.3",
        "--keep-video",
    ]


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
        if by_section:
            expected = expected % SECTION + SECTION * (number // 2)
        assert shown == expected.tolist(), "no frame is missing, none comes twice"
        marks = np.array([truth[frame] for frame in shown])
        palm = np.linalg.norm((marks[:, 0] - marks[:, 9])[:, :2], axis=1)
        away = np.linalg.norm((recording.image[:, 0] - marks)[..., :2], axis=2).mean(axis=1)
        assert np.mean(away < 0.25 * palm) >= 0.8, "they are the landmarks of these frames"


def train(out: Path, model: Path) -> None:
    params = ("n_kernel_features=300", "n_augmented=1")
    words = ["train", out, "--model", "rocket", "--out", model, "--no-negatives"]
    words += [word for param in params for word in ("--param", param)]
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    assert model.is_file()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path / "log.txt")
    yield opened
    opened.close()


class Stage:
    """A folder of frames in a camera's place whose movement the test chooses, whatever the time.

    The numbers of the frames go round within a section of the scene.
    """

    def __init__(self, scene: Path, folder: Path) -> None:
        self.camera = folder / "camera"
        self._folder = folder
        for number, (_, pixels) in enumerate(read_video(scene)[0]):
            section = folder / str(number // SECTION)
            section.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(section / f"{number % SECTION:03d}.jpg"), pixels[..., ::-1])
        self.play(0)

    def play(self, section: int) -> None:
        """Show another section from the next frame on."""
        link = self._folder / "next"
        link.symlink_to(self._folder / str(section), target_is_directory=True)
        link.replace(self.camera)


def recorded(desk: Desk, out: Path, n: int) -> list[np.ndarray]:
    """Return what the window showed, while recording if possible, once so many are kept."""
    pictures: list[np.ndarray] = []
    while len(list(out.glob("*/*.npz"))) < n:
        if pictures:
            time.sleep(0.05)
        elif "recording" in desk.title:
            pictures.append(desk.look())
        else:
            return []
    return pictures or [desk.look()]


@pytest.mark.slow
def test_in_a_window(scene: tuple[Path, list], tmp_path: Path, desk: Desk, artefacts: Path):
    video, truth = scene
    out, stage = tmp_path / "my_gestures", Stage(video, tmp_path / "stage")
    desk.start(*arguments(stage.camera, out), "--no-coach")
    for number, label in enumerate(MOVEMENTS):
        stage.play(number)
        desk.press(str(number + 1))
        desk.wait_title(f"idle {label}")
        for k in range(2):
            desk.press("r")
            n_kept = 2 * number + k + 1
            seen = wait_for(lambda n=n_kept: recorded(desk, out, n), f"{n_kept} are kept")
            cv2.imwrite(str(artefacts / "capture-window.png"), seen[0][..., ::-1])
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


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [("--no-coach",), ()],
    ids=["alone", "with the coach"],
)
def test_in_a_terminal(
    options: tuple[str, ...], scene: tuple[Path, list], tmp_path: Path, terminal: list
):
    video, truth = scene
    out = tmp_path / "my_gestures"
    tty = Tty(*arguments(video, out), *options)
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


@pytest.mark.slow
def test_closing_the_window_ends_the_session(scene: tuple[Path, list], tmp_path: Path, desk: Desk):
    out = tmp_path / "my_gestures"
    desk.start(
        "--out",
        out,
        "--labels",
        "wave",
        "--camera",
        scene[0],
        "--loop",
        "--review",
        "30",
        "--countdown",
        "0",
        "--frames",
        "10",
        "--no-coach",
    )
    desk.press("r")
    desk.wait_title("review")
    desk.close_window()
    assert desk.end() == 0
    assert len(list(out.glob("wave/*.npz"))) == 1, "what was under review and good is kept"


SLOW_FPS = 7
TYPED = "thumbs_up"


@pytest.fixture
def slow_camera(tmp_path: Path) -> list:
    """Options for a camera of few frames a second: keys come while a frame is awaited."""
    path = tmp_path / "slow.avi"
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), SLOW_FPS, (320, 240))
    for number in range(3 * SLOW_FPS):
        video.write(np.full((240, 320, 3), 60 + 5 * number, np.uint8))
    video.release()
    return ["--labels", "wave,stop", "--camera", path, "--loop", "--no-coach", "--quiet"]


@pytest.mark.slow
def test_typing_in_a_window(slow_camera: list, tmp_path: Path, desk: Desk):
    out = tmp_path / "my_gestures"
    desk.start("--out", out, *slow_camera)
    for text in (TYPED, "Size_7 B", "fist"):
        desk.press("plus")
        desk.type(text, every=0.06)
        desk.press("Return")
        desk.wait_title(f"idle {text}")
    desk.press("q")
    assert desk.end() == 0
    assert RecordingFolder.open(out).labels() == ["wave", "stop", TYPED, "Size_7 B", "fist", "none"]


@pytest.mark.slow
def test_typing_in_a_terminal(slow_camera: list, tmp_path: Path, terminal: list):
    out = tmp_path / "my_gestures"
    tty = Tty("--out", out, *slow_camera)
    terminal.append(tty)
    tty.wait("ready: wave")
    for key in f"+{TYPED}\n":
        tty.press(key)
        time.sleep(0.06)
    tty.wait(f"ready: {TYPED}")
    tty.press("q")
    assert tty.end() == 0
    assert RecordingFolder.open(out).labels() == ["wave", "stop", TYPED, "none"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"),
    [(0, 0), (signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=["q", "Ctrl-C", "SIGTERM", "SIGHUP"],
)
def test_none_is_kept_however_the_session_ends(
    number: int, code: int, slow_camera: list, tmp_path: Path, terminal: list
):
    tty = Tty("--out", tmp_path / "out", *slow_camera, "--countdown", "0")
    terminal.append(tty)
    place = tty.wait("ready: wave")
    tty.press("0r")
    tty.wait("recording none 1.", place)
    if number:
        tty.process.send_signal(number)
    else:
        tty.press("q")
    assert tty.end() == code
    assert "kept: none (0001.npz)" in tty.text
    assert RecordingFolder.open(tmp_path / "out").counts() == {"none": 1}


@pytest.mark.slow
def test_clicks_and_sizes(slow_camera: list, tmp_path: Path, desk: Desk, artefacts: Path):
    out = tmp_path / "my_gestures"
    desk.start("--out", out, *slow_camera)
    desk.wait_title("idle wave")
    desk.click(900, 124)
    desk.wait_title("idle stop")
    desk.resize(1200, 680)
    wait_for(lambda: desk.look().shape == (680, 1200, 3), "it is larger")
    time.sleep(1.0)
    seen = desk.look()
    cv2.imwrite(str(artefacts / "capture-resized.png"), seen[..., ::-1])
    desk.click(1000, 100)
    desk.wait_title("idle wave")
    desk.press("q")
    assert desk.end() == 0


@pytest.mark.slow
def test_full_screen(slow_camera: list, tmp_path: Path, desk: Desk):
    desk.manage_windows()
    desk.start("--out", tmp_path / "my_gestures", *slow_camera)
    before = desk.look().shape
    for key in ("f", "F11"):
        desk.press(key)
        wait_for(lambda: desk.look().shape == (800, 1400, 3), "it fills the screen")
        desk.press(key)
        wait_for(lambda: desk.look().shape == before, "it has its size again")
    desk.press("plus")
    desk.type("fff", every=0.05)
    desk.press("Return")
    desk.wait_title("idle fff")
    assert desk.look().shape == before, "f is a letter while a label is typed"
    desk.press("q")
    assert desk.end() == 0


SCRIPTS = ("swipe left", "αριστερά", "жест", "مرحبا", "नमस्ते", "手势", "ジェスチャー")


@pytest.mark.slow
def test_scripts(slow_camera: list, tmp_path: Path, desk: Desk, artefacts: Path):
    lacking = unwritable(SCRIPTS)
    options = ["--labels", ",".join(SCRIPTS), *slow_camera[2:]]
    desk.start("--out", tmp_path / "my_gestures", *options)
    for number, label in enumerate(SCRIPTS, 1):
        desk.press(str(number))
        desk.wait_title(f"idle {label}")
        time.sleep(0.4)
        seen = desk.look()
        cv2.imwrite(str(artefacts / f"script-{number}.png"), seen[..., ::-1])
    desk.press("q")
    assert desk.end() == 0
    assert (lacking is None) == ("no installed font" not in desk.log)
