"""The recogniser: the same events at any frame rate, live and in replay, in constant memory."""

import json
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from movement_stubs import two_handed
from stream_stubs import Spread, Swipes, events_of, frame, stream

from handlore.datasets.storage import load_dataset, save_dataset
from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.landmarks.hands import Hand
from handlore.models.stream.frames import TICK_RATE
from handlore.models.stream.recogniser import (
    Recogniser,
    events_from_outputs,
    model_outputs,
    recognise,
)
from handlore.models.stream.settings import PATIENCE, RecogniserSettings


def test_movement_emitted_once_without_delay() -> None:
    video = stream([("rest", 2), ("left", 0.8), ("rest", 2), ("right", 0.8), ("rest", 2)])
    recogniser, found = Recogniser([Swipes()]), []
    for now, image, side in zip(video.time, video.image, video.handedness, strict=True):
        found += [(event, now) for event in recogniser.feed(float(now), image, image, side)]
    assert [event.label for event, _ in found] == ["left", "right"]
    for (event, now), start in zip(found, (2, 4.8), strict=True):
        assert event.start == pytest.approx(start, abs=0.4)
        assert event.end == pytest.approx(start + 0.8, abs=0.4)
        assert now < start + 0.8 + PATIENCE + 0.5
        assert event.hand == "right"
    assert recogniser.finish() == []


def test_movement_emitted_when_hand_leaves() -> None:
    (event,) = events_of(Swipes(), stream([("rest", 1), ("left", 0.8), ("gone", 3)]))
    assert event.label == "left"
    assert event.end <= 1.85


def test_none_and_label_thresholds() -> None:
    video = stream([("rest", 2), ("left", 0.8), ("rest", 3), ("right", 0.8), ("rest", 2)])
    assert events_of(Swipes(), stream([("rest", 9)]), movement_threshold=0.02) == []
    # A threshold of 0 asks for an event whatever happens, but never for one of none.
    for_all = events_of(Swipes(), stream([("rest", 9)]), movement_threshold=0.0)
    assert "none" not in {event.label for event in for_all}
    assert [event.label for event in events_of(Swipes(left=0.999), video)] == ["right"]
    assert events_of(Swipes(left=0.999, right=0.999), video) == []


def test_a_given_movement_threshold_replaces_those_of_the_file() -> None:
    video = stream([("rest", 2), ("left", 0.8), ("rest", 3), ("right", 0.8), ("rest", 2)])
    strict = Swipes(left=0.999, right=0.999)
    given = events_of(strict, video, movement_threshold=0.6)
    assert given == events_of(Swipes(), video)
    assert [event.label for event in given] == ["left", "right"]
    assert events_of(Swipes(left=0.1, right=0.1), video, movement_threshold=0.999) == []
    # Poses keep theirs.
    wide = stream([("rest", 1), ("wide", 1.5)])
    assert events_of(Spread(), wide, threshold=0.1, movement_threshold=0.1)
    assert events_of(Spread(wide=1.0), wide, threshold=0.1, movement_threshold=0.1) == []


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
def test_replay_equals_live(parts: list[tuple[str, float]], fps: float, tmp_path: Path) -> None:
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


def test_repeated_time() -> None:
    video = stream([("rest", 1.0), ("wide", 1.5)])
    again = np.sort(np.append(np.arange(video.n_frames), [7, 40]))
    arrays = {
        name: getattr(video, name)[again]
        for name in ("image", "world", "handedness", "score", "stage", "time")
    }
    repeated = replace(video, **arrays, offsets=np.array([0, len(again)]))
    assert events_of(Spread(), repeated) == events_of(Spread(), video) != []


def test_two_hands_one_hand_models() -> None:
    """As live does with --max-hands 2, so that what it recorded can be replayed."""
    one = stream([("rest", 1.0), ("wide", 1.5), ("gone", 1.0)])
    other = stream([("gone", 1.0), ("rest", 0.6), ("wide", 1.9)])
    joined = {
        name: np.concatenate([getattr(one, name), getattr(other, name)], axis=1)
        for name in ("image", "world", "handedness", "score", "stage")
    }
    told_of_both = events_of(Spread(), replace(one, **joined))
    second = [replace(event, slot=1) for event in events_of(Spread(), other)]
    alone = [*events_of(Spread(), one), *second]
    assert [event.start for event in alone] == [0.0, 1.0]
    assert sorted(told_of_both, key=str) == sorted(alone, key=str)
    with pytest.raises(InvalidDataError, match=r"room for 1 hand .*takes 2.*--max-hands 2"):
        events_of(Swipes(n_hands=2), one)


def fed(
    recogniser: Recogniser, spoil: Callable[[int, np.ndarray], np.ndarray | None], n: int = 60
) -> list[str]:
    """Show a wide hand; ``spoil`` changes a frame, or returns None for one that is refused."""
    found = []
    for at in range(n):
        image, side = frame(0, 2.5), np.ones(1, np.float32)
        spoilt = spoil(at, image)
        if spoilt is None:
            image[0, 7, 1] = np.inf
            with pytest.raises(InvalidDataError, match="not finite; a missing hand is NaN"):
                recogniser.feed(at / 30, image, image, side)
        else:
            found += recogniser.feed(at / 30, spoilt, spoilt, side)
    return [event.label for event in found]


def test_a_frame_that_is_refused_leaves_no_trace() -> None:
    recogniser = Recogniser([Spread()])
    assert fed(recogniser, lambda at, image: None if at == 2 else image) == ["wide"]
    with pytest.raises(InvalidDataError, match="not finite"):
        recogniser.feed(9.0, np.full((1, 21, 3), 1e30), np.zeros((1, 21, 3)), np.ones(1))
    with pytest.raises(HandloreError, match="expected seconds as a number, but got str"):
        recogniser.feed("9", frame(0, 1), frame(0, 1), np.ones(1))
    with pytest.raises(InvalidDataError, match=r"has time 1e\+308"):
        recogniser.feed(1e308, frame(0, 1), frame(0, 1), np.ones(1))


def test_landmarks_without_z() -> None:
    """As tables of 42 numbers have them."""

    def flat(_: int, image: np.ndarray) -> np.ndarray:
        image[..., 2] = np.nan
        return image

    assert fed(Recogniser([Spread()]), flat) == ["wide"]


def test_arrays_may_be_used_again() -> None:
    """A camera loop often fills the same arrays for each frame."""
    video = stream([("rest", 2), ("left", 0.8), ("rest", 2)], fps=15)
    kept, reused = Recogniser([Swipes()]), Recogniser([Swipes()])
    buffer, found = np.zeros_like(video.image[0]), [[], []]
    for now, image, side in zip(video.time, video.image, video.handedness, strict=True):
        found[0] += kept.feed(float(now), image, image, side)
        buffer[:] = image
        found[1] += reused.feed(float(now), buffer, buffer, side)
        buffer[:] = 0
    assert found[0] == found[1] != []


def test_slots_of_events() -> None:
    recogniser = Recogniser([Spread()], max_hands=2)
    gone, wide = np.full((21, 3), np.nan), frame(0, 2.5)[0]
    both, sides, found = np.stack([gone, wide]), np.array([np.nan, 1]), []
    for at in range(30):
        found += recogniser.feed(at / 30, both, both, sides)
    assert [(event.label, event.slot) for event in found] == [("wide", 1)]


def test_hands_from_a_detector() -> None:
    image, world = frame(0, 2.5)[0], np.zeros((21, 3), np.float32)
    left, right = Hand(image, world, 0.1, 0.9), Hand(image, world, 0.9, 0.9)
    recogniser, found = Recogniser([Spread()], max_hands=2), []
    for at in range(60):
        found += recogniser.feed_hands(at / 30, [right] if at < 30 else [right, left])
    assert [(event.label, event.hand) for event in found] == [("wide", "right"), ("wide", "left")]
    assert [state.label for state in recogniser.states] == ["wide", "wide"]
    recogniser.reset()
    assert [state.label for state in recogniser.states] == [None, None]
    assert recogniser.feed_hands(0.0, []) == []
    assert recogniser.feed_hands(0.1, [None, None]) == []


@settings(max_examples=6, deadline=None)
@given(
    labels=st.lists(st.sampled_from(["left", "right", "wide"]), min_size=1, max_size=4),
    pause=st.floats(1.8, 2.5),
)
def test_frame_rates_agree(labels: list[str], pause: float) -> None:
    parts = [("rest", pause)]
    for label in labels:
        parts += [(label, 0.8), ("rest", pause)]
    logs = {}
    for fps in (10, 15, 30, 60):
        logs[fps] = list(recognise([Swipes(), Spread()], stream(parts, fps)))
    for fps, log in logs.items():
        assert [event.label for event in log] == [event.label for event in logs[60]]
        for event, exact in zip(log, logs[60], strict=True):
            # One frame and one tick.
            assert event.start == pytest.approx(exact.start, abs=1 / fps + 1 / TICK_RATE + 1e-6)
            assert event.end == pytest.approx(exact.end, abs=1 / fps + 1 / TICK_RATE + 1e-6)
    assert [event.label for event in logs[30] if event.label in labels] != []


def test_events_from_outputs() -> None:
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


def test_states() -> None:
    recogniser = Recogniser([Swipes(), Spread()])
    assert [shown.probabilities for shown in recogniser.states] == [None, None]
    video = stream([("wide", 2), ("gone", 2)])
    seen = []
    for at, now in enumerate(video.time):
        recogniser.feed(float(now), video.image[at], video.image[at], video.handedness[at])
        seen.append(recogniser.states)
    poses = [state for states in seen for state in states if state.labels == Spread.labels]
    assert poses[45].label == "wide"
    assert poses[45].labels[int(np.argmax(poses[45].probabilities))] == "wide"
    assert (poses[-1].label, poses[-1].probabilities) == (None, None)


def test_number_of_hands() -> None:
    with pytest.raises(InvalidDataError, match="1 and for 2 hands"):
        Recogniser([Swipes(1), Swipes(2)])
    with pytest.raises(InvalidDataError, match="no models"):
        Recogniser([])
    with pytest.raises(HandloreError, match="give --max-hands 2"):
        Recogniser([Swipes(2)], max_hands=1)
    video = two_handed(stream([("rest", 2), ("left", 0.8), ("rest", 2)]))
    assert Recogniser([Swipes(2)]).n_hands == 2
    recogniser, both = Recogniser([Swipes(1)]), video.image[0]
    with pytest.raises(InvalidDataError, match=r"shape \(2, 21, 3\).*\(1, 21, 3\)"):
        recogniser.feed(0.0, both, both, video.handedness[0])
    list(recognise([Swipes(2)], video))
