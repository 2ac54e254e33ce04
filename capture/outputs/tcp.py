"""``tcp://HOST:PORT``: lines of JSON over a connection to a receiver that listens."""

import socket
from typing import ClassVar, Self

from ..addresses import RemoteAddress
from .base import OPEN_SECONDS, OUTPUTS, SEND_SECONDS, Message, OutputError, OutputKind

SEND_BUFFER = 1 << 16
"""Bytes that may wait for a slow receiver: half a second of landmarks. The system would let
megabytes wait, which are minutes."""


@OUTPUTS.register
class _Tcp(OutputKind):
    """Lines of JSON; a receiver that takes none for a second is disconnected."""

    name: ClassVar[str] = "tcp"
    takes_user: ClassVar[bool] = False

    def __init__(self, address: RemoteAddress) -> None:
        self.shown = address.shown
        self._address = address
        self._socket: socket.socket | None = None

    @classmethod
    def of(cls, address: RemoteAddress) -> Self:
        return cls(address)

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

    def close(self) -> None:
        # After half a line the rest would be read as another one: a new connection is made.
        if self._socket is not None:
            self._socket.close()


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it takes no data"
    return getattr(error, "strerror", None) or str(error)
