"""A review in a window: a recording played as a drawn hand, and beside it what is known of it."""

from functools import lru_cache

import cv2
import numpy as np

from handlore.datasets.dataset import LandmarkDataset
from handlore.landmarks.drawing import (
    BLACK,
    GROUND,
    ORANGE,
    PALM,
    RED,
    TEAL,
    WHITE,
    Points,
    color_at,
    draw_outline,
    draw_path,
    draw_text,
    fitted,
    shade,
)
from handlore.landmarks.hands import Pixels

from ..review import KEY_BINDINGS, Review
from ..window import Screen
from .painting import (
    HEIGHT,
    MARGIN,
    new_panel,
    paint_centered,
    paint_labels,
    paint_typing_or_help,
    paint_value,
)

TITLE = "handlore review"
WIDTH = 760
"""Of the picture, in pixels."""
_FEW_HANDS = 0.8
"""A smaller share of frames with a hand is marked."""
MOST_POINTS = 300


def _draw_review(state: Review, recording: LandmarkDataset | None, now: float) -> Pixels:
    """Draw the window, (:data:`~.painting.HEIGHT`, width, 3) RGB, at a time of the state's clock.

    The recording is None if it cannot be read.
    """
    picture = np.full((HEIGHT, WIDTH, 3), GROUND, np.uint8)
    if recording is None:
        paint_centered(picture, "this file can no longer be read", HEIGHT // 2 - 35, 22, ORANGE)
    elif not recording.detected.any():
        paint_centered(picture, "no hand in this recording", HEIGHT // 2 - 35, 22, ORANGE)
    else:
        _play(picture, recording, _frame_at(recording, state, now))
    _banner(picture, state, now)
    if state.entry.discarded:
        cv2.rectangle(picture, (0, 0), (WIDTH - 1, HEIGHT - 1), RED, 8)
    paint_typing_or_help(picture, state.typed, KEY_BINDINGS, show_help=state.help)
    return np.hstack([picture, _panel(state)])


def _frame_at(recording: LandmarkDataset, state: Review, now: float) -> int:
    """Return the number of the frame to show; those of a pose are spread evenly."""
    seconds = state.seconds(now)
    if recording.header.kind == "pose":
        share = seconds / state.entry.seconds if state.entry.seconds > 0 else 1.0
        return round(share * (recording.n_frames - 1))
    time = recording.time[0] + seconds + 1e-9
    return max(0, int(np.searchsorted(recording.time, time, side="right")) - 1)


def _play(picture: Pixels, recording: LandmarkDataset, frame: int) -> None:
    """Draw the hands of a frame, and their paths up to it."""
    points = fitted(recording.image[..., :2], WIDTH, HEIGHT - 70, 40.0)
    for slot in range(recording.n_hands):
        seen = np.flatnonzero(recording.detected[:, slot])
        frames = seen[seen <= frame]
        if recording.header.kind == "sequence" and len(frames):
            _paths(picture, points[:, slot], frames, recording.n_frames)
        if recording.detected[frame, slot]:
            color = color_at(frame / max(recording.n_frames - 1, 1), dark=True)
            draw_outline(picture, points[frame, slot], color, BLACK, 4)


def _paths(picture: Pixels, hand: Points, frames: np.ndarray, n_frames: int) -> None:
    frames = frames[-MOST_POINTS:]
    share = frames / max(n_frames - 1, 1)
    draw_path(picture, hand[frames, 0], share, frames, 2, dark=True)
    draw_path(picture, hand[frames][:, PALM].mean(axis=1), share, frames, 5, dark=True)


def _banner(picture: Pixels, state: Review, now: float) -> None:
    """Write the label and the last message along the lower edge, with a bar for the time."""
    entry, middle = state.entry, HEIGHT - 36
    shade(picture, (0, HEIGHT - 66), (WIDTH, HEIGHT), BLACK, 0.62)
    share = state.seconds(now) / entry.seconds if entry.seconds > 0 else 1.0
    cv2.rectangle(picture, (0, HEIGHT - 70), (round(WIDTH * share), HEIGHT - 66), TEAL, -1)
    at, room = (MARGIN, middle), WIDTH // 2
    x = MARGIN + 18 + draw_text(picture, entry.label, at, 26, WHITE, bold=True, width=room)
    message = state.message or ("discarded: k restores it" if entry.discarded else "")
    color = RED if entry.discarded else TEAL
    draw_text(picture, message, (x, middle), 18, color, width=WIDTH - x - MARGIN)


@lru_cache(4)
def _panel(state: Review) -> Pixels:
    entry = state.entry
    place = f"{state.at + 1} of {len(state.entries)}"
    heading = (place, RED if entry.discarded else TEAL)
    panel = new_panel("n next   u discard   h help", heading)
    share = entry.share_with_hand
    rows = (
        ("recording", str(entry.number), WHITE),
        ("seconds", f"{entry.seconds:.2f}", WHITE),
        ("frames", str(entry.n_frames), WHITE),
        ("with a hand", f"{share:.0%}", ORANGE if share < _FEW_HANDS else WHITE),
        ("subject", entry.subject, WHITE),
        ("session", entry.session, WHITE),
        ("camera", entry.camera, WHITE),
    )
    for number, (name, value, color) in enumerate(rows):
        paint_value(panel, name, value, color, 88 + 24 * number)
    paint_labels(panel, state.labels, entry.label, 88 + 24 * len(rows) + 18)
    return panel


class ReviewWindow(Screen):
    """Shows a review and gives its keys."""

    def __init__(self) -> None:
        super().__init__(TITLE)

    def show(self, state: Review, recording: LandmarkDataset | None, now: float) -> None:
        """Show a recording at a time."""
        self.put(_draw_review(state, recording, now))
