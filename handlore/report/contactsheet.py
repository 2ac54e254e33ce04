"""Sheets of small pictures, so that an odd one is seen at a glance: recordings, or photos.

A recording is drawn from its landmarks: the path of the palm thick and those of the fingertips
thin, coloured from start to end; the hand where it first appears pale, and where it was last seen.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import LandmarkDataset
from handlore.landmarks.drawing import (
    PALM,
    TIPS,
    Color,
    color_at,
    draw_hand,
    draw_outline,
    draw_path,
    draw_text,
    fitted,
    rounded,
)
from handlore.landmarks.errors import counted
from handlore.landmarks.geometry import mirror
from handlore.landmarks.hands import FloatArray, Pixels

_MOST_OF_A_LABEL = 24
_MOST_COLUMNS = 10
_MOST_POINTS = 240
"""Longer paths, such as minutes of `none`, are thinned out to this many points."""
_LITTLE_HAND = 0.8
"""A recording with a hand in fewer of its frames has its caption coloured."""
WIDTH, HEIGHT, GAP, MARGIN = 216, 190, 14, 30
HEADER, HEADING, CAPTION = 84, 40, 26
PHOTO, PHOTO_COLUMNS = 220, 6
_GESTURE_COLUMNS, _LEAST_WIDTH = 5, 560

_PAPER: Color = (244, 246, 249)
CARD: Color = (255, 255, 255)
_INK: Color = (32, 38, 46)
_GREY: Color = (120, 130, 142)
_AMBER: Color = (196, 110, 0)


@dataclass(frozen=True)
class _Tile:
    """One small picture of a contact sheet."""

    label: str
    caption: str
    image: FloatArray
    """(n_frames, n_hands, 21, 3) landmarks in any unit: x right, y down; NaN for no hand."""
    moves: bool = True
    """Whether the frames are a movement; else they are samples of one pose."""
    doubtful: bool = False
    """Whether the hand is missing much of the time."""


def tiles_of(dataset: LandmarkDataset) -> list[_Tile]:
    """Return a picture for each movement, or for each recording of a pose, sorted by label.

    Augmented copies are left out, and poses that name no recording are one picture each.
    """
    own = dataset.samples.view == 0
    dataset = dataset if own.all() else dataset.select(own)
    moves = dataset.header.kind == "sequence"
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for sample in range(dataset.n_samples):
        recording = "" if moves else str(dataset.samples.recording[sample])
        key = recording or f"\n{sample:09d}"
        groups[str(dataset.samples.label[sample]), key].append(sample)
    return [
        _tile(dataset, label, samples, moves=moves)
        for (label, _), samples in sorted(groups.items(), key=lambda one: one[0])
    ]


def _tile(dataset: LandmarkDataset, label: str, samples: list[int], *, moves: bool) -> _Tile:
    frames = np.concatenate(
        [np.arange(*dataset.offsets[sample : sample + 2]) for sample in samples]
    )
    share = float(dataset.detected[frames].any(axis=1).mean())
    recording = str(dataset.samples.recording[samples[0]])
    name = recording.rpartition(" ")[2].lstrip("0") or str(samples[0] + 1)
    length = f"{np.ptp(dataset.time[frames]):.1f} s" if moves else f"{len(frames)} frames"
    words = [name, length] if moves or len(frames) > 1 else [name]
    if share < 1:
        words.append(f"hand {share:.0%}")
    return _Tile(label, " · ".join(words), dataset.image[frames], moves, share < _LITTLE_HAND)


def _contact_sheet(tiles: Sequence[_Tile], title: str) -> Pixels:
    """Draw a sheet, (height, width, 3) RGB, with a heading.

    Tiles of a label follow each other; the first ``_MOST_OF_A_LABEL`` of each are shown.
    """
    by_label: dict[str, list[_Tile]] = defaultdict(list)
    for tile in tiles:
        by_label[tile.label].append(tile)
    most = max((min(len(those), _MOST_OF_A_LABEL) for those in by_label.values()), default=1)
    columns = min(max(most, 4), _MOST_COLUMNS)
    shown = {label: those[:_MOST_OF_A_LABEL] for label, those in by_label.items()}
    rows = sum(-(-len(those) // columns) for those in shown.values())
    height = HEADER + len(shown) * HEADING + rows * (HEIGHT + CAPTION + GAP) + MARGIN
    width = 2 * MARGIN + columns * (WIDTH + GAP) - GAP
    sheet = np.full((height, width, 3), _PAPER, np.uint8)
    counts = f"{counted(len(tiles), 'recording')} of {counted(len(by_label), 'label')}"
    _header(sheet, title, counts)
    top = HEADER
    for label, those in shown.items():
        n = len(by_label[label])
        more = f"{n}" if n == len(those) else f"{len(those)} of {n}"
        x = MARGIN + draw_text(
            sheet, label, (MARGIN, top + 18), 20, _INK, bold=True, width=width // 2
        )
        draw_text(sheet, more, (x + 10, top + 19), 16, _GREY)
        top += HEADING
        for place, tile in enumerate(those):
            row, column = divmod(place, columns)
            at = MARGIN + column * (WIDTH + GAP), top + row * (HEIGHT + CAPTION + GAP)
            _draw_tile(sheet, tile, at)
        top += -(-len(those) // columns) * (HEIGHT + CAPTION + GAP)
    return sheet


def gesture_sheet_png(hands: Mapping[str, FloatArray], title: str) -> bytes:
    """Draw a hand for each gesture as in a mirror, as the bytes of a PNG file.

    Each is (n_moments, n_hands, 21, 3) in any unit, NaN for no hand: a pose, or a movement.
    """
    columns = min(max(len(hands), 1), _GESTURE_COLUMNS)
    rows = -(-len(hands) // columns)
    width = max(2 * MARGIN + columns * (WIDTH + GAP) - GAP, _LEAST_WIDTH)
    height = HEADER + rows * (HEIGHT + CAPTION + GAP) + MARGIN
    sheet = np.full((height, width, 3), _PAPER, np.uint8)
    moves = any(len(hand) > 1 for hand in hands.values())
    _header(sheet, title, counted(len(hands), "gesture"), timed=moves)
    for place, (label, hand) in enumerate(hands.items()):
        row, column = divmod(place, columns)
        at = MARGIN + column * (WIDTH + GAP), HEADER + row * (HEIGHT + CAPTION + GAP)
        _draw_tile(sheet, _Tile(label, label, mirror(hand), moves=len(hand) > 1), at)
    return _png(sheet)


def contact_sheet_png(tiles: Sequence[_Tile], title: str) -> bytes:
    """Draw a sheet, see :func:`_contact_sheet`, as the bytes of a PNG file."""
    return _png(_contact_sheet(tiles, title))


def photo_sheet_png(
    pictures: Sequence[Pixels], hands: Sequence[FloatArray | None], captions: Sequence[str]
) -> bytes:
    """Draw photos with the landmarks found in them, six a row, as the bytes of a PNG file.

    Each is (height, width, 3) RGB, with image landmarks (21, 3) in image widths, or None if no hand
    was found, and a caption.
    """
    tiles = [
        _photo(picture, hand, caption)
        for picture, hand, caption in zip(pictures, hands, captions, strict=True)
    ]
    columns = min(len(tiles), PHOTO_COLUMNS)
    tiles += [np.full_like(tiles[0], CARD)] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[at : at + columns]) for at in range(0, len(tiles), columns)]
    return _png(np.vstack(rows))


def _photo(picture: Pixels, hand: FloatArray | None, caption: str) -> Pixels:
    tile = np.full((PHOTO + 40, PHOTO + 20, 3), CARD, np.uint8)
    scale = PHOTO / max(picture.shape[:2])
    height, width = (max(1, round(scale * side)) for side in picture.shape[:2])
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    if hand is not None:
        draw_hand(small, hand)
    x, y = 10 + (PHOTO - width) // 2, 10 + (PHOTO - height) // 2
    tile[y : y + height, x : x + width] = small
    draw_text(tile, caption, (PHOTO // 2 + 10, PHOTO + 25), 16, _INK, anchor="middle", width=PHOTO)
    return tile


def _png(sheet: Pixels) -> bytes:
    # The strongest compression takes three times as long for 2 % of the size.
    options = [cv2.IMWRITE_PNG_COMPRESSION, 6]
    return cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), options)[1].tobytes()


def _header(sheet: Pixels, title: str, counts: str, *, timed: bool = True) -> None:
    width = sheet.shape[1]
    draw_text(sheet, title, (MARGIN, 32), 26, _INK, bold=True, width=width - 2 * MARGIN - 190)
    draw_text(sheet, counts, (MARGIN, 60), 15, _GREY)
    if not timed:
        return
    left, right = width - MARGIN - 130, width - MARGIN - 40
    for x in range(left, right):
        cv2.line(sheet, (x, 30), (x, 37), color_at((x - left) / (right - left)), 1)
    draw_text(sheet, "start", (left - 8, 33), 15, _GREY, anchor="right")
    draw_text(sheet, "end", (right + 8, 33), 15, _GREY)


def _draw_tile(sheet: Pixels, tile: _Tile, at: tuple[int, int]) -> None:
    x, y = at
    rounded(sheet, at, (x + WIDTH - 1, y + HEIGHT - 1), CARD, 10)
    place = sheet[y + 2 : y + HEIGHT - 2, x + 2 : x + WIDTH - 2]
    seen = ~np.isnan(tile.image[..., 0, 0])
    if seen.any():
        points = fitted(tile.image[..., :2], place.shape[1], place.shape[0])
        for slot in range(points.shape[1]):
            if seen[:, slot].any():
                _draw_hand_over_time(place, points[:, slot], seen[:, slot], moves=tile.moves)
    else:
        middle = (place.shape[1] // 2, place.shape[0] // 2)
        draw_text(place, "no hand", middle, 15, _GREY, anchor="middle")
    color = _AMBER if tile.doubtful else _GREY
    draw_text(sheet, tile.caption, (x + 6, y + HEIGHT + 13), 14, color, width=WIDTH - 8)


def _draw_hand_over_time(
    place: Pixels, points: NDArray[np.float64], seen: NDArray[np.bool_], *, moves: bool
) -> None:
    """Draw one hand: points (n_frames, 21, 2) in pixels, where it is seen."""
    there = np.flatnonzero(seen)
    if not moves:
        for number in there[:: -(-len(there) // 12)][::-1]:
            _faintly(place, points[number], color_at(0.62), 0.25)
        draw_outline(place, points[there[len(there) // 2]], color_at(0.62), CARD, 2)
        return
    chosen = there[:: -(-len(there) // _MOST_POINTS)]
    _faintly(place, points[there[0]], color_at(0.0), 0.45)
    share = chosen / max(len(seen) - 1, 1)
    for tip in TIPS:
        draw_path(place, points[chosen, tip], share, chosen, 1)
    thick = 4 if len(there) < _MOST_POINTS else 2
    draw_path(place, points[chosen][:, PALM].mean(axis=1), share, chosen, thick)
    draw_outline(place, points[there[-1]], color_at(1.0), CARD, 2)


def _faintly(place: Pixels, hand: NDArray[np.float64], color: Color, alpha: float) -> None:
    layer = place.copy()
    draw_outline(layer, hand, color, CARD, 2)
    place[:] = cv2.addWeighted(layer, alpha, place, 1 - alpha, 0)
