"""What every detector does, whichever runtime its networks have."""

from dataclasses import replace
from math import inf, nan

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
from handlore.landmarks.detector import DetectorOptions
from handlore.landmarks.detectors import DETECTORS
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.opening import detector_info, open_detector
from handlore.landmarks.weights import HAND_MEMBER, PALM_MEMBER, _aligned_zip

every_detector = pytest.mark.parametrize("name", DETECTORS.names())


def opened_by_name(name, **options):
    return open_detector(DetectorOptions(detector=name, **options))


@pytest.fixture(scope="module", params=DETECTORS.names())
def detector(request):
    with quiet_native_log(), opened_by_name(request.param) as opened:
        yield opened


@pytest.fixture
def video(detector):
    """The detector without a memory of other tests."""
    detector.reset()
    yield detector
    detector.reset()


@pytest.fixture(scope="module")
def open_palm():
    return render_pose("open_palm", Person(), Scene(), size=(400, 300)).pixels


def palm_lengths_apart(hand, truth):
    apart = np.linalg.norm(hand.image[:, :2] - truth[:, :2], axis=1)
    return np.median(apart) / np.linalg.norm(truth[9, :2] - truth[0, :2])


def test_rendered_hands_are_found_where_they_are(detector, pictures):
    with np.load(pictures / "truth.npz") as truth:
        paths, marks, right = truth["path"], truth["image"], truth["handedness"]
    assert len(paths) >= 24
    apart, sides = [], []
    for path, truth_marks, is_right in zip(paths, marks, right, strict=True):
        pixels = cv2.cvtColor(cv2.imread(str(pictures / path)), cv2.COLOR_BGR2RGB)
        for hand in detector.detect(pixels):
            apart.append(palm_lengths_apart(hand, truth_marks))
            sides.append((hand.side == "right") == bool(is_right))
    assert len(apart) >= 0.95 * len(paths)
    assert np.median(apart) < 0.1
    assert np.mean(sides) >= 0.95


@pytest.mark.parametrize("side", ["right", "left"])
def test_handedness_is_that_of_the_person_in_an_unmirrored_picture(detector, side):
    pixels = render_pose("open_palm", Person(), Scene(hand=side)).pixels
    (hand,) = detector.detect(pixels)
    assert hand.side == side
    (mirrored,) = detector.detect(pixels[:, ::-1])
    assert mirrored.side != side


def test_world_landmarks_are_metres_about_the_hand_with_y_down(detector):
    (hand,) = detector.detect(render_pose("open_palm", Person(), Scene()).pixels)
    assert 0.05 < np.linalg.norm(hand.world[9] - hand.world[0]) < 0.15
    assert np.abs(hand.world.mean(axis=0)).max() < 0.05
    assert hand.world[12, 1] < hand.world[0, 1], "fingers up"


@pytest.mark.parametrize("size", [(480, 320), (320, 480)], ids=["wide", "tall"])
def test_image_landmarks_are_in_image_widths_whatever_the_shape(detector, size):
    picture = render_pose("open_palm", Person(), Scene(size=0.25), size=size)
    (hand,) = detector.detect(picture.pixels)
    assert palm_lengths_apart(hand, picture.image) < 0.1


def test_backgrounds_have_no_hands(detector):
    assert [seed for seed in range(12) if detector.detect(render_background(seed))] == []


def test_a_still_does_not_depend_on_what_was_seen_before(video):
    first, other = (render_pose(p, Person(), Scene()).pixels for p in ("victory", "fist"))
    (before,) = video.detect(first)
    video.track(other, 0.0)
    video.detect(other)
    (after,) = video.detect(first)
    np.testing.assert_array_equal(before.image, after.image)
    np.testing.assert_array_equal(before.world, after.world)


@every_detector
def test_two_hands_side_by_side_are_both_found(name):
    left, right = (render_pose("open_palm", Person(), Scene(hand=h)) for h in ("left", "right"))
    both = np.hstack([right.pixels, left.pixels])
    with quiet_native_log(), opened_by_name(name, max_hands=2) as opened:
        hands = opened.detect(both)
    assert {hand.side for hand in hands} == {"left", "right"}
    wrists = {hand.side: hand.image[0, 0] for hand in hands}
    assert wrists["right"] < 0.5 < wrists["left"], "the picture's halves"


def test_of_two_hands_only_max_hands_are_returned(detector):
    picture = render_pose("open_palm", Person(), Scene()).pixels
    assert len(detector.detect(np.hstack([picture, picture]))) == 1


def test_a_video_is_tracked_along_the_truth(video):
    frames = list(render_movement("swipe_right", Person(), Scene(), fps=15, size=(320, 240)))
    found = [(video.track(picture.pixels, seconds), picture) for seconds, picture in frames]
    with_hand = [(hands[0], picture) for hands, picture in found if hands]
    assert len(with_hand) >= 0.9 * len(frames)
    apart = [palm_lengths_apart(hand, picture.image) for hand, picture in with_hand]
    assert np.median(apart) < 0.15


def test_time_must_run_forward_until_a_reset(video):
    pixels = render_pose("open_palm", Person(), Scene()).pixels
    video.track(pixels, 1.0)
    for seconds in (1.0, 0.9, -1.0):
        with pytest.raises(HandloreError, match="times of frames must increase"):
            video.track(pixels, seconds)
    assert video.track(pixels, 1.04), "a refused frame does no harm"
    video.reset()
    assert video.track(pixels, 0.0), "another video begins at 0"


def test_after_a_reset_an_old_hand_is_forgotten(video):
    pixels = render_pose("open_palm", Person(), Scene()).pixels
    moved = render_pose("open_palm", Person(), Scene(x=0.3)).pixels
    for step in range(5):
        video.track(pixels, step / 30)
    video.reset()
    (fresh,) = video.track(moved, 0.0)
    video.reset()
    (again,) = video.track(moved, 0.0)
    np.testing.assert_array_equal(fresh.image, again.image)


def test_a_known_hand_is_detected_again(detector, open_palm):
    (hand,) = detector.detect(open_palm)
    (again,) = detector.detect_again(open_palm, hand)
    assert palm_lengths_apart(again, hand.image) < 0.1
    assert again.side == hand.side
    assert again.score > 0.5


def test_a_hand_without_numbers_is_not_detected_again(detector, open_palm):
    (hand,) = detector.detect(open_palm)
    lost = replace(hand, image=np.full((21, 3), nan, np.float32))
    with pytest.raises(HandloreError, match="not numbers"):
        detector.detect_again(open_palm, lost)


@every_detector
def test_a_closed_detector_refuses(name, open_palm):
    with quiet_native_log(), opened_by_name(name) as opened:
        (hand,) = opened.detect(open_palm)
    for call in (
        lambda: opened.detect(open_palm),
        lambda: opened.track(open_palm, 0.0),
        lambda: opened.detect_again(open_palm, hand),
    ):
        with pytest.raises(HandloreError, match="closed"):
            call()
    opened.close()


@every_detector
@pytest.mark.parametrize("landmarker", ["full", "lite"])
def test_info_is_known_before_it_is_opened(name, landmarker):
    with quiet_native_log(), opened_by_name(name, landmarker=landmarker) as opened:
        assert detector_info(DetectorOptions(detector=name, landmarker=landmarker)) == opened.info
    assert (opened.info.name, opened.info.landmarker) == (name, landmarker)
    assert opened.info.version[0].isdigit()
    assert len(opened.info.bundle_sha256) == 64


@every_detector
def test_networks_that_are_none_are_one_line(name, tmp_path, open_palm):
    path = tmp_path / "own.task"
    path.write_bytes(_aligned_zip({PALM_MEMBER: b"no network", HAND_MEMBER: b"no network"}))
    with (
        quiet_native_log(),
        pytest.raises(HandloreError, match=r"refuses the bundle .*own\.task") as problem,
        opened_by_name(name, bundle=path) as opened,
    ):
        opened.detect(open_palm)
    assert "\n" not in str(problem.value)


@every_detector
@pytest.mark.parametrize("max_hands", [0, -1])
def test_max_hands_of_none(name, max_hands):
    options = DetectorOptions(detector=name)
    # Past the check of the options.
    object.__setattr__(options, "max_hands", max_hands)
    with pytest.raises(HandloreError, match=f"max_hands is {max_hands}, expected 1 or more"):
        open_detector(options)


@pytest.mark.parametrize("confidence", [nan, -0.1, 1.5])
def test_a_confidence_that_is_none(detector, open_palm, confidence):
    with pytest.raises(HandloreError, match=r"min_confidence is .* expected a number from 0 to 1"):
        detector.detect(open_palm, min_confidence=confidence)


@pytest.mark.parametrize("seconds", [nan, inf])
def test_a_time_that_is_none(detector, open_palm, seconds):
    with pytest.raises(HandloreError, match=f"the frame's time is {seconds}, expected seconds"):
        detector.track(open_palm, seconds)


@pytest.mark.parametrize(
    "picture",
    [
        None,
        np.zeros((9, 9), np.uint8),
        np.zeros((9, 9, 4), np.uint8),
        np.zeros((9, 9, 3)),
        np.zeros((0, 9, 3), np.uint8),
    ],
    ids=["none", "grey", "alpha", "float", "empty"],
)
def test_a_picture_that_is_none(detector, picture):
    for call in (detector.detect, lambda pixels: detector.track(pixels, 1e6)):
        with pytest.raises(HandloreError, match=r"expected \(height, width, 3\) of 8 bits"):
            call(picture)


def test_a_network_needs_a_thread():
    with pytest.raises(HandloreError, match="threads is 0"):
        DetectorOptions(threads=0)


def test_landmarks_do_not_depend_on_the_number_of_threads():
    picture = render_pose("victory", Person(), Scene()).pixels
    found = []
    for threads in (1, 2, 4):
        with opened_by_name("litert", threads=threads) as detector:
            (hand,) = detector.detect(picture)
            found.append((hand.image.tobytes(), hand.world.tobytes(), hand.handedness))
    assert found[0] == found[1] == found[2]
