"""``handlore doctor``: what works on this computer, and what to do about the rest."""

from dataclasses import asdict

import click

from handlore.capture.cameras.camera import CameraReport, absent
from handlore.doctor import Diagnosis, diagnose

from ._common import examples, json_option, print_json, say, verbose_option


@click.command("doctor", epilog=examples("handlore doctor", "handlore doctor --json"))
@verbose_option
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool, verbose: bool) -> None:
    """Check the installation: versions, model, detectors, cameras, window.

    A picture is taken with each camera and discarded; nothing is fetched or changed. The exit code
    is 1 if no hand can be detected on this computer as it is; each problem comes with what to do.
    """
    found = diagnose(verbose=verbose)
    if as_json:
        print_json(asdict(found))
    else:
        _print(found)
    if found.problems:
        ctx.exit(1)


def _print(found: Diagnosis) -> None:
    say(f"handlore {found.handlore}, Python {found.python} ({found.executable})")
    say(f"{found.system}, {found.machine}\n")
    _echo_rows([(name, version or "not installed") for name, version in found.packages.items()])
    rows = [(f"detector {name}", why or "can run") for name, why in found.detectors.items()]
    for use, choice in found.chosen.items():
        rows.append((f"used for {use}", f"{choice.name}: {choice.reason}" if choice else "none"))
    rows += [(f"model {k}", path or "not on this computer") for k, path in found.weights.items()]
    rows += [(f"camera {one.camera}", _camera_words(one)) for one in found.cameras]
    rows += [] if found.cameras else [("camera", absent())]
    _echo_rows([*rows, ("window", found.window or "can be shown")])
    for line in [f"to do: {problem}" for problem in found.problems] or [_conclusion(found)]:
        say(line)


def _echo_rows(rows: list[tuple[str, str]]) -> None:
    for name, value in rows:
        say(f"  {name:<24}{value}")
    say()


def _conclusion(found: Diagnosis) -> str:
    """Say what can be done here; without a camera or a window it is not everything."""
    has_camera = any(camera.problem is None for camera in found.cameras)
    if has_camera and found.window is None:
        return "everything that is needed is here"
    lacking = [] if has_camera else ["a camera (or a file in its place: --camera clip.mp4)"]
    if found.window is not None:
        lacking.append("a window (they run in the terminal: --headless)")
    return f"pictures and videos can be processed; capture and live lack {' and '.join(lacking)}"


def _camera_words(camera: CameraReport) -> str:
    if camera.problem is not None or camera.size is None:
        return str(camera.problem)
    width, height = camera.size
    named = f" ({camera.name})" if camera.name else ""
    return f"gives pictures of {width}x{height}{named}"
