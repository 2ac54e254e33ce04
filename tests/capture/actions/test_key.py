"""Key presses."""

import os
import shutil
import subprocess
import sys

import pytest
from action_stubs import Make, seen

from handlore.capture.actions import key

LISTENER = """
import sys, tkinter
root = tkinter.Tk()
root.bind("<Key>", lambda event: (print(event.keysym, event.state & 4, flush=True)))
root.after(200, lambda: (root.focus_force(), print("ready", flush=True)))
root.mainloop()
"""


@pytest.mark.skipif(
    not (shutil.which("Xvfb") and shutil.which("xdotool")), reason="needs Xvfb and xdotool"
)
def test_key_reaches_a_window(desk: Make, monkeypatch: pytest.MonkeyPatch, xvfb: str) -> None:
    pytest.importorskip("tkinter", reason="needs tkinter")
    monkeypatch.setenv("DISPLAY", xvfb)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    window = subprocess.Popen(
        [sys.executable, "-c", LISTENER], stdout=subprocess.PIPE, text=True, env=os.environ.copy()
    )
    assert window.stdout is not None
    try:
        assert window.stdout.readline() == "ready\n"
        one = desk('[actions.fist]\nkey = "ctrl+right"')
        one.runner.submit(seen("fist"))
        assert one.wait(1) == [("done", "press ctrl+right")]
        pressed = [window.stdout.readline().split() for _ in range(2)]
        assert pressed[1] == ["Right", "4"]
    finally:
        window.kill()
        window.wait()
        window.stdout.close()


@pytest.mark.skipif(os.name != "posix", reason="the programs are those of Linux")
@pytest.mark.parametrize(
    ("environment", "hint"),
    [
        ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, "install wtype"),
        ({"DISPLAY": ":0"}, "apt install xdotool"),
        ({}, "no desktop is running"),
    ],
)
def test_missing_key_program(
    environment: dict[str, str], hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key, "which", lambda name: None)
    said = key._keyboard(environment, "linux")
    assert isinstance(said, str)
    assert hint in said


WTYPE = ["wtype", "-M", "ctrl", "-M", "logo", "-k", "Next", "-m", "logo", "-m", "ctrl"]


YDOTOOL = ["ydotool", "key", "29:1", "125:1", "109:1", "109:0", "125:0", "29:0"]


def test_commands_that_press_keys() -> None:
    keys = ("ctrl", "super", "page_down")
    assert key.COMMANDS["xdotool"](keys) == [
        "xdotool",
        "key",
        "--clearmodifiers",
        "ctrl+super+Next",
    ]
    assert key.COMMANDS["wtype"](keys) == WTYPE
    assert key.COMMANDS["ydotool"](keys) == YDOTOOL
