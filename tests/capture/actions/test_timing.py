"""When actions are called, and what they are given of the hand, as an actions file says it."""

import json
import os
from pathlib import Path

import pytest
from action_stubs import LABELS
from live_stubs import Playback
from stream_stubs import Spread, stream

from handlore.capture.actions.file import load_actions
from handlore.capture.actions.timing import Timing
from handlore.landmarks.errors import InvalidDataError

SAY = '[actions.fist]\nsay = "x"\n'
RUN = '[actions.fist]\nrun = ["echo", "{volume}"]\n'


def load(tmp_path: Path, text: str) -> list[Timing]:
    path = tmp_path / "actions.toml"
    path.write_text(text)
    found = load_actions(path, LABELS, ["swipe_left"], check_computer=False)
    return [action.timing for action in found.actions]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("", Timing()),
        ('on = "start"', Timing("start")),
        ('on = "end"', Timing("end")),
        ('on = "end"\nafter = 1', Timing("end", after=1)),
        ("after = 1.5", Timing("hold", after=1.5)),
        ("repeat = 0.2", Timing("hold", 0.2)),
        ('on = "hold"\nrepeat = 2\nafter = 1', Timing("hold", 2, 1)),
        ('map = "pinch"', Timing("hold")),
        ('map = "pinch"\nuntil = "open_palm"', Timing("hold", until=("open_palm",))),
        ('map = "pinch"\nuntil = []', Timing("hold", until=())),
    ],
)
def test_timing(tmp_path: Path, keys: str, expected: Timing) -> None:
    assert load(tmp_path, SAY + keys) == [expected]


WRONG = {
    SAY + 'on = "hodl"': "line 3: unknown on 'hodl'; did you mean hold?",
    SAY + 'on = "start"\nrepeat = 1': 'on is "start"; an action that waits or goes on needs "hold"',
    SAY + 'on = "end"\nmap = "pinch"': 'on is "end"; an action that waits or goes on needs "hold"',
    SAY + "repeat = 0": "line 3: repeat is 0; expected 0.03 to 3600",
    SAY + "after = -1": "after is -1; expected 0 to 3600",
    SAY + 'until = "open_palm"': 'until needs map or mouse = "pointer"',
    SAY + 'map = "pinch"\nuntil = "open"': "unknown until 'open'; did you mean open_palm?",
    SAY + 'map = "pinch"\nrepeat = 1': "called whenever the hand moves; remove repeat",
    '[actions.swipe_left]\nsay = "x"\nrepeat = 1': "swipe_left is a movement, which is not held",
    '[actions.swipe_left]\nsay = "x"\non = "start"': "swipe_left is a movement",
    # Values that do not exist, and names that cannot be.
    SAY
    + 'map = { volume = "pinc" }': "line 3: unknown value 'pinc' of a hand; did you mean pinch?",
    SAY + 'map = { v = "x" }': "known: pinch, openness, rotation, height, side",
    SAY + 'map = { label = "pinch" }': "cannot be called 'label': every event has that",
    SAY + 'map = { "a b" = "pinch" }': "cannot be called 'a b': use letters, digits and _",
    SAY + "map = { v = 3 }": "map.v is a whole number; expected text",
    SAY + "map = {}": "map has 0 values; expected 1 to 16",
    SAY + "map = 3": "map is a whole number; expected a table",
    SAY + 'map = "pinch"\nrange = [1, 1]': "range is not a list of two different numbers",
    SAY + 'map = "pinch"\nrange = [1, 2, 3]': "range is not a list of two different numbers",
    SAY + 'map = "pinch"\nrange = [true, 2]': "range is not a list of two different numbers",
    SAY + 'map = "pinch"\nrange = [nan, 2]': "range is not a list of two different numbers",
    SAY + 'map = "pinch"\nfrom = [0, inf]': "from is not a list of two different numbers",
    SAY + 'map = "pinch"\nrate = 0': "rate is 0; expected 0.1 to 30",
    SAY + 'map = "pinch"\ndead_band = 1': "dead_band is 1; expected 0 to 0.5",
    SAY + "range = [0, 1]": "range needs map",
    '[actions.fist]\nkey = "a"\nmap = "pinch"': "key takes no values; use run, post, mqtt or say",
    '[actions.fist]\nmouse = "pointer"\nmap = "pinch"': "mouse takes no values",
    # A placeholder of a mapped value is one like all others.
    RUN + 'map = { volum = "pinch" }': "run has {volume}; did you mean volum?",
    '[actions.fist]\nrun = ["sh", "-c", "echo {v}"]\nmap = { v = "pinch" }': "sh would run",
    '[actions.fist]\nrun = "echo {v}"\nshell = true\nmap = { v = "pinch" }': "a shell would run",
    '[actions.fist]\nrun = ["{v}"]\nmap = { v = "pinch" }': "itself cannot have a placeholder",
    # The mouse.
    '[actions.fist]\nmouse = "pointr"': "unknown mouse 'pointr'; did you mean pointer?",
    '[actions.fist]\nmouse = "click"\nspeed = 3': 'speed needs mouse = "pointer"',
}


@pytest.mark.parametrize("text", list(WRONG))
def test_wrong(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidDataError) as caught:
        load(tmp_path, text)
    assert WRONG[text] in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.name != "posix", reason="uses the programs of Unix")
def test_what_a_command_is_given(tmp_path: Path) -> None:
    """The event says whether it is a start or an end, and has the mapped values."""
    out = tmp_path / "out"
    text = f"""
[[actions.wide]]
run = 'echo "$HANDLORE_TYPE $HANDLORE_DURATION $HANDLORE_EVENT" >> {out}'
shell = true
on = "end"
[[actions.wide]]
run = 'echo "$HANDLORE_AMOUNT $HANDLORE_EVENT" >> {out}'
shell = true
map = {{ amount = "side" }}
range = [0, 255]
"""
    path = tmp_path / "actions.toml"
    path.write_text(text)
    actions = load_actions(path, Spread.labels)
    Playback(stream([("wide", 2), ("gone", 1)]), [Spread()], actions).run()
    mapped, ended = out.read_text().splitlines()
    amount, event = mapped.split(" ", 1)
    found = json.loads(event)
    assert 0 <= int(amount) <= 255
    assert (found["type"], found["amount"], found["label"]) == ("hold", int(amount), "wide")
    kind, duration, event = ended.split(" ", 2)
    found = json.loads(event)
    assert (kind, found["type"]) == ("end", "end")
    assert float(duration) == found["duration"] == pytest.approx(2, abs=0.15)
