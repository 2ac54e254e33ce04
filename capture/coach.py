"""The coach: advice on what to record next, from the recordings of a folder.

It answers three questions: which label has the fewest recordings, which label's recordings vary too
little, and which labels a quick cross-validation confuses. :mod:`.coach_process` runs it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from handlore.classifiers.evaluation.crossval import cross_val_predict
from handlore.classifiers.factory import make_estimator
from handlore.datasets.dataset import NONE_LABEL, LandmarkDataset
from handlore.datasets.kinds import KINDS, Kind
from handlore.datasets.loading import LoadedRecordings
from handlore.datasets.recorded import is_live
from handlore.landmarks.errors import HandloreError, counted, shell_line
from handlore.landmarks.geometry import palm_length, rotation_deg

_FEWEST_TO_COMPARE = 3

_Values = NDArray[np.float64]


def _variety_advice(recordings: Sequence[LandmarkDataset]) -> list[str]:
    """Return what to vary in the label of one kind of recordings that varies least, if any."""
    by_label: dict[str, list[LandmarkDataset]] = defaultdict(list)
    for one in recordings:
        if one.has_hand.any() and one.labels[0] != NONE_LABEL:
            by_label[one.labels[0]].append(one)
    constant = {
        label: _constant_qualities(those)
        for label, those in by_label.items()
        if len(those) >= _FEWEST_TO_COMPARE
    }
    label = max(constant, key=lambda label: len(constant[label]), default=None)
    if label is None or len(constant[label]) < 2:
        return []
    *first, last = constant[label]
    return [f"vary {label}: so far always with the same {', '.join(first)} and {last}"]


def _constant_qualities(recordings: Sequence[LandmarkDataset]) -> list[str]:
    """Return the qualities that hardly differ between recordings of one label."""
    names = []
    for name, (of, least) in _QUALITIES.items():
        if name == "speed" and recordings[0].header.kind == "pose":
            continue
        if np.sqrt(np.var([of(one) for one in recordings], axis=0).sum()) < least:
            names.append(name)
    return names


def _speed(recording: LandmarkDataset) -> _Values:
    return np.array([np.log(max(float(np.ptp(recording.time)), 1e-3))])


def _hands(recording: LandmarkDataset) -> _Values:
    return recording.image[recording.detected].astype(np.float64)


def _distance(recording: LandmarkDataset) -> _Values:
    palm = float(np.median(palm_length(recording.image[recording.detected])))
    return np.array([np.log(max(palm, 1e-6))])


def _place(recording: LandmarkDataset) -> _Values:
    return np.asarray(np.median(_hands(recording)[:, 0, :2], axis=0))


def _angle(recording: LandmarkDataset) -> _Values:
    """Return the mean direction of the hand as a point on the circle, since degrees wrap."""
    radians = np.radians(rotation_deg(recording.image[recording.detected]))
    return np.array([np.cos(radians).mean(), np.sin(radians).mean()])


_QUALITIES: dict[str, tuple[Callable[[LandmarkDataset], _Values], float]] = {
    "speed": (_speed, 0.08),
    "distance": (_distance, 0.06),
    "place": (_place, 0.03),
    "angle": (_angle, np.radians(3.0)),
}
"""What people can vary, and the standard deviation below which it counts as constant (rules of
thumb): speed and distance by their logarithm, so 8 and 6 %; place in image widths; angle 3 degrees.
"""

_FEWEST = 3
"""Fewest recordings of a label that can be judged."""
_MOST = 20
"""Most recordings of a label, the latest ones, so that the coach is fast."""
_N_FOLDS = 3
_ENOUGH = 6
"""With this many recordings of every label, two folds suffice for movements, which are slow."""

_QUICK = {
    "sequence": ("rocket", {"n_kernel_features": "300", "n_augmented": "0"}),
    "pose": ("linear", {}),
}
"""The estimators, smaller than those of ``train`` so that they take seconds."""

_CONFUSED = 0.15
"""Two labels are confused if this share of their recordings is predicted as the other one."""
_ODD = 0.25
"""A recording is odd only if at most this share of its label is predicted wrongly."""
_NOT_NONE = 0.05
"""A label is too similar to everyday movement if this share of ``none`` is predicted as it."""
_MOST_NAMED = 3


@dataclass(frozen=True)
class _RecordingPrediction:
    """The prediction for a recording by a classifier that was trained without it."""

    number: int
    label: str
    shares: Mapping[str, float]
    """Predicted labels, each with its share of the samples: one movement, or the frames of a pose,
    or the windows of a stream."""

    @property
    def predicted(self) -> str:
        """The label predicted for most of its samples."""
        return max(self.shares, key=lambda label: self.shares[label])


def advise(recorded: LoadedRecordings, labels: Sequence[str] = ()) -> list[str]:
    """Return what to do next, the most useful line first; ``labels`` are to be recorded too.

    Nobody recorded what a live run kept: those recordings are to be reviewed.
    """
    if recorded.recordings and all(map(is_live, recorded.recordings)):
        review, improve = (
            shell_line("handlore", *words)
            for words in (
                ("recordings", "review", recorded.root),
                ("improve", "MODEL", "--from", recorded.root),
            )
        )
        return [f"`{review}` says what they show; `{improve}` lets the model learn from it"]
    recorded = recorded.sorted
    lines = [*_next(recorded, labels)]
    for kind in KINDS:
        if kind in recorded.counts():
            lines += _confusion_advice(_cross_validated(recorded, kind))
            lines += _variety_advice(
                [one for one in recorded.recordings if one.header.kind == kind]
            )
    return lines


def _next(recorded: LoadedRecordings, labels: Sequence[str]) -> Iterator[str]:
    """Advise on the label with the fewest recordings; ``none`` needs minutes instead."""
    counts = Counter(dict.fromkeys(labels, 0))
    counts.update(one.labels[0] for one in recorded.recordings)
    n_none = counts.pop(NONE_LABEL, 0)
    if not counts:
        return
    label, fewest = min(counts.items(), key=lambda item: item[1])
    most = max(counts.values())
    if fewest < most:
        yield f"record next: {label} ({_times(fewest)}; others up to {most})"
    elif fewest < _FEWEST:
        yield f"record each label {_FEWEST} times or more (now {fewest})"
    if fewest >= _FEWEST and n_none < 2:
        yield (
            f"record {NONE_LABEL} {'once more' if n_none else 'twice'}: a minute of everyday hand"
            " movement, so that it is not confused with a gesture"
        )


def _cross_validated(recorded: LoadedRecordings, kind: Kind) -> list[_RecordingPrediction]:
    """Predict every recording by a classifier that was trained without it.

    Labels with few recordings are left out; the result is empty if fewer than two are left.
    """
    data = _thinned(recorded.dataset(kind))
    if len(data.labels) < 2:
        return []
    try:
        name, params = _QUICK[kind]
        estimator = make_estimator(name, params, seed=0)
        answers = cross_val_predict(
            estimator, data, estimator.encoder(data.n_hands), "recording", n_folds=_n_folds(data)
        )
    except HandloreError:
        # Such as hands without world landmarks: `train` reports it, the coach only advises.
        return []
    predicted: dict[str, Counter[str]] = defaultdict(Counter)
    for name, answer in zip(data.samples.recording[answers.sample], answers.predicted, strict=True):
        predicted[str(name)][str(answer)] += 1
    label_of = dict(zip(data.samples.recording.tolist(), data.samples.label.tolist(), strict=True))
    return [
        _RecordingPrediction(
            int(name.rpartition(" ")[2]),
            label_of[name],
            {label: n / counts.total() for label, n in counts.items()},
        )
        for name, counts in predicted.items()
    ]


def _n_folds(data: LandmarkDataset) -> int:
    pairs = set(zip(data.samples.label.tolist(), data.samples.recording.tolist(), strict=True))
    counts = Counter(label for label, _ in pairs if label != NONE_LABEL)
    enough = min(counts.values(), default=0) >= _ENOUGH
    return 2 if enough and data.header.kind == "sequence" else _N_FOLDS


def _thinned(data: LandmarkDataset) -> LandmarkDataset:
    """Select labels with enough recordings, the latest of these, and about as much ``none``."""
    chosen = np.zeros(data.n_samples, bool)
    for label in data.labels:
        own = data.samples.label == label
        # Sorted names are in the order of recording: they end with a number of fixed length.
        names = np.unique(data.samples.recording[own])
        if len(names) >= (2 if label == NONE_LABEL else _FEWEST):
            chosen |= own & np.isin(data.samples.recording, names[-_MOST:])
    none = chosen & (data.samples.label == NONE_LABEL)
    others = chosen & ~none
    if others.any() and none.any():
        most = max(Counter(data.samples.label[others].tolist()).values())
        chosen = others | _every_nth(none, 2 * most)
    return data.select(chosen)


def _every_nth(mask: NDArray[np.bool_], most: int) -> NDArray[np.bool_]:
    """Return a mask of at most ``most`` of the set elements, evenly spread."""
    found = np.flatnonzero(mask)
    kept = np.zeros_like(mask)
    kept[found[:: -(-len(found) // most)]] = True
    return kept


def _confusion_advice(predictions: Sequence[_RecordingPrediction]) -> Iterator[str]:
    """Return which labels are confused, and which recordings look wrong."""
    if not predictions:
        return
    gestures = [one for one in predictions if one.label != NONE_LABEL]
    wrong = [one for one in gestures if one.predicted != one.label]
    n_of = Counter(one.label for one in gestures)
    pairs = Counter(frozenset((one.label, one.predicted)) for one in wrong)
    confused = {
        pair: n
        for pair, n in pairs.most_common()
        if n > 1 and n >= _CONFUSED * sum(n_of[label] for label in pair)
    }
    for pair, n in list(confused.items())[:_MOST_NAMED]:
        a, b = sorted(pair)
        total = sum(n_of[label] for label in pair)
        yield f"{a} and {b} are confused ({n} of {total}): make them more different, or record more"
    wrong_of = Counter(one.label for one in wrong)
    odd = [
        one
        for one in wrong
        if frozenset((one.label, one.predicted)) not in confused
        and wrong_of[one.label] <= _ODD * n_of[one.label]
    ]
    for one in odd[:_MOST_NAMED]:
        yield f"recording {one.number} ({one.label}) looks like {one.predicted}: check its label"
    yield from _near_none(predictions)
    if not wrong:
        every, labels = counted(len(gestures), "recording"), counted(len(n_of), "label")
        yield f"a quick test recognises all {every} of {labels}"


def _near_none(predictions: Sequence[_RecordingPrediction]) -> Iterator[str]:
    streams = [one for one in predictions if one.label == NONE_LABEL]
    shares: Counter[str] = Counter()
    for one in streams:
        shares.update({k: v / len(streams) for k, v in one.shares.items()})
    for label, share in shares.most_common():
        if label != NONE_LABEL and share >= _NOT_NONE:
            yield (
                f"{share:.0%} of {NONE_LABEL} looks like {label}: record more {NONE_LABEL}, or make"
                f" {label} more distinct"
            )


def _times(n: int) -> str:
    return counted(n, "recording") if n else "none yet"
