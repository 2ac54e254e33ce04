from dataclasses import replace

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlore.datasets.dataset import (
    FRAME_ARRAYS,
    SAMPLE_COLUMNS,
    Header,
    LandmarkDataset,
    Samples,
    concatenate,
)
from handlore.landmarks.detector import DetectorInfo
from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.hands import Hand

clip_lengths = st.lists(st.integers(1, 4), min_size=1, max_size=6)


def assert_equal(a, b):
    for name in (*FRAME_ARRAYS, "offsets"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), strict=True)
    for column in SAMPLE_COLUMNS:
        np.testing.assert_array_equal(getattr(a.samples, column), getattr(b.samples, column))


def changed(array, at, value):
    array = array.copy()
    array[at] = value
    return array


@pytest.mark.parametrize(
    ("field", "change", "match"),
    [
        ("image", lambda a: a[:, :, :20], r"image is float32 \(3, 1, 20, 3\), expected .*21, 3"),
        ("world", lambda a: a.astype(np.float64), r"world is float64 .*expected float32"),
        ("stage", lambda a: a[:2], r"stage is int8 \(2, 1\), expected int8 \(3, 1\)"),
        ("offsets", lambda a: a[:-1], r"offsets is int64 \(3,\), expected int64 \(4,\)"),
        ("image", lambda a: changed(a, (0, 0, 5, 1), np.nan), "finite where a hand was found"),
        ("stage", lambda a: changed(a, 1, -1), "NaN elsewhere"),
        ("handedness", lambda a: changed(a, 0, 1.5), r"handedness must be in \[0, 1\]"),
        ("handedness", lambda a: changed(a, 0, -0.1), r"handedness must be in \[0, 1\]"),
        ("time", lambda a: changed(a, 0, np.inf), "time must be finite"),
        ("offsets", lambda a: changed(a, -1, 2), "offsets must rise from 0 to the number of"),
        ("offsets", lambda a: changed(a, 0, 1), "offsets must rise"),
        ("offsets", lambda a: np.array([0, 2, 1, 3]), "offsets must rise"),
        ("offsets", lambda a: np.array([0, 1, 1, 3]), "offsets must rise"),
        ("header", lambda _: Header(kind="film"), "kind is 'film', expected pose or sequence"),
    ],
)
def test_what_is_wrong_is_said(make_dataset, field, change, match):
    dataset = make_dataset(["a", "b", "c"])
    with pytest.raises(InvalidDataError, match=match):
        replace(dataset, **{field: change(getattr(dataset, field))})


def test_a_missing_hand_is_never_zeros(make_dataset):
    dataset = make_dataset(["a", "b"], detected=[True, False])
    with pytest.raises(InvalidDataError, match="NaN elsewhere"):
        replace(dataset, image=np.nan_to_num(dataset.image))


def test_all_problems_are_said_at_once(make_dataset):
    dataset = make_dataset(["a", "b"])
    with pytest.raises(InvalidDataError, match=r"world is float64.*stage is int64") as problem:
        replace(dataset, world=dataset.world.astype(float), stage=dataset.stage.astype(int))
    assert "\n" not in str(problem.value)
    with pytest.raises(InvalidDataError, match=r"handedness must.*time must.*needs a label"):
        replace(
            dataset,
            handedness=dataset.handedness + 2,
            time=dataset.time * np.nan,
            samples=Samples.make(["", "b"]),
        )


def test_a_picture_without_an_axis_for_hands_is_named_and_nothing_else(make_dataset):
    dataset = make_dataset(["a", "b"])
    with pytest.raises(InvalidDataError) as problem:
        replace(dataset, image=dataset.image[:, 0])
    assert "image is float32 (2, 21, 3)" in str(problem.value)
    assert "handedness" not in str(problem.value), "the other arrays are right"


def test_there_is_room_for_one_or_two_hands(make_dataset):
    assert make_dataset(["a"], n_hands=2).n_hands == 2
    with pytest.raises(InvalidDataError, match="room for 3 hands a frame, expected 1 or 2"):
        make_dataset(["a"], n_hands=3)


def test_a_pose_is_one_frame_and_time_runs_forward_within_a_clip_only(make_dataset):
    clips = make_dataset(["a", "b"], lengths=[3, 2])
    with pytest.raises(InvalidDataError, match="a pose is a sample of one frame"):
        replace(clips, header=Header(kind="pose"))
    with pytest.raises(InvalidDataError, match="time must not decrease within a sample"):
        replace(clips, time=np.array([0, 2, 1, 0, 1.0]))


def test_depth_and_world_landmarks_may_be_unknown(make_dataset):
    dataset = make_dataset(["a"])
    image, world = dataset.image.copy(), np.full_like(dataset.world, np.nan)
    image[..., 2] = np.nan
    assert replace(dataset, image=image, world=world).detected.all()


def test_sample_columns_must_be_of_one_length_and_known():
    with pytest.raises(TypeError, match="unknown sample columns: person"):
        Samples.make(["a"], person=["p1"])
    nothing = np.empty((0, 1, 21, 3), np.float32)
    with pytest.raises(InvalidDataError, match="column group"):
        LandmarkDataset.of_hands([[None]], Samples.make(["a"], group=["p1", "p2"]))
    assert LandmarkDataset.of_hands([], Samples.make([])).image.shape == nothing.shape


def test_a_first_frame_without_a_hand():
    marks = np.ones((21, 3), np.float32)
    dataset = LandmarkDataset.of_hands([[], [Hand(marks, marks, 0.9)]], Samples.make(["a", "b"]))
    assert dataset.has_hand.tolist() == [False, True]


def test_unknown_names_are_empty():
    """A table of pandas has None or NaN there; as a person "nan" they would be one."""
    frame = pandas.DataFrame({"label": ["a", "b", "c"], "who": ["x", None, np.nan]})
    samples = Samples.make(frame.label, group=frame.who)
    assert samples.label.tolist() == ["a", "b", "c"]
    assert samples.group.tolist() == ["x", "", ""]
    assert Samples.make(["a", "b"], group=["x", float("nan")]).group.tolist() == ["x", ""]
    assert Samples.make([1, 2], group=[1, None]).group.tolist() == ["1", ""]
    assert Samples.make(["nan", "None"]).label.tolist() == ["nan", "None"]
    for names in ([b"fist"], np.array([b"fist"]), np.array([b"fist"], object)):
        assert Samples.make(names).label.tolist() == ["fist"]
    for names in ("x", 3):
        with pytest.raises(InvalidDataError, match=r"group is .*, expected one name a sample"):
            Samples.make(["a"], group=names)
    hands = [[None]] * 3
    with pytest.raises(InvalidDataError, match="every sample needs a label"):
        LandmarkDataset.of_hands(hands, Samples.make(frame.who))
    whole = LandmarkDataset.of_hands(hands, samples)
    objects = replace(samples, label=frame.label.to_numpy(object))
    with pytest.raises(InvalidDataError, match=r"column label is object .*expected .*text \(3,\)"):
        replace(whole, samples=objects)
    with pytest.raises(InvalidDataError, match="time is a list, not an array, expected float64"):
        replace(whole, time=[0.0, 0.0, 0.0])


def test_nothing_to_join():
    with pytest.raises(InvalidDataError, match="no datasets to join"):
        concatenate([])


def test_hands_become_rows_and_missing_ones_stay_missing():
    marks = np.full((21, 3), 0.5, np.float32)
    hand = Hand(marks, marks / 10, 0.9, 0.7, stage=2)
    dataset = LandmarkDataset.of_hands(
        [[None, hand], [None, None], [hand, None]],
        Samples.make(["a", "b"]),
        time=[0, 0.1, 0],
        offsets=[0, 2, 3],
        header=Header(kind="sequence"),
    )
    np.testing.assert_array_equal(dataset.stage, [[-1, 2], [-1, -1], [2, -1]])
    np.testing.assert_array_equal(dataset.detected, dataset.stage == 2)
    np.testing.assert_array_equal(dataset.image[0, 1], marks)
    np.testing.assert_array_equal(dataset.world[2, 0], marks / 10)
    assert np.isnan(dataset.image[1]).all()
    assert np.isnan(dataset.handedness[0, 0])
    assert dataset.score[0, 1] == np.float32(0.7)


def test_a_clip_has_a_hand_if_any_of_its_frames_has_one(make_dataset):
    dataset = make_dataset(
        ["a", "b", "c"], lengths=[2, 1, 2], detected=[False, True, False, False, False]
    )
    assert dataset.has_hand.tolist() == [True, False, False]


def test_labels_are_listed_once_and_sorted(make_dataset):
    assert make_dataset(["b", "a", "b", "ü"]).labels == ["a", "b", "ü"]


@given(clip_lengths, st.data())
def test_selected_samples_keep_their_frames_and_order(make_dataset, lengths, data):
    dataset = make_dataset([f"l{n}" for n in range(len(lengths))], lengths=lengths)
    dataset = replace(dataset, header=Header(kind="sequence"))
    chosen = np.array(
        data.draw(st.lists(st.integers(0, len(lengths) - 1), max_size=8)), dtype=np.int64
    )
    selected = dataset.select(chosen)
    assert selected.n_samples == len(chosen)
    for place, original in enumerate(chosen):
        ours = slice(*selected.offsets[place : place + 2])
        theirs = slice(*dataset.offsets[original : original + 2])
        np.testing.assert_array_equal(selected.image[ours], dataset.image[theirs])
        np.testing.assert_array_equal(selected.time[ours], dataset.time[theirs])
        assert selected.samples.label[place] == dataset.samples.label[original]


@given(clip_lengths, st.data())
def test_a_mask_and_its_complement_hold_every_sample_once(make_dataset, lengths, data):
    dataset = replace(
        make_dataset(["x"] * len(lengths), lengths=lengths), header=Header(kind="sequence")
    )
    mask = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(lengths), max_size=len(lengths)))
    )
    inside, outside = dataset.select(mask), dataset.select(~mask)
    assert inside.samples.source.tolist() == dataset.samples.source[mask].tolist()
    assert inside.n_frames + outside.n_frames == dataset.n_frames


def test_samples_can_be_counted_from_the_end(make_dataset):
    dataset = make_dataset(["a", "b", "c"], lengths=[2, 1, 3])
    assert_equal(dataset.select(np.array([-1, 0])), dataset.select(np.array([2, 0])))


@given(clip_lengths, st.integers(0, 6))
def test_a_dataset_cut_in_two_and_joined_is_the_same(make_dataset, lengths, at):
    dataset = replace(
        make_dataset(["x"] * len(lengths), lengths=lengths, detected=[True, False, True]),
        header=Header(kind="sequence"),
    )
    numbers = np.arange(dataset.n_samples)
    parts = [dataset.select(numbers < at), dataset.select(numbers >= at)]
    assert_equal(concatenate(parts), dataset)


@pytest.mark.parametrize(
    ("other", "match"),
    [
        ({"n_hands": 2}, "n_hands is 1 in one, 2 in another"),
        ({"header": Header(kind="sequence")}, "kind is pose in one, sequence in another"),
        ({"header": Header(image_unit="metre")}, "image_unit is width in one, metre in another"),
    ],
)
def test_unlike_datasets_are_not_joined(make_dataset, other, match):
    with pytest.raises(InvalidDataError, match=f"cannot be joined: {match}"):
        concatenate([make_dataset(["a"]), make_dataset(["a"], **other)])


def test_joining_keeps_what_the_headers_have_to_say(make_dataset):
    full, lite = (DetectorInfo("mediapipe", "1.2", kind, "0" * 64) for kind in ("full", "lite"))
    a = make_dataset(["a"], header=Header(detector=full, log=("one failed",), note="CC BY"))
    b = make_dataset(["a"], header=Header(detector=lite, log=("two failed",), note="CC0"))
    joined = concatenate([a, b]).header
    assert joined.log[:2] == ("one failed", "two failed")
    assert "different detectors" in joined.log[2]
    assert joined.note == "CC BY; CC0"
    assert concatenate([a, a]).header.log == ("one failed", "one failed")


def test_views_of_a_picture_are_one_item_and_pictures_of_one_name_are_two(make_dataset):
    dataset = make_dataset(
        ["a"] * 5,
        source=["1.jpg", "1.jpg", "2.jpg", "1.jpg", "2.jpg"],
        sha256=["x", "x", "y", "z", "y"],
        view=[0, 1, 0, 0, 1],
    )
    a, b, c, d, e = dataset.samples.items()
    assert a == b
    assert c == e
    assert len({a, c, d}) == 3


def test_samples_of_unknown_origin_are_items_of_their_own():
    """Landmarks that came without files: nothing says that they are views of one picture."""
    assert len(set(Samples.make(["a", "b", "a"]).items())) == 3


def test_the_table_of_samples_has_a_row_a_sample(make_dataset):
    frame = make_dataset(["a", "b"], group=["p1", "p2"]).samples.frame()
    assert list(frame.columns) == list(SAMPLE_COLUMNS)
    assert frame.group.tolist() == ["p1", "p2"]


def test_the_digest_is_that_of_the_content(make_dataset):
    dataset = make_dataset(["a", "b"], group=["p", "q"])
    assert dataset.digest() == make_dataset(["a", "b"], group=["p", "q"]).digest()
    assert replace(dataset, header=Header(note="CC0")).digest() == dataset.digest()


@pytest.mark.parametrize(
    "change",
    [{"seed": 1}, {"labels": ["a", "c"]}, {"labels": ["b", "a"]}, {"group": ["q", "p"]},
     {"detected": [True, False]}, {"view": [0, 1]},
     {"labels": ["a", "bp"], "group": ["", "q"]}],
    ids=["landmarks", "a label", "order", "groups", "a hand", "views", "text moved a column on"],
)  # fmt: skip
def test_the_digest_changes_with_anything_in_it(make_dataset, change):
    given = {"labels": ["a", "b"], "group": ["p", "q"]}
    assert make_dataset(**given).digest() != make_dataset(**{**given, **change}).digest()


def test_text_that_is_no_unicode_has_a_digest(make_dataset):
    """A file name in Latin-1, from an old zip: Linux gives it with a lone surrogate."""
    name = b"gr\xfc\xdfe.jpg".decode("utf-8", "surrogateescape")
    assert len(make_dataset(["a"], source=[name]).digest()) == 64


def test_a_header_survives_being_json():
    header = Header(
        kind="sequence",
        image_unit="metre",
        detector=DetectorInfo("mediapipe", "1.2", "full", "0" * 64),
        options={"stages": 4},
        log=("failed: ä.jpg: empty",),
        note="CC0",
    )
    assert Header.from_json(header.as_json()) == header
    assert Header.from_json(header.as_json() | {"added later": 1}) == header
    assert Header.from_json(Header().as_json()) == Header()
