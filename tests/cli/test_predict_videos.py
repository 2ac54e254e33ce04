"""handlore predict on videos and folders of frames."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import cv2
import pytest
from click.testing import CliRunner, Result
from movement_stubs import (
    LABELS,
    Spot,
    pictures_of,
    write_frames,
    write_video,
)

from handlore.cli import main
from handlore.datasets.rendered import write_movement_videos
from handlore.datasets.storage import load_dataset

Run = Callable[..., Result]
Parsed = Callable[..., Any]
Refused = Callable[..., str]
SMALL = ("--param", "n_kernel_features=84", "--param", "n_augmented=0")
SEGMENT_KEYS = {"start", "end", "label", "probability", "hand"}


@pytest.fixture
def spotting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands open a detector that follows a bright spot."""
    monkeypatch.setattr("handlore.cli._common.require_bundle", lambda *_: None)
    monkeypatch.setattr("handlore.cli._common.open_detector", lambda options: nullcontext(Spot()))


def train(*args: object) -> Result:
    return CliRunner().invoke(main, ["train", *map(str, args), *SMALL])


@pytest.mark.usefixtures("spotting")
def test_video(moves: Path, run: Run, parsed: Parsed, tmp_path: Path) -> None:
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
def test_folders_of_frames(moves: Path, run: Run, parsed: Parsed, tmp_path: Path) -> None:
    for label in LABELS:
        write_frames(tmp_path / "all" / label, pictures_of(label))
    rows = parsed(run("predict", moves, tmp_path / "all", "--frame-rate", 15, "--json"))
    assert [Path(row["path"]).name for row in rows] == list(LABELS)
    assert [row["label"] for row in rows] == list(LABELS)
    assert rows[0]["segments"][0]["end"] == pytest.approx(1, abs=0.01)
    (one,) = parsed(run("predict", moves, tmp_path / "all/left", "--frame-rate", 30, "--json"))
    assert one["segments"][0]["end"] == pytest.approx(0.5, abs=0.01)


@pytest.mark.usefixtures("spotting")
def test_long_video(moves: Path, run: Run, parsed: Parsed, tmp_path: Path) -> None:
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
def test_no_hand(moves: Path, run: Run, parsed: Parsed, tmp_path: Path) -> None:
    dark = write_video(tmp_path / "dark.avi", pictures_of(None, seconds=4))
    still = write_video(tmp_path / "still.avi", pictures_of("still"))
    result = run("predict", moves, dark, still, "--json")
    for row in parsed(result):
        assert (row["label"], row["probability"], row["hand"]) == ("none", None, None)
        assert row["segments"] == []
    assert result.stderr == ""
    assert "none" in run("predict", moves, dark).stdout


def test_pose_model(onnx: Path, pictures: Path, run: Run, parsed: Parsed, tmp_path: Path) -> None:
    shown = cv2.imread(str(pictures / "fist/fist_p02_1.png"))
    video = write_video(tmp_path / "v.avi", [shown] * 60)
    (row,) = parsed(run("predict", onnx, video, "--json"))
    (segment,) = row["segments"]
    assert segment["label"] == row["label"] == "fist"
    assert segment["end"] - segment["start"] > 1.5


@pytest.mark.usefixtures("spotting")
def test_rejected_hand(onnx: Path, run: Run, parsed: Parsed, tmp_path: Path) -> None:
    video = write_video(tmp_path / "v.avi", pictures_of("still", seconds=2))
    (row,) = parsed(run("predict", onnx, video, "--json"))
    assert (row["label"], row["segments"]) == ("none", [])


@pytest.mark.usefixtures("spotting")
def test_unreadable_videos(moves: Path, run: Run, parsed: Parsed, tmp_path: Path) -> None:
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


def test_tta_without_pictures(onnx: Path, run: Run, refused: Refused, tmp_path: Path) -> None:
    video = write_video(tmp_path / "left.avi", pictures_of("left"))
    line = refused(run("predict", onnx, video, "--tta", 4))
    assert line == "handlore: --tta is for pictures, and none are named"


def test_not_a_video(moves: Path, clips: Path, run: Run, refused: Refused, tmp_path: Path) -> None:
    picture, folder = tmp_path / "hand.png", tmp_path / "empty"
    cv2.imwrite(str(picture), pictures_of("left")[0])
    folder.mkdir()
    (tmp_path / "notes.txt").write_text("Hallo")
    line = refused(run("predict", moves, picture))
    assert "hand.png is a picture, and the model takes movements; give a video" in line
    assert "--tta is for models of poses" in refused(run("predict", moves, folder, "--views", 2))
    assert "holds no pictures or videos" in refused(run("predict", moves, folder))
    assert "there is no file" in refused(run("predict", moves, tmp_path / "gone.mp4"))
    assert "is a landmark dataset" in refused(run("predict", moves, clips))
    for other in (tmp_path / "notes.txt", moves):
        line = refused(run("predict", moves, other))
        assert f"{other.name} is neither a picture nor a video" in line


@pytest.mark.usefixtures("spotting")
@pytest.mark.parametrize("rate", ["0", "-1", "nan", "inf", "many"])
def test_invalid_frame_rate(rate: str, moves: Path, run: Run, tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "frames", pictures_of("left"))
    result = run("predict", moves, folder, "--frame-rate", rate)
    assert result.exit_code in (1, 2)
    assert result.stdout == ""
    assert "--frame-rate" in result.stderr
    assert isinstance(result.exception, SystemExit)


@pytest.mark.slow
def test_unseen_person(run: Run, parsed: Parsed, tmp_path: Path) -> None:
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
    assert "none" in trained["labels"], "what is between movements is learnt, too"


@pytest.mark.usefixtures("spotting")
def test_a_table_has_a_heading_for_each_column(moves: Path, run: Run, tmp_path: Path) -> None:
    video = write_video(tmp_path / "left.avi", pictures_of("left"))
    heading, _, row = run("predict", moves, video).stdout.splitlines()
    assert heading.split() == ["video", "seconds", "label", "probability", "hand"]
    assert row.split()[-1] in ("left", "right"), "the hand is the last of them"
