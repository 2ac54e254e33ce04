import csv
import re

import numpy as np
import pytest
from examples import examples
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import handlore
from handlore.datasets.conversion.batches import ConvertOptions
from handlore.datasets.conversion.convert import convert
from handlore.datasets.dataset import FRAME_ARRAYS, SAMPLE_COLUMNS, Header, LandmarkDataset, Samples
from handlore.datasets.sources import find_source, make_source
from handlore.datasets.tables.exporting import WRITERS
from handlore.landmarks.errors import HandloreError

ENDINGS = [ending for ending in WRITERS if ending != ".pose"]

texts = st.text(
    st.characters(exclude_categories=("C", "Z")) | st.sampled_from(" ,;\"'#"), max_size=12
)
labels = texts.filter(bool) | st.sampled_from(["0", "01", "1.0", "nan", "None", " a", "x;y", "-"])
numbers = st.floats(width=32, allow_nan=False, allow_infinity=False, min_value=-9, max_value=9)


@st.composite
def datasets(draw):
    """Draw a valid dataset with anything in it that a converter may put there."""
    kind = draw(st.sampled_from(["pose", "sequence"]))
    n_hands = draw(st.sampled_from([1, 2]))
    lengths = draw(st.lists(st.integers(1, 1 if kind == "pose" else 4), min_size=1, max_size=5))
    shape = (sum(lengths), n_hands)
    stage = draw(arrays(np.int8, shape, elements=st.integers(-1, 9)))
    missing = np.where(stage < 0, np.float32(np.nan), np.float32(0))[..., None, None]
    image = draw(arrays(np.float32, (*shape, 21, 3), elements=numbers, fill=numbers)) + missing
    world = draw(arrays(np.float32, (*shape, 21, 3), elements=numbers, fill=numbers)) + missing
    if draw(st.booleans()):
        image[..., 2] = np.nan
    if draw(st.booleans()):
        world[:] = np.nan
    shares = st.floats(0, 1, width=32) | st.just(np.nan)
    sides, scores = (
        draw(arrays(np.float32, shape, elements=shares)) + missing[..., 0, 0] for _ in range(2)
    )
    time = [np.sort(draw(arrays(np.float64, n, elements=st.floats(0, 1e6)))) for n in lengths]
    columns = {
        name: draw(st.lists(texts, min_size=len(lengths), max_size=len(lengths)))
        for name in ("group", "session", "recording", "split", "source", "sha256")
    }
    n_samples = len(lengths)
    views = st.lists(st.integers(0, 99), min_size=n_samples, max_size=n_samples)
    named = draw(st.lists(labels, min_size=n_samples, max_size=n_samples))
    unit = draw(st.sampled_from(["width", "metre"]))
    return LandmarkDataset(
        *(image, world, sides, scores, stage),
        np.concatenate(time),
        np.cumsum([0, *lengths]).astype(np.int64),
        Samples.make(named, view=draw(views), **columns),
        Header(kind=kind, image_unit=unit),
    )


def read_back(path, n_hands):
    assert find_source(path)[0] == "landmark-table"
    source = make_source("landmark-table", {})
    done = convert(source, path, None, ConvertOptions(max_hands=n_hands))
    assert done.failures == ()
    return done.dataset


def require_equal(read, written):
    for name in (*FRAME_ARRAYS, "offsets"):
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name), err_msg=name)
    for name in SAMPLE_COLUMNS:
        assert list(getattr(read.samples, name)) == list(getattr(written.samples, name)), name
    assert read.header.kind == written.header.kind
    assert read.header.image_unit == written.header.image_unit


@pytest.mark.parametrize("ending", ENDINGS)
@examples(40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(dataset=datasets())
def test_what_is_written_comes_back_unchanged(tmp_path, ending, dataset):
    if ending == ".parquet":
        pytest.importorskip("pyarrow", reason="needs the extra parquet")
    path = tmp_path / f"table{ending}"
    assert handlore.export_table(dataset, path) == dataset.n_frames
    require_equal(read_back(path, dataset.n_hands), dataset)


def test_the_columns_have_names_that_others_understand(make_dataset, tmp_path):
    import pandas

    handlore.export_table(make_dataset(["a", "b"], group=["p", "q"]), tmp_path / "a.csv")
    table = pandas.read_csv(tmp_path / "a.csv")
    assert list(table.label) == ["a", "b"]
    assert list(table.group) == ["p", "q"]
    assert {"x0", "y20", "z3", "world_x0", "time", "split", "handedness"} <= set(table.columns)
    handlore.export_table(make_dataset(["a"], n_hands=2), tmp_path / "b.npy")
    assert "hand2_x0" in np.load(tmp_path / "b.npy").dtype.names


def test_an_unknown_ending_is_refused(make_dataset, tmp_path):
    with pytest.raises(HandloreError, match=re.escape("expected .csv, .tsv")):
        handlore.export_table(make_dataset(["a"]), tmp_path / "a.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_a_pose_file_holds_one_clip(make_dataset, tmp_path):
    clip = make_dataset(["wave"], lengths=[5])
    assert handlore.export_table(clip, tmp_path / "a.pose") == 5
    data = (tmp_path / "a.pose").read_bytes()
    assert b"LEFT_HAND_LANDMARKS" in data
    assert len(data) > 5 * 42 * 4 * 4
    with pytest.raises(HandloreError, match="holds one clip, and the dataset has 2"):
        handlore.export_table(make_dataset(["a", "b"]), tmp_path / "b.pose")
    assert not (tmp_path / "b.pose").exists()


@pytest.mark.parametrize("n_hands", [1, 2])
def test_pose_files_in_folders_are_read_back(make_dataset, tmp_path, n_hands):
    found = [True, False, True]
    clips = [
        make_dataset([f"c{n}"], lengths=[9], n_hands=n_hands, detected=found, seed=n)
        for n in (1, 2)
    ]
    for clip in clips:
        (tmp_path / clip.labels[0]).mkdir()
        handlore.export_table(clip, tmp_path / clip.labels[0] / "a.pose")
    data = read_back(tmp_path, 2)
    assert list(data.samples.label) == ["c1", "c2"]
    assert data.time == pytest.approx(np.tile(np.arange(9) / 30, 2), abs=1e-6)
    for number, clip in enumerate(clips):
        read = data.image[9 * number : 9 * number + 9]
        for frame in np.flatnonzero(clip.detected.any(axis=1)):
            slots = [1] if n_hands == 2 or clip.handedness[frame, 0] >= 0.5 else [0]
            wanted = clip.image[frame, -1]
            assert read[frame, slots[0]] == pytest.approx(wanted, abs=1e-3)
        assert not data.detected[9 * number + 1].any()


def test_other_programs_read_the_pose_file(make_dataset, tmp_path):
    library = pytest.importorskip("pose_format", reason="needs the package pose-format")
    clip = make_dataset(["wave"], lengths=[5], detected=[True, False, True, True, True])
    handlore.export_table(clip, tmp_path / "a.pose")
    pose = library.Pose.read((tmp_path / "a.pose").read_bytes())
    assert pose.body.fps == pytest.approx(30)
    assert pose.body.data.shape == (5, 1, 42, 3)
    side = 21 * (clip.handedness[0, 0] >= 0.5)
    points = np.asarray(pose.body.data)[0, 0, side : side + 21]
    assert points == pytest.approx(clip.image[0, 0] * 1000, rel=1e-5)
    assert not pose.body.confidence[1].any()
    assert pose.header.components[0].points[8] == "INDEX_FINGER_TIP"


def as_a_spreadsheet_saves_it(path):
    """Write a table of commas again, with semicolons and decimal commas."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    number = re.compile(r"-?\d+\.\d+(e-?\d+)?")
    cells = [[c.replace(".", ",") if number.fullmatch(c) else c for c in row] for row in rows]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=";").writerows(cells)


def movements(n_frames=6):
    """Return two clips of two people, in the first frames of which no hand was found."""
    rng = np.random.default_rng(0)
    image = rng.uniform(0.1, 0.9, (n_frames, 1, 21, 3)).astype(np.float32)
    score = rng.uniform(0.6, 0.9, (n_frames, 1)).astype(np.float32)
    stage = np.array([[-1], [0], [0]] * (n_frames // 3), np.int8)
    for values in (image, score):
        values[stage[:, 0] < 0] = np.nan
    return LandmarkDataset(
        *(image, image - 0.5, score.copy(), score, stage),
        np.tile(np.arange(n_frames // 2) / 30, 2),
        np.array([0, n_frames // 2, n_frames]),
        Samples.make(["wave", "swipe"], group=["p1", "p2"]),
        Header(kind="sequence"),
    )


def test_decimal_commas_in_every_column(tmp_path):
    path, written = tmp_path / "moves.csv", movements()
    handlore.export_table(written, path)
    as_a_spreadsheet_saves_it(path)
    require_equal(read_back(path, 1), written)


@pytest.mark.parametrize("wrong", [("time", "-1", "time falls"), ("frame", "0", "frame 0 is in")])
def test_a_clip_whose_frames_contradict_each_other_fails_alone(tmp_path, wrong):
    column, value, why = wrong
    path, written = tmp_path / "moves.csv", movements()
    handlore.export_table(written, path)
    rows = [line.split(",") for line in path.read_text().splitlines()]
    rows[2][rows[0].index(column)] = value
    path.write_text("\n".join(map(",".join, rows)))
    done = convert(make_source("landmark-table", {}), path, None)
    assert [name for name, _ in done.failures] == ["moves.csv#1"]
    assert why in done.failures[0][1]
    assert done.dataset.labels == ["swipe"]


@pytest.mark.parametrize("column", ["time", "view", "handedness", "score", "stage", "world_x3"])
def test_a_word_among_numbers_is_named_with_its_row_and_column(tmp_path, column):
    path, written = tmp_path / "moves.csv", movements()
    handlore.export_table(written, path)
    rows = [line.split(",") for line in path.read_text().splitlines()]
    rows[3][rows[0].index(column)] = "soon"
    path.write_text("\n".join(map(",".join, rows)))
    done = convert(make_source("landmark-table", {}), path, None)
    assert done.failures == (("moves.csv#3", f"{column} is 'soon', expected a number"),)
    assert list(np.diff(done.dataset.offsets)) == [2, 3]
