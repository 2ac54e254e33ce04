"""A model file gives the same answers as its estimator, and a bad one gives one clear line."""

import contextlib
import json
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import joblib
import numpy as np
import onnx
import pytest
from examples import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from handlore.classifiers.estimators import ESTIMATORS
from handlore.classifiers.evaluation.scores import fit_samples
from handlore.classifiers.factory import Pipeline
from handlore.classifiers.training import save_model, train_pipeline
from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.storage import load_dataset, save_dataset
from handlore.landmarks.errors import HandloreError, InvalidDataError, NewerFormatError
from handlore.landmarks.geometry import mirror, rotate
from handlore.landmarks.hands import Hand
from handlore.models.card import FORMAT_VERSION, ModelCard
from handlore.models.encoders import PoseEncoder
from handlore.models.files import METADATA_KEY, load_model, require_model_output
from handlore.models.model import MAX_NOVELTY

Edited = Callable[[Callable[[dict[str, Any]], None]], Path]
no_fixture_check = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

PREDICT_ALONE = """
import sys, json
import numpy as np
from pathlib import Path
from handlore.models.files import load_model
from handlore.landmarks.hands import Hand
X = np.load(sys.argv[2])
model = load_model(Path(sys.argv[1]), "pose")
hand = np.random.default_rng(0).uniform(size=(21, 3)).astype(np.float32)
model.predict_hands([Hand(hand, hand, 1.0)])
heavy = {"sklearn", "xgboost", "pandas", "matplotlib", "mediapipe", "cv2", "skl2onnx", "onnx"}
print(json.dumps({"p": model.predict_proba(X).tolist(), "heavy": sorted(heavy & set(sys.modules))}))
"""


@pytest.mark.parametrize("name", ["forest", "linear", "xgboost", "kernel"])
def test_file_equals_estimator(name: str, dataset: LandmarkDataset, tmp_path: Path) -> None:
    fitted = fit_samples(ESTIMATORS[name](), dataset, PoseEncoder())
    save_model(fitted, ModelCard(labels=(), estimator=name), tmp_path / "m.onnx")
    seen = PoseEncoder().encode_samples(dataset)
    other = seen + np.random.default_rng(0).normal(size=seen.shape, scale=0.2)
    X = np.concatenate([seen, other.astype(np.float32)])
    np.save(tmp_path / "X.npy", X)
    command = [sys.executable, "-c", PREDICT_ALONE, "m.onnx", "X.npy"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    np.testing.assert_allclose(said["p"], fitted.predict_proba(X), atol=1e-4)
    assert said["heavy"] == []


def test_card_comes_back(dataset: LandmarkDataset, tmp_path: Path) -> None:
    groups = ("image", "orientation")
    encoder = PoseEncoder(groups)
    fitted = fit_samples(ESTIMATORS["linear"](), dataset, encoder)
    card = ModelCard(
        labels=(),
        estimator="linear",
        features=groups,
        landmarker="lite",
        training={"n": 24, "note": "für Änne"},
    )
    size = save_model(fitted, card, tmp_path / "m.onnx")
    read = load_model(tmp_path / "m.onnx").card
    assert read.labels == ("fist", "open_palm", "point", "victory")
    assert read.n_features == 42
    assert (read.features, read.landmarker, read.estimator) == (groups, "lite", "linear")
    assert read.training == {"n": 24, "note": "für Änne"}
    assert size == (tmp_path / "m.onnx").stat().st_size
    assert ModelCard.from_json(json.loads(json.dumps(read.as_json()))) == read


def test_labels_of_any_script_keep_their_column(dataset: LandmarkDataset, tmp_path: Path) -> None:
    X = PoseEncoder().encode_samples(dataset)
    names = {
        "fist": "Fäuste & <b>",
        "open_palm": "✋ offen",
        "point": "a",
        "victory": "zwei Finger",
    }
    y = np.array([names[str(label)] for label in dataset.samples.label])
    fitted = ESTIMATORS["forest"]().set_params(n_estimators=20).fit(X, y)
    save_model(fitted, ModelCard(labels=(), estimator="forest"), tmp_path / "m.onnx")
    model = load_model(tmp_path / "m.onnx")
    said = np.array(model.card.labels)[model.predict_proba(X).argmax(axis=1)]
    assert (said == y).all()


@pytest.mark.parametrize("name", ["forest", "linear", "xgboost", "kernel"])
def test_same_data_and_seed_same_bytes(name: str, dataset: LandmarkDataset, tmp_path: Path) -> None:
    for path in ("a.onnx", "b.onnx"):
        train_pipeline(
            Pipeline(name, ESTIMATORS[name](), PoseEncoder(("image",))), dataset, tmp_path / path
        )
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


def test_no_hand_is_none(model_file: Path) -> None:
    said = load_model(model_file, "pose").predict_hands([None])
    assert (said.label, said.probability, said.rotation_deg, said.hand) == ("none", *[None] * 3)


def test_prediction_of_picture(model_file: Path, dataset: LandmarkDataset) -> None:
    model = load_model(model_file, "pose")
    image, world, side = dataset.image[0, 0], dataset.world[0, 0], float(dataset.handedness[0, 0])
    said = model.predict_hands([Hand(image, world, side)])
    assert said.label == dataset.samples.label[0]
    assert said.probability == max(said.probabilities)
    assert said.probability == said.probabilities[model.card.labels.index(said.label)]
    assert sum(said.probabilities) == pytest.approx(1, abs=1e-5)
    assert said.hand == ("right" if side > 0.5 else "left")


def test_augmented_copies_are_averaged(model_file: Path, dataset: LandmarkDataset) -> None:
    model = load_model(model_file, "pose")
    frames = zip(dataset.image[:9:4], dataset.world[:9:4], strict=True)
    hands = [Hand(image[0], world[0], 0.99) for image, world in frames]
    alone = [model.predict_hands([hand]).probabilities for hand in hands]
    together = model.predict_hands(hands[:1], [[hand] for hand in hands[1:]])
    assert together.probabilities == pytest.approx(np.mean(alone, axis=0), abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(degrees=st.floats(-179, 179), mirrored=st.booleans())
def test_rotation(
    degrees: float, mirrored: bool, model_file: Path, dataset: LandmarkDataset
) -> None:
    model = load_model(model_file, "pose")
    image, world = dataset.image[0, 0], dataset.world[0, 0]
    upright = rotate(image, -rotation_of(image))
    hand = Hand(rotate(upright, degrees), rotate(world, degrees), 0.99)
    if mirrored:
        hand = Hand(mirror(hand.image), mirror(hand.world), 0.01)
    said = model.predict_hands([hand])
    assert said.hand == ("left" if mirrored else "right")
    assert said.rotation_deg == pytest.approx(-degrees if mirrored else degrees, abs=0.1)
    assert said.label == model.predict_hands([Hand(image, world, 0.99)]).label


def rotation_of(hand: np.ndarray) -> float:
    x, y = hand[9, :2] - hand[0, :2]
    return float(np.degrees(np.arctan2(x, -y)))


@settings(no_fixture_check, max_examples=40)
@given(share=st.floats(0, 1, exclude_max=True))
def test_truncated(share: float, model_file: Path, tmp_path: Path) -> None:
    data = model_file.read_bytes()
    path = tmp_path / "cut.onnx"
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(HandloreError, match=r"cut\.onnx") as caught:
        load_model(path)
    assert "\n" not in str(caught.value)


@examples(50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_bytes_load_or_give_one_line(
    data: st.DataObject, model_file: Path, tmp_path: Path
) -> None:
    content = bytearray(model_file.read_bytes())
    # The graph's shapes, names and the card stand at the two ends; the trees are in the middle.
    places = st.one_of(
        st.integers(0, 300),
        st.integers(1, 3000).map(lambda i: -i),
        st.integers(0, len(content) - 1),
    )
    for place in data.draw(st.lists(places, min_size=1, max_size=3)):
        content[place] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "flipped.onnx"
    path.write_bytes(content)
    with contextlib.suppress(HandloreError):
        assert load_model(path, "pose").predict_hands([None]).label == "none"


def test_damage_is_not_announced_on_stdout(
    model_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """onnxruntime prints what it cannot decode on stdout, where only data belongs."""
    content = model_file.read_bytes().replace(b"TreeEnsemble", b"Tree\xec\x28semble")
    assert content != model_file.read_bytes()
    (tmp_path / "m.onnx").write_bytes(content)
    with pytest.raises(InvalidDataError):
        load_model(tmp_path / "m.onnx")
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("what", ["format", "features_version", "canonical_version"])
def test_newer_format(what: str, edited: Edited) -> None:
    path = edited(lambda card: card.__setitem__(what, card[what] + 1))
    with pytest.raises(NewerFormatError, match=r"newer handlore.*pip install -U handlore"):
        load_model(path)


def test_unknown_keys_of_the_card_are_ignored(edited: Edited) -> None:
    assert load_model(edited(lambda card: card.update(colour={"a": 0.5}))).card.n_features


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("labels", ["fist"]),
        ("labels", [*"abcdefgh"]),
        ("labels", "fist"),
        ("n_hands", 2),
        ("n_hands", "one"),
        ("n_hands", 3),
        ("features", ["image"]),
        ("features", ["no such"]),
        ("features", []),
        ("n_features", 7),
        ("training", None),
        ("training", 5),
        ("landmarker", 7),
        ("kind", "sequence"),
        ("kind", None),
        ("format", "1"),
    ],
)
def test_card_must_fit_graph(key: str, value: object, edited: Edited) -> None:
    with pytest.raises(InvalidDataError, match=r"edited\.onnx"):
        load_model(edited(lambda card: card.__setitem__(key, value)))


@pytest.mark.parametrize(
    "text", ["[]", "3", "null", '"x"', "", "{", "{}", pytest.param("[" * 100_000, id="deep")]
)
def test_metadata_that_is_no_card(text: str, model_file: Path, tmp_path: Path) -> None:
    model = onnx.load(model_file)
    model.metadata_props[0].value = text
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(InvalidDataError, match=r"m\.onnx is damaged"):
        load_model(tmp_path / "m.onnx")


def graph(
    card: ModelCard | None,
    *,
    columns: int | None,
    dtype: int = TensorProto.FLOAT,
    inputs: tuple[str, ...] = ("X",),
) -> onnx.ModelProto:
    """A model of one multiplication by a constant."""
    n = columns or 520
    kind = helper.tensor_dtype_to_np_dtype(dtype)
    weights = numpy_helper.from_array(np.ones((n, 4), kind), "W")
    shape = None if columns is None else [None, columns]
    given = [helper.make_tensor_value_info(name, dtype, shape) for name in inputs]
    said = [helper.make_tensor_value_info("probabilities", dtype, None)]
    nodes = [
        helper.make_node("MatMul", [inputs[0], "W"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"]),
    ]
    model = helper.make_model(
        helper.make_graph(nodes, "g", given, said, [weights]),
        opset_imports=[helper.make_opsetid("", 15)],
        ir_version=8,
    )
    if card is not None:
        helper.set_model_props(model, {METADATA_KEY: json.dumps(card.as_json())})
    return model


GRAPHS: dict[str, dict[str, Any]] = {
    "another name": {"columns": 520, "inputs": ("input",)},
    "another width": {"columns": 42},
    "double": {"columns": 520, "dtype": TensorProto.DOUBLE},
    "a second input": {"columns": 520, "inputs": ("X", "Z")},
    "no shape": {"columns": None},
}


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_of_another_shape_is_refused(name: str, model_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    card = load_model(model_file).card
    path.write_bytes(graph(card, columns=520).SerializeToString())
    assert load_model(path).predict_proba(np.ones((1, 520), np.float32)).shape == (1, 4)
    path.write_bytes(graph(card, **GRAPHS[name]).SerializeToString())
    with pytest.raises(InvalidDataError, match=r"m\.onnx"):
        load_model(path)


def test_a_model_of_somebody_else(tmp_path: Path) -> None:
    path = tmp_path / "other.onnx"
    path.write_bytes(graph(None, columns=520).SerializeToString())
    with pytest.raises(InvalidDataError, match="is an ONNX model, but not one made by `handlore"):
        load_model(path)


@pytest.mark.parametrize("location", ["secret.bin", "../secret.bin", "{absolute}"])
@pytest.mark.parametrize("cwd", [".", "inside"])
def test_external_files_are_refused(
    location: str, cwd: str, model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model could otherwise read any file of the user's: weights may lie in another file."""
    for folder in (tmp_path, tmp_path / "inside"):
        folder.mkdir(exist_ok=True)
        (folder / "secret.bin").write_bytes(np.full((520, 4), 7, np.float32).tobytes())
    model = graph(load_model(model_file).card, columns=520)
    (weights,) = model.graph.initializer
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    absolute = str(tmp_path / "secret.bin")
    weights.external_data.add(key="location", value=location.format(absolute=absolute))
    path = tmp_path / "m.onnx"
    path.write_bytes(model.SerializeToString())
    monkeypatch.chdir(tmp_path / cwd)
    with pytest.raises(InvalidDataError, match=r"m\.onnx"):
        load_model(path)


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("protocol", [0, 2, pickle.HIGHEST_PROTOCOL])
def test_a_renamed_pickle_is_never_loaded(protocol: int, tmp_path: Path) -> None:
    sprung, path = tmp_path / "sprung", tmp_path / "m.onnx"
    path.write_bytes(pickle.dumps(Trap(sprung), protocol))
    with pytest.raises(InvalidDataError, match=r"m\.onnx"):
        load_model(path)
    assert not sprung.exists()
    pickle.loads(path.read_bytes())  # noqa: S301
    assert sprung.exists(), "the trap does not work"


@pytest.mark.parametrize("compress", [0, 3])
def test_a_renamed_joblib_file_is_never_loaded(compress: int, tmp_path: Path) -> None:
    sprung, path = tmp_path / "sprung", tmp_path / "m.onnx"
    joblib.dump(Trap(sprung), path, compress=compress)
    with pytest.raises(InvalidDataError, match="never loads"):
        load_model(path)
    assert not sprung.exists()


def test_other_files(dataset: LandmarkDataset, tmp_path: Path) -> None:
    save_dataset(dataset, tmp_path / "data.npz")
    (tmp_path / "empty.onnx").touch()
    (tmp_path / "text.onnx").write_text("Hallo Welt\n" * 50)
    (tmp_path / "lamp.toml").write_text("[actions.fist]\n")
    cv2.imwrite(str(tmp_path / "hand.png"), np.zeros((8, 8, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "hand.jpg"), np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "wave.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(100))
    for name, reason in {
        "data.npz": "looks like a dataset.*`handlore train`",
        "empty.onnx": "it is empty",
        "hand.png": "it is a picture or a video; name the model first",
        "hand.jpg": "it is a picture or a video",
        "wave.mp4": "it is a picture or a video",
        "text.onnx": "is not an ONNX model",
        "lamp.toml": r"is no model; actions are given as --actions .*lamp\.toml",
        "missing.onnx": "there is no file",
        ".": "is a folder; expected a model file",
    }.items():
        with pytest.raises(HandloreError, match=reason):
            load_model(tmp_path / name)


def test_a_failed_save_leaves_the_old_model(
    dataset: LandmarkDataset, model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.onnx"
    shutil.copy(model_file, path)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    fitted = fit_samples(ESTIMATORS["linear"](), dataset, PoseEncoder())
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(HandloreError, match=r"cannot write .*m\.onnx: No space left on device"):
        save_model(fitted, ModelCard(labels=(), estimator="linear"), path)
    assert path.read_bytes() == model_file.read_bytes()
    assert [file.name for file in tmp_path.iterdir()] == ["m.onnx"]


def test_documented_format(model_file: Path) -> None:
    (entry,) = onnx.load(model_file).metadata_props
    card = json.loads(entry.value)
    assert entry.key == "handlore"
    assert card["format"] == FORMAT_VERSION == 1
    assert {
        "labels",
        "estimator",
        "kind",
        "n_hands",
        "features",
        "n_features",
        "landmarker",
        "features_version",
        "canonical_version",
        "training",
    } <= set(card)


def test_novelty_score(model_file: Path, dataset: LandmarkDataset) -> None:
    model = load_model(model_file, "pose")
    X = model.encoder.encode_samples(dataset)
    usual = model.novelty(X)
    assert usual is not None
    assert np.median(usual) < 0.8
    strange = X + np.random.default_rng(0).normal(size=X.shape, scale=3).astype(np.float32)
    far = model.novelty(strange)
    assert far is not None
    assert far.min() > MAX_NOVELTY
    known = model.predict_known(strange)
    assert (
        known.max(axis=1) <= model.predict_proba(strange).max(axis=1) * 20 * (1 - far) + 1e-5
    ).all()
    hand = Hand(dataset.image[0, 0], dataset.world[0, 0], float(dataset.handedness[0, 0]))
    assert model.predict_hands([hand]).novelty == pytest.approx(float(usual[0]), abs=0.01)


def test_model_without_novelty_score(dataset: LandmarkDataset, tmp_path: Path) -> None:
    path = tmp_path / "plain.onnx"
    estimator = ESTIMATORS["linear"]()
    train_pipeline(Pipeline("linear", estimator, PoseEncoder()), dataset, path, novelty=False)
    model = load_model(path, "pose")
    X = model.encoder.encode_samples(dataset)
    assert model.novelty(X) is None
    np.testing.assert_array_equal(model.predict_known(X), model.predict_proba(X))


def test_damaged_novelty_score_is_refused(model_file: Path, tmp_path: Path) -> None:
    model = onnx.load(model_file)
    (last,) = [node for node in model.graph.node if list(node.output) == ["familiarity"]]
    last.input[0] = "probabilities"
    path = tmp_path / "wrong.onnx"
    del model.graph.output[-1].type.tensor_type.shape.dim[:]
    path.write_bytes(model.SerializeToString())
    with pytest.raises(InvalidDataError, match="one novelty score for each hand"):
        load_model(path)


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [
        ("gesture_recognizer.task", b"PK\3\4" + bytes(60), "a task file of MediaPipe"),
        ("renamed.onnx", b"PK\3\4" + bytes(26) + b"hand_detector.tflite", "a task file of Medi"),
        ("hands.tflite", b"\x1c\0\0\0TFL3" + bytes(60), "a TensorFlow Lite model"),
    ],
)
def test_models_of_others_say_what_they_are(tmp_path, name, data, what):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InvalidDataError, match=f"{what}.*handlore train"):
        load_model(tmp_path / name)


@pytest.mark.parametrize("opset", [11, 28])
def test_a_graph_of_somebody_else_that_cannot_run(opset: int, tmp_path: Path) -> None:
    """It is not damaged: training it again would not help."""
    other = graph(None, columns=63)
    other.opset_import[0].version = opset
    path = tmp_path / "other.onnx"
    path.write_bytes(other.SerializeToString())
    with pytest.raises(InvalidDataError, match="but not one made by `handlore train`"):
        load_model(path)


def test_rows_of_another_shape(model_file: Path) -> None:
    model = load_model(model_file)
    (width,) = model.encoder.shape
    assert model.predict_proba(np.zeros((2, width))).shape == (2, len(model.labels))
    assert model.predict_proba(np.zeros((0, width), np.float32)).shape == (0, len(model.labels))
    for wrong in ((3, 63), (0, 3)):
        with pytest.raises(InvalidDataError, match=rf"expected \(n, {width}\)"):
            model.predict_proba(np.zeros(wrong, np.float32))
    for odd in ([["a"] * width], [[1, 2], [3]], np.full((1, width), 1e300)):
        with pytest.raises(InvalidDataError, match="no array of 32-bit numbers"):
            model.predict_proba(odd)


def test_several_samples_are_no_clip(model_file: Path, npz: Path) -> None:
    with pytest.raises(InvalidDataError, match=r"it holds \d+ pictures, expected one"):
        load_model(model_file).predict_clip(load_dataset(npz))


def test_copies_of_a_picture_are_one(model_file: Path, npz: Path) -> None:
    data = load_dataset(npz)
    copies = data.select([0, 0, 0])
    assert load_model(model_file).predict_clip(copies).label in data.labels
    assert load_model(model_file).predict_clip(data.select([])).label == "none"


def test_a_hand_that_is_not_finite(model_file: Path) -> None:
    marks = np.full((21, 3), np.nan, np.float32)
    with pytest.raises(InvalidDataError, match="not finite; a missing hand is None"):
        load_model(model_file, "pose").predict_hands([Hand(marks, marks, 0.9)])


@pytest.mark.parametrize("bad", [np.inf, 1e30])
@pytest.mark.parametrize("where", ["image", "world"])
def test_a_coordinate_that_is_none(where: str, bad: float, model_file: Path, npz: Path) -> None:
    """A prediction of it would be a label with the probability NaN."""
    model, data = load_model(model_file, "pose"), load_dataset(npz)
    image, world, sides = data.image[0].copy(), data.world[0].copy(), data.handedness[0]
    {"image": image, "world": world}[where][0, 9, 2] = bad
    with pytest.raises(InvalidDataError, match="not finite"):
        model.predict_hands([Hand(image[0], world[0], 0.9)])
    with pytest.raises(InvalidDataError, match="not finite"):
        model.predict_frame(image, world, sides)
    frame = [values[0].tolist() for values in (data.image, data.world, data.handedness)]
    assert model.predict_frame(*frame).shape == (len(model.labels),)


def test_kinds_of_models(model_file: Path, tmp_path: Path) -> None:
    with pytest.raises(HandloreError, match="unknown kind 'poses'; did you mean pose"):
        load_model(model_file, "poses")
    moves = load_model("movements")
    with pytest.raises(InvalidDataError, match=r"takes movements .* not pictures"):
        moves.predict_picture(None, np.zeros((9, 9, 3), np.uint8))


def test_another_name_is_suggested_than_the_one_refused(npz: Path, tmp_path: Path) -> None:
    for name, better in (("hard.onnx", "hard-model.onnx"), ("hard", "hard.onnx")):
        shutil.copy(npz, tmp_path / name)
        with pytest.raises(HandloreError, match=rf"such as {better}"):
            require_model_output(tmp_path / name)
