"""``handlore crossval``."""

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from movement_stubs import (
    movements,
)

from handlore.cli.crossval import brackets
from handlore.datasets.dataset import LandmarkDataset, concatenate
from handlore.datasets.storage import load_dataset, save_dataset
from handlore.landmarks.geometry import rotate

Run = Callable[..., Result]
Parsed = Callable[..., Any]
Refused = Callable[..., str]
Subset = Callable[[Mapping[str, int]], Path]
POSES = ["fist", "open_palm", "point", "victory"]
SCORE_KEYS = {"accuracy", "macro_f1", "n", "labels", "confusion", "per_class"}
SMALL = ("--param", "n_kernel_features=84", "--param", "n_augmented=0")
LINEAR = ("--model", "linear", "--no-streams")
"""Scores in streams take most of the time, and are tested elsewhere."""


@pytest.mark.parametrize("model", ["forest", "linear", "xgboost"])
def test_poses(model: str, npz: Path, run: Run, parsed: Parsed) -> None:
    result = parsed(run("crossval", npz, "--model", model, "--no-streams", "--json"))
    assert SCORE_KEYS | {"by", "n_groups", "n_no_hand"} <= set(result)
    assert (result["by"], result["n_groups"], result["n"]) == ("group", 3, 24)
    assert result["labels"] == POSES
    assert np.sum(result["confusion"]) == 24
    assert np.trace(result["confusion"]) / 24 == pytest.approx(result["accuracy"])
    assert result["accuracy"] >= 0.8
    assert set(result["per_class"]["fist"]) == {"precision", "recall", "f1", "support"}


def test_random_split_and_text(npz: Path, run: Run) -> None:
    result = run("crossval", npz, *LINEAR, "--by", "random", "--folds", 3)
    assert result.exit_code == 0
    assert "linear, cross-validated at random, 3 folds" in result.stdout
    assert "accuracy" in result.stdout
    assert result.stderr == ""


def test_movements(clips: Path, run: Run, parsed: Parsed) -> None:
    result = run("crossval", clips, *SMALL, "--folds", 2, "--json")
    scores = parsed(result)
    assert (scores["model"], scores["by"], scores["n_folds"]) == ("rocket", "group", 2)
    assert (scores["n"], scores["n_groups"]) == (32, 4)
    assert scores["accuracy"] > 0.8
    assert scores["streams"]["n"] == 24
    assert scores["streams"]["between"] == "none"
    assert result.stderr == ""


def test_streams_are_printed(saved: Callable[..., Path], run: Run, parsed: Parsed) -> None:
    few = ("--param", "n_kernel_features=84", "--param", "n_augmented=0")
    options = (saved(movements(2, 2)), *few)
    said = run("crossval", *options).stdout
    assert "in a stream with synthetic idle movement in between: " in said
    assert re.search(r"\d+ % of 12 gestures found, \d+ % confused, \d+ % missed; \d+ false", said)
    assert "in a stream" not in run("crossval", *options, "--no-streams").stdout
    assert "streams" not in parsed(run("crossval", *options, "--no-streams", "--json"))


def test_mirrored_label_missing_in_a_fold(
    saved: Callable[..., Path], run: Run, parsed: Parsed
) -> None:
    data = movements(3, 1, labels=("circle", "left"))
    labels = data.samples.label.astype("<U9")
    labels[1] = "right"
    path = saved(replace(data, samples=replace(data.samples, label=labels)))
    mirrored = ("--mirror-labels", "left=right")
    scores = parsed(run("crossval", path, *SMALL, *mirrored, "--no-streams", "--json"))
    assert (scores["n"], scores["untested"]) == (5, {"right": 1})


def test_intervals(npz, run, parsed) -> None:
    result = run("crossval", npz, *LINEAR)
    assert "[" in result.stdout
    assert "too narrow, as they are of 3 groups" in result.stdout
    values = parsed(run("crossval", npz, *LINEAR, "--json"))
    for name in ("accuracy", "macro_f1"):
        low, high = values[f"{name}_interval"]
        assert low <= values[name] <= high
    assert values["leaks"]["n"] == 0
    assert len(values["items"]["source"]) == values["n"]


def test_random_split_shows_the_grouped_accuracy(npz, run, parsed) -> None:
    result = run("crossval", npz, *LINEAR, "--by", "random", "--folds", 3)
    assert "tested by group, as in later use: accuracy" in result.stdout
    values = parsed(run("crossval", npz, *LINEAR, "--by", "random", "--folds", 3, "--json"))
    assert values["honest"]["by"] == "group"
    assert values["gap"] == pytest.approx(values["accuracy"] - values["honest"]["accuracy"])
    assert "honest" not in parsed(run("crossval", npz, *LINEAR, "--json"))


def test_recording_split_shows_the_grouped_accuracy(
    dataset: LandmarkDataset, run, parsed, tmp_path
) -> None:
    recording = np.array([f"r{k % 6}" for k in range(dataset.n_samples)])
    samples = replace(dataset.samples, recording=recording)
    save_dataset(replace(dataset, samples=samples), tmp_path / "d.npz")
    options = (*LINEAR, "--by", "recording", "--json")
    assert parsed(run("crossval", tmp_path / "d.npz", *options))["honest"]["by"] == "group"


def test_random_split_without_groups(dataset: LandmarkDataset, run, parsed, tmp_path) -> None:
    """Each of two people shows one label: held out, one label is left to train on."""
    labels = dataset.samples.label
    two = dataset.select(np.isin(labels, ["fist", "point"]))
    groups = np.where(two.samples.label == "fist", "anna", "ben")
    save_dataset(replace(two, samples=replace(two.samples, group=groups)), tmp_path / "d.npz")
    result = run("crossval", tmp_path / "d.npz", *LINEAR, "--by", "random", "--json")
    assert "honest" not in parsed(result)
    assert "there is no result by group to compare with" in result.stderr


def test_default_random_split_is_noted(run, subset) -> None:
    result = run("crossval", subset({"fist": 4, "point": 4}), *LINEAR)
    assert "the person, session and recording of the samples are unknown" in result.stderr
    assert "their groups are unknown" in result.stdout


def turned(dataset: LandmarkDataset, label: str, degrees: float, name: str) -> LandmarkDataset:
    """The hands of one label, as another one that points elsewhere, six times each and unsteady."""
    hands = dataset.select(np.repeat(np.flatnonzero(dataset.samples.label == label), 6))
    rng = np.random.default_rng(int(degrees))
    image, world = (
        rotate(marks + rng.normal(0, unsteady, marks.shape).astype(np.float32), degrees)
        for marks, unsteady in ((hands.image, 0.01), (hands.world, 0.002))
    )
    named = [f"{name}/{number}/{source}" for number, source in enumerate(hands.samples.source)]
    samples = replace(hands.samples, label=np.full(hands.n_samples, name), source=np.array(named))
    return replace(hands, image=image, world=world, samples=samples)


def test_pointing_direction_advice(dataset: LandmarkDataset, run, parsed, tmp_path) -> None:
    thumbs = [
        turned(dataset, "fist", degrees, name) for degrees, name in ((0, "up"), (180, "down"))
    ]
    other = dataset.select(dataset.samples.label == "point")
    save_dataset(concatenate([*thumbs, other]), tmp_path / "d.npz")
    args = ("--model", "forest", "--features", "world,image", "--no-streams")
    result = run("crossval", tmp_path / "d.npz", *args, "--report", tmp_path / "report")
    assert "down and up were confused" in result.stderr
    assert "point in different directions" in (tmp_path / "report" / "report.html").read_text()
    features = result.stderr.split("try --features ")[1].split()[0]
    options = ("--features", features, "--no-streams", "--json")
    better = run("crossval", tmp_path / "d.npz", *options)
    assert parsed(better)["accuracy"] > 0.95
    assert "point in different directions" not in better.stderr


def test_no_pointing_direction_advice(dataset: LandmarkDataset, run, tmp_path) -> None:
    same = [turned(dataset, "fist", 0, name) for name in ("one", "other")]
    save_dataset(concatenate(same), tmp_path / "d.npz")
    done = run("crossval", tmp_path / "d.npz", "--no-streams")
    assert done.exit_code == 0
    assert "point in different directions" not in done.stderr


def test_labels_that_cannot_be_tested_are_named_and_not_scored(
    run: Run, parsed: Parsed, subset: Subset
) -> None:
    data = subset({"fist": 6, "point": 6, "victory": 1})
    done = run("crossval", data, *LINEAR, "--folds", 3, "--json")
    scores = parsed(done)
    assert scores["untested"] == {"victory": 1}
    assert scores["n"] == 12
    assert "victory" not in scores["per_class"]
    assert "not in the scores: only one item shows victory (1)" in done.stderr
    assert "sklearn" not in done.stderr


def test_one_item_of_each_label_cannot_be_tested(
    run: Run, refused: Refused, subset: Subset, tmp_path: Path
) -> None:
    data = subset({"fist": 1, "point": 1, "victory": 1})
    out = tmp_path / "m.onnx"
    train = ("train", data, "--model", "linear", "--out", out)
    base = ("crossval", data, "--base", "everyday", "--model", "linear", "--no-streams")
    for done in (
        run("crossval", data, *LINEAR),
        run("crossval", data, "--model", "linear,forest"),
        run(*train, "--crossval"),
    ):
        assert "each label has only one item" in refused(done)
    assert run(*base).exit_code == 0, "the base knows fist"
    assert run(*train).exit_code == 0


def test_labels_with_the_same_items_are_named(run: Run, npz: Path, tmp_path: Path) -> None:
    dataset = load_dataset(npz)
    point = np.flatnonzero(dataset.samples.label == "point")
    copies = dataset.select(point)
    label = np.full(len(point), "further")
    copies = replace(copies, samples=replace(copies.samples, label=label))
    save_dataset(concatenate([dataset, copies]), tmp_path / "twice.npz")
    twice = tmp_path / "twice.npz"
    for done in (
        run("crossval", twice, *LINEAR),
        run("train", twice, "--model", "linear", "--out", tmp_path / "m.onnx"),
    ):
        assert done.exit_code == 0, done.output
        assert f"{2 * len(point)} identical items are under two labels" in done.stderr
        assert done.stderr.count("further = point") == 1


def test_several_estimators_are_compared(npz: Path, run: Run, tmp_path: Path) -> None:
    params = ("--param", "forest.n_estimators=5")
    done = run("crossval", npz, "--model", "linear,forest", *params, "--seed", 3)
    assert done.exit_code == 0, done.output
    assert "2 estimators, cross-validated by group, 3 folds: 24 pictures of 4 labels" in done.stdout
    assert re.search(r"linear +\d+\.\d % \[\d+.* KB +\d+\.\d s", done.stdout)
    assert "Taking in each fold the winner of the other folds gives " in done.stdout
    *_, sentence, command = done.stdout.splitlines()
    assert sentence.startswith("Take ")
    handlore, *args = shlex.split(command)
    assert (handlore, args[0], args[-2:]) == ("handlore", "train", ["--out", "model.onnx"])
    assert run(*args[:-1], tmp_path / "model.onnx").exit_code == 0
    assert (tmp_path / "model.onnx").is_file()


def test_the_command_trains_what_was_tested(npz: Path, run: Run, parsed: Parsed) -> None:
    params = ("--param", "forest.n_estimators=5", "--param", "linear.C=0.5")
    chosen = ("--features", "world,image", "--model", " forest, forest+linear", "--by", "random")
    found = parsed(run("crossval", npz, *chosen, *params, "--folds", 2, "--json"))
    assert {one["model"] for one in found["models"]} == {"forest", "forest+linear"}
    assert (found["by"], found["n_folds"], found["n"]) == ("random", 2, 24)
    both = "+linear" in found["chosen"]
    words = ["handlore", "train", str(npz), "--model", found["chosen"]]
    words += ["--features", "world,image", *params[:2], *(params[2:] if both else ())]
    assert shlex.split(found["train"]) == [*words, "--out", "model.onnx"]


def test_streams_of_several_estimators(saved: Callable[..., Path], run: Run) -> None:
    small = ("--param", "rocket.n_kernel_features=84", "--param", "rocket.n_augmented=0")
    done = run("crossval", saved(movements(2, 2)), "--model", "rocket,", *small)
    assert "unknown estimator ''" in done.stderr
    done = run("crossval", saved(movements(2, 2)), "--model", "rocket,rocket", *small, "--streams")
    assert "found in a stream" in done.stdout
    assert "1 estimator, cross-validated" in done.stdout


def test_a_report_is_of_one_estimator(npz: Path, run: Run, tmp_path: Path) -> None:
    done = run("crossval", npz, "--model", "auto", "--report", tmp_path / "report")
    assert done.exit_code == 2
    assert "--report is for one estimator" in done.stderr
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize("model", ["auto", "kernel,linear"])
def test_train_points_to_the_comparison(model: str, npz: Path, run: Run, tmp_path: Path) -> None:
    done = run("train", npz, "--model", model, "--out", tmp_path / "m.onnx")
    assert done.exit_code == 2
    assert f"handlore crossval DATA --model {model}" in done.stderr
    assert not (tmp_path / "m.onnx").exists()


def test_brackets_that_differ_between_estimators_are_told_apart() -> None:
    assert brackets({"kernel": "Wilson's", "forest": "Wilson's"}) == ["in brackets: Wilson's"]
    assert brackets({"kernel": "Wilson's", "xgboost": "drawn", "forest": "Wilson's"}) == [
        "in brackets of kernel, forest: Wilson's",
        "in brackets of xgboost: drawn",
    ]
