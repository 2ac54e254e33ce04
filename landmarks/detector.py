"""What every hand detector offers.

MediaPipe is one adapter behind this protocol; the rest of handlore knows only the protocol.
"""

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from math import isfinite
from pathlib import Path
from typing import ClassVar, Protocol, Self

import numpy as np

from .errors import HandloreError, InvalidArgumentError, unknown_name
from .hands import Hand, HandTransform, Pixels
from .weights import LANDMARKERS, Bundle, find_bundle, require_bundle

DEFAULT_CONFIDENCE = 0.5

Talk = Callable[[str], None]
"""Receives a line for the person."""


@dataclass(frozen=True)
class DetectorOptions:
    """How hands are detected."""

    landmarker: str = "full"
    """``full``, or ``lite``, which takes half the time and is a little less exact."""
    max_hands: int = 1
    """Most hands that are detected in a picture, 1 or 2."""
    detector: str = "auto"
    """Which implementation: ``auto``, ``mediapipe``, ``litert`` or that of another package."""
    video: bool = False
    """Whether hands are tracked in the frames of a camera or a video; ``auto`` then prefers
    ``litert``."""
    bundle: str | Path | None = None
    """A bundle file to use instead of the one in the cache."""
    threads: int | None = None
    """How many threads LiteRT may use for a network; None: it chooses. The landmarks do not depend
    on it. MediaPipe has no such option; its :meth:`HandDetector.detect_again` uses LiteRT."""
    hand: str = ""
    """Which of two hands is returned: nearest, left, right, largest or most-confident, see
    :data:`~handlore.landmarks.opening.CHOICES`; empty: the one that is found first."""

    def __post_init__(self) -> None:
        if self.landmarker not in LANDMARKERS:
            raise unknown_name("landmarker", self.landmarker, LANDMARKERS)
        if self.max_hands not in (1, 2):
            raise HandloreError(f"max_hands is {self.max_hands}, expected 1 or 2 hands")
        if self.hand and self.max_hands != 1:
            raise HandloreError("--hand chooses one of two hands, and two hands are asked for")
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

    info: DetectorInfo
    """What it is."""

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
        At most ``max_hands`` hands; the one whose palm has the highest score comes first.
        """

    def detect_again(
        self, picture: Pixels, hand: Hand, transforms: Sequence[HandTransform] = ...
    ) -> list[Hand]:
        """Run the hand network on a known hand, turned, scaled or mirrored; no palm detection.

        Parameters
        ----------
        picture
            (height, width, 3) RGB.
        hand
            The hand in it, in image widths of this picture.
        transforms
            Of the region around the hand; default: one, which changes nothing.

        Returns
        -------
        One hand for each transform, in the frames of reference of the picture: image and world
        landmarks, handedness. ``score`` is the probability that the network saw a hand.
        """

    def wants(self, hand: Hand) -> bool:
        """Say whether a hand that was found by other means is one that this detector looks for."""
        del hand
        return True

    def track(self, picture: Pixels, seconds: float) -> list[Hand]:
        """Find hands in the next frame of a video; ``seconds`` must increase.

        Dark frames are brightened, see :func:`~handlore.landmarks.brightness.brightened`.
        """

    def reset(self) -> None:
        """Forget the tracked hands: the next frame is the first of another video."""

    def close(self) -> None:
        """Free the networks. A closed detector cannot be used again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class WrappedDetector(HandDetector):
    """Another detector, of which a subclass changes a part. It is closed with this one."""

    def __init__(self, detector: HandDetector) -> None:
        self._detector = detector
        self.info = detector.info

    def detect(
        self,
        picture: Pixels,
        *,
        min_confidence: float = DEFAULT_CONFIDENCE,
        min_presence: float | None = None,
    ) -> list[Hand]:
        """Find hands in a still picture, see :meth:`HandDetector.detect`."""
        return self._detector.detect(
            picture, min_confidence=min_confidence, min_presence=min_presence
        )

    def detect_again(
        self, picture: Pixels, hand: Hand, transforms: Sequence[HandTransform] = (HandTransform(),)
    ) -> list[Hand]:
        """Look again at a hand that is known, see :meth:`HandDetector.detect_again`."""
        return self._detector.detect_again(picture, hand, transforms)

    def wants(self, hand: Hand) -> bool:
        """Say whether a hand is one that the detector looks for."""
        return self._detector.wants(hand)

    def track(self, picture: Pixels, seconds: float) -> list[Hand]:
        """Find hands in the next frame of a video, see :meth:`HandDetector.track`."""
        return self._detector.track(picture, seconds)

    def reset(self) -> None:
        """Forget the tracked hands."""
        self._detector.reset()

    def close(self) -> None:
        """Close the detector."""
        self._detector.close()


class DetectorKind(HandDetector, Protocol):
    """A detector that can be chosen by name: the base class of all implementations.

    ``@DETECTORS.register`` (:mod:`handlore.landmarks.detectors`) makes it known.
    """

    name: ClassVar[str]
    """What ``--detector`` calls it."""

    @classmethod
    def problem(cls) -> str | None:
        """Say why it cannot run on this computer, and what to do; None if it can."""
        return None

    @classmethod
    def preference(cls, *, video: bool) -> tuple[int, str]:
        """Return its rank under ``auto``, and the reason; 0: it is only opened by name.

        With ``video``, it is for tracking hands in the frames of a camera or a video.
        """
        del video
        return 0, ""

    @classmethod
    def described(cls, options: DetectorOptions, talk: Talk | None) -> DetectorInfo:
        """Return the info of the detector that :meth:`open` would return, without opening it."""

    @classmethod
    def open(cls, options: DetectorOptions, talk: Talk | None) -> HandDetector:
        """Open it, fetching its networks if need be; ``talk`` receives a line about that."""


class BundleDetector(DetectorKind):
    """A detector that runs the networks of a bundle: what such detectors share."""

    package: ClassVar[str]
    """The Python package that runs the networks."""

    def __init__(self, bundle: Bundle, *, max_hands: int = 1, threads: int | None = None) -> None:
        if max_hands < 1:
            raise InvalidArgumentError(f"max_hands is {max_hands}, expected 1 or more")
        self._bundle, self._max_hands, self._threads = bundle, max_hands, threads
        self._last_ms = -1
        self.info = self._info(bundle)

    @classmethod
    def described(cls, options: DetectorOptions, talk: Talk | None) -> DetectorInfo:
        """Return the info of the detector that these options open."""
        return cls._info(_bundle_for(options, talk))

    @classmethod
    def open(cls, options: DetectorOptions, talk: Talk | None) -> Self:
        """Open it."""
        bundle = _bundle_for(options, talk)
        return cls(bundle, max_hands=options.max_hands, threads=options.threads)

    @classmethod
    def _info(cls, bundle: Bundle) -> DetectorInfo:
        # From the metadata: importing mediapipe takes a second.
        try:
            version = metadata.version(cls.package)
        except metadata.PackageNotFoundError:
            version = "unknown"
        return DetectorInfo(cls.name, version, bundle.landmarker, bundle.sha256)

    def _next_ms(self, seconds: float) -> int:
        """Return the time of the next frame in milliseconds, which must be later than the last."""
        if not isfinite(seconds):
            raise InvalidArgumentError(f"the frame's time is {seconds}, expected seconds")
        milliseconds, last = round(seconds * 1000), self._last_ms
        if milliseconds <= last:
            raise InvalidArgumentError(
                f"the times of frames must increase: {seconds} s came after {last} ms"
            )
        self._last_ms = milliseconds
        return milliseconds


def _bundle_for(options: DetectorOptions, talk: Talk | None) -> Bundle:
    if options.bundle is not None:
        found = find_bundle(options.landmarker, options.bundle)
        if found is not None:
            return found
    return require_bundle(options.landmarker, talk)


def is_arm_linux() -> bool:
    """Say whether this is 64-bit Linux on ARM, such as a Raspberry Pi."""
    return platform.system() == "Linux" and platform.machine() == "aarch64"


def checked_detector(detector: HandDetector | None) -> HandDetector:
    """Return an open detector, or raise HandloreError if it is something else."""
    if detector is None or not hasattr(detector, "detect"):
        expected = "expected an open detector, as `open_detector()` returns it"
        raise HandloreError(f"{expected}, but got {type(detector).__name__}")
    return detector


def checked_picture(picture: Pixels) -> Pixels:
    """Return a picture, checked: (height, width, 3) RGB, 8 bit, not empty."""
    array = np.asarray(picture)
    if array.ndim != 3 or array.shape[2] != 3 or array.dtype != np.uint8 or not array.size:
        raise InvalidArgumentError(
            f"a picture of shape {array.shape} and type {array.dtype};"
            " expected (height, width, 3) of 8 bits, RGB, not empty"
        )
    return array


def checked_confidence(min_confidence: float) -> float:
    """Return the threshold if it is in [0, 1]."""
    if not 0 <= min_confidence <= 1:
        raise InvalidArgumentError(
            f"min_confidence is {min_confidence}, expected a number from 0 to 1"
        )
    return min_confidence
