"""``osc://HOST:PORT``: Open Sound Control, with the addresses of known hand trackers.

The encoding is that of the specification, https://opensoundcontrol.stanford.edu/spec-1_0.html.
"""

import struct
from collections.abc import Iterable, Sequence
from math import isnan
from typing import ClassVar

import numpy as np

from handlore.landmarks.hands import Hand

from .base import OUTPUTS, LandmarkMessage, Message
from .sockets import Datagrams


@OUTPUTS.register
class _Osc(Datagrams):
    """A datagram for each message of Open Sound Control.

    For a frame: ``/hands/arr`` as VisionOSC sends it, ``/lx``, ``/ly``, ``/rx`` and
    ``/ry`` as Handmate sends them. For an event: ``/handlore/event``.
    """

    name: ClassVar[str] = "osc"
    port: ClassVar[int] = 9000

    def datagrams(self, message: Message) -> Iterable[bytes]:
        """Return the messages of a frame or an event."""
        if isinstance(message, LandmarkMessage):
            return [_hands(message), *_axes(message)]
        event = message.event
        values = event.label, event.hand or "", event.probability, event.start, event.end
        return [_osc_message("/handlore/event", *values, event.type)]


def _hands(frame: LandmarkMessage) -> bytes:
    """Return width, height, number of hands; of each hand its score, and x, y and score of points.

    x and y are pixels, x right and y down.
    """
    values: list[float] = []
    for hand in frame.hands:
        score = 1.0 if isnan(hand.score) else float(hand.score)
        points = np.full((21, 3), score)
        points[:, :2] = hand.image[:, :2] * frame.width
        values += [score, *points.ravel().tolist()]
    return _osc_message("/hands/arr", frame.width, frame.height, len(frame.hands), *values)


def _axes(frame: LandmarkMessage) -> list[bytes]:
    """Return x and y of the points of a left and of a right hand, in widths and heights."""
    sides: dict[str, Hand] = {hand.side[0]: hand for hand in frame.hands if hand.side}
    scales = {"x": 1.0, "y": frame.width / frame.height}
    return [
        _osc_message(f"/{side}{axis}", *(hand.image[:, column] * scale).tolist())
        for side, hand in sides.items()
        for column, (axis, scale) in enumerate(scales.items())
    ]


def _osc_message(address: str, *arguments: str | float) -> bytes:
    """Encode a message: texts, whole numbers of 32 bits, and other numbers as floats of 32 bits."""
    tags = "".join(_TAGS[type(one)] for one in arguments)
    parts = [_text(address), _text(f",{tags}")]
    # All numbers in a row are packed at once.
    for tag, values in _runs(tags, arguments):
        if tag == "s":
            parts += [_text(str(value)) for value in values]
        else:
            parts.append(struct.pack(f">{len(values)}{tag}", *values))
    return b"".join(parts)


_TAGS = {str: "s", int: "i", float: "f"}


def _runs(tags: str, values: Sequence[str | float]) -> Iterable[tuple[str, Sequence[str | float]]]:
    start = 0
    for end in range(1, len(tags) + 1):
        if end == len(tags) or tags[end] != tags[start]:
            yield tags[start], values[start:end]
            start = end


def _text(text: str) -> bytes:
    """Return text in UTF-8 with one to four zero bytes, so that its length divides by four."""
    data = text.replace("\0", "").encode("utf-8", "replace")
    return data + b"\0" * (4 - len(data) % 4)
