"""How much the recordings of a label differ: a recogniser can only know what it has been shown."""

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import NONE_LABEL, LandmarkDataset
from handlore.landmarks.geometry import palm_length, rotation_deg

FEWEST = 3

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
    alike = {label: alike_in(those) for label, those in by_label.items() if len(those) >= FEWEST}
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
