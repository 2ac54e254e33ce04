"""Outputs of models become events: hold time, best window, hysteresis, cooldown."""

from itertools import pairwise

import numpy as np
import pytest

from handlore.models.stream.decisions import make_decider
from handlore.models.stream.events import Event
from handlore.models.stream.frames import TICK_RATE
from handlore.models.stream.inference import ModelOutput
from handlore.models.stream.settings import LabelSettings, RecogniserSettings


def holds(*parts: tuple[float, float], **kw: object) -> tuple[list[Event], list[float]]:
    """Events and when they are emitted, for parts (probability of ``a``, seconds), -1 = no hand."""
    config = RecogniserSettings(**kw)
    decider = make_decider(
        "pose", LabelSettings(("a", "none"), {}, config.threshold, config.release), config
    )
    events, when, now = [], [], 0
    for probability, seconds in parts:
        for _ in range(round(seconds * TICK_RATE)):
            p = None if probability < 0 else np.array([probability, 1 - probability], np.float32)
            for event in decider.update(
                ModelOutput(now / TICK_RATE, now / TICK_RATE, p, "left", now / TICK_RATE)
            ):
                events.append(event)
                when.append(now / TICK_RATE)
            now += 1
    last = decider.finish()
    return [*events, *last], [*when, *[now / TICK_RATE] * len(last)]


def test_pose_hold_time() -> None:
    (event,), (when,) = holds((0, 1), (0.9, 2), (0, 1), dwell=0.4)
    assert (event.label, event.hand) == ("a", "left")
    assert event.start == pytest.approx(1.1, abs=0.1)
    assert when - event.start == pytest.approx(0.4, abs=0.04)
    assert event.end == pytest.approx(when)
    assert holds((0, 1), (0.9, 0.3), (0, 1), dwell=0.4) == ([], [])


def test_pose_event_at_end() -> None:
    (event,), (when,) = holds((0, 1), (0.9, 2), (0, 1), pose_events="end", cooldown=0.3)
    assert event.end - event.start == pytest.approx(2, abs=0.15)
    assert when - event.end == pytest.approx(0.3, abs=0.07)
    (event,), _ = holds((0, 1), (0.9, 2), pose_events="end")
    assert event.end == pytest.approx(3, abs=0.05)


@pytest.mark.parametrize("between", [0.0, -1.0])
def test_pose_cooldown(between: float) -> None:
    once, _ = holds((0.9, 1), (between, 0.2), (0.9, 1), (0, 1), cooldown=0.4)
    twice, _ = holds((0.9, 1), (between, 1.0), (0.9, 1), (0, 1), cooldown=0.4)
    assert (len(once), len(twice)) == (1, 2)


def test_pose_release() -> None:
    events, _ = holds((0.9, 1), (0.45, 1), (0.9, 1), (0, 1), threshold=0.6, release=0.7)
    assert len(events) == 1
    events, _ = holds((0.9, 1), (0.45, 1), (0.9, 1), (0, 1), threshold=0.6, release=1.0)
    assert len(events) == 2
    assert holds((0.45, 3), threshold=0.6)[0] == []


def decided(*windows: tuple[float, float, float, float], **kw: float) -> list[tuple[Event, float]]:
    """Events and when they are emitted, for windows (start, end, probability of ``a``, of ``b``).

    The rest is ``none``. Each window comes at its end, or at the last end before it; and twice, as
    windows of one length are averaged with the one before.
    """
    config = RecogniserSettings(**({"patience": 0.5} | kw))
    thresholds = LabelSettings(
        ("a", "b", "none"), {}, config.default_threshold("sequence"), config.release
    )
    decider, events, now = make_decider("sequence", thresholds, config), [], 0.0
    for start, end, a, b in windows:
        now = max(now, end)
        p = np.array([a, b, 1 - a - b], np.float32)
        output = ModelOutput(start, end, p, None, now, window=round(10 * (end - start)))
        events += [(event, now) for _ in range(2) for event in decider.update(output)]
    return [*events, *((event, np.inf) for event in decider.finish())]


def quiet(start: float, end: float, step: float = 0.1) -> list[tuple[float, float, float, float]]:
    """Windows of one second that show nothing, and end between start and end."""
    return [(now - 1, now, 0.01, 0.01) for now in np.arange(start, end, step)]


def test_best_overlapping_window() -> None:
    found = decided((0, 1, 0.7, 0.3), (0.2, 1.2, 0.2, 0.8), (0.4, 1.4, 0.01, 0.99), *quiet(1.5, 4))
    assert [event.label for event, _ in found] == ["b"]


@pytest.mark.parametrize(("other", "waited"), [(0.01, 0.5), (0.8, 1.5)])
def test_contested_movement_waits_longer(other: float, waited: float) -> None:
    (found,) = decided((0.5, 1.4, 0.01, other), (0.5, 1.5, 0.97, 0.02), *quiet(1.6, 4))
    assert found[0].label == "a"
    assert found[1] - found[0].end == pytest.approx(waited, abs=0.11)


@pytest.mark.parametrize(
    ("long", "found"),
    [
        (0.97, "b"),  # although each half looks even more like a single click
        (0.7, "a"),
    ],
)
def test_double_click_against_its_halves(long: float, found: str) -> None:
    windows = [(0.0, 0.5, 0.98, 0.01), (0.45, 0.9, 0.5, 0.05), (0.0, 0.9, 0.02, long)]
    (first, _), *others = decided(*windows, *quiet(1.1, 4))
    assert first.label == found
    assert not others
    assert (first.end - first.start > 0.8) == (found == "b")


def test_two_clicks() -> None:
    rest = [(now - 0.5, now, 0.01, 0.01) for now in np.arange(0.6, 1.9, 0.1)]
    clicks = (0.0, 0.5, 0.96, 0.02), (1.5, 2.0, 0.96, 0.02)
    # A window over both looks like a double click, but less so.
    events = decided(clicks[0], *rest, clicks[1], (0.0, 2.0, 0.02, 0.7), *quiet(2.1, 5))
    assert [(event.label, event.start) for event, _ in events] == [("a", 0.0), ("a", 1.5)]


def test_repetition_while_the_first_waits() -> None:
    """A window of another label makes the first swipe wait; the second one is made meanwhile."""
    first, other, second = (0.0, 0.5, 0.96, 0.02), (0.1, 0.6, 0.02, 0.7), (1.1, 1.6, 0.96, 0.02)
    rest = [(now - 0.4, now, 0.01, 0.01) for now in np.arange(0.7, 1.5, 0.1)]
    events = decided(first, other, *rest, second, *quiet(1.7, 5))
    assert [event.label for event, _ in events] == ["a", "a"]


def test_label_less_probable_than_none() -> None:
    windows = [(0, 1, 0.35, 0.05), *quiet(1.1, 3)]
    assert [event.label for event, _ in decided(*windows, movement_threshold=0.3)] == ["a"]
    assert decided(*windows, movement_threshold=0.4) == []
    assert decided(*quiet(1, 3), movement_threshold=0.3) == []


def test_events_in_order() -> None:
    rng = np.random.default_rng(0)
    ends = np.sort(rng.uniform(1, 40, 200))
    windows = [
        (end - rng.uniform(0.3, 2), end, *rng.dirichlet([0.3, 0.3, 0.6])[:2]) for end in ends
    ]
    found = decided(*windows)
    assert len(found) > 5
    assert all(event.start <= event.end <= now for event, now in found)
    for (one, when), (other, then) in pairwise(found):
        assert one.end <= other.start + 1e-6
        assert when <= then


@pytest.mark.parametrize(
    ("first", "second", "n"),
    [
        (0.99, 0.2, 1),  # no doubt at all in one window: the other came early or late
        (0.7, 0.44, 0),  # neither is sure
        (0.7, 0.7, 1),
        (1.0, 0.01, 0),  # and no window decides alone
    ],
)
def test_two_windows_agree(first: float, second: float, n: int) -> None:
    decider = make_decider(
        "sequence", LabelSettings(("a", "none"), {}, 0.6, 0.7), RecogniserSettings()
    )
    events = []
    for end, p in ((0.75, 0.01), (1.0, first), (1.25, second), (1.5, 0.01), (5.0, 0.01)):
        answer = ModelOutput(end - 1, end, np.array([p, 1 - p], np.float32), None, end)
        events += decider.update(answer)
    assert len(events) == n


@pytest.mark.parametrize("n", [3, 30, 300])
def test_number_of_labels(n: int) -> None:
    labels = tuple(f"sign {number}" for number in range(n))
    decider = make_decider("sequence", LabelSettings(labels, {}, 0.6, 0.7), RecogniserSettings())
    sure = np.full(n, 0.1 / (n - 1), np.float32)
    sure[0] = 0.9
    answers = [ModelOutput(end - 1, end, sure, None, end) for end in (1.0, 1.25)]
    events = [event for answer in answers for event in decider.update(answer)]
    (event,) = [*events, *decider.finish()]
    assert event.probability == pytest.approx(0.9)  # what both say, they say together


def test_continuing_movement_emitted_once() -> None:
    answers = [
        ModelOutput(n / 5, n / 5 + 1, np.array([0.99, 0.01], np.float32), None, n / 5 + 1)
        for n in range(100)
    ]
    decider = make_decider(
        "sequence", LabelSettings(("a", "none"), {}, 0.5, 0.7), RecogniserSettings()
    )
    events = [event for answer in answers for event in decider.update(answer)]
    assert len(events) == 1
