"""The schema of a landmark dataset: shapes, types, and values. Checked once, when one is made."""

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.hands import N_LANDMARKS

from .kinds import Kind

Unit = Literal["width", "metre"]

_Arrays = Mapping[str, NDArray[Any]]


def problems_of(arrays: _Arrays, columns: _Arrays, header: Mapping[str, Any]) -> list[str]:
    """Return everything that is wrong with a dataset, so that it can be fixed in one go.

    Takes the arrays of :class:`~.dataset.LandmarkDataset`, the columns of its
    :class:`~.dataset.Samples` and the fields of its :class:`~.dataset.Header` by name.
    """
    problems = _shape_problems(arrays, columns)
    if problems:
        return problems
    return [*_value_problems(arrays), *_sample_problems(arrays, columns, header)]


LONGEST_LABEL = 500
"""Most characters of a label."""

MAX_SPAN = 1e6
"""Most seconds of a sample, 11 days."""

MAX_VALUE = 1e9
"""Largest coordinate; squares of larger ones do not fit 32-bit numbers."""


def _shape_problems(arrays: _Arrays, columns: _Arrays) -> list[str]:
    image = arrays["image"]
    if np.ndim(image) != 4:
        expects = f"expected float32 (n_frames, n_hands, {N_LANDMARKS}, 3)"
        return [f"image is {_described(image)}, {expects}"]
    n_frames, n_hands = np.shape(image)[:2]
    n_samples = len(columns["label"])
    landmarks = (n_frames, n_hands, N_LANDMARKS, 3)
    expected: dict[str, tuple[tuple[int, ...], type]] = {
        "image": (landmarks, np.float32),
        "world": (landmarks, np.float32),
        "handedness": ((n_frames, n_hands), np.float32),
        "score": ((n_frames, n_hands), np.float32),
        "stage": ((n_frames, n_hands), np.int8),
        "time": ((n_frames,), np.float64),
        "offsets": ((n_samples + 1,), np.int64),
    }
    problems = []
    for name, (shape, dtype) in expected.items():
        came, wanted = _described(arrays[name]), f"{np.dtype(dtype)} {shape}"
        if came != wanted:
            problems.append(f"{name} is {came}, expected {wanted}")
    if n_hands not in (1, 2) and not problems:
        problems.append(f"there is room for {n_hands} hands a frame, expected 1 or 2")
    for name, column in columns.items():
        kind, wanted = ("i", "int64") if name == "view" else ("U", "text")
        array = column if isinstance(column, np.ndarray) else np.empty(0, object)
        if array.shape != (n_samples,) or array.dtype.kind != kind:
            came = _described(column)
            problems.append(
                f"column {name} is {came}, expected an array of {wanted} {(n_samples,)}"
            )
    return problems


def _described(given: object) -> str:
    """Return the type and the shape of an array, or the type of something else."""
    if isinstance(given, np.ndarray):
        return f"{given.dtype} {given.shape}"
    return f"a {type(given).__name__}, not an array"


def _value_problems(arrays: _Arrays) -> list[str]:
    problems = []
    image, stage, sides = arrays["image"], arrays["stage"], arrays["handedness"]
    known = np.isfinite(image[..., :2]).all(axis=(2, 3))
    unknown = np.isnan(image).all(axis=(2, 3))
    if not (np.where(stage >= 0, known, unknown)).all():
        problems.append("image landmarks must be finite where a hand was found and NaN elsewhere")
    if ((sides < 0) | (sides > 1)).any():
        problems.append("handedness must be in [0, 1]")
    if (stage < -1).any():
        problems.append("stage must be -1 or more")
    problems += [
        f"{name} must be finite, or NaN where it is unknown"
        for name in ("image", "world", "score")
        if (np.abs(arrays[name]) > MAX_VALUE).any()
    ]
    if not np.isfinite(arrays["time"]).all():
        problems.append("time must be finite")
    return problems


def are_landmarks(image: NDArray[Any], world: NDArray[Any]) -> bool:
    """Return whether each hand (..., 21, 3) is missing, NaN, or has a known x and y.

    Its z and its world landmarks may be unknown, NaN, but neither infinite nor beyond
    :data:`MAX_VALUE`.
    """
    missing = np.isnan(image).all(axis=(-2, -1))
    known = (np.abs(image[..., :2]) <= MAX_VALUE).all(axis=(-2, -1))
    large = [(np.abs(values) > MAX_VALUE).any() for values in (image[..., 2], world)]
    return bool((missing | known).all()) and not any(large)


def _header_problems(header: Mapping[str, Any]) -> list[str]:
    problems = []
    if header["kind"] not in get_args(Kind):
        problems.append(f"kind is {header['kind']!r}, expected pose or sequence")
    if header["image_unit"] not in get_args(Unit):
        problems.append(f"image_unit is {header['image_unit']!r}, expected width or metre")
    if not isinstance(header["options"], Mapping):
        came = type(header["options"]).__name__
        problems.append(f"options are {came}, expected names and values")
    if not all(isinstance(line, str) for line in (*header["log"], header["note"])):
        problems.append("log and note must be text")
    return problems


def _sample_problems(arrays: _Arrays, columns: _Arrays, header: Mapping[str, Any]) -> list[str]:
    problems = []
    offsets, time, label = arrays["offsets"], arrays["time"], columns["label"]
    lengths = np.diff(offsets)
    if offsets[0] != 0 or offsets[-1] != len(time) or (lengths < 1).any():
        return ["offsets must rise from 0 to the number of frames"]
    within = np.ones(max(len(time) - 1, 0), bool)
    within[offsets[1:-1] - 1] = False
    if (np.diff(time)[within] < 0).any():
        problems.append("time must not decrease within a sample")
    with np.errstate(invalid="ignore"):
        spans = time[offsets[1:] - 1] - time[offsets[:-1]]
    if (spans > MAX_SPAN).any():
        problems.append(f"a sample lasts longer than {MAX_SPAN:,.0f} s")
    problems += _header_problems(header)
    if header["kind"] == "pose" and (lengths != 1).any():
        problems.append("a pose is a sample of one frame")
    if (label == "").any():
        problems.append("every sample needs a label")
    if any(not str(name).isprintable() for name in np.unique(label)):
        problems.append(f"labels {_NOT_PRINTABLE}")
    if label.dtype.itemsize > 4 * LONGEST_LABEL:
        problems.append(f"labels {_TOO_LONG}")
    problems += [
        f"{name} {_NO_TEXT}"
        for name, column in columns.items()
        if name != "view" and not _is_text("".join(column.tolist()))
    ]
    if (columns["view"] < 0).any():
        problems.append("view must be 0 or more")
    return problems


_NOT_PRINTABLE = "must not hold control characters"
_TOO_LONG = f"must have at most {LONGEST_LABEL} characters"
_NO_TEXT = "holds text that no file can hold"


def label_problem(label: str) -> str:
    """Say why text cannot be a label; nothing if it can."""
    if not label:
        return "its label is empty"
    if not label.isprintable():
        return f"its label is {label[:40]!r}, and {_NOT_PRINTABLE}"
    return f"its label {_TOO_LONG}" if len(label) > LONGEST_LABEL else ""


def text_problem(name: str, text: str) -> str:
    """Say why text cannot be in a column of the samples; nothing if it can."""
    return "" if _is_text(text) else f"its {name} {_NO_TEXT}"


def _is_text(value: str) -> bool:
    """Say whether text can be written: surrogates stand for bytes of file names, or for nothing."""
    try:
        value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True
