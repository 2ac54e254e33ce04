"""The LiteRT detector on still pictures, held to MediaPipe's own answers."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from handlore.datasets.rendered import Person, Scene, render_background, render_pose
from handlore.landmarks.detector import HandDetector
from handlore.landmarks.detectors.litert import UPRIGHT_PALM_ANGLE, LiteRTDetector
from handlore.landmarks.detectors.mediapipe import MediaPipeDetector
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.weights import HAND_MEMBER, PALM_MEMBER, Bundle, aligned_zip, require_bundle


@pytest.fixture(scope="module", params=[1, 2], ids=["one hand", "two hands"])
def both(request):
    """MediaPipe and LiteRT, looking for as many hands."""
    bundle, n = require_bundle("full"), request.param
    with (
        quiet_native_log(),
        MediaPipeDetector(bundle, max_hands=n) as reference,
        LiteRTDetector(bundle, max_hands=n) as ours,
    ):
        yield reference, ours


@pytest.fixture(scope="module")
def ours():
    with quiet_native_log(), LiteRTDetector(require_bundle("full")) as opened:
        yield opened


def assert_same_hands(
    reference: HandDetector, ours: HandDetector, pixels, *, atol=0.002, **how
) -> int:
    expected, found = reference.detect(pixels, **how), ours.detect(pixels, **how)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.image, other.image, atol=atol)
        np.testing.assert_allclose(one.world, other.world, atol=0.001)
        assert one.handedness == pytest.approx(other.handedness, abs=0.02)
        assert 0.0 < one.score <= 1
    return len(found)


def test_rendered_hands_are_found_as_mediapipe_finds_them(both, pictures):
    files = sorted(pictures.glob("*/*.png")) or sorted(pictures.rglob("*.png"))
    assert len(files) >= 24
    n = sum(
        assert_same_hands(*both, cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB))
        for file in files
    )
    assert n >= 20


@pytest.mark.parametrize("size", [(480, 320), (320, 480), (641, 207)], ids=["wide", "tall", "odd"])
def test_pictures_that_are_not_square(both, size):
    for side in ("left", "right"):
        picture = render_pose("victory", Person(), Scene(size=0.25, hand=side), size=size)
        assert assert_same_hands(*both, picture.pixels) == 1


def test_two_hands_side_by_side(both):
    left, right = (render_pose("open_palm", Person(), Scene(hand=h)) for h in ("left", "right"))
    n = assert_same_hands(*both, np.hstack([right.pixels, left.pixels]))
    assert n == both[1]._max_hands


def test_low_thresholds(both):
    blurred = cv2.GaussianBlur(render_pose("fist", Person(), Scene()).pixels, (0, 0), 7)
    assert_same_hands(*both, blurred, min_confidence=0.1)
    assert_same_hands(*both, blurred, atol=0.003, min_confidence=0.9)


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 300), (300, 1), (50, 20_000), (7, 5)], ids=lambda s: f"{s[1]}x{s[0]}"
)
def test_pictures_of_strange_shapes_do_no_harm(ours, shape):
    pixels = np.random.default_rng(0).integers(0, 255, (*shape, 3), np.uint8)
    assert ours.detect(pixels) == []


def test_backgrounds_have_no_hands(ours):
    assert [seed for seed in range(8) if ours.detect(render_background(seed))] == []


def test_very_large_pictures_are_thinned_out(ours):
    small = render_pose("open_palm", Person(), Scene()).pixels
    (known,) = ours.detect(small)
    factor = -(-12_200 // small.shape[1])
    (hand,) = ours.detect(cv2.resize(small, None, fx=factor, fy=factor))
    assert np.abs(hand.image - known.image)[:, :2].max() < 0.02


def test_pixels_need_not_be_contiguous(ours):
    pixels = render_pose("open_palm", Person(), Scene()).pixels
    (known,) = ours.detect(pixels)
    (hand,) = ours.detect(np.asfortranarray(pixels))
    np.testing.assert_array_equal(hand.image, known.image)


def test_a_still_does_not_depend_on_what_was_seen_before(ours):
    first, other = (render_pose(p, Person(), Scene()).pixels for p in ("victory", "fist"))
    (before,) = ours.detect(first)
    ours.track(other, 0.0)
    ours.detect(other)
    (after,) = ours.detect(first)
    ours.reset()
    np.testing.assert_array_equal(before.image, after.image)
    np.testing.assert_array_equal(before.world, after.world)


def test_an_upright_first_crop_can_be_asked_for(ours):
    picture = render_pose("open_palm", Person(), Scene())
    (known,) = ours.detect(picture.pixels)
    with LiteRTDetector(require_bundle("full"), palm_target_angle=UPRIGHT_PALM_ANGLE) as upright:
        (hand,) = upright.detect(picture.pixels)
    apart = np.abs(hand.image - known.image)[:, :2].max()
    assert 0 < apart < 0.05


def test_lite_networks(both):
    bundle = require_bundle("lite")
    pixels = render_pose("open_palm", Person(), Scene()).pixels
    with MediaPipeDetector(bundle) as reference, LiteRTDetector(bundle) as lite:
        assert assert_same_hands(reference, lite, pixels) == 1
        assert lite.info.landmarker == "lite"


def test_it_says_what_it_is(ours):
    assert ours.info.name == "litert"
    assert ours.info.version[0].isdigit()
    assert ours.info.landmarker == "full"
    assert len(ours.info.bundle_sha256) == 64


def test_a_closed_detector_refuses():
    pixels = np.zeros((32, 32, 3), np.uint8)
    with LiteRTDetector(require_bundle("full")) as opened:
        (hand,) = opened.detect(render_pose("open_palm", Person(), Scene()).pixels)
    for call in (
        lambda: opened.detect(pixels),
        lambda: opened.track(pixels, 0.0),
        lambda: opened.detect_again(pixels, hand),
    ):
        with pytest.raises(ValueError, match="closed"):
            call()
    opened.close()


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((32, 32), np.uint8),
        np.zeros((32, 32, 4), np.uint8),
        np.zeros((32, 32, 3), np.float32),
        np.zeros((0, 32, 3), np.uint8),
    ],
    ids=["grey", "alpha", "float", "empty"],
)
def test_what_is_no_picture_is_refused(ours, pixels):
    for call in (ours.detect, lambda p: ours.track(p, 99.0)):
        with pytest.raises(ValueError, match=r"expected \(height, width, 3\)"):
            call(pixels)


def test_networks_that_are_none_are_one_line(tmp_path):
    path = tmp_path / "own.task"
    path.write_bytes(aligned_zip({PALM_MEMBER: b"no network", HAND_MEMBER: b"no network"}))
    with pytest.raises(HandloreError, match=r"refuses the bundle .*own\.task") as problem:
        LiteRTDetector(Bundle(path, "custom", "test"))
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize("content", [b"no zip", aligned_zip({"other": b"x"})], ids=["text", "zip"])
def test_a_bundle_without_networks_is_refused(tmp_path, content):
    path = tmp_path / "own.task"
    path.write_bytes(content)
    with pytest.raises(HandloreError, match=r"cannot read the bundle .*own\.task"):
        LiteRTDetector(Bundle(path, "custom", "test"))


def test_networks_in_the_wrong_places_are_refused(tmp_path):
    import zipfile

    with zipfile.ZipFile(require_bundle("full").path) as archive:
        palm = archive.read(PALM_MEMBER)
    path: Path = tmp_path / "own.task"
    path.write_bytes(aligned_zip({PALM_MEMBER: palm, HAND_MEMBER: palm}))
    with pytest.raises(HandloreError, match="other networks"):
        LiteRTDetector(Bundle(path, "custom", "test"))


def test_without_litert_the_next_step_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(HandloreError, match="pip install ai-edge-litert"):
        LiteRTDetector(require_bundle("full"))
