import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from movement_stubs import Clip, clip, dataset_of, hand_shape, movements, two_handed

from handlore.classifiers.factory import make_estimator
from handlore.classifiers.mirroring import mirror_blocks
from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.landmarks.features import FEATURE_GROUPS
from handlore.landmarks.geometry import mirror
from handlore.models.encoders import (
    MAX_GAP,
    N_CONTEXT,
    MovementEncoder,
    PoseEncoder,
    average_augmented,
    durations,
)

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


def test_frame_without_a_hand() -> None:
    image, world, side = frames(2, 2)
    image[1] = np.nan
    with pytest.raises(InvalidDataError, match="a frame shows no hand"):
        PoseEncoder(n_hands=2).encode(image, world, side)


def test_missing_world_landmarks() -> None:
    image, world, handedness = frames(2, 1)
    with pytest.raises(InvalidDataError, match=r"'world'.*--features"):
        PoseEncoder().encode(image, np.full_like(world, np.nan), handedness)
    assert PoseEncoder(("image",)).encode(image, np.full_like(world, np.nan), handedness).any()


def test_unknown_group() -> None:
    with pytest.raises(
        HandloreError, match=r"'worlds'; did you mean world\? Known: world, .*orientation"
    ):
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


ENCODER = MovementEncoder()
MOVING = ("circle", "left", "up")

every_movement = pytest.mark.parametrize("label", MOVING)


def marks_of(block: np.ndarray) -> np.ndarray:
    """The landmarks (n_timepoints, 21, 3) of a block of one hand."""
    return block[:63].T.reshape(-1, 21, 3)


def presence_of(block: np.ndarray) -> np.ndarray:
    return block[63]


def lost(whole: Clip, start: float, end: float) -> Clip:
    """The same clip with no hand seen for a while."""
    image, side, time = (array.copy() for array in whole)
    gone = (time > start) & (time < end)
    image[gone], side[gone] = np.nan, np.nan
    return image, side, time


def only(whole: Clip, chosen: np.ndarray) -> Clip:
    """Some frames of a clip, the others were never recorded."""
    image, side, time = (array[chosen] for array in whole)
    return image, side, time


@settings(max_examples=30, deadline=None)
@given(
    n_frames=st.integers(1, 40),
    n_hands=st.sampled_from([1, 2]),
    n_timepoints=st.sampled_from([8, 32]),
    fps=st.floats(0.5, 240),
    seed=st.integers(0, 99),
)
def test_any_clip_becomes_a_finite_block(
    n_frames: int, n_hands: int, n_timepoints: int, fps: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    image = rng.uniform(0, 1, (n_frames, n_hands, 21, 3)).astype(np.float32)
    image[rng.random((n_frames, n_hands)) < 0.3] = np.nan
    image[-1, -1] = 0.1
    encoder = MovementEncoder(n_hands, n_timepoints)
    side = np.full((n_frames, n_hands), np.nan, np.float32)
    block = encoder.encode(image, side, np.arange(n_frames) / fps)
    assert block.shape == (encoder.n_channels, n_timepoints)
    assert block.dtype == np.float32
    assert np.isfinite(block).all()
    presence = block.reshape(n_hands, 64, -1)[:, -1]
    assert ((presence >= 0) & (presence <= 1)).all()


@every_movement
@pytest.mark.parametrize("fps", [8, 15, 60, 240])
def test_frame_rates_agree(label: str, fps: float) -> None:
    usual = ENCODER.encode(*clip(label, fps=30))
    other = ENCODER.encode(*clip(label, fps=fps))
    np.testing.assert_allclose(other, usual, atol=0.15)  # palm lengths, of a way of 4 and more


@every_movement
def test_uneven_frames(label: str) -> None:
    whole = clip(label, fps=60)
    kept = np.random.default_rng(0).random(61) < 0.5
    kept[[0, -1]] = True
    np.testing.assert_allclose(
        ENCODER.encode(*only(whole, kept)), ENCODER.encode(*whole), atol=0.15
    )


@every_movement
@pytest.mark.parametrize("seconds", [4 / 30, 3, 180])
def test_any_length(label: str, seconds: float) -> None:
    usual = ENCODER.encode(*clip(label))
    np.testing.assert_allclose(ENCODER.encode(*clip(label, seconds=seconds)), usual, atol=0.5)


@every_movement
def test_position_size_and_time_do_not_matter(label: str) -> None:
    image, side, time = clip(label)
    elsewhere = ENCODER.encode(image * 3 + np.float32(7), side, time + 100)
    np.testing.assert_allclose(elsewhere, ENCODER.encode(image, side, time), atol=1e-3)


def test_path_unit_and_origin() -> None:
    image, side, time = clip("left")
    palm = np.linalg.norm(hand_shape()[9])
    wrist = marks_of(ENCODER.encode(image, side, time))[:, 0]
    np.testing.assert_allclose(wrist[0], 0, atol=0.1)
    np.testing.assert_allclose(wrist[-1], [-0.4 / palm, 0, 0], atol=0.1)
    assert (np.diff(wrist[:, 0]) < 0).all()


def test_frames_without_a_hand_at_the_ends() -> None:
    image, side, time = clip("circle")
    around = np.full((40, *image.shape[1:]), np.nan, np.float32)
    longer = np.concatenate([around, image, around])
    sides = np.concatenate([around[:, :, 0, 0], side, around[:, :, 0, 0]])
    times = np.arange(len(longer)) / 30
    np.testing.assert_allclose(
        ENCODER.encode(longer, sides, times), ENCODER.encode(image, side, time), atol=1e-4
    )


@every_movement
def test_short_gap_is_interpolated(label: str) -> None:
    whole = clip(label)
    bridged = ENCODER.encode(*lost(whole, 0.41, 0.41 + MAX_GAP - 0.1))
    np.testing.assert_allclose(bridged, ENCODER.encode(*whole), atol=0.6)
    assert (presence_of(bridged) == 1).all()


def test_long_gap_is_marked() -> None:
    whole = clip("left", seconds=2)
    block = ENCODER.encode(*lost(whole, 0.5, 1.5))
    np.testing.assert_allclose(block[:63], ENCODER.encode(*whole)[:63], atol=0.1)
    presence = presence_of(block)
    assert (presence[[0, 5, -6, -1]] == 1).all()
    assert (presence[10:22] == 0).all()


@pytest.mark.parametrize("n_timepoints", [32, 48, 128])
@pytest.mark.parametrize("averaged", [True, False])
def test_hand_is_present_to_the_end(n_timepoints: int, averaged: bool) -> None:
    encoder = MovementEncoder(1, n_timepoints, averaged)
    for seconds in np.linspace(0.5, 2.0, 40):
        image, side, time = clip("left", fps=30, seconds=float(seconds))
        assert (presence_of(encoder.encode(image, side, time + 0.1)) == 1).all()


def test_low_frame_rate_is_no_gap() -> None:
    assert (presence_of(ENCODER.encode(*clip("left", fps=2, seconds=4))) == 1).all()


@every_movement
def test_mirroring(label: str) -> None:
    image, side, time = clip(label)
    seen_in_mirror = ENCODER.encode(mirror(image), 1 - side, time)
    expected = mirror_blocks(ENCODER.encode(image, side, time)[None])[0]
    np.testing.assert_allclose(seen_in_mirror, expected, atol=1e-4)


def test_path_keeps_its_direction() -> None:
    image, side, time = clip("left")
    wrist = image[:, :, :1]
    other_hand = wrist + mirror(image - wrist)
    np.testing.assert_allclose(
        ENCODER.encode(other_hand, 1 - side, time), ENCODER.encode(image, side, time), atol=1e-4
    )


def test_majority_side() -> None:
    image, side, time = clip("left")
    unsure = side.copy()
    unsure[:9] = 0.1
    np.testing.assert_array_equal(
        ENCODER.encode(image, unsure, time), ENCODER.encode(image, side, time)
    )


@pytest.mark.parametrize("when", [0.0, 0.5])
def test_repeated_times(when: float) -> None:
    image, side, time = clip("left")
    time[np.abs(time - when) < 0.07] = when
    assert np.isfinite(ENCODER.encode(image, side, time)).all()
    assert np.isfinite(ENCODER.encode(image, side, np.zeros(len(time)))).all()


def test_hand_without_size() -> None:
    image, side, time = clip("left")
    assert np.isfinite(ENCODER.encode(np.full_like(image, 0.5), side, time)).all()


def test_two_hands() -> None:
    image, _, time = clip("left")
    right = image + np.float32([0.3, 0, 0])
    both = np.concatenate([image, right], axis=1)
    sides = np.tile(np.float32([0.1, 0.9]), (len(time), 1))
    block = MovementEncoder(2).encode(both, sides, time).reshape(2, 64, -1)
    one, other = marks_of(block[0]), marks_of(block[1])
    palm = np.linalg.norm(hand_shape()[9])
    np.testing.assert_allclose(
        other - one, np.broadcast_to([0.3 / palm, 0, 0], other.shape), atol=1e-3
    )
    np.testing.assert_allclose((one[0, 0] + other[0, 0]) / 2, 0, atol=0.1)
    # Each side has a place of its own, so that no shape is mirrored.
    np.testing.assert_allclose(one[0] - one[0, :1], hand_shape() / palm, atol=1e-3)


def test_missing_hand_is_zeros() -> None:
    data = two_handed(movements(1, 1))
    blocks = MovementEncoder(2).encode_samples(data).reshape(data.n_samples, 2, 64, -1)
    assert (blocks[:, 0] == 0).all()
    np.testing.assert_allclose(blocks[:, 1], ENCODER.encode_samples(movements(1, 1)), atol=1e-5)


def test_late_hand_is_marked() -> None:
    image, side, time = clip("left", seconds=2)
    late = image.copy()
    late[: len(time) // 2] = np.nan
    both, sides = np.concatenate([late, image], axis=1), np.concatenate([1 - side, side], axis=1)
    presence = MovementEncoder(2).encode(both, sides, time).reshape(2, 64, -1)[:, -1]
    assert (presence[1] == 1).all()
    assert (presence[0, :15] == 0).all()
    assert (presence[0, 17:] == 1).all()


def test_samples_are_independent() -> None:
    data = movements(2, 2)
    order = np.random.default_rng(0).permutation(data.n_samples)
    blocks = ENCODER.encode_samples(data)
    assert blocks.shape == (data.n_samples, 64, 32)
    np.testing.assert_array_equal(ENCODER.encode_samples(data.select(order)), blocks[order])


def test_input_is_not_changed() -> None:
    arrays = clip("circle")
    before = [array.copy() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    ENCODER.encode(*arrays)
    for array, kept in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, kept)


def test_invalid_clips() -> None:
    image, side, time = clip("left")
    with pytest.raises(InvalidDataError, match="shows no hand"):
        ENCODER.encode(np.full_like(image, np.nan), side, time)
    flat = image.copy()
    flat[..., 2] = np.nan
    with pytest.raises(InvalidDataError, match=r"x, y and z.* z is missing"):
        ENCODER.encode(flat, side, time)
    with pytest.raises(InvalidDataError, match=r"room for 2 hands.* takes 1.*--max-hands 1"):
        ENCODER.encode_samples(two_handed(movements(1, 1)))


def test_number_of_hands_of_clips() -> None:
    data = movements(1, 1)
    rocket = make_estimator("rocket")
    assert rocket.encoder(1) == MovementEncoder(1, 128, averaged=False, context=True)
    assert rocket.encoder(2) == MovementEncoder(2, 128, averaged=False, context=True)
    assert PoseEncoder.kind != MovementEncoder.kind == data.header.kind


@pytest.mark.parametrize("side", ["right", "left"])
def test_context(side: str) -> None:
    image, right, time = clip("left", seconds=1.5)
    seen = right if side == "right" else 1 - right
    encoder = MovementEncoder(1, 16, averaged=False, context=True)
    assert encoder.n_channels == 64 + N_CONTEXT
    expected = 1 if side == "right" else -1
    for whole in (True, False):
        block = encoder.encode(image, seen, time, whole=whole)
        assert block.shape == (67, 16)
        assert np.isfinite(block).all()
        seconds, is_whole, sign = block[-N_CONTEXT:].T[0]
        assert (block[-N_CONTEXT:] == block[-N_CONTEXT:, :1]).all(), "the same at all points"
        assert seconds == pytest.approx(1.5, abs=1e-5), "of a window of a stream too"
        assert (is_whole, sign) == (whole, expected)
        hands = MovementEncoder(1, 16, averaged=False).encode(image, seen, time)
        np.testing.assert_array_equal(block[:64], hands)


def test_context_of_two_hands_has_no_side() -> None:
    image, side, time = clip("left")
    both, sides = np.concatenate([image, image], axis=1), np.concatenate([1 - side, side], axis=1)
    block = MovementEncoder(2, 16, context=True).encode(both, sides, time, whole=True)
    assert block.shape == (128 + N_CONTEXT, 16)
    np.testing.assert_allclose(block[-N_CONTEXT:, 0], [1, 1, 1], atol=1e-5)


def test_context_of_samples() -> None:
    data = movements(2, 1)
    blocks = MovementEncoder(1, 16, context=True).encode_samples(data)
    np.testing.assert_allclose(blocks[:, -3, 0], durations(data), atol=1e-5)
    assert (blocks[:, -2:] == 1).all()


def test_durations() -> None:
    clips = [clip("left", seconds=s) for s in (0.5, 2)]
    np.testing.assert_allclose(durations(dataset_of(clips, ["left"] * 2)), [0.5, 2])
