"""The same keys from a window and from a terminal, and a terminal that is as it was."""

import os
import signal
import sys
import termios
from collections.abc import Iterator

import pytest
from capture_desk import Tty, wait_for

from handlore.capture.keys import WindowKeys, key_of_character, key_of_code
from handlore.capture.recording.progress import Hold
from handlore.capture.terminal import Terminal


@pytest.mark.parametrize(
    ("code", "key"),
    [
        (ord("r"), "r"),
        (ord(" "), " "),
        (0x2B, "+"),
        (0xFFAB, "+"),  # of the number pad
        (0xFFB7, "7"),
        (0xFF1B, "esc"),
        (27, "esc"),
        (0xFF0D, "enter"),
        (0xFF8D, "enter"),
        (0xFF08, "backspace"),
        (8, "backspace"),
        (127, "backspace"),
        (0x100000 | ord("q"), "q"),  # GTK with Num Lock on
        (0xFF51, None),  # an arrow, whose lower byte is Q
        (0xFFE1, None),  # Shift alone
        (0x250000, None),  # an arrow on Windows
        (0, None),
        (-0x2A, "ö"),  # Qt's Latin-1, the same with Shift
        (-0x37, "é"),
        (-0x21, "ß"),
        (-0x50, "°"),
        (-0x4E, "²"),
        (0x80072, None),  # GTK with Alt, Super, Control
        (0x400072, None),
        (0x40072, None),
        (0x10053, "S"),  # GTK with Shift
        (0x100624B, "手"),
    ],
)
def test_codes_of_windows(code: int, key: str | None):
    assert key_of_code(code) == key


@pytest.mark.parametrize(
    ("code", "key"),
    [(0x6D6, "ж"), (0x7E2, "β"), (0x1B1, "ą"), (0x4B9, None), (0xFE03, None), (0xFE50, None)],
)
def test_letters_of_other_scripts_under_x11(code: int, key: str | None, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    assert key_of_code(code) == key


@pytest.mark.parametrize(
    ("codes", "keys"),
    [
        ([0xFFE1, ord("s"), ord("w")], [None, "S", "w"]),
        ([0xFFE1, -0x2A], [None, "Ö"]),
        ([0xFFE1, -0x21, 0xFF0D], [None, "ß", "enter"]),
        ([0xFFE9, ord("q"), ord("q")], [None, None, "q"]),
        ([0xFFEB, ord("r")], [None, None]),
        ([0xFFE3, ord("r")], [None, None]),
        ([0xFE03, ord("@")], [None, "@"]),  # AltGr
    ],
)
def test_modifiers_that_a_window_tells_as_keys(codes: list[int], keys: list[str | None]):
    window = WindowKeys()
    assert [window.name(code, 0.1 * k) for k, code in enumerate(codes)] == keys


def test_a_modifier_of_long_ago_belongs_to_no_key():
    window = WindowKeys()
    assert window.name(0xFFE9, 0.0) is None
    assert window.name(ord("q"), 5.0) == "q"


def test_characters_of_terminals():
    assert [key_of_character(c) for c in "r\r\n\x7f\x1bß\x01"] == [
        "r", "enter", "enter", "backspace", "esc", "ß", None,
    ]  # fmt: skip


class Pipe:
    """A terminal whose other end a test writes to."""

    def __init__(self) -> None:
        self.now = 0.0
        read, self._write = os.pipe()
        self.terminal = Terminal(read, clock=lambda: self.now)

    def __call__(self, data: bytes) -> list[str]:
        os.write(self._write, data)
        return self.terminal.pressed()

    def close(self) -> None:
        os.close(self._write)


@pytest.fixture
def typed() -> Pipe:
    return Pipe()


def test_keys_come_in_order(typed: Pipe):
    assert typed(b"r2+wave\r") == ["r", "2", "+", *"wave", "enter"]
    assert typed.terminal.pressed() == []


def test_a_letter_of_two_bytes_may_come_in_two_parts(typed: Pipe):
    assert typed("ü".encode()[:1]) == []
    assert typed("ü".encode()[1:]) == ["ü"]


@pytest.mark.parametrize("arrow", [b"\x1b[A", b"\x1bOP", b"\x1b[3~", b"\x1b[1;5C"])
def test_arrows_are_not_the_escape_key(typed: Pipe, arrow: bytes):
    assert typed(b"r" + arrow + b"q") == ["r", "q"]


def test_a_key_with_alt_is_no_key(typed: Pipe):
    assert typed(b"r\x1bq2") == ["r", "2"]
    assert typed(b"\x1b\x1b") == ["esc"], "pressed twice in a hurry it is Esc"


def test_the_escape_key_is_known_after_a_moment(typed: Pipe):
    assert typed(b"\x1b") == []
    typed.now += 0.1
    assert typed.terminal.pressed() == ["esc"]


def test_the_end_of_the_input_is_said(typed: Pipe):
    assert typed(b"r") == ["r"]
    typed.close()
    assert typed.terminal.pressed() == ["close"]


class TestHold:
    def test_pressed_twice(self):
        hold = Hold(0.0)
        assert not hold.over(2.0)
        hold.press(2.0)
        assert (hold.over(2.1), hold.over(2.2)) == (False, True)

    def test_held(self):
        hold = Hold(0.0)
        for press in range(30):  # half a second, then every 33 ms
            hold.press(0.5 + press / 30)
            assert not hold.over(0.5 + press / 30)
        assert (hold.over(1.7), hold.over(1.8)) == (False, True)


KEYS_PROGRAM = """
import sys, time
from handlore.capture.signals import ending_on_signals
from handlore.capture.terminal import Terminal
with ending_on_signals(), Terminal() as terminal:
    print("ready", flush=True)
    while True:
        for key in terminal.pressed():
            print(f"<{key}>", flush=True)
            if key == "x":
                raise ZeroDivisionError
            if key == "q":
                sys.exit(0)
        time.sleep(0.01)
"""


@pytest.fixture
def tty() -> Iterator[Tty]:
    opened = Tty(command=[sys.executable, "-c", KEYS_PROGRAM])
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (lambda tty: tty.press("q"), 0),
        (lambda tty: tty.press("x"), 1),
        (lambda tty: tty.process.send_signal(signal.SIGTERM), 128 + signal.SIGTERM),
        (lambda tty: tty.process.send_signal(signal.SIGHUP), 128 + signal.SIGHUP),
        (lambda tty: tty.process.send_signal(signal.SIGINT), -signal.SIGINT),
    ],
    ids=["q", "exception", "SIGTERM", "SIGHUP", "Ctrl-C"],
)
def test_the_terminal_is_as_it_was(tty: Tty, end, code: int):
    before = termios.tcgetattr(tty.fd)
    place = tty.wait("ready")
    tty.press("r")
    tty.wait("<r>", place)
    assert termios.tcgetattr(tty.fd)[3] & (termios.ICANON | termios.ECHO) == 0
    end(tty)
    assert tty.end() == code
    assert termios.tcgetattr(tty.fd) == before


SHELL = """
import fcntl, os, select, signal, subprocess, sys, termios
if os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
job = subprocess.Popen([sys.executable, "-c", sys.argv[1]], process_group=0, stdout=subprocess.PIPE)
while not select.select([job.stdout], [], [], 0.05)[0]:
    pid, status = os.waitpid(job.pid, os.WNOHANG | os.WUNTRACED)
    if pid:
        sys.exit("the job was stopped" if os.WIFSTOPPED(status) else "the job has ended")
print("the job runs", flush=True)
input()
job.send_signal(signal.SIGTERM)
_, status = os.waitpid(job.pid, os.WUNTRACED)
if os.WIFSTOPPED(status):
    sys.exit("the job was stopped")
print("the job ended with", os.waitstatus_to_exitcode(status), flush=True)
"""


def test_in_the_background_the_terminal_is_left_alone():
    """``handlore live ... &``: whoever touches the terminal then is stopped by the system."""
    shell = Tty(command=[sys.executable, "-c", SHELL, KEYS_PROGRAM])
    try:
        before = termios.tcgetattr(shell.fd)
        place = shell.wait("the job runs")
        assert termios.tcgetattr(shell.fd) == before
        shell.press("q\n")
        shell.wait("the job ended with 143", place)
        assert shell.end() == 0
    finally:
        shell.close()


def state_of(process) -> str:
    with open(f"/proc/{process.pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0]


@pytest.mark.skipif(sys.platform != "linux", reason="reads the state of a process from /proc")
def test_the_terminal_is_as_it_was_while_the_program_is_stopped(tty: Tty):
    before = termios.tcgetattr(tty.fd)
    tty.wait("ready")
    for _ in range(2):
        tty.process.send_signal(signal.SIGTSTP)
        wait_for(lambda: state_of(tty.process) == "T", "it stops")
        assert termios.tcgetattr(tty.fd) == before
        tty.process.send_signal(signal.SIGCONT)
        wait_for(lambda: termios.tcgetattr(tty.fd) != before, "it goes on")
    place = len(tty.text)
    tty.press("r")
    tty.wait("<r>", place)
    tty.press("q")
    assert tty.end() == 0
