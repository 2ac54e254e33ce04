"""Access control of the page: open on this computer, elsewhere with a token."""

import hmac
import ipaddress
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from handlore.landmarks.errors import HandloreError

_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
_SHORTEST_TOKEN = 8


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
        if not port.isascii() or not port.isdigit() or int(port) > 65535:
            raise HandloreError(f"--serve is {text!r}, expected host:port such as 127.0.0.1:8000")
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
                raise HandloreError(
                    f"--token has {len(token)} characters, expected at least {_SHORTEST_TOKEN}"
                )
            if not token.isascii() or not token.replace("-", "").replace("_", "").isalnum():
                raise HandloreError("--token may contain only letters, digits, - and _")
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
        if not self.token:
            return True
        given = [*parse_qs(query).get("token", []), *self._cookies(headers.get("Cookie", ""))]
        expected = self.token.encode()
        # In constant time, so that the duration does not reveal how much of a guess is right.
        return any(hmac.compare_digest(one.encode(), expected) for one in given)

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
