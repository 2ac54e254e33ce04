"""``handlore doctor``: what works on this computer, and what to do about the rest."""

from dataclasses import asdict

import click

from handlore.capture.cameras.camera import CameraReport, absent
from handlore.doctor import Diagnosis, diagnose

from ._common import examples, json_option, print_json, verbose_option


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
    click.echo(f"handlore {found.handlore}, Python {found.python} ({found.executable})")
    click.echo(f"{found.system}, {found.machine}\n")
    for package, version in found.packages.items():
        click.echo(f"  {package:<24}{version or 'not installed'}")
    click.echo()
    for name, problem in found.detectors.items():
        click.echo(f"  detector {name:<15}{problem or 'can run'}")
    for use, choice in found.chosen.items():
        click.echo(f"  used for {use:<15}{f'{choice.name}: {choice.reason}' if choice else 'none'}")
    for landmarker, path in found.weights.items():
        click.echo(f"  model {landmarker:<18}{path or 'not on this computer'}")
    for camera in found.cameras:
        click.echo(f"  camera {camera.camera:<17}{_camera_words(camera)}")
    if not found.cameras:
        click.echo(f"  camera {'':<17}{absent()}")
    click.echo(f"  window {'':<17}{found.window or 'can be shown'}")
    click.echo()
    for problem in found.problems:
        click.echo(f"to do: {problem}")
    if not found.problems:
        click.echo(_conclusion(found))


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
