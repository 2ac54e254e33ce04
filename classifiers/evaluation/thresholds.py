"""Threshold and patience of a model of movements, found on streams of people it has not seen."""

from collections.abc import Collection, Mapping, Sequence
from itertools import islice

import numpy as np

from handlore.datasets.dataset import NONE_LABEL, LandmarkDataset
from handlore.datasets.splits import cross_validation, default_by, n_groups
from handlore.models.encoders import Encoder, MovementEncoder
from handlore.models.stream.calibration import counts_by_label
from handlore.models.stream.ground_truth import StreamScore

from ..base import HandEstimator, Steps
from .scores import fit_samples
from .streams import PATIENCES, StreamOutputs, StreamScores

_CANDIDATES = (0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_PRICE = 1.0
"""How many gestures a false event must bring to be worth it."""
_SYNTHETIC_PRICE = 4.0
"""The same for events between gestures where idle movement was made: people do more than was
thought of."""
_NO_WORSE = 0.25
"""How many gestures a longer patience must bring."""
_ABOUT_EQUAL = 0.01
"""Share of the gestures that a higher threshold may lose."""
_STEPS = (0, 0.1, 0.2, 0.3)
"""What is added there to the usual threshold, to find a better one."""
_PRIOR_GESTURES = 20
"""Strength of the assumption that the patience of a label is that of all others, as a number of
gestures."""
_MIN_GESTURES, _MAX_CLIPS = 20, 150
"""Number of gestures from which on thresholds are chosen, and of clips in streams of each part."""
_ENOUGH_GESTURES, _PARTS_OF_FEW = 300, 4
"""Fewer gestures are left out in so many parts instead of halves: half of few says little about a
model of all."""
FITS_OF_A_PART = 3
"""As long as so many fits takes one without a part of the people, streams of the part included."""


def left_out_streams(
    estimator: HandEstimator,
    dataset: LandmarkDataset,
    encoder: Encoder,
    steps: Steps,
) -> list[StreamOutputs]:
    """Return outputs in streams of parts of the people, trained on the others.

    Those of one part for estimators that take minutes to train. Empty for poses, for estimators
    that would take minutes to learn windows too, and if there are too few gestures to choose
    thresholds by.
    """
    own = dataset.has_hand & (dataset.samples.view == 0)
    gestures = dataset.samples.label[own] != NONE_LABEL
    if not isinstance(encoder, MovementEncoder) or gestures.sum() < _MIN_GESTURES:
        return []
    outputs = []
    parts = cross_validation(dataset, default_by(dataset), _n_parts(estimator, dataset))
    for rest, part in islice(parts, n_left_out(estimator, dataset)):
        trained, left_out = dataset.select(rest), dataset.select(part)
        # What no other person shows cannot be found; `none` may be.
        known = {*trained.labels, NONE_LABEL}
        left_out = left_out.select(np.isin(left_out.samples.label, sorted(known)))
        n_labels = len(np.unique(trained.samples.label[trained.has_hand]))
        if n_labels < 2 or not left_out.n_samples:
            return []
        fresh = estimator.for_part(int(dataset.has_hand.sum()))
        fresh.progress = steps.within()
        fitted = fit_samples(fresh, trained, encoder)
        outputs.append(
            StreamOutputs.of_left_out(fitted, encoder, trained, left_out, _MAX_CLIPS, whole=dataset)
        )
        steps.finish(FITS_OF_A_PART)
    return outputs


def _n_parts(estimator: HandEstimator, dataset: LandmarkDataset) -> int:
    """Return in how many parts people are left out to find thresholds."""
    n_gestures = (dataset.samples.label != NONE_LABEL).sum()
    if estimator.learns_in_epochs or n_gestures >= _ENOUGH_GESTURES:
        return 2
    return min(_PARTS_OF_FEW, n_groups(dataset, default_by(dataset)))


def n_left_out(estimator: HandEstimator, dataset: LandmarkDataset) -> int:
    """Return for how many of the parts an estimator is trained on the others."""
    if not estimator.learns_windows_fast:
        return 0
    return 1 if estimator.learns_in_epochs else _n_parts(estimator, dataset)


def choose_thresholds(
    outputs: Sequence[StreamOutputs], usual: float, labels: Collection[str] = ()
) -> dict[str, float]:
    """Return the threshold of all labels: it finds much and emits little that is false.

    ``labels`` are those that may be in no part that was left out.

    A false event costs as much as a gesture. Where the movement in between is synthetic, those that
    occur there cost as much as four, and no threshold is below the usual one. All labels get the
    same: a few dozen gestures of a label say little about those of other people. Of about equally
    good thresholds the highest is chosen.
    """
    above = tuple(round(usual + step, 2) for step in _STEPS)
    candidates = above if any(one.is_synthetic for one in outputs) else _CANDIDATES
    price, gains = _price(outputs), []
    for candidate in candidates:
        total = pooled_streams([one.score(candidate) for one in outputs])
        between = total.n_false - total.n_confused
        gains.append(total.n_found - total.n_confused - price * between)
    enough = max(gains) - _ABOUT_EQUAL * sum(one.score(candidates[0]).n for one in outputs)
    best = max(
        candidate for candidate, gain in zip(candidates, gains, strict=True) if gain >= enough
    )
    known = {*labels, *(label for one in outputs for label in one.model.labels)}
    shown = {gesture.label for one in outputs for _, truth in one.streams for gesture in truth}
    return dict.fromkeys(sorted((known | shown) - {NONE_LABEL}), best)


def choose_patience(
    outputs: Sequence[StreamOutputs], thresholds: Mapping[str, float]
) -> dict[str, float]:
    """Return the patience of each label in seconds: as short as it can be without a loss.

    A click that may be the first half of a double click has to wait; a swipe that looks like
    nothing else is emitted at once. Labels with few gestures wait about as long as is best for all.
    Synthetic idle movement contradicts nothing, so there all keep the usual patience: none is
    returned.
    """
    if any(one.is_synthetic for one in outputs):
        return {}
    price = _price(outputs)
    totals = [
        sum((one.total(thresholds, seconds) for one in outputs), StreamScore())
        for seconds in PATIENCES
    ]
    overall = [(len(t.found) - price * len(t.false)) / max(t.n, 1) for t in totals]
    gains = {label: _PRIOR_GESTURES * np.array(overall) for label in thresholds}
    for number, total in enumerate(totals):
        for label, own in counts_by_label(total).items():
            gains[label][number] += own.n_found - price * own.n_false
    return {
        label: PATIENCES[int((own >= own.max() - _NO_WORSE).argmax())]
        for label, own in gains.items()
    }


def _price(outputs: Sequence[StreamOutputs]) -> float:
    """Return how many gestures a false event costs."""
    return _SYNTHETIC_PRICE if any(one.is_synthetic for one in outputs) else _PRICE


def cross_fitted(outputs: Sequence[StreamOutputs]) -> StreamScores:
    """Return the scores of parts that were left out in turn.

    The thresholds of each part are chosen on the others; those of a single part on itself.
    """
    parts = []
    for number, one in enumerate(outputs):
        if one.is_of_poses:
            parts.append(one.counted({}))
            continue
        others = [*outputs[:number], *outputs[number + 1 :]]
        thresholds = choose_thresholds(others or outputs, one.usual)
        parts.append(one.counted(thresholds, choose_patience(others or outputs, thresholds)))
    return pooled_streams(parts)


def pooled_streams(parts: Sequence[StreamScores]) -> StreamScores:
    """Return the sum of scores."""
    return StreamScores(
        sum(part.n for part in parts),
        sum(part.n_found for part in parts),
        sum(part.n_confused for part in parts),
        sum(part.n_false for part in parts),
        sum(part.seconds for part in parts),
        any(part.is_synthetic for part in parts),
        any(part.is_of_poses for part in parts),
    )
