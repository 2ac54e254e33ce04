"""Every command on movements: from data to timed segments of a video."""

import re
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from movement_stubs import (
    LABELS,
    Spot,
    clip,
    dataset_of,
    movements,
    pictures_of,
    two_handed,
    write_frames,
    write_video,
)

from handlore.cli import main
from handlore.datasets.rendered import write_movement_videos
from handlore.datasets.storage import load_dataset, save_dataset

Run = Callable[..., Result]
Parsed = Callable[..., Any]
Refused = Callable[..., str]
SMALL = ("--param", "n_kernel_features=300", "--param", "n_augmented=1")
SEGMENT_KEYS = {"start", "end", "label", "probability", "hand"}


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "clips.npz"
    data = movements(labels=(*LABELS, "still"))
    labels = np.where(data.samples.label == "still", "none", data.samples.label)
    save_dataset(replace(data, samples=replace(data.samples, label=labels)), path)
    return path


@pytest.fixture(scope="module")
def moves(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small rocket, trained on them by the command."""
    path = tmp_path_factory.mktemp("models") / "moves.onnx"
    args = ["train", clips, "--out", path, *SMALL]
    done = CliRunner().invoke(main, [str(arg) for arg in args])
    assert done.exit_code == 0, done.output
    return path


@pytest.fixture
def spotting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands open a detector that follows a bright spot."""
    monkeypatch.setattr("handlore.cli._common.require_bundle", lambda *_: None)
    monkeypatch.setattr(
        "handlore.cli._common.open_detector", lambda options: nullcontext(Spot())
    )


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    def save(dataset: Any) -> Path:
        save_dataset(dataset, tmp_path / "some.npz")
        return tmp_path / "some.npz"

    return save


def train(*args: object) -> Result:
    return CliRunner().invoke(main, ["train", *map(str, args), *SMALL])


# Train, crossval, evaluate, info


def test_train_takes_rocket_for_movements(clips: Path, parsed: Parsed, tmp_path: Path) -> None:
    out = tmp_path / "m.onnx"
    result = train(clips, "--out", out, "--json")
    said = parsed(result)
    assert (said["n"], said["estimator"]) == (32, "rocket")
    assert said["labels"] == sorted([*LABELS, "none"])
    assert said["bytes"] == out.stat().st_size
    assert result.stderr == ""


def test_mirrored_labels_are_learnt_and_remembered(
    clips: Path, run: Run, parsed: Parsed, tmp_path: Path
) -> None:
    out = tmp_path / "m.onnx"
    assert train(clips, "--out", out, "--mirror-labels", "left=right").exit_code == 0
    info = parsed(run("info", out, "--json"))
    assert info["training"]["params"]["mirror_labels"] == "left=right"


def test_blends_are_trained_and_cross_validated_by_their_names(
    clips: Path, npz: Path, run: Run, parsed: Parsed, tmp_path: Path
) -> None:
    pytest.importorskip("torch", reason="needs the extra temporal")
    params = ("--param", "tcn.epochs=2", "--param", "rocket.n_kernel_features=300")
    blend, out = ("--model", "rocket+tcn", *params), tmp_path / "m.onnx"
    said = parsed(run("train", clips, "--out", out, *blend, "--json"))
    assert said["estimator"] == "rocket+tcn"
    assert parsed(run("evaluate", out, clips, "--json"))["accuracy"] > 0.8
    assert parsed(run("crossval", clips, *blend, "--folds", 2, "--json"))["n"] == 32
    poses = run("train", npz, "--model", "forest+linear", "--param", "n_estimators=5", "--out", out)
    assert poses.exit_code == 0, poses.output


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        (("--mirror-labels", "left=up"), "name up; known labels: circle, left, none, right"),
        (("--mirror-labels", "left"), "expected pairs of different labels such as left=right"),
        (("--model", "forest"), "holds movements (clips), but the classifier takes poses"),
        (("--model", "forest", "--mirror-labels", "a=b"), "forest has no parameter"),
        (("--model", "roket"), "did you mean rocket?"),
        (("--model", "rocket+forest"), "mixes models of poses with models of movements"),
        (("--model", "forest+linear"), "holds movements (clips), but the classifier takes poses"),
        (("--param", "n_augmented=-1"), "n_augmented is -1, expected 0 to"),
        (("--param", "n_augmented=some"), "n_augmented is 'some', expected a number"),
        (("--param", "n_kernel_features=4e9"), "n_kernel_features is 4000000000, expected 1 to"),
        (("--split", "test"), "no samples in split 'test'"),
    ],
)
def test_what_cannot_be_trained_is_told_in_a_line(
    args: tuple[str, ...], problem: str, clips: Path, run: Run, refused: Refused, tmp_path: Path
) -> None:
    out = tmp_path / "m.onnx"
    assert problem in refused(run("train", clips, "--out", out, *args))
    assert not out.exists()


def test_features_are_those_of_poses(
    clips: Path, run: Run, refused: Refused, tmp_path: Path
) -> None:
    for command in (("train", clips, "--out", tmp_path / "m.onnx"), ("crossval", clips)):
        line = refused(run(*command, "--features", "image"))
        assert "--features" in line
        assert "movements" in line


def test_movements_without_depth_are_told(
    saved: Callable[..., Path], run: Run, refused: Refused, tmp_path: Path
) -> None:
    data = movements(2, 1)
    flat = data.image.copy()
    flat[..., 2] = np.nan
    path = saved(replace(data, image=flat))
    assert "z is missing" in refused(run("train", path, "--out", tmp_path / "m.onnx"))
    assert "z is missing" in refused(run("crossval", path))


def test_crossval(clips: Path, run: Run, parsed: Parsed) -> None:
    result = run("crossval", clips, *SMALL, "--folds", 2, "--json")
    scores = parsed(result)
    assert (scores["model"], scores["by"], scores["n_folds"]) == ("rocket", "group", 2)
    assert (scores["n"], scores["n_groups"]) == (32, 4)
    assert scores["accuracy"] > 0.8
    assert result.stderr == ""


def test_crossval_where_a_fold_has_not_all_mirrored_labels(
    saved: Callable[..., Path], run: Run, parsed: Parsed
) -> None:
    data = movements(3, 1, labels=("circle", "left"))
    labels = data.samples.label.astype("<U9")
    labels[1] = "right"
    path = saved(replace(data, samples=replace(data.samples, label=labels)))
    mirrored = ("--mirror-labels", "left=right")
    assert parsed(run("crossval", path, *SMALL, *mirrored, "--json"))["n"] == 6


def test_evaluate(moves: Path, saved: Callable[..., Path], run: Run, parsed: Parsed) -> None:
    others = movements(3, 1, labels=("left", "right", "up"), seed=5)
    names = np.array([f"new{group}" for group in others.samples.group])
    others = replace(others, samples=replace(others.samples, group=names))
    result = run("evaluate", moves, saved(others), "--json")
    scores = parsed(result)
    assert scores["n"] == 9
    assert scores["per_class"]["left"]["recall"] == scores["per_class"]["right"]["recall"] == 1
    assert "does not know up" in result.stderr


def test_a_clip_without_a_hand_is_none(
    moves: Path, saved: Callable[..., Path], run: Run, parsed: Parsed
) -> None:
    image, side, time = clip("left")
    lost = (np.full_like(image, np.nan), np.full_like(side, np.nan), time)
    data = dataset_of([lost, lost, clip("right")], ["none", "left", "right"])
    scores = parsed(run("evaluate", moves, saved(data), "--json"))
    assert (scores["n"], scores["n_no_hand"]) == (3, 2)
    assert scores["accuracy"] == pytest.approx(2 / 3)


def test_scores_are_not_called_pictures(moves: Path, clips: Path, run: Run) -> None:
    result = run("evaluate", moves, clips)
    assert "32 clips of 4 labels" in result.stdout
    assert "trained on exactly this data" in result.stderr


def test_wrong_kinds_are_told_in_a_line(
    moves: Path,
    onnx: Path,
    npz: Path,
    clips: Path,
    saved: Callable[..., Path],
    run: Run,
    refused: Refused,
    tmp_path: Path,
) -> None:
    out = tmp_path / "m.onnx"
    assert "holds poses" in refused(run("evaluate", moves, npz))
    assert "holds movements" in refused(run("evaluate", onnx, clips))
    assert "holds poses" in refused(run("train", npz, "--model", "rocket", "--out", out))
    assert "holds poses" in refused(run("crossval", npz, "--model", "rocket"))
    assert "kind is pose in one" in refused(run("train", npz, clips, "--out", out))
    assert "--max-hands 1" in refused(run("evaluate", moves, saved(two_handed(movements(1, 1)))))
    assert not out.exists()


def test_info_of_a_model(moves: Path, run: Run, parsed: Parsed) -> None:
    info = parsed(run("info", moves, "--json"))
    assert (info["type"], info["kind"], info["estimator"]) == ("model", "sequence", "rocket")
    assert info["n_timepoints"] == 32
    assert len(info["seconds"]) == 3
    text = run("info", moves).stdout
    assert "a movement model, rocket" in text
    assert "4 labels: circle, left, none, right" in text
    assert re.search(r"clips of 0\.\d to 1\.\d s, resampled to 32 points in time", text)
    assert "features:" not in text


def test_info_of_data(clips: Path, run: Run, parsed: Parsed) -> None:
    info = parsed(run("info", clips, "--json"))
    assert (info["kind"], info["n_samples"]) == ("sequence", 32)
    assert run("info", clips).exit_code == 0


# Predict


@pytest.mark.usefixtures("spotting")
def test_predict_a_video(moves: Path, run: Run, parsed: Parsed, tmp_path: Path) -> None:
    videos = [write_video(tmp_path / f"{label}.avi", pictures_of(label)) for label in LABELS]
    rows = parsed(run("predict", moves, *videos, "--json"))
    assert [row["path"] for row in rows] == list(map(str, videos))
    assert [row["label"] for row in rows] == list(LABELS)
    for row in rows:
        assert set(row) == {"path", "label", "probability", "rotation_deg", "hand", "segments"}
        (segment,) = row["segments"]
        assert set(segment) == SEGMENT_KEYS
        assert (segment["start"], segment["hand"]) == (0, "right")
        assert segment["end"] == pytest.approx(1, abs=0.1)
        assert segment["probability"] == row["probability"]
        assert 0.3 < row["probability"] <= 1
    text = run("predict", moves, tmp_path).stdout
    assert "0.00 - 1.00" in text
    assert all(label in text for label in LABELS)


@pytest.mark.usefixtures("spotting")
def test_predict_folders_of_frames(moves: Path, run: Run, parsed: Parsed, tmp_path: Path) -> None:
    for label in LABELS:
        write_frames(tmp_path / "all" / label, pictures_of(label))
    rows = parsed(run("predict", moves, tmp_path / "all", "--frame-rate", 15, "--json"))
    assert [Path(row["path"]).name for row in rows] == list(LABELS)
    assert [row["label"] for row in rows] == list(LABELS)
    assert rows[0]["segments"][0]["end"] == pytest.approx(1, abs=0.01)
    (one,) = parsed(run("predict", moves, tmp_path / "all/left", "--frame-rate", 30, "--json"))
    assert one["segments"][0]["end"] == pytest.approx(0.5, abs=0.01)


@pytest.mark.usefixtures("spotting")
def test_predict_a_long_video(moves: Path, run: Run, parsed: Parsed, tmp_path: Path) -> None:
    nothing = pictures_of(None, seconds=1)
    video = write_video(
        tmp_path / "long.avi",
        [*nothing, *pictures_of("left"), *nothing, *nothing, *pictures_of("right"), *nothing],
    )
    (row,) = parsed(run("predict", moves, video, "--json"))
    assert [segment["label"] for segment in row["segments"]] == ["left", "right"]
    first, second = row["segments"]
    assert first["start"] == pytest.approx(1, abs=0.5)
    assert first["end"] == pytest.approx(2, abs=0.5)
    assert second["start"] == pytest.approx(4.2, abs=0.5)
    assert row["label"] in ("left", "right")
    lines = [line for line in run("predict", moves, video).stdout.splitlines() if "long" in line]
    assert len(lines) == 2


@pytest.mark.usefixtures("spotting")
def test_no_hand_is_none_and_no_failure(
    moves: Path, run: Run, parsed: Parsed, tmp_path: Path
) -> None:
    dark = write_video(tmp_path / "dark.avi", pictures_of(None, seconds=4))
    still = write_video(tmp_path / "still.avi", pictures_of("still"))
    result = run("predict", moves, dark, still, "--json")
    for row in parsed(result):
        assert (row["label"], row["probability"], row["hand"]) == ("none", None, None)
        assert row["segments"] == []
    assert result.stderr == ""
    assert "none" in run("predict", moves, dark).stdout


def test_a_pose_model_tells_what_a_video_shows_when(
    onnx: Path, pictures: Path, run: Run, parsed: Parsed, tmp_path: Path
) -> None:
    shown = cv2.imread(str(pictures / "fist/fist_p02_1.png"))
    video = write_video(tmp_path / "v.avi", [shown] * 60)
    (row,) = parsed(run("predict", onnx, video, "--json"))
    (segment,) = row["segments"]
    assert segment["label"] == row["label"] == "fist"
    assert segment["end"] - segment["start"] > 1.5


@pytest.mark.usefixtures("spotting")
def test_a_hand_like_none_that_was_taught_gives_nothing(
    onnx: Path, run: Run, parsed: Parsed, tmp_path: Path
) -> None:
    video = write_video(tmp_path / "v.avi", pictures_of("still", seconds=2))
    (row,) = parsed(run("predict", onnx, video, "--json"))
    assert (row["label"], row["segments"]) == ("none", [])


@pytest.mark.usefixtures("spotting")
def test_good_videos_are_told_beside_bad_ones(
    moves: Path, run: Run, parsed: Parsed, tmp_path: Path
) -> None:
    good = write_video(tmp_path / "good.avi", pictures_of("left"))
    (tmp_path / "text.mp4").write_text("not a video")
    (tmp_path / "empty.mp4").touch()
    folder = write_frames(tmp_path / "frames", pictures_of("left"))
    (folder / "frame_3.png").write_bytes(b"no picture")
    bad = [tmp_path / "text.mp4", tmp_path / "empty.mp4", folder]
    result = run("predict", moves, good, *bad, "--json")
    (row,) = parsed(result, 3)
    assert row["label"] == "left"
    lines = result.stderr.splitlines()
    assert [line.split(": ")[:2] for line in lines] == [["failed", str(path)] for path in bad]
    result = run("predict", moves, *bad, "--json")
    assert parsed(result, 1) == []


def test_what_is_no_video_is_told_in_a_line(
    moves: Path, clips: Path, run: Run, refused: Refused, tmp_path: Path
) -> None:
    picture, folder = tmp_path / "hand.png", tmp_path / "empty"
    cv2.imwrite(str(picture), pictures_of("left")[0])
    folder.mkdir()
    (tmp_path / "notes.txt").write_text("Hallo")
    line = refused(run("predict", moves, picture))
    assert "hand.png is a picture, and the model takes movements; give a video" in line
    assert "--tta is for models of poses" in refused(run("predict", moves, folder, "--views", 2))
    assert "holds no pictures or videos" in refused(run("predict", moves, folder))
    assert "there is no file" in refused(run("predict", moves, tmp_path / "gone.mp4"))
    for other in (clips, tmp_path / "notes.txt", moves):
        line = refused(run("predict", moves, other))
        assert f"{other.name} is neither a picture nor a video" in line


@pytest.mark.usefixtures("spotting")
@pytest.mark.parametrize("rate", ["0", "-1", "nan", "inf", "many"])
def test_a_frame_rate_that_is_none(rate: str, moves: Path, run: Run, tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "frames", pictures_of("left"))
    result = run("predict", moves, folder, "--frame-rate", rate)
    assert result.exit_code in (1, 2)
    assert result.stdout == ""
    assert "--frame-rate" in result.stderr
    assert isinstance(result.exception, SystemExit)


# Real detectors and data


@pytest.mark.slow
def test_from_rendered_videos_to_an_unseen_person(run: Run, parsed: Parsed, tmp_path: Path) -> None:
    chosen = ("grab", "swipe_left", "swipe_right")
    videos = write_movement_videos(tmp_path / "videos", movements=chosen, n_people=4,
                                   per_movement=2, fps=15, size=(240, 240))  # fmt: skip
    last = [video for video in videos if "_p04_" in video.name]
    for video in last:
        video.rename(tmp_path / video.name)
    data, model = tmp_path / "clips.npz", tmp_path / "m.onnx"
    pattern = r"_(?P<group>p\d+)_\d+\.mp4$"
    done = run("convert", tmp_path / "videos", data, "--detector", "litert",
               "--name-pattern", pattern, "--json")  # fmt: skip
    assert parsed(done)["n_converted"] == 18
    assert load_dataset(data).header.kind == "sequence"
    pairs = ("--mirror-labels", "swipe_left=swipe_right")
    assert run("train", data, "--out", model, *pairs).exit_code == 0
    seen = [tmp_path / video.name for video in last]
    rows = parsed(run("predict", model, *seen, "--detector", "litert", "--json"))
    assert [row["label"] for row in rows] == [video.parent.name for video in last]
    assert all(len(row["segments"]) == 1 for row in rows)


@pytest.mark.slow
def test_recorded_commands(real_data: Path, run: Run, parsed: Parsed, tmp_path: Path) -> None:
    source, data, model = real_data / "mp_drone9", tmp_path / "drone.npz", tmp_path / "m.onnx"
    if not source.is_dir():
        pytest.skip(f"there is no {source}")
    assert run("convert", source, data, "--none", "idle").exit_code == 0
    scores = parsed(run("crossval", data, "--by", "random", "--folds", 3, "--json"))
    assert (scores["n"], scores["n_no_hand"]) == (270, 30)
    assert scores["accuracy"] > 0.9
    assert scores["per_class"]["none"]["recall"] == 1
    trained = parsed(run("train", data, "--mirror-labels", "left=right", "--out", model, "--json"))
    assert trained["n"] == 240
    assert "none" in trained["labels"], "what lies between movements is learnt, too"
