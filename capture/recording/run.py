"""A whole recording session: opens what it needs, runs the loop, and closes everything."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from handlore.datasets.dataset import NONE_LABEL
from handlore.datasets.recorded import UNSORTED
from handlore.datasets.recordings import RecordingFolder
from handlore.landmarks.detector import DetectorOptions
from handlore.landmarks.errors import HandloreError, require_type, shell_line
from handlore.landmarks.files import as_path, each
from handlore.landmarks.fonts import unwritable
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.opening import open_detector

from ..cameras import CameraSpec, camera_spec, open_feed
from ..coach_process import BackgroundCoach
from ..keys import Keys, ending_on_signals, terminal_keys
from ..views.record import SessionWindow
from ..views.status_line import StatusLine
from ..window import why_no_window
from .loop import SessionComponents, SessionLoop, SessionView
from .options import Labels, SessionOptions, checked_label, same_label
from .session import Session
from .writer import RecordingWriter, SessionInfo, VideoFolder

_KEYS_LINE = "keys: r record, 1-9 n p label, u discard, k keep, h all keys, q quit"

_FIRST_FRAME = 2.0
"""Seconds to wait for the first frame of a camera before keys count."""


@dataclass(frozen=True)
class SessionSummary:
    """The result of a session."""

    session: str
    """Its name."""
    kept: dict[str, int]
    """Recordings of each label that this session has kept."""
    counts: dict[str, int]
    """Recordings of each label that are in the folder now."""
    unsaved: int
    """Recordings that could not be written."""
    advice: list[str]
    """What to do next; nothing if the coach has not finished."""


def record(
    out: str | Path,
    labels: Sequence[str] = (),
    camera: str | Path | CameraSpec = "0",
    options: SessionOptions | None = None,
    *,
    keys: Keys | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> SessionSummary:
    """Record labelled gestures into a folder until somebody quits.

    Keys start, keep and discard recordings. A session also ends at the end of a file in the
    camera's place, or with KeyboardInterrupt or SystemExit at a signal (in the main thread).

    Parameters
    ----------
    out
        The folder of recordings; made if it does not exist.
    labels
        The labels to record; default: those of the folder. ``none`` is always one.
    camera
        A number such as ``"0"``, ``/dev/video2``, ``picamera``, a video or a folder of frames, or
        what :func:`~handlore.capture.cameras.camera_spec` returns.
    options
        Lengths, countdown, review, window, sounds and detector.
    keys
        Where keys come from; default: the window or the terminal.
    say
        Called with messages.

    Raises
    ------
    HandloreError
        If a label, an option, the folder, the camera or the detector cannot be used.

    Examples
    --------
    A video becomes one recording: the key r is pressed at its start.

    >>> summary = handlore.record(
    ...     "gestures",
    ...     ["wave"],
    ...     "wave.mp4",
    ...     handlore.SessionOptions(headless=True, countdown=0, coach=False),
    ...     keys=handlore.ScriptedKeys("r"),
    ... )
    >>> summary.kept
    {'wave': 1, 'none': 0}
    """
    options = options or SessionOptions()
    require_type(options, SessionOptions, "options such as SessionOptions(countdown=0)")
    given = [name for name in Labels(each(labels)).names if name != NONE_LABEL]
    spec = camera if isinstance(camera, CameraSpec) else camera_spec(str(camera))
    if not options.headless and (reason := why_no_window()) is not None:
        say(f"no window, keys are read from this terminal: {reason}")
        options = replace(options, headless=True)
    out = as_path(out)
    recordings = RecordingFolder.open(out)
    chosen = _merged_labels(given, recordings.labels())
    for note in _notes(recordings, options, spec, given, chosen):
        say(f"note: {note}")
    try:
        return _run(recordings, Session(chosen, options), spec, keys, say)
    except HandloreError:
        recordings.remove_unused()
        raise


def _notes(
    recordings: RecordingFolder,
    options: SessionOptions,
    spec: CameraSpec,
    given: Sequence[str],
    chosen: Sequence[str],
) -> Iterator[str]:
    """Yield what to know before a session with these labels."""
    for asked, there in zip(given, chosen, strict=False):
        if asked != there:
            yield f"{recordings.root} writes {asked} as {there}; so does this session"
    yield from recordings.warnings_for(options.subject, spec.text)
    if not options.headless and (lacking := unwritable(chosen)) is not None:
        yield lacking


def _run(
    recordings: RecordingFolder,
    session: Session,
    camera: CameraSpec,
    keys: Keys | None,
    say: Callable[[str], None],
) -> SessionSummary:
    options = session.options
    name = options.session or time.strftime("%Y%m%d-%H%M%S")
    wanted = DetectorOptions(
        landmarker=options.landmarker,
        max_hands=options.max_hands,
        detector=options.detector,
        video=True,
    )
    with ExitStack() as stack:
        stack.enter_context(ending_on_signals())
        stack.enter_context(quiet_native_log(not options.verbose))
        detector = stack.enter_context(open_detector(wanted, talk=say))
        feed = open_feed(camera)
        stack.callback(feed.close)
        if camera.live:
            # Keys that were typed before there is anything to see are dropped by the terminal.
            feed.next(_FIRST_FRAME)
        writer = RecordingWriter(recordings)
        stack.callback(_finish, recordings, writer, session, say)
        coach = BackgroundCoach()
        stack.callback(coach.close)

        def consult(_: object = None) -> None:
            if options.coach:
                coach.consult(recordings.root, session.labels.names)

        consult()
        keys, view = _window_or_terminal(stack, options, keys, say)
        recordings.order_labels(session.labels.names)
        stack.callback(lambda: recordings.order_labels(session.labels.names))
        info = SessionInfo(
            detector.info, camera.text, options.subject, name, options.note, options.max_hands
        )
        SessionLoop(
            SessionComponents(
                feed,
                detector,
                session,
                info,
                writer,
                keys,
                view,
                videos=VideoFolder(recordings.root) if options.keep_video else None,
                replays=not options.headless,
                advice=lambda: next(iter(coach.advice()), ""),
                on_written=consult,
            )
        ).run()
        # Advice on a folder that has since changed would be wrong.
        advice = coach.advice() if coach.is_settled else []
    kept = dict.fromkeys(session.labels.names, 0)
    for label, _ in writer.kept:
        kept[label] += 1
    return SessionSummary(name, kept, dict(writer.counts), len(writer.unsaved), advice)


def _finish(
    recordings: RecordingFolder,
    writer: RecordingWriter,
    session: Session,
    say: Callable[[str], None],
) -> None:
    """Wait for the disk, and say what became of the last recordings, whatever ended the session."""
    # What failed is tried again, and mostly fails for the same reason.
    for line in dict.fromkeys(written.line for written in writer.finish()):
        say(line)
    if session.is_unfinished:
        say("the unfinished recording was discarded")
    if session.is_undecided:
        restore = shell_line("handlore", "recordings", "restore", recordings.root, "NUMBER")
        say(
            "the session ended without a decision, so its last recording is discarded;"
            f" `{restore}` brings it back"
        )


def _window_or_terminal(
    stack: ExitStack, options: SessionOptions, keys: Keys | None, say: Callable[[str], None]
) -> tuple[Keys, SessionView]:
    """Open a window, or use the terminal: a source of keys, unless one is given, and a view."""
    if not options.headless:
        window = SessionWindow(quiet=options.quiet)
        stack.callback(window.close)
        return keys or window, window
    keys = keys or stack.enter_context(terminal_keys())
    say(_KEYS_LINE)
    line = StatusLine(quiet=options.quiet)
    stack.callback(line.close)
    return keys, line


def _merged_labels(given: Sequence[str], existing: Sequence[str]) -> tuple[str, ...]:
    """Return the given labels, spelt as the folder does, or else the labels of the folder."""
    if given:
        return tuple(same_label(label, existing) or label for label in given)
    found: list[str] = []
    for label in existing:
        if label == UNSORTED:
            continue
        with suppress(HandloreError):
            if same_label(checked_label(label), [*found, NONE_LABEL]) is None:
                found.append(label)
    return tuple(found)
