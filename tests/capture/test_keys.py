"""Names of keys, from characters of terminals and clicks in windows."""

import os
import signal
import sys
import termios
from collections.abc import Iterator, Sequence

import pytest
from capture_desk import Tty, wait_for

from handlore.capture.keys import (
    CLEANUP_SECONDS,
    _Terminal,
    choosing,
    chosen_label,
    ending_on_signals,
    key_of_character,
)


def test_characters_of_terminals():
    assert [key_of_character(c) for c in "r\r\n\x7f\x1bß\x01"] == [
        "r",
        "enter",
        "enter",
        "backspace",
        "esc",
        "ß",
        None,
    ]


def test_clicks() -> None:
    assert chosen_label(choosing("swipe left")) == "swipe left"
    assert [chosen_label(key) for key in ("c", "enter", "close", " ")] == [None] * 4


class Pipe:
    """A terminal whose other end a test writes to."""

    def __init__(self) -> None:
        self.now = 0.0
        read, self._write = os.pipe()
        self.terminal = _Terminal(read, clock=lambda: self.now)

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


def test_split_utf8(typed: Pipe):
    assert typed("ü".encode()[:1]) == []
    assert typed("ü".encode()[1:]) == ["ü"]


@pytest.mark.parametrize("arrow", [b"\x1b[A", b"\x1bOP", b"\x1b[3~", b"\x1b[1;5C"])
def test_arrow_keys(typed: Pipe, arrow: bytes):
    assert typed(b"r" + arrow + b"q") == ["r", "q"]


def test_alt(typed: Pipe):
    assert typed(b"r\x1bq2") == ["r", "2"]
    assert typed(b"\x1b\x1b") == ["esc"], "pressed twice in a hurry it is Esc"


def test_escape_key(typed: Pipe):
    assert typed(b"\x1b") == []
    typed.now += 0.1
    assert typed.terminal.pressed() == ["esc"]


def test_end_of_input(typed: Pipe):
    assert typed(b"r") == ["r"]
    typed.close()
    assert typed.terminal.pressed() == ["close"]


KEYS_PROGRAM = """
import sys, time
from handlore.capture.keys import ending_on_signals
from handlore.capture.keys import _Terminal
with ending_on_signals(), _Terminal() as terminal:
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
def test_terminal_is_restored(tty: Tty, end, code: int):
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


def test_background_process():
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
def test_stopped_process(tty: Tty):
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


TERM, INT = signal.SIGTERM, signal.SIGINT


def session(
    first: signal.Signals,
    then: Sequence[signal.Signals],
    put_away: list[str],
    *,
    later: float = 0.0,
) -> None:
    """End by one signal; while all is put away, others come so many seconds later."""
    now = [0.0]
    with ending_on_signals(lambda: now[0]):
        try:
            signal.raise_signal(first)
        finally:
            now[0] = later
            for again in then:
                signal.raise_signal(again)
            put_away.append("all")


@pytest.mark.parametrize(("first", "error"), [(TERM, SystemExit), (INT, KeyboardInterrupt)])
def test_second_signal_is_ignored(first: signal.Signals, error: type[BaseException]) -> None:
    before = [signal.getsignal(one) for one in (TERM, INT)]
    put_away: list[str] = []
    with pytest.raises(error) as ended:
        session(first, (INT, TERM, INT), put_away)
    assert put_away == ["all"]
    assert ended.value.args in ((143,), ())
    assert [signal.getsignal(one) for one in (TERM, INT)] == before


def test_signal_after_a_long_cleanup() -> None:
    put_away: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        session(TERM, (INT,), put_away, later=CLEANUP_SECONDS)
    assert put_away == []


def test_ignored_sigint() -> None:
    before = signal.signal(INT, signal.SIG_IGN)
    try:
        with ending_on_signals():
            signal.raise_signal(INT)
    finally:
        signal.signal(INT, before)
