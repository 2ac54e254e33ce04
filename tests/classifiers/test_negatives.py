"""Negative windows can be made of any clips, also of odd ones."""

from dataclasses import replace

import numpy as np
import pytest
from movement_stubs import LABELS, clip, dataset_of, movements

from handlore.classifiers.negatives import NegativeWindows
from handlore.datasets.dataset import NONE_LABEL, LandmarkDataset
from handlore.models.movement_encoder import MovementEncoder

ENCODER = MovementEncoder(1, 32, timed=True)


def windows(data: LandmarkDataset):
    return NegativeWindows().windows(data, data.samples.group, ENCODER, np.random.default_rng(0))


def test_windows_have_no_duration() -> None:
    made = windows(movements())
    assert set(made.label) == {*LABELS, NONE_LABEL}
    assert made.X.shape[1:] == (65, 32)
    assert (made.X[:, -1] == 0).all()
    assert set(made.group) == {f"p{person}" for person in range(4)}


@pytest.mark.filterwarnings("error")
def test_repeated_times() -> None:
    data = movements()
    stuck = replace(data, time=np.where(data.time < 0.15, 0, data.time))
    assert len(windows(stuck).X) > 0.9 * len(windows(data).X)


def test_very_long_clips_are_left_out() -> None:
    image, side, time = clip("left", person=9)
    days = image, side, time * 2 * 24 * 3600
    made = windows(dataset_of([days], ["left"], group=["p9"]))
    assert made.X.shape == (0, 65, 32)
    usual = [clip(label) for label in LABELS]
    data = dataset_of([*usual, days], [*LABELS, "left"], group=["p0"] * 3 + ["p9"])
    assert set(windows(data).group) == {"p0"}
