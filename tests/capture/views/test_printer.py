"""Events and messages as lines."""

import io
import json
from pathlib import Path

from live_stubs import EMPTY, FIST, Stage

from handlore.capture.views.live import Printer
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
