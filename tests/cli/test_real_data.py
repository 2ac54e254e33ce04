"""The figures that the main job has to reach on real photos, through the command line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from handlore.cli import main

Run = Callable[..., Result]
Parsed = Callable[..., Any]
pytestmark = pytest.mark.slow


def converted(source: Path, out: Path) -> tuple[Result, Path]:
    if not source.is_dir():
        pytest.skip(f"there is no {source}")
    return CliRunner().invoke(main, ["convert", str(source), str(out), "--json"]), out


@pytest.fixture(scope="module")
def hgr1(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    return converted(real_data / "hgr1", tmp_path_factory.mktemp("hgr1") / "hgr1.npz")


@pytest.fixture(scope="module")
def sign_digits(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    return converted(real_data / "sign_digits", tmp_path_factory.mktemp("digits") / "digits.npz")


def test_hgr1_is_converted_whole(hgr1: tuple[Result, Path], parsed: Parsed) -> None:
    summary = parsed(hgr1[0])
    assert (summary["n_items"], summary["n_converted"]) == (574, 574)
    assert (summary["n_no_hand"], summary["n_failed"]) == (0, 0)


@pytest.mark.parametrize("model", ["forest", "xgboost", "linear"])
def test_hgr1_by_person(model: str, hgr1: tuple[Result, Path], run: Run, parsed: Parsed) -> None:
    scores = parsed(run("crossval", hgr1[1], "--model", model, "--by", "group", "--json"))
    assert (scores["n"], scores["n_groups"]) == (574, 8)
    assert scores["accuracy"] >= 0.90


def test_a_model_of_hgr1_reads_photos(
    hgr1: tuple[Result, Path], real_data: Path, run: Run, parsed: Parsed, tmp_path: Path
) -> None:
    model = tmp_path / "m.onnx"
    assert run("train", hgr1[1], "--out", model).exit_code == 0
    photos = sorted((real_data / "hgr1").rglob("1_P_hgr1_id*.jpg"))[:5]
    rows = parsed(run("predict", model, *photos, "--json"))
    assert [row["label"] for row in rows] == ["1"] * len(photos)
    assert all(-180 < row["rotation_deg"] <= 180 for row in rows)


def test_sign_digits(sign_digits: tuple[Result, Path], run: Run, parsed: Parsed) -> None:
    summary = parsed(sign_digits[0])
    assert summary["n_items"] == 2060
    assert summary["n_converted"] >= 2055
    scores = parsed(run("crossval", sign_digits[1], "--by", "random", "--json"))
    assert scores["n"] == 2060
    assert scores["accuracy"] >= 0.975
