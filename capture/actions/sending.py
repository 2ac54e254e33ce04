"""Sending a request to a web address, and giving it up for good when its time is over."""

import contextlib
import http.client
import socket
import ssl
import threading
import urllib.request
from collections.abc import Callable
from functools import cache
from time import monotonic
from typing import Any

MOST_LATE = 8
"""Posts that are late and still under way; with so many no further one is begun."""

_under_way = threading.BoundedSemaphore(MOST_LATE)


def send(request: urllib.request.Request, seconds: float) -> None:
    """Send a request, and wait for its answer no longer than that in all.

    The time-out of a connection is for each step alone: asking for the address of a name has
    none, and a server that sends a byte now and then is always in time. So it has a thread.

    Raises
    ------
    TimeoutError
        If there is no answer in that time.
    OSError, http.client.HTTPException, ValueError
        As :mod:`urllib.request` does.
    """
    deadline = monotonic() + seconds
    if not _under_way.acquire(timeout=seconds):
        raise TimeoutError
    attempt = _Attempt(request, seconds)
    try:
        attempt.start()
    except RuntimeError:  # there are too many threads
        _under_way.release()
        raise
    attempt.join(max(0.0, deadline - monotonic()))
    if attempt.is_alive():
        attempt.give_up()
        raise TimeoutError
    if attempt.error is not None:
        raise attempt.error


class _Attempt(threading.Thread):
    """Sends one request. What was given up is not sent later: it was told to have failed."""

    def __init__(self, request: urllib.request.Request, seconds: float) -> None:
        super().__init__(name="post", daemon=True)
        self._request = request
        self._seconds = seconds
        self._given_up = False
        self._connection: http.client.HTTPConnection | None = None
        self.error: Exception | None = None

    def run(self) -> None:
        """Send it and wait for the answer."""
        try:
            opener = urllib.request.build_opener(_Nowhere, _Watched(self._made))
            opener.open(self._request, timeout=self._seconds).close()
        except Exception as error:  # noqa: BLE001, who waits for it raises it
            self.error = error
        finally:
            _under_way.release()

    def give_up(self) -> None:
        """Send nothing any more, and hang up: a server may be at its answer for ever."""
        self._given_up = True
        line = self._connection and self._connection.sock
        if line:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def _made(self, connection: http.client.HTTPConnection) -> None:
        """Take notice of a connection before it is opened, and have it look when it is."""
        self._connection, connect = connection, connection.connect

        def connect_in_time() -> None:
            connect()
            if self._given_up:
                raise TimeoutError

        connection.connect = connect_in_time  # type: ignore[method-assign]


@cache
def _certificates() -> ssl.SSLContext:
    """Return whom to trust; reading that takes some time, so it is done once."""
    return ssl.create_default_context()


class _Watched(urllib.request.HTTPSHandler, urllib.request.HTTPHandler):
    """Opens connections, and shows each to somebody before it is used."""

    def __init__(self, made: Callable[[http.client.HTTPConnection], None]) -> None:
        super().__init__(context=_certificates())
        self._made = made

    def do_open(self, http_class: Any, req: urllib.request.Request, **given: Any) -> Any:
        """Open a connection of that class, and send a request."""

        def make(*arguments: Any, **named: Any) -> http.client.HTTPConnection:
            connection: http.client.HTTPConnection = http_class(*arguments, **named)
            self._made(connection)
            return connection

        return super().do_open(make, req, **given)


class _Nowhere(urllib.request.HTTPRedirectHandler):
    """Follows no redirection."""

    def redirect_request(self, *_: Any) -> None:
        """Leave the answer as it is."""
