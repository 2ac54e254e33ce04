"""Whatever comes in: one clear line, the right exit code, nothing half-written."""

import json
import os
import pickle
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import Result
from recording_stubs import live_recording, movement

from handlore.capture.recording.run import SessionSummary
from handlore.cli._common import say_failures
from handlore.cli.capture import _print
from handlore.datasets.recordings import RecordingFolder
from handlore.datasets.storage import load_dataset, save_dataset
from handlore.landmarks.errors import shell_line

Run = Callable[..., Result]
Parsed = Callable[..., Any]
Refused = Callable[..., str]
Photos = Callable[..., Path]
COMMAND = [sys.executable, "-m", "handlore"]
FEW_TREES = ("--model", "forest", "--param", "n_estimators=10")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where output would go: a folder of its own, so that leftovers are seen."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def nothing_in(folder: Path) -> bool:
    return list(folder.iterdir()) == []


# Folders


def test_a_missing_folder(run: Run, refused: Refused, out: Path, tmp_path: Path) -> None:
    line = refused(run("convert", tmp_path / "nope", out / "x.npz"))
    assert line == f"handlore: there is no folder or file {tmp_path / 'nope'}"
    assert "there is no folder or file" in refused(run("demo", "--data", tmp_path / "nope"))
    assert nothing_in(out)


def test_an_empty_folder(run: Run, refused: Refused, out: Path, onnx: Path, tmp_path: Path) -> None:
    folder = tmp_path / "leer"
    (folder / "fist").mkdir(parents=True)
    line = refused(run("convert", folder, out / "x.npz"))
    assert f"{folder} has no layout that handlore knows (it holds no files)" in line
    assert "it holds no files" in refused(run("demo", "--data", folder, "--out", out / "demo"))
    assert "holds no pictures" in refused(run("predict", onnx, folder))


def test_a_file_instead_of_a_folder(run: Run, refused: Refused, out: Path, npz: Path) -> None:
    assert "is an .npz file" in refused(run("convert", npz, out / "x.npz"))
    assert nothing_in(out)


def test_pictures_without_a_label(run: Run, refused: Refused, out: Path, pictures: Path) -> None:
    line = refused(run("convert", pictures / "fist", out / "x.npz"))
    assert "6 files: .png" in line
    assert "<label>/*.jpg" in line


def test_a_folder_of_another_layout(run: Run, refused: Refused, out: Path, pictures: Path) -> None:
    to = out / "x.npz"
    assert "hgr1" in refused(run("convert", pictures, to, "--source", "hgr1"))
    assert "no class 'wall'" in refused(run("convert", pictures, to, "--none", "wall"))
    assert "not a regular expression" in refused(
        run("convert", pictures, to, "--name-pattern", "("), 2
    )
    assert "named groups" in refused(run("convert", pictures, to, "--name-pattern", "x"), 2)
    assert "has no option --name-pattern" in refused(
        run("convert", pictures, to, "--source", "hgr1", "--name-pattern", "x")
    )
    assert nothing_in(out)


# Pictures


def spoil(folder: Path) -> dict[str, str]:
    """Put files that cannot be read beside the good ones; return what is said of each."""
    png = next(folder.glob("*.png")).read_bytes()
    jpg = cv2.imencode(".jpg", cv2.imdecode(np.frombuffer(png, np.uint8), 1))[1].tobytes()
    contents = {
        "cut.jpg": (jpg[: len(jpg) // 2], "the JPEG is cut off"),
        "cut.png": (png[: len(png) // 2], "the picture is cut off"),
        "empty.jpg": (b"", "the file is empty"),
        "text.jpg": ("Grüße".encode(), "it is a text file"),
        "zeros.bmp": (bytes(500), "it is not a picture"),
    }
    for name, (data, _) in contents.items():
        (folder / name).write_bytes(data)
    return {f"{folder.name}/{name}": reason for name, (_, reason) in contents.items()}


def test_good_pictures_are_converted_beside_bad_ones(
    run: Run, parsed: Parsed, photos: Photos, out: Path, onnx: Path
) -> None:
    folder = photos(["fist", "point"])
    reasons = spoil(folder / "fist")
    (folder / "point" / "dangling.png").symlink_to(folder / "gone.png")
    reasons["point/dangling.png"] = "cannot be read: No such file"
    result = run("convert", folder, out / "x.npz", "--json")
    summary = parsed(result, 3)
    assert (summary["n_items"], summary["n_converted"], summary["n_failed"]) == (10, 4, 6)
    lines = [line for line in result.stderr.splitlines() if not line.startswith("note: ")]
    assert len(lines) == 6
    for file, reason in reasons.items():
        assert any(line.startswith(f"failed: {file}: {reason}") for line in lines), lines
    data = load_dataset(out / "x.npz")
    assert data.n_samples == data.has_hand.sum() == 4
    assert len(data.header.log) == 6
    rows = parsed(run("predict", onnx, folder, "--json"), 3)
    assert [row["label"] for row in rows] == ["fist"] * 2 + ["point"] * 2


def test_only_bad_pictures(
    run: Run, refused: Refused, photos: Photos, out: Path, onnx: Path
) -> None:
    folder = photos(["fist"], each=1)
    spoil(folder / "fist")
    next((folder / "fist").glob("fist_*")).unlink()
    line = refused(run("convert", folder, out / "x.npz", "--label", "fist"))
    assert "none of 5 files" in line
    assert nothing_in(out)
    result = run("predict", onnx, folder, "--json")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 5


def test_pictures_of_extreme_size(run: Run, parsed: Parsed, photos: Photos, out: Path) -> None:
    folder = photos(["fist"], each=1)
    for name, shape in {"dot": (1, 1), "wide": (50, 20000), "tall": (20000, 50)}.items():
        cv2.imwrite(str(folder / "fist" / f"{name}.png"), np.full((*shape, 3), 128, np.uint8))
    summary = parsed(run("convert", folder, out / "x.npz", "--label", "fist", "--json"))
    assert (summary["n_items"], summary["n_converted"], summary["n_no_hand"]) == (4, 1, 3)


def test_names_with_spaces_and_umlauts(run: Run, parsed: Parsed, photos: Photos, out: Path) -> None:
    folder = photos(["fist", "point"], each=2).rename(out / "Meine Fotos ä")
    (folder / "fist").rename(folder / "Faust ö & <b>")
    moved = folder / "Faust ö & <b>"
    next(moved.iterdir()).rename(moved / "Bild 1 (ß).png")
    (moved / "kaputt ü.jpg").touch()
    npz, model, report = out / "Daten ü.npz", out / "Modell ü.onnx", out / "Bericht ü"
    result = run("convert", folder, npz)
    assert result.exit_code == 3
    assert "failed: Faust ö & <b>/kaputt ü.jpg: the file is empty" in result.stderr
    assert run("train", npz, "--model", "linear", "--out", model).exit_code == 0
    scores = parsed(run("evaluate", model, npz, "--report", report, "--json"))
    assert scores["labels"] == ["Faust ö & <b>", "point"]
    rows = parsed(run("predict", model, moved / "Bild 1 (ß).png", "--json"))
    assert rows[0]["label"] == "Faust ö & <b>"


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux only")
@pytest.mark.parametrize("content", ["good", "broken"])
def test_names_that_are_not_utf8(
    content: str, run: Run, photos: Photos, out: Path, pictures: Path
) -> None:
    """Umlauts from an old disk or zip are often Latin-1 bytes."""
    folder = photos(["fist", "point"])
    data = (pictures / "fist/fist_p01_1.png").read_bytes() if content == "good" else b""
    Path(os.fsdecode(bytes(folder) + b"/fist/F\xe4uste.png")).write_bytes(data)
    npz, model = out / "x.npz", out / "m.onnx"
    assert run("convert", folder, npz).exit_code == (0 if content == "good" else 3)
    for args in (
        ("info", npz, "--json"),
        ("train", npz, "--out", model, "--model", "linear"),
        ("evaluate", model, npz, "--json"),
    ):
        result = run(*args)
        assert result.exit_code == 0, repr(result.exception)


# Few samples


def test_one_class(run: Run, refused: Refused, subset: Callable[..., Path], out: Path) -> None:
    few = subset({"fist": 6})
    for args in (("train", few, "--out", out / "m.onnx"), ("crossval", few)):
        assert "at least two labels; there is: fist" in refused(run(*args))
    assert nothing_in(out)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_few_photos_of_each_class(
    n: int, run: Run, refused: Refused, parsed: Parsed, subset: Callable[..., Path], out: Path
) -> None:
    few = subset({"fist": n, "point": n})
    trained = run("train", few, "--out", out / "m.onnx", *FEW_TREES)
    assert trained.exit_code == 0
    assert "fewer than 5 samples of fist, point" in trained.stderr
    result = run("crossval", few, "--json", "--no-streams", *FEW_TREES)
    if n == 1:
        refused(result)  # leaving one out leaves one class
    else:
        assert parsed(result)["n"] == 2 * n


def test_a_class_with_one_sample(
    run: Run, parsed: Parsed, subset: Callable[..., Path], out: Path
) -> None:
    few = subset({"fist": 6, "point": 6, "victory": 1})
    trained = run("train", few, "--out", out / "m.onnx", *FEW_TREES)
    assert trained.exit_code == 0
    assert trained.stderr.strip() == "note: fewer than 5 samples of victory; add some"
    scores = parsed(run("crossval", few, "--json", "--no-streams", *FEW_TREES))
    assert (scores["n"], scores["untested"]) == (12, {"victory": 1})
    assert "victory" not in scores["per_class"], "never seen when it is asked"


def test_impossible_folds(run: Run, refused: Refused, npz: Path) -> None:
    assert "9 folds cannot be made of 3 groups; expected 2 to 3" in refused(
        run("crossval", npz, "--folds", 9)
    )
    assert "split by group" in refused(run("crossval", npz, "--by", "session"))


# Options that a library would refuse in its own way


@pytest.mark.parametrize(
    "args",
    [
        ("--param", "n_centres=0"),
        ("--param", "gamma=-1"),
        ("--model", "forest", "--param", "n_estimators=0"),
        ("--param", "n_centres=1.5"),
        ("--model", "forest", "--param", "max_features=0"),
        ("--seed", "-1"),
        ("--model", "linear", "--param", "C=-1"),
        ("--model", "xgboost", "--param", "max_depth=-3"),
        ("--model", "forst"),
        ("--param", "trees=3"),
        ("--features", "worlds"),
        ("--features", ","),
    ],
    ids=" ".join,
)
def test_values_out_of_range(
    args: tuple[str, ...], run: Run, refused: Refused, npz: Path, out: Path
) -> None:
    result = run("train", npz, "--out", out / "m.onnx", *args)
    if result.exit_code != 2:  # wrong usage would be right as well
        refused(result)
    assert nothing_in(out)


# Output


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ("missing/x", "does not exist"),
        ("", "it is a folder"),
        ("file/x", "folder .*file does not exist|Not a directory"),
    ],
)
def test_unwritable_output(
    to: str, reason: str, run: Run, refused: Refused, npz: Path, pictures: Path, out: Path
) -> None:
    (out / "file").touch()
    for args in (
        ("convert", pictures, out / to, "--name-pattern", r"(?P<group>p\d+)"),
        ("train", npz, "--out", out / to),
    ):
        assert re.search(reason, refused(run(*args)))
    assert [path.name for path in out.iterdir()] == ["file"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_output_without_permission(
    run: Run, refused: Refused, npz: Path, out: Path, onnx: Path
) -> None:
    out.chmod(0o500)
    assert "not writable" in refused(run("train", npz, "--out", out / "m.onnx"))
    assert "cannot make" in refused(run("evaluate", onnx, npz, "--report", out / "report"))


def test_report_into_a_file(run: Run, npz: Path, onnx: Path, out: Path) -> None:
    (out / "file").touch()
    assert run("evaluate", onnx, npz, "--report", out / "file").exit_code == 2
    result = run(
        "crossval", npz, "--model", "linear", "--no-streams", "--report", out / "file" / "x"
    )
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("handlore: cannot make the folder")


@contextmanager
def largest_file(n_bytes: int) -> Iterator[None]:
    """Let no file grow beyond some size, as on a disk that fills up."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_fills_up(
    run: Run, refused: Refused, photos: Photos, npz: Path, onnx: Path, out: Path
) -> None:
    old = out / "m.onnx"
    shutil.copy(onnx, old)
    folder = photos(["fist", "point"], each=1)
    for args in (
        ["convert", folder, out / "x.npz", "--jobs", 1],
        ["train", npz, "--out", old, "--model", "linear"],
    ):
        with largest_file(1000):
            done = run(*args)
        written = args[2] if args[0] == "convert" else old
        line = refused(done)
        assert line.startswith(f"handlore: cannot write {written}")
        assert "too large" in line
    assert [path.name for path in out.iterdir()] == ["m.onnx"]
    assert old.read_bytes() == onnx.read_bytes()


def test_no_space_left(
    run: Run, refused: Refused, npz: Path, onnx: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert "No space left on device" in refused(run("train", npz, "--out", out / "m.onnx"))
    assert nothing_in(out)
    result = run("evaluate", onnx, npz, "--report", out)
    assert result.exit_code == 1
    assert "No space left" in result.stderr.splitlines()[-1]
    assert nothing_in(out)


@pytest.mark.slow
def test_ctrl_c_half_way(photos: Photos, out: Path) -> None:
    """A set that takes long is stopped after the detector has begun."""
    folder = photos(["fist", "point"], each=1)
    picture = next(folder.rglob("*.png"))
    for number in range(4000):
        os.link(picture, picture.with_name(f"{number}.png"))
    old = out / "x.npz"
    old.write_bytes(b"what was there before")
    process = subprocess.Popen(
        [*COMMAND, "convert", str(folder), str(old)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while process.poll() is None and not list(out.glob("x.npz.parts/0*.npz")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 130, stderr
    assert stdout == ""
    (line,) = (line for line in stderr.splitlines() if line and not line.startswith("note: "))
    assert "of 4,002 are kept in" in line
    assert {path.name for path in out.iterdir()} == {"x.npz", "x.npz.parts"}
    assert old.read_bytes() == b"what was there before"


def test_a_pipe_among_the_pictures_is_named_and_does_not_hang(
    photos: Photos, out: Path, run: Run
) -> None:
    folder = photos(["fist", "point"], each=1)
    os.mkfifo(folder / "fist" / "pipe.png")
    result = run("convert", folder, out / "x.npz")
    assert result.exit_code == 3
    assert "failed: fist/pipe.png: it is no regular file" in result.stderr


PRINTING = [
    pytest.param(("--help",), id="help"),
    pytest.param(("train", "--help"), id="help of a command", marks=pytest.mark.slow),
    pytest.param(("--version",), id="version", marks=pytest.mark.slow),
    pytest.param(("sources",), id="text", marks=pytest.mark.slow),
    pytest.param(("models", "show", "everyday"), id="table"),
    pytest.param(("models", "--json"), id="json", marks=pytest.mark.slow),
    pytest.param(("replay", "moves.onnx", "lessons.npz", "--json"), id="stream"),
    pytest.param(
        ("live", "everyday", "--camera", "frames", "--fast", "--headless", "--landmarks"), id="live"
    ),
]


@pytest.fixture
def there(tmp_path: Path, moves: Path, lessons: Path, pictures: Path) -> Path:
    """A folder with a model, a stream and frames."""
    shutil.copy(moves, tmp_path / "moves.onnx")
    shutil.copy(lessons, tmp_path / "lessons.npz")
    (tmp_path / "frames").mkdir()
    shutil.copy(pictures / "fist/fist_p01_1.png", tmp_path / "frames/1.png")
    return tmp_path


@pytest.mark.parametrize("buffered", [True, pytest.param(False, marks=pytest.mark.slow)])
@pytest.mark.parametrize("words", PRINTING)
def test_a_reader_that_goes_away(words: tuple[str, ...], buffered: bool, there: Path) -> None:
    """`handlore info x.npz | head -1` ends without a word, and is no problem."""
    reader, writer = os.pipe()
    os.close(reader)
    done = printed_to(writer, words, buffered, there)
    assert done.returncode == 0
    assert [line for line in done.stderr.splitlines() if not line.startswith("frames: ")] == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
@pytest.mark.parametrize("buffered", [True, pytest.param(False, marks=pytest.mark.slow)])
@pytest.mark.parametrize("words", PRINTING)
def test_stdout_on_a_full_disk(words: tuple[str, ...], buffered: bool, there: Path) -> None:
    done = printed_to(os.open("/dev/full", os.O_WRONLY), words, buffered, there)
    assert done.returncode == 1
    (line,) = (line for line in done.stderr.splitlines() if not line.startswith("frames: "))
    assert line.startswith("handlore: cannot write to standard output: No space left on device")


def printed_to(
    stdout: int, words: tuple[str, ...], buffered: bool, folder: Path
) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    environment |= {} if buffered else {"PYTHONUNBUFFERED": "1"}
    with os.fdopen(stdout, "wb") as stream:
        return subprocess.run(
            [*COMMAND, *words],
            stdout=stream,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=environment,
            cwd=folder,
        )


def test_nobody_reads_the_messages(npz: Path, out: Path) -> None:
    """The work is done all the same."""
    reader, writer = os.pipe()
    os.close(reader)
    (npz_copy := out / "a.npz").write_bytes(npz.read_bytes())
    words = ["export", npz_copy, out / "a.csv"]
    done = subprocess.run([*COMMAND, *map(str, words)], stderr=writer, check=False)
    os.close(writer)
    assert done.returncode == 0
    assert (out / "a.csv").is_file()


@pytest.mark.skipif(sys.platform == "win32", reason="signals are of POSIX")
@pytest.mark.parametrize("module", ["handlore.cli", "click", "handlore.cli.sources"])
def test_ctrl_c_while_the_program_starts(module: str) -> None:
    """The hook sends the signal where the program imports a module."""
    program = f"""
import os, runpy, signal, sys
class Hook:
    def find_spec(self, name, path, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Hook())
sys.argv = ["handlore", "sources"]
runpy.run_module("handlore", run_name="__main__")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 130
    assert done.stderr.count("\n") <= 2
    assert "Traceback" not in done.stderr


# Datasets and models

CONSUMERS = {
    "info": lambda npz, onnx, out: ("info", npz),
    "train": lambda npz, onnx, out: ("train", npz, "--out", out / "new.onnx"),
    "crossval": lambda npz, onnx, out: ("crossval", npz),
    "evaluate": lambda npz, onnx, out: ("evaluate", onnx, npz),
}


def renamed_pickle(path: Path, good: Path) -> None:
    path.write_bytes(pickle.dumps({"X": 1}))


def truncated(path: Path, good: Path) -> None:
    path.write_bytes(good.read_bytes()[:-500])


def empty(path: Path, good: Path) -> None:
    path.touch()


def text(path: Path, good: Path) -> None:
    path.write_text("label,x,y\n")


def folder(path: Path, good: Path) -> None:
    path.mkdir()


def missing(path: Path, good: Path) -> None:
    pass


def plain_npz(path: Path, good: Path) -> None:
    with path.open("wb") as stream:
        np.savez(stream, X=np.ones(3))


def pickled_npz(path: Path, good: Path) -> None:
    with path.open("wb") as stream:
        np.savez(stream, header=np.array([{"format": 1}], dtype=object))


def newer(path: Path, good: Path) -> None:
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "header.npy":
                header = np.load(old.open(name)).tobytes()
                values = json.dumps(json.loads(header) | {"format": 99, "writer": "handlore 9.9"})
                with new.open(name, "w") as stream:
                    np.save(stream, np.frombuffer(values.encode(), np.uint8))
            else:
                new.writestr(name, data)


@pytest.mark.parametrize("command", CONSUMERS)
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (renamed_pickle, "pickle"),
        (truncated, "truncated"),
        (empty, "empty"),
        (text, "expected an .npz file"),
        (folder, "folder|directory"),
        (missing, "there is no file"),
        (plain_npz, "not a landmark dataset"),
        (pickled_npz, "damaged|not a landmark dataset"),
        (newer, "format 99, written by handlore 9.9.*pip install -U handlore"),
    ],
)
def test_bad_datasets(
    command: str,
    make: Callable[[Path, Path], None],
    reason: str,
    run: Run,
    refused: Refused,
    npz: Path,
    onnx: Path,
    out: Path,
    tmp_path: Path,
) -> None:

    bad = tmp_path / "bad.npz"
    make(bad, npz)
    line = refused(run(*CONSUMERS[command](bad, onnx, out)))
    assert "bad.npz" in line
    assert re.search(reason, line), line
    assert nothing_in(out)


@pytest.mark.parametrize("command", ["info", "predict", "evaluate"])
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (renamed_pickle, "pickle, which handlore never loads"),
        (truncated, "truncated"),
        (empty, "empty"),
        (text, "not an ONNX model"),
        (folder, "folder|directory"),
        (missing, "there is no file"),
    ],
)
def test_bad_models(
    command: str,
    make: Callable[[Path, Path], None],
    reason: str,
    run: Run,
    refused: Refused,
    npz: Path,
    onnx: Path,
    pictures: Path,
    tmp_path: Path,
) -> None:

    bad = tmp_path / "bad.onnx"
    make(bad, onnx)
    args = {"info": [bad], "predict": [bad, pictures], "evaluate": [bad, npz]}[command]
    line = refused(run(command, *args))
    assert "bad.onnx" in line
    assert re.search(reason, line), line


def test_a_dataset_for_a_model_and_the_other_way_round(
    run: Run, refused: Refused, npz: Path, onnx: Path, pictures: Path, out: Path
) -> None:
    assert "looks like a dataset" in refused(run("predict", npz, pictures))
    assert "looks like a dataset" in refused(run("evaluate", npz, npz))
    assert "looks like a model" in refused(run("train", onnx, "--out", out / "m.onnx"))
    assert "looks like a model" in refused(run("evaluate", onnx, onnx))


def test_a_missing_picture(run: Run, refused: Refused, onnx: Path, tmp_path: Path) -> None:
    line = refused(run("predict", onnx, tmp_path / "no.jpg"))
    assert line == f"handlore: there is no file {tmp_path / 'no.jpg'}"


def test_a_misspelt_path(run: Run, refused: Refused, npz: Path, onnx: Path, tmp_path: Path) -> None:
    """Whatever is missing, what is like it in its folder is named."""
    for name in ("clip.avi", "media.toml", "scores.json", "photo.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "recordings").mkdir()
    photo, actions = tmp_path / "photo.jpg", tmp_path / "media.toml"
    for meant, *words in (
        (npz, "evaluate", onnx, npz.with_stem(f"{npz.stem}s")),
        (npz, "train", npz.with_stem(f"{npz.stem}s"), "--out", tmp_path / "m.onnx"),
        (onnx, "predict", onnx.with_suffix(".onx"), photo),
        (onnx, "info", onnx.with_stem(f"{onnx.stem}s")),
        (photo, "predict", onnx, tmp_path / "phto.jpg"),
        (tmp_path / "scores.json", "compare", tmp_path / "score.json", tmp_path / "score.json"),
        (tmp_path / "recordings", "convert", tmp_path / "recordngs", tmp_path / "o.npz"),
        (tmp_path / "recordings", "recordings", "list", tmp_path / "recordngs"),
        (actions, "live", onnx, "--actions", tmp_path / "medai.toml", "--headless"),
        (tmp_path / "clip.avi", "live", onnx, "--camera", tmp_path / "cilp.avi", "--headless"),
    ):
        assert f"did you mean {meant}?" in refused(run(*words)), words


def test_a_model_is_not_written_over_its_data(
    run: Run, refused: Refused, subset: Callable[..., Path]
) -> None:
    few = subset({"fist": 4, "point": 4})
    before = few.read_bytes()
    assert "is one of the datasets" in refused(run("train", few, "--out", few))
    assert few.read_bytes() == before


@pytest.mark.parametrize("param", ["learning_rate=nan", "learning_rate=inf", "n_estimators=1e30"])
def test_numbers_that_are_none_are_refused(
    param: str, run: Run, refused: Refused, subset: Callable[..., Path], out: Path
) -> None:
    few = subset({"fist": 4, "point": 4})
    args = ("train", few, "--model", "xgboost", "--param", param, "--out", out / "m.onnx")
    assert "out of range" in refused(run(*args), 2)


def test_a_report_that_cannot_be_written_is_refused_before_the_work(
    run: Run, refused: Refused, subset: Callable[..., Path]
) -> None:
    few = subset({"fist": 4, "point": 4})
    assert "cannot make the folder" in refused(run("crossval", few, "--report", "/proc/no"))


def test_evaluate_says_what_makes_scores_flatter(
    run: Run, subset: Callable[..., Path], out: Path
) -> None:
    few = subset({"fist": 4, "point": 4})
    run("train", few, "--out", out / "m.onnx")
    result = run("evaluate", out / "m.onnx", few)
    assert "note: the model was trained on exactly this data" in result.stderr


def test_an_output_that_is_no_dataset_is_not_written_over(
    run: Run, refused: Refused, pictures: Path, tmp_path: Path
) -> None:
    photo = tmp_path / "only_copy.jpg"
    photo.write_bytes(b"precious")
    assert "is no landmark dataset" in refused(run("convert", pictures, photo))
    assert photo.read_bytes() == b"precious"


def test_an_option_of_another_source_is_named(
    run: Run, refused: Refused, pictures: Path, out: Path
) -> None:
    line = refused(run("convert", pictures, out / "x.npz", "--letters", "kaggle"))
    assert "is images, which has no --letters" in line
    line = refused(run("convert", pictures, out / "x.npz", "--name-pattern", "(?P<group>zzz)"))
    assert "--name-pattern has to fit the path of each file, but fits none" in line
    assert "it is to find group: (?P<group>zzz)" in line
    assert next(pictures.rglob("*.png")).suffix in line, "a picture is named, not another file"


@pytest.mark.parametrize("name", ["photos.zip", "photos.jpg", "photos.h5", "wave.mp4"])
def test_names_of_other_things_are_no_dataset(
    name: str, run: Run, refused: Refused, pictures: Path, out: Path
) -> None:
    line = refused(run("convert", pictures, out / name))
    assert f"no name for one; give one such as {Path(name).stem}.npz" in line
    assert nothing_in(out)


@pytest.mark.parametrize(
    "option", [("--stages", 3), ("--detector", "litert"), ("--landmarker", "lite")]
)
def test_how_hands_are_found_is_no_question_where_landmarks_are_brought(
    run: Run, refused: Refused, tmp_path: Path, option: tuple[str, object]
) -> None:
    table = tmp_path / "keypoint.csv"
    table.write_text("0,0,0," + ",".join(f"{0.02 * k:.2f}" for k in range(11, 51)) + "\n")
    line = refused(run("convert", table, tmp_path / "x.npz", *option))
    assert f"{option[0]} is about finding hands, and keypoint-csv brings its own" in line


PIPED: dict[str, tuple[str, ...]] = {
    "info": ("info", "{pipe}"),
    "train": ("train", "{pipe}", "--out", "{out}/m.onnx"),
    "crossval": ("crossval", "{pipe}"),
    "evaluate": ("evaluate", "{onnx}", "{pipe}"),
    "evaluate a model": ("evaluate", "{pipe}", "{npz}"),
    "predict": ("predict", "{onnx}", "{pipe}"),
    "predict with": ("predict", "{pipe}", "{npz}"),
    "replay": ("replay", "{onnx}", "{pipe}"),
    "compare": ("compare", "{pipe}", "{pipe}"),
    "calibrate": ("calibrate", "{pipe}", "{npz}"),
    "convert": ("convert", "{pipe}", "{out}/x.npz"),
    "weights": ("weights", "fetch", "--from", "{pipe}"),
    "live": ("live", "{onnx}", "--camera", "{pipe}", "--headless"),
    "actions": ("live", "{onnx}", "--camera", "0", "--actions", "{pipe}", "--headless"),
    "token": ("live", "{onnx}", "--serve", "0", "--token-file", "{pipe}", "--headless"),
}


@contextmanager
def writer_at_last(pipe: Path, seconds: float = 60.0) -> Iterator[threading.Event]:
    """Open the pipe for writing after a while, so that who waits for it goes on; say if it was."""
    came = threading.Event()

    def write() -> None:
        came.set()
        os.close(os.open(pipe, os.O_RDWR))

    timer = threading.Timer(seconds, write)
    timer.start()
    try:
        yield came
    finally:
        timer.cancel()


@pytest.mark.parametrize("words", PIPED.values(), ids=PIPED)
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(
    words: tuple[str, ...], run: Run, npz: Path, onnx: Path, out: Path
) -> None:
    pipe = out / "pipe.npz"
    os.mkfifo(pipe)
    places = {"pipe": pipe, "npz": npz, "onnx": onnx, "out": out}
    with writer_at_last(pipe) as came:
        done = run(*(word.format_map(places) for word in words))
    assert not came.is_set()
    assert isinstance(done.exception, SystemExit), repr(done.exception)
    assert done.exit_code == 1
    assert str(pipe) in done.stderr


def test_a_name_with_a_line_break_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A file could pretend that handlore says something."""
    say_failures([("a\nhandlore: all is well.png", "it is damaged\x1b[2J")])
    assert capsys.readouterr().err == (
        "failed: a\\nhandlore: all is well.png: it is damaged\\x1b[2J\n"
    )


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--aspect", "4/3"),
        ("--units", "miles"),
        ("--frame-rate", "0"),
        ("--name-pattern", "(?P<foo>x)"),
    ],
)
def test_a_wrong_value_of_an_option_of_a_source(
    option: str, value: str, npz: Path, run: Run, refused: Refused, out: Path
) -> None:
    """Wrong usage, as that of every other option."""
    table = out / "a.csv"
    assert run("export", npz, table).exit_code == 0
    line = refused(run("convert", table, out / "b.npz", option, value), 2)
    assert line.startswith(f"Error: {option} ")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--model", "forrest"), "unknown estimator 'forrest'; did you mean forest?"),
        (("--model", "forest+rocket"), "forest+rocket mixes models of poses with"),
        (("--features", "wrold"), "unknown feature group 'wrold'; did you mean world?"),
        (("--param", "depht=3"), "has no parameter 'depht'"),
        (("--model", "forest", "--param", "n_estimators=many"), "expected a number such as"),
        (("--mirror-labels", "left=right"), "--mirror-labels is for movements"),
    ],
)
@pytest.mark.parametrize("command", ["crossval", "train"])
def test_a_name_or_a_parameter_that_does_not_exist(
    command: str, options: tuple[str, ...], said: str, npz: Path, run: Run, refused: Refused
) -> None:
    """Wrong usage, whichever part of handlore knows the names."""
    written = ("--out", npz.parent / "x.onnx") if command == "train" else ()
    assert said in refused(run(command, npz, *written, *options), 2)


@pytest.mark.parametrize("command", ["evaluate", "calibrate"])
def test_a_dataset_without_samples(
    command: str, npz: Path, onnx: Path, run: Run, refused: Refused, out: Path
) -> None:
    empty = out / "empty.npz"
    save_dataset(load_dataset(npz).select([]), empty)
    options = ("--dry-run",) if command == "calibrate" else ()
    assert "holds no samples" in refused(run(command, onnx, empty, *options))


def test_an_empty_name_of_an_estimator_is_not_the_default(
    npz: Path, run: Run, refused: Refused, out: Path
) -> None:
    """As where a variable of a script is not set."""
    assert "unknown estimator ''" in refused(run("crossval", npz, "--model", ""), 2)
    trained = run("train", npz, "--model", "", "--out", out / "x.onnx")
    assert "unknown estimator ''" in refused(trained, 2)


def test_a_layout_that_does_not_exist(
    pictures: Path, run: Run, refused: Refused, out: Path
) -> None:
    line = refused(run("convert", pictures, out / "x.npz", "--source", "image"), 2)
    assert "unknown source 'image'; did you mean images?" in line
    assert nothing_in(out)


@pytest.mark.parametrize("words", [("predict", "everyday", "a.jpg"), ("convert", "a", "b.npz")])
def test_one_of_two_hands_and_both(words: tuple[str, ...], run: Run) -> None:
    found = run(*words, "--hand", "left", "--max-hands", "2")
    assert found.exit_code == 2
    assert "--max-hands 2 asks for both" in " ".join(found.stderr.split())


@pytest.mark.parametrize("name", ["others.npz", "photo.jpg", "actions.toml", "notes"])
def test_a_model_replaces_nothing_but_a_model(
    name: str, run: Run, refused: Refused, subset: Callable[..., Path], out: Path
) -> None:
    few, other = subset({"fist": 4, "point": 4}), out / name
    other.write_bytes(few.read_bytes() if name == "others.npz" else b"of somebody")
    before = other.read_bytes()
    line = refused(run("train", few, "--out", other))
    assert "exists and is not a model" in line
    assert f"such as {other.with_suffix('.onnx').name}" in line
    assert other.read_bytes() == before


def test_names_of_models_and_datasets_are_not_exchanged(
    run: Run, refused: Refused, subset: Callable[..., Path], pictures: Path, out: Path
) -> None:
    few = subset({"fist": 4, "point": 4})
    for name in ("m.npz", "m.h5", "m.tflite", "m.md"):
        assert "no name for a model" in refused(run("train", few, "--out", out / name))
    line = refused(run("convert", pictures, out / "photos.onnx"))
    assert "`handlore train` makes a model of it" in line
    assert not list(out.iterdir())


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("recordings", "discard", "r", "all"), "'all' is not a whole number."),
        (("live", "--threshold", "half"), "'half' is not a number."),
        (("crossval", "d.npz", "--folds", "2.5"), "'2.5' is not a whole number."),
    ],
)
def test_a_word_for_a_number(args: tuple[str, ...], said: str, run: Run) -> None:
    done = run(*args)
    assert done.exit_code == 2
    assert said in done.stderr


def test_videos_among_pictures_are_named_where_the_labels_are_unclear(
    run: Run, refused: Refused, photos: Callable[..., Path], out: Path
) -> None:
    folder = photos(["fist"])
    (folder / "wave").mkdir()
    (folder / "wave/1.mp4").write_bytes(b"a video")
    line = refused(run("convert", folder, out / "x.npz"))
    assert "everything would get one label, fist" in line
    assert "1 other file, such as wave/1.mp4, would be left out: .mp4" in line


@pytest.mark.parametrize(
    ("args", "offered"),
    [
        (("info", "my photos"), ["handlore", "convert", "my photos", "OUT.npz"]),
        (("info", "my text.csv"), ["handlore", "convert", "my text.csv", "OUT.npz"]),
        (
            ("convert", "my photos", "my data.csv"),
            ["handlore", "export", "my data.npz", "my data.csv"],
        ),
        (
            ("info", "my model.onnx", "--contact-sheet", "a.png"),
            ["handlore", "models", "show", "my model.onnx", "--picture", "FILE.png"],
        ),
        (("recordings", "list", "a b"), ["capture", "--out", "a b"]),
        (("recordings", "list", "no files"), ["handlore", "capture", "--out", "no files"]),
        (
            ("train", "my unsorted", "--out", "m.onnx"),
            ["handlore", "recordings", "review", "my unsorted"],
        ),
        (
            ("train", "my gestures", "--model", "kernel", "--out", "m.onnx"),
            ["handlore", "replay", "MODEL", "my gestures"],
        ),
        (("predict", "my actions.toml", "a.jpg"), ["--actions", "my actions.toml"]),
        (("train", "a b", "--model", "a,b c", "--out", "m.onnx"), ["--model", "a,b c"]),
    ],
)
def test_a_command_that_is_offered_can_be_pasted(
    args: tuple[str, ...],
    offered: list[str],
    run: Run,
    onnx: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("my photos/fist", "no files"):
        Path(folder).mkdir(parents=True)
    for name in ("my photos/fist/a.jpg", "my text.csv", "my actions.toml"):
        Path(name).write_text("x")
    shutil.copy(onnx, "my model.onnx")
    RecordingFolder.open(Path("my gestures")).keep(live_recording("left"))
    RecordingFolder.open(Path("my unsorted")).keep(movement("unsorted", like="left"))
    said = run(*args)
    assert said.exit_code in (1, 2), said.output
    assert f" {shell_line(*offered)}" in said.stderr.replace("`", " ")


def test_the_next_command_of_capture_can_be_pasted(capsys: pytest.CaptureFixture[str]) -> None:
    counts = {"wave": 1, "stop": 2}
    _print(Path("my gestures"), SessionSummary("s1", {"wave": 1}, counts, 0, []), False)
    assert "next: handlore train 'my gestures' --out gestures.onnx\n" in capsys.readouterr().err


def test_capture_suggests_no_training_of_a_single_label(capsys: pytest.CaptureFixture[str]) -> None:
    counts = {"wave": 1, "stop": 0}
    _print(Path("gestures"), SessionSummary("s1", {"wave": 1}, counts, 0, []), False)
    assert "train" not in capsys.readouterr().err
