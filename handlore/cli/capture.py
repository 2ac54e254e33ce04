"""``handlore capture``: record labelled gestures by hotkey, in one sitting."""

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from handlore.landmarks.errors import HandloreError

from ._common import (
    detector_options,
    examples,
    json_option,
    print_json,
    print_table,
    talk,
)

if TYPE_CHECKING:
    from handlore.capture.cameras import CameraSpec
    from handlore.capture.keys import Keys
    from handlore.capture.loop import View
    from handlore.capture.options import SessionOptions
    from handlore.datasets.recordings import Recordings
    from handlore.landmarks.detector import HandDetector

SECONDS = 2.0
"""How long a recording is unless another length is asked for."""


@dataclass(frozen=True)
class _Plan:
    """What a session is to be, checked before a camera is opened."""

    out: Path
    options: "SessionOptions"
    camera: "CameraSpec"
    subject: str
    session: str
    note: str
    max_hands: int
    landmarker: str
    detector: str
    keep_video: bool
    quiet: bool
    headless: bool
    verbose: bool


@click.command(
    "capture",
    epilog=examples(
        "handlore capture --out my_gestures --labels swipe_left,swipe_right,stop --subject anna",
        "handlore capture --out my_gestures --labels wave --until hand-gone --keep-video",
        "handlore capture --out my_gestures --labels fist,palm --camera picamera --headless",
        "handlore capture --out my_gestures --labels stop --camera clip.mp4 --frames 30",
    ),
)
@click.option("--out", required=True, metavar="DIR", type=click.Path(path_type=Path),
              help="The folder of recordings; one that is there goes on.")  # fmt: skip
@click.option("--labels", default="", metavar="A,B,C",
              help="What is recorded; + adds more. `none` always is.")  # fmt: skip
@click.option("--subject", default="", help="Who is recorded: people that a test must keep apart.")
@click.option("--session", default=None, show_default="date and time", help="Name of this sitting.")
@click.option("--note", default="", help="Anything worth knowing, such as the light.")
@click.option("--camera", default="0", show_default=True, metavar="CAMERA",
              help="A number, /dev/video2, picamera, a video, or a folder of frames.")  # fmt: skip
@click.option("--size", default=None, metavar="WxH", show_default="640x480",
              help="What is asked of the camera.")  # fmt: skip
@click.option("--fps", type=click.FloatRange(0, min_open=True), default=None,
              show_default="as the camera does",
              help="Frames a second asked of the camera, or of a folder of frames.")  # fmt: skip
@click.option("--backend", default="auto", show_default=True,
              help="How OpenCV talks to webcams: v4l2, gstreamer, ffmpeg, msmf, dshow,"
              " avfoundation.")  # fmt: skip
@click.option("--loop", is_flag=True, help="Play a file in the camera's place again and again.")
@click.option(
    "--frames", type=click.IntRange(1), default=None, help="A recording is so many frames."
)
@click.option("--seconds", type=click.FloatRange(0, min_open=True), default=None,
              show_default=f"{SECONDS:g}", help="A recording is so long.")  # fmt: skip
@click.option("--until", type=click.Choice(["key", "hand-gone"]), default=None,
              help="A recording ends with the key, or when the hand is gone.")  # fmt: skip
@click.option("--countdown", type=float, default=2.0, show_default=True, metavar="SECONDS",
              help="From the key to the first frame.")  # fmt: skip
@click.option("--review", type=float, default=2.0, show_default=True, metavar="SECONDS",
              help="So long `u` refuses a recording before it is kept.")  # fmt: skip
@click.option("--burst", type=click.IntRange(1), default=5, show_default=True,
              help="How many recordings `b` makes.")  # fmt: skip
@click.option("--pause", type=float, default=1.0, show_default=True, metavar="SECONDS",
              help="Between two of them.")  # fmt: skip
@click.option("--missing", type=float, default=0.2, show_default=True, metavar="SHARE",
              help="A recording without a hand in more of its frames is asked about.")  # fmt: skip
@click.option("--max-hands", type=click.IntRange(1, 2), default=1, show_default=True,
              help="How many hands are looked for.")  # fmt: skip
@click.option("--keep-video", is_flag=True, help="Keep the pictures too, as a video beside each.")
@click.option("--headless", is_flag=True,
              help="No window, keys and state in the terminal; by itself where there is no"
              " display.")  # fmt: skip
@click.option("--quiet", is_flag=True, help="No sounds.")
@detector_options()
@json_option
@click.pass_context
def command(ctx: click.Context, /, as_json: bool, **given: Any) -> None:
    """Record labelled gestures, with a key for everything.

    `r` or space records, 1-9 or n and p choose the label, u discards, q ends, h shows the rest.
    A recording is kept by itself a moment after it was made; one in which no hand is seen is
    asked about. Nothing reaches the disk before it is kept, and then it is there whatever
    happens. Recordings hold landmarks, not pictures. What comes out is read by train, crossval,
    evaluate and predict.
    """
    from handlore.datasets.recordings import Recordings

    plan = _planned(given)
    recordings = Recordings.open(plan.out)
    for line in recordings.warnings_for(plan.subject, plan.camera.text):
        talk(f"note: {line}")
    summary = _record(plan, recordings)
    _print(plan, summary, as_json)
    if summary["unsaved"]:
        ctx.exit(1)


def _planned(given: dict[str, Any]) -> _Plan:
    """Check all options."""
    from handlore.capture.cameras import CameraOptions, camera_spec
    from handlore.capture.labels import Labels
    from handlore.capture.options import SessionOptions

    labels = [label for label in given["labels"].split(",") if label.strip()]
    open_ended = given["until"] or given["frames"] or given["seconds"]
    if given["until"] == "key" and (given["frames"] or given["seconds"]):
        raise HandloreError("--until key contradicts --frames and --seconds; give one of them")
    options = SessionOptions(
        labels=tuple(labels),
        frames=given["frames"] or 0,
        seconds=given["seconds"] or (0.0 if open_ended else SECONDS),
        hand_gone=given["until"] == "hand-gone",
        countdown=given["countdown"],
        review=given["review"],
        burst=given["burst"],
        pause=given["pause"],
        most_missing=given["missing"],
        longest_stream=VIDEO_STREAM if given["keep_video"] else SessionOptions.longest_stream,
    )
    Labels(options.labels)
    camera = camera_spec(
        given["camera"],
        CameraOptions(
            size=_size(given["size"]), frame_rate=given["fps"] or 0.0,
            backend=given["backend"], loop=given["loop"],
        ),
    )  # fmt: skip
    same = ("out", "subject", "note", "max_hands", "landmarker", "detector", "keep_video", "quiet",
            "verbose")  # fmt: skip
    session = given["session"] or time.strftime("%Y%m%d-%H%M%S")
    headless = given["headless"] or _chooses_headless()
    return _Plan(
        options=options, camera=camera, session=session, headless=headless,
        **{name: given[name] for name in same},
    )  # fmt: skip


VIDEO_STREAM = 120.0
"""A stream of ``none`` whose pictures are kept in memory ends after so many seconds."""


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    width, _, height = text.lower().partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise HandloreError(f"--size is {text!r}, expected width x height such as 640x480")
    return int(width), int(height)


def _chooses_headless() -> bool:
    from handlore.capture.display import why_no_window

    reason = why_no_window()
    if reason is not None:
        talk(f"no window, the keys are read in this terminal: {reason}")
    return reason is not None


def _record(plan: _Plan, recordings: "Recordings") -> dict[str, Any]:
    from handlore.capture.cameras import open_feed
    from handlore.capture.loop import Loop, Parts, close_writer
    from handlore.capture.session import Session
    from handlore.capture.signals import ending_on_signals
    from handlore.capture.take import Sitting
    from handlore.capture.video import NoVideo, VideoFolder
    from handlore.capture.writer import Writer

    with ExitStack() as stack:
        stack.enter_context(ending_on_signals())
        detector = stack.enter_context(_detector(plan))
        feed = open_feed(plan.camera)
        stack.callback(feed.close)
        writer = Writer(recordings)
        before = dict(writer.counts)
        stack.callback(close_writer, writer, talk)
        keys, view = stack.enter_context(_face(plan))
        sitting = Sitting(
            detector.info, plan.camera.text, plan.subject, plan.session, plan.note, plan.max_hands
        )
        Loop(
            Parts(
                feed, detector, Session(plan.options), sitting, writer, keys, view,
                videos=VideoFolder(plan.out).begin if plan.keep_video else NoVideo,
            )
        ).run()  # fmt: skip
    return {
        "out": str(plan.out),
        "session": plan.session,
        "kept": len(writer.kept),
        "recordings": {
            label: {"kept": count - before.get(label, 0), "all": count}
            for label, count in sorted(writer.counts.items())
        },
        "unsaved": len(writer.unsaved),
    }


@contextmanager
def _detector(plan: _Plan) -> "Iterator[HandDetector]":
    from handlore.landmarks.detector import DetectorOptions, open_detector
    from handlore.landmarks.nativelog import quiet_native_log

    options = DetectorOptions(
        landmarker=plan.landmarker, max_hands=plan.max_hands, detector=plan.detector, live=True
    )
    with quiet_native_log(not plan.verbose), open_detector(options, talk=talk) as detector:
        yield detector


@contextmanager
def _face(plan: _Plan) -> "Iterator[tuple[Keys, View]]":
    """Open what the session is seen and steered by: a window, or the terminal."""
    if not plan.headless:
        from handlore.capture.window import Window

        with Window("handlore capture", quiet=plan.quiet) as window:
            yield window, window
        return
    from handlore.capture.statusline import StatusLine

    talk("keys: r record, 1-9 n p label, u discard, k keep, h all keys, q end")
    with _terminal() as keys:
        line = StatusLine(quiet=plan.quiet)
        try:
            yield keys, line
        finally:
            line.close()


def _terminal() -> Any:
    if sys.platform == "win32":
        from handlore.capture.console import Console

        return Console()
    from handlore.capture.terminal import Terminal

    return Terminal()


def _print(plan: _Plan, summary: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(summary)
        return
    rows = [[label, row["kept"], row["all"]] for label, row in summary["recordings"].items()]
    if rows:
        print_table(["label", "this session", "all"], rows)
    if summary["unsaved"]:
        talk(f"{summary['unsaved']} recordings could not be written and are lost")
    elif summary["kept"]:
        talk(f"next: handlore train {plan.out} --out gestures.onnx")
