"""Numbers that describe the pose of one hand, each with a name.

They are taken from landmarks in canonical form, turned upright, so that size, place, side and
in-plane rotation of the hand make no difference. World landmarks know the shape in space, image
landmarks are more exact in the plane: classifiers see both. The
group ``orientation`` brings the rotation back, for sets in which thumbs up and thumbs down are
two gestures, and ``heights`` says for each finger how far down in the picture it points: a thumb
that is up is up from either side of the hand.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from .errors import InvalidDataError, OptionError, unknown_name
from .geometry import canonicalize, rotate, rotation_deg
from .hands import N_LANDMARKS, FloatArray, HandLandmark

FEATURES_VERSION = 1
"""Raised when the same groups give other numbers; model files record it."""
_MARKS = [landmark.name.lower() for landmark in HandLandmark]
_FINGER_ENDS, _FINGER_STARTS = [4, 8, 12, 16, 20], [2, 5, 9, 13, 17]
_PAIRS = np.array(list(combinations(range(N_LANDMARKS), 2)))


@dataclass(frozen=True)
class _FeatureGroup:
    """Features that are computed together."""

    landmarks: str
    """``world`` or ``image``: what it is computed from."""
    compute: Callable[[FloatArray, FloatArray], FloatArray]
    """Takes upright canonical hands (n, 21, 3) and their rotation (n,) in degrees."""
    names: tuple[str, ...]


def _coordinates_3d(hands: FloatArray, _: FloatArray) -> FloatArray:
    return hands[:, 1:].reshape(len(hands), 3 * (N_LANDMARKS - 1))


def _coordinates_2d(hands: FloatArray, _: FloatArray) -> FloatArray:
    return hands[:, 1:, :2].reshape(len(hands), 2 * (N_LANDMARKS - 1))


def _distances_3d(hands: FloatArray, _: FloatArray) -> FloatArray:
    # Several times faster for a single hand than hands[:, ...].
    apart = hands.take(_PAIRS[:, 0], axis=1) - hands.take(_PAIRS[:, 1], axis=1)
    distances: FloatArray = np.sqrt(np.einsum("npk,npk->np", apart, apart))
    return distances


def _distances_2d(hands: FloatArray, rotation: FloatArray) -> FloatArray:
    return _distances_3d(hands[..., :2], rotation)


def _orientation(_: FloatArray, rotation: FloatArray) -> FloatArray:
    radians = np.radians(rotation)
    return np.stack([np.sin(radians), np.cos(radians)], axis=1)


def _heights(hands: FloatArray, rotation: FloatArray) -> FloatArray:
    as_seen = rotate(hands, rotation)[:, :, 1]
    return as_seen[:, _FINGER_ENDS] - as_seen[:, _FINGER_STARTS]


def _axes(prefix: str, axes: str) -> tuple[str, ...]:
    return tuple(f"{prefix}.{mark}.{axis}" for mark in _MARKS[1:] for axis in axes)


def _between(prefix: str) -> tuple[str, ...]:
    return tuple(f"{prefix}.{a}-{b}" for a, b in combinations(_MARKS, 2))


FEATURE_GROUPS: dict[str, _FeatureGroup] = {
    "world": _FeatureGroup("world", _coordinates_3d, _axes("world", "xyz")),
    "world_distances": _FeatureGroup("world", _distances_3d, _between("world")),
    "image": _FeatureGroup("image", _coordinates_2d, _axes("image", "xy")),
    "image_distances": _FeatureGroup("image", _distances_2d, _between("image")),
    "orientation": _FeatureGroup("image", _orientation, ("rotation.sin", "rotation.cos")),
    "heights": _FeatureGroup(
        "image",
        _heights,
        tuple(f"height.{finger}" for finger in ("thumb", "index", "middle", "ring", "pinky")),
    ),
}
"""All groups of features by name."""

DEFAULT_FEATURES = ("world", "world_distances", "image", "image_distances")
"""The default groups; none of them changes under in-plane rotation."""


def feature_names(groups: Sequence[str] = DEFAULT_FEATURES) -> list[str]:
    """Return the name of each column of :func:`pose_features`, or raise HandloreError."""
    _require_groups(groups)
    return [name for group in groups for name in FEATURE_GROUPS[group].names]


def _require_groups(groups: Sequence[str]) -> None:
    if not groups:
        raise OptionError(f"no feature groups; known: {', '.join(FEATURE_GROUPS)}")
    for group in groups:
        if group not in FEATURE_GROUPS:
            raise unknown_name("feature group", group, FEATURE_GROUPS)


def pose_features(
    image: FloatArray,
    world: FloatArray,
    handedness: ArrayLike,
    groups: Sequence[str] = DEFAULT_FEATURES,
) -> FloatArray:
    """Describe the pose of each hand by features (n, n_features) in palm lengths.

    Takes image and world landmarks (n, 21, 3), and the probability of a right hand (n,): unknown
    (NaN) is taken as right. HandloreError is raised for an unknown group, InvalidDataError if a
    hand lacks what a group is computed from.
    """
    _require_groups(groups)
    chosen = [FEATURE_GROUPS[name] for name in groups]
    used = list(dict.fromkeys(group.landmarks for group in chosen))
    landmarks = np.array([world if one == "world" else image for one in used])
    hands = canonicalize(landmarks, handedness)
    rotation = rotation_deg(hands)
    both = zip(rotate(hands, -rotation), rotation, strict=True)
    upright = dict(zip(used, both, strict=True))
    columns = [group.compute(*upright[group.landmarks]) for group in chosen]
    rows = np.concatenate(columns, axis=1)
    if np.isnan(rows).any():
        lacking = next(at for at, column in enumerate(columns) if np.isnan(column).any())
        raise InvalidDataError(
            f"the feature group {groups[lacking]!r} needs {chosen[lacking].landmarks} landmarks of"
            " every hand, and this data has hands without them; train a model on other groups, such"
            " as with --features image,image_distances"
        )
    return rows
