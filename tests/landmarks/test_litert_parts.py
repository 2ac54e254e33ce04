"""The steps between the networks, on numbers that can be worked out by hand."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from math import cos, pi, radians, sin
from shutil import which

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlore.datasets.rendered import Person, Scene, render_movement, render_pose
from handlore.landmarks.detectors.litert import LiteRTDetector
from handlore.landmarks.detectors.litert.networks import RoundedWarp, Warp
from handlore.landmarks.detectors.litert.palm import anchors, decode, merge
from handlore.landmarks.detectors.litert.regions import (
    MEDIAPIPE_PALM_ANGLE,
    UPRIGHT_PALM_ANGLE,
    Region,
    letterbox,
    overlap,
    region_from_landmarks,
    region_from_palm,
    wrapped,
)
from handlore.landmarks.weights import require_bundle

ANGLES = st.floats(-7, 7)
PLACES = st.floats(-500, 500)
SIDES = st.floats(1, 500)
REGIONS = st.builds(Region, PLACES, PLACES, SIDES, ANGLES)


def upright_palm(turn=0.0):
    """A palm 40 wide and 60 high about (100, 200), fingers up, turned about its centre."""
    keypoints = np.array(
        [(100, 230), (85, 170), (100, 170), (110, 175), (118, 180), (80, 220), (70, 200)], float
    )
    c, s = cos(turn), sin(turn)
    turned = (keypoints - (100, 200)) @ np.array([[c, s], [-s, c]]) + (100, 200)
    return np.array([(80, 170), (120, 230)], float), turned


def test_the_warp_is_that_of_opencv_to_one_grey_level():
    picture = np.random.default_rng(0).integers(0, 255, (120, 90, 3), np.uint8)
    picture = cv2.GaussianBlur(picture, (0, 0), 3)
    matrix = Region(40, 70, 150, 0.4).to_picture(64)
    for border in (cv2.BORDER_CONSTANT, cv2.BORDER_REPLICATE):
        square = RoundedWarp(64, border)(picture, matrix)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        expected = cv2.warpAffine(picture, matrix, (64, 64), flags=flags, borderMode=border)
        assert np.abs(square.astype(int) - expected).max() <= (2 if border else 12)
        assert np.abs(square.astype(int) - expected).mean() < 0.3


def test_the_warp_rounds_to_32nds_of_a_pixel():
    ramp = np.tile((np.arange(8, dtype=np.uint8) * 32)[None, :, None], (8, 1, 3))
    for shift in (0.0, 0.25, 0.26, 0.251, 0.4999):
        matrix = np.array([[1, 0, 2 + shift], [0, 1, 0]])
        square = RoundedWarp(4, cv2.BORDER_REPLICATE)(ramp, matrix)
        assert square[0, 0, 0] == 64 + round(shift * 32)


@pytest.mark.parametrize("kind", [Warp, RoundedWarp])
def test_one_warp_serves_many_pictures(kind):
    warp = kind(16, cv2.BORDER_REPLICATE)
    for value in (10, 200):
        picture = np.full((30, 20, 3), value, np.uint8)
        assert (warp(picture, Region(-50, 900, 300, 1.0).to_picture(16)) == value).all()


@given(REGIONS, st.booleans())
def test_the_middle_and_the_corners_of_a_square_are_where_they_belong(region, flip):
    matrix = region.to_picture(10, flip=flip)
    corners = np.array([(0, 0), (10, 0), (10, 10), (0, 10)]) @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(corners.mean(axis=0), (region.x, region.y), atol=1e-6)
    edges = np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1)
    np.testing.assert_allclose(edges, region.side, rtol=1e-6)
    assert np.sign(np.linalg.det(matrix[:, :2])) == (-1 if flip else 1)


@given(REGIONS, REGIONS)
def test_overlap_is_symmetric_and_of_a_square_with_itself_one(one, other):
    assert overlap(one, one) == pytest.approx(1.0)
    assert 0 <= overlap(one, other) <= 1
    assert overlap(one, other) == pytest.approx(overlap(other, one))


@pytest.mark.parametrize(("x", "shared"), [(0, 1.0), (5, 1 / 3), (10, 0.0), (30, 0.0)])
def test_overlap_of_shifted_squares(x, shared):
    assert overlap(Region(0, 0, 10, 0), Region(x, 0, 10, 1)) == pytest.approx(shared)


def test_a_small_square_inside_a_large_one():
    assert overlap(Region(0, 0, 10, 0), Region(1, 1, 5, 0)) == pytest.approx(0.25)


def test_the_letterbox_is_the_square_about_the_picture():
    assert letterbox(50, 20_000) == Region(10_000, 25, 20_000, 0)


def test_the_region_of_an_upright_palm():
    region = region_from_palm(*upright_palm(), UPRIGHT_PALM_ANGLE)
    assert region.rotation == pytest.approx(0)
    assert (region.x, region.y) == pytest.approx((100, 200 - 0.5 * 60))
    assert region.side == pytest.approx(2.6 * 60)


def test_the_angle_of_mediapipe_is_ninety_radians():
    region = region_from_palm(*upright_palm())
    assert region.rotation == pytest.approx(wrapped(90 - pi / 2))
    assert np.degrees(region.rotation) == pytest.approx(26.62, abs=0.01)
    assert MEDIAPIPE_PALM_ANGLE == 90


@given(st.floats(-3, 3))
def test_the_region_turns_with_the_palm(turn):
    region = region_from_palm(*upright_palm(turn), UPRIGHT_PALM_ANGLE)
    assert wrapped(region.rotation - turn) == pytest.approx(0, abs=1e-6)
    away = np.array([region.x, region.y]) - (100, 200)
    np.testing.assert_allclose(away, (30 * sin(turn), -30 * cos(turn)), atol=1e-6)


@given(ANGLES, st.floats(0.2, 5), PLACES, PLACES)
def test_the_region_from_landmarks_moves_with_the_hand(turn, scale, x, y):
    random = np.random.default_rng(0)
    points = random.uniform(-1, 1, (21, 2))
    points[[0, 5, 9, 13]] = (0, 1), (-0.2, -1), (0, -1), (0.2, -1)
    c, s = cos(turn), sin(turn)
    moved = scale * points @ np.array([[c, s], [-s, c]]) + (x, y)
    before, after = region_from_landmarks(points), region_from_landmarks(moved)
    assert before.rotation == pytest.approx(0)
    assert wrapped(after.rotation - turn) == pytest.approx(0, abs=1e-6)
    assert after.side == pytest.approx(scale * before.side)
    centre = scale * np.array([before.x, before.y]) @ np.array([[c, s], [-s, c]]) + (x, y)
    np.testing.assert_allclose((after.x, after.y), centre, atol=1e-6)


def test_bent_fingers_do_not_change_the_region():
    points = np.random.default_rng(0).uniform(0, 1, (21, 2))
    bent = points.copy()
    bent[[4, 7, 8, 11, 12, 15, 16, 19, 20]] = 7
    assert region_from_landmarks(points) == region_from_landmarks(bent)


def test_the_anchors_lie_in_the_middle_of_their_cells():
    centres = anchors()
    assert centres.shape == (2016, 2)
    np.testing.assert_allclose(centres[[0, 1]], 4 / 192)
    np.testing.assert_allclose(centres[2], (12 / 192, 4 / 192), rtol=1e-6)
    np.testing.assert_allclose(centres[-1], 184 / 192)
    assert len(np.unique(centres, axis=0)) == 24**2 + 12**2


def test_decoding_finds_the_box_about_its_anchor():
    boxes, scores = np.zeros((2016, 18), np.float32), np.full(2016, -1000, np.float32)
    boxes[5, :6] = 19.2, -19.2, 38.4, 19.2, 96, 0
    scores[5], scores[9] = 2.0, 1.0
    probabilities, points = decode(boxes, scores, 0.5)
    assert probabilities == pytest.approx(1 / (1 + np.exp([-2, -1])))
    x, y = anchors()[5]
    np.testing.assert_allclose(points[0, 0], (x + 0.1 - 0.1, y - 0.1 - 0.05), atol=1e-6)
    np.testing.assert_allclose(points[0, 1], (x + 0.1 + 0.1, y - 0.1 + 0.05), atol=1e-6)
    np.testing.assert_allclose(points[0, 2], (x + 0.5, y), atol=1e-6)


def test_merging_averages_what_overlaps_and_keeps_the_rest():
    def guess(x):
        return np.array([(x, 0), (x + 1, 1)] + [(x, x)] * 7, np.float32)

    points = np.stack([guess(0.0), guess(5.0), guess(0.2)])
    palms = merge(np.array([0.9, 0.8, 0.6], np.float32), points)
    assert [score for score, _ in palms] == pytest.approx([0.9, 0.8])
    np.testing.assert_allclose(palms[0][1], guess(0.2 * 0.6 / 1.5), atol=1e-6)
    np.testing.assert_allclose(palms[1][1], guess(5.0), atol=1e-6)
    assert merge(np.zeros(0, np.float32), np.zeros((0, 9, 2), np.float32)) == []


@given(st.floats(-1000, 1000))
def test_an_angle_is_wrapped_once(angle):
    assert -pi <= wrapped(angle) <= pi
    assert cos(wrapped(angle)) == pytest.approx(cos(angle), abs=1e-9)
    assert sin(wrapped(angle)) == pytest.approx(sin(angle), abs=1e-9)


def test_turning_a_region_keeps_its_middle():
    turned = Region(3, 4, 10, 0.0).turned(radians(90), 2.0)
    assert (turned.x, turned.y, turned.side) == (3, 4, 20)
    assert turned.rotation == pytest.approx(pi / 2)


def test_two_detectors_in_two_threads_answer_as_one():
    frames = [p.pixels for _, p in render_movement("grab", Person(), Scene(), fps=8)]

    def run(_):
        with LiteRTDetector(require_bundle("full")) as opened:
            return [
                [hand.image.tobytes() for hand in opened.track(frame, k / 8)]
                for k, frame in enumerate(frames)
            ]

    alone = run(0)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(run, range(2))) == [alone, alone]


def test_no_socket_is_opened(monkeypatch):
    import socket

    def refuse(*_, **__):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    pixels = render_pose("open_palm", Person(), Scene()).pixels
    with LiteRTDetector(require_bundle("full")) as opened:
        assert opened.detect(pixels)
        assert opened.track(pixels, 0.0)


SCRIPT = """
import numpy as np
from handlore.landmarks.detectors.litert import LiteRTDetector
from handlore.landmarks.weights import require_bundle
with LiteRTDetector(require_bundle("full")) as opened:
    opened.detect(np.zeros((64, 64, 3), np.uint8))
    opened.track(np.zeros((64, 64, 3), np.uint8), 0.0)
import sys
assert "mediapipe" not in sys.modules
print("done")
"""


@pytest.mark.skipif(which("strace") is None, reason="needs strace")
def test_no_system_call_asks_for_a_socket():
    command = ["strace", "-f", "-qq", "-e", "trace=%network", sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if "ptrace" in done.stderr and "done" not in done.stdout:
        pytest.skip("strace may not trace here")
    assert done.stdout.strip() == "done", done.stderr[-500:]
    assert "socket(" not in done.stderr


def test_a_read_only_view_of_a_buffer_that_changes_is_looked_at_again():
    hand = render_pose("open_palm", Person(), Scene()).pixels
    buffer = np.zeros_like(hand)
    view = buffer.view()
    view.flags.writeable = False
    with LiteRTDetector(require_bundle("full")) as ours:
        assert ours.detect(view) == []
        buffer[:] = hand
        assert len(ours.detect(view)) == 1
