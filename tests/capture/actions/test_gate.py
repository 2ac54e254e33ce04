"""When actions are called while a gesture lasts: repeating, waiting, following, competing."""

from pathlib import Path

import numpy as np
import pytest
from action_stubs import actions_of, rehearsed
from control_stubs import POSES, Moment, Poses, driven
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from live_stubs import Playback
from stream_stubs import Spread, stream

from handlore.capture.actions.file import ActionSet
from handlore.capture.actions.runner import ActionResult
from handlore.datasets.dataset import LandmarkDataset

FRAME = 1 / 30


def actions(text: str, tmp_path: Path) -> ActionSet:
    return actions_of(text, tmp_path, Spread.labels)


def replayed(text: str, tmp_path: Path, video: LandmarkDataset) -> list[ActionResult]:
    return rehearsed(text, tmp_path, Spread.labels, Spread(), video)


def times(results: list[ActionResult], state: str = "dry run") -> list[float]:
    return [one.event.end for one in results if one.state == state]


def two_hands(first: LandmarkDataset, second: LandmarkDataset) -> LandmarkDataset:
    """Two videos of one hand as one of two hands, the left one in slot 0."""
    arrays = {
        name: np.concatenate([getattr(first, name), getattr(second, name)], axis=1)
        for name in ("image", "world", "handedness", "score", "stage")
    }
    arrays["handedness"][:, 0] = 1 - arrays["handedness"][:, 0]
    return LandmarkDataset(
        **arrays,
        time=first.time,
        offsets=first.offsets,
        samples=first.samples,
        header=first.header,
    )


HELD = [("gone", 1), ("wide", 5), ("gone", 1)]
REPEAT = '[actions.wide]\nsay = "now"\nrepeat = 0.5\nwaiting = 100\n'


@pytest.mark.parametrize("fps", [15, 30, 60])
def test_repeat_while_held(tmp_path: Path, fps: float) -> None:
    """Five seconds with a call every half second: ten calls, none late, live and replayed."""
    video = stream(HELD, fps)
    called = times(replayed(REPEAT, tmp_path, video))
    ideal = called[0] + 0.5 * np.arange(10)
    assert called[0] == pytest.approx(1.25, abs=2 * FRAME)  # after the hold time
    assert called == pytest.approx(ideal, abs=FRAME)
    witness = Playback(video, [Spread()], actions(REPEAT, tmp_path)).run()
    assert times(witness.outcomes, "done") == called
    assert witness.labels == ["wide"]
    assert witness.held == []


def test_long_hold_does_not_drift(tmp_path: Path) -> None:
    text = '[actions.wide]\nsay = "now"\nrepeat = 0.07\n'
    called = times(replayed(text, tmp_path, stream([("gone", 1), ("wide", 60)])))
    assert called == pytest.approx(called[0] + 0.07 * np.arange(len(called)), abs=FRAME + 1e-6)
    assert len(called) == pytest.approx((60 - 0.25) / 0.07, abs=2)


def test_after(tmp_path: Path) -> None:
    text = (
        '[[actions.wide]]\nsay = "long"\nafter = 2\n'
        '[[actions.wide]]\nsay = "a long one ended"\non = "end"\nafter = 2\n'
        '[[actions.wide]]\nsay = "again"\nafter = 2\nrepeat = 1.0\n'
    )
    short = replayed(text, tmp_path, stream([("gone", 1), ("wide", 1.8), ("gone", 1)]))
    assert short == []
    long = replayed(text, tmp_path, stream([("gone", 1), ("wide", 3.5), ("gone", 1)]))
    assert [(one.detail, one.event.end) for one in long] == [
        ("long", pytest.approx(3, abs=FRAME)),
        ("again", pytest.approx(3, abs=FRAME)),
        ("again", pytest.approx(4, abs=FRAME)),
        ("a long one ended", pytest.approx(4.5, abs=0.1)),
    ]


PAIR = (
    '[[actions.wide]]\nsay = "down"\non = "start"\nwaiting = 9\n'
    '[[actions.wide]]\nsay = "up"\non = "end"\n'
)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (HELD, ["down", "up"]),
        # Lost for a moment: the same pose goes on.
        ([("wide", 1), ("gone", 0.2), ("wide", 1), ("gone", 1)], ["down", "up"]),
        ([("wide", 1), ("thin", 0.2), ("wide", 1), ("gone", 1)], ["down", "up"]),
        ([("wide", 1), ("gone", 0.7), ("wide", 1), ("gone", 1)], ["down", "up", "down", "up"]),
        # The recording ends while it is held.
        ([("wide", 1)], ["down", "up"]),
        # Another pose ends it.
        ([("wide", 1), ("thin", 1)], ["down", "up"]),
    ],
)
def test_start_and_end(tmp_path: Path, parts: list[tuple[str, float]], said: list[str]) -> None:
    video = stream(parts)
    assert [one.detail for one in replayed(PAIR, tmp_path, video)] == said
    witness = Playback(video, [Spread()], actions(PAIR, tmp_path)).run()
    # Actions run beside each other, so that of the end may finish before the next start or after it.
    finished = sorted(witness.outcomes, key=lambda one: one.event.end)
    assert [one.detail for one in finished] == said


def test_repeat_goes_on_after_a_moment(tmp_path: Path) -> None:
    parts = [("gone", 1), ("wide", 2), ("gone", 0.2), ("wide", 2), ("gone", 1)]
    called = times(replayed(REPEAT, tmp_path, stream(parts)))
    late = called - (called[0] + 0.5 * np.arange(len(called)))
    assert len(called) == 8
    assert max(abs(late)) < 0.25  # what fell into the gap comes when the pose is seen again
    assert sum(abs(late) > FRAME) <= 1


def test_arming_covers_a_whole_gesture(tmp_path: Path) -> None:
    """What was begun goes on, and ends, although nobody could begin it any more."""
    text = '[arming]\nlabel = "wide"\nseconds = 2\n' + PAIR.replace("wide", "narrow")
    parts = [("wide", 1), ("thin", 5), ("gone", 1), ("thin", 2), ("gone", 1)]
    found = replayed(text, tmp_path, stream(parts))
    assert [(one.state, one.detail) for one in found] == [
        ("dry run", "down"),
        ("dry run", "up"),
        ("skipped", "not armed"),
        ("skipped", "not armed"),
    ]


def test_both_hands_hold_the_pose(tmp_path: Path) -> None:
    parts = [[("gone", 1), ("wide", 4), ("gone", 3)], [("gone", 2), ("wide", 4), ("gone", 2)]]
    video = two_hands(*(stream(one) for one in parts))
    found = replayed(REPEAT, tmp_path, video)
    assert {one.event.hand for one in found if one.state == "dry run"} == {"left"}
    (skipped,) = [one.detail for one in found if one.state == "skipped"]
    assert skipped == "it belongs to wide (left hand) until that ends"
    # A hand that comes after the first has ended is served.
    parts = [[("wide", 2), ("gone", 4)], [("gone", 3), ("wide", 2), ("gone", 1)]]
    found = replayed(REPEAT, tmp_path, two_hands(*(stream(one) for one in parts)))
    assert [one.event.hand for one in found] == ["left"] * 4 + ["right"] * 4


EVERYTHING = """
[arming]
label = "stop"
seconds = 4
[[actions.grab]]
say = "down"
on = "start"
[[actions.grab]]
say = "up"
on = "end"
[[actions.grab]]
say = "again"
repeat = 0.3
after = 0.5
[[actions.grab]]
say = "{v}"
map = { v = "height" }
until = ["stop", "grab"]
[[actions.stop]]
say = "{v}"
map = { v = "side" }
until = []
[[actions.stop]]
say = "{v}"
map = { v = "side" }
cooldown = 2
"""
PARTS = st.lists(
    st.tuples(
        st.sampled_from(["grab", "stop", "none", "gone"]), st.sampled_from([0.2, 0.5, 1.0, 2.5])
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=PARTS, fps=st.sampled_from([7, 15, 30, 50]))
def test_live_and_replay_agree(parts: list[tuple[str, float]], fps: float, tmp_path: Path) -> None:
    """Whatever the hand does: the same calls, live and replayed, and an end for each start."""
    ends = np.cumsum([seconds for _, seconds in parts])

    def at(time: float) -> Moment:
        pose = parts[min(int(np.searchsorted(ends, time, side="right")), len(parts) - 1)][0]
        return Moment(pose, x=0.3 + 0.03 * time, y=0.6 - 0.03 * time)

    video = driven(float(ends[-1]), at, fps)
    found = rehearsed(EVERYTHING, tmp_path, POSES, Poses(), video)
    read = actions_of(EVERYTHING, tmp_path, POSES)
    live = Playback(video, [Poses()], read, dry_run=True).run().outcomes
    assert [(one.action.name, one.event, one.state, one.detail) for one in found] == [
        (one.action.name, one.event, one.state, one.detail) for one in live
    ]
    pressed = [one.detail for one in found if one.detail in ("down", "up")]
    assert pressed == ["down", "up"] * (len(pressed) // 2)
