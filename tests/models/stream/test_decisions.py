"""Outputs of models become events: hold time, best window, hysteresis, cooldown."""

import numpy as np
import pytest

from handlore.models.stream.decisions import make_decider
from handlore.models.stream.events import Event
from handlore.models.stream.frames import TICK_RATE
from handlore.models.stream.inference import ModelOutput
from handlore.models.stream.settings import RecogniserSettings, Thresholds


def holds(*parts: tuple[float, float], **kw: object) -> tuple[list[Event], list[float]]:
    """Events and when they are emitted, for parts (probability of ``a``, seconds), -1 = no hand."""
    config = RecogniserSettings(**kw)
    decider = make_decider(
        "pose", Thresholds(("a", "none"), {}, config.threshold, config.release), config
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


def test_best_overlapping_window() -> None:
    decider = make_decider(
        "sequence", Thresholds(("a", "b"), {}, 0.5, 0.7), RecogniserSettings(patience=0.5)
    )
    events = []
    for end, p in ((1.0, (0.7, 0.3)), (1.2, (0.2, 0.8)), (1.4, (0.01, 0.99)), (2.2, (0.5, 0.4))):
        answer = ModelOutput(end - 1, end, np.array(p, np.float32), None, end)
        events += decider.update(answer)
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
def test_two_windows_agree(first: float, second: float, n: int) -> None:
    decider = make_decider(
        "sequence", Thresholds(("a", "none"), {}, 0.6, 0.7), RecogniserSettings()
    )
    events = []
    for end, p in ((0.75, 0.01), (1.0, first), (1.25, second), (1.5, 0.01), (5.0, 0.01)):
        answer = ModelOutput(end - 1, end, np.array([p, 1 - p], np.float32), None, end)
        events += decider.update(answer)
    assert len(events) == n


@pytest.mark.parametrize("n", [3, 30, 300])
def test_number_of_labels(n: int) -> None:
    labels = tuple(f"sign {number}" for number in range(n))
    decider = make_decider("sequence", Thresholds(labels, {}, 0.6, 0.7), RecogniserSettings())
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
        "sequence", Thresholds(("a", "none"), {}, 0.5, 0.7), RecogniserSettings()
    )
    events = [event for answer in answers for event in decider.update(answer)]
    assert len(events) == 1
