"""Movements out of movements: what changes, what must not, and that a seed repeats it."""

from typing import Any

import numpy as np
import pytest
from movement_stubs import clip, movements, two_handed

from handlore.classifiers.augmentation import Augmentation
from handlore.models.encoders import MovementEncoder

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


def test_only_the_duration_of_the_context_changes() -> None:
    encoder = MovementEncoder(1, 16, averaged=False, context=True)
    blocks = encoder.encode_samples(movements(2, 2))
    copies = changed(blocks, Augmentation())
    assert ((copies[:, 64] / blocks[:, 64]).std(axis=0) > 0.02).all()
    np.testing.assert_array_equal(copies[:, 65:], blocks[:, 65:])
    still = changed(blocks, alone(pace=0.0))
    np.testing.assert_array_equal(still[:, 64:], blocks[:, 64:])
