"""MediaPipe's two hand networks in LiteRT interpreters."""

import importlib
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import HandloreError
from ...hands import N_LANDMARKS, FloatArray, Pixels
from ...weights import HAND_MEMBER, PALM_MEMBER, Bundle
from .regions import Matrix, RoundedWarp, Warp

PALM_SIZE, HAND_SIZE = 192, 224
"""Side of each network's square input, in pixels."""

N_ANCHORS, N_PALM_VALUES = 2016, 18
_TO_UNIT = np.float32(1 / 255)


@dataclass(frozen=True, eq=False)
class HandOutput:
    """What the hand network says about one square."""

    image: FloatArray
    """(21, 3): x, y in pixels of the square, z in the same scale before correction."""

    world: FloatArray
    """(21, 3) in metres, axes of the square."""

    presence: float
    """Probability that a hand is in the square."""

    right: float
    """Probability that it is a right hand."""


class Networks:
    """The palm and the hand network, with the warps that feed them.

    Parameters
    ----------
    bundle
        The zip with both networks.
    threads
        How many threads each network may use; None: see :func:`default_threads`.

    Raises
    ------
    HandloreError
        If ai-edge-litert is not installed, or the bundle does not hold the two networks.
    """

    def __init__(self, bundle: Bundle, threads: int | None = None) -> None:
        threads = threads or default_threads()
        members = _members(bundle)
        # Palms are sought on black, hands in a picture whose border is repeated: the border modes
        # of mediapipe/tasks/cc/vision/hand_detector/hand_detector_graph.cc and of the default.
        palm_warp = RoundedWarp(PALM_SIZE, cv2.BORDER_CONSTANT)
        hand_warp = Warp(HAND_SIZE, cv2.BORDER_REPLICATE)
        self._palm = _Network(members[PALM_MEMBER], bundle, threads, palm_warp)
        self._hand = _Network(members[HAND_MEMBER], bundle, threads, hand_warp)
        self._palm.require(bundle, (N_ANCHORS * N_PALM_VALUES, N_ANCHORS))
        self._hand.require(bundle, (3 * N_LANDMARKS, 1, 1, 3 * N_LANDMARKS))

    def palms(self, picture: Pixels, to_picture: Matrix) -> tuple[FloatArray, FloatArray]:
        """Return the raw boxes (2016, 18) and raw scores (2016,) of the palm network.

        Parameters
        ----------
        picture
            (height, width, 3) RGB.
        to_picture
            (2, 3) from the pixels of the 192x192 square to those of the picture.
        """
        boxes, scores = self._palm.run(picture, to_picture)
        return boxes.reshape(N_ANCHORS, N_PALM_VALUES), scores.reshape(N_ANCHORS)

    def hand(self, picture: Pixels, to_picture: Matrix) -> HandOutput:
        """Return what the hand network sees in the 224x224 square, parameters as for palms."""
        image, presence, right, world = self._hand.run(picture, to_picture)
        return HandOutput(
            image.reshape(N_LANDMARKS, 3),
            world.reshape(N_LANDMARKS, 3),
            float(presence.item()),
            float(right.item()),
        )


class _Network:
    """One interpreter and its warp."""

    def __init__(self, data: bytes, bundle: Bundle, threads: int, warp: Warp) -> None:
        self._warp = warp
        self._interpreter: Any = _interpreter(data, bundle, threads)
        self._input = int(self._interpreter.get_input_details()[0]["index"])
        self._outputs = [int(o["index"]) for o in self._interpreter.get_output_details()]

    def run(self, picture: Pixels, to_picture: Matrix) -> list[NDArray[np.float32]]:
        square = self._warp(picture, to_picture)
        # Straight into the interpreter's memory. The view is made anew for each call: LiteRT
        # refuses to run while somebody holds one.
        np.multiply(square, _TO_UNIT, out=self._interpreter.tensor(self._input)()[0])
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]

    def require(self, bundle: Bundle, sizes: tuple[int, ...]) -> None:
        details = self._interpreter.get_output_details()
        found = tuple(int(np.prod(output["shape"])) for output in details)
        if found != sizes:
            raise HandloreError(
                f"the bundle {bundle.path} holds other networks: outputs of {found} values,"
                f" expected {sizes}"
            )


def default_threads() -> int:
    """Return half of the processors that this process may use, at least 1 and at most 4.

    The other half is for the camera, the display and the classifier. Two threads answer in 0.63 of
    the time of one and take 1.16 of its processor time (two cores, x86-64).
    """
    usable = getattr(os, "sched_getaffinity", None)
    n_processors = len(usable(0)) if usable else os.cpu_count() or 1
    return min(max(n_processors // 2, 1), 4)


def _interpreter(data: bytes, bundle: Bundle, threads: int) -> Any:
    try:
        module = importlib.import_module("ai_edge_litert.interpreter")
    except ImportError as error:
        raise HandloreError(
            f"ai-edge-litert cannot be imported ({error}); install it with"
            " `pip install ai-edge-litert`"
        ) from error
    try:
        interpreter = module.Interpreter(model_content=data, num_threads=threads)
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise HandloreError(
            f"LiteRT refuses the bundle {bundle.path}: {(str(error).splitlines() or ['?'])[0]}"
        ) from error
    return interpreter


def _members(bundle: Bundle) -> Mapping[str, bytes]:
    try:
        with zipfile.ZipFile(bundle.path) as archive:
            return {name: archive.read(name) for name in (PALM_MEMBER, HAND_MEMBER)}
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise HandloreError(f"cannot read the bundle {bundle.path}: {error}") from error
