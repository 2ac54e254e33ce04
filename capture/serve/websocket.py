"""Landmarks and events over WebSocket (RFC 6455), on the server of the page."""

import base64
import hashlib
import select
import socket
import threading
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from itertools import islice
from math import inf

from handlore.models.stream.events import Event, Pace

from ..live.loop import LiveState, LiveView
from ..outputs.base import EventMessage, LandmarkMessage, Message
from ..outputs.sender import MOST_EVENTS
from ..outputs.sockets import SEND_BUFFER

_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_LARGEST = 1 << 16
"""Most bytes of a frame from a client; none is expected to say anything."""
_LOOK_SECONDS = 0.25
"""How long a client waits for the answer to a ping while nothing happens."""
_QUIET_LOOKS = 20
"""After so many looks without a message a client is pinged."""


class LandmarkChannel(LiveView):
    """The newest landmarks and the last events, for clients that come and go."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pace = Pace(-inf, 0.0)
        self._frame: tuple[int, LandmarkMessage | None] = (0, None)
        self._events: deque[EventMessage] = deque(maxlen=MOST_EVENTS)
        self._n_events = 0
        self._clients = 0
        self.closed = False

    def limit(self, max_fps: float) -> None:
        """Pass on at most so many frames a second."""
        self._pace = Pace(-inf, 1 / max_fps)

    def show(self, state: LiveState) -> None:
        """Replace the newest landmarks, if there is a client."""
        if not self._clients or not self._pace.due(state.seconds):
            return
        frame = LandmarkMessage.of(state)
        with self._changed:
            self._frame = self._frame[0] + 1, frame
            self._changed.notify_all()

    def on_event(self, event: Event) -> None:
        """Add an event."""
        with self._changed:
            self._n_events += 1
            self._events.append(EventMessage(event))
            self._changed.notify_all()

    on_hold = on_event

    def close(self) -> None:
        """Disconnect all clients."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def client(self) -> "_Reader":
        """Return what a new client reads: everything from now on."""
        with self._changed:
            self._clients += 1
            return _Reader(self, self._frame[0], self._n_events)

    def leave(self) -> None:
        """Count a client less."""
        with self._changed:
            self._clients -= 1

    def newer(
        self, frame: int, event: int, seconds: float
    ) -> tuple[tuple[int, LandmarkMessage | None], int, list[EventMessage]]:
        """Wait for landmarks or events newer than these numbers."""
        with self._changed:
            self._changed.wait_for(
                lambda: self.closed or self._frame[0] > frame or self._n_events > event, seconds
            )
            missed = min(self._n_events - event, len(self._events))
            events = list(islice(self._events, len(self._events) - missed, None))
            return self._frame, self._n_events, events


class _Reader:
    """What one client has not been sent yet."""

    def __init__(self, channel: LandmarkChannel, frame: int, event: int) -> None:
        self._channel, self._at_frame, self._at_event = channel, frame, event

    def next(self) -> list[Message]:
        """Wait a moment for messages; events first, and the newest landmarks."""
        (number, frame), n_events, events = self._channel.newer(
            self._at_frame, self._at_event, _LOOK_SECONDS
        )
        news = number > self._at_frame and frame is not None
        self._at_frame, self._at_event = number, n_events
        return [*events, *([frame] if news and frame is not None else [])]


def serve_websocket(request: BaseHTTPRequestHandler, channel: LandmarkChannel) -> bool:
    """Answer a request for a WebSocket, and send messages until either side closes.

    Returns False, with nothing answered, if the request is for something else.
    """
    key = request.headers.get("Sec-WebSocket-Key", "")
    upgrade = request.headers.get("Upgrade", "").lower()
    if not key or upgrade != "websocket" or request.headers.get("Sec-WebSocket-Version") != "13":
        return False
    digest = hashlib.sha1(f"{key}{_MAGIC}".encode("ascii", "replace"), usedforsecurity=False)
    request.close_connection = True
    request.send_response(HTTPStatus.SWITCHING_PROTOCOLS)
    request.send_header("Upgrade", "websocket")
    request.send_header("Connection", "Upgrade")
    request.send_header("Sec-WebSocket-Accept", base64.b64encode(digest.digest()).decode())
    request.end_headers()
    _serve_client(request.connection, channel)
    return True


def _serve_client(client: socket.socket, channel: LandmarkChannel) -> None:
    """Send messages until the client leaves or reads nothing; OSError if the connection breaks."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    reader, incoming = channel.client(), _Incoming(client.sendall)
    quiet = 0
    try:
        while not channel.closed and incoming.take(client):
            messages = reader.next()
            for message in messages:
                client.sendall(_encoded(_TEXT, message.line.encode()))
            quiet = 0 if messages else quiet + 1
            if quiet == _QUIET_LOOKS:
                client.sendall(_encoded(_PING, b""))
                quiet = 0
        client.sendall(_encoded(_CLOSE, (1001).to_bytes(2)))
    finally:
        channel.leave()


class _Incoming:
    """What a client says: pings are answered, an end is noticed, the rest is ignored."""

    def __init__(self, answer: Callable[[bytes], object]) -> None:
        self._answer = answer
        self._data = b""

    def take(self, client: socket.socket) -> bool:
        """Take what has come; return whether the client is still there."""
        while select.select([client], [], [], 0)[0]:
            data = client.recv(4096)
            if not data:
                return False
            self._data += data
            if not self._frames():
                return False
        return True

    def _frames(self) -> bool:
        while (end := _length(self._data)) is not None:
            if end > _LARGEST:
                return False
            if len(self._data) < end:
                return True
            kind, frame, self._data = self._data[0] & 15, self._data[:end], self._data[end:]
            if kind == _CLOSE:
                return False
            if kind == _PING:
                self._answer(_encoded(_PONG, _payload(frame)))
        return True


def _length(data: bytes) -> int | None:
    """Return the length of the frame with which data begins; None if that is not known yet."""
    if len(data) < 2:
        return None
    size, more = data[1] & 127, {126: 2, 127: 8}.get(data[1] & 127, 0)
    if len(data) < 2 + more:
        return None
    if more:
        size = int.from_bytes(data[2 : 2 + more])
    return 2 + more + 4 * (data[1] >> 7) + size


def _payload(frame: bytes) -> bytes:
    """Return what a short frame holds, unmasked."""
    if not frame[1] >> 7:
        return frame[2:]
    mask = frame[2:6]
    return bytes(byte ^ mask[place % 4] for place, byte in enumerate(frame[6:]))[:125]


def _encoded(kind: int, payload: bytes) -> bytes:
    """Return a whole frame of a server."""
    size = len(payload)
    if size < 126:
        return bytes([0x80 | kind, size]) + payload
    if size < 1 << 16:
        return bytes([0x80 | kind, 126]) + size.to_bytes(2) + payload
    return bytes([0x80 | kind, 127]) + size.to_bytes(8) + payload
