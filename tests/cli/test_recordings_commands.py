"""Every command on a folder of recordings."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from movement_stubs import LABELS
from recording_stubs import filled, held, movement, stream

from handlore.cli import main
from handlore.datasets.recordings import RecordingFolder
from handlore.datasets.storage import load_dataset

Run = Callable[..., Result]
Parsed = Callable[..., Any]
Refused = Callable[..., str]
SMALL = ("--param", "n_kernel_features=300", "--param", "n_augmented=0")
FEW_TREES = ("--param", "n_estimators=10")


@pytest.fixture(scope="module")
def gestures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three movements, two poses and a stream of ``none``."""
    folder = filled(tmp_path_factory.mktemp("data") / "gestures", 5)
    for seed in range(3):
        for label in ("fist", "palm"):
            folder.keep(held(label, seed=seed))
    folder.keep(stream(20.0))
    folder.keep(stream(10.0, seed=6))
    return folder.root


@pytest.fixture(scope="module")
def moves(gestures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "moves.onnx"
    args = ["train", gestures, "--model", "rocket", "--out", path, *SMALL]
    done = CliRunner().invoke(main, [str(arg) for arg in args])
    assert done.exit_code == 0, done.output
    assert done.stderr == "", "the model was named, so nothing had to be chosen"
    return path


@pytest.fixture
def broken(gestures: Path, tmp_path: Path) -> Path:
    """A copy with a file that cannot be read."""
    folder = filled(tmp_path / "broken", 3)
    (folder.root / "left" / "0099.npz").write_bytes(b"PK nonsense")
    return folder.root


def test_without_a_model_movements_are_taken_and_a_line_says_how_to_get_the_others(
    gestures: Path, run: Run, tmp_path: Path, parsed: Parsed
) -> None:
    done = run("train", gestures, "--out", tmp_path / "m.onnx", "--json", *SMALL)
    assert parsed(done)["labels"] == ["circle", "left", "none", "right"]
    assert done.stderr.splitlines() == [
        "note: 15 recordings of movements are used, not the 6 of static poses;"
        " --model forest uses those"
    ]


def test_a_model_of_poses_takes_the_poses(
    gestures: Path, run: Run, tmp_path: Path, parsed: Parsed
) -> None:
    out = tmp_path / "p.onnx"
    done = run("train", gestures, "--model", "forest", "--out", out, "--json", *FEW_TREES)
    assert parsed(done)["labels"] == ["fist", "none", "palm"]
    rows = parsed(run("predict", out, gestures, "--json"))
    assert {Path(row["path"]).parent.name: row["label"] for row in rows} == {
        "fist": "fist", "palm": "palm",
    }  # fmt: skip
    assert len(rows) == 6
    assert all(row["hand"] == "right" and -180 < row["rotation_deg"] <= 180 for row in rows)


def test_crossval_keeps_recordings_apart(gestures: Path, run: Run, parsed: Parsed) -> None:
    done = run("crossval", gestures, "--model", "rocket", "--folds", 2, "--json", *SMALL)
    scores = parsed(done)
    assert scores["by"] == "recording"
    assert scores["n_groups"] == 17
    assert scores["accuracy"] > 0.9
    assert done.stderr == ""


def test_crossval_says_what_cannot_be_tested(run: Run, tmp_path: Path, parsed: Parsed) -> None:
    folder = filled(tmp_path / "gestures", 3)
    folder.keep(stream(8.0))
    done = run("crossval", folder.root, "--folds", 2, "--json", *SMALL)
    assert parsed(done)["per_class"]["none"]["recall"] == 0
    assert "only one recording shows none" in done.stderr
    assert "record it in a second recording" in done.stderr


def test_evaluate_answers_what_it_was_trained_on(
    gestures: Path, moves: Path, run: Run, parsed: Parsed
) -> None:
    done = run("evaluate", moves, gestures, "--json")
    assert parsed(done)["accuracy"] > 0.95
    assert "trained on exactly this data" in done.stderr


def test_predict_answers_every_recording_without_a_detector(
    gestures: Path, moves: Path, run: Run, parsed: Parsed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(*_: object) -> None:
        raise AssertionError("no detector is needed")

    monkeypatch.setattr("handlore.landmarks.opening.open_detector", opened)
    monkeypatch.setattr("handlore.landmarks.weights.require_bundle", opened)
    done = run("predict", moves, gestures, "--json")
    rows = parsed(done)
    by_label = {label: [row for row in rows if Path(row["path"]).parent.name == label]
                for label in (*LABELS, "none")}  # fmt: skip
    assert {label: len(found) for label, found in by_label.items()} == {
        "circle": 5, "left": 5, "right": 5, "none": 2,
    }  # fmt: skip
    for label in LABELS:
        assert all(row["label"] == label for row in by_label[label])
    assert done.stderr.splitlines() == [
        f"note: 6 recordings of static poses in {gestures} are left out"
    ]
    table = run("predict", moves, gestures)
    assert "left/0002.npz" in table.stdout


def test_predict_refuses_a_folder_of_the_other_kind(
    moves: Path, run: Run, tmp_path: Path, refused: Refused
) -> None:
    folder = RecordingFolder.open(tmp_path / "poses")
    folder.keep(held("fist"))
    line = refused(run("predict", moves, folder.root))
    assert "holds no recordings of movements, but 1 of static poses" in line


@pytest.mark.parametrize("command", ["train", "crossval", "evaluate", "predict", "convert"])
def test_a_damaged_recording_is_named_and_the_rest_is_done(
    command: str, broken: Path, moves: Path, run: Run, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    args = {
        "train": (broken, "--out", out, *SMALL),
        "crossval": (broken, "--folds", 2, *SMALL),
        "evaluate": (moves, broken),
        "predict": (moves, broken),
        "convert": (broken, out.with_suffix(".npz")),
    }[command]
    done = run(command, *args)
    assert done.exit_code == 3, done.output
    assert "left/0099.npz: is truncated or damaged" in done.stderr
    assert done.stdout
    assert "Traceback" not in done.output


def test_converted_recordings_train_the_same(
    gestures: Path, moves: Path, run: Run, tmp_path: Path, parsed: Parsed
) -> None:
    out = tmp_path / "moves.npz"
    done = run("convert", gestures, out)
    assert done.exit_code == 0, done.output
    assert "recognised as recordings; it also fits recordings-poses" in done.stderr
    assert load_dataset(out).header.detector is not None
    model = tmp_path / "again.onnx"
    run("train", out, "--out", model, *SMALL)
    assert model.read_bytes() == moves.read_bytes()


def test_a_folder_without_a_marker_says_what_to_do(run: Run, tmp_path: Path, refused) -> None:
    (tmp_path / "plain").mkdir()
    line = refused(run("train", tmp_path / "plain", "--out", tmp_path / "m.onnx"))
    assert "is a folder; make a dataset of it" in line


def test_an_empty_folder_of_recordings(run: Run, tmp_path: Path, refused: Refused) -> None:
    folder = RecordingFolder.open(tmp_path / "empty")
    line = refused(run("train", folder.root, "--out", tmp_path / "m.onnx"))
    assert "holds no readable recordings; `handlore capture` makes some" in line


def test_several_folders_and_files_are_joined(
    gestures: Path, run: Run, tmp_path: Path, parsed: Parsed
) -> None:
    other = RecordingFolder.open(tmp_path / "bens")
    for seed in range(2):
        for label in LABELS:
            other.keep(movement(label, subject="ben", seed=seed))
    done = run("crossval", gestures, other.root, "--model", "rocket", "--json", *SMALL)
    scores = parsed(done)
    assert (scores["by"], scores["n_groups"]) == ("group", 2)


# info


def test_info_shows_what_is_there_and_what_to_record_next(
    gestures: Path, run: Run, parsed: Parsed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlore.capture.coach.cross_validated", lambda *_: [])
    shown = parsed(run("info", gestures, "--json"))
    assert shown["type"] == "recordings"
    assert shown["n_recordings"] == 23
    assert shown["labels"]["left"]["n_movements"] == 5
    assert shown["labels"]["fist"] | {"seconds": 0} == {
        "n_movements": 0, "n_poses": 3, "seconds": 0, "n_frames": 15, "n_frames_with_hand": 15,
    }  # fmt: skip
    assert shown["groups"] == {"anna": 23}
    assert shown["failures"] == []
    assert shown["advice"][0].startswith("record next: fist (3 recordings; others up to 5)")
    table = run("info", gestures)
    assert "detectors: litert 1, full (23)" in table.stdout
    assert "Next:\n  record next: fist" in table.stdout


def test_info_names_what_cannot_be_read(broken: Path, run: Run, monkeypatch) -> None:
    monkeypatch.setattr("handlore.capture.coach.cross_validated", lambda *_: [])
    done = run("info", broken)
    assert done.exit_code == 3
    assert "failed: left/0099.npz: is truncated or damaged" in done.stderr
    assert "9 recordings" in done.stdout


def test_contact_sheets_of_folders_and_files(
    gestures: Path, broken: Path, moves: Path, npz: Path, run: Run, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, refused: Refused,
) -> None:  # fmt: skip
    monkeypatch.setattr("handlore.capture.coach.cross_validated", lambda *_: [])
    out = tmp_path / "sheet.png"
    for path in (gestures, npz):
        done = run("info", path, "--contact-sheet", out)
        assert done.exit_code == 0, done.output
        assert done.stderr == f"wrote {out}\n"
        assert out.read_bytes().startswith(b"\x89PNG")
    assert "nothing to draw" in refused(run("info", moves, "--contact-sheet", out))
    empty = RecordingFolder.open(tmp_path / "empty")
    assert run("info", empty.root, "--contact-sheet", out).exit_code == 1
    nowhere = tmp_path / "no" / "sheet.png"
    assert "does not exist" in refused(run("info", gestures, "--contact-sheet", nowhere))
