"""Moving landmarks between frames of reference.

Every function takes arrays of shape (..., 21, 3) with x right and y down, in any unit, and
returns new arrays; leading dimensions are samples or frames. A missing hand is NaN and stays NaN.

*Canonical* means: origin at the wrist, scale 1 = palm length, left hands mirrored to right.
(Not "normalized": MediaPipe uses that word for coordinates in [0, 1].)
"""

import numpy as np
from numpy.typing import ArrayLike

from .errors import HandloreError, require_type
from .hands import N_LANDMARKS, FloatArray, HandLandmark

CANONICAL_VERSION = 1
"""Raised when :func:`canonicalize` gives other numbers; model files record it."""
_WRIST, _PALM_END = HandLandmark.WRIST, HandLandmark.MIDDLE_FINGER_MCP


def palm_length(landmarks: FloatArray) -> FloatArray:
    """Return the distance (...,) from wrist to middle-finger MCP, in the unit of the input.

    Where z is unknown (NaN) the distance is that in the image plane.
    """
    palm = landmarks[..., _PALM_END, :] - landmarks[..., _WRIST, :]
    x, y, z = palm[..., 0], palm[..., 1], palm[..., 2]
    z = np.where(np.isnan(z), np.float32(0), z)
    length: FloatArray = np.sqrt(x * x + y * y + z * z)
    return length


def rotation_deg(landmarks: FloatArray) -> FloatArray:
    """Return the in-plane rotation (...,) of the hand, in degrees.

    The direction from wrist to middle-finger MCP against image-up, clockwise positive, in
    (-180, 180]: fingers up is 0, fingers to the right of the image is 90.
    """
    palm = landmarks[..., _PALM_END, :] - landmarks[..., _WRIST, :]
    degrees = np.degrees(np.arctan2(palm[..., 0], -palm[..., 1]))
    return np.where(degrees <= -180, np.float32(180), degrees).astype(np.float32)


def mirror(landmarks: FloatArray) -> FloatArray:
    """Mirror left and right about x = 0, so that a left hand becomes a right one."""
    return landmarks * np.array([-1, 1, 1], landmarks.dtype)


def rotate(landmarks: FloatArray, degrees: ArrayLike) -> FloatArray:
    """Turn landmarks in the image plane about the origin, clockwise, each hand by its own angle.

    ``degrees`` may also be one angle.
    """
    radians = np.radians(np.asarray(degrees, np.float32))[..., None]
    cos, sin = np.cos(radians), np.sin(radians)
    x, y = landmarks[..., 0], landmarks[..., 1]
    turned = np.empty_like(landmarks)
    turned[..., 0] = x * cos - y * sin
    turned[..., 1] = x * sin + y * cos
    turned[..., 2] = landmarks[..., 2]
    return turned


def canonicalize(landmarks: FloatArray, handedness: ArrayLike = np.nan) -> FloatArray:
    """Bring each hand on its own into canonical form.

    Parameters
    ----------
    landmarks
        (..., 21, 3) image or world landmarks, in any unit.
    handedness
        Probability of a right hand, (...,) or one number. Below 0.5 the hand is mirrored;
        unknown (NaN) is taken as right.

    Returns
    -------
    (..., 21, 3) in palm lengths, wrist at the origin, a right hand. NaN for a hand whose palm
    has no length.

    Examples
    --------
    >>> dataset = handlore.load_dataset("poses.npz")
    >>> hands = handlore.canonicalize(dataset.image[:, 0], dataset.handedness[:, 0])
    >>> hands.shape, hands[0, 0].tolist()
    ((24, 21, 3), [0.0, 0.0, 0.0])
    """
    require_type(landmarks, np.ndarray, "an array (..., 21, 3) of landmarks")
    if landmarks.shape[-2:] != (N_LANDMARKS, 3):
        raise HandloreError(f"landmarks have shape {landmarks.shape}, expected (..., 21, 3)")
    try:
        sides = np.broadcast_to(np.asarray(handedness), landmarks.shape[:-2])
    except ValueError as error:
        came, expected = np.shape(handedness), landmarks.shape[:-2]
        raise HandloreError(
            f"handedness has shape {came}, expected {expected} or one number"
        ) from error
    length = palm_length(landmarks)
    unit = np.where(length > 0, length, np.float32(np.nan))[..., None, None]
    hands = np.asarray((landmarks - landmarks[..., :1, :]) / unit, np.float32)
    sign = np.where(sides < 0.5, np.float32(-1), np.float32(1))
    hands[..., 0] *= sign[..., None]
    return hands
