import os

import pytest

from handlore.datasets import files
from handlore.datasets.files import walk
from handlore.datasets.sources import SOURCES, find_source, make_source
from handlore.landmarks.errors import HandloreError


@pytest.fixture
def folder(tmp_path):
    """Return a maker of empty files below a folder."""

    def make(*files):
        for file in files:
            path = tmp_path / "root" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path / "root"

    return make


def rows(source, root, *columns):
    return {
        item.source: tuple(getattr(item, column) for column in columns) or item.label
        for item in source.scan(root).items
    }


def images(pattern=""):
    return make_source("images", {"name_pattern": pattern})


def test_the_first_folder_is_the_label(folder):
    root = folder("fist/1.jpg", "fist/2.PNG", "palm/a/b/3.jpeg", "none/4.webp")
    assert rows(images(), root) == {
        "fist/1.jpg": "fist",
        "fist/2.PNG": "fist",
        "palm/a/b/3.jpeg": "palm",
        "none/4.webp": "none",
    }
    assert all(item.path == root / item.source for item in images().scan(root).items)


@pytest.mark.parametrize(
    ("name", "split"),
    [("train", "train"), ("Training", "train"), ("val", "val"), ("valid", "val"),
     ("validation", "val"), ("TEST", "test"), ("testing", "test")],
)  # fmt: skip
def test_train_val_and_test_above_the_labels_are_splits(folder, name, split):
    root = folder(f"{name}/fist/1.jpg", "palm/2.jpg")
    assert rows(images(), root, "label", "split") == {
        f"{name}/fist/1.jpg": ("fist", split),
        "palm/2.jpg": ("palm", ""),
    }


def test_a_gesture_called_test_has_to_be_asked_for(folder):
    root = folder("test/1.jpg", "fist/2.jpg")
    assert "test would become" in images().scan(root).doubt
    asked = images("^(?P<label>[^/]+)/")
    assert asked.scan(root).doubt == ""
    assert rows(asked, root) == {"test/1.jpg": "test", "fist/2.jpg": "fist"}


def test_a_split_below_the_label_is_a_split(folder):
    root = folder("palm/train/1.jpg", "fist/test/2.jpg")
    assert rows(images(), root, "label", "split") == {
        "palm/train/1.jpg": ("palm", "train"),
        "fist/test/2.jpg": ("fist", "test"),
    }


def test_names_with_umlauts_and_spaces_are_labels_too(folder):
    root = folder("Daumen hoch/Größe 1.jpg", "指/2.jpg")
    assert rows(images(), root) == {"Daumen hoch/Größe 1.jpg": "Daumen hoch", "指/2.jpg": "指"}


def test_pictures_in_no_folder_have_no_label_and_are_named_as_ignored(folder):
    root = folder("lonely.jpg", "fist/1.jpg", "fist/notes.txt", "readme.md")
    assert rows(images(), root) == {"fist/1.jpg": "fist"}
    assert sorted(images().scan(root).left_out) == ["fist/notes.txt", "lonely.jpg", "readme.md"]


def test_hidden_files_and_litter_are_passed_over(folder):
    root = folder(
        "fist/1.jpg", "fist/._1.jpg", ".git/2.jpg", "__MACOSX/fist/1.jpg", "fist/Thumbs.db"
    )
    assert rows(images(), root) == {"fist/1.jpg": "fist"}
    assert images().scan(root).left_out == []


def test_a_hidden_folder_can_be_asked_for(tmp_path):
    path = tmp_path / ".photos" / "fist"
    path.mkdir(parents=True)
    (path / "1.jpg").touch()
    assert rows(images(), tmp_path / ".photos") == {"fist/1.jpg": "fist"}


def test_a_name_pattern_reads_label_and_person_from_the_path(folder):
    root = folder("hand1_a_dif.jpeg", "sub/hand2_b_dif.jpeg", "other.jpeg")
    pattern = r"(?P<group>hand\d)_(?P<label>\w)_"
    assert rows(images(pattern), root, "label", "group") == {
        "hand1_a_dif.jpeg": ("a", "hand1"),
        "sub/hand2_b_dif.jpeg": ("b", "hand2"),
    }
    assert images(pattern).scan(root).left_out == ["other.jpeg"]


def test_a_name_pattern_without_a_label_leaves_it_to_the_folder(folder):
    root = folder("train/fist/anna_s1_07.jpg")
    pattern = r"(?P<group>[a-z]+)_(?P<session>s\d)_(?P<recording>\d+)"
    assert rows(images(pattern), root, "label", "group", "session", "recording", "split") == {
        "train/fist/anna_s1_07.jpg": ("fist", "anna", "s1", "07", "train")
    }


def test_train_and_test_folders_are_splits_with_a_name_pattern_too(folder):
    root = folder("train/a_1.jpg", "test/b_2.jpg")
    assert rows(images(r"(?P<label>[ab])_\d"), root, "label", "split") == {
        "train/a_1.jpg": ("a", "train"),
        "test/b_2.jpg": ("b", "test"),
    }


@pytest.mark.parametrize(
    ("pattern", "match"),
    [
        ("(?P<label>", "is not a regular expression"),
        (r"(\w)_", "needs named groups such as .*it has none"),
        (r"(?P<person>\w)_(?P<label>\w)", "label, group, session, recording, split; it has person"),
    ],
)
def test_bad_name_patterns_are_explained(folder, pattern, match):
    with pytest.raises(HandloreError, match=match):
        images(pattern).scan(folder("fist/1.jpg"))


def test_the_order_is_that_of_the_names(folder, monkeypatch):
    names = ["b/2.jpg", "a/10.jpg", "a/9.jpg", "a/x/1.jpg", "c.jpg"]
    root = folder(*names)
    order = list(walk(root))
    real = os.walk

    def backwards(*args, **options):
        for folder, folders, names in real(*args, **options):
            folders.reverse()
            yield folder, folders, names[::-1]

    monkeypatch.setattr(os, "walk", backwards)
    assert list(walk(root)) == order
    assert sorted(order) == sorted(names)


def test_a_loop_of_links_ends(folder):
    root = folder("fist/1.jpg")
    try:
        (root / "fist" / "again").symlink_to(root, target_is_directory=True)
    except OSError:
        pytest.skip("this system makes no links")
    assert rows(images(), root) == {"fist/1.jpg": "fist"}


def test_a_folder_linked_into_another_class_is_not_lost(folder):
    """Both names are the user's own; only a loop has to be cut."""
    root = folder("a/1.jpg", "b/2.jpg")
    try:
        (root / "a" / "more").symlink_to(root / "b", target_is_directory=True)
    except OSError:
        pytest.skip("this system makes no links")
    found = rows(images(), root)
    assert found["b/2.jpg"] == "b"
    assert found["a/1.jpg"] == "a"


def test_linked_folders_from_elsewhere_are_followed(folder, tmp_path):
    root = folder("fist/1.jpg")
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "2.jpg").touch()
    try:
        (root / "palm").symlink_to(tmp_path / "else", target_is_directory=True)
    except OSError:
        pytest.skip("this system makes no links")
    assert rows(images(), root) == {"fist/1.jpg": "fist", "palm/2.jpg": "palm"}


def test_hgr1_has_label_and_person_in_the_name_and_ignores_masks(folder):
    root = folder(
        "0_P_hgr1_id01_1.jpg",
        "sub/Y_P_hgr1_id12_3.JPG",
        "0_P_hgr1_id01_1.bmp",
        "masks/0_P_hgr1_id01_1.png",
        "0_P_hgr1_id01_1.jpg.txt",
    )
    hgr1 = make_source("hgr1", {})
    assert rows(hgr1, root, "label", "group") == {
        "0_P_hgr1_id01_1.jpg": ("0", "id01"),
        "sub/Y_P_hgr1_id12_3.JPG": ("Y", "id12"),
    }
    assert hgr1.scan(root).left_out == ["0_P_hgr1_id01_1.jpg.txt"]


def test_layouts_are_recognised_the_more_special_first(folder):
    root = folder("sub/0_P_hgr1_id01_1.JPG", "sub/0_P_hgr1_id01_1.bmp")
    assert find_source(root) == ("hgr1", ["images"])


def test_one_photo_of_hgr1_among_others_does_not_decide(folder):
    root = folder("fist/1.jpg", "fist/0_P_hgr1_id01_1.jpg", "palm/2.jpg")
    assert find_source(root) == ("images", [])


def test_options_say_which_sources_can_be_meant(folder):
    root = folder("a_1.jpg", "b_2.jpg")
    with pytest.raises(HandloreError, match="no layout that handlore knows"):
        find_source(root)
    assert find_source(root, {"name_pattern": r"(?P<label>\w)_"}) == ("images", [])


def test_a_folder_around_train_and_test_is_stepped_over(folder):
    root = folder("data/train/fist/1.jpg", "data/Test/palm/2.jpg")
    assert rows(images(), root, "label", "split") == {
        "data/train/fist/1.jpg": ("fist", "train"),
        "data/Test/palm/2.jpg": ("palm", "test"),
    }


def test_archives_that_hold_train_in_train_are_stepped_into(folder):
    root = folder("train/train/fist/1.jpg", "test/test/palm/2.jpg")
    assert rows(images(), root, "label", "split") == {
        "train/train/fist/1.jpg": ("fist", "train"),
        "test/test/palm/2.jpg": ("palm", "test"),
    }


def test_a_picture_straight_in_a_split_is_not_labelled_train(folder):
    root = folder("train/fist/1.jpg", "train/lonely.jpg")
    assert rows(images(), root) == {"train/fist/1.jpg": "fist"}
    assert images().scan(root).left_out == ["train/lonely.jpg"]


def test_the_name_pattern_of_asl_massey(real_data):
    source = images(r"(?P<group>hand\d)_(?P<label>\w)_")
    items = source.scan(real_data / "asl_massey").items
    assert len(items) >= 1078
    assert len({item.label for item in items}) == 36
    assert {item.group for item in items} >= {"hand1", "hand2", "hand3"}
    assert all(item.source.startswith(f"{item.label}/") for item in items)


def test_folders_that_link_to_each_other_are_walked_in_the_end(tmp_path):
    for name in "abcdefghi":
        (tmp_path / name).mkdir()
    (tmp_path / "a" / "1.jpg").touch()
    for name in "abcdefghi":
        for other in set("abcdefghi") - {name}:
            (tmp_path / name / other).symlink_to(tmp_path / other)
    assert "a/1.jpg" in rows(images(), tmp_path)


def test_a_folder_of_no_known_layout_says_what_is_there_and_what_is_known(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(HandloreError, match=r"it holds no files.*`handlore sources` lists them"):
        find_source(tmp_path / "empty")
    with pytest.raises(HandloreError, match=r"2 files: \.csv, no ending"):
        find_source(folder("a.csv", "b"))
    with pytest.raises(HandloreError, match=r"1 file: \.txt.*\.jpg.*\.mp4.*\.csv.*\.zip"):
        find_source(folder("photos.txt") / "photos.txt")


def test_unknown_names_are_answered_with_the_known_ones():
    with pytest.raises(HandloreError, match=r"'image'; did you mean images\?.*hgr1, images"):
        SOURCES["image"]
    with pytest.raises(HandloreError, match=r"unknown source 'qqqq'.*hgr1, images"):
        SOURCES["qqqq"]
    with pytest.raises(HandloreError, match="no option --colour; it has: --label, --name-pattern"):
        make_source("images", {"colour": 1})
    with pytest.raises(HandloreError, match="hgr1 has no option --name-pattern; it has: --apply"):
        make_source("hgr1", {"name_pattern": "x"})


@pytest.mark.parametrize("name", SOURCES.names())
def test_every_source_says_what_it_is_and_can_be_made_without_options(name, folder, tmp_path):
    source = make_source(name, {})
    assert source.name == name
    assert source.__doc__.strip().splitlines()[0].endswith(".")
    assert source.layout
    (tmp_path / "empty").mkdir()
    assert not source.fits(tmp_path / "empty")
    assert source.scan(tmp_path / "empty").items == []


@pytest.mark.parametrize("name", SOURCES.names())
def test_a_scan_walks_the_tree_once(name, folder, monkeypatch):
    root = folder("a/1.jpg", "a/2.jpg", "b/c/3.mp4", "d/4.gif")
    walked = []
    real = files._walk

    def counting(path, above, links):
        walked.append(path)
        return real(path, above, links)

    monkeypatch.setattr(files, "_walk", counting)
    make_source(name).scan(root)
    assert len(walked) == len(set(walked))
