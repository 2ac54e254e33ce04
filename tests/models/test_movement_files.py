"""Files of movement models: the same predictions as the estimator, and timed segments."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from examples import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from movement_stubs import (
    LABELS,
    Clip,
    clip,
    dataset_of,
    every_estimator,
    movements,
    small,
    two_handed,
)
from onnx import TensorProto, helper, numpy_helper

from handlore.classifiers.evaluation.scores import fit_samples
from handlore.classifiers.factory import Pipeline
from handlore.classifiers.training import save_model, train_pipeline
from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.landmarks.geometry import mirror
from handlore.models.card import ModelCard
from handlore.models.encoders import N_CONTEXT, MovementEncoder
from handlore.models.files import METADATA_KEY, load_model
from handlore.models.model import MovementModel
from handlore.models.predict import _video_events
from handlore.models.stream.events import Event
from handlore.models.stream.settings import MOVEMENT_THRESHOLD

Edited = Callable[[Callable[[dict[str, Any]], None]], Path]

PREDICT_ALONE = """
import sys, json
import numpy as np
from pathlib import Path
from handlore.models.files import load_model
X = np.load(sys.argv[2])
model = load_model(Path(sys.argv[1]), "sequence")
from handlore.models.stream.recogniser import Recogniser
recogniser = Recogniser([model])
for frame, image in enumerate(np.random.default_rng(0).uniform(size=(90, 1, 21, 3))):
    image = image.astype(np.float32)
    recogniser.feed(frame / 30, image, image, np.ones(1, np.float32))
heavy = {"sklearn", "scipy", "pandas", "matplotlib", "mediapipe", "cv2", "skl2onnx", "onnx"}
print(json.dumps({"p": model.predict_proba(X).tolist(), "heavy": sorted(heavy & set(sys.modules))}))
"""


@pytest.fixture(scope="module")
def movement_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small rocket that knows three movements and what is none."""
    path = tmp_path_factory.mktemp("models") / "moves.onnx"
    data = movements(labels=(*LABELS, "still"))
    labels = np.where(data.samples.label == "still", "none", data.samples.label)
    data = replace(data, samples=replace(data.samples, label=labels))
    train_pipeline(Pipeline("rocket", small("rocket"), MovementEncoder()), data, path)
    return path


@pytest.fixture(scope="module")
def model(movement_file: Path) -> MovementModel:
    return load_model(movement_file, "sequence")


@pytest.fixture
def edited(movement_file: Path, tmp_path: Path) -> Edited:
    """The model file with another card."""

    def write(edit: Callable[[dict[str, Any]], None]) -> Path:
        loaded = onnx.load(movement_file)
        (entry,) = [entry for entry in loaded.metadata_props if entry.key == METADATA_KEY]
        card = json.loads(entry.value)
        edit(card)
        entry.value = json.dumps(card)
        path = tmp_path / "edited.onnx"
        path.write_bytes(loaded.SerializeToString())
        return path

    return write


def lesson(*parts: tuple[str | None, float], fps: float = 15) -> Clip:
    """One movement after the other; None is a time without a hand."""
    images, start = [], np.float32([0.5, 0.6, 0])
    for label, seconds in parts:
        image = clip(label or "still", fps=fps, seconds=seconds - 1 / fps, person=9)[0]
        image = image - image[0, 0, 0] + start
        start = image[-1, 0, 0].copy()
        images.append(image if label else np.full_like(image, np.nan))
    image = np.concatenate(images)
    side = np.where(np.isnan(image[..., 0, 0]), np.nan, 0.9).astype(np.float32)
    return image, side, np.arange(len(image)) / fps


def events_of(
    model: MovementModel, image: np.ndarray, side: np.ndarray, time: np.ndarray
) -> list[Event]:
    return _video_events(model, dataset_of([(image, side, time)], ["?"]))


# Answers


@every_estimator
def test_file_equals_estimator(name: str, tmp_path: Path) -> None:
    data = movements(3, 1)
    encoder = small(name).encoder(1)
    assert isinstance(encoder, MovementEncoder)
    fitted = fit_samples(small(name), data, encoder)
    card = ModelCard(
        labels=(),
        estimator=name,
        kind="sequence",
        features=(),
        n_timepoints=encoder.n_timepoints,
        averaged=encoder.averaged,
        timed=encoder.timed,
        context=encoder.context,
        seconds=(0.5, 1.0, 1.5),
    )
    save_model(fitted, card, tmp_path / "m.onnx")
    assert load_model(tmp_path / "m.onnx", "sequence").encoder == encoder
    X = encoder.encode_samples(data)
    X = np.concatenate(
        [X, np.random.default_rng(0).normal(size=(5, *X.shape[1:])).astype(np.float32)]
    )
    np.save(tmp_path / "X.npy", X)
    command = [sys.executable, "-c", PREDICT_ALONE, "m.onnx", "X.npy"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    expected = json.loads(done.stdout)
    np.testing.assert_allclose(expected["p"], fitted.predict_proba(X), atol=1e-4)
    assert expected["heavy"] == []


def test_clip_in_dataset_python_and_video(tmp_path: Path) -> None:
    lasting = {"quick": 0.6, "slow": 2.4}
    clips = [
        clip("left", seconds=seconds * pace, person=person)
        for seconds in lasting.values()
        for person, pace in enumerate(np.linspace(0.8, 1.25, 12))
    ]
    people = [f"p{person}" for person in range(12)]
    data = dataset_of(clips, np.repeat([*lasting], 12), group=people * 2)
    encoder = small("rocket").encoder(1)
    train_pipeline(Pipeline("rocket", small("rocket"), encoder), data, tmp_path / "m.onnx")
    model = load_model(tmp_path / "m.onnx", "sequence")
    assert model.card.context
    X = model.encoder.encode_samples(data)
    expected = model.predict_proba(X)
    found = [model.predict_clip(dataset_of([one], ["?"])).probabilities for one in clips]
    np.testing.assert_allclose(found, expected, atol=1e-4)
    said = [(event.label, event.probability) for one in clips for event in events_of(model, *one)]
    assert [label for label, _ in said] == [model.labels[best] for best in expected.argmax(axis=1)]
    np.testing.assert_allclose([sure for _, sure in said], expected.max(axis=1), atol=1e-4)
    # How long they last is a part of it.
    X[:, -N_CONTEXT] = 0
    assert np.abs(model.predict_proba(X) - expected).max() > 0.02


def test_file_without_durations(tmp_path: Path) -> None:
    data, encoder = movements(3, 1), MovementEncoder(1, 32)
    fitted = fit_samples(small("rocket"), data, encoder)
    card = ModelCard(
        (), "rocket", kind="sequence", features=(), n_timepoints=32, seconds=(0.5, 1.0, 1.5)
    )
    save_model(fitted, card, tmp_path / "m.onnx")
    model = load_model(tmp_path / "m.onnx", "sequence")
    assert not model.card.timed
    X = encoder.encode_samples(data)
    np.testing.assert_allclose(model.predict_proba(X), fitted.predict_proba(X), atol=1e-5)


@every_estimator
def test_same_data_and_seed_same_bytes(name: str, tmp_path: Path) -> None:
    data = movements(3, 1, labels=("left", "right"))
    for path in ("a.onnx", "b.onnx"):
        train_pipeline(Pipeline(name, small(name), small(name).encoder(1)), data, tmp_path / path)
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


def test_card_says_how_clips_look(model: MovementModel) -> None:
    card = model.card
    assert card.labels == tuple(sorted((*LABELS, "none")))
    assert (card.kind, card.n_hands, card.features) == ("sequence", 1, ())
    assert (card.n_features, card.n_timepoints) == (64, 32)
    low, usual, high = card.seconds
    assert 0.7 < low < usual < high < 1.5
    assert card.training["groups"] == ["p0", "p1", "p2", "p3"]
    assert card.training["counts"] == dict.fromkeys((*LABELS, "none"), 8)
    assert ModelCard.from_json(json.loads(json.dumps(card.as_json()))) == card
    assert model.encoder == MovementEncoder(1, 32)


@pytest.mark.parametrize("label", LABELS)
def test_a_clip_is_one_movement(label: str, model: MovementModel) -> None:
    image, side, time = clip(label, fps=20, seconds=0.9, person=9)
    prediction = model.predict_clip(dataset_of([(image, side, time)], ["?"]))
    assert (prediction.label, prediction.rotation_deg) == (label, None)
    assert sum(prediction.probabilities) == pytest.approx(1, abs=1e-5)
    (one,) = events_of(model, image, side, time)
    assert one.label == label
    assert one.probability == pytest.approx(prediction.probability)
    assert (one.start, one.hand) == (0, "right")
    assert one.end == pytest.approx(0.9, abs=0.01)
    left_hand = image[:, :, :1] + mirror(image - image[:, :, :1])
    (other,) = events_of(model, left_hand, 1 - side, time)
    assert (other.label, other.hand) == (label, "left")


@pytest.mark.parametrize("fps", [8, 15, 30, 60])
def test_frame_rates_are_answered_the_same(fps: float, model: MovementModel) -> None:
    for label in LABELS:
        (one,) = events_of(model, *clip(label, fps=fps, person=9))
        assert one.label == label


def test_no_hand_and_none_are_no_events(model: MovementModel) -> None:
    image, side, time = clip("left")
    assert events_of(model, np.full_like(image, np.nan), np.full_like(side, np.nan), time) == []
    assert events_of(model, *clip("still", person=9)) == []
    assert events_of(model, *lesson(("still", 8))) == []


def test_a_long_video_is_told_in_timed_events(model: MovementModel) -> None:
    video = lesson(
        ("still", 2), ("left", 1), ("still", 2), (None, 1), ("still", 2), ("right", 1), ("still", 2)
    )
    found = events_of(model, *video)
    sure = [one for one in found if one.probability > 0.8]
    assert [one.label for one in sure] == ["left", "right"]
    assert [one.start for one in sure] == pytest.approx([2, 8], abs=0.5)
    assert [one.end for one in sure] == pytest.approx([3, 9], abs=0.5)


@settings(max_examples=8, deadline=None)
@given(
    parts=st.lists(
        st.tuples(st.sampled_from([*LABELS, "still", None]), st.floats(0.3, 1.5)),
        min_size=1,
        max_size=5,
    ),
    fps=st.sampled_from([8, 15]),
)
def test_events_lie_in_the_video_in_order(
    parts: list[tuple[str | None, float]], fps: float, model: MovementModel
) -> None:
    image, side, time = lesson(*parts, fps=fps)
    found = events_of(model, image, side, time)
    assert [one.start for one in found] == sorted(one.start for one in found)
    for one in found:
        assert 0 <= one.start <= one.end <= time[-1]
        assert one.label in LABELS
        assert 0 < one.probability <= 1
        assert one.hand == "right"
        json.dumps(asdict(one))
    if time[-1] > 3:
        assert all(one.probability >= MOVEMENT_THRESHOLD for one in found)
        for one, after in pairwise(found):
            assert one.end <= after.start


@pytest.mark.parametrize("gap", [1e3, 1e5])
def test_wrong_times_are_cheap(gap: float, model: MovementModel) -> None:
    image, side, time = (np.concatenate([array] * 2) for array in clip("left", fps=15, person=9))
    time[len(time) // 2 :] += gap
    found = events_of(model, image, side, time)
    assert "left" in {one.label for one in found}
    image, side, time = clip("left", fps=15)
    events_of(model, image, side, time * gap)


def test_endless_times_are_refused(model: MovementModel) -> None:
    image, side, time = (np.concatenate([array] * 2) for array in clip("left", fps=15, person=9))
    time[len(time) // 2 :] += 1e300
    with pytest.raises(InvalidDataError, match="lasts longer than") as caught:
        events_of(model, image, side, time)
    assert len(str(caught.value)) < 200


def test_hand_lost_for_a_window(model: MovementModel) -> None:
    short = MovementModel(
        model._session, replace(model.card, seconds=(0.2, 0.3, 1.0)), model.encoder
    )
    found = events_of(short, *lesson(("still", 2), ("left", 1), (None, 0.5), ("still", 2), fps=60))
    assert all(one.label in LABELS for one in found)


def test_samples_for_streams_are_not_learnt_by_the_classifier_of_clips(tmp_path: Path) -> None:
    data, more = movements(3, 2), movements(1, 6, labels=("left",), seed=9)
    more = replace(more, samples=replace(more.samples, label=np.full(6, "right")))
    encoder, X = MovementEncoder(), MovementEncoder().encode_samples(data)
    found = []
    for name, for_streams in (("without", None), ("with", more)):
        path = tmp_path / f"{name}.onnx"
        pipeline = Pipeline("rocket", small("rocket"), encoder)
        train_pipeline(pipeline, data, path, for_streams=for_streams, negatives=True)
        found.append(load_model(path, "sequence"))
    plain, taught = found
    np.testing.assert_array_equal(plain.predict_clips(X), taught.predict_clips(X))
    assert np.abs(plain.predict_proba(X) - taught.predict_proba(X)).max() > 0.1
    assert taught.card.training["n"] == plain.card.training["n"] + 6


def test_two_hands(tmp_path: Path) -> None:
    data = two_handed(movements(3, 1, labels=("left", "right")))
    train_pipeline(
        Pipeline("rocket", small("rocket"), MovementEncoder(2)), data, tmp_path / "m.onnx"
    )
    model = load_model(tmp_path / "m.onnx", "sequence")
    assert (model.card.n_hands, model.card.n_features) == (2, 128)
    one = two_handed(dataset_of([clip("left", person=1)], ["left"]))
    (segment,) = _video_events(model, one)
    assert (segment.label, segment.hand) == ("left", "right")


@pytest.mark.parametrize("seconds", [(0.0, 0.0, 0.0), (0.0, 1.0, 1e6), (1e6, 1.0, 0.0)])
def test_odd_clip_lengths(seconds: tuple[float, ...], model: MovementModel) -> None:
    odd = MovementModel(model._session, replace(model.card, seconds=seconds), model.encoder)
    for video in (lesson(("left", 0.1)), lesson(("left", 1), ("still", 1))):
        assert all(isinstance(one, Event) for one in events_of(odd, *video))


# Files


def test_kinds_are_not_mistaken(movement_file: Path, model_file: Path) -> None:
    assert isinstance(load_model(movement_file), MovementModel)
    with pytest.raises(InvalidDataError, match=r"moves\.onnx takes movements .*expected .*poses"):
        load_model(movement_file, "pose")
    with pytest.raises(InvalidDataError, match=r"poses\.onnx takes poses .*expected .*movements"):
        load_model(model_file, "sequence")


CARDS = [
    ("kind", "pose"),
    ("kind", "movement"),
    ("kind", None),
    *(
        ("n_timepoints", value)
        for value in (
            0,
            1,
            -32,
            31,
            33,
            64,
            4097,
            10**9,
            10**400,
            32.0,
            1e400,
            "32",
            None,
            True,
            [32],
        )
    ),
    *(
        ("seconds", value)
        for value in (
            [],
            [1.0],
            [1.0] * 4,
            None,
            "1",
            1.0,
            ["1", "2", "3"],
            [None] * 3,
            [True] * 3,
            [0.1, 1.0, float("nan")],
            [0.1, 1.0, float("inf")],
            [-1.0, 1.0, 2.0],
            [0.1, 1.0, 10**400],
            {"0": 1},
        )
    ),
    ("labels", ["left"]),
    ("labels", [*"abcdefgh"]),
    ("labels", ["a", "a", "b", "c"]),
    ("n_hands", 2),
    ("n_hands", "one"),
    ("n_hands", True),
    ("n_features", 63),
    ("n_features", 128),
    ("features", None),
    ("training", 5),
    *(
        ("thresholds", value)
        for value in (
            5,
            ["left"],
            {"unknown": 0.5},
            {"left": "0.5"},
            {"left": True},
            {"left": 1.5},
            {"left": -0.1},
            {"left": float("nan")},
            {"left": None},
        )
    ),
    ("calibration", 5),
]


@pytest.mark.parametrize(("key", "value"), CARDS)
def test_card_must_fit_graph(key: str, value: object, edited: Edited) -> None:
    with pytest.raises(InvalidDataError, match=r"edited\.onnx") as caught:
        load_model(edited(lambda card: card.__setitem__(key, value)))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("key", ["n_timepoints", "seconds", "n_features", "kind", "labels"])
def test_a_card_that_lacks_something_is_refused(key: str, edited: Edited) -> None:
    with pytest.raises(InvalidDataError, match=r"edited\.onnx is damaged"):
        load_model(edited(lambda card: card.pop(key)))


def test_pose_model_with_movement_card(
    model_file: Path, movement_file: Path, tmp_path: Path
) -> None:
    for graph, card in ((model_file, movement_file), (movement_file, model_file)):
        mixed = onnx.load(graph)
        mixed.metadata_props[0].value = onnx.load(card).metadata_props[0].value
        (tmp_path / "m.onnx").write_bytes(mixed.SerializeToString())
        with pytest.raises(InvalidDataError, match=r"m\.onnx is damaged: its graph does not take"):
            load_model(tmp_path / "m.onnx")


def graph(
    card: ModelCard,
    *,
    shape: list[int | None] | None,
    n_labels: int = 4,
    dtype: int = TensorProto.FLOAT,
    name: str = "X",
) -> onnx.ModelProto:
    """A model that averages over time and multiplies by a constant."""
    kind = helper.tensor_dtype_to_np_dtype(dtype)
    weights = numpy_helper.from_array(np.ones(((shape or [1, 64])[1] or 64, n_labels), kind), "W")
    given = helper.make_tensor_value_info(name, dtype, shape)
    said = helper.make_tensor_value_info("probabilities", dtype, None)
    nodes = [
        helper.make_node("ReduceMean", [name], ["mean"], axes=[-1], keepdims=0),
        helper.make_node("MatMul", ["mean", "W"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"]),
    ]
    made = helper.make_model(
        helper.make_graph(nodes, "g", [given], [said], [weights]),
        opset_imports=[helper.make_opsetid("", 15)],
        ir_version=8,
    )
    helper.set_model_props(made, {METADATA_KEY: json.dumps(card.as_json())})
    return made


GRAPHS: dict[str, dict[str, Any]] = {
    "rows": {"shape": [None, 64]},
    "four axes": {"shape": [None, 1, 64, 32]},
    "another number of channels": {"shape": [None, 63, 32]},
    "another number of points": {"shape": [None, 64, 31]},
    "more than one sample": {"shape": [2, 64, 32]},
    "no shape": {"shape": None},
    "another name": {"shape": [None, 64, 32], "name": "input"},
    "double": {"shape": [None, 64, 32], "dtype": TensorProto.DOUBLE},
    "another number of labels": {"shape": [None, 64, 32], "n_labels": 3},
}


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_of_another_shape_is_refused(
    name: str, model: MovementModel, tmp_path: Path
) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(graph(model.card, shape=[None, 64, 32]).SerializeToString())
    assert load_model(path).predict_proba(np.ones((1, 64, 32), np.float32)).shape == (1, 4)
    path.write_bytes(graph(model.card, **GRAPHS[name]).SerializeToString())
    with pytest.raises(InvalidDataError, match=r"m\.onnx"):
        load_model(path)


no_fixture_check = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@settings(no_fixture_check, max_examples=15)
@given(share=st.floats(0, 1, exclude_max=True))
def test_truncated(share: float, movement_file: Path, tmp_path: Path) -> None:
    data = movement_file.read_bytes()
    path = tmp_path / "cut.onnx"
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(HandloreError, match=r"cut\.onnx") as caught:
        load_model(path)
    assert "\n" not in str(caught.value)


@examples(40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_bytes_load_or_give_one_line(
    data: st.DataObject, movement_file: Path, tmp_path: Path
) -> None:
    content = bytearray(movement_file.read_bytes())
    places = st.one_of(st.integers(0, 3000), st.integers(1, 3000).map(lambda i: -i))
    for place in data.draw(st.lists(places, min_size=1, max_size=3)):
        content[place] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "flipped.onnx"
    path.write_bytes(content)
    with contextlib.suppress(HandloreError):
        events_of(load_model(path, "sequence"), *clip("left", fps=8))


def test_training_needs_depth(tmp_path: Path) -> None:
    data = movements(1, 1)
    flat = data.image.copy()
    flat[..., 2] = np.nan
    with pytest.raises(InvalidDataError, match="z is missing"):
        train_pipeline(
            Pipeline("rocket", small("rocket"), MovementEncoder()),
            replace(data, image=flat),
            tmp_path / "m.onnx",
        )
    assert list(tmp_path.iterdir()) == []
