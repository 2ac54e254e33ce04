"""In which units the numbers of a table are, and what makes image widths of them.

Proportions are what a classifier sees. Shares of a picture's width and height lose them unless the
aspect of the picture is known, so it is asked for, never assumed.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.errors import HandloreError, InvalidDataError

Numbers = NDArray[np.float32]

UNITS_HELP = (
    "What the numbers are: auto (found out), shares (of the picture's width and height), pixels,"
    " widths (both axes in picture widths), hand (each hand in a unit of its own), metres."
)
TABLE_ASPECT_HELP = (
    "Aspect W:H of the pictures the landmarks were found in. For tables of shares there is no"
    " default; unknown leaves them as they are, like 1:1. mp-holistic: default 4:3."
)


@dataclass(frozen=True)
class Units:
    """What the numbers of a table are."""

    name: str
    """``shares``, ``pixels``, ``widths``, ``hand`` or ``metres``."""
    words: str
    """The same for a person, with what is known of the origin."""
    relative: bool = False
    """Whether positions in the picture are lost."""
    needs_aspect: bool = False
    """Whether proportions depend on the aspect of the picture."""

    @classmethod
    def of(cls, points: Numbers, *, metres: bool = False) -> "Units":
        """Find out the units of hands (n, 21, 2 or 3), all of them found and finite.

        ``metres`` says that their names are those of world landmarks. Medians decide, so that a few
        damaged rows change nothing.

        Raises
        ------
        InvalidDataError
            If the numbers are in no unit that is known.
        """
        if metres:
            return NAMED["metres"]
        flat = np.abs(points[..., :2]).reshape(len(points), -1)
        largest = flat.max(axis=1)
        size = float(np.median(largest))
        if _mostly((np.abs(points[:, 0, :2]) <= 1e-6).all(axis=1)):
            return _from_wrist(points, largest)
        negative = float((points[..., :2] < -0.05).mean())
        if size > _LEAST_PIXELS:
            return NAMED["pixels"] if negative < _FEW else replace(NAMED["hand"], words=_ELSEWHERE)
        if size > _MOST_SHARES:
            raise _unknown(f"the largest coordinate of a hand is {size:.3g} in the median")
        if _mostly((np.abs(points[..., :2].mean(axis=1)) <= 1e-5).all(axis=1)):
            return cls("shares", _FROM_CENTRE, relative=True, needs_aspect=True)
        if _is_centred(points):
            if not _is_rigid(points):
                raise _unknown(
                    "hands lie about the origin, and palms are not all as long as in metres"
                )
            return cls("metres", "metres, from the centre of the hand", relative=True)
        lowest, highest = points[..., :2].min(axis=1), points[..., :2].max(axis=1)
        if _mostly((np.abs(lowest) <= 1e-6).all(axis=1)):
            return _from_corner(highest)
        if negative < _FEW:
            return _SHARES
        raise _unknown(f"{negative:.0%} of the coordinates are negative")


_SHARES = Units("shares", "shares of the picture's width and height", needs_aspect=True)
_FROM_WRIST = "from the wrist, in shares of the picture's width and height"
_FROM_CORNER = "from the corner of the hand, in shares of the picture's width and height"
_FROM_CENTRE = "from the centre of the hand, in shares of the picture's width and height"
_ELSEWHERE = "pixels from another origin"
_BY_LARGEST = "from the wrist, divided by the largest; proportions as in the table"
_BY_LENGTH = "from the wrist, divided by a length of the hand; proportions as in the table"
_STRETCHED = "stretched to 0-1 on each axis, so that the proportions of the hand are lost"

NAMED = {
    "shares": _SHARES,
    "pixels": Units("pixels", "pixels"),
    "widths": Units("widths", "picture widths on both axes"),
    "hand": Units("hand", "a unit of each hand's own", relative=True),
    "metres": Units("metres", "metres", relative=True),
}
"""The units that can be asked for."""

_EXACT = 2e-3
"""Numbers of a table may be rounded to three digits."""


def _unknown(what: str) -> InvalidDataError:
    return InvalidDataError(
        f"{what}: neither shares of a picture (about 0 to 1) nor pixels (tens to thousands); say"
        f" what the numbers are with --units: {', '.join(NAMED)}"
    )


def _from_corner(highest: Numbers) -> Units:
    if _mostly((np.abs(highest - 1) <= _EXACT).all(axis=1)):
        return Units("hand", _STRETCHED, relative=True)
    if _mostly(np.abs(highest.max(axis=1) - 1) <= _EXACT):
        words = "from the corner of the hand, divided by the largest; proportions as in it"
        return Units("hand", words, relative=True)
    return Units("shares", _FROM_CORNER, relative=True, needs_aspect=True)


_FEW = 0.1
"""Share of negative coordinates, of hands that reach over the left or upper edge of a picture."""

_LEAST_PIXELS = 20.0
_MOST_SHARES = 2.0
"""A hand partly outside the picture has landmarks beyond 1."""


def _from_wrist(points: Numbers, largest: Numbers) -> Units:
    size = float(np.median(largest))
    deepest = np.abs(points).reshape(len(points), -1).max(axis=1)
    if _mostly(np.abs(largest - 1) <= _EXACT) or _mostly(np.abs(deepest - 1) <= _EXACT):
        return Units("hand", _BY_LARGEST, relative=True)
    if size > _LEAST_PIXELS:
        return Units("pixels", "pixels from the wrist", relative=True)
    if _has_constant_length(points):
        return Units("hand", _BY_LENGTH, relative=True)
    if size <= _MOST_SHARES:
        if _is_rigid(points):
            raise _unknown("hands from the wrist are all of the size of hands in metres")
        return Units("shares", _FROM_WRIST, relative=True, needs_aspect=True)
    return Units("hand", "from the wrist, in a unit of each hand's own", relative=True)


def _has_constant_length(points: Numbers) -> bool:
    """Say whether the palm, or the farthest landmark, is 1 away from the wrist in every row."""
    lengths = []
    for n_axes in {2, points.shape[2]}:
        distances = np.linalg.norm(points[..., :n_axes], axis=2)
        lengths += [distances.max(axis=1), *(distances[:, k] for k in (5, 9, 12, 17))]
    return any(_mostly(np.abs(length - 1) <= _EXACT) for length in lengths)


def _is_centred(points: Numbers) -> bool:
    """Say whether hands are as large as hands in metres, about an origin within them."""
    if points.shape[2] < 3:
        return False
    size = np.ptp(points, axis=1).max(axis=1)
    near = np.abs(points[..., :2].mean(axis=1)).max(axis=1) < 0.5 * size
    negative = (points[..., :2].min(axis=1) < 0).all(axis=1)
    return _mostly(near & negative & (size < 0.35))


def _is_rigid(points: Numbers) -> bool:
    """Say whether palms are as long as in metres, and always the same: in pictures they are not.

    *Measured* on photos of four sets: the standard deviation is 9 to 14 % of the mean for world
    landmarks, and 28 to 40 % for shares of pictures with such small hands.
    """
    if points.shape[2] < 3 or len(points) < 10:
        return False
    palms = np.linalg.norm(points[:, 9] - points[:, 0], axis=1)
    return bool(0.05 < palms.mean() < 0.13 and palms.std() < 0.18 * palms.mean())


def _mostly(rows: Any) -> bool:
    return len(rows) > 0 and bool(rows.mean() >= 0.9)


# From the units of a table to image widths.

_WIDTHS = (
    *(160, 176, 224, 256, 300, 320, 352, 400, 416, 480, 512, 600, 640, 720, 768, 800, 848, 960),
    *(1024, 1080, 1280, 1366, 1440, 1600, 1920, 2160, 2560, 3024, 3840, 4032, 4096, 6000, 8192),
)


@dataclass(frozen=True)
class UnitConversion:
    """What makes image widths of the numbers of a table, and the line that says so."""

    units: Units
    aspect: float | None = None
    """H / W of the pictures; None: rows say it, or it does not matter."""
    width: float = 1.0
    """Pixels in an image width."""
    shallow: bool = False
    """Whether z is in image widths already, beside x and y in pixels."""

    def apply(self, points: Numbers, pixels: Numbers | None = None) -> Numbers:
        """Return hands (n, 21, n_axes) in image widths, or in metres if that is what they are.

        ``pixels`` (n, 2) are width and height of each row's picture, where the table says them.
        """
        points = points.astype(np.float32, copy=True)
        if self.units.name == "pixels":
            scale = self.width if pixels is None else pixels[:, :1, None].astype(np.float32)
            points[..., : 2 if self.shallow else 3] /= scale
        elif self.aspect is not None:
            points[..., 1] *= np.float32(self.aspect)
        elif self.units.needs_aspect and pixels is not None:
            points[..., 1] *= (pixels[:, 1] / pixels[:, 0])[:, None]
        return points

    @classmethod
    def of(
        cls, units: Units, aspect: str, name: str, *, has_size: bool, largest: Callable[[], float]
    ) -> Self:
        """Return how hands in these units become image widths.

        Parameters
        ----------
        units
            What the numbers are.
        aspect
            ``W:H`` or ``unknown`` as a person gave it; empty: not given.
        name
            The table, for the error.
        has_size
            Whether rows say how large their pictures are.
        largest
            Returns the largest coordinate, for the width of pictures in pixels.

        Raises
        ------
        HandloreError
            If the aspect matters, and nobody knows it.
        """
        if units.name == "pixels":
            return cls(units, width=1.0 if has_size else _width_for(units, largest()))
        if aspect and (units.needs_aspect or units.name == "hand"):
            return cls(units, height_in_widths(aspect))
        if units.needs_aspect and not has_size:
            raise HandloreError(
                f"{name}: {units.words}, and the pictures' aspect is not in it; give it with"
                " --aspect W:H, such as --aspect 16:9 or 4:3, or --aspect unknown to leave the"
                " numbers as they are"
            )
        return cls(units)


def _width_for(units: Units, largest: float) -> float:
    wanted = largest * (2 if units.relative else 1)
    return float(next((width for width in _WIDTHS if width >= wanted), math.ceil(wanted)))


def height_in_widths(aspect: str) -> float:
    """Return H / W of an aspect given as W:H; 1 if it is ``unknown``."""
    if aspect.strip().lower() == "unknown":
        return 1.0
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*:\s*(\d+(?:\.\d+)?)\s*", aspect, re.ASCII)
    width, height = (float(side) for side in match.groups()) if match else (0.0, 0.0)
    if not (width and height and 0.01 <= height / width <= 100):
        raise HandloreError(
            f"--aspect is {aspect!r}, expected width:height such as 4:3 or 16:9, or unknown"
        )
    return height / width
