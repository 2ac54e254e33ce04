"""handlore info, --plots and --contact-sheet."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from movement_stubs import (
    movements,
)
from recording_stubs import filled, held, movement

from handlore.datasets.recordings import RecordingFolder
from handlore.datasets.storage import save_dataset

Run = Callable[..., Result]
Parsed = Callable[..., Any]
POSES = ["fist", "open_palm", "point", "victory"]
Refused = Callable[..., str]
SMALLER = ("--param", "n_kernel_features=84", "--param", "n_augmented=0")


def test_dataset(converted: tuple[Result, Path], run: Run, parsed: Parsed) -> None:
    info = parsed(run("info", converted[1], "--json"))
    assert info["type"] == "dataset"
    assert info["labels"] == {
        "fist": {"n": 2, "n_with_hand": 2},
        "none": {"n": 2, "n_with_hand": 0},
    }
    assert (info["n_samples"], info["n_no_hand"], info["n_hands"]) == (4, 2, 1)
    assert info["splits"] == {"test": 2, "train": 2}
    assert info["header"]["detector"]["landmarker"] == "full"
    text = run("info", converted[1]).stdout
    assert "with a hand: 50.0 %" in text
    assert "failed: test/fist/broken.jpg" in text


def test_model(onnx: Path, run: Run, parsed: Parsed) -> None:
    info = parsed(run("info", onnx, "--json"))
    assert (info["type"], info["estimator"], info["labels"]) == ("model", "forest", POSES)
    assert info["bytes"] == onnx.stat().st_size
    assert info["training"]["groups"] == ["p01", "p02", "p03"]
    text = run("info", onnx).stdout
    assert "4 labels: fist, open_palm, point, victory" in text
    assert "p01" in text
    assert re.search(r"samples of each label: fist \(\d+\); open_palm \(\d+\);", text)


def test_movement_model(moves: Path, run: Run, parsed: Parsed) -> None:
    info = parsed(run("info", moves, "--json"))
    assert (info["type"], info["kind"], info["estimator"]) == ("model", "sequence", "rocket")
    assert info["n_timepoints"] == 128
    assert len(info["seconds"]) == 3
    text = run("info", moves).stdout
    assert "a movement model, rocket" in text
    assert "4 labels: circle, left, none, right" in text
    assert re.search(r"clips of 0\.\d to 1\.\d s, resampled to 128 points in time", text)
    assert "features:" not in text
    assert re.search(r"tested on left-out parts, in a stream .*: \d+ % of \d+ gestures found", text)
    assert "trained on samples: 32" in text
    assert "n_found" not in text
    assert "thresholds: circle 0." in text
    assert "calibration:" not in text


def test_movement_dataset(clips: Path, run: Run, parsed: Parsed) -> None:
    info = parsed(run("info", clips, "--json"))
    assert (info["kind"], info["n_samples"]) == ("sequence", 32)
    assert run("info", clips).exit_code == 0


def test_labels_of_the_last_session_are_to_be_recorded_too(run: Run, tmp_path: Path) -> None:
    folder = RecordingFolder.open(tmp_path / "gestures")
    folder.keep(movement("left"))
    folder.order_labels(["left", "right"])
    assert "record next: right (none yet; others up to 1)" in run("info", folder.root).stdout


def test_recordings_with_advice(
    gestures: Path, run: Run, parsed: Parsed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlore.capture.coach._cross_validated", lambda *_: [])
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


def test_unreadable_recordings(broken: Path, run: Run, monkeypatch) -> None:
    monkeypatch.setattr("handlore.capture.coach._cross_validated", lambda *_: [])
    done = run("info", broken)
    assert done.exit_code == 3
    assert "failed: left/0099.npz: is truncated or damaged" in done.stderr
    assert "9 recordings" in done.stdout


def test_contact_sheets(
    gestures: Path, broken: Path, gesture_model: Path, npz: Path, run: Run, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, refused: Refused,
) -> None:  # fmt: skip
    monkeypatch.setattr("handlore.capture.coach._cross_validated", lambda *_: [])
    out = tmp_path / "sheet.png"
    for path in (gestures, npz):
        done = run("info", path, "--contact-sheet", out)
        assert done.exit_code == 0, done.output
        assert done.stderr == f"wrote {out}\n"
        assert out.read_bytes().startswith(b"\x89PNG")
    assert "nothing to draw" in refused(run("info", gesture_model, "--contact-sheet", out))
    empty = RecordingFolder.open(tmp_path / "empty")
    assert run("info", empty.root, "--contact-sheet", out).exit_code == 1
    nowhere = tmp_path / "no" / "sheet.png"
    assert "does not exist" in refused(run("info", gestures, "--contact-sheet", nowhere))


def test_plots_of_files_and_folders(run, parsed, tmp_path: Path) -> None:
    save_dataset(movements(n_people=2, each=1), tmp_path / "moves.npz")
    out = tmp_path / "new" / "plots"
    shown = parsed(run("info", tmp_path / "moves.npz", "--plots", out, "--json"))
    assert sorted(shown["plots"]) == sorted(str(path) for path in out.iterdir())
    assert (out / "people.png").exists()
    folder = filled(tmp_path / "gestures", 2)
    folder.keep(held("fist"))
    done = run("info", folder.root, "--plots", tmp_path / "both")
    assert done.exit_code == 0
    names = {path.name for path in (tmp_path / "both").iterdir()}
    assert {"movements-paths.png", "static-poses-hands.png"} <= names
    (tmp_path / "file").write_text("")
    assert run("info", folder.root, "--plots", tmp_path / "file").exit_code == 2


def test_plots_replace_earlier_ones(npz, run, tmp_path: Path) -> None:
    out, folder = tmp_path / "plots", filled(tmp_path / "gestures", 2)
    folder.keep(held("fist"))

    def drawn(path: Path) -> set[str]:
        assert run("info", path, "--plots", out).exit_code == 0
        return {file.name for file in out.iterdir()}

    fresh = drawn(npz)
    assert "hands.png" in fresh
    (out / "notes.png").write_bytes(b"mine")
    save_dataset(movements(n_people=2, each=1), tmp_path / "moves.npz")
    assert {"paths.png", "hands.png", "notes.png"} & drawn(tmp_path / "moves.npz") == {
        "paths.png",
        "notes.png",
    }
    both = drawn(folder.root)
    assert "movements-paths.png" in both
    assert "paths.png" not in both
    assert drawn(npz) == {*fresh, "notes.png"}


def test_plots_keep_files_of_others(npz, run, tmp_path: Path) -> None:
    (tmp_path / "paths.png").write_bytes(b"mine")
    assert run("info", npz, "--plots", tmp_path).exit_code == 0
    assert (tmp_path / "paths.png").read_bytes() == b"mine"


def test_plots_of_a_model(onnx, run, refused, tmp_path: Path) -> None:
    assert "nothing to draw" in refused(run("info", onnx, "--plots", tmp_path / "p"))
    assert "makes a dataset" in refused(run("info", tmp_path))
    assert "no file" in refused(run("info", tmp_path / "x.npz", "--plots", tmp_path / "q"))
