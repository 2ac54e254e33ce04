"""``post``: the event as JSON to a web address."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self
from urllib.parse import quote, urlsplit

from handlore.classifiers.stream.events import Event

from .event import PLACEHOLDER, as_text, filled
from .kinds import ActionError, register
from .sending import send
from .table import Table
from .templates import check_placeholders

OF_ITS_OWN = ("connection", "content-length", "transfer-encoding")
"""Headers that, written by hand, would cut what is sent, or keep it from being understood."""


@register
@dataclass(frozen=True)
class Post:
    """Send the event with HTTP POST.

    A redirection is not followed: what comes of it is a GET that posts nothing, and the headers,
    a password among them, would go to whoever it names.
    """

    key: ClassVar[str] = "post"
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

    def missing(self) -> str | None:
        """Nothing is needed."""
        return None

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

    def cancel(self) -> None:
        """Do nothing: it ends by its time-out, and nobody waits for it."""


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
