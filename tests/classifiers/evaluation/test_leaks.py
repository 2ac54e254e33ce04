"""Leaks: items in training and test are found and named; other items are not."""

import time
from dataclasses import replace

import numpy as np
import pytest
from movement_stubs import movements, two_handed

from handlore.classifiers.evaluation.leaks import (
    MAX_DIGESTS,
    NEAR,
    Leaks,
    _fingerprints,
    item_digests,
    trained_on,
)
from handlore.datasets.dataset import Header, LandmarkDataset, Samples
from handlore.landmarks.geometry import mirror, rotate
from handlore.models.card import ModelCard


def hands(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.5, 0.1, (n, 21, 3)).astype(np.float32)


def poses(image: np.ndarray, side=None, digests=None) -> LandmarkDataset:
    n = len(image)
    sides = (np.ones(n) if side is None else np.asarray(side)).astype(np.float32)[:, None]
    seen = ~np.isnan(image[:, :1, 0])
    samples = Samples.make(["a"] * n, source=[f"{i}.png" for i in range(n)], sha256=digests)
    return LandmarkDataset(
        image[:, None],
        image[:, None],
        np.where(seen, sides, np.nan).astype(np.float32),
        np.where(seen, 1, np.nan).astype(np.float32),
        np.where(seen, 0, -1).astype(np.int8),
        np.zeros(n),
        np.arange(n + 1),
        samples,
        Header(),
    )


def halves(data: LandmarkDataset):
    n = data.n_samples
    return [(np.arange(n // 2), np.arange(n // 2, n))]


def test_copies_of_a_file_are_found_and_named() -> None:
    data = poses(hands(6), digests=["a", "b", "c", "a", "x", ""])
    found = Leaks.of(data, halves(data))
    assert (found.n_same_file, found.n_same_landmarks) == (1, 0)
    assert found.as_json()["examples"] == [
        {"test": "3.png", "train": "0.png", "why": "same file", "distance": None}
    ]
    assert "1 test sample is also in training" in found.lines()[0]


@pytest.mark.parametrize("change", ["moved", "scaled", "turned", "mirrored", "saved again"])
def test_copy_by_landmarks(change: str) -> None:
    train, test = hands(4), hands(4, seed=1)
    one, side = train[2:3], np.ones(8)
    test[1] = {
        "moved": one + np.float32([0.2, -0.1, 0]),
        "scaled": one * np.float32(1.7),
        "turned": rotate(one, 35),
        "mirrored": mirror(one),
        "saved again": one + np.random.default_rng(2).normal(0, 0.0002, one.shape),
    }[change][0]
    side[5] = 0 if change == "mirrored" else 1
    data = poses(np.concatenate([train, test]), side)
    found = Leaks.of(data, halves(data))
    assert (found.n_same_file, found.n_same_landmarks) == (0, 1)
    (example,) = found.examples
    assert (example.test, example.train) == ("5.png", "2.png")
    assert example.distance is not None
    assert example.distance < NEAR


def test_no_leaks() -> None:
    image = hands(8)
    image[[1, 5]] = np.nan
    image[7] = image[6]  # both are tested
    data = poses(image)
    assert Leaks.of(data, halves(data)).n == 0
    assert Leaks.of(data, halves(data)).lines() == []


def test_distance_in_palm_lengths() -> None:
    image = hands(2)
    image[0, 0], image[0, 9] = (0.5, 0.5, 0), (0.5, 0.3, 0)
    image[1] = image[0]
    image[1, 4:8, 0] += 0.02  # a tenth of the palm, four landmarks of 21
    a, b = _fingerprints(poses(image))
    assert np.linalg.norm(a - b) == pytest.approx(0.1 * np.sqrt(4 / 21), rel=1e-3)


@pytest.mark.parametrize(("apart", "n"), [(0.018, 1), (0.022, 0)])
def test_threshold_of_distance(apart: float, n: int) -> None:
    """Of HGR1 the nearest two pictures of one person are 0.022 apart."""
    image = hands(2)
    image[0, 0], image[0, 9] = (0.5, 0.5, 0), (0.5, 0.3, 0)
    image[1] = image[0]
    image[1, 4:8, 0] += 0.2 * apart / np.sqrt(4 / 21)
    data = poses(image)
    assert Leaks.of(data, halves(data)).n == n


def test_z_may_be_unknown_and_hands_may_be_two() -> None:
    image = np.concatenate([hands(3), hands(3)])
    image[..., 2] = np.nan
    assert Leaks.of(poses(image), halves(poses(image))).n == 3
    both = two_handed(poses(np.concatenate([hands(3), hands(3)])))
    assert Leaks.of(both, halves(both)).n == 3
    # A left hand comes in: another pose.
    both.image[3, 0], both.stage[3, 0], both.handedness[3, 0] = hands(1)[0], 0, 0.1
    assert Leaks.of(both, halves(both)).n == 2


def test_mirrored_two_hands() -> None:
    data = two_handed(poses(np.concatenate([hands(3), hands(3)])))
    names = ("image", "world", "handedness", "score", "stage")
    for of_slots in (getattr(data, name) for name in names):
        of_slots[3:] = of_slots[3:, ::-1]
    seen = data.detected[3:]
    data.image[3:] = mirror(data.image[3:])
    data.handedness[3:][seen] = 1 - data.handedness[3:][seen]
    assert Leaks.of(data, halves(data)).n == 3
    assert Leaks.of(data, halves(data)).examples[0].train == "0.png"


def test_copied_clips() -> None:
    data = movements(n_people=4, each=2)
    assert Leaks.of(data, halves(data)).n == 0
    frames = slice(*data.offsets[:2])
    start = int(data.offsets[20])
    data.image[start : start + frames.stop] = data.image[frames]
    twice = data.select(np.array([0, 1, 2, 0]))
    twice = replace(twice, samples=replace(twice.samples, source=np.array(list("abcd"))))
    found = Leaks.of(twice, halves(twice))
    assert [(one.test, one.train) for one in found.examples] == [("d", "a")]


def test_clips_almost_without_hand() -> None:
    data = movements(n_people=2, each=1, labels=("left",))
    twice = data.select(np.array([0, 0]))
    assert Leaks.of(twice, halves(twice)).n == 1
    for name in ("image", "handedness", "score", "stage"):
        array, first = getattr(twice, name), int(twice.offsets[1])
        for start in (0, first):
            array[start + 4 : start + first] = -1 if name == "stage" else np.nan
    assert Leaks.of(twice, halves(twice)).n == 0


def test_tens_of_thousands_take_seconds() -> None:
    base = np.repeat(hands(200), 100, axis=0)
    base += np.random.default_rng(3).normal(0, 0.004, base.shape).astype(np.float32)
    data = poses(base)
    started = time.process_time()
    Leaks.of(data, halves(data))
    assert time.process_time() - started < 20


def test_augmented_copies_count_once() -> None:
    data = poses(np.concatenate([hands(6), hands(6)]))
    views = replace(data, samples=replace(data.samples, view=np.arange(12) % 3))
    assert Leaks.of(views, halves(views)).n == 2


def card_of(n: int) -> ModelCard:
    """The card of a model that was trained on so many items, called 0, 1 and so on."""
    names = [str(k) for k in range(n)]
    trained = poses(np.repeat(hands(1), n, axis=0), digests=names)
    digests = item_digests(trained)
    return ModelCard(("a",), 1, "linear", training={"n": n, "item_digests": digests})


def test_some_digests_of_many_items() -> None:
    """A model of many items keeps the digests of some: there are at least so many leaks."""
    card, known = card_of(3 * MAX_DIGESTS), poses(hands(60), digests=[str(k) for k in range(60)])
    found = Leaks.of_model(card, known, known)
    assert found
    assert found.n_checked
    assert 5 < found.n == found.n_checked < 40, "about a third of all"
    (line,) = found.lines()
    assert line.startswith(f"at least {found.n} test samples are also in training ({found.n} of")
    assert found.as_json()["checked"] == found.n_checked
    assert trained_on(card, known) is None
    new = poses(hands(60), digests=[f"new {k}" for k in range(60)])
    other = Leaks.of_model(card, new, new)
    assert other
    assert (other.n, other.lines()) == (0, [])
    few = Leaks.of_model(card_of(60), known, known)
    assert few
    assert (few.n, few.n_checked) == (60, None)


def test_what_cannot_be_looked_up_is_unknown() -> None:
    known = poses(hands(6))
    assert Leaks.of_model(card_of(6), known, known) is None
    named = poses(hands(6), digests=[*"abcdef"])
    assert Leaks.of_model(replace(card_of(6), training={}), named, named) is None
