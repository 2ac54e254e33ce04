"""Movements in a mirror, and which label they have there."""

from pathlib import Path

import numpy as np
import pytest
from movement_stubs import clip, dataset_of, movements

import handlore
from handlore.classifiers import mirroring
from handlore.classifiers.factory import make_pipeline
from handlore.classifiers.mirroring import (
    UNKNOWN,
    classes_in_mirror,
    found_in_mirror,
    mirror_blocks,
    mirror_codes,
    parse_label_pairs,
)
from handlore.datasets.dataset import LandmarkDataset
from handlore.landmarks.errors import HandloreError, OptionError
from handlore.landmarks.geometry import mirror
from handlore.models.encoders import MovementEncoder
from handlore.models.files import load_model

CLASSES = np.array(["in", "left", "out", "right", "wave"])


@pytest.mark.parametrize("n_hands", [1, 2])
def test_mirroring_equals_mirrored_video(n_hands: int) -> None:
    image, side, time = clip("left")
    other = image + np.float32([-0.3, 0.1, 0])
    both, sides = np.concatenate([other, image], axis=1), np.concatenate([1 - side, side], axis=1)
    if n_hands == 1:
        both, sides = image, side
    encoder = MovementEncoder(n_hands)
    # In a mirror the right hand is a left one, which has the first place.
    seen_in_mirror = encoder.encode(mirror(both)[:, ::-1], 1 - sides[:, ::-1], time)
    plain = encoder.encode(both, sides, time)[None]
    np.testing.assert_allclose(mirror_blocks(plain, n_hands)[0], seen_in_mirror, atol=1e-4)
    np.testing.assert_allclose(
        mirror_blocks(mirror_blocks(plain, n_hands), n_hands), plain, atol=1e-5
    )


def test_mirrored_swipes_swap_labels() -> None:
    codes = np.array([0, 1, 2, 3, 4])
    pairs = parse_label_pairs("left=right,out=in")
    assert pairs is not None
    assert CLASSES[mirror_codes(codes, CLASSES, pairs)].tolist() == [
        "out",
        "right",
        "in",
        "left",
        "wave",
    ]


@pytest.mark.parametrize("text", ["left=right", " left = right ", "right=left"])
def test_pairs_may_have_spaces(text: str) -> None:
    pairs = parse_label_pairs(text)
    assert pairs is not None
    assert {frozenset(pair) for pair in pairs.items()} == {frozenset({"left", "right"})}


@pytest.mark.parametrize("text", ["", "  "])
def test_no_pairs(text: str) -> None:
    assert parse_label_pairs(text) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("left", "'left'; expected pairs of different labels such as left=right"),
        ("left=right=up", "expected pairs"),
        ("left=left", "expected pairs of different labels"),
        ("left=right,right=in", "expected pairs of different labels"),
        ("left=right,", "expected pairs"),
        ("left=", "expected pairs"),
    ],
)
def test_pairs_that_are_none(text: str, problem: str) -> None:
    with pytest.raises(HandloreError, match=problem):
        parse_label_pairs(text)


def test_pairs_of_known_labels() -> None:
    parse_label_pairs("left=right", CLASSES.tolist())
    parse_label_pairs("", CLASSES.tolist())
    with pytest.raises(HandloreError, match="name up; known labels: in, left, out, right, wave"):
        parse_label_pairs("left=up", CLASSES.tolist())


def test_mirrored_label_not_in_fold() -> None:
    there = np.array(["left", "wave"])
    codes = mirror_codes(np.array([0, 1]), there, {"left": "right"})
    assert codes.tolist() == [-1, 1]


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_context_changes_its_side_only(side: float) -> None:
    block = MovementEncoder(1, 8, context=True).encode(*clip("left"), whole=True)[None]
    block[:, -1] = side
    mirrored = mirror_blocks(block)
    np.testing.assert_array_equal(mirrored[:, -3:-1], block[:, -3:-1])
    assert (mirrored[:, -1] == -side).all()
    np.testing.assert_array_equal(mirrored[:, :64], mirror_blocks(block[:, :64]))


def test_duration_and_two_hands_stay() -> None:
    rng = np.random.default_rng(0)
    timed = rng.normal(size=(2, 65, 8)).astype(np.float32)
    np.testing.assert_array_equal(mirror_blocks(timed)[:, -1], timed[:, -1])
    both = rng.normal(size=(2, 131, 8)).astype(np.float32)
    np.testing.assert_array_equal(mirror_blocks(both, 2)[:, -3:], both[:, -3:])


# Which labels they have

Seen = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def seen_in_mirror(n_people: int = 6, each: int = 4, noise: float = 0.2) -> Seen:
    """Features as they are and in a mirror, classes and people.

    Mirrored, 0 and 1 change places, 2 is the same, 3 is like nothing, and 4 is like 2.
    """
    centres = np.array(
        [[-2, 0, 0, 0], [2, 0, 0, 0], [0, 3, 0, 0], [0, 0, 3, 0], [0, 3, 0, 2]], np.float32
    )
    after = centres * np.float32([-1, 1, -1, 0])
    codes = np.tile(np.repeat(np.arange(5), each), n_people)
    drawn = np.random.default_rng(0).normal(0, noise, (len(codes), 4)).astype(np.float32)
    people = np.repeat([f"p{number}" for number in range(n_people)], 5 * each)
    return centres[codes] + drawn, after[codes] + drawn, codes, people


@pytest.mark.parametrize("n_people", [1, 2, 6])
def test_labels_are_found_in_mirror(n_people: int) -> None:
    plain, mirrored, codes, people = seen_in_mirror(n_people, each=24 // n_people)
    expected = [1, 0, 2, UNKNOWN, UNKNOWN]
    assert found_in_mirror(plain, mirrored, codes, people).tolist() == expected
    assert found_in_mirror(plain, mirrored, codes, None).tolist() == expected


def test_random_labels_do_not_swap() -> None:
    rng = np.random.default_rng(1)
    plain = rng.normal(size=(300, 5)).astype(np.float32)
    mirrored = plain * np.float32([-1, 1, 1, 1, 1])
    codes = rng.permutation(np.repeat(np.arange(5), 60))
    found = found_in_mirror(plain, mirrored, codes, None)
    assert ((found == np.arange(5)) | (found == UNKNOWN)).all()


def test_rare_class_among_many_clips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirroring, "_MOST_CLIPS", 60)
    plain, mirrored, codes, _ = seen_in_mirror()
    codes[-1] = 5
    found = found_in_mirror(plain, mirrored, codes, None)
    assert found.shape == (6,), "one for each class, also for those that were not drawn"
    assert found.tolist()[:3] == [1, 0, 2]
    assert found[5] == UNKNOWN


def test_class_of_one_clip() -> None:
    plain, mirrored, codes, people = seen_in_mirror()
    one_each = np.unique(codes, return_index=True)[1]
    found = found_in_mirror(plain[one_each], mirrored[one_each], codes[one_each], people[one_each])
    assert found.shape == (5,)


# Left hands


def flicks(*, left_handed: bool, n_people: int, seed: int) -> LandmarkDataset:
    """Flicks of the fingers to either side of the picture, and grabs; the wrist hardly moves."""
    rng, place = np.random.default_rng(seed), np.array([0.5, 0.6, 0])
    clips, labels, people = [], [], []
    for number in range(n_people):
        for label in ("flick left", "flick right", "grab") * 2:
            image, side, time = clip("still", seconds=rng.uniform(0.7, 1.2), person=number + seed)
            image = image - place
            if left_handed:
                image, side = mirror(image), 1 - side
            there = np.sin(np.pi * time / time[-1])[:, None] * rng.uniform(0.8, 1.2)
            reach = np.abs(image[:, 0, :, 1])
            if label == "grab":
                image[:, 0, :, 1] += 0.6 * there * reach
            else:
                image[:, 0, :, 0] += (-0.6 if label == "flick left" else 0.6) * there * reach
            image = image + place + rng.normal(0, 0.002, image.shape)
            clips.append((image.astype(np.float32), side, time))
            labels.append(label)
            people.append(f"{'left' if left_handed else 'right'} {number}")
    return dataset_of(clips, labels, group=people)


def test_left_handers_are_recognised(tmp_path: Path) -> None:
    right = flicks(left_handed=False, n_people=6, seed=0)
    left = flicks(left_handed=True, n_people=4, seed=100)
    params = {"n_kernel_features": 500, "n_augmented": 1}
    handlore.train(right, tmp_path / "m.onnx", "rocket", params=params, negatives=False)
    model = load_model(tmp_path / "m.onnx")
    found = handlore.evaluate(model, left, with_streams=False).predictions.predicted
    assert (found == left.samples.label).mean() > 0.9
    for number in range(6):
        assert model.predict_clip(left.select([number])).label == left.samples.label[number]


@pytest.mark.parametrize(
    ("seen_as", "kept", "images"),
    [
        ([[2, 1], [2, 1]], [2, 1], [UNKNOWN, UNKNOWN]),  # three clips each: may be chance
        ([[3, 0], [0, 3]], [3, 3], [UNKNOWN, UNKNOWN]),
        ([[0, 3], [3, 0]], [3, 3], [UNKNOWN, UNKNOWN]),
        ([[20, 10], [20, 10]], [20, 10], [UNKNOWN, UNKNOWN]),
        ([[28, 2], [1, 29]], [30, 28], [0, 1]),
        ([[2, 28], [29, 1]], [30, 28], [1, 0]),
        ([[9, 8, 13], [0, 30, 0], [0, 0, 30]], [28, 30, 30], [UNKNOWN, 1, 2]),
    ],
)
def test_evidence(seen_as: list[list[int]], kept: list[int], images: list[int]) -> None:
    found = mirroring._images(np.array(seen_as, float), np.array(kept, float))
    assert found.tolist() == images


def test_swipes_swap_and_others_stay() -> None:
    clips, labels, people = [], [], []
    for number in range(6):
        for label in ("left", "right", "still") * 3:
            clips.append(clip(label, person=10 * number + len(clips) % 3))
            labels.append(label)
            people.append(f"p{number}")
    dataset = dataset_of(clips, labels, group=people)
    classes, codes = np.unique(labels, return_inverse=True)
    blocks = MovementEncoder(1, 128, averaged=False, context=True).encode_samples(dataset)
    assert classes_in_mirror(blocks, codes, np.array(people), classes, "").tolist() == [1, 0, 2]
    assert classes_in_mirror(blocks, codes, None, classes, "left=still").tolist() == [2, 1, 0]


def test_pairs_may_be_a_dict() -> None:
    data = movements(1, 1)
    options = {"mirror_labels": {"left": "right"}}
    assert make_pipeline(data, **options).estimator.mirror_labels == "left=right"
    with pytest.raises(OptionError, match="name up; known labels"):
        make_pipeline(data, mirror_labels={"left": "up"})
    with pytest.raises(HandloreError, match="as mirror_labels, but got list"):
        make_pipeline(data, mirror_labels=["left=right"])
