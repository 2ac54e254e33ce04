"""calibrate and replay, from files to files."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from movement_stubs import LABELS, clip, dataset_of, movements

from handlore.cli import main
from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.recording_files import make_recordings_folder
from handlore.datasets.storage import save_dataset
from handlore.models.files import load_model
from handlore.models.stream.ground_truth import dataset_streams
from handlore.models.stream.recogniser import recognise

Run = Callable[..., Result]
Parsed = Callable[..., Any]
Refused = Callable[..., str]
SMALL = ("--param", "n_kernel_features=300", "--param", "n_augmented=1")


@pytest.fixture(scope="module")
def moves(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    data = movements(labels=(*LABELS, "still"))
    labels = np.where(data.samples.label == "still", "none", data.samples.label)
    save_dataset(replace(data, samples=replace(data.samples, label=labels)), folder / "d.npz")
    args = ["train", folder / "d.npz", "--out", folder / "moves.onnx", *SMALL]
    done = CliRunner().invoke(main, [str(arg) for arg in args])
    assert done.exit_code == 0, done.output
    return folder / "moves.onnx"


def lesson(name: str, *labels: str) -> LandmarkDataset:
    """Movements with rests of two seconds between, as consecutive parts of one recording."""
    clips, names, place = [], [], np.zeros(3)
    for label in ("still", *(part for one in labels for part in (one, "still"))):
        image, side, time = clip(label, fps=30, seconds=2 if label == "still" else 1, person=9)
        moved = image - image[0, 0, 0] + place
        place = moved[-1, 0, 0]
        clips.append((moved.astype(np.float32), side, time))
        names.append("none" if label == "still" else label)
    n = len(names)
    return dataset_of(clips, names, recording=[name] * n, source=[f"{name}#{k}" for k in range(n)])


@pytest.fixture
def lessons(tmp_path: Path) -> Path:
    save_dataset(lesson("one", "left", "circle"), tmp_path / "one.npz")
    return tmp_path / "one.npz"


def test_replay_is_the_log_of_the_recogniser(
    moves: Path, lessons: Path, run: Run, tmp_path: Path
) -> None:
    result = run("replay", moves, lessons, "--json")
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["label"] for row in rows] == ["left", "circle"]
    assert rows[0]["start"] == pytest.approx(2, abs=0.5)
    (stream,) = dataset_streams(lesson("one", "left", "circle"))
    told = recognise([load_model(moves)], stream.video)
    assert result.stdout.splitlines() == [event.line() for event in told]
    assert run("replay", moves, lessons, "--json").stdout == result.stdout
    text = run("replay", moves, lessons).stdout
    assert "left" in text
    assert "stream" not in text
    save_dataset(lesson("two", "right"), tmp_path / "two.npz")
    both = run("replay", moves, lessons, tmp_path / "two.npz", "--json").stdout.splitlines()
    assert [json.loads(line)["stream"] for line in both] == ["one", "one", "two"]
    strict = run("replay", moves, lessons, "--json", "--movement-threshold", "1")
    assert len(strict.stdout.splitlines()) < 2


def test_replay_of_what_is_none(moves: Path, lessons: Path, run: Run, refused: Refused) -> None:
    assert "is no model" in refused(run("replay", lessons))
    assert "nothing to replay" in refused(run("replay", moves))
    assert "there is no file" in refused(run("replay", moves, "gone.npz"))
    assert run("replay", moves, lessons, "--dwell", "-1").exit_code == 2


def test_label_of_two_models_is_noted(moves: Path, lessons: Path, run: Run) -> None:
    result = run("replay", moves, moves, lessons, "--json")
    assert len(result.stdout.splitlines()) == 4
    assert "note: more than one model knows circle, left, right" in result.stderr
    assert "more than one" not in run("replay", moves, lessons).stderr


def test_a_recording_that_is_missing_does_not_cost_the_others(
    moves: Path, lessons: Path, run: Run
) -> None:
    result = run("replay", moves, "gone.npz", lessons, "--json")
    assert result.exit_code == 3
    # A line has the same keys whether another recording failed or not.
    whole = run("replay", moves, lessons, lessons, "--json").stdout
    assert result.stdout == whole[: len(whole) // 2]
    assert '"stream": "one"' in result.stdout
    assert "failed: gone.npz: there is no file gone.npz" in result.stderr


def test_replay_of_a_folder_of_recordings_is_that_of_each(
    moves: Path, run: Run, tmp_path: Path
) -> None:
    root = tmp_path / "triggers"
    make_recordings_folder(root)
    for number, label in enumerate(("left", "right")):
        (root / label).mkdir()
        save_dataset(lesson(label, label), root / label / f"000{number}.npz")
    each = [run("replay", moves, path, "--json").stdout for path in sorted(root.glob("*/*.npz"))]
    told = [json.loads(line) for line in run("replay", moves, root, "--json").stdout.splitlines()]
    assert [one.pop("stream") for one in told] == ["left", "right"]
    assert told == [json.loads(one) for one in each]
    (root / "left" / "0000.mp4").write_bytes(b"is not followed anew")
    assert run("replay", moves, root / "left", "--json").stdout == each[0]


def test_calibrate_writes_thresholds_into_the_file(
    moves: Path, lessons: Path, run: Run, parsed: Parsed, tmp_path: Path
) -> None:
    out = tmp_path / "c.onnx"
    before = moves.read_bytes()
    result = run("calibrate", moves, lessons, "--out", out, "--json")
    said = parsed(result)
    assert moves.read_bytes() == before
    assert (said["n_found"], said["n"], said["n_false"]) == (2, 2, 0)
    assert set(said["labels"]) == set(LABELS)
    assert said["labels"]["left"]["threshold_before"] is None
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


def test_calibrate_names_labels_that_the_model_does_not_know(
    moves: Path, run: Run, tmp_path: Path
) -> None:
    data = lesson("one", "left", "circle")
    label = np.where(data.samples.label == "left", "Left", data.samples.label)
    save_dataset(replace(data, samples=replace(data.samples, label=label)), tmp_path / "d.npz")
    said = run("calibrate", moves, tmp_path / "d.npz", "--dry-run").stderr
    assert "1 of 2 gestures have labels that the model does not know (Left)" in said


def test_calibrate_can_say_without_writing(moves: Path, lessons: Path, run: Run) -> None:
    before = moves.read_bytes()
    result = run("calibrate", moves, lessons, "--dry-run")
    assert result.exit_code == 0
    assert "default" in result.stdout
    assert "nothing written" in result.stdout
    assert "at 95 %" in result.stdout
    assert moves.read_bytes() == before


def test_calibrate_refuses(
    moves: Path, lessons: Path, run: Run, refused: Refused, tmp_path: Path
) -> None:
    data = lessons.read_bytes()
    assert "is one of the datasets" in refused(run("calibrate", moves, lessons, "--out", lessons))
    assert lessons.read_bytes() == data
    assert "there is no file" in refused(run("calibrate", moves, tmp_path / "gone.npz"))
    for rate in ("0", "-1", "nan", "often"):
        wrong = run("calibrate", moves, lessons, "--false-activations-per-hour", rate)
        assert wrong.exit_code in (1, 2), rate
        assert isinstance(wrong.exception, SystemExit), rate


def test_training_learns_what_lies_between_unless_told(
    run: Run, parsed: Parsed, tmp_path: Path
) -> None:
    save_dataset(movements(3, 1), tmp_path / "d.npz")
    args = ("train", tmp_path / "d.npz", "--out", tmp_path / "m.onnx", "--json", *SMALL)
    assert "none" in parsed(run(*args))["labels"]
    assert parsed(run(*args, "--no-background"))["labels"] == sorted(LABELS)
