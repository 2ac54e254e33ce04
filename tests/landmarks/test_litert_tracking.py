"""The LiteRT detector on videos, held to MediaPipe's own tracking frame by frame."""

import cv2
import numpy as np
import pytest

from handlore.datasets.rendered import (
    Person,
    Scene,
    render_background,
    render_movement,
    render_pose,
)
from handlore.landmarks.detectors.litert import AdaptiveSchedule, EveryFrame, LiteRTDetector
from handlore.landmarks.detectors.litert import detector as module
from handlore.landmarks.detectors.litert.regions import Region
from handlore.landmarks.detectors.litert.tracking import Tracker, distinct
from handlore.landmarks.detectors.mediapipe import MediaPipeDetector
from handlore.landmarks.hands import Hand
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.weights import require_bundle


@pytest.fixture
def video():
    with quiet_native_log(), LiteRTDetector(require_bundle("full")) as opened:
        yield opened


@pytest.fixture
def palm_calls(monkeypatch):
    """The times palms were sought, by the clock of the frames."""
    calls, real = [], module.find_palms

    def counted(*args):
        calls.append(args)
        return real(*args)

    monkeypatch.setattr(module, "find_palms", counted)
    return calls


@pytest.fixture(scope="module")
def open_palm():
    return render_pose("open_palm", Person(), Scene()).pixels


def distances(hands, others):
    return [
        np.linalg.norm((one.image - other.image)[:, :2], axis=1).mean()
        for one, other in zip(hands, others, strict=False)
    ]


@pytest.mark.parametrize("movement", ["swipe_right", "grab"])
def test_a_rendered_video_is_tracked_as_mediapipe_tracks_it(movement):
    bundle = require_bundle("full")
    apart, n_reference, n_every, n_thrifty = [], 0, 0, 0
    with (
        quiet_native_log(),
        MediaPipeDetector(bundle) as reference,
        LiteRTDetector(bundle, schedule=EveryFrame()) as every,
        LiteRTDetector(bundle) as thrifty,
    ):
        for seconds, picture in render_movement(movement, Person(), Scene(), fps=30):
            expected = reference.track(picture.pixels, seconds)
            found = every.track(picture.pixels, seconds)
            n_reference += len(expected)
            n_every += len(found)
            n_thrifty += len(thrifty.track(picture.pixels, seconds))
            apart += distances(expected, found)
    assert n_reference > 10
    assert n_every >= n_reference
    assert n_thrifty >= n_reference
    assert np.mean(np.array(apart) <= 0.01) >= 0.98


def tracks(detector):
    """Return what the detector follows, one object per hand."""
    return tuple(detector._tracker.tracks)


def test_two_hands_keep_their_places(open_palm):
    frames = [np.hstack([np.roll(open_palm, 3 * k, axis=1), open_palm[:, ::-1]]) for k in range(12)]
    bundle = require_bundle("full")
    with (
        quiet_native_log(),
        MediaPipeDetector(bundle, max_hands=2) as reference,
        LiteRTDetector(bundle, max_hands=2, schedule=EveryFrame()) as ours,
    ):
        followed, sides = [], set()
        for k, frame in enumerate(frames):
            expected, found = reference.track(frame, k / 30), ours.track(frame, k / 30)
            assert len(found) == len(expected) == 2
            assert max(distances(expected, found)) < 0.01
            followed.append(tracks(ours))
            sides.add(tuple(hand.side for hand in found))
    assert len(sides) == 1
    assert all(
        one is first for seen in followed for one, first in zip(seen, followed[0], strict=True)
    )


def test_a_hand_that_leaves_and_returns_is_another_track(video, open_palm):
    empty = render_background(3, size=(open_palm.shape[1], open_palm.shape[0]))
    assert tracks(video) == ()
    seen = []
    for k, pixels in enumerate([open_palm] * 3 + [empty] * 6 + [open_palm] * 9):
        seen.append((bool(video.track(pixels, k / 30)), tracks(video)))
    (before,), (after,) = seen[2][1], seen[-1][1]
    assert [found for found, _ in seen[2::6]] == [True, False, True]
    assert seen[8][1] == ()
    assert before is not after


def test_palms_are_not_sought_while_all_hands_are_tracked(video, palm_calls, open_palm):
    for k in range(60):
        assert len(video.track(open_palm, k / 30)) == 1
    assert len(palm_calls) == 1


def test_for_a_second_hand_palms_are_sought_now_and_then(palm_calls, open_palm):
    with LiteRTDetector(require_bundle("full"), max_hands=2) as video:
        for k in range(90):
            assert len(video.track(open_palm, k / 30)) == 1
    assert 5 <= len(palm_calls) <= 14


def test_an_empty_scene_costs_a_few_looks_a_second(video, palm_calls):
    still, random = render_background(5, size=(320, 240)).astype(np.int16), np.random.default_rng(0)
    for k in range(120):
        noise = random.normal(0, 6, still.shape)
        frame = np.clip(still + noise, 0, 255).astype(np.uint8)
        assert video.track(frame, k / 30) == []
    assert len(palm_calls) <= 4 * 3 + 4


def test_a_hand_that_appears_is_found_within_150_ms(video, open_palm):
    empty = render_background(5, size=(open_palm.shape[1], open_palm.shape[0]))
    for k in range(37):
        assert video.track(empty, k / 30) == []
    found = [k for k in range(37, 50) if video.track(open_palm, k / 30)]
    assert found[0] / 30 - 36 / 30 <= 0.15
    assert len(found) == 50 - found[0]


def test_a_hand_that_jumps_is_found_again_in_the_same_frame(video, open_palm):
    wide = np.full((open_palm.shape[0], 3 * open_palm.shape[1], 3), 90, np.uint8)
    there = wide.copy()
    wide[:, : open_palm.shape[1]] = open_palm
    there[:, -open_palm.shape[1] :] = open_palm
    for k in range(5):
        assert video.track(wide, k / 30)
    (hand,) = video.track(there, 5 / 30)
    assert hand.image[0, 0] > 0.6


def test_time_must_run_forward_until_a_reset(video, open_palm):
    video.track(open_palm, 1.0)
    for seconds in (1.0, 0.9, -1.0):
        with pytest.raises(ValueError, match="time stands still or runs back"):
            video.track(open_palm, seconds)
    assert video.track(open_palm, 1.04), "a refused frame does no harm"
    video.reset()
    assert video.track(open_palm, 0.0), "another video begins at 0"


def test_after_a_reset_an_old_hand_is_forgotten(video, open_palm):
    moved = render_pose("open_palm", Person(), Scene(x=0.3)).pixels
    for step in range(5):
        video.track(open_palm, step / 30)
    video.reset()
    (fresh,) = video.track(moved, 0.0)
    video.reset()
    (again,) = video.track(moved, 0.0)
    np.testing.assert_array_equal(fresh.image, again.image)


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
    assert tracker.newcomers([region, far, far]) == [far]


def test_a_schedule_of_ones_own(open_palm):
    class Never(AdaptiveSchedule):
        def due(self, picture, seconds, n_tracked, n_wanted):
            return False

    with LiteRTDetector(require_bundle("full"), schedule=Never()) as video:
        assert [video.track(open_palm, k / 30) for k in range(3)] == [[], [], []]


@pytest.mark.parametrize("schedule", [AdaptiveSchedule, EveryFrame])
def test_a_hand_is_followed_when_the_frame_size_changes(open_palm, schedule):
    height, width = open_palm.shape[:2]
    sizes = [(width, height), (width // 2, height // 2), (3 * width // 2, 3 * height // 2)]
    with (
        quiet_native_log(),
        LiteRTDetector(require_bundle("full"), schedule=schedule()) as ours,
    ):
        found = [
            (ours.track(cv2.resize(open_palm, sizes[k // 4]), k / 30), tracks(ours))
            for k in range(12)
        ]
    assert all(one is found[0][1][0] for _, (one,) in found)
    first = found[0][0][0].image
    for hands, _ in found:
        assert np.abs(hands[0].image[:, :2] - first[:, :2]).max() < 0.02
