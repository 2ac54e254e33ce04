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
from handlore.landmarks.detectors.mediapipe import MediaPipeDetector
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.opening import open_detector
from handlore.landmarks.weights import HAND_MEMBER, PALM_MEMBER, Bundle, aligned_zip


@pytest.fixture
def video():
    """A detector whose tracking state belongs to one test."""
    with quiet_native_log(), open_detector() as opened:
        yield opened


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


def test_a_still_does_not_depend_on_what_was_seen_before(detector):
    first, other = (render_pose(p, Person(), Scene()).pixels for p in ("victory", "fist"))
    (before,) = detector.detect(first)
    detector.detect(other)
    (after,) = detector.detect(first)
    np.testing.assert_array_equal(before.image, after.image)
    np.testing.assert_array_equal(before.world, after.world)


def test_two_hands_side_by_side_are_both_found():
    left, right = (render_pose("open_palm", Person(), Scene(hand=h)) for h in ("left", "right"))
    both = np.hstack([right.pixels, left.pixels])
    with quiet_native_log(), open_detector(DetectorOptions(max_hands=2)) as opened:
        hands = opened.detect(both)
    assert {hand.side for hand in hands} == {"left", "right"}
    wrists = {hand.side: hand.image[0, 0] for hand in hands}
    assert wrists["right"] < 0.5 < wrists["left"], "the picture's halves"


def test_one_hand_is_asked_for_and_one_is_given(detector):
    picture = render_pose("open_palm", Person(), Scene()).pixels
    assert len(detector.detect(np.hstack([picture, picture]))) == 1


def test_a_video_is_tracked_along_the_truth(video):
    frames = list(render_movement("swipe_right", Person(), Scene(), fps=15))
    found = [(video.track(picture.pixels, seconds), picture) for seconds, picture in frames]
    with_hand = [(hands[0], picture) for hands, picture in found if hands]
    assert len(with_hand) >= 0.9 * len(frames)
    apart = [palm_lengths_apart(hand, picture.image) for hand, picture in with_hand]
    assert np.median(apart) < 0.15


def test_time_must_run_forward_until_a_reset(video):
    pixels = render_pose("open_palm", Person(), Scene()).pixels
    video.track(pixels, 1.0)
    for seconds in (1.0, 0.9, -1.0):
        with pytest.raises(ValueError, match="time stands still or runs back"):
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


def test_a_closed_detector_refuses():
    pixels = np.zeros((32, 32, 3), np.uint8)
    with quiet_native_log(), open_detector() as opened:
        opened.detect(pixels)
    with pytest.raises(ValueError, match="closed"):
        opened.detect(pixels)
    with pytest.raises(ValueError, match="closed"):
        opened.track(pixels, 0.0)
    opened.close()


def test_it_says_what_it_is(detector):
    assert detector.info.name == "mediapipe"
    assert detector.info.landmarker == "full"
    assert len(detector.info.bundle_sha256) == 64


def test_networks_that_are_none_are_one_line(tmp_path):
    path = tmp_path / "own.task"
    path.write_bytes(aligned_zip({PALM_MEMBER: b"no network", HAND_MEMBER: b"no network"}))
    pixels = np.zeros((32, 32, 3), np.uint8)
    with (
        quiet_native_log(),
        MediaPipeDetector(Bundle(path, "custom", "test")) as opened,
        pytest.raises(HandloreError, match=r"refuses the bundle .*own\.task") as problem,
    ):
        opened.detect(pixels)
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize(
    ("options", "match"),
    [({"max_hands": 3}, "1 or 2 hands"), ({"detector": "magic"}, "Known: auto, .*mediapipe")],
)
def test_options_that_make_no_sense_are_refused(options, match):
    with pytest.raises(HandloreError, match=match):
        open_detector(DetectorOptions(**options))


def test_the_bundle_named_in_the_options_is_the_one_used(tmp_path):
    with pytest.raises(HandloreError, match=r"missing\.task.* is not a file"):
        open_detector(DetectorOptions(bundle=tmp_path / "missing.task"))
