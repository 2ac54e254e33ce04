import numpy as np
import pytest

from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.landmarks.features import (
    DEFAULT_FEATURES,
    FEATURE_GROUPS,
    feature_names,
    pose_features,
)
from handlore.landmarks.geometry import mirror, rotate

GROUPS = tuple(FEATURE_GROUPS)


@pytest.fixture
def hands():
    """Five unlike hands whose palms point somewhere upwards, in space."""
    rng = np.random.default_rng(3)
    some = rng.normal(0.5, 0.2, (5, 21, 3)).astype(np.float32)
    some[:, 9] = some[:, 0] + np.float32([0.1, -0.3, 0.05])
    return some


@pytest.fixture
def simple():
    """A hand of palm length 2 that points up: all other landmarks are the wrist, but two tips."""
    hand = np.full((1, 21, 3), 3.0, np.float32)
    hand[0, 9] += [0, -2, 0]  # the end of the palm
    hand[0, 8] += [0, -4, 0]  # index finger tip
    hand[0, 4] += [-2, 0, 0]  # thumb tip
    return hand


def column(features, groups, name):
    return features[:, feature_names(groups).index(name)]


@pytest.mark.parametrize("groups", [(name,) for name in GROUPS] + [DEFAULT_FEATURES, GROUPS])
def test_every_column_has_a_name_of_its_own(hands, groups):
    names = feature_names(groups)
    assert pose_features(hands, hands, np.ones(5), groups).shape == (5, len(names))
    assert len(set(names)) == len(names)


def test_named_values_can_be_worked_out_by_hand(simple):
    features = pose_features(simple, simple * 0.1, [1.0], GROUPS)
    expected = {
        "world.index_finger_tip.x": 0,
        "world.index_finger_tip.y": -2,
        "world.thumb_tip.x": -1,
        "image.thumb_tip.x": -1,
        "image.middle_finger_mcp.y": -1,
        "world.wrist-index_finger_tip": 2,
        "world.thumb_tip-index_finger_tip": np.sqrt(1 + 4),
        "image.thumb_tip-index_finger_tip": np.sqrt(1 + 4),
        "image.index_finger_tip-middle_finger_mcp": 1,
        "rotation.sin": 0,
        "rotation.cos": 1,
    }
    found = {name: column(features, GROUPS, name)[0] for name in expected}
    assert found == pytest.approx(expected, abs=1e-5)


def test_image_features_look_at_the_plane_only(simple):
    deep = simple.copy()
    deep[0, 8, 2] += 5
    names = ("image", "image_distances")
    np.testing.assert_array_equal(
        pose_features(deep, simple, [1.0], names), pose_features(simple, simple, [1.0], names)
    )
    world = pose_features(simple, deep, [1.0], ("world_distances",))
    tip = column(world, ("world_distances",), "world.wrist-index_finger_tip")
    assert tip[0] == pytest.approx(np.sqrt(4 + 2.5**2), rel=1e-5)


def test_a_left_hand_is_described_like_its_mirror_image(simple):
    left = pose_features(simple, simple, [0.0], ("image",))
    assert column(left, ("image",), "image.thumb_tip.x")[0] == pytest.approx(1)


@pytest.mark.parametrize(
    "change",
    [
        lambda hands: rotate(hands, 77),
        lambda hands: rotate(hands, np.array([10, -170, 90, 180, -45])),
        lambda hands: hands * np.float32(0.2),
        lambda hands: hands + np.float32([3, -2, 1]),
    ],
    ids=["turned", "each turned", "smaller", "moved"],
)
def test_default_features_do_not_change_with_rotation_size_and_place(hands, change):
    side = np.array([1, 0, 0.9, 0.2, np.nan])
    np.testing.assert_allclose(
        pose_features(change(hands), change(hands), side),
        pose_features(hands, hands, side),
        atol=2e-4,
    )


@pytest.mark.parametrize("groups", [DEFAULT_FEATURES, GROUPS])
def test_a_left_hand_has_the_features_of_the_right_hand_that_mirrors_it(hands, groups):
    right = pose_features(hands, hands, np.full(5, 0.9), groups)
    left = pose_features(mirror(hands), mirror(hands), np.full(5, 0.1), groups)
    np.testing.assert_allclose(left, right, atol=1e-5)


def test_orientation_tells_thumbs_up_from_thumbs_down(hands):
    turns = pose_features(rotate(hands, 90), hands, np.ones(5), ("orientation",))
    before = pose_features(hands, hands, np.ones(5), ("orientation",))
    # A quarter turn clockwise: sin(a + 90) = cos a, cos(a + 90) = -sin a.
    np.testing.assert_allclose(turns, np.c_[before[:, 1], -before[:, 0]], atol=1e-5)


def test_groups_come_in_the_order_asked_for(hands):
    both = pose_features(hands, hands, np.ones(5), ("orientation", "image"))
    np.testing.assert_array_equal(
        both[:, :2], pose_features(hands, hands, np.ones(5), ("orientation",))
    )


def test_no_hands_give_no_rows():
    nothing = np.empty((0, 21, 3), np.float32)
    assert pose_features(nothing, nothing, np.empty(0)).shape == (0, len(feature_names()))


@pytest.mark.parametrize("group", ["world", "world_distances"])
def test_landmarks_that_the_source_lacks_are_refused_by_the_groups_name(hands, group):
    missing = np.full_like(hands, np.nan)
    with pytest.raises(InvalidDataError, match=f"'{group}' needs world landmarks"):
        pose_features(hands, missing, np.ones(5), (group,))
    assert np.isfinite(pose_features(hands, missing, np.ones(5), ("image", "orientation"))).all()


def test_one_missing_hand_among_others_is_refused(hands):
    hands[3] = np.nan
    with pytest.raises(InvalidDataError, match="'image' needs image landmarks"):
        pose_features(hands, hands, np.ones(5), ("image",))


def test_unknown_depth_in_the_image_is_no_obstacle_to_features_of_the_plane(simple):
    simple[..., 2] = np.nan
    features = pose_features(simple, simple, [1.0], ("image",))
    assert column(features, ("image",), "image.index_finger_tip.y")[0] == pytest.approx(-2)


@pytest.mark.parametrize("groups", [("world", "angels"), ()])
def test_unknown_groups_are_answered_with_the_known_ones(hands, groups):
    with pytest.raises(HandloreError, match=r"(unknown|no) feature group") as problem:
        pose_features(hands, hands, np.ones(5), groups)
    assert all(name in str(problem.value) for name in GROUPS)


def test_heights_are_the_same_from_either_side_of_the_hand() -> None:
    """A mirrored hand is the other hand, or the same hand from its other side."""
    hand = np.random.default_rng(0).normal(0.5, 0.1, (1, 21, 3)).astype(np.float32)
    mirrored = hand * np.float32([-1, 1, 1])
    seen = [
        pose_features(marks, marks, [right], ("heights",))
        for marks in (hand, mirrored)
        for right in (0.1, 0.9)
    ]
    for one in seen[1:]:
        np.testing.assert_allclose(one, seen[0], atol=1e-5)
    down = pose_features(hand * np.float32([-1, -1, 1]), hand, [0.9], ("heights",))
    np.testing.assert_allclose(down, -seen[0], atol=1e-5)
