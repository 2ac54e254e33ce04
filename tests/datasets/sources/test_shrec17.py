import re
from collections import Counter

import numpy as np
import pytest

from handlore.datasets.conversion.convert import convert
from handlore.datasets.sources import find_source, make_source
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.geometry import mirror


@pytest.fixture
def tree(tmp_path, right_fist):
    """Return a maker of a set: lists of lines by name, each line with its sequence."""

    def make(**lists):
        for name, lines in lists.items():
            (tmp_path / f"{name}_gestures.txt").write_text("\n".join(lines) + "\n")
            for line in lines:
                g, f, s, e, _, _, n = line.split()
                folder = tmp_path / f"gesture_{g}/finger_{f}/subject_{s}/essai_{e}"
                folder.mkdir(parents=True, exist_ok=True)
                (folder / "skeletons_world.txt").write_text(skeletons(right_fist, int(n)))
        return tmp_path

    return make


def skeletons(world, n_frames):
    """Write a right hand as the tracker does: x to the person's right, y up, a palm's centre."""
    joints = np.insert(world * (-1, -1, 1) + (0.1, 0.2, 0.5), 1, 99.0, axis=0)
    line = " ".join(f"{number:.6f}" for number in joints.ravel())
    return "\n".join([line] * n_frames) + "\n"


def converted(root, **options):
    return convert(make_source("shrec17", options), root, None)


def test_the_list_says_label_person_and_split(tree):
    root = tree(train=["1 1 7 2 1 1 3", "12 2 9 1 12 24 4"], test=["11 1 3 1 11 21 2"])
    assert find_source(root)[0] == "shrec17"
    data = converted(root).dataset
    assert list(data.samples.label) == ["grab", "swipe_plus", "swipe_x"]
    assert list(data.samples.group) == ["subject_7", "subject_9", "subject_3"]
    assert list(data.samples.split) == ["train", "train", "test"]
    assert data.samples.source[0] == "gesture_1/finger_1/subject_7/essai_2/skeletons_world.txt"
    assert np.diff(data.offsets).tolist() == [3, 4, 2]
    assert data.time[:3] == pytest.approx([0, 1 / 30, 2 / 30])
    assert data.header.kind == "sequence"
    assert data.header.image_unit == "metre"
    assert data.header.detector is None
    assert any("palm's centre" in line for line in data.header.log)


def test_28_classes_tell_one_finger_from_the_whole_hand(tree):
    root = tree(train=["1 1 7 2 1 1 3", "1 2 7 2 1 2 3"])
    labels = converted(root, classes=28).dataset.samples.label
    assert list(labels) == ["grab_finger1", "grab_finger2"]
    with pytest.raises(HandloreError, match="--classes is 15, expected 14 or 28"):
        converted(root, classes=15)


def test_a_list_alone_may_be_given(tree):
    root = tree(train=["1 1 7 2 1 1 3"], test=["2 1 3 1 2 3 2"])
    assert find_source(root / "test_gestures.txt")[0] == "shrec17"
    assert list(converted(root / "test_gestures.txt").dataset.samples.label) == ["tap"]


def test_a_list_of_another_name_is_answered_with_the_names(tree):
    root = tree(train=["1 1 7 2 1 1 3"])
    (root / "train_gestures.txt").rename(root / "people9.txt")
    names = r"people9\.txt begins as a list of SHREC'17.*train_gestures\.txt and test_gestures\.txt"
    for given in (root, root / "people9.txt"):
        with pytest.raises(HandloreError, match=names):
            find_source(given)


@pytest.mark.parametrize("part", ["gesture_1", "gesture_1/finger_1"])
def test_a_part_of_the_set_is_answered_with_the_whole(tree, part):
    root = tree(train=["1 1 7 2 1 1 3"])
    whole = f"{root / part} is part of {root}, which has the layout shrec17: convert that folder"
    with pytest.raises(HandloreError, match=f"^{re.escape(whole)}$"):
        find_source(root / part)


def test_axes_and_units_are_those_of_a_picture_and_a_right_hand_stays_one(
    tree, right_fist, bend_side
):
    data = converted(tree(train=["1 1 7 2 1 1 1"])).dataset
    world, image = data.world[0, 0], data.image[0, 0]
    assert world == pytest.approx(right_fist - right_fist.mean(axis=0), abs=1e-5)
    assert image - image[0] == pytest.approx(right_fist - right_fist[0], abs=1e-5)
    assert image[:, 2].mean() == pytest.approx(0.5, abs=0.02)
    assert data.handedness[0, 0] == 1
    assert bend_side(world) > 0.1
    assert bend_side(mirror(world)) < -0.1


def test_mediapipes_hands_bend_to_the_same_side(dataset, bend_side):
    """What a right hand is, by the detector whose landmarks all others are to look like."""
    fists = dataset.select(dataset.samples.label == "fist")
    right = fists.handedness[:, 0] > 0.5
    bent = bend_side(fists.world[:, 0].astype(float))
    assert right.any()
    assert (bent[right] > 0).all()
    assert (bent[~right] < 0).all()


def test_what_is_missing_or_listed_wrongly_is_a_counted_failure(tree):
    root = tree(train=["1 1 7 2 1 1 3", "2 1 7 2 2 3 30", "3 1 7 2 3 5 3"])
    with (root / "train_gestures.txt").open("a") as stream:
        stream.write("4 1 7 2 4 7 3\n5 1 7 2 6 9 3\n1 1 7 2 1 1 3\nnonsense\n")
    short = root / "gesture_2/finger_1/subject_7/essai_2/skeletons_world.txt"
    short.write_text("\n".join(short.read_text().splitlines()[:7]))
    damaged = root / "gesture_3/finger_1/subject_7/essai_2/skeletons_world.txt"
    damaged.write_text(damaged.read_text().replace("99.0", "nan", 1))
    done = converted(root)
    assert list(done.dataset.samples.label) == ["grab"]
    reasons = dict(done.failures)
    assert reasons.pop(str(short.relative_to(root))) == "it has 7 frames, the list says 30"
    assert "line 1 must hold finite numbers" in reasons.pop(str(damaged.relative_to(root)))
    assert "cannot be read: No such file" in reasons.pop(
        "gesture_4/finger_1/subject_7/essai_2/skeletons_world.txt"
    )
    assert "a second time" in reasons.pop(
        "gesture_1/finger_1/subject_7/essai_2/skeletons_world.txt"
    )
    assert set(reasons) == {"train_gestures.txt#5", "train_gestures.txt#7"}


def test_frames_of_zeros_have_no_hand(tree):
    root = tree(train=["1 1 7 2 1 1 3"])
    path = root / "gesture_1/finger_1/subject_7/essai_2/skeletons_world.txt"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], " ".join(["0"] * 66), lines[2]]))
    data = converted(root).dataset
    assert data.detected[:, 0].tolist() == [True, False, True]
    assert np.isnan(data.image[1]).all()


@pytest.mark.slow
def test_the_real_set(real_data, bend_side):
    root = real_data / "shrec17_train"
    assert find_source(root)[0] == "shrec17"
    done = converted(root)
    data = done.dataset
    assert (done.n_items, done.n_converted, done.failures) == (1960, 1960, ())
    assert (len(data.labels), len(set(data.samples.group))) == (14, 20)
    assert set(data.samples.split) == {"train"}
    assert np.median(np.linalg.norm(data.world[:, 0, 9] - data.world[:, 0, 0], axis=-1)) < 0.15
    bent = bend_side(data.world[:, 0].astype(float))
    people = np.repeat(data.samples.group, np.diff(data.offsets))
    clear = np.abs(bent) > 0.4
    sides = {p: (bent[clear & (people == p)] > 0).mean() for p in set(people)}
    assert (bent[clear] > 0).mean() > 0.95
    assert min(sides.values()) > 0.75
    counts = Counter(converted(root, classes=28).dataset.samples.label)
    assert (len(counts), counts["shake_finger2"]) == (28, 65)


@pytest.mark.slow
def test_swipes_go_where_a_camera_sees_them_go(real_data):
    data = converted(real_data / "shrec17_train").dataset
    ends = data.image[data.offsets[1:] - 1, 0, 8] - data.image[data.offsets[:-1], 0, 8]
    mean = {label: ends[data.samples.label == label].mean(axis=0) for label in data.labels}
    # The person's right is the left of a picture that is not mirrored.
    assert mean["swipe_right"][0] < -0.05
    assert mean["swipe_left"][0] > 0.05
    assert mean["swipe_up"][1] < -0.05
    assert mean["swipe_down"][1] > 0.05
