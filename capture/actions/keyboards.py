"""What presses keys on this computer.

No package on the index does that on X11, on Wayland and without a desktop, has wheels for ARM and
needs no compiler; each Linux distribution has small programs that do, so those are called.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from shutil import which

from .keynames import KEYS, MODIFIERS, Key
from .kinds import ActionError

Press = Callable[[Sequence[str], float], None]
"""Presses keys, the modifiers first, within so many seconds."""


def keyboard(
    environment: Mapping[str, str] = os.environ, system: str = sys.platform
) -> Press | str:
    """Return what presses keys here, or a line that says what to install."""
    if system != "linux":
        return _pynput if find_spec("pynput") else "`pip install 'handlore[keys]'`"
    if environment.get("WAYLAND_DISPLAY"):
        wanted = ["wtype", "ydotool"]
        hint = "install wtype (or ydotool, where the desktop is GNOME)"
    elif environment.get("DISPLAY"):
        wanted, hint = ["xdotool", "ydotool"], "`sudo apt install xdotool`"
    else:
        wanted, hint = ["ydotool"], "no desktop is running (DISPLAY is not set); install ydotool"
    found = next((name for name in wanted if which(name)), None)
    return _program(COMMANDS[found]) if found else hint


def xdotool(keys: Sequence[str]) -> list[str]:
    """Return the command for X11."""
    return ["xdotool", "key", "--clearmodifiers", "+".join(_key(key).keysym for key in keys)]


def wtype(keys: Sequence[str]) -> list[str]:
    """Return the command for Wayland desktops other than GNOME."""
    *held, last = (_key(key).keysym for key in keys)
    held = ["logo" if name == "super" else name for name in held]
    down = [word for name in held for word in ("-M", name)]
    up = [word for name in reversed(held) for word in ("-m", name)]
    return ["wtype", *down, "-k", last, *up]


def ydotool(keys: Sequence[str]) -> list[str]:
    """Return the command for everything, for ydotool 1.0 and later."""
    codes = [_key(key).code for key in keys]
    return ["ydotool", "key", *(f"{n}:1" for n in codes), *(f"{n}:0" for n in reversed(codes))]


COMMANDS = {"xdotool": xdotool, "wtype": wtype, "ydotool": ydotool}


def _key(name: str) -> Key:
    return MODIFIERS.get(name) or KEYS[name]


def _program(command: Callable[[Sequence[str]], list[str]]) -> Press:
    def press(keys: Sequence[str], seconds: float) -> None:
        words = command(keys)
        try:
            done = subprocess.run(
                words, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                timeout=seconds, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise ActionError(f"{words[0]} took longer than {seconds:g} s") from None
        if done.returncode:
            said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise ActionError(f"{words[0]}: {said[-1][:200]}")

    return press


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
