"""What makes a landmark dataset valid. Checked once, when it is made."""

from collections.abc import Mapping
from typing import get_args

import numpy as np

from handlore.landmarks.hands import N_LANDMARKS

from .dataset import SAMPLE_COLUMNS, Header, Kind, LandmarkDataset, Unit


def problems_of(dataset: LandmarkDataset) -> list[str]:
    """Return everything that is wrong, so that it can be mended in one go."""
    shapes = _shape_problems(dataset)
    return shapes or [*_value_problems(dataset), *_sample_problems(dataset)]


def _shape_problems(dataset: LandmarkDataset) -> list[str]:
    if dataset.image.ndim != 4:
        came = f"{dataset.image.dtype} {dataset.image.shape}"
        return [f"image is {came}, expected float32 (n_frames, n_hands, {N_LANDMARKS}, 3)"]
    n_frames, n_hands = dataset.image.shape[:2]
    landmarks = (n_frames, n_hands, N_LANDMARKS, 3)
    expected: dict[str, tuple[tuple[int, ...], type]] = {
        "image": (landmarks, np.float32),
        "world": (landmarks, np.float32),
        "handedness": ((n_frames, n_hands), np.float32),
        "score": ((n_frames, n_hands), np.float32),
        "stage": ((n_frames, n_hands), np.int8),
        "time": ((n_frames,), np.float64),
        "offsets": ((len(dataset.samples) + 1,), np.int64),
    }
    problems = []
    for name, (shape, dtype) in expected.items():
        array = getattr(dataset, name)
        if array.shape != shape or array.dtype != dtype:
            came = f"{array.dtype} {array.shape}"
            problems.append(f"{name} is {came}, expected {np.dtype(dtype)} {shape}")
    if n_hands not in (1, 2) and not problems:
        problems.append(f"there is room for {n_hands} hands a frame, expected 1 or 2")
    for column in SAMPLE_COLUMNS:
        array, kind = getattr(dataset.samples, column), "i" if column == "view" else "U"
        if array.shape != (len(dataset.samples),) or array.dtype.kind != kind:
            problems.append(f"column {column} is {array.dtype} {array.shape}")
    return problems


def _value_problems(dataset: LandmarkDataset) -> list[str]:
    problems = []
    known = np.isfinite(dataset.image[..., :2]).all(axis=(2, 3))
    unknown = np.isnan(dataset.image).all(axis=(2, 3))
    if not (np.where(dataset.detected, known, unknown)).all():
        problems.append("image landmarks must be finite where a hand was found and NaN elsewhere")
    sides = dataset.handedness[~np.isnan(dataset.handedness)]
    if ((sides < 0) | (sides > 1)).any():
        problems.append("handedness must lie in [0, 1]")
    if (dataset.stage < -1).any():
        problems.append("stage must be -1 or more")
    if not np.isfinite(dataset.time).all():
        problems.append("time must be finite")
    return problems


def _header_problems(header: Header) -> list[str]:
    problems = []
    if header.kind not in get_args(Kind):
        problems.append(f"kind is {header.kind!r}, expected pose or sequence")
    if header.image_unit not in get_args(Unit):
        problems.append(f"image_unit is {header.image_unit!r}, expected width or metre")
    options: object = header.options
    if not isinstance(options, Mapping):
        problems.append(f"options are {type(options).__name__}, expected names and values")
    if not all(isinstance(line, str) for line in (*header.log, header.note)):
        problems.append("log and note must be text")
    return problems


def _sample_problems(dataset: LandmarkDataset) -> list[str]:
    problems = []
    lengths = np.diff(dataset.offsets)
    if dataset.offsets[0] != 0 or dataset.offsets[-1] != dataset.n_frames or (lengths < 1).any():
        return ["offsets must rise from 0 to the number of frames"]
    within = np.ones(max(dataset.n_frames - 1, 0), bool)
    within[dataset.offsets[1:-1] - 1] = False
    if (np.diff(dataset.time)[within] < 0).any():
        problems.append("time must not run back within a sample")
    problems += _header_problems(dataset.header)
    if dataset.header.kind == "pose" and (lengths != 1).any():
        problems.append("a pose is a sample of one frame")
    if (dataset.samples.label == "").any():
        problems.append("every sample needs a label")
    if any(not label.isprintable() for label in dataset.labels):
        problems.append("labels must not hold control characters")
    return problems
