"""``udp://HOST:PORT``: a line of JSON in each datagram."""

import socket
from abc import abstractmethod
from collections.abc import Iterable
from typing import ClassVar, Self

from ..addresses import RemoteAddress
from .base import OUTPUTS, Message, OutputError, OutputKind


class Datagrams(OutputKind):
    """Sends datagrams and never learns whether anybody gets them."""

    takes_user: ClassVar[bool] = False

    def __init__(self, address: RemoteAddress) -> None:
        self.shown = address.shown
        self._address = address
        self._socket: socket.socket | None = None
        self._to: tuple[object, ...] = ()

    @classmethod
    def of(cls, address: RemoteAddress) -> Self:
        """Make the output of an address."""
        return cls(address)

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

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()


@OUTPUTS.register
class _Udp(Datagrams):
    """A line of JSON in each datagram."""

    name: ClassVar[str] = "udp"

    def datagrams(self, message: Message) -> Iterable[bytes]:
        """Return the line."""
        return [f"{message.line}\n".encode()]
