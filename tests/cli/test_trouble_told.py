"""Label trouble as `convert` and `info` tell it."""

import pytest


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
    assert "4 items stand, byte for byte, under two labels" in result.stderr
    assert "--drop-conflicts" in result.stderr
    assert parsed(run("info", tmp_path / "a.npz", "--json"))["conflicts"] == 4
    assert "copy = fist (4)" in run("info", tmp_path / "a.npz").stdout

    told = parsed(run("convert", folder, tmp_path / "b.npz", "--json", "--drop-conflicts"))
    assert (told["conflicts"], told["n_dropped"], told["n_converted"]) == (4, 4, 2)
    assert told["n_items"] == told["n_converted"] + told["n_no_hand"] + told["n_dropped"]
    shown = parsed(run("info", tmp_path / "b.npz", "--json"))
    assert list(shown["labels"]) == ["point"]
    assert shown["conflicts"] == 0
    assert "dropped: 4 pictures that stand under two labels (copy = fist: 4)" in str(shown)


def test_where_all_pictures_are_in_conflict_nothing_is_left(run, photos, tmp_path):
    folder = photos(["fist"], each=1)
    (folder / "copy").mkdir()
    for picture in (folder / "fist").iterdir():
        (folder / "copy" / picture.name).write_bytes(picture.read_bytes())
    result = run("convert", folder, tmp_path / "a.npz", "--drop-conflicts")
    assert result.exit_code == 1
    assert "--drop-conflicts leaves nothing" in result.stderr


@pytest.mark.slow
def test_the_mistake_in_real_data_is_found(real_data, run, parsed, tmp_path):
    result = run("convert", real_data / "drone_poses", tmp_path / "a.npz", "--json")
    told = parsed(result)
    assert told["conflict_labels"][0]["labels"] == ["further", "land"]
    assert told["conflicts"] == told["conflict_labels"][0]["n"] == 24
