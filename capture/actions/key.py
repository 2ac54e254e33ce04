"""``key``: a key press, such as ``ctrl+right``."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from shutil import which
from typing import ClassVar, Self

from handlore.models.stream.events import Event

from .base import ACTIONS, ActionError, ActionKind, Table, unknown


@dataclass(frozen=True)
class _KeyName:
    """The names of one key."""

    keysym: str
    """Name in X11 and xkb, for xdotool and wtype."""
    code: int
    """Number in Linux's ``input-event-codes.h``, for ydotool; a position on a US keyboard, whatever
    is printed on it."""
    pynput: str
    """Name in pynput; a single character is itself."""


_MODIFIERS = {
    "ctrl": _KeyName("ctrl", 29, "ctrl"),
    "shift": _KeyName("shift", 42, "shift"),
    "alt": _KeyName("alt", 56, "alt"),
    "super": _KeyName("super", 125, "cmd"),
}
"""Keys that are held while another one is pressed."""

_ROWS = {2: "1234567890", 16: "qwertyuiop", 30: "asdfghjkl", 44: "zxcvbnm"}

_KEYS = (
    {
        sign: _KeyName(sign, first + n, sign)
        for first, row in _ROWS.items()
        for n, sign in enumerate(row)
    }
    | {f"f{n}": _KeyName(f"F{n}", 58 + n if n < 11 else 76 + n, f"f{n}") for n in range(1, 13)}
    | {
        "escape": _KeyName("Escape", 1, "esc"),
        "minus": _KeyName("minus", 12, "-"),
        "equal": _KeyName("equal", 13, "="),
        "backspace": _KeyName("BackSpace", 14, "backspace"),
        "tab": _KeyName("Tab", 15, "tab"),
        "enter": _KeyName("Return", 28, "enter"),
        "comma": _KeyName("comma", 51, ","),
        "period": _KeyName("period", 52, "."),
        "slash": _KeyName("slash", 53, "/"),
        "space": _KeyName("space", 57, "space"),
        "home": _KeyName("Home", 102, "home"),
        "up": _KeyName("Up", 103, "up"),
        "page_up": _KeyName("Prior", 104, "page_up"),
        "left": _KeyName("Left", 105, "left"),
        "right": _KeyName("Right", 106, "right"),
        "end": _KeyName("End", 107, "end"),
        "down": _KeyName("Down", 108, "down"),
        "page_down": _KeyName("Next", 109, "page_down"),
        "insert": _KeyName("Insert", 110, "insert"),
        "delete": _KeyName("Delete", 111, "delete"),
        "mute": _KeyName("XF86AudioMute", 113, "media_volume_mute"),
        "volume_down": _KeyName("XF86AudioLowerVolume", 114, "media_volume_down"),
        "volume_up": _KeyName("XF86AudioRaiseVolume", 115, "media_volume_up"),
        "next_track": _KeyName("XF86AudioNext", 163, "media_next"),
        "play_pause": _KeyName("XF86AudioPlay", 164, "media_play_pause"),
        "previous_track": _KeyName("XF86AudioPrev", 165, "media_previous"),
    }
)
"""All keys by their names in an actions file."""

# No Python package presses keys on X11, on Wayland and without a desktop, has wheels for ARM and
# needs no compiler; every Linux distribution has small programs that do, so those are called.
Press = Callable[[Sequence[str], float], None]
"""Presses keys, the modifiers first, within a time limit in seconds."""


def _keyboard(
    environment: Mapping[str, str] = os.environ, system: str = sys.platform
) -> Press | str:
    """Return the function that presses keys on this system, or what to install."""
    if system != "linux":
        return _pynput if find_spec("pynput") else "`pip install 'handlore[keys]'`"
    wanted, hint = desktop_programs(environment)
    found = next((name for name in wanted if which(name)), None)
    if found is None:
        return hint
    command = COMMANDS[found]
    return lambda keys, seconds: run_program(command(keys), seconds)


def desktop_programs(environment: Mapping[str, str]) -> tuple[list[str], str]:
    """Return the programs that press keys on this desktop, the best first, and what to install."""
    if environment.get("WAYLAND_DISPLAY"):
        return ["wtype", "ydotool"], "install wtype (or ydotool, where the desktop is GNOME)"
    if environment.get("DISPLAY"):
        return ["xdotool", "ydotool"], "`sudo apt install xdotool`"
    return ["ydotool"], "no desktop is running (DISPLAY is not set); install ydotool"


def _xdotool(keys: Sequence[str]) -> list[str]:
    """Return the command for X11."""
    return ["xdotool", "key", "--clearmodifiers", "+".join(_key(key).keysym for key in keys)]


def _wtype(keys: Sequence[str]) -> list[str]:
    """Return the command for Wayland desktops other than GNOME."""
    *held, last = (_key(key).keysym for key in keys)
    held = ["logo" if name == "super" else name for name in held]
    down = [word for name in held for word in ("-M", name)]
    up = [word for name in reversed(held) for word in ("-m", name)]
    return ["wtype", *down, "-k", last, *up]


def _ydotool(keys: Sequence[str]) -> list[str]:
    """Return the command for all systems, for ydotool 1.0 and later."""
    codes = [_key(key).code for key in keys]
    return ["ydotool", "key", *(f"{n}:1" for n in codes), *(f"{n}:0" for n in reversed(codes))]


COMMANDS = {"xdotool": _xdotool, "wtype": _wtype, "ydotool": _ydotool}


def _key(name: str) -> _KeyName:
    return _MODIFIERS.get(name) or _KEYS[name]


def run_program(words: Sequence[str], seconds: float) -> None:
    """Run a small program to its end, or raise ActionError."""
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ActionError(f"{words[0]} took longer than {seconds:g} s") from None
    if done.returncode:
        output = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise ActionError(f"{words[0]}: {output[-1][:200]}")


def _pynput(keys: Sequence[str], seconds: float) -> None:
    del seconds
    from pynput.keyboard import Controller
    from pynput.keyboard import Key as Named

    names = [_key(key).pynput for key in keys]
    pressed = [name if len(name) == 1 else getattr(Named, name, None) for name in names]
    if None in pressed:
        raise ActionError(f"this system has no key {'+'.join(keys)}")
    controller = Controller()
    *held, last = pressed
    with controller.pressed(*held):
        controller.tap(last)


@ACTIONS.register
class _KeyAction(ActionKind):
    """Press a key (the last one), with modifiers held."""

    name: ClassVar[str] = "key"
    takes_values: ClassVar[bool] = False

    def __init__(self, keys: Sequence[str], seconds: float) -> None:
        self._keys = tuple(keys)
        self._seconds = seconds
        self._press: Press | str | None = None

    @classmethod
    def read(cls, table: Table, labels: Sequence[str], seconds: float) -> Self:
        del labels
        text = table.text("key")
        *held, last = (name.strip().lower() for name in text.split("+"))
        for name in held:
            if name not in _MODIFIERS:
                table.problem("key", unknown(f"modifier {name!r} in {text!r}", name, _MODIFIERS))
        if text and last not in _KEYS:
            table.problem("key", unknown(f"key {last!r} in {text!r}", last, _KEYS))
        return cls((*held, last), seconds)

    def missing(self) -> str | None:
        self._press = _keyboard()
        if isinstance(self._press, str):
            return f"no program to press keys was found: {self._press}"
        return None

    def describe(self, event: Event) -> str:
        del event
        return f"press {'+'.join(self._keys)}"

    def perform(self, event: Event) -> None:
        del event
        if self._press is None:
            self._press = _keyboard()
        if isinstance(self._press, str):
            raise ActionError(f"no program to press keys was found: {self._press}")
        self._press(self._keys, self._seconds)
