"""Each command on rendered hands: exit codes, JSON keys, what a person reads."""

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

import handlore.cli
from handlore import __version__
from handlore.cli import COMMANDS, GROUPS, main
from handlore.datasets.storage import load_dataset
from handlore.landmarks.weights import aligned_zip, find_bundle
from handlore.models.files import load_model
from handlore.models.pose_encoder import PoseEncoder

Run = Callable[..., Result]
Parsed = Callable[..., Any]
Refused = Callable[..., str]
NAME_PATTERN = r"_(?P<group>p\d+)_\d+\.png$"
LABELS = ["fist", "open_palm", "point", "victory"]
SCORE_KEYS = {"accuracy", "macro_f1", "n", "labels", "confusion", "per_class"}


@pytest.fixture(scope="module")
def mixed(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hands, an empty wall as class `wall`, and a broken file; train and test."""
    folder = tmp_path_factory.mktemp("mixed")
    for place in ("train/fist", "train/wall", "test/fist", "test/wall"):
        (folder / place).mkdir(parents=True)
    shutil.copy(pictures / "fist/fist_p01_1.png", folder / "train/fist/a.png")
    shutil.copy(pictures / "fist/fist_p01_2.png", folder / "test/fist/b.png")
    wall = np.full((200, 300, 3), 180, np.uint8)
    for place in ("train", "test"):
        cv2.imwrite(str(folder / place / "wall/wall.png"), wall)
    (folder / "test/fist/broken.jpg").write_text("not a picture")
    (folder / "notes.txt").write_text("ignored")
    return folder


@pytest.fixture(scope="module")
def converted(mixed: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    out = tmp_path_factory.mktemp("out") / "mixed.npz"
    args = ["convert", str(mixed), str(out), "--none", "wall", "--json"]
    return CliRunner().invoke(main, args), out


def test_convert_counts_what_became_of_each_file(
    converted: tuple[Result, Path], parsed: Parsed
) -> None:
    result, out = converted
    summary = parsed(result, 3)
    assert set(summary) == {
        "n_items", "n_converted", "n_no_hand", "n_failed", "n_ignored", "stages", "seconds", "out",
        "n_frames", "n_frames_with_hand", "n_dropped", "n_views",
        "conflicts", "conflict_labels", "duplicates",
        "near_empty", "one_class_groups",
    }  # fmt: skip
    assert (summary["n_items"], summary["n_converted"]) == (5, 2)
    assert (summary["n_no_hand"], summary["n_failed"]) == (2, 1)
    assert (summary["n_frames"], summary["n_frames_with_hand"]) == (4, 2)
    assert sum(summary["stages"].values()) == 2
    assert summary["out"] == str(out)
    failed, *notes = result.stderr.splitlines()
    assert failed == "failed: test/fist/broken.jpg: it is a text file, not a picture"
    assert all(line.startswith("note: ") for line in notes)


def test_convert_keeps_labels_splits_and_pictures_without_a_hand(
    converted: tuple[Result, Path],
) -> None:
    data = load_dataset(converted[1])
    assert data.samples.source.tolist() == [
        "test/fist/b.png", "test/wall/wall.png", "train/fist/a.png", "train/wall/wall.png",
    ]  # fmt: skip
    assert data.samples.label.tolist() == ["fist", "none"] * 2
    assert data.samples.split.tolist() == ["test", "test", "train", "train"]
    assert data.has_hand.tolist() == [True, False] * 2
    assert np.isnan(data.image[1]).all()


def test_convert_again_gives_the_same_bytes(
    converted: tuple[Result, Path], mixed: Path, run: Run, tmp_path: Path
) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(mixed, moved)
    run("convert", moved, tmp_path / "again.npz", "--none", "wall")
    assert (tmp_path / "again.npz").read_bytes() == converted[1].read_bytes()


def test_convert_for_people(mixed: Path, run: Run, tmp_path: Path) -> None:
    result = run("convert", mixed / "train", tmp_path / "out.npz", "--max-hands", 2)
    assert result.exit_code == 0
    assert "1 of 2 pictures show a hand (50.0 %)" in result.stdout
    assert "without a hand: 1" in result.stdout
    assert load_dataset(tmp_path / "out.npz").n_hands == 2


def test_info_of_a_dataset(converted: tuple[Result, Path], run: Run, parsed: Parsed) -> None:
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


def test_info_of_a_model(onnx: Path, run: Run, parsed: Parsed) -> None:
    info = parsed(run("info", onnx, "--json"))
    assert (info["type"], info["estimator"], info["labels"]) == ("model", "forest", LABELS)
    assert info["bytes"] == onnx.stat().st_size
    assert info["training"]["groups"] == ["p01", "p02", "p03"]
    text = run("info", onnx).stdout
    assert "4 labels: fist, open_palm, point, victory" in text
    assert "p01" in text


@pytest.mark.parametrize("model", ["forest", "linear", "xgboost"])
def test_train(model: str, npz: Path, run: Run, parsed: Parsed, tmp_path: Path) -> None:
    out = tmp_path / "m.onnx"
    result = run("train", npz, "--model", model, "--out", out, "--json")
    said = parsed(result)
    assert {"model", "seconds", "bytes"} <= set(said)
    assert said["model"] == str(out)
    assert said["bytes"] == out.stat().st_size
    assert (said["n"], said["labels"], said["estimator"]) == (24, LABELS, model)
    assert result.stderr == ""


def test_train_keeps_cross_validated_scores(
    npz: Path, run: Run, parsed: Parsed, tmp_path: Path
) -> None:
    out = tmp_path / "m.onnx"
    said = parsed(run("train", npz, "--model", "linear", "--crossval", "--out", out, "--json"))
    assert said["crossval"]["by"] == "group"
    assert parsed(run("info", out, "--json"))["training"]["crossval"] == said["crossval"]


def test_train_takes_parameters_features_and_seed(npz: Path, run: Run, tmp_path: Path) -> None:
    def train(*args: object) -> bytes:
        out = tmp_path / "m.onnx"
        done = run("train", npz, "--out", out, "--param", "n_estimators=5", *args)
        assert done.exit_code == 0, done.output
        return out.read_bytes()

    plain = train()
    assert train("--seed", 0) == plain
    assert train("--seed", 1) != plain
    assert train("--features", "image, orientation") != plain
    assert json.loads(run("info", tmp_path / "m.onnx", "--json").stdout)["n_features"] == 42


def test_train_leaves_the_test_split_alone(
    converted: tuple[Result, Path], run: Run, refused: Refused, tmp_path: Path
) -> None:
    out = tmp_path / "m.onnx"
    line = refused(run("train", converted[1], "--out", out))
    assert "at least two labels; there is: fist" in line
    line = refused(run("train", converted[1], "--split", "nope", "--out", out))
    assert "no samples in split 'nope'; there is: test, train" in line
    assert not out.exists()


@pytest.mark.parametrize("model", ["forest", "linear", "xgboost"])
def test_crossval(model: str, npz: Path, run: Run, parsed: Parsed) -> None:
    result = parsed(run("crossval", npz, "--model", model, "--json"))
    assert SCORE_KEYS | {"by", "n_groups", "n_no_hand"} <= set(result)
    assert (result["by"], result["n_groups"], result["n"]) == ("group", 3, 24)
    assert result["labels"] == LABELS
    assert np.sum(result["confusion"]) == 24
    assert np.trace(result["confusion"]) / 24 == pytest.approx(result["accuracy"])
    assert result["accuracy"] >= 0.8
    assert set(result["per_class"]["fist"]) == {"precision", "recall", "f1", "support"}


def test_crossval_by_random_and_for_people(npz: Path, run: Run) -> None:
    result = run("crossval", npz, "--model", "linear", "--by", "random", "--folds", 3)
    assert result.exit_code == 0
    assert "linear, cross-validated at random, 3 folds" in result.stdout
    assert "accuracy" in result.stdout
    assert result.stderr == ""


def test_evaluate_uses_the_test_split_and_counts_a_missing_hand(
    converted: tuple[Result, Path], onnx: Path, run: Run, parsed: Parsed, tmp_path: Path
) -> None:
    result = parsed(run("evaluate", onnx, converted[1], "--json"))
    assert SCORE_KEYS | {"n_no_hand"} <= set(result)
    assert (result["n"], result["n_no_hand"]) == (2, 1)
    assert result["per_class"]["none"]["recall"] == 1
    everything = parsed(run("evaluate", onnx, converted[1], "--split", "train", "--json"))
    assert everything["n"] == 2


def test_evaluate_warns_of_scores_that_say_nothing(
    npz: Path, onnx: Path, converted: tuple[Result, Path], run: Run
) -> None:
    assert "trained on exactly this data" in run("evaluate", onnx, npz).stderr
    (line,) = run("evaluate", onnx, converted[1]).stderr.splitlines()
    assert "1 test sample is also in training" in line  # a copy, as it is


def test_evaluate_names_labels_the_model_was_never_taught(
    pictures: Path, subset: Callable[..., Path], npz: Path, run: Run, tmp_path: Path
) -> None:
    out = tmp_path / "two.onnx"
    few = subset({"fist": 6, "point": 6})
    assert run("train", few, "--model", "linear", "--out", out).exit_code == 0
    assert "never taught open_palm, victory" in run("evaluate", out, npz).stderr


def test_predict(onnx: Path, pictures: Path, mixed: Path, run: Run, parsed: Parsed) -> None:
    good, wall = pictures / "fist/fist_p02_1.png", mixed / "train/wall/wall.png"
    broken = mixed / "test/fist/broken.jpg"
    result = run("predict", onnx, good, wall, broken, pictures / "point", "--json")
    rows = parsed(result, 3)
    assert len(rows) == 8
    keys = {"path", "label", "probability", "rotation_deg", "hand", "familiarity"}
    assert all(set(row) == keys for row in rows)
    assert rows[0]["familiarity"] > 0.05
    assert rows[0]["path"] == str(good)
    assert (rows[0]["label"], rows[0]["hand"]) == ("fist", "right")
    assert 0.25 < rows[0]["probability"] <= 1
    assert -180 < rows[0]["rotation_deg"] <= 180
    assert rows[1] == {
        "path": str(wall), "label": "none", "probability": None, "rotation_deg": None, "hand": None,
        "familiarity": None,
    }  # fmt: skip
    assert {row["label"] for row in rows[2:]} == {"point"}
    assert result.stderr.splitlines() == [f"failed: {broken}: it is a text file, not a picture"]


@pytest.mark.parametrize(("command", "option"), [("predict", "--tta"), ("convert", "--augment")])
def test_the_old_name_of_an_option_works_and_is_hidden(
    command: str, option: str, run: Run, refused: Refused
) -> None:
    text = run(command, "--help").stdout
    assert f"{option} K" in text
    assert "--views" not in text
    done = run(command, "no", "no", "--views", 3)
    assert (done.exit_code, "--views" in done.stderr) == (1, False)


def test_tta_answers_as_evaluate_does_on_augmented_copies(
    onnx: Path, pictures: Path, run: Run, parsed: Parsed, tmp_path: Path
) -> None:
    picture = pictures / "fist/fist_p02_1.png"
    (plain,) = parsed(run("predict", onnx, picture, "--json"))
    (seen,) = parsed(run("predict", onnx, picture, "--tta", 3, "--json"))
    (tmp_path / "photos/fist").mkdir(parents=True)
    shutil.copy(picture, tmp_path / "photos/fist")
    assert run("convert", tmp_path / "photos", tmp_path / "v.npz", "--augment", 3).exit_code == 0
    views = load_dataset(tmp_path / "v.npz")
    answers = load_model(onnx).predict_proba(PoseEncoder().encode_samples(views))
    assert len(answers) == 4
    assert seen["probability"] == pytest.approx(answers.mean(axis=0).max(), abs=1e-5)
    assert seen["probability"] != plain["probability"]
    assert (seen["rotation_deg"], seen["hand"]) == (plain["rotation_deg"], plain["hand"])


def test_predict_without_a_hand_is_none_and_no_failure(onnx: Path, mixed: Path, run: Run) -> None:
    result = run("predict", onnx, mixed / "train/wall/wall.png")
    assert result.exit_code == 0
    assert "none" in result.stdout
    assert result.stderr == ""


def test_predict_turns_with_the_picture(
    onnx: Path, pictures: Path, run: Run, parsed: Parsed, tmp_path: Path
) -> None:
    upright = cv2.imread(str(pictures / "open_palm/open_palm_p01_1.png"))
    paths = [tmp_path / "0.png", tmp_path / "90.png", tmp_path / "mirrored.png"]
    versions = [upright, cv2.rotate(upright, cv2.ROTATE_90_CLOCKWISE), upright[:, ::-1]]
    for path, version in zip(paths, versions, strict=True):
        cv2.imwrite(str(path), version)
    plain, turned, mirrored = parsed(run("predict", onnx, *paths, "--json"))
    apart = (turned["rotation_deg"] - plain["rotation_deg"]) % 360
    assert apart == pytest.approx(90, abs=10)
    assert mirrored["rotation_deg"] == pytest.approx(-plain["rotation_deg"], abs=10)
    assert {plain["hand"], mirrored["hand"]} == {"left", "right"}
    assert plain["label"] == turned["label"] == mirrored["label"] == "open_palm"


def test_two_hands_all_the_way(
    mixed: Path,
    pictures: Path,
    onnx: Path,
    run: Run,
    parsed: Parsed,
    refused: Refused,
    tmp_path: Path,
) -> None:
    data, model = tmp_path / "two.npz", tmp_path / "two.onnx"
    assert run("convert", pictures, data, "--max-hands", 2).exit_code == 0
    assert run("train", data, "--model", "linear", "--out", model).exit_code == 0
    hand, wall = pictures / "fist/fist_p01_1.png", mixed / "train/wall/wall.png"
    rows = parsed(run("predict", model, hand, wall, "--json"))
    assert [row["label"] for row in rows] == ["fist", "none"]
    assert "--max-hands 1" in refused(run("evaluate", onnx, data))


def test_sources(run: Run, parsed: Parsed) -> None:
    listed = parsed(run("sources", "--json"))
    assert {row["name"] for row in listed} >= {"images", "hgr1"}
    assert "images" in run("sources").stdout
    one = parsed(run("sources", "images", "--json"))
    assert "--name-pattern" in one["options"]
    assert "--name-pattern" in run("sources", "images").stdout
    assert "--name-pattern" in run("convert", "--help").stdout


def test_weights(run: Run, parsed: Parsed, detector: object) -> None:
    shown = parsed(run("weights", "--json"))
    full = next(row for row in shown["bundles"] if row["landmarker"] == "full")
    assert Path(full["path"]).is_file()
    assert full["path"] in run("weights").stdout
    verified = run("weights", "verify")
    assert verified.exit_code == 0
    assert full["path"] in verified.stdout


def test_weights_that_are_not_the_networks(
    run: Run, refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "fake.task"
    path.write_text("no zip")
    assert "is not a zip file" in refused(run("weights", "fetch", "--from", path))
    assert "cannot read" in refused(run("weights", "fetch", "--from", tmp_path / "missing.whl"))
    monkeypatch.setenv("HANDLORE_LANDMARKER", str(path))
    assert "fake.task" in refused(run("weights"))
    assert "HANDLORE_LANDMARKER" in refused(run("weights", "verify"))


def test_version_and_unknown_command(run: Run) -> None:
    assert run("--version").stdout.strip().endswith(__version__)
    result = run("crosval")
    assert result.exit_code == 2
    assert "Did you mean crossval?" in result.stderr
    assert "Usage: " in run().output


def test_root_help_lists_every_command(run: Run) -> None:
    files = (path.stem for path in Path(handlore.cli.__file__).parent.glob("[a-z]*.py"))
    assert sorted(COMMANDS) == sorted(files)
    text = run("--help").stdout
    assert all(f"  {name} " in text for name in COMMANDS)


@pytest.mark.parametrize("group", GROUPS.values(), ids=list(GROUPS))
def test_summaries_are_the_first_sentence_of_the_help(group: dict[str, str]) -> None:
    found = {name: main.get_command(click.Context(main), name) for name in group}
    assert group == {
        name: f"{command.get_short_help_str(1000).rstrip('.')}."
        for name, command in found.items()
        if command
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_shows_examples(name: str, run: Run) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert "Examples:" in result.stdout
    assert f"  handlore {name}" in result.stdout.split("Examples:")[1]


@pytest.mark.parametrize(
    "args",
    [
        ("convert", "x"),
        ("convert", "x", "y.npz", "--max-hands", "3"),
        ("convert", "x", "y.npz", "--detector", "magic"),
        ("train", "x.npz"),
        ("crossval", "x.npz", "--by", "person"),
        ("crossval", "x.npz", "--folds", "1"),
        ("train", "x.npz", "--out", "y", "--seed", "one"),
        ("predict", "m.onnx"),
        ("info",),
        ("demo", "--people", "1"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2(args: tuple[str, ...], run: Run) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Error: " in result.stderr


def test_param_without_value_is_wrong_usage(npz: Path, run: Run, tmp_path: Path) -> None:
    result = run("train", npz, "--out", tmp_path / "m.onnx", "--param", "n_estimators")
    assert result.exit_code == 2
    assert "NAME=VALUE" in result.stderr


def test_own_networks_serve_training_and_prediction(
    pictures: Path, run: Run, detector: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HANDLORE_LANDMARKER may name networks that are not MediaPipe's own, bit for bit."""
    bundle = find_bundle("full")
    assert bundle is not None
    with zipfile.ZipFile(bundle.path) as own:
        members = {name: own.read(name) + b"\0" for name in own.namelist()}
    (tmp_path / "own.task").write_bytes(aligned_zip(members))
    monkeypatch.setenv("HANDLORE_LANDMARKER", str(tmp_path / "own.task"))
    data, model = tmp_path / "x.npz", tmp_path / "m.onnx"
    assert run("convert", pictures, data).exit_code == 0
    assert run("train", data, "--model", "linear", "--out", model).exit_code == 0
    result = run("predict", model, pictures / "fist/fist_p01_1.png")
    assert result.exit_code == 0, result.stderr
    assert "fist" in result.stdout
