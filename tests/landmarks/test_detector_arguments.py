"""Both detectors say in words what is wrong with their arguments."""

from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest

from handlore.datasets.rendered import Person, Scene, render_pose
from handlore.landmarks.detector import DetectorOptions
from handlore.landmarks.detectors.litert import LiteRTDetector
from handlore.landmarks.detectors.mediapipe import MediaPipeDetector
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.hand_transforms import plan_transforms
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.opening import detector_info, open_detector
from handlore.landmarks.weights import require_bundle


@pytest.fixture(scope="module")
def open_palm():
    return render_pose("open_palm", Person(), Scene(), size=(400, 300)).pixels


BOTH = [LiteRTDetector, MediaPipeDetector]


@pytest.fixture(scope="module", params=BOTH)
def detector(request):
    with quiet_native_log(), request.param(require_bundle("full")) as opened:
        yield opened


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("max_hands", [0, -1])
def test_room_for_no_hand(kind, max_hands):
    with pytest.raises(ValueError, match=f"max_hands is {max_hands}, expected 1 or more"):
        kind(require_bundle("full"), max_hands=max_hands)


@pytest.mark.parametrize("confidence", [nan, -0.1, 1.5])
def test_a_confidence_that_is_none(detector, open_palm, confidence):
    with pytest.raises(ValueError, match=r"min_confidence is .* expected a number from 0 to 1"):
        detector.detect(open_palm, min_confidence=confidence)


@pytest.mark.parametrize("seconds", [nan, inf])
def test_a_time_that_is_none(detector, open_palm, seconds):
    with pytest.raises(ValueError, match=f"the frame's time is {seconds}, expected seconds"):
        detector.track(open_palm, seconds)


@pytest.mark.parametrize("picture", [None, np.zeros((9, 9), np.uint8), np.zeros((9, 9, 3))])
def test_a_picture_that_is_none(detector, picture):
    for call in (detector.detect, lambda pixels: detector.track(pixels, 1e6)):
        with pytest.raises(ValueError, match=r"expected \(height, width, 3\) of 8 bits"):
            call(picture)


def test_views_of_a_hand_that_is_not_known(open_palm):
    with quiet_native_log(), LiteRTDetector(require_bundle("full")) as opened:
        (hand,) = opened.detect(open_palm)
        lost = replace(hand, image=np.full((21, 3), nan, np.float32))
        with pytest.raises(ValueError, match="not numbers"):
            opened.detect_again(open_palm, lost)


@pytest.mark.parametrize("n", [-1, 1.5])
def test_a_number_of_transforms_that_is_none(n):
    with pytest.raises(ValueError, match="n_transforms is"):
        plan_transforms(n)


@pytest.mark.parametrize("name", ["mediapipe", "litert"])
def test_a_detector_is_what_it_was_said_to_be_before_it_was_opened(name):
    options = DetectorOptions(detector=name)
    with quiet_native_log(), open_detector(options) as opened:
        assert detector_info(options) == opened.info


def test_a_network_needs_a_thread():
    with pytest.raises(HandloreError, match="threads is 0"):
        DetectorOptions(threads=0)


def test_landmarks_do_not_depend_on_the_number_of_threads():
    picture = render_pose("victory", Person(), Scene()).pixels
    found = []
    for threads in (1, 2, 4):
        with open_detector(DetectorOptions(detector="litert", threads=threads)) as detector:
            (hand,) = detector.detect(picture)
            found.append((hand.image.tobytes(), hand.world.tobytes(), hand.handedness))
    assert found[0] == found[1] == found[2]
