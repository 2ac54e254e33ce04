"""What works on this computer, and what to do about the rest."""

import platform
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata

from handlore import __version__
from handlore.capture.cameras.camera import CameraReport, find_cameras
from handlore.capture.window import why_no_window
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.opening import DetectorChoice, choose_detector, detector_problems
from handlore.landmarks.weights import LANDMARKERS, cached_path, find_bundle

_PACKAGES = (
    *("mediapipe", "ai-edge-litert", "onnxruntime", "numpy", "pandas", "scikit-learn"),
    *(
        "xgboost-cpu",
        "xgboost",
        "opencv-contrib-python",
        "opencv-python",
        "pygame-ce",
        "matplotlib",
    ),
)
_OPTIONAL = ("xgboost", "opencv-python", "xgboost-cpu")
_BOTH_OPENCV = ("opencv-contrib-python", "opencv-python")
"""Two builds that write into one folder: the one installed last breaks the other."""


@dataclass(frozen=True)
class Diagnosis:
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


def diagnose(*, verbose: bool = False) -> Diagnosis:
    """Examine this computer: a picture is taken with each camera, nothing is fetched or changed.

    With ``verbose``, native libraries may log to stderr while cameras are tried.

    Examples
    --------
    >>> from handlore.doctor import diagnose
    >>> diagnose().detectors  # doctest: +SKIP
    {'litert': None, 'mediapipe': None}
    """
    versions = {name: _version(name) for name in _PACKAGES}
    chosen = {"stills": _choice(video=False), "live": _choice(video=True)}
    with quiet_native_log(not verbose):
        cameras = find_cameras()
    return Diagnosis(
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
