"""``handlore improve``: reviews, calls the library, and says what came of it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from recording_stubs import held
from trigger_stubs import corrected, pose_model, session, wrong_ones

from handlore.classifiers import improving
from handlore.cli import recordings
from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.recordings import RecordingFolder

Run = Callable[..., Result]
Parsed = Callable[..., Any]
Refused = Callable[..., str]


@pytest.fixture
def model(tmp_path: Path, dataset: LandmarkDataset) -> Path:
    return pose_model(tmp_path, dataset)


@pytest.fixture
def folder(tmp_path: Path, dataset: LandmarkDataset) -> RecordingFolder:
    """A session that nobody has reviewed."""
    return session(tmp_path / "triggers", dataset)


def test_reviewed_beforehand(
    model: Path, folder: RecordingFolder, dataset: LandmarkDataset, run: Run
) -> None:
    corrected(folder, wrong_ones(folder, dataset))
    done = run("improve", model, "--from", folder.root)
    assert done.exit_code == 0, done.output
    first, *_, wrote, undo = done.stdout.splitlines()
    assert first == "10 new triggers: 6 right, 4 wrong (4 none, 0 another gesture)"
    assert wrote == f"wrote {model}"
    assert undo == f"the model so far is {model.with_name('poses.old.onnx')}; copy it back to undo"
    done = run("improve", model, "--from", folder.root)
    assert done.exit_code == 1
    assert "nothing new to learn" in done.stderr


def test_without_a_display(
    model: Path,
    folder: RecordingFolder,
    run: Run,
    refused: Refused,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recordings, "why_no_window", lambda: "there is no display")
    line = refused(run("improve", model, "--from", folder.root))
    assert f"`handlore recordings relabel {folder.root} NUMBER none` for each wrong" in line
    assert line.endswith("then --yes")
    line = refused(run("improve", model, "--from", folder.root, "--no-review"))
    assert "none of the 10 new triggers" in line


def test_yes(
    model: Path, folder: RecordingFolder, dataset: LandmarkDataset, run: Run, parsed: Parsed
) -> None:
    for number in wrong_ones(folder, dataset):
        assert run("recordings", "relabel", folder.root, number, "none").exit_code == 0
    args = ("improve", model, "--from", folder.root, "--yes", "--json", "--dry-run")
    found = parsed(run(*args))
    assert found["triggers"] == {
        "n": 10,
        "n_right": 6,
        "n_wrong": 4,
        "n_none": 4,
        "n_relearnt": 0,
        "n_forgotten": 0,
        "n_unreviewed": 0,
        "n_other": 0,
    }
    assert (found["written"], found["worse"]) == (False, None)
    assert found["before"]["triggers"]["n_false"] > found["after"]["triggers"]["n_false"]
    assert found["before"]["accuracy"] <= 1
    assert not model.with_name("poses.triggers.npz").exists()


class Window:
    """Confirms the first, calls the second none, and is closed."""

    shown: list[int]

    def __init__(self) -> None:
        self.keys = ["n", "0", "q"]
        Window.shown = []

    def pressed(self) -> list[str]:
        return [self.keys.pop(0)]

    def show(self, state: Any, recording: Any, now: float) -> None:
        Window.shown = [entry.number for entry in state.entries]
        assert state.labels[-1] == "none"

    def close(self) -> None: ...


def test_review(
    model: Path, folder: RecordingFolder, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The triggers that nobody has reviewed are shown; those that remain are left out."""
    monkeypatch.setattr(recordings, "why_no_window", lambda: None)
    monkeypatch.setattr(recordings, "ReviewWindow", Window)
    folder.confirm(folder.entries()[0].path)
    done = run("improve", model, "--from", folder.root, "--dry-run")
    assert Window.shown == [2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert "3 new triggers: 2 right, 1 wrong" in done.stdout
    assert "7 not reviewed, and left out" in done.stdout
    assert [one.reviewed for one in folder.entries()].count(True) == 3


def test_worse(
    model: Path,
    folder: RecordingFolder,
    dataset: LandmarkDataset,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    corrected(folder, wrong_ones(folder, dataset))
    compare, old = improving.standings, model.read_bytes()
    monkeypatch.setattr(improving, "standings", lambda *given: compare(*given)[::-1])
    done = run("improve", model, "--from", folder.root)
    assert done.exit_code == 1
    line = done.stderr.splitlines()[-1]
    assert re.match(
        r"handlore: the new model is worse: \d+ false activations in 10 triggers and \d+ in streams"
        r" of the data, where \d+ of 18 gestures are found; before, \d+ false activations in 10 ",
        line,
    )
    assert line.endswith(f"stays as it is, and the reviewed triggers stay in {folder.root}")
    assert model.read_bytes() == old
    assert not model.with_name("poses.old.onnx").exists()


def test_stopped(
    model: Path,
    folder: RecordingFolder,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    names = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr(improving, "tested_in_parts", stopped)
    done = run("improve", model, "--from", folder.root, "--yes")
    assert done.exit_code == 130
    assert sorted(tmp_path.rglob("*")) == names


def test_a_recording_that_cannot_be_read(
    model: Path,
    folder: RecordingFolder,
    dataset: LandmarkDataset,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    corrected(folder, wrong_ones(folder, dataset))
    (folder.root / "fist" / "0099.npz").write_bytes(b"PK nonsense")
    done = run("improve", model, "--from", folder.root, "--dry-run")
    assert done.exit_code == 3
    assert "failed: " in done.stderr
    assert "fist/0099.npz" in done.stderr


def test_a_damaged_recording_is_named_beside_an_error(
    model: Path, folder: RecordingFolder, run: Run
) -> None:
    """It may be the reason why nothing is found."""
    (folder.root / "fist" / "0099.npz").write_bytes(b"PK nonsense")
    done = run("improve", model, "--from", folder.root, "--no-review")
    assert done.exit_code == 1
    failed, error = done.stderr.splitlines()
    assert failed.startswith(f"failed: {folder.root / 'fist' / '0099.npz'}: ")
    assert error.startswith("handlore: none of the 10 new triggers")


def test_damaged_data_are_named_beside_an_error(
    folder: RecordingFolder, run: Run, tmp_path: Path
) -> None:
    """Recordings that the model was trained on: its gestures are not there any more."""
    data, model = RecordingFolder.open(tmp_path / "gestures"), tmp_path / "poses.onnx"
    for label in ("fist", "point"):
        for seed in range(3):
            data.keep(held(label, seed=seed))
    assert run("train", data.root, "--out", model, "--model", "linear").exit_code == 0
    torn = [entry.path for entry in data.entries() if entry.label == "fist"]
    for path in torn:
        path.write_bytes(b"PK nonsense")
    done = run("improve", model, "--from", folder.root, "--yes")
    assert done.exit_code == 1
    *failed, error = done.stderr.splitlines()
    assert [line.split(": ")[1] for line in failed] == [str(path) for path in torn]
    assert "has no samples of fist" in error


def test_one_trigger(model: Path, folder: RecordingFolder, run: Run, refused: Refused) -> None:
    first, *others = folder.entries()
    for entry in others:
        entry.path.unlink()
    line = refused(run("improve", model, "--from", folder.root, "--no-review"))
    assert f"the new trigger in {folder.root} has not been reviewed: " in line
    folder.confirm(first.path)
    done = run("improve", model, "--from", folder.root)
    assert "1 new trigger: 1 right, 0 wrong" in done.stdout
    assert "false activations, 1 trigger " in done.stdout
    line = refused(run("improve", model, "--from", folder.root))
    assert f"poses.onnx knows the trigger in {folder.root}; record another" in line


def test_discarded_and_relabelled(
    model: Path, folder: RecordingFolder, dataset: LandmarkDataset, run: Run
) -> None:
    corrected(folder, wrong_ones(folder, dataset))
    assert run("improve", model, "--from", folder.root).exit_code == 0
    assert run("recordings", "discard", folder.root, 1, 2, 3).exit_code == 0
    assert run("recordings", "relabel", folder.root, 4, "none").exit_code == 0
    done = run("improve", model, "--from", folder.root, "--dry-run")
    assert done.stdout.splitlines()[:3] == [
        "1 new trigger: 0 right, 1 wrong (1 none, 0 another gesture)",
        "1 learnt with another label before, and not compared",
        "3 discarded, and forgotten",
    ]
    assert "triggers " not in done.stdout


def test_lost_triggers(
    model: Path, folder: RecordingFolder, dataset: LandmarkDataset, run: Run
) -> None:
    """No label has changed: the file that says with which they were learnt is gone."""
    corrected(folder, wrong_ones(folder, dataset))
    assert run("improve", model, "--from", folder.root).exit_code == 0
    model.with_name("poses.triggers.npz").unlink()
    done = run("improve", model, "--from", folder.root, "--dry-run")
    assert "poses.triggers.npz is not there" in done.stderr
    assert "\n10 learnt before, with what label is not known, and not compared" in done.stdout
    assert "another label" not in done.stdout


def test_ready_model(folder: RecordingFolder, run: Run, refused: Refused) -> None:
    line = refused(run("improve", "everyday", "--from", folder.root, "--yes"))
    assert "--out my_everyday.onnx" in line
