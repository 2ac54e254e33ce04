"""What every hand detector offers, and how one is chosen.

MediaPipe is one adapter behind this protocol; the rest of handlore knows only the protocol.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from .choice import DETECTORS, choose_detector
from .errors import HandloreError
from .hands import Hand, Pixels
from .handviews import HandView
from .weights import LANDMARKERS, Bundle, find_bundle, require_bundle

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

    def look(self, picture: Pixels, hand: Hand, views: Sequence[HandView] = ...) -> list[Hand]:
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
        from .litert import LiteRTDetector

        return LiteRTDetector(bundle, max_hands=options.max_hands, threads=options.threads)
    from .mediapipe_tasks import MediaPipeDetector

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
        from .litert.networks import litert_version

        version = litert_version()
    else:
        from .mediapipe_tasks import mediapipe_version

        version = mediapipe_version()
    return DetectorInfo(choice.name, version, bundle.landmarker, bundle.sha256)


def _bundle(options: DetectorOptions, talk: Callable[[str], None] | None) -> Bundle:
    if options.bundle is not None:
        found = find_bundle(options.landmarker, options.bundle)
        if found is not None:
            return found
    return require_bundle(options.landmarker, talk)
