"""``handlore capture --review``: without a display a list, and edits by number."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from recording_stubs import filled, held

from handlore.cli import _review
from handlore.datasets.recordings import RecordingFolder

Run = Callable[..., Result]
Parsed = Callable[..., Any]
Refused = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path) -> RecordingFolder:
    made = filled(tmp_path / "gestures", 1, ("left", "right"))
    made.discard(made.keep(held("fist")))
    return made


@pytest.fixture(autouse=True)
def no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)


def names(folder: RecordingFolder) -> set[str]:
    return {folder.name_of(one.path) for discarded in (False, True)
            for one in folder.entries(discarded=discarded)}  # fmt: skip


def test_without_a_window_it_is_a_list(folder: RecordingFolder, run: Run) -> None:
    done = run("capture", "--review", folder.root, "--headless")
    assert done.exit_code == 0, done.output
    assert done.stderr == ""
    rows = [line.split() for line in done.stdout.splitlines()[2:]]
    assert [row[:3] for row in rows] == [
        ["1", "left", "movement"], ["2", "right", "movement"], ["3", "fist", "pose"],
    ]  # fmt: skip
    assert rows[2][-1] == "discarded"


def test_where_there_is_no_display_it_says_why(folder: RecordingFolder, run: Run) -> None:
    done = run("capture", "--review", folder.root)
    assert done.exit_code == 0
    assert "no window, so this is a list" in done.stderr
    assert "left" in done.stdout


def test_for_scripts(folder: RecordingFolder, run: Run, parsed: Parsed) -> None:
    rows = parsed(run("capture", "--review", folder.root, "--json"))
    assert [(row["number"], row["label"], row["discarded"]) for row in rows] == [
        (1, "left", False), (2, "right", False), (3, "fist", True),
    ]  # fmt: skip
    assert Path(rows[0]["path"]).is_file()


def test_edits_by_number(folder: RecordingFolder, run: Run) -> None:
    edits = ("--relabel", "2=up", "--discard", "1", "--restore", "3")
    done = run("capture", "--review", folder.root, *edits)
    assert done.exit_code == 0, done.output
    assert names(folder) == {"discarded/left/0001.npz", "up/0002.npz", "fist/0003.npz"}
    assert done.stderr.splitlines() == [
        "recording 2: right is now up", "recording 1 (left) is discarded",
        "recording 3 (fist) is back",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("edits", "said"),
    [
        (("--discard", "9"), "has no kept recording 9"),
        (("--discard", "1", "--discard", "3"), "has no kept recording 3"),
        (("--restore", "1"), "has no discarded recording 1"),
        (("--discard", "1", "--relabel", "2=a/b"), "holds a slash"),
        (("--discard", "1", "--relabel", "up"), "expected NUMBER=LABEL such as 7=swipe_left"),
        (("--relabel", "2="), "expected NUMBER=LABEL"),
    ],
)
def test_an_edit_that_cannot_be_made_changes_nothing(
    folder: RecordingFolder, run: Run, refused: Refused, edits: tuple[str, ...], said: str
) -> None:
    before = names(folder)
    assert said in refused(run("capture", "--review", folder.root, *edits))
    assert names(folder) == before


def test_a_damaged_file_is_named(folder: RecordingFolder, run: Run) -> None:
    (folder.root / "left" / "0009.npz").write_bytes(b"")
    done = run("capture", "--review", folder.root, "--headless")
    assert done.exit_code == 3
    assert "left/0009.npz: is not a landmark dataset: it is empty" in done.stderr


def test_a_folder_of_something_else_is_refused(run: Run, tmp_path: Path, refused: Refused) -> None:
    line = refused(run("capture", "--review", tmp_path))
    assert "is no folder of recordings" in line
    assert "does not exist" in refused(run("capture", "--review", tmp_path / "gone"))


def test_edits_need_a_folder_and_a_session_needs_one_too(run: Run, refused: Refused) -> None:
    line = refused(run("capture", "--out", "x", "--discard", "1"))
    assert "--discard, --restore and --relabel need a folder: --review DIR" in line
    done = run("capture", "--labels", "left")
    assert done.exit_code == 2
    assert "Missing option '--out'" in done.stderr


def test_a_damaged_file_is_told_after_the_window_too(
    folder: RecordingFolder, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_review, "_window_opens", lambda: True)
    monkeypatch.setattr(_review, "_step_through", lambda _: None)
    (folder.root / "left" / "0009.npz").write_bytes(b"torn")
    done = run("capture", "--review", folder.root)
    assert done.exit_code == 3
    assert "failed: left/0009.npz" in done.stderr


def test_none_is_written_one_way(folder: RecordingFolder, run: Run) -> None:
    done = run("capture", "--review", folder.root, "--relabel", "1=None")
    assert done.exit_code == 0
    assert "recording 1: left is now none" in done.stderr
