"""The window of a session."""

import dataclasses
import sys
from contextlib import closing

import numpy as np
import pygame
import pytest

from handlore.capture.recording.loop import Status
from handlore.capture.recording.session import State
from handlore.capture.views import record
from handlore.capture.views.painting import HEIGHT, PANEL
from handlore.capture.views.record import SessionWindow, _draw_session
from handlore.landmarks.hands import Hand

COUNTS = (("swipe_left", 12), ("stop", 3), ("none", 0))


def status(**changes) -> Status:
    return Status(**{"state": State.IDLE, "label": "stop", "counts": COUNTS} | changes)


def draw(pixels, hands, shown: Status) -> np.ndarray:
    return _draw_session(pixels, hands, shown).pixels


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


def test_hand():
    drawn = draw(grey(), [hand_at(0.2, 0.3)], status(mirrored=False))
    assert colourful(drawn) == pytest.approx([0.225, 0.325 * 4 / 3], abs=0.02)


def test_mirrored_hand():
    drawn = draw(grey(), [hand_at(0.2, 0.3)], status(mirrored=True))
    assert colourful(drawn) == pytest.approx([0.775, 0.325 * 4 / 3], abs=0.02)


def test_mirrored_picture():
    pixels = grey()
    pixels[:, :320] = 250
    before = pixels.copy()
    drawn = draw(pixels, [hand_at(0.5, 0.5)], status(mirrored=True))
    assert drawn[300, 100].mean() < drawn[300, 700].mean()
    assert np.array_equal(pixels, before)


@pytest.mark.parametrize("size", [(640, 480), (1280, 720), (320, 240), (480, 640), (160, 1200)])
def test_picture_sizes(size: tuple[int, int]):
    drawn = draw(grey(*size), [], status())
    assert drawn.shape[0] == HEIGHT
    assert drawn.shape[1] >= HEIGHT * 3 // 4 + PANEL
    assert drawn.flags.c_contiguous


STATES = [
    status(state=State.COUNTDOWN, left=1.2, burst_left=3),
    status(state=State.RECORDING, recorded=1.2, progress=0.6),
    status(state=State.RECORDING, recorded=1.2, pose=True),
    status(state=State.REVIEW, left=1.0, share=0.9),
    status(state=State.REVIEW, flagged=True, question="no hand in 30 % of the frames"),
    status(state=State.REVIEW, flagged=True, problem="it was unplugged"),
    status(state=State.RECORDING, next_label="swipe_left"),
    status(unsaved=3),
    status(typed="wave"),
    status(help=True),
    status(problem="camera 0 gives black pictures; open its cover, or switch on a light"),
    status(advice="record next: stop (1 recording; others up to 3)"),
    status(message="kept: stop (0003.npz)"),
    status(),
]


def test_states():
    drawn = [draw(grey(), [], one).tobytes() for one in STATES]
    assert len(set(drawn)) == len(drawn)


def test_what_is_typed_is_seen():
    """Of a long label too, the last letter."""
    few, more = ("wave_" * 20 + letters for letters in ("i", "im"))
    assert draw(grey(), [], status(typed=few)).tobytes() != (
        draw(grey(), [], status(typed=more)).tobytes()
    )


@pytest.mark.parametrize("shown", STATES)
def test_message(shown: Status):
    pixels = None if shown.problem else grey()
    silent = draw(pixels, [], dataclasses.replace(shown, message=""))
    said = draw(pixels, [], dataclasses.replace(shown, message="No space left on device"))
    upper = slice(6, 60)
    assert not np.array_equal(silent[upper, :-PANEL], said[upper, :-PANEL])


def test_question_without_a_camera():
    def panel_and_banner(**changes):
        drawn = draw(None, [], status(problem="it was unplugged", fps=29.0, **changes))
        return drawn[-160:].tobytes()

    asked = panel_and_banner(state=State.REVIEW, flagged=True, question="the camera was lost")
    assert asked != panel_and_banner()


@pytest.mark.parametrize("label", ["ünïcödé", "жест", "手", "x" * 64, "مرحبا"])
def test_any_label_can_be_shown(label: str):
    counts = ((label, 10**6), ("none", 0))
    for one in STATES:
        draw(
            None if one.problem else grey(),
            [],
            Status(**{**vars(one), "label": label, "counts": counts}),
        )


def test_many_labels():
    counts = tuple((f"label {k}", k) for k in range(30))
    panels = [
        draw(grey(), [], status(label=f"label {k}", counts=counts))[:, -PANEL:].tobytes()
        for k in range(30)
    ]
    assert len(set(panels)) == 30


@pytest.mark.parametrize("cue", record._TONES)
def test_tones(cue: str):
    samples = record._samples(cue)
    assert len(samples) / record._RATE < 0.5
    assert abs(int(samples[0])) < 200
    assert abs(int(samples[-1])) < 200
    assert np.abs(samples).max() > 5000


@pytest.mark.parametrize(
    ("driver", "quiet", "rings"), [("dummy", False, 0), ("none", False, 1), ("none", True, 0)]
)
def test_a_cue_is_a_tone_or_else_the_bell(driver, quiet, rings, monkeypatch, capsys):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setenv("SDL_AUDIODRIVER", driver)
    with closing(SessionWindow(quiet=quiet)) as window:
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        window.cue("count")
        plays = pygame.mixer.get_init() is not None and pygame.mixer.get_busy()
    assert plays == (driver == "dummy")
    assert capsys.readouterr().err.count("\a") == rings
    assert pygame.mixer.get_init() is None
