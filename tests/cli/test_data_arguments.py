"""Commands that take data: dataset files and folders of recordings alike."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from movement_stubs import LABELS
from recording_stubs import filled, held, movement, stream

from handlore.datasets.recordings import RecordingFolder

Run = Callable[..., Result]
Parsed = Callable[..., Any]
Refused = Callable[..., str]
SMALLER = ("--param", "n_kernel_features=84", "--param", "n_augmented=0")
QUICK = (*SMALLER, "--no-streams")
FEW_TREES = ("--param", "n_estimators=10")


def test_movements_are_the_default(
    gestures: Path, run: Run, tmp_path: Path, parsed: Parsed
) -> None:
    done = run(
        "train", gestures, "--out", tmp_path / "m.onnx", "--json", "--no-negatives", *SMALLER
    )
    assert parsed(done)["labels"] == ["circle", "left", "none", "right"]
    assert done.stderr.splitlines() == [
        "note: 15 recordings of movements are used, not the 6 of static poses;"
        " --model kernel uses those"
    ]


def test_pose_model_uses_poses(gestures: Path, run: Run, tmp_path: Path, parsed: Parsed) -> None:
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
    done = run("crossval", gestures, "--model", "rocket", "--folds", 2, "--json", *QUICK)
    scores = parsed(done)
    assert scores["by"] == "recording"
    assert scores["n_groups"] == 17
    assert scores["accuracy"] > 0.9
    assert done.stderr == ""


def test_crossval_refused(run: Run, tmp_path: Path, parsed: Parsed) -> None:
    folder = filled(tmp_path / "gestures", 3)
    folder.keep(stream(8.0))
    done = run("crossval", folder.root, "--folds", 2, "--json", *QUICK)
    assert parsed(done)["per_class"]["none"]["recall"] == 0
    assert "only one recording shows none" in done.stderr
    assert "record it in a second recording" in done.stderr


def test_evaluate_training_data(
    gestures: Path, gesture_model: Path, run: Run, parsed: Parsed
) -> None:
    done = run("evaluate", gesture_model, gestures, "--json", "--no-streams")
    assert parsed(done)["accuracy"] > 0.95
    assert "trained on exactly this data" in done.stderr


@pytest.mark.parametrize("command", ["train", "crossval", "evaluate"])
def test_recordings_that_a_model_cannot_use_are_named(
    command: str, gestures: Path, run: Run, tmp_path: Path
) -> None:
    """Where nobody named an estimator, the other kind may have been meant."""
    options = {
        "train": ["--out", tmp_path / "mine.onnx"],
        "crossval": ["--folds", 2, "--no-streams"],
    }
    base = ["everyday", gestures] if command == "evaluate" else [gestures, "--base", "everyday"]
    done = run(command, *base, *options.get(command, []))
    assert "of static poses are used, not the 15 of movements" in done.stderr


def test_predict_recordings(
    gestures: Path, gesture_model: Path, run: Run, parsed: Parsed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(*_: object) -> None:
        raise AssertionError("no detector is needed")

    monkeypatch.setattr("handlore.landmarks.opening.open_detector", opened)
    monkeypatch.setattr("handlore.landmarks.weights.require_bundle", opened)
    done = run("predict", gesture_model, gestures, "--json")
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
    table = run("predict", gesture_model, gestures)
    assert "left/0002.npz" in table.stdout


def test_predict_wrong_kind(
    gesture_model: Path, run: Run, tmp_path: Path, refused: Refused
) -> None:
    folder = RecordingFolder.open(tmp_path / "poses")
    folder.keep(held("fist"))
    line = refused(run("predict", gesture_model, folder.root))
    assert "holds no recordings of movements, but 1 of static poses" in line


@pytest.mark.parametrize("command", ["train", "crossval", "evaluate", "predict", "convert"])
def test_damaged_recording(
    command: str, broken: Path, gesture_model: Path, run: Run, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    args = {
        "train": (broken, "--out", out, "--no-negatives", *SMALLER),
        "crossval": (broken, "--folds", 2, *QUICK),
        "evaluate": (gesture_model, broken, "--no-streams"),
        "predict": (gesture_model, broken),
        "convert": (broken, out.with_suffix(".npz")),
    }[command]
    done = run(command, *args)
    assert done.exit_code == 3, done.output
    assert "left/0099.npz: is truncated or damaged" in done.stderr
    assert done.stdout
    assert "Traceback" not in done.output


def test_folder_without_marker(run: Run, tmp_path: Path, refused) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "photo.jpg").touch()
    line = refused(run("train", tmp_path / "plain", "--out", tmp_path / "m.onnx"))
    assert "is a folder; make a dataset of it" in line


def test_an_empty_folder_gets_one_advice(run: Run, tmp_path: Path, refused) -> None:
    (tmp_path / "new").mkdir()
    lines = {
        refused(run(*words, tmp_path / "new", *more))
        for words, more in (
            (("train",), ("--out", tmp_path / "m.onnx")),
            (("crossval",), ()),
            (("info",), ()),
            (("recordings", "list"), ()),
        )
    }
    assert len(lines) == 1, lines
    assert "`handlore capture --out" in lines.pop()


LOST = {
    "train": ("train", "t", "--out", "m.onnx"),
    "info": ("info", "t"),
    "convert": ("convert", "t", "t.npz"),
    "recordings": ("recordings", "list", "t"),
    "capture": ("capture", "--out", "t", "--headless"),
    "predict": ("predict", "MODEL", "t"),
}


@pytest.mark.parametrize("words", LOST.values(), ids=LOST)
@pytest.mark.parametrize("marker", [None, "{"])
def test_recordings_that_lost_their_marker(
    marker: str | None,
    words: tuple[str, ...],
    onnx: Path,
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where only discarded recordings are left; following the hint mends it."""
    monkeypatch.chdir(tmp_path)
    (kept,) = filled(Path("t"), 1, ("left",)).entries()
    RecordingFolder.open(Path("t")).discard(kept.path)
    Path("t/recordings.json").unlink()
    if marker is not None:
        Path("t/recordings.json").write_text(marker)
    said = run(*(str(onnx) if word == "MODEL" else word for word in words))
    assert said.exit_code == 1
    assert "holds recordings" in said.stderr
    assert 'write {"format": 1} into ' in said.stderr
    Path("t/recordings.json").write_text('{"format": 1}')
    assert run("recordings", "restore", "t", 1).exit_code == 0


def test_empty_folder(run: Run, tmp_path: Path, refused: Refused) -> None:
    folder = RecordingFolder.open(tmp_path / "empty")
    line = refused(run("train", folder.root, "--out", tmp_path / "m.onnx"))
    assert "holds no readable recordings; `handlore capture` makes some" in line


def test_several_arguments(gestures: Path, run: Run, tmp_path: Path, parsed: Parsed) -> None:
    other = RecordingFolder.open(tmp_path / "bens")
    for seed in range(2):
        for label in LABELS:
            other.keep(movement(label, subject="ben", seed=seed))
    done = run("crossval", gestures, other.root, "--model", "rocket", "--json", *QUICK)
    scores = parsed(done)
    assert (scores["by"], scores["n_groups"]) == ("group", 2)
