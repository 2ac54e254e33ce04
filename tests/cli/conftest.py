import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from handlore.cli import main
from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.storage import save_dataset

Subset = Callable[[Mapping[str, int]], Path]


@pytest.fixture(scope="session")
def npz(dataset: LandmarkDataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rendered hands as a dataset file."""
    path = tmp_path_factory.mktemp("data") / "poses.npz"
    save_dataset(dataset, path)
    return path


@pytest.fixture(scope="session")
def onnx(npz: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small forest, trained on them by the command."""
    path = tmp_path_factory.mktemp("models") / "poses.onnx"
    args = ["train", npz, "--out", path, "--param", "n_estimators=20"]
    done = CliRunner().invoke(main, [str(arg) for arg in args])
    assert done.exit_code == 0, done.output
    return path


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
        (line,) = result.stderr.splitlines()
        assert line.startswith("handlore: ")
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
