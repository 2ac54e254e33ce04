"""``post``: the event as JSON to a web address."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self
from urllib.parse import urlsplit

from handlore.classifiers.stream.events import Event

from .kinds import ActionError, register
from .table import Table


@register
@dataclass(frozen=True)
class Post:
    """Send the event with HTTP POST."""

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
            table.problem("post", f"post is {address!r}: {problem}; expected http://host/path")
        for name, value in headers.items():
            if not name.isascii() or not name.replace("-", "").isalnum() or not _plain(value):
                table.problem("headers", f"{name!r} is not a header that can be sent")
        return cls(address, headers, seconds)

    def missing(self) -> str | None:
        """Nothing is needed."""
        return None

    def said(self, event: Event) -> str:
        """Return the address."""
        del event
        return f"post to {self.address}"

    def perform(self, event: Event) -> None:
        """Send it; an answer of 200 to 299 is success."""
        headers = {"Content-Type": "application/json", "User-Agent": "handlore", **self.headers}
        request = urllib.request.Request(  # noqa: S310, the scheme is checked when it is read
            self.address, event.line().encode(), headers, method="POST"
        )
        try:
            urllib.request.urlopen(request, timeout=self.seconds).close()  # noqa: S310, as above
        except urllib.error.HTTPError as error:
            error.close()
            raise ActionError(f"{self.address} answered {error.code} {error.reason}") from None
        except TimeoutError:
            raise ActionError(f"no answer within {self.seconds:g} s") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            raise ActionError(f"{self.address} cannot be reached: {reason}") from None

    def cancel(self) -> None:
        """Do nothing: it ends by its time-out, and nobody waits for it."""


def _problem(address: str) -> str | None:
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError as error:
        return str(error)
    if parts.scheme not in ("http", "https"):
        return "it does not begin with http:// or https://"
    if not parts.hostname:
        return "it names no host"
    if not _plain(address) or " " in address:
        return "it has characters that must be written as %.."
    return None


def _plain(text: str) -> bool:
    return text.isascii() and text.isprintable()
