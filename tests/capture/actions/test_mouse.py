"""The pointer follows a hand."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from action_stubs import actions_of, rehearsed, seen
from control_stubs import POSES, Moment, Poses, driven
from live_stubs import Playback
from ready_stubs import signs

from handlore.capture.actions import mouse
from handlore.capture.actions.file import preset_file
from handlore.capture.live.loop import LiveState, LiveView
from handlore.datasets.dataset import LandmarkDataset
from handlore.models.files import load_model

POINTER = '[actions.grab]\nmouse = "pointer"\nspeed = 1000\nuntil = "stop"\n'


class Desktop:
    """A pointer that notes what it is told."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.moves: list[tuple[int, int]] = []
        self.buttons: list[str] = []
        self.open = True

    def move(self, right: int, down: int) -> None:
        self.moves.append((right, down))

    def press(self, *, pressed: bool) -> None:
        self.buttons.append("down" if pressed else "up")

    def click(self, button: str, times: int) -> None:
        self.buttons.append(f"{button} {times}")

    def scroll(self, up: int) -> None:
        self.buttons.append(f"scroll {up}")

    def close(self) -> None:
        self.open = False

    @property
    def way(self) -> tuple[int, int]:
        """By how much the pointer has moved, right and down."""
        return sum(right for right, _ in self.moves), sum(down for _, down in self.moves)


@pytest.fixture
def desktop(monkeypatch: pytest.MonkeyPatch) -> Desktop:
    made = Desktop()
    monkeypatch.setattr(mouse, "_pointer", lambda: lambda seconds: made)
    return made


def play(text: str, tmp_path: Path, video: LandmarkDataset, model: Any = None) -> Playback:
    """Run it as live does, except that the pointer is moved in the same thread."""
    model = model or Poses()
    live = Playback(video, [model], actions_of(text, tmp_path, model.labels))
    for action in live.live.runner.gate._actions.actions:
        lane = live.live.runner._lanes[id(action)]
        lane.offer = lambda call, kind=action.kind: bool(kind.perform(call.event)) or True  # type: ignore[method-assign]
    live.run()
    return live


def across(time: float) -> Moment:
    """A hand that goes to the person's right and down, by a fifth of the picture each."""
    share = min(max(time - 1, 0.0), 1.0)
    return Moment(x=0.6 - 0.2 * share, y=0.3 + 0.2 * share)


def test_follows_the_hand(desktop: Desktop, tmp_path: Path) -> None:
    play(POINTER, tmp_path, driven(4, across))
    assert desktop.way == (pytest.approx(200, abs=10), pytest.approx(200, abs=10))
    assert max(max(abs(n) for n in move) for move in desktop.moves) < 30
    assert desktop.buttons == []
    assert not desktop.open


def test_slow_motion_is_not_lost(desktop: Desktop, tmp_path: Path) -> None:
    """Half a pixel a frame."""
    play(POINTER, tmp_path, driven(8, lambda time: Moment(x=0.6 - 0.015 * time)))
    assert desktop.way[0] == pytest.approx(0.015 * (8 - 0.3) * 1000, abs=4)


def test_hand_at_rest(desktop: Desktop, tmp_path: Path) -> None:
    """A hand that trembles as hands do keeps the pointer within a few pixels."""
    play(POINTER, tmp_path, driven(10, lambda time: Moment(), tremor=0.001))
    at, farthest = 0, 0
    for right, _ in desktop.moves:
        at += right
        farthest = max(farthest, abs(at))
    assert farthest <= 3


def pinching(*times: tuple[float, float]) -> Callable[[float], Moment]:
    """A hand that pinches between times, and shows no pose of the model meanwhile."""

    def at(time: float) -> Moment:
        pinched = any(start <= time < end for start, end in times)
        return Moment("none" if pinched else "grab", pinch=0.1 if pinched else 1.0)

    return at


def test_pinch_presses_the_button(desktop: Desktop, tmp_path: Path) -> None:
    """A short pinch is a click, a long one holds the button, and neither moves the pointer."""
    play(POINTER, tmp_path, driven(6, pinching((2, 2.2), (3, 5))))
    assert desktop.buttons == ["down", "up", "down", "up"]
    assert max(abs(n) for n in desktop.way) <= 12


@pytest.mark.parametrize(
    ("held", "buttons"),
    [
        (lambda time: Moment("none", pinch=0.1), ["down", "up"]),
        (lambda time: Moment("none", pinch=0.1 if time < 2.05 else 0.9), []),
        (lambda time: Moment("none", x=0.5 + 1.2 * (time - 2), pinch=0.1), []),
        (lambda time: Moment("none", pinch=0.1, size=max(0.4, 1 - 4 * (time - 2))), []),
    ],
    ids=["a pinch", "for a moment only", "a hand that moves away", "a hand that is turned"],
)
def test_what_looks_like_a_pinch(
    desktop: Desktop, tmp_path: Path, held: Callable[[float], Moment], buttons: list[str]
) -> None:
    """Only a hand that is steady, and pinches long enough, does it on purpose."""
    play(POINTER, tmp_path, driven(4, lambda time: held(time) if 2 <= time < 2.3 else Moment()))
    assert desktop.buttons == buttons


def test_real_hands_press_and_do_not_press(desktop: Desktop, tmp_path: Path) -> None:
    """A pinch is a click; a fist, in which the tips touch too, is none."""
    text = preset_file("mouse").read_text("utf-8")
    for sign, buttons in (("fist", []), ("like", []), ("ok", ["down", "up"])):
        video = signs(("one", 1.5), (sign, 0.3), ("one", 1), ("gone", 1))
        play(text, tmp_path, video, load_model("everyday"))
        assert desktop.buttons == buttons, sign


def test_button_is_released(desktop: Desktop, tmp_path: Path) -> None:
    """The hand leaves, or the recording ends, while it pinches."""
    held = pinching((2, 9))
    play(POINTER, tmp_path, driven(6, lambda time: Moment("gone") if time > 4 else held(time)))
    assert desktop.buttons == ["down", "up"]
    desktop.buttons.clear()
    play(POINTER, tmp_path, driven(4, held))
    assert desktop.buttons == ["down", "up"]


def test_hand_comes_back_elsewhere(desktop: Desktop, tmp_path: Path) -> None:
    """As with a finger that is lifted from a touchpad, the pointer stays."""

    def at(time: float) -> Moment:
        return Moment(x=0.7) if time < 2 else Moment("gone") if time < 3 else Moment(x=0.3)

    play(POINTER, tmp_path, driven(5, at))
    assert desktop.way == (0, 0)


def test_end_by_a_pose_and_without_buttons(desktop: Desktop, tmp_path: Path) -> None:
    def at(time: float) -> Moment:
        return Moment("stop" if time > 2 else "grab", x=0.7 - 0.05 * time, pinch=0.05)

    play(POINTER + "pinch = false", tmp_path, driven(6, at))
    assert desktop.way[0] == pytest.approx(1000 * 0.05 * 2.1, abs=8)
    assert desktop.buttons == []


def test_clicks(desktop: Desktop, tmp_path: Path) -> None:
    text = "".join(
        f'[[actions.grab]]\nmouse = "{what}"\n'
        for what in ("click", "double_click", "right_click", "middle_click", "scroll_down")
    )
    play(text, tmp_path, driven(1, lambda time: Moment()))
    assert desktop.buttons == ["left 1", "left 2", "right 1", "middle 1", "scroll -1"]


def test_two_hands_move_one_pointer(tmp_path: Path) -> None:
    text = POINTER + POINTER.replace("grab", "stop").replace('until = "stop"', "until = []")
    video = driven(5, lambda time: Moment("grab" if time < 2 else "none" if time < 3 else "stop"))
    found = rehearsed(text.replace('until = "stop"', "until = []"), tmp_path, POSES, Poses(), video)
    assert [(one.action.label, one.state, one.detail) for one in found] == [
        ("grab", "dry run", "move the pointer"),
        ("stop", "skipped", "the pointer belongs to grab (right hand) until that ends"),
    ]


@pytest.mark.parametrize(
    ("environment", "installed", "said"),
    [
        ({"WAYLAND_DISPLAY": "w", "DISPLAY": ":0"}, ["wtype"], "wtype only presses keys; install"),
        ({"WAYLAND_DISPLAY": "w"}, [], "wtype only presses keys; install ydotool"),
        ({"DISPLAY": ":0"}, [], "`sudo apt install xdotool`"),
        ({}, [], "no desktop is running"),
    ],
)
def test_missing_program(
    environment: dict[str, str],
    installed: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mouse, "which", lambda name: name if name in installed else None)
    found = mouse._pointer(environment, "linux")
    assert isinstance(found, str)
    assert said in found


def test_which_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mouse, "which", lambda name: name)
    assert mouse._pointer({"DISPLAY": ":0"}, "linux") is mouse._Xdotool
    assert mouse._pointer({"WAYLAND_DISPLAY": "w"}, "linux") is mouse._Ydotool
    assert mouse._pointer({}, "linux") is mouse._Ydotool


def test_commands_of_ydotool(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    monkeypatch.setattr(mouse, "run_program", lambda words, seconds: ran.append(" ".join(words)))
    pointer = mouse._Ydotool(1.0)
    pointer.move(-3, 4)
    pointer.press(pressed=True)
    pointer.press(pressed=False)
    pointer.click("right", 2)
    pointer.scroll(-1)
    assert ran == [
        "ydotool mousemove -x -3 -y 4",
        "ydotool click 0x40",
        "ydotool click 0x80",
        "ydotool click 0xC1 0xC1",
        "ydotool mousemove --wheel -x 0 -y -1",
    ]


LISTENER = """
import tkinter
root = tkinter.Tk()
root.geometry("1000x800+0+0")
for name in ("<Button-1>", "<ButtonRelease-1>", "<Button-3>", "<Button-4>"):
    root.bind(name, lambda event, name=name: print(name, flush=True))
root.after(200, lambda: print("ready", flush=True))
root.mainloop()
"""


@pytest.fixture
def window(xvfb: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    pytest.importorskip("tkinter", reason="needs tkinter")
    monkeypatch.setenv("DISPLAY", xvfb)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with subprocess.Popen(
        [sys.executable, "-c", LISTENER], stdout=subprocess.PIPE, text=True, env=os.environ.copy()
    ) as listener:
        assert listener.stdout is not None
        try:
            assert listener.stdout.readline() == "ready\n"
            yield listener.stdout
        finally:
            listener.kill()


def position() -> tuple[int, int]:
    shown = subprocess.run(
        ["xdotool", "getmouselocation"], check=True, capture_output=True, text=True
    )
    x, y = (int(word.partition(":")[2]) for word in shown.stdout.split()[:2])
    return x, y


@pytest.mark.skipif(
    not (shutil.which("Xvfb") and shutil.which("xdotool")), reason="needs Xvfb and xdotool"
)
def test_pointer_of_a_desktop(window: Any, tmp_path: Path) -> None:
    subprocess.run(["xdotool", "mousemove", "300", "300"], check=True)
    held = pinching((3, 4))

    def at(time: float) -> Moment:
        # Fast to the right and down, slowly half of the way back: no pointer is accelerated.
        there, back = min(max(time - 1, 0.0) * 4, 1.0), min(max(time - 4.3, 0.0), 1.0) / 2
        shown, way = held(time), 0.2 * (there - back)
        return Moment(shown.pose, 0.6 - way, 0.3 + way, shown.pinch)

    video = driven(6, at)
    live = Playback(video, [Poses()], actions_of(POINTER, tmp_path, POSES))
    (lane,) = live.live.runner._lanes.values()

    class Pace(LiveView):
        """Time goes on as fast as the program, as it does with a camera."""

        def show(self, state: LiveState) -> None:
            while lane._queue or lane._running:
                time.sleep(0.0005)

    live.views.append(Pace())
    live.run()
    assert [window.readline().strip() for _ in range(2)] == ["<Button-1>", "<ButtonRelease-1>"]
    x, y = position()
    assert (x, y) == (pytest.approx(400, abs=12), pytest.approx(400, abs=12))
    (moved,) = live.witness.outcomes
    assert (moved.state, moved.detail) == ("done", "move the pointer")
    pointer = mouse._Xdotool(1.0)
    pointer.click("right", 1)
    pointer.scroll(1)
    assert [window.readline().strip() for _ in range(2)] == ["<Button-3>", "<Button-4>"]
    pointer.close()


@pytest.mark.skipif(not shutil.which("xdotool"), reason="needs xdotool")
def test_desktop_that_is_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DISPLAY", ":77")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    kind = actions_of('[actions.grab]\nmouse = "click"\n', tmp_path, POSES).actions[0].kind

    def click_on() -> None:
        for _ in range(200):
            kind.perform(seen("grab"))
            time.sleep(0.01)

    with pytest.raises(mouse.ActionError, match="xdotool cannot reach the desktop"):
        click_on()
    kind.cancel()
