"""What to record next: advice from what is in a folder, and nothing else.

Three questions: which label has the fewest recordings, whose recordings are all alike, and what a
quick cross-validation confuses. :mod:`.background` asks them while the camera runs.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import NONE_LABEL, Kind, LandmarkDataset
from handlore.datasets.loading import KINDS, LoadedRecordings
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.geometry import palm_length, rotation_deg

# How much the recordings of a label differ: a recogniser can only know what it has been shown.


FEWEST_TO_COMPARE = 3

Values = NDArray[np.float64]


def least_varied(recordings: Sequence[LandmarkDataset]) -> list[str]:
    """Say which label was always recorded in the same way, and what to vary; nothing if none was.

    Parameters
    ----------
    recordings
        Each one recording, all movements or all poses.
    """
    by_label: dict[str, list[LandmarkDataset]] = defaultdict(list)
    for one in recordings:
        if one.has_hand.any() and one.labels[0] != NONE_LABEL:
            by_label[one.labels[0]].append(one)
    alike = {
        label: alike_in(those)
        for label, those in by_label.items()
        if len(those) >= FEWEST_TO_COMPARE
    }
    label = max(alike, key=lambda label: len(alike[label]), default=None)
    if label is None or len(alike[label]) < 2:
        return []
    *first, last = alike[label]
    return [f"vary {label}: so far always the same {', '.join(first)} and {last}"]


def alike_in(recordings: Sequence[LandmarkDataset]) -> list[str]:
    """Name what hardly differs between recordings of one label."""
    names = []
    for name, (of, least) in _QUALITIES.items():
        if name == "speed" and recordings[0].header.kind == "pose":
            continue
        if np.sqrt(np.var([of(one) for one in recordings], axis=0).sum()) < least:
            names.append(name)
    return names


def _speed(recording: LandmarkDataset) -> Values:
    return np.array([np.log(max(float(np.ptp(recording.time)), 1e-3))])


def _hands(recording: LandmarkDataset) -> Values:
    return recording.image[recording.detected].astype(np.float64)


def _distance(recording: LandmarkDataset) -> Values:
    palm = float(np.median(palm_length(recording.image[recording.detected])))
    return np.array([np.log(max(palm, 1e-6))])


def _place(recording: LandmarkDataset) -> Values:
    return np.asarray(np.median(_hands(recording)[:, 0, :2], axis=0))


def _angle(recording: LandmarkDataset) -> Values:
    """Return the mean direction of the hand as a point on the circle, since degrees wrap."""
    radians = np.radians(rotation_deg(recording.image[recording.detected]))
    return np.array([np.cos(radians).mean(), np.sin(radians).mean()])


_QUALITIES: dict[str, tuple[Callable[[LandmarkDataset], Values], float]] = {
    "speed": (_speed, 0.08),
    "distance": (_distance, 0.06),
    "place": (_place, 0.03),
    "angle": (_angle, np.radians(3.0)),
}
"""What people can vary, and the standard deviation below which it counts as always the same: rules
of thumb. Speed and distance by the logarithm, so 8 and 6 %; place in image widths; angle 3 degrees.
"""

FEWEST = 3
"""With fewer recordings of a label nothing can be said about it."""

MOST = 20
"""So many recordings of a label, the latest ones, are looked at: the coach has to be quick."""

N_FOLDS = 3
ENOUGH = 6
"""With so many recordings of every label two folds do for movements, which are slow to learn."""

QUICK = {
    "sequence": ("rocket", {"n_kernel_features": "300", "n_augmented": "0"}),
    "pose": ("linear", {}),
}
"""What is cross-validated: smaller than what ``train`` makes, so that it takes seconds."""

CONFUSED = 0.15
"""Two labels are confused if so many of their recordings are taken for the other one."""

ODD = 0.25
"""A recording is odd only where no more than such a share of its label is taken wrongly."""

NOT_NONE = 0.05
"""A label is too near to everyday movement if so much of ``none`` looks like it."""

MOST_NAMED = 3


@dataclass(frozen=True)
class Verdict:
    """What a recording was taken for by a classifier that had not seen it."""

    number: int
    label: str
    taken_for: Mapping[str, float]
    """Shares of its samples: one movement, or the frames of a pose, or windows of a stream."""

    @property
    def answer(self) -> str:
        """The label that most of its samples were taken for."""
        return max(self.taken_for, key=lambda label: self.taken_for[label])


def advise(recorded: LoadedRecordings, labels: Sequence[str] = ()) -> list[str]:
    """Say what to do next, the most useful first.

    Parameters
    ----------
    recorded
        What is in the folder.
    labels
        Those that are to be recorded, if more than are there.
    """
    lines = [*_next(recorded, labels)]
    for kind in KINDS:
        if kind in recorded.counts():
            lines += told_apart(cross_examined(recorded, kind))
            lines += least_varied([one for one in recorded.recordings if one.header.kind == kind])
    return lines


def _next(recorded: LoadedRecordings, labels: Sequence[str]) -> Iterator[str]:
    """Say which label has the fewest recordings; ``none`` counts by the minute."""
    counts = Counter(dict.fromkeys(labels, 0))
    counts.update(one.labels[0] for one in recorded.recordings)
    n_none = counts.pop(NONE_LABEL, 0)
    if not counts:
        return
    label, fewest = min(counts.items(), key=lambda item: item[1])
    most = max(counts.values())
    if fewest < most:
        yield f"record next: {label} ({_times(fewest)}; others up to {most})"
    elif fewest < FEWEST:
        yield f"record each label {FEWEST} times or more (now {fewest})"
    if fewest >= FEWEST and n_none < 2:
        yield (
            f"record {NONE_LABEL} {'once more' if n_none else 'twice'}: a minute of what hands do"
            " all day, so that it is not taken for a gesture"
        )


def cross_examined(recorded: LoadedRecordings, kind: Kind) -> list[Verdict]:
    """Take every recording for something, by a classifier that has not seen it.

    Returns
    -------
    A verdict on each recording of the labels that have enough of them; nothing where there are
    fewer than two such labels.
    """
    data = _thinned(recorded.dataset(kind))
    if len(data.labels) < 2:
        return []
    from handlore.classifiers.evaluation.crossval import cross_val_predict
    from handlore.classifiers.factory import make_estimator

    try:
        name, params = QUICK[kind]
        estimator = make_estimator(name, params, seed=0)
        answers = cross_val_predict(
            estimator, data, estimator.encoder(data.n_hands), "recording", n_folds=_n_folds(data)
        )
    except HandloreError:
        # Such as hands without world landmarks: `train` will say so. A coach only advises.
        return []
    taken: dict[str, Counter[str]] = defaultdict(Counter)
    for name, answer in zip(data.samples.recording[answers.sample], answers.predicted, strict=True):
        taken[str(name)][str(answer)] += 1
    label_of = dict(zip(data.samples.recording.tolist(), data.samples.label.tolist(), strict=True))
    return [
        Verdict(
            int(name.rpartition(" ")[2]),
            label_of[name],
            {label: n / counts.total() for label, n in counts.items()},
        )
        for name, counts in taken.items()
    ]


def _n_folds(data: LandmarkDataset) -> int:
    pairs = set(zip(data.samples.label.tolist(), data.samples.recording.tolist(), strict=True))
    counts = Counter(label for label, _ in pairs if label != NONE_LABEL)
    enough = min(counts.values(), default=0) >= ENOUGH
    return 2 if enough and data.header.kind == "sequence" else N_FOLDS


def _thinned(data: LandmarkDataset) -> LandmarkDataset:
    """Keep labels with enough recordings, the latest of these, and as many samples of ``none``."""
    chosen = np.zeros(data.n_samples, bool)
    for label in data.labels:
        own = data.samples.label == label
        # Numbers are at the end and rise, with as many digits.
        names = np.unique(data.samples.recording[own])
        if len(names) >= (2 if label == NONE_LABEL else FEWEST):
            chosen |= own & np.isin(data.samples.recording, names[-MOST:])
    none = chosen & (data.samples.label == NONE_LABEL)
    others = chosen & ~none
    if others.any() and none.any():
        most = max(Counter(data.samples.label[others].tolist()).values())
        chosen = others | _every_nth(none, 2 * most)
    return data.select(chosen)


def _every_nth(mask: NDArray[np.bool_], most: int) -> NDArray[np.bool_]:
    """Return at most so many of those that are set, evenly spread."""
    there = np.flatnonzero(mask)
    kept = np.zeros_like(mask)
    kept[there[:: -(-len(there) // most)]] = True
    return kept


def told_apart(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Say which labels are confused, and which recordings look wrong."""
    if not verdicts:
        return
    moves = [one for one in verdicts if one.label != NONE_LABEL]
    wrong = [one for one in moves if one.answer != one.label]
    n_of = Counter(one.label for one in moves)
    pairs = Counter(frozenset((one.label, one.answer)) for one in wrong)
    confused = {
        pair: n
        for pair, n in pairs.most_common()
        if n > 1 and n >= CONFUSED * sum(n_of[label] for label in pair)
    }
    for pair, n in list(confused.items())[:MOST_NAMED]:
        a, b = sorted(pair)
        total = sum(n_of[label] for label in pair)
        yield f"{a} and {b} get confused ({n} of {total}): make them differ more, or record more"
    wrong_of = Counter(one.label for one in wrong)
    odd = [
        one
        for one in wrong
        if frozenset((one.label, one.answer)) not in confused
        and wrong_of[one.label] <= ODD * n_of[one.label]
    ]
    for one in odd[:MOST_NAMED]:
        yield f"recording {one.number} ({one.label}) looks like {one.answer}: was it meant so?"
    yield from _near_none(verdicts)
    if not wrong:
        yield f"a quick test tells all {len(moves)} recordings of {len(n_of)} labels apart"


def _near_none(verdicts: Sequence[Verdict]) -> Iterator[str]:
    streams = [one for one in verdicts if one.label == NONE_LABEL]
    shares: Counter[str] = Counter()
    for one in streams:
        shares.update({k: v / len(streams) for k, v in one.taken_for.items()})
    for label, share in shares.most_common():
        if label != NONE_LABEL and share >= NOT_NONE:
            yield (
                f"{share:.0%} of {NONE_LABEL} looks like {label}: record more {NONE_LABEL}, or make"
                f" {label} stand out more"
            )


def _times(n: int) -> str:
    return "none yet" if n == 0 else "1 recording" if n == 1 else f"{n} recordings"
