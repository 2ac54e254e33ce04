"""Scores in streams of clips, and the thresholds that are found there."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from movement_stubs import LABELS, Nearest, lesson, movements, two_handed
from stream_stubs import Swipes

from handlore.classifiers.base import Steps
from handlore.classifiers.estimators import ESTIMATORS
from handlore.classifiers.evaluation.crossval import cross_validate, cross_validate_pipeline
from handlore.classifiers.evaluation.evaluation import evaluate
from handlore.classifiers.evaluation.scores import fit_samples
from handlore.classifiers.evaluation.streams import (
    StreamOutputs,
    StreamScores,
    _clip_streams,
    usual_threshold,
)
from handlore.classifiers.evaluation.thresholds import (
    choose_patience,
    choose_thresholds,
    cross_fitted,
    left_out_streams,
    pooled_streams,
)
from handlore.classifiers.factory import Pipeline
from handlore.classifiers.training import train_pipeline
from handlore.datasets.dataset import LabelledInterval, LandmarkDataset, concatenate
from handlore.models.card import ModelCard
from handlore.models.encoders import PoseEncoder
from handlore.models.files import load_model
from handlore.models.stream.ground_truth import StreamScore, dataset_streams
from handlore.models.stream.inference import ModelOutput
from handlore.models.stream.recogniser import recognise
from handlore.models.stream.settings import PATIENCE

SWIPES = ("left", "right")
ONE_GESTURE = 3.0
"""Seconds from one scripted gesture to the next."""


class SlowNearest(Nearest):
    """As if it took minutes to train."""

    learns_in_epochs = True


class SlowSpotter(SlowNearest):
    """As if only the clips took minutes."""

    spots = True


def with_none(data: LandmarkDataset) -> LandmarkDataset:
    """The same with ``none`` as the label of the hand that keeps still."""
    labels = np.where(data.samples.label == "still", "none", data.samples.label)
    return replace(data, samples=replace(data.samples, label=labels))


def swapped(data: LandmarkDataset) -> LandmarkDataset:
    """The same with left as right, and right as left."""
    labels = np.where(data.samples.label == "left", "right", "left")
    return replace(data, samples=replace(data.samples, label=labels))


def trained(
    data: LandmarkDataset, out: Path, *, negatives: bool = True, kind: type[Nearest] = Nearest
) -> ModelCard:
    estimator = kind()
    pipeline = Pipeline("nearest", estimator, estimator.encoder(data.n_hands))
    return train_pipeline(pipeline, data, out, negatives=negatives).card


def scripted(*windows: tuple[str, float, str]) -> StreamOutputs:
    """A stream of windows: label, probability, and the gesture that was made then, if any."""
    model, outputs, made = Swipes(), [], []
    for number, (label, probability, truth) in enumerate(windows):
        start = number * ONE_GESTURE
        for step in range(10):
            sure = probability if step in (3, 4) else 0.0
            row = np.array([sure if label == one else 0 for one in model.labels], np.float32)
            row[model.labels.index("none")] = 1 - sure
            end = start + 1 + 0.2 * step
            outputs.append(ModelOutput(end - 1, end, row, "right", end))
        if truth:
            made.append(LabelledInterval(truth, start, start + 2))
    streams = ((outputs, tuple(made)),)
    return StreamOutputs(model, streams, ONE_GESTURE * len(windows), is_synthetic=False)


def thresholds_of(*windows: tuple[str, float, str]) -> dict[str, float]:
    return choose_thresholds([scripted(*windows)], 0.6)


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.9, 1.0])
@pytest.mark.parametrize("labels", [SWIPES, LABELS, (*SWIPES, "still")])
def test_counts_add_up(labels: Sequence[str], threshold: float) -> None:
    data = with_none(movements(2, 3, labels))
    one = StreamOutputs.of(Swipes(), data, 100)
    levels = dict.fromkeys(SWIPES, threshold)
    counted, score = one.counted(levels), one.total(levels, PATIENCE)
    gestures = int((data.samples.label != "none").sum())
    assert counted.n_found + counted.n_confused + counted.n_missed == counted.n == gestures
    assert min(counted.n_found, counted.n_confused, counted.n_missed, counted.n_false) >= 0
    assert (counted.n_found, counted.n_false) == (len(score.found), len(score.false))
    both = pooled_streams([counted, counted])
    assert (both.n, both.n_missed, both.seconds) == (
        2 * counted.n,
        2 * counted.n_missed,
        2 * counted.seconds,
    )


def test_found_confused_and_missed() -> None:
    one = scripted(
        ("left", 0.9, "left"), ("left", 0.9, "right"), ("left", 0.3, "left"), ("right", 0.9, "")
    )
    counted = one.counted({})
    assert (counted.n, counted.n_found, counted.n_confused, counted.n_missed) == (3, 1, 1, 1)
    assert counted.n_false == 2, "that of the confused gesture is false too"
    assert counted.sentence == (
        "in a stream with the clips of none in between: 33 % of 3 gestures found, 33 % confused,"
        " 33 % missed; 2 false events (10.0 a minute)"
    )


@pytest.mark.parametrize(("n_none", "enough"), [(1, True), (0, False)])
def test_a_few_clips_of_none_are_what_lies_between(n_none: int, enough: bool) -> None:
    """One of 40 is enough: with fewer the hand rests between the gestures, as nobody's does."""
    data = movements(5, 4, SWIPES)
    label = data.samples.label.copy()
    label[:n_none] = "none"
    streams = StreamOutputs.of(
        Swipes(), replace(data, samples=replace(data.samples, label=label)), 9
    )
    assert streams.is_synthetic != enough


def test_swapped_labels_are_confusions() -> None:
    data = movements(3, 4, SWIPES)
    right = StreamOutputs.of(Swipes(), data, 100).counted({})
    wrong = StreamOutputs.of(Swipes(), swapped(data), 100).counted({})
    assert right.n_found > 0.7 * right.n
    assert right.n_confused < 0.1 * right.n
    assert wrong.n_found < 0.6 * right.n_found
    assert wrong.n_false > wrong.n_confused > 0.5 * wrong.n


def test_clips_of_none_lie_between_the_gestures() -> None:
    data = with_none(movements(3, 2, (*LABELS, "still")))
    streams, is_synthetic = _clip_streams(data, 100)
    assert not is_synthetic
    assert len(streams) == 3, "one for each person"
    assert sum(stream.video.n_frames for stream in streams) == data.n_frames
    assert sum(len(stream.ground_truth) for stream in streams) == 3 * 2 * len(LABELS)
    assert StreamOutputs.of(Swipes(), data, 100).counted({}).as_json()["between"] == "none"


def test_idle_movement_is_made_where_there_is_no_none() -> None:
    rare = with_none(movements(2, 12, (*LABELS, "still")).select(np.r_[0:36, 36:37, 48:84]))
    assert 0 < (rare.samples.label == "none").mean() < 0.05
    for data in (movements(2, 2), rare):
        streams, is_synthetic = _clip_streams(data, 1000)
        assert is_synthetic
        frames = sum(stream.video.n_frames for stream in streams)
        assert frames / 20 > 1.5 * np.diff(data.time[data.offsets.clip(max=1)]).sum()
        made = sorted(one.label for stream in streams for one in stream.ground_truth)
        assert made == sorted(str(label) for label in data.samples.label if label != "none")
    assert StreamOutputs.of(Swipes(), rare, 9).counted({}).as_json()["between"] == "synthetic"


@pytest.mark.parametrize(("most", "n_whole"), [(100, 2), (20, 1)])
def test_recordings_keep_their_order(most: int, n_whole: int) -> None:
    """Clips of one recording are put together again; those of others are in random order."""
    ways = ("left", "right", "left", "circle", "right")
    recorded = [lesson("one.mp4", *ways), lesson("two.mp4", *ways[::-1])]
    data = concatenate([with_none(movements(2, 1, (*LABELS, "still"))), *recorded])
    streams, is_synthetic = _clip_streams(data, most)
    assert not is_synthetic
    expected = [next(dataset_streams(one)) for one in recorded]
    whole = [
        one
        for one in streams
        if any(np.array_equal(one.video.image, other.video.image) for other in expected)
    ]
    assert len(whole) == n_whole
    assert {one.ground_truth for one in whole} <= {one.ground_truth for one in expected}
    if most > data.n_samples:
        assert sum(stream.video.n_frames for stream in streams) == data.n_frames


def test_windows_of_none_lie_between_clips() -> None:
    """A long recording of nothing but none is cut into windows that overlap."""
    rest = lesson("n", *("still",) * 8)
    people = replace(rest.samples, group=np.full(17, "p0"))
    data = concatenate([movements(2, 4, SWIPES), replace(rest, samples=people)])
    (stream, _), _ = _clip_streams(data, 100)
    assert sum(b.start - a.end > 1 for a, b in pairwise(stream.ground_truth)) > 2


def test_at_most_so_many_clips() -> None:
    for labels in (LABELS, (*LABELS, "still")):
        streams, _ = _clip_streams(with_none(movements(2, 4, labels)), 5)
        assert sum(len(stream.ground_truth) for stream in streams) <= 5
    assert StreamOutputs.of(Swipes(), movements(2, 4), 5).counted({}).n == 5


def test_augmented_copies_are_nothing_that_was_made() -> None:
    data = movements(2, 3)
    copies = replace(data, samples=replace(data.samples, view=np.full(data.n_samples, 1)))
    both = concatenate([data, copies])
    one, other = (StreamOutputs.of(Swipes(), which, 100).counted({}) for which in (data, both))
    assert one == other


def test_two_hands_in_streams() -> None:
    counted = StreamOutputs.of(Swipes(2), two_handed(movements(2, 2, SWIPES)), 100).counted({})
    assert counted.n == 8


def test_no_hand_and_no_gesture_have_a_sentence() -> None:
    assert "nothing but none: 2 false events (2.0" in StreamScores(0, 0, 0, 2, 60.0).sentence


def test_scores_are_read_from_a_card() -> None:
    made = StreamScores(20, 12, 3, 4, 90.0, True)
    assert StreamScores.from_json(made.as_json()) == made
    for damaged in (None, {}, [], "n", {**made.as_json(), "n": "20"}):
        assert StreamScores.from_json(damaged) is None


def test_thresholds_lie_between_what_is_right_and_what_is_false() -> None:
    windows = [("left", 0.38, "left"), ("left", 0.3, "")] * 10
    assert thresholds_of(*windows)["left"] == 0.35


def test_false_events_cost_more_than_gestures() -> None:
    windows = [("left", 0.38, "left"), ("left", 0.45, "")] * 10
    chosen = thresholds_of(*windows)
    assert chosen["left"] > 0.45, "all missed, but nothing false"
    many = [*windows, *[("left", 0.38, "left")] * 30]
    assert thresholds_of(*many)["left"] == 0.35, "40 gestures outweigh 10 false events"


def test_of_equally_good_thresholds_the_highest() -> None:
    assert thresholds_of(*[("left", 0.95, "left")] * 10)["left"] == 0.9
    assert thresholds_of(*[("left", 0.55, "left")] * 10)["left"] == 0.5


def test_one_gesture_of_a_hundred_is_worth_a_higher_threshold() -> None:
    many = [("left", 0.95, "left")] * 99
    assert thresholds_of(*many, ("left", 0.55, "left"))["left"] == 0.9
    assert thresholds_of(*many[:98], *[("left", 0.55, "left")] * 2)["left"] == 0.5


def test_what_is_confused_costs_as_much_where_idle_movement_is_made() -> None:
    """Only what is between gestures is unlike life there."""
    windows = [("left", 0.65, "left")] * 30
    confused = replace(scripted(*windows, *[("left", 0.65, "right")] * 10), is_synthetic=True)
    assert choose_thresholds([confused], 0.6)["left"] == 0.6
    false = replace(scripted(*windows, *[("left", 0.65, "")] * 10), is_synthetic=True)
    assert choose_thresholds([false], 0.6)["left"] == 0.9


def test_all_labels_get_one_threshold() -> None:
    windows = [("left", 0.45, "left")] * 20
    assert thresholds_of(*windows) == {"left": 0.4, "right": 0.4}
    many = [*windows, *[("right", 0.95, "right"), ("right", 0.65, "")] * 20]
    assert thresholds_of(*many) == {"left": 0.9, "right": 0.9}, "a few dozen prove little"


def test_where_idle_movement_is_made_thresholds_stay_high() -> None:
    one = scripted(*[("left", 0.65, "left")] * 30, *[("left", 0.65, "")] * 10)
    assert choose_thresholds([one], 0.6)["left"] == 0.6, "30 gestures outweigh 10 false events"
    made = replace(one, is_synthetic=True)
    assert choose_thresholds([made], 0.6)["left"] == 0.9, "which count twice as much here"
    quiet = replace(scripted(*[("left", 0.35, "left")] * 10), is_synthetic=True)
    assert choose_thresholds([quiet], 0.6)["left"] >= 0.6


def after(seconds: float, label: str, gesture: str) -> StreamOutputs:
    """Windows that show ``left`` and, some seconds later, longer ones that show more clearly what
    the gesture was."""
    model, outputs, made = Swipes(), [], []
    for number in range(10):
        start = number * ONE_GESTURE
        later = round(seconds / 0.1)
        for step in range(40):
            end = start + 1 + 0.1 * step
            short, long = step in (0, 1), step in (later, later + 1)
            for window, shown in enumerate(("left" if short else "", label if long else "")):
                row = np.array([0.9 * (shown == one) for one in model.labels], np.float32)
                row[model.labels.index("none")] += 1 - row.sum()
                begin = end - 1 if window == 0 else start
                outputs.append(ModelOutput(begin, end, row, "right", end, window))
        made.append(LabelledInterval(gesture, start, start + 1))
    return StreamOutputs(model, ((outputs, tuple(made)),), 10 * ONE_GESTURE, is_synthetic=False)


def test_what_looks_like_nothing_else_is_emitted_at_once() -> None:
    one = after(0.8, "none", "left")
    assert choose_patience([one], dict.fromkeys(SWIPES, 0.5))["left"] == 0.25


def test_what_may_be_the_beginning_of_something_else_waits() -> None:
    one = after(0.8, "right", "right")
    thresholds = dict.fromkeys(SWIPES, 0.5)
    waits = choose_patience([one], thresholds)
    assert waits["left"] == 1.0
    assert one.counted(thresholds, waits).n_found == 10
    assert one.counted(thresholds, dict.fromkeys(SWIPES, 0.25)).n_false >= 10


def test_thresholds_of_a_part_are_chosen_on_the_others() -> None:
    quiet = scripted(*[("left", 0.38, "left")] * 10)
    sure = scripted(*[("left", 0.95, "left")] * 10)
    assert cross_fitted([quiet, sure]).n_found == 10, "sure with 0.35, quiet with 0.9"
    assert cross_fitted([quiet]).n_found == 10


def test_training_finds_thresholds(tmp_path: Path) -> None:
    data = with_none(movements(2, 4, (*LABELS, "still")))
    card = trained(data, tmp_path / "m.onnx")
    assert set(card.thresholds) == set(LABELS)
    assert card.training["streams"]["n"] == 24
    assert load_model(tmp_path / "m.onnx", "sequence").thresholds == card.thresholds


@pytest.mark.parametrize("has_none", [True, False])
def test_training_asks_for_recordings_of_none(has_none: bool, tmp_path: Path) -> None:
    data = movements(2, 4, (*LABELS, "still"))
    estimator = Nearest()
    pipeline = Pipeline("nearest", estimator, estimator.encoder(data.n_hands))
    data = with_none(data) if has_none else data
    notes = train_pipeline(pipeline, data, tmp_path / "m.onnx", negatives=True).notes
    assert any("as none" in note for note in notes) != has_none


def test_one_half_is_enough_where_training_takes_minutes(tmp_path: Path) -> None:
    data = with_none(movements(4, 4, (*LABELS, "still")))
    card = trained(data, tmp_path / "m.onnx", kind=SlowSpotter)
    assert set(card.thresholds) == set(LABELS)
    assert card.training["streams"]["n"] == 24, "of 48"


@pytest.mark.parametrize("kind", [Nearest, SlowSpotter])
def test_a_gesture_of_one_person_is_in_one_half_only(kind: type[Nearest], tmp_path: Path) -> None:
    data = with_none(movements(4, 4, (*LABELS, "still")))
    own = (data.samples.label != "circle") | (data.samples.group == "p0")
    card = trained(data.select(own), tmp_path / "m.onnx", kind=kind)
    assert set(card.thresholds) == set(card.patience) == set(LABELS)


def test_the_file_keeps_the_scores_of_cross_validation_in_streams(tmp_path: Path) -> None:
    """Not those of the halves by which thresholds are found, where it is cross-validated."""
    data = with_none(movements(4, 2, (*LABELS, "still")))
    estimator = Nearest()
    pipeline = Pipeline("nearest", estimator, estimator.encoder(data.n_hands))
    out = tmp_path / "m.onnx"
    card = train_pipeline(pipeline, data, out, negatives=True, crossval=True).card
    found = cross_validate_pipeline(pipeline, data, "group", None, with_streams=True).streams
    assert found
    assert card.training["streams"] == found.as_json()
    assert found.n == 24


@pytest.mark.parametrize(
    "options", [{"negatives": False}, {"kind": SlowNearest}], ids=["no negatives", "epochs"]
)
def test_training_finds_none(options: dict[str, object], tmp_path: Path) -> None:
    card = trained(movements(2, 4), tmp_path / "m.onnx", **options)
    assert card.thresholds == {}
    assert "streams" not in card.training


def test_too_few_gestures_to_choose_by_get_the_usual_threshold(tmp_path: Path) -> None:
    data = movements(2, 3)
    card = trained(data, tmp_path / "m.onnx")
    assert card.thresholds == dict.fromkeys(LABELS, usual_threshold(data))
    assert "streams" not in card.training


@pytest.mark.parametrize(
    ("n_labels", "each", "n_people", "usual"),
    [
        (2, 10, 1, 0.35),
        (5, 10, 1, 0.35),
        (8, 10, 2, 0.28),
        (40, 10, 1, 0.25),
        (2, 9, 1, 0.5),
        (40, 9, 1, 0.5),
        (2, 9, 2, 0.35),
        (40, 9, 2, 0.25),
    ],
)
def test_usual_threshold_by_clips_labels_and_people(
    n_labels: int, each: int, n_people: int, usual: float
) -> None:
    data = movements(1, 1, LABELS[:1]).select(np.zeros(n_labels * each, int))
    label = np.repeat([f"m{number}" for number in range(n_labels)], each)
    group = np.resize([f"p{number}" for number in range(n_people)], len(label))
    samples = replace(data.samples, label=label, group=group)
    assert usual_threshold(replace(data, samples=samples)) == usual


def test_thresholds_of_parts_are_those_of_a_model_of_all() -> None:
    """Twelve clips a label are many, three quarters of them would be few of one person."""
    data = movements(1, 12)
    model = Nearest()
    fitted = fit_samples(model, data, model.encoder(1))
    outputs = left_out_streams(fitted, data, model.encoder(1), Steps(9, None))
    assert [one.usual for one in outputs] == [usual_threshold(data)] * 4
    assert usual_threshold(data) == 0.35 != usual_threshold(data.select(np.arange(27)))


def test_streams_leave_out_what_is_not_in_the_scores(tmp_path: Path) -> None:
    """Only one person shows `circle`: nothing has learnt it where that person is tested."""
    data = movements(3, 5)
    kept = (data.samples.label != "circle") | (data.samples.group == "p0")
    found = cross_validate(data.select(kept))
    assert list(found.untested) == ["circle"]
    assert found.streams
    assert found.streams.n == found.scores.n == (kept & (data.samples.label != "circle")).sum()
    card = trained(data.select(kept), tmp_path / "m.onnx")
    assert card.training["streams"]["n"] == found.streams.n


def test_clips_of_none_are_no_gestures_to_choose_by(tmp_path: Path) -> None:
    data = with_none(movements(2, 3, (*LABELS, "still")))
    assert data.n_samples > 20
    card = trained(data, tmp_path / "m.onnx")
    assert card.thresholds == dict.fromkeys(LABELS, usual_threshold(data))


def test_pictures_are_held_and_hidden_in_turn(dataset: LandmarkDataset) -> None:
    streams, is_synthetic = _clip_streams(dataset, 100)
    assert not is_synthetic
    gestures = [one for stream in streams for one in stream.ground_truth]
    assert len(gestures) == (dataset.samples.label != "none").sum()
    for stream in streams:
        for one, after in pairwise(stream.ground_truth):
            assert after.start - one.end >= 0.4, "so that the same pose may follow"


def test_streams_of_poses(dataset: LandmarkDataset, tmp_path: Path) -> None:
    pipeline = Pipeline("linear", ESTIMATORS["linear"](), PoseEncoder())
    made = train_pipeline(pipeline, dataset, tmp_path / "m.onnx", crossval=True, negatives=True)
    assert made.card.thresholds == {}
    known = evaluate(tmp_path / "m.onnx", dataset).streams
    assert known
    assert known.n_found == known.n
    assert known.n_false == 0
    assert known.as_json()["between"] == "pictures"
    assert "held for a second" in known.sentence
    left_out = cross_validate(dataset, "linear").streams
    assert left_out
    assert 0 < left_out.n_found <= left_out.n == known.n
    assert made.card.training["streams"] == left_out.as_json()
    assert cross_validate(dataset, "linear", with_streams=False).streams is None


def test_unknown_poses_are_rejected_in_streams(dataset: LandmarkDataset) -> None:
    """The model of each fold rejects what is novel, as a model file does."""
    labels = dataset.labels
    others = dataset.select(dataset.samples.label != labels[0])
    pipeline = Pipeline("linear", ESTIMATORS["linear"](), PoseEncoder())
    fitted = fit_samples(pipeline.estimator, others, pipeline.encoder)
    unknown = dataset.select(dataset.samples.label == labels[0])
    found = StreamOutputs.of_left_out(fitted, pipeline.encoder, others, unknown, 100)
    assert found.counted({}).n_false < unknown.n_samples / 2


def test_evaluation_of_a_file(tmp_path: Path) -> None:
    trained(with_none(movements(2, 4, (*LABELS, "still"))), tmp_path / "m.onnx")
    model = load_model(tmp_path / "m.onnx", "sequence")
    data = with_none(movements(2, 3, (*LABELS, "still"), seed=1))
    found = evaluate(model, data)
    assert found.streams
    assert found.as_json()["streams"] == found.streams.as_json()
    # The same as live with this file.
    streams, _ = _clip_streams(data, 900)
    live = sum(
        (StreamScore.of(list(recognise([model], one.video)), one.ground_truth) for one in streams),
        StreamScore(),
    )
    assert (found.streams.n, found.streams.n_found, found.streams.n_false) == (
        live.n,
        len(live.found),
        len(live.false),
    )
    assert found.streams.n_found > 0
    without = evaluate(model, data, with_streams=False)
    assert without.streams is None
    assert "streams" not in without.as_json()
    assert without.scores.accuracy == found.scores.accuracy


def test_a_file_without_negatives_has_no_streams(tmp_path: Path) -> None:
    trained(movements(2, 4), tmp_path / "m.onnx", negatives=False)
    assert evaluate(tmp_path / "m.onnx", movements(2, 1, seed=1)).streams is None


def test_cross_validation() -> None:
    data = movements(2, 2)
    small = {"n_kernel_features": 84, "n_augmented": 0}
    found = cross_validate(data, "rocket", folds=2, params=small)
    assert found.streams
    assert found.streams.n == 12
    values = found.as_json()["streams"]
    assert set(values) == {
        *("n", "n_found", "n_confused", "n_missed", "n_false", "minutes", "false_per_minute"),
        "between",
    }
    assert values["n_found"] + values["n_confused"] + values["n_missed"] == values["n"]
    assert f"of {values['n']} gestures found" in found.streams.sentence
    without = cross_validate(data, "rocket", folds=2, params=small, with_streams=False)
    assert without.streams is None
    assert "streams" not in without.as_json()
    assert without.scores.accuracy == found.scores.accuracy
