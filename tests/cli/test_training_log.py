"""``train`` with an estimator that learns in epochs."""

import csv
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from handlore.models.card import ModelCard
from handlore.models.files import load_model


@pytest.fixture
def clips(run: Any, tmp_path: Path) -> Path:
    """A data set of two movements of a made-up hand, four clips each."""
    hand = np.random.default_rng(0).uniform(0.4, 0.6, (21, 3))
    for label, way in (("left", -0.02), ("right", 0.02)):
        for clip in range(4):
            folder = tmp_path / "MP_Data" / label / str(clip)
            folder.mkdir(parents=True)
            for frame in range(10):
                np.save(folder / f"{frame}.npy", hand.ravel() + np.tile([way * frame, 0, 0], 21))
    out = tmp_path / "clips.npz"
    done = run("convert", tmp_path / "MP_Data", out)
    assert done.exit_code == 0, done.output
    return out


def test_the_log_has_a_line_an_epoch(clips: Path, run: Any, parsed: Any, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs the extra temporal")
    out, log = tmp_path / "m.onnx", tmp_path / "log.csv"
    said = parsed(run("train", clips, "--model", "tcn", "--param", "epochs=2", "--log", log,
                      "--out", out, "--json"))  # fmt: skip
    assert (said["estimator"], said["n"]) == ("tcn", 8)
    model = load_model(out, "sequence")
    assert model.card.n_timepoints == 48
    assert model.card.training["params"]["epochs"] == 2
    lines = list(csv.DictReader(log.read_text().splitlines()))
    assert [line["epoch"] for line in lines] == ["1", "2"]
    assert all(float(line["loss"]) > 0 and line["val_loss"] == "" for line in lines)
    assert [row["epoch"] for row in model.card.history] == [1, 2]
    told = run("info", out).stdout
    assert "learnt in epochs: 2" in told
    assert "val_loss" not in told
    report = tmp_path / "report"
    assert run("evaluate", out, clips, "--report", report).exit_code == 0
    assert cv2.imread(str(report / "training.png")).shape[1] > 300
    assert "How the model was trained" in (report / "report.html").read_text("utf-8")


def test_ctrl_c_writes_the_best_so_far(
    clips: Path, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch", reason="needs the extra temporal")
    from handlore.classifiers.temporal.training import NetworkTraining

    whole = NetworkTraining._epoch

    def stopped(training: Any, mixed: bool) -> Any:
        if training.history:
            raise KeyboardInterrupt
        return whole(training, mixed)

    monkeypatch.setattr(NetworkTraining, "_epoch", stopped)
    out = tmp_path / "m.onnx"
    done = run("train", clips, "--model", "tcn", "--out", out)
    assert done.exit_code == 0, done.output
    assert "note: stopped after 1 of 300 epochs; kept the best so far" in done.stderr
    assert load_model(out).card.estimator == "tcn"


def test_who_does_not_learn_in_epochs_has_no_log(
    clips: Path, run: Any, refused: Any, tmp_path: Path
) -> None:
    out, log = tmp_path / "m.onnx", tmp_path / "log.csv"
    line = refused(run("train", clips, "--model", "rocket", "--log", log, "--out", out))
    assert "rocket does not train in epochs" in line
    assert not log.exists()


def test_without_torch_one_line(
    clips: Path, run: Any, refused: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    line = refused(run("train", clips, "--model", "tcn", "--out", tmp_path / "m.onnx"))
    assert "tcn needs PyTorch: pip install 'handlore[temporal]'" in line


@pytest.mark.parametrize(
    "history", [None, 7, [7], [{"epoch": 1}], [{"epoch": 1, "loss": "x", "accuracy": 0.5}],
                [{"epoch": 1, "loss": float("nan"), "accuracy": 0.5}]],
)  # fmt: skip
def test_a_history_that_cannot_be_read_is_none(history: object) -> None:
    assert ModelCard(("a", "b"), "tcn", training={"history": history}).history == []
