"""Running a model of poses: numpy and onnxruntime, nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import NONE_LABEL, LandmarkDataset
from handlore.landmarks.geometry import rotation_deg
from handlore.landmarks.hands import FloatArray, Hand, Pixels, by_slot, majority_side, stack_hands

from .card import INPUT, NOVELTY_OUTPUT, OUTPUT, ModelCard
from .movement_encoder import MovementEncoder
from .pose_encoder import Encoder, PoseEncoder

if TYPE_CHECKING:
    # A model that is run on landmarks needs no OpenCV.
    from handlore.landmarks.detector import HandDetector

REJECT_BELOW = 0.05
"""Hands less familiar than this share of known hands are doubted."""


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
    """``left`` or ``right``; None where there is no hand, or a silhouette, which shows no side."""

    probabilities: tuple[float, ...] = ()
    """Of all labels, in the order of the card."""

    familiarity: float | None = None
    """How like its training data the model finds the hand, 0 to 1; below 0.05 it is like none of
    its labels. None where there is no hand, or the model does not tell."""


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

    @property
    def labels(self) -> tuple[str, ...]:
        """The label of each probability."""
        return self.card.labels

    @property
    def seconds(self) -> tuple[float, ...]:
        """Lengths of short, usual and long clips; none for poses."""
        return self.card.seconds

    @property
    def thresholds(self) -> Mapping[str, float]:
        """Least probabilities of labels that have one of their own."""
        return self.card.thresholds

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Return the probability (n, n_labels) of each label for what the encoder gives."""
        # The votes of many trees can add up to a hair more than 1.
        answer: FloatArray = np.minimum(self._session.run([OUTPUT], {INPUT: X})[0], 1)
        return answer

    def predict_known(self, X: FloatArray) -> FloatArray:
        """Return the same, less where the model was taught nothing of the kind; for streams."""
        return self.predict_proba(X)


class PoseModel(Model):
    """A classifier of single pictures."""

    encoder: PoseEncoder

    @property
    def tells_familiarity(self) -> bool:
        """Whether the file also tells how familiar a hand is."""
        return any(output.name == NOVELTY_OUTPUT for output in self._session.get_outputs())

    def predict_known(self, X: FloatArray) -> FloatArray:
        """Return the probabilities (n, n_labels), less where a hand is like none of the labels."""
        if not self.tells_familiarity:
            return self.predict_proba(X)
        probabilities, familiarity = self._session.run([OUTPUT, NOVELTY_OUTPUT], {INPUT: X})
        return reject_novel(np.minimum(probabilities, 1), familiarity)

    def familiarity(self, X: FloatArray) -> FloatArray | None:
        """Return how familiar hands (n,) are, 0 to 1; None if the file does not tell.

        0.05 says that 5 % of hands which do show a label, of people who are not in the training
        data, lie as far off or farther.
        """
        if not self.tells_familiarity:
            return None
        told: FloatArray = self._session.run([NOVELTY_OUTPUT], {INPUT: X})[0]
        return told

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

    def predict_held(self, recording: LandmarkDataset) -> Prediction:
        """Say which pose a recording shows all the time: the mean answer to its frames.

        Rotation and side are those of the frame in the middle of those that show a hand.

        Parameters
        ----------
        recording
            Frames of one pose, with as many hands as the card says.
        """
        seen = np.flatnonzero(recording.detected.any(axis=1))
        if not len(seen):
            return Prediction(NONE_LABEL, None, None, None)
        rows = self.encoder.encode(
            recording.image[seen], recording.world[seen], recording.handedness[seen]
        )
        mean, told = self.predict_proba(rows).mean(axis=0), self.familiarity(rows)
        best, middle = int(mean.argmax()), seen[len(seen) // 2]
        slot = int(np.flatnonzero(recording.detected[middle])[0])
        return Prediction(
            self.card.labels[best],
            float(mean[best]),
            float(rotation_deg(recording.image[middle, slot])),
            majority_side(recording.handedness[middle, slot : slot + 1]),
            tuple(map(float, mean)),
            None if told is None else float(told.mean()),
        )

    def predict_picture(
        self, detector: "HandDetector", pixels: Pixels, n_views: int = 0
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
        from handlore.landmarks.search import augmented_hands, search

        slots = by_slot(search(detector, pixels), self.card.n_hands)
        views = [view for _, view in augmented_hands(detector, pixels, slots, n_views)]
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
        rows = self.encoder.encode(*stack_hands([slots, *views])[:3])
        probabilities, told = self.predict_proba(rows).mean(axis=0), self.familiarity(rows)
        best = int(probabilities.argmax())
        first = max(shown, key=lambda hand: 0.0 if isnan(hand.score) else hand.score)
        return Prediction(
            self.card.labels[best],
            float(probabilities[best]),
            float(rotation_deg(first.image)),
            first.side,
            tuple(map(float, probabilities)),
            None if told is None else float(told.mean()),
        )


# Running a model of movements on a clip.


class MovementModel(Model):
    """A classifier of clips."""

    encoder: MovementEncoder

    def predict_clip(
        self, image: FloatArray, handedness: FloatArray, time: NDArray[np.float64]
    ) -> FloatArray:
        """Return the probabilities (n_labels,) for a clip that shows a movement and no more.

        Parameters are those of :meth:`MovementEncoder.encode`.
        """
        block = self.encoder.encode(image, handedness, time, whole=True)
        probabilities: FloatArray = self.predict_proba(block[None])[0]
        return probabilities


def reject_novel(probabilities: FloatArray, familiarity: FloatArray) -> FloatArray:
    """Return probabilities (n, n_classes) that fall to 0 with familiarity (n,).

    They stay what they are for all but the least familiar of known hands. So a threshold on a
    probability also keeps back what was never taught.
    """
    less: FloatArray = probabilities * np.minimum(familiarity / REJECT_BELOW, 1)[:, None]
    return less
