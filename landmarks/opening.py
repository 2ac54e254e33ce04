"""Choosing and opening a hand detector, and choosing one of two hands that it finds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isnan
from typing import Literal, cast

import numpy as np

from .detector import (
    DEFAULT_CONFIDENCE,
    DetectorInfo,
    DetectorOptions,
    HandDetector,
    Talk,
    WrappedDetector,
)
from .detectors import DETECTORS
from .errors import HandloreError, require_type, unknown_name
from .geometry import palm_length
from .hands import Hand, Pixels

HandChoice = Literal["", "nearest", "left", "right", "largest", "most-confident"]
"""Which of two hands is used; empty: the one that the detector finds first."""
CHOICES: tuple[HandChoice, ...] = ("nearest", "left", "right", "largest", "most-confident")

_REACH = 1.5
"""Palm lengths by which a hand moves at most from one frame to the next."""


class _ChosenHandDetector(WrappedDetector):
    """A detector that looks for two hands and returns the one that is wanted.

    In a video the hand that was chosen is followed for as long as it is seen, so that two hands of
    about the same size do not take turns; ``left`` and ``right`` are decided in each frame.
    """

    def __init__(self, detector: HandDetector, choice: HandChoice) -> None:
        if choice not in CHOICES:
            raise unknown_name("hand", choice, CHOICES)
        super().__init__(detector)
        self._choice = choice
        self._last: Hand | None = None

    def detect(
        self,
        picture: Pixels,
        *,
        min_confidence: float = DEFAULT_CONFIDENCE,
        min_presence: float | None = None,
    ) -> list[Hand]:
        """Find hands in a still picture, and return the chosen one."""
        found = super().detect(picture, min_confidence=min_confidence, min_presence=min_presence)
        return _choose_hand(found, self._choice)

    def wants(self, hand: Hand) -> bool:
        """Say whether a hand is on the chosen side."""
        return self._choice not in ("left", "right") or hand.side == self._choice

    def track(self, picture: Pixels, seconds: float) -> list[Hand]:
        """Find hands in the next frame of a video, and return the chosen one."""
        found = super().track(picture, seconds)
        if self._choice in ("left", "right"):
            return _choose_hand(found, self._choice)
        chosen = _followed(found, self._last) or _choose_hand(found, self._choice)
        self._last = chosen[0] if chosen else None
        return chosen

    def reset(self) -> None:
        """Forget the tracked hands."""
        self._last = None
        super().reset()


def _choose_hand(hands: Sequence[Hand], choice: HandChoice) -> list[Hand]:
    """Return the chosen hand; nothing if there is none.

    Parameters
    ----------
    hands
        Of one picture, the one with the highest score of its palm first.
    choice
        ``nearest`` compares the palm in the picture with its real length, ``largest`` the boxes
        around the hands; ``left`` and ``right`` are the person's.
    """
    if choice in ("left", "right"):
        hands = [hand for hand in hands if hand.side == choice]
    if not hands:
        return []
    key = _KEYS.get(choice)
    return [max(hands, key=key)] if key else [hands[0]]


def _nearness(hand: Hand) -> float:
    """Return image widths a metre at the hand, or without world landmarks at a usual palm."""
    real = float(palm_length(hand.world))
    return float(palm_length(hand.image)) / (real if real > 0 and not isnan(real) else 0.09)


def _area(hand: Hand) -> float:
    width, height = np.ptp(hand.image[:, :2], axis=0)
    return float(width * height)


def _confidence(hand: Hand) -> float:
    return 0.0 if isnan(hand.score) else hand.score


_KEYS: dict[str, Callable[[Hand], float]] = {
    "nearest": _nearness,
    "largest": _area,
    "most-confident": _confidence,
}


def _followed(hands: Sequence[Hand], last: Hand | None) -> list[Hand]:
    """Return the hand that is where the last one was; nothing if none is."""
    if last is None or not hands:
        return []
    place = last.image[:, :2].mean(axis=0)
    moved = [float(np.linalg.norm(hand.image[:, :2].mean(axis=0) - place)) for hand in hands]
    nearest = int(np.argmin(moved))
    return [hands[nearest]] if moved[nearest] <= _REACH * float(palm_length(last.image)) else []


@dataclass(frozen=True)
class DetectorChoice:
    """The detector that is used, and why."""

    name: str
    reason: str


def choose_detector(wanted: str = "auto", *, video: bool = False) -> DetectorChoice:
    """Choose a detector: the best one under ``auto``, else the one of :data:`DETECTORS` wanted.

    In ``video`` it matters where a lost hand is looked for and when the palm detector runs, which
    can be controlled in ``litert`` only; and a video has to give the same landmarks as a camera.
    If none can run here, HandloreError says why and what to do.
    """
    if wanted != "auto":
        if wanted not in DETECTORS:
            raise unknown_name("detector", wanted, ["auto", *DETECTORS])
        problem = DETECTORS[wanted].problem()
        if problem:
            raise HandloreError(f"the detector {wanted} cannot run here: {problem}")
        return DetectorChoice(wanted, "it was asked for")
    ranks = {name: kind.preference(video=video) for name, kind in DETECTORS.entries().items()}
    names = sorted((name for name in ranks if ranks[name][0] > 0), key=lambda name: -ranks[name][0])
    problems = detector_problems()
    for name in names:
        if problems[name] is None:
            reason = ranks[name][1] if name == names[0] else f"{names[0]} cannot run here"
            return DetectorChoice(name, reason)
    causes = "; ".join(f"{name}: {problems[name]}" for name in names)
    raise HandloreError(f"no hand detector can run here ({causes})")


def detector_problems() -> dict[str, str | None]:
    """Return for each detector why it cannot run on this computer; None where it can."""
    return {name: kind.problem() for name, kind in DETECTORS.entries().items()}


def open_detector(
    options: DetectorOptions | None = None, *, talk: Talk | None = None
) -> HandDetector:
    """Open the detector that the options ask for, fetching its networks if need be.

    It serves one thread: several threads open one each.

    Parameters
    ----------
    options
        Default: one hand, full landmarks, the best detector for this machine.
    talk
        Receives a line when the networks have to be fetched.

    Raises
    ------
    HandloreError
        If the detector cannot run here, or its networks are not to be had.

    Examples
    --------
    >>> pixels, _ = handlore.read_picture("photo.png")
    >>> with handlore.open_detector() as detector:
    ...     [hand.side for hand in detector.detect(pixels)]
    ['right']
    """
    options = options or DetectorOptions()
    require_type(options, DetectorOptions, 'options such as DetectorOptions(detector="litert")')
    choice = choose_detector(options.detector, video=options.video)
    if not options.hand:
        return DETECTORS[choice.name].open(options, talk)
    both = replace(options, hand="", max_hands=2)
    return _ChosenHandDetector(
        DETECTORS[choice.name].open(both, talk), cast(HandChoice, options.hand)
    )


def detector_info(options: DetectorOptions) -> DetectorInfo:
    """Say which detector :func:`open_detector` would open, at the price of reading its bundle.

    A process that only hands out work to others needs no networks in memory.
    """
    choice = choose_detector(options.detector, video=options.video)
    return DETECTORS[choice.name].described(options, None)
