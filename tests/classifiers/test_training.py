from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import handlore
from handlore import __version__
from handlore.classifiers.base import HandEstimator
from handlore.classifiers.estimators import ESTIMATORS
from handlore.classifiers.factory import Pipeline
from handlore.classifiers.training import Trained, train_pipeline
from handlore.datasets.dataset import LandmarkDataset, concatenate
from handlore.landmarks.detector import DetectorInfo
from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.models.encoders import PoseEncoder
from handlore.models.files import load_model


def small() -> HandEstimator:
    return ESTIMATORS["forest"]().set_params(n_estimators=10)


def train(dataset: LandmarkDataset, out: Path, *, crossval: bool = False) -> Trained:
    return train_pipeline(
        Pipeline("forest", small(), PoseEncoder()), dataset, out, crossval=crossval
    )


def labelled(dataset: LandmarkDataset, labels: dict[int, str]) -> LandmarkDataset:
    """The same landmarks with other labels."""
    names = dataset.samples.label.astype("<U20")
    for sample, label in labels.items():
        names[sample] = label
    return replace(dataset, samples=replace(dataset.samples, label=names))


def test_what_a_model_knew_is_kept(dataset: LandmarkDataset, tmp_path: Path) -> None:
    """A folder of which only some recordings fit is easily trained on by mistake."""
    out = tmp_path / "m.onnx"
    assert handlore.train(dataset, out, "linear").notes == ()
    assert handlore.train(dataset, out, "forest").notes == ()
    assert not (tmp_path / "m.old.onnx").exists()
    before = out.read_bytes()
    few = dataset.select(~np.isin(dataset.samples.label, ["fist", "point"]))
    notes = handlore.train(few, out, "linear").notes
    assert notes[:2] == (
        f"{out} knew fist, point, and no sample of them shows a hand now",
        f"the model that was {out} is kept as {tmp_path / 'm.old.onnx'}",
    )
    assert (tmp_path / "m.old.onnx").read_bytes() == before
    # A training that fails replaces nothing, so it keeps nothing.
    one = few.select([0, -1])
    with pytest.raises(HandloreError, match="each label has only one"):
        handlore.train(one, out, "linear", crossval=True)
    assert (tmp_path / "m.old.onnx").read_bytes() == before
    (tmp_path / "m.old.onnx").unlink()
    (tmp_path / "m.old.onnx").mkdir()
    handlore.train(dataset, out, "linear")
    notes = handlore.train(few, out, "linear").notes
    assert notes[1].startswith(f"the model that was {out} is not kept: ")


def blinded(dataset: LandmarkDataset, samples: list[int]) -> LandmarkDataset:
    """The same dataset with no hand found in some samples."""
    arrays = {
        name: getattr(dataset, name).copy() for name in ("image", "world", "handedness", "score")
    }
    for array in arrays.values():
        array[samples] = np.nan
    stage = dataset.stage.copy()
    stage[samples] = -1
    return replace(dataset, **arrays, stage=stage)


def test_card_says_what_it_was_trained_on(dataset: LandmarkDataset, tmp_path: Path) -> None:
    trained = train(dataset, tmp_path / "m.onnx")
    card = load_model(tmp_path / "m.onnx").card
    assert card.training["n"] == 24
    assert card.training["n_no_hand"] == 0
    assert card.training["counts"] == {"fist": 6, "open_palm": 6, "point": 6, "victory": 6}
    assert card.training["groups"] == ["p01", "p02", "p03"]
    assert card.training["data_digest"] == dataset.digest()
    assert card.training["params"]["n_estimators"] == 10
    assert card.training["versions"]["handlore"] == __version__
    assert card.landmarker == "full"
    assert card.n_hands == 1
    assert "crossval" not in card.training
    assert trained.notes == ()
    assert trained.card.labels == card.labels
    assert trained.card.n_features == card.n_features > 0
    assert trained.n_bytes == (tmp_path / "m.onnx").stat().st_size


def test_card_remembers_the_landmarks_it_needs(dataset: LandmarkDataset, tmp_path: Path) -> None:
    lite = DetectorInfo("mediapipe", "1.0", "lite", "0" * 64)
    data = replace(dataset, header=replace(dataset.header, detector=lite))
    assert train(data, tmp_path / "m.onnx").card.landmarker == "lite"


def test_cross_validated_scores_are_kept(dataset: LandmarkDataset, tmp_path: Path) -> None:
    train(dataset, tmp_path / "m.onnx", crossval=True)
    scores = load_model(tmp_path / "m.onnx").card.training["crossval"]
    assert (scores["by"], scores["n_groups"], scores["n"]) == ("group", 3, 24)
    assert scores["accuracy"] > 0.8


def test_samples_without_hand(dataset: LandmarkDataset, tmp_path: Path) -> None:
    data = blinded(dataset, [0, 7, 8])
    card = train(data, tmp_path / "m.onnx").card
    assert (card.training["n"], card.training["n_no_hand"]) == (21, 3)
    seen = Counter(map(str, data.samples.label[data.has_hand]))
    assert card.training["counts"] == dict(seen)


def test_few_samples_are_warned_of(dataset: LandmarkDataset, tmp_path: Path) -> None:
    rare = labelled(dataset, {0: "selten"})
    (line,) = train(rare, tmp_path / "m.onnx").notes
    assert "fewer than 5 samples of selten" in line


def test_augmented_copies_are_not_samples(dataset: LandmarkDataset, tmp_path: Path) -> None:
    rare = labelled(dataset, {0: "selten"})
    views = rare.select(np.repeat(0, 8))
    views = replace(views, samples=replace(views.samples, view=np.arange(1, 9)))
    (line,) = train(concatenate([rare, views]), tmp_path / "m.onnx").notes
    assert "fewer than 5 samples of selten" in line


def test_long_lists_of_labels_are_cut(dataset: LandmarkDataset, tmp_path: Path) -> None:
    rare = labelled(dataset, {k: f"l{k // 2:02d}" for k in range(24)})
    (line,) = train(rare, tmp_path / "m.onnx").notes
    assert "l06, l07 and 4 more; add some" in line


def test_labels_with_the_same_items(dataset: LandmarkDataset, tmp_path: Path) -> None:
    """A copied folder under another name: nothing distinguishes the two."""
    fists = dataset.select(dataset.samples.label == "fist")
    copies = labelled(fists, dict.fromkeys(range(fists.n_samples), "rock"))
    (line,) = train(concatenate([dataset, copies]), tmp_path / "m.onnx").notes
    assert f"{2 * fists.n_samples} identical items are under two labels" in line
    assert f"fist = rock ({2 * fists.n_samples})" in line


def test_label_without_hands(dataset: LandmarkDataset, tmp_path: Path) -> None:
    data = blinded(labelled(dataset, {0: "lost", 1: "none"}), [0, 1])
    trained = train(data, tmp_path / "m.onnx")
    assert any("lost" in line and "does not know it" in line for line in trained.notes)
    assert not any("none" in line for line in trained.notes)
    assert "lost" not in trained.card.labels


def test_digest_changes_with_landmarks_and_labels(dataset: LandmarkDataset) -> None:
    moved = replace(dataset, image=dataset.image + np.float32(0.001))
    assert len({dataset.digest(), moved.digest(), labelled(dataset, {0: "point"}).digest()}) == 3


def test_nothing_to_learn_leaves_no_file(dataset: LandmarkDataset, tmp_path: Path) -> None:
    one = dataset.select(dataset.samples.label == "fist")
    with pytest.raises(InvalidDataError, match="at least two labels; there is: fist"):
        train(one, tmp_path / "m.onnx")
    with pytest.raises(HandloreError, match="no sample shows a hand"):
        train(blinded(dataset, list(range(24))), tmp_path / "m.onnx")
    with pytest.raises(HandloreError, match=r"folder .* does not exist"):
        train(dataset, tmp_path / "missing" / "m.onnx")
    assert list(tmp_path.iterdir()) == []


def test_tables_without_world_landmarks_are_learnt_by_what_they_have(
    dataset: LandmarkDataset, tmp_path: Path
) -> None:
    flat = replace(dataset, world=np.full_like(dataset.world, np.nan))
    trained = handlore.train(flat, tmp_path / "m.onnx", params={"n_centres": 50})
    assert trained.card.features == ("image", "image_distances")
    note = "the data has no world landmarks: trained with --features image,image_distances"
    assert note in trained.notes
    found = handlore.cross_validate(flat, params={"n_centres": 50})
    assert note in found.notes
    assert found.scores.accuracy > 0.5
    with pytest.raises(InvalidDataError, match="'world' needs world landmarks"):
        handlore.train(flat, tmp_path / "m.onnx", features=["world"])
