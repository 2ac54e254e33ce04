"""A contact sheet: one small picture for each recording, so that the odd one is seen at a glance.

The way of the palm is drawn thick and that of the fingertips thin, coloured from start to end; the
hand itself as it is first seen, pale, and as it is last seen.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from handlore.capture.paint import Color, rounded, write
from handlore.datasets.dataset import LandmarkDataset
from handlore.landmarks.hands import FloatArray, Pixels
from handlore.landmarks.topology import HAND_CONNECTIONS

MOST_OF_A_LABEL = 24
MOST_COLUMNS = 10
MOST_POINTS = 240
"""More points of a way, as minutes of `none` have, are thinned out."""

LITTLE_HAND = 0.8
"""A recording with a hand in fewer of its frames has its caption coloured."""

WIDTH, HEIGHT, GAP, MARGIN = 216, 190, 14, 30
HEADER, HEADING, CAPTION = 84, 40, 26

PAPER: Color = (244, 246, 249)
CARD: Color = (255, 255, 255)
INK: Color = (32, 38, 46)
GREY: Color = (120, 130, 142)
AMBER: Color = (196, 110, 0)

PALM = (0, 5, 9, 13, 17)
TIPS = (4, 8, 12, 16, 20)
_SHIFT = 4
_SMALLEST = 2.6
"""A picture shows at least so many palm lengths, or a hand at rest would fill it."""


@dataclass(frozen=True)
class Tile:
    """What one small picture shows."""

    label: str
    caption: str
    image: FloatArray
    """(n_frames, n_hands, 21, 3) landmarks in any unit: x right, y down; NaN for no hand."""

    moves: bool = True
    """Whether the frames follow each other; else they are many looks at one pose."""

    doubtful: bool = False
    """Whether the hand is missing much of the time."""


def tiles_of(dataset: LandmarkDataset) -> list[Tile]:
    """Return a picture for each movement, or for each recording of a pose, sorted by label.

    Views of pictures are left out, and poses that name no recording are one picture each.
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


def _tile(dataset: LandmarkDataset, label: str, samples: list[int], *, moves: bool) -> Tile:
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
    return Tile(label, " · ".join(words), dataset.image[frames], moves, share < LITTLE_HAND)


def contact_sheet(tiles: Sequence[Tile], title: str) -> Pixels:
    """Draw a sheet.

    Parameters
    ----------
    tiles
        What to show; those of a label follow each other. Of each label the first
        :data:`MOST_OF_A_LABEL` are shown.
    title
        Stands above.

    Returns
    -------
    (height, width, 3) RGB.
    """
    by_label: dict[str, list[Tile]] = defaultdict(list)
    for tile in tiles:
        by_label[tile.label].append(tile)
    most = max((min(len(those), MOST_OF_A_LABEL) for those in by_label.values()), default=1)
    columns = min(max(most, 4), MOST_COLUMNS)
    shown = {label: those[:MOST_OF_A_LABEL] for label, those in by_label.items()}
    rows = sum(-(-len(those) // columns) for those in shown.values())
    height = HEADER + len(shown) * HEADING + rows * (HEIGHT + CAPTION + GAP) + MARGIN
    width = 2 * MARGIN + columns * (WIDTH + GAP) - GAP
    sheet = np.full((height, width, 3), PAPER, np.uint8)
    counts = f"{_some(len(tiles), 'recording')} of {_some(len(by_label), 'label')}"
    _header(sheet, title, counts)
    top = HEADER
    for label, those in shown.items():
        n = len(by_label[label])
        more = f"{n}" if n == len(those) else f"{len(those)} of {n}"
        x = MARGIN + write(sheet, label, (MARGIN, top + 18), 20, INK, bold=True, width=width // 2)
        write(sheet, more, (x + 10, top + 19), 16, GREY)
        top += HEADING
        for place, tile in enumerate(those):
            row, column = divmod(place, columns)
            at = MARGIN + column * (WIDTH + GAP), top + row * (HEIGHT + CAPTION + GAP)
            _draw(sheet, tile, at)
        top += -(-len(those) // columns) * (HEIGHT + CAPTION + GAP)
    return sheet


def contact_sheet_png(tiles: Sequence[Tile], title: str) -> bytes:
    """Draw a sheet, see :func:`contact_sheet`, as the bytes of a PNG file."""
    sheet = cv2.cvtColor(contact_sheet(tiles, title), cv2.COLOR_RGB2BGR)
    return cv2.imencode(".png", sheet)[1].tobytes()


def _header(sheet: Pixels, title: str, counts: str) -> None:
    width = sheet.shape[1]
    write(sheet, title, (MARGIN, 32), 26, INK, bold=True, width=width - 2 * MARGIN - 190)
    write(sheet, counts, (MARGIN, 60), 15, GREY)
    left, right = width - MARGIN - 130, width - MARGIN - 40
    for x in range(left, right):
        cv2.line(sheet, (x, 30), (x, 37), _color((x - left) / (right - left)), 1)
    write(sheet, "start", (left - 8, 33), 15, GREY, anchor="right")
    write(sheet, "end", (right + 8, 33), 15, GREY)


def _draw(sheet: Pixels, tile: Tile, at: tuple[int, int]) -> None:
    x, y = at
    rounded(sheet, at, (x + WIDTH - 1, y + HEIGHT - 1), CARD, 10)
    place = sheet[y + 2 : y + HEIGHT - 2, x + 2 : x + WIDTH - 2]
    seen = ~np.isnan(tile.image[..., 0, 0])
    if seen.any():
        points = _fitted(tile.image[..., :2], place.shape[1], place.shape[0])
        for slot in range(points.shape[1]):
            if seen[:, slot].any():
                _draw_hand_over_time(place, points[:, slot], seen[:, slot], moves=tile.moves)
    else:
        write(place, "no hand", (place.shape[1] // 2, place.shape[0] // 2), 15, GREY,
              anchor="middle")  # fmt: skip
    color = AMBER if tile.doubtful else GREY
    write(sheet, tile.caption, (x + 6, y + HEIGHT + 13), 14, color, width=WIDTH - 8)


def _fitted(points: FloatArray, width: int, height: int) -> NDArray[np.float64]:
    """Return landmarks (..., 21, 2) in pixels, all in the picture and not larger than life."""
    flat = points.reshape(-1, 21, 2).astype(np.float64)
    palms = np.linalg.norm(flat[:, 9] - flat[:, 0], axis=-1)
    low = np.nanmin(flat, axis=(0, 1))
    high = np.nanmax(flat, axis=(0, 1))
    room = np.array([width, height]) - 2 * 14.0
    extent = np.maximum(high - low, 1e-9)
    smallest = max(_SMALLEST * float(np.nanmedian(palms)), 1e-9)
    scale = min(*(room / extent), min(room) / smallest)
    fitted: NDArray[np.float64] = (points - (low + high) / 2) * scale + [width / 2, height / 2]
    return fitted


def _draw_hand_over_time(
    place: Pixels, points: NDArray[np.float64], seen: NDArray[np.bool_], *, moves: bool
) -> None:
    """Draw one hand: points (n_frames, 21, 2) in pixels, where it is seen."""
    there = np.flatnonzero(seen)
    if not moves:
        for number in there[:: -(-len(there) // 12)][::-1]:
            _faintly(place, points[number], _color(0.62), 0.25)
        _hand(place, points[there[len(there) // 2]], _color(0.62), 2)
        return
    chosen = there[:: -(-len(there) // MOST_POINTS)]
    _faintly(place, points[there[0]], _color(0.0), 0.45)
    share = chosen / max(len(seen) - 1, 1)
    for tip in TIPS:
        _way(place, points[chosen, tip], share, chosen, 1)
    thick = 4 if len(there) < MOST_POINTS else 2
    _way(place, points[chosen][:, PALM].mean(axis=1), share, chosen, thick)
    _hand(place, points[there[-1]], _color(1.0), 2)


def _way(
    place: Pixels,
    points: NDArray[np.float64],
    share: NDArray[np.float64],
    frames: NDArray[np.int64],
    thick: int,
) -> None:
    """Draw a way, coloured by time; where the hand was lost for long there is a gap."""
    usual = np.median(np.diff(frames)) if len(frames) > 1 else 1
    fixed = _fixed(points)
    for k in range(len(points) - 1):
        if frames[k + 1] - frames[k] <= 6 * usual:
            cv2.line(place, fixed[k].tolist(), fixed[k + 1].tolist(), _color(share[k]), thick,
                     cv2.LINE_AA, _SHIFT)  # fmt: skip


def _faintly(place: Pixels, hand: NDArray[np.float64], color: Color, alpha: float) -> None:
    layer = place.copy()
    _hand(layer, hand, color, 2)
    place[:] = cv2.addWeighted(layer, alpha, place, 1 - alpha, 0)


def _hand(place: Pixels, hand: NDArray[np.float64], color: Color, thick: int) -> None:
    """Draw a hand (21, 2) in pixels, on a light edge that sets it off from what is below."""
    fixed = _fixed(hand)
    for shade, more in ((CARD, 2), (color, 0)):
        for a, b in HAND_CONNECTIONS:
            cv2.line(place, fixed[a].tolist(), fixed[b].tolist(), shade, thick + more,
                     cv2.LINE_AA, _SHIFT)  # fmt: skip
    for number, point in enumerate(fixed.tolist()):
        radius = 3.0 if number in TIPS else 2.2
        cv2.circle(place, point, round(radius * 2**_SHIFT), color, -1, cv2.LINE_AA, _SHIFT)


def _fixed(points: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.asarray(np.round(points * 2**_SHIFT), np.int64)


@lru_cache
def _colors() -> list[Color]:
    """Return 256 colours from start to end that show on white: plasma without its yellow end."""
    ramp = np.linspace(20, 205, 256).round().astype(np.uint8)
    bgr = cv2.applyColorMap(ramp[:, None], cv2.COLORMAP_PLASMA)[:, 0]
    return [(int(r), int(g), int(b)) for b, g, r in bgr]


def _color(share: float) -> Color:
    return _colors()[round(255 * min(max(float(share), 0.0), 1.0))]


def _some(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
