"""``handlore capture``: what is refused before a camera is opened, and what it says in the end."""

import json
import sys
from contextlib import nullcontext
from pathlib import Path

import cv2
import numpy as np
import pytest
from recording_stubs import filled

from handlore.capture.cameras import camera, opencv
from handlore.capture.keys import ScriptedKeys
from handlore.capture.recording import run as recording
from handlore.cli import doctor
from handlore.datasets.recordings import RecordingFolder


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 30, (64, 48))
    for number in range(12):
        video.write(np.full((48, 64, 3), 20 * number, np.uint8))
    video.release()
    return path


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (["--labels", "a,b,a"], "'a' is already a label"),
        (["--labels", "a,None"], "'None' is already a label, written none"),
        (["--labels", "a/b"], "cannot be a label"),
        (["--labels", "a,unsorted"], "training leaves it out; give another label"),
        (["--camera", "nothing.mp4"], "there is no camera or file 'nothing.mp4'"),
        (["--camera", "0", "--loop"], "--loop repeats a file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_invalid_options(args, why, run, refused, tmp_path: Path):
    out = tmp_path / "out"
    assert why in refused(run("capture", "--out", out, "--headless", *args))
    assert not out.exists(), "no folder is left behind"


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (["--size", "big"], "--size is 'big', expected width x height such as 640x480"),
        (["--frames", "3", "--seconds", "1"], "--frames and --seconds contradict"),
        (["--until", "hand-gone", "--frames", "9"], "--frames and --until hand-gone contradict"),
        (["--until", "key", "--seconds", "1"], "--until key contradicts"),
        (["--countdown", "-1"], "--countdown is -1"),
        (["--missing", "2"], "--missing is 2"),
        (["--size", "0x480"], "the size is 0x480, expected pixels"),
        (["--fps", "1e9"], "the frame rate is 1000000000.0, expected 0 to 10,000"),
        (["--camera", "0", "--backend", "magic"], "unknown camera backend 'magic'"),
        (["--seconds", "900"], "--seconds is 900; a recording is at most 60 seconds"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_usage(args, why, run, tmp_path: Path):
    done = run("capture", "--out", tmp_path / "out", "--headless", *args)
    assert (done.exit_code, done.stdout) == (2, "")
    assert why in done.stderr
    assert not (tmp_path / "out").exists()


def test_missing_camera(run, tmp_path: Path):
    result = run("capture", "--out", tmp_path / "out", "--headless", "--camera", "97")
    assert result.exit_code == 1
    assert "handlore: camera 97 cannot be opened: " in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists(), "nothing is left of a session that did not begin"


def test_existing_folder_without_a_camera(run, tmp_path: Path):
    filled(tmp_path / "out", 1, ("left",))
    run("capture", "--out", tmp_path / "out", "--headless", "--camera", "97")
    assert RecordingFolder.open(tmp_path / "out").counts() == {"left": 1}


def test_other_folder(run, refused, clip: Path, photos):
    folder = photos(["fist"])
    line = refused(run("capture", "--out", folder, "--camera", clip, "--headless"))
    assert "holds other files" in line
    line = refused(run("recordings", "list", folder))
    assert "no folder of recordings; give one of" in line


def capture(run, out: Path, clip: Path, *args: str):
    return run(
        "capture",
        "--out",
        out,
        *(args or ("--labels", "wave")),
        "--camera",
        clip,
        "--headless",
        "--no-coach",
        "--json",
    )


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal at which nobody presses a key."""
    monkeypatch.setattr(recording, "terminal_keys", lambda: nullcontext(ScriptedKeys()))


@pytest.mark.skipif(sys.platform == "win32", reason="reads keys from stdin, as POSIX allows")
def test_no_keys_can_come(clip: Path, tmp_path: Path, run) -> None:
    """As with `</dev/null`, in a service, or over SSH without a terminal."""
    done = capture(run, tmp_path / "out", clip)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith("handlore: keys come from a window or a term")
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("silent")
def test_labels_of_the_folder(run, clip: Path, tmp_path: Path):
    folder = filled(tmp_path / "out", 1, ("left", "circle"))
    folder.relabel(folder.entries()[1].path, "Arc")
    said = json.loads(capture(run, tmp_path / "out", clip, "--subject", "anna").stdout)
    assert list(said["kept"]) == ["left", "Arc", "none"], "in the order in which they were recorded"
    done = capture(run, tmp_path / "out", clip, "--labels", "stop,arc")
    assert list(json.loads(done.stdout)["kept"]) == ["stop", "Arc", "none"]
    assert "writes arc as Arc; so does this session" in done.stderr


@pytest.mark.usefixtures("silent")
def test_session_without_keys(clip: Path, tmp_path: Path, run):
    result = capture(run, tmp_path / "out", clip)
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert said["kept"] == {"wave": 0, "none": 0}
    assert said["unsaved"] == 0
    assert RecordingFolder.open(tmp_path / "out", create=False).counts() == {}


@pytest.mark.usefixtures("silent")
def test_other_subject(run, clip: Path, tmp_path: Path, monkeypatch):
    there = ["it holds recordings of anna"]
    monkeypatch.setattr(RecordingFolder, "warnings_for", lambda *_: there)
    assert f"note: {there[0]}" in capture(run, tmp_path / "out", clip).stderr


class Webcam:
    """A camera that was found."""

    name = "camera"

    def __init__(self, shade: int) -> None:
        self.shade = shade

    def read(self):
        from handlore.capture.cameras import CameraFrame

        return CameraFrame(np.full((48, 64, 3), self.shade, np.uint8), 0.0)

    def close(self) -> None:
        pass


class Spec:
    def __init__(self, camera: str, options=None) -> None:
        self.camera = camera

    def open(self) -> Webcam:
        from handlore.capture.cameras import CameraError

        if self.camera == "/dev/video2":
            raise CameraError("/dev/video2 cannot be opened: it is in use by zoom (process 7)")
        return Webcam(120 if self.camera == "/dev/video0" else 2)


def test_doctor_tests_cameras(run, monkeypatch):
    devices = [(f"/dev/video{k}", "Integrated") for k in (0, 1, 2)]
    monkeypatch.setattr(opencv, "_video4linux", lambda: iter(devices))
    monkeypatch.setattr(camera, "camera_spec", Spec)
    monkeypatch.setattr(camera.platform, "system", lambda: "Linux")
    found = json.loads(run("doctor", "--json").stdout)
    first, second, third = found["cameras"]
    assert first == {
        "camera": "/dev/video0",
        "name": "Integrated",
        "size": [64, 48],
        "problem": None,
    }
    assert "its picture is black" in second["problem"]
    assert "in use by zoom" in third["problem"]
    said = run("doctor").stdout
    assert "lack a camera" not in said
    assert "/dev/video0      gives pictures of 64x48 (Integrated)" in said


def test_doctor_tests_the_window(run, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(doctor, "find_cameras", list)
    said = run("doctor").stdout
    assert "window" in said
    assert "everything that is needed is here" not in said
    assert "capture and live lack a camera" in said
    if sys.platform == "linux":
        assert "there is no display" in json.loads(run("doctor", "--json").stdout)["window"]
