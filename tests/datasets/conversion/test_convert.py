import os
import shutil
import sys
from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest
from fakes import PLAIN, BrightDetector

from handlore.datasets.conversion.batches import ConvertOptions
from handlore.datasets.conversion.convert import convert
from handlore.datasets.rendered import Person, Scene, render_background, render_pose
from handlore.datasets.sources import Item, Listing, Source, make_source
from handlore.datasets.sources.base import Clip, LandmarkClip
from handlore.datasets.storage import load_dataset, save_dataset
from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.landmarks.hands import Hand
from handlore.landmarks.stages import STAGES


def picture(folder, name, grey=200, size=(40, 30)):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    done, data = cv2.imencode(path.suffix, np.full((size[1], size[0], 3), grey, np.uint8))
    assert done
    path.write_bytes(data.tobytes())
    return path


def images():
    return make_source("images", {})


def one_label():
    """Return a source for folders of a single label, which have to be asked for."""
    return make_source("images", {"label": "one"})


@pytest.fixture
def mixed(tmp_path):
    """Two good pictures, one without a hand, and four that cannot be read."""
    root = tmp_path / "mixed"
    picture(root, "fist/1.png", 200)
    picture(root, "palm/Größe 2.jpg", 150)
    picture(root, "palm/dark.png", 5)
    whole = picture(root, "fist/cut.jpg").read_bytes()
    (root / "fist/cut.jpg").write_bytes(whole[: len(whole) // 2])
    (root / "fist/text.jpg").write_text("I am no picture")
    (root / "palm/empty.png").write_bytes(b"")
    (root / "palm/phone.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(99))
    (root / "palm/notes.txt").write_text("ignored")
    return root


def test_everything_is_counted(mixed):
    done = convert(images(), mixed, BrightDetector())
    assert done.summary() == {
        "n_items": 7,
        "n_converted": 2,
        "n_no_hand": 1,
        "n_failed": 4,
        "n_ignored": 1,
        "n_dropped": 0,
        "n_views": 0,
        "stages": {"0": 2},
        "n_frames": 3,
        "n_frames_with_hand": 2,
    }


def test_a_picture_that_fits_nowhere_is_counted_and_logged(mixed):
    (mixed / "lonely.jpg").touch()
    done = convert(images(), mixed, BrightDetector())
    assert done.summary()["n_ignored"] == 2
    assert done.left_out == ("lonely.jpg", "palm/notes.txt")
    assert "ignored: lonely.jpg: it does not fit the layout" in done.dataset.header.log


def test_a_label_that_is_no_utf8_is_kept_in_readable_form(mixed):
    (mixed / "palm").rename(mixed / "F\udce4uste")
    labels = convert(images(), mixed, BrightDetector()).dataset.labels
    assert "F\\udce4uste" in labels


def test_what_cannot_be_read_is_listed_and_the_others_are_converted(mixed):
    done = convert(images(), mixed, BrightDetector())
    assert done.dataset.samples.source.tolist() == [
        "fist/1.png",
        "palm/Größe 2.jpg",
        "palm/dark.png",
    ]
    reasons = dict(done.failures)
    assert list(reasons) == ["fist/cut.jpg", "fist/text.jpg", "palm/empty.png", "palm/phone.heic"]
    assert "cut off" in reasons["fist/cut.jpg"]
    assert "text file" in reasons["fist/text.jpg"]
    assert "empty" in reasons["palm/empty.png"]
    assert "HEIC" in reasons["palm/phone.heic"]
    log = "\n".join(done.dataset.header.log)
    assert all(f"{file}: {reason}" in log for file, reason in done.failures)
    assert str(mixed) not in log, "no absolute path in the file"


def test_a_picture_without_a_hand_is_kept_as_missing(mixed):
    dataset = convert(images(), mixed, BrightDetector()).dataset
    assert dataset.has_hand.tolist() == [True, True, False]
    assert np.isnan(dataset.image[2]).all()
    assert dataset.stage[:, 0].tolist() == [0, 0, -1]
    np.testing.assert_allclose(dataset.image[:2, 0, 0, 0], [200 / 255, 150 / 255], atol=0.01)


def test_the_header_says_how_it_was_made(mixed):
    options = ConvertOptions(stages=STAGES[:2])
    source = make_source("images", {"name_pattern": r"(?P<label>fist|palm)"})
    header = convert(source, mixed, BrightDetector(), options).dataset.header
    assert header.detector == BrightDetector.info
    assert header.options["source"] == "images"
    assert header.options["stages"] == 2
    assert header.options["name_pattern"] == r"(?P<label>fist|palm)"
    assert header.kind == "pose"


def test_people_splits_and_digests_come_from_the_source(tmp_path):
    import hashlib

    path = picture(tmp_path, "test/fist/anna_1.png")
    picture(tmp_path, "train/fist/ben_1.png")
    picture(tmp_path, "train/palm/ben_2.png")
    source = make_source("images", {"name_pattern": r"/(?P<group>[a-z]+)_\d"})
    samples = convert(source, tmp_path, BrightDetector()).dataset.samples
    assert samples.group.tolist() == ["anna", "ben", "ben"]
    assert samples.split.tolist() == ["test", "train", "train"]
    assert samples.view.tolist() == [0, 0, 0]
    assert samples.sha256[0] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_class_of_the_source_can_be_declared_to_mean_nothing(mixed):
    dataset = convert(images(), mixed, BrightDetector(), ConvertOptions(none="palm")).dataset
    assert dataset.samples.label.tolist() == ["fist", "none", "none"]
    assert dataset.header.options["none"] == "palm"


def test_a_class_that_is_not_there_cannot_mean_nothing(mixed):
    with pytest.raises(HandloreError, match=r"no class 'idle' in .*; it has: fist, palm"):
        convert(images(), mixed, BrightDetector(), ConvertOptions(none="idle"))


def test_an_empty_or_missing_folder_is_one_line(tmp_path):
    with pytest.raises(HandloreError, match=r"holds nothing of the layout images: <label>/"):
        convert(images(), tmp_path, BrightDetector())
    with pytest.raises(HandloreError, match=r"cannot read the folder .*: No such file"):
        convert(images(), tmp_path / "a", BrightDetector())


def test_a_folder_of_nothing_readable_says_what_is_wrong_with_the_first(tmp_path):
    for name in ("fist/1.jpg", "palm/2.jpg"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("text")
    with pytest.raises(HandloreError, match=r"none of 2 files .*fist/1\.jpg: it is a text"):
        convert(images(), tmp_path, BrightDetector())


def test_a_folder_without_any_hand_is_still_a_dataset(tmp_path):
    picture(tmp_path, "fist/1.png", 0)
    done = convert(one_label(), tmp_path, BrightDetector())
    assert done.n_converted == 0
    assert done.summary()["n_no_hand"] == 1


def test_progress_is_reported_after_every_item_failed_ones_too(mixed):
    shown = []
    convert(images(), mixed, BrightDetector(), progress=lambda *numbers: shown.append(numbers))
    assert shown == [(done, 7) for done in range(1, 8)]


def test_the_order_does_not_depend_on_the_file_system(mixed, monkeypatch):
    before = convert(images(), mixed, BrightDetector()).dataset.digest()
    real = os.walk

    def backwards(*args, **options):
        for folder, folders, files in real(*args, **options):
            folders.reverse()
            yield folder, folders, files[::-1]

    monkeypatch.setattr(os, "walk", backwards)
    assert convert(images(), mixed, BrightDetector()).dataset.digest() == before


def test_two_hands_take_the_slots_of_their_sides(tmp_path):
    picture(tmp_path, "clap/1.png")
    dataset = convert(one_label(), tmp_path, BrightDetector(2), ConvertOptions(max_hands=2)).dataset
    np.testing.assert_allclose(dataset.handedness, [[0.1, 0.9]], rtol=1e-6)


def test_one_slot_takes_one_of_two_hands(tmp_path):
    picture(tmp_path, "clap/1.png")
    assert convert(one_label(), tmp_path, BrightDetector(2)).dataset.n_hands == 1


@dataclass(frozen=True)
class Clips(Source):
    """A source of clips whose name says how bright each frame is; x stands for a damaged one."""

    name = "clips"
    layout = "text"
    kind = "sequence"

    clips: tuple[str, ...] = ()

    def scan(self, root):
        return Listing([Item(root / clip, clip, f"label {clip[:1]}") for clip in self.clips])

    def read(self, item):
        return Clip("0" * 64, self._frames(item.source))

    def _frames(self, clip):
        for number, letter in enumerate(clip):
            if letter == "x":
                raise InvalidDataError("the clip is damaged")
            yield number / 10, np.full((30, 40, 3), int(letter) * 25, np.uint8)


def test_clips_keep_their_frames_and_their_time(tmp_path):
    done = convert(Clips(("808", "9", "00")), tmp_path, BrightDetector())
    dataset = done.dataset
    assert dataset.header.kind == "sequence"
    assert dataset.offsets.tolist() == [0, 3, 4, 6]
    np.testing.assert_allclose(dataset.time, [0, 0.1, 0.2, 0, 0, 0.1])
    assert dataset.detected[:, 0].tolist() == [True, False, True, True, False, False]
    assert dataset.has_hand.tolist() == [True, True, False]
    counts = done.summary()
    assert (counts["n_items"], counts["n_converted"], counts["n_no_hand"]) == (3, 2, 1)
    assert (counts["n_frames"], counts["n_frames_with_hand"]) == (6, 3)


def test_a_clip_that_breaks_off_leaves_no_frames_behind(tmp_path):
    done = convert(Clips(("88", "88x", "9")), tmp_path, BrightDetector())
    assert done.failures == (("88x", "the clip is damaged"),)
    assert done.dataset.offsets.tolist() == [0, 2, 3]


def test_a_clip_without_frames_has_failed_and_the_others_are_converted(tmp_path):
    done = convert(Clips(("88", "", "9")), tmp_path, BrightDetector())
    assert [file for file, _ in done.failures] == [""]
    assert done.dataset.n_samples == 2


@dataclass(frozen=True)
class Imported(Source):
    """A source of clips that brings landmarks; a clip without a label's letter has no hand."""

    name = "imported"
    layout = "numbers"
    kind = "sequence"
    brings_landmarks = True

    def scan(self, root):
        return Listing([Item(root, f"#{k}", label, part=k) for k, label in enumerate("abab")])

    def read(self, item):
        marks = np.full((21, 3), item.part, np.float32)
        hands = [Hand(marks, marks, 0.9)] if item.part > 1 else []
        return LandmarkClip("f" * 64 if not hands else f"{item.part:064d}", [(0.0, hands)] * 2)


def test_imported_clips_without_a_hand_are_no_copies_of_each_other(tmp_path):
    options = ConvertOptions(drop_conflicts=True)
    done = convert(Imported(), tmp_path, None, options)
    assert (done.dataset.n_samples, done.n_dropped) == (4, 0)
    assert done.label_problems.n_conflicts == 0


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take only Unicode names")
def test_a_name_in_an_old_encoding_is_converted_like_any_other(tmp_path):
    """What an old zip leaves on Linux: the letters of Latin-1, which are no UTF-8."""
    folder = os.fsencode(tmp_path) + b"/gr\xfc\xdfe"
    os.mkdir(folder)
    whole = picture(tmp_path, "fist/1.png").read_bytes()
    for name, content in ((b"/h\xe4nde.png", whole), (b"/br\xfcche.png", b"")):
        with open(folder + name, "wb") as file:
            file.write(content)
    done = convert(images(), tmp_path, BrightDetector())
    assert done.n_converted == 2
    assert len(done.failures) == 1
    save_dataset(done.dataset, tmp_path / "out.npz")
    loaded = load_dataset(tmp_path / "out.npz")
    assert loaded.digest() == done.dataset.digest()


def test_the_same_folder_gives_the_same_bytes(pictures, detector, tmp_path):
    shutil.copytree(pictures / "fist", tmp_path / "in" / "fist")
    for name in ("a.npz", "b.npz"):
        save_dataset(convert(one_label(), tmp_path / "in", detector).dataset, tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_where_the_folder_lies_makes_no_difference(detector, tmp_path):
    pixels = render_pose("victory", Person(), Scene(), size=(200, 200)).pixels
    for home in ("a", "somewhere/else"):
        path = tmp_path / home / "victory" / "1.png"
        path.parent.mkdir(parents=True)
        path.write_bytes(cv2.imencode(".png", pixels[..., ::-1])[1].tobytes())
        (path.parent / "bad.png").write_text("text")
        done = convert(one_label(), tmp_path / home, detector)
        save_dataset(done.dataset, tmp_path / f"{home[0]}.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "s.npz").read_bytes()


def test_rendered_hands_are_converted_and_backgrounds_are_without_a_hand(detector, tmp_path):
    for number, pixels in enumerate(
        [render_pose("open_palm", Person(), Scene()).pixels, render_background(3)]
    ):
        path = tmp_path / "x" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(cv2.imencode(".png", pixels[..., ::-1])[1].tobytes())
    dataset = convert(one_label(), tmp_path, detector).dataset
    assert dataset.has_hand.tolist() == [True, False]


@pytest.mark.slow
def test_pictures_of_strange_sizes_do_not_stop_a_conversion(detector, tmp_path):
    for size in ((1, 1), (20_000, 50), (50, 20_000)):
        picture(tmp_path, f"x/{size[0]}.png", 128, size)
    done = convert(one_label(), tmp_path, detector)
    assert done.summary()["n_no_hand"] == 3


@pytest.mark.slow
def test_real_photos_are_all_converted(real_data, detector):
    done = convert(make_source("hgr1", {}), real_data / "hgr1", detector)
    counts = done.summary()
    assert (counts["n_items"], counts["n_converted"]) == (574, 574)
    assert counts["n_failed"] == 0
    assert len(set(done.dataset.samples.group)) >= 8


@pytest.mark.slow
def test_tight_crops_of_real_hands_are_found_by_the_stages(real_data, detector):
    counts = convert(images(), real_data / "sign_digits", detector).summary()
    assert counts["n_items"] >= 2060
    assert counts["n_converted"] >= 2055
    assert sum(n for stage, n in counts["stages"].items() if stage != "0") > 200


def test_views_share_the_source_of_their_picture_and_count_as_one_item(tmp_path):
    picture(tmp_path, "a/1.png", 200)
    picture(tmp_path, "b/dark.png", 5)
    done = convert(images(), tmp_path, BrightDetector(), ConvertOptions(augment=3))
    samples = done.dataset.samples
    assert samples.view.tolist() == [0, 1, 2, 3, 0]
    assert samples.source.tolist() == ["a/1.png"] * 4 + ["b/dark.png"]
    assert len(set(samples.items().tolist())) == 2
    assert done.summary()["n_items"] == 2
    assert (done.summary()["n_converted"], done.summary()["n_no_hand"]) == (1, 1)


class Shy(BrightDetector):
    """Shows no hand in every second view."""

    def detect_again(self, picture, hand, transforms=PLAIN):
        return [replace(hand, score=0.9 - 0.8 * (i % 2)) for i, _ in enumerate(transforms)]


def test_a_view_in_which_no_hand_is_seen_is_left_out(tmp_path):
    picture(tmp_path, "a/1.png", 200)
    dataset = convert(one_label(), tmp_path, Shy(), ConvertOptions(augment=4)).dataset
    assert dataset.samples.view.tolist() == [0, 1, 3]


def test_views_of_real_hands_lie_where_the_hand_is(pictures, detector):
    dataset = convert(images(), pictures, detector, ConvertOptions(augment=2)).dataset
    plain, views = dataset.samples.view == 0, dataset.samples.view > 0
    assert views.sum() > 1.5 * plain.sum()
    places = {source: at for at, source in enumerate(dataset.samples.source) if plain[at]}
    known = [places[source] for source in dataset.samples.source[views]]
    apart = dataset.image[views][:, 0, :, :2] - dataset.image[known][:, 0, :, :2]
    assert np.median(np.linalg.norm(apart, axis=-1)) < 0.02


@pytest.mark.parametrize(("least", "kept"), [(0.0, True), (0.8, True), (0.95, False)])
def test_hands_below_the_least_score_are_left_out(tmp_path, least, kept):
    picture(tmp_path, "a/1.png", 200)
    dataset = convert(
        one_label(), tmp_path, BrightDetector(), ConvertOptions(min_score=least)
    ).dataset
    assert dataset.has_hand.tolist() == [kept]
    assert dataset.n_samples == 1


def test_a_video_among_photos_does_not_vanish_in_silence(tmp_path):
    picture(tmp_path, "a/1.png", 200)
    (tmp_path / "a/wave.mp4").write_bytes(b"video")
    done = convert(one_label(), tmp_path, BrightDetector())
    assert done.left_out == ("a/wave.mp4",)


@pytest.mark.parametrize("score", [float("nan"), -1, 2])
def test_a_least_score_that_is_none_is_refused(score):
    with pytest.raises(HandloreError, match="min_score is"):
        ConvertOptions(min_score=score)
