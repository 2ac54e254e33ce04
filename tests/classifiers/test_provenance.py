"""What a model keeps of its training: typical hands, and how its data were used."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from movement_stubs import movements

from handlore.classifiers.origin import Origin
from handlore.classifiers.provenance import _typical_hands
from handlore.classifiers.training import train
from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.storage import save_dataset
from handlore.landmarks.geometry import mirror, palm_length, rotate, rotation_deg
from handlore.models.card import ModelCard
from handlore.models.encoders import MovementEncoder, PoseEncoder

ORIENTED = PoseEncoder(("image", "orientation"))


def hands_of(dataset: LandmarkDataset, encoder: PoseEncoder | MovementEncoder) -> dict:
    """Return them as a card gives them, after a way through JSON."""
    typical = json.loads(json.dumps(_typical_hands(dataset, encoder)))
    card = ModelCard(tuple(dataset.labels), "linear", features=("image",), typical=typical)
    return card.typical_hands


def test_poses_are_upright_palms_of_length_one(dataset: LandmarkDataset) -> None:
    hands = hands_of(dataset, PoseEncoder())
    assert set(hands) == set(dataset.labels)
    for hand in hands.values():
        assert hand.shape == (1, 1, 21, 3)
        assert rotation_deg(hand)[0, 0] == pytest.approx(0, abs=3)
        assert palm_length(hand)[0, 0] == pytest.approx(1, abs=0.1)
    # The tip of the middle finger is further away than its knuckle in an open palm alone.
    reach = {label: -hand[0, 0, 12, 1] for label, hand in hands.items()}
    assert max(reach, key=reach.get) in {"open_palm", "victory"}
    assert reach["fist"] < 1.2 < reach["open_palm"]


def test_direction_is_kept_where_it_matters(dataset: LandmarkDataset) -> None:
    # A left hand that is turned clockwise is, mirrored, a right one that is turned back.
    right = dataset.handedness[:, 0] > 0.5
    fists = dataset.select((dataset.samples.label == "fist") & right)
    turned = replace(fists, image=rotate(fists.image, 90))
    kept, lost = hands_of(turned, ORIENTED)["fist"], hands_of(turned, PoseEncoder())["fist"]
    own = hands_of(fists, ORIENTED)["fist"]
    difference = rotation_deg(kept)[0, 0] - rotation_deg(own)[0, 0]
    assert abs((difference - 90 + 180) % 360 - 180) < 5
    assert rotation_deg(lost)[0, 0] == pytest.approx(0, abs=3)


def test_left_hands_are_drawn_as_right_ones(dataset: LandmarkDataset) -> None:
    other = replace(dataset, image=mirror(dataset.image), handedness=1 - dataset.handedness)
    one, two = hands_of(dataset, PoseEncoder()), hands_of(other, PoseEncoder())
    for label, hand in one.items():
        np.testing.assert_allclose(hand, two[label], atol=2e-3)


def test_movements_are_paths() -> None:
    data = movements(labels=("left", "right", "circle"))
    hands = hands_of(data, MovementEncoder())
    assert set(hands) == {"left", "right", "circle"}
    assert hands["left"].shape == (7, 1, 21, 3)
    way = {label: hand[-1, 0, 0, 0] - hand[0, 0, 0, 0] for label, hand in hands.items()}
    assert way["left"] < -0.5 < 0.5 < way["right"]


def test_two_hands(dataset: LandmarkDataset) -> None:
    """A hand that most samples lack is not drawn, and is null in the file."""
    names = ("image", "world", "handedness", "score", "stage")
    both = {name: getattr(dataset, name).repeat(2, axis=1) for name in names}
    both["image"][:, 1, :, 0] += 0.5
    room = replace(dataset, **both)
    two = hands_of(room, PoseEncoder(n_hands=2))["fist"]
    assert two.shape == (1, 2, 21, 3)
    assert two[0, 1, 0, 0] > two[0, 0, 0, 0]
    for name in ("image", "world", "handedness", "score"):
        both[name][:, 0] = np.nan
    both["stage"][:, 0] = -1
    one = hands_of(replace(dataset, **both), PoseEncoder(n_hands=2))["fist"]
    assert np.isnan(one[0, 0]).all()
    assert np.isfinite(one[0, 1]).all()


def test_samples_without_a_hand_and_without_depth(dataset: LandmarkDataset) -> None:
    image = dataset.image.copy()
    image[..., 2] = np.nan
    assert set(hands_of(replace(dataset, image=image), PoseEncoder(("image",)))) == {
        *dataset.labels
    }


@pytest.mark.parametrize(
    "damaged",
    [None, [], {}, "hand", [[1, 2], [3]], [[[[1e9] * 3] * 21]], [[[[0.0] * 3] * 20]], {"fist": 1}],
    ids=str,
)
def test_damaged_hands_are_left_out(damaged: object) -> None:
    card = ModelCard(("fist", "palm"), "linear", typical={"fist": damaged})
    assert card.typical_hands == {}


def test_older_files_have_none() -> None:
    values = ModelCard(("a", "b"), "linear", features=("image",)).as_json()
    del values["typical"], values["licence"]
    card = ModelCard.from_json(values)
    assert (card.typical_hands, card.licence) == ({}, "")


def test_how_the_data_were_used_is_kept_without_their_place(
    dataset: LandmarkDataset, tmp_path: Path
) -> None:
    """As in Python, where a dataset may come from anywhere; improve trains it in the same way."""
    plain = train(dataset, tmp_path / "a.onnx", "linear").card.training
    assert not {"data", "base", "split", "negatives"} & set(plain)
    split = np.where(dataset.samples.label == "fist", "rest", "mine")
    split[::2] = "mine"
    parted = replace(dataset, samples=replace(dataset.samples, split=split))
    how = {"split": "mine", "negatives": False}
    kept = train(parted, tmp_path / "b.onnx", "linear", **how).card.training
    assert {name: kept[name] for name in how} == how
    save_dataset(parted, tmp_path / "parted.npz")
    origin = Origin.find(tmp_path / "b.onnx", [tmp_path / "parted.npz"])
    assert (origin.split, origin.negatives) == ("mine", False)


def test_picture_is_the_same_each_time(dataset: LandmarkDataset, tmp_path: Path) -> None:
    from handlore.report.contactsheet import gesture_sheet_png

    hands = hands_of(dataset, PoseEncoder())
    assert gesture_sheet_png(hands, "poses") == gesture_sheet_png(hands, "poses")
