"""What works on this computer, and what to do about the rest."""

import platform
import sys
from dataclasses import dataclass
from importlib import metadata

from handlore import __version__
from handlore.capture.cameras.listing import CameraReport, find_cameras
from handlore.capture.window import why_no_window
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.opening import DetectorChoice, choose_detector, detector_problems
from handlore.landmarks.weights import LANDMARKERS, cached_path, find_bundle

_PACKAGES = (
    *("mediapipe", "ai-edge-litert", "onnxruntime", "numpy", "pandas", "scikit-learn"),
    *("xgboost-cpu", "xgboost", "opencv-contrib-python", "opencv-python", "matplotlib"),
)
_OPTIONAL = ("xgboost", "opencv-python", "xgboost-cpu")


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
    """The detector for ``stills`` and for ``live``; None if none can run."""

    weights: dict[str, str | None]
    """For each landmarker where its model is; None if it is not here."""

    cameras: list[CameraReport]

    window: str | None
    """Why no window can be shown; None if one can."""

    problems: list[str]
    """What keeps hands from being detected, and what to do about it."""


def diagnose(*, verbose: bool = False) -> Diagnosis:
    """Examine this computer: a picture is taken with each camera, nothing is fetched or changed.

    Parameters
    ----------
    verbose
        Whether native libraries may log to stderr while cameras are tried.

    Examples
    --------
    >>> from handlore.doctor import diagnose
    >>> diagnose().detectors  # doctest: +SKIP
    {'litert': None, 'mediapipe': None}
    """
    versions = {name: _version(name) for name in _PACKAGES}
    weights = {name: _bundle_path(name) for name in LANDMARKERS}
    chosen = {"stills": _choice(video=False), "live": _choice(video=True)}
    return Diagnosis(
        __version__,
        platform.python_version(),
        sys.executable,
        f"{platform.system()} {platform.release()}",
        platform.machine(),
        packages={name: v for name, v in versions.items() if v or name not in _OPTIONAL},
        detectors=detector_problems(),
        chosen=chosen,
        weights=weights,
        cameras=_cameras(verbose),
        window=why_no_window(),
        problems=[
            *_model_problems(weights["full"]),
            *_detector_problems(chosen["stills"]),
            *_clashes(versions),
        ],
    )


def _cameras(verbose: bool) -> list[CameraReport]:
    with quiet_native_log(not verbose):
        return find_cameras()


def _choice(*, video: bool) -> DetectorChoice | None:
    try:
        return choose_detector(video=video)
    except HandloreError:
        return None


def _bundle_path(landmarker: str) -> str | None:
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


def _model_problems(path: str | None) -> list[str]:
    try:
        find_bundle()
    except HandloreError as error:
        return [str(error)]
    if path is not None:
        return []
    state = "damaged" if cached_path("full").is_file() else "not here"
    return [f"the hand landmark model is {state}: `handlore weights fetch`"]


def _detector_problems(choice: DetectorChoice | None) -> list[str]:
    remedy = "no detector can run: `pip install 'ai-edge-litert>=1.2,<2.2'`"
    return [remedy] if choice is None else []


def _clashes(versions: dict[str, str | None]) -> list[str]:
    """Two builds of OpenCV write into one folder, and the one installed last breaks the other."""
    both = [name for name in ("opencv-contrib-python", "opencv-python") if versions[name]]
    if len(both) < 2:
        return []
    return [
        "two builds of OpenCV are installed over each other: `pip uninstall -y opencv-python"
        " opencv-contrib-python && pip install opencv-contrib-python`"
    ]
