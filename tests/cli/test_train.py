"""``handlore train``."""

import csv
import io
import json
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from movement_stubs import (
    LABELS,
    movements,
)

from handlore.classifiers.evaluation.leaks import MAX_DIGESTS, item_digests
from handlore.cli import main
from handlore.cli._rich import _TimeLeft, progress
from handlore.datasets.dataset import LandmarkDataset, Samples
from handlore.datasets.storage import save_dataset
from handlore.landmarks.weights import _aligned_zip, find_bundle
from handlore.models.card import ModelCard
from handlore.models.files import load_model

Run = Callable[..., Result]
Parsed = Callable[..., Any]
Refused = Callable[..., str]
POSES = ["fist", "open_palm", "point", "victory"]
SMALL = ("--param", "n_kernel_features=84", "--param", "n_augmented=0")


@pytest.mark.parametrize("model", ["forest", "linear", "xgboost"])
def test_train(model: str, npz: Path, run: Run, parsed: Parsed, tmp_path: Path) -> None:
    out = tmp_path / "m.onnx"
    result = run("train", npz, "--model", model, "--out", out, "--json")
    said = parsed(result)
    assert {"model", "seconds", "bytes"} <= set(said)
    assert said["model"] == str(out)
    assert said["bytes"] == out.stat().st_size
    assert (said["n"], said["labels"], said["estimator"]) == (24, POSES, model)
    assert result.stderr == ""


def test_labels_are_those_that_were_taught(run: Run, tmp_path: Path) -> None:
    """The model knows `none` from synthetic negative windows; nobody has recorded it."""
    save_dataset(movements(2, 2, LABELS), tmp_path / "clips.npz")
    done = run("train", tmp_path / "clips.npz", *SMALL, "--out", tmp_path / "m.onnx")
    assert f" of {len(LABELS)} labels in " in done.stdout
    assert len(load_model(tmp_path / "m.onnx").labels) == len(LABELS) + 1


def test_samples_without_a_hand_are_left_out(
    dataset: LandmarkDataset, run: Run, saved: Callable[..., Path], tmp_path: Path
) -> None:
    nothing = {"image": np.nan, "world": np.nan, "handedness": np.nan, "score": np.nan, "stage": -1}
    arrays = {name: getattr(dataset, name).copy() for name in nothing}
    for name, array in arrays.items():
        array[:3] = nothing[name]
    for data, ending in (
        (replace(dataset, **arrays), "; 3 without a hand left out\n"),
        (dataset, " s\n"),
    ):
        done = run("train", saved(data), "--model", "linear", "--out", tmp_path / "m.onnx")
        assert done.stdout.partition("wrote")[0].endswith(ending)


def test_crossval_scores(npz: Path, run: Run, parsed: Parsed, tmp_path: Path) -> None:
    out = tmp_path / "m.onnx"
    said = parsed(run("train", npz, "--model", "linear", "--crossval", "--out", out, "--json"))
    assert said["crossval"]["by"] == "group"
    assert parsed(run("info", out, "--json"))["training"]["crossval"] == said["crossval"]


def test_parameters_features_and_seed(npz: Path, run: Run, tmp_path: Path) -> None:
    def train(*args: object) -> bytes:
        out = tmp_path / "m.onnx"
        done = run("train", npz, "--out", out, "--param", "n_centres=20", *args)
        assert done.exit_code == 0, done.output
        return out.read_bytes()

    plain = train()
    assert train("--seed", 0) == plain
    assert train("--seed", 1) != plain
    assert train("--features", "image, orientation") != plain
    assert json.loads(run("info", tmp_path / "m.onnx", "--json").stdout)["n_features"] == 42


def test_test_split_is_not_used(
    converted: tuple[Result, Path], run: Run, refused: Refused, tmp_path: Path
) -> None:
    out = tmp_path / "m.onnx"
    line = refused(run("train", converted[1], "--out", out))
    assert "at least two labels; there is: fist" in line
    line = refused(run("train", converted[1], "--split", "nope", "--out", out))
    assert "no samples in split 'nope'; there is: test, train" in line
    assert not out.exists()


def test_a_file_given_twice_counts_once(
    npz: Path, run: Run, parsed: Parsed, tmp_path: Path
) -> None:
    (tmp_path / "link.npz").symlink_to(npz)
    out = tmp_path / "m.onnx"
    args = ("--model", "linear", "--out", out, "--json")
    done = run("train", npz, npz, tmp_path / "link.npz", *args)
    assert parsed(done)["n"] == 24
    assert f"note: {npz} is given twice: its samples count once" in done.stderr
    assert f"link.npz is the same as {npz}: its samples count once" in done.stderr
    assert len(load_model(out).card.training["data"]) == 1


def test_param_without_value(npz: Path, run: Run, tmp_path: Path) -> None:
    result = run("train", npz, "--out", tmp_path / "m.onnx", "--param", "n_estimators")
    assert result.exit_code == 2
    assert "NAME=VALUE" in result.stderr


def test_own_networks(
    photos: Callable[..., Path], run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HANDLORE_LANDMARKER may name networks that are not MediaPipe's own, bit for bit."""
    bundle = find_bundle("full")
    assert bundle is not None
    with zipfile.ZipFile(bundle.path) as own:
        members = {name: own.read(name) + b"\0" for name in own.namelist()}
    (tmp_path / "own.task").write_bytes(_aligned_zip(members))
    monkeypatch.setenv("HANDLORE_LANDMARKER", str(tmp_path / "own.task"))
    data, model = tmp_path / "x.npz", tmp_path / "m.onnx"
    folder = photos(["fist", "point"])
    assert run("convert", folder, data).exit_code == 0
    assert run("train", data, "--model", "linear", "--out", model).exit_code == 0
    result = run("predict", model, next((folder / "fist").iterdir()))
    assert result.exit_code == 0, result.stderr
    assert "fist" in result.stdout


def train(*args: object) -> Result:
    return CliRunner().invoke(main, ["train", *map(str, args), *SMALL])


def test_movements(clips: Path, parsed: Parsed, tmp_path: Path) -> None:
    out = tmp_path / "m.onnx"
    result = train(clips, "--out", out, "--no-negatives", "--json")
    said = parsed(result)
    assert (said["n"], said["estimator"]) == (32, "rocket")
    assert said["labels"] == sorted([*LABELS, "none"])
    assert said["bytes"] == out.stat().st_size
    assert result.stderr == ""


def test_mirror_labels(clips: Path, run: Run, parsed: Parsed, tmp_path: Path) -> None:
    out = tmp_path / "m.onnx"
    args = ("--mirror-labels", "left=right", "--no-negatives")
    assert train(clips, "--out", out, *args).exit_code == 0
    info = parsed(run("info", out, "--json"))
    assert info["training"]["params"]["mirror_labels"] == "left=right"


def test_blend(clips: Path, npz: Path, run: Run, parsed: Parsed, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs the extra temporal")
    params = ("--param", "tcn.epochs=2", "--param", "rocket.n_kernel_features=84")
    blend, out = ("--model", "rocket+tcn", *params), tmp_path / "m.onnx"
    said = parsed(run("train", clips, "--out", out, *blend, "--json"))
    assert said["estimator"] == "rocket+tcn"
    assert parsed(run("evaluate", out, clips, "--json"))["accuracy"] > 0.8
    assert parsed(run("crossval", clips, *blend, "--folds", 2, "--json"))["n"] == 32
    poses = run("train", npz, "--model", "forest+linear", "--param", "n_estimators=5", "--out", out)
    assert poses.exit_code == 0, poses.output


@pytest.mark.parametrize("command", ["train", "crossval"])
def test_mirrored_labels_of_poses(
    command: str, npz: Path, run: Run, refused: Refused, tmp_path: Path
) -> None:
    words = ("--out", tmp_path / "m.onnx") if command == "train" else ()
    line = refused(run(command, npz, *words, "--mirror-labels", "ok=fist"), 2)
    assert line == "Error: --mirror-labels is for movements, not for static poses; leave it out"


@pytest.mark.parametrize("option", ["--negatives", "--no-negatives"])
def test_negatives_of_poses(
    option: str, npz: Path, run: Run, refused: Refused, tmp_path: Path
) -> None:
    line = refused(run("train", npz, "--out", tmp_path / "m.onnx", option), 2)
    assert f"{option} is for movements, not for static poses" in line


@pytest.mark.parametrize("command", ["train", "crossval"])
@pytest.mark.parametrize(
    ("args", "problem"),
    [
        (("--param", "gamma=1", "--param", "gamma=2"), "gamma=1 and gamma=2 cannot be used"),
        (("--param", "gamma=1", "--param", "gamma=1"), "gamma=1 and gamma=1 cannot be used"),
        (("--seed", 3, "--param", "random_state=5"), "--seed and --param random_state=5 cannot"),
        (("--seed", 0, "--param", "forest.random_state=5"), "forest.random_state=5 cannot be"),
        (("--param", "gamma"), "'gamma' is not NAME=VALUE"),
    ],
)
def test_parameters_given_twice(
    command: str, args: tuple[object, ...], problem: str, npz: Path, run: Run, tmp_path: Path
) -> None:
    words = ("--out", tmp_path / "m.onnx") if command == "train" else ()
    found = run(command, npz, *words, *args)
    assert (found.exit_code, found.stdout) == (2, "")
    assert problem in found.stderr


@pytest.mark.parametrize(
    ("args", "problem", "exit_code"),
    [
        (("--mirror-labels", "left=up"), "name up; known labels: circle, left, none, right", 2),
        (("--mirror-labels", "left"), "expected pairs of different labels such as left=right", 2),
        (("--model", "forest"), "holds movements (clips), but the classifier takes poses", 1),
        (("--model", "forest", "--mirror-labels", "a=b"), "--mirror-labels is for movements", 2),
        (("--model", "roket"), "did you mean rocket?", 2),
        (("--model", "rocket+forest"), "mixes models of poses with models of movements", 2),
        (("--model", "forest+linear"), "holds movements (clips), but the classifier takes", 1),
        (("--param", "n_augmented=-1"), "n_augmented is -1, expected 0 to", 1),
        (("--param", "n_augmented=some"), "n_augmented is 'some', expected a number", 2),
        (("--param", "n_kernel_features=4e9"), "n_kernel_features is 4000000000, expected 1 to", 1),
        (("--split", "test"), "no samples in split 'test'", 1),
    ],
)
def test_refused(
    args: tuple[str, ...],
    problem: str,
    exit_code: int,
    clips: Path,
    run: Run,
    refused: Refused,
    tmp_path: Path,
) -> None:
    out = tmp_path / "m.onnx"
    assert problem in refused(run("train", clips, "--out", out, *args), exit_code)
    assert not out.exists()


def test_features_of_movements(clips: Path, run: Run, refused: Refused, tmp_path: Path) -> None:
    for command in (("train", clips, "--out", tmp_path / "m.onnx"), ("crossval", clips)):
        line = refused(run(*command, "--features", "image"), 2)
        assert "--features" in line
        assert "movements" in line


def test_movements_without_depth(
    saved: Callable[..., Path], run: Run, refused: Refused, tmp_path: Path
) -> None:
    data = movements(2, 1)
    flat = data.image.copy()
    flat[..., 2] = np.nan
    path = saved(replace(data, image=flat))
    assert "z is missing" in refused(run("train", path, "--out", tmp_path / "m.onnx"))
    assert "z is missing" in refused(run("crossval", path))


def test_background(run: Run, parsed: Parsed, tmp_path: Path) -> None:
    save_dataset(movements(3, 1), tmp_path / "d.npz")
    args = ("train", tmp_path / "d.npz", "--out", tmp_path / "m.onnx", "--json", *SMALL)
    assert "none" in parsed(run(*args))["labels"]
    assert parsed(run(*args, "--no-background"))["labels"] == sorted(LABELS)


def test_digests_of_many_items() -> None:
    """Of too many the smallest are kept: those of other data can be looked up among them."""
    few = Samples.make(["a"] * 3, sha256=["x", "y", "x"])
    assert len(item_digests(_bare(few))) == 20
    names = [str(k) for k in range(MAX_DIGESTS + 100)]
    many = item_digests(_bare(Samples.make(["a"] * len(names), sha256=names)))
    assert len(many) == 10 * MAX_DIGESTS
    assert many == "".join(sorted(many[k : k + 10] for k in range(0, len(many), 10)))


def _bare(samples: Samples) -> LandmarkDataset:
    n = len(samples)
    image, one = np.zeros((n, 1, 21, 3), np.float32), np.ones((n, 1), np.float32)
    return LandmarkDataset(
        image, image, one, one, np.zeros((n, 1), np.int8), np.zeros(n), np.arange(n + 1), samples
    )


@pytest.fixture
def tiny_clips(run: Any, tmp_path: Path) -> Path:
    """A data set of two movements of a made-up hand, four tiny_clips each."""
    hand = np.random.default_rng(0).uniform(0.4, 0.6, (21, 3))
    for label, way in (("left", -0.02), ("right", 0.02)):
        for clip in range(4):
            folder = tmp_path / "MP_Data" / label / str(clip)
            folder.mkdir(parents=True)
            for frame in range(10):
                np.save(folder / f"{frame}.npy", hand.ravel() + np.tile([way * frame, 0, 0], 21))
    out = tmp_path / "tiny_clips.npz"
    done = run("convert", tmp_path / "MP_Data", out)
    assert done.exit_code == 0, done.output
    return out


def test_log(tiny_clips: Path, run: Any, parsed: Any, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs the extra temporal")
    out, log = tmp_path / "m.onnx", tmp_path / "log.csv"
    said = parsed(run("train", tiny_clips, "--model", "tcn", "--param", "epochs=2", "--log", log,
                      "--out", out, "--json"))  # fmt: skip
    assert (said["estimator"], said["n"]) == ("tcn", 8)
    model = load_model(out, "sequence")
    assert model.card.n_timepoints == 128
    assert model.card.training["params"]["epochs"] == 2
    lines = list(csv.DictReader(log.read_text().splitlines()))
    assert [line["epoch"] for line in lines] == ["1", "2"]
    assert all(float(line["loss"]) > 0 and line["val_loss"] == "" for line in lines)
    assert [row["epoch"] for row in model.card.history] == [1, 2]
    text = run("info", out).stdout
    assert "training history: 2 epochs" in text
    assert "val_loss" not in text
    report = tmp_path / "report"
    assert run("evaluate", out, tiny_clips, "--report", report).exit_code == 0
    assert cv2.imread(str(report / "training.png")).shape[1] > 300
    assert "Training</h2>" in (report / "report.html").read_text("utf-8")


def test_ctrl_c_writes_the_best_epoch(
    tiny_clips: Path, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch", reason="needs the extra temporal")
    from handlore.classifiers.estimators._tcn_training import NetworkTraining

    whole = NetworkTraining._epoch

    def stopped(training: Any, mixed: bool) -> Any:
        if training.history:
            raise KeyboardInterrupt
        return whole(training, mixed)

    monkeypatch.setattr(NetworkTraining, "_epoch", stopped)
    out = tmp_path / "m.onnx"
    done = run("train", tiny_clips, "--model", "tcn", "--out", out)
    assert done.exit_code == 0, done.output
    assert "note: stopped after 1 of 300 epochs; kept the best so far" in done.stderr
    assert load_model(out).card.estimator == "tcn"


def test_log_without_epochs(tiny_clips: Path, run: Any, refused: Any, tmp_path: Path) -> None:
    out, log = tmp_path / "m.onnx", tmp_path / "log.csv"
    line = refused(run("train", tiny_clips, "--model", "rocket", "--log", log, "--out", out))
    assert "rocket does not train in epochs" in line
    assert not log.exists()


def test_without_torch(
    tiny_clips: Path, run: Any, refused: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    line = refused(run("train", tiny_clips, "--model", "tcn", "--out", tmp_path / "m.onnx"))
    assert "tcn needs PyTorch: pip install 'handlore[temporal]'" in line


@pytest.mark.parametrize(
    "history", [None, 7, [7], [{"epoch": 1}], [{"epoch": 1, "loss": "x", "accuracy": 0.5}],
                [{"epoch": 1, "loss": float("nan"), "accuracy": 0.5}]],
)  # fmt: skip
def test_unreadable_history(history: object) -> None:
    assert ModelCard(("a", "b"), "tcn", training={"history": history}).history == []


def test_progress_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    with progress("training", counted=False) as show:
        show(25, 400)
        show(100, 400)
    written = terminal.getvalue()
    assert "training" in written
    assert "25%" in written
    assert " left" in written


def test_time_left() -> None:
    """A step may take minutes: what is left follows from the last step, and runs down."""

    def left(done: int, elapsed: float, measured_at: float) -> str:
        task = SimpleNamespace(
            completed=done, total=400, elapsed=elapsed, fields={"measured_at": measured_at}
        )
        return str(_TimeLeft().render(task))

    assert left(100, 20.0, 20.0) == "0:01:00 left"
    assert left(100, 50.0, 20.0) == "0:00:30 left"
    assert left(100, 200.0, 20.0) == "0:00:00 left"
    assert left(0, 20.0, 0.0) == ""
