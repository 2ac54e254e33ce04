"""A whole live run: opens what it needs, runs the loop, and closes everything."""

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from math import inf
from numbers import Real
from pathlib import Path

from handlore.datasets.dataset import NONE_LABEL
from handlore.datasets.recording_files import labels_in_marker
from handlore.datasets.recordings import RecordingFolder
from handlore.landmarks.detector import DetectorOptions, HandDetector
from handlore.landmarks.errors import HandloreError, counted, require_type
from handlore.landmarks.files import each
from handlore.landmarks.fonts import unwritable
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.opening import open_detector
from handlore.models.files import load_models, required_landmarker
from handlore.models.model import Model
from handlore.models.ready import LIVE_MODELS
from handlore.models.stream.events import Event
from handlore.models.stream.recogniser import Recogniser
from handlore.models.stream.settings import RecogniserSettings

from ..actions.file import ActionSet, load_model_actions
from ..cameras import CameraSpec, camera_spec, open_feed
from ..keys import Keys, ending_on_signals, terminal_keys
from ..outputs.base import Output, make_output
from ..outputs.home_assistant import HomeAssistant
from ..outputs.sender import Sender
from ..recording.writer import RecordingWriter, SessionInfo, VideoFolder
from ..serve.guard import Address, Guard
from ..serve.server import Hub, PageServer
from ..views.live import LiveWindow, PageView
from ..window import why_no_window
from .buffer import LandmarkBuffer
from .limiter import RateLimiter, ThrottledDetector, thermometer
from .loop import LiveComponents, LiveLoop, LiveView

_SHARE = 0.9
"""Of the time between frames; the rest is left to other programs."""

_SESSION = "live-"
"""How the session of recordings of a live run begins."""


@dataclass(frozen=True)
class LiveOptions:
    """Options of a live run.

    Raises
    ------
    HandloreError
        If an option has no effect without another one.
    """

    actions: str | Path | None = None
    """A TOML file of actions, such as :func:`~handlore.capture.actions.file.preset_file`."""
    dry_run: bool = False
    """Only report which actions would be run."""
    window: bool = False
    """Show a window, if there is a display."""
    terminal: bool = False
    """Read keys from the terminal if there is no window."""
    serve: str | None = None
    """Serve a page for browsers at this ``host:port``."""
    token: str | None = None
    """What a browser must present; default: made where the host is not this computer alone."""
    send: tuple[str, ...] = ()
    """Addresses of receivers of landmarks and events: ``udp://``, ``tcp://``, ``osc://``,
    ``mqtt://``."""
    landmarks_fps: float = inf
    """Most frames of landmarks per second that each receiver and WebSocket is sent."""
    home_assistant: str | None = None
    """``mqtt://user:password@host/prefix``: the broker of a Home Assistant that finds the gestures
    by itself."""
    home_assistant_name: str | None = None
    """The name of the device in Home Assistant; default: that of this computer."""
    max_fps: float = inf
    """Most frames per second."""
    max_hands: int | None = None
    """How many hands to detect; default: as many as the models take."""
    record: str | Path | None = None
    """A folder of recordings for the landmarks around each event."""
    buffer_seconds: float = 120.0
    """Length of the buffer that is recorded at the end."""
    keep_video: bool = False
    """Record the pictures too."""
    subject: str = ""
    """Who is recorded."""
    settings: RecogniserSettings = field(default_factory=RecogniserSettings)

    landmarker: str | None = None
    """``full`` or ``lite``; default: as the models were trained."""
    detector: str = "auto"
    hand: str = ""
    """Which of two hands is used, see :class:`~handlore.landmarks.detector.DetectorOptions`."""
    verbose: bool = False
    """Let native libraries write to stderr."""

    def __post_init__(self) -> None:
        for given, needed, message in (
            (self.dry_run, self.actions, "`dry_run` needs a file of actions: `actions`"),
            (self.keep_video, self.record, "`keep_video` needs a folder of recordings: `record`"),
            (self.subject, self.record, "`subject` needs a folder of recordings: `record`"),
            (
                self.home_assistant_name is not None,
                self.home_assistant,
                "`home_assistant_name` needs a broker: `home_assistant` mqtt://HOST",
            ),
            (self.token is not None, self.serve, "`token` needs an address of the page: `serve`"),
        ):
            if given and needed is None:
                raise HandloreError(message)
        for name in ("max_fps", "landmarks_fps", "buffer_seconds"):
            value = require_type(getattr(self, name), Real, f"a number as {name}")
            if not value > 0:
                raise HandloreError(f"{name} is {value}, expected more than 0")


@dataclass(frozen=True)
class LiveSummary:
    """The result of a live run."""

    frames: int
    events: int
    unsaved: int
    """Recordings that could not be written."""


@dataclass(frozen=True)
class _Setup:
    """What the options name, checked."""

    recogniser: Recogniser
    labels: tuple[str, ...]
    actions: ActionSet
    camera: CameraSpec
    detector: DetectorOptions
    address: Address | None
    recordings: RecordingFolder | None
    outputs: tuple[Output, ...]


def run_live(
    models: Sequence[str | Path | Model] | str | Path | Model = LIVE_MODELS,
    camera: str | Path | CameraSpec = "0",
    on_event: Callable[[Event], object] | None = None,
    options: LiveOptions | None = None,
    *,
    views: Sequence[LiveView] = (),
) -> LiveSummary:
    """Recognise gestures of a camera until somebody quits.

    It ends with the key q, at the end of a file, or with KeyboardInterrupt or SystemExit at a
    signal (in the main thread). Everything is checked before the camera is opened.

    Parameters
    ----------
    models
        Files of models of poses or movements, names of models that come with handlore, or loaded
        ones; default: ``everyday`` and ``movements``.
    camera
        A number such as ``"0"``, ``/dev/video2``, ``picamera``, a video or a folder of frames, or
        what :func:`~handlore.capture.cameras.camera_spec` returns.
    on_event
        Called with each event, in the thread of the caller; with ``hold_interval`` in the settings
        also while a pose is held, and at its end.
    options
        Actions, window, page, recording and recogniser.
    views
        Receive frames, events and messages.

    Raises
    ------
    HandloreError
        If a model, an option, the camera or the detector cannot be used.

    Examples
    --------
    >>> summary = handlore.run_live(
    ...     ["moves.onnx"], "wave.mp4", on_event=lambda event: print(event.label)
    ... )
    wave
    """
    options = options or LiveOptions()
    require_type(options, LiveOptions, 'options such as LiveOptions(actions="actions.toml")')
    if on_event is not None and not callable(on_event):
        raise HandloreError(
            f"expected a function of an event, but got {type(on_event).__name__} as on_event"
        )

    def say(text: str) -> None:
        for view in views:
            view.say(text)

    loaded, notes = load_models(models)
    for note in notes:
        say(f"note: {note}")
    setup = _check(loaded, camera, options)
    shown = [*views, *([_EventCallback(on_event)] if on_event is not None else [])]
    return _run(setup, options, shown, say)


def _run(
    setup: _Setup, options: LiveOptions, shown: list[LiveView], say: Callable[[str], None]
) -> LiveSummary:
    buffer = None
    with ExitStack() as stack:
        stack.enter_context(ending_on_signals())
        if setup.address is not None:
            shown += _page(stack, setup.address, options, say)
        for output in setup.outputs:
            sender = Sender(output, say, options.landmarks_fps)
            stack.callback(sender.close)
            shown.append(sender)
        detector = _detector(stack, setup, options, say)
        shown += _window_or_keys(stack, options, setup.labels, say)
        feed = open_feed(setup.camera, max_fps=options.max_fps)
        stack.callback(feed.close)
        if setup.recordings is not None:
            buffer = _buffer(setup, setup.recordings, detector, options, say)
            stack.callback(buffer.close)
            shown.append(buffer)
        say(f"{feed.name}: {', '.join(setup.labels)}")
        # A file is over soon, the machine need not be spared; its feed limits the frame rate.
        share, max_fps = (_SHARE, options.max_fps) if setup.camera.live else (1.0, inf)
        loop = LiveLoop(
            LiveComponents(
                feed,
                detector,
                setup.recogniser,
                shown,
                setup.actions,
                options.dry_run,
                RateLimiter(max_fps, share, thermometer()),
                real_time=setup.camera.live,
                hold_interval=options.settings.hold_interval,
            )
        )
        loop.run()
        say(f"{counted(loop.frames, 'frame')}, {counted(loop.events, 'event')}")
    return LiveSummary(loop.frames, loop.events, 0 if buffer is None else buffer.lost)


def _check(
    models: Sequence[Model], camera: str | Path | CameraSpec, options: LiveOptions
) -> _Setup:
    """Check all options; opens neither camera nor window."""
    labels = tuple(dict.fromkeys(label for model in models for label in model.card.labels))
    actions = ActionSet(())
    if options.actions is not None:
        actions = load_model_actions(options.actions, models, check_computer=not options.dry_run)
    settings = actions.settings(options.settings)
    recogniser = Recogniser(models, settings, max_hands=options.max_hands)
    spec = camera if isinstance(camera, CameraSpec) else camera_spec(str(camera))
    address = None if options.serve is None else Address.parsed(options.serve)
    if address is not None:
        Guard.of(address, options.token)
    detector = DetectorOptions(
        landmarker=options.landmarker or required_landmarker(models),
        max_hands=recogniser.n_hands,
        detector=options.detector,
        video=True,
        hand=options.hand,
    )
    recordings = None if options.record is None else RecordingFolder.open(options.record)
    outputs = [make_output(text) for text in each(options.send)]
    if options.home_assistant is not None:
        name = options.home_assistant_name or ""
        outputs.append(HomeAssistant(options.home_assistant, labels, name))
    return _Setup(recogniser, labels, actions, spec, detector, address, recordings, tuple(outputs))


def _detector(
    stack: ExitStack, setup: _Setup, options: LiveOptions, say: Callable[[str], None]
) -> HandDetector:
    stack.enter_context(quiet_native_log(not options.verbose))
    detector = stack.enter_context(open_detector(setup.detector, talk=say))
    # The litert detector has a schedule of its own; a file gives the same landmarks as offline.
    throttled = setup.camera.live and detector.info.name == "mediapipe"
    return ThrottledDetector(detector) if throttled else detector


def _page(
    stack: ExitStack, address: Address, options: LiveOptions, say: Callable[[str], None]
) -> list[LiveView]:
    hub = Hub()
    hub.channel.limit(options.landmarks_fps)
    server = PageServer(hub, address, options.token)
    stack.callback(server.close)
    say(f"the page: {server.url}")
    return [PageView(hub), hub.channel]


def _window_or_keys(
    stack: ExitStack, options: LiveOptions, labels: Sequence[str], say: Callable[[str], None]
) -> list[LiveView]:
    """Open the window; without one read keys from the terminal, if there is one."""
    if options.window:
        reason = why_no_window()
        if reason is None:
            window = LiveWindow()
            stack.callback(window.close)
            if (lacking := unwritable(labels)) is not None:
                say(f"note: {lacking}")
            return [window]
        if options.serve is None:
            say(f"no window: {reason}")
    # stdin is None where it was closed.
    if not options.terminal or sys.stdin is None or not sys.stdin.isatty():
        return []
    return [_TerminalKeys(stack.enter_context(terminal_keys()))]


def _buffer(
    setup: _Setup,
    recordings: RecordingFolder,
    detector: HandDetector,
    options: LiveOptions,
    say: Callable[[str], None],
) -> LandmarkBuffer:
    info = SessionInfo(
        detector.info,
        setup.camera.text,
        options.subject,
        session=time.strftime(f"{_SESSION}%Y%m%d-%H%M%S"),
        max_hands=setup.recogniser.n_hands,
    )
    if all(entry.session.startswith(_SESSION) for entry in recordings.entries()):
        # What a review offers; a folder of `capture` keeps its own.
        known = labels_in_marker(recordings.root)
        shown = [label for label in setup.labels if label != NONE_LABEL]
        recordings.order_labels(list(dict.fromkeys([*known, *shown])))
    videos = VideoFolder(recordings.root) if options.keep_video else None
    writer = RecordingWriter(recordings)
    return LandmarkBuffer(writer, info, options.buffer_seconds, say, videos=videos)


class _EventCallback(LiveView):
    """Calls a function with each event."""

    def __init__(self, function: Callable[[Event], object]) -> None:
        self._function = function

    def on_event(self, event: Event) -> None:
        self._function(event)

    on_hold = on_event


class _TerminalKeys(LiveView):
    """Gives the keys of a terminal; shows nothing."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def pressed(self) -> list[str]:
        return self._keys.pressed()
