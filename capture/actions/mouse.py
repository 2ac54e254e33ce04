"""``mouse``: the pointer follows the index finger, a pinch presses the button; also clicks.

The pointer is moved like that of a touchpad, by as much as the finger moves: no program that moves
it has to know the size of the screens.
"""

import math
import os
import re
import select
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from shutil import which
from typing import ClassVar, Protocol, Self

import numpy as np

from handlore.landmarks.geometry import palm_length
from handlore.landmarks.hands import FloatArray, HandLandmark
from handlore.models.stream.events import Event, HeldHand
from handlore.models.stream.frames import MAX_FRAME_GAP, TICK_RATE, OneEuroFilter

from .base import ACTIONS, ActionError, ActionKind, Table
from .key import desktop_programs, run_program

_SPEED = 2500.0
"""Pixels that the pointer moves while the finger crosses the whole picture."""
_STEADY_SECONDS = 0.1
"""Time constant of the filter for a hand at rest, which trembles by some pixels without it."""
_PRESS, _RELEASE = 0.12, 0.25
"""Values of the pinch at which the button is pressed and released."""
_PINCH_SECONDS, _READY_SECONDS = 0.1, 0.6
"""How long a pinch must last, and how long before that the hand may have pointed."""
_STRETCHED, _POINTING = 1.13, 1.6
"""Distances of the fingertip from the wrist, in hand sizes, from which a finger is stretched, and
from which it points: 99 % of 150 hands of `one` in models/ready/everyday.npz."""
_CURLED = 0.5
"""Distance of the fingertip from its knuckle, in hand sizes, up to which a finger is curled into
the palm: 99 % of `fist` and 1 % of `ok` in the same data, and of hands that click in the air."""
_FAST, _FASTEST = 2.5, 22.0
"""Palm lengths a second at which a hand neither pinches on purpose, nor is the same hand."""
_TURN_SECONDS, _TURNED = 0.2, 0.15
"""A hand whose size in the picture, as a logarithm, has changed so much in this time is turned,
lowered or blurred. (``benchmarks/held.py`` counts presses for these and the limits above.)"""
_TIP_FROM, _TIP_TO = 0.15, 0.45
"""Between these values of the pinch the pointer passes from the knuckle to the tip of the finger,
which moves when it pinches."""
_FINGERTIP, _KNUCKLE = HandLandmark.INDEX_FINGER_TIP, HandLandmark.INDEX_FINGER_MCP
_EARLY = 1e-3
"""Seconds by which a tick may come early."""
_MISSING = "no program that moves the pointer was found"


class _Button:
    """The button that a pinch presses.

    A fist, a finger that bends over the thumb, a hand that is lowered and a blurred picture look
    like pinches for a moment. So only a hand that has just pointed presses it, that neither moves
    fast nor turns, does not curl its finger, and pinches for some ticks.
    """

    def __init__(self) -> None:
        self._sizes: deque[tuple[float, float]] = deque()
        self.reset()

    def reset(self) -> None:
        """Release it, and forget the hand."""
        self.pressed = False
        self._pointed = self._open = -math.inf
        self._sizes.clear()

    def update(self, time: float, hand: HeldHand, speed: float) -> None:
        """Take the hand at a time, and its speed in palm lengths a second."""
        is_steady = speed <= _FAST and self._turned(time, hand) <= _TURNED
        if self.pressed:
            self.pressed = hand.pinch < _RELEASE
        elif not is_steady or hand.pinch >= _PRESS or hand.span(_FINGERTIP, _KNUCKLE) < _CURLED:
            self._open = time
        elif time - self._pointed < _READY_SECONDS:
            self.pressed = time - self._open >= _PINCH_SECONDS - _EARLY
        if self.pressed or (hand.pinch >= _TIP_TO and hand.reach(_FINGERTIP) >= _POINTING):
            self._pointed = time

    def _turned(self, time: float, hand: HeldHand) -> float:
        """Return the change of the size of the hand in the last moments, as a logarithm."""
        self._sizes.append((time, hand.size))
        while time - self._sizes[0][0] > _TURN_SECONDS + _EARLY:
            self._sizes.popleft()
        return abs(math.log(hand.size / self._sizes[0][1]))


class _Path:
    """Turns positions of a hand into movements of the pointer and its button."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._filter = OneEuroFilter(_STEADY_SECONDS, 1 / TICK_RATE)
        self._button = _Button()
        self._points: FloatArray | None = None
        self._time = 0.0
        self._rest = np.zeros(2)
        """Parts of a pixel that are still to be moved."""

    @property
    def pressed(self) -> bool:
        """Whether the hand pinches."""
        return self._button.pressed

    def reset(self) -> None:
        """Forget the hand; the next one begins where the pointer is."""
        self._points = None
        self._filter.reset()
        self._button.reset()

    def move(self, time: float, hand: HeldHand) -> tuple[int, int]:
        """Return by how many pixels the pointer moves right and down, and note the button."""
        if time - self._time > MAX_FRAME_GAP:
            self.reset()
        palm = palm_length(hand.image)
        points = self._filter(hand.image[[_FINGERTIP, _KNUCKLE], :2], palm)
        tip, knuckle = points - (points if self._points is None else self._points)
        step = palm * max(time - self._time, 1e-3)
        self._points, self._time = points, time
        self._button.update(time, hand, float(np.hypot(*knuckle) / step))
        follows = self.pressed or hand.reach(_FINGERTIP) >= _STRETCHED
        if not follows or np.hypot(*tip) > _FASTEST * step:
            return 0, 0
        share = min(max((hand.pinch - _TIP_FROM) / (_TIP_TO - _TIP_FROM), 0.0), 1.0)
        moved = share * tip + (1 - share) * knuckle
        # The picture is not mirrored: what is right for the person is left in it.
        self._rest += self._speed * np.array([-moved[0], moved[1]])
        whole = np.trunc(self._rest)
        self._rest -= whole
        return int(whole[0]), int(whole[1])


class _Pointer(Protocol):
    """Something that moves the pointer and presses its buttons."""

    def move(self, right: int, down: int) -> None: ...

    def press(self, *, pressed: bool) -> None: ...

    def click(self, button: str, times: int) -> None: ...

    def scroll(self, up: int) -> None: ...

    def close(self) -> None:
        """End the process that it has started; nothing to do where it starts none."""


class _Xdotool(_Pointer):
    """For X11: one process for all commands, since the pointer moves 30 times a second."""

    _BUTTONS: ClassVar = {"left": "1", "middle": "2", "right": "3"}

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None

    def move(self, right: int, down: int) -> None:
        # The desktop would accelerate a relative movement, so that a finger that comes back to
        # where it was does not bring the pointer back.
        x, y = self._position()
        self._send(f"mousemove {max(x + right, 0)} {max(y + down, 0)}")

    def press(self, *, pressed: bool) -> None:
        self._send("mousedown 1" if pressed else "mouseup 1")

    def click(self, button: str, times: int) -> None:
        self._send(f"click --repeat {times} --delay 60 {self._BUTTONS[button]}")

    def scroll(self, up: int) -> None:
        self._send(f"click {4 if up > 0 else 5}")

    def close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()

    def _position(self) -> tuple[int, int]:
        """Return where the pointer is, in pixels from the upper left corner of all screens."""
        stdout = self._send("getmouselocation").stdout
        answer = b""
        if stdout is not None and select.select([stdout], [], [], self._seconds)[0]:
            answer = stdout.readline()
        found = re.match(rb"x:(\d+) y:(\d+) ", answer)
        if found is None:
            self.close()
            raise ActionError("xdotool cannot reach the desktop")
        return int(found[1]), int(found[2])

    def _send(self, line: str) -> "subprocess.Popen[bytes]":
        if self._process is None:
            self._process = subprocess.Popen(
                ["xdotool", "-"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                start_new_session=True,
            )
        process = self._process
        try:
            assert process.stdin is not None  # noqa: S101, for mypy
            process.stdin.write(f"{line}\n".encode())
        except OSError:
            self.close()
            raise ActionError("xdotool cannot reach the desktop") from None
        return process


class _Ydotool(_Pointer):
    """For all systems, with ydotool 1.0 or later and its daemon."""

    _BUTTONS: ClassVar = {"left": 0, "right": 1, "middle": 2}

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def move(self, right: int, down: int) -> None:
        self._run("mousemove", "-x", right, "-y", down)

    def press(self, *, pressed: bool) -> None:
        self._run("click", "0x40" if pressed else "0x80")

    def click(self, button: str, times: int) -> None:
        self._run("click", *[f"0x{0xC0 + self._BUTTONS[button]:X}"] * times)

    def scroll(self, up: int) -> None:
        self._run("mousemove", "--wheel", "-x", 0, "-y", up)

    def _run(self, *words: object) -> None:
        run_program(["ydotool", *map(str, words)], self._seconds)


class _Pynput(_Pointer):
    """For macOS and Windows."""

    def __init__(self, seconds: float) -> None:
        del seconds
        from pynput.mouse import Button, Controller

        self._mouse, self._buttons = Controller(), Button

    def move(self, right: int, down: int) -> None:
        self._mouse.move(right, down)

    def press(self, *, pressed: bool) -> None:
        act = self._mouse.press if pressed else self._mouse.release
        act(self._buttons.left)

    def click(self, button: str, times: int) -> None:
        self._mouse.click(self._buttons[button], times)

    def scroll(self, up: int) -> None:
        self._mouse.scroll(0, up)


_POINTERS: dict[str, Callable[[float], _Pointer]] = {"xdotool": _Xdotool, "ydotool": _Ydotool}


def _pointer(
    environment: Mapping[str, str] = os.environ, system: str = sys.platform
) -> Callable[[float], _Pointer] | str:
    """Return what moves the pointer on this system, or what to install."""
    if system != "linux":
        return _Pynput if find_spec("pynput") else "`pip install 'handlore[keys]'`"
    programs, hint = desktop_programs(environment)
    found = next((name for name in programs if name in _POINTERS and which(name)), None)
    if found:
        return _POINTERS[found]
    return "wtype only presses keys; install ydotool" if "wtype" in programs else hint


_FOLLOW = "pointer"
_COMMANDS: dict[str, Callable[[_Pointer], None]] = {
    "click": lambda pointer: pointer.click("left", 1),
    "double_click": lambda pointer: pointer.click("left", 2),
    "right_click": lambda pointer: pointer.click("right", 1),
    "middle_click": lambda pointer: pointer.click("middle", 1),
    "scroll_up": lambda pointer: pointer.scroll(1),
    "scroll_down": lambda pointer: pointer.scroll(-1),
}


@ACTIONS.register
class _MouseAction(ActionKind):
    """Move the pointer with the hand, click or scroll."""

    name: ClassVar[str] = "mouse"
    takes_values: ClassVar[bool] = False

    def __init__(self, what: str, speed: float, seconds: float, *, by_pinch: bool) -> None:
        self._what = what
        self._seconds = seconds
        self._by_pinch = by_pinch
        self._path = _Path(speed)
        self._is_down = False
        self._made: _Pointer | None = None
        self.follows = what == _FOLLOW

    @classmethod
    def read(cls, table: Table, labels: Sequence[str], seconds: float) -> Self:
        del labels
        what = table.choice("mouse", (_FOLLOW, *_COMMANDS)) or ""
        if what != _FOLLOW:
            for key in ("speed", "pinch"):
                if key in table:
                    table.problem(key, f'{key} needs mouse = "pointer"')
        speed = table.number("speed", _SPEED, 1.0, 100_000.0)
        return cls(what, speed, seconds, by_pinch=table.flag("pinch", default=True))

    def missing(self) -> str | None:
        found = _pointer()
        return f"{_MISSING}: {found}" if isinstance(found, str) else None

    def describe(self, event: Event) -> str:
        return "move the pointer" if self.follows else self._what.replace("_", " ")

    def perform(self, event: Event) -> None:
        if not self.follows:
            _COMMANDS[self._what](self._pointer())
        elif event.held is not None:
            self._follow(event.end, event.held)
        else:
            self._path.reset()
            self._press(pressed=False)

    def cancel(self) -> None:
        """End the program that moves the pointer."""
        if self._made is not None:
            self._made.close()

    def _follow(self, time: float, hand: HeldHand) -> None:
        right, down = self._path.move(time, hand)
        if right or down:
            self._pointer().move(right, down)
        self._press(pressed=self._by_pinch and self._path.pressed)

    def _press(self, *, pressed: bool) -> None:
        if pressed != self._is_down:
            self._pointer().press(pressed=pressed)
            self._is_down = pressed

    def _pointer(self) -> _Pointer:
        if self._made is None:
            found = _pointer()
            if isinstance(found, str):
                raise ActionError(f"{_MISSING}: {found}")
            self._made = found(self._seconds)
        return self._made
