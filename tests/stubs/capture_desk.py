"""A desk for sessions with real programs: a display with a keyboard, or a terminal."""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from capture_stubs import stamped

PATIENCE = 120.0
TITLE = "handlore capture"
HANDLORE = [sys.executable, "-m", "handlore"]

CLOSE_WINDOW = """
import ctypes, sys
from ctypes import byref, c_char_p, c_int, c_long, c_ulong, c_void_p

class Message(ctypes.Structure):
    _fields_ = [("type", c_int), ("serial", c_ulong), ("sent", c_int), ("display", c_void_p),
                ("window", c_ulong), ("what", c_ulong), ("format", c_int), ("data", c_long * 24)]

x11 = ctypes.CDLL("libX11.so.6")
x11.XOpenDisplay.restype, x11.XInternAtom.restype = c_void_p, c_ulong
x11.XInternAtom.argtypes = [c_void_p, c_char_p, c_int]
x11.XSendEvent.argtypes = [c_void_p, c_ulong, c_int, c_long, c_void_p]
x11.XSync.argtypes = [c_void_p, c_int]
display, window = x11.XOpenDisplay(None), int(sys.argv[1])
message = Message(type=33, window=window, what=x11.XInternAtom(display, b"WM_PROTOCOLS", 0))
message.format, message.data[0] = 32, x11.XInternAtom(display, b"WM_DELETE_WINDOW", 0)
x11.XSendEvent(display, window, 0, 0, byref(message))
x11.XSync(display, 0)
"""
"""Asks a window to close, as a window manager does, of which a bare display has none."""


def wait_for(what, why: str, patience: float = PATIENCE):
    """Wait until something is true, and return it."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited for {patience:g} s: {why}")


class Desk:
    """A display of its own without window manager, its keyboard, and a session in its window."""

    def __init__(self, log: Path) -> None:
        for program in ("Xvfb", "xdotool", "import"):
            if shutil.which(program) is None:
                pytest.skip(f"needs a display to play with: {program} is not installed")
        self._display, self._log, self._session, self._manager = "", log, None, None
        read, write = os.pipe()
        args = [
            "Xvfb",
            "-displayfd",
            str(write),
            "-screen",
            "0",
            "1400x800x24",
            "-nolisten",
            "tcp",
            "-noreset",
        ]
        self._server = subprocess.Popen(args, pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as number:
            self._display = f":{number.readline().strip()}"

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "DISPLAY": self._display, "QT_QPA_PLATFORM": "xcb"}

    def start(
        self,
        *args: object,
        begun: str = "idle",
        command: tuple[str, ...] = ("capture",),
    ) -> None:
        """Start a command and wait for its window, and then for a word in its title."""
        with self._log.open("wb") as log:
            self._session = subprocess.Popen(
                [*HANDLORE, *command, *map(str, args)], env=self.environment, stdout=log, stderr=log
            )
        window = wait_for(
            lambda: (
                self._running() and self._ask("search", "--onlyvisible", "--class", "^handlore$")
            ),
            "window",
        )
        self._window = window.split()[0]
        # As a window manager does, of which a bare display has none.
        self._ask("windowfocus", "--sync", self._window)
        self.wait_title(begun)

    def manage_windows(self) -> None:
        """Start a window manager, without which no window fills the screen."""
        if shutil.which("openbox") is None:
            pytest.skip("needs a window manager: openbox is not installed")
        quiet = subprocess.DEVNULL
        self._manager = subprocess.Popen(
            ["openbox", "--sm-disable"], env=self.environment, stdout=quiet, stderr=quiet
        )

    def press(self, *keys: str) -> None:
        """Press real keys."""
        for key in keys:
            self._ask("key", key)

    def type(self, text: str, every: float) -> None:
        """Type a text, a key each so many seconds."""
        self._ask("type", "--delay", str(round(1000 * every)), text)

    def click(self, x: int, y: int) -> None:
        """Click into the window, at a place in its pixels."""
        self._ask("mousemove", "--window", self._window, str(x), str(y), "click", "1")

    def resize(self, width: int, height: int) -> None:
        """Give the window another size."""
        self._ask("windowsize", "--sync", self._window, str(width), str(height))

    def wait_title(self, words: str) -> None:
        """Wait until the title of the window says something."""
        wait_for(lambda: self._running() and words in self.title, f"{words!r} in {self.title!r}")

    @property
    def title(self) -> str:
        return self._ask("getwindowname", self._window)

    @property
    def log(self) -> str:
        """What the session has written."""
        return self._log.read_text()

    def look(self):
        """Take a picture of the screen, (height, width, 3) RGB."""
        done = subprocess.run(
            ["import", "-window", self._window, "bmp:-"],
            env=self.environment,
            capture_output=True,
            check=True,
        )
        picture = cv2.imdecode(np.frombuffer(done.stdout, np.uint8), cv2.IMREAD_COLOR)
        return np.ascontiguousarray(picture[..., ::-1])

    def frame_shown(self) -> int:
        """Return the number of the frame that the window shows."""
        picture = self.look()
        return stamped(picture[:, : picture.shape[0] * 4 // 3])

    def close_window(self) -> None:
        """Close the window as its frame's button does."""
        ask = [sys.executable, "-c", CLOSE_WINDOW, self._window]
        subprocess.run(ask, env=self.environment, check=True, capture_output=True)

    def end(self) -> int:
        """Wait for the end of the session."""
        return self._session.wait(PATIENCE)

    def close(self) -> None:
        for process in (self._session, self._manager, self._server):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()

    def _running(self) -> bool:
        if self._session.poll() is not None:
            raise AssertionError(f"the session has ended: {self._log.read_text()}")
        return True

    def _ask(self, *args: str) -> str:
        done = subprocess.run(
            ["xdotool", *args], env=self.environment, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()


class Tty:
    """A program in a terminal of its own, with its keyboard."""

    def __init__(self, *args: object, command: list[str] | None = None) -> None:
        self._ours, theirs = pty.openpty()
        self.fd = theirs
        environment = {k: v for k, v in os.environ.items() if "DISPLAY" not in k}
        self.process = subprocess.Popen(
            [*(command or [*HANDLORE, "capture"]), *map(str, args)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment | {"COLUMNS": "120"},
            process_group=0,
        )
        self._raw = b""

    @property
    def text(self) -> str:
        """Everything that was written so far, lines that were overwritten included."""
        while select.select([self._ours], [], [], 0)[0]:
            self._raw += os.read(self._ours, 65536)
        return re.sub(r"\x1b\[K", "", self._raw.decode(errors="replace"))

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def wait(self, words: str, after: int = 0) -> int:
        """Wait until something is written behind a place; return the place behind it."""
        found = wait_for(
            lambda: self.text.find(words, after) + 1 or self._gone(),
            f"{words!r} in {self.text[-2000:]}",
        )
        return found - 1 + len(words)

    def _gone(self) -> int:
        if self.process.poll() is not None and not select.select([self._ours], [], [], 0.1)[0]:
            raise AssertionError(f"the program has ended: {self.text[-2000:]}")
        return 0

    def end(self) -> int:
        return wait_for(lambda: self.text and self.process.poll() is not None, "its end") and (
            self.process.returncode
        )

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self._ours)
        os.close(self.fd)
