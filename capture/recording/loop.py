"""The loop around a session: camera, keys, detector, view and disk; it makes no decisions."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from handlore.landmarks.detector import HandDetector
from handlore.landmarks.hands import Hand, Pixels
from handlore.landmarks.stages import resized

from ..cameras import CameraFrame, Feed, FrameRate
from ..keys import Keys
from .progress import Announce, Begin, Cue, Do, Effect, End
from .session import Session, State
from .writer import Job, RecordingWriter, SessionInfo, Take, VideoFolder, Written

_WAIT = 0.1
"""How long to wait for a frame before keys and view get their turn; seconds."""
_LEAST_STEP = 0.002
"""Seconds between two frames for the detector, which counts milliseconds."""
_MESSAGE_SECONDS = 6.0
"""How long a message is shown."""

_REPLAY_SIDE = 320
"""Pixels of the longer side of a picture that is shown again."""

_MOST_MOMENTS = 200
"""Pictures, some 45 MB; of a longer recording every second one is left out, and again."""

_REPLAY_PAUSE = 0.4
"""Seconds before it starts again."""


@dataclass(frozen=True, eq=False)
class Moment:
    """A frame of a recording."""

    pixels: Pixels
    """(height, width, 3) RGB, small."""
    hands: Sequence[Hand]


@dataclass(frozen=True)
class Status:
    """Everything that is shown of a session after a frame."""

    state: State
    label: str
    """The label of the recording under way, else of the next one."""
    counts: tuple[tuple[str, int], ...]
    """Recordings kept of each label, in the order of the keys; ``none`` is the last."""
    left: float | None = None
    """Seconds left of countdown or review; None without a limit."""
    recorded: float = 0.0
    """Seconds of the recording under way."""
    progress: float = 0.0
    """Share of its length that is recorded, from 0 to 1; 0 where the length is open."""
    fps: float = 0.0
    share: float | None = None
    """Share of the frames of the last recording in which a hand was detected."""
    hand: bool = False
    """Whether a hand is detected in the last frame."""
    flagged: bool = False
    """Whether a recording waits for a decision."""
    question: str = ""
    """Why it is flagged."""
    message: str = ""
    """The last message, for some seconds."""
    unsaved: int = 0
    """How many recordings could not be written."""
    next_label: str = ""
    """The label of the next recording, where it differs from :attr:`label`."""
    problem: str | None = None
    """What is wrong with the camera."""
    typed: str | None = None
    """The new label while it is typed; else None."""
    pose: bool = False
    """Whether single frames of a pose are being sampled."""
    burst_left: int = 0
    """Recordings of a burst that are still to come."""
    mirrored: bool = True
    help: bool = False
    full_screen: bool = False
    advice: str = ""
    """What to record next."""
    replay: Moment | None = None
    """A frame of the recording that may still be discarded, played in a loop."""


class SessionView(Protocol):
    """Shows a session."""

    def show(self, pixels: Pixels | None, hands: Sequence[Hand], status: Status) -> None:
        """Show the session after a frame; ``pixels`` is None while the camera gives no picture."""

    def say(self, text: str) -> None:
        """Show a message."""

    def cue(self, what: str) -> None:
        """Play the sound of a cue."""


@dataclass
class SessionComponents:
    """The parts of a loop; tests replace them by fakes."""

    feed: Feed
    detector: HandDetector
    session: Session
    info: SessionInfo
    writer: RecordingWriter
    keys: Keys
    view: SessionView
    clock: Callable[[], float] = time.monotonic
    videos: VideoFolder | None = None
    """Where videos go, if they are kept."""
    replays: bool = False
    """Whether the view shows a recording again while it may be discarded."""
    advice: Callable[[], str] = lambda: ""
    """Returns what to record next."""
    on_written: Callable[[Written], None] = lambda written: None
    """Called after a recording was kept or discarded."""


class SessionLoop:
    """Runs a session; closes none of its parts."""

    def __init__(self, parts: SessionComponents) -> None:
        self._parts = parts
        self.ended = False
        self.frames = 0
        """Frames processed."""
        self._take: Take | None = None
        self._job: Job | None = None
        self._replay: _Replay | None = None
        self._hands: Sequence[Hand] = ()
        self._share: float | None = None
        self._rate = FrameRate()
        self._message, self._message_until = "", 0.0
        self._ahead: float | None = None
        """The camera's clock minus ours."""
        self._problem: str | None = None
        self._tracked_at = -_LEAST_STEP
        self._advice = ""

    def run(self) -> None:
        """Run until the session, or the file in the camera's place, ends.

        What may be kept is kept if an exception, such as that of a signal, ends it.
        """
        try:
            while not self.ended:
                self.step()
        except BaseException:
            now = self._now(None)
            self._do(self._parts.session.interrupt(now), now)
            raise

    def step(self) -> None:
        """Wait for a frame, process and show it."""
        frame = self._parts.feed.next(_WAIT)
        now = self._now(frame)
        self._report_problem(frame, now)
        self._parts.session.unsaved = len(self._parts.writer.unsaved)
        for key in self._parts.keys.pressed():
            self._do(self._parts.session.key(key, now), now)
        if frame is not None:
            self._process(frame)
        elif self._parts.feed.ended:
            self._say(f"{self._parts.feed.name} has ended", now)
            self._do(self._parts.session.close(now), now)
        elif self._problem is not None:
            self._do(self._parts.session.lost(now), now)
        for written in self._parts.writer.poll():
            self._report(written, now)
        self._take_advice()
        self._show(frame, now)

    def _process(self, frame: CameraFrame) -> None:
        self.frames += 1
        self._rate.add(frame.seconds)
        self._hands = self._track(frame) if self._parts.session.typed is None else ()
        effects = self._parts.session.frame(bool(self._hands), frame.seconds)
        self._do(effects, frame.seconds, frame)

    def _track(self, frame: CameraFrame) -> Sequence[Hand]:
        # Two frames of a file may have the same time, which a tracker refuses.
        self._tracked_at = max(frame.seconds, self._tracked_at + _LEAST_STEP)
        return self._parts.detector.track(frame.pixels, self._tracked_at)

    def _do(self, effects: Sequence[Effect], now: float, frame: CameraFrame | None = None) -> None:
        for effect in effects:
            match effect:
                case Begin(label, kind):
                    self._take, self._job = Take(label, kind, self._parts.videos), None
                    self._replay = _Replay() if self._parts.replays else None
                case Do.ADD_FRAME:
                    self._add(frame)
                case End():
                    self._finish(effect)
                    if self._replay is not None:
                        self._replay.start(effect.first, effect.last, now)
                case Do.KEEP:
                    self._keep()
                case Do.DISCARD:
                    self._forget()
                case Do.UNDO:
                    self._parts.writer.undo()
                case Do.RETRY:
                    self._parts.writer.retry()
                case Cue(what):
                    self._parts.view.cue(what)
                case Announce(text):
                    self._say(text, now)
                case Do.QUIT:
                    self.ended = True

    def _add(self, frame: CameraFrame | None) -> None:
        if self._take is not None and frame is not None:
            self._take.add(frame.pixels, self._hands, frame.seconds)
            if self._replay is not None:
                self._replay.add(frame.pixels, self._hands, frame.seconds)

    def _finish(self, end: End) -> None:
        if self._take is None:
            return
        session, take = self._parts.session, self._take
        self._share = end.share
        recording = take.dataset(self._parts.info, end.first, end.last, mirrored=session.mirrored)
        self._job = Job(recording, take.video(end.first, end.last))

    def _keep(self) -> None:
        if self._job is not None:
            self._parts.writer.keep(self._job)
        self._forget()

    def _forget(self) -> None:
        self._take = self._job = self._replay = None

    def _report(self, written: Written, now: float) -> None:
        self._parts.on_written(written)
        unsaved = written.problem is not None and bool(self._parts.writer.unsaved)
        again = "; it is kept in memory: k tries again, u discards it" if unsaved else ""
        self._say(f"{written.line}{again}", now)

    def _report_problem(self, frame: CameraFrame | None, now: float) -> None:
        before, problem = self._problem, self._parts.feed.problem
        if problem is None and before is not None and frame is None:
            return  # it is back with its first frame
        if problem is not None and frame is None:
            self._hands, self._rate = (), FrameRate()
        self._problem = problem
        if problem is not None and problem != before:
            self._say(problem, now)
        elif problem is None and before is not None:
            self._say(f"{self._parts.feed.name} is back", now)

    def _take_advice(self) -> None:
        before, self._advice = self._advice, self._parts.advice()
        if self._advice and self._advice != before:
            self._parts.view.say(f"coach: {self._advice}")

    def _say(self, text: str, now: float) -> None:
        self._message, self._message_until = text, now + _MESSAGE_SECONDS
        self._parts.view.say(text)

    def _now(self, frame: CameraFrame | None) -> float:
        """Return the time on the camera's clock, estimated from ours if there is no frame."""
        ours = self._parts.clock()
        if frame is not None:
            self._ahead = frame.seconds - ours
            return frame.seconds
        return ours + (self._ahead or 0.0)

    def _show(self, frame: CameraFrame | None, now: float) -> None:
        if frame is None and self._problem is None:
            return
        pixels = None if frame is None else frame.pixels
        self._parts.view.show(pixels, self._hands if frame else (), self._status(now))

    def _status(self, now: float) -> Status:
        session, writer = self._parts.session, self._parts.writer
        under_way, following = session.recording, session.labels.current
        recorded, progress = _progress_of(session, now)
        replay = self._replay if session.state is State.REVIEW else None
        return Status(
            state=session.state,
            label=under_way.label if under_way else following,
            counts=tuple((label, writer.counts[label]) for label in session.labels.names),
            left=session.left(now),
            recorded=recorded,
            progress=progress,
            fps=self._rate.fps,
            share=self._share,
            hand=bool(self._hands),
            flagged=session.flagged,
            question="; ".join(under_way.flags) if under_way and session.flagged else "",
            message=self._message if now < self._message_until else "",
            unsaved=session.unsaved,
            next_label=following if under_way and following != under_way.label else "",
            problem=self._problem,
            typed=session.typed,
            pose=bool(under_way and under_way.kind == "pose" and session.state is State.RECORDING),
            burst_left=session.burst_left,
            mirrored=session.mirrored,
            help=session.help,
            full_screen=session.full_screen,
            advice=self._advice,
            replay=None if replay is None else replay.at(now),
        )


def _progress_of(session: Session, now: float) -> tuple[float, float]:
    """Return the length of the recording under way in seconds, and the share of it that is done."""
    recording, options = session.recording, session.options
    if recording is None:
        return 0.0, 0.0
    recorded = now - recording.began
    if recording.kind == "pose" or recording.is_stream:
        return recorded, 0.0
    if options.frames:
        return recorded, recording.taken / options.frames
    return recorded, min(1.0, recorded / options.seconds) if options.seconds else 0.0


class _Replay:
    """Collects the frames of a recording and plays them in a loop. Times are seconds."""

    def __init__(self) -> None:
        self._frames: list[tuple[int, float, Moment]] = []
        """Number, time and picture of each frame that is left."""
        self._n, self._every = 0, 1
        self._since = 0.0

    def add(self, pixels: Pixels, hands: Sequence[Hand], seconds: float) -> None:
        """Add the next frame."""
        if self._n % self._every == 0:
            self._frames.append((self._n, seconds, Moment(_small(pixels), hands)))
        self._n += 1
        if len(self._frames) > _MOST_MOMENTS:
            self._every *= 2
            self._frames = [frame for frame in self._frames if frame[0] % self._every == 0]

    def start(self, first: int, last: int, now: float) -> None:
        """Start playing the frames ``first:last``; the others are forgotten."""
        cut = [frame for frame in self._frames if first <= frame[0] < last]
        self._frames, self._since = cut or self._frames[:1], now

    def at(self, now: float) -> Moment | None:
        """Return the frame to show; None if there is none."""
        if not self._frames:
            return None
        times = [seconds - self._frames[0][1] for _, seconds, _ in self._frames]
        passed = max(0.0, now - self._since) % (times[-1] + _REPLAY_PAUSE)
        return self._frames[int(np.searchsorted(times, passed + 1e-9, side="right")) - 1][2]


def _small(pixels: Pixels) -> Pixels:
    share = _REPLAY_SIDE / max(pixels.shape[:2])
    return pixels.copy() if share >= 1 else resized(pixels, share)
