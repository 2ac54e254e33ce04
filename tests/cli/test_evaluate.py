"""``handlore evaluate``."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from movement_stubs import (
    clip,
    dataset_of,
    movements,
    two_handed,
)

from handlore.cli import main
from handlore.datasets.dataset import LandmarkDataset, concatenate
from handlore.datasets.storage import save_dataset

Run = Callable[..., Result]
Parsed = Callable[..., Any]
SCORE_KEYS = {"accuracy", "macro_f1", "n", "labels", "confusion", "per_class"}
Refused = Callable[..., str]
LINEAR = ("--model", "linear", "--no-streams")
SMALL = ("--param", "n_kernel_features=84", "--param", "n_augmented=0")


def test_test_split_and_missing_hand(
    converted: tuple[Result, Path], onnx: Path, run: Run, parsed: Parsed, tmp_path: Path
) -> None:
    result = parsed(run("evaluate", onnx, converted[1], "--json"))
    assert SCORE_KEYS | {"n_no_hand"} <= set(result)
    assert (result["n"], result["n_no_hand"]) == (2, 1)
    assert result["per_class"]["none"]["recall"] == 1
    everything = parsed(run("evaluate", onnx, converted[1], "--split", "train", "--json"))
    assert everything["n"] == 2


def test_training_data_is_noted(
    npz: Path, onnx: Path, converted: tuple[Result, Path], run: Run
) -> None:
    assert "trained on exactly this data" in run("evaluate", onnx, npz).stderr
    left, line = run("evaluate", onnx, converted[1]).stderr.splitlines()
    assert "tested: 2 of test; left out: 2 of train" in left
    assert "1 test sample is also in training" in line  # a copy, as it is


def test_unknown_labels(
    pictures: Path, subset: Callable[..., Path], npz: Path, run: Run, tmp_path: Path
) -> None:
    out = tmp_path / "two.onnx"
    few = subset({"fist": 6, "point": 6})
    assert run("train", few, "--model", "linear", "--out", out).exit_code == 0
    assert "does not know open_palm, victory" in run("evaluate", out, npz).stderr


def train(*args: object) -> Result:
    return CliRunner().invoke(main, ["train", *map(str, args), *SMALL])


def test_movements(moves: Path, saved: Callable[..., Path], run: Run, parsed: Parsed) -> None:
    others = movements(3, 1, labels=("left", "right", "up"), seed=5)
    names = np.array([f"new{group}" for group in others.samples.group])
    others = replace(others, samples=replace(others.samples, group=names))
    result = run("evaluate", moves, saved(others), "--json")
    scores = parsed(result)
    assert scores["n"] == 9
    assert scores["per_class"]["left"]["recall"] == scores["per_class"]["right"]["recall"] == 1
    assert "does not know up" in result.stderr
    assert (scores["streams"]["n"], scores["streams"]["between"]) == (9, "synthetic")


def test_clip_without_a_hand(
    moves: Path, saved: Callable[..., Path], run: Run, parsed: Parsed
) -> None:
    image, side, time = clip("left")
    lost = (np.full_like(image, np.nan), np.full_like(side, np.nan), time)
    data = dataset_of([lost, lost, clip("right")], ["none", "left", "right"])
    scores = parsed(run("evaluate", moves, saved(data), "--json"))
    assert (scores["n"], scores["n_no_hand"]) == (3, 2)
    assert scores["accuracy"] == pytest.approx(2 / 3)


def test_text_of_clips(moves: Path, clips: Path, run: Run) -> None:
    result = run("evaluate", moves, clips)
    assert "32 clips of 4 labels" in result.stdout
    assert "in a stream with the clips of none in between: " in result.stdout
    assert "of 24 gestures found" in result.stdout
    assert "in a stream" not in run("evaluate", moves, clips, "--no-streams").stdout
    assert "trained on exactly this data" in result.stderr


def test_nothing_but_none(moves: Path, saved: Callable[..., Path], run: Run) -> None:
    image, side, time = clip("still")
    data = dataset_of([(image, side, time)] * 3, ["none"] * 3)
    done = run("evaluate", moves, saved(data))
    assert re.search(
        r"in a stream of nothing but none: \d+ false events? \(.* a minute\)", done.stdout
    )


def test_wrong_kind(
    moves: Path,
    onnx: Path,
    npz: Path,
    clips: Path,
    saved: Callable[..., Path],
    run: Run,
    refused: Refused,
    tmp_path: Path,
) -> None:
    out = tmp_path / "m.onnx"
    assert "holds poses" in refused(run("evaluate", moves, npz))
    assert "holds movements" in (line := refused(run("evaluate", onnx, clips)))
    assert line.endswith("use a model such as movements")
    line = refused(run("train", npz, "--model", "rocket", "--out", out))
    assert "holds poses" in line
    assert line.endswith("use a model such as kernel")
    assert "holds poses" in refused(run("crossval", npz, "--model", "rocket"))
    assert "kind is pose in one" in refused(run("train", npz, clips, "--out", out))
    assert "--max-hands 1" in refused(run("evaluate", moves, saved(two_handed(movements(1, 1)))))
    assert not out.exists()


def test_missed_hands_and_wrong_answers(dataset: LandmarkDataset, run, parsed, tmp_path) -> None:
    nothing = {"image": np.nan, "world": np.nan, "handedness": np.nan, "score": np.nan, "stage": -1}
    arrays = {name: getattr(dataset, name).copy() for name in nothing}
    for name, array in arrays.items():
        array[:3] = nothing[name]
    save_dataset(replace(dataset, **arrays), tmp_path / "d.npz")
    result = run("crossval", tmp_path / "d.npz", *LINEAR)
    assert "3 because no hand was found" in result.stdout
    values = parsed(run("crossval", tmp_path / "d.npz", *LINEAR, "--json"))
    assert values["n_missed"] == 3
    assert values["n_wrong"] == round(values["n"] * (1 - values["accuracy"])) - 3
    assert sum(row["n_with_hand"] for row in values["yield"]) == values["n"] - 3


def test_renamed_copy_is_a_leak(dataset: LandmarkDataset, run, parsed, tmp_path) -> None:
    """A picture of p00 stands in the data once more, as one of p01's."""
    again = dataset.select(np.array([0]))
    groups = sorted(set(dataset.samples.group.tolist()))
    other = next(g for g in groups if g != again.samples.group[0])
    samples = replace(again.samples, group=np.array([other]), source=np.array(["copy.png"]))
    path = tmp_path / "x.npz"
    save_dataset(concatenate([dataset, replace(again, samples=samples)]), path)
    result = run("crossval", path, *LINEAR, "--json")
    leaks = parsed(result)["leaks"]
    assert leaks["same_file"] == 2  # each of the two is tested once, with the other in training
    assert any(one["test"] == "copy.png" for one in leaks["examples"])
    assert "also in training" in result.stderr


def test_leaks_of_a_model(dataset, npz, onnx, run, parsed, tmp_path) -> None:
    few = tmp_path / "few.npz"
    renamed = replace(dataset.samples, group=np.full(dataset.n_samples, "nobody"))
    own = replace(dataset, samples=renamed).select(np.arange(5))
    views = replace(own, samples=replace(own.samples, view=np.ones(5, np.int64)))
    save_dataset(concatenate([own, views]), few)
    result = run("evaluate", onnx, few, "--json")
    assert parsed(result)["leaks"]["same_file"] == 5
    assert "5 test samples are also in training" in result.stderr
    assert "item_digests" not in run("info", onnx).stdout


def test_leaks_unknown(dataset, onnx, run, parsed, tmp_path) -> None:
    """Training pictures that were saved again: a model file remembers digests, no landmarks."""
    n = dataset.n_samples
    digests = np.array([f"{k:064x}" for k in range(n)])
    again = replace(dataset.samples, sha256=digests, group=np.full(n, "nobody"))
    save_dataset(replace(dataset, samples=again), tmp_path / "again.npz")
    result = run("evaluate", onnx, tmp_path / "again.npz", "--json", "--report", tmp_path / "r")
    assert parsed(result)["leaks"]["same_landmarks"] is None
    page = (tmp_path / "r" / "report.html").read_text("utf-8")
    assert "none of the samples tested, by file; landmarks could not be compared" in page


def test_leaks_that_cannot_be_checked(dataset, onnx, run, parsed, tmp_path) -> None:
    bare = replace(dataset.samples, sha256=np.full(dataset.n_samples, ""))
    save_dataset(replace(dataset, samples=bare), tmp_path / "bare.npz")
    result = run("evaluate", onnx, tmp_path / "bare.npz", "--json", "--report", tmp_path / "r")
    assert parsed(result)["leaks"] is None
    assert "could not be checked" in result.stderr
    page = (tmp_path / "r" / "report.html").read_text("utf-8")
    assert "unknown: it could not be checked" in page


def test_leaks_between_splits(dataset, run, parsed, tmp_path) -> None:
    n = dataset.n_samples
    split = np.where(np.arange(n) % 2, "train", "test")
    samples = replace(dataset.samples, split=split, sha256=np.full(n, ""))
    half = replace(dataset, samples=samples).select(np.arange(n))
    half.image[1], half.handedness[1] = half.image[0], half.handedness[0]
    save_dataset(half, tmp_path / "d.npz")
    run("train", tmp_path / "d.npz", "--model", "linear", "--out", tmp_path / "m.onnx")
    leaks = parsed(run("evaluate", tmp_path / "m.onnx", tmp_path / "d.npz", "--json"))["leaks"]
    assert leaks["same_landmarks"] >= 1
    assert leaks["examples"][0]["test"] == str(samples.source[0])


def with_splits(dataset: LandmarkDataset, path: Path, *splits: str) -> Path:
    """A file in which the first samples have these splits, and the others none."""
    split = np.array([*splits, *[""] * (dataset.n_samples - len(splits))])
    names = np.array([f"{path.stem} {k}" for k in range(len(split))])
    samples = replace(dataset.samples, split=split, source=names, sha256=names)
    save_dataset(replace(dataset, samples=samples), path)
    return path


def test_each_file_has_a_split_or_none(dataset, onnx, run, parsed, tmp_path) -> None:
    n = dataset.n_samples
    whole = with_splits(dataset, tmp_path / "whole.npz")
    parts = with_splits(dataset, tmp_path / "parts.npz", *["test"] * 3, *["train"] * (n - 3))
    result = run("evaluate", onnx, whole, parts, "--json")
    assert f"tested: {n} without a split, 3 of test; left out: {n - 3} of train" in result.stderr
    values = parsed(result)
    assert values["n"] == n + 3
    assert values["splits"] == {"tested": {"": n, "test": 3}, "left_out": {"train": n - 3}}
    assert parsed(run("evaluate", onnx, whole, parts, "--split", "test", "--json"))["n"] == 3
    assert "left out" not in run("evaluate", onnx, whole).stderr


def test_all_splits_test_a_model_that_comes_with_handlore(dataset, run, parsed, tmp_path) -> None:
    labels = np.where(dataset.samples.label == "victory", "peace", dataset.samples.label)
    data = replace(dataset, samples=replace(dataset.samples, label=labels))
    path = with_splits(data, tmp_path / "d.npz", "test", *["train"] * (data.n_samples - 1))
    result = run("evaluate", "everyday", path, "--no-streams", "--json")
    assert parsed(result)["n"] == data.n_samples
    assert "as everyday comes with handlore; choose with --split" in result.stderr
    assert parsed(run("evaluate", "everyday", path, "--split", "test", "--json"))["n"] == 1


def labelled(dataset: LandmarkDataset, path: Path, names: dict[str, str]) -> Path:
    labels = np.array([names.get(label, label) for label in dataset.samples.label.tolist()])
    save_dataset(replace(dataset, samples=replace(dataset.samples, label=labels)), path)
    return path


def test_labels_in_another_spelling_count(dataset, onnx, run, parsed, tmp_path) -> None:
    names = {"open_palm": "Open palm", "fist": "FIST", "victory": "no_gesture"}
    data = labelled(dataset, tmp_path / "d.npz", names)
    result = run("evaluate", onnx, data, "--json", "--no-streams")
    values = parsed(result)
    assert values["counted_as"] == {"FIST": "fist", "Open palm": "open_palm"}
    assert values["per_class"]["open_palm"]["recall"] == values["per_class"]["fist"]["recall"] == 1
    assert "note: FIST counts as fist, Open palm as open_palm" in result.stderr
    assert "does not know no_gesture; each counts as an error" in result.stderr


def test_names_for_no_gesture(moves: Path, saved: Callable[..., Path], run: Run) -> None:
    data = movements(2, 1, labels=("left", "still"))
    labels = np.where(data.samples.label == "still", "No gesture", "left")
    path = saved(replace(data, samples=replace(data.samples, label=labels)))
    line = "No gesture may mean no gesture: `handlore convert` with --none 'No gesture' makes it"
    assert line in run("evaluate", moves, path, "--no-streams").stderr


def test_data_of_which_no_gesture_is_known(
    moves: Path, saved: Callable[..., Path], run: Run
) -> None:
    """That the model knows ``none``, too, is no reason to score it."""
    data = movements(2, 1, labels=("left", "still"))
    labels = np.where(data.samples.label == "still", "none", "wink")
    path = saved(replace(data, samples=replace(data.samples, label=labels)))
    assert "knows none of the labels of the data (wink;" in run("evaluate", moves, path).stderr


def test_data_of_which_no_label_is_known(dataset, onnx, run, refused, tmp_path) -> None:
    data = dataset.select(np.isin(dataset.samples.label, ["fist", "point"]))
    path = labelled(data, tmp_path / "d.npz", {"fist": "rock", "point": "one"})
    line = refused(run("evaluate", onnx, path))
    assert "none of the labels of the data (one, rock; the model: fist, open_palm, point" in line


def test_none_that_was_not_learnt(
    saved: Callable[..., Path], run: Run, moves: Path, tmp_path: Path
) -> None:
    """Such a model has the label none for streams, and clips never get it."""
    known, out = movements(3, 2, labels=("left", "right")), tmp_path / "m.onnx"
    path = saved(known)
    assert train(path, "--out", out).exit_code == 0
    labels = np.where(known.samples.label == "left", "left", "none")
    other = saved(replace(known, samples=replace(known.samples, label=labels)))
    line = "has not learnt none from examples; each of its samples that shows a hand counts as an"
    assert line in run("evaluate", out, other, "--no-streams").stderr
    assert line not in run("evaluate", moves, other, "--no-streams").stderr


def test_macro_f1_without_an_interval(dataset, onnx, run, parsed, tmp_path) -> None:
    """All of one label are right, all of two are not known to the model."""
    names = {"point": "one", "victory": "one", "open_palm": "one"}
    people = replace(dataset.samples, group=np.full(dataset.n_samples, ""))
    data = labelled(replace(dataset, samples=people), tmp_path / "d.npz", names)
    result = run("evaluate", onnx, data, "--no-streams", "--report", tmp_path / "r")
    assert "macro-F1 0.500 (no interval)" in result.stdout
    assert parsed(run("evaluate", onnx, data, "--json"))["macro_f1_interval"] is None
