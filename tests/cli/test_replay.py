"""``handlore replay``."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from movement_stubs import lesson

from handlore.datasets.recording_files import open_recordings_folder
from handlore.datasets.storage import save_dataset
from handlore.models.files import load_model
from handlore.models.stream.ground_truth import dataset_streams
from handlore.models.stream.recogniser import recognise

Run = Callable[..., Result]
Refused = Callable[..., str]


def test_events_equal_the_recogniser(moves: Path, lessons: Path, run: Run, tmp_path: Path) -> None:
    result = run("replay", moves, lessons, "--json")
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["label"] for row in rows] == ["left", "circle"]
    assert rows[0]["start"] == pytest.approx(2, abs=0.5)
    (stream,) = dataset_streams(lesson("one", "left", "circle"))
    events = recognise([load_model(moves)], stream.video)
    assert result.stdout.splitlines() == [event.line() for event in events]
    assert run("replay", moves, lessons, "--json").stdout == result.stdout
    text = run("replay", moves, lessons).stdout
    assert "left" in text
    assert "stream" not in text
    save_dataset(lesson("two", "right"), tmp_path / "two.npz")
    both = run("replay", moves, lessons, tmp_path / "two.npz", "--json").stdout.splitlines()
    assert [json.loads(line)["stream"] for line in both] == ["one", "one", "two"]
    strict = run("replay", moves, lessons, "--json", "--movement-threshold", "1")
    assert len(strict.stdout.splitlines()) < 2


def test_refused(moves: Path, lessons: Path, run: Run, refused: Refused) -> None:
    assert "is no model" in refused(run("replay", lessons))
    assert "nothing to replay" in refused(run("replay", moves))
    assert "there is no file" in refused(run("replay", moves, "gone.npz"))
    assert run("replay", moves, lessons, "--dwell", "-1").exit_code == 2


def test_label_of_two_models(moves: Path, lessons: Path, run: Run) -> None:
    result = run("replay", moves, moves, lessons, "--json")
    assert len(result.stdout.splitlines()) == 4
    assert "note: more than one model knows circle, left, right" in result.stderr
    assert "more than one" not in run("replay", moves, lessons).stderr


def test_missing_recording(moves: Path, lessons: Path, run: Run) -> None:
    result = run("replay", moves, "gone.npz", lessons, "--json")
    assert result.exit_code == 3
    # A line has the same keys whether another recording failed or not.
    whole = run("replay", moves, lessons, lessons, "--json").stdout
    assert result.stdout == whole[: len(whole) // 2]
    assert '"stream": "one"' in result.stdout
    assert "failed: gone.npz: there is no file gone.npz" in result.stderr


def test_folder_of_recordings(moves: Path, run: Run, tmp_path: Path) -> None:
    root = tmp_path / "triggers"
    open_recordings_folder(root, create=True)
    for number, label in enumerate(("left", "right")):
        (root / label).mkdir()
        save_dataset(lesson(label, label), root / label / f"000{number}.npz")
    each = [run("replay", moves, path, "--json").stdout for path in sorted(root.glob("*/*.npz"))]
    rows = [json.loads(line) for line in run("replay", moves, root, "--json").stdout.splitlines()]
    assert [one.pop("stream") for one in rows] == ["left", "right"]
    assert rows == [json.loads(one) for one in each]
    (root / "left" / "0000.mp4").write_bytes(b"is not followed anew")
    assert run("replay", moves, root / "left", "--json").stdout == each[0]
