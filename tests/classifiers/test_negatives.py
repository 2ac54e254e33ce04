"""Negative windows can be made of any clips, also of odd ones."""

from dataclasses import replace

import numpy as np
import pytest
from movement_stubs import LABELS, clip, dataset_of, movements

from handlore.classifiers.negatives import NegativeWindows, synthetic_streams
from handlore.datasets.dataset import NONE_LABEL, LandmarkDataset
from handlore.models.encoders import MovementEncoder

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


def test_window_of_none_shows_no_movement() -> None:
    """What is cut off at either end of a stream counts too."""
    data, rng = movements(6, 4), np.random.default_rng(0)
    negatives, n_none = NegativeWindows(), 0
    for stream in synthetic_streams(data, data.samples.group, rng, negatives.idle):
        shown = np.arange(len(stream.image))
        for label, first, last in negatives._intervals(stream, rng):
            if label != NONE_LABEL:
                continue
            n_none += 1
            window = (shown >= first) & (shown < last)
            for _, start, end in stream.events:
                event = (shown >= start) & (shown < end)
                assert (window & event).sum() < negatives.most_shown * (window | event).sum()
    assert n_none > 200


@pytest.mark.parametrize("most_shown", [0.2, 0.8])
def test_most_shown(most_shown: float) -> None:
    def n_none(negatives: NegativeWindows) -> int:
        data = movements(2, 2)
        made = negatives.windows(data, data.samples.group, ENCODER, np.random.default_rng(0))
        return int((made.label == NONE_LABEL).sum())

    usual, other = n_none(NegativeWindows()), n_none(NegativeWindows(most_shown=most_shown))
    assert (other > usual) == (most_shown > 0.5)


def test_clips_of_none_add_windows_of_what_people_really_did() -> None:
    """The clips are joined as they are, so a still hand between them is not moved."""
    data = movements(3, 3)
    image, side, time = clip("still", seconds=4.0)
    still = [(image + np.float32(0.3), side, time)] * 9
    both = dataset_of(
        [*parts_of(data), *still],
        [*data.samples.label, *[NONE_LABEL] * 9],
        group=[*data.samples.group, *[f"p{n % 3}" for n in range(9)]],
    )
    made = windows(both)
    assert set(made.label) == {*LABELS, NONE_LABEL}
    still_windows = abs(made.X[made.label == NONE_LABEL][:, :2]).max(axis=(1, 2)) < 0.2
    assert still_windows.sum() > 20


def test_clips_are_shown_among_made_movements_and_among_each_other() -> None:
    """Whether there are clips of ``none`` or not: real movements lie around each of them."""
    data, negatives = movements(3, 3), NegativeWindows()
    made = windows(data)
    whole = made.label[made.label != NONE_LABEL]
    assert len(whole) == 2 * negatives.whole * data.n_samples


def parts_of(data: LandmarkDataset):
    ends = zip(data.offsets[:-1], data.offsets[1:], strict=True)
    return [
        (data.image[first:last], data.handedness[first:last], data.time[first:last])
        for first, last in ends
    ]


def test_idle_hands_make_longer_streams() -> None:
    data = movements(2, 2)

    def n_frames(idle: float) -> int:
        streams = synthetic_streams(data, data.samples.group, np.random.default_rng(0), idle)
        return sum(len(stream.image) for stream in streams)

    assert n_frames(0.0) < n_frames(0.5) < n_frames(1.0)
