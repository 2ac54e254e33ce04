"""What every hand detector offers, and how one is chosen.

MediaPipe is one adapter behind this protocol; the rest of handlore knows only the protocol.
"""

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from math import isfinite
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np

from .errors import HandloreError
from .hand_transforms import HandTransform
from .hands import Hand, Pixels
from .weights import LANDMARKERS, Bundle, find_bundle, require_bundle

# Which of the detectors runs on this computer, which one is taken, and why.
#
# Nothing here imports mediapipe: on some processors that alone kills the process.


DETECTORS = ("mediapipe", "litert")
"""The implementations; ``auto`` picks one of them."""

CPU_INFO = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class DetectorChoice:
    """The detector that is taken."""

    name: str
    reason: str


def choose_detector(wanted: str = "auto", *, live: bool = False) -> DetectorChoice:
    """Choose a detector.

    Parameters
    ----------
    wanted
        ``auto``, or one of :data:`DETECTORS`.
    live
        Whether a camera is being watched. Then it matters when the palm detector runs, which
        only ``litert`` lets us decide.

    Raises
    ------
    HandloreError
        If the one wanted, or under ``auto`` any, cannot run here; the message says what to do.
    """
    if wanted != "auto":
        problem = problem_with(wanted)
        if problem:
            raise HandloreError(f"the detector {wanted} cannot run here: {problem}")
        return DetectorChoice(wanted, "it was asked for")
    problems = {name: problem_with(name) for name in DETECTORS}
    for choice in _preferences(live):
        if problems[choice.name] is None:
            return choice
    causes = "; ".join(f"{name}: {problem}" for name, problem in problems.items())
    raise HandloreError(f"no hand detector can run here ({causes})")


def problem_with(name: str) -> str | None:
    """Say why a detector cannot run on this computer, and what to do; None if it can.

    Raises
    ------
    HandloreError
        If there is no detector of this name.
    """
    if name not in DETECTORS:
        raise HandloreError(f"unknown detector {name!r}; known: auto, {', '.join(DETECTORS)}")
    if name == "mediapipe" and is_arm_linux() and not _has_lse_atomics():
        return (
            "mediapipe aborts on this processor, which lacks the `atomics` instructions"
            " (Raspberry Pi 3, 4, 400, Zero 2 W); use --detector litert"
        )
    module, package = {
        "mediapipe": ("mediapipe", "mediapipe"),
        "litert": ("ai_edge_litert", "ai-edge-litert>=1.2,<2.2"),
    }[name]
    if find_spec(module) is None:
        return f"it is not installed; `pip install '{package}'`"
    return None


def is_arm_linux() -> bool:
    """Say whether this is 64-bit Linux on ARM, such as a Raspberry Pi."""
    return platform.system() == "Linux" and platform.machine() == "aarch64"


def _preferences(live: bool) -> list[DetectorChoice]:
    if is_arm_linux():
        return [
            DetectorChoice(
                "litert", "this is ARM Linux, where mediapipe aborts on many processors"
            ),
            DetectorChoice("mediapipe", "litert cannot run here"),
        ]
    if live:
        return [
            DetectorChoice("litert", "with a camera it decides when the palm detector runs"),
            DetectorChoice("mediapipe", "litert cannot run here"),
        ]
    return [
        DetectorChoice("mediapipe", "it is the reference, and runs here"),
        DetectorChoice("litert", "mediapipe cannot run here"),
    ]


def _has_lse_atomics() -> bool:
    return CPU_INFO.is_file() and "atomics" in CPU_INFO.read_text(errors="replace").split()


DEFAULT_CONFIDENCE = 0.5


@dataclass(frozen=True)
class DetectorOptions:
    """How hands are to be found."""

    landmarker: str = "full"
    """``full``, or ``lite``: half the time, a little less exact."""

    max_hands: int = 1
    """How many hands are looked for in a picture, 1 or 2."""

    detector: str = "auto"
    """Which implementation: ``auto``, ``mediapipe`` or ``litert``."""

    live: bool = False
    """Whether a camera is being watched; ``auto`` then prefers ``litert``."""

    bundle: Path | None = None
    """A bundle file to use instead of the one in the cache."""

    threads: int | None = None
    """How many threads LiteRT may use for a network; None: it chooses. The landmarks do not depend
    on it. MediaPipe has no such switch; only where it looks again is LiteRT asked."""

    def __post_init__(self) -> None:
        if self.landmarker not in LANDMARKERS:
            known = ", ".join(LANDMARKERS)
            raise HandloreError(f"unknown landmarker {self.landmarker!r}; known: {known}")
        if self.max_hands not in (1, 2):
            raise HandloreError(f"max_hands is {self.max_hands}; handlore looks for 1 or 2 hands")
        if self.detector not in ("auto", *DETECTORS):
            known = ", ".join(("auto", *DETECTORS))
            raise HandloreError(f"unknown detector {self.detector!r}; known: {known}")
        if self.threads is not None and self.threads < 1:
            raise HandloreError(f"threads is {self.threads}; a network needs at least 1")


@dataclass(frozen=True)
class DetectorInfo:
    """Which detector made some landmarks, as dataset headers and model files record it."""

    name: str
    version: str
    landmarker: str
    bundle_sha256: str


class HandDetector(Protocol):
    """Finds hands in pictures. One instance serves one thread; close it, or use ``with``."""

    @property
    def info(self) -> DetectorInfo:
        """What it is."""
        ...

    def detect(
        self, picture: Pixels, *, min_confidence: float = ..., min_presence: float | None = ...
    ) -> list[Hand]:
        """Find hands in a still picture.

        Parameters
        ----------
        picture
            (height, width, 3) RGB, 8 bit, not mirrored.
        min_confidence
            Threshold in [0, 1] for the palm.
        min_presence
            Threshold in [0, 1] for the presence of a hand around it; default: the same.

        Returns
        -------
        At most ``max_hands`` hands, in the order of the palm detector: the clearest palm first.
        """
        ...

    def look(self, picture: Pixels, hand: Hand, views: Sequence[HandTransform] = ...) -> list[Hand]:
        """Look again at a hand that is known: turned, scaled and mirrored, without palm detection.

        Parameters
        ----------
        picture
            (height, width, 3) RGB.
        hand
            The hand in it, in image widths of this picture.
        views
            How to look; default: once, plainly.

        Returns
        -------
        One hand for each view, mapped back to the picture: image and world landmarks, handedness.
        ``score`` is the presence of a hand in the view.
        """
        ...

    def track(self, picture: Pixels, seconds: float) -> list[Hand]:
        """Find hands in the next frame of a video; ``seconds`` must increase."""
        ...

    def reset(self) -> None:
        """Forget the hands being tracked: the next frame begins another video."""
        ...

    def close(self) -> None:
        """Free the networks. A closed detector cannot be used again."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def open_detector(
    options: DetectorOptions | None = None, *, talk: Callable[[str], None] | None = None
) -> HandDetector:
    """Open the detector that the options ask for, fetching its networks if need be.

    Parameters
    ----------
    options
        Default: one hand, full landmarks, the best detector for this machine.
    talk
        Receives a line when the networks have to be fetched.

    Raises
    ------
    HandloreError
        If the detector cannot run here, or its networks are not to be had.
    """
    options = options or DetectorOptions()
    choice = choose_detector(options.detector, live=options.live)
    bundle = _bundle(options, talk)
    if choice.name == "litert":
        from .detectors.litert import LiteRTDetector

        return LiteRTDetector(bundle, max_hands=options.max_hands, threads=options.threads)
    from .detectors.mediapipe import MediaPipeDetector

    return MediaPipeDetector(bundle, max_hands=options.max_hands, threads=options.threads)


def detector_info(
    options: DetectorOptions | None = None, *, talk: Callable[[str], None] | None = None
) -> DetectorInfo:
    """Say which detector :func:`open_detector` would open, at the price of reading its bundle.

    A process that only hands out work to others needs no networks in memory.

    Parameters
    ----------
    options, talk
        As for :func:`open_detector`, which raises the same problems.
    """
    options = options or DetectorOptions()
    choice = choose_detector(options.detector, live=options.live)
    bundle = _bundle(options, talk)
    if choice.name == "litert":
        from .detectors.litert.networks import litert_version

        version = litert_version()
    else:
        from .detectors.mediapipe import mediapipe_version

        version = mediapipe_version()
    return DetectorInfo(choice.name, version, bundle.landmarker, bundle.sha256)


def _bundle(options: DetectorOptions, talk: Callable[[str], None] | None) -> Bundle:
    if options.bundle is not None:
        found = find_bundle(options.landmarker, options.bundle)
        if found is not None:
            return found
    return require_bundle(options.landmarker, talk)


# What every detector asks of its arguments, in words for the person who got them wrong.


def checked_picture(picture: Pixels) -> Pixels:
    """Return the picture if it is one: (height, width, 3) RGB, 8 bit, not empty."""
    array = np.asarray(picture)
    if array.ndim != 3 or array.shape[2] != 3 or array.dtype != np.uint8 or not array.size:
        raise ValueError(
            f"a picture of shape {array.shape} and type {array.dtype};"
            " expected (height, width, 3) of 8 bits, RGB, not empty"
        )
    return array


def checked_confidence(min_confidence: float) -> float:
    """Return the threshold if it lies in [0, 1]."""
    if not 0 <= min_confidence <= 1:
        raise ValueError(f"min_confidence is {min_confidence}, expected a number from 0 to 1")
    return min_confidence


def checked_max_hands(max_hands: int) -> int:
    """Return the number of hands if there is room for at least one."""
    if max_hands < 1:
        raise ValueError(f"max_hands is {max_hands}, expected 1 or more")
    return max_hands


def next_milliseconds(seconds: float, last: int) -> int:
    """Return the time of a frame in milliseconds, if it is later than that of the last one."""
    if not isfinite(seconds):
        raise ValueError(f"the frame's time is {seconds}, expected seconds")
    milliseconds = round(seconds * 1000)
    if milliseconds <= last:
        raise ValueError(f"time stands still or runs back: {seconds} s after {last} ms")
    return milliseconds
