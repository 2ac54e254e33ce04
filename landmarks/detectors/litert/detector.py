"""The detector that runs MediaPipe's networks through LiteRT."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from ...detector import (
    DEFAULT_CONFIDENCE,
    DetectorInfo,
    checked_confidence,
    checked_max_hands,
    checked_picture,
    next_milliseconds,
)
from ...hand_transforms import HandTransform
from ...hands import Hand, Pixels
from ...weights import Bundle
from .networks import Networks, litert_version
from .palm import find_palms
from .regions import MEDIAPIPE_PALM_ANGLE, Region, region_from_palm
from .schedule import AdaptiveSchedule, PalmSchedule
from .tracking import Track, Tracker, distinct, look, pixels_of, see_transforms


class LiteRTDetector:
    """Finds hands with MediaPipe's networks, but without the mediapipe runtime.

    Nothing is fetched, no socket is opened, and no thread is left behind.

    Parameters
    ----------
    bundle
        The networks.
    max_hands
        How many hands are looked for.
    schedule
        When palms are sought in a video; default: :class:`AdaptiveSchedule`.
    threads
        How many threads each network may use; default: half the processors, at most 4. Give 1
        where several processes convert side by side.
    palm_target_angle
        How the first crop of a hand is turned, in radians, see :data:`MEDIAPIPE_PALM_ANGLE`.

    Raises
    ------
    HandloreError
        If ai-edge-litert is not installed, or refuses the bundle.
    ValueError
        If ``max_hands`` is less than 1.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        max_hands: int = 1,
        schedule: PalmSchedule | None = None,
        threads: int | None = None,
        palm_target_angle: float = MEDIAPIPE_PALM_ANGLE,
    ) -> None:
        self._networks: Networks | None = Networks(bundle, threads)
        self._max_hands = checked_max_hands(max_hands)
        self._schedule: PalmSchedule = schedule or AdaptiveSchedule()
        self._angle = palm_target_angle
        self._tracker = Tracker(max_hands)
        self._last_ms = -1
        self.info = DetectorInfo("litert", litert_version(), bundle.landmarker, bundle.sha256)

    @property
    def track_numbers(self) -> tuple[int, ...]:
        """Which hand is which, in the order of the last answer of :meth:`track`."""
        return tuple(track.number for track in self._tracker.tracks)

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
        hands = [look(networks, picture, region) for region in regions]
        present = [hand for hand in hands if hand.score > min_presence]
        return [present[k] for k in distinct([pixels_of(hand, picture) for hand in present])]

    def track(self, picture: Pixels, seconds: float) -> list[Hand]:
        """Find hands in the next frame of a video, see :meth:`HandDetector.track`."""
        networks = self._open()
        picture = checked_picture(picture)
        self._last_ms = next_milliseconds(seconds, self._last_ms)
        self._tracker.resize(picture)
        tracks = self._tracker.tracks
        seek = len(tracks) < self._max_hands and self._schedule.due(
            picture, seconds, len(tracks), self._max_hands
        )
        fresh = self._newcomers(picture) if seek else []
        followed = [(track, look(networks, picture, track.region)) for track in tracks]
        present = [(track, hand) for track, hand in followed if hand.score > DEFAULT_CONFIDENCE]
        if len(present) < len(tracks) and self._schedule.lost(seconds) and not seek:
            fresh = self._after_loss(picture, present)
        found = [look(networks, picture, region) for region in fresh]
        found = [hand for hand in found if hand.score > DEFAULT_CONFIDENCE]
        return self._tracker.update(present, found, picture, seconds)

    def look(
        self, picture: Pixels, hand: Hand, views: Sequence[HandTransform] = (HandTransform(),)
    ) -> list[Hand]:
        """Look again at a hand that is known, see :meth:`HandDetector.look`."""
        return see_transforms(self._open(), checked_picture(picture), hand, views)

    def reset(self) -> None:
        """Forget the hands being tracked."""
        self._tracker.reset()
        self._schedule.reset()
        self._last_ms = -1

    def close(self) -> None:
        """Free the networks."""
        self.reset()
        self._networks = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open(self) -> Networks:
        if self._networks is None:
            raise ValueError("this detector has been closed")
        return self._networks

    def _palm_regions(self, picture: Pixels, min_confidence: float) -> list[Region]:
        palms = find_palms(self._open(), picture, min_confidence)
        return [region_from_palm(palm.box, palm.keypoints, self._angle) for palm in palms]

    def _newcomers(self, picture: Pixels) -> list[Region]:
        regions = self._palm_regions(picture, DEFAULT_CONFIDENCE)[: self._max_hands]
        return self._tracker.newcomers(regions)

    def _after_loss(self, picture: Pixels, present: list[tuple[Track, Hand]]) -> list[Region]:
        self._tracker.tracks = [track for track, _ in present]
        return self._newcomers(picture)
