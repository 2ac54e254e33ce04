"""What every kind of output offers: a receiver that is opened, gets messages, and may vanish."""

from typing import ClassVar, Protocol, Self

from handlore.landmarks.errors import HandloreError
from handlore.landmarks.registry import Registry

from ..addresses import RemoteAddress
from .messages import Message

OPEN_SECONDS = 2.0
"""How long opening a connection may take."""
SEND_SECONDS = 1.0
"""How long a receiver may take for a message; then it counts as lost."""


class OutputError(Exception):
    """A receiver is lost; the message says why, in a few words."""


class Output(Protocol):
    """A receiver of landmarks and events, used by one thread."""

    shown: str
    """Its address for people, without a password."""
    takes_frames: bool = True
    """Whether it is sent landmarks too, not events alone."""

    def open(self) -> None:
        """Connect within :data:`OPEN_SECONDS`, or raise :class:`OutputError`."""
        return

    def check(self) -> None:
        """Raise :class:`OutputError` if it is lost; called every second while nothing is sent."""
        return

    def send(self, message: Message) -> None:
        """Send a message within :data:`SEND_SECONDS`, or raise :class:`OutputError`."""
        ...

    def close(self) -> None:
        """Disconnect. It may be opened again."""
        return


class OutputKind(Output, Protocol):
    """A kind of output that ``--send`` can name: the base class of all of them.

    ``@OUTPUTS.register`` adds it to :data:`OUTPUTS`; its ``name`` is the scheme of its addresses.
    """

    name: ClassVar[str]
    """The scheme of its addresses, such as ``udp``."""
    port: ClassVar[int] = 0
    """Its usual port; 0: the address must name one."""
    takes_user: ClassVar[bool] = True
    """Whether its addresses can name a user and a password."""

    @classmethod
    def of(cls, address: RemoteAddress) -> Self:
        """Make the output of an address, or raise HandloreError if something is wrong with it."""
        ...


OUTPUTS: Registry[type[OutputKind]] = Registry("output", "handlore.capture.outputs")
"""All kinds of output, those of other packages too (entry points ``handlore.outputs``)."""


def make_output(text: str) -> Output:
    """Return the output of an address such as ``udp://127.0.0.1:5005``; opens nothing."""
    kinds = OUTPUTS.entries()
    address = RemoteAddress.parsed("--send", text, {name: kinds[name].port for name in kinds})
    if not address.port:
        raise HandloreError(f"--send {address.shown} names no port; expected HOST:PORT")
    kind = kinds[address.scheme]
    if not kind.takes_user and (address.user or address.password):
        raise HandloreError(
            f"--send {address.shown}: {address.scheme} knows no user name and password; leave out"
            " what is before the @"
        )
    return kind.of(address)
