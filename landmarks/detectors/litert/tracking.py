"""Hands in regions of a picture, and tracking them from frame to frame."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import cos, exp, radians, sin

import numpy as np

from ...errors import InvalidArgumentError
from ...hands import FloatArray, Hand, HandLandmark, HandTransform, Pixels
from .networks import HAND_SIZE, HandOutput, Networks
from .regions import Matrix, Points, Region

_Z_SCALE = 0.4
"""The network's z is divided by this times the side of its input:
mediapipe/tasks/cc/vision/hand_landmarker/hand_landmarks_detector_graph.cc."""
_SAME_REGION = 0.5
"""A palm whose region overlaps a tracked one by more than this (intersection over union) belongs
to the tracked hand: ``min_tracking_confidence`` of MediaPipe Tasks."""
_SAME_HAND_DISTANCE, _SAME_HAND_LANDMARKS, _SAME_HAND_OVERLAP = 0.2, 10, 0.2
"""Two results are one hand if this many landmarks lie closer than this share of the palm, and
their boxes overlap by more than this."""
_LOST_SECONDS = 0.3
"""For this long after a loss, a hand is looked for where it is expected."""
_EXPECTED_SCALE = 1.6
"""The region in which a lost hand is expected is larger than its last one by this factor."""
_MAX_GROWTH = 1.6
"""A hand that is found again may be larger or smaller than before by this factor at most."""
_HANDEDNESS_MEMORY = 1.0
"""Seconds after which a frame counts 1/e in a track's handedness."""


@dataclass
class Track:
    """One hand that is being tracked."""

    region: Region
    """Where it is expected in the next frame."""
    handedness: float
    """Probability of a right hand, averaged over the track."""
    weight: float
    """The number of frames in that average; older ones count less."""
    seconds: float
    """When it was last seen."""
    velocity: tuple[float, float] = (0.0, 0.0)
    """Of the region's centre between the last two frames with the hand, in pixels per second to the
    right and down."""

    def follow(self, hand: Hand, region: Region, seconds: float) -> Hand:
        """Update the track with the next frame; return the hand with the track's handedness."""
        weight = self.weight * exp((self.seconds - seconds) / _HANDEDNESS_MEMORY)
        self.weight = weight + 1
        self.handedness += (hand.handedness - self.handedness) / self.weight
        if (passed := seconds - self.seconds) > 0:
            right, down = region.x - self.region.x, region.y - self.region.y
            self.velocity = right / passed, down / passed
        self.region, self.seconds = region, seconds
        return replace(hand, handedness=self.handedness)

    def expected(self, seconds: float) -> Region:
        """Return the region for a lost hand: moved on at its velocity, and larger."""
        passed, (right, down) = seconds - self.seconds, self.velocity
        return self.region.moved(right * passed, down * passed).turned(0, _EXPECTED_SCALE)

    def accepts(self, region: Region) -> bool:
        """Say whether a hand in this region can be the lost one, by its size."""
        return 1 / _MAX_GROWTH <= region.side / self.region.side <= _MAX_GROWTH

    def stretch(self, across: float, down: float) -> None:
        """Go on after the picture is stretched."""
        self.region = self.region.stretched(across, down)
        self.velocity = self.velocity[0] * across, self.velocity[1] * down


class Tracker:
    """The hands that are being tracked, oldest first, at most ``max_hands``."""

    def __init__(self, max_hands: int) -> None:
        self._max_hands = max_hands
        self._size = (0, 0)
        self.tracks: list[Track] = []
        """Hands in the last frame."""
        self.lost: list[Track] = []
        """Hands that were lost a moment ago."""

    def reset(self) -> None:
        """Forget all hands."""
        self.tracks, self.lost = [], []

    def resize(self, picture: Pixels) -> None:
        """Go on with frames of another size, scaling the regions."""
        (height, width), before = picture.shape[:2], self._size
        self._size = (height, width)
        if before not in ((0, 0), self._size):
            for track in [*self.tracks, *self.lost]:
                track.stretch(width / before[1], height / before[0])

    def newcomers(self, regions: list[Region], present: list[Track]) -> list[Region]:
        """Return the regions without a hand of this frame, as many as there is room for.

        mediapipe/tasks/cc/vision/hand_landmarker/calculators/hand_association_calculator.cc.
        """
        taken = [track.region for track in present]
        fresh: list[Region] = []
        for region in regions:
            if all(region.overlap(other) <= _SAME_REGION for other in taken + fresh):
                fresh.append(region)
        return fresh[: self._max_hands - len(present)]

    def update(
        self, followed: list[tuple[Track, Hand]], found: list[Hand], picture: Pixels, seconds: float
    ) -> list[Hand]:
        """Go on with the hands of this frame; all others are lost, and soon forgotten.

        Takes the tracks ``followed`` with the hand in the region of each, and hands ``found`` in
        new regions; returns the hands in the order of their tracks.
        """
        pairs: list[tuple[Track | None, Hand]] = [*followed, *((None, hand) for hand in found)]
        points = [pixels_of(hand, picture) for _, hand in pairs]
        hands, tracks = [], []
        for place in distinct(points):
            known, hand = pairs[place]
            region = Region.from_landmarks(points[place])
            track = known or Track(region, 0.0, 0.0, seconds)
            hands.append(track.follow(hand, region, seconds))
            tracks.append(track)
        self._keep_lost(tracks, seconds)
        self.tracks = tracks
        return hands

    def _keep_lost(self, present: list[Track], seconds: float) -> None:
        """Keep the hands that were lost a moment ago, as many as there is room for."""
        lost = [
            track
            for track in [*self.tracks, *self.lost]
            if seconds - track.seconds <= _LOST_SECONDS
            and all(track.region.overlap(other.region) <= _SAME_REGION for other in present)
        ]
        self.lost = lost[: self._max_hands - len(present)]


def distinct(hands: list[Points]) -> list[int]:
    """Return the indices of the hands (21, 2), in pixels, that are no duplicates of earlier ones.

    mediapipe/tasks/cc/vision/hand_landmarker/calculators/
    hand_landmarks_deduplication_calculator.cc.
    """
    kept: list[int] = []
    for place, points in enumerate(hands):
        if not any(_same(points, hands[other]) for other in kept):
            kept.append(place)
    return kept


def _same(one: Points, other: Points) -> bool:
    near = _SAME_HAND_DISTANCE * max(_palm_size(one), _palm_size(other))
    n_near = int((np.linalg.norm(one - other, axis=1) < near).sum())
    return n_near >= _SAME_HAND_LANDMARKS and _box_overlap(one, other) > _SAME_HAND_OVERLAP


def _palm_size(points: Points) -> float:
    """Return the longest side of the triangle of wrist and outer knuckles, in pixels."""
    corners = points[[HandLandmark.WRIST, HandLandmark.INDEX_FINGER_MCP, HandLandmark.PINKY_MCP]]
    return float(np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1).max())


def _box_overlap(one: Points, other: Points) -> float:
    low = np.maximum(one.min(axis=0), other.min(axis=0))
    high = np.minimum(one.max(axis=0), other.max(axis=0))
    shared = float(np.prod(np.clip(high - low, 0, None)))
    both = float(np.prod(np.ptp(one, axis=0)) + np.prod(np.ptp(other, axis=0))) - shared
    return shared / both if both > 0 else 0.0


def hand_in_region(
    networks: Networks, picture: Pixels, region: Region, *, flip: bool = False
) -> Hand:
    """Run the hand network on a region; ``score`` is the probability that it contains a hand.

    With ``flip`` the network sees the mirror image, and its output is mirrored back.
    """
    matrix = region.to_picture(HAND_SIZE, flip=flip)
    seen = networks.hand(picture, matrix)
    return Hand(
        image=_image(seen, matrix, region, picture.shape[1]),
        world=_world(seen, region, flip),
        handedness=1 - seen.right if flip else seen.right,
        score=seen.presence,
    )


def pixels_of(hand: Hand, picture: Pixels) -> Points:
    """Return the landmarks (21, 2) of a hand in pixels of its picture."""
    points: Points = hand.image[:, :2].astype(np.float64) * picture.shape[1]
    return points


def _image(seen: HandOutput, matrix: Matrix, region: Region, width: int) -> FloatArray:
    """mediapipe/calculators/util/landmark_projection_calculator.cc, in image widths."""
    (xx, xy, x), (yx, yy, y) = matrix.tolist()
    z = region.side / (HAND_SIZE * _Z_SCALE)
    axes = np.array([[xx, yx, 0], [xy, yy, 0], [0, 0, z], [x, y, 0]]) / width
    image: FloatArray = (seen.image @ axes[:3] + axes[3]).astype(np.float32)
    return image


def _world(seen: HandOutput, region: Region, flip: bool) -> FloatArray:
    """mediapipe/calculators/util/world_landmark_projection_calculator.cc."""
    c, s = cos(region.rotation), sin(region.rotation)
    sign = -1.0 if flip else 1.0
    axes = np.array([[sign * c, -s, 0], [sign * s, c, 0], [0, 0, 1]], np.float32)
    world: FloatArray = seen.world @ axes.T
    return world


def transformed_hands(
    networks: Networks, picture: Pixels, hand: Hand, transforms: Sequence[HandTransform]
) -> list[Hand]:
    """Run the hand network on a known hand under each transform of the region around it.

    The hands are in the frames of reference of the picture: nothing is left turned, scaled or
    mirrored. ``score`` is the probability that the network saw a hand.
    """
    points = pixels_of(hand, picture)
    if not np.isfinite(points).all():
        raise InvalidArgumentError(
            "the landmarks of the hand are not numbers; it cannot be detected again"
        )
    region = Region.from_landmarks(points)
    return [
        hand_in_region(
            networks, picture, region.turned(radians(one.turn), one.scale), flip=one.flip
        ).with_stage(hand.stage)
        for one in transforms
    ]
