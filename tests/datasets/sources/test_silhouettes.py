import cv2
import numpy as np
import pytest

from handlore.datasets.sources import find_source, make_source
from handlore.landmarks.silhouettes import is_silhouette


def blob(size=60, hand=255, ground=0):
    pixels = np.full((size, size, 3), ground, np.uint8)
    return cv2.circle(pixels, (size // 2, size // 2), size // 4, (hand,) * 3, -1)


def save(path, pixels, quality=95):
    path.parent.mkdir(parents=True, exist_ok=True)
    done, data = cv2.imencode(path.suffix, pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    path.write_bytes(data.tobytes())


def photo(seed=0):
    noise = np.random.default_rng(seed).integers(0, 255, (8, 8, 3)).astype(np.uint8)
    return cv2.resize(noise, (60, 60), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize(("hand", "ground"), [(255, 0), (0, 255), (20, 230), (1, 0)])
def test_masks_of_either_polarity_are_silhouettes(hand, ground):
    assert is_silhouette(blob(hand=hand, ground=ground))


def test_what_is_no_silhouette():
    gradient = np.repeat(np.linspace(0, 255, 60).astype(np.uint8)[None, :, None], 60, 0)
    coloured = blob()
    coloured[coloured[..., 0] > 0] = (255, 0, 0)
    for pixels in (
        photo(), np.repeat(gradient, 3, 2), np.zeros((60, 60, 3), np.uint8), coloured,
        np.zeros((0, 5, 3), np.uint8),
    ):  # fmt: skip
        assert not is_silhouette(pixels)


def test_a_folder_of_silhouettes_is_recognised(tmp_path):
    for n in range(20):
        save(tmp_path / "train" / "fist" / f"{n:02}_x{'ab'[n % 2]}.jpg", blob(50 + n))
    save(tmp_path / "train" / "palm" / "broken.jpg", blob())
    (tmp_path / "train" / "palm" / "broken.jpg").write_bytes(b"junk")
    assert find_source(tmp_path) == ("silhouettes", ["images"])
    source = make_source("silhouettes", {})
    assert source.silhouettes is True
    assert {(i.label, i.split) for i in source.scan(tmp_path).items} == {
        ("fist", "train"), ("palm", "train"),
    }  # fmt: skip


def test_some_masks_among_photos_do_not_decide(tmp_path):
    for n in range(9):
        save(tmp_path / "fist" / f"{n}.png", blob() if n % 3 == 0 else photo(n))
    assert find_source(tmp_path) == ("images", [])


def test_damaged_pictures_are_no_silhouettes(tmp_path):
    (tmp_path / "fist").mkdir()
    (tmp_path / "fist" / "1.png").write_bytes(b"")
    assert find_source(tmp_path) == ("images", [])


def test_real_sets_are_distinguished(real_data):
    assert find_source(real_data / "silhouettes50") == ("silhouettes", ["images"])
    for name in ("asl_massey", "drone_poses", "hagrid_sample", "sign_digits"):
        assert find_source(real_data / name) == ("images", [])


def test_the_masks_of_hgr1(real_data):
    pattern = r"(?P<label>[^_]+)_P_hgr1_(?P<group>id\d+)_\d+\.bmp"
    source = make_source("silhouettes", {"name_pattern": pattern})
    items = source.scan(real_data / "hgr1").items
    assert len(items) >= 574
    assert len({item.label for item in items}) == 27
    assert all(item.path.suffix == ".bmp" and item.group.startswith("id") for item in items)
    assert is_silhouette(next(source.read(items[0]).frames)[1])
