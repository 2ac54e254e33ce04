import re
from collections import Counter

import numpy as np
import pytest

from handlore.datasets.conversion.convert import convert
from handlore.datasets.sources import find_source, make_source
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.geometry import mirror


def row(world, separator, shift=0.0, end=""):
    """Write a right hand as the tracker does: all axes turned, no wrist, no CMC, quaternions."""
    joints = np.delete(world, 1, axis=0) * (-1, -1, -1) + (shift, 2, 0.3)
    numbers = np.concatenate([joints, np.full((20, 4), 0.5)], axis=1).ravel()
    return separator.join(f"{number:.5f}" for number in numbers) + end


@pytest.fixture
def tree(tmp_path, right_fist):
    """Return a set of two clips and one stream of 20 frames, each frame a metre from the last."""
    for name in ("10/1.txt", "2/1.txt"):
        path = tmp_path / "Dictionary" / name
        path.parent.mkdir(parents=True)
        path.write_text("\n".join([row(right_fist, ";", end=";")] * 4))
    (tmp_path / "Sequences").mkdir()
    stream = [row(right_fist, ",", shift=n) for n in range(20)]
    (tmp_path / "Sequences" / "3.txt").write_text("\n".join(stream) + "\n")
    (tmp_path / "Sequences" / "sequencesGT.csv").write_text("3,2,13,4,8,9,12,15\n")
    return tmp_path


def converted(root, **options):
    return convert(make_source("sfinge3d", options), root, None)


def test_clips_are_for_training_and_streams_cut_at_their_events_for_the_test(tree):
    assert find_source(tree)[0] == "sfinge3d"
    data = converted(tree).dataset
    assert list(data.samples.label) == [
        *("two", "swipe_left"),
        *("none", "swipe_o", "none", "tap", "none"),
    ]
    assert list(data.samples.split) == ["train"] * 2 + ["test"] * 5
    assert list(data.samples.recording) == [""] * 2 + ["Sequences/3.txt"] * 5
    assert list(data.samples.source[-2:]) == ["Sequences/3.txt#3", "Sequences/3.txt#4"]
    assert np.diff(data.offsets).tolist() == [4, 4, 3, 5, 3, 4, 5]
    assert data.time[-5:] == pytest.approx(np.arange(5) / 20)
    log = " ".join(data.header.log)
    assert "wrist := palm; thumb CMC := midpoint of palm and thumb A" in log


def test_a_stream_can_be_put_together_again(tree):
    data = converted(tree, part="sequences").dataset
    assert data.image[:, 0, 0, 0] == pytest.approx(data.image[0, 0, 0, 0] - np.arange(20))


def test_parts_can_be_chosen(tree):
    assert set(converted(tree, part="dictionary").dataset.samples.split) == {"train"}
    assert set(converted(tree, part="sequences").dataset.samples.split) == {"test"}
    with pytest.raises(HandloreError, match="--part is 'x', expected dictionary, sequences or"):
        converted(tree, part="x")


PARTS = ["Sequences", "Sequences/3.txt", "Sequences/sequencesGT.csv", "Dictionary"]


@pytest.mark.parametrize("part", [*PARTS, "Dictionary/2", "Dictionary/2/1.txt"])
def test_a_part_of_the_set_is_answered_with_the_whole(tree, part):
    whole = f"is part of {tree}, which has the layout sfinge3d: convert that folder; --part is"
    with pytest.raises(HandloreError, match=re.escape(whole)):
        find_source(tree / part)


def test_a_folder_beside_the_set_is_no_part_of_it(tree):
    (tree / "Sequences" / "empty").mkdir()
    with pytest.raises(HandloreError, match="it holds no files"):
        find_source(tree / "Sequences" / "empty")


def test_joints_axes_and_side(tree, right_fist, bend_side):
    data = converted(tree).dataset
    world = data.world[0, 0]
    expected = right_fist.copy()
    expected[1] = (right_fist[0] + right_fist[2]) / 2
    assert world == pytest.approx(expected - expected.mean(axis=0), abs=1e-4)
    assert data.handedness[0, 0] == 1
    assert bend_side(world) > 0.1
    assert bend_side(mirror(world)) < -0.1


def test_events_may_stand_without_their_number_and_touch_each_other(tree):
    (tree / "Sequences" / "sequencesGT.csv").write_text("3,1,1,8,2,8,20\n")
    data = converted(tree, part="sequences").dataset
    assert list(data.samples.label) == ["one", "two"]
    assert np.diff(data.offsets).tolist() == [8, 12]


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        ("4,1,1,2,3\n", "has no row for it"),
        ("3,2,1,2,5\n4,1,1,2,5\n", "is not: stream,count"),
        ("3,x,1,2\n", r"is not: stream,(label"),
        ("3,1,14,2,5\n", "gesture 14 in lines 2 to 5 of 20"),
        ("3,1,1,2,21\n", "gesture 1 in lines 2 to 21 of 20"),
        ("3,1,1,0,5\n", "gesture 1 in lines 0 to 5"),
        ("3,2,1,2,9,2,7,12\n", "two gestures at once in line 7"),
        ("3,1,1,2,9\n3,1,2,2,9\n4,1,1,2,5\n", "is not: stream,count"),
    ],
)
def test_wrong_times_are_failures_of_the_stream_not_labels(tree, times, reason):
    (tree / "Sequences" / "sequencesGT.csv").write_text(times)
    done = converted(tree)
    assert list(done.dataset.samples.label) == ["two", "swipe_left"]
    assert reason in dict(done.failures)["Sequences/3.txt"]


def test_a_stream_without_a_file_and_a_clip_without_a_class_are_failures(tree):
    (tree / "Sequences" / "sequencesGT.csv").write_text("3,1,1,2,9\n4,1,2,2,9\n")
    (tree / "Dictionary" / "10").rename(tree / "Dictionary" / "14")
    reasons = dict(converted(tree).failures)
    assert "and it is missing" in reasons["Sequences/4.txt"]
    assert "no gesture has the number '14'" in reasons["Dictionary/14/1.txt"]


def test_a_damaged_line_costs_its_part_of_the_stream(tree):
    path = tree / "Sequences" / "3.txt"
    lines = path.read_text().splitlines()
    lines[4] = lines[4].replace("0.5", "inf", 1)
    path.write_text("\n".join(lines))
    done = converted(tree, part="sequences")
    assert "line 5 must hold" in dict(done.failures)["Sequences/3.txt#1"]
    assert list(done.dataset.samples.label) == ["none", "none", "tap", "none"]


def test_the_real_set(real_data, bend_side):
    root = real_data / "sfinge3d"
    assert find_source(root)[0] == "sfinge3d"
    done = converted(root)
    data = done.dataset
    assert done.failures == ()
    splits = Counter(data.samples.split)
    counts = Counter(data.samples.label[data.samples.split == "train"])
    assert splits["train"] == 468
    assert set(counts.values()) == {36}
    assert len(counts) == 13
    events = (data.samples.split == "test") & (data.samples.label != "none")
    assert events.sum() == 74
    for recording in set(data.samples.recording) - {""}:
        chosen = data.samples.recording == recording
        lines = (root / recording).read_text().splitlines()
        assert np.diff(data.offsets)[chosen].sum() == len(lines)
    bent = bend_side(data.world[:, 0].astype(float))
    assert (bent[np.abs(bent) > 0.4] > 0).mean() > 0.99


def test_swipes_go_where_a_camera_sees_them_go(real_data):
    data = converted(real_data / "sfinge3d", part="dictionary").dataset
    ends = data.image[data.offsets[1:] - 1, 0, 8] - data.image[data.offsets[:-1], 0, 8]
    mean = {label: ends[data.samples.label == label].mean(axis=0) for label in data.labels}
    # The person's right is the left of a picture that is not mirrored.
    assert mean["swipe_right"][0] < -0.05
    assert mean["swipe_left"][0] > 0.05
