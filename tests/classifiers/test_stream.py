"""The recogniser: decides the same at any frame rate, tells once, and never grows."""

import json
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from movement_stubs import dataset_of, hand_shape, two_handed

from handlore.datasets.dataset import LabelledInterval, LandmarkDataset
from handlore.datasets.storage import load_dataset, save_dataset
from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.hands import majority_side
from handlore.models.movement_encoder import MovementEncoder
from handlore.models.pose_encoder import Encoder, PoseEncoder
from handlore.models.stream.decisions import HoldDetector, WindowSelector
from handlore.models.stream.events import Event
from handlore.models.stream.frames import (
    MAX_HAND_LOSS,
    TICK_RATE,
    FrameResampler,
    OneEuroFilter,
    StreamFrame,
)
from handlore.models.stream.ground_truth import score_stream
from handlore.models.stream.inference import ModelOutput
from handlore.models.stream.recogniser import (
    Recogniser,
    events_from_outputs,
    model_outputs,
    recognise,
)
from handlore.models.stream.settings import RecogniserSettings, Thresholds

LABELS = ("left", "none", "right")


class Swipes:
    """A model of movements that says how far the wrist has gone, and how straight."""

    labels = LABELS
    seconds = (0.8, 1.0, 1.2)

    def __init__(self, n_hands: int = 1, **thresholds: float) -> None:
        self.encoder: Encoder = MovementEncoder(n_hands, 16)
        self.thresholds = thresholds

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        x = X[:, 0]
        way = x[:, -1] - x[:, 0]
        # All of it in the middle of the window: part of a swipe, or one at the edge, is less sure.
        middle = x[:, -3] - x[:, 2]
        sure = np.clip(np.abs(middle) / 3.2, 0, 0.98) * (np.abs(way) < 4.5)
        p = np.stack([sure * (way < 0), 1 - sure, sure * (way > 0)], axis=1)
        return (p + 0.01).astype(np.float32) / np.float32(1.03)

    predict_known = predict_proba


class Spread:
    """A model of poses that tells a spread hand from a narrow one; in between it is none."""

    labels = ("narrow", "none", "wide")
    seconds = ()

    def __init__(self, **thresholds: float) -> None:
        self.encoder: Encoder = PoseEncoder(("image",))
        self.thresholds = thresholds

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        width = np.ptp(X[:, 0::2], axis=1)
        wide = np.clip(width - 0.5, 0, 1)
        p = np.stack(
            [np.clip(1 - 2 * wide, 0, 1), 1 - np.abs(1 - 2 * wide), np.clip(2 * wide - 1, 0, 1)],
            axis=1,
        )
        return p.astype(np.float32)

    predict_known = predict_proba


def frame(x: float, wide: float, person: int = 0) -> np.ndarray:
    """Image landmarks (1, 21, 3) of a hand at x (palm lengths), ``wide`` times as wide."""
    shape = hand_shape(person)
    palm = float(np.linalg.norm(shape[9] - shape[0]))
    return ((shape * [wide, 1, 1]) / palm + [x, 0, 0])[None].astype(np.float32) * 0.13


def stream(parts: list[tuple[str, float]], fps: float = 30, noise: float = 0) -> LandmarkDataset:
    """Parts are ``left``, ``right``, ``rest``, ``wide`` or ``gone``, with their seconds."""
    ends = np.cumsum([seconds for _, seconds in parts])
    images = []
    times = np.arange(int(ends[-1] * fps)) / fps
    rng = np.random.default_rng(0)
    for now in times:
        at = int(np.searchsorted(ends, now, side="right"))
        x = sum({"left": -4.0, "right": 4.0}.get(what, 0.0) for what, _ in parts[:at])
        what, seconds = parts[at]
        share = 1 - (ends[at] - now) / seconds
        x += {"left": -4.0, "right": 4.0}.get(what, 0.0) * share * share * (3 - 2 * share)
        image = frame(x, 2.5 if what == "wide" else 1.0)
        image = image + rng.normal(0, noise, image.shape).astype(np.float32)
        images.append(np.full_like(image, np.nan) if what == "gone" else image)
    image = np.array(images)
    side = np.where(np.isnan(image[..., 0, 0]), np.nan, 0.9).astype(np.float32)
    return dataset_of([(image, side, times)], ["?"])


def told(model: object, video: LandmarkDataset, **kw: object) -> list[Event]:
    return list(recognise([model], video, RecogniserSettings(**kw)))


# The clock and the filter


@pytest.mark.parametrize("fps", [7, 10, 29.97, 30, 60, 144])
def test_ticks_lie_on_the_line_between_frames(fps: float) -> None:
    clock, ticks = FrameResampler(), []
    for now in np.arange(int(3 * fps)) / fps:
        image = frame(now, 1.0)
        ticks += clock.feed(StreamFrame(float(now), image, image, np.ones(1, np.float32)))
    assert [tick.number for tick in ticks] == list(range(len(ticks)))
    assert len(ticks) >= 3 * TICK_RATE - 1 - TICK_RATE / fps
    for tick in ticks:
        np.testing.assert_allclose(tick.image, frame(tick.time, 1.0), atol=1e-5)


def test_a_hand_is_not_made_up_where_nobody_looked() -> None:
    clock = FrameResampler()
    hand = frame(0, 1.0)
    list(clock.feed(StreamFrame(0.0, hand, hand, np.ones(1, np.float32))))
    ticks = list(clock.feed(StreamFrame(0.5, hand, hand, np.ones(1, np.float32))))
    assert [bool(tick.seen[0]) for tick in ticks] == [False] * (len(ticks) - 1) + [True]


def test_after_days_without_frames_few_ticks_come() -> None:
    clock = FrameResampler()
    hand = frame(0, 1.0)
    list(clock.feed(StreamFrame(0.0, hand, hand, np.ones(1, np.float32))))
    ticks = list(clock.feed(StreamFrame(3e5, hand, hand, np.ones(1, np.float32))))
    assert MAX_HAND_LOSS * TICK_RATE < len(ticks) < 100
    assert ticks[-1].seen[0]


@pytest.mark.parametrize("time", [1.0, 0.5, float("nan"), float("inf")])
def test_times_that_do_not_rise_are_refused(time: float) -> None:
    recogniser = Recogniser([Swipes()])
    hand, side = frame(0, 1.0), np.ones(1, np.float32)
    recogniser.feed(1.0, hand, hand, side)
    with pytest.raises(InvalidDataError, match=r"times rise|expected seconds"):
        recogniser.feed(time, hand, hand, side)


def test_one_euro_steadies_a_hand_at_rest_and_follows_one_that_moves() -> None:
    rng = np.random.default_rng(1)
    smooth, hand = OneEuroFilter(0.1, 1 / TICK_RATE), frame(0, 1.0)[0]
    noisy = [hand + rng.normal(0, 0.002, hand.shape).astype(np.float32) for _ in range(90)]
    calm = np.array([smooth(one) for one in noisy])[30:]
    assert calm.std(axis=0).mean() < 0.75 * np.std(noisy[30:], axis=0).mean()
    shifted = [smooth(hand + np.float32(0.26)) for _ in range(6)]
    assert np.abs(shifted[-1] - hand - 0.26).max() < 0.026
    off = OneEuroFilter(0.0, 1 / TICK_RATE)
    assert all((off(one) == one).all() for one in noisy)


# Poses


def holds(*parts: tuple[float, float], **kw: object) -> tuple[list[Event], list[float]]:
    """Events and when they were told, of parts (probability of ``a``, seconds); -1 = no hand."""
    config = RecogniserSettings(**kw)
    decisions = HoldDetector(
        Thresholds(("a", "none"), {}, config.threshold, config.release), config
    )
    events, when, now = [], [], 0
    for probability, seconds in parts:
        for _ in range(round(seconds * TICK_RATE)):
            p = None if probability < 0 else np.array([probability, 1 - probability], np.float32)
            for event in decisions.hear(
                ModelOutput(now / TICK_RATE, now / TICK_RATE, p, "left", now / TICK_RATE)
            ):
                events.append(event)
                when.append(now / TICK_RATE)
            now += 1
    last = decisions.finish()
    return [*events, *last], [*when, *[now / TICK_RATE] * len(last)]


def test_a_pose_is_told_once_it_is_held_long_enough() -> None:
    (event,), (when,) = holds((0, 1), (0.9, 2), (0, 1), dwell=0.4)
    assert (event.label, event.hand) == ("a", "left")
    assert event.start == pytest.approx(1.1, abs=0.1)
    assert when - event.start == pytest.approx(0.4, abs=0.04)
    assert event.end == pytest.approx(when)
    assert holds((0, 1), (0.9, 0.3), (0, 1), dwell=0.4) == ([], [])


def test_a_pose_that_is_over_is_told_with_how_long_it_was_held() -> None:
    (event,), (when,) = holds((0, 1), (0.9, 2), (0, 1), poses="when over", cooldown=0.3)
    assert event.end - event.start == pytest.approx(2, abs=0.15)
    assert when - event.end == pytest.approx(0.3, abs=0.07)
    (event,), _ = holds((0, 1), (0.9, 2), poses="when over")
    assert event.end == pytest.approx(3, abs=0.05)


@pytest.mark.parametrize("between", [0.0, -1.0])
def test_a_flicker_is_no_second_pose(between: float) -> None:
    once, _ = holds((0.9, 1), (between, 0.2), (0.9, 1), (0, 1), cooldown=0.4)
    twice, _ = holds((0.9, 1), (between, 1.0), (0.9, 1), (0, 1), cooldown=0.4)
    assert (len(once), len(twice)) == (1, 2)


def test_hysteresis_a_pose_stays_below_its_threshold_for_a_while() -> None:
    events, _ = holds((0.9, 1), (0.45, 1), (0.9, 1), (0, 1), threshold=0.6, release=0.7)
    assert len(events) == 1
    events, _ = holds((0.9, 1), (0.45, 1), (0.9, 1), (0, 1), threshold=0.6, release=1.0)
    assert len(events) == 2
    assert holds((0.45, 3), threshold=0.6)[0] == []


# Movements


def test_a_movement_is_told_once_and_soon() -> None:
    video = stream([("rest", 2), ("left", 0.8), ("rest", 2), ("right", 0.8), ("rest", 2)])
    recogniser, found = Recogniser([Swipes()]), []
    for now, image, side in zip(video.time, video.image, video.handedness, strict=True):
        found += [(event, now) for event in recogniser.feed(float(now), image, image, side)]
    assert [event.label for event, _ in found] == ["left", "right"]
    for (event, now), start in zip(found, (2, 4.8), strict=True):
        assert event.start == pytest.approx(start, abs=0.4)
        assert event.end == pytest.approx(start + 0.8, abs=0.4)
        assert now < start + 0.8 + RecogniserSettings().patience + 0.5
        assert event.hand == "right"
    assert recogniser.finish() == []


def test_a_window_says_nothing_of_how_long_a_movement_lasts() -> None:
    class Timed(Swipes):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = MovementEncoder(1, 16, timed=True)
            self.seen: list[np.ndarray] = []

        def predict_proba(self, X: np.ndarray) -> np.ndarray:
            self.seen.append(X[:, -1])
            return super().predict_proba(X)

    model = Timed()
    assert [one.label for one in told(model, stream([("rest", 1), ("left", 1), ("rest", 1)]))]
    assert model.seen
    assert not np.any(model.seen)


def test_the_surest_of_windows_that_overlap_wins() -> None:
    decisions = WindowSelector(
        Thresholds(("a", "b"), {}, 0.5, 0.7), RecogniserSettings(patience=0.5)
    )
    events = []
    for end, p in ((1.0, (0.7, 0.3)), (1.2, (0.2, 0.8)), (1.4, (0.01, 0.99)), (2.2, (0.5, 0.4))):
        answer = ModelOutput(end - 1, end, np.array(p, np.float32), None, end)
        events += decisions.hear(answer)
    assert [event.label for event in events] == ["b"]


@pytest.mark.parametrize(
    ("first", "second", "n"),
    [
        (0.99, 0.2, 1),  # no doubt at all in one window: the other came early or late
        (0.7, 0.44, 0),  # neither is sure
        (0.7, 0.7, 1),
        (1.0, 0.01, 0),  # and no window decides alone
    ],
)
def test_two_windows_together_tell_a_movement(first: float, second: float, n: int) -> None:
    decisions = WindowSelector(Thresholds(("a", "none"), {}, 0.6, 0.7), RecogniserSettings())
    events = []
    for end, p in ((0.75, 0.01), (1.0, first), (1.25, second), (1.5, 0.01), (5.0, 0.01)):
        answer = ModelOutput(end - 1, end, np.array([p, 1 - p], np.float32), None, end)
        events += decisions.hear(answer)
    assert len(events) == n


@pytest.mark.parametrize("n", [3, 30, 300])
def test_a_movement_is_told_of_however_many_labels(n: int) -> None:
    labels = tuple(f"sign {number}" for number in range(n))
    decisions = WindowSelector(Thresholds(labels, {}, 0.6, 0.7), RecogniserSettings())
    sure = np.full(n, 0.1 / (n - 1), np.float32)
    sure[0] = 0.9
    answers = [ModelOutput(end - 1, end, sure, None, end) for end in (1.0, 1.25)]
    events = [event for answer in answers for event in decisions.hear(answer)]
    (event,) = [*events, *decisions.finish()]
    assert event.probability == pytest.approx(0.9)  # what both say, they say together


def test_a_hand_that_is_back_before_the_next_window_was_away_all_the_same() -> None:
    """Windows of long clips lie further apart than a hand may be lost."""

    class Long(Swipes):
        seconds = (6.0,)

    rest = [("rest", 4.43), ("gone", 0.66), ("rest", 4.0)]
    answers = list(model_outputs(Long(), stream(rest), RecogniserSettings()))
    away = [answer.time for answer in answers if answer.probabilities is None]
    assert away == [pytest.approx(133 / 30 + 0.6)]


def test_a_movement_is_told_when_the_hand_has_gone() -> None:
    (event,) = told(Swipes(), stream([("rest", 1), ("left", 0.8), ("gone", 3)]))
    assert event.label == "left"
    assert event.end <= 1.85


def test_what_does_not_stop_is_told_once() -> None:
    answers = [
        ModelOutput(n / 5, n / 5 + 1, np.array([0.99, 0.01], np.float32), None, n / 5 + 1)
        for n in range(100)
    ]
    decisions = WindowSelector(Thresholds(("a", "none"), {}, 0.5, 0.7), RecogniserSettings())
    events = [event for answer in answers for event in decisions.hear(answer)]
    assert len(events) == 1


def test_none_is_never_told_and_a_label_has_its_own_threshold() -> None:
    video = stream([("rest", 2), ("left", 0.8), ("rest", 3), ("right", 0.8), ("rest", 2)])
    assert told(Swipes(), stream([("rest", 9)]), movement_threshold=0.0) == []
    assert [event.label for event in told(Swipes(left=0.999), video)] == ["right"]
    assert told(Swipes(left=0.999, right=0.999), video) == []


# The whole


PARTS = st.lists(
    st.tuples(
        st.sampled_from(["left", "right", "rest", "wide", "gone"]),
        st.sampled_from([0.4, 0.7, 0.9, 1.3, 2.0]),
    ),
    min_size=1,
    max_size=8,
)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(parts=PARTS, fps=st.sampled_from([7, 15, 30, 50]))
def test_replay_equals_live_byte_for_byte(
    parts: list[tuple[str, float]], fps: float, tmp_path: Path
) -> None:
    video = stream(parts, fps, noise=0.001)
    models = [Swipes(), Spread()]
    recogniser, live = Recogniser(models), []
    for at, now in enumerate(video.time):
        live += recogniser.feed(float(now), video.image[at], video.world[at], video.handedness[at])
    live += recogniser.finish()
    save_dataset(video, tmp_path / "s.npz")
    replayed = recognise(models, load_dataset(tmp_path / "s.npz"))
    assert [event.line() for event in replayed] == [event.line() for event in live]
    for event in live:
        assert json.loads(event.line()) == event.as_json()
        assert 0 <= event.start <= event.end <= video.time[-1] + 1e-6


def test_a_time_that_is_repeated_does_not_end_a_replay() -> None:
    video = stream([("rest", 1.0), ("wide", 1.5)])
    again = np.sort(np.append(np.arange(video.n_frames), [7, 40]))
    arrays = {
        name: getattr(video, name)[again]
        for name in ("image", "world", "handedness", "score", "stage", "time")
    }
    repeated = replace(video, **arrays, offsets=np.array([0, len(again)]))
    assert told(Spread(), repeated) == told(Spread(), video) != []


def test_each_of_two_hands_is_followed_by_models_of_one() -> None:
    """As live does with --max-hands 2, so that what it recorded can be replayed."""
    one = stream([("rest", 1.0), ("wide", 1.5), ("gone", 1.0)])
    other = stream([("gone", 1.0), ("rest", 0.6), ("wide", 1.9)])
    joined = {
        name: np.concatenate([getattr(one, name), getattr(other, name)], axis=1)
        for name in ("image", "world", "handedness", "score", "stage")
    }
    told_of_both = told(Spread(), replace(one, **joined))
    alone = [*told(Spread(), one), *told(Spread(), other)]
    assert [event.start for event in alone] == [0.0, 1.0]
    assert sorted(told_of_both, key=str) == sorted(alone, key=str)
    with pytest.raises(InvalidDataError, match=r"room for 1 hand\(s\).*takes 2.*--max-hands 2"):
        told(Swipes(n_hands=2), one)


@settings(max_examples=6, deadline=None)
@given(
    labels=st.lists(st.sampled_from(["left", "right", "wide"]), min_size=1, max_size=4),
    pause=st.floats(1.8, 2.5),
)
def test_any_frame_rate_tells_the_same_within_a_frame(labels: list[str], pause: float) -> None:
    parts = [("rest", pause)]
    for label in labels:
        parts += [(label, 0.8), ("rest", pause)]
    logs = {}
    for fps in (10, 15, 30, 60):
        logs[fps] = list(recognise([Swipes(), Spread()], stream(parts, fps)))
    for fps, log in logs.items():
        assert [event.label for event in log] == [event.label for event in logs[60]]
        for event, exact in zip(log, logs[60], strict=True):
            # One frame, and one tick of the clock.
            assert event.start == pytest.approx(exact.start, abs=1 / fps + 1 / TICK_RATE + 1e-6)
            assert event.end == pytest.approx(exact.end, abs=1 / fps + 1 / TICK_RATE + 1e-6)
    assert [event.label for event in logs[30] if event.label in labels] != []


def test_deciding_again_on_the_same_answers_is_the_same() -> None:
    video = stream([("rest", 2), ("left", 0.8), ("wide", 2), ("right", 0.8), ("rest", 2)])
    for model in (Swipes(), Spread()):
        config = RecogniserSettings()
        answers = list(model_outputs(model, video, config))
        assert events_from_outputs(model, answers, {}, config) == list(
            recognise([model], video, config)
        )


def endless(n: int) -> Iterator[tuple[float, np.ndarray]]:
    video = stream([("rest", 1), ("left", 0.8), ("wide", 1), ("right", 0.8), ("gone", 1)])
    for at in range(n):
        yield at / 30, video.image[at % len(video.time)]


def test_memory_does_not_grow() -> None:
    recogniser, side = Recogniser([Swipes(), Spread()]), np.ones(1, np.float32)
    sizes = []
    tracemalloc.start()
    try:
        for at, (now, image) in enumerate(endless(2400)):
            recogniser.feed(now, image, image, side)
            if at in (600, 2399):
                sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert sizes[1] - sizes[0] < 100_000


def test_a_display_sees_what_each_model_sees() -> None:
    recogniser = Recogniser([Swipes(), Spread()])
    assert [shown.probabilities for shown in recogniser.shown] == [None, None]
    video = stream([("wide", 2), ("gone", 2)])
    seen = []
    for at, now in enumerate(video.time):
        recogniser.feed(float(now), video.image[at], video.image[at], video.handedness[at])
        seen.append(recogniser.shown)
    poses = [shown[1] for shown in seen]
    assert poses[45].label == "wide"
    assert poses[45].labels[int(np.argmax(poses[45].probabilities))] == "wide"
    assert (poses[-1].label, poses[-1].probabilities) == (None, None)


def test_models_of_one_stream_agree_on_the_hands() -> None:
    with pytest.raises(InvalidDataError, match="1 and for 2 hands"):
        Recogniser([Swipes(1), Swipes(2)])
    with pytest.raises(InvalidDataError, match="no models"):
        Recogniser([])
    video = two_handed(stream([("rest", 2), ("left", 0.8), ("rest", 2)]))
    assert Recogniser([Swipes(2)]).n_hands == 2
    recogniser, both = Recogniser([Swipes(1)]), video.image[0]
    with pytest.raises(InvalidDataError, match=r"shape \(2, 21, 3\).*\(1, 21, 3\)"):
        recogniser.feed(0.0, both, both, video.handedness[0])
    list(recognise([Swipes(2)], video))


@pytest.mark.parametrize("name", ["threshold", "release", "dwell", "patience", "smoothing"])
def test_settings_that_make_no_sense_are_refused(name: str) -> None:
    for value in (-1.0, 1e9, float("nan")):
        with pytest.raises(InvalidDataError, match=name):
            RecogniserSettings(**{name: value})


def test_scoring() -> None:
    def event(label: str, start: float, end: float) -> Event:
        return Event(label, start, end, 0.9, None)

    truths = [
        LabelledInterval("a", 5, 6),
        LabelledInterval("b", 10, 11),
        LabelledInterval("a", 20, 21),
    ]
    events = [event("a", 4.2, 6), event("a", 5.5, 6.4), event("a", 10, 11), event("b", 3, 4)]
    outcome = score_stream(events, truths)
    assert [truth.start for truth, _ in outcome.found] == [5]
    assert outcome.missed == tuple(truths[1:])
    assert outcome.false == tuple(events[1:])
    assert outcome.n == 3
    assert score_stream([event("a", 3.9, 6)], truths).found == ()


def test_sides() -> None:
    assert majority_side(np.array([0.9, np.nan, 0.8])) == "right"
    assert majority_side(np.array([0.1])) == "left"
    assert majority_side(np.full((2, 1), np.nan)) is None
    assert replace(Event("a", 1.23456, 2, 0.98765, "left")).as_json()["start"] == 1.235
