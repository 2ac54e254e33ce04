"""Addresses of other machines: read once, and shown without what must stay secret."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from handlore.landmarks.errors import HandloreError

# A `pathlib.Path` that was made of an address has one slash left of two.
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/{1,2}(?=[^/])")


_BARE = re.compile(r"[\w-]+(\.[\w-]+)+(:\d+)?|[\w-]+:\d+")
"""A host without a scheme: nothing in it is secret."""


def scheme_of(text: str) -> str:
    """Return the scheme of an address, in lower case; empty if the text is none.

    >>> scheme_of("rtsp://camera/1"), scheme_of("/dev/video0"), scheme_of("C:/clip.mp4")
    ('rtsp', '', '')
    """
    found = _ADDRESS.match(text)
    return found[1].lower() if found else ""


@dataclass(frozen=True)
class RemoteAddress:
    """Where something is on the network: ``scheme://user:password@host:port/path``.

    User, password, path and query are in no message: keys of cameras and brokers are in each of
    them.
    """

    scheme: str
    host: str
    port: int
    """0 where none is given and the scheme has no usual one."""
    text: str = field(repr=False)
    """All of it, for whoever opens the connection."""
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    path: str = field(default="", repr=False)
    """Path and query, without the first slash."""

    @classmethod
    def parsed(cls, what: str, text: str, ports: Mapping[str, int]) -> "RemoteAddress":
        """Read an address, or raise HandloreError, which does not repeat it.

        Parameters
        ----------
        what
            What it is the address of, for the message, such as ``--camera``.
        text
            The address.
        ports
            The schemes that are possible, each with its usual port, or 0.
        """
        scheme = scheme_of(text)
        if scheme not in ports:
            known = " or ".join(f"{one}://HOST" for one in ports)
            begins = f"begins with {scheme}://" if scheme else "is no address"
            bare = text if _BARE.fullmatch(text) else "HOST"
            raise HandloreError(f"{what} {begins}; expected {known}".replace("HOST", bare))
        text = _ADDRESS.sub(rf"{scheme}://", text, count=1)
        parts = _split(what, text)
        return cls(
            scheme,
            parts.hostname or "",
            parts.port or ports[scheme],
            text,
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            parts.path.removeprefix("/") + (f"?{parts.query}" if parts.query else ""),
        )

    @property
    def shown(self) -> str:
        """The address as it may be shown and recorded: scheme, host and port."""
        return f"{self.scheme}://{self.host_and_port}"

    @property
    def host_and_port(self) -> str:
        """``host:port``, or the host alone if there is no port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else host


def _split(what: str, text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise HandloreError(f"{what} {_MALFORMED}") from error
    # A # or / in a password ends the name of the host, and the rest of the password is the port.
    cut_off = "@" not in parts.netloc and ":" in parts.netloc and "@" in text
    if cut_off or "#" in text or " " in text or not text.isprintable():
        raise HandloreError(f"{what} {_MALFORMED}")
    if not parts.hostname:
        raise HandloreError(f"{what} names no host; expected {parts.scheme}://HOST")
    if not _has_valid_port(parts):
        raise HandloreError(f"{what} is no valid address: the port is not 1 to 65535")
    return parts


def _has_valid_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


_MALFORMED = (
    "is no valid address; expected scheme://user:password@host:port/path, with special characters"
    " of the user name and password as %40 (@), %23 (#), %2F (/), %3A (:)"
)
