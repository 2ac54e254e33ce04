"""No command runs code of the folder in which it is started."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from recording_stubs import filled

import handlore.cli

SHOUT = "import os, sys\nopen(os.environ['SHOUTS'], 'a').write(__file__ + '\\n')\nsys.exit(99)\n"
ROOMS = ("landmarks", "datasets", "classifiers", "models", "capture")


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder of modules with the names of all that can be imported, which note that they ran."""
    folder = tmp_path / "somebodys_dataset"
    folder.mkdir()
    names = {
        *packages_distributions(),
        *sys.stdlib_module_names,
        *ROOMS,
        "mediapipe",
        "sitecustomize",
    }
    for name in filter(str.isidentifier, names - {"handlore"}):
        (folder / f"{name}.py").write_text(SHOUT)
    for name in ("pip", "joblib"):
        (folder / f"{name}.py").unlink(missing_ok=True)
        (folder / name).mkdir()
        for file in ("__init__.py", "__main__.py"):
            (folder / name / file).write_text(SHOUT)
    return folder


def start(folder: Path, *words: object, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the folder, as ``python -m handlore``."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONSAFEPATH"}
    environment |= {"SHOUTS": str(folder.parent / "shouts"), "DISPLAY": ":99"} | more
    done = subprocess.run(
        [sys.executable, "-m", "handlore", *map(str, words)],
        cwd=folder,
        env=environment,
        input="q",
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done


def shouts(folder: Path) -> list[str]:
    file = folder.parent / "shouts"
    return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def photographed(hostile: Path, pictures: Path) -> Path:
    for label in ("fist", "point"):
        shutil.copytree(pictures / label, hostile / label)
    return hostile


@pytest.mark.slow
def test_workers(photographed: Path) -> None:
    done = start(photographed, "convert", ".", "../out.npz", "--jobs", "2")
    assert (done.returncode, shouts(photographed)) == (0, []), done.stderr


def test_download_of_the_networks(hostile: Path) -> None:
    constraints = hostile.parent / "constraints.txt"
    constraints.write_text("mediapipe==1.2.3\n", "utf-8")
    nothing = {"PIP_NO_INDEX": "1", "https_proxy": "http://127.0.0.1:1"}
    nothing["PIP_CONSTRAINT"] = str(constraints)  # about what is installed
    cache = {"XDG_CACHE_HOME": str(hostile.parent / "cache")}
    done = start(hostile, "weights", "fetch", "--force", **nothing, **cache)
    assert (done.returncode, shouts(hostile)) == (1, []), done.stderr
    assert "No matching distribution" in done.stderr  # pip ran, not the pip of the folder


@pytest.mark.slow
def test_window_probe(hostile: Path) -> None:
    done = start(hostile, "doctor")
    assert (done.returncode in (0, 1), shouts(hostile)) == (True, []), done.stderr


@pytest.mark.slow
def test_coach(hostile: Path, tmp_path: Path) -> None:
    gestures = filled(tmp_path / "gestures", 1).root
    code = (
        "import sys, time; sys.path[:] = [p for p in sys.path if p]\n"
        "from pathlib import Path; from handlore.capture.coach_process import BackgroundCoach\n"
        "coach = BackgroundCoach(); coach.consult(Path(sys.argv[1]))\n"
        "while not coach.advice(): time.sleep(0.1)\n"
    )
    environment = os.environ | {"SHOUTS": str(hostile.parent / "shouts")}
    command = [sys.executable, "-P", "-c", code, str(gestures)]
    subprocess.run(command, cwd=hostile, env=environment, check=True, timeout=120)
    assert shouts(hostile) == []


COMMANDS: Sequence[Sequence[str]] = (
    ("--help",),
    ("sources",),
    ("weights",),
    ("models",),
    ("info", "{npz}"),
    ("info", "{onnx}"),
    ("train", "{npz}", "--model", "linear", "--out", "../m.onnx"),
    ("crossval", "{npz}", "--model", "linear", "--json"),
    ("evaluate", "{onnx}", "{npz}"),
    ("compare", "../a.json", "../a.json"),
    ("predict", "{onnx}", "fist"),
    ("recordings", "list", "{gestures}"),
    ("replay", "{gesture_model}", "{gestures}"),
    ("calibrate", "{gesture_model}", "{gestures}", "--out", "../c.onnx"),
    ("live", "{onnx}", "--camera", "fist", "--headless", "--fast"),
    ("capture", "--out", "../g", "--labels", "wave", "--camera", "fist", "--headless"),
    ("export", "{npz}", "../x.csv"),
    ("convert", ".", "../x.npz"),
    ("doctor",),
    ("demo", "--people", "2", "--out", "../demo"),
    ("bench", "--pictures", "10"),
    ("improve", "{gesture_model}", "--from", "{gestures}", "--yes", "--dry-run"),
)
FAILS = {"compare", "improve"}
"""There is nothing to compare, and no trigger."""


@pytest.mark.slow
@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_every_command(words, photographed, npz, onnx, gestures, gesture_model) -> None:
    places = {"npz": npz, "onnx": onnx, "gestures": gestures, "gesture_model": gesture_model}
    done = start(photographed, *(word.format_map(places) for word in words))
    assert shouts(photographed) == [], done.stderr
    assert done.returncode == (words[0] in FAILS), done.stderr


def test_no_command_is_left_out() -> None:
    assert {words[0] for words in COMMANDS} == {"--help", *handlore.cli.COMMANDS}
