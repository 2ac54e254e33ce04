import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path

import cv2
import pytest
from click.testing import Result
from movement_stubs import movements
from report_stubs import EVIL, Outline

from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.storage import save_dataset
from handlore.report.writing import FIGURES

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def evil(dataset: LandmarkDataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset with a label that is HTML."""
    names = dataset.samples.label.astype("<U50")
    names[names == "fist"] = EVIL
    path = tmp_path_factory.mktemp("evil") / "<i>data.npz"
    save_dataset(replace(dataset, samples=replace(dataset.samples, label=names)), path)
    return path


def test_figures_of_an_earlier_report_are_removed(npz, onnx, run, tmp_path: Path) -> None:
    folder = tmp_path / "r"
    assert run("evaluate", onnx, npz, "--report", folder).exit_code == 0
    written = {path.name for path in folder.iterdir()}
    assert written - {"report.html", "scores.json"} <= FIGURES - {"training.png"}
    for name in ("training.png", "notes.png"):
        (folder / name).write_bytes(b"old")
    assert run("evaluate", onnx, npz, "--report", folder).exit_code == 0
    assert {path.name for path in folder.iterdir()} == {*written, "notes.png"}


def test_figures_of_others_are_kept(npz, onnx, run, tmp_path: Path) -> None:
    (tmp_path / "training.png").write_bytes(b"mine")
    assert run("evaluate", onnx, npz, "--report", tmp_path).exit_code == 0
    assert (tmp_path / "training.png").read_bytes() == b"mine"


def test_an_incomplete_report_is_not_written(npz, run, refused, tmp_path) -> None:
    (tmp_path / "r" / "scores.json").mkdir(parents=True)
    options = ("--model", "linear", "--no-streams", "--report", tmp_path / "r")
    assert "scores.json: it is a folder" in refused(run("crossval", npz, *options))
    assert [path.name for path in (tmp_path / "r").iterdir()] == ["scores.json"]


@pytest.mark.parametrize(
    "command",
    [("crossval", "no.npz", "--report"), ("evaluate", "no.onnx", "no.npz", "--report"),
     ("info", "no.npz", "--plots")],
)  # fmt: skip
def test_no_empty_folder_after_a_failure(command, run, refused, tmp_path) -> None:
    (tmp_path / "mine").mkdir()
    refused(run(*command, tmp_path / "mine" / "new" / "folder"))
    assert not list((tmp_path / "mine").iterdir())
    refused(run(*command, tmp_path / "mine"))
    assert (tmp_path / "mine").is_dir()


@pytest.mark.parametrize("command", [("crossval", "no.npz", "--report"), ("info", "no", "--plots")])
def test_folder_not_writable(command, run, refused, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("os.access", lambda _, mode: mode != os.W_OK)  # root may
    assert "is not writable" in refused(run(*command, tmp_path))


def test_files(evil: Path, run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "report"
    result = run(
        "crossval", evil, "--model", "linear", "--no-streams", "--report", folder, "--json"
    )
    assert result.exit_code == 0
    names = {path.name for path in folder.iterdir()}
    assert names >= {"report.html", "scores.json", "confusion.png", "classes.png",
                     "reliability.png", "people.png", "importance.png", "yield.png"}  # fmt: skip
    assert json.loads((folder / "scores.json").read_text("utf-8")) == json.loads(result.stdout)
    assert cv2.imread(str(folder / "confusion.png")).shape[0] > 100
    html = (folder / "report.html").read_text("utf-8")
    outline = Outline(html)
    assert "script" not in outline.tags
    assert "link" not in outline.tags
    assert "b" not in outline.tags or EVIL in outline.text
    assert "<script" not in html
    assert not re.search(r"https?:|url\(|@import", html)
    assert outline.addresses
    assert all(address.startswith("#") for address in outline.addresses)
    assert EVIL in outline.text
    assert "<i>data.npz" in outline.text
    accuracy = json.loads(result.stdout)["accuracy"]
    assert f"{100 * accuracy:.1f} %" in outline.text


def test_path_is_printed(npz: Path, onnx: Path, run: Run, tmp_path: Path) -> None:
    result = run("evaluate", onnx, npz, "--report", tmp_path / "r")
    assert f"report: {tmp_path / 'r' / 'report.html'}" in result.stdout
    assert "poses.onnx (forest)" in unescape((tmp_path / "r" / "report.html").read_text("utf-8"))


@pytest.mark.slow
def test_movements(run: Run, tmp_path: Path) -> None:
    save_dataset(movements(n_people=2), tmp_path / "moves.npz")
    small = ("--param", "n_kernel_features=84", "--param", "n_augmented=0")
    folder = tmp_path / "r"
    result = run("crossval", tmp_path / "moves.npz", *small, "--report", folder, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["importance"]["way of the wrist"] > 0.3
    text = Outline((folder / "report.html").read_text("utf-8")).text
    assert "Of 12 clips" in text
    streams = json.loads(result.stdout)["streams"]
    found = f"{100 * streams['n_found'] / 12:.0f} % of 12 gestures found"
    assert f"In a stream with synthetic idle movement in between: {found}" in text
    assert "path of the wrist" in text
    assert "Features" not in text, "those are of poses"


@pytest.mark.slow
def test_movement_model(moves: Path, clips: Path, run: Run, tmp_path: Path) -> None:
    assert run("evaluate", moves, clips, "--report", tmp_path / "r").exit_code == 0
    text = Outline((tmp_path / "r" / "report.html").read_text("utf-8")).text
    assert "In a stream with the clips of none in between: " in text
    assert "Left-out clipsin a stream with the clips of none in between: " in text
    run("evaluate", moves, clips, "--no-streams", "--report", tmp_path / "r")
    text = Outline((tmp_path / "r" / "report.html").read_text("utf-8")).text
    assert "In a stream" not in text
