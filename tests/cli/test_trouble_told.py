"""Label trouble as `convert` and `info` tell it."""

import cv2
import numpy as np
import pytest
from PIL import Image

from handlore.datasets.storage import load_dataset


@pytest.mark.parametrize("jobs", [1, 2])
def test_convert_tells_conflicts_and_drops_them_when_asked_to(run, parsed, photos, tmp_path, jobs):
    folder = photos(["fist", "point"])
    (folder / "copy").mkdir()
    for picture in (folder / "fist").iterdir():
        (folder / "copy" / picture.name).write_bytes(picture.read_bytes())
    result = run("convert", folder, tmp_path / "a.npz", "--json", "--jobs", jobs)
    told = parsed(result)
    assert (told["conflicts"], told["n_dropped"], told["n_converted"]) == (4, 0, 6)
    assert told["conflict_labels"][0]["labels"] == ["copy", "fist"]
    assert "4 identical items are under two labels" in result.stderr
    assert "--drop-conflicts" in result.stderr
    assert parsed(run("info", tmp_path / "a.npz", "--json"))["conflicts"] == 4
    assert "copy = fist (4)" in run("info", tmp_path / "a.npz").stdout

    told = parsed(run("convert", folder, tmp_path / "b.npz", "--json", "--drop-conflicts"))
    assert (told["conflicts"], told["n_dropped"], told["n_converted"]) == (4, 4, 2)
    assert told["n_items"] == told["n_converted"] + told["n_no_hand"] + told["n_dropped"]
    shown = parsed(run("info", tmp_path / "b.npz", "--json"))
    assert list(shown["labels"]) == ["point"]
    assert shown["conflicts"] == 0
    assert "dropped: 4 pictures under two labels (copy = fist: 4)" in str(shown)


def test_where_all_pictures_are_in_conflict_nothing_is_left(run, photos, tmp_path):
    folder = photos(["fist"], each=1)
    (folder / "copy").mkdir()
    for picture in (folder / "fist").iterdir():
        (folder / "copy" / picture.name).write_bytes(picture.read_bytes())
    result = run("convert", folder, tmp_path / "a.npz", "--drop-conflicts")
    assert result.exit_code == 1
    assert "--drop-conflicts leaves nothing" in result.stderr


def test_a_class_without_any_hand_may_be_meant_as_none(run, photos, tmp_path):
    folder = photos(["fist", "point"], each=1)
    (folder / "idle").mkdir()
    cv2.imwrite(str(folder / "idle" / "wall.png"), np.full((200, 300, 3), 180, np.uint8))
    hint = "note: if idle means no gesture, add --none NAME"
    assert hint in run("convert", folder, tmp_path / "a.npz").stderr.splitlines()
    assert "--none" not in run("convert", folder, tmp_path / "b.npz", "--none", "idle").stderr


def test_of_an_animated_gif_among_photos_one_frame_is_taken_and_told(run, photos, tmp_path):
    folder = photos(["fist", "point"])
    (picture, still) = sorted((folder / "fist").iterdir())
    frame = Image.open(picture)
    frame.save(folder / "fist" / "wave.gif", save_all=True, append_images=[frame.rotate(20)])
    Image.open(still).save(folder / "fist" / "still.gif")
    result = run("convert", folder, tmp_path / "a.npz")
    assert "animated GIFs only the first frame is read: 1, such as fist/wave.gif" in result.stderr
    log = load_dataset(tmp_path / "a.npz").header.log
    assert any("fist/wave.gif" in line for line in log)


@pytest.mark.slow
def test_the_mistake_in_real_data_is_found(real_data, run, parsed, tmp_path):
    result = run("convert", real_data / "drone_poses", tmp_path / "a.npz", "--json")
    told = parsed(result)
    assert told["conflict_labels"][0]["labels"] == ["further", "land"]
    assert told["conflicts"] == told["conflict_labels"][0]["n"] == 24
