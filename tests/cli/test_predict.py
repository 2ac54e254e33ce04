"""handlore predict on pictures."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import Result

import handlore
from handlore.datasets.storage import load_dataset
from handlore.models.encoders import PoseEncoder
from handlore.models.files import load_model

Run = Callable[..., Result]
Parsed = Callable[..., Any]
Refused = Callable[..., str]


def test_pictures(onnx: Path, pictures: Path, mixed: Path, run: Run, parsed: Parsed) -> None:
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


def test_tta_equals_the_mean_over_augmented_copies(
    onnx: Path, pictures: Path, run: Run, parsed: Parsed, tmp_path: Path
) -> None:
    picture = pictures / "fist/fist_p02_1.png"
    (plain,) = parsed(run("predict", onnx, picture, "--json"))
    (seen,) = parsed(run("predict", onnx, picture, "--tta", 3, "--json"))
    (tmp_path / "photos/fist").mkdir(parents=True)
    shutil.copy(picture, tmp_path / "photos/fist")
    copies = ("--label", "fist", "--augment", 3)
    assert run("convert", tmp_path / "photos", tmp_path / "v.npz", *copies).exit_code == 0
    views = load_dataset(tmp_path / "v.npz")
    answers = load_model(onnx).predict_proba(PoseEncoder().encode_samples(views))
    assert len(answers) == 4
    assert seen["probability"] == pytest.approx(answers.mean(axis=0).max(), abs=1e-5)
    assert seen["probability"] != plain["probability"]
    assert (seen["rotation_deg"], seen["hand"]) == (plain["rotation_deg"], plain["hand"])


def test_no_hand(onnx: Path, mixed: Path, run: Run) -> None:
    result = run("predict", onnx, mixed / "train/wall/wall.png")
    assert result.exit_code == 0
    assert "none" in result.stdout
    assert result.stderr == ""


def test_rotation(onnx: Path, pictures: Path, run: Run, parsed: Parsed, tmp_path: Path) -> None:
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


def test_two_hands(
    mixed: Path,
    photos: Callable[..., Path],
    onnx: Path,
    run: Run,
    parsed: Parsed,
    refused: Refused,
    tmp_path: Path,
) -> None:
    data, model = tmp_path / "two.npz", tmp_path / "two.onnx"
    folder = photos(["fist", "point"])
    assert run("convert", folder, data, "--max-hands", 2).exit_code == 0
    assert run("train", data, "--model", "linear", "--out", model).exit_code == 0
    hand, wall = next((folder / "fist").iterdir()), mixed / "train/wall/wall.png"
    rows = parsed(run("predict", model, hand, wall, "--json"))
    assert [row["label"] for row in rows] == ["fist", "none"]
    assert "--max-hands 1" in refused(run("evaluate", onnx, data))


def test_both_hands_of_a_picture_and_one_that_is_chosen(
    onnx: Path, pictures: Path, run: Run, parsed: Parsed, tmp_path: Path
) -> None:
    fist = cv2.imread(str(pictures / "fist/fist_p02_1.png"))
    point = cv2.flip(cv2.imread(str(pictures / "point/point_p02_1.png")), 1)
    small = cv2.resize(point, None, fx=0.7, fy=0.7)
    canvas = np.full((fist.shape[0], 2 * fist.shape[1], 3), fist[0, 0], np.uint8)
    canvas[:, : fist.shape[1]] = fist
    canvas[: small.shape[0], fist.shape[1] : fist.shape[1] + small.shape[1]] = small
    picture = tmp_path / "two.png"
    cv2.imwrite(str(picture), canvas)
    both = parsed(run("predict", onnx, picture, "--max-hands", 2, "--json"))
    assert len(both) == 2
    assert {one["label"] for one in both} == {"fist", "point"}
    assert {one["hand"] for one in both} == {"left", "right"}
    for choice in ("largest", "nearest"):
        (one,) = parsed(run("predict", onnx, picture, "--hand", choice, "--json"))
        assert one["label"] == "fist"
    side = next(one["hand"] for one in both if one["label"] == "point")
    (one,) = parsed(run("predict", onnx, picture, "--hand", side, "--json"))
    assert one["label"] == "point"


def test_some_paths_are_missing(onnx: Path, pictures: Path, run: Run, tmp_path: Path) -> None:
    """What can be predicted is, wherever the missing ones are named; they are failures."""
    good, gone, empty = pictures / "fist/fist_p01_1.png", tmp_path / "gone.jpg", tmp_path / "empty"
    empty.mkdir()
    done = run("predict", onnx, gone, good, empty, "--json")
    assert done.exit_code == 3
    assert [one["path"] for one in json.loads(done.stdout)] == [str(good)]
    assert f"failed: {gone}: there is no file\n" in done.stderr
    assert f"failed: {empty}: the folder holds no pictures or videos" in done.stderr
    done = run("predict", onnx, gone, empty)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == f"handlore: there is no file {gone}\n"


def test_a_dataset_is_for_evaluate(onnx: Path, npz: Path, run: Run, refused: Refused) -> None:
    assert "is a landmark dataset, which `handlore evaluate` takes" in refused(
        run("predict", onnx, npz)
    )


def test_one_file_needs_no_list_in_python(onnx: Path, pictures: Path) -> None:
    picture = next(pictures.rglob("*.png"))
    (one,) = handlore.predict_files(handlore.load_model(onnx), str(picture)).predictions
    assert one.path == picture
