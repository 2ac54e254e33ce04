"""Movements out of movements: what changes, what must not, and that a seed repeats it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from movement_stubs import clip, dataset_of, movements, two_handed

import handlore
from handlore.classifiers import augmentation
from handlore.classifiers.augmentation import (
    UNKNOWN,
    Augmentation,
    found_in_mirror,
    mirror_blocks,
    mirror_codes,
    parse_label_pairs,
)
from handlore.datasets.dataset import LandmarkDataset
from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.geometry import mirror
from handlore.models.encoders import MovementEncoder
from handlore.models.files import load_model

KNOBS = ("turn", "size", "reach", "bones", "phalanges", "shape", "jitter", "warp", "crop", "drop")
STILL = dict.fromkeys(KNOBS, 0.0)

every_knob = pytest.mark.parametrize("knob", KNOBS)


@pytest.fixture(scope="module")
def blocks() -> np.ndarray:
    return MovementEncoder().encode_samples(movements(2, 2))


def alone(**knobs: float) -> Augmentation:
    """An augmentation that does nothing else."""
    return Augmentation(**STILL | knobs)


def changed(blocks: np.ndarray, change: Any, seed: int = 0) -> np.ndarray:
    return change(blocks, np.random.default_rng(seed))


def marks_of(blocks: np.ndarray) -> np.ndarray:
    """The landmarks (n, 21, 3, n_timepoints) of blocks of one hand."""
    return blocks[:, :63].reshape(len(blocks), 21, 3, -1)


def shape_of(blocks: np.ndarray) -> np.ndarray:
    return marks_of(blocks) - marks_of(blocks)[:, :1]


def lengths_of(blocks: np.ndarray) -> np.ndarray:
    """The distance of every landmark from the wrist."""
    return np.linalg.norm(shape_of(blocks)[:, 1:], axis=2)


def test_a_seed_repeats_and_another_one_does_not(blocks: np.ndarray) -> None:
    first, again, other = (changed(blocks, Augmentation(), seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (np.abs(first - other).max(axis=(1, 2)) > 0.01).all()


@every_knob
def test_each_change_alone(knob: str, blocks: np.ndarray) -> None:
    before = blocks.copy()
    usual = getattr(Augmentation(), knob) or 0.1  # some are off unless asked for
    new = changed(blocks, alone(**{knob: usual}))
    assert new.shape == blocks.shape
    assert new.dtype == np.float32
    assert np.abs(new - blocks).max() > 1e-3
    np.testing.assert_array_equal(blocks, before)


def test_nothing_asked_nothing_changed(blocks: np.ndarray) -> None:
    np.testing.assert_allclose(changed(blocks, alone()), blocks, atol=1e-5)


def test_turning_keeps_lengths(blocks: np.ndarray) -> None:
    turned = changed(blocks, alone(turn=60))
    np.testing.assert_allclose(lengths_of(turned), lengths_of(blocks), atol=1e-4)
    assert np.abs(marks_of(turned)[:, 9] - marks_of(blocks)[:, 9]).max() > 0.3


def test_size_changes_all_lengths_by_one_factor(blocks: np.ndarray) -> None:
    factors = lengths_of(changed(blocks, alone(size=0.5))) / lengths_of(blocks)
    assert (factors.std(axis=(1, 2)) < 1e-3).all()
    assert len(np.unique(factors.mean(axis=(1, 2)).round(3))) == len(blocks)


def test_reach_changes_the_way_and_not_the_hand(blocks: np.ndarray) -> None:
    new = changed(blocks, alone(reach=0.5))
    np.testing.assert_allclose(shape_of(new), shape_of(blocks), atol=1e-4)
    assert np.abs(marks_of(new)[:, 0] - marks_of(blocks)[:, 0]).max() > 0.1


@pytest.mark.parametrize(("knob", "unsteady"), [("shape", False), ("jitter", True)])
def test_another_hand_goes_the_same_way(knob: str, unsteady: bool, blocks: np.ndarray) -> None:
    moved = marks_of(changed(blocks, alone(**{knob: 0.1}))) - marks_of(blocks)
    assert 0.2 < np.abs(moved).max() < 1
    assert (moved.std(axis=-1).max() > 0.05) == unsteady


def test_bones_keep_their_direction(blocks: np.ndarray) -> None:
    new = changed(blocks, alone(bones=0.2))
    np.testing.assert_allclose(marks_of(new)[:, 0], marks_of(blocks)[:, 0], atol=1e-5)
    factors = lengths_of(new) / lengths_of(blocks)
    assert factors.std(axis=-1).max() < 1e-3
    assert factors.std(axis=1).min() > 0.05


def test_bones_keep_direction(
    blocks: np.ndarray,
) -> None:
    after = changed(blocks, alone(phalanges=0.2))
    fingers = [shape_of(one)[:, 1:].reshape(-1, 5, 4, 3, one.shape[-1]) for one in (blocks, after)]
    was, now = (np.diff(joints, axis=2, prepend=0) for joints in fingers)
    factors = np.linalg.norm(now, axis=3) / np.linalg.norm(was, axis=3)
    np.testing.assert_allclose(now, was * factors[:, :, :, None], atol=1e-4)
    assert np.ptp(factors, axis=-1).max() < 1e-3, "the same in all frames"
    assert factors.std(axis=(1, 2, 3)).min() > 0.05, "each bone has its own length"


def test_warping_keeps_both_ends_and_the_order(blocks: np.ndarray) -> None:
    new = changed(blocks, alone(warp=0.5))
    np.testing.assert_allclose(new[..., [0, -1]], blocks[..., [0, -1]], atol=1e-4)
    line = np.repeat(np.linspace(0, 1, 32, dtype=np.float32)[None, None], 64, axis=1)
    assert (np.diff(changed(line, alone(warp=1.0))[0, 0]) >= 0).all()


def test_cropping_leaves_the_middle(blocks: np.ndarray) -> None:
    line = np.tile(np.linspace(0, 1, 32, dtype=np.float32), (200, 64, 1))
    new = changed(line, alone(crop=0.2))[:, 0]
    assert ((new[:, 0] >= 0) & (new[:, 0] <= 0.2)).all()
    assert ((new[:, -1] <= 1.0001) & (new[:, -1] >= 0.8)).all()
    assert new[:, 0].max() > 0.15
    assert new[:, -1].min() < 0.85


def test_dropped_points_interpolated() -> None:
    spikes = np.zeros((50, 64, 32), np.float32)
    spikes[:, :, 1:-1:2] = 1
    new = changed(spikes, alone(drop=0.2))[:, 0]
    lost = np.abs(new - spikes[:, 0]) > 1e-4
    assert 0.02 < lost.mean() < 0.2
    assert not lost[:, [0, -1]].any()
    sample, point = np.nonzero(lost)
    single = ~lost[sample, point - 1] & ~lost[sample, point + 1]
    sample, point = sample[single], point[single]
    between = (new[sample, point - 1] + new[sample, point + 1]) / 2
    np.testing.assert_allclose(new[sample, point], between, atol=1e-5)


def test_presence_and_missing_hands() -> None:
    blocks = MovementEncoder(2).encode_samples(two_handed(movements(2, 1)))
    new = changed(blocks, Augmentation()).reshape(len(blocks), 2, 64, -1)
    assert (new[:, 0] == 0).all()
    assert (new[:, 1, -1] == 1).all()


def test_two_hands_are_turned_together() -> None:
    image, side, time = clip("circle")
    both = np.concatenate([image, image + np.float32([0.3, 0, 0])], axis=1)
    sides = np.concatenate([1 - side, side], axis=1)
    blocks = MovementEncoder(2).encode(both, sides, time)[None]
    hands = changed(blocks, alone(turn=40)).reshape(2, 64, -1)[:, :63].reshape(2, 21, 3, -1)
    old = blocks.reshape(2, 64, -1)[:, :63].reshape(2, 21, 3, -1)
    np.testing.assert_allclose(
        np.linalg.norm(hands[1] - hands[0], axis=1),
        np.linalg.norm(old[1] - old[0], axis=1),
        atol=1e-4,
    )


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
    with pytest.raises(InvalidDataError, match=problem):
        parse_label_pairs(text)


def test_pairs_of_known_labels() -> None:
    parse_label_pairs("left=right", CLASSES.tolist())
    parse_label_pairs("", CLASSES.tolist())
    with pytest.raises(InvalidDataError, match="name up; known labels: in, left, out, right, wave"):
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
    monkeypatch.setattr(augmentation, "_MOST_CLIPS", 60)
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
    found = augmentation._images(np.array(seen_as, float), np.array(kept, float))
    assert found.tolist() == images
