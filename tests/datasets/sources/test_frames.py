import cv2
import numpy as np
import pytest

from handlore.datasets.sources import find_source, make_source
from handlore.landmarks.errors import HandloreError, InvalidDataError


def sequence(folder, n=12, name="frame_{}.png", first=1):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(n):
        pixels = np.full((20, 30, 3), 10 + 10 * number, np.uint8)
        done, data = cv2.imencode(".png", pixels)
        assert done
        (folder / name.format(first + number)).write_bytes(data.tobytes())
    return folder


@pytest.fixture
def root(tmp_path):
    for place in ("train/wave/1", "train/fist/seq a", "test/wave/7"):
        sequence(tmp_path / "data" / place)
    return tmp_path / "data"


def greys(source, item):
    return [
        (round(seconds, 3), int(pixels[0, 0, 0])) for seconds, pixels in source.read(item).frames
    ]


def test_each_folder_is_a_sequence_of_the_label_above_it(root):
    assert find_source(root)[0] == "frames"
    items = make_source("frames", {}).scan(root).items
    assert {(item.source, item.label, item.split) for item in items} == {
        ("train/wave/1", "wave", "train"),
        ("train/fist/seq a", "fist", "train"),
        ("test/wave/7", "wave", "test"),
    }


def test_frame_2_comes_before_frame_10(root):
    source = make_source("frames", {"frame_rate": 10.0})
    assert greys(source, source.scan(root).items[0]) == [
        (round(n / 10, 3), 10 + 10 * n) for n in range(12)
    ]


def test_every_second_frame_keeps_its_time(root):
    source = make_source("frames", {"stride": 2})
    found = greys(source, source.scan(root).items[0])
    assert found == [(round(n / 30, 3), 10 + 10 * n) for n in range(0, 12, 2)]
    assert any("30 frames a second" in note for note in source.scan(root).notes)


def test_the_digest_is_that_of_all_frames_in_order(root):
    source, thin = make_source("frames", {}), make_source("frames", {"stride": 2})
    one, two, _ = source.scan(root).items
    assert source.read(one).sha256 == source.read(two).sha256 == thin.read(one).sha256
    frame_2, frame_3 = one.path / "frame_2.png", one.path / "frame_3.png"
    frame_2.rename(one.path / "x.png")
    frame_3.rename(frame_2)
    (one.path / "x.png").rename(frame_3)
    assert source.read(one).sha256 != source.read(two).sha256


def test_a_damaged_frame_fails_the_sequence_and_is_named(root):
    source = make_source("frames", {})
    item = source.scan(root).items[0]
    (item.path / "frame_7.png").write_bytes(b"")
    with pytest.raises(InvalidDataError, match=r"picture frame_7\.png: the file is empty"):
        list(source.read(item).frames)


def test_photos_of_a_person_in_a_folder_are_no_sequences(tmp_path):
    for person in ("anna", "ben"):
        folder = sequence(tmp_path / "fist" / person, 2)
        for number, path in enumerate(sorted(folder.iterdir())):
            path.rename(folder / f"{'xy'[number]}.png")
    assert find_source(tmp_path) == ("images", [])


def test_a_photo_beside_the_sequences_is_no_sequence_layout(root):
    (root / "train/wave/lonely.png").touch()
    assert find_source(root)[0] == "images"
    source = make_source("frames", {})
    assert source.scan(root).left_out == ["train/wave/lonely.png"]


def test_people_are_read_from_the_name_of_the_sequence(tmp_path):
    sequence(tmp_path / "wave" / "p03_7")
    source = make_source("frames", {"name_pattern": r"/(?P<group>p\d+)_"})
    (item,) = source.scan(tmp_path).items
    assert (item.label, item.group) == ("wave", "p03")


@pytest.mark.parametrize("options", [{"stride": 0}, {"frame_rate": 0.0}, {"frame_rate": -5.0}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(HandloreError, match="expected"):
        make_source("frames", options)


def test_a_folder_with_the_name_of_a_picture_is_no_frame(root):
    source = make_source("frames", {})
    item = source.scan(root).items[0]
    (item.path / "frame_99.png").mkdir()
    assert len(greys(source, item)) == 12


def tree(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_a_split_is_never_taken_for_a_label(tmp_path):
    names = [f"{s}/{k}/IMG_{n}.jpg" for s in ("train", "test") for k in "ab" for n in range(8)]
    assert find_source(tree(tmp_path, *names))[0] == "images"


def test_photos_of_people_in_folders_of_their_own_are_no_clips(tmp_path):
    few = [f"fist/{who}/IMG_{n}.jpg" for who in ("anna", "ben") for n in range(3)]
    assert find_source(tree(tmp_path / "few", *few))[0] == "images"
    far = [f"fist/{who}/IMG_{n}.jpg" for who in ("anna", "ben") for n in range(0, 900, 90)]
    assert find_source(tree(tmp_path / "far", *far))[0] == "images"
    frames = [f"wave/{k}/frame_{n:04}.jpg" for k in range(2) for n in range(8)]
    assert find_source(tree(tmp_path / "frames", *frames))[0] == "frames"
