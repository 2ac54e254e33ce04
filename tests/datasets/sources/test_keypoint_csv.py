import os

import numpy as np
import pytest

from handlore.datasets.conversion.convert import convert
from handlore.datasets.sources import find_source, make_source
from handlore.landmarks.errors import HandloreError, InvalidDataError


def row(label, seed=0):
    marks = np.random.default_rng(seed).uniform(-1, 1, 42)
    marks[:2], marks[7] = 0, 1
    return ",".join([str(label), *(f"{mark:.6f}" for mark in marks)])


@pytest.fixture
def table(tmp_path):
    """Return a maker of a table, with labels or without."""

    def make(*rows, labels=b"\xef\xbb\xbfOpen\nClose\nPointer\n", folder="model"):
        path = tmp_path / folder / "keypoint.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(rows) + "\n")
        if labels is not None:
            (path.parent / "keypoint_classifier_label.csv").write_bytes(labels)
        return path

    return make


def converted(root, **options):
    return convert(make_source("keypoint-csv", options), root, None)


def test_rows_become_poses_with_the_names_of_their_classes(table):
    path = table(row(0), row(2, 1), row(1, 2))
    for root in (path, path.parent, path.parents[1]):
        assert find_source(root) == ("keypoint-csv", [])
        data = converted(root).dataset
        assert list(data.samples.label) == ["Open", "Pointer", "Close"]
    assert list(data.samples.source) == [f"model/keypoint.csv#{n}" for n in (1, 2, 3)]
    assert len(set(data.samples.sha256)) == 3
    assert data.header.kind == "pose"


def test_mirrored_pictures_are_flipped_back_and_what_is_unknown_is_nan(table):
    text = row(0)
    marks = np.array(text.split(",")[1:], float).reshape(21, 2)
    path = table(text)
    data = converted(path).dataset
    assert data.image[0, 0, :, :2] == pytest.approx(marks * (-1, 1), abs=1e-6)
    assert np.isnan(data.image[..., 2]).all()
    assert np.isnan(data.world).all()
    assert np.isnan(data.handedness).all()
    straight = converted(path, not_mirrored=True).dataset
    assert straight.image[0, 0, :, :2] == pytest.approx(marks, abs=1e-6)


def test_a_header_is_tolerated(table):
    head = ",".join(["label", *(f"x{n}" for n in range(42))])
    path = table(head, row(1), row("0.0", 1))
    assert find_source(path)[0] == "keypoint-csv"
    done = converted(path)
    assert list(done.dataset.samples.label) == ["Close", "Open"]
    assert list(done.dataset.samples.source) == ["keypoint.csv#2", "keypoint.csv#3"]
    assert done.failures == ()


def test_classes_without_a_name_keep_their_number_and_the_log_says_so(table):
    data = converted(table(row(0), row(7, 1))).dataset
    assert list(data.samples.label) == ["Open", "7"]
    assert any("without a name" in line and line.endswith(": 7") for line in data.header.log)
    assert list(converted(table(row(3), labels=None)).dataset.samples.label) == ["3"]


def test_damaged_rows_are_counted_failures(table):
    bad = [
        *(row(0)[:-30], row("x"), row(-1), row("0.5"), row(0).replace("1.000000", "nan")),
        *(row(0).replace("1.000000", "640"), row(0) + ",0.5", row(0).replace("1.000000", "1_0")),
        "0",
    ]
    done = converted(table(row(1), *bad))
    assert list(done.dataset.samples.label) == ["Close"]
    assert [source for source, _ in done.failures] == [f"keypoint.csv#{n}" for n in range(2, 11)]


def test_labels_in_another_encoding_are_refused_not_guessed(table):
    path = table(row(0), labels="Größe\n".encode("latin-1"))
    with pytest.raises(InvalidDataError, match="not a text of labels in UTF-8"):
        converted(path)


def test_the_path_of_a_fingertip_is_no_hand(table):
    path = table(row(0))
    history = path.with_name("point_history.csv")
    history.write_text(",".join(["0"] * 33) + "\n")
    done = converted(path.parent)
    assert (done.n_items, done.left_out) == (1, ("point_history.csv",))
    assert find_source(history) == ("keypoint-csv", [])
    with pytest.raises(HandloreError, match="path of one fingertip, which is no hand"):
        converted(history)


def test_equal_rows_of_two_classes_are_recognised(table):
    digests = converted(table(row(0), row(1))).dataset.samples.sha256
    assert digests[0] == digests[1]


def test_other_tables_are_not_taken_for_it(table, real_data):
    with pytest.raises(HandloreError, match="no table of hand landmarks"):
        find_source(table("label,pixel1", "1,2"))
    source = make_source("keypoint-csv", {})
    made_up = {"as_found", "hostile"}  # inputs as people have them, such tables among them
    sets = [p for p in real_data.iterdir() if p.is_dir() and p.name not in made_up]
    taken = [p.name for p in sets if source.fits(p)]
    assert taken == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_named_like_the_table_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "keypoint.csv")
    with pytest.raises(HandloreError):
        find_source(tmp_path)
