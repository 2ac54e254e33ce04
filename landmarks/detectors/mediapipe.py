"""The reference detector: the HandLandmarker of MediaPipe Tasks."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from math import nan
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..brightness import brightened
from ..detector import (
    DEFAULT_CONFIDENCE,
    BundleDetector,
    checked_confidence,
    checked_picture,
    is_arm_linux,
)
from ..errors import HandloreError, InvalidArgumentError
from ..hands import FloatArray, Hand, HandTransform, Pixels
from ..nativelog import without_chatter
from ..weights import Bundle
from . import DETECTORS
from .litert.networks import Networks
from .litert.tracking import transformed_hands

CPU_INFO = Path("/proc/cpuinfo")


@DETECTORS.register
class MediaPipeDetector(BundleDetector):
    """Finds hands with ``mediapipe.tasks.vision.HandLandmarker``.

    MediaPipe fixes its mode and thresholds when a landmarker is made, so one is made and kept for
    each threshold asked for, and one for video. Without mediapipe, opening it raises
    ``HandloreError``.
    """

    name: ClassVar[str] = "mediapipe"
    package: ClassVar[str] = "mediapipe"

    @classmethod
    def problem(cls) -> str | None:
        """Say why mediapipe cannot run on this computer; None if it can."""
        if is_arm_linux() and not _has_lse_atomics():
            return (
                "mediapipe aborts on this processor, which lacks the `atomics` instructions"
                " (Raspberry Pi 3, 4, 400, Zero 2 W); use --detector litert"
            )
        if find_spec("mediapipe") is None:
            return "it is not installed; `pip install 'mediapipe'`"
        return None

    @classmethod
    def preference(cls, *, video: bool) -> tuple[int, str]:
        """Prefer the reference for stills, except on ARM Linux."""
        return 1 if video or is_arm_linux() else 3, "it is the reference, and runs here"

    def __init__(self, bundle: Bundle, *, max_hands: int = 1, threads: int | None = None) -> None:
        try:
            import mediapipe
        except ImportError as error:
            raise HandloreError(
                f"mediapipe cannot be imported ({error}); install it with `pip install mediapipe`"
            ) from error
        super().__init__(bundle, max_hands=max_hands, threads=threads)
        self._mediapipe = mediapipe
        self._still: dict[tuple[float, float], Any] = {}
        self._again: Networks | None = None
        self._video: Any = None
        self._closed = False

    def detect(
        self,
        picture: Pixels,
        *,
        min_confidence: float = DEFAULT_CONFIDENCE,
        min_presence: float | None = None,
    ) -> list[Hand]:
        """Find hands in a still picture, see :meth:`HandDetector.detect`."""
        presence = min_confidence if min_presence is None else min_presence
        key = checked_confidence(min_confidence), checked_confidence(presence)
        with self._quiet(key in self._still):
            if key not in self._still:
                self._still[key] = self._landmarker("IMAGE", *key)
            return _hands(self._still[key].detect(self._wrapped(picture)), picture)

    def detect_again(
        self, picture: Pixels, hand: Hand, transforms: Sequence[HandTransform] = (HandTransform(),)
    ) -> list[Hand]:
        """Run the hand network on a known hand, see :meth:`HandDetector.detect_again`.

        MediaPipe always detects palms first, so this runs its hand network through LiteRT, which
        gives the same landmarks.
        """
        self._require_open()
        if self._again is None:
            self._again = Networks(self._bundle, self._threads, with_palms=False)
        return transformed_hands(self._again, checked_picture(picture), hand, transforms)

    def track(self, picture: Pixels, seconds: float) -> list[Hand]:
        """Find hands in the next frame of a video, see :meth:`HandDetector.track`."""
        frame = self._wrapped(brightened(checked_picture(picture)))
        milliseconds = self._next_ms(seconds)
        with self._quiet(self._video is not None):
            if self._video is None:
                self._video = self._landmarker("VIDEO", DEFAULT_CONFIDENCE, DEFAULT_CONFIDENCE)
            return _hands(self._video.detect_for_video(frame, milliseconds), picture)

    def reset(self) -> None:
        """Forget the hands being tracked."""
        if self._video is not None:
            with without_chatter():
                self._video.close()
        self._video, self._last_ms = None, -1

    def close(self) -> None:
        """Free the networks."""
        self.reset()
        with without_chatter():
            for landmarker in self._still.values():
                landmarker.close()
        self._still.clear()
        self._again = None
        self._closed = True

    @staticmethod
    def _quiet(was_used: bool) -> AbstractContextManager[None]:
        """Return what keeps the first call of a landmarker quiet; later ones say nothing."""
        return nullcontext() if was_used else without_chatter()

    def _require_open(self) -> None:
        if self._closed:
            raise InvalidArgumentError("this detector has been closed")

    def _landmarker(self, mode: str, confidence: float, presence: float) -> Any:
        self._require_open()
        tasks = self._mediapipe.tasks
        options = tasks.vision.HandLandmarkerOptions(
            base_options=tasks.BaseOptions(model_asset_path=str(self._bundle.path)),
            running_mode=tasks.vision.RunningMode[mode],
            num_hands=self._max_hands,
            min_hand_detection_confidence=confidence,
            min_hand_presence_confidence=presence,
        )
        try:
            return tasks.vision.HandLandmarker.create_from_options(options)
        except (RuntimeError, ValueError, OSError) as error:
            raise HandloreError(
                f"MediaPipe refuses the bundle {self._bundle.path}: {str(error).splitlines()[0]}"
            ) from error

    def _wrapped(self, picture: Pixels) -> Any:
        pixels = np.ascontiguousarray(checked_picture(picture))
        return self._mediapipe.Image(image_format=self._mediapipe.ImageFormat.SRGB, data=pixels)


def _has_lse_atomics() -> bool:
    return CPU_INFO.is_file() and "atomics" in CPU_INFO.read_text(errors="replace").split()


def _hands(result: Any, picture: Pixels) -> list[Hand]:
    # MediaPipe gives x and y as shares of width and height; z has the scale of x already.
    height, width = picture.shape[:2]
    to_widths = np.array([1, height / width, 1], np.float32)
    found = zip(result.hand_landmarks, result.hand_world_landmarks, result.handedness, strict=True)
    return [
        Hand(_array(image) * to_widths, _array(world), _probability_right(side[0]), nan)
        for image, world, side in found
    ]


def _array(landmarks: Any) -> FloatArray:
    return np.array([(mark.x, mark.y, mark.z) for mark in landmarks], np.float32)


def _probability_right(category: Any) -> float:
    # Since 0.10.5 the Tasks API names the person's own hand in an unmirrored picture.
    return float(category.score if category.category_name == "Right" else 1 - category.score)
