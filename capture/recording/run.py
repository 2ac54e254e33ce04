"""A whole session: opens what it needs, runs it, and puts everything away."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from handlore.datasets.recordings import RecordingFolder
from handlore.landmarks.detector import DetectorOptions, HandDetector, open_detector
from handlore.landmarks.nativelog import quiet_native_log

from ..cameras import CameraSpec, open_feed
from ..coach_process import BackgroundCoach
from ..keys import Keys
from ..signals import ending_on_signals
from .loop import SessionComponents, SessionLoop, SessionView, close_writer
from .options import SessionOptions
from .session import Session
from .take import SessionInfo
from .video import NoVideo, VideoFolder
from .writer import RecordingWriter

TITLE = "handlore capture"
FIRST_HELP = "keys: r record, 1-9 n p label, u discard, k keep, h all keys, q end"

Talk = Callable[[str], None]


@dataclass(frozen=True)
class SessionSetup:
    """What a session is to be."""

    camera: CameraSpec
    options: SessionOptions = field(default_factory=SessionOptions)
    detector: DetectorOptions = field(default_factory=lambda: DetectorOptions(live=True))
    subject: str = ""
    session: str = ""
    note: str = ""
    keep_video: bool = False
    headless: bool = False
    """Whether the terminal takes the window's place."""

    coach: bool = True
    """Whether somebody thinks about what to record next, in a process of its own."""

    quiet: bool = False
    verbose: bool = False
    """Whether native libraries may write to the screen."""


@dataclass(frozen=True)
class SessionSummary:
    """What came of a session."""

    kept: dict[str, int]
    """Recordings of each label that this session has kept."""

    counts: dict[str, int]
    """Recordings of each label that are in the folder now."""

    unsaved: int
    """Recordings that could not be written."""

    advice: list[str]
    """What to do next, as far as the coach has got."""


def run_session(plan: SessionSetup, recordings: RecordingFolder, talk: Talk) -> SessionSummary:
    """Record until somebody ends it.

    Parameters
    ----------
    plan
        What it is to be.
    recordings
        Where recordings are kept.
    talk
        Told what a person should know before it begins and after it has ended.

    Raises
    ------
    HandloreError
        If there is no camera, or no detector.
    """
    with ExitStack() as stack:
        stack.enter_context(ending_on_signals())
        stack.enter_context(quiet_native_log(not plan.verbose))
        detector = stack.enter_context(open_detector(plan.detector, talk=talk))
        feed = open_feed(plan.camera)
        stack.callback(feed.close)
        writer = RecordingWriter(recordings)
        stack.callback(close_writer, writer, talk)
        coach = stack.enter_context(BackgroundCoach())
        session = Session(plan.options)
        consider = _considering(coach, recordings, session) if plan.coach else _nothing
        consider()
        keys, view = stack.enter_context(_face(plan, talk))
        SessionLoop(
            SessionComponents(
                feed, detector, session, _sitting(plan, detector), writer, keys, view,
                videos=VideoFolder(recordings.root).begin if plan.keep_video else NoVideo,
                advice=lambda: next(iter(coach.advice()), ""),
                on_written=consider,
            )
        ).run()  # fmt: skip
        advice = coach.advice()
    kept = dict.fromkeys(session.labels.names, 0)
    for label, _ in writer.kept:
        kept[label] += 1
    return SessionSummary(kept, dict(writer.counts), len(writer.unsaved), advice)


def _considering(
    coach: BackgroundCoach, recordings: RecordingFolder, session: Session
) -> Callable[..., None]:
    def consider(_: object = None) -> None:
        coach.consider(recordings.root, session.labels.names)

    return consider


def _nothing(_: object = None) -> None:
    """Do nothing."""


def _sitting(plan: SessionSetup, detector: HandDetector) -> SessionInfo:
    return SessionInfo(
        detector.info, plan.camera.text, plan.subject, plan.session, plan.note,
        plan.detector.max_hands,
    )  # fmt: skip


@contextmanager
def _face(plan: SessionSetup, talk: Talk) -> Iterator[tuple[Keys, SessionView]]:
    """Open what a session is seen and steered by: a window, or the terminal."""
    if not plan.headless:
        from ..views.record import SessionWindow

        with SessionWindow(TITLE, quiet=plan.quiet) as window:
            yield window, window
        return
    from ..views.status import StatusLine

    talk(FIRST_HELP)
    with _terminal() as keys:
        line = StatusLine(quiet=plan.quiet)
        try:
            yield keys, line
        finally:
            line.close()


def _terminal() -> Any:
    if sys.platform == "win32":
        from ..terminal import Console

        return Console()
    from ..terminal import Terminal

    return Terminal()
