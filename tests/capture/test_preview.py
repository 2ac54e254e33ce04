"""What people see and hear."""

import dataclasses
import io
import os
import wave

import cv2
import numpy as np
import pytest

from handlore.capture import window
from handlore.capture.recording import sound
from handlore.capture.recording.session import State
from handlore.capture.views.record import HEIGHT, PANEL, draw_preview
from handlore.capture.views.status import Status, StatusLine, columns_of, line_of
from handlore.landmarks.drawing import draw_hand, draw_text, wrap_text
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
    status(state=State.REVIEW, flagged=True, question="no hand in 30 % of the frames"),
    status(state=State.REVIEW, flagged=True, trouble="it was unplugged"),
    status(state=State.RECORDING, next_label="swipe_left"),
    status(unsaved=3),
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


@pytest.mark.parametrize("shown", STATES)
def test_a_message_is_seen_whatever_else_is_shown(shown: Status):
    pixels = None if shown.trouble else grey()
    silent = draw_preview(pixels, [], dataclasses.replace(shown, message=""))
    said = draw_preview(pixels, [], dataclasses.replace(shown, message="No space left on device"))
    upper = slice(6, 60)
    assert not np.array_equal(silent[upper, :-PANEL], said[upper, :-PANEL])


def test_the_question_stays_to_be_seen_without_a_camera():
    def panel_and_banner(**changes):
        drawn = draw_preview(None, [], status(trouble="it was unplugged", fps=29.0, **changes))
        return drawn[-160:].tobytes()

    asked = panel_and_banner(state=State.REVIEW, flagged=True, question="the camera was lost")
    assert asked != panel_and_banner()


@pytest.mark.parametrize("label", ["ünïcödé", "жест", "手", "x" * 64, "مرحبا"])
def test_any_label_can_be_shown(label: str):
    counts = ((label, 10**6), ("none", 0))
    for one in STATES:
        draw_preview(None if one.trouble else grey(), [],
                     Status(**{**vars(one), "label": label, "counts": counts}))  # fmt: skip


@pytest.mark.skipif(not hasattr(cv2, "FontFace"), reason="only OpenCV 5 brings such a font")
def test_signs_of_other_scripts_are_told_apart():
    def written(text: str) -> bytes:
        picture = np.zeros((40, 200, 3), np.uint8)
        assert 20 < draw_text(picture, text, (5, 20), 20, (255, 255, 255), width=190) < 190
        assert picture.any()
        return picture.tobytes()

    if written("手手") == written("足足"):
        pytest.skip("this OpenCV has no font with these signs")
    assert wrap_text("手を 左に 振る", 20, 50) == ["手を", "左に", "振る"]


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
        == "[ready: stop]  hand  30 fps  last: hand in 95 %  swipe_left 12 stop 3 none 0  h help"
    )
    assert "k keep, u discard" in line_of(status(state=State.REVIEW, flagged=True))
    assert line_of(status(trouble="it is gone")).startswith("NO CAMERA  it is gone")
    assert "new label: wav_" in line_of(status(typed="wav"))


def test_without_a_camera_the_line_still_asks():
    line = line_of(status(state=State.REVIEW, flagged=True, trouble="it was unplugged"))
    assert "stop: k keep, u discard" in line
    assert "NO CAMERA  it was unplugged" in line


def test_what_is_not_written_and_what_is_next_stand_in_the_line():
    recording = status(state=State.RECORDING, recorded=1.0, unsaved=2, next_label="swipe_left")
    line = line_of(recording, 79)
    assert "2 NOT WRITTEN" in line
    assert "next: swipe_left" in line


@pytest.mark.parametrize("n", [3, 8, 40])
def test_where_there_is_little_room_the_counts_are_cut_first(n: int):
    counts = tuple((f"a_long_label_{k}", 100 + k) for k in range(n))
    line = line_of(status(counts=counts, label=counts[1][0], fps=30, share=0.95), 79)
    assert "no hand  30 fps  last: hand in 95 %  a" in line
    assert columns_of(line) <= 79


@pytest.mark.parametrize(
    ("text", "columns"), [("wave", 4), ("手を振る", 8), ("i\u0308", 1), ("ｶ", 1), ("", 0)]
)
def test_columns_of_a_text(text: str, columns: int):
    assert columns_of(text) == columns


def test_a_wide_label_stays_in_its_line():
    labels = ("手を左に振る", "手を右に振る", "ノック", "none")
    shown = status(label=labels[0], counts=tuple((label, 12) for label in labels), fps=30)
    for columns in range(1, 120):
        assert columns_of(line_of(shown, columns)) <= columns


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
    assert len(written[1]) <= 39
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
        monkeypatch.setattr(window.sys, "platform", "linux")
        assert "there is no display" in window.why_no_window({"PATH": ""})

    def test_an_opencv_without_windows(self, monkeypatch):
        info = "  GUI:                           NONE\n  GTK+:  NO\n"
        monkeypatch.setattr("cv2.getBuildInformation", lambda: info)
        said = window.why_no_window({"DISPLAY": ":0"})
        assert "pip uninstall -y opencv-python-headless" in said

    def test_one_that_is_named_but_not_there(self):
        said = window.why_no_window({**os.environ, "DISPLAY": ":4711"})
        assert "the display :4711 cannot be opened" in said
