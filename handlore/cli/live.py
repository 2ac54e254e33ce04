"""``handlore live``: recognise gestures of a camera, and do something about it."""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from handlore.landmarks.errors import HandloreError

from ._common import detector_options, examples, json_option, parsed_size, talk
from ._recogniser import landmarker_for, loaded_models, recogniser_options, settings_of

if TYPE_CHECKING:
    from handlore.capture.actions.file import ActionSet
    from handlore.capture.cameras import CameraSpec
    from handlore.capture.live.buffer import LandmarkBuffer
    from handlore.capture.live.limiter import RateLimiter
    from handlore.capture.serve.guard import Address
    from handlore.capture.views.live import LiveView
    from handlore.datasets.recordings import RecordingFolder
    from handlore.landmarks.detector import DetectorOptions, HandDetector
    from handlore.models.stream.recogniser import HandRecogniser

SHARE = 0.9
"""Of the time that a camera gives, the rest is left to other programs."""


@dataclass(frozen=True)
class _Setup:
    """Everything that was asked for, checked before a camera is opened."""

    recognition: "HandRecogniser"
    labels: tuple[str, ...]
    plan: "ActionSet"
    camera: "CameraSpec"
    detector: "DetectorOptions"
    address: "Address | None"
    recordings: "RecordingFolder | None"
    given: dict[str, Any]


@click.command(
    "live",
    epilog=examples(
        "handlore live poses.onnx",
        "handlore live poses.onnx moves.onnx --actions actions.toml",
        "handlore live poses.onnx --actions actions.toml --dry-run",
        "handlore live poses.onnx --camera picamera --headless --serve 127.0.0.1:8000",
        "handlore live moves.onnx --headless --json | ./lights.py",
        "handlore live moves.onnx --record wrong_triggers",
    ),
)
@click.argument("models", nargs=-1, required=True, metavar="MODEL...",
                type=click.Path(path_type=Path))  # fmt: skip
@click.option("--camera", default="0", show_default=True, metavar="CAMERA",
              help="A number, /dev/video2, picamera, a video, or a folder of frames.")  # fmt: skip
@click.option("--size", default=None, metavar="WxH", show_default="640x480",
              help="What is asked of the camera.")  # fmt: skip
@click.option("--loop", is_flag=True, help="Play a file in the camera's place again and again.")
@click.option("--fast", is_flag=True, help="Play it as fast as it goes.")
@click.option("--actions", metavar="FILE", type=click.Path(path_type=Path), default=None,
              help="What to do for which label: a TOML file, see docs/live.md.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--headless", is_flag=True,
              help="No window; by itself where there is no display.")  # fmt: skip
@click.option("--serve", metavar="[HOST:]PORT", default=None,
              help="Show a page in browsers; 127.0.0.1:8000: for this computer alone.")  # fmt: skip
@click.option("--token", default=None, metavar="WORD", show_default="made where HOST is not this"
              " computer alone", help="What a browser must bring to see the page.")  # fmt: skip
@click.option("--max-fps", type=click.FloatRange(0.5, 1000), default=None,
              show_default="as the camera does", help="The most frames a second.")  # fmt: skip
@click.option("--max-hands", type=click.IntRange(1, 2), default=None,
              show_default="as the models take", help="How many hands are looked for.")  # fmt: skip
@click.option("--record", metavar="DIR", type=click.Path(path_type=Path), default=None,
              help="Keep the landmarks around each event, and of the last minutes at the end or"
              " with the key k, as recordings.")  # fmt: skip
@click.option("--remember", type=click.FloatRange(5, 3600), default=120.0, show_default=True,
              metavar="SECONDS", help="How much is remembered for --record.")  # fmt: skip
@click.option("--keep-video", is_flag=True,
              help="Keep the pictures too, as a video beside each recording; memory for some"
              " megabytes a second of --remember.")  # fmt: skip
@click.option("--subject", default="", help="Who is seen, for --record.")
@recogniser_options
@detector_options(landmarker=None)
@json_option
@click.pass_context
def command(ctx: click.Context, /, models: Sequence[Path], as_json: bool, **given: Any) -> None:
    """Recognise gestures of a camera as they are made.

    Each event is a line on stdout, with --json a line of JSON: label, start and end in seconds,
    probability, hand. With --actions something is done about it. Models of poses and of movements
    may be given together. What a model was not taught gives nothing.

    It ends with q, Ctrl-C (exit code 130), SIGTERM (143) or at the end of a file (0);
    with 1 if a recording of --record could not be written.
    """
    setup = _checked(models, given)
    try:
        _run(setup, as_json=as_json)
    except BrokenPipeError:
        # Who read the events has gone; what Python still wants to write goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        ctx.exit(0)


def _checked(models: Sequence[Path], given: dict[str, Any]) -> _Setup:
    """Check all that was asked for; opens neither camera nor window."""
    from handlore.capture.actions.file import ActionSet, load_actions
    from handlore.capture.cameras import CameraOptions, camera_spec
    from handlore.capture.serve.guard import Address, Guard
    from handlore.datasets.recordings import RecordingFolder
    from handlore.landmarks.detector import DetectorOptions
    from handlore.models.stream.recogniser import HandRecogniser, Recogniser

    _require_what_options_belong_to(given)
    loaded = loaded_models(models)
    labels = tuple(dict.fromkeys(label for model in loaded for label in model.card.labels))
    settings = settings_of(given)
    recognition = HandRecogniser(lambda: Recogniser(loaded, settings), given["max_hands"])
    plan = ActionSet(())
    if given["actions"] is not None:
        plan = load_actions(given["actions"], labels, check_computer=not given["dry_run"])
    options = CameraOptions(
        size=parsed_size(given["size"]), loop=given["loop"], paced=not given["fast"]
    )
    camera = camera_spec(given["camera"], options)
    address = None if given["serve"] is None else Address.parsed(given["serve"])
    if address is not None:
        Guard.of(address, given["token"])
    return _Setup(
        recognition, labels, plan, camera,
        DetectorOptions(
            landmarker=given["landmarker"] or landmarker_for(loaded),
            max_hands=recognition.max_hands, detector=given["detector"], live=True,
        ),
        address, None if given["record"] is None else RecordingFolder.open(given["record"]), given,
    )  # fmt: skip


def _require_what_options_belong_to(given: dict[str, Any]) -> None:
    """Refuse options that would do nothing: who gave them counts on it."""
    for flag, of, why in (
        ("dry_run", "actions", "--dry-run says what actions would do; give their file"),
        ("keep_video", "record", "--keep-video keeps pictures beside recordings; say where"),
        ("subject", "record", "--subject says who is seen in recordings; say where they go"),
        ("token", "serve", "--token is for who looks at the page; say where it is served"),
    ):
        if given[flag] and given[of] is None:
            raise HandloreError(f"{why} with --{of}")


def _run(setup: _Setup, *, as_json: bool) -> None:
    from handlore.capture.cameras import open_feed
    from handlore.capture.live.loop import LiveComponents, LiveLoop
    from handlore.capture.signals import ending_on_signals
    from handlore.capture.views.printer import Printer

    memory = None
    with ExitStack() as stack:
        stack.enter_context(ending_on_signals())
        printer = Printer(as_json=as_json)
        views: list[LiveView] = [printer]
        if setup.address is not None:
            views.append(_page(stack, setup))
        detector = _detector(stack, setup)
        views += _face(stack, setup)
        feed = open_feed(setup.camera)
        stack.callback(feed.close)
        if setup.recordings is not None:
            memory = _memory(setup, setup.recordings, detector, printer.say)
            stack.callback(memory.close)
            views.append(memory)
        printer.say(f"{feed.name}: {', '.join(setup.labels)}")
        live = LiveLoop(
            LiveComponents(
                feed, detector, setup.recognition, views, setup.plan, setup.given["dry_run"],
                _limiter(setup), real_time=setup.camera.live,
            )
        )  # fmt: skip
        live.run()
        printer.say(f"{live.frames} frames, {live.events} events")
    if memory is not None and memory.lost:
        were = "recording was" if memory.lost == 1 else "recordings were"
        raise HandloreError(f"{memory.lost} {were} not written to {setup.given['record']}")


def _limiter(setup: _Setup) -> "RateLimiter":
    from handlore.capture.live.limiter import RateLimiter, thermometer

    # A file is not the life of a machine: it is over soon.
    share = SHARE if setup.camera.live else 1.0
    return RateLimiter(setup.given["max_fps"] or inf, share, thermometer())


def _detector(stack: ExitStack, setup: _Setup) -> "HandDetector":
    from handlore.capture.live.limiter import ThrottledDetector
    from handlore.landmarks.detector import open_detector
    from handlore.landmarks.nativelog import quiet_native_log

    stack.enter_context(quiet_native_log(not setup.given["verbose"]))
    detector = stack.enter_context(open_detector(setup.detector, talk=talk))
    # The litert detector knows itself when to look.
    return ThrottledDetector(detector) if detector.info.name == "mediapipe" else detector


def _page(stack: ExitStack, setup: _Setup) -> "LiveView":
    from handlore.capture.serve.server import Hub, PageServer
    from handlore.capture.views.page import PageView

    assert setup.address is not None  # noqa: S101, the caller has looked
    hub = Hub()
    server = PageServer(hub, setup.address, setup.given["token"])
    stack.callback(server.close)
    talk(f"the page: {server.url}")
    return PageView(hub)


def _face(stack: ExitStack, setup: _Setup) -> "list[LiveView]":
    """Open the window; or, without one, take keys from the terminal if there is one."""
    if not setup.given["headless"] and not _no_display(setup):
        from handlore.capture.views.live import LiveWindow

        window = LiveWindow()
        stack.callback(window.close)
        return [window]
    if sys.stdin is None or not sys.stdin.isatty():  # None: it was closed
        return []
    from handlore.capture.views.live import KeysOnly

    return [KeysOnly(stack.enter_context(_terminal()))]


def _no_display(setup: _Setup) -> bool:
    from handlore.capture.window import why_no_window

    reason = why_no_window()
    if reason is not None and setup.address is None:
        talk(f"no window: {reason}")
    return reason is not None


def _terminal() -> Any:
    if sys.platform == "win32":
        from handlore.capture.terminal import Console

        return Console()
    from handlore.capture.terminal import Terminal

    return Terminal()


def _memory(
    setup: _Setup,
    recordings: "RecordingFolder",
    detector: "HandDetector",
    say: Callable[[str], None],
) -> "LandmarkBuffer":
    import time

    from handlore.capture.live.buffer import LandmarkBuffer
    from handlore.capture.recording.take import SessionInfo
    from handlore.capture.recording.video import VideoFolder
    from handlore.capture.recording.writer import RecordingWriter

    sitting = SessionInfo(
        detector.info, setup.camera.text, setup.given["subject"],
        session=time.strftime("live-%Y%m%d-%H%M%S"), max_hands=setup.recognition.max_hands,
    )  # fmt: skip
    return LandmarkBuffer(
        RecordingWriter(recordings), sitting, setup.given["remember"], say,
        videos=VideoFolder(recordings.root) if setup.given["keep_video"] else None,
    )  # fmt: skip
