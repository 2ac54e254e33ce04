"""Stepping through recordings: what a key does, and nothing else.

The state is a value: a key gives the next state, and perhaps a change that has to be made on the
disk. The loop around it (:mod:`.views.review`) makes the change, and tells how it went.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from handlore.datasets.dataset import NONE_LABEL
from handlore.datasets.recordings import RecordingEntry
from handlore.landmarks.errors import HandloreError

from .recording.labels import checked_label, same_label

HELP = (
    ("n, p", "next recording, the one before"),
    ("r, space", "play again"),
    ("u", "discard"),
    ("k", "bring a discarded one back"),
    ("1-9, 0", "give it another label; 0 is none"),
    ("+", "give it a new label"),
    ("h", "this help"),
    ("q, Esc", "end"),
)
"""What the keys do, for people; they mean what they mean in a session."""

PAUSE = 0.7
"""Seconds between two times that a recording is played."""


@dataclass(frozen=True)
class Change:
    """What has to be done on the disk."""

    what: Literal["discard", "restore", "relabel"]
    path: Path
    label: str = ""


@dataclass(frozen=True)
class Review:
    """Where a person is in a folder of recordings."""

    entries: tuple[RecordingEntry, ...]
    """Kept and discarded ones, by number; at least one."""

    at: int = 0
    """Which of them is shown."""

    since: float = 0.0
    """When it began to be played."""

    typed: str | None = None
    """The new label as far as it is typed; None when none is being typed."""

    message: str = ""
    help: bool = False
    ended: bool = False

    @classmethod
    def of(cls, entries: Sequence[RecordingEntry], now: float) -> "Review":
        """Begin with the first recording.

        Raises
        ------
        HandloreError
            If there is none.
        """
        if not entries:
            raise HandloreError("there are no recordings to review")
        return cls(_sorted(entries), since=now)

    @property
    def entry(self) -> RecordingEntry:
        """The recording that is shown."""
        return self.entries[self.at]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels in the order of their keys, 1 to 9 and then without; ``none`` is the last."""
        known = {entry.label for entry in self.entries} - {NONE_LABEL}
        return (*sorted(known), NONE_LABEL)

    def seconds(self, now: float) -> float:
        """Return which moment of the recording is to be seen; it is played again and again."""
        return min((now - self.since) % (self.entry.seconds + PAUSE), self.entry.seconds)

    def key(self, key: str, now: float) -> tuple["Review", Change | None]:
        """Return the state after a key, and what it wants done."""
        if self.typed is not None:
            return self._type(key, self.typed)
        match replace(self, message="", help=False), key.lower() if len(key) == 1 else key:
            case state, "n" | "p":
                return state._step(1 if key == "n" else -1, now), None
            case state, "r" | " ":
                return replace(state, since=now), None
            case state, "u":
                return state._discard()
            case state, "k":
                return state._restore()
            case state, "+":
                return replace(state, typed=""), None
            case state, "h":
                return replace(state, help=not self.help), None
            case state, "q" | "esc" | "close":
                return replace(state, ended=True), None
            case state, _ if key.isdecimal() and key.isascii():
                return state._label_of(int(key))
        return self, None

    def changed(self, entries: Sequence[RecordingEntry], path: Path) -> "Review":
        """Return the state after a change was made: the same recording is shown, where it is now.

        Parameters
        ----------
        entries
            What is in the folder now.
        path
            Where the recording is that was changed.
        """
        if not entries:
            return replace(self, ended=True)
        entries = _sorted(entries)
        at = next((k for k, entry in enumerate(entries) if entry.path == path), self.at)
        return replace(self, entries=entries, at=min(at, len(entries) - 1))

    def _step(self, by: int, now: float) -> "Review":
        at = self.at + by
        if not 0 <= at < len(self.entries):
            return replace(self, message="this is the last one" if by > 0 else "this is the first")
        return replace(self, at=at, since=now)

    def _discard(self) -> tuple["Review", Change | None]:
        if self.entry.discarded:
            return replace(self, message="it is discarded already; k brings it back"), None
        return self, Change("discard", self.entry.path)

    def _restore(self) -> tuple["Review", Change | None]:
        if not self.entry.discarded:
            return self, None
        return self, Change("restore", self.entry.path)

    def _label_of(self, digit: int) -> tuple["Review", Change | None]:
        *others, none = self.labels
        if digit > min(len(others), 9):
            return replace(self, message=f"no label has the key {digit}"), None
        return self._relabel(others[digit - 1] if digit else none)

    def _relabel(self, label: str) -> tuple["Review", Change | None]:
        label = same_label(label, self.labels) or label
        if label == self.entry.label:
            return replace(self, message=f"it is {label} already"), None
        if self.entry.discarded:
            return replace(self, message="it is discarded; bring it back with k first"), None
        return self, Change("relabel", self.entry.path, label)

    def _type(self, key: str, typed: str) -> tuple["Review", Change | None]:
        if key == "close":
            return replace(self, typed=None, ended=True), None
        if key == "esc":
            return replace(self, typed=None), None
        if key == "backspace":
            return replace(self, typed=typed[:-1]), None
        if key != "enter":
            return replace(self, typed=typed + key if len(key) == 1 else typed), None
        try:
            return replace(self, typed=None)._relabel(checked_label(typed))
        except HandloreError as error:
            return replace(self, typed=None, message=str(error)), None


def _sorted(entries: Sequence[RecordingEntry]) -> tuple[RecordingEntry, ...]:
    return tuple(sorted(entries, key=lambda entry: (entry.number, entry.path)))
