import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.landmarks.features import FEATURE_GROUPS
from handlore.models.pose_encoder import PoseEncoder, average_augmented

LEFT, RIGHT = 0, 1
WRIST, MIDDLE_FINGER_MCP = 0, 9

some_groups = st.lists(st.sampled_from(sorted(FEATURE_GROUPS)), min_size=1, unique=True)


def frames(n: int, n_hands: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Image landmarks, world landmarks and handedness of hands of random shape."""
    rng = np.random.default_rng(seed)
    image, world = rng.uniform(0.1, 0.9, (2, n, n_hands, 21, 3)).astype(np.float32)
    return image, world, rng.uniform(0, 1, (n, n_hands)).astype(np.float32)


def without(
    hands: tuple[np.ndarray, np.ndarray, np.ndarray], slot: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same frames with one hand missing."""
    image, world, handedness = (array.copy() for array in hands)
    image[:, slot], world[:, slot], handedness[:, slot] = np.nan, np.nan, np.nan
    return image, world, handedness


@settings(max_examples=20, deadline=None)
@given(groups=some_groups, n_hands=st.sampled_from([1, 2]), n=st.integers(1, 4))
def test_a_name_for_each_column(groups: list[str], n_hands: int, n: int) -> None:
    encoder = PoseEncoder(tuple(groups), n_hands)
    rows = encoder.encode(*frames(n, n_hands))
    assert rows.shape == (n, len(encoder.names))
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()
    assert len(set(encoder.names)) == len(encoder.names)


@pytest.mark.parametrize("slot", [LEFT, RIGHT])
def test_missing_hand(slot: int) -> None:
    encoder = PoseEncoder(n_hands=2)
    rows = encoder.encode(*without(frames(3, 2), slot))
    gone, there = ("left.", "right.") if slot == LEFT else ("right.", "left.")
    by_name = dict(zip(encoder.names, rows.T, strict=True))
    assert (by_name[gone + "present"] == 0).all()
    assert (by_name[there + "present"] == 1).all()
    assert (by_name["between.x"] == 0).all()
    assert (by_name["between.y"] == 0).all()
    assert all((column == 0).all() for name, column in by_name.items() if name.startswith(gone))
    assert not (by_name[there + "world.index_finger_tip.x"] == 0).any()


def test_two_hands_are_encoded_separately() -> None:
    image, world, handedness = frames(4, 2)
    both, alone = PoseEncoder(n_hands=2), PoseEncoder()
    rows = both.encode(image, world, handedness)
    for slot, side in ((LEFT, "left"), (RIGHT, "right")):
        one = slice(slot, slot + 1)
        columns = [both.names.index(f"{side}.{name}") for name in alone.names]
        expected = alone.encode(image[:, one], world[:, one], handedness[:, one])
        np.testing.assert_allclose(rows[:, columns], expected, atol=1e-6)


def test_vector_between_hands() -> None:
    image, world, handedness = frames(1, 2)
    image[0, LEFT, WRIST], image[0, RIGHT, WRIST] = (0.2, 0.5, 0), (0.8, 0.8, 0)
    image[0, LEFT, MIDDLE_FINGER_MCP] = (0.2, 0.4, 0)  # a palm of 0.1
    image[0, RIGHT, MIDDLE_FINGER_MCP] = (0.8, 0.6, 0)  # a palm of 0.2, so 0.15 on average
    row = PoseEncoder(n_hands=2).encode(image, world, handedness)[0]
    np.testing.assert_allclose(row[-4:], [1, 1, 0.6 / 0.15, 0.3 / 0.15], rtol=1e-5)


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(5)), n_hands=st.sampled_from([1, 2]))
def test_rows_are_independent(order: list[int], n_hands: int) -> None:
    encoder = PoseEncoder(n_hands=n_hands)
    hands = without(frames(5, 2), LEFT) if n_hands == 2 else frames(5, 1)
    hands[0][3], hands[1][3] = frames(1, n_hands, seed=9)[:2]
    shuffled = encoder.encode(*(array[order] for array in hands))
    np.testing.assert_allclose(shuffled, encoder.encode(*hands)[order], atol=1e-6)


def test_number_of_hands() -> None:
    with pytest.raises(InvalidDataError, match=r"room for 2 hands.* takes 1.*--max-hands 1"):
        PoseEncoder().encode(*frames(2, 2))
    with pytest.raises(InvalidDataError, match=r"room for 1 hands.* takes 2.*--max-hands 2"):
        PoseEncoder(n_hands=2).encode(*frames(2, 1))


def test_missing_world_landmarks() -> None:
    image, world, handedness = frames(2, 1)
    with pytest.raises(InvalidDataError, match=r"'world'.*--features"):
        PoseEncoder().encode(image, np.full_like(world, np.nan), handedness)
    assert PoseEncoder(("image",)).encode(image, np.full_like(world, np.nan), handedness).any()


def test_unknown_group() -> None:
    with pytest.raises(HandloreError, match=r"'worlds'; known: world, .*orientation"):
        _ = PoseEncoder(("worlds",)).names


def test_average_augmented() -> None:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5], [0.1, 0.9]], np.float32)
    averages, items = average_augmented(probabilities, np.array([7, 3, 7, 7]))
    assert items.tolist() == [3, 7]
    np.testing.assert_allclose(averages, [[0.2, 0.8], [0.5, 0.5]], atol=1e-6)
    assert averages.dtype == np.float32


@given(
    items=st.lists(st.integers(0, 4), min_size=1, max_size=12),
    data=st.data(),
)
def test_average_is_independent_of_order(items: list[int], data: st.DataObject) -> None:
    order = np.array(data.draw(st.permutations(range(len(items)))))
    probabilities = np.random.default_rng(1).dirichlet(np.ones(3), len(items)).astype(np.float32)
    first = average_augmented(probabilities, np.array(items))
    second = average_augmented(probabilities[order], np.array(items)[order])
    np.testing.assert_array_equal(first[1], second[1])
    np.testing.assert_allclose(first[0], second[0], atol=1e-6)
    np.testing.assert_allclose(first[0].sum(axis=1), 1, atol=1e-5)
