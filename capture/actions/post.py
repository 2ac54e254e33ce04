"""``post``: the event as JSON to a web address."""

import contextlib
import http.client
import socket
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from time import monotonic
from typing import Any, ClassVar, Self
from urllib.parse import quote, urlsplit

from handlore.models.stream.events import Event

from .base import ACTIONS, PLACEHOLDER, ActionError, ActionKind, Table, as_text, fill, fill_json

MOST_LATE = 8
"""Most requests that are still running after their time limit; then no further one is sent."""

_under_way = threading.BoundedSemaphore(MOST_LATE)


def _send(request: urllib.request.Request, seconds: float) -> None:
    """Send a request and wait for the response, at most ``seconds`` in all, or raise TimeoutError.

    The time-out of a connection applies to each step: name resolution has none, and a server that
    sends a byte now and then never exceeds it. Therefore the request has a thread of its own.
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
    """Sends one request. After :meth:`give_up` it is not sent: it was reported as failed."""

    def __init__(self, request: urllib.request.Request, seconds: float) -> None:
        super().__init__(name="post", daemon=True)
        self._request = request
        self._seconds = seconds
        self._given_up = False
        self._connection: http.client.HTTPConnection | None = None
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            opener = urllib.request.build_opener(_NoRedirect, _ObservedHandler(self._made))
            opener.open(self._request, timeout=self._seconds).close()
        except Exception as error:  # noqa: BLE001, raised by the waiting thread
            self.error = error
        finally:
            _under_way.release()

    def give_up(self) -> None:
        """Send nothing more and disconnect: a server could respond for ever."""
        self._given_up = True
        line = self._connection and self._connection.sock
        if line:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def _made(self, connection: http.client.HTTPConnection) -> None:
        """Remember a connection before it is opened, and check when it is."""
        self._connection, connect = connection, connection.connect

        def connect_in_time() -> None:
            connect()
            if self._given_up:
                raise TimeoutError

        connection.connect = connect_in_time  # type: ignore[method-assign]


@cache
def _certificates() -> ssl.SSLContext:
    """Return the trusted certificates, which take some time to load."""
    return ssl.create_default_context()


class _ObservedHandler(urllib.request.HTTPSHandler, urllib.request.HTTPHandler):
    """Opens connections and calls a function with each before it is used."""

    def __init__(self, made: Callable[[http.client.HTTPConnection], None]) -> None:
        super().__init__(context=_certificates())
        self._made = made

    def do_open(self, http_class: Any, req: urllib.request.Request, **given: Any) -> Any:
        def make(*arguments: Any, **named: Any) -> http.client.HTTPConnection:
            connection: http.client.HTTPConnection = http_class(*arguments, **named)
            self._made(connection)
            return connection

        return super().do_open(make, req, **given)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirection."""

    def redirect_request(self, *_: Any) -> None:
        """Return None: do not follow."""


_RESERVED_HEADERS = ("connection", "content-length", "transfer-encoding")
"""Headers that describe how the event is sent; a wrong one would break the request."""


@ACTIONS.register
@dataclass(frozen=True)
class _PostAction(ActionKind):
    """Send the event, or a body, with HTTP POST.

    Redirections are not followed: the result would be a GET without the event, and the headers,
    which may contain a password, would be sent to another server.
    """

    name: ClassVar[str] = "post"
    address: str
    headers: Mapping[str, str]
    seconds: float
    body: str = ""
    """Sent in place of the event."""

    @classmethod
    def read(cls, table: Table, labels: Sequence[str], seconds: float) -> Self:
        del labels
        address, headers = table.text("post"), table.names("headers")
        if problem := _problem(address):
            table.problem("post", f"post is {problem}; expected http://host/path")
        body = table.text("body")
        for key, text in (("post", address), ("body", body)):
            table.check_placeholders(key, text)
        for name, value in headers.items():
            if not name.isascii() or not name.replace("-", "").isalnum() or not _plain(value):
                table.problem("headers", f"{name!r} is not a valid header")
            elif name.lower() in _RESERVED_HEADERS:
                table.problem("headers", f"{name!r} is set by handlore; remove it")
        return cls(address, headers, seconds, body)

    def describe(self, event: Event) -> str:
        what = f"{fill_json(self.body, event)} " if self.body else ""
        return f"post {what}to {self._filled(event)}"

    def perform(self, event: Event) -> None:
        headers = {"Content-Type": "application/json", "User-Agent": "handlore", **self.headers}
        request = urllib.request.Request(  # noqa: S310, the scheme is checked when it is read
            self._filled(event),
            (fill_json(self.body, event) or event.line()).encode(),
            headers,
            method="POST",
        )
        try:
            _send(request, self.seconds)
        except urllib.error.HTTPError as error:
            error.close()
            raise ActionError(f"{self.address} answered {_status(error)}") from None
        except TimeoutError:
            raise ActionError(f"no response within {self.seconds:g} s") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            raise ActionError(f"{self.address} cannot be reached: {reason}") from None

    def _filled(self, event: Event) -> str:
        """Replace placeholders; a label cannot change the path or the host."""
        values = {name: quote(text, safe="") for name, text in as_text(event).items()}
        return fill(self.address, values)


def _status(answer: urllib.error.HTTPError) -> str:
    status = f"{answer.code} {answer.reason}"
    where = answer.headers.get("Location") if 300 <= answer.code < 400 else None
    return f"{status}: it has moved to {where}; use that address" if where else status


def _problem(address: str) -> str | None:
    """Return what is wrong with an address, without a password in it."""
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:  # its text may repeat a part of a password
        return "not an address"
    if parts.scheme not in ("http", "https"):
        shown = "an address" if "@" in address else repr(address)
        return f"{shown}, which does not start with http:// or https://"
    if parts.username is not None:
        return (
            "an address with a user name or password, which are not sent; use the header"
            " Authorization"
        )
    if not parts.hostname:
        return f"{address!r}, which names no host"
    if PLACEHOLDER.search(parts.netloc):
        return f"{address!r}, whose host has a placeholder"
    if not _plain(address) or " " in address:
        return f"{address!r}, which has characters that must be percent-encoded"
    return None


def _plain(text: str) -> bool:
    return text.isascii() and text.isprintable()
