import numpy as np
import pytest

from handlore.datasets.rendered import Person, Scene, render_pose
from handlore.landmarks.brightness import brightened
from handlore.landmarks.detector import DetectorOptions
from handlore.landmarks.opening import open_detector
from handlore.landmarks.search import augmented_hands, search

PALM = render_pose("open_palm", Person(), Scene()).pixels


def dark(share):
    """Return the picture with a share of its light, and the noise of a camera."""
    noise = np.random.default_rng(0).normal(0, 3, PALM.shape)
    return np.clip(PALM * share + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("picture", [PALM, np.full((40, 30, 3), 128, np.uint8)])
def test_pictures_in_good_light_stay_as_they_are(picture):
    assert brightened(picture) is picture


@pytest.mark.parametrize("share", [0.3, 0.1])
def test_dark_pictures_become_as_bright_as_others(share):
    before, bright = dark(share), brightened(dark(share))
    assert before.max() < 128 < np.percentile(bright.max(axis=2), 99)
    # The same picture, up to its brightness.
    assert np.corrcoef(bright.ravel(), PALM.ravel())[0, 1] > 0.95


def test_the_noise_of_a_covered_camera_stays_dark():
    noise = np.random.default_rng(0).integers(0, 10, (48, 64, 3), dtype=np.uint8)
    assert brightened(noise) is noise


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (700, 3)])
def test_pictures_of_any_size(size):
    assert brightened(np.full((*size, 3), 20, np.uint8)).shape == (*size, 3)


def test_a_hand_in_the_dark_is_found(detector):
    picture = dark(0.06)
    assert not detector.detect(picture)
    (hand,), (light,) = search(detector, picture), search(detector, PALM)
    assert np.linalg.norm((hand.image - light.image)[:, :2], axis=1).mean() < 0.02
    assert augmented_hands(detector, picture, [hand], 2)
    detector.reset()
    assert detector.track(picture, 0.0)


def test_noise_that_is_amplified_is_no_movement(monkeypatch):
    given, picture = [], dark(0.1)
    with open_detector(DetectorOptions(detector="litert", video=True)) as tracking:
        monkeypatch.setattr(tracking, "_palms_due", lambda shown, *_: given.append(shown))
        tracking.track(picture, 0.0)
    assert given[0] is picture
