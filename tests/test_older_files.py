"""Files written by version 0.1, before names and modules moved, still mean the same.

``tests/older_files`` was written by that version: datasets (with augmented copies), a folder of
recordings, models of every kind (one of them calibrated), and the scores of a run; ``answers.json``
holds the probabilities that it computed.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from handlore.cli import main
from handlore.datasets.storage import load_dataset
from handlore.models.files import load_model

OLDER = Path(__file__).parent / "older_files"
ANSWERS = json.loads((OLDER / "answers.json").read_text("utf-8"))


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_models_give_the_same_probabilities(name: str) -> None:
    model = load_model(OLDER / name)
    dataset = load_dataset(OLDER / ("poses.npz" if model.card.kind == "pose" else "moves.npz"))
    probabilities = model.predict_proba(model.encoder.encode_samples(dataset))
    assert list(model.labels) == ANSWERS[name]["labels"]
    off = np.abs(probabilities - ANSWERS[name]["probabilities"])
    # Features of movements count how often a kernel exceeds a threshold. Where its output is the
    # threshold but for rounding, processors count differently: that may move an answer a little.
    is_rounding = model.card.kind == "sequence" and (off > 2e-4).mean() < 0.3
    assert off.max() <= (2e-3 if is_rounding else 2e-4)


def test_calibrated_thresholds_are_read() -> None:
    assert load_model(OLDER / "movements.onnx").card.thresholds


def run(*args: str) -> dict:
    done = CliRunner().invoke(main, [*args, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_recordings_are_read_as_movements_and_poses() -> None:
    facts = run("info", str(OLDER / "recordings"))
    assert facts["n_recordings"] == 16
    counts = {name: (at["n_movements"], at["n_poses"]) for name, at in facts["labels"].items()}
    assert counts["left"] == (7, 0)
    assert counts["fist"] == (0, 1)


def test_an_older_model_is_evaluated_on_an_older_dataset() -> None:
    scores = run("evaluate", str(OLDER / "poses-linear.onnx"), str(OLDER / "poses.npz"))
    assert scores["accuracy"] == 1.0


def test_an_older_run_is_compared() -> None:
    scores = str(OLDER / "scores.json")
    assert run("compare", scores, scores)
