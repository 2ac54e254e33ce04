"""``handlore live`` as people run it: a video in the camera's place, real processes."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from browser_stub import PROGRAM, Browser
from click.testing import Result
from network_stubs import PASSWORD, USER, MjpegCamera

from handlore.capture.actions.file import preset_file
from handlore.datasets.recordings import RecordingFolder
from handlore.datasets.rendered import Person, Scene, render_background, render_pose
from handlore.datasets.storage import load_dataset

Run = Callable[..., Result]
Refused = Callable[..., str]

RUN_COMMAND = """
import json, sys
from handlore.cli import main
sys.argv[0] = "handlore"
try:
    main()
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of an empty room, then a fist, the room again, and an open palm."""
    size = (320, 240)
    room, rng = render_background(5, size=size), np.random.default_rng(0)
    fist, palm = (
        render_pose(pose, Person.random(3), Scene(seed=5, size=0.3), size=size).pixels
        for pose in ("fist", "open_palm")
    )
    path = tmp_path_factory.mktemp("clip") / "clip.avi"
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 15, size)
    for picture, frames in ((room, 15), (fist, 20), (room, 15), (palm, 20), (room, 15)):
        for _ in range(frames):
            noisy = np.clip(picture + rng.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)
            video.write(np.ascontiguousarray(noisy[..., ::-1]))
    video.release()
    return path


def start(*args: object, **more: Any) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "handlore", "live", *map(str, args)]
    more.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more
    )


def test_landmarks(run: Run, onnx: Path, clip: Path) -> None:
    """Every frame of a file, and events between them; the same to a receiver, at a lower rate."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(20)
        words = ("--fast", "--headless", "--landmarks", "--threshold", "0.4")
        address = f"udp://127.0.0.1:{receiver.getsockname()[1]}"
        done = run("live", onnx, "--camera", clip, *words, "--send", address)
        assert done.exit_code == 0
        assert json.loads(receiver.recv(65536))["type"] in ("landmarks", "start")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    frames = [line for line in lines if line["type"] == "landmarks"]
    assert len(frames) == 85
    assert (frames[0]["width"], frames[0]["height"], frames[0]["hands"]) == (320, 240, [])
    assert any(frame["hands"] for frame in frames)
    events = [line["label"] for line in lines if line["type"] != "landmarks"]
    assert events == ["fist", "open_palm"]


@pytest.mark.slow
def test_camera_of_the_network(tmp_path: Path) -> None:
    """It dies and returns; its password is in no line, no recording, and not on the page."""
    palm = render_pose("open_palm", Person.random(3), Scene(seed=5, size=0.3), size=(320, 240))
    rng = np.random.default_rng(0)

    def picture() -> bytes:
        noisy = np.clip(palm.pixels + rng.normal(0, 2, palm.pixels.shape), 0, 255)
        return cv2.imencode(".jpg", noisy[..., ::-1].astype(np.uint8))[1].tobytes()

    camera = MjpegCamera(secret=True)
    camera.picture = picture
    words = ("everyday", "--headless", "--landmarks", "--record", "kept", "--serve", "127.0.0.1:0")
    address = camera.url(user=f"{USER}:{PASSWORD}@")
    live = start(*words, cwd=tmp_path, env=os.environ | {"HANDLORE_CAMERA": address})
    lines: list[dict[str, Any]] = []
    reader = threading.Thread(target=lambda: lines.extend(map(json.loads, live.stdout)))
    reader.start()

    def after(n: int) -> int:
        """Wait for so many more frames with a hand; return how many lines there are."""
        begun, deadline = len(lines), time.monotonic() + 120
        while sum(bool(line.get("hands")) for line in lines[begun:]) < n:
            assert time.monotonic() < deadline
            assert live.poll() is None
            time.sleep(0.05)
        return len(lines)

    try:
        after(20)
        page = re.search(r"http://127\S+", live.stderr.readline())[0]
        camera.die()
        time.sleep(3)
        camera.start()
        after(20)
        shown = urllib.request.urlopen(page, timeout=20).read()  # noqa: S310
    finally:
        live.send_signal(signal.SIGINT)
        log = live.stderr.read()
        live.wait(60)
        reader.join(20)
        camera.die()
    assert f"camera http://127.0.0.1:{camera.port} is back" in log
    kept = [path.read_bytes() for path in (tmp_path / "kept").rglob("*") if path.is_file()]
    assert len(kept) >= 2
    everything = [log.encode(), json.dumps(lines).encode(), shown, *kept]
    assert not any(word.encode() in one for word in (USER, PASSWORD) for one in everything)
    [recording, *_] = (tmp_path / "kept").rglob("*.npz")
    options = load_dataset(recording).header.options
    assert options["camera"] == f"http://127.0.0.1:{camera.port}"


@pytest.mark.parametrize(
    ("option", "why"),
    [
        (
            ("--send", "ftp://anna:s3cret@h"),
            "--send: the receiver begins with ftp://; expected .*udp://HOST",
        ),
        (("--send", "udp://h"), "names no port"),
        (("--landmarks-fps", "0"), "--landmarks-fps"),
    ],
)
def test_invalid_receivers(option: tuple[str, str], why: str, run: Run, onnx: Path, clip: Path):
    done = run("live", onnx, "--camera", clip, "--headless", *option)
    assert done.exit_code == 2
    assert re.search(why, done.stderr)
    assert "s3cret" not in done.output


def test_video_as_camera(onnx: Path, clip: Path, tmp_path: Path) -> None:
    actions = tmp_path / "actions.toml"
    actions.write_text(
        '[actions.fist]\nrun = ["sh", "-c", "echo noise; echo $HANDLORE_LABEL >> out"]\n'
        '[actions.open_palm]\nsay = "palm!"\nhand = "right"\n'
    )
    words = (
        *("live", onnx, "--camera", clip, "--fast", "--headless", "--json"),
        *("--actions", actions, "--threshold", "0.4"),
    )
    done = subprocess.run(
        [sys.executable, "-c", RUN_COMMAND, *map(str, words)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["label"] for event in events] == ["fist", "open_palm"]
    assert set(events[0]) == {"label", "start", "end", "probability", "hand"}
    assert [event["start"] for event in events] == pytest.approx([1.0, 50 / 15], abs=0.2)
    assert (tmp_path / "out").read_text() == "fist\n"
    *talk, loaded = done.stderr.splitlines()
    assert "noise" in talk
    assert talk[-1] == "85 frames, 2 events"
    assert any(line.endswith("open_palm (say): palm!") for line in talk)
    heavy = {"sklearn", "xgboost", "pandas", "matplotlib", "mediapipe", "handlore.classifiers"}
    assert not heavy & set(json.loads(loaded))


def test_presets(run: Run, refused: Refused, onnx: Path, tmp_path: Path) -> None:
    printed = run("live", "--print-preset", "slides")
    assert printed.exit_code == 0
    assert printed.stdout == preset_file("slides").read_text("utf-8")
    assert run("live", "--print-preset", "slide").exit_code == 2
    misspelt = run("live", "--preset", "medya")
    assert misspelt.exit_code == 2
    assert "unknown preset 'medya'; did you mean media? Known: slides" in misspelt.stderr
    assert run("live", "--preset", "media", "--actions", tmp_path / "a.toml").exit_code == 2
    said = refused(run("live", onnx, "--camera", "0", "--headless", "--preset", "media"))
    assert "the preset media needs palm, like" in said


def test_no_model(clip: Path, tmp_path: Path) -> None:
    """The first minute: a command without arguments recognises a fist and an open hand."""
    process = start("--camera", clip, "--fast", "--headless", "--json", cwd=tmp_path)
    events, messages = process.communicate()
    assert process.returncode == 0, messages
    assert [json.loads(line)["label"] for line in events.splitlines()][:1] == ["fist"]
    said = "using everyday and movements, which come with handlore (`handlore models`); your own:"
    assert messages.splitlines()[0].startswith(said)


def test_replay_of_a_video_is_equal(onnx: Path, clip: Path, run: Run) -> None:
    words = ("--json", "--threshold", "0.4", "--hold-events", "0.3")
    live = run("live", onnx, "--camera", clip, "--fast", "--headless", *words)
    assert live.exit_code == 0, live.output
    types = [json.loads(line)["type"] for line in live.stdout.splitlines()]
    assert types == ["start", "hold", "hold", "hold", "end"] * 2
    assert run("replay", onnx, clip, *words).stdout == live.stdout


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="a shell of POSIX closes its descriptors")
def test_closed_streams(onnx: Path, clip: Path, tmp_path: Path) -> None:
    """As some supervisors start programs; the actions are what counts."""
    actions = tmp_path / "actions.toml"
    actions.write_text(f'[actions.fist]\nrun = ["touch", "{tmp_path / "done"}"]\n')
    words = (onnx, "--camera", clip, "--fast", "--headless", "--threshold", 0.4)
    command = [sys.executable, "-m", "handlore", "live", *words, "--actions", actions]
    silent = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *map(str, command)]
    assert subprocess.run(silent, check=False).returncode == 0
    assert (tmp_path / "done").exists()


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="a shell of POSIX limits the size of files")
def test_full_disk(onnx: Path, clip: Path, tmp_path: Path) -> None:
    words = (
        *("live", onnx, "--camera", clip, "--fast", "--headless", "--threshold", "0.4"),
        *("--record", tmp_path / "kept"),
    )
    command = ["sh", "-c", 'ulimit -f 1; exec "$@"', "sh", sys.executable, "-m", "handlore"]
    done = subprocess.run(
        [*command, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert "3 recordings were not written to" in last, done.stderr
    assert [path for path in (tmp_path / "kept").rglob("*") if path.suffix == ".npz"] == []


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's disk that is full")
def test_full_log(onnx: Path, clip: Path, tmp_path: Path) -> None:
    """The log is on the same disk as the recordings; who reads the events needs neither."""
    actions = tmp_path / "actions.toml"
    actions.write_text('[actions."*"]\nsay = "{label}"\n')
    words = (onnx, "--camera", clip, "--fast", "--headless", "--threshold", 0.4, "--json")
    command = [sys.executable, "-m", "handlore", "live", *words, "--actions", actions]
    command += ["--record", tmp_path / "kept"]
    with Path("/dev/full").open("w") as full:
        live = subprocess.run(
            [*map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=full,
            text=True,
            check=False,
        )
    events = [json.loads(line)["label"] for line in live.stdout.splitlines()]
    assert events == ["fist", "open_palm"]
    assert len(list((tmp_path / "kept").rglob("*.npz"))) == 3


def test_broken_pipe(onnx: Path, clip: Path) -> None:
    live = start(onnx, "--camera", clip, "--fast", "--loop", "--headless", "--threshold", "0.4")
    assert live.stdout is not None
    assert live.stderr is not None
    assert "fist" in live.stdout.readline()
    live.stdout.close()
    said = live.stderr.read()
    live.stderr.close()
    assert live.wait(60) == 0
    assert "Traceback" not in said
    assert "Broken" not in said


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="SIGTERM is a signal of POSIX")
@pytest.mark.skipif(PROGRAM is None, reason="needs Chromium")
def test_page_and_sigterm(
    onnx: Path, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept"
    live = start(
        *(onnx, "--camera", clip, "--loop", "--headless", "--threshold", "0.4"),
        *("--serve", "127.0.0.1:0", "--token", "a-token-of-mine", "--record", kept),
    )
    assert live.stdout is not None
    assert live.stderr is not None
    try:
        line = live.stderr.readline()
        assert line.startswith("the page: http://127.0.0.1:")
        with Browser(tmp_path / "profile") as browser:
            browser.open(line.split()[-1])
            browser.wait("document.querySelector('#label')?.textContent == 'fist'", 60)
            browser.wait("document.querySelector('#picture').naturalWidth == 320")
            browser.wait("document.querySelector('#log li.event span')?.textContent == 'open_palm'")
            folder = Path(os.environ.get("HANDLORE_ARTEFACTS", tmp_path))
            browser.screenshot(folder / "live-page.png")
        live.send_signal(signal.SIGTERM)
        assert live.wait(60) == 143
        assert "Traceback" not in live.stderr.read()
    finally:
        live.kill()
        live.wait()
        live.stdout.close()
        live.stderr.close()
    counts = RecordingFolder.open(kept, create=False).counts()
    assert counts["unsorted"] == 1
    assert counts["fist"] >= 1


@pytest.mark.slow
@pytest.mark.skipif(
    not (shutil.which("xdotool") and shutil.which("import")), reason="needs xdotool, ImageMagick"
)
def test_window(onnx: Path, clip: Path, tmp_path: Path, xvfb: str) -> None:
    world = os.environ | {"DISPLAY": xvfb}
    world.pop("WAYLAND_DISPLAY", None)
    live = start(onnx, "--camera", clip, "--loop", "--threshold", "0.4", env=world)
    assert live.stdout is not None
    assert live.stderr is not None
    try:
        line = live.stdout.readline()
        assert "fist" in line, live.stderr.read()
        assert live.stdout.readline(), "it goes on, and has painted since"
        shot = Path(os.environ.get("HANDLORE_ARTEFACTS", tmp_path)) / "live-window.png"
        subprocess.run(["import", "-window", "root", str(shot)], env=world, check=True)
        shown = cv2.imread(str(shot))
        # The teal of the drawn hand and of the bars.
        teal = (np.abs(shown.astype(int) - (162, 211, 25)).max(axis=2) < 30).sum()
        assert teal > 2000
        deadline = time.monotonic() + 60
        while live.poll() is None:
            assert time.monotonic() < deadline
            press = [
                "xdotool",
                "search",
                "--onlyvisible",
                "--class",
                "^handlore$",
                "windowfocus",
                "key",
                "q",
            ]
            subprocess.run(press, env=world, capture_output=True, check=False)
            time.sleep(0.2)
        assert live.returncode == 0, live.stderr.read()
    finally:
        live.kill()
        live.wait()
        live.stdout.close()
        live.stderr.close()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--dry-run"], "--dry-run needs a file of actions: --actions or --preset"),
        (["--keep-video"], "needs a folder of recordings: --record"),
        (["--subject", "anna"], "needs a folder of recordings: --record"),
        (["--remember", "20"], "--remember needs a folder of recordings: --record"),
        (["--remember", "120"], "--remember needs a folder of recordings: --record"),
        (["--landmarks-fps", "5"], "--landmarks-fps needs --landmarks, --send or --serve"),
        (["--token", "correct-horse"], "needs an address of the page: --serve"),
        (["--home-assistant-name", "Kitchen"], "needs a broker: --home-assistant mqtt://HOST"),
        (["--home-assistant-name", ""], "needs a broker: --home-assistant mqtt://HOST"),
        (["--hand", "left", "--max-hands", "2"], "--hand chooses one of two hands"),
        (["--hold-events", "nan"], "nan is not a number in the range 0<=x<=60"),
        (["--threshold", "nan"], "nan is not a number in the range 0<=x<=1"),
        (["--remember", "nan"], "nan is not a number in the range 5<=x<=3600"),
        (["--size", "big"], "--size is 'big', expected width x height"),
        (["--size", "64²x480"], "--size is '64²x480', expected width x height"),
        (["--send", "nothing"], "--send: the receiver is no address; expected"),
        (
            ["--send", "udp://h:1", "--send", "udp://h"],
            "--send: the receiver udp://h names no port",
        ),
        (["--serve", "here"], "--serve is 'here', expected a port or host:port"),
        (["--serve", "99999"], "--serve is '99999'; a port is at most 65535"),
        (["--serve", "127.0.0.1:0", "--token", "x"], "--token has 1 character,"),
        (["--serve", "127.0.0.1:0", "--token", ""], "--token has 0 characters,"),
        (["--home-assistant", "foo"], "--home-assistant is no address; expected mqtt://HOST"),
        ([""], "the name of the model or file is empty"),
    ],
)
def test_wrong_usage(words: list[str], expected: str, run: Run) -> None:
    found = run("live", "everyday", "--headless", *words)
    assert (found.exit_code, found.stdout) == (2, "")
    assert expected in " ".join(found.stderr.split())


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--actions", "no.toml"], "there is no file no.toml"),
        (["--camera", "no.mp4"], "there is no camera or file 'no.mp4'"),
        (["--camera", "rtsp:u:secret@host"], "there is no camera or file of that name"),
        (["--camera", "u:secret@host:554/x"], "there is no camera or file of that name"),
        (["--record", "."], "holds other files"),
        (["--camera", "0", "--loop"], "--loop repeats a file; 0 is a camera"),
    ],
)
def test_invalid_options(
    words: list[str],
    expected: str,
    onnx: Path,
    run: Run,
    refused: Refused,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "something").touch()

    def never(*_: object, **__: object) -> None:
        raise AssertionError("a camera was opened")

    monkeypatch.setattr("handlore.capture.live.run.open_feed", never)
    line = refused(run("live", onnx, "--headless", *words))
    assert expected in line
    assert "secret" not in line


def test_unknown_label(onnx: Path, run: Run, refused: Refused, tmp_path: Path) -> None:
    actions = tmp_path / "a.toml"
    actions.write_text('[actions.fits]\nsay = "x"\n')
    line = refused(run("live", onnx, "--actions", actions, "--headless"))
    assert "a.toml: line 1: unknown label 'fits'; did you mean fist?" in line


def test_not_a_model(run: Run, refused: Refused, npz: Path) -> None:
    assert "looks like a dataset" in refused(run("live", npz, "--headless"))


def test_token_of_the_environment_or_a_file(onnx, pictures, tmp_path, run, monkeypatch) -> None:
    """So that it is not in the list of processes."""
    words = ["live", onnx, "--camera", pictures / "fist", "--headless", "--fast"]
    monkeypatch.setenv("HANDLORE_TOKEN", "of-the-environment")
    assert run(*words).exit_code == 0, "without a page it does not matter"
    served = run(*words, "--serve", "0")
    assert "?token=of-the-environment" in served.stderr
    (tmp_path / "token").write_text("of-the-file\n")
    served = run(*words, "--serve", "0", "--token-file", tmp_path / "token")
    assert "?token=of-the-file" in served.stderr
