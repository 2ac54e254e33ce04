"""What every kind of output offers: a receiver that is opened, gets messages, and may vanish.

Messages are the landmarks of a frame, and events, as lines of JSON.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isnan
from typing import ClassVar, Protocol, Self

import numpy as np

from handlore.landmarks.errors import HandloreError
from handlore.landmarks.hands import N_LANDMARKS, FloatArray, Hand
from handlore.landmarks.registry import Registry
from handlore.models.stream.events import Event

from ..addresses import RemoteAddress
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


OPEN_SECONDS = 2.0
"""How long opening a connection may take."""
SEND_SECONDS = 1.0
"""How long a receiver may take for a message; then it counts as lost."""


class OutputError(Exception):
    """A receiver is lost; the message says why, in a few words."""


class Output(Protocol):
    """A receiver of landmarks and events, used by one thread."""

    shown: str
    """Its address for people, without a password."""
    takes_frames: bool = True
    """Whether it is sent landmarks too, not events alone."""

    def open(self) -> None:
        """Connect within :data:`OPEN_SECONDS`, or raise :class:`OutputError`."""
        return

    def check(self) -> None:
        """Raise :class:`OutputError` if it is lost; called every second while nothing is sent."""
        return

    def send(self, message: Message) -> None:
        """Send a message within :data:`SEND_SECONDS`, or raise :class:`OutputError`."""

    def close(self) -> None:
        """Disconnect. It may be opened again."""
        return


class OutputKind(Output, Protocol):
    """A kind of output that ``--send`` can name: the base class of all of them.

    ``@OUTPUTS.register`` adds it to :data:`OUTPUTS`; its ``name`` is the scheme of its addresses.
    """

    name: ClassVar[str]
    """The scheme of its addresses, such as ``udp``."""
    port: ClassVar[int] = 0
    """Its usual port; 0: the address must name one."""
    takes_user: ClassVar[bool] = True
    """Whether its addresses can name a user and a password."""

    @classmethod
    def of(cls, address: RemoteAddress) -> Self:
        """Make the output of an address, or raise HandloreError if something is wrong with it."""


OUTPUTS: Registry[type[OutputKind]] = Registry("output", "handlore.capture.outputs")
"""All kinds of output, those of other packages too (entry points ``handlore.outputs``)."""


def output_address(text: str) -> RemoteAddress:
    """Read an address such as ``udp://127.0.0.1:5005``, or raise HandloreError."""
    kinds = OUTPUTS.entries()
    address = RemoteAddress.parsed("the receiver", text, {name: kinds[name].port for name in kinds})
    if not address.port:
        raise HandloreError(f"the receiver {address.shown} names no port; expected HOST:PORT")
    kind = kinds[address.scheme]
    if not kind.takes_user and (address.user or address.password):
        raise HandloreError(
            f"the receiver {address.shown}: {address.scheme} knows no user name and password;"
            " leave out what is before the @"
        )
    return address


def make_output(text: str) -> Output:
    """Return the output of an address; opens nothing."""
    address = output_address(text)
    return OUTPUTS[address.scheme].of(address)
