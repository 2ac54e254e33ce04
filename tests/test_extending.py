"""Six newcomers' tasks: the whole files in docs/how-to/extend.md, each in a package of its own."""

import json
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from few_parts import few_parts  # noqa: F401
from PIL import Image

from handlore.capture.actions.base import ACTIONS
from handlore.capture.cameras import CAMERAS
from handlore.capture.outputs.base import OUTPUTS
from handlore.classifiers.estimators import ESTIMATORS
from handlore.datasets.rendered import Person, Scene, render_pose, write_pictures
from handlore.datasets.sources import SOURCES
from handlore.datasets.storage import load_dataset, save_dataset
from handlore.landmarks.detectors import DETECTORS
from handlore.models.files import load_model

Run = Callable[..., Any]
StubPackage = Callable[..., Path]

PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "extend.md"


def example(kind: str) -> str:
    """Return the file in the section of this kind."""
    section = re.search(rf"^## An? {kind}\n(.*?)(?=^## |\Z)", PAGE.read_text("utf-8"), re.M | re.S)
    assert section is not None
    return re.search(r"```python check\n(.*?)```", section[1], re.S)[1]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three rendered hands, named person-label-number.png."""
    folder = tmp_path / "photos"
    write_pictures(folder, poses=("fist",), n_people=3, per_pose=1)
    for number, path in enumerate(sorted(folder.rglob("*.png"))):
        path.rename(folder / f"p{number}-fist-1.png")
    return folder


@pytest.fixture
def model(run: Run, dataset, tmp_path: Path) -> Path:
    save_dataset(dataset, tmp_path / "poses.npz")
    path = tmp_path / "poses.onnx"
    assert run("train", tmp_path / "poses.npz", "--out", path).exit_code == 0
    return path


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    """Two seconds of a fist, as an array."""
    picture = render_pose("fist", Person(), Scene(), size=(320, 240)).pixels
    np.save(tmp_path / "frames.npy", np.repeat(picture[None], 60, axis=0))
    return tmp_path / "frames.npy"


def test_source(stub_package: StubPackage, run: Run, photos: Path, tmp_path: Path) -> None:
    stub_package(SOURCES, example("source"))
    done = run("convert", photos, tmp_path / "photos.npz", "--jobs", 1)
    assert done.exit_code == 0, done.stderr
    samples = load_dataset(tmp_path / "photos.npz").samples
    assert samples.group.tolist() == ["p0", "p1", "p2"]
    assert set(samples.label) == {"fist"}


def test_estimator(stub_package: StubPackage, run: Run, dataset, tmp_path: Path) -> None:
    stub_package(ESTIMATORS, example("estimator"))
    save_dataset(dataset, tmp_path / "poses.npz")
    out = tmp_path / "bayes.onnx"
    done = run("train", tmp_path / "poses.npz", "--model", "bayes", "--out", out)
    assert done.exit_code == 0, done.stderr
    assert load_model(out).card.estimator == "bayes"
    write_pictures(tmp_path / "new", poses=("fist",), n_people=1, per_pose=1)
    done = run("predict", out, tmp_path / "new", "--json")
    assert [one["label"] for one in json.loads(done.stdout)] == ["fist"], done.stderr


def test_detector(stub_package: StubPackage, run: Run, photos: Path, tmp_path: Path) -> None:
    stub_package(DETECTORS, example("detector"))
    args = ["--detector", "bright", "--name-pattern", r"-(?P<label>\w+)-", "--jobs", 1]
    done = run("convert", photos, tmp_path / "a.npz", "--source", "images", *args)
    assert done.exit_code == 0, done.stderr
    assert load_dataset(tmp_path / "a.npz").header.detector.name == "bright"


def test_camera(stub_package: StubPackage, run: Run, model: Path, frames: Path) -> None:
    stub_package(CAMERAS, example("camera"))
    done = run("live", model, "--camera", frames, "--headless", "--json")
    assert done.exit_code == 0, done.stderr
    assert [json.loads(line)["label"] for line in done.stdout.splitlines()] == ["fist"]


def test_action(
    stub_package: StubPackage, run: Run, model: Path, frames: Path, tmp_path: Path
) -> None:
    stub_package(ACTIONS, example("action"))
    clip = tmp_path / "clip"
    clip.mkdir()
    for number, pixels in enumerate(np.load(frames)):
        write_frame(clip / f"{number:02}.png", pixels)
    log = tmp_path / "events.jsonl"
    actions = tmp_path / "actions.toml"
    actions.write_text(f'[actions.fist]\nappend = "{log.as_posix()}"\n')
    done = run("live", model, "--camera", clip, "--headless", "--actions", actions, "--fast")
    assert done.exit_code == 0, done.stderr
    assert [json.loads(line)["label"] for line in log.read_text().splitlines()] == ["fist"]


def test_output(
    stub_package: StubPackage, run: Run, model: Path, frames: Path, tmp_path: Path
) -> None:
    stub_package(OUTPUTS, example("output"))
    clip = tmp_path / "clip"
    clip.mkdir()
    for number, pixels in enumerate(np.load(frames)):
        write_frame(clip / f"{number:02}.png", pixels)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as log:
        log.bind(("127.0.0.1", 0))
        log.settimeout(20)
        address = f"syslog://127.0.0.1:{log.getsockname()[1]}"
        done = run("live", model, "--camera", clip, "--headless", "--send", address, "--fast")
        assert done.exit_code == 0, done.stderr
        assert log.recv(100) == b"<13>handlore: fist"


def write_frame(path: Path, pixels: np.ndarray) -> None:
    Image.fromarray(pixels).save(path)
