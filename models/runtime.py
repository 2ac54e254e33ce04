"""Running a model file: numpy and onnxruntime, nothing else."""

import io
import json
import os
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handlore.classifiers.encoding import PoseEncoder
from handlore.datasets.dataset import NONE_LABEL
from handlore.landmarks.detector import HandDetector
from handlore.landmarks.errors import HandloreError, InvalidDataError, NewerFormatError
from handlore.landmarks.geometry import rotation_deg
from handlore.landmarks.hands import Hand, Pixels, by_slot

from .card import ModelCard

FloatArray = NDArray[np.float32]

METADATA_KEY = "handlore"
INPUT, OUTPUT = "X", "probabilities"


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


class PoseModel:
    """A pose classifier that was loaded from a file.

    Attributes
    ----------
    card
        What the file says of itself.
    """

    def __init__(self, session: Any, card: ModelCard) -> None:
        self.card = card
        self._session = session
        self._encoder = PoseEncoder(card.features, card.n_hands)

    @property
    def encoder(self) -> PoseEncoder:
        """The features it takes."""
        return self._encoder

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Return the probability (n, n_labels) of each label for features (n, n_features)."""
        answer: FloatArray = self._session.run([OUTPUT], {INPUT: X})[0]
        return answer

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
        row = self._encoder.encode(image[None], world[None], handedness[None])
        probabilities: FloatArray = self.predict_proba(row)[0]
        return probabilities

    def predict_picture(self, detector: HandDetector, pixels: Pixels) -> Prediction:
        """Say what a picture shows, searching it for a hand in stages.

        Parameters
        ----------
        detector
            Open, for as many hands as the card says.
        pixels
            (height, width, 3) RGB, 8 bit, not mirrored.
        """
        from handlore.landmarks.search import search

        return self.predict_hands(by_slot(search(detector, pixels), self.card.n_hands))

    def predict_hands(self, slots: Sequence[Hand | None]) -> Prediction:
        """Say what one frame shows.

        Parameters
        ----------
        slots
            The hand in each slot, see :func:`~handlore.landmarks.hands.by_slot`.
        """
        shown = [hand for hand in slots if hand is not None]
        if not shown:
            return Prediction(NONE_LABEL, None, None, None)
        image = np.full((len(slots), 21, 3), np.nan, np.float32)
        world, handedness = image.copy(), np.full(len(slots), np.nan, np.float32)
        for slot, hand in enumerate(slots):
            if hand is not None:
                image[slot], world[slot], handedness[slot] = hand.image, hand.world, hand.handedness
        probabilities = self.predict_frame(image, world, handedness)
        best = int(probabilities.argmax())
        first = max(shown, key=lambda hand: 0.0 if isnan(hand.score) else hand.score)
        return Prediction(
            self.card.labels[best],
            float(probabilities[best]),
            float(rotation_deg(first.image)),
            first.side,
            tuple(map(float, probabilities)),
        )


def load_model(path: Path) -> PoseModel:
    """Load a model file.

    Raises
    ------
    HandloreError
        If there is no such file, or it cannot be read.
    InvalidDataError
        If it is not ONNX, truncated, or not a model of handlore.
    NewerFormatError
        If a later version of handlore wrote it.
    """
    path = Path(path)
    data = _read(path)
    session = _session(path, data)
    try:
        card = ModelCard.from_json(
            json.loads(session.get_modelmeta().custom_metadata_map[METADATA_KEY])
        )
        _check_graph(session, card)
    except KeyError as error:
        raise InvalidDataError(
            f"{path} is an ONNX model, but not one made by `handlore train`"
        ) from error
    except NewerFormatError as error:
        raise NewerFormatError(f"{path} comes from a newer handlore: {error}") from error
    except (HandloreError, ValueError, TypeError, RecursionError) as error:
        raise InvalidDataError(f"{path} is damaged: {error}; train it again") from error
    if card.kind != "pose":
        raise InvalidDataError(f"{path} is a model of kind {card.kind!r}; expected one for poses")
    return PoseModel(session, card)


def _read(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise HandloreError(f"there is no file {path}") from error
    except IsADirectoryError as error:
        raise HandloreError(
            f"{path} is a folder; expected a model file such as poses.onnx"
        ) from error
    except OSError as error:
        raise HandloreError(f"cannot read {path}: {error.strerror}") from error
    wrong = {
        b"PK": "it looks like a dataset; make a model of it with `handlore train`",
        b"\x80": "it is a Python pickle, which handlore never loads; models are .onnx files",
        b"\x78": "it is a joblib file, which handlore never loads; models are .onnx files",
    }
    for start, reason in wrong.items():
        if data.startswith(start):
            raise InvalidDataError(f"{path} is not a model: {reason}")
    if not data:
        raise InvalidDataError(f"{path} is not a model: it is empty")
    return data


def _session(path: Path, data: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One row at a time: more threads would cost more than they bring, and wake idle cores.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # A graph may name other files that hold its numbers: send it where there are none.
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", os.devnull
    )
    try:
        # When it is given a damaged model, onnxruntime's wrapper talks on stdout.
        with redirect_stdout(io.StringIO()):
            return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises many kinds; all mean the file
        raise InvalidDataError(
            f"{path} is not an ONNX model, or it is truncated; train it again, or copy it again"
        ) from error


def _check_graph(session: Any, card: ModelCard) -> None:
    """Refuse a graph that does not do what the card says, by trying it on one row."""
    expected = len(PoseEncoder(card.features, card.n_hands).names)
    inputs = [(value.name, value.type, len(value.shape)) for value in session.get_inputs()]
    if card.n_features != expected or inputs != [(INPUT, "tensor(float)", 2)]:
        raise InvalidDataError("its graph does not take the features that its metadata names")
    try:
        answer = session.run([OUTPUT], {INPUT: np.zeros((1, expected), np.float32)})[0]
    except Exception as error:  # as above
        raise InvalidDataError("its graph does not run on one row of its features") from error
    if getattr(answer, "shape", None) != (1, len(card.labels)) or answer.dtype != np.float32:
        raise InvalidDataError("its graph does not give one probability for each of its labels")
