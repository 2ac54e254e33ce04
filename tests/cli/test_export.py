import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from hand_tables import hands

import handlore
from handlore.datasets.dataset import LandmarkDataset, Samples
from handlore.landmarks.hands import Hand

Run = Callable[..., Result]
Refused = Callable[[Result], str]


@pytest.fixture
def poses(tmp_path: Path) -> Path:
    path = tmp_path / "poses.npz"
    frames = [[Hand(one, one, 0.9)] for one in hands(6).astype(np.float32)]
    samples = Samples.make(["fist", "palm"] * 3, source=[f"{n}.jpg" for n in range(6)])
    handlore.save_dataset(LandmarkDataset.of_hands(frames, samples), path)
    return path


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".json", ".jsonl", ".npy"])
def test_a_table_is_written_and_converted_back(
    run: Run, poses: Path, tmp_path: Path, ending: str
) -> None:
    table, again = tmp_path / f"poses{ending}", tmp_path / "again.npz"
    done = run("export", poses, table)
    assert done.exit_code == 0
    assert "6 rows, 6 samples" in done.stdout
    assert run("convert", table, again).exit_code == 0
    one, other = handlore.load_dataset(poses), handlore.load_dataset(again)
    np.testing.assert_array_equal(one.image, other.image)
    assert list(one.samples.label) == list(other.samples.label)


def test_one_clip_as_json(run: Run, poses: Path, tmp_path: Path) -> None:
    done = run("export", poses, tmp_path / "a.csv", "--clip", 2, "--json")
    assert json.loads(done.stdout)["n_rows"] == 1
    assert (tmp_path / "a.csv").read_text().splitlines()[1].startswith("palm,")


def test_what_cannot_be_exported_is_refused(
    run: Run, refused: Refused, poses: Path, tmp_path: Path
) -> None:
    assert "its ending says" in refused(run("export", poses, tmp_path / "a.xlsx"))
    assert "--clip is 9" in refused(run("export", poses, tmp_path / "a.csv", "--clip", 9))
    assert "holds one clip" in refused(run("export", poses, tmp_path / "a.pose"))
    assert [path.name for path in tmp_path.iterdir()] == ["poses.npz"]


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".json", ".npy"])
def test_convert_writes_no_dataset_with_the_name_of_a_table(
    run: Run, refused: Refused, poses: Path, tmp_path: Path, ending: str
) -> None:
    run("export", poses, tmp_path / "poses.csv")
    line = refused(run("convert", tmp_path / "poses.csv", tmp_path / f"out{ending}"))
    assert "`handlore export" in line
    assert not (tmp_path / f"out{ending}").exists()
