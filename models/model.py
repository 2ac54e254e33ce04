"""A loaded model: probabilities, and predictions for pictures and clips."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np

from handlore.datasets.dataset import NONE_LABEL, LandmarkDataset
from handlore.datasets.kinds import KIND_WORDS
from handlore.datasets.validation import are_landmarks
from handlore.landmarks.errors import InvalidDataError, counted, require_type
from handlore.landmarks.geometry import rotation_deg
from handlore.landmarks.hands import FloatArray, Hand, Pixels, by_slot, majority_side, stack_hands
from handlore.landmarks.untrusted import reason

from .card import CLIP_OUTPUT, INPUT, OUTPUT, P_VALUE_OUTPUT, ModelCard
from .encoders import Encoder, MovementEncoder, PoseEncoder

if TYPE_CHECKING:
    # A model that is run on landmarks needs no OpenCV.
    from handlore.landmarks.detector import HandDetector

_MOST_ROWS = 256
"""Samples that are run at a time, which bounds memory."""

_ROUNDING = 1e-5
"""How far below 0 a probability may be that is not exactly computed."""
_MAX_ERROR = 0.01
"""How far the probabilities of a sample may be from adding up to 1."""

MIN_P_VALUE = 0.05
MAX_NOVELTY = 1 - MIN_P_VALUE
"""A hand with a higher novelty score is rejected: 95 % of known hands have a lower one."""
_LEAST_P_VALUE = 1e-6


@dataclass(frozen=True)
class Prediction:
    """What a model predicts for one picture or clip."""

    label: str
    """``none`` where there is no hand."""
    probability: float | None
    """Of the label, 0 to 1; None where there is no hand."""
    rotation_deg: float | None
    """Direction from wrist to middle-finger MCP against image-up in degrees, clockwise positive;
    None for movements and where there is no hand."""
    hand: str | None
    """``left`` or ``right``; None where there is no hand, or the side is unknown."""
    probabilities: tuple[float, ...] = ()
    """Of all labels, in the order of the card."""
    novelty: float | None = None
    """How unlike the training data the hand is, 0 to 1; above :data:`MAX_NOVELTY` it shows none of
    the labels. None where there is no hand, or the model file has no novelty score."""


_NO_HAND = Prediction(NONE_LABEL, None, None, None)


class Model:
    """A classifier that was loaded from a file, with its card and the encoder of its input."""

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
        """Lengths of short, typical and long training clips; empty for poses."""
        return self.card.seconds

    @property
    def thresholds(self) -> Mapping[str, float]:
        """Minimum probabilities of labels that have one of their own."""
        return self.card.thresholds

    @property
    def patience(self) -> Mapping[str, float]:
        """Seconds that movements wait in a stream, of labels with a patience of their own."""
        return self.card.patience

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Return the probabilities (n, n_labels) of samples as the encoder returns them.

        InvalidDataError is raised if they have another shape.
        """
        return self._run(X, OUTPUT)[0]

    def predict_known(self, X: FloatArray, max_novelty: float = MAX_NOVELTY) -> FloatArray:
        """Return the same, lowered for samples that are unlike the training data; for streams.

        That is, of those with a higher novelty score than ``max_novelty``.
        """
        return self.predict_proba(X)

    def predict_clips(self, X: FloatArray) -> FloatArray:
        """Return the probabilities (n, n_labels) of samples that are known to show a label.

        Somebody has cut them. ``none`` competes only if the training data has it.
        """
        return self.predict_proba(X)

    def predict_picture(self, detector: "HandDetector", pixels: Pixels, tta: int = 0) -> Prediction:
        """Predict the pose in a picture, see :meth:`PoseModel.predict_picture`.

        InvalidDataError is raised if the model takes movements.
        """
        raise InvalidDataError(f"this model takes {KIND_WORDS[self.card.kind]}, not pictures")

    def predict_clip(self, clip: LandmarkDataset) -> Prediction:
        """Predict the one gesture that a recording shows from start to end.

        Parameters
        ----------
        clip
            One sample, such as :func:`~handlore.datasets.tracking.track_video` returns.

        Raises
        ------
        InvalidDataError
            If it has several samples, or room for another number of hands than the model takes.
        """
        self.require_hands(clip)
        is_pose, samples = clip.header.kind == "pose", clip.samples
        if is_pose and self.card.kind == "sequence":
            raise InvalidDataError("it holds poses (single pictures), the model takes clips")
        # A recording of a pose is a sample for each frame, as a picture is for each copy of it.
        names = (samples.recording, samples.source)
        is_one = is_pose and any(len({*each}) == 1 and each[0] for each in names)
        if clip.n_samples > 1 and not is_one:
            items = counted(clip.n_samples, "picture" if is_pose else "clip")
            raise InvalidDataError(f"it holds {items}, expected one, such as clips.select([0])")
        return self._predict_clip(clip) if clip.detected.any() else _NO_HAND

    def require_hands(self, clip: LandmarkDataset) -> None:
        """Raise InvalidDataError if a clip has room for another number of hands."""
        require_type(clip, LandmarkDataset, "a clip such as track_video returns")
        if clip.n_hands != self.card.n_hands:
            raise InvalidDataError(
                f"it has room for {counted(clip.n_hands, 'hand')} a frame, the model takes"
                f" {self.card.n_hands}"
            )

    def _predict_clip(self, clip: LandmarkDataset) -> Prediction:
        raise NotImplementedError

    def _run(self, X: FloatArray, *outputs: str) -> list[FloatArray]:
        """Return outputs of the graph for samples; the first ones are checked probabilities."""
        X = self._checked_rows(X)
        if len(X) <= _MOST_ROWS:
            return self._run_some(X, outputs)
        starts = range(0, len(X), _MOST_ROWS)
        parts = [self._run_some(X[k : k + _MOST_ROWS], outputs) for k in starts]
        return [np.concatenate(part) for part in zip(*parts, strict=True)]

    def _checked_rows(self, X: FloatArray) -> FloatArray:
        shape = self.encoder.shape
        if isinstance(X, np.ndarray) and X.dtype == np.float32 and X.shape[1:] == shape:
            return X
        try:
            with np.errstate(over="raise"):
                rows = np.asarray(X, np.float32)
        except (ValueError, TypeError, FloatingPointError) as error:
            raise InvalidDataError(f"X is no array of 32-bit numbers: {error}") from error
        if rows.shape[1:] != shape:
            expected = ", ".join(map(str, ("n", *shape)))
            raise InvalidDataError(f"X has shape {rows.shape}, expected ({expected})")
        return rows

    def _run_some(self, X: FloatArray, outputs: Sequence[str]) -> list[FloatArray]:
        try:
            results: list[FloatArray] = self._session.run(list(outputs), {INPUT: X})
        except Exception as error:  # onnxruntime raises many kinds
            raise InvalidDataError(
                f"the model file fails on this input ({reason(error)}); train it again"
            ) from error
        # The votes of many trees can add up to slightly more than 1, and a sum of which a part is
        # taken away can be slightly less than 0.
        return [
            np.clip(_checked(values, X, len(self.labels)), 0, 1)
            if name != P_VALUE_OUTPUT
            else values
            for name, values in zip(outputs, results, strict=True)
        ]


class PoseModel(Model):
    """A classifier of single pictures."""

    encoder: PoseEncoder

    @property
    def has_novelty(self) -> bool:
        """Whether the file has a novelty score."""
        return any(output.name == P_VALUE_OUTPUT for output in self._session.get_outputs())

    def predict_known(self, X: FloatArray, max_novelty: float = MAX_NOVELTY) -> FloatArray:
        """Return the probabilities (n, n_labels), lowered for hands with a high novelty score."""
        if not self.has_novelty:
            return self.predict_proba(X)
        probabilities, p_value = self._run(X, OUTPUT, P_VALUE_OUTPUT)
        return reject_novel(probabilities, p_value, max_novelty)

    def novelty(self, X: FloatArray) -> FloatArray | None:
        """Return the novelty score (n,) of hands, 0 to 1; None if the file has none.

        0.95 means: of hands that do show a label, made by people who are not in the training data,
        95 % are nearer to the training data.
        """
        p_value = self._p_value(X)
        return None if p_value is None else 1 - p_value

    def _p_value(self, X: FloatArray) -> FloatArray | None:
        if not self.has_novelty:
            return None
        return self._run(X, P_VALUE_OUTPUT)[0]

    def predict_frame(
        self, image: FloatArray, world: FloatArray, handedness: FloatArray
    ) -> FloatArray:
        """Return the probabilities (n_labels,) for one frame that shows a hand.

        The arrays are those of one frame of :meth:`~.encoders.PoseEncoder.encode`.
        InvalidDataError is raised if it shows none, or its landmarks are not finite.
        """
        arrays = (np.asarray(one, np.float32)[None] for one in (image, world, handedness))
        image, world, handedness = arrays
        if np.isnan(image).all() or not are_landmarks(image, world):
            raise InvalidDataError("the frame shows no hand, or its landmarks are not finite")
        row = self.encoder.encode(image, world, handedness)
        probabilities: FloatArray = self.predict_proba(row)[0]
        return probabilities

    def predict_picture(self, detector: "HandDetector", pixels: Pixels, tta: int = 0) -> Prediction:
        """Predict the pose in a picture; the hand is searched in stages.

        Parameters
        ----------
        detector
            Open, for as many hands as the card says.
        pixels
            (height, width, 3) RGB, 8 bit, not mirrored.
        tta
            Test-time augmentation: the number of turned, scaled and mirrored copies of the picture
            over which probabilities are averaged. Each costs a run of the hand network.

        Examples
        --------
        >>> model = handlore.load_model("poses.onnx", "pose")
        >>> pixels, _ = handlore.read_picture("photo.png")
        >>> with handlore.open_detector() as detector:
        ...     print(model.predict_picture(detector, pixels).label)
        fist
        """
        # Imported here: a model that is run on landmarks needs no OpenCV.
        from handlore.landmarks.search import augmented_hands, search

        slots = by_slot(search(detector, pixels), self.card.n_hands)
        copies = [copy for _, copy in augmented_hands(detector, pixels, slots, tta)]
        return self.predict_hands(slots, copies)

    def predict_each_hand(
        self, detector: "HandDetector", pixels: Pixels, tta: int = 0
    ) -> list[Prediction]:
        """Predict the pose of each hand in a picture, left before right; a model of one hand.

        As :meth:`predict_picture`, with a detector that looks for two hands. Without a hand there
        is one prediction, ``none``.
        """
        # Imported here: a model that is run on landmarks needs no OpenCV.
        from handlore.landmarks.search import augmented_hands, search

        found = [hand for hand in by_slot(search(detector, pixels), 2) if hand is not None]
        if not found:
            return [_NO_HAND]
        copies = [augmented_hands(detector, pixels, [hand], tta) for hand in found]
        return [
            self.predict_hands([hand], [copy for _, copy in own])
            for hand, own in zip(found, copies, strict=True)
        ]

    def predict_hands(
        self, slots: Sequence[Hand | None], augmented: Sequence[Sequence[Hand | None]] = ()
    ) -> Prediction:
        """Predict the pose in one frame, with augmented copies of it that each have a hand."""
        shown = [require_type(hand, Hand, "hands, or None") for hand in slots if hand is not None]
        if not shown:
            return _NO_HAND
        usable = (are_landmarks(hand.image, hand.world) for hand in shown)
        if not all(usable) or any(np.isnan(hand.image).all() for hand in shown):
            raise InvalidDataError(
                "the landmarks of the hand are not finite; a missing hand is None"
            )
        rows = self.encoder.encode(*stack_hands([slots, *augmented])[:3])
        first = max(shown, key=lambda hand: 0.0 if isnan(hand.score) else hand.score)
        return self._mean_prediction(rows, first.image, first.side)

    def _predict_clip(self, clip: LandmarkDataset) -> Prediction:
        """Average over the frames; rotation and side are those of the middle frame."""
        seen = np.flatnonzero(clip.detected.any(axis=1))
        rows = self.encoder.encode(clip.image[seen], clip.world[seen], clip.handedness[seen])
        middle = seen[len(seen) // 2]
        slot = int(np.flatnonzero(clip.detected[middle])[0])
        side = majority_side(clip.handedness[middle, slot : slot + 1])
        return self._mean_prediction(rows, clip.image[middle, slot], side)

    def _mean_prediction(self, rows: FloatArray, image: FloatArray, side: str | None) -> Prediction:
        probabilities, p_value = self.predict_proba(rows).mean(axis=0), self._p_value(rows)
        best = int(probabilities.argmax())
        return Prediction(
            self.labels[best],
            float(probabilities[best]),
            float(rotation_deg(image)),
            side,
            tuple(map(float, probabilities)),
            None if p_value is None else 1 - float(p_value.mean()),
        )


class MovementModel(Model):
    """A classifier of clips."""

    encoder: MovementEncoder

    @property
    def has_clip_output(self) -> bool:
        """Whether the file predicts whole clips apart from windows of a stream."""
        return any(output.name == CLIP_OUTPUT for output in self._session.get_outputs())

    def predict_clips(self, X: FloatArray) -> FloatArray:
        """Return the probabilities (n, n_labels) of whole clips, without negative windows."""
        if not self.has_clip_output:
            return self.predict_proba(X)
        return self._run(X, CLIP_OUTPUT)[0]

    def _predict_clip(self, clip: LandmarkDataset) -> Prediction:
        block = self.encoder.encode(clip.image, clip.handedness, clip.time, whole=True)
        probabilities = self.predict_clips(block[None])[0]
        best = int(probabilities.argmax())
        side = majority_side(clip.handedness)
        values = tuple(map(float, probabilities))
        return Prediction(self.labels[best], float(probabilities[best]), None, side, values)


def _checked(probabilities: FloatArray, X: FloatArray, n_labels: int) -> FloatArray:
    """Refuse probabilities that are none; of samples that are not finite nothing is expected."""
    if probabilities.shape != (len(X), n_labels):
        raise InvalidDataError(
            f"the model file returns {probabilities.shape} probabilities, expected"
            f" {(len(X), n_labels)}; train it again"
        )
    with np.errstate(invalid="ignore"):
        good = (probabilities >= -_ROUNDING).all(axis=1) & (
            abs(probabilities.sum(axis=1) - 1) < _MAX_ERROR
        )
    if not good.all() and not good[np.isfinite(X).reshape(len(X), -1).all(axis=1)].all():
        raise InvalidDataError(
            "the model file returns probabilities that are negative, not finite or do not add up to"
            " 1; train it again"
        )
    return probabilities


def reject_novel(
    probabilities: FloatArray, p_value: FloatArray, max_novelty: float = MAX_NOVELTY
) -> FloatArray:
    """Return probabilities (n, n_classes) that fall to 0 as hands become unlike the training data.

    Up to a novelty score of ``max_novelty``, probabilities stay what they are; so a threshold on a
    probability also rejects unknown gestures.
    """
    share = np.minimum(p_value / max(1 - max_novelty, _LEAST_P_VALUE), 1)
    lowered: FloatArray = probabilities * share[:, None]
    return lowered
