"""What happens when in a video: stretches of time, each with a label."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import NONE_LABEL

FloatArray = NDArray[np.float32]

SMOOTHED_OVER = 0.25
"""Answers to the frames of a video are averaged over so many seconds before and after."""

SHORTEST = 0.2
"""A pose held for less than so many seconds is not told."""


@dataclass(frozen=True)
class Segment:
    """A pose held, or a movement made, in a video."""

    start: float
    """Seconds since the first frame."""

    end: float
    label: str
    probability: float
    hand: str | None
    """The side seen most of the time: ``left`` or ``right``; None where nobody said."""


def side_of(handedness: FloatArray) -> str | None:
    """Return the side that frames show most of the time."""
    known = handedness[~np.isnan(handedness)]
    if not known.size:
        return None
    return "right" if np.median(known) >= 0.5 else "left"


def apart(segments: Sequence[Segment], most_overlap: float) -> list[Segment]:
    """Keep the surest of those that share more than a part of the shorter one, by time."""
    kept: list[Segment] = []
    for one in sorted(segments, key=lambda one: -one.probability):
        if all(_overlap(one, other) <= most_overlap for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda one: one.start)


def _overlap(one: Segment, other: Segment) -> float:
    """Return the share of the shorter one that both cover."""
    shared = min(one.end, other.end) - max(one.start, other.start)
    shorter = min(one.end - one.start, other.end - other.start)
    return shared / shorter if shared > 0 else 0.0


def joined(segments: Sequence[Segment], longest_gap: float) -> list[Segment]:
    """Join neighbours of one label with less than a share of their length between them.

    Two windows that each show half a movement are not two movements.
    """
    whole: list[Segment] = []
    for one in segments:
        last = whole[-1] if whole else None
        if last and last.label == one.label:
            shorter = min(last.end - last.start, one.end - one.start)
            if one.start - last.end <= longest_gap * shorter:
                surer = max(last, one, key=lambda each: each.probability)
                whole[-1] = replace(surer, start=last.start, end=max(last.end, one.end))
                continue
        whole.append(one)
    return whole


def held(
    probabilities: FloatArray,
    labels: Sequence[str],
    handedness: FloatArray,
    time: NDArray[np.float64],
) -> list[Segment]:
    """Join frames that say the same; ``none`` is left out.

    Parameters
    ----------
    probabilities
        (n_frames, n_labels), NaN in frames without a hand.
    labels
        (n_labels,)
    handedness
        (n_frames, n_hands)
    time
        (n_frames,) seconds, rising.
    """
    seen = ~np.isnan(probabilities).any(axis=1)
    smooth = np.full(probabilities.shape, -1.0)
    smooth[seen] = _averaged(probabilities[seen].astype(np.float64), time[seen])
    answer = np.where(seen, smooth.argmax(axis=1), -1)
    ends = np.flatnonzero(np.diff(answer, append=-2)) + 1
    segments = []
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        code = int(answer[start])
        if code < 0 or labels[code] == NONE_LABEL:
            continue
        # A frame lasts until the next one comes.
        last = float(time[min(int(end), len(time) - 1)])
        if last - time[start] >= SHORTEST or len(ends) == 1:
            mean = float(smooth[start:end, code].mean())
            segments.append(Segment(float(time[start]), last, labels[code], mean,
                                    side_of(handedness[start:end])))  # fmt: skip
    return segments


def _averaged(rows: NDArray[np.float64], time: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each row the mean of those near in time."""
    sums = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0)])
    first = np.searchsorted(time, np.asarray(time - SMOOTHED_OVER), side="left")
    end = np.searchsorted(time, np.asarray(time + SMOOTHED_OVER), side="right")
    means: NDArray[np.float64] = (sums[end] - sums[first]) / (end - first)[:, None]
    return means
