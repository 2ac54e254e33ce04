import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from few_parts import few_parts  # noqa: F401
from movement_stubs import LABELS, lesson, movements
from recording_stubs import filled, held, stream

from handlore.cli import main
from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.storage import save_dataset

Subset = Callable[[Mapping[str, int]], Path]
MadeOnce = Callable[[str, Callable[[Path], object]], Path]
SMALL = ("--param", "n_kernel_features=84", "--param", "n_augmented=0")


def trained(data: Path, *options: str) -> Callable[[Path], None]:
    """Return a function that trains a model by the command into a folder."""

    def fill(folder: Path) -> None:
        args = ["train", str(data), "--out", str(folder / f"{data.stem}.onnx"), *options]
        done = CliRunner().invoke(main, args)
        assert done.exit_code == 0, done.output
        assert done.stderr == "", "the model was named, so nothing had to be chosen"

    return fill


@pytest.fixture(scope="session")
def onnx(npz: Path, made_once: MadeOnce) -> Path:
    """A small forest of the rendered hands, trained by the command."""
    return (
        made_once("forest", trained(npz, "--model", "forest", "--param", "n_estimators=20"))
        / "poses.onnx"
    )


@pytest.fixture
def subset(dataset: LandmarkDataset, tmp_path: Path) -> Subset:
    """Write a dataset with so many samples of each label, without groups."""

    def write(counts: Mapping[str, int]) -> Path:
        labels = dataset.samples.label
        chosen = np.concatenate([np.flatnonzero(labels == k)[:n] for k, n in counts.items()])
        few = dataset.select(chosen)
        few = replace(few, samples=replace(few.samples, group=np.full(len(chosen), "")))
        path = tmp_path / "few.npz"
        save_dataset(few, path)
        return path

    return write


@pytest.fixture
def refused() -> Callable[..., str]:
    """Check that a command ended with a problem in one line, and return the line."""

    def check(result: Result, code: int = 1) -> str:
        assert isinstance(result.exception, SystemExit), repr(result.exception)
        assert result.exit_code == code
        assert result.stdout == ""
        (line,) = (x for x in result.stderr.splitlines() if not x.startswith("note: "))
        assert line.startswith("Error: " if code == 2 else "handlore: ")
        assert "Traceback" not in line
        return line

    return check


@pytest.fixture
def parsed() -> Callable[..., Any]:
    """Check the exit code and return stdout, which must be JSON and nothing else."""

    def read(result: Result, code: int = 0) -> Any:
        assert result.exit_code == code, result.output
        return json.loads(result.stdout, parse_constant=_no_constant)

    return read


def _no_constant(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


@pytest.fixture
def photos(pictures: Path, tmp_path: Path) -> Callable[[Sequence[str]], Path]:
    """Copy some of the rendered pictures into a folder of their own."""

    def copy(labels: Sequence[str], each: int = 2) -> Path:
        folder = tmp_path / "photos"
        for label in labels:
            (folder / label).mkdir(parents=True)
            for picture in sorted((pictures / label).iterdir())[:each]:
                shutil.copy(picture, folder / label)
        return folder

    return copy


@pytest.fixture(scope="session")
def mixed(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hands, an empty wall as class `wall`, and a broken file; train and test."""
    folder = tmp_path_factory.mktemp("mixed")
    for place in ("train/fist", "train/wall", "test/fist", "test/wall"):
        (folder / place).mkdir(parents=True)
    shutil.copy(pictures / "fist/fist_p01_1.png", folder / "train/fist/a.png")
    shutil.copy(pictures / "fist/fist_p01_2.png", folder / "test/fist/b.png")
    wall = np.full((200, 300, 3), 180, np.uint8)
    for place in ("train", "test"):
        cv2.imwrite(str(folder / place / "wall/wall.png"), wall)
    (folder / "test/fist/broken.jpg").write_text("not a picture")
    (folder / "notes.txt").write_text("ignored")
    return folder


@pytest.fixture(scope="session")
def converted(mixed: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    out = tmp_path_factory.mktemp("out") / "mixed.npz"
    args = ["convert", str(mixed), str(out), "--none", "wall", "--json"]
    return CliRunner().invoke(main, args), out


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "clips.npz"
    data = movements(labels=(*LABELS, "still"))
    labels = np.where(data.samples.label == "still", "none", data.samples.label)
    save_dataset(replace(data, samples=replace(data.samples, label=labels)), path)
    return path


@pytest.fixture(scope="session")
def moves(clips: Path, made_once: MadeOnce) -> Path:
    """A small rocket, trained on them by the command."""
    return made_once("moves", trained(clips, *SMALL)) / "clips.onnx"


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    def save(dataset: Any) -> Path:
        save_dataset(dataset, tmp_path / "some.npz")
        return tmp_path / "some.npz"

    return save


@pytest.fixture(scope="session")
def gestures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three movements, two poses and a stream of ``none``."""
    folder = filled(tmp_path_factory.mktemp("data") / "gestures", 5)
    for seed in range(3):
        for label in ("fist", "palm"):
            folder.keep(held(label, seed=seed))
    folder.keep(stream(20.0))
    folder.keep(stream(10.0, seed=6))
    return folder.root


@pytest.fixture(scope="session")
def gesture_model(gestures: Path, made_once: MadeOnce) -> Path:
    filled = trained(gestures, "--model", "rocket", *SMALL)
    return made_once("gestures", filled) / "gestures.onnx"


@pytest.fixture
def broken(gestures: Path, tmp_path: Path) -> Path:
    """A copy with a file that cannot be read."""
    folder = filled(tmp_path / "broken", 3)
    (folder.root / "left" / "0099.npz").write_bytes(b"PK nonsense")
    return folder.root


@pytest.fixture
def lessons(tmp_path: Path) -> Path:
    save_dataset(lesson("one", "left", "circle"), tmp_path / "one.npz")
    return tmp_path / "one.npz"
