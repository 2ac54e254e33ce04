"""Who may see the page: everybody on this computer, elsewhere those who have the token."""

import hmac
import ipaddress
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from handlore.landmarks.errors import HandloreError

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
SHORTEST_TOKEN = 8


@dataclass(frozen=True)
class Address:
    """Where the page is served."""

    host: str
    port: int

    @classmethod
    def parsed(cls, text: str) -> "Address":
        """Read ``host:port``, ``[::1]:port`` or a port alone.

        Raises
        ------
        HandloreError
            If it is none of these.
        """
        host, _, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]") or "127.0.0.1"
        if not port.isascii() or not port.isdigit() or int(port) > 65535:
            raise HandloreError(
                f"{text!r} is no address to serve a page at; expected host:port, such as"
                " 127.0.0.1:8000"
            )
        return cls(host, int(port))

    @property
    def local(self) -> bool:
        """Whether only this computer can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def url(self, token: str = "") -> str:
        """Return what to type into a browser."""
        host = socket.gethostname() if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.port}/" + (f"?token={token}" if token else "")


@dataclass(frozen=True)
class Guard:
    """Decides who may see the page."""

    address: Address
    token: str = ""
    """Empty: none is asked for."""

    names: frozenset[str] = field(default_factory=frozenset)
    """Further names of this computer that may stand in the address line."""

    @classmethod
    def of(cls, address: Address, token: str | None = None) -> "Guard":
        """Make the guard of an address; beyond this computer a token is made if none is given.

        Raises
        ------
        HandloreError
            If the token is short, or cannot stand in an address.
        """
        if token is not None:
            if len(token) < SHORTEST_TOKEN:
                raise HandloreError(f"the token has {len(token)} signs; expected at least 8")
            if not token.isascii() or not token.replace("-", "").replace("_", "").isalnum():
                raise HandloreError("the token may have letters, digits, - and _ only")
        elif not address.local:
            token = secrets.token_urlsafe(18)
        own = socket.gethostname().lower()
        return cls(address, token or "", frozenset({own, f"{own}.local", address.host.lower()}))

    def knows(self, host: str | None) -> bool:
        """Say whether a ``Host`` header names this computer.

        A page elsewhere can let its own name lead here (DNS rebinding), and would then be asked
        for by that name; an address of digits cannot be rebound.
        """
        if not host:
            return False
        name = _host_name(host)
        if name in LOCAL_NAMES:
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
        """The name of the cookie; browsers do not tell ports apart, two pages of ours must."""
        return f"handlore-{self.address.port}"

    def admits(self, query: str, headers: Mapping[str, str]) -> bool:
        """Say whether a request brings the token, in its address or in a cookie."""
        if not self.token:
            return True
        given = [*parse_qs(query).get("token", []), *self._cookies(headers.get("Cookie", ""))]
        right = self.token.encode()
        # A comparison takes the same time, however much of a guess is right.
        return any(hmac.compare_digest(one.encode(), right) for one in given)

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
