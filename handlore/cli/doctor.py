"""``handlore doctor``: what works on this computer, and what to do about the rest."""

import platform
import sys
from dataclasses import asdict
from importlib import metadata
from typing import Any

import click

from handlore import __version__
from handlore.landmarks.errors import HandloreError

from ._common import examples, json_option, print_json, verbose_option

PACKAGES = (
    *("mediapipe", "ai-edge-litert", "onnxruntime", "numpy", "pandas", "scikit-learn"),
    *("xgboost-cpu", "xgboost", "opencv-contrib-python", "opencv-python", "matplotlib"),
)
OPTIONAL = ("xgboost", "opencv-python", "xgboost-cpu")


@click.command("doctor", epilog=examples("handlore doctor", "handlore doctor --json"))
@verbose_option
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool, verbose: bool) -> None:
    """Check the installation: versions, model, detectors, cameras.

    A picture is taken with each camera and thrown away; nothing is fetched or changed. The exit
    code is 1 if no hand can be detected on this computer as it is; each problem comes with what
    to do.
    """
    found = _examined(verbose)
    if as_json:
        print_json(found)
    else:
        _print(found)
    if found["problems"]:
        ctx.exit(1)


def _examined(verbose: bool) -> dict[str, Any]:
    from handlore.landmarks.opening import detector_problems

    detectors = detector_problems()
    weights = {name: _weights(name) for name in ("full", "lite")}
    versions = {name: _version(name) for name in PACKAGES}
    return {
        "handlore": __version__,
        "python": platform.python_version(),
        "executable": sys.executable,
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "packages": {name: v for name, v in versions.items() if v or name not in OPTIONAL},
        "detectors": detectors,
        "chosen": {"stills": _choice(live=False), "live": _choice(live=True)},
        "weights": weights,
        "cameras": _cameras(verbose),
        "window": _window(),
        "problems": [*_problems(weights["full"]), *_clashes(versions)],
    }


def _cameras(verbose: bool) -> list[dict[str, Any]]:
    from handlore.capture.cameras.listing import find_cameras
    from handlore.landmarks.nativelog import quiet_native_log

    with quiet_native_log(not verbose):
        return [asdict(one) for one in find_cameras()]


def _window() -> str | None:
    from handlore.capture.window import why_no_window

    return why_no_window()


def _choice(*, live: bool) -> dict[str, str] | None:
    from handlore.landmarks.opening import choose_detector

    try:
        choice = choose_detector(live=live)
    except HandloreError:
        return None
    return {"name": choice.name, "reason": choice.reason}


def _weights(landmarker: str) -> str | None:
    from handlore.landmarks.weights import find_bundle

    try:
        bundle = find_bundle(landmarker)
    except HandloreError:
        return None
    return None if bundle is None else str(bundle.path)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _problems(weights: str | None) -> list[str]:
    from handlore.landmarks.weights import cached_path, find_bundle

    problems = []
    try:
        find_bundle()
    except HandloreError as error:
        problems.append(str(error))
    else:
        if weights is None:
            state = "damaged" if cached_path("full").is_file() else "not here"
            problems.append(f"the hand landmark model is {state}: `handlore weights fetch`")
    if _choice(live=False) is None:
        problems.append("no detector can run: `pip install 'ai-edge-litert>=1.2,<2.2'`")
    return problems


def _clashes(versions: dict[str, str | None]) -> list[str]:
    """Two builds of OpenCV write into one folder, and the one installed last breaks the other."""
    both = [name for name in ("opencv-contrib-python", "opencv-python") if versions[name]]
    if len(both) < 2:
        return []
    return [
        "two builds of OpenCV are installed over each other: `pip uninstall -y opencv-python"
        " opencv-contrib-python && pip install opencv-contrib-python`"
    ]


def _print(found: dict[str, Any]) -> None:
    click.echo(f"handlore {found['handlore']}, Python {found['python']} ({found['executable']})")
    click.echo(f"{found['system']}, {found['machine']}\n")
    for package, version in found["packages"].items():
        click.echo(f"  {package:<24}{version or 'not installed'}")
    click.echo()
    for name, problem in found["detectors"].items():
        click.echo(f"  detector {name:<15}{problem or 'can run'}")
    for use, choice in found["chosen"].items():
        taken = f"{choice['name']}: {choice['reason']}" if choice else "none"
        click.echo(f"  taken for {use:<14}{taken}")
    for landmarker, path in found["weights"].items():
        click.echo(f"  model {landmarker:<18}{path or 'not on this computer'}")
    for camera in found["cameras"]:
        click.echo(f"  camera {camera['camera']:<17}{_camera_words(camera)}")
    if not found["cameras"]:
        click.echo(f"  camera {'':<17}{_no_camera()}")
    click.echo(f"  window {'':<17}{found['window'] or 'can be shown'}")
    click.echo()
    for problem in found["problems"]:
        click.echo(f"to do: {problem}")
    if not found["problems"]:
        click.echo(_enough_for(found))


def _enough_for(found: dict[str, Any]) -> str:
    """Say what can be done here; without a camera or a window it is not everything."""
    has_camera = any(camera["problem"] is None for camera in found["cameras"])
    if has_camera and found["window"] is None:
        return "everything that is needed is here"
    lacking = [] if has_camera else ["a camera (or a file in its place: --camera clip.mp4)"]
    if found["window"] is not None:
        lacking.append("a window (they run in the terminal: --headless)")
    return f"pictures and videos can be worked on; capture and live lack {' and '.join(lacking)}"


def _camera_words(camera: dict[str, Any]) -> str:
    if camera["problem"] is not None:
        return str(camera["problem"])
    width, height = camera["size"]
    named = f" ({camera['name']})" if camera["name"] else ""
    return f"gives pictures of {width}x{height}{named}"


def _no_camera() -> str:
    from handlore.capture.cameras.camera import absent

    return absent()
