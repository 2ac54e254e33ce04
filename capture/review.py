"""Stepping through recordings: a state machine of keys, and the loop around it.

The state is a value: a key gives the next state, and perhaps a change to be made on the disk. The
loop makes the change and reports the result as a message.
"""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal, Protocol

from handlore.datasets.dataset import NONE_LABEL, LandmarkDataset
from handlore.datasets.recorded import RecordingEntry, load_recording
from handlore.datasets.recordings import RecordingFolder
from handlore.landmarks.errors import HandloreError

from .keys import FULL_SCREEN_KEYS, KeyBindings, Keys, chosen_label
from .recording.options import checked_label, near_label, same_label

KEY_BINDINGS: KeyBindings = (
    ("n, p", "next, previous recording"),
    ("r, space", "play again"),
    ("u", "discard"),
    ("k", "restore a discarded one"),
    ("1-9, 0", "change the label as in a session"),
    ("+", "add a label and assign it"),
    ("h", "show this help"),
    ("q, Esc", "quit"),
)
"""The same keys as in a recording session where the action is the same."""

_PAUSE = 0.7
"""Seconds before a recording is played again."""
_STEP = 1 / 30
"""Seconds between two pictures."""


@dataclass(frozen=True)
class _Change:
    """A change to be made on the disk."""

    what: Literal["discard", "restore", "relabel", "confirm"]
    path: Path
    label: str = ""


@dataclass(frozen=True)
class Review:
    """Where a person is in a folder of recordings."""

    entries: tuple[RecordingEntry, ...]
    """Kept and discarded ones, by number; at least one."""
    at: int = 0
    """Index of the one that is shown."""
    since: float = 0.0
    """When playing it started."""
    typed: str | None = None
    """The new label while it is typed; else None."""
    message: str = ""
    help: bool = False
    full_screen: bool = False
    ended: bool = False
    known: tuple[str, ...] = ()
    """The labels of the folder, in the order of their keys in a recording session."""

    @classmethod
    def of(
        cls, entries: Sequence[RecordingEntry], now: float, known: Sequence[str] = ()
    ) -> "Review":
        """Begin with the first recording, or raise HandloreError if there is none."""
        if not entries:
            raise HandloreError("there are no recordings to review")
        return cls(_sorted(entries), since=now, known=tuple(known))

    @property
    def entry(self) -> RecordingEntry:
        """The recording that is shown."""
        return self.entries[self.at]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels in the order of their keys 1 to 9, more have no key; ``none`` is the last."""
        others = sorted({entry.label for entry in self.entries})
        ordered = dict.fromkeys((*self.known, *others))
        return (*(label for label in ordered if label != NONE_LABEL), NONE_LABEL)

    def seconds(self, now: float) -> float:
        """Return the time in the recording to show; it is played in a loop."""
        return min((now - self.since) % (self.entry.seconds + _PAUSE), self.entry.seconds)

    def key(self, key: str, now: float) -> tuple["Review", _Change | None]:
        """Return the state after a key, and the change it asks for, if any."""
        if self.typed is not None:
            return self._type(key, self.typed)
        if (label := chosen_label(key)) is not None:
            return replace(self, message="", help=False)._relabel(label)
        match replace(self, message="", help=False), key.lower() if len(key) == 1 else key:
            case state, "n":
                return state._step(1, now), state._confirmation()
            case state, "p":
                return state._step(-1, now), None
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
            case state, pressed if pressed in FULL_SCREEN_KEYS:
                return replace(state, full_screen=not self.full_screen), None
            case state, "q" | "esc" | "close":
                return replace(state, ended=True), None
            case state, _ if key.isdecimal() and key.isascii():
                return state._label_of(int(key))
        return self, None

    def changed(self, entries: Sequence[RecordingEntry], path: Path) -> "Review":
        """Return the state after a change; the recording, now at ``path``, is still shown."""
        if not entries:
            return replace(self, ended=True)
        entries = _sorted(entries)
        at = next((k for k, entry in enumerate(entries) if entry.path == path), self.at)
        return replace(self, entries=entries, at=min(at, len(entries) - 1))

    def _step(self, by: int, now: float) -> "Review":
        at = self.at + by
        if not 0 <= at < len(self.entries):
            return replace(
                self, message="this is the last one" if by > 0 else "this is the first one"
            )
        return replace(self, at=at, since=now)

    def _confirmation(self) -> _Change | None:
        """Return the change that somebody has seen what a live run recognised, and it is right."""
        return _Change("confirm", self.entry.path) if self.entry.needs_review else None

    def _discard(self) -> tuple["Review", _Change | None]:
        if self.entry.discarded:
            return replace(self, message="already discarded; k restores it"), None
        return self, _Change("discard", self.entry.path)

    def _restore(self) -> tuple["Review", _Change | None]:
        if not self.entry.discarded:
            return self, None
        return self, _Change("restore", self.entry.path)

    def _label_of(self, digit: int) -> tuple["Review", _Change | None]:
        *others, none = self.labels
        if digit > min(len(others), 9):
            return replace(self, message=f"no label has the key {digit}"), None
        return self._relabel(others[digit - 1] if digit else none)

    def _relabel(self, label: str) -> tuple["Review", _Change | None]:
        label = same_label(label, self.labels) or label
        if label == self.entry.label:
            return replace(self, message=f"the label is already {label}"), None
        if self.entry.discarded:
            return replace(self, message="discarded; restore it with k first"), None
        return self, _Change("relabel", self.entry.path, label)

    def _type(self, key: str, typed: str) -> tuple["Review", _Change | None]:
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


class _ReviewView(Keys, Protocol):
    """Shows a review and gives keys."""

    def show(self, state: Review, recording: LandmarkDataset | None, now: float) -> None:
        """Show a recording (None if it cannot be read) at a time of the loop's clock."""


def review_recordings(
    recordings: RecordingFolder,
    view: _ReviewView,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
    *,
    numbers: Collection[int] | None = None,
    labels: Sequence[str] = (),
) -> Review:
    """Step through a folder, which must hold recordings, until the person quits.

    Parameters
    ----------
    recordings
        The folder; each change is on the disk at once.
    view
        Shows the recordings, and gives keys.
    clock, wait
        The time in seconds, and what waits for so many.
    numbers
        Which recordings; default: all.
    labels
        Labels that get a key after those of the folder.

    Returns
    -------
    The last state.
    """
    shown = _chosen(recordings, numbers)
    state = Review.of(shown, clock(), (*recordings.labels(), *labels))
    state = replace(state, message=_damaged(recordings))
    while not state.ended:
        for key in view.pressed():
            state, change = state.key(key, clock())
            if change:
                state = _apply(recordings, state, change, numbers)
        if state.ended:
            break
        view.show(state, _read(recordings.root, state.entry), clock())
        wait(_STEP)
    return state


def _chosen(recordings: RecordingFolder, numbers: Collection[int] | None) -> list[RecordingEntry]:
    entries = recordings.entries(discarded=None)
    return [one for one in entries if numbers is None or one.number in numbers]


def _apply(
    recordings: RecordingFolder,
    state: Review,
    change: _Change,
    numbers: Collection[int] | None = None,
) -> Review:
    try:
        match change.what:
            case "discard":
                path, message = recordings.discard(change.path), "discarded"
            case "restore":
                path, message = recordings.restore(change.path), "restored"
            case "relabel":
                path = recordings.relabel(change.path, change.label)
                # The label so far may have been the typing error.
                others = [o.label for o in recordings.entries(discarded=None) if o.path != path]
                known = {*state.labels} - {state.entry.label} | {*others}
                near = near_label(change.label, known)
                message = f"now {change.label}" + (f"; did you mean {near}?" if near else "")
                state = _remembered(recordings, state, change.label)
            case "confirm":
                recordings.confirm(change.path)
                # The next one is shown already.
                path, message = state.entry.path, state.message
    except HandloreError as error:
        return replace(state, message=str(error))
    return replace(state.changed(_chosen(recordings, numbers), path), message=message)


def _remembered(recordings: RecordingFolder, state: Review, label: str) -> Review:
    """Return the state with a label that has a key; a new one gets the next."""
    if label in state.labels:
        return state
    known = (*state.labels[:-1], label)
    recordings.order_labels((*known, NONE_LABEL))
    return replace(state, known=known)


def _damaged(recordings: RecordingFolder) -> str:
    names = [name for name, _ in recordings.failures()]
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"cannot be read: {names[0]}{more}" if names else ""


@lru_cache(maxsize=4)
def _read(root: Path, entry: RecordingEntry) -> LandmarkDataset | None:
    """Read a recording; None if it has become unreadable."""
    try:
        return load_recording(root, entry.path)
    except HandloreError:
        return None
