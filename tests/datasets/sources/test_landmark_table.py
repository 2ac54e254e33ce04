import json
import pickle
import sys
from collections import Counter

import numpy as np
import pytest
from hand_tables import csv_text, hands, header, rows_of, shares

from handlore.datasets.conversion.batches import ConvertOptions
from handlore.datasets.conversion.convert import convert
from handlore.datasets.conversion.preview import preview
from handlore.datasets.sources import find_source, make_source
from handlore.landmarks.errors import HandloreError

WORDS = ["fist", "palm", "rock"] * 4
DIGITS = [0, 1, 2] * 4
NAMES = [
    "WRIST", "THUMB_CMC", "THUMB_MCP", "THUMB_IP", "THUMB_TIP",
    *(f"{finger}_{joint}" for finger in ("INDEX_FINGER", "MIDDLE_FINGER", "RING_FINGER", "PINKY")
      for joint in ("MCP", "PIP", "DIP", "TIP")),
]  # fmt: skip


def read(root, n_hands=1, **options):
    assert find_source(root, options)[0] == "landmark-table"
    source = make_source("landmark-table", options)
    return convert(source, root, None, ConvertOptions(max_hands=n_hands))


def seen(done, n_axes=3):
    return done.dataset.image[:, 0, :, :n_axes]


STYLES = {
    "x0": "{a}{k}", "0_x": "{k}_{a}", "x_0": "{a}_{k}", "landmark_0_x": "landmark_{k}_{a}",
    "Lm0X": "Lm{k}{A}", "lm0_x": "lm{k}_{a}", "L0X": "L{k}{A}", "x[0]": "{a}[{k}]",
    "hand_0_x": "hand_{k}_{a}", "point_0.x": "point_{k}.{a}",
    "right_hand_x_0": "right_hand_{a}_{k}",
    "x_right_hand_0": "{a}_right_hand_{k}",
    "keypoint0X": "keypoint{k}{A}", "p0x": "p{k}{a}",
    "LANDMARK 0 X": "LANDMARK {k} {A}",
}  # fmt: skip


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
@pytest.mark.parametrize("axes", ["xyz", "xy"])
def test_names_of_columns(tmp_path, style, axes):
    points = hands()
    table = tmp_path / "gestures.csv"
    given = shares(points)[..., : len(axes)]
    table.write_text(csv_text(rows_of(given, WORDS), ["label", *header(style, axes)]))
    done = read(table, aspect="16:9")
    assert done.failures == ()
    assert list(done.dataset.samples.label) == WORDS
    assert seen(done, len(axes)) == pytest.approx(points[..., : len(axes)], abs=1e-5)
    assert np.isnan(done.dataset.image[..., 2]).all() == (axes == "xy")


def named(number, axis):
    return f"{NAMES[number]}_{axis}"


OTHER_HEADERS = {
    "from 1": header("{a}{k}", start=1),
    "names of joints": [named(k, axis) for k in range(21) for axis in "xyz"],
    "names in small letters": [named(k, a).lower() for k in range(21) for a in "xyz"],
    "plain numbers": [str(k) for k in range(63)],
    "numbered features": [f"feature_{k}" for k in range(63)],
    "visibility beside": [n for k in range(21) for n in (f"x{k}", f"y{k}", f"z{k}")],
}


@pytest.mark.parametrize("names", OTHER_HEADERS.values(), ids=OTHER_HEADERS)
@pytest.mark.parametrize("last", [False, True])
def test_other_names(tmp_path, names, last):
    points = hands()
    table = tmp_path / "table.csv"
    names = [*names, "class"] if last else ["class", *names]
    table.write_text(csv_text(rows_of(shares(points), WORDS, last=last), names))
    done = read(table, aspect="16:9")
    assert list(done.dataset.samples.label) == WORDS
    assert seen(done) == pytest.approx(points, abs=1e-5)


@pytest.mark.parametrize("labels", [WORDS, DIGITS])
@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("n_axes", [2, 3])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_no_header(tmp_path, labels, last, n_axes, separator):
    points = hands()
    table = tmp_path / "table.csv"
    rows = rows_of(shares(points)[..., :n_axes], labels, last=last)
    table.write_text(csv_text(rows, separator=separator))
    done = read(table, aspect="16:9")
    assert list(done.dataset.samples.label) == [str(label) for label in labels]
    assert seen(done, n_axes) == pytest.approx(points[..., :n_axes], abs=1e-5)


@pytest.mark.parametrize("last", [False, True])
def test_whole_pixels_beside_a_class_number(tmp_path, last):
    pixels = np.rint(hands()[..., :2] * 640)
    table = tmp_path / "table.csv"
    table.write_text(csv_text(rows_of(pixels, DIGITS, last=last)))
    done = read(table)
    assert list(done.dataset.samples.label) == [str(label) for label in DIGITS]
    assert any("units: pixels" in note for note in done.notes)
    shapes = seen(done, 2) - seen(done, 2)[:, :1]
    wanted = hands()[..., :2] - hands()[:, :1, :2]
    factor = np.abs(shapes).max() / np.abs(wanted).max()
    assert shapes == pytest.approx(wanted * factor, abs=0.003)


def test_all_x_before_all_y(tmp_path):
    points = hands()
    for names in (None, ["label", *(f"{axis}{k}" for axis in "xyz" for k in range(21))]):
        table = tmp_path / "table.csv"
        by_axis = np.moveaxis(shares(points), 2, 1)
        table.write_text(csv_text(rows_of(by_axis, WORDS), names))
        assert seen(read(table, aspect="16:9")) == pytest.approx(points, abs=1e-5)


def test_decimal_commas_utf_16_and_a_column_of_row_numbers(tmp_path):
    points = hands()
    rows = [[k, *row] for k, row in enumerate(rows_of(shares(points), WORDS))]
    text = csv_text(rows, ["", "Gesture", *header("{a}{k}")], ";").replace(".", ",")
    for encoding in ("utf-8-sig", "utf-16"):
        table = tmp_path / "Tabelle.csv"
        table.write_text(text, encoding=encoding)
        done = read(table, aspect="16:9")
        assert list(done.dataset.samples.label) == WORDS
        assert seen(done) == pytest.approx(points, abs=1e-5)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_decimal_commas_without_a_header(tmp_path, separator):
    table = tmp_path / "table.csv"
    rows = rows_of(shares(hands()), WORDS)
    table.write_text(csv_text(rows, separator=separator).replace(".", ","))
    assert seen(read(table, aspect="16:9")) == pytest.approx(hands(), abs=1e-5)


def test_decimal_commas_beside_whole_pixels(tmp_path):
    names = ["label", "handedness", "score", "sequence", "time", *header("{a}{k}", "xy")]
    pixels = rows_of(np.rint(hands()[..., :2] * 640), WORDS)
    rows = [["wave", "0,75", "0,5", k // 4, f"{k % 4 / 8}".replace(".", ","), *row[1:]]
            for k, row in enumerate(pixels)]  # fmt: skip
    table = tmp_path / "table.csv"
    table.write_text(csv_text(rows, names, ";"))
    data = read(table).dataset
    assert (data.handedness == 0.75).all()
    assert (data.score == 0.5).all()
    assert list(data.time) == [0.0, 0.125, 0.25, 0.375] * 3


def test_a_word_among_the_numbers_of_a_column(tmp_path):
    names = ["label", "score", "sequence", "time", *header("{a}{k}")]
    rows = [["wave", 0.5, k // 4, k / 8, *row[1:]]
            for k, row in enumerate(rows_of(shares(hands()), WORDS))]  # fmt: skip
    rows[1][1], rows[5][3], rows[9][6] = "high", "soon", "far"
    table = tmp_path / "table.csv"
    table.write_text(csv_text(rows, names))
    assert read(table, aspect="16:9").failures == (
        ("table.csv#2", "score is 'high', expected a number"),
        ("table.csv#6", "time is 'soon', expected a number"),
        ("table.csv#10", "z0 is 'far', expected a number"),
    )


def test_a_column_of_dates_is_not_used(tmp_path):
    names = ["label", "sequence", "timestamp", "frame", *header("{a}{k}")]
    rows = [["wave", k // 4, "2024-05-01 10:00", k % 4, *row[1:]]
            for k, row in enumerate(rows_of(shares(hands()), WORDS))]  # fmt: skip
    table = tmp_path / "table.csv"
    table.write_text(csv_text(rows, names))
    done = read(table, aspect="16:9", frame_rate=10.0)
    assert done.failures == ()
    assert done.dataset.time == pytest.approx(np.tile(np.arange(4) / 10, 3))
    assert any("timestamp is not used: it holds no numbers" in note for note in done.notes)


def test_people_splits_and_what_is_not_used(tmp_path):
    names = ["subject_id", "subset", "angle", "label", *header("{a}{k}")]
    rows = [[f"s{k % 2}", ("train", "test")[k % 2], 0.5, *row]
            for k, row in enumerate(rows_of(shares(hands()), WORDS))]  # fmt: skip
    table = tmp_path / "table.tsv"
    table.write_text(csv_text(rows, names, "\t"))
    done = read(table, aspect="16:9")
    assert set(done.dataset.samples.group) == {"s0", "s1"}
    assert set(done.dataset.samples.split) == {"train", "test"}
    assert "columns that are not used: angle" in done.notes


def test_the_size_of_the_picture_in_each_row(tmp_path):
    points = hands()
    names = ["label", "image_width", "image_height", *header("{a}{k}")]
    for given, words in ((shares(points), "shares"), (points * 1920, "pixels")):
        rows = [[label, 1920, 1080, *numbers] for label, *numbers in rows_of(given, WORDS)]
        table = tmp_path / "table.csv"
        table.write_text(csv_text(rows, names))
        done = read(table)
        assert seen(done) == pytest.approx(points, abs=1e-4)
        assert words in done.notes[0]


def relative(points):
    return points - points[:, :1]


def largest(points):
    flat = relative(points)[..., :2]
    return flat / np.abs(flat).max(axis=(1, 2), keepdims=True)


def metres():
    """World landmarks: the palm of everybody is as long, the origin lies within the hand."""
    points = hands() - hands().mean(axis=1, keepdims=True)
    palms = np.linalg.norm(relative(points)[:, 9], axis=1)
    return points * (0.065 / palms[:, None, None]) + 0.002


UNITS = {
    "shares of the picture's": (shares(hands()), True),
    "from the wrist, in shares": (relative(shares(hands())), True),
    "from the corner of the hand, in shares": (
        shares(hands())[..., :2] - shares(hands())[..., :2].min(axis=1, keepdims=True), True,
    ),
    "divided by the largest": (largest(hands()), False),
    "pixels from the wrist": (relative(hands() * 640)[..., :2], False),
    "divided by a length": (
        relative(hands()) / np.linalg.norm(relative(hands())[:, 9:10], axis=2, keepdims=True),
        False,
    ),
    "metres": (metres(), False),
    "from the centre of the hand, in shares": (
        shares(hands()) - shares(hands()).mean(axis=1, keepdims=True), True,
    ),
    "pixels from another origin": ((hands() - 0.5) * 640, False),
    "stretched": (
        (hands() - hands().min(axis=1, keepdims=True)) / np.ptp(hands(), axis=1)[:, None], False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("words", UNITS)
def test_units_are_found_out_and_the_aspect_is_asked_for_where_it_matters(tmp_path, words):
    points, asks = UNITS[words]
    table = tmp_path / "table.csv"
    table.write_text(csv_text(rows_of(points, WORDS)))
    if asks:
        with pytest.raises(HandloreError, match=r"give it with --aspect W:H.*--aspect unknown"):
            read(table)
        done = read(table, aspect="16:9")
        shapes = relative(seen(done, 2))
        assert shapes == pytest.approx(relative(hands())[..., :2], abs=1e-5)
        assert "pictures of 16:9" in done.notes[0]
        assert "aspect unknown" in read(table, aspect="unknown").notes[0]
    else:
        done = read(table)
    assert words in done.notes[0]


def test_the_units_can_be_given(tmp_path):
    table = tmp_path / "table.csv"
    table.write_text(csv_text(rows_of(hands() * 7, WORDS)))
    with pytest.raises(HandloreError, match="neither shares of a picture"):
        read(table)
    plane, palms = hands()[..., :2], np.linalg.norm(relative(hands())[:, 9], axis=1)
    standardised = (plane - plane.mean(axis=0)) / plane.std(axis=0)
    rigid = relative(hands()) * (0.09 / palms[:, None, None])
    for points in (standardised, hands() * 2 - 1, rigid):
        (tmp_path / "other.csv").write_text(csv_text(rows_of(points, WORDS)))
        with pytest.raises(HandloreError, match="say what the numbers are with --units"):
            read(tmp_path / "other.csv")
    assert seen(read(table, units="widths")) == pytest.approx(hands() * 7, abs=1e-4)
    with pytest.raises(HandloreError, match="--units is 'feet'"):
        make_source("landmark-table", {"units": "feet"})


def test_zeros_are_no_hand_and_damaged_rows_are_counted(tmp_path):
    rows = rows_of(shares(hands()), WORDS)
    rows[1] = ["palm", *["0"] * 63]
    rows[2][5] = "abc"
    rows[3] = rows[3][:-3]
    rows[4][5] = "inf"
    rows[5][5] = ""
    rows[6][0] = ""
    rows[7][5] = "1e30"
    rows[8] = [*rows[8], "0.5"]
    table = tmp_path / "table.csv"
    table.write_text(csv_text(rows, ["label", *header("{a}{k}")]))
    done = read(table, aspect="16:9")
    assert [name for name, _ in done.failures] == [f"table.csv#{n}" for n in range(3, 10)]
    assert list(done.dataset.detected[:, 0]) == [True, False, *[True] * 3]
    listed = make_source("landmark-table", {"aspect": "16:9"}).scan(table)
    assert set(listed.labels) - {"no label"} == set(WORDS)
    assert [item.label for item in listed.items][:2] == ["rock", "fist"]
    assert np.isnan(done.dataset.image[1]).all()


def test_mirrored_pictures(tmp_path):
    points = shares(hands())
    names = ["hand", "label", *header("{a}{k}")]
    rows = [["Left", *row] for row in rows_of(points, WORDS)]
    table = tmp_path / "table.csv"
    table.write_text(csv_text(rows, names))
    plain, flipped = (read(table, aspect="1:1", mirrored=on).dataset for on in (False, True))
    assert flipped.image[:, 0, :, 0] == pytest.approx(1 - plain.image[:, 0, :, 0], abs=1e-6)
    assert (plain.handedness == 0).all()
    assert (flipped.handedness == 1).all()


def test_two_hands(tmp_path):
    left, right = hands(seed=1), hands(seed=2)
    right[0] = 0
    both = np.concatenate([shares(left), shares(right)], axis=1)
    names = ["label", *header("left_{a}{k}"), *header("right_{a}{k}")]
    for head in (names, None):
        table = tmp_path / "table.csv"
        table.write_text(csv_text(rows_of(both, WORDS), head))
        data = read(table, n_hands=2, aspect="16:9").dataset
        assert data.image[:, 0] == pytest.approx(left, abs=1e-5)
        assert data.image[1:, 1] == pytest.approx(right[1:], abs=1e-5)
        assert list(data.detected[0]) == [True, False]
        assert (data.handedness[1:] == [0, 1]).all()


def test_two_hands_that_are_numbered_on(tmp_path):
    both = np.concatenate([hands(seed=1), hands(seed=2)], axis=1)
    names = ["label", *(f"{axis}{k}" for k in range(42) for axis in "xyz")]
    table = tmp_path / "table.csv"
    table.write_text(csv_text(rows_of(shares(both), WORDS), names))
    data = read(table, n_hands=2, aspect="16:9").dataset
    assert data.image.reshape(12, 42, 3) == pytest.approx(both, abs=1e-5)


@pytest.mark.parametrize("ending", [".json", ".pickle", ".npz"])
def test_rows_and_labels_by_name(tmp_path, ending):
    rows, path = shares(hands()).reshape(12, 63), tmp_path / f"table{ending}"
    value = {"data": rows.tolist(), "labels": WORDS}
    if ending == ".npz":
        np.savez(path, **value)
    else:
        path.write_bytes(pickle.dumps(value) if ending == ".pickle" else json.dumps(value).encode())
    done = read(path, aspect="16:9")
    assert list(done.dataset.samples.label) == WORDS
    assert seen(done) == pytest.approx(hands(), abs=1e-5)


@pytest.mark.parametrize("ending", [".json", ".pickle"])
def test_the_name_of_a_list_of_rows_is_no_label(tmp_path, ending):
    value, path = {"data": shares(hands()).tolist()}, tmp_path / f"table{ending}"
    path.write_bytes(pickle.dumps(value) if ending == ".pickle" else json.dumps(value).encode())
    with pytest.raises(HandloreError, match="no labels beside it"):
        convert(make_source("landmark-table", {"aspect": "1:1"}), path, None)


def test_clips_with_their_label_in_each_file(tmp_path):
    for number, label in enumerate(["wave", "swipe"] * 2):
        points = shares(hands(8, seed=number))
        np.savez(tmp_path / f"{number}.npz", landmarks=points, label=np.array(label))
    data = read(tmp_path, aspect="16:9").dataset
    assert list(data.samples.label) == ["wave", "swipe"] * 2
    assert list(np.diff(data.offsets)) == [8] * 4


def test_rows_of_a_sequence_are_a_movement(tmp_path):
    names = ["sequence", "frame", "label", *header("{a}{k}")]
    rows = [[k // 4, k % 4, "wave" if k < 8 else "swipe", *row[1:]]
            for k, row in enumerate(rows_of(shares(hands()), WORDS))]  # fmt: skip
    table = tmp_path / "table.csv"
    table.write_text(csv_text(rows[::-1], names))
    done = read(table, aspect="16:9", frame_rate=20.0)
    assert done.dataset.header.kind == "sequence"
    assert list(done.dataset.samples.label) == ["swipe", "wave", "wave"]
    assert done.dataset.time == pytest.approx(np.tile(np.arange(4) / 20, 3))


def clips_of(tmp_path, column, values):
    """Return the table of three clips of four rows, with a column."""
    names = ["sequence", column, "label", *header("{a}{k}")]
    rows = [[k // 4, values[k], "wave", *row[1:]]
            for k, row in enumerate(rows_of(shares(hands()), WORDS))]  # fmt: skip
    table = tmp_path / "table.csv"
    table.write_text(csv_text(rows, names))
    return table


def test_a_clip_in_which_frames_are_there_twice_fails(tmp_path):
    table = clips_of(tmp_path, "Frame", [0, 1, 2, 3, 0, 1, 1, 0, 0, 1, 2, 3])
    done = read(table, aspect="16:9")
    assert list(done.dataset.samples.source) == ["table.csv#1", "table.csv#9"]
    ((name, why),) = done.failures
    assert name == "table.csv#5"
    assert "Frame 0, 1 is in several rows of one clip" in why
    with pytest.raises(HandloreError, match="frame 0 is in several rows of one clip"):
        read(clips_of(tmp_path, "frame", [0] * 12), aspect="16:9")


@pytest.mark.parametrize(
    ("times", "why"),
    [
        ([0.5] * 12, "time never changes within a clip"),
        ([0, 1, "", 3] * 3, "time is empty in some rows"),
        ([0, 1, 2, 1e10] * 3, "time spans more than 1,000,000 s in a clip"),
    ],
)
def test_times_that_cannot_be_used_are_named(tmp_path, times, why):
    done = read(clips_of(tmp_path, "time", times), aspect="16:9")
    assert f"30 frames a second, since {why}" in done.notes
    assert done.dataset.time == pytest.approx(np.tile(np.arange(4) / 30, 3))


def test_tables_of_different_units_are_not_mixed(tmp_path):
    for name, points in (("a", shares(hands(24))), ("b", hands(24) * 640)):
        (tmp_path / f"{name}.csv").write_text(csv_text(rows_of(points, WORDS * 2)))
    with pytest.raises(HandloreError, match=r"a\.csv holds shares.*, b\.csv pixels"):
        read(tmp_path, aspect="16:9")


def test_arrays_with_labels_beside_them(tmp_path):
    clips = shares(np.stack([hands(10, seed) for seed in range(6)]))
    flat = clips.reshape(6, 10, 63)
    labels = np.array(["a", "b", "c"] * 2)
    for number, (data, targets) in enumerate(
        [(flat, [0, 1, 2] * 2), (clips, labels), (flat, np.eye(3)[[0, 1, 2] * 2])]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        np.save(folder / "X_train.npy", data)
        np.save(folder / "y_train.npy", np.array(targets))
        done = read(folder, aspect="16:9")
        assert done.dataset.n_samples == 6
        assert set(np.diff(done.dataset.offsets)) == {10}
        assert (
            list(done.dataset.samples.label)
            == (["a", "b", "c"] if number == 1 else list("012")) * 2
        )
        assert set(done.dataset.samples.split) == {"train"}
    np.savez(tmp_path / "both.npz", X=flat[:, 0], y=labels)
    assert list(read(tmp_path / "both.npz", aspect="16:9").dataset.samples.label) == list("abc") * 2


@pytest.mark.parametrize(("width", "before"), [(63, 0), (126, 0), (258, 132), (1662, 1536)])
def test_a_file_a_clip(tmp_path, width, before):
    frames = np.random.default_rng(0).random((10, width))
    frames[:, before : before + 63] = shares(hands(10)).reshape(10, 63)
    for label in ("hello", "thanks"):
        for number in range(2):
            path = tmp_path / "train" / label / f"{number}.npy"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, frames)
    done = read(tmp_path, n_hands=1 if width == 63 else 2, aspect="16:9")
    assert list(done.dataset.samples.label) == ["hello"] * 2 + ["thanks"] * 2
    assert set(done.dataset.samples.split) == {"train"}
    assert done.dataset.image[:10, 0] == pytest.approx(hands(10), abs=1e-5)
    assert done.dataset.header.kind == "sequence"


def test_arrays_of_points(tmp_path):
    for name, shape in (("a", (10, 21, 3)), ("b", (10, 63))):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "clip.npy", shares(hands(10)).reshape(shape))
    done = read(tmp_path, aspect="16:9")
    assert list(done.dataset.samples.label) == ["a", "b"]
    assert seen(done) == pytest.approx(np.tile(hands(10), (2, 1, 1)), abs=1e-5)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("as_arrays", [False, True])
def test_the_pickle_of_the_tutorial(tmp_path, protocol, as_arrays):
    points = shares(hands())[..., :2]
    rows = (points - points.min(axis=1, keepdims=True)).reshape(12, 42)
    value = {"data": rows if as_arrays else rows.tolist(), "labels": WORDS}
    if as_arrays:
        value["labels"] = np.array(WORDS)
    table = tmp_path / "data.pickle"
    table.write_bytes(pickle.dumps(value, protocol=protocol))
    done = read(table, aspect="16:9")
    assert list(done.dataset.samples.label) == WORDS
    assert relative(seen(done, 2)) == pytest.approx(relative(hands())[..., :2], abs=1e-5)


def marks(points):
    return [dict(zip("xyz", map(float, point), strict=True)) for point in points]


def result(hand, label, side="Right"):
    return {
        "label": label, "timestamp": 33, "landmarks": [marks(hand)],
        "worldLandmarks": [marks(hand - hand.mean(axis=0))],
        "handednesses": [[{"score": 0.9, "index": 0, "categoryName": side, "displayName": side}]],
    }  # fmt: skip


def test_results_of_mediapipe_in_javascript(tmp_path):
    given = shares(hands())
    records = [result(hand, label) for hand, label in zip(given, WORDS, strict=True)]
    records[3] |= {"landmarks": [], "worldLandmarks": [], "handednesses": []}
    lines = "".join(json.dumps(record) + "\n" for record in records)
    (tmp_path / "a.jsonl").write_text(lines)
    (tmp_path / "b.json").write_text(json.dumps(records))
    (tmp_path / "c.json").write_text(json.dumps({"samples": records}))
    for name in "abc":
        data = read(next(tmp_path.glob(f"{name}.*")), aspect="16:9").dataset
        assert list(data.samples.label) == WORDS
        assert list(np.flatnonzero(~data.detected[:, 0])) == [3]
        assert data.image[:3, 0] == pytest.approx(hands()[:3], abs=1e-5)
        assert data.world[:3, 0] == pytest.approx(
            given[:3] - given[:3].mean(1, keepdims=True), abs=1e-5
        )
        assert data.handedness[:3, 0] == pytest.approx(0.9)


def test_older_results_name_the_hand_of_the_mirrored_picture(tmp_path):
    records = [
        {"label": label, "multiHandLandmarks": [marks(hand)],
         "multiHandedness": [{"index": 0, "score": 0.75, "label": "Left"}]}
        for hand, label in zip(shares(hands()), WORDS, strict=True)
    ]  # fmt: skip
    (tmp_path / "a.json").write_text(json.dumps(records))
    data = read(tmp_path / "a.json", aspect="16:9").dataset
    assert data.handedness[:, 0] == pytest.approx(0.75)


@pytest.mark.parametrize("form", ["points", "numbers", "keypoints", "objects"])
def test_lists_by_label_in_json(tmp_path, form):
    given = shares(hands())
    make = {
        "points": lambda hand: hand.tolist(), "numbers": lambda hand: hand.ravel().tolist(),
        "keypoints": lambda hand: {"keypoints": hand.tolist()}, "objects": marks,
    }[form]  # fmt: skip
    value = {name: [make(hand) for hand in given[k::3]] for k, name in enumerate(WORDS[:3])}
    (tmp_path / "a.json").write_text(json.dumps(value))
    done = read(tmp_path / "a.json", aspect="16:9")
    assert sorted(done.dataset.samples.label) == sorted(WORDS)
    assert seen(done)[:4] == pytest.approx(hands()[::3], abs=1e-5)


def test_what_is_no_table_of_hands_is_refused_with_advice(tmp_path):
    def refusal(text, name="table.csv"):
        (tmp_path / name).write_text(text)
        with pytest.raises(HandloreError) as caught:
            convert(make_source("landmark-table", {}), tmp_path / name, None)
        return str(caught.value)

    body = ["class", *(f"{axis}{k}" for k in range(1, 502) for axis in "xyzv")]
    row = ["a", *["0.5"] * 2004]
    assert "501 points of one body" in refusal(csv_text([row], body))
    short = csv_text(
        rows_of(shares(hands()), WORDS), ["label", *header("{a}{k}")[:-3], "p", "q", "r"]
    )
    assert "20 landmarks" in refusal(short)
    assert "31 columns of numbers" in refusal(csv_text([[0.5] * 31] * 5))
    assert "no column of labels" in refusal(csv_text([[0.5, *map(str, np.arange(41) / 50)]] * 5))
    zeros = csv_text([["a", *["0"] * 42]] * 5)
    assert "no row shows a hand" in refusal(zeros)
    assert "empty" in refusal("")
    assert "holds no records" in refusal("[]", "a.json")
    marked = [{"image_id": 1, "category_id": 1, "keypoints": [300, 200, 2] * 21}]
    coco = {"images": [{"id": 1, "file_name": "1.jpg"}], "annotations": marked}
    assert "COCO annotations" in refusal(json.dumps(coco), "b.json")


def test_the_project_that_keypoint_csv_belongs_to_is_left_to_its_own_source(tmp_path):
    (tmp_path / "keypoint.csv").write_text(csv_text(rows_of(largest(hands()), DIGITS)))
    assert find_source(tmp_path) == ("keypoint-csv", [])
    (tmp_path / "keypoint.csv").write_text(csv_text(rows_of(hands()[..., :2], DIGITS)))
    assert find_source(tmp_path) == ("landmark-table", [])


def test_kaggles_isolated_signs(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra parquet")
    import pandas

    names = {"face": 4, "left_hand": 21, "pose": 3, "right_hand": 21}
    left = shares(hands(5, seed=1))
    for number in (1000, 2000):
        rows = [
            {"frame": 20 + f, "row_id": f"{20 + f}-{kind}-{k}", "type": kind, "landmark_index": k,
             **({a: left[f, k, i] for i, a in enumerate("xyz")} if kind == "left_hand"
                else dict.fromkeys("xyz", np.nan if kind == "right_hand" else 0.5))}
            for f in range(5) for kind, count in names.items() for k in range(count)
        ]  # fmt: skip
        path = tmp_path / f"train_landmark_files/26734/{number}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pandas.DataFrame(rows).to_parquet(path)
        assert parquet.ParquetFile(path).metadata.num_rows == len(rows)
    listed = [[f"train_landmark_files/26734/{n}.parquet", 26734, n, sign]
              for n, sign in ((1000, "blow"), (2000, "wait"))]  # fmt: skip
    names = ["path", "participant_id", "sequence_id", "sign"]
    (tmp_path / "train.csv").write_text(csv_text(listed, names))
    done = read(tmp_path, n_hands=2, aspect="4:3")
    data = done.dataset
    assert list(data.samples.label) == ["blow", "wait"]
    assert set(data.samples.group) == {"26734"}
    assert data.header.kind == "sequence"
    assert data.image[:5, 0] == pytest.approx(left * (1, 0.75, 1), abs=1e-5)
    assert not data.detected[:, 1].any()


def test_kaggles_fingerspelling(tmp_path):
    pytest.importorskip("pyarrow", reason="needs the extra parquet")
    import pandas

    right = shares(hands(6))
    columns = {
        f"{a}_right_hand_{k}": right[:, k, i] for k in range(21) for i, a in enumerate("xyz")
    }
    columns |= {f"{a}_left_hand_{k}": np.nan for k in range(21) for a in "xyz"}
    columns |= {f"x_face_{k}": 0.5 for k in range(468)}
    frame = pandas.DataFrame({"sequence_id": [7] * 3 + [8] * 3, "frame": [0, 1, 2] * 2, **columns})
    path = tmp_path / "train_landmarks/5414471.parquet"
    path.parent.mkdir()
    frame.set_index("sequence_id").to_parquet(path)
    names = ["path", "file_id", "sequence_id", "participant_id", "phrase"]
    listed = [["train_landmarks/5414471.parquet", 5414471, n, n + 100, f"word {n}"] for n in (7, 8)]
    (tmp_path / "train.csv").write_text(csv_text(listed, names))
    data = read(tmp_path, n_hands=2, aspect="1:1").dataset
    assert list(data.samples.label) == ["word 7", "word 8"]
    assert list(data.samples.group) == ["107", "108"]
    assert list(np.diff(data.offsets)) == [3, 3]
    assert data.detected[:, 1].all()
    assert not data.detected[:, 0].any()


def test_a_lone_table_without_hands_is_refused_with_the_reason(tmp_path):
    table = tmp_path / "body.csv"
    table.write_text(csv_text([[0.5] * 99] * 5))
    with pytest.raises(HandloreError, match=r"no table of hand landmarks: it has 99 columns"):
        find_source(table)


def test_parquet_without_pyarrow_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    assert find_source(tmp_path)[0] == "landmark-table"
    with pytest.raises(HandloreError, match=r"handlore\[parquet\]"):
        read(tmp_path)
    (tmp_path / "fist").mkdir()
    (tmp_path / "fist" / "1.jpg").touch()
    assert find_source(tmp_path)[0] == "images"


def test_names_of_files_are_splits_and_tests_without_labels_are_left_out(tmp_path):
    named = ["label", *header("{a}{k}")]
    rows = rows_of(shares(hands()), WORDS)
    for split in ("train", "test"):
        (tmp_path / f"gestures_{split}.csv").write_text(csv_text(rows, named))
    assert Counter(read(tmp_path, aspect="16:9").dataset.samples.split) == {"train": 12, "test": 12}
    alone = read(tmp_path / "gestures_test.csv", aspect="16:9").dataset
    assert set(alone.samples.split) == {""}
    (tmp_path / "gestures_test.csv").write_text(csv_text([row[1:] for row in rows], named[1:]))
    listing = make_source("landmark-table", {"aspect": "16:9"}).scan(tmp_path)
    assert listing.left_out == ["gestures_test.csv"]
    assert "gestures_test.csv: it is left out, as it has no labels" in listing.notes
    assert Counter(listing.dataset.samples.split) == {"train": 12}


@pytest.mark.parametrize("other", ["test", "eval", "Testing"])
def test_folders_are_splits_of_tables_with_labels(tmp_path, other):
    for split in ("train", other):
        (tmp_path / split).mkdir()
        rows = rows_of(shares(hands()), WORDS)
        text = csv_text(rows, ["label", *header("{a}{k}")])
        (tmp_path / split / "gestures.csv").write_text(text)
    found = read(tmp_path, aspect="16:9").dataset.samples
    assert Counter(found.split) == {"train": 12, "test": 12}
    assert list(found.label) == WORDS * 2


def test_rows_without_a_label_are_no_class(tmp_path):
    rows = rows_of(shares(hands()), ["", "fist", "palm"] * 4)
    (tmp_path / "a.csv").write_text(csv_text(rows, ["label", *header("{a}{k}")]))
    shown = preview(make_source("landmark-table", {"aspect": "16:9"}), tmp_path)
    assert shown.labels == {"fist": 4, "no label": 4, "palm": 4}
    assert shown.none_candidates == ()


def test_labels_that_differ_only_in_capitals_are_named(tmp_path):
    def notes(words):
        rows = rows_of(shares(hands()), words * 4)
        (tmp_path / "a.csv").write_text(csv_text(rows, ["label", *header("{a}{k}")]))
        return preview(make_source("landmark-table", {"aspect": "16:9"}), tmp_path).notes

    alike = "labels that differ only in capitals or signs are different labels"
    assert f"{alike}: OK, ok" in notes(["ok", "OK", "fist"])
    assert f"{alike}: Thumbs_up, thumbs up" in notes(["Thumbs_up", "thumbs up", "fist"])
    for words in (["a", "A", "b"], ["1-2", "12", "3"]):
        assert not any(alike in note for note in notes(words))


def test_numbers_that_become_one_label_are_named(tmp_path):
    rows = rows_of(shares(hands()), ["1", "1.0", "01"] * 4)
    (tmp_path / "a.csv").write_text(csv_text(rows, ["label", *header("{a}{k}")]))
    shown = preview(make_source("landmark-table", {"aspect": "16:9"}), tmp_path)
    assert shown.labels == {"01": 4, "1": 8}
    assert "numbers read as one label: 1 = 1.0" in shown.notes


@pytest.mark.parametrize("label", ["two\nlines", "a\xa0b", "x" * 501])
def test_a_label_that_is_none_fails_its_row_only(tmp_path, label):
    rows = rows_of(shares(hands()), ["fist", f'"{label}"', "palm"] * 4)
    table = tmp_path / "a.csv"
    table.write_text(csv_text(rows, ["label", *header("{a}{k}")]))
    done = read(table, aspect="16:9")
    assert done.dataset.labels == ["fist", "palm"]
    assert [name for name, _ in done.failures] == [f"a.csv#{row}" for row in (2, 5, 8, 11)]
    assert all(why.startswith("its label ") for _, why in done.failures)


@pytest.mark.parametrize(("column", "value"), [("z3", 1e20), ("score", 1e20), ("person", "\ud800")])
def test_a_value_that_no_dataset_can_hold_fails_its_row_only(tmp_path, column, value):
    names = ["label", "score", "person", *header("{a}{k}")]
    rows = [[label, 0.5, "p1", *numbers] for label, *numbers in rows_of(shares(hands()), WORDS)]
    records = [dict(zip(names, row, strict=True)) for row in rows]
    records[2][column] = value
    table = tmp_path / "a.json"
    table.write_text(json.dumps(records))
    done = read(table, aspect="16:9")
    assert [name for name, _ in done.failures] == ["a.json#3"]
    assert done.dataset.n_samples == 11


def test_a_folder_of_tables_without_hands_is_refused_with_the_reason(tmp_path):
    np.save(tmp_path / "X.npy", shares(hands()).reshape(12, 63))
    np.save(tmp_path / "y.npy", np.zeros(10))
    with pytest.raises(HandloreError, match=r"X\.npy: .*10"):
        find_source(tmp_path)
