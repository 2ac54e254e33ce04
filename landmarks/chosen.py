"""Choosing one of two hands: nearest, left, right, largest or most confident."""

from collections.abc import Callable, Sequence
from math import isnan
from typing import Literal

import numpy as np

from .detector import DEFAULT_CONFIDENCE, HandDetector
from .errors import HandloreError
from .geometry import palm_length
from .hands import Hand, HandTransform, Pixels

HandChoice = Literal["", "nearest", "left", "right", "largest", "most-confident"]
"""Which of two hands is used; empty: the one that the detector finds first."""
CHOICES: tuple[HandChoice, ...] = ("nearest", "left", "right", "largest", "most-confident")

_REACH = 1.5
"""Palm lengths by which a hand moves at most from one frame to the next."""


class ChosenHandDetector(HandDetector):
    """A detector that looks for two hands and returns the one that is wanted.

    In a video the hand that was chosen is followed for as long as it is seen, so that two hands of
    about the same size do not take turns; ``left`` and ``right`` are decided in each frame. The
    detector is closed with this one.
    """

    def __init__(self, detector: HandDetector, choice: HandChoice) -> None:
        if choice not in CHOICES:
            raise HandloreError(f"unknown hand {choice!r}; known: {', '.join(CHOICES)}")
        self._detector, self._choice = detector, choice
        self._last: Hand | None = None
        self.info = detector.info

    def detect(
        self,
        picture: Pixels,
        *,
        min_confidence: float = DEFAULT_CONFIDENCE,
        min_presence: float | None = None,
    ) -> list[Hand]:
        """Find hands in a still picture, and return the chosen one."""
        found = self._detector.detect(
            picture, min_confidence=min_confidence, min_presence=min_presence
        )
        return choose_hand(found, self._choice)

    def detect_again(
        self, picture: Pixels, hand: Hand, transforms: Sequence[HandTransform] = (HandTransform(),)
    ) -> list[Hand]:
        """Look again at a hand that is known, see :meth:`HandDetector.detect_again`."""
        return self._detector.detect_again(picture, hand, transforms)

    def wants(self, hand: Hand) -> bool:
        """Say whether a hand is on the chosen side."""
        return self._choice not in ("left", "right") or hand.side == self._choice

    def track(self, picture: Pixels, seconds: float) -> list[Hand]:
        """Find hands in the next frame of a video, and return the chosen one."""
        found = self._detector.track(picture, seconds)
        if self._choice in ("left", "right"):
            return choose_hand(found, self._choice)
        chosen = _followed(found, self._last) or choose_hand(found, self._choice)
        self._last = chosen[0] if chosen else None
        return chosen

    def reset(self) -> None:
        """Forget the tracked hands."""
        self._last = None
        self._detector.reset()

    def close(self) -> None:
        """Close the detector."""
        self._detector.close()


def choose_hand(hands: Sequence[Hand], choice: HandChoice) -> list[Hand]:
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
