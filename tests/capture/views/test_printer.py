"""Events and messages as lines."""

import io
import json
from pathlib import Path

import pytest
from live_stubs import EMPTY, FIST, Playback, Stage
from stream_stubs import Spread, stream

from handlore.capture.actions.file import load_actions
from handlore.capture.actions.runner import ActionResult
from handlore.capture.serve.server import Hub
from handlore.capture.views.live import PageView, Printer
from handlore.models.stream.events import Event


def test_events() -> None:
    class Flushed(io.StringIO):
        flushes = 0

        def flush(self) -> None:
            self.flushes += 1

    out = Flushed()
    event = Event("fist", 1.0, 1.23456, 0.98765, None)
    Printer(as_json=True, out=out).on_event(event)
    assert out.getvalue() == event.line() + "\n"
    assert out.flushes == 1
    out = Flushed()
    Printer(out=out).on_event(Event("fist", 1.0, 1.234, 0.987, "left"))
    assert out.getvalue().split() == ["1.23", "fist", "99", "%", "left", "hand"]


def test_events_while_held() -> None:
    event = Event("fist", 1.0, 3.5, 0.98765, "left", "hold", primary=False)
    out = io.StringIO()
    Printer(detailed=True, out=out).on_hold(event)
    assert out.getvalue().split()[-3:] == ["hold", "2.50", "s"]
    out = io.StringIO()
    Printer(as_json=True, detailed=True, out=out).on_hold(event)
    found = json.loads(out.getvalue())
    assert (found["type"], found["duration"]) == ("hold", 2.5)
    assert found.items() >= event.as_json().items()


def test_repeated_message(tmp_path: Path) -> None:
    log = io.StringIO()
    printer = Printer(out=io.StringIO(), log=log)
    text = '[actions.fist]\nsay = "x"\ncooldown = 3600'
    flicker = [(n / 30, FIST if n % 2 else EMPTY) for n in range(60)]
    Stage(flicker, printer, actions=text, folder=tmp_path).run()
    lines = log.getvalue().splitlines()
    assert sorted(line.strip() for line in lines) == [
        "0.03  fist (say): x",
        "fist (say) was skipped: cooling down",
    ]


@pytest.mark.parametrize(("action", "n_lines"), [('say = "x"', 48), ('key = "a"', 5)])
def test_action_that_goes_on(
    action: str, n_lines: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten calls a second are one line a second, unless the lines are what the action is for."""
    monkeypatch.setattr(
        "handlore.capture.actions.key._keyboard", lambda: lambda keys, seconds: None
    )
    path = tmp_path / "actions.toml"
    path.write_text(f"[actions.wide]\n{action}\nrepeat = 0.1\nwaiting = 1000")
    log = io.StringIO()
    printer = Printer(out=io.StringIO(), log=log)
    actions = load_actions(path, Spread.labels)
    live = Playback(stream([("wide", 5)]), [Spread()], actions, printer)
    live.run()
    assert live.live.runner.counts["done"] == pytest.approx(48, abs=1)
    assert len(log.getvalue().splitlines()) == pytest.approx(n_lines, abs=1)


def test_failure_beside_an_action_that_goes_on(tmp_path: Path) -> None:
    """Of two actions of one label and kind one is done again and again, and then both fail."""
    path = tmp_path / "actions.toml"
    path.write_text('[[actions.fist]]\nrun = ["a"]\nrepeat = 0.5\n[[actions.fist]]\nrun = ["b"]')
    first, second = load_actions(path, ["fist"], check_computer=False).actions
    log, hub = io.StringIO(), Hub()
    for view in (Printer(out=io.StringIO(), log=log), PageView(hub)):
        for end, action, state in (
            (2.0, first, "done"),
            (2.1, first, "done"),
            (2.2, second, "failed"),
            (2.3, first, "failed"),
            (2.4, first, "failed"),
        ):
            event = Event("fist", 0.0, end, 0.9, None, "hold", primary=False)
            view.on_action(ActionResult(event, action, state, "exit code 7"))
    assert [line.strip() for line in log.getvalue().splitlines()] == [
        "2.00  fist (run): exit code 7",
        "fist (run 2) failed: exit code 7",
        "fist (run) failed: exit code 7",
    ]
    assert [line["text"] for _, line in hub.updates(0, 0, 0.0)[1]] == [
        "fist (run): done",
        "fist (run 2): failed",
        "fist (run): failed",
    ]
