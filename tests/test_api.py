"""The public API: every name is imported on use, and every example in a docstring is true."""

import ast
import doctest
import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from api_stubs import write_home
from fakes import BrightDetector
from few_parts import few_parts  # noqa: F401

import handlore
from handlore.datasets.dataset import LandmarkDataset
from handlore.landmarks.errors import HandloreError

API = handlore._API
EXAMPLES = [name for name in sorted(API) if name[0].islower() or name == "Recogniser"]


@pytest.fixture(scope="module")
def home(
    tmp_path_factory: pytest.TempPathFactory, pictures: Path, dataset: LandmarkDataset
) -> Path:
    """The folder in which the examples are run."""
    folder = tmp_path_factory.mktemp("home")
    write_home(folder, pictures, dataset)
    return folder


@pytest.mark.parametrize("name", [pytest.param("handlore", marks=pytest.mark.slow), *EXAMPLES])
def test_example(name: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    found = handlore if name == "handlore" else getattr(handlore, name)
    text = inspect.getdoc(found) or ""
    assert "+SKIP" not in text, "examples are run"
    example = doctest.DocTestParser().get_doctest(text, {"handlore": handlore}, name, None, 0)
    assert example.examples, "has no example"
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    problems: list[str] = []
    doctest.DocTestRunner(verbose=False, optionflags=options).run(example, out=problems.append)
    assert not problems, "".join(problems)


def test_library_examples_are_short() -> None:
    examples = handlore.__doc__.split("\n\n>>> ")[1:]
    assert len(examples) == 6
    assert max(len(example.split("\n\n")[0].splitlines()) for example in examples) <= 8


def test_every_name_is_there_for_type_checkers() -> None:
    tree = ast.parse(Path(handlore.__file__).read_text("utf-8"))
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    (block,) = (node for node in blocks if ast.unparse(node.test) == "TYPE_CHECKING")
    found = {
        alias.asname: node.module.removeprefix("handlore.")
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert found == API


def test_names_are_imported_on_use() -> None:
    code = "import handlore, sys; print(*(m for m in sys.modules if m.startswith('handlore.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
    assert set(API) <= set(dir(handlore))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'recognize'"):
        handlore.recognize  # noqa: B018


def trained_on_a_file() -> handlore.LandmarkDataset:
    """What the model names as its data is what it was trained on."""
    card = handlore.train("poses.npz", "of_file.onnx", "linear").card
    return handlore.load_dataset(Path(*card.training["data"]))


GIVEN_A_FILE = {
    "train": lambda: trained_on_a_file().n_samples == 24,
    "cross_validate": lambda: handlore.cross_validate("poses.npz", "linear").scores.n == 24,
    "compare_estimators": lambda: (
        handlore.compare_estimators(Path("poses.npz"), ["linear"]).chosen.name == "linear"
    ),
    "evaluate": lambda: handlore.evaluate("poses.onnx", "poses.npz").scores.n == 24,
    "calibrate": lambda: "wave" in handlore.calibrate("moves.onnx", "stream.npz", 1).thresholds,
    "recognise": lambda: len(list(handlore.recognise("moves.onnx", "stream.npz"))) == 1,
    "recognise several": lambda: (
        len([*handlore.recognise([Path("moves.onnx")], "stream.npz")]) == 1
    ),
    "Recogniser": lambda: handlore.Recogniser("everyday").n_hands == 1,
    "Recogniser of a model": lambda: (
        handlore.Recogniser(handlore.load_model("moves.onnx")).n_hands == 1
    ),
    "replay": lambda: len(handlore.replay("moves.onnx", "stream.npz").logs) == 1,
    "required_landmarker": lambda: handlore.required_landmarker("poses.onnx") == "full",
    "predict_files": lambda: (
        handlore.predict_files("poses.onnx", "photo.png").predictions[0].prediction.label == "fist"
    ),
    "export_table": lambda: handlore.export_table("poses.npz", "of_file.csv") == 24,
    "load_model": lambda: (
        handlore.load_model(model := handlore.load_model("poses.onnx"), "pose") is model
    ),
    "load_dataset": lambda: (
        handlore.load_dataset(dataset := handlore.load_dataset("poses.npz")) is dataset
    ),
}


@pytest.mark.parametrize("call", GIVEN_A_FILE.values(), ids=GIVEN_A_FILE)
def test_a_file_in_place_of_what_it_holds(
    call: Callable[[], bool], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    assert call()


A_MODEL = r"expected a model file, or the name of a model .*, but got "
A_DATASET = r"expected a dataset or its file .*load_data.*, but got "
A_DETECTOR = r"expected an open detector, as `open_detector\(\)` returns it, but got "
PIXELS = r"expected pixels, as `read_picture\(FILE\)\[0\]` returns them, but got "
A_SOURCE = r'expected a source such as make_source\("images"\), but got '
GIVEN_SOMETHING_ELSE = {
    "train": (lambda: handlore.train(loaded(), "new.onnx"), A_DATASET + "LoadedData"),
    "train on several": (lambda: handlore.train(["poses.npz"], "new.onnx"), A_DATASET + "list"),
    "cross_validate": (lambda: handlore.cross_validate(None), A_DATASET + "NoneType"),
    "evaluate": (lambda: handlore.evaluate(loaded().dataset, "poses.npz"), A_MODEL),
    "Recogniser": (lambda: handlore.Recogniser(loaded().dataset), A_MODEL + "LandmarkDataset"),
    "run_live": (lambda: handlore.run_live([None]), A_MODEL + "NoneType"),
    "load_model": (lambda: handlore.load_model(["poses.onnx"]), A_MODEL + "list"),
    "load_data": (lambda: handlore.load_data(loaded().dataset), "expected a path, or several"),
    "load_data of nothing": (lambda: handlore.load_data([]), "no data; expected dataset files"),
    "save_dataset": (
        lambda: handlore.save_dataset("new.npz", loaded().dataset),
        "expected a path, but got LandmarkDataset",
    ),
    "describe": (lambda: handlore.describe(loaded().dataset), "expected a path, but got"),
    "open_detector": (
        lambda: handlore.open_detector("litert"),
        r"expected options such as DetectorOptions\(detector=\"litert\"\), but got str",
    ),
    "convert": (lambda: handlore.convert("images", "photos", None), A_SOURCE + "str"),
    "convert_to_file": (
        lambda: handlore.convert_to_file("images", "photos", "new.npz"),
        A_SOURCE + "str",
    ),
    "preview": (lambda: handlore.preview("images", "photos"), A_SOURCE + "str"),
    "write_report": (
        lambda: handlore.write_report("poses.npz", "report"),
        "expected what cross_validate or evaluate returned, but got str",
    ),
    "read_picture": (lambda: handlore.read_picture(None), "expected a picture file, but got None"),
    "compare": (
        lambda: handlore.compare(loaded(), "scores.json"),
        r"expected a result of a test or its file of scores, but got LoadedData",
    ),
    "compare models": (
        lambda: handlore.compare("poses.onnx", "moves.onnx"),
        r"poses\.onnx: it looks like a model, not a file of scores",
    ),
    "improve": (
        lambda: handlore.improve(handlore.load_model("poses.onnx"), "triggers"),
        "expected a model file, but got PoseModel",
    ),
    "improve from": (
        lambda: handlore.improve("poses.onnx", None),
        "expected a folder of triggers, but got NoneType",
    ),
    "load_dataset of a folder": (
        lambda: handlore.load_dataset("triggers"),
        r"triggers is a folder of recordings; `handlore.load_data\('triggers'\).dataset` reads it",
    ),
    "search": (lambda: handlore.search("litert", picture()), A_DETECTOR + "str"),
    "search in": (lambda: handlore.search(BrightDetector(), "photo.png"), PIXELS + "str"),
    "predict_picture": (
        lambda: poses().predict_picture(BrightDetector(), "photo.png"),
        PIXELS + "str",
    ),
    "predict_picture with": (
        lambda: poses().predict_picture("litert", picture()),
        A_DETECTOR + "str",
    ),
    "predict_clip": (
        lambda: poses().predict_clip("wave.mp4"),
        "expected a clip such as track_video returns, but got str",
    ),
    "track_video": (lambda: handlore.track_video("wave.mp4", "litert"), A_DETECTOR + "str"),
    "predict_video": (
        lambda: handlore.predict_video("moves.onnx", None, BrightDetector()),
        "expected a path, but got NoneType",
    ),
    "convert with": (
        lambda: handlore.convert(handlore.make_source("images"), "photos", None),
        A_DETECTOR + "NoneType",
    ),
    "convert how": (
        lambda: handlore.convert(handlore.make_source("images"), "photos", BrightDetector(), 4),
        "expected options such as ConvertOptions.*, but got int",
    ),
    "make_source": (lambda: handlore.make_source(None), "expected the name of a source, but got"),
    "train with": (
        lambda: handlore.train("poses.npz", "new.onnx", 3),
        "expected the name of an estimator, but got int",
    ),
    "canonicalize": (
        lambda: handlore.canonicalize("poses.npz"),
        r"expected an array \(\.\.\., 21, 3\) of landmarks, but got str",
    ),
    "canonicalize few": (
        lambda: handlore.canonicalize(np.zeros((20, 3))),
        r"landmarks have shape \(20, 3\), expected \(\.\.\., 21, 3\)",
    ),
    "record": (
        lambda: handlore.record("new", ["wave"], "wave.mp4", {"countdown": 0}),
        "expected options such as SessionOptions.*, but got dict",
    ),
    "run_live how": (
        lambda: handlore.run_live("moves.onnx", "wave.mp4", options={"dry_run": True}),
        "expected options such as LiveOptions.*, but got dict",
    ),
    "run_live actions": (
        lambda: handlore.run_live(
            "moves.onnx", "wave.mp4", options=handlore.LiveOptions(actions="missing.toml")
        ),
        "there is no file missing.toml",
    ),
    "cross_validate by": (
        lambda: handlore.cross_validate("poses.npz", by="person"),
        r"by 'person', expected group \(the person\), session",
    ),
    "cross_validate weaker by": (
        lambda: handlore.compare_estimators("poses.npz", ["linear"], by="person"),
        "by 'person', expected group",
    ),
    "cross_validate folds": (
        lambda: handlore.cross_validate("poses.npz", folds="4"),
        "expected a number of folds, but got str",
    ),
    "train seed": (
        lambda: handlore.train("poses.npz", "new.onnx", seed="a"),
        "expected a whole number as seed, but got str",
    ),
    "cross_validate seed": (
        lambda: handlore.cross_validate("poses.npz", seed=-1),
        "seed is -1, expected 0 to 4294967295",
    ),
    "train params": (
        lambda: handlore.train("poses.npz", "new.onnx", params=["C=3"]),
        r'expected parameters such as \{"n_estimators": 500\}, but got list',
    ),
    "cross_validate params": (
        lambda: handlore.cross_validate("poses.npz", params=["C=3"]),
        "expected parameters such as .*, but got list",
    ),
    "compare_estimators params": (
        lambda: handlore.compare_estimators("poses.npz", ["linear"], params=["linear.C=3"]),
        "expected parameters such as .*, but got list",
    ),
    "settings": (
        lambda: handlore.RecogniserSettings(threshold="x"),
        "expected a number as threshold, but got str",
    ),
    "settings without": (
        lambda: handlore.RecogniserSettings(dwell=None),
        "expected a number as dwell, but got NoneType",
    ),
    "settings with a margin": (
        lambda: handlore.RecogniserSettings(movement_margin="x"),
        "expected a number as movement_margin, but got str",
    ),
    "calibrate": (
        lambda: handlore.calibrate("moves.onnx", "stream.npz", "a"),
        "expected a number of false activations an hour, but got str",
    ),
    "calibrate how": (
        lambda: handlore.calibrate("moves.onnx", "stream.npz", 1, {"dwell": 1}),
        "expected settings such as .*, but got dict",
    ),
    "run_live with": (
        lambda: handlore.run_live("moves.onnx", "wave.mp4", on_event=3),
        "expected a function of an event, but got int as on_event",
    ),
    "run_live send": (
        lambda: handlore.run_live(
            "moves.onnx", "wave.mp4", options=handlore.LiveOptions(send="udp://h")
        ),
        "the receiver udp://h names no port; expected HOST:PORT",
    ),
    "LiveOptions of a rate": (
        lambda: handlore.LiveOptions(max_fps=-3),
        "max_fps is -3, expected more than 0",
    ),
    "LiveOptions": (
        lambda: handlore.LiveOptions(keep_video=True),
        "`keep_video` needs a folder of recordings: `record`",
    ),
    "select": (
        lambda: loaded().dataset.select("x"),
        "expected indices of the 24 samples or a mask: ",
    ),
    "select by": (
        lambda: loaded().dataset.select(loaded().dataset.labels == "fist"),
        "expected indices of the 24 samples or a mask: ",
    ),
    "feed": (
        lambda: handlore.Recogniser("moves.onnx").feed(0.0, [[1]], [[1], [1, 2]], [0.5]),
        "a frame needs arrays of numbers",
    ),
    "feed lists": (
        lambda: handlore.Recogniser("moves.onnx").feed(0.0, [[1]], [[1]], [0.5]),
        r"image of a frame has shape \(1, 1\), the models expect \(1, 21, 3\)",
    ),
    "train features": (
        lambda: handlore.train("poses.npz", "new.onnx", features="world,imge"),
        "unknown feature group 'imge'; did you mean image",
    ),
    "select few": (
        lambda: loaded().dataset.select([99]),
        "expected indices of the 24 samples or a mask: index 99 is out of bounds",
    ),
    "recognise clips": (
        lambda: list(handlore.recognise("moves.onnx", "poses.npz")),
        r"holds 24 clips, and a stream is one: .*`dataset\.select\(\[0\]\)`.*handlore\.replay",
    ),
    "train to a name": (
        lambda: handlore.train("poses.npz", "everyday"),
        "everyday is the name of a model that comes with handlore; .* such as everyday.onnx",
    ),
    "Recogniser how": (
        lambda: handlore.Recogniser("moves.onnx", {"smoothing": 0}),
        r"expected settings such as RecogniserSettings\(\), but got dict",
    ),
}


def poses() -> Any:
    return handlore.load_model("poses.onnx")


def picture() -> Any:
    return handlore.read_picture("photo.png")[0]


def loaded() -> Any:
    return handlore.load_data("poses.npz")


@pytest.mark.parametrize(("call", "says"), GIVEN_SOMETHING_ELSE.values(), ids=GIVEN_SOMETHING_ELSE)
def test_something_else(
    call: Callable[[], object], says: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    with pytest.raises(handlore.HandloreError, match=says):
        call()


def test_what_compares_estimators_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    with pytest.raises(HandloreError, match=r"`handlore crossval DATA --model auto`, or"):
        handlore.cross_validate("poses.npz", "auto")


def test_files_are_no_streams(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    with pytest.raises(HandloreError, match="expected a dataset, its file, or streams, but got"):
        handlore.calibrate("moves.onnx", ["stream.npz"], per_hour=1)


def test_an_empty_path_is_not_the_current_folder(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    with pytest.raises(HandloreError, match="expected a path, or several, but got an empty text"):
        handlore.replay("moves.onnx", "")


@pytest.mark.parametrize(
    "call",
    [
        lambda: handlore.predict_files("poses.onnx", "photo.png", tta=-1),
        lambda: handlore.predict_files("poses.onnx", "photo.png", max_hands=3),
        lambda: handlore.Recogniser("poses.onnx", max_hands=0),
        lambda: handlore.track_video("wave.mp4", BrightDetector(), max_hands=3),
    ],
)
def test_numbers_out_of_range(
    call: Callable[[], Any], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    with pytest.raises(ValueError, match=r"(tta|max_hands) is -?\d"):
        call()


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda data: handlore.compare(data, data, n_draws=0), "n_draws is 0"),
        (lambda data: handlore.compare(data, data, seed=-1), "seed -1"),
        (lambda data: handlore.train(data, "m.onnx", data=[data]), "got LandmarkDataset"),
        (lambda data: handlore.SessionOptions(seconds="3"), "seconds as seconds, but got str"),
        (lambda data: handlore.SessionOptions(frames=2.5), "a whole number as frames"),
        (lambda data: handlore.record("out", [1]), "labels as text, but got int"),
        (lambda data: handlore.write_report(None, "r", data=["a"]), "as text, but got list"),
        (lambda data: handlore.read_picture(data.image), "a picture file, but got ndarray"),
        (lambda data: handlore.load_data("poses.npz", "movements"), "unknown kind 'movements'"),
    ],
)
def test_mistakes_in_a_call_are_one_line(
    call: Callable[[LandmarkDataset], object], match: str, dataset: LandmarkDataset
) -> None:
    with pytest.raises(HandloreError, match=match):
        call(dataset)
