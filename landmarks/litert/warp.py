"""Cutting a square, turned and scaled, out of a picture: one affine warp.

MediaPipe crops with the bilinear ``warpPerspective`` of an OpenCV that rounds every source
coordinate to 1/32 pixel (mediapipe/calculators/tensor/image_to_tensor_converter_opencv.cc). The
hand network does not mind the exact coordinates of OpenCV 5, the palm network does: one tight crop
in twenty of asl_massey then gets landmarks more than 0.5 % of its width away, with the same
rounding not one in 705. So :class:`RoundedWarp` computes the rounded coordinates itself.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from ..hands import Pixels

Matrix = NDArray[np.float64]

LARGEST_SIDE = 12_000
"""The longest side, in pixels, that is sampled as it is. OpenCV has 16-bit coordinates, and
a region may reach half its side past the border; of larger pictures every n-th pixel is taken."""

_ONE = 1 << 16
_HALF_STEP = _ONE // 64
_STEP_MASK = 31 << 5


class Warp:
    """Samples squares of one size; keeps its buffers, so that a frame allocates nothing large.

    Parameters
    ----------
    size
        Side of the square, in pixels.
    border
        What lies outside the picture: ``cv2.BORDER_CONSTANT`` (black) or ``BORDER_REPLICATE``.
    """

    def __init__(self, size: int, border: int) -> None:
        self._size = size
        self._border = border
        self._square = np.empty((size, size, 3), np.uint8)

    def __call__(self, picture: Pixels, to_picture: Matrix) -> Pixels:
        """Return the square that a matrix cuts out of a picture.

        Parameters
        ----------
        picture
            (height, width, 3) RGB.
        to_picture
            (2, 3) from pixels of the square to pixels of the picture.

        Returns
        -------
        (size, size, 3) RGB. The buffer is used again by the next call.
        """
        stride = -(-max(picture.shape[:2]) // LARGEST_SIDE)
        if stride > 1:
            picture, to_picture = picture[::stride, ::stride], to_picture / stride
        self._sample(np.ascontiguousarray(picture), to_picture)
        return self._square

    def _sample(self, picture: Pixels, to_picture: Matrix) -> None:
        cv2.warpAffine(
            picture,
            to_picture,
            (self._size, self._size),
            dst=self._square,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=self._border,
        )


class RoundedWarp(Warp):
    """The same in fixed point, with the pixels of an OpenCV before version 5 in any version."""

    def __init__(self, size: int, border: int) -> None:
        super().__init__(size, border)
        self._grid = np.arange(size)
        # Each entry holds x in its low and y in its high 32 bits, both with 16 fractional bits: a
        # single addition makes both coordinates, and a view of 16 bits takes out the whole pixels.
        self._both = np.empty((size, size), np.int64)
        self._whole = self._both.view(np.int16).reshape(size, size, 4)[..., 1::2]
        self._pixel = np.empty((size, size, 2), np.int16)
        self._step = np.empty((size, size), np.uint16)
        self._step_y = np.empty((size, size), np.uint16)
        self._prepared_for = b""

    def _sample(self, picture: Pixels, to_picture: Matrix) -> None:
        # Palms are sought in the same square of every picture of one size.
        if (key := to_picture.tobytes()) != self._prepared_for:
            self._coordinates(to_picture)
            self._prepared_for = key
        cv2.remap(
            picture,
            self._pixel,
            self._step,
            cv2.INTER_LINEAR,
            dst=self._square,
            borderMode=self._border,
        )

    def _coordinates(self, matrix: Matrix) -> None:
        """Fill in the whole pixel and the 32nds of one, as fixed-point maps of OpenCV.

        A coordinate is the sum of what its row and what its column adds, so whole squares need
        additions only.
        """
        columns = np.rint(matrix[:, :1] * self._grid * _ONE).astype(np.int64)
        rows = np.rint((matrix[:, 1:2] * self._grid + matrix[:, 2:]) * _ONE).astype(np.int64)
        # Odd rows and even columns make odd sums: in the packed addition a negative x takes 1 from
        # y, which then never runs out of its 16 fractional bits.
        columns, rows = columns & ~1, (rows + _HALF_STEP) | 1
        np.add(_packed(rows)[:, None], _packed(columns)[None, :], out=self._both)
        np.copyto(self._pixel, self._whole)
        self._add_steps(rows.astype(np.uint16), columns.astype(np.uint16))

    def _add_steps(self, rows: NDArray[np.uint16], columns: NDArray[np.uint16]) -> None:
        """Fill in 32 * y + x, both in 32nds of a pixel; what overflows is the whole pixels."""
        np.add(rows[0][:, None], columns[0][None, :], out=self._step)
        np.add(rows[1][:, None], columns[1][None, :], out=self._step_y)
        np.right_shift(self._step, 11, out=self._step)
        np.right_shift(self._step_y, 6, out=self._step_y)
        np.bitwise_and(self._step_y, _STEP_MASK, out=self._step_y)
        np.bitwise_or(self._step, self._step_y, out=self._step)


def _packed(xy: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return x and y (2, n) in one number each: x in the low, y in the high 32 bits."""
    packed: NDArray[np.int64] = xy[0] + (xy[1] << 32)
    return packed
