"""What happens when in a video, from answers to frames or to windows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlore.models.segments import SHORTEST, Segment, apart, held, joined, side_of

LABELS = ("fist", "none", "palm")
FIST, NONE, PALM = range(3)

moments = st.floats(0, 10, allow_nan=False)
some_segments = st.lists(
    st.builds(
        lambda start, length, probability: Segment(start, start + length, "a", probability, None),
        moments, st.floats(0.01, 5), st.floats(0, 1),
    ),
    max_size=12,
)  # fmt: skip


def said(*answers: tuple[int | None, float], fps: float = 30) -> tuple[np.ndarray, ...]:
    """Probabilities, handedness and time of frames that say one thing after the other."""
    codes = [code for code, seconds in answers for _ in range(round(seconds * fps))]
    probabilities = np.full((len(codes), 3), 0.1, np.float32)
    for row, code in zip(probabilities, codes, strict=True):
        row[:] = np.nan if code is None else row
        if code is not None:
            row[code] = 0.8
    side = np.where(np.isnan(probabilities[:, :1]), np.nan, 0.9).astype(np.float32)
    return probabilities, side, np.arange(len(codes)) / fps


def held_in(*answers: tuple[int | None, float], fps: float = 30) -> list[Segment]:
    probabilities, side, time = said(*answers, fps=fps)
    return held(probabilities, LABELS, side, time)


@pytest.mark.parametrize("fps", [8, 15, 30, 60])
def test_poses_held_one_after_the_other(fps: float) -> None:
    first, second = held_in((FIST, 2), (PALM, 3), fps=fps)
    assert (first.label, second.label) == ("fist", "palm")
    assert (first.start, first.hand) == (0, "right")
    assert first.end == second.start == pytest.approx(2, abs=0.15)
    assert second.end == pytest.approx(5, abs=0.15)
    assert 0.6 < first.probability <= 0.8


def test_none_and_frames_without_a_hand_are_left_out() -> None:
    found = held_in((NONE, 1), (FIST, 1), (None, 1), (FIST, 1), (NONE, 1))
    assert [one.label for one in found] == ["fist", "fist"]
    assert [one.start for one in found] == pytest.approx([1, 3], abs=0.15)
    assert [one.end for one in found] == pytest.approx([2, 4], abs=0.15)


def test_a_flicker_is_not_told() -> None:
    (one,) = held_in((FIST, 1), (PALM, 0.1), (FIST, 1))
    assert (one.start, one.label) == (0, "fist")
    assert one.end == pytest.approx(2.1, abs=0.1)
    assert held_in((None, 1), (FIST, SHORTEST / 2), (None, 1)) == []


def test_one_frame_is_all_there_is() -> None:
    (one,) = held_in((FIST, 1 / 30))
    assert (one.start, one.end, one.label) == (0, 0, "fist")


@pytest.mark.parametrize("seconds", [0.1, 3])
def test_nothing_to_tell(seconds: float) -> None:
    assert held_in((None, seconds)) == []
    assert held_in((NONE, seconds)) == []


def test_frames_at_the_same_time_do_no_harm() -> None:
    probabilities, side, time = said((FIST, 1))
    (one,) = held(probabilities, LABELS, side, np.zeros_like(time))
    assert one.label == "fist"


@pytest.mark.parametrize(
    ("handedness", "side"),
    [
        ([0.9, 0.9, 0.1], "right"),
        ([0.1, 0.2, 0.9], "left"),
        ([np.nan, 0.2], "left"),
        ([np.nan], None),
    ],
)
def test_the_side_seen_most_of_the_time(handedness: list[float], side: str | None) -> None:
    assert side_of(np.array(handedness, np.float32)) == side


@settings(max_examples=60, deadline=None)
@given(segments=some_segments, most=st.sampled_from([0.0, 0.25, 0.5]))
def test_what_is_kept_overlaps_little_and_comes_in_order(
    segments: list[Segment], most: float
) -> None:
    kept = apart(segments, most)
    assert [one.start for one in kept] == sorted(one.start for one in kept)
    assert set(kept) <= set(segments)
    for number, one in enumerate(kept):
        for other in kept[number + 1 :]:
            shared = min(one.end, other.end) - max(one.start, other.start)
            shorter = min(one.end - one.start, other.end - other.start)
            assert shared <= most * shorter + 1e-9
    if segments:
        assert max(segments, key=lambda one: one.probability) in kept


def test_a_sure_short_movement_and_an_unsure_long_one_about_it_are_not_both_told() -> None:
    tap, wave = Segment(2, 2.8, "tap", 0.99, None), Segment(0, 6, "wave", 0.6, None)
    assert apart([wave, tap], 0.25) == [tap]


def test_halves_of_a_movement_are_one() -> None:
    halves = [Segment(1, 2, "left", 0.8, "right"), Segment(2.1, 3, "left", 0.9, "right")]
    assert joined(halves, 0.25) == [Segment(1, 3, "left", 0.9, "right")]
    later = Segment(4, 5, "left", 0.7, "right")
    other = Segment(3, 4, "right", 0.7, "right")
    assert joined([*halves, other, later], 0.25) == [*joined(halves, 0.25), other, later]
    assert joined([halves[0], later], 0.25) == [halves[0], later]
