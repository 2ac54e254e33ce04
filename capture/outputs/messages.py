"""What other programs get: the landmarks of a frame, and events, as lines of JSON."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isnan

import numpy as np

from handlore.landmarks.hands import N_LANDMARKS, FloatArray, Hand
from handlore.models.stream.events import Event

from ..live.loop import LiveState

# A hundredth of a pixel of 640, and a tenth of a millimetre. One template is filled in half the
# time that `json` takes for as many numbers.
_IMAGE, _WORLD = (
    f"[{','.join([f'[%.{decimals}f,%.{decimals}f,%.{decimals}f]'] * N_LANDMARKS)}]"
    for decimals in (5, 4)
)


@dataclass(frozen=True, eq=False)
class LandmarkMessage:
    """The hands of a frame; encoded when the first receiver needs it, and once for all."""

    seconds: float
    """Time in the stream."""
    width: int
    height: int
    """Of the picture, in pixels."""
    hands: Sequence[Hand]

    @classmethod
    def of(cls, state: LiveState) -> "LandmarkMessage | None":
        """Return the frame of a state; None while the camera gives no picture."""
        if state.pixels is None:
            return None
        height, width = state.pixels.shape[:2]
        return cls(state.seconds, width, height, state.hands)

    @cached_property
    def line(self) -> str:
        """JSON in ASCII, without a line break."""
        return (
            f'{{"type":"landmarks","time":{self.seconds:.3f},"width":{self.width},'
            f'"height":{self.height},"hands":[{",".join(map(_hand_json, self.hands))}]}}'
        )


@dataclass(frozen=True)
class EventMessage:
    """An event: the one of a gesture, or that a pose is still held, or has ended."""

    event: Event

    @cached_property
    def line(self) -> str:
        """JSON in ASCII, without a line break."""
        return json.dumps(self.event.detailed(), separators=(",", ":"))


Message = LandmarkMessage | EventMessage


def _hand_json(hand: Hand) -> str:
    side = f'"{hand.side}"' if hand.side else "null"
    return (
        f'{{"hand":{side},"handedness":{_number(hand.handedness)},"score":{_number(hand.score)},'
        f'"image":{_points(hand.image, _IMAGE)},"world":{_points(hand.world, _WORLD)}}}'
    )


def _number(value: float) -> str:
    return "null" if isnan(value) else f"{value:.3f}"


def _points(landmarks: FloatArray, template: str) -> str:
    """Return landmarks (21, 3) as a list of lists in the same unit; null where they are NaN."""
    if np.isnan(landmarks[0, 0]):
        return "null"
    return template % tuple(landmarks.ravel().tolist())
