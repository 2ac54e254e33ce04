"""``handlore calibrate``."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from movement_stubs import LABELS, lesson

from handlore.cli.calibrate import per_hour
from handlore.datasets.storage import save_dataset
from handlore.models.files import load_model

Run = Callable[..., Result]
Parsed = Callable[..., Any]
Refused = Callable[..., str]


def test_thresholds_are_written(
    moves: Path, lessons: Path, run: Run, parsed: Parsed, tmp_path: Path
) -> None:
    out = tmp_path / "c.onnx"
    before = moves.read_bytes()
    result = run("calibrate", moves, lessons, "--out", out, "--json")
    said = parsed(result)
    assert moves.read_bytes() == before
    assert (said["n_found"], said["n"], said["n_false"]) == (2, 2, 0)
    assert set(said["labels"]) == set(LABELS)
    trained = load_model(moves).card.thresholds
    assert said["labels"]["left"]["threshold_before"] == trained["left"]
    assert said["upper_bound_per_hour"] == pytest.approx(2.996 / said["hours"], rel=0.01)
    assert said["hours_needed"] == pytest.approx(5.99, abs=0.01)
    assert "too short to confirm 0.5 false activations an hour: that takes 6 hours" in result.stderr
    card = load_model(out).card
    assert card.thresholds["left"] == said["labels"]["left"]["threshold"]
    assert card.calibration["n_found"] == 2
    assert card.labels == load_model(moves).card.labels
    again = parsed(run("calibrate", out, lessons, "--json"))
    assert again["labels"]["left"]["threshold_before"] == card.thresholds["left"]
    assert run("replay", out, lessons, "--json").stdout.count("\n") == 2
    assert "calibration" in run("info", out).stdout


def test_unknown_labels(moves: Path, run: Run, tmp_path: Path) -> None:
    data = lesson("one", "left", "circle")
    label = np.where(data.samples.label == "left", "leftward", data.samples.label)
    save_dataset(replace(data, samples=replace(data.samples, label=label)), tmp_path / "d.npz")
    said = run("calibrate", moves, tmp_path / "d.npz", "--dry-run").stderr
    assert "1 of 2 gestures have labels that the model does not know (leftward)" in said


def test_no_known_label_writes_nothing(
    moves: Path, run: Run, refused: Refused, tmp_path: Path
) -> None:
    data = lesson("one", "left", "right")
    label = np.char.replace(data.samples.label, "t", "p")
    save_dataset(replace(data, samples=replace(data.samples, label=label)), tmp_path / "d.npz")
    before = moves.read_bytes()
    said = refused(run("calibrate", moves, tmp_path / "d.npz"))
    assert "lefp" in said
    assert "left" in said
    assert moves.read_bytes() == before


def test_model_without_thresholds(clips: Path, lessons: Path, run: Run, tmp_path: Path) -> None:
    plain = tmp_path / "m.onnx"
    params = ("--param", "n_kernel_features=84", "--param", "n_augmented=0")
    trained = run("train", clips, "--no-negatives", "--out", plain, *params)
    assert trained.exit_code == 0, trained.output
    assert not load_model(plain).card.thresholds
    assert "default" in run("calibrate", plain, lessons, "--dry-run").stdout


def test_dry_run(moves: Path, lessons: Path, run: Run) -> None:
    before = moves.read_bytes()
    result = run("calibrate", moves, lessons, "--dry-run")
    assert result.exit_code == 0
    assert f"{load_model(moves).card.thresholds['left']:.2f}" in result.stdout
    assert "default" not in result.stdout
    assert "nothing written" in result.stdout
    assert "at 95 %" in result.stdout
    assert moves.read_bytes() == before


def test_refused(moves: Path, lessons: Path, run: Run, refused: Refused, tmp_path: Path) -> None:
    data = lessons.read_bytes()
    assert "is one of the datasets" in refused(run("calibrate", moves, lessons, "--out", lessons))
    assert lessons.read_bytes() == data
    assert "there is no file" in refused(run("calibrate", moves, tmp_path / "gone.npz"))
    for rate in ("0", "-1", "nan", "often"):
        wrong = run("calibrate", moves, lessons, "--false-activations-per-hour", rate)
        assert wrong.exit_code in (1, 2), rate
        assert isinstance(wrong.exception, SystemExit), rate


def test_data_of_the_training_are_said_to_be_so(onnx: Path, npz: Path, run: Run) -> None:
    said = run("calibrate", onnx, npz, "--dry-run").stderr
    assert re.search(r"the model was trained on \d+ of these \d+ samples", said)


@pytest.mark.parametrize(
    ("rate", "shown"), [(0.481, "0.48"), (3.21, "3.2"), (219.0, "220"), (3120.0, "3,100")]
)
def test_a_rate_is_written_as_people_write_it(rate: float, shown: str) -> None:
    assert per_hour(rate) == shown
