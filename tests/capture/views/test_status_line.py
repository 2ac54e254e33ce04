"""A session in one line of a terminal."""

import io
import os

import pytest
from rich.cells import cell_len

from handlore.capture.recording.loop import Status
from handlore.capture.recording.session import State
from handlore.capture.views.status_line import StatusLine, _line_of, terminal_size

COUNTS = (("swipe_left", 12), ("stop", 3), ("none", 0))


def status(**changes) -> Status:
    return Status(**{"state": State.IDLE, "label": "stop", "counts": COUNTS} | changes)


def test_line():
    line = _line_of(status(fps=29.7, hand=True, share=0.95))
    assert (
        line
        == "[ready: stop]  hand  30 fps  last: hand in 95 %  swipe_left 12 stop 3 none 0  h help"
    )
    assert "k keep, u discard" in _line_of(status(state=State.REVIEW, flagged=True))
    assert _line_of(status(problem="it is gone")).startswith("NO CAMERA  it is gone")
    assert "new label: wav_" in _line_of(status(typed="wav"))


@pytest.mark.parametrize("typed", ["swipe_left_slowly", "手を左に振る", "w" * 300, ""])
def test_what_is_typed_is_seen(typed: str):
    """A new letter appears, however narrow the terminal is."""
    for columns in (19, 30, 79):
        line = _line_of(status(typed=typed), columns)
        assert cell_len(line) <= columns
        assert f"{typed[-4:]}_" in line


def test_question_without_a_camera():
    line = _line_of(status(state=State.REVIEW, flagged=True, problem="it was unplugged"))
    assert "stop: k keep, u discard" in line
    assert "NO CAMERA  it was unplugged" in line


def test_unsaved_and_next():
    recording = status(state=State.RECORDING, recorded=1.0, unsaved=2, next_label="swipe_left")
    line = _line_of(recording, 79)
    assert "2 NOT WRITTEN" in line
    assert "next: swipe_left" in line


@pytest.mark.parametrize("n", [3, 8, 40])
def test_narrow_terminal(n: int):
    counts = tuple((f"a_long_label_{k}", 100 + k) for k in range(n))
    line = _line_of(status(counts=counts, label=counts[1][0], fps=30, share=0.95), 79)
    assert "no hand  30 fps  last: hand in 95 %  a" in line
    assert cell_len(line) <= 79


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"hand": True}, "[ready: sw…]  hand"),
        ({"state": State.COUNTDOWN, "left": 1.2}, "[sw… in 1.2 s]"),
        ({"state": State.REVIEW, "flagged": True}, "[sw…: k keep, u di…"),
    ],
)
def test_very_narrow_terminal(changes: dict[str, object], line: str):
    """The label is cut before what it is about, and nothing is shown by halves behind it."""
    assert _line_of(status(label="swipe_left", fps=30, **changes), 19) == line


@pytest.mark.parametrize(
    ("text", "columns"), [("wave", 4), ("手を振る", 8), ("i\u0308", 1), ("ｶ", 1), ("", 0)]
)
def test_columns_of_a_text(text: str, columns: int):
    assert cell_len(text) == columns


def test_wide_label():
    labels = ("手を左に振る", "手を右に振る", "ノック", "none")
    shown = status(label=labels[0], counts=tuple((label, 12) for label in labels), fps=30)
    for columns in range(1, 120):
        assert cell_len(_line_of(shown, columns)) <= columns


@pytest.fixture
def terminal_streams():
    """Yield a terminal of 0 columns to write to, and what reads what was written."""
    pty = pytest.importorskip("pty", reason="needs a Unix terminal")
    reader, writer = pty.openpty()
    with open(writer, "w") as screen:
        yield screen, lambda: os.read(reader, 4096).decode()
    os.close(reader)


class Screen(io.StringIO):
    def __init__(self, tty: bool) -> None:
        super().__init__()
        self.tty = tty

    def isatty(self) -> bool:
        return self.tty


def test_terminal(monkeypatch):
    monkeypatch.setattr(os, "get_terminal_size", lambda *_: os.terminal_size((40, 20)))
    monkeypatch.delenv("COLUMNS", raising=False)
    screen = Screen(tty=True)
    line = StatusLine(screen)
    line.show(None, [], status())
    line.show(None, [], status())
    line.say("kept: stop")
    line.show(None, [], status())
    line.cue("go")
    written = screen.getvalue().split("\r\x1b[K")
    assert written[2] == "kept: stop\n"
    assert written[1] == written[3].rstrip("\a"), "it stands below what was said"
    assert len(written) == 4, "the same line is not written twice"
    assert len(written[1]) <= 39
    assert screen.getvalue().endswith("\a")


def test_a_prompt_that_is_closed_is_not_written_again():
    screen = Screen(tty=True)
    line = StatusLine(screen)
    line.show(None, [], status(typed="a/b"))
    line.say("a/b is no label")
    line.show(None, [], status())
    assert "new label" not in screen.getvalue().partition("a/b is no label")[2]
    assert "ready: stop" in screen.getvalue().rpartition("\r")[2]


def test_file():
    screen = Screen(tty=False)
    line = StatusLine(screen)
    line.show(None, [], status())
    line.cue("go")
    line.say("kept: stop")
    line.close()
    assert screen.getvalue() == "kept: stop\n"


def test_quiet():
    screen = Screen(tty=True)
    StatusLine(screen, quiet=True).cue("go")
    assert screen.getvalue() == ""


def test_the_size_is_that_of_the_terminal_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where stdout is a file, the terminal of stderr counts."""

    def size(descriptor: int) -> os.terminal_size:
        if descriptor != 77:
            raise OSError
        return os.terminal_size((40, 20))

    class Stream(io.StringIO):
        def fileno(self) -> int:
            return 77

    monkeypatch.setattr(os, "get_terminal_size", size)
    assert terminal_size(Stream()) == (40, 20)
    assert terminal_size(io.StringIO()).columns > 0


def test_a_terminal_that_does_not_know_its_size(terminal_streams):
    """A serial console, or a terminal that a program opened, has 0 columns and 0 rows."""
    screen, read = terminal_streams
    columns, rows = terminal_size(screen)
    assert columns >= 20
    assert rows >= 10
    StatusLine(screen).show(None, [], status(label="stop"))
    assert "ready: stop" in read()
