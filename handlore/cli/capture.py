"""``handlore capture``: record labelled gestures by hotkey, in one session."""

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import click

from handlore.capture.cameras import CameraOptions, camera_spec
from handlore.capture.recording.options import SessionOptions
from handlore.capture.recording.run import SessionSummary, record
from handlore.landmarks.errors import OptionError, counted, shell_line

from ._common import (
    PATH,
    NumberRange,
    camera_options,
    detector_options,
    examples,
    field_option,
    json_option,
    print_json,
    talk,
)
from ._rich import print_table

_SECONDS = 2.0
"""Length of a recording unless another one is asked for."""
_VIDEO_STREAM = 120.0
"""A stream of `none` whose pictures are kept in memory ends after this time; seconds."""
_MOVED = "recordings are reviewed and edited with `handlore recordings` (review, list,"
_MOVED += " discard, restore, relabel); --review takes seconds"


_setting = partial(field_option, SessionOptions)


def _seconds_of_review(_ctx: click.Context, _: click.Parameter, value: str) -> float:
    """Return the seconds; refuse the folder that the option used to take."""
    try:
        return float(value)
    except ValueError:
        raise OptionError(_MOVED) from None


def _moved(_ctx: click.Context, _: click.Parameter, value: tuple[str, ...]) -> None:
    if value:
        raise OptionError(_MOVED)


@click.command(
    "capture",
    epilog=examples(
        "handlore capture --out my_gestures --labels swipe_left,swipe_right,stop --subject anna",
        "handlore capture --out my_gestures --labels wave --until hand-gone --keep-video",
        "handlore capture --out my_gestures --labels fist,palm --camera picamera --headless",
        "handlore capture --out my_gestures --labels stop --camera clip.mp4 --frames 30",
        "handlore recordings review my_gestures",
    ),
)
@click.option(
    "--out",
    metavar="DIR",
    required=True,
    type=PATH,
    help="The folder of recordings; an existing one is extended.",
)
@click.option(
    "--labels",
    default="",
    metavar="A,B,C",
    help="What to record; default: the labels of the folder. The key + adds one; `none` is always"
    " one.",
)
@click.option("--subject", default="", help="Who is recorded; tests keep people apart.")
@click.option("--session", default="", show_default="date and time", help="Name of this session.")
@click.option("--note", default="", help="Anything worth knowing, such as the light.")
@camera_options
@click.option(
    "--fps",
    type=NumberRange(0, min_open=True),
    show_default="the camera's frame rate",
    help="Frames per second requested of the camera, or of a folder of frames.",
)
@click.option(
    "--backend",
    default="auto",
    show_default=True,
    help="How OpenCV reads webcams: v4l2, gstreamer, ffmpeg, msmf, dshow, avfoundation.",
)
@click.option("--frames", type=click.IntRange(1), help="Length of a recording in frames.")
@click.option(
    "--seconds",
    type=NumberRange(0, min_open=True),
    show_default=f"{_SECONDS:g}",
    help="Length of a recording in seconds.",
)
@click.option(
    "--until",
    type=click.Choice(["key", "hand-gone"]),
    help="A recording ends with the key, or when the hand is gone.",
)
@_setting("countdown", float, "Time from the key to the first frame.", "SECONDS")
@click.option(
    "--review",
    callback=_seconds_of_review,
    default="2",
    show_default=True,
    metavar="SECONDS",
    help="Time to discard a recording with `u` before it is kept.",
)
@click.option(
    "--discard",
    "--restore",
    "--relabel",
    "moved",
    callback=_moved,
    multiple=True,
    hidden=True,
    expose_value=False,
)
@_setting("burst", click.IntRange(1), "How many recordings `b` makes.")
@_setting("pause", float, "Time between the recordings of a burst.", "SECONDS")
@_setting(
    "most_missing",
    float,
    "Ask whether to keep a recording without a hand in more than this share of its frames.",
    "SHARE",
    name="missing",
)
@_setting("max_hands", click.IntRange(1, 2), "How many hands to detect.")
@click.option("--keep-video", is_flag=True, help="Keep the pictures too, as a video beside each.")
@click.option(
    "--headless",
    is_flag=True,
    help="No window, keys and state in the terminal; the default without a display.",
)
@click.option(
    "--coach/--no-coach",
    default=True,
    show_default=True,
    help="Work out in the background what to record next.",
)
@click.option("--quiet", is_flag=True, help="No sounds.")
@detector_options()
@json_option
@click.pass_context
def command(ctx: click.Context, /, out: Path, as_json: bool, **given: Any) -> None:
    """Record labelled gestures with a camera.

    `r` or space records, 1-9 or n and p choose the label, u discards, q quits, h shows all keys.
    A recording is kept automatically after a moment; if the hand was not detected in many of its
    frames, you are asked first. Nothing is written before it is kept, and what is kept survives a
    crash. Recordings hold landmarks, not pictures. train, crossval, evaluate and predict read the
    folder; `handlore recordings` lists, plays, discards and relabels what it holds.
    """
    labels = [label for label in given["labels"].split(",") if label.strip()]
    options = _options(given)
    wanted = CameraOptions(
        size=given["size"],
        frame_rate=given["fps"] or 0.0,
        backend=given["backend"],
        loop=given["loop"],
    )
    camera = camera_spec(given["camera"], wanted)
    summary = record(out, labels, camera, options, say=talk)
    _print(out, summary, as_json)
    if summary.unsaved:
        ctx.exit(1)


def _options(given: dict[str, Any]) -> SessionOptions:
    length = given["frames"] or given["seconds"]
    if given["until"] == "key" and length:
        raise OptionError("--until key contradicts --frames and --seconds; give one of them")
    same = (
        "countdown review burst pause subject session note keep_video headless coach quiet"
        " max_hands landmarker detector verbose"
    )
    return SessionOptions(
        frames=given["frames"] or 0,
        seconds=given["seconds"] or (0.0 if length or given["until"] else _SECONDS),
        hand_gone=given["until"] == "hand-gone",
        most_missing=given["missing"],
        longest_stream=_VIDEO_STREAM if given["keep_video"] else SessionOptions.longest_stream,
        **{name: given[name] for name in same.split()},
    )


def _print(out: Path, summary: SessionSummary, as_json: bool) -> None:
    if as_json:
        print_json({"out": str(out)} | asdict(summary))
        return
    rows = [[label, n, summary.counts.get(label, 0)] for label, n in summary.kept.items()]
    print_table(["label", "this session", "in the folder"], rows)
    for line in summary.advice:
        talk(f"coach: {line}")
    if summary.unsaved:
        lost = counted(summary.unsaved, "recording")
        talk(f"{lost} could not be written and {'is' if summary.unsaved == 1 else 'are'} lost")
    elif any(summary.kept.values()) and sum(map(bool, summary.counts.values())) > 1:
        talk(f"next: {shell_line('handlore', 'train', out, '--out', 'gestures.onnx')}")
