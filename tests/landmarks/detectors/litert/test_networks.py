import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from handlore.landmarks.detectors.litert import LiteRTDetector
from handlore.landmarks.detectors.litert.networks import (
    _anchors,
    _decode,
    _merge,
    _RoundedWarp,
    _Warp,
)
from handlore.landmarks.detectors.litert.regions import Region
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.weights import (
    HAND_MEMBER,
    PALM_MEMBER,
    Bundle,
    _aligned_zip,
    require_bundle,
)


def test_the_warp_is_that_of_opencv_to_one_grey_level():
    picture = np.random.default_rng(0).integers(0, 255, (120, 90, 3), np.uint8)
    picture = cv2.GaussianBlur(picture, (0, 0), 3)
    matrix = Region(40, 70, 150, 0.4).to_picture(64)
    for border in (cv2.BORDER_CONSTANT, cv2.BORDER_REPLICATE):
        square = _RoundedWarp(64, border)(picture, matrix)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        expected = cv2.warpAffine(picture, matrix, (64, 64), flags=flags, borderMode=border)
        assert np.abs(square.astype(int) - expected).max() <= (2 if border else 12)
        assert np.abs(square.astype(int) - expected).mean() < 0.3


def test_the_warp_rounds_to_32nds_of_a_pixel():
    ramp = np.tile((np.arange(8, dtype=np.uint8) * 32)[None, :, None], (8, 1, 3))
    for shift in (0.0, 0.25, 0.26, 0.251, 0.4999):
        matrix = np.array([[1, 0, 2 + shift], [0, 1, 0]])
        square = _RoundedWarp(4, cv2.BORDER_REPLICATE)(ramp, matrix)
        assert square[0, 0, 0] == 64 + round(shift * 32)


@pytest.mark.parametrize("kind", [_Warp, _RoundedWarp])
def test_one_warp_serves_many_pictures(kind):
    warp = kind(16, cv2.BORDER_REPLICATE)
    for value in (10, 200):
        picture = np.full((30, 20, 3), value, np.uint8)
        assert (warp(picture, Region(-50, 900, 300, 1.0).to_picture(16)) == value).all()


@pytest.mark.parametrize("content", [b"no zip", _aligned_zip({"other": b"x"})], ids=["text", "zip"])
def test_a_bundle_without_networks_is_refused(tmp_path, content):
    path = tmp_path / "own.task"
    path.write_bytes(content)
    with pytest.raises(HandloreError, match=r"cannot read the bundle .*own\.task"):
        LiteRTDetector(Bundle(path, "custom", "test"))


def test_networks_in_the_wrong_places_are_refused(tmp_path):
    with zipfile.ZipFile(require_bundle("full").path) as archive:
        palm = archive.read(PALM_MEMBER)
    path: Path = tmp_path / "own.task"
    path.write_bytes(_aligned_zip({PALM_MEMBER: palm, HAND_MEMBER: palm}))
    with pytest.raises(HandloreError, match="other networks"):
        LiteRTDetector(Bundle(path, "custom", "test"))


def test_without_litert_the_next_step_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(HandloreError, match="pip install ai-edge-litert"):
        LiteRTDetector(require_bundle("full"))


def test_the_anchors_lie_in_the_middle_of_their_cells():
    centres = _anchors()
    assert centres.shape == (2016, 2)
    np.testing.assert_allclose(centres[[0, 1]], 4 / 192)
    np.testing.assert_allclose(centres[2], (12 / 192, 4 / 192), rtol=1e-6)
    np.testing.assert_allclose(centres[-1], 184 / 192)
    assert len(np.unique(centres, axis=0)) == 24**2 + 12**2


def test_decoding_finds_the_box_about_its_anchor():
    boxes, scores = np.zeros((2016, 18), np.float32), np.full(2016, -1000, np.float32)
    boxes[5, :6] = 19.2, -19.2, 38.4, 19.2, 96, 0
    scores[5], scores[9] = 2.0, 1.0
    probabilities, points = _decode(boxes, scores, 0.5)
    assert probabilities == pytest.approx(1 / (1 + np.exp([-2, -1])))
    x, y = _anchors()[5]
    np.testing.assert_allclose(points[0, 0], (x + 0.1 - 0.1, y - 0.1 - 0.05), atol=1e-6)
    np.testing.assert_allclose(points[0, 1], (x + 0.1 + 0.1, y - 0.1 + 0.05), atol=1e-6)
    np.testing.assert_allclose(points[0, 2], (x + 0.5, y), atol=1e-6)


def test_merging_averages_what_overlaps_and_keeps_the_rest():
    def guess(x):
        return np.array([(x, 0), (x + 1, 1)] + [(x, x)] * 7, np.float32)

    points = np.stack([guess(0.0), guess(5.0), guess(0.2)])
    palms = _merge(np.array([0.9, 0.8, 0.6], np.float32), points)
    assert [score for score, _ in palms] == pytest.approx([0.9, 0.8])
    np.testing.assert_allclose(palms[0][1], guess(0.2 * 0.6 / 1.5), atol=1e-6)
    np.testing.assert_allclose(palms[1][1], guess(5.0), atol=1e-6)
    assert _merge(np.zeros(0, np.float32), np.zeros((0, 9, 2), np.float32)) == []
