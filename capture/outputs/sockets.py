"""``tcp://HOST:PORT`` and ``udp://HOST:PORT``: lines of JSON, and one in each datagram."""

import socket
from abc import abstractmethod
from collections.abc import Iterable
from typing import ClassVar, Self

from ..addresses import RemoteAddress
from .base import OPEN_SECONDS, OUTPUTS, SEND_SECONDS, Message, OutputError, OutputKind

SEND_BUFFER = 1 << 16
"""Bytes that may wait for a slow receiver: half a second of landmarks. The system would let
megabytes wait, which are minutes."""


class _SocketOutput(OutputKind):
    """What TCP and datagrams share: an address, and a socket once it is open."""

    takes_user: ClassVar[bool] = False

    def __init__(self, address: RemoteAddress) -> None:
        self.shown = address.shown
        self._address = address
        self._socket: socket.socket | None = None

    @classmethod
    def of(cls, address: RemoteAddress) -> Self:
        """Make the output of an address."""
        return cls(address)

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()


@OUTPUTS.register
class _Tcp(_SocketOutput):
    """Lines of JSON; a receiver that takes none for a second is disconnected.

    After half a line the rest would be read as another one, so a new connection is made.
    """

    name: ClassVar[str] = "tcp"

    def open(self) -> None:
        try:
            self._socket = socket.create_connection(
                (self._address.host, self._address.port), OPEN_SECONDS
            )
            self._socket.settimeout(SEND_SECONDS)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except (OSError, UnicodeError) as error:
            raise OutputError(_reason(error)) from error

    def send(self, message: Message) -> None:
        if self._socket is None:
            return
        try:
            self._socket.sendall(f"{message.line}\n".encode())
        except OSError as error:
            raise OutputError(_reason(error)) from error


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it takes no data"
    return getattr(error, "strerror", None) or str(error)


class Datagrams(_SocketOutput):
    """Sends datagrams and never learns whether anybody gets them."""

    _to: tuple[object, ...] = ()

    @abstractmethod
    def datagrams(self, message: Message) -> Iterable[bytes]:
        """Return what is sent for a message."""

    def open(self) -> None:
        """Find the address of the host; one that ends with .255 is sent to a whole network."""
        try:
            family, kind, _, _, self._to = socket.getaddrinfo(
                self._address.host, self._address.port, type=socket.SOCK_DGRAM
            )[0]
        except (OSError, UnicodeError) as error:
            raise OutputError(f"{getattr(error, 'strerror', None) or error}") from error
        self._socket = socket.socket(family, kind)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        # A full send buffer costs a datagram, not time.
        self._socket.setblocking(False)

    def send(self, message: Message) -> None:
        """Send the datagrams of a message."""
        if self._socket is None:
            return
        try:
            for datagram in self.datagrams(message):
                self._socket.sendto(datagram, self._to)
        except BlockingIOError:
            return
        except OSError as error:
            raise OutputError(error.strerror or str(error)) from error


@OUTPUTS.register
class _Udp(Datagrams):
    """A line of JSON in each datagram."""

    name: ClassVar[str] = "udp"

    def datagrams(self, message: Message) -> Iterable[bytes]:
        """Return the line."""
        return [f"{message.line}\n".encode()]
