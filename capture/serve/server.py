"""A small web server for one page: its state as it changes, its pictures one at a time."""

import contextlib
import json
import secrets
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any
from urllib.parse import parse_qs, urlsplit

from handlore import __version__
from handlore.landmarks.errors import HandloreError

from .guard import SLOW_SECONDS, Address, Guard, GuessBrake
from .websocket import LandmarkChannel, serve_websocket

_EncodeJpeg = Callable[[], bytes]
"""Encodes a frame when a browser requests it."""
MOST_EVENTS = 200
"""Events that are kept for browsers that connect later."""


class Hub:
    """The newest frame, the newest state and the last events, between the loop and browsers.

    The loop puts them here and never waits. A request gets the newest ones, or waits for newer
    ones. There are no queues, so that a slow browser costs only its thread.
    """

    def __init__(self) -> None:
        self.run = secrets.token_hex(4)
        """Identifies this run: a page stays open while handlore is restarted."""
        self._changed = threading.Condition()
        self._encoding = threading.Lock()
        self._frame = 0
        self._encode: _EncodeJpeg | None = None
        self._jpeg: tuple[int, bytes] = (0, b"")
        self._state: tuple[int, dict[str, Any]] = (0, {})
        self._events: deque[tuple[int, dict[str, Any]]] = deque(maxlen=MOST_EVENTS)
        self._n_events = 0
        self._watching = 0
        self.channel = LandmarkChannel()
        self.closed = False

    @property
    def watched(self) -> bool:
        """Whether a browser waits for frames; otherwise none need to be put."""
        return self._watching > 0

    def put(self, state: dict[str, Any], encode: _EncodeJpeg | None) -> None:
        """Replace the newest state and frame."""
        with self._changed:
            self._state = (self._state[0] + 1, state)
            if encode is not None:
                self._frame += 1
                self._encode = encode
            self._changed.notify_all()

    def log(self, event: dict[str, Any]) -> None:
        """Add a line to the log."""
        with self._changed:
            self._n_events += 1
            self._events.append((self._n_events, event))
            self._changed.notify_all()

    def close(self) -> None:
        """Disconnect all clients."""
        self.channel.close()
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def updates(
        self, state: int, event: int, seconds: float
    ) -> tuple[tuple[int, dict[str, Any]], list[tuple[int, dict[str, Any]]]]:
        """Wait for a state or events newer than these numbers.

        Returns the newest state with its number, and the events after ``event`` with theirs.
        """

        def any_update() -> bool:
            return self.closed or self._state[0] > state or self._n_events > event

        with self._changed:
            self._changed.wait_for(any_update, seconds)
            return self._state, [one for one in self._events if one[0] > event]

    def jpeg(self, after: int, seconds: float) -> tuple[int, bytes] | None:
        """Wait for a frame newer than ``after``; None if none comes or the hub is closed."""
        with self._changed:
            if after > self._frame:
                after = 0  # a number of a previous run
            self._watching += 1
            try:
                there = self._changed.wait_for(lambda: self.closed or self._frame > after, seconds)
            finally:
                self._watching -= 1
            number, encode = self._frame, self._encode
        if not there or self.closed or encode is None:
            return None
        # Several browsers share one encoded picture.
        with self._encoding:
            if self._jpeg[0] < number:
                self._jpeg = (number, encode())
            return self._jpeg


MOST_CONNECTIONS = 24
"""A browser uses two or three; more connections get status 503."""
TIMEOUT = 10.0
"""Seconds in which a browser must receive a response and send its next request."""
_LOOK_SECONDS = 0.2
"""Between two looks for requests that never end, and whether the server is to end."""
STATES_PER_SECOND = 10.0
_FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " connect-src 'self'; img-src 'self' blob: data:; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_BUSY_HEADERS = _HEADERS | {"Retry-After": "5", "Connection": "close", "Content-Length": "0"}
_BUSY = "\r\n".join(
    ("HTTP/1.1 503 Busy", *(f"{name}: {value}" for name, value in _BUSY_HEADERS.items()), "", "")
).encode()
_EVICTION_SECONDS = SLOW_SECONDS + 0.2
"""How long a new connection waits for one without a request to be closed."""


class PageServer:
    """Serves the page on threads of its own; port 0 takes any free one.

    Without a token a browser needs none on this computer, and a generated one elsewhere. If the
    address cannot be used, HandloreError is raised.
    """

    def __init__(self, hub: Hub, address: Address, token: str | None = None) -> None:
        guard = Guard.of(address, token)
        try:
            self._server = _Server(hub, guard)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise HandloreError(
                f"cannot serve the page at {address.host}:{address.port}: {reason}; give another"
                " address, such as --serve 127.0.0.1:8001"
            ) from error
        self.address = self._server.guard.address
        self.url = self.address.url(guard.token)
        """The address to open in a browser, with the token."""
        self._hub = hub
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_LOOK_SECONDS,), name="page", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Disconnect all clients."""
        self._hub.close()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(2.0)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Of more that come at once, some would be accepted a second or three later.
    request_queue_size = MOST_CONNECTIONS
    # Its threads end with the hub, or at their time-out; they are not joined.
    block_on_close = False

    def __init__(self, hub: Hub, guard: Guard) -> None:
        self.hub = hub
        self.free = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self.brake = GuessBrake()
        self.pending: dict[socket.socket, float] = {}
        """Connections with an incomplete request, and since when."""
        host = guard.address.host
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, guard.address.port), _Handler)
        # The real port in place of 0: cookies are named after it.
        self.guard = replace(guard, address=Address(host, self.server_address[1]))

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self.free.acquire(blocking=False) and not self._freed():
            request.settimeout(0.1)
            with contextlib.suppress(OSError):
                request.sendall(_BUSY)
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self.free.release()
            raise

    def _freed(self) -> bool:
        """Close the connection that has sent no request for the longest time, for a new one."""
        waiting = sorted(self.pending.items(), key=lambda item: item[1])
        if not waiting:
            return False
        with contextlib.suppress(OSError):
            waiting[0][0].shutdown(socket.SHUT_RDWR)
        return self.free.acquire(timeout=_EVICTION_SECONDS)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.free.release()

    def service_actions(self) -> None:
        """Disconnect requests that never end: the time-out applies to each byte alone."""
        latest = time.monotonic() - TIMEOUT
        for connection, since in list(self.pending.items()):
            if since < latest:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore it: browsers may disconnect at any time."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = f"handlore/{__version__}"
    sys_version = ""
    timeout = TIMEOUT
    server: _Server

    def handle_one_request(self) -> None:
        self.server.pending[self.connection] = time.monotonic()
        try:
            super().handle_one_request()
        finally:
            self.server.pending.pop(self.connection, None)

    def do_GET(self) -> None:
        self.server.pending.pop(self.connection, None)
        parts = urlsplit(self.path)
        guard = self.server.guard
        if self.server.hub.closed:
            # A kept-alive connection may outlast the server for a while.
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "handlore live has ended")
        elif not guard.knows(self.headers.get("Host")):
            self._refuse(HTTPStatus.MISDIRECTED_REQUEST, self._expected_name())
        elif self._of_another_site() and not self._is_for_others(parts.path, parts.query):
            self._refuse(HTTPStatus.FORBIDDEN, "requested by a page of another site")
        else:
            self._respond(parts.path, parts.query)

    def _of_another_site(self) -> bool:
        if self.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            return True
        # Requests for a WebSocket may come without the header above.
        host = self.headers.get("Host")
        return urlsplit(self.headers.get("Origin", f"//{host}")).netloc != host

    def _is_for_others(self, path: str, query: str) -> bool:
        """Return whether a page of another site may request it.

        A link may lead to the page itself alone. The stream needs the token, which no other site
        knows unless it was given to it.
        """
        if path == "/" and self.headers.get("Sec-Fetch-Mode") == "navigate":
            return True
        guard = self.server.guard
        return path == "/stream" and bool(guard.token) and guard.admits(query, {})

    def _expected_name(self) -> str:
        port = self.server.guard.address.port
        if self.server.guard.address.local:
            return f"open http://localhost:{port}; other names are refused"
        return "open it by the IP address of this computer (http://192.168...) or its host name"

    def _respond(self, path: str, query: str) -> None:
        headers = dict(self.headers.items())
        if not self.server.guard.admits(query, headers):
            self._refuse_guess(self.server.guard.given(query, headers))
        elif path == "/" and "token" in parse_qs(query):
            self._set_cookie()
        elif path in _FILES:
            name, kind = _FILES[path]
            self._send(resources.files(__package__).joinpath(name).read_bytes(), kind, {})
        elif path == "/frame.jpg":
            self._picture(query)
        elif path == "/events":
            self._stream(query)
        elif path == "/stream":
            self._landmarks()
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "there is no such page")

    def _refuse_guess(self, tokens: list[str]) -> None:
        """Refuse wrong tokens, slowly if there were many; meanwhile it may give way to others."""
        client, brake = str(self.client_address[0]), self.server.brake
        slow = brake.slows(client)
        brake.note(client, tokens)
        if slow:
            self.server.pending[self.connection] = time.monotonic()
            time.sleep(SLOW_SECONDS)
            self._refuse(HTTPStatus.TOO_MANY_REQUESTS, "too many wrong tokens; wait a minute")
        else:
            self._refuse(
                HTTPStatus.UNAUTHORIZED, "open the address that handlore live printed, with ?token="
            )

    def _set_cookie(self) -> None:
        """Move the token to a cookie, out of the address bar and the history."""
        self.send_response(HTTPStatus.SEE_OTHER)
        guard = self.server.guard
        cookie = f"{guard.cookie}={guard.token}; Path=/; HttpOnly; SameSite=Lax"
        self._head({"Location": "/", "Set-Cookie": cookie, "Content-Length": "0"})

    def _picture(self, query: str) -> None:
        after = parse_qs(query).get("after", ["0"])[0]
        number = int(after) if after.isascii() and after.isdigit() and len(after) < 16 else 0
        shown = self.server.hub.jpeg(number, TIMEOUT / 2)
        if shown is None:
            self.send_response(HTTPStatus.NO_CONTENT)
            self._head({"Content-Length": "0"})
        else:
            self._send(shown[1], "image/jpeg", {"X-Frame": str(shown[0])})

    def _stream(self, query: str) -> None:
        """Send states and events as they come, until either side closes."""
        hub = self.server.hub
        self.send_response(HTTPStatus.OK)
        self._head({"Content-Type": "text/event-stream", "Connection": "close"})
        self.close_connection = True
        after = parse_qs(query).get("after", [""])[0]
        state, event = 0, self._number(self.headers.get("Last-Event-ID") or after)
        pause = threading.Event()
        while not hub.closed:
            (number, values), events = hub.updates(state, event, TIMEOUT / 2)
            for event, line in events:
                self._write(f"id: {hub.run}-{event}\nevent: log\ndata: {json.dumps(line)}\n\n")
            if number > state:
                state = number
                self._write(f"event: state\ndata: {json.dumps(values)}\n\n")
            elif not events:
                self._write(": keep-alive\n\n")
            pause.wait(1 / STATES_PER_SECOND)

    def _landmarks(self) -> None:
        if not serve_websocket(self, self.server.hub.channel):
            self._refuse(HTTPStatus.UPGRADE_REQUIRED, "this address is for a WebSocket (ws://)")

    def _number(self, last: str) -> int:
        """Return the number of the last event that a browser has; 0 if it is of another run."""
        run, _, number = last.partition("-")
        known = run == self.server.hub.run and number.isascii() and number.isdigit()
        return int(number) if known and len(number) < 16 else 0

    def _write(self, text: str) -> None:
        self.wfile.write(text.encode())
        self.wfile.flush()

    def _send(
        self, body: bytes, kind: str, more: dict[str, str], status: HTTPStatus = HTTPStatus.OK
    ) -> None:
        self.send_response(status)
        self._head({"Content-Type": kind, "Content-Length": str(len(body))} | more)
        self.wfile.write(body)

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        body = f"{status.phrase}: {reason}\n".encode()
        # Closed, or clients without the token could keep all connections busy.
        self._send(body, "text/plain; charset=utf-8", {"Connection": "close"}, status)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse a request that is no GET, or is none, with the headers of all answers."""
        del message, explain
        self.close_connection = True
        # Of a request that is none the version is unknown, and without one no headers are sent.
        self.request_version = self.protocol_version
        self._refuse(HTTPStatus(code), "expected GET")

    def _head(self, headers: dict[str, str]) -> None:
        for name, value in (_HEADERS | headers).items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing: addresses contain the token."""
