"""What a model achieves, before and after it has learnt from triggers.

Both are compared on what neither was trained on:

* their data, as clips or pictures: the test split if there is one. Else parts of the data are left
  out in turn, and classifiers trained on the rest are compared, with and without the triggers;
* the gestures of their base, if they have one: parts of its samples are left out in the same way;
* their data in streams;
* the triggers, as streams: parts of each session are left out in turn, in order of time.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.splits import (
    By,
    Fold,
    cross_validation,
    default_by,
    n_groups,
    protocol_words,
)
from handlore.datasets.triggers import Trigger
from handlore.models.card import ModelCard
from handlore.models.model import Model
from handlore.models.stream.inference import StreamModel

from ..base import HandEstimator, Steps
from ..extending import joined
from ..factory import Pipeline
from ..lesson import Lesson, TriggerSamples
from ..negatives import NegativeWindows
from ..origin import Origin
from .evaluation import evaluate
from .scores import fit_samples, fit_streams, predict_items
from .streams import FittedModel, StreamOutputs, StreamScores
from .thresholds import pooled_streams
from .triggers import PRICE, Answer, Raises, TriggerScores, raised_thresholds

_N_PARTS = 3
"""Into so many parts a session, and data without a test split, are divided."""
_MOST_GESTURES = 600
"""Gestures of the data in streams; more take time, and change little."""


@dataclass(frozen=True)
class Standing:
    """What a model achieves on what it was not trained on."""

    n: int
    """Test items: clips or pictures of its data."""
    n_wrong: int
    triggers: TriggerScores
    streams: StreamScores | None = None
    """The test items in streams."""
    n_base: int = 0
    """Samples of its base."""
    n_base_wrong: int = 0

    @property
    def accuracy(self) -> float:
        """Share of the test items that are recognised."""
        return 1 - self.n_wrong / self.n if self.n else float("nan")

    @property
    def n_found(self) -> int:
        """Gestures found in streams of the data."""
        return self.streams.n_found if self.streams else 0

    @property
    def n_in_streams(self) -> int:
        """Gestures in streams of the data."""
        return self.streams.n if self.streams else 0

    @property
    def stream_cost(self) -> float:
        """What these cost: a false activation as much as two missed gestures."""
        if self.streams is None:
            return 0.0
        return PRICE * self.streams.n_false + self.streams.n - self.streams.n_found

    def cost(self, n_learnt: int) -> float:
        """Return what live use costs: a false activation as much as two missed gestures.

        Right triggers are gestures that the model so far has found, so they would show only what
        the new one misses. Missed gestures, and more false activations, are therefore counted in
        streams of the data, which count as much as the ``n_learnt`` triggers at most.
        """
        if self.streams is None:
            return self.triggers.cost
        share = min(1.0, n_learnt / max(self.streams.n, 1))
        return PRICE * self.triggers.n_false + share * self.stream_cost

    @property
    def base_accuracy(self) -> float:
        """Share of the samples of the base that are recognised."""
        return 1 - self.n_base_wrong / self.n_base if self.n_base else float("nan")

    def as_json(self) -> dict[str, Any]:
        """Return it under the names that scripts rely on."""
        more = {"streams": self.streams.as_json()} if self.streams else {}
        if self.n_base:
            counts = {"n": self.n_base, "n_wrong": self.n_base_wrong}
            more["base"] = {"accuracy": self.base_accuracy} | counts
        return {
            "accuracy": self.accuracy,
            "n": self.n,
            "n_wrong": self.n_wrong,
            "triggers": self.triggers.as_json(),
        } | more


def n_fits(origin: Origin) -> int:
    """Return how many fits a comparison takes."""
    if origin.has_test and origin.examples is None:
        return _N_PARTS
    fits_clips_again = origin.has_clip_classifier and origin.triggers is not None
    return (3 if fits_clips_again else 2) * _N_PARTS


@dataclass(frozen=True, eq=False)
class LeftOutResults:
    """What was found about the parts that were left out in turn."""

    wrong: NDArray[np.int64] = field(default_factory=lambda: np.zeros((2, 3), np.int64))
    """(2, 3) of the data and of the base: how many items, and how many of them are wrong without
    and with what is new."""
    streams: tuple[tuple[StreamOutputs, StreamOutputs], ...] = ()
    """Streams of the data, before and after."""
    answers: tuple[Answer, ...] = ()
    """The outputs, for the triggers, of classifiers that have learnt from the others."""

    def __add__(self, other: "LeftOutResults") -> "LeftOutResults":
        streams, answers = self.streams + other.streams, self.answers + other.answers
        return LeftOutResults(self.wrong + other.wrong, streams, answers)

    def in_streams(self, raises: Raises) -> tuple[StreamScores | None, StreamScores | None]:
        """Return what is found in the streams, before and with higher thresholds after."""
        if not self.streams:
            return None, None
        before = [one.counted(one.model.thresholds) for one, _ in self.streams]
        after = [one.counted(raised_thresholds(one.model, raises)) for _, one in self.streams]
        return pooled_streams(before), pooled_streams(after)


def tested_in_parts(
    origin: Origin, lesson: Lesson, card: ModelCard, steps: Steps
) -> LeftOutResults:
    """Leave out parts of the session, of data without a test split, and of the base.

    New models have the thresholds of a card.
    """
    parts = (
        fold.test(number, origin, card, steps) for number, fold in enumerate(_folds(origin, lesson))
    )
    return sum(parts, LeftOutResults())


def standings(
    origin: Origin,
    new: Model,
    tested: LeftOutResults,
    scores: tuple[TriggerScores, TriggerScores],
    raises: Raises,
) -> tuple[Standing, Standing]:
    """Return what the model so far and the new one achieve, given what was found in parts."""
    (n, *of_data), (n_base, *of_base) = tested.wrong.tolist()
    rows = zip(of_data, scores, tested.in_streams(raises), of_base, strict=True)
    before, after = (
        Standing(n, n_wrong, each, streams, n_base, n_base_wrong)
        for n_wrong, each, streams, n_base_wrong in rows
    )
    if not origin.has_test:
        return before, after
    both = [_on_test_split(before, origin.model, origin), _on_test_split(after, new, origin)]
    if any(one.streams is None for one in both):
        # A model without `none` is not for streams, so there is nothing to compare.
        both = [replace(one, streams=None) for one in both]
    return both[0], both[1]


def _on_test_split(standing: Standing, model: Model, origin: Origin) -> Standing:
    found = evaluate(model, origin.dataset)
    n_wrong = found.scores.n_wrong + found.scores.n_missed
    return replace(standing, n=found.scores.n, n_wrong=n_wrong, streams=found.streams)


@dataclass(frozen=True, eq=False)
class _Fold:
    """What is left out of the data, the base and the session, and the rest."""

    data: LandmarkDataset
    """The rest of the data."""
    before: LandmarkDataset
    """This, with the triggers that the model so far knows."""
    after: LandmarkDataset
    """The same with the triggers that are not left out."""
    examples: LandmarkDataset | None
    """The rest of the base, if there is one."""
    tested: tuple[LandmarkDataset | None, LandmarkDataset | None]
    """What is left out of the data, unless there is a test split, and of the base."""
    triggers: tuple[Trigger, ...]

    def test(self, number: int, origin: Origin, card: ModelCard, steps: Steps) -> LeftOutResults:
        """Test before and after what is left out."""
        known, learnt = joined(self.before, self.examples), joined(self.after, self.examples)
        pipeline = origin.pipeline(learnt)
        after = _fitted(pipeline, learnt, steps)
        new = _for_streams(after, pipeline, learnt, card, negatives=origin.negatives)
        answers = tuple(Answer.of(new, trigger, number) for trigger in self.triggers)
        data, base = self.tested
        if data is None and base is None:
            return LeftOutResults(answers=answers)
        before = _fitted(pipeline, known, steps)
        streams: tuple[tuple[StreamOutputs, StreamOutputs], ...] = ()
        if data is not None:
            old_card, negatives = origin.model.card, origin.negatives
            old = _for_streams(before, pipeline, known, old_card, negatives=negatives)
            streams = ((_outputs(old, data), _outputs(new, data)),)
        if origin.has_clip_classifier:
            # Whole clips are recognised as before: triggers are learnt for streams only.
            has_learnt = self.before.n_samples > self.data.n_samples
            alone = joined(self.data, self.examples)
            after = before = _fitted(pipeline, alone, steps) if has_learnt else before
        wrong = [_n_wrong(before, after, one, pipeline) for one in self.tested]
        return LeftOutResults(np.array(wrong, np.int64), streams, answers)


def _outputs(model: StreamModel, data: LandmarkDataset) -> StreamOutputs:
    return StreamOutputs.of(model, data, _MOST_GESTURES // _N_PARTS)


def _folds(origin: Origin, lesson: Lesson) -> Iterator[_Fold]:
    """Divide the sessions in order of time, data without a test split by people, and the base."""
    own, by, every = origin.trained, default_by(origin.trained), lesson.compared
    parts = _parts(origin, by)
    of_base, part_of = _parts_of_base(origin, len(parts)), parts_of_sessions(every, len(parts))
    for number, (rest, test) in enumerate(parts):
        left_out = tuple(one for one, part in zip(every, part_of, strict=True) if part == number)
        tested = own.select(test) if len(test) else None
        examples, kept = of_base[number]
        known, all_triggers, kept_data = lesson.known, lesson.triggers, own.select(rest)
        yield _Fold(
            kept_data,
            known.beside(kept_data, _apart(known, tested, by)),
            all_triggers.beside(kept_data, _apart(all_triggers, tested, by, left_out)),
            examples,
            (tested, kept),
            left_out,
        )


def parts_of_sessions(triggers: Sequence[Trigger], n_parts: int) -> list[int]:
    """Return a part for each trigger, from 0: each session is divided in order of time.

    Whoever uses the model later has most likely been in a session. Neighbours in time are in one
    part, because they are alike; short sessions begin with another part each.
    """
    sessions = [str(one.recording.samples.session[0]) for one in triggers]
    sizes, names = Counter(sessions), list(dict.fromkeys(sessions))
    before: Counter[str] = Counter()
    parts = []
    for session in sessions:
        place = before[session] * n_parts // sizes[session]
        parts.append((place + names.index(session)) % n_parts)
        before[session] += 1
    return parts


def _apart(
    triggers: TriggerSamples,
    tested: LandmarkDataset | None,
    by: By,
    left_out: Sequence[Trigger] = (),
) -> NDArray[np.bool_]:
    """Return which samples are neither of a trigger that is left out, nor of a tested person."""
    apart = ~np.isin(triggers.kept.samples.recording, [one.name for one in left_out])
    if tested is not None and by != "random":
        apart &= ~np.isin(getattr(triggers.named.samples, by), getattr(tested.samples, by))
    return apart


def _parts_of_base(
    origin: Origin, n_parts: int
) -> list[tuple[LandmarkDataset | None, LandmarkDataset | None]]:
    """Return the rest of the samples of the base, and those that are left out."""
    base = origin.examples
    if base is None:
        return [(None, None)] * n_parts
    by = default_by(base)
    parts = cross_validation(base, by if n_groups(base, by) >= n_parts else "random", n_parts)
    return [(base.select(rest), base.select(test)) for rest, test in parts]


def _parts(origin: Origin, by: By) -> list[Fold]:
    own = origin.trained
    if origin.has_test:
        return [(np.arange(own.n_samples), np.arange(0))] * _N_PARTS
    return list(cross_validation(own, by, min(_N_PARTS, n_groups(own, by))))


def protocol_of(origin: Origin) -> str:
    """Return how the data are tested, in words."""
    if origin.has_test:
        return "the test split"
    by, n_parts = default_by(origin.trained), len(_parts(origin, default_by(origin.trained)))
    return protocol_words(by, n_parts)


def _fitted(pipeline: Pipeline, dataset: LandmarkDataset, steps: Steps) -> HandEstimator:
    estimator: HandEstimator = clone(pipeline.estimator)
    estimator.progress, estimator.keeps_best = steps.within(), False
    fitted = fit_samples(estimator, dataset, pipeline.encoder)
    steps.finish()
    return fitted


def _for_streams(
    fitted: HandEstimator,
    pipeline: Pipeline,
    dataset: LandmarkDataset,
    card: ModelCard,
    *,
    negatives: bool,
) -> FittedModel:
    """Return a classifier as what a recogniser runs, with the thresholds of the new model."""
    if negatives:
        fitted = fit_streams(fitted, dataset, pipeline.encoder, NegativeWindows())
    model = FittedModel.of(fitted, pipeline.encoder, dataset)
    return replace(model, thresholds=card.thresholds, patience=card.patience)


def _n_wrong(
    before: HandEstimator,
    after: HandEstimator,
    tested: LandmarkDataset | None,
    pipeline: Pipeline,
) -> list[int]:
    """Count the items, and those that are wrong before and after."""
    if tested is None:
        return [0, 0, 0]
    found = [
        predict_items(one.predict_proba, list(map(str, one.classes_)), tested, pipeline.encoder)
        for one in (before, after)
    ]
    return [len(found[0].truth), *(int((~one.right).sum()) for one in found)]
