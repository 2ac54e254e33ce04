"""Which actions run: arming, hand, cooldown, queues and the end."""

import os
import signal
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from action_stubs import LABELS, Make, seen

from handlore.capture.actions.file import load_actions
from handlore.capture.actions.runner import ActionRunner
from handlore.models.stream.events import Event

posix = pytest.mark.skipif(os.name != "posix", reason="uses the programs of Unix")


def decisions(text: str, tmp_path: Path, events: list[Event]) -> list[list[str]]:
    path = tmp_path / "actions.toml"
    path.write_text(text)
    gate = ActionRunner(load_actions(path, LABELS), print).gate
    return [[call.refused or "called" for call in gate.calls(event)] for event in events]


def test_cooldown(tmp_path: Path) -> None:
    events = [seen("fist", t) for t in (0.0, 0.5, 0.999, 1.0, 1.5, 2.1)]
    said = decisions('[actions.fist]\nsay = "a"\ncooldown = 1', tmp_path, events)
    assert [one[0] for one in said] == [
        "called",
        "cooling down",
        "cooling down",
        "called",
        "cooling down",
        "called",
    ]


def test_arming(tmp_path: Path) -> None:
    text = '[arming]\nlabel = "open_palm"\nseconds = 2\n[actions.fist]\nsay = "a"\n'
    events = [seen("fist", 1), seen("open_palm", 2), seen("fist", 3), seen("fist", 4.5)]
    assert decisions(text, tmp_path, events) == [["not armed"], [], ["called"], ["not armed"]]


def test_arming_gesture_with_an_action(tmp_path: Path) -> None:
    text = '[arming]\nlabel = "fist"\nseconds = 2\n[actions.fist]\nsay = "a"\n'
    assert decisions(text, tmp_path, [seen("fist", 1), seen("fist", 2)]) == [
        ["not armed"],
        ["called"],
    ]


def test_hand_and_any_label(tmp_path: Path) -> None:
    text = '[actions.fist]\nsay = "a"\nhand = "right"\n[actions."*"]\nsay = "b"\n'
    events = [seen("fist", hand="right"), seen("fist", hand="left"), seen("swipe_left", hand=None)]
    assert [len(one) for one in decisions(text, tmp_path, events)] == [2, 1, 1]


def test_reset(tmp_path: Path) -> None:
    path = tmp_path / "actions.toml"
    path.write_text('[arming]\nlabel = "fist"\nseconds = 9\n[actions.fist]\nsay = "a"\n')
    gate = ActionRunner(load_actions(path, LABELS), print).gate
    gate.calls(seen("fist", 100.0))
    assert gate.armed(101.0)
    gate.reset()
    assert not gate.armed(101.0)


def wait_for_commands(n: int) -> None:
    """Wait until so many commands ``sleep`` are running."""
    deadline = time.monotonic() + 60
    while [child.name() for child in psutil.Process().children()].count("sleep") < n:
        assert time.monotonic() < deadline
        time.sleep(0.01)


ORDER = """
[[actions.fist]]
run = ["sh", "-c", "sleep 0.2; echo down >> $OUT"]
on = "start"
waiting = 9
[[actions.fist]]
run = ["sh", "-c", "echo up >> $OUT"]
on = "end"
"""


def start_and_end(end: float) -> list[Event]:
    """The events of a pose that was held until a time."""
    start = seen("fist", end - 0.5)
    return [replace(start, type="start"), replace(start, end=end, type="end", primary=False)]


@posix
def test_slow_start_before_its_end(
    desk: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUT", str(tmp_path / "out"))
    one = desk(ORDER)
    for end in (1.0, 2.0, 3.0):
        for event in start_and_end(end):
            one.runner.submit(event)
    assert [state for state, _ in one.wait(6)] == ["done"] * 6
    assert (tmp_path / "out").read_text().split() == ["down", "up"] * 3


@posix
def test_end_is_called_although_its_action_is_busy(desk: Make) -> None:
    one = desk('[actions.fist]\nrun = ["sleep", "60"]\non = "end"\n')
    one.runner.submit(start_and_end(1.0)[1])
    wait_for_commands(1)
    for end in range(2, 30):
        one.runner.submit(start_and_end(float(end))[1])
    # The first runs, the newest wait, nothing piles up.
    said = one.wait(26)
    assert said == [("skipped", "still busy with the previous one")] * 26
    one.runner.close(0.0)
    assert Counter(state for state, _ in one.wait(29)[26:]) == {"failed": 1, "skipped": 2}


@posix
def test_close(desk: Make) -> None:
    one = desk('[actions.fist]\nrun = ["sleep", "60"]\nwaiting = 2')
    for _ in range(3):
        one.runner.submit(seen("fist"))
    wait_for_commands(1)
    begun = time.monotonic()
    one.runner.close(0.1)
    assert time.monotonic() - begun < 10.0
    assert Counter(state for state, _ in one.wait(3)) == {"skipped": 2, "failed": 1}
    one.runner.submit(seen("fist"))
    assert len(one.outcomes) == 4  # and nothing is taken any more
    assert one.outcomes[-1].state == "skipped"


def test_close_during_a_call_that_cannot_be_cancelled(
    desk: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlore.capture.actions.runner._KILL_SECONDS", 0.05)
    one = desk('[actions.fist]\nsay = "a"')
    ended, begun = threading.Event(), threading.Event()
    kind = type(one.runner.gate._actions.actions[0].kind)
    monkeypatch.setattr(kind, "perform", lambda *_: (begun.set(), ended.wait(60)))
    one.runner.submit(seen("fist"))
    assert begun.wait(60)
    one.runner.close(0.0)
    assert one.wait(1) == [("failed", "handlore was stopped before it ended")]
    ended.set()
    for thread in threading.enumerate():
        if thread.name == "action fist (say)":
            thread.join(60)
    assert len(one.outcomes) == 1  # a second result would be one too many


@posix
def test_ctrl_c_during_close(desk: Make) -> None:
    one = desk('[actions.fist]\nrun = ["sleep", "60"]\n[actions.swipe_left]\nrun = ["sleep", "61"]')
    one.runner.submit(seen("fist"))
    one.runner.submit(seen("swipe_left"))
    wait_for_commands(2)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(KeyboardInterrupt):
            one.runner.close(30.0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert one.wait(2) == [("failed", "was ended by SIGKILL")] * 2


def test_dry_run(desk: Make, tmp_path: Path) -> None:
    text = f'[actions.fist]\nrun = ["touch", "{tmp_path / "no"}", "{{label}}"]\n'
    text += '[actions.swipe_left]\nkey = "ctrl+left"'
    one = desk(text, dry_run=True)
    one.runner.submit(seen("fist"))
    one.runner.submit(seen("swipe_left"))
    assert one.wait(2) == [
        ("dry run", f"run touch {tmp_path / 'no'} fist"),
        ("dry run", "press ctrl+left"),
    ]
    assert not (tmp_path / "no").exists()


def test_many_events(desk: Make) -> None:
    one = desk('[actions.fist]\nsay = "{end}"\nwaiting = 10000\n[actions."*"]\nsay = "any {end}"')
    for number in range(10_000):
        one.runner.submit(seen("fist", end=float(number)))
    one.wait(20_000)
    mine = Counter(o.event.end for o in one.outcomes if o.action.label == "fist")
    assert mine == Counter(float(n) for n in range(10_000))
    assert all(o.state == "done" for o in one.outcomes if o.action.label == "fist")
    # The other may not have kept up, but each of its calls was answered once.
    assert Counter(o.event.end for o in one.outcomes if o.action.label == "*") == mine
    assert sum(one.runner.counts.values()) == 20_000
