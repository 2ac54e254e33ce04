"""Values of a held hand as numbers for an action, and actions that want the same."""

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from action_stubs import LABELS, actions_of, rehearsed
from control_stubs import POSES, Moment, Poses, driven
from live_stubs import Playback
from stream_stubs import Spread, stream

from handlore.capture.actions.control import Timing
from handlore.capture.actions.file import load_actions
from handlore.capture.live.loop import LiveState, LiveView
from handlore.datasets.dataset import LandmarkDataset
from handlore.landmarks.errors import InvalidDataError

VOLUME = '[actions.grab]\nsay = "{volume}"\nmap = { volume = "height" }\nrange = [0, 100]\n'


def numbers(text: str, tmp_path: Path, video: LandmarkDataset) -> list[tuple[float, float]]:
    """Time and number of each call."""
    found = rehearsed(text, tmp_path, POSES, Poses(), video)
    return [(one.event.end, float(one.detail)) for one in found if one.state == "dry run"]


def rising(start: float = 1.0, end: float = 5.0) -> Callable[[float], Moment]:
    """A hand that rises from the lower edge of the picture to the upper one, and stays."""

    def at(time: float) -> Moment:
        share = min(max((time - start) / (end - start), 0.0), 1.0)
        return Moment(y=0.75 * (1 - share))

    return at


def test_follows_the_value(tmp_path: Path) -> None:
    called = numbers(VOLUME, tmp_path, driven(7, rising()))
    times, volume = np.array(called).T
    assert volume[0] == 0
    assert volume[-1] == 100
    assert (np.diff(volume) > 0).all()
    assert volume == pytest.approx(np.clip((times - 1) / 4 * 100, 0, 100), abs=3)
    assert np.diff(times).min() >= 0.1 - 1e-3  # 10 a second at most
    assert times[-1] < 5.3  # and nothing while the hand stands still
    assert all(text.isdigit() for text in map(str, volume.astype(int)))


def test_rate_and_dead_band(tmp_path: Path) -> None:
    video = driven(7, rising())
    slow = numbers(VOLUME + "rate = 2", tmp_path, video)
    assert np.diff([time for time, _ in slow]).min() >= 0.5 - 1e-3
    assert slow[-1][1] == 100  # the last value is not lost
    wide = numbers(VOLUME + "dead_band = 0.2", tmp_path, video)
    assert np.diff([volume for _, volume in wide]).min() > 20 - 1
    trembling = driven(10, lambda time: Moment(y=0.4), tremor=0.001)
    assert len(numbers(VOLUME, tmp_path, trembling)) == 1


def test_ranges(tmp_path: Path) -> None:
    def last(keys: str, moment: Moment) -> str:
        text = f'[actions.grab]\nsay = "{{v}}"\n{keys}'
        found = rehearsed(text, tmp_path, POSES, Poses(), driven(1, lambda time: moment))
        return found[-1].detail

    high = Moment(y=0.75 * 0.3)  # at 0.7 of the height
    assert last('map = { v = "height" }', high) == "0.7"
    assert last('map = { v = "height" }\nrange = [0, 255]', high) == "178"
    assert last('map = { v = "height" }\nrange = [100, 0]', high) == "30"
    assert last('map = { v = "height" }\nfrom = [0.6, 0.8]\nrange = [0, 100]', high) == "50"
    assert last('map = { v = "height" }\nfrom = [0.8, 0.9]\nrange = [0, 100]', high) == "0"
    assert last('map = { v = "height" }\nrange = [0, 0.01]', high) == "0.007"
    turned = Moment(degrees=-30)
    assert last('map = { v = "rotation" }', turned) == "30"
    assert last('map = { v = "rotation" }\nfrom = [-60, 60]\nrange = [0, 180]', turned) == "135"
    text = '[actions.grab]\nsay = "{pinch} {side}"\nmap = { pinch = "pinch", side = "side" }\n'
    found = rehearsed(text, tmp_path, POSES, Poses(), driven(1, lambda time: Moment(x=0.25)))
    assert found[-1].detail.split()[1] == "0.75"


def scripted(*parts: tuple[float, str]) -> Callable[[float], Moment]:
    """The poses of parts, each with its end; the hand rises all the time."""

    def at(time: float) -> Moment:
        pose = next((pose for end, pose in parts if time < end), "gone")
        return Moment(pose, y=0.7 - 0.05 * time)

    return at


@pytest.mark.parametrize(
    ("until", "first", "last"),
    [
        ("", 1.25, 3.0),  # the pose
        ('until = "stop"', 1.25, 6.3),  # whatever the hand shows, but this
        ("until = []", 1.25, 8.0),  # the hand
    ],
)
def test_until(tmp_path: Path, until: str, first: float, last: float) -> None:
    video = driven(10, scripted((1, "none"), (3, "grab"), (6, "none"), (8, "stop"), (10, "gone")))
    times = [time for time, _ in numbers(VOLUME + until, tmp_path, video)]
    assert times[0] == pytest.approx(first, abs=0.15)
    assert times[-1] == pytest.approx(last, abs=0.2)


def test_until_the_same_pose_again(tmp_path: Path) -> None:
    parts = (2, "grab"), (4, "none"), (5, "grab"), (7, "none")
    text = VOLUME + 'until = "grab"'
    times = [time for time, _ in numbers(text, tmp_path, driven(7, scripted(*parts)))]
    assert times[-1] == pytest.approx(4.35, abs=0.15)


@pytest.mark.parametrize("end", ["stop", "gone", "none"])
def test_what_ends_it_changes_nothing(tmp_path: Path, end: str) -> None:
    """A hand that closes, or is taken away, passes through all values on its way."""

    def at(time: float) -> Moment:
        if time < 3:
            return Moment(y=0.375)
        return Moment("grab" if time < 3.1 else end, y=0.375 + min(time - 3, 0.3))

    until = "" if end == "none" else 'until = "stop"'
    called = numbers(VOLUME + until, tmp_path, driven(6, at))
    assert called[0][1] == called[-1][1] == 50
    assert min(volume for _, volume in called) > 0
    assert len(called) > 2


@pytest.mark.parametrize("seconds", [0.3, 0.6, 1.0])
@pytest.mark.parametrize("before", [2.0, 0.0])
def test_closing_takes_its_time(tmp_path: Path, seconds: float, before: float) -> None:
    """The hand rises, rests or not, and sinks as it closes, long before it is seen to be closed."""

    def at(time: float) -> Moment:
        risen, closed = min(time / 2, 1.0), min(max(time - 2 - before, 0) / seconds, 1.0)
        return Moment("grab" if closed < 0.8 else "stop", y=0.75 * (1 - 0.8 * risen + 0.6 * closed))

    called = numbers(VOLUME + 'until = "stop"', tmp_path, driven(6, at))
    assert called[-1][1] == pytest.approx(80, abs=5)


def test_a_long_hold_time_forgets_nothing(tmp_path: Path) -> None:
    """The pose that ends it is held for five seconds before it counts."""

    def at(time: float) -> Moment:
        return Moment(y=0.375) if time < 3 else Moment("stop", y=0.7)

    text, video = VOLUME + 'until = "stop"', driven(17, lambda time: at(time - 6))
    (*_, last) = rehearsed(text, tmp_path, POSES, Poses(), video, dwell=5.0)
    assert (last.event.type, last.detail) == ("end", "50")


def test_two_maps_to_the_same_thing(tmp_path: Path) -> None:
    """The first one keeps it until it ends; the other is skipped with one line."""
    text = VOLUME + "until = []\n" + VOLUME.replace("grab", "stop").replace("height", "side")
    video = driven(7, scripted((2, "grab"), (4, "stop"), (5, "gone"), (7, "stop")))
    found = rehearsed(text, tmp_path, POSES, Poses(), video)
    skipped = [one for one in found if one.state == "skipped"]
    assert [(one.action.label, one.detail) for one in skipped] == [
        ("stop", "volume belongs to grab (right hand) until that ends")
    ]
    done = [(one.action.label, one.event.end) for one in found if one.state == "dry run"]
    assert {label for label, time in done if time < 4.9} == {"grab"}
    assert {label for label, time in done if time > 5} == {"stop"}


def test_slow_action_gets_the_newest_value(tmp_path: Path) -> None:
    """A program that hangs delays no frame, and gets the newest value when it is back."""
    actions = actions_of(VOLUME + 'until = "stop"', tmp_path, POSES)
    kind, seen, is_back = actions.actions[0].kind, [], threading.Event()

    def hang(event: object) -> None:
        seen.append(event.mapped["volume"])  # type: ignore[attr-defined]
        assert is_back.wait(30)

    object.__setattr__(kind, "perform", hang)

    class Watch(LiveView):
        def show(self, state: LiveState) -> None:
            if state.seconds > 6:
                is_back.set()

    video = driven(7, rising())
    live = Playback(video, [Poses()], actions, Watch())
    live.run()
    assert live.live.frames == len(video.time)
    assert seen[-1] == 100
    assert len(seen) <= 3
    assert not [one for one in live.witness.outcomes if one.state == "skipped"]


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
