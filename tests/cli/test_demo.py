"""The newcomer's first command."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from handlore.cli import main
from handlore.datasets.storage import load_dataset

Run = Callable[..., Result]
Photos = Callable[..., Path]
KEYS = {"convert", "models", "by", "n_groups", "report", "poses", "landmark_error", "seconds"}


def check(summary: dict[str, Any], out: Path) -> None:
    """The demo leaves what it says it leaves."""
    assert set(summary) >= KEYS
    assert [row["model"] for row in summary["models"]][:2] == ["kernel", "forest"]
    for row in summary["models"]:
        assert Path(row["path"]).stat().st_size == row["bytes"]
        assert 0 <= row["accuracy"] <= 1
    assert Path(summary["report"]).read_text("utf-8").startswith("<!doctype html>")
    assert Path(summary["poses"]) == out / "poses.onnx"
    assert Path(summary["poses"]).is_file()
    assert load_dataset(out / "poses.npz").n_samples == summary["convert"]["n_items"]
    assert [path for path in out.rglob("*") if path.name.startswith(".")] == []


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    out = tmp_path_factory.mktemp("demo")
    return CliRunner().invoke(main, ["demo", "--people", "2", "--out", str(out), "--json"]), out


@pytest.mark.slow
def test_demo_on_rendered_hands(demo: tuple[Result, Path]) -> None:
    result, out = demo
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    check(summary, out)
    assert (summary["by"], summary["n_groups"]) == ("group", 2)
    counts = summary["convert"]
    assert counts["n_converted"] >= 0.95 * counts["n_items"]
    assert counts["n_items"] >= 10 * 2
    assert summary["landmark_error"] < 0.1
    assert max(row["accuracy"] for row in summary["models"]) >= 0.9
    assert "Landmark error" in (out / "report.html").read_text("utf-8")
    assert "Movements" in (out / "report.html").read_text("utf-8")
    moving = summary["movements"]
    assert moving["convert"]["n_converted"] == moving["convert"]["n_items"] >= 6 * 2
    assert [row["model"] for row in moving["models"]] == ["rocket"]
    assert moving["models"][0]["accuracy"] >= 0.8


@pytest.mark.slow
def test_the_model_of_the_demo_works(demo: tuple[Result, Path], run: Run) -> None:
    result, out = demo
    example = json.loads(result.stdout)["try"]
    said = run("predict", out / "poses.onnx", example, "--json")
    assert json.loads(said.stdout)[0]["label"] == Path(example).parent.name


@pytest.mark.slow
def test_demo_again_with_fewer_people(demo: tuple[Result, Path], run: Run) -> None:
    """Pictures of an earlier run with more people may still lie in the folder."""
    result, out = demo
    left_over = Path(json.loads(result.stdout)["try"])
    shutil.copy(left_over, left_over.with_name("call_p09_1.png"))
    again = run("demo", "--people", 2, "--out", out, "--json")
    assert again.exit_code == 0, repr(again.exception)
    assert json.loads(again.stdout)["landmark_error"] < 0.1


@pytest.mark.slow
def test_demo_on_own_photos(run: Run, photos: Photos, tmp_path: Path) -> None:
    folder = photos(["fist", "point", "victory"], each=6)
    (folder / "fist" / "broken.jpg").write_text("x")
    before = sorted(folder.rglob("*"))
    out = tmp_path / "out"
    result = run("demo", "--data", folder, "--out", out, "--json")
    assert result.exit_code == 3
    assert "failed: fist/broken.jpg" in result.stderr
    summary = json.loads(result.stdout)
    check(summary | {"convert": summary["convert"] | {"n_items": 18}}, out)
    assert summary["by"] == "random"
    assert summary["landmark_error"] is None
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("each", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_demo_on_a_handful_of_photos(each: int, run: Run, photos: Photos, tmp_path: Path) -> None:
    """The first thing a newcomer tries: a few photos of two gestures."""
    folder = photos(["fist", "point"], each=each)
    result = run("demo", "--data", folder, "--out", tmp_path / "out")
    assert result.exit_code == 0, repr(result.exception)
    assert "accuracy" in result.stdout
    assert f" predict {tmp_path / 'out' / 'poses.onnx'}" in result.stdout
    assert result.stdout.endswith(f" live {tmp_path / 'out' / 'poses.onnx'}\n")


@pytest.mark.parametrize(
    "name",
    [
        "ok/1.jpg",
        "pictures/fist/me.jpg",
        "videos/wave/clip.mp4",
        "pictures/fist/ok_p01_1.png",
        "truth.npz",
        "poses.onnx",
        "notes.txt",
    ],
)
def test_a_folder_of_other_files_is_refused(name: str, run: Run, refused, tmp_path: Path) -> None:
    """Neither are rendered hands mixed into photos, nor is the model of a user replaced."""
    out = tmp_path / "out"
    (out / name).parent.mkdir(parents=True)
    (out / name).write_text("mine")
    line = refused(run("demo", "--out", out))
    assert f"{out} holds other files, such as {name}; give" in line
    assert "give a new folder with --out" in line
    assert [path.read_text() for path in out.rglob("*") if path.is_file()] == ["mine"]


def test_the_photos_themselves_are_no_output(run: Run, refused, photos: Photos) -> None:
    folder = photos(["fist", "point"])
    assert "holds other files" in refused(run("demo", "--data", folder, "--out", folder))


def test_a_demo_is_repeated(run: Run, photos: Photos, tmp_path: Path) -> None:
    """Also beside what the rendered hands of another demo left, and files of the system."""
    folder, out = photos(["fist", "point"]), tmp_path / "out"
    assert run("demo", "--data", folder, "--out", out).exit_code == 0
    for name in (
        "pictures/truth.npz",
        "pictures/fist/fist_p01_1.png",
        "videos/wave/wave_p01_1.mp4",
    ):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).touch()
    (out / ".DS_Store").touch()
    again = run("demo", "--data", folder, "--out", out)
    assert again.exit_code == 0, again.output


@pytest.mark.slow
def test_the_movement_model_of_the_demo_works(demo: tuple[Result, Path], run: Run) -> None:
    result, out = demo
    example = json.loads(result.stdout)["movements"]["try"]
    (said,) = json.loads(run("predict", out / "moves.onnx", example, "--json").stdout)
    assert said["label"] == Path(example).parent.name
    assert said["segments"][0]["end"] > said["segments"][0]["start"]
