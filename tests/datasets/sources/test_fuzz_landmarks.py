"""Damaged trees of the sources that bring landmarks: a clear error or a counted failure, always.

Every case damages a few files of a small valid tree. No other exception than HandloreError may
come out, and what is still converted must have the label it has in the valid tree.
"""

import io
import json
import pickle
import random
import re
import shutil

import numpy as np
import pytest
from hand_tables import csv_text, hands, header, rows_of, shares

from handlore.datasets.conversion.convert import convert
from handlore.datasets.dataset import Header, LandmarkDataset, Samples
from handlore.datasets.sources import _landmarks as imported
from handlore.datasets.sources import find_source, make_source
from handlore.datasets.sources import hagrid as hagrid_module
from handlore.datasets.tables.posefile import write_pose
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.hands import Hand

JUNK = (
    *(b"nan", b"inf", b"-inf", b"1e999", b"-1e308", b"NaN", b"Infinity", b"1_0", b"0x1F"),
    *(b"abc", b"", b" ", b"\xff", b"\0", b"9" * 30, b"9" * 5000, b"1 2", b"1,2", b'"', b"[", b"}"),
    *("²".encode(), "٣".encode(), b"None", b"true", b"1e400"),
)
NUMBER = re.compile(rb"-?[0-9]+(?:\.[0-9]+)?")
PLAIN = np.random.default_rng(0).uniform(0.1, 0.9, (21, 3))


def line(width, separator, seed=0):
    numbers = np.random.default_rng(seed).uniform(-1, 1, width)
    return separator.join(f"{number:.3f}" for number in numbers)


def array(size):
    stream = io.BytesIO()
    np.save(stream, np.resize(PLAIN, size))
    return stream.getvalue()


def text(lines):
    return ("\n".join(lines) + "\n").encode()


def shrec17():
    lists = {"train": ["1 1 7 2 1 1 6", "12 2 9 1 12 24 8"], "test": ["11 1 3 1 11 21 7"]}
    files = {f"{name}_gestures.txt": text(lines) for name, lines in lists.items()}
    for words in (listed.split() for lines in lists.values() for listed in lines):
        folder = "gesture_{}/finger_{}/subject_{}/essai_{}".format(*words)
        files[f"{folder}/skeletons_world.txt"] = text([line(66, " ")] * int(words[6]))
    return files


def sfinge3d():
    files = {f"Dictionary/{n}/1.txt": text([line(140, ";") + ";"] * 4) for n in (2, 13)}
    files |= {f"Sequences/{n}.txt": text([line(140, ",")] * 20) for n in (3, 4)}
    return files | {"Sequences/sequencesGT.csv": b"3,2,13,4,8,9,12,15\n4,2,1,3,9,2,11,16\n"}


def mp_holistic():
    names = {"a/0": 63, "a/1": 126, "b/0": 258, "b/1": 1662}
    return {f"MP_Data/{name}/{n}.npy": array(size) for name, size in names.items() for n in (0, 1)}


def keypoint_csv():
    rows = [f"{n},0,0,{line(39, ',', n)},1" for n in (0, 1, 2, 0)]
    return {
        "keypoint.csv": text(rows),
        "keypoint_classifier_label.csv": b"Open\nClose\nPointer\n",
        "point_history.csv": text(["0," + line(32, ",")]),
    }


def table_csv():
    marks = shares(hands(4))
    text_of = csv_text(rows_of(marks, ["a", "b", "a", "c"]), ["label", *header("{a}{k}")])
    return {"one/table.csv": text_of.encode(), "two/x.tsv": text_of.replace(",", "\t").encode()}


def table_json():
    records = [
        {"label": label, "landmarks": [hand.round(3).tolist()]}
        for label, hand in zip("abac", shares(hands(4)), strict=True)
    ]
    lines = "".join(json.dumps(record) + "\n" for record in records)
    return {"a.json": json.dumps(records).encode(), "b.jsonl": lines.encode()}


def table_arrays():
    def saved(values):
        stream = io.BytesIO()
        np.save(stream, values)
        return stream.getvalue()

    clips = shares(hands(8)).reshape(4, 2, 63)
    files = {f"{label}/{n}.npy": saved(clips[n]) for label in "ab" for n in (0, 1)}
    return files | {"a/X.npy": saved(clips), "a/y.npy": saved(np.array(["a"] * 4))}


def table_pickle():
    rows = shares(hands(6))[..., :2].reshape(6, 42)
    names = np.array(["a", "b"] * 3)
    plain = {"data": rows.tolist(), "labels": names.tolist()}
    arrays = {"data": rows, "labels": names}
    return {f"{n}.pickle": pickle.dumps(value, 2 * n) for n, value in ((1, plain), (2, arrays))}


def table_parquet():
    pyarrow = pytest.importorskip("pyarrow", reason="needs the extra parquet")
    from pyarrow import parquet

    numbers = shares(hands(6)).reshape(6, 63).T
    columns = dict(zip(header("{a}{k}"), numbers, strict=True)) | {"label": ["a", "b"] * 3}
    stream = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), stream)
    return {"a.parquet": stream.getvalue(), "b.parquet": stream.getvalue()}


def table_pose():
    files = {}
    for label in "ab":
        frames = [[Hand(one, one, 0.9)] for one in hands(5).astype(np.float32)]
        clip = LandmarkDataset.of_hands(
            frames, Samples.make([label]), time=np.arange(5) / 30, offsets=[0, 5],
            header=Header(kind="sequence"),
        )  # fmt: skip
        stream = io.BytesIO()
        write_pose(clip, stream)
        files |= {f"{label}/{n}.pose": stream.getvalue() for n in (0, 1)}
    return files


def hagrid():
    def entry(label):
        return {
            "bboxes": [[0.1, 0.2, 0.3, 0.4]], "labels": [label], "user_id": "abc",
            "hand_landmarks": [PLAIN[:, :2].round(3).tolist()], "leading_hand": "left",
        }  # fmt: skip

    files = {"train/call.json": {"p": entry("call"), "q": entry("no_gesture")},
             "test/rock.json": {"r": entry("rock")}}  # fmt: skip
    return {name: json.dumps(entries).encode() for name, entries in files.items()}


TABLES = {
    "csv": table_csv, "json": table_json, "arrays": table_arrays, "pickle": table_pickle,
    "parquet": table_parquet, "pose": table_pose,
}  # fmt: skip

TREES = {
    "shrec17": shrec17, "sfinge3d": sfinge3d, "mp-holistic": mp_holistic,
    "keypoint-csv": keypoint_csv, "hagrid": hagrid,
}  # fmt: skip


def cut(rng, data):
    return data[: rng.randrange(len(data) + 1)]


def swap_number(rng, data):
    """Put junk for a number that is not the first of its line: that would be another class."""
    found = [match for match in NUMBER.finditer(data) if data[: match.start()].rstrip(b"\n") and
             data[match.start() - 1 : match.start()] != b"\n"]  # fmt: skip
    if not found:
        return data
    match = rng.choice(found)
    return data[: match.start()] + rng.choice(JUNK) + data[match.end() :]


def drop_lines(rng, data):
    lines = data.split(b"\n")
    return b"\n".join(lines[: rng.randrange(len(lines) + 1)])


def flip_bits(rng, data):
    changed = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        if changed:
            changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


ANY = (
    lambda rng, data: b"",
    lambda rng, data: rng.randbytes(rng.choice((60, 4000))),
    lambda rng, data: data.decode("latin-1").encode("utf-16"),
    lambda rng, data: b"\xef\xbb\xbf\xff" + data,
    lambda rng, data: b"\0" * 200,
    lambda rng, data: b"[" * 3000,
    lambda rng, data: b"PK\x03\x04" + data,
)
TEXTS = (cut, swap_number, swap_number, swap_number, drop_lines)


def damages_of(name):
    if name.endswith((".npy", ".pickle", ".parquet", ".pose")):
        return (*ANY, cut, flip_bits, flip_bits)
    # Half a name in a list of labels is another label, and nobody can tell.
    return ANY if name.endswith("label.csv") else (*ANY, *TEXTS, *TEXTS)


def damage(rng, path, name):
    kind = rng.random()
    data = path.read_bytes()
    if kind < 0.05:
        path.unlink()
    elif kind < 0.1:
        path.unlink()
        path.mkdir()
    else:
        path.write_bytes(rng.choice(damages_of(name))(rng, data))


def write(root, files):
    for name, data in files.items():
        path = root / name
        if path.is_dir():
            path.rmdir()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def forget():
    # Files that change twice within one tick of the file system's clock look the same.
    imported._lines.cache_clear()
    hagrid_module._parsed.cache_clear()


def converted(source, root):
    forget()
    try:
        find_source(root)
    except HandloreError as error:
        require_line(str(error))
    try:
        return convert(source, root, None)
    except HandloreError as error:
        require_line(str(error))
        return None


def require_line(said):
    assert said
    assert "\n" not in said


def labels_of(done):
    samples = done.dataset.samples
    keys = zip(samples.source, samples.recording, strict=True)
    # The numbers of boxes move when one before them is lost; the picture's name does not.
    names = [recording or source if ".json" in source else source for source, recording in keys]
    return dict(zip(names, samples.label, strict=True))


def run_cases(name, root, n_cases, seed):
    return run_tree(TREES[name](), make_source(name, {}), root, n_cases, seed)


def run_tree(files, source, root, n_cases, seed):
    rng = random.Random(seed)
    write(root, files)
    truth = labels_of(converted(source, root))
    n_converted = 0
    for case in range(n_cases):
        hit = rng.sample(sorted(files), rng.choice((1, 1, 2)))
        for file in hit:
            damage(rng, root / file, file)
        done = converted(source, root)
        if done is not None:
            n_converted += 1
            check(done, truth, (source.name, seed, case, hit))
        write(root, {file: files[file] for file in hit})
    return n_converted


def is_binary(key):
    return any(ending in key for ending in (".npy", ".pickle", ".parquet", ".pose"))


def check(done, truth, case):
    for key, label in labels_of(done).items():
        if done.dataset.header.options["source"] == "landmark-table" and is_binary(key):
            # A bit of a text or of a shape makes other data, and nobody can tell.
            continue
        assert label == truth[key] or (".csv" in key and label.isdigit()), case
    data = done.dataset
    assert np.isfinite(data.image[data.detected][..., :2]).all(), case
    assert (np.abs(data.image[data.detected][..., :2]) <= 100).all(), case
    assert done.n_items == data.n_samples + len(done.failures), case


@pytest.mark.parametrize("name", TREES)
def test_damage_is_an_error_in_words_or_a_counted_failure(name, tmp_path):
    assert run_cases(name, tmp_path, 60, seed=1) > 6


def run_tables(name, root, n_cases, seed):
    source = make_source("landmark-table", {"aspect": "4:3"})
    return run_tree(TABLES[name](), source, root, n_cases, seed)


@pytest.mark.parametrize("name", TABLES)
def test_damaged_tables(name, tmp_path):
    assert run_tables(name, tmp_path, 50, seed=1) > 7


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 5))
@pytest.mark.parametrize("name", TABLES)
def test_more_damaged_tables(name, seed, tmp_path):
    assert run_tables(name, tmp_path, 1500, seed) > 150


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_recognised_and_others_find_nothing_in_them(name, tmp_path):
    write(tmp_path, TABLES[name]())
    assert find_source(tmp_path) == ("landmark-table", [])
    for other in TREES:
        assert not make_source(other, {}).fits(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 5))
@pytest.mark.parametrize("name", TREES)
def test_more_damage(name, seed, tmp_path):
    assert run_cases(name, tmp_path, 1500, seed) > 150


@pytest.mark.parametrize("name", TREES)
@pytest.mark.parametrize("other", TREES)
def test_a_source_is_recognised_and_others_find_nothing_in_it(name, other, tmp_path):
    write(tmp_path, TREES[name]())
    assert find_source(tmp_path) == (name, [])
    if other != name:
        assert not make_source(other, {}).fits(tmp_path)
        assert converted(make_source(other, {}), tmp_path) is None


@pytest.mark.parametrize("name", TREES)
def test_a_lone_file_of_rubbish_is_refused_in_words(name, tmp_path):
    rng = random.Random(0)
    for ending in (".csv", ".json", ".npy", ".txt"):
        for size in (0, 1, 100, 5000):
            path = tmp_path / f"train_gestures{ending}"
            path.write_bytes(rng.randbytes(size))
            assert converted(make_source(name, {}), path) is None
    shutil.rmtree(tmp_path)
