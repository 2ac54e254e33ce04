import hashlib

import numpy as np
import pytest

from handlore.datasets.sources import _pixel_table, find_source, make_source
from handlore.landmarks.errors import HandloreError, InvalidDataError


def row(label, size=8, seed=0, more=1):
    values = np.random.default_rng(seed).integers(0, 256, size * size * more)
    return f"{label}," + ",".join(map(str, values))


def table(path, labels, size=8, *, header="label", more=1, end="\n", encoding="utf-8"):
    lines = [row(label, size, n, more) for n, label in enumerate(labels)]
    if header:
        lines.insert(0, f"{header}," + ",".join(f"pixel{n + 1}" for n in range(size * size * more)))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((end.join(lines) + end).encode(encoding))
    return path


def items(path, **options):
    return make_source("pixels-csv", options).scan(path).items


def labels(path, **options):
    return [item.label for item in items(path, **options)]


def pixels(item):
    return next(make_source("pixels-csv", {}).read(item).frames)[1]


@pytest.mark.parametrize("header", ["label", "class", "LABEL", '"label"', ""])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_with_and_without_a_header(tmp_path, header, end, encoding):
    path = table(tmp_path / "a.csv", "AB", header=header, end=end, encoding=encoding)
    assert find_source(path) == ("pixels-csv", [])
    one, two = items(path)
    assert (one.source, one.label, two.source, two.label) == ("a.csv#1", "A", "a.csv#2", "B")
    assert pixels(two).shape == (8, 8, 3)
    assert pixels(two)[..., 1].ravel().tolist() == [int(n) for n in row("B", seed=1).split(",")[1:]]


def test_the_digest_is_that_of_the_row(tmp_path):
    path = table(tmp_path / "a.csv", "AB", end="\r\n")
    digest = make_source("pixels-csv", {}).read(items(path)[1]).sha256
    assert digest == hashlib.sha256(row("B", seed=1).encode()).hexdigest()


def test_the_label_may_stand_at_the_end_and_an_index_in_front(tmp_path):
    names = ",".join(["", *(f"p{n}" for n in range(64)), "class"])
    values = ",".join(str(n) for n in range(64))
    (tmp_path / "a.csv").write_text(f"{names}\n0,{values},fist\n1,{values},palm\n")
    assert labels(tmp_path) == ["fist", "palm"]
    assert pixels(items(tmp_path)[1])[0, :3, 0].tolist() == [0, 1, 2]


def test_rgb_and_pictures_that_are_not_square(tmp_path):
    assert pixels(items(table(tmp_path / "rgb.csv", "A", more=3))[0]).shape == (8, 8, 3)
    names = ",".join(f"{y}x{x}" for y in range(1, 17) for x in range(1, 5))
    (tmp_path / "grid.csv").write_text(f"label,{names}\n{row('A')}\n")
    assert pixels(items(tmp_path / "grid.csv")[0]).shape == (16, 4, 3)


KAGGLE = [n for n in range(25) if n != 9]


@pytest.mark.parametrize(
    ("values", "expected", "note"),
    [
        (KAGGLE, "ABCDEFGHIKLMNOPQRSTUVWXY", "Kaggle's numbering"),
        (range(24), "ABCDEFGHIKLMNOPQRSTUVWXY", "letters without J"),
        (range(26), "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "places in the alphabet"),
        ([0, 8, 10], "AIK", "does not determine the numbering: read as places"),
        ([0, 9, 10], "AKL", "does not determine the numbering: read as letters without J"),
        (range(10), "0123456789", "digits"),
        ([3, 30], ["3", "30"], "numbers stay"),
        (["fist", "palm", "3"], ["fist", "palm", "3"], "text"),
        (["0.0", "24.0"], "AY", "Kaggle"),
    ],
)
def test_numbers_become_letters_by_the_values_in_the_file(tmp_path, values, expected, note):
    path = table(tmp_path / "a.csv", values)
    assert labels(path) == list(expected)
    assert note in make_source("pixels-csv", {}).scan(path).notes[0]


def test_the_numbering_may_be_said(tmp_path):
    path = table(tmp_path / "a.csv", [0, 9, 10])
    assert labels(path, letters="kaggle") == ["A", "J", "K"]
    assert labels(path, letters="dense") == ["A", "K", "L"]
    assert labels(path, letters="none") == ["0", "9", "10"]
    with pytest.raises(HandloreError, match="expected one of: auto, kaggle, dense, none"):
        items(path, letters="greek")


def test_each_file_is_decided_by_itself_and_names_its_split(tmp_path):
    table(tmp_path / "my_train.csv", range(24))
    table(tmp_path / "test" / "b.csv", KAGGLE)
    found = {item.source: (item.label, item.split) for item in items(tmp_path)}
    assert found["my_train.csv#10"] == ("K", "train")
    assert found["test/b.csv#10"] == ("K", "test")
    assert found["test/b.csv#24"] == ("Y", "test")


def test_damaged_rows_fail_and_the_others_keep_their_numbers(tmp_path):
    good = [row(n, seed=n) for n in KAGGLE]
    bad = [good[0][:40], good[1] + ",7", good[2].replace(",", ",-", 1), "," + good[3],
           row("x"), row(""), good[4].rsplit(",", 1)[0] + ",256"]  # fmt: skip
    (tmp_path / "a.csv").write_text("\n".join([good[5], *bad, "", *good]))
    source, outcome = make_source("pixels-csv", {}), {}
    for item in source.scan(tmp_path).items:
        try:
            source.read(item)
        except InvalidDataError as error:
            outcome[item.source] = str(error)
        else:
            assert item.label in "ABCDEFGHIKLMNOPQRSTUVWXY"
    assert list(outcome) == [f"a.csv#{n}" for n in range(2, 9)]
    assert "columns, expected 65" in outcome["a.csv#2"]
    assert "label 'x' is not a whole number" in outcome["a.csv#6"]
    assert "0 to 255" in outcome["a.csv#8"]
    assert source.scan(tmp_path).items[8].label == "A", "after the damaged rows and an empty line"


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "the file is empty"),
        ("label,1,2\n".encode("utf-16"), "not plain text in UTF-8"),
        (b"a,b,c\n1,2,3\n", "2 columns beside the label"),
        (b"label," + b",".join(b"p%d" % n for n in range(64)) + b"\n", "no rows"),
        (b"x," + b",".join([b"0.5"] * 64) + b"\n", "whole numbers from 0 to 255"),
    ],
)
def test_other_csv_files_say_why(tmp_path, data, match):
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    assert not make_source("pixels-csv", {}).fits(tmp_path)
    with pytest.raises(HandloreError, match=match):
        items(path)
    table(tmp_path / "good.csv", "AB")
    assert len(items(tmp_path)) == 2
    assert make_source("pixels-csv", {}).scan(tmp_path).left_out == ["a.csv"]


def test_a_row_is_read_without_the_rows_before_it(tmp_path, monkeypatch):
    found = items(table(tmp_path / "a.csv", ["A"] * 500))
    asked = []
    real = _pixel_table._picture
    monkeypatch.setattr(_pixel_table, "_picture", lambda *a: asked.append(1) or real(*a))
    monkeypatch.setattr(_pixel_table, "_lines", None)
    assert pixels(found[499]).shape == (8, 8, 3)
    assert len(asked) == 1


def test_a_file_that_changed_is_read_anew(tmp_path):
    path = table(tmp_path / "a.csv", "AB")
    last = items(path)[1]
    table(path, "C")
    assert labels(path) == ["C"]
    with pytest.raises(InvalidDataError, match="changed"):
        make_source("pixels-csv", {}).read(last)


def test_real_files_of_three_kinds(real_data):
    root = real_data / "sign_mnist_mini"
    assert find_source(root) == ("pixels-csv", [])
    found = items(root)
    assert len(found) >= 568
    by_file = {}
    for item in found:
        by_file.setdefault(item.source.partition("#")[0], []).append(item)
    assert {len(rows) for rows in by_file.values()} >= {120, 188, 130}
    letters = set("ABCDEFGHIKLMNOPQRSTUVWXY")
    assert {item.label for item in by_file["ahmed_train.csv"]} == letters
    assert {item.label for item in by_file["ritikaroy72_train_noheader.csv"]} == letters
    assert {item.label for item in by_file["sign_mnist_13bal_test.csv"]} == set("ABCDEFGHIK")
    assert {item.split for item in by_file["sign_mnist_13bal_test.csv"]} == {"test"}
    assert all(pixels(item).shape == (28, 28, 3) for item in found)
