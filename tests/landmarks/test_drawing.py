"""Hands, text and paths drawn into pictures."""

import numpy as np
import pytest

from handlore.landmarks.drawing import (
    color_at,
    draw_hand,
    draw_hand_label,
    draw_outline,
    draw_path,
    draw_text,
    fitted,
    rounded,
    shade,
    wrap_text,
)

WHITE = (255, 255, 255)


def black(width=200, height=150):
    return np.zeros((height, width, 3), np.uint8)


def a_hand(x, y, size=0.2):
    """A hand on a diagonal, from a place in image widths on."""
    marks = np.zeros((21, 3), np.float32)
    marks[:, 0], marks[:, 1] = x + np.linspace(0, size, 21), y + np.linspace(0, size, 21)
    return marks


def test_a_hand_is_drawn_where_it_is_and_mirrored_where_the_picture_is():
    plain, mirrored = black(), black()
    draw_hand(plain, a_hand(0.1, 0.1))
    draw_hand(mirrored, a_hand(0.1, 0.1), mirrored=True)
    rows, columns = np.nonzero(plain.max(axis=2))
    assert columns.min() == pytest.approx(20, abs=6)
    assert columns.max() == pytest.approx(60, abs=6)
    assert np.nonzero(mirrored.max(axis=2))[1].max() == pytest.approx(180, abs=6)
    assert rows.min() == pytest.approx(20, abs=6)


def test_a_hand_that_leaves_the_picture_is_drawn_in_part():
    pixels = black()
    draw_hand(pixels, a_hand(0.9, 0.2, 1.0))
    assert pixels.any()
    before = pixels.copy()
    draw_hand(pixels, a_hand(0.9, 0.2, 1e9))
    draw_hand(pixels, np.full((21, 3), np.nan, np.float32))
    np.testing.assert_array_equal(pixels[:, :100], before[:, :100])


def test_an_outline_has_one_colour_on_an_edge():
    pixels = black()
    draw_outline(pixels, a_hand(0.1, 0.1)[:, :2].astype(float) * 200, (200, 0, 0), (0, 0, 90), 2)
    assert [200, 0, 0] in pixels.reshape(-1, 3).tolist()
    edge = pixels[(pixels[..., 0] == 0) & (pixels[..., 2] > 0)]
    assert edge[:, 2].max() > 50


def test_a_path_has_a_gap_where_the_hand_was_lost():
    points = np.stack([np.linspace(10, 190, 10), np.full(10, 75.0)], axis=1)
    frames = np.array([0, 1, 2, 3, 4, 90, 91, 92, 93, 94])
    pixels = black()
    draw_path(pixels, points, np.linspace(0, 1, 10), frames, 2)
    assert pixels[75, :85].any()
    assert not pixels[:, 95:105].any()
    assert pixels[75, 115:].any()


@pytest.mark.parametrize("dark", [False, True])
def test_colours_run_from_start_to_end(dark):
    colors = [color_at(share, dark=dark) for share in (-1, 0, 0.5, 1, 2)]
    assert colors[0] == colors[1]
    assert colors[3] == colors[4]
    assert len(set(colors)) == 3


def test_all_landmarks_fit_into_the_picture():
    moved = np.stack([a_hand(x, 3 * x) for x in (0, 5, -2)])[..., :2]
    moved[1, 0] = np.nan
    pixels = fitted(moved, 300, 200, margin=10)
    assert np.nanmin(pixels) >= 10 - 1e-6
    assert np.nanmax(pixels[..., 0]) <= 290 + 1e-6
    assert np.nanmax(pixels[..., 1]) <= 190 + 1e-6


def test_shapes():
    pixels = black()
    rounded(pixels, (10, 10), (50, 40), WHITE, 8)
    assert pixels[25, 30].tolist() == [255] * 3
    assert not pixels[10, 10].any(), "the corner is round"
    shade(pixels, (0, 0), (200, 150), (0, 0, 0), 0.5)
    assert pixels[25, 30, 0] == pytest.approx(127, abs=2)
    shade(pixels, (-20, -20), (-10, -10), WHITE, 1.0)


def test_text_is_cut_to_its_width_and_broken_into_lines():
    pixels = black()
    assert draw_text(pixels, "a long line of text", (5, 20), 20, WHITE, width=80) <= 84
    assert pixels.any()
    lines = wrap_text("a long line of text", 20, 80)
    assert len(lines) > 1
    assert " ".join(lines) == "a long line of text"


def test_a_line_without_blanks_is_broken_too():
    lines = wrap_text("a_word_that_is_far_too_long and more", 20, 80)
    assert "".join(lines).replace(" ", "") == "a_word_that_is_far_too_longandmore"
    assert all(draw_text(black(), line, (0, 20), 20, WHITE) <= 84 for line in lines)


@pytest.mark.parametrize("x", [0.05, 0.4, 0.75])
@pytest.mark.parametrize("mirrored", [False, True])
def test_label_beside_a_hand(x, mirrored):
    hand = a_hand(x, 0.2)
    pixels = np.full((150, 200, 3), 90, np.uint8)
    draw_hand_label(pixels, hand, "fist", 14, mirrored=mirrored)
    rows, columns = np.nonzero((pixels != 90).any(axis=2))
    low, high = (x * 200, (x + 0.2) * 200) if not mirrored else ((0.8 - x) * 200, (1 - x) * 200)
    beside = columns.min() >= high or columns.max() <= low
    assert beside or rows.min() >= 80 or rows.max() <= 40, "no finger is covered"
    assert np.ptp(columns) > 30, "it is whole"


def test_label_of_a_hand_that_fills_the_picture():
    pixels = black()
    draw_hand_label(pixels, a_hand(-0.5, -0.5, 2.0), "a label that is far too long", 20)
    assert pixels.any()
