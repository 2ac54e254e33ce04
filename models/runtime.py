"""Running a model of poses: numpy and onnxruntime, nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handlore.classifiers.encoding import Encoder, PoseEncoder
from handlore.classifiers.kinds import INPUT, OUTPUT
from handlore.datasets.dataset import NONE_LABEL
from handlore.landmarks.detector import HandDetector
from handlore.landmarks.geometry import rotation_deg
from handlore.landmarks.hands import Hand, Pixels, by_slot

from .card import ModelCard
from .segments import Segment, held

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Prediction:
    """What a model says of one picture."""

    label: str
    """``none`` where there is no hand."""

    probability: float | None
    """Of the label; None where there is no hand."""

    rotation_deg: float | None
    """Direction from wrist to middle-finger MCP against image-up, clockwise positive."""

    hand: str | None
    """``left`` or ``right``."""

    probabilities: tuple[float, ...] = ()
    """Of all labels, in the order of the card."""


class Model:
    """A classifier that was loaded from a file.

    Attributes
    ----------
    card
        What the file says of itself.
    encoder
        What turns landmarks into its input.
    """

    def __init__(self, session: Any, card: ModelCard, encoder: Encoder) -> None:
        self.card = card
        self.encoder = encoder
        self._session = session

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Return the probability (n, n_labels) of each label for what the encoder gives."""
        answer: FloatArray = self._session.run([OUTPUT], {INPUT: X})[0]
        return answer


class PoseModel(Model):
    """A classifier of single pictures."""

    encoder: PoseEncoder

    def predict_frame(
        self, image: FloatArray, world: FloatArray, handedness: FloatArray
    ) -> FloatArray:
        """Return the probabilities (n_labels,) for one frame that shows a hand.

        Parameters
        ----------
        image, world
            (n_hands, 21, 3) image and world landmarks, NaN for a missing hand.
        handedness
            (n_hands,) probability of a right hand.
        """
        row = self.encoder.encode(image[None], world[None], handedness[None])
        probabilities: FloatArray = self.predict_proba(row)[0]
        return probabilities

    def segments(
        self,
        image: FloatArray,
        world: FloatArray,
        handedness: FloatArray,
        time: NDArray[np.float64],
    ) -> list[Segment]:
        """Say which pose a video shows when, see :func:`~.segments.held`.

        Parameters
        ----------
        image, world
            (n_frames, n_hands, 21, 3) image and world landmarks, NaN for a missing hand.
        handedness
            (n_frames, n_hands) probability of a right hand.
        time
            (n_frames,) seconds, rising.
        """
        seen = np.asarray((~np.isnan(image[..., 0, 0])).any(axis=1))
        probabilities = np.full((len(time), len(self.card.labels)), np.nan, np.float32)
        if seen.any():
            rows = self.encoder.encode(image[seen], world[seen], handedness[seen])
            probabilities[seen] = self.predict_proba(rows)
        return held(probabilities, self.card.labels, handedness, time)

    def predict_picture(
        self, detector: HandDetector, pixels: Pixels, n_views: int = 0
    ) -> Prediction:
        """Say what a picture shows, searching it for a hand in stages.

        Parameters
        ----------
        detector
            Open, for as many hands as the card says.
        pixels
            (height, width, 3) RGB, 8 bit, not mirrored.
        n_views
            In how many more views to look at the hand; the answer is the mean over all. Each costs
            a pass of the hand network.
        """
        from handlore.landmarks.search import search, seen_in_views

        slots = by_slot(search(detector, pixels), self.card.n_hands)
        views = [view for _, view in seen_in_views(detector, pixels, slots, n_views)]
        return self.predict_hands(slots, views)

    def predict_hands(
        self, slots: Sequence[Hand | None], views: Sequence[Sequence[Hand | None]] = ()
    ) -> Prediction:
        """Say what one frame shows.

        Parameters
        ----------
        slots
            The hand in each slot, see :func:`~handlore.landmarks.hands.by_slot`.
        views
            The same hands as other views of the frame show them; each view has a hand at least.
        """
        shown = [hand for hand in slots if hand is not None]
        if not shown:
            return Prediction(NONE_LABEL, None, None, None)
        rows = self.encoder.encode(*_landmarks([slots, *views]))
        probabilities = self.predict_proba(rows).mean(axis=0)
        best = int(probabilities.argmax())
        first = max(shown, key=lambda hand: 0.0 if isnan(hand.score) else hand.score)
        return Prediction(
            self.card.labels[best],
            float(probabilities[best]),
            float(rotation_deg(first.image)),
            first.side,
            tuple(map(float, probabilities)),
        )


def _landmarks(frames: Sequence[Sequence[Hand | None]]) -> tuple[FloatArray, ...]:
    """Return image and world landmarks and handedness of frames, NaN for a missing hand."""
    n_frames, n_hands = len(frames), len(frames[0])
    image = np.full((n_frames, n_hands, 21, 3), np.nan, np.float32)
    world, handedness = image.copy(), np.full((n_frames, n_hands), np.nan, np.float32)
    for number, slots in enumerate(frames):
        for slot, hand in enumerate(slots):
            if hand is not None:
                place = number, slot
                image[place], world[place] = hand.image, hand.world
                handedness[place] = hand.handedness
    return image, world, handedness
