"""Views of a known hand: what is turned, scaled and mirrored comes back to where it was."""

from dataclasses import replace

import numpy as np
import pytest

from handlore.datasets.rendered import Person, Scene, render_pose
from handlore.landmarks.detectors.litert import LiteRTDetector
from handlore.landmarks.detectors.litert.tracking import transformed_hands
from handlore.landmarks.geometry import palm_length
from handlore.landmarks.hand_transforms import HandTransform, plan_transforms
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.weights import require_bundle

POSES = ("open_palm", "victory", "point", "fist")


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
    "view",
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
def test_a_view_is_mapped_back_to_the_picture(ours, known, view):
    seen = [
        (hand, *transformed_hands(ours._networks, picture, hand, [view])) for picture, hand in known
    ]
    assert np.median([apart(hand, again) for hand, again in seen]) < 0.05
    assert np.median([world_apart(hand, again) for hand, again in seen]) < 0.1
    assert all(again.side == hand.side and again.score > 0.5 for hand, again in seen)


def test_as_many_views_as_asked_for_all_different(ours, known):
    picture, hand = known[0]
    views = ours.detect_again(picture, hand, plan_transforms(8))
    assert len(views) == 8
    assert len({one.image.tobytes() for one in views}) == 8
    assert np.median([apart(hand, view) for view in views]) < 0.05
    assert ours.detect_again(picture, hand, plan_transforms(0)) == []


def test_the_same_views_each_time_and_others_for_another_seed(ours, known):
    picture, hand = known[0]
    first, again, other = (
        [
            view.image.tobytes()
            for view in ours.detect_again(picture, hand, plan_transforms(4, seed))
        ]
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first[1:] != other[1:]
    assert first[0] == other[0], "the plain view has nothing to draw lots for"


def test_views_keep_the_stage(ours, known):
    picture, hand = known[0]
    assert {
        view.stage
        for view in ours.detect_again(picture, replace(hand, stage=2), plan_transforms(3))
    } == {2}


def test_the_plan_spreads_turns_and_mirrors_half():
    plan = plan_transforms(9)
    assert plan[0] == HandTransform()
    turns = sorted(view.turn for view in plan[1:])
    assert turns[0] < -15
    assert turns[-1] > 15
    assert np.diff(turns).max() < 16
    assert sum(view.flip for view in plan) == 4
    assert plan == plan_transforms(9)
