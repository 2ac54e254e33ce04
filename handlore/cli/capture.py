"""``handlore capture``: record labelled gestures by hotkey, in one sitting."""

import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from handlore.landmarks.errors import HandloreError

from ._common import (
    detector_options,
    examples,
    json_option,
    parsed_size,
    print_json,
    print_table,
    talk,
)
from ._review import Edits, edit_options, review_recordings, seconds_or_folder

if TYPE_CHECKING:
    from handlore.capture.cameras import CameraSpec
    from handlore.capture.recording.options import SessionOptions
    from handlore.capture.recording.run import SessionSetup, SessionSummary
    from handlore.datasets.recordings import RecordingFolder

SECONDS = 2.0
"""How long a recording is unless another length is asked for."""

VIDEO_STREAM = 120.0
"""A stream of `none` whose pictures are kept in memory ends after so many seconds."""


@click.command(
    "capture",
    epilog=examples(
        "handlore capture --out my_gestures --labels swipe_left,swipe_right,stop --subject anna",
        "handlore capture --out my_gestures --labels wave --until hand-gone --keep-video",
        "handlore capture --out my_gestures --labels fist,palm --camera picamera --headless",
        "handlore capture --out my_gestures --labels stop --camera clip.mp4 --frames 30",
        "handlore capture --review my_gestures",
        "handlore capture --review my_gestures --discard 7 --relabel 9=stop",
    ),
)
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path),
              help="The folder of recordings; one that is there goes on.")  # fmt: skip
@click.option("--labels", default="", metavar="A,B,C",
              help="What is recorded; else what the folder holds. + adds more; `none` always"
              " is.")  # fmt: skip
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
@click.option("--review", callback=seconds_or_folder, default="2", show_default=True,
              metavar="SECONDS|DIR", help="So long `u` refuses a recording before it is kept; or"
              " a folder of recordings to step through.")  # fmt: skip
@edit_options
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
@click.option("--coach/--no-coach", default=True, show_default=True,
              help="Think about what to record next, in the background.")  # fmt: skip
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

    `--review DIR` records nothing: it plays the recordings of a folder as drawn hands; u discards
    one, k brings it back, a digit or + gives it another label. --headless lists them instead.
    """
    edits = Edits(*(given.pop(name) for name in ("discard", "restore", "relabel")))
    if isinstance(given["review"], Path):
        review_recordings(given["review"], edits, headless=given["headless"], as_json=as_json)
        return
    if edits:
        raise HandloreError("--discard, --restore and --relabel need a folder: --review DIR")
    if given["out"] is None:
        raise click.MissingParameter(ctx=ctx, param_hint="'--out'", param_type="option")
    from handlore.capture.recording.run import run_session
    from handlore.datasets.recordings import RecordingFolder

    plan, out = _planned(given), given["out"]
    is_new = not out.exists()
    recordings = RecordingFolder.open(out)
    plan = _with_labels_of(recordings, plan)
    for line in recordings.warnings_for(plan.subject, plan.camera.text):
        talk(f"note: {line}")
    try:
        outcome = run_session(plan, recordings, talk)
    except HandloreError:
        if is_new:
            recordings.remove_unused()
        raise
    _print(out, plan, outcome, as_json)
    if outcome.unsaved:
        ctx.exit(1)


def _planned(given: dict[str, Any]) -> "SessionSetup":
    """Check all options, before a camera is opened."""
    from handlore.capture.recording.run import SessionSetup
    from handlore.landmarks.detector import DetectorOptions

    options, camera = _options(given), _camera(given)
    detector = DetectorOptions(
        landmarker=given["landmarker"], max_hands=given["max_hands"], detector=given["detector"],
        live=True,
    )  # fmt: skip
    same = ("subject", "note", "keep_video", "coach", "quiet", "verbose")
    return SessionSetup(
        camera,
        options,
        detector,
        session=given["session"] or time.strftime("%Y%m%d-%H%M%S"),
        headless=given["headless"] or _chooses_headless(),
        **{name: given[name] for name in same},
    )


def _with_labels_of(recordings: "RecordingFolder", plan: "SessionSetup") -> "SessionSetup":
    """Go on with the labels of a folder, and as they are written there."""
    from handlore.capture.recording.labels import offered

    given = plan.options.labels
    labels = offered(given, recordings.labels())
    for asked, there in zip(given, labels, strict=False):
        if asked != there:
            talk(f"note: {recordings.root} writes {asked} as {there}; so does this session")
    return replace(plan, options=replace(plan.options, labels=labels))


def _options(given: dict[str, Any]) -> "SessionOptions":
    from handlore.capture.recording.labels import Labels
    from handlore.capture.recording.options import SessionOptions
    from handlore.datasets.dataset import NONE_LABEL

    length = given["frames"] or given["seconds"]
    if given["until"] == "key" and length:
        raise HandloreError("--until key contradicts --frames and --seconds; give one of them")
    options = SessionOptions(
        labels=tuple(label for label in given["labels"].split(",") if label.strip()),
        frames=given["frames"] or 0,
        seconds=given["seconds"] or (0.0 if length or given["until"] else SECONDS),
        hand_gone=given["until"] == "hand-gone",
        countdown=given["countdown"],
        review=given["review"],
        burst=given["burst"],
        pause=given["pause"],
        most_missing=given["missing"],
        longest_stream=VIDEO_STREAM if given["keep_video"] else SessionOptions.longest_stream,
    )
    checked = [name for name in Labels(options.labels).names if name != NONE_LABEL]
    return replace(options, labels=tuple(checked))


def _camera(given: dict[str, Any]) -> "CameraSpec":
    from handlore.capture.cameras import CameraOptions, camera_spec

    wanted = CameraOptions(
        size=parsed_size(given["size"]), frame_rate=given["fps"] or 0.0, backend=given["backend"],
        loop=given["loop"],
    )  # fmt: skip
    return camera_spec(given["camera"], wanted)


def _chooses_headless() -> bool:
    from handlore.capture.window import why_no_window

    reason = why_no_window()
    if reason is not None:
        talk(f"no window, the keys are read in this terminal: {reason}")
    return reason is not None


def _print(out: Path, plan: "SessionSetup", outcome: "SessionSummary", as_json: bool) -> None:
    if as_json:
        print_json({"out": str(out), "session": plan.session} | asdict(outcome))
        return
    rows = [[label, n, outcome.counts.get(label, 0)] for label, n in outcome.kept.items()]
    print_table(["label", "this session", "in the folder"], rows)
    for line in outcome.advice:
        talk(f"coach: {line}")
    if outcome.unsaved:
        talk(f"{outcome.unsaved} recordings could not be written and are lost")
    elif any(outcome.kept.values()):
        talk(f"next: handlore train {out} --out gestures.onnx")
