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

from .base import ACTIONS, PLACEHOLDER, ActionError, ActionKind, as_text, check_placeholders, filled
from .toml_table import Table

# Sending a request to a web address, and giving it up for good when its time is over.


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


OF_ITS_OWN = ("connection", "content-length", "transfer-encoding")
"""Headers that, written by hand, would cut what is sent, or keep it from being understood."""


@ACTIONS.register
@dataclass(frozen=True)
class PostAction(ActionKind):
    """Send the event with HTTP POST.

    A redirection is not followed: what comes of it is a GET that posts nothing, and the headers,
    a password among them, would go to whoever it names.
    """

    name: ClassVar[str] = "post"
    address: str
    headers: Mapping[str, str]
    seconds: float

    @classmethod
    def read(cls, table: Table, labels: Sequence[str], seconds: float) -> Self:
        """Take its keys from the file."""
        del labels
        address, headers = table.text("post"), table.names("headers")
        if problem := _problem(address):
            table.problem("post", f"post is {problem}; expected http://host/path")
        check_placeholders(table, "post", address)
        for name, value in headers.items():
            if not name.isascii() or not name.replace("-", "").isalnum() or not _plain(value):
                table.problem("headers", f"{name!r} is not a header that can be sent")
            elif name.lower() in OF_ITS_OWN:
                table.problem("headers", f"{name!r} says how the event is sent; leave it out")
        return cls(address, headers, seconds)

    def said(self, event: Event) -> str:
        """Return the address."""
        return f"post to {self._filled(event)}"

    def perform(self, event: Event) -> None:
        """Send it; an answer of 200 to 299 is success."""
        headers = {"Content-Type": "application/json", "User-Agent": "handlore", **self.headers}
        request = urllib.request.Request(  # noqa: S310, the scheme is checked when it is read
            self._filled(event), event.line().encode(), headers, method="POST"
        )
        try:
            send(request, self.seconds)
        except urllib.error.HTTPError as error:
            error.close()
            raise ActionError(f"{self.address} answered {_told(error)}") from None
        except TimeoutError:
            raise ActionError(f"no answer within {self.seconds:g} s") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            raise ActionError(f"{self.address} cannot be reached: {reason}") from None

    def _filled(self, event: Event) -> str:
        """Put in what stands in braces; a label cannot become another path or host."""
        values = {name: quote(text, safe="") for name, text in as_text(event).items()}
        return filled(self.address, values)


def _told(answer: urllib.error.HTTPError) -> str:
    said = f"{answer.code} {answer.reason}"
    where = answer.headers.get("Location") if 300 <= answer.code < 400 else None
    return f"{said}: it has moved to {where}; write that in the actions file" if where else said


def _problem(address: str) -> str | None:
    """Say what is wrong with an address, without the password that may be in it."""
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError as error:
        return f"not an address ({error})"
    if parts.scheme not in ("http", "https"):
        return f"{address!r}, which does not begin with http:// or https://"
    if parts.username is not None:
        return (
            "an address with a name or password, which is not sent; put them into headers as"
            " Authorization"
        )
    if not parts.hostname:
        return f"{address!r}, which names no host"
    if PLACEHOLDER.search(parts.netloc):
        return f"{address!r}, whose host has a name in braces"
    if not _plain(address) or " " in address:
        return f"{address!r}, which has characters that must be written as %.."
    return None


def _plain(text: str) -> bool:
    return text.isascii() and text.isprintable()
