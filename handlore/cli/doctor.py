"""``handlore doctor``: what works on this computer, and what to do about the rest."""

import platform
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import metadata

import click

from handlore import __version__
from handlore.capture.cameras.camera import CameraReport, absent, find_cameras
from handlore.capture.window import why_no_window
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.opening import DetectorChoice, choose_detector, detector_problems
from handlore.landmarks.weights import LANDMARKERS, cached_path, find_bundle

from ._common import examples, json_option, print_json, say, verbose_option

_PACKAGES = (
    *("mediapipe", "ai-edge-litert", "onnxruntime", "numpy", "pandas", "scikit-learn"),
    *("xgboost-cpu", "xgboost", "opencv-contrib-python", "opencv-python", "pygame-ce"),
    "matplotlib",
)
_OPTIONAL = ("xgboost", "opencv-python", "xgboost-cpu")
_BOTH_OPENCV = ("opencv-contrib-python", "opencv-python")
"""Two builds that write into one folder: the one installed last breaks the other."""


@click.command("doctor", epilog=examples("handlore doctor", "handlore doctor --json"))
@verbose_option
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool, verbose: bool) -> None:
    """Check the installation: versions, model, detectors, cameras, window.

    A picture is taken with each camera and discarded; nothing is fetched or changed. The exit code
    is 1 if no hand can be detected on this computer as it is; each problem comes with what to do.
    """
    found = _diagnose(verbose=verbose)
    if as_json:
        print_json(asdict(found))
    else:
        _print(found)
    if found.problems:
        ctx.exit(1)


@dataclass(frozen=True)
class _Diagnosis:
    """What was found on this computer; ``dataclasses.asdict`` makes JSON of it."""

    handlore: str
    python: str
    executable: str
    system: str
    machine: str

    packages: dict[str, str | None]
    """Versions of packages; None if one is not installed."""
    detectors: dict[str, str | None]
    """For each detector why it cannot run; None if it can."""
    chosen: dict[str, DetectorChoice | None]
    """The detector for ``stills``, and for ``live`` and videos; None if none can run."""
    weights: dict[str, str | None]
    """For each landmarker where its model is; None if it is not here."""
    cameras: list[CameraReport]

    window: str | None
    """Why no window can be shown; None if one can."""
    problems: list[str]
    """What keeps hands from being detected, and what to do about it."""


def _diagnose(*, verbose: bool = False) -> _Diagnosis:
    """Examine this computer: a picture is taken with each camera, nothing is fetched or changed.

    With ``verbose``, native libraries may log to stderr while cameras are tried.
    """
    versions = {name: _version(name) for name in _PACKAGES}
    chosen = {"stills": _choice(video=False), "live": _choice(video=True)}
    with quiet_native_log(not verbose):
        cameras = find_cameras()
    return _Diagnosis(
        __version__,
        platform.python_version(),
        sys.executable,
        f"{platform.system()} {platform.release()}",
        platform.machine(),
        packages={name: v for name, v in versions.items() if v or name not in _OPTIONAL},
        detectors=detector_problems(),
        chosen=chosen,
        weights={name: _bundle_path(name) for name in LANDMARKERS},
        cameras=cameras,
        window=why_no_window(),
        problems=list(_problems(versions, chosen["stills"])),
    )


def _choice(*, video: bool) -> DetectorChoice | None:
    with suppress(HandloreError):
        return choose_detector(video=video)
    return None


def _bundle_path(landmarker: str) -> str | None:
    with suppress(HandloreError):
        if bundle := find_bundle(landmarker):
            return str(bundle.path)
    return None


def _version(package: str) -> str | None:
    with suppress(metadata.PackageNotFoundError):
        return metadata.version(package)
    return None


def _problems(versions: dict[str, str | None], choice: DetectorChoice | None) -> Iterator[str]:
    try:
        if find_bundle() is None:
            state = "damaged" if cached_path("full").is_file() else "not here"
            yield f"the hand landmark model is {state}: `handlore weights fetch`"
    except HandloreError as error:
        yield str(error)
    if choice is None:
        yield "no detector can run: `pip install 'ai-edge-litert>=1.2,<2.2'`"
    if all(versions[name] for name in _BOTH_OPENCV):
        yield (
            "two builds of OpenCV are installed over each other: `pip uninstall -y opencv-python"
            " opencv-contrib-python && pip install opencv-contrib-python`"
        )


def _print(found: _Diagnosis) -> None:
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


def _conclusion(found: _Diagnosis) -> str:
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
