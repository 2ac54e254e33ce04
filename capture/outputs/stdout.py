"""``--landmarks``: lines of JSON on stdout."""

import errno
import os
import select
import sys
from contextlib import suppress
from math import inf

from handlore.landmarks.files import STDOUT, naming_stdout
from handlore.models.stream.events import Event, Pace

from ..live.loop import LiveState
from ..views.live import Printer
from .base import SEND_SECONDS, EventMessage, LandmarkMessage, Message, Output, OutputError
from .sender import Sender


class LandmarkPrinter(Printer):
    """Writes landmarks and events to stdout as lines of JSON, and messages to stderr.

    A camera does not wait for the reader: while nothing is read, lines are dropped. ``every`` is
    for files: every frame is written, and a slow reader slows the file down. When nobody reads any
    more, BrokenPipeError is raised.
    """

    def __init__(self, *, every: bool = False, max_fps: float = inf) -> None:
        super().__init__(as_json=True)
        self._output = _StandardOutput()
        self._pace = Pace(-inf, 1 / max_fps)
        self._sender = None if every else Sender(self._output, self.say, max_fps)

    def show(self, state: LiveState) -> None:
        """Write the hands of a frame."""
        self._require_reader()
        if self._sender is not None:
            self._sender.show(state)
        elif self._pace.due(state.seconds) and (frame := LandmarkMessage.of(state)):
            self._output.write(frame)

    def on_event(self, event: Event) -> None:
        """Write an event."""
        self._require_reader()
        if self._sender is not None:
            self._sender.on_event(event)
        else:
            self._output.write(EventMessage(event))

    def close(self) -> None:
        """Write what is left, for a moment."""
        if self._sender is not None:
            self._sender.close()
        self._require_reader()

    def _require_reader(self) -> None:
        if self._output.broken:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE), STDOUT)


class _StandardOutput(Output):
    """Stdout, past Python's buffer: a thread that hangs in it would hinder the end."""

    shown = "stdout"

    def __init__(self) -> None:
        self.broken = False
        self._stream = sys.stdout
        self._descriptor: int | None = None
        # None where it is closed; a test's stream has no descriptor.
        with suppress(AttributeError, OSError, ValueError):
            self._stream.flush()
            self._descriptor = self._stream.fileno()

    def send(self, message: Message) -> None:
        """Write a line as soon as there is room, or raise OutputError if there is none."""
        # On Windows only sockets can be waited for.
        if self._descriptor is not None and os.name == "posix":
            _, free, _ = select.select([], [self._descriptor], [], SEND_SECONDS)
            if not free:
                raise OutputError("nobody reads it")
        try:
            self.write(message)
        except BrokenPipeError:
            self.broken = True
        except OSError as error:
            raise OutputError(error.strerror or str(error)) from error

    def write(self, message: Message) -> None:
        """Write a line, however long it takes."""
        with naming_stdout():
            if self._descriptor is None:
                if self._stream is not None:
                    self._stream.write(f"{message.line}\n")
                return
            data = f"{message.line}\n".encode()
            while data:
                data = data[os.write(self._descriptor, data) :]
