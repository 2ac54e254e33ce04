import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from handlore.landmarks.detectors.litert import LiteRTDetector
from handlore.landmarks.detectors.litert.networks import _RoundedWarp, _Warp
from handlore.landmarks.detectors.litert.regions import Region
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.weights import HAND_MEMBER, PALM_MEMBER, Bundle, aligned_zip, require_bundle


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


@pytest.mark.parametrize("content", [b"no zip", aligned_zip({"other": b"x"})], ids=["text", "zip"])
def test_a_bundle_without_networks_is_refused(tmp_path, content):
    path = tmp_path / "own.task"
    path.write_bytes(content)
    with pytest.raises(HandloreError, match=r"cannot read the bundle .*own\.task"):
        LiteRTDetector(Bundle(path, "custom", "test"))


def test_networks_in_the_wrong_places_are_refused(tmp_path):
    with zipfile.ZipFile(require_bundle("full").path) as archive:
        palm = archive.read(PALM_MEMBER)
    path: Path = tmp_path / "own.task"
    path.write_bytes(aligned_zip({PALM_MEMBER: palm, HAND_MEMBER: palm}))
    with pytest.raises(HandloreError, match="other networks"):
        LiteRTDetector(Bundle(path, "custom", "test"))


def test_without_litert_the_next_step_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(HandloreError, match="pip install ai-edge-litert"):
        LiteRTDetector(require_bundle("full"))
