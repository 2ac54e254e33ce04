"""What a review shows: a recording played as a drawn hand, and beside it what is known of it."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.recordings import RecordingEntry, RecordingFolder, load_recording
from handlore.landmarks.drawing import (
    BLACK,
    GREY,
    GROUND,
    ORANGE,
    PALM,
    RAISED,
    RED,
    TEAL,
    WHITE,
    Points,
    color_at,
    draw_outline,
    draw_path,
    draw_text,
    fitted,
    rounded,
    shade,
    wrap_text,
)
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.hands import Pixels

from ..keys import Keys
from ..review import HELP, Change, Review
from ..window import typing_hint

WIDTH, HEIGHT, PANEL = 760, 600, 300
MARGIN, ROW, MOST_ROWS = 20, 34, 8


LITTLE_HAND = 0.8
MOST_POINTS = 300


def draw_review(state: Review, recording: LandmarkDataset | None, now: float) -> Pixels:
    """Draw the window.

    Parameters
    ----------
    state
        Where the person is.
    recording
        What is shown; None if it cannot be read.
    now
        The time, by the clock of the state.

    Returns
    -------
    (:data:`HEIGHT`, :data:`WIDTH` + :data:`PANEL`, 3) RGB.
    """
    scene = np.full((HEIGHT, WIDTH, 3), GROUND, np.uint8)
    if recording is None:
        _middle(scene, "this file cannot be read any more")
    elif not recording.detected.any():
        _middle(scene, "no hand in this recording")
    else:
        _play(scene, recording, _frame_at(recording, state, now))
    _banner(scene, state, now)
    if state.entry.discarded:
        cv2.rectangle(scene, (0, 0), (WIDTH - 1, HEIGHT - 1), RED, 8)
    if state.typed is not None:
        _typing(scene, state.typed)
    elif state.help:
        _help(scene)
    return np.hstack([scene, _panel(state)])


def _frame_at(recording: LandmarkDataset, state: Review, now: float) -> int:
    """Return which frame is to be seen; those of a pose follow each other evenly."""
    seconds = state.seconds(now)
    if recording.header.kind == "pose":
        share = seconds / state.entry.seconds if state.entry.seconds > 0 else 1.0
        return round(share * (recording.n_frames - 1))
    moment = recording.time[0] + seconds + 1e-9
    return max(0, int(np.searchsorted(recording.time, moment, side="right")) - 1)


def _play(scene: Pixels, recording: LandmarkDataset, frame: int) -> None:
    """Draw the hands at a frame, and the way they have come."""
    points = fitted(recording.image[..., :2], WIDTH, HEIGHT - 70, 40.0)
    for slot in range(recording.n_hands):
        seen = np.flatnonzero(recording.detected[:, slot])
        way = seen[seen <= frame]
        if recording.header.kind == "sequence" and len(way):
            _trace(scene, points[:, slot], way, recording.n_frames)
        if recording.detected[frame, slot]:
            color = color_at(frame / max(recording.n_frames - 1, 1), dark=True)
            draw_outline(scene, points[frame, slot], color, BLACK, 4)


def _trace(scene: Pixels, hand: Points, way: np.ndarray, n_frames: int) -> None:
    """Draw the ways of the wrist and of the palm up to now."""
    way = way[-MOST_POINTS:]
    share = way / max(n_frames - 1, 1)
    draw_path(scene, hand[way, 0], share, way, 2, dark=True)
    draw_path(scene, hand[way][:, PALM].mean(axis=1), share, way, 5, dark=True)


def _banner(scene: Pixels, state: Review, now: float) -> None:
    """Write along the lower edge what is shown and what was done, with a bar for the time."""
    entry, middle = state.entry, HEIGHT - 36
    shade(scene, (0, HEIGHT - 66), (WIDTH, HEIGHT), BLACK, 0.62)
    share = state.seconds(now) / entry.seconds if entry.seconds > 0 else 1.0
    cv2.rectangle(scene, (0, HEIGHT - 70), (round(WIDTH * share), HEIGHT - 66), TEAL, -1)
    x = MARGIN + draw_text(scene, entry.label, (MARGIN, middle), 26, WHITE, bold=True,
                       width=WIDTH // 2) + 18  # fmt: skip
    words = state.message or ("discarded: k brings it back" if entry.discarded else "")
    draw_text(
        scene, words, (x, middle), 18, RED if entry.discarded else TEAL, width=WIDTH - x - MARGIN
    )


def _middle(scene: Pixels, words: str) -> None:
    draw_text(scene, words, (WIDTH // 2, HEIGHT // 2 - 35), 22, ORANGE, anchor="middle")


def _typing(scene: Pixels, typed: str) -> None:
    shade(scene, (0, 0), (WIDTH, HEIGHT), BLACK, 0.55)
    x, y = WIDTH // 2, HEIGHT // 2
    draw_text(scene, "new label", (x, y - 62), 20, GREY, anchor="middle")
    rounded(scene, (x - 260, y - 32), (x + 260, y + 32), WHITE, 10)
    draw_text(scene, f"{typed}|", (x, y), 28, GROUND, bold=True, anchor="middle", width=500)
    draw_text(scene, "Enter gives it, Esc does not", (x, y + 62), 18, WHITE, anchor="middle")
    draw_text(scene, typing_hint(), (x, y + 90), 15, GREY, anchor="middle")


def _help(scene: Pixels) -> None:
    shade(scene, (0, 0), (WIDTH, HEIGHT), BLACK, 0.75)
    y = HEIGHT // 2 - 20 * len(HELP)
    for keys, what in HELP:
        draw_text(scene, keys, (WIDTH // 2 - 90, y), 21, TEAL, bold=True, anchor="right")
        draw_text(scene, what, (WIDTH // 2 - 66, y), 21, WHITE)
        y += 40


@lru_cache(4)
def _panel(state: Review) -> Pixels:
    """Paint what is known of a recording, and the labels with their keys."""
    entry = state.entry
    panel = np.full((HEIGHT, PANEL, 3), GROUND, np.uint8)
    rounded(panel, (MARGIN, 22), (PANEL - MARGIN, 60), RED if entry.discarded else TEAL, 9)
    place = f"{state.at + 1} of {len(state.entries)}"
    draw_text(panel, place, (PANEL // 2, 41), 20, GROUND, bold=True, anchor="middle")
    y = _facts(panel, state, 92)
    _labels(panel, state, y + 16)
    cv2.line(panel, (MARGIN, HEIGHT - 54), (PANEL - MARGIN, HEIGHT - 54), RAISED, 2)
    draw_text(panel, "n next   u discard   h help", (PANEL // 2, HEIGHT - 30), 15, GREY,
          anchor="middle")  # fmt: skip
    return panel


def _facts(panel: Pixels, state: Review, y: int) -> int:
    entry = state.entry
    little = entry.share_with_hand < LITTLE_HAND
    for name, value, color in (
        ("recording", str(entry.number), WHITE),
        ("seconds", f"{entry.seconds:.2f}", WHITE),
        ("frames", str(entry.n_frames), WHITE),
        ("with a hand", f"{entry.share_with_hand:.0%}", ORANGE if little else WHITE),
        ("subject", entry.subject, WHITE),
        ("session", entry.session, WHITE),
        ("camera", entry.camera, WHITE),
    ):
        draw_text(panel, name, (MARGIN, y), 15, GREY)
        for line in wrap_text(value, 15, PANEL - 2 * MARGIN - 100)[:1]:
            draw_text(panel, line, (PANEL - MARGIN, y), 15, color, bold=True, anchor="right",
                  width=PANEL - 2 * MARGIN - 96)  # fmt: skip
        y += 25
    return y


def _labels(panel: Pixels, state: Review, y: int) -> None:
    """List the labels, around that of the recording if there are many."""
    names, label = state.labels, state.entry.label
    here = names.index(label)
    first = min(max(0, here - MOST_ROWS // 2), max(0, len(names) - MOST_ROWS))
    for place in range(first, min(first + MOST_ROWS, len(names))):
        chosen = place == here
        if chosen:
            rounded(panel, (MARGIN - 8, y - 15), (PANEL - MARGIN + 8, y + 15), RAISED, 8)
        key = "0" if place == len(names) - 1 else str(place + 1) if place < 9 else ""
        draw_text(panel, key, (MARGIN + 8, y), 15, GREY, anchor="middle")
        draw_text(panel, names[place], (MARGIN + 30, y), 18, WHITE if chosen else GREY, bold=chosen,
              width=PANEL - 3 * MARGIN - 30)  # fmt: skip
        y += ROW


# The loop around a review: keys, disk and picture, and no decisions.


STEP = 1 / 30


class Face(Keys, Protocol):
    """Shows pictures, and takes keys."""

    def picture(self, pixels: Pixels) -> None:
        """Show a picture (height, width, 3) RGB."""
        ...


def review_recordings(
    recordings: RecordingFolder,
    face: Face,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> Review:
    """Step through a folder until the person ends it; return where they were.

    Raises
    ------
    HandloreError
        If there is nothing to step through.
    """
    state = replace(Review.of(_everything(recordings), clock()), message=_damaged(recordings))
    while not state.ended:
        for key in face.pressed():
            state, change = state.key(key, clock())
            if change:
                state = _made(recordings, state, change)
        if state.ended:
            break
        face.picture(draw_review(state, read(recordings.root, state.entry), clock()))
        wait(STEP)
    return state


def _made(recordings: RecordingFolder, state: Review, change: Change) -> Review:
    """Make a change on the disk; what goes wrong is a message."""
    try:
        path = _make(recordings, change)
    except HandloreError as error:
        return replace(state, message=str(error))
    said = {"discard": "discarded", "restore": "brought back", "relabel": f"now {change.label}"}
    changed = state.changed(_everything(recordings), path)
    return replace(changed, message=said[change.what])


def _make(recordings: RecordingFolder, change: Change) -> Path:
    if change.what == "discard":
        return recordings.discard(change.path)
    if change.what == "restore":
        return recordings.restore(change.path)
    return recordings.relabel(change.path, change.label)


def _damaged(recordings: RecordingFolder) -> str:
    """Say which files are not shown because they cannot be read."""
    names = [name for name, _ in recordings.failures()]
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"cannot be read: {names[0]}{more}" if names else ""


def _everything(recordings: RecordingFolder) -> list[RecordingEntry]:
    return [*recordings.entries(), *recordings.entries(discarded=True)]


@lru_cache(maxsize=4)
def read(root: Path, entry: RecordingEntry) -> LandmarkDataset | None:
    """Read a recording; None if it has become unreadable."""
    try:
        return load_recording(root, entry.path)
    except HandloreError:
        return None
