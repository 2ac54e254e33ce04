"""Key presses."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from handlore.capture.actions import key
from handlore.capture.actions.file import ActionSet, load_actions
from handlore.capture.actions.runner import ActionResult, ActionRunner
from handlore.models.stream.events import Event

LABELS = ("fist", "open_palm", "swipe_left")


def seen(label: str, end: float = 1.0, hand: str | None = "left") -> Event:
    return Event(label, 0.0, end, 0.97, hand)


class Desk:
    """Runs an actions file and keeps what became of the events."""

    def __init__(self, plan: ActionSet, *, dry_run: bool = False) -> None:
        self.outcomes: list[ActionResult] = []
        self.runner = ActionRunner(plan, self.outcomes.append, dry_run=dry_run)

    def wait(self, n: int, seconds: float = 10.0) -> list[tuple[str, str]]:
        """Wait for so many outcomes and return state and detail of all."""
        deadline = time.monotonic() + seconds
        while len(self.outcomes) < n and time.monotonic() < deadline:
            time.sleep(0.002)
        return [(one.state, one.detail) for one in self.outcomes]


Make = Callable[..., Desk]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Make]:
    """Make a desk of the text of an actions file."""
    made: list[Desk] = []

    def make(text: str, *, dry_run: bool = False) -> Desk:
        path = tmp_path / "actions.toml"
        path.write_text(text)
        plan = load_actions(path, LABELS, check_computer=not dry_run)
        made.append(Desk(plan, dry_run=dry_run))
        return made[-1]

    yield make
    for one in made:
        one.runner.close(0.0)


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
    said = key.keyboard(environment, "linux")
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
