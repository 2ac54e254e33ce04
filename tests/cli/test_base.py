"""``--base``: one's own gestures on top of a model that comes with handlore."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from movement_stubs import movements
from recording_stubs import movement

from handlore.classifiers.extending import Base, pipeline_beside, strictest_split
from handlore.datasets.conversion.convert import convert
from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.recordings import RecordingFolder
from handlore.datasets.rendered import write_pictures
from handlore.datasets.sources import make_source
from handlore.datasets.storage import load_dataset, save_dataset
from handlore.landmarks.detector import HandDetector
from handlore.models.files import load_model
from handlore.models.ready import READY_MODELS

Run = Callable[..., Result]
Parsed = Callable[..., Any]
Refused = Callable[..., str]
MadeOnce = Callable[[str, Callable[[Path], object]], Path]

OWN = ("three", "gun")
EVERYDAY = READY_MODELS["everyday"]


@pytest.fixture(scope="session")
def own(made_once: MadeOnce, request: pytest.FixtureRequest) -> Path:
    """Two gestures that everyday does not have, of three rendered people."""

    def fill(folder: Path) -> None:
        detector: HandDetector = request.getfixturevalue("detector")
        write_pictures(folder / "pictures", poses=OWN, n_people=3, per_pose=3)
        source = make_source("images", {"name_pattern": r"_(?P<group>p\d+)_\d+\.png$"})
        save_dataset(convert(source, folder / "pictures", detector).dataset, folder / "own.npz")

    return made_once("own", fill) / "own.npz"


def test_base_keeps_and_adds(
    own: Path, dataset: LandmarkDataset, run: Run, parsed: Parsed, tmp_path: Path
) -> None:
    out = tmp_path / "mine.onnx"
    said = parsed(run("train", own, "--base", "everyday", "--out", out, "--json"))
    model = load_model(out)
    assert set(model.labels) == {*EVERYDAY.labels, *OWN}
    assert model.card.features == load_model("everyday").card.features
    assert model.card.licence.startswith(EVERYDAY.licence)
    assert model.card.training["groups"] == ["p01", "p02", "p03"]
    assert set(model.card.typical_hands) == {*EVERYDAY.gestures, *OWN}
    assert said["labels"] == list(model.labels)
    assert all(row["label"] in OWN for row in said["confused"])
    # The new gestures of the people in training, and known ones that only the base has.
    assert _share(model, load_dataset(own)) >= 0.9
    fists = dataset.select(dataset.samples.label == "fist")
    assert _share(model, fists) >= 0.8
    kept = load_dataset(EVERYDAY.examples)
    assert _share(model, kept.select(np.arange(0, kept.n_samples, 5))) >= 0.85


def _share(model: Any, data: LandmarkDataset) -> float:
    data = data.select(data.has_hand)
    best = model.predict_proba(model.encoder.encode_samples(data)).argmax(axis=1)
    return float((np.asarray(model.labels)[best] == data.samples.label).mean())


def test_a_label_of_the_base_in_another_spelling(dataset: LandmarkDataset) -> None:
    labels = np.where(dataset.samples.label == "fist", "Fist", "my_sign")
    data = replace(dataset, samples=replace(dataset.samples, label=labels))
    _, _, notes = pipeline_beside(data, "everyday")
    assert notes[0].startswith("Fist and fist of everyday are different labels")


def test_confused_labels_are_named(dataset: LandmarkDataset, run: Run, tmp_path: Path) -> None:
    """What everybody makes for `peace`, under a name of one's own."""
    victory = dataset.select(dataset.samples.label == "victory")
    labels = np.full(victory.n_samples, "my_sign")
    save_dataset(
        replace(victory, samples=replace(victory.samples, label=labels)), tmp_path / "own.npz"
    )
    done = run("train", tmp_path / "own.npz", "--base", "everyday", "--out", tmp_path / "m.onnx")
    assert done.exit_code == 0, done.output
    assert "  my_sign is confused with peace in " in done.stdout
    assert f" of {victory.n_samples}\n" in done.stdout
    assert "licence: CC BY-SA 4.0" in done.stdout


@pytest.mark.parametrize(
    ("labels", "note"),
    [(["mine"], "a single sample cannot be tested"), (["a", "b"], "nothing can be tested")],
)
def test_single_samples_are_learnt_untested(
    labels: list[str], note: str, dataset: LandmarkDataset, run: Run, tmp_path: Path
) -> None:
    some = dataset.select(np.flatnonzero(dataset.has_hand)[: len(labels)])
    samples = replace(some.samples, label=np.array(labels))
    save_dataset(replace(some, samples=samples), tmp_path / "own.npz")
    done = run("train", tmp_path / "own.npz", "--base", "everyday", "--out", tmp_path / "m.onnx")
    assert done.exit_code == 0, done.output
    assert f"note: {note}" in done.stderr
    assert "confused with" not in done.stdout
    assert {*labels, "palm"} <= set(load_model(tmp_path / "m.onnx").labels)


@pytest.mark.slow
def test_same_label_is_more_of_it(
    dataset: LandmarkDataset, run: Run, parsed: Parsed, tmp_path: Path
) -> None:
    fists = dataset.select(dataset.samples.label == "fist")
    save_dataset(fists, tmp_path / "own.npz")
    out = tmp_path / "m.onnx"
    parsed(run("train", tmp_path / "own.npz", "--base", "everyday", "--out", out, "--json"))
    counts = load_model(out).card.training["counts"]
    kept = load_dataset(EVERYDAY.examples).samples.label
    assert counts["fist"] == (kept == "fist").sum() + fists.n_samples
    assert set(counts) == set(EVERYDAY.labels)


def test_crossval_tests_own_samples_only(own: Path, run: Run, parsed: Parsed) -> None:
    scores = parsed(run("crossval", own, "--base", "everyday", "--no-streams", "--json"))
    assert scores["n"] == load_dataset(own).n_samples
    assert set(scores["per_class"]) == set(OWN)
    assert scores["by"] == "group"
    assert scores["accuracy"] >= 0.5
    assert scores["leaks"]["n"] == 0


def test_base_refused(
    own: Path, clips: Path, onnx: Path, run: Run, refused: Refused, tmp_path: Path
) -> None:
    out = tmp_path / "m.onnx"

    def said(*words: object) -> str:
        return refused(run("train", *words, "--out", out))

    assert "did you mean everyday" in said(own, "--base", "everydya")
    assert "no examples beside it (poses.npz)" in said(own, "--base", onnx)
    assert "movements (clips)" in said(own, "--base", "movements")
    assert "poses (single pictures)" in said(clips, "--base", "everyday")
    assert not out.exists()


def test_split_that_leaves_examples(own: Path) -> None:
    """A label that one person shows is tested by a split at random, or it would have no example."""
    data, base = load_dataset(own), Base.load("everyday").beside(load_dataset(own))
    assert strictest_split(data, base) == "group"
    one = (data.samples.label == "gun") | (data.samples.group == "p01")
    assert strictest_split(data.select(one), base) == "random"


def test_base_names_people_as_the_data_does(own: Path) -> None:
    data, base = load_dataset(own), Base.load("everyday")
    assert (base.beside(data).samples.group != "").all()
    unnamed = replace(data, samples=replace(data.samples, group=np.full(data.n_samples, "")))
    assert (base.beside(unnamed).samples.group == "").all()


@pytest.mark.slow
def test_data_without_world_landmarks(own: Path, run: Run, tmp_path: Path) -> None:
    data = load_dataset(own)
    save_dataset(replace(data, world=np.full_like(data.world, np.nan)), tmp_path / "flat.npz")
    out = tmp_path / "m.onnx"
    done = run("train", tmp_path / "flat.npz", "--base", "everyday", "--out", out)
    assert done.exit_code == 0, done.output
    assert load_model(out).card.features == ("image", "image_distances", "orientation", "heights")


def test_a_base_that_took_minutes_is_not_trained_so_again() -> None:
    """The network of ``movements`` would be trained for each fold, and needs PyTorch."""
    own = movements(labels=("circle", "left"))
    pipeline, examples, notes = pipeline_beside(own, "movements")
    assert pipeline.name == "rocket"
    assert examples is not None
    assert notes == [
        "movements was trained with tcn, which takes PyTorch and minutes; rocket is trained"
        " here (--model tcn for the same)"
    ]
    pipeline, _, notes = pipeline_beside(own, "movements", "tcn")
    assert (pipeline.name, notes) == ("tcn", [])


def test_samples_of_the_base_are_no_test(run: Run, parsed: Parsed, tmp_path: Path) -> None:
    """Some of the examples of a base are given as one's own samples, with names of their own."""
    examples = load_dataset(EVERYDAY.examples)
    some = examples.select(np.flatnonzero(np.isin(examples.samples.label, ["fist", "palm"]))[::30])
    source = np.array([f"mine/{n}.jpg" for n in range(some.n_samples)])
    npz = tmp_path / "some.npz"
    save_dataset(replace(some, samples=replace(some.samples, source=source)), npz)
    done = run("crossval", npz, "--base", "everyday", "--folds", 2, "--no-streams", "--json")
    assert parsed(done)["leaks"]["n"] == some.n_samples
    done = run("train", npz, "--base", "everyday", "--out", tmp_path / "m.onnx")
    assert f"{some.n_samples} samples are in the data of the base too" in done.stderr


def test_movements_are_no_own_gestures_of_poses(run: Run, refused: Refused, tmp_path: Path) -> None:
    """A folder of swipes and none beside everyday would be a model without one's gestures."""
    folder = RecordingFolder.open(tmp_path / "mine")
    for label in ("left", "right"):
        folder.keep(movement(label))
    folder.keep(movement("none", like="left", seconds=3.0))
    line = refused(run("train", folder.root, "--base", "everyday", "--out", tmp_path / "m.onnx"))
    assert "nothing but none for everyday; for its movements use `--base movements`" in line
    line = refused(run("train", folder.root, "--model", "kernel", "--out", tmp_path / "m.onnx"))
    assert "no static poses; for its movements use `--model rocket`" in line
