"""A recording session: what happens when, without camera, clock, keyboard, display or disk.

::

    idle -> countdown -> recording -> review -> kept | discarded -> idle

:class:`Session` receives keys and frames, each with its time, and returns what is to be done
(:mod:`.progress`). All times are seconds on the camera's clock.
"""

from collections.abc import Sequence
from enum import Enum
from math import ceil

from handlore.datasets.kinds import Kind
from handlore.landmarks.errors import HandloreError

from ..keys import FULL_SCREEN_KEYS, KeyBindings, chosen_label
from .options import Labels, SessionOptions, same_label
from .progress import TICK as _TICK
from .progress import Announce, Begin, Cue, Do, Effect, End, Recording

KEY_BINDINGS: KeyBindings = (
    ("r, space", "record; again to stop early"),
    ("1-9, n, p", "choose the label; 0 is none"),
    ("+", "add a label"),
    ("k", "keep"),
    ("u", "discard the last recording"),
    ("b", "record a burst"),
    ("s", "sample a pose, held or toggled"),
    ("m", "mirror the preview"),
    ("h", "show this help"),
    ("q, Esc", "quit"),
)


class State(Enum):
    """The state of a session."""

    IDLE = "idle"
    COUNTDOWN = "countdown"
    RECORDING = "recording"
    REVIEW = "review"


class Session:
    """The state machine."""

    def __init__(self, labels: Sequence[str], options: SessionOptions) -> None:
        self.options = options
        self.labels = Labels(labels)
        self.labels.choose(1)
        self.state = State.IDLE
        self.recording: Recording | None = None
        self.typed: str | None = None
        """The new label while it is typed; else None."""
        self.mirrored = True
        """Whether the preview is mirrored; the data never is."""
        self.full_screen = False
        self.help = False
        self.burst_left = 0
        """Recordings of a burst that are still to come."""
        self.unsaved = 0
        """Recordings that could not be written; set by the loop."""
        self.is_undecided = False
        """Whether the session ended while a recording waited for a decision."""
        self.is_unfinished = False
        """Whether it ended during a recording, which is discarded."""
        self._in_burst = False
        self._kept_in_burst = 0
        self._deadline: float | None = None
        """When the countdown or the review ends; None: a person decides."""
        self._counted = 0
        self._asked_to_quit = False

    def left(self, now: float) -> float | None:
        """Return the seconds left of the countdown or the review; None without a limit."""
        return None if self._deadline is None else max(0.0, self._deadline - now)

    @property
    def flagged(self) -> bool:
        """Whether a recording waits for a decision."""
        return self.state is State.REVIEW and self._deadline is None

    # Inputs.

    def frame(self, has_hand: bool, now: float) -> list[Effect]:
        """Process a frame of the camera."""
        effects = self.tick(now)
        if self.state is State.COUNTDOWN and now >= self._due - _TICK:
            effects += self._begin("sequence", now)
        if self.state is State.RECORDING:
            effects += self._look(has_hand, now)
        return effects

    def tick(self, now: float) -> list[Effect]:
        """Process the passing of time, with or without a frame."""
        if self.state is State.REVIEW and self._deadline is not None and now >= self._due - _TICK:
            return self._keep(now)
        left = ceil(self._due - now - _TICK) if self.state is State.COUNTDOWN else 0
        if 0 < left < self._counted:
            self._counted = left
            return [Cue("count")]
        return []

    def lost(self, now: float) -> list[Effect]:
        """Process the loss of the camera: a recording under way ends."""
        if self.state is State.COUNTDOWN:
            return self._cancel()
        if self.state is State.RECORDING:
            self._stop_burst()
            return self._end(now, "the camera was lost")
        return self.tick(now)

    def close(self, now: float) -> list[Effect]:
        """End the session because no more input can come; a recording is kept.

        A flagged one is kept among the discarded, where it can be restored.
        """
        self._stop_burst()
        effects = self._end(now) if self.state is State.RECORDING else []
        if self.flagged:
            self.is_undecided = True
            effects += [*self._keep(now), Do.UNDO]
        elif self.state is State.REVIEW:
            effects += self._keep(now)
        self._to_idle()
        return [*effects, Do.QUIT]

    def interrupt(self, now: float) -> list[Effect]:
        """End the session at once, as at a signal; an unfinished recording is discarded.

        A stream of ``none`` is complete wherever it ends. All else is as in :meth:`close`.
        """
        self._stop_burst()
        effects: list[Effect] = []
        if self.state is State.RECORDING and not self._current.may_end(now):
            self.is_unfinished = True
            self._to_idle()
            effects = [Do.DISCARD]
        return [*effects, *self.close(now)]

    def key(self, key: str, now: float) -> list[Effect]:
        """Process a key, by its name in :mod:`..keys`."""
        if key == "close":
            return self.close(now)
        if self.typed is not None:
            return self._type(key, self.typed)
        if (label := chosen_label(key)) is not None:
            return self._click(label)
        if len(key) == 1:
            key = key.lower()
        if key in ("q", "esc"):
            return self._quit(now)
        self._asked_to_quit = False
        if key == "m":
            self.mirrored = not self.mirrored
        elif key == "h":
            self.help = not self.help
        elif key in FULL_SCREEN_KEYS:
            self.full_screen = not self.full_screen
        elif key in ("n", "p") or (key.isascii() and key.isdigit()):
            return self._choose(key)
        elif key == "+":
            return self._start_typing()
        else:
            return self._act(" " if key == "r" else key, now)
        return []

    # Keys that record.

    def _act(self, key: str, now: float) -> list[Effect]:
        in_state = {
            State.IDLE: self._act_idle,
            State.COUNTDOWN: self._act_countdown,
            State.RECORDING: self._act_recording,
            State.REVIEW: self._act_review,
        }
        return in_state[self.state](key, now)

    def _act_idle(self, key: str, now: float) -> list[Effect]:
        match key:
            case " ":
                return self._count_down(self.options.countdown, now)
            case "b":
                self._in_burst, self._kept_in_burst = True, 0
                self.burst_left = self.options.burst - 1
                return self._count_down(self.options.countdown, now)
            case "s":
                return self._begin("pose", now)
            case "u":
                return [Do.UNDO]
            case "k":
                return [Do.RETRY]
        return []

    def _act_countdown(self, key: str, now: float) -> list[Effect]:
        if key == "u" and self._kept_in_burst:
            self._kept_in_burst -= 1
            self.burst_left += 1
            return [Do.UNDO]
        return self._cancel() if key in (" ", "b", "u") else []

    def _act_recording(self, key: str, now: float) -> list[Effect]:
        match key:
            case " ":
                return self._end(now)
            case "u":
                self._stop_burst()
                return self._drop("discarded", now)
            case "b":
                self.burst_left = 0
            case "s":
                self._current.press(now)
        return []

    def _act_review(self, key: str, now: float) -> list[Effect]:
        if key == "k":
            return self._keep(now)
        if key == "u":
            return self._drop("discarded", now)
        if key not in (" ", "b", "s"):
            return []
        if self.flagged:
            return [Announce("decide first: k keeps the recording, u discards it")]
        return [*self._keep(now), *self._act(key, now)]

    def _quit(self, now: float) -> list[Effect]:
        """End the session; if something would be lost, only at the second press."""
        warning = self._warning_before_loss()
        if warning and not self._asked_to_quit:
            self._asked_to_quit = True
            return [Announce(warning)]
        self._stop_burst()
        effects = self._drop("discarded", now) if self.flagged else []
        return [*effects, *self.interrupt(now)]

    def _warning_before_loss(self) -> str:
        """Return what would be lost at the end of the session, and how to save it."""
        if self.flagged:
            return "k keeps the recording, u discards it; the same key again quits without it"
        if self.unsaved:
            were = "recording is" if self.unsaved == 1 else "recordings are"
            return (
                f"{self.unsaved} {were} not written: k tries again; the same key again tries once"
                " more and quits"
            )
        return ""

    # Transitions.

    @property
    def _due(self) -> float:
        if self._deadline is None:
            raise RuntimeError(f"nothing is due in state {self.state}")
        return self._deadline

    @property
    def _current(self) -> Recording:
        if self.recording is None:
            raise RuntimeError(f"there is no recording in state {self.state}")
        return self.recording

    def _count_down(self, seconds: float, now: float) -> list[Effect]:
        self.state, self._deadline = State.COUNTDOWN, now + seconds
        self._counted = ceil(seconds - _TICK) + 1
        return self.tick(now)

    def _begin(self, kind: Kind, now: float) -> list[Effect]:
        self.state, self._deadline = State.RECORDING, None
        self.recording = Recording(self.labels.current, kind, now)
        return [Begin(self.labels.current, kind), Cue("go")]

    def _look(self, has_hand: bool, now: float) -> list[Effect]:
        recording = self._current
        if recording.is_over(self.options, now):
            return self._end(now)
        if not recording.look(self.options, has_hand, now):
            return []
        return [Do.ADD_FRAME, *(self._end(now) if recording.is_full(self.options) else [])]

    def _end(self, now: float, *flags: str) -> list[Effect]:
        recording = self._current
        if not recording.taken:
            self._stop_burst()
            nothing = (
                "no hand was detected, nothing is kept"
                if recording.looked
                else "nothing was recorded"
            )
            return self._drop(nothing, now)
        first, last = recording.cut(self.options)
        recording.flags = (*flags, *recording.problems(self.options, last - first))
        self.state = State.REVIEW
        ended = End(first, last, recording.share, recording.flags)
        if recording.flags:
            self._deadline = None
            reasons = "; ".join(recording.flags)
            return [ended, Cue("flag"), Announce(f"{reasons}: k keeps it, u discards it")]
        self._deadline = now if self._in_burst else now + self.options.review
        return [ended, Cue("end"), *self.tick(now)]

    def _keep(self, now: float) -> list[Effect]:
        self._kept_in_burst += self._in_burst
        return [Do.KEEP, *self._go_on(now)]

    def _drop(self, message: str, now: float) -> list[Effect]:
        return [Do.DISCARD, Announce(message), *self._go_on(now)]

    def _go_on(self, now: float) -> list[Effect]:
        self._to_idle()
        if not self.burst_left:
            self._stop_burst()
            return []
        self.burst_left -= 1
        return self._count_down(self.options.pause, now)

    def _cancel(self) -> list[Effect]:
        self._stop_burst()
        self._to_idle()
        return [Announce("stopped")]

    def _to_idle(self) -> None:
        self.state, self.recording, self._deadline = State.IDLE, None, None

    def _stop_burst(self) -> None:
        self._in_burst, self.burst_left = False, 0

    # Labels.

    def _choose(self, key: str) -> list[Effect]:
        if key in ("n", "p"):
            self.labels.step(1 if key == "n" else -1)
        elif not self.labels.choose(int(key)):
            return [Announce(f"no label has the key {key}; + adds a label")]
        return []

    def _click(self, label: str) -> list[Effect]:
        if label in self.labels.names:
            self.labels.select(label)
        return []

    def _start_typing(self) -> list[Effect]:
        if self.state in (State.COUNTDOWN, State.RECORDING):
            return [Announce("stop the recording before you add a label")]
        self.typed = ""
        return []

    def _type(self, key: str, typed: str) -> list[Effect]:
        if key == "esc":
            self.typed = None
        elif key == "backspace":
            self.typed = typed[:-1]
        elif len(key) == 1 and key.isprintable():
            self.typed = typed + key
        elif key == "enter":
            self.typed = None
            existing = same_label(typed, self.labels.names)
            if existing is not None:
                self.labels.select(existing)
                return [Announce(f"{existing} is already a label; it is chosen now")]
            try:
                self.labels.add(typed)
            except HandloreError as error:
                return [Announce(str(error))]
        return []
