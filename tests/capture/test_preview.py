"""What people see and hear."""

import io
import os
import wave

import numpy as np
import pytest

from handlore.capture import display, sound
from handlore.capture.preview import HEIGHT, PANEL, draw_preview
from handlore.capture.session import State
from handlore.capture.skeleton import draw_hand
from handlore.capture.status import Status, line_of
from handlore.capture.statusline import StatusLine
from handlore.landmarks.hands import Hand

COUNTS = (("swipe_left", 12), ("stop", 3), ("none", 0))


def status(**changes) -> Status:
    return Status(**{"state": State.IDLE, "label": "stop", "counts": COUNTS} | changes)


def hand_at(x: float, y: float) -> Hand:
    marks = np.zeros((21, 3), np.float32)
    marks[:, 0] = x + np.linspace(0, 0.05, 21)
    marks[:, 1] = y + np.linspace(0, 0.05, 21)
    return Hand(marks, marks, 0.9)


def grey(width: int = 640, height: int = 480):
    return np.full((height, width, 3), 128, np.uint8)


def colourful(picture) -> list[float]:
    """Return where the colour is, as shares of width and height."""
    inner = picture[70 : HEIGHT - 90, 20 : -PANEL - 20].astype(int)
    rows, columns = np.nonzero(np.ptp(inner, axis=2) > 60)
    width = picture.shape[1] - PANEL
    return [(columns.mean() + 20) / width, (rows.mean() + 70) / HEIGHT]


def test_the_hand_is_drawn_where_it_is():
    drawn = draw_preview(grey(), [hand_at(0.2, 0.3)], status(mirrored=False))
    assert colourful(drawn) == pytest.approx([0.225, 0.325 * 4 / 3], abs=0.02)


def test_a_mirror_shows_it_on_the_other_side():
    drawn = draw_preview(grey(), [hand_at(0.2, 0.3)], status(mirrored=True))
    assert colourful(drawn) == pytest.approx([0.775, 0.325 * 4 / 3], abs=0.02)


def test_the_picture_is_mirrored_with_the_hand_and_the_camera_s_is_not():
    pixels = grey()
    pixels[:, :320] = 250
    before = pixels.copy()
    drawn = draw_preview(pixels, [hand_at(0.5, 0.5)], status(mirrored=True))
    assert drawn[300, 100].mean() < drawn[300, 700].mean()
    assert np.array_equal(pixels, before)


@pytest.mark.parametrize("size", [(640, 480), (1280, 720), (320, 240), (480, 640), (160, 1200)])
def test_any_picture_fits(size: tuple[int, int]):
    drawn = draw_preview(grey(*size), [], status())
    assert drawn.shape[0] == HEIGHT
    assert drawn.shape[1] >= HEIGHT * 3 // 4 + PANEL


STATES = [
    status(state=State.COUNTDOWN, left=1.2, burst_left=3),
    status(state=State.RECORDING, recorded=1.2, length=0.6),
    status(state=State.RECORDING, recorded=1.2, pose=True),
    status(state=State.REVIEW, left=1.0, share=0.9),
    status(state=State.REVIEW, flagged=True, message="no hand in 30 % of the frames"),
    status(typed="wave"),
    status(help=True),
    status(trouble="camera 0 gives black pictures; open its cover, or make light"),
    status(advice="record next: stop (1 recording; others up to 3)"),
    status(message="kept: stop (0003.npz)"),
    status(),
]


def test_every_state_looks_different():
    drawn = [draw_preview(grey(), [], one).tobytes() for one in STATES]
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize("label", ["ünïcödé", "жест", "手", "x" * 64, "مرحبا"])
def test_any_label_can_be_shown(label: str):
    counts = ((label, 10**6), ("none", 0))
    for one in STATES:
        draw_preview(None if one.trouble else grey(), [],
                     Status(**{**vars(one), "label": label, "counts": counts}))  # fmt: skip


def test_many_labels_scroll_to_the_current_one():
    counts = tuple((f"label {k}", k) for k in range(30))
    panels = [
        draw_preview(grey(), [], status(label=f"label {k}", counts=counts))[:, -PANEL:].tobytes()
        for k in range(30)
    ]
    assert len(set(panels)) == 30


def test_a_hand_that_leaves_the_picture_is_drawn_as_far_as_it_is_there():
    pixels = grey()
    draw_hand(pixels, hand_at(0.98, 0.7).image * 40)
    draw_hand(pixels, np.full((21, 3), np.nan, np.float32))


def test_the_line_of_a_terminal():
    line = line_of(status(fps=29.7, hand=True, share=0.95))
    assert (
        line
        == "[ready: stop]  swipe_left 12 stop 3 none 0  30 fps  hand  last: hand in 95 %  h help"
    )
    assert "k keep, u discard" in line_of(status(state=State.REVIEW, flagged=True))
    assert line_of(status(trouble="it is gone")).startswith("NO CAMERA  it is gone")
    assert "new label: wav_" in line_of(status(typed="wav"))


class Screen(io.StringIO):
    def __init__(self, tty: bool) -> None:
        super().__init__()
        self.tty = tty

    def isatty(self) -> bool:
        return self.tty


def test_a_terminal_has_one_line_that_changes_and_lines_that_stay(monkeypatch):
    monkeypatch.setattr(os, "get_terminal_size", lambda *_: os.terminal_size((40, 20)))
    monkeypatch.delenv("COLUMNS", raising=False)
    screen = Screen(tty=True)
    line = StatusLine(screen)
    line.show(None, [], status())
    line.show(None, [], status())
    line.say("kept: stop")
    line.cue("go")
    written = screen.getvalue().split("\r\x1b[K")
    assert written[1] == written[2].partition("\n")[2].rstrip("\a"), "it stands below what was said"
    assert len(written) == 3, "the same line is not written twice"
    assert len(written[1]) == 39
    assert screen.getvalue().endswith("\a")


def test_into_a_file_only_what_stays_is_written():
    screen = Screen(tty=False)
    line = StatusLine(screen)
    line.show(None, [], status())
    line.cue("go")
    line.say("kept: stop")
    line.close()
    assert screen.getvalue() == "kept: stop\n"


def test_quiet_rings_no_bell():
    screen = Screen(tty=True)
    StatusLine(screen, quiet=True).cue("go")
    assert screen.getvalue() == ""


@pytest.mark.parametrize("cue", sound.TONES)
def test_tones_are_short_and_begin_and_end_softly(cue: str):
    with wave.open(io.BytesIO(sound.tone(cue))) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        assert file.getnframes() / file.getframerate() < 0.5
    assert abs(int(samples[0])) < 200
    assert abs(int(samples[-1])) < 200
    assert np.abs(samples).max() > 5000


class TestDisplay:
    def test_without_one(self, monkeypatch):
        monkeypatch.setattr(display.sys, "platform", "linux")
        assert "there is no display" in display.why_no_window({"PATH": ""})

    def test_an_opencv_without_windows(self, monkeypatch):
        info = "  GUI:                           NONE\n  GTK+:  NO\n"
        monkeypatch.setattr("cv2.getBuildInformation", lambda: info)
        said = display.why_no_window({"DISPLAY": ":0"})
        assert "pip uninstall -y opencv-python-headless" in said

    def test_one_that_is_named_but_not_there(self):
        said = display.why_no_window({**os.environ, "DISPLAY": ":4711"})
        assert "the display :4711 cannot be opened" in said
