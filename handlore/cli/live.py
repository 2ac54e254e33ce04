"""``handlore live``: recognise gestures of a camera, and run actions."""

import re
from contextlib import closing
from math import inf
from pathlib import Path
from typing import Any

import click

from handlore.capture.actions.file import preset_file
from handlore.capture.cameras import CameraOptions, CameraSpec, camera_spec
from handlore.capture.live.run import LiveOptions, run_live
from handlore.capture.outputs.base import output_address
from handlore.capture.outputs.stdout import LandmarkPrinter
from handlore.capture.serve.guard import read_token
from handlore.capture.views.live import Printer
from handlore.landmarks.errors import HandloreError, counted
from handlore.models.ready import LIVE_MODELS

from ._common import (
    MODEL,
    PATH,
    NumberRange,
    camera_options,
    check_hands,
    detector_options,
    examples,
    hand_option,
    is_given,
    json_option,
    say,
    talk,
)
from ._streams import (
    PRESET,
    actions_options,
    hold_option,
    pop_actions,
    pop_settings,
    recogniser_options,
)

_NO_MODEL = (
    f"using {' and '.join(LIVE_MODELS)}, which come with handlore (`handlore models`); your own:"
    " `handlore live my.onnx`"
)


def _checked_addresses(
    _ctx: click.Context, _: click.Parameter, addresses: tuple[str, ...]
) -> tuple[str, ...]:
    for text in addresses:
        try:
            output_address(text)
        except HandloreError as error:
            raise click.UsageError(f"--send: {error}") from error
    return addresses


def _print_preset(ctx: click.Context, _: click.Parameter, name: str | None) -> None:
    if name is not None:
        say(preset_file(name).read_text("utf-8"), nl=False)
        ctx.exit()


@click.command(
    "live",
    epilog=examples(
        "handlore live",
        "handlore live poses.onnx",
        "handlore live everyday my_gestures.onnx",
        "handlore live poses.onnx moves.onnx --actions actions.toml",
        "handlore live poses.onnx --actions actions.toml --dry-run",
        "handlore live --preset media",
        "handlore live --print-preset media > media.toml",
        "handlore live poses.onnx --camera picamera --headless --serve 127.0.0.1:8000",
        "handlore live moves.onnx --headless --json | python lights.py",
        "handlore live poses.onnx --landmarks --headless | python puppet.py",
        "handlore live poses.onnx --send osc://127.0.0.1:9000",
        "handlore live poses.onnx --headless --home-assistant mqtt://homeassistant.local",
        "handlore live moves.onnx --record wrong_triggers",
    ),
)
@click.argument("models", nargs=-1, metavar="[MODEL...]", type=MODEL)
@camera_options
@click.option("--fast", is_flag=True, help="Process a file faster than real time.")
@actions_options
@click.option(
    "--print-preset",
    type=PRESET,
    is_eager=True,
    expose_value=False,
    callback=_print_preset,
    help="Print the actions file of a preset, as a start for your own, and exit.",
)
@click.option("--dry-run", is_flag=True, help="Only report which actions would be run.")
@click.option("--headless", is_flag=True, help="No window; the default without a display.")
@click.option(
    "--serve",
    metavar="[HOST:]PORT",
    help="Serve a page for browsers; 127.0.0.1:8000: on this computer only.",
)
@click.option(
    "--token",
    metavar="WORD",
    envvar="HANDLORE_TOKEN",
    show_default="generated unless HOST is this computer",
    help="What a browser must present to see the page. On the command line other users of this"
    " computer can see it: the variable HANDLORE_TOKEN or --token-file hides it.",
)
@click.option(
    "--token-file",
    metavar="FILE",
    type=PATH,
    help="A file with the token, in place of --token.",
)
@click.option(
    "--landmarks",
    is_flag=True,
    help="Write the landmarks of each frame to stdout, and events, as lines of JSON.",
)
@click.option(
    "--send",
    metavar="ADDRESS",
    multiple=True,
    envvar="HANDLORE_SEND",
    callback=_checked_addresses,
    help="Send landmarks and events to udp://HOST:PORT, tcp://HOST:PORT, osc://HOST:PORT or"
    " mqtt://USER:PASSWORD@HOST/TOPIC; may be given several times. The variable HANDLORE_SEND hides"
    " a password, with spaces between addresses.",
)
@click.option(
    "--home-assistant",
    metavar="BROKER",
    envvar="HANDLORE_HOME_ASSISTANT",
    help="Announce the gestures to Home Assistant over mqtt://USER:PASSWORD@HOST: a sensor, and a"
    " trigger for each label. A path is the discovery prefix, if it is not homeassistant. The"
    " variable HANDLORE_HOME_ASSISTANT hides a password.",
)
@click.option(
    "--home-assistant-name",
    metavar="NAME",
    show_default="handlore and the name of this computer",
    help="The name of the device in Home Assistant.",
)
@click.option(
    "--landmarks-fps",
    type=NumberRange(0.1, 1000),
    metavar="N",
    show_default="all",
    help="Most frames of landmarks per second that are written or sent.",
)
@click.option(
    "--max-fps",
    type=NumberRange(0.5, 1000),
    show_default="the camera's frame rate",
    help="Maximum number of frames per second, of a file by their times.",
)
@click.option(
    "--max-hands",
    type=click.IntRange(1, 2),
    show_default="as the models require",
    help="How many hands to detect.",
)
@click.option(
    "--record",
    metavar="DIR",
    type=PATH,
    help="Record the landmarks around each event, and those of the last minutes at the end.",
)
@click.option(
    "--remember",
    type=NumberRange(5, 3600),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="Length of the buffer that --record keeps at the end or with the key k.",
)
@click.option(
    "--keep-video",
    is_flag=True,
    help="Record the pictures too, as a video beside each recording; takes some megabytes of"
    " memory per second of --remember.",
)
@click.option("--subject", default="", help="Who is recorded with --record.")
@hold_option
@recogniser_options
@hand_option
@detector_options(landmarker=None)
@json_option
def command(
    models: tuple[str | Path, ...],
    camera: str,
    size: tuple[int, int] | None,
    as_json: bool,
    landmarks: bool,
    **given: Any,
) -> None:
    """Recognise gestures from a camera in real time.

    MODEL is a file, or the name of a model that comes with handlore (`handlore models`); without
    one, everyday and movements are used.

    Each event is a line on stdout, with --json a line of JSON: label, start and end in seconds,
    probability, hand. With --actions, events run commands, press keys, and more. Models of poses
    and of movements can be combined. Unknown gestures emit no events.

    It ends with q, Ctrl-C (exit code 130), SIGTERM (143) or at the end of a file (0), and with 1
    if a recording of --record could not be written.
    """
    check_hands(given["hand"], given["max_hands"])
    given["token"] = _token(given.pop("token"), given.pop("token_file"), given["serve"])
    options = _options(given, landmarks=landmarks)
    wanted = CameraOptions(size=size, loop=given["loop"], paced=not given["fast"])
    spec = camera_spec(camera, wanted)
    if not models:
        models = LIVE_MODELS
        talk(_NO_MODEL)
    with closing(_printer(options, spec, as_json=as_json, landmarks=landmarks)) as printer:
        summary = run_live(models, spec, options=options, views=[printer])
    if summary.unsaved:
        lost = counted(summary.unsaved, "recording was", "recordings were")
        raise HandloreError(f"{lost} not written to {options.record}")


def _printer(
    options: LiveOptions, camera: CameraSpec, *, as_json: bool, landmarks: bool
) -> Printer:
    if landmarks:
        return LandmarkPrinter(every=not camera.live, max_fps=options.landmarks_fps)
    return Printer(as_json=as_json, detailed=options.settings.hold_interval is not None)


def _token(token: str | None, file: Path | None, serve: str | None) -> str | None:
    """Return the token of --token, its variable or a file; a variable alone asks for no page."""
    if file is None:
        source = click.get_current_context().get_parameter_source("token")
        unused = serve is None and source is click.core.ParameterSource.ENVIRONMENT
        return None if unused else token
    return read_token(file)


def _options(given: dict[str, Any], *, landmarks: bool) -> LiveOptions:
    same = (
        "dry_run serve token send home_assistant home_assistant_name max_hands record keep_video"
        " subject landmarker detector hand verbose"
    )
    if is_given("remember") and given["record"] is None:
        raise click.UsageError("--remember needs a folder of recordings: --record")
    if given["landmarks_fps"] and not (given["send"] or given["serve"] or landmarks):
        raise click.UsageError("--landmarks-fps needs --landmarks, --send or --serve")
    actions, settings = pop_actions(given), pop_settings(given)
    if given["dry_run"] and actions is None:
        raise click.UsageError("--dry-run needs a file of actions: --actions or --preset")
    try:
        return LiveOptions(
            window=not given["headless"],
            terminal=True,
            max_fps=given["max_fps"] or inf,
            landmarks_fps=given["landmarks_fps"] or inf,
            buffer_seconds=given["remember"],
            actions=actions,
            settings=settings,
            **{name: given[name] for name in same.split()},
        )
    except HandloreError as error:
        # Options that contradict one another are wrong usage. It names fields of LiveOptions.
        text = re.sub(r"`(\w+)`", lambda name: f"--{name[1].replace('_', '-')}", str(error))
        raise click.UsageError(text) from error
