"""``handlore models``, and names of models in place of paths."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest
from click.testing import Result

from handlore.models.ready import READY_MODELS

Run = Callable[..., Result]
Parsed = Callable[..., Any]
Refused = Callable[..., str]


def test_list(run: Run, parsed: Parsed) -> None:
    text = run("models").stdout
    assert text == run("models", "list").stdout
    for name, one in READY_MODELS.items():
        assert name in text
        assert one.gestures[0] in text
    assert "handlore models build asl-letters DATA" in text
    rows = {row["name"]: row for row in parsed(run("models", "list", "--json"))}
    assert rows["everyday"]["bytes"] == READY_MODELS["everyday"].path.stat().st_size
    assert rows["asl-letters"]["path"] is None


def test_show(run: Run, parsed: Parsed) -> None:
    text = run("models", "show", "everyday").stdout
    for words in ("stop_inverted", "HaGRID", "CC BY-SA 4.0", "weaknesses"):
        assert words in text
    shown = parsed(run("models", "show", "everyday", "--json"))
    assert shown["crossval"]["accuracy"] > 0.8
    assert set(shown["per_class"]) == set(shown["labels"])


def test_show_file(onnx: Path, run: Run, parsed: Parsed) -> None:
    result = run("models", "show", onnx)
    assert result.exit_code == 0
    assert "gestures: fist, open_palm, point, victory" in result.stdout
    assert "no scores are kept in it" in result.stdout
    assert parsed(run("models", "show", onnx, "--json"))["crossval"] is None


@pytest.mark.parametrize("model", ["everyday", "movements"])
def test_picture_of_each_gesture(model: str, run: Run, parsed: Parsed, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    shown = parsed(run("models", "show", model, "--picture", out, "--json"))
    assert shown["drawn"] == sorted(READY_MODELS[model].gestures)
    drawn = cv2.imread(str(out))
    assert drawn.shape[0] > 200
    assert (drawn.std(axis=(0, 1)) > 5).all()


def test_picture_of_own_model(moves: Path, run: Run, parsed: Parsed, tmp_path: Path) -> None:
    shown = parsed(run("models", "show", moves, "--picture", tmp_path / "out.png", "--json"))
    assert shown["drawn"] == [label for label in shown["labels"] if label != "none"]


def test_picture_of_another_kind(run: Run, refused: Refused, tmp_path: Path) -> None:
    for out in (tmp_path / "x.txt", tmp_path / "x"):
        line = refused(run("models", "show", "everyday", "--picture", out), 2)
        assert "expected a name that ends in .png" in line
        assert not out.exists()


def test_picture_of_an_older_file(run: Run, refused: Refused, tmp_path: Path) -> None:
    old = Path(__file__).parents[1] / "older_files" / "poses-linear.onnx"
    out = tmp_path / "out.png"
    assert "train it again" in refused(run("models", "show", old, "--picture", out))
    assert not out.exists()


def test_build_refuses_other_data(npz: Path, clips: Path, run: Run, refused: Refused) -> None:
    out = npz.parent / "m.onnx"
    line = refused(run("models", "build", "everyday", npz, "--out", out))
    assert "it lacks call, dislike, like" in line
    assert "single pictures" in refused(run("models", "build", "everyday", clips, "--out", out))
    assert "did you mean" in refused(run("models", "build", "everydya", npz, "--out", out), 2)
    assert not out.exists()


def test_names_in_place_of_paths(
    pictures: Path, npz: Path, run: Run, parsed: Parsed, tmp_path: Path
) -> None:
    fist = pictures / "fist/fist_p01_1.png"
    assert parsed(run("predict", "everyday", fist, "--json"))[0]["label"] == "fist"
    assert parsed(run("info", "everyday", "--json"))["kind"] == "pose"
    done = run("evaluate", "everyday", npz, "--json")
    assert parsed(done)["model"] == "everyday"
    assert "does not know open_palm, point, victory" in done.stderr
    out = tmp_path / "my_signs.onnx"
    assert run("calibrate", "everyday", npz, "--out", out).exit_code == 0
    assert "my_signs" in run("models", "show", out).stdout


def test_calibrate_leaves_shipped_files_alone(npz: Path, run: Run, refused: Refused) -> None:
    before = READY_MODELS["everyday"].path.read_bytes()
    assert "--out my_everyday.onnx" in refused(run("calibrate", "everyday", npz))
    assert READY_MODELS["everyday"].path.read_bytes() == before


def test_file_of_the_same_name(
    onnx: Path, run: Run, refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("everyday").write_bytes(onnx.read_bytes())
    named = run("models", "show", "everyday")
    assert "HaGRID" in named.stdout
    assert "note: everyday is the model that comes with handlore; ./everyday" in named.stderr
    assert "open_palm" in run("models", "show", "./everyday").stdout
    assert "did you mean everyday" in refused(run("info", "everydya"))
