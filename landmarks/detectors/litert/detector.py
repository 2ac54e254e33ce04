"""The detector that runs MediaPipe's networks through LiteRT, and when it looks for palms.

MediaPipe looks for palms in every frame in which fewer hands are tracked than were asked for, so
that an empty room costs more than a hand. Here a schedule decides. It depends on the times of the
frames, not on their number: the same video is treated alike at 10 and at 60 frames a second.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from math import inf
from typing import ClassVar

import cv2
import numpy as np

from ...brightness import brightened
from ...detector import (
    DEFAULT_CONFIDENCE,
    BundleDetector,
    checked_confidence,
    checked_picture,
    is_arm_linux,
)
from ...errors import InvalidArgumentError
from ...hands import FloatArray, Hand, HandTransform, Pixels
from ...weights import Bundle
from .. import DETECTORS
from .networks import Networks, find_palms
from .regions import MEDIAPIPE_PALM_ANGLE, Region
from .tracking import Track, Tracker, distinct, hand_in_region, pixels_of, transformed_hands


class _Motion:
    """Detects changes between small grey thumbnails.

    A frame is compared with the last one that was searched, not with the one before it, so that
    slow movements add up; each cell is the mean over many pixels, so that the noise of a camera
    does not count as movement. A change of one cell by ``threshold`` of 255 grey levels counts.
    """

    SIZE = (20, 15)
    """Cells across and down."""

    def __init__(self, threshold: float = 6.0) -> None:
        self._threshold = threshold
        self._now: FloatArray | None = None
        self._before: FloatArray | None = None

    def seen(self, picture: Pixels) -> bool:
        """Say whether this frame (height, width, 3) differs from the one remembered."""
        self._now = self._thumbnail(picture)
        if self._before is None:
            return True
        return bool(np.abs(self._now - self._before).max() > self._threshold)

    def remember(self) -> None:
        """Compare with the last frame from now on."""
        self._before = self._now

    def reset(self) -> None:
        """Forget all frames."""
        self._now = self._before = None

    def _thumbnail(self, picture: Pixels) -> FloatArray:
        # One channel is a third of the work, and every n-th pixel of a large picture is enough as
        # long as a cell has some 256: the noise of their mean is a sixteenth of that of a pixel.
        step = max(1, min(picture.shape[:2]) // (16 * self.SIZE[1]))
        green = np.ascontiguousarray(picture[::step, ::step, 1])
        small = cv2.resize(green, self.SIZE, interpolation=cv2.INTER_AREA)
        thumbnail: FloatArray = small.astype(np.float32)
        return thumbnail


@dataclass
class AdaptiveSchedule:
    """Decides in which frames of a video palms are detected; one instance serves one detector.

    At once when a hand is lost; now and then while one of two hands is missing; while there is
    none, soon after something has moved, else at long intervals. Intervals of 0 seconds mean every
    frame in which fewer hands are tracked than were asked for, as in MediaPipe.
    """

    second_hand: float = 0.5
    """Seconds between detections of another hand while one is tracked."""
    alert: float = 0.1
    """Seconds between detections while something moves."""
    after_loss: float = 0.03
    """Seconds between detections after a hand was lost: every frame, at most 30 a second."""
    stay_alert: float = 0.5
    """For how many seconds ``alert`` applies after a movement, and ``after_loss`` after a loss."""
    heartbeat: float = 0.5
    """Seconds between detections in a scene in which nothing moves."""
    motion: _Motion = field(default_factory=_Motion)
    """Detects that something moves."""
    _last_detection: float | None = field(default=None, init=False)
    _moved_until: float = field(default=-inf, init=False)
    _lost_until: float = field(default=-inf, init=False)

    def due(self, picture: Pixels, seconds: float, n_tracked: int) -> bool:
        """Say whether to detect palms in this frame (height, width, 3); called at most once for it.

        ``n_tracked`` hands are being tracked, fewer than were asked for.
        """
        if not n_tracked and self.motion.seen(picture):
            self._moved_until = seconds + self.stay_alert
        wait = self.second_hand if n_tracked else self.heartbeat
        # Beside a tracked hand, the movement is mostly that hand.
        if not n_tracked and seconds <= self._moved_until:
            wait = self.alert
        if seconds <= self._lost_until:
            wait = self.after_loss
        # Frame times are rounded to milliseconds.
        if self._last_detection is not None and seconds - self._last_detection < wait - 0.001:
            return False
        self._last_detection = seconds
        if not n_tracked:
            self.motion.remember()
        return True

    def lost(self, seconds: float) -> bool:
        """Say whether to detect palms in the frame in which a hand was lost, and stay alert.

        A hand that is lost is seldom far.
        """
        self._lost_until = seconds + self.stay_alert
        self._last_detection = seconds
        return True

    def reset(self) -> None:
        """Forget the last video."""
        self._last_detection, self._moved_until, self._lost_until = None, -inf, -inf
        self.motion.reset()


MAX_PASSES = 3
"""Most runs of the hand network on one hand of a frame. The region that follows the last landmarks
cuts off fingers that open out of a fist: in 2 % of 2,250 frames with opening hands a landmark is
outside of it, and the fingertips are off by 0.135 palm lengths (median); after a second run from
the landmarks of the first by 0.098, after a third by 0.058."""


@DETECTORS.register
class LiteRTDetector(BundleDetector):
    """Finds hands with MediaPipe's networks, but without the mediapipe runtime.

    Nothing is fetched, no socket is opened, and no thread is left behind.

    Palms are detected in a video as the ``schedule`` says, by default :class:`AdaptiveSchedule`.
    Each network may use so many ``threads``, by default half the processors, at most 4; give 1
    where several processes convert side by side. The first crop of a hand is rotated to
    ``palm_target_angle`` in radians, see :data:`MEDIAPIPE_PALM_ANGLE`.
    """

    name: ClassVar[str] = "litert"
    package: ClassVar[str] = "ai-edge-litert"

    @classmethod
    def problem(cls) -> str | None:
        """Say why LiteRT cannot run on this computer; None if it can."""
        if find_spec("ai_edge_litert") is None:
            return "it is not installed; `pip install 'ai-edge-litert>=1.2,<2.2'`"
        return None

    @classmethod
    def preference(cls, *, video: bool) -> tuple[int, str]:
        """Prefer it for cameras and videos, and always on ARM Linux."""
        if is_arm_linux():
            return 2, "this is ARM Linux, where mediapipe aborts on many processors"
        return 2, "it tracks hands in cameras and videos by the same steps"

    def __init__(
        self,
        bundle: Bundle,
        *,
        max_hands: int = 1,
        schedule: AdaptiveSchedule | None = None,
        threads: int | None = None,
        palm_target_angle: float = MEDIAPIPE_PALM_ANGLE,
    ) -> None:
        super().__init__(bundle, max_hands=max_hands, threads=threads)
        self._networks: Networks | None = Networks(bundle, threads)
        self._schedule = schedule or AdaptiveSchedule()
        self._angle = palm_target_angle
        self._tracker = Tracker(max_hands)

    def detect(
        self,
        picture: Pixels,
        *,
        min_confidence: float = DEFAULT_CONFIDENCE,
        min_presence: float | None = None,
    ) -> list[Hand]:
        """Find hands in a still picture, see :meth:`HandDetector.detect`."""
        min_presence = checked_confidence(min_confidence if min_presence is None else min_presence)
        networks = self._open()
        picture, min_confidence = checked_picture(picture), checked_confidence(min_confidence)
        regions = self._palm_regions(picture, min_confidence)[: self._max_hands]
        hands = [hand_in_region(networks, picture, region) for region in regions]
        present = [hand for hand in hands if hand.score > min_presence]
        return [present[k] for k in distinct([pixels_of(hand, picture) for hand in present])]

    def track(self, picture: Pixels, seconds: float) -> list[Hand]:
        """Find hands in the next frame of a video, see :meth:`HandDetector.track`."""
        self._open()
        seen = checked_picture(picture)
        picture = brightened(seen)
        self._next_ms(seconds)
        self._tracker.resize(picture)
        present = self._present(picture, seconds)
        # Noise that is amplified would count as movement.
        detect_palms = self._palms_due(seen, seconds, len(present))
        found = self._newcomers(picture, [track for track, _ in present]) if detect_palms else []
        return self._tracker.update(present, found, picture, seconds)

    def detect_again(
        self, picture: Pixels, hand: Hand, transforms: Sequence[HandTransform] = (HandTransform(),)
    ) -> list[Hand]:
        """Run the hand network on a known hand, see :meth:`HandDetector.detect_again`."""
        return transformed_hands(self._open(), checked_picture(picture), hand, transforms)

    def reset(self) -> None:
        """Forget the hands being tracked."""
        self._tracker.reset()
        self._schedule.reset()
        self._last_ms = -1

    def close(self) -> None:
        """Free the networks."""
        self.reset()
        self._networks = None

    def _open(self) -> Networks:
        if self._networks is None:
            raise InvalidArgumentError("this detector has been closed")
        return self._networks

    def _palm_regions(self, picture: Pixels, min_confidence: float) -> list[Region]:
        palms = find_palms(self._open(), picture, min_confidence)
        return [Region.from_palm(palm.box, palm.keypoints, self._angle) for palm in palms]

    def _present(self, picture: Pixels, seconds: float) -> list[tuple[Track, Hand]]:
        """Return the known hands that are where they were, or where they are expected."""
        looks = [(track, self._tracked(picture, track.region)) for track in self._tracker.tracks]
        looks += [(track, None) for track in self._tracker.lost]
        found = [(track, hand or self._recovered(picture, track, seconds)) for track, hand in looks]
        return [(track, hand) for track, hand in found if hand]

    def _tracked(self, picture: Pixels, region: Region) -> Hand | None:
        """Return the hand in a region; if the region cuts it off, from the landmarks found."""
        found = None
        for _ in range(MAX_PASSES):
            hand = hand_in_region(self._open(), picture, region)
            if hand.score <= DEFAULT_CONFIDENCE:
                break
            found, points = hand, pixels_of(hand, picture)
            if region.contains(points):
                break
            region = Region.from_landmarks(points)
        return found

    def _recovered(self, picture: Pixels, track: Track, seconds: float) -> Hand | None:
        """Return a lost hand if it is where it is expected, and a second run confirms it."""
        hand = hand_in_region(self._open(), picture, track.expected(seconds))
        region = Region.from_landmarks(pixels_of(hand, picture))
        if hand.score <= DEFAULT_CONFIDENCE or not track.accepts(region):
            return None
        return self._tracked(picture, region)

    def _palms_due(self, picture: Pixels, seconds: float, n_present: int) -> bool:
        """Say whether to detect palms: there is room, and it is time or a hand was just lost."""
        if n_present == self._max_hands:
            return False
        n_before = len(self._tracker.tracks)
        due = n_before < self._max_hands and self._schedule.due(picture, seconds, n_before)
        return (n_present < n_before and self._schedule.lost(seconds)) or due

    def _newcomers(self, picture: Pixels, present: list[Track]) -> list[Hand]:
        """Return the hands at palms where none of this frame's hands is."""
        regions = self._palm_regions(picture, DEFAULT_CONFIDENCE)[: self._max_hands]
        fresh = self._tracker.newcomers(regions, present)
        return [hand for region in fresh if (hand := self._tracked(picture, region))]
