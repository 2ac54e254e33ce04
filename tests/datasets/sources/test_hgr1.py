import hashlib

import cv2
import numpy as np
import pytest

from handlore.datasets.sources import make_source
from handlore.landmarks.errors import InvalidDataError


@pytest.fixture
def photo(tmp_path):
    """Save a grey photo and a mask whose left half is hand."""
    cv2.imwrite(str(tmp_path / "A_P_hgr1_id01_1.jpg"), np.full((20, 30, 3), 150, np.uint8))
    mask = np.full((20, 30, 3), 255, np.uint8)
    mask[:, :15] = 0
    cv2.imwrite(str(tmp_path / "A_P_hgr1_id01_1.bmp"), mask)
    return tmp_path / "A_P_hgr1_id01_1.jpg"


def read(photo, *, masks=True):
    source = make_source("hgr1", {"apply_masks": masks})
    (item,) = source.scan(photo.parent).items
    return source.read(item)


def test_the_hand_is_cut_out_by_its_mask(photo):
    clip = read(photo)
    _, pixels = next(clip.frames)
    assert abs(int(pixels[:, :15].mean()) - 150) < 3
    assert pixels[:, 15:].max() == 0
    assert clip.sha256 == hashlib.sha256(photo.read_bytes()).hexdigest()
    assert next(read(photo, masks=False).frames)[1].min() > 100


def test_a_missing_mask_is_a_failure(photo):
    photo.with_suffix(".bmp").unlink()
    with pytest.raises(InvalidDataError, match=r"A_P_hgr1_id01_1\.bmp beside it is missing"):
        read(photo)


def test_a_mask_that_does_not_fit_is_a_failure(photo):
    cv2.imwrite(str(photo.with_suffix(".bmp")), np.zeros((5, 5, 3), np.uint8))
    with pytest.raises(InvalidDataError, match="has 5x5 pixels, the photo 30x20"):
        read(photo)
    photo.with_suffix(".bmp").write_bytes(b"BM")
    with pytest.raises(InvalidDataError, match=r"skin mask .*damaged"):
        read(photo)


def test_real_hands_are_cut_out(real_data):
    source = make_source("hgr1", {"apply_masks": True})
    items = source.scan(real_data / "hgr1").items
    for item in items[:: len(items) // 5]:
        _, pixels = next(source.read(item).frames)
        black = float((pixels.max(axis=2) == 0).mean())
        assert 0.4 < black < 0.97
        assert pixels[pixels.max(axis=2) > 0].mean() > 50
