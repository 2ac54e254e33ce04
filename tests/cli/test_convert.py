"""``handlore convert``."""

import re
import shlex
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import Result
from PIL import Image

from handlore.cli import convert
from handlore.datasets.storage import load_dataset
from handlore.models.files import load_model

Run = Callable[..., Result]
Parsed = Callable[..., Any]
Photos = Callable[..., Path]
Refused = Callable[..., str]
SMALL = ("--param", "n_kernel_features=84", "--param", "n_augmented=0")


def test_counts(converted: tuple[Result, Path], parsed: Parsed) -> None:
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
    lines = result.stderr.splitlines()
    (failed,) = (line for line in lines if not line.startswith("note: "))
    assert failed == "failed: test/fist/broken.jpg: it is a text file, not a picture"
    assert lines[0] == "note: read as images: 5 samples of 2 labels: fist (3), none (2)"


def test_labels_splits_and_pictures_without_a_hand(
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


@pytest.mark.parametrize(("n", "said"), [(1, "stopped; no incomplete"), (16, "16 of 24 are kept")])
def test_ctrl_c_is_answered_once(
    n: int, said: str, pictures: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is kept is said; that nothing is incomplete only where nothing is."""

    def stop(done: int, _total: int) -> None:
        if done >= n:
            raise KeyboardInterrupt

    monkeypatch.setattr(convert, "progress", lambda _: nullcontext(stop))
    done = run("convert", pictures, tmp_path / "out.npz", "--jobs", 1, "--stages", 1)
    assert done.exit_code == 130
    lines = [line for line in done.stderr.splitlines() if line and not line.startswith("note: ")]
    assert len(lines) == 1, lines
    assert said in lines[0]


def test_same_bytes_again(
    converted: tuple[Result, Path], mixed: Path, run: Run, tmp_path: Path
) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(mixed, moved)
    run("convert", moved, tmp_path / "again.npz", "--none", "wall")
    assert (tmp_path / "again.npz").read_bytes() == converted[1].read_bytes()


def test_text(mixed: Path, run: Run, tmp_path: Path) -> None:
    result = run("convert", mixed / "train", tmp_path / "out.npz", "--max-hands", 2)
    assert result.exit_code == 0
    assert "1 of 2 pictures show a hand (50.0 %)" in result.stdout
    assert "without a hand: 1" in result.stdout
    assert load_dataset(tmp_path / "out.npz").n_hands == 2


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_conflicting_labels(run, parsed, photos, tmp_path, jobs):
    folder = photos(["fist", "point"])
    (folder / "copy").mkdir()
    for picture in (folder / "fist").iterdir():
        (folder / "copy" / picture.name).write_bytes(picture.read_bytes())
    result = run("convert", folder, tmp_path / "a.npz", "--json", "--jobs", jobs)
    summary = parsed(result)
    assert (summary["conflicts"], summary["n_dropped"], summary["n_converted"]) == (4, 0, 6)
    assert summary["conflict_labels"][0]["labels"] == ["copy", "fist"]
    assert "4 identical items are under two labels" in result.stderr
    assert "--drop-conflicts" in result.stderr
    assert parsed(run("info", tmp_path / "a.npz", "--json"))["conflicts"] == 4
    assert "copy = fist (4)" in run("info", tmp_path / "a.npz").stdout

    summary = parsed(run("convert", folder, tmp_path / "b.npz", "--json", "--drop-conflicts"))
    assert (summary["conflicts"], summary["n_dropped"], summary["n_converted"]) == (4, 4, 2)
    parts = ("n_converted", "n_no_hand", "n_dropped")
    assert summary["n_items"] == sum(summary[part] for part in parts)
    shown = parsed(run("info", tmp_path / "b.npz", "--json"))
    assert list(shown["labels"]) == ["point"]
    assert shown["conflicts"] == 0
    assert "dropped: 4 pictures under two labels (copy = fist: 4)" in str(shown)


def test_all_labels_in_conflict(run, photos, tmp_path):
    folder = photos(["fist"], each=1)
    (folder / "copy").mkdir()
    for picture in (folder / "fist").iterdir():
        (folder / "copy" / picture.name).write_bytes(picture.read_bytes())
    result = run("convert", folder, tmp_path / "a.npz", "--drop-conflicts")
    assert result.exit_code == 1
    assert "--drop-conflicts leaves nothing" in result.stderr


def test_label_without_hands_is_suggested_as_none(run, photos, tmp_path):
    folder = photos(["fist", "point"], each=1)
    (folder / "idle").mkdir()
    cv2.imwrite(str(folder / "idle" / "wall.png"), np.full((200, 300, 3), 180, np.uint8))
    hint = "note: if idle means no gesture, add --none NAME"
    assert hint in run("convert", folder, tmp_path / "a.npz").stderr.splitlines()
    assert "--none" not in run("convert", folder, tmp_path / "b.npz", "--none", "idle").stderr


def test_silhouettes_are_said_to_take_long(run, photos, tmp_path):
    hint = "note: silhouettes take about a second each"
    for label, axes in (("fist", (30, 30)), ("point", (50, 20))):
        (tmp_path / "masks" / label).mkdir(parents=True)
        mask = cv2.ellipse(np.zeros((200, 200), np.uint8), (100, 100), axes, 0, 0, 360, 255, -1)
        cv2.imwrite(str(tmp_path / "masks" / label / "1.png"), mask)
    shown = run("convert", tmp_path / "masks", tmp_path / "a.npz").stderr.splitlines()
    assert hint in shown
    shown = run("convert", photos(["fist", "point"], each=1), tmp_path / "b.npz").stderr
    assert hint not in shown


def test_animated_gif_among_photos(run, photos, tmp_path):
    folder = photos(["fist", "point"])
    (picture, still) = sorted((folder / "fist").iterdir())
    frame = Image.open(picture)
    frame.save(folder / "fist" / "wave.gif", save_all=True, append_images=[frame.rotate(20)])
    Image.open(still).save(folder / "fist" / "still.gif")
    result = run("convert", folder, tmp_path / "a.npz")
    assert "animated GIFs only the first frame is read: 1, such as fist/wave.gif" in result.stderr
    log = load_dataset(tmp_path / "a.npz").header.log
    assert any("fist/wave.gif" in line for line in log)


@pytest.mark.slow
def test_conflicting_labels_in_real_data(real_data, run, parsed, tmp_path):
    result = run("convert", real_data / "drone_poses", tmp_path / "a.npz", "--json")
    summary = parsed(result)
    assert summary["conflict_labels"][0]["labels"] == ["further", "land"]
    assert summary["conflicts"] == summary["conflict_labels"][0]["n"] == 24
    trained = run("train", tmp_path / "a.npz", "--out", tmp_path / "m.onnx")
    assert "24 identical items are under two labels or more: further = land (24)" in trained.stderr


def test_recordings_train_the_same_model(
    gestures: Path, gesture_model: Path, run: Run, tmp_path: Path, parsed: Parsed
) -> None:
    out = tmp_path / "gesture_model.npz"
    done = run("convert", gestures, out)
    assert done.exit_code == 0, done.output
    assert "recognised as recordings; it also fits recordings-poses" in done.stderr
    assert load_dataset(out).header.detector is not None
    model = tmp_path / "again.onnx"
    run("train", out, "--out", model, *SMALL)
    # The files differ only in where their data are.
    one, other = (load_model(path) for path in (model, gesture_model))
    facts = [{**each.card.training, "data": None} for each in (one, other)]
    assert replace(one.card, training={}) == replace(other.card, training={})
    assert facts[0] == facts[1]
    X = one.encoder.encode_samples(load_dataset(out))
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))


def test_an_archive_is_converted_in_place(
    run: Run, parsed: Parsed, photos: Photos, tmp_path: Path
) -> None:
    folder = photos(["fist", "point"], each=1)
    (tmp_path / "out").mkdir()
    packed = shutil.make_archive(str(tmp_path / "out" / "hands"), "zip", folder.parent, folder.name)
    found = parsed(run("convert", packed, "--dry-run", "--json"))
    assert found["labels"] == {"fist": 1, "point": 1}
    summary = parsed(run("convert", packed, tmp_path / "out" / "hands.npz", "--json"))
    assert (summary["n_items"], summary["n_converted"]) == (2, 2)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["hands.npz", "hands.zip"]


def test_unclear_labels_are_refused_with_commands_that_work(
    run: Run, refused: Refused, photos: Photos, tmp_path: Path
) -> None:
    folder = photos(["fist", "point"], each=2)
    (tmp_path / "out").mkdir()
    for picture in list(folder.rglob("*.png")):
        picture.rename(folder / f"{picture.parent.name}-{picture.stem[-1]}.png")
    for label in ("fist", "point"):
        (folder / label).rmdir()
    (folder / "images").mkdir()
    for picture in list(folder.glob("*.png")):
        picture.rename(folder / "images" / picture.name)
    line = refused(run("convert", folder, tmp_path / "out" / "x.npz"))
    first, second = re.findall(r"`handlore (.*?)`", line)
    assert "labels fist, point" in line
    assert run(*shlex.split(first)).exit_code == 0
    assert load_dataset(tmp_path / "out" / "x.npz").labels == ["fist", "point"]
    assert run(*shlex.split(second)).exit_code == 0
