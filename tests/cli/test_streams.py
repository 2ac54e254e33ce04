"""What a command shows: foreign text has no effect, in every locale, whatever its streams are."""

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from command_lines import run_lines

import handlore.cli
from handlore.cli._common import percent

COMMAND = [sys.executable, "-m", "handlore"]
ESCAPE = "\x1b]0;owned\x07"


def start(*words: object, **more) -> subprocess.CompletedProcess[bytes]:
    command = [*COMMAND, *map(os.fsencode, map(str, words))]
    return subprocess.run(command, capture_output=True, check=False, **more)


def test_no_command_writes_past_the_one_function() -> None:
    """Text goes to a terminal by `say`, `talk` and tables only, which make it printable."""
    for path in Path(handlore.cli.__file__).parent.glob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
        names = {ast.unparse(one) for one in calls}
        allowed = path.name in ("_common.py", "__init__.py")
        assert allowed or not names & {"click.echo", "print", "sys.stdout.write"}, path.name


@pytest.fixture
def odd(tmp_path: Path, npz: Path) -> list[Path]:
    """Folders with names that terminals may obey, as far as this system has such names."""
    folders = []
    for name in (f"a{ESCAPE}b", "手\u202e", "n\udcff\udc1b"[:2]):
        with suppress(OSError):
            (tmp_path / name).mkdir()
            folders.append(tmp_path / name)
            shutil.copy(npz, tmp_path / name / "x.npz")
            (tmp_path / name / "y.npz").write_bytes(b"PK damaged")
    return folders


@pytest.mark.parametrize(
    "locale",
    [
        "C",
        *(
            pytest.param(x, marks=pytest.mark.slow)
            for x in ("POSIX", "C.UTF-8", "en_US.ISO-8859-1")
        ),
    ],
)
def test_names_of_files(odd: list[Path], locale: str) -> None:
    lines = [
        ("info", *files)
        for folder in odd
        for files in ([folder / "x.npz"], [folder / "y.npz"], [folder / "x.npz", folder])
    ]
    environment = os.environ | {"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    answers = run_lines(lines, env=environment)
    assert [one.returncode for one in answers] == [0, 1, 2] * len(odd)
    assert [one.stderr for one in answers[::3]] == [b""] * len(odd)
    assert all(one.stdout for one in answers[::3])
    for shown in (text for one in answers for text in (one.stdout, one.stderr)):
        assert b"\x1b" not in shown
        assert b"\x07" not in shown
        assert "\u202e".encode() not in shown
        assert b"Traceback" not in shown


def test_the_writer_of_a_newer_file(gestures: Path, tmp_path: Path) -> None:
    marker = {"format": 99, "writer": f"x{ESCAPE}"}
    (tmp_path / "recordings.json").write_text(json.dumps(marker))
    done = start("recordings", "list", tmp_path)
    assert done.returncode == 1
    assert b"\x1b" not in done.stderr
    assert b"\\x1b]0;owned" in done.stderr


ALL_CLOSED = "<&- >&- 2>&-"


@pytest.mark.parametrize(
    ("words", "closed"),
    [
        *((("sources",), one) for one in ("<&-", ">&-", "2>&-", ALL_CLOSED)),
        (("info", "{npz}"), ALL_CLOSED),
        (("predict", "{onnx}", "{pictures}"), ALL_CLOSED),
    ],
)
def test_closed_streams(words, closed: str, npz: Path, onnx: Path, pictures: Path) -> None:
    places = {"npz": npz, "onnx": onnx, "pictures": pictures / "fist/fist_p01_1.png"}
    line = " ".join([*COMMAND, *(word.format_map(places) for word in words)])
    done = subprocess.run(["sh", "-c", f"{line} {closed}"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.slow
def test_an_output_is_not_written_into_by_native_code(
    photos: Callable[..., Path], tmp_path: Path
) -> None:
    """With stdout closed, the first file that is opened would get its number."""
    command = [*COMMAND, "convert", photos(["fist", "point"], each=1), tmp_path / "x.npz"]
    line = " ".join(map(str, command))
    subprocess.run(["sh", "-c", f"{line} <&- >&- 2>&-"], check=True)
    assert start("info", tmp_path / "x.npz").returncode == 0


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("words", [("sources",), ("info", "{npz}", "--json"), ("info", "{npz}")])
def test_a_full_device(words, npz: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*COMMAND, *(word.format(npz=npz) for word in words)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "No space left on device" in line


@pytest.mark.parametrize(
    "words", [("train", "{npz}", "--model", "linear", "--out"), ("convert", "{pictures}")]
)
def test_links_that_lead_to_themselves(words, npz, pictures, tmp_path, run, refused) -> None:
    loop = tmp_path / "out.x"
    loop.symlink_to(loop)
    places = {"npz": npz, "pictures": pictures / "fist"}
    line = refused(run(*(word.format_map(places) for word in words), loop))
    assert "leads to itself" in line


def test_percentages_of_what_is_not_known() -> None:
    assert percent(float("nan")) == "-"
