"""A review in a terminal: what is known of a recording, and its hands in dots."""

import io
import re
from dataclasses import replace

import numpy as np
import pytest
from recording_stubs import held, movement
from review_stubs import entry, pressed
from rich.cells import cell_len

from handlore.capture.keys import ScriptedKeys
from handlore.capture.review import Review
from handlore.capture.views import review
from handlore.capture.views.review import ReviewTerminal
from handlore.datasets.dataset import LandmarkDataset

TRIGGER = replace(
    entry(7, "left"),
    recognised="left",
    probability=0.83,
    recognised_at="2026-11-27 14:32:05",
    session="live-1",
)


class Screen(io.TextIOWrapper):
    """A terminal of 80 by 24 characters, in some encoding."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding)

    def lines(self) -> list[str]:
        """What is on the screen now."""
        self.flush()
        text = self.buffer.getvalue().decode(self.encoding)  # type: ignore[attr-defined]
        shown: list[str] = []
        for picture in text.split("\x1b[J")[:-1]:
            up = re.match(r"\x1b\[(\d+)A", picture)
            shown = shown[: len(shown) - int(up[1])] if up else shown
            lines = picture[up.end() if up else 0 :].removesuffix("\n").split("\n")
            shown += [line.removeprefix("\r\x1b[K") for line in lines]
        return shown


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("COLUMNS", "80"), ("LINES", "24"), ("TERM", "xterm")):
        monkeypatch.setenv(name, value)


def state(*keys: str) -> Review:
    return pressed(*keys, state=Review.of([TRIGGER, entry(8, "right")], 0.0))[0]


def shown(
    one: Review, recording: LandmarkDataset | None, now: float = 0.0, encoding: str = "utf-8"
) -> list[str]:
    screen = Screen(encoding)
    ReviewTerminal(ScriptedKeys(), screen).show(one, recording, now)
    return screen.lines()


def test_what_is_known() -> None:
    lines = shown(state(), movement("left"))
    assert lines[0] == "1 of 2   left   recording 7   2.0 s, hand in 100%   live-1 anna"
    assert lines[1] == "recognised as left, 83%, at 2026-11-27 14:32:05"
    assert lines[-3] == "1 left   2 right   0 none"
    assert lines[-2].startswith("n right, next")
    assert "DISCARDED" in shown(Review.of([replace(TRIGGER, discarded=True)], 0.0), None)[0]
    assert shown(state(), None)[1] == "this file can no longer be read"


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_the_hand_moves(encoding: str) -> None:
    recording, places = movement("left", seconds=2.0), []
    for now in (0.0, 0.9, 1.8):
        picture = shown(state(), recording, now, encoding)[2:-3]
        assert 8 <= len(picture) <= 16
        places.append(min(len(line) - len(line.lstrip()) for line in picture if line.strip()))
    assert places[0] > places[1] > places[2], "it goes to the left"


def test_a_pose_looks_as_it_is() -> None:
    """An open hand has fingers beside each other, and a fist has not."""
    open_hand, fist = (shown(state(), held(label))[2:-3] for label in ("palm", "fist"))
    dots = [
        sum(bin(ord(c)).count("1") for c in "".join(one) if c != " ") for one in (open_hand, fist)
    ]
    assert min(dots) > 100
    assert open_hand != fist


def test_one_picture_over_the_other() -> None:
    screen, recording = Screen(), movement("left")
    view = ReviewTerminal(ScriptedKeys(), screen)
    for number, keys in enumerate(("", "h", "n", "+w", "")):
        view.show(state(*keys), recording, number)
    assert screen.lines() == shown(state(), recording, 4)


def test_typing_and_help() -> None:
    assert shown(state("+", "w", "a"), movement("left"))[-1] == "new label: wa_"
    assert shown(state("7"), movement("left"))[-1] == "no label has the key 7"
    lines = shown(state("h"), movement("left"))
    assert "         u  discard" in lines
    assert len(lines) < 24


@pytest.mark.parametrize(("columns", "rows"), [(20, 24), (80, 5), (20, 3)])
def test_what_is_typed_is_seen(monkeypatch: pytest.MonkeyPatch, columns: int, rows: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("LINES", str(rows))
    last = shown(state("+", *"swipe_left_slowly"), movement("left"))[-1]
    assert last.endswith("left_slowly_")
    assert cell_len(last) < columns


@pytest.mark.parametrize(("columns", "rows"), [(20, 24), (80, 8), (10, 3), (300, 100)])
def test_sizes(monkeypatch: pytest.MonkeyPatch, columns: int, rows: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("LINES", str(rows))
    lines = shown(state(), movement("left"))
    assert len(lines) < rows
    assert max(map(cell_len, lines)) < columns


def test_a_narrow_terminal_shows_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    lines = shown(state(), movement("left"))
    assert len(lines) < 24
    assert "…" not in "".join(lines)
    words = " ".join(lines)
    for known in ("recording 7", "hand in 100%", "left, 83%", "0 none", "h help", "q quit", "⣿"):
        assert known in words


def test_the_console_of_linux_has_no_braille(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "linux")
    assert "".join(shown(state(), movement("left"))).isascii()


def test_it_is_not_drawn_too_often(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[float] = []
    monkeypatch.setattr(
        review, "_covered", lambda *given: drawn.append(1) or np.zeros((64, 120), bool)
    )
    view, same = ReviewTerminal(ScriptedKeys(), Screen()), state()
    for tick in range(30):
        view.show(same, movement("left"), tick / 30)
    assert 8 <= len(drawn) <= 13
