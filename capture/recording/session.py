"""A recording session: what happens when, without camera, clock, keyboard, display or disk.

::

    idle -> countdown -> recording -> review -> kept | discarded -> idle

:class:`Session` is told of keys and frames, each with its time, and answers with what is to be
done (:mod:`.effects`). All times are seconds on the camera's clock.
"""

from enum import Enum
from math import ceil

from handlore.datasets.dataset import Kind
from handlore.landmarks.errors import HandloreError

from .effects import AddFrame, Announce, Begin, Cue, Discard, Effect, End, Keep, Quit, Retry, Undo
from .labels import Labels, same_label
from .options import SessionOptions
from .progress import TICK as _TICK
from .progress import Recording


class State(Enum):
    """Where a session stands."""

    IDLE = "idle"
    COUNTDOWN = "countdown"
    RECORDING = "recording"
    REVIEW = "review"


class Session:
    """The state machine.

    Parameters
    ----------
    options
        How it records.

    Raises
    ------
    HandloreError
        If a label cannot be one.
    """

    def __init__(self, options: SessionOptions) -> None:
        self.options = options
        self.labels = Labels(options.labels)
        self.labels.choose(1)
        self.state = State.IDLE
        self.recording: Recording | None = None
        self.typed: str | None = None
        """The new label as far as it is typed; None when none is being typed."""
        self.mirrored = True
        """Whether the preview is; the data never is."""
        self.help = False
        self.burst_left = 0
        """How many recordings of a burst are still to come."""
        self.unsaved = 0
        """How many recordings could not be written; whoever writes them says so."""
        self._in_burst = False
        self._kept_in_burst = 0
        self._deadline: float | None = None
        """When the countdown or the review is over; None: a person decides."""
        self._counted = 0
        self._asked_to_quit = False

    def left(self, now: float) -> float | None:
        """Return the seconds that are left of the countdown or the review, None if unlimited."""
        return None if self._deadline is None else max(0.0, self._deadline - now)

    @property
    def flagged(self) -> bool:
        """Whether a recording waits for somebody to decide."""
        return self.state is State.REVIEW and self._deadline is None

    # What it is told.

    def frame(self, has_hand: bool, now: float) -> list[Effect]:
        """Take in a frame of the camera, and whether it shows a hand."""
        effects = self.tick(now)
        if self.state is State.COUNTDOWN and now >= self._due - _TICK:
            effects += self._begin("sequence", now)
        if self.state is State.RECORDING:
            effects += self._look(has_hand, now)
        return effects

    def tick(self, now: float) -> list[Effect]:
        """Take in that time has passed, with or without a frame."""
        if self.state is State.REVIEW and self._deadline is not None and now >= self._due - _TICK:
            return self._keep(now)
        left = ceil(self._due - now - _TICK) if self.state is State.COUNTDOWN else 0
        if 0 < left < self._counted:
            self._counted = left
            return [Cue("count")]
        return []

    def lost(self, now: float) -> list[Effect]:
        """Take in that the camera is gone: what is under way ends, what is kept stays."""
        if self.state is State.COUNTDOWN:
            return self._cancel()
        if self.state is State.RECORDING:
            self._stop_burst()
            return self._end(now, "the camera was lost")
        return self.tick(now)

    def close(self, now: float) -> list[Effect]:
        """End the session because nothing more can come: what is good is kept."""
        self._stop_burst()
        effects = self._end(now) if self.state is State.RECORDING else []
        if self.flagged:
            effects += self._drop("nobody is left to decide: the recording was discarded", now)
        elif self.state is State.REVIEW:
            effects += self._keep(now)
        self._rest()
        return [*effects, Quit()]

    def key(self, key: str, now: float) -> list[Effect]:
        """Take in a key, by its name in :mod:`..keyboard.keys`."""
        if key == "close":
            return self.close(now)
        if self.typed is not None:
            return self._type(key, self.typed)
        if len(key) == 1:
            key = key.lower()
        if key in ("q", "esc"):
            return self._quit(now)
        self._asked_to_quit = False
        if key == "m":
            self.mirrored = not self.mirrored
        elif key == "h":
            self.help = not self.help
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
                return [Undo()]
            case "k":
                return [Retry()]
        return []

    def _act_countdown(self, key: str, now: float) -> list[Effect]:
        if key == "u" and self._kept_in_burst:
            self._kept_in_burst -= 1
            self.burst_left += 1
            return [Undo()]
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
            return [Announce("first decide: k keeps the recording, u discards it")]
        return [*self._keep(now), *self._act(key, now)]

    def _quit(self, now: float) -> list[Effect]:
        """End the session; what would be lost is not lost to one key."""
        effects: list[Effect] = []
        lost = self._would_be_lost()
        if lost and not self._asked_to_quit:
            self._asked_to_quit = True
            return [Announce(lost)]
        self._stop_burst()
        if self.state is State.REVIEW and not self.flagged:
            effects = self._keep(now)
        elif self.recording is not None:
            effects = self._drop("the recording under way was discarded", now)
        self._rest()
        return [*effects, Quit()]

    def _would_be_lost(self) -> str:
        """Say what would not outlive the session, and what saves it."""
        if self.flagged:
            return "k keeps the recording, u discards it; the same key again ends without it"
        if self.unsaved:
            were = "recording is" if self.unsaved == 1 else "recordings are"
            return (
                f"{self.unsaved} {were} not written: k tries again; the same key again tries once"
                " more and ends"
            )
        return ""

    # The way of a recording.

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
        return [AddFrame(), *(self._end(now) if recording.is_full(self.options) else [])]

    def _end(self, now: float, *flags: str) -> list[Effect]:
        recording = self._current
        if not recording.taken:
            self._stop_burst()
            nothing = (
                "no hand was seen, nothing is kept" if recording.looked else "nothing recorded"
            )
            return self._drop(nothing, now)
        first, last = recording.cut(self.options)
        recording.flags = (*flags, *recording.wrong(self.options, last - first))
        self.state = State.REVIEW
        ended = End(first, last, recording.share, recording.flags)
        if recording.flags:
            self._deadline = None
            words = "; ".join(recording.flags)
            return [ended, Cue("flag"), Announce(f"{words}: k keeps it, u discards it")]
        self._deadline = now if self._in_burst else now + self.options.review
        return [ended, Cue("end"), *self.tick(now)]

    def _keep(self, now: float) -> list[Effect]:
        self._kept_in_burst += self._in_burst
        return [Keep(), *self._go_on(now)]

    def _drop(self, words: str, now: float) -> list[Effect]:
        return [Discard(), Announce(words), *self._go_on(now)]

    def _go_on(self, now: float) -> list[Effect]:
        """Go to the next recording of a burst, or rest."""
        self._rest()
        if not self.burst_left:
            self._stop_burst()
            return []
        self.burst_left -= 1
        return self._count_down(self.options.pause, now)

    def _cancel(self) -> list[Effect]:
        self._stop_burst()
        self._rest()
        return [Announce("stopped")]

    def _rest(self) -> None:
        self.state, self.recording, self._deadline = State.IDLE, None, None

    def _stop_burst(self) -> None:
        self._in_burst, self.burst_left = False, 0

    # Labels.

    def _choose(self, key: str) -> list[Effect]:
        if key in ("n", "p"):
            self.labels.step(1 if key == "n" else -1)
        elif not self.labels.choose(int(key)):
            return [Announce(f"there is no label {key}; + adds one")]
        return []

    def _start_typing(self) -> list[Effect]:
        if self.state in (State.COUNTDOWN, State.RECORDING):
            return [Announce("stop the recording first, then + adds a label")]
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
            there = same_label(typed, self.labels.names)
            if there is not None:
                self.labels.take(there)
                return [Announce(f"{there} is a label already; it is chosen")]
            try:
                self.labels.add(typed)
            except HandloreError as error:
                return [Announce(str(error))]
        return []
