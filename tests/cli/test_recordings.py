"""``handlore recordings``: lists, reviews and edits by number."""

import json
import re
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from recording_stubs import filled, held

from handlore.capture.keys import ScriptedKeys
from handlore.cli import recordings
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
    entries = (*folder.entries(), *folder.entries(discarded=True))
    return {folder.name_of(one.path) for one in entries}


def test_list(folder: RecordingFolder, run: Run) -> None:
    done = run("recordings", "list", folder.root)
    assert done.exit_code == 0, done.output
    assert done.stderr == ""
    rows = [line.split() for line in done.stdout.splitlines()[2:]]
    assert [row[:3] for row in rows] == [
        ["1", "left", "movement"],
        ["2", "right", "movement"],
        ["3", "fist", "pose"],
    ]
    assert rows[2][-1] == "discarded"


def test_list_as_json(folder: RecordingFolder, run: Run, parsed: Parsed) -> None:
    rows = parsed(run("recordings", "list", folder.root, "--json"))
    assert [(row["number"], row["label"], row["discarded"]) for row in rows] == [
        (1, "left", False),
        (2, "right", False),
        (3, "fist", True),
    ]
    assert Path(rows[0]["path"]).is_file()


def test_review_without_a_display(folder: RecordingFolder, run: Run, refused: Refused) -> None:
    line = refused(run("recordings", "review", folder.root))
    assert "a review needs a window or a terminal: " in line
    assert "`handlore recordings list`" in line


def test_review_in_a_terminal(
    folder: RecordingFolder, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = nullcontext(ScriptedKeys("u", "n", "+", *"up", "enter", "q"))
    monkeypatch.setattr(recordings, "has_terminal", lambda: True)
    monkeypatch.setattr(recordings, "terminal_keys", lambda: keys)
    done = run("recordings", "review", folder.root)
    assert done.exit_code == 0, done.output
    first, *_, last = done.stderr.splitlines()
    assert first.startswith("no window, the review is in this terminal: there is no display")
    assert last.endswith("3 recordings, 2 changed")
    assert names(folder) == {"discarded/left/0001.npz", "up/0002.npz", "discarded/fist/0003.npz"}


def test_edits(folder: RecordingFolder, run: Run) -> None:
    for words, said in (
        (("relabel", folder.root, 2, "up"), "recording 2 (right): now up"),
        (("discard", folder.root, 1), "recording 1 (left): discarded"),
        (("restore", folder.root, 3, 1), "recording 3 (fist): restored"),
        (("discard", folder.root, 1), "recording 1 (left): discarded"),
    ):
        done = run("recordings", *words)
        assert done.exit_code == 0, done.output
        assert said in done.stderr.splitlines()
    assert names(folder) == {"discarded/left/0001.npz", "up/0002.npz", "fist/0003.npz"}


def test_edits_as_json(folder: RecordingFolder, run: Run) -> None:
    done = run("recordings", "discard", folder.root, 1, 2, "--json")
    rows = json.loads(done.stdout)
    assert [(row["number"], row["discarded"]) for row in rows] == [(1, True), (2, True)]


@pytest.mark.parametrize(
    ("command", "words", "said"),
    [
        ("discard", ("9",), "has no kept recording 9"),
        ("discard", ("1", "3"), "has no kept recording 3"),
        ("restore", ("1",), "has no discarded recording 1"),
        ("relabel", ("2", "a/b"), "contains a slash"),
        ("relabel", ("2", ""), "the label is empty"),
        ("relabel", ("3", "up"), "has no kept recording 3"),
    ],
)
def test_an_impossible_edit_changes_nothing(
    folder: RecordingFolder,
    run: Run,
    refused: Refused,
    command: str,
    words: tuple[str, ...],
    said: str,
) -> None:
    before = names(folder)
    assert said in refused(run("recordings", command, folder.root, *words))
    assert names(folder) == before


def test_damaged_file(folder: RecordingFolder, run: Run) -> None:
    """It has no source that could be converted again."""
    whole = (folder.root / "left" / "0001.npz").read_bytes()
    for damage in (b"", bytes(1000), whole[:500]):
        (folder.root / "left" / "0009.npz").write_bytes(damage)
        done = run("recordings", "list", folder.root)
        assert done.exit_code == 3
        assert re.search(r"left/0009.npz: is .*damaged.*; record it again, or delete", done.stderr)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"text"])
def test_damaged_file_is_discarded_and_restored(
    content: bytes, folder: RecordingFolder, run: Run, parsed: Parsed, refused: Refused
) -> None:
    damaged = folder.root / "left" / "0009.npz"
    damaged.write_bytes(content)
    line = refused(run("recordings", "relabel", folder.root, 9, "up"))
    assert re.search(r"left/0009.npz: is .*damaged", line)
    done = run("recordings", "discard", folder.root, 9, 1, "--json")
    assert [row["number"] for row in parsed(done)] == [1]
    assert "recording 9 (damaged): discarded" in done.stderr
    assert not damaged.exists()
    assert run("recordings", "list", folder.root).stderr == ""
    assert run("recordings", "restore", folder.root, 9).exit_code == 0
    assert damaged.read_bytes() == content


def test_a_readable_recording_of_the_same_number_counts(folder: RecordingFolder, run: Run) -> None:
    (folder.root / "wave").mkdir()
    (folder.root / "wave" / "0001.npz").touch()
    assert "recording 1 (left): discarded" in run("recordings", "discard", folder.root, 1).stderr


@pytest.fixture
def copied(folder: RecordingFolder) -> RecordingFolder:
    """A folder in which the label `left` was copied by a file manager."""
    shutil.copytree(folder.root / "left", folder.root / "left (Kopie)")
    return folder


@pytest.mark.parametrize("words", [("discard", 2, 1), ("relabel", 1, "up")])
def test_a_number_of_two_files_is_refused(
    words: tuple[str, ...], copied: RecordingFolder, run: Run, refused: Refused
) -> None:
    before = names(copied)
    line = refused(run("recordings", words[0], copied.root, *words[1:]))
    assert "2 kept recordings 1: left/0001.npz and left (Kopie)/0001.npz; give the path" in line
    assert names(copied) == before


def test_a_path_in_place_of_the_number(copied: RecordingFolder, run: Run, refused: Refused) -> None:
    whole = copied.root / "left" / "0001.npz"
    for words, said in (
        (("discard", "left (Kopie)/0001.npz"), "recording 1 (left): discarded"),
        (("restore", "discarded/left (Kopie)/0001.npz"), "recording 1 (left): restored"),
        (("relabel", whole, "up"), "recording 1 (left): now up"),
    ):
        done = run("recordings", words[0], copied.root, *words[1:], "--json")
        assert (done.exit_code, said in done.stderr) == (0, True), done.output
        assert len(json.loads(done.stdout)) == 1
    assert {"up/0001.npz", "left (Kopie)/0001.npz"} < names(copied)
    assert "has no kept recording" in refused(run("recordings", "discard", copied.root, whole))
    assert run("recordings", "discard", copied.root, 0).exit_code == 2


def test_the_list_shows_numbers_of_two_files(copied: RecordingFolder, run: Run) -> None:
    done = run("recordings", "list", copied.root)
    assert "note: 2 recordings have the number of another" in done.stderr
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    assert lines[2].endswith(" left/0001.npz")
    assert lines[3].endswith(" left (Kopie)/0001.npz")


def test_a_renamed_folder(folder: RecordingFolder, run: Run, parsed: Parsed) -> None:
    (folder.root / "left").rename(folder.root / "wave")
    for command in (("recordings", "list"), ("info",)):
        done = run(*command, folder.root, "--json")
        assert 'note: 1 recording in "wave" is labelled left: ' in done.stderr
        assert parsed(done)


def test_damaged_files_are_named_if_nothing_else_is_there(run: Run, tmp_path: Path) -> None:
    folder = RecordingFolder.open(tmp_path / "gestures")
    folder.keep(held("fist")).write_bytes(b"torn")
    for words in (
        ("train", folder.root, "--out", tmp_path / "m.onnx"),
        ("predict", "everyday", folder.root),
    ):
        done = run(*words)
        assert done.exit_code == 1
        failed, error = done.stderr.splitlines()
        assert failed.startswith(f"failed: {folder.root / 'fist' / '0001.npz'}: ")
        assert "holds no readable recordings" in error


def test_damaged_file_after_a_review(
    folder: RecordingFolder, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Window:
        def close(self) -> None: ...

        def pressed(self) -> list[str]:
            return ["u", "q"]

    monkeypatch.setattr(recordings, "why_no_window", lambda: None)
    monkeypatch.setattr(recordings, "ReviewWindow", Window)
    (folder.root / "left" / "0009.npz").write_bytes(b"torn")
    done = run("recordings", "review", folder.root)
    assert done.exit_code == 3
    assert "3 recordings, 1 changed" in done.stderr
    assert "failed: left/0009.npz" in done.stderr


def test_other_folders(run: Run, tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "something").touch()
    for command in ("list", "review"):
        assert "is no folder of recordings" in refused(run("recordings", command, tmp_path))
        assert "does not exist" in refused(run("recordings", command, tmp_path / "gone"))


def test_none_is_written_one_way(folder: RecordingFolder, run: Run) -> None:
    done = run("recordings", "relabel", folder.root, 1, "None")
    assert done.exit_code == 0
    assert "recording 1 (left): now none" in done.stderr


@pytest.mark.parametrize(
    "words", [("--review", "gestures"), ("--discard", "7"), ("--relabel", "7=stop")]
)
def test_the_former_options_of_capture(words: tuple[str, ...], run: Run, refused: Refused) -> None:
    assert "`handlore recordings`" in refused(run("capture", *words), 2)


def test_capture_needs_a_folder(run: Run) -> None:
    done = run("capture", "--labels", "left")
    assert done.exit_code == 2
    assert "Missing option '--out'" in done.stderr


@pytest.mark.parametrize(
    ("label", "note"),
    [
        ("rihgt", "note: rihgt is a new label; did you mean right?\n"),
        ("nome", "note: nome is a new label; did you mean none?\n"),
        ("non", "note: non is a new label; did you mean none?\n"),
        ("wave", ""),
        ("right", ""),
    ],
)
def test_a_new_label_that_is_nearly_one_of_the_folder(
    label: str, note: str, folder: RecordingFolder, run: Run
) -> None:
    done = run("recordings", "relabel", folder.root, 1, label)
    assert done.exit_code == 0
    assert done.stderr == f"{note}recording 1 (left): now {label}\n"


def test_a_corrected_typing_error_is_not_suggested(folder: RecordingFolder, run: Run) -> None:
    run("recordings", "relabel", folder.root, 1, "swip_left")
    done = run("recordings", "relabel", folder.root, 1, "swipe_left")
    assert done.stderr == "recording 1 (swip_left): now swipe_left\n"
