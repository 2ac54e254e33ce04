"""Tracks, and known hands under transforms: what is changed is mapped back to where it was."""

from dataclasses import replace

import numpy as np
import pytest

from handlore.datasets.rendered import Person, Scene, render_pose
from handlore.landmarks.detectors.litert import LiteRTDetector
from handlore.landmarks.detectors.litert.regions import Region
from handlore.landmarks.detectors.litert.tracking import Tracker, distinct
from handlore.landmarks.geometry import palm_length
from handlore.landmarks.hands import Hand, HandTransform
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.search import _plan_transforms
from handlore.landmarks.weights import require_bundle

POSES = ("open_palm", "victory", "point", "fist")


def a_hand(x: float, right: float) -> Hand:
    """A made-up hand, 0.2 wide, whose wrist is at (x + 0.1, 0.5)."""
    columns = np.linspace(0, 0.2, 21)
    image = np.stack([x + columns, 0.5 - columns**2, 0 * columns], axis=1).astype(np.float32)
    image[0, 1] = 0.7
    return Hand(image, np.zeros((21, 3), np.float32), right, 0.9)


def test_handedness_is_averaged_over_a_track_by_time():
    picture, tracker = np.zeros((100, 100, 3), np.uint8), Tracker(1)
    (hand,) = tracker.update([], [a_hand(0.2, 1.0)], picture, 0.0)
    assert hand.handedness == pytest.approx(1.0)
    (track,) = tracker.tracks
    for k in range(1, 4):
        (hand,) = tracker.update([(track, a_hand(0.2, 0.0))], [], picture, k / 1000)
    assert hand.handedness == pytest.approx(0.25, abs=0.01), "one of four frames"
    (hand,) = tracker.update([(track, a_hand(0.2, 1.0))], [], picture, 100.0)
    assert hand.handedness == pytest.approx(1.0, abs=0.01), "what was long ago does not count"


def test_a_lost_hand_is_expected_where_its_velocity_takes_it():
    picture, tracker = np.zeros((100, 100, 3), np.uint8), Tracker(1)
    tracker.update([], [a_hand(0.1, 1.0)], picture, 0.0)
    (track,) = tracker.tracks
    tracker.update([(track, a_hand(0.2, 1.0))], [], picture, 0.1)
    assert tracker.update([], [], picture, 0.2) == []
    assert (tracker.tracks, tracker.lost) == ([], [track])
    expected = track.expected(0.25)
    assert (expected.x, expected.y) == pytest.approx((track.region.x + 15, track.region.y))
    assert expected.side > track.region.side
    assert track.accepts(expected)
    assert not track.accepts(track.region.turned(0, 2))
    assert not track.accepts(track.region.turned(0, 0.5))


def test_velocity_and_region_are_scaled_with_the_frame():
    picture, tracker = np.zeros((100, 100, 3), np.uint8), Tracker(1)
    tracker.update([], [a_hand(0.1, 1.0)], picture, 0.0)
    tracker.resize(picture)
    (track,) = tracker.tracks
    tracker.update([(track, a_hand(0.2, 1.0))], [], picture, 0.1)
    before = track.expected(0.2)
    tracker.resize(np.zeros((200, 200, 3), np.uint8))
    after = track.expected(0.2)
    assert (after.x, after.y, after.side) == pytest.approx(
        (2 * before.x, 2 * before.y, 2 * before.side)
    )


def test_a_lost_hand_is_forgotten_after_a_third_of_a_second():
    picture, tracker = np.zeros((100, 100, 3), np.uint8), Tracker(1)
    tracker.update([], [a_hand(0.1, 1.0)], picture, 1.0)
    for seconds, n_lost in ((1.1, 1), (1.29, 1), (1.31, 0), (1.32, 0)):
        tracker.update([], [], picture, seconds)
        assert len(tracker.lost) == n_lost


def test_a_hand_is_not_lost_where_another_one_is_or_without_room():
    picture, tracker = np.zeros((100, 100, 3), np.uint8), Tracker(2)
    tracker.update([], [a_hand(0.1, 1.0), a_hand(0.6, 0.0)], picture, 0.0)
    left, right = tracker.tracks
    tracker.update([(left, a_hand(0.1, 1.0))], [], picture, 0.1)
    assert tracker.lost == [right]
    tracker.update([(left, a_hand(0.6, 1.0))], [], picture, 0.2)
    assert tracker.lost == []
    tracker.update([], [], picture, 0.3)
    tracker.update([], [a_hand(0.1, 1.0), a_hand(0.3, 1.0)], picture, 0.4)
    assert tracker.lost == []


def test_two_tracks_on_one_hand_become_the_older_one():
    picture, tracker = np.zeros((100, 100, 3), np.uint8), Tracker(2)
    tracker.update([], [a_hand(0.1, 1.0), a_hand(0.6, 0.0)], picture, 0.0)
    old, young = tracker.tracks
    merged = tracker.update([(old, a_hand(0.3, 1.0)), (young, a_hand(0.31, 0.0))], [], picture, 0.1)
    assert len(merged) == 1
    assert tracker.tracks[0] is old
    assert len(tracker.tracks) == 1


def test_hands_apart_are_distinct():
    hands = [a_hand(x, 1.0).image[:, :2].astype(float) for x in (0.1, 0.5, 0.11)]
    assert distinct(hands) == [0, 1]
    assert distinct([]) == []


def test_a_palm_in_a_tracked_region_is_no_newcomer():
    picture, tracker = np.zeros((100, 100, 3), np.uint8), Tracker(2)
    tracker.update([], [a_hand(0.1, 1.0)], picture, 0.0)
    region = tracker.tracks[0].region
    far = Region(region.x + 500, region.y, region.side, 0.0)
    assert tracker.newcomers([region, far, far], tracker.tracks) == [far]


@pytest.fixture(scope="module")
def ours():
    with quiet_native_log(), LiteRTDetector(require_bundle("full")) as opened:
        yield opened


@pytest.fixture(scope="module", params=["left", "right"])
def known(request, ours):
    """Pictures with the hand that was found in them."""
    pixels = [
        render_pose(pose, Person(), Scene(hand=request.param, size=0.3), size=(400, 300)).pixels
        for pose in POSES
    ]
    return [(picture, *ours.detect(picture)) for picture in pixels]


def apart(hand, view):
    """Median distance in the picture, in palm lengths."""
    flat = [mark.image * np.float32([1, 1, 0]) for mark in (hand, view)]
    return np.median(np.linalg.norm(flat[0] - flat[1], axis=1)) / palm_length(flat[0])


def world_apart(hand, view):
    return np.median(np.linalg.norm(hand.world - view.world, axis=1)) / palm_length(hand.world)


@pytest.mark.parametrize(
    "transform",
    [
        HandTransform(),
        HandTransform(turn=30),
        HandTransform(turn=-30),
        HandTransform(scale=0.85),
        HandTransform(scale=1.2),
        HandTransform(flip=True),
        HandTransform(turn=20, scale=1.1, flip=True),
    ],
    ids=lambda v: f"{v.turn:+.0f} x{v.scale}{' mirrored' * v.flip}",
)
def test_a_transform_is_mapped_back_to_the_picture(ours, known, transform):
    seen = [(hand, *ours.detect_again(picture, hand, [transform])) for picture, hand in known]
    assert np.median([apart(hand, again) for hand, again in seen]) < 0.05
    assert np.median([world_apart(hand, again) for hand, again in seen]) < 0.1
    assert all(again.side == hand.side and again.score > 0.5 for hand, again in seen)


def test_as_many_hands_as_transforms_all_different(ours, known):
    picture, hand = known[0]
    views = ours.detect_again(picture, hand, _plan_transforms(8))
    assert len(views) == 8
    assert len({one.image.tobytes() for one in views}) == 8
    assert np.median([apart(hand, view) for view in views]) < 0.05
    assert ours.detect_again(picture, hand, _plan_transforms(0)) == []


def test_another_seed_gives_other_transforms(ours, known):
    picture, hand = known[0]
    first, again, other = (
        [
            view.image.tobytes()
            for view in ours.detect_again(picture, hand, _plan_transforms(4, seed))
        ]
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first[1:] != other[1:]
    assert first[0] == other[0], "the plain view has nothing to draw lots for"


def test_the_stage_is_kept(ours, known):
    picture, hand = known[0]
    assert {
        view.stage
        for view in ours.detect_again(picture, replace(hand, stage=2), _plan_transforms(3))
    } == {2}
