"""Access control of the page: open on this computer, elsewhere with a token."""

import hmac
import ipaddress
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs

from handlore.landmarks.errors import HandloreError, OptionError, counted

_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
_SHORTEST_TOKEN = 8
_LARGEST_PORT = 65535


def read_token(file: Path) -> str:
    """Read a token from the first line of a file, or raise HandloreError."""
    if not file.is_file():
        raise HandloreError(f"--token-file {file} is not a file; write the token into one")
    try:
        with file.open("rb") as stream:
            return stream.readline(1024).decode("ascii").strip()
    except OSError as error:
        raise HandloreError(f"cannot read {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise HandloreError(
            f"{file} holds no token; it may contain only letters, digits, - and _"
        ) from error


@dataclass(frozen=True)
class Address:
    """The address of the page."""

    host: str
    port: int

    @classmethod
    def parsed(cls, text: str) -> "Address":
        """Read ``host:port``, ``[::1]:port`` or a port alone, or raise HandloreError."""
        host, _, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]") or "127.0.0.1"
        if not port.isascii() or not port.isdigit():
            raise OptionError(
                f"--serve is {text!r}, expected a port or host:port such as 127.0.0.1:8000"
            )
        # As a float: int refuses thousands of digits.
        if float(port) > _LARGEST_PORT:
            raise OptionError(
                f"--serve is {text!r}; a port is at most {_LARGEST_PORT}, such as 127.0.0.1:8000"
            )
        return cls(host, int(port))

    @property
    def local(self) -> bool:
        """Whether it can be reached from this computer only."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def url(self, token: str = "") -> str:
        """Return the address to open in a browser."""
        host = socket.gethostname() if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.port}/" + (f"?token={token}" if token else "")


@dataclass(frozen=True)
class Guard:
    """Decides which requests are allowed."""

    address: Address
    token: str = ""
    """Empty: none is required."""
    names: frozenset[str] = field(default_factory=frozenset)
    """Further host names that a request may use."""

    @classmethod
    def of(cls, address: Address, token: str | None = None) -> "Guard":
        """Make the guard of an address; a token is generated unless it is on this computer only.

        HandloreError is raised if the token is too short, or has characters that a URL cannot
        contain.
        """
        if token is not None:
            if len(token) < _SHORTEST_TOKEN:
                length = counted(len(token), "character")
                raise OptionError(f"--token has {length}, expected at least {_SHORTEST_TOKEN}")
            if not token.isascii() or not token.replace("-", "").replace("_", "").isalnum():
                raise OptionError("--token may contain only letters, digits, - and _")
        elif not address.local:
            token = secrets.token_urlsafe(18)
        own = socket.gethostname().lower()
        return cls(address, token or "", frozenset({own, f"{own}.local", address.host.lower()}))

    def knows(self, host: str | None) -> bool:
        """Return whether a ``Host`` header names this computer.

        Another site can make its own name resolve to this computer (DNS rebinding), and requests
        would then use that name; an IP address cannot be rebound.
        """
        if not host:
            return False
        name = _host_name(host)
        if name in _LOCAL_NAMES:
            return True
        if self.address.local:
            return name == self.address.host  # such as 127.0.0.2
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name in self.names
        return True

    @property
    def cookie(self) -> str:
        """Name of the cookie, with the port: browsers share cookies between ports."""
        return f"handlore-{self.address.port}"

    def admits(self, query: str, headers: Mapping[str, str]) -> bool:
        """Return whether a request has the token, in its query or in a cookie."""
        expected = self.token.encode()
        # In constant time, so that the duration does not reveal how much of a guess is right.
        given = self.given(query, headers)
        return not expected or any(
            hmac.compare_digest(one.encode("utf-8", "replace"), expected) for one in given
        )

    def given(self, query: str, headers: Mapping[str, str]) -> list[str]:
        """Return the tokens that a request presents."""
        return [*parse_qs(query).get("token", []), *self._cookies(headers.get("Cookie", ""))]

    def _cookies(self, header: str) -> list[str]:
        try:
            cookie = SimpleCookie(header).get(self.cookie)
        except CookieError:
            return []
        return [cookie.value] if cookie else []


def _host_name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.rpartition(":")[0].lower() if ":" in host else host.lower()


MOST_GUESSES = 10
"""Different wrong tokens of one client in :data:`GUESS_SECONDS`; more are answered slowly."""

_MOST_GUESSES_OF_ALL = 100
GUESS_SECONDS = 60.0
SLOW_SECONDS = 0.5
"""How long the answer to a wrong token takes then. Connections are few, so this limits all
guesses: to 48 a second with 24 connections."""


class GuessBrake:
    """Counts wrong tokens, so that nobody can try many.

    The right token is never delayed or refused: else anyone could shut its owner out. A page that
    stays open after a restart repeats the same wrong token, which is one guess.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._guesses: dict[tuple[str, str], float] = {}
        self._changing = threading.Lock()

    def slows(self, client: str) -> bool:
        """Return whether a client, or all together, have guessed too often."""
        with self._changing:
            self._forget()
            own = sum(one == client for one, _ in self._guesses)
            return own >= MOST_GUESSES or len(self._guesses) >= _MOST_GUESSES_OF_ALL

    def note(self, client: str, tokens: Sequence[str]) -> None:
        """Note wrong tokens of a client."""
        now = self._clock()
        with self._changing:
            for token in tokens:
                if len(self._guesses) < _MOST_GUESSES_OF_ALL:
                    self._guesses[client, token[:64]] = now

    def _forget(self) -> None:
        oldest = self._clock() - GUESS_SECONDS
        for guess in [guess for guess, when in self._guesses.items() if when < oldest]:
            del self._guesses[guess]
