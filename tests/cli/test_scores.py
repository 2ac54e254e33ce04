"""Honest numbers on the command line: intervals, the random split, leaks, comparisons."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from handlore.classifiers.evaluation.leaks import MAX_DIGESTS, item_digests
from handlore.datasets.dataset import LandmarkDataset, Samples, concatenate
from handlore.datasets.storage import save_dataset
from handlore.landmarks.geometry import rotate


def test_scores_come_with_intervals(npz, run, parsed) -> None:
    result = run("crossval", npz, "--model", "linear")
    assert "[" in result.stdout
    assert "too narrow, as they are of 3 groups" in result.stdout
    values = parsed(run("crossval", npz, "--model", "linear", "--json"))
    for name in ("accuracy", "macro_f1"):
        low, high = values[f"{name}_interval"]
        assert low <= values[name] <= high
    assert values["leaks"]["n"] == 0
    assert len(values["items"]["source"]) == values["n"]


def test_random_split_is_compared(npz, run, parsed) -> None:
    result = run("crossval", npz, "--model", "linear", "--by", "random", "--folds", 3)
    assert "tested by group, as in later use: accuracy" in result.stdout
    values = parsed(
        run("crossval", npz, "--model", "linear", "--by", "random", "--folds", 3, "--json")
    )
    assert values["honest"]["by"] == "group"
    assert values["gap"] == pytest.approx(values["accuracy"] - values["honest"]["accuracy"])
    assert "honest" not in parsed(run("crossval", npz, "--model", "linear", "--json"))


def test_split_by_recording_is_compared(dataset: LandmarkDataset, run, parsed, tmp_path) -> None:
    recording = np.array([f"r{k % 6}" for k in range(dataset.n_samples)])
    samples = replace(dataset.samples, recording=recording)
    save_dataset(replace(dataset, samples=samples), tmp_path / "d.npz")
    options = ("--model", "linear", "--by", "recording", "--json")
    assert parsed(run("crossval", tmp_path / "d.npz", *options))["honest"]["by"] == "group"


def test_digests_of_many_items() -> None:
    few = Samples.make(["a"] * 3, sha256=["x", "y", "x"])
    many = Samples.make(["a"] * (MAX_DIGESTS + 1),
                        sha256=[str(k) for k in range(MAX_DIGESTS + 1)])  # fmt: skip
    assert [len(item_digests(_bare(samples))) for samples in (few, many)] == [20, 0]


def _bare(samples: Samples) -> LandmarkDataset:
    n = len(samples)
    image, one = np.zeros((n, 1, 21, 3), np.float32), np.ones((n, 1), np.float32)
    return LandmarkDataset(
        image, image, one, one, np.zeros((n, 1), np.int8), np.zeros(n), np.arange(n + 1), samples
    )


def test_random_split_without_comparison(dataset: LandmarkDataset, run, parsed, tmp_path) -> None:
    """Each of two people shows one label: held out, one label is left to train on."""
    labels = dataset.samples.label
    two = dataset.select(np.isin(labels, ["fist", "point"]))
    groups = np.where(two.samples.label == "fist", "anna", "ben")
    save_dataset(replace(two, samples=replace(two.samples, group=groups)), tmp_path / "d.npz")
    result = run("crossval", tmp_path / "d.npz", "--model", "linear", "--by", "random", "--json")
    assert "honest" not in parsed(result)
    assert "there is no result by group to compare with" in result.stderr


def test_random_default_is_noted(run, subset) -> None:
    result = run("crossval", subset({"fist": 4, "point": 4}), "--model", "linear")
    assert "the person, session and recording of the samples are unknown" in result.stderr
    assert "their groups are unknown" in result.stdout


def test_misses_are_told_apart_from_wrong_answers(
    dataset: LandmarkDataset, run, parsed, tmp_path
) -> None:
    nothing = {"image": np.nan, "world": np.nan, "handedness": np.nan, "score": np.nan, "stage": -1}
    arrays = {name: getattr(dataset, name).copy() for name in nothing}
    for name, array in arrays.items():
        array[:3] = nothing[name]
    save_dataset(replace(dataset, **arrays), tmp_path / "d.npz")
    result = run("crossval", tmp_path / "d.npz", "--model", "linear")
    assert "3 because no hand was found" in result.stdout
    values = parsed(run("crossval", tmp_path / "d.npz", "--model", "linear", "--json"))
    assert values["n_missed"] == 3
    assert values["n_wrong"] == round(values["n"] * (1 - values["accuracy"])) - 3
    assert sum(row["n_with_hand"] for row in values["yield"]) == values["n"] - 3


def test_a_copy_under_another_name_is_told(dataset: LandmarkDataset, run, parsed, tmp_path) -> None:
    """A picture of p00 stands in the data once more, as one of p01's."""
    again = dataset.select(np.array([0]))
    groups = sorted(set(dataset.samples.group.tolist()))
    other = next(g for g in groups if g != again.samples.group[0])
    samples = replace(again.samples, group=np.array([other]), source=np.array(["copy.png"]))
    path = tmp_path / "x.npz"
    save_dataset(concatenate([dataset, replace(again, samples=samples)]), path)
    result = run("crossval", path, "--model", "linear", "--json")
    leaks = parsed(result)["leaks"]
    assert leaks["same_file"] == 2  # each of the two is tested once, with the other in training
    assert any(one["test"] == "copy.png" for one in leaks["examples"])
    assert "also in training" in result.stderr


def test_leaks_of_a_model_file(dataset, npz, onnx, run, parsed, tmp_path) -> None:
    few = tmp_path / "few.npz"
    renamed = replace(dataset.samples, group=np.full(dataset.n_samples, "nobody"))
    own = replace(dataset, samples=renamed).select(np.arange(5))
    views = replace(own, samples=replace(own.samples, view=np.ones(5, np.int64)))
    save_dataset(concatenate([own, views]), few)
    result = run("evaluate", onnx, few, "--json")
    assert parsed(result)["leaks"]["same_file"] == 5
    assert "5 test samples are also in training" in result.stderr
    assert "item_digests" not in run("info", onnx).stdout


def test_what_could_not_be_compared_is_not_called_unseen(
    dataset, onnx, run, parsed, tmp_path
) -> None:
    """Training pictures that were saved again: a model file remembers digests, no landmarks."""
    n = dataset.n_samples
    digests = np.array([f"{k:064x}" for k in range(n)])
    again = replace(dataset.samples, sha256=digests, group=np.full(n, "nobody"))
    save_dataset(replace(dataset, samples=again), tmp_path / "again.npz")
    result = run("evaluate", onnx, tmp_path / "again.npz", "--json", "--report", tmp_path / "r")
    assert parsed(result)["leaks"]["same_landmarks"] is None
    page = (tmp_path / "r" / "report.html").read_text("utf-8")
    assert "none of the samples tested, by file; landmarks could not be compared" in page


def test_splits_of_one_file_are_compared_by_landmarks(dataset, run, parsed, tmp_path) -> None:
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


def written(run, npz: Path, out: Path, *options: object) -> Path:
    out.write_text(run("crossval", npz, "--json", *options).stdout)
    return out


def test_compare_says_it_in_one_line(npz, run, parsed, tmp_path) -> None:
    a = written(run, npz, tmp_path / "a.json", "--model", "linear")
    run("crossval", npz, "--model", "linear", "--report", tmp_path / "r")
    b = tmp_path / "r" / "scores.json"
    result = run("compare", a, b)
    assert result.exit_code == 0
    last = result.stdout.splitlines()[-1]
    assert last.startswith("A and B do not differ significantly")
    assert last.endswith("they predict the same items correctly.")
    assert parsed(run("compare", a, b, "--json"))["difference"] == 0


def test_compare_notes_leaks(npz, onnx, run, parsed, tmp_path) -> None:
    """The model was trained on what it is tested on; nothing is known of the other run."""
    seen, other = tmp_path / "seen.json", tmp_path / "other.json"
    seen.write_text(run("evaluate", onnx, npz, "--json").stdout)
    other.write_text(json.dumps(json.loads(seen.read_text()) | {"leaks": {"n": 0}}))
    result = run("compare", other, seen, "--json")
    assert (parsed(result)["leaks_a"], parsed(result)["leaks_b"]) == (0, 24)
    assert result.stderr.splitlines() == [
        "note: 24 of the items are also in the training data of B, so B looks better than it is"
    ]


def test_compare_refuses_other_items(npz, run, refused, subset, tmp_path) -> None:
    a = written(run, npz, tmp_path / "a.json", "--model", "linear")
    b = written(run, subset({"fist": 4, "point": 4}), tmp_path / "b.json", "--model", "linear")
    assert "8 are in both, 24 in A and 8 in B" in refused(run("compare", a, b))
    c = written(run, npz, tmp_path / "c.json", "--model", "linear", "--by", "random")
    assert "tested in the same way" in refused(run("compare", a, c))
    assert "there is no file" in refused(run("compare", a, tmp_path / "no.json"))
    assert "has no predictions" in refused(run("compare", a, _empty(tmp_path)))


def _empty(folder: Path) -> Path:
    path = folder / "old.json"
    path.write_text('{"accuracy": 1.0}')
    return path


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


def test_labels_that_differ_in_direction(dataset: LandmarkDataset, run, parsed, tmp_path) -> None:
    thumbs = [
        turned(dataset, "fist", degrees, name) for degrees, name in ((0, "up"), (180, "down"))
    ]
    other = dataset.select(dataset.samples.label == "point")
    save_dataset(concatenate([*thumbs, other]), tmp_path / "d.npz")
    result = run(
        "crossval", tmp_path / "d.npz", "--model", "forest", "--report", tmp_path / "report"
    )
    assert "down and up were confused" in result.stderr
    assert "point in different directions" in (tmp_path / "report" / "report.html").read_text()
    features = result.stderr.split("--features ")[1].split()[0]
    better = run("crossval", tmp_path / "d.npz", "--features", features, "--json")
    assert parsed(better)["accuracy"] > 0.95
    assert "point in different directions" not in better.stderr


def test_labels_with_one_direction(dataset: LandmarkDataset, run, tmp_path) -> None:
    same = [turned(dataset, "fist", 0, name) for name in ("one", "other")]
    save_dataset(concatenate(same), tmp_path / "d.npz")
    assert "point in different directions" not in run("crossval", tmp_path / "d.npz").stderr
