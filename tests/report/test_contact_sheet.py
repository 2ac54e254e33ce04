"""Contact sheets: what was recorded can be seen in the pixels."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from movement_stubs import movements, two_handed
from recording_stubs import filled, held, movement, stream

from handlore.datasets.dataset import concatenate
from handlore.landmarks.files import atomic_write
from handlore.report.contactsheet import (
    CARD,
    HEADER,
    HEADING,
    HEIGHT,
    MARGIN,
    WIDTH,
    _contact_sheet,
    contact_sheet_png,
    tiles_of,
)


def first_card(sheet: np.ndarray) -> np.ndarray:
    top = HEADER + HEADING
    return sheet[top : top + HEIGHT, MARGIN : MARGIN + WIDTH]


def drawn(card: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of what is drawn on a card, its round corners aside."""
    inner = card[6:-6, 6:-6]
    return np.nonzero((inner != CARD).any(axis=-1))


@pytest.mark.parametrize(
    ("label", "early", "late"), [("left", "right", "left"), ("right", "left", "right")]
)
def test_the_way_goes_where_the_hand_went(label: str, early: str, late: str) -> None:
    card = first_card(_contact_sheet(tiles_of(movement(label)), "x")).astype(int)
    rows, columns = drawn(card)
    pixels = card[6:-6, 6:-6][rows, columns]
    # From blue at the start to orange at the end.
    warm, cold = pixels[:, 0] - pixels[:, 2] > 60, pixels[:, 2] - pixels[:, 0] > 20
    middle = {"left": 0, "right": 1}
    assert (columns[warm].mean() > WIDTH / 2) == middle[late]
    assert (columns[cold].mean() > WIDTH / 2) == middle[early]
    assert columns.max() - columns.min() > 0.7 * WIDTH, "it fills its card"


def test_a_hand_at_rest_is_not_blown_up() -> None:
    rows, columns = drawn(first_card(_contact_sheet(tiles_of(held("palm")), "x")))
    assert np.ptp(columns) < 0.7 * WIDTH
    assert 0.2 * HEIGHT < np.ptp(rows) < 0.95 * HEIGHT


def test_captions_say_number_length_and_how_much_hand(tmp_path: Path) -> None:
    folder = filled(tmp_path / "g", 1, ("left",))
    folder.keep(movement("left", lost=8, seed=3))
    folder.keep(held("fist", n=7))
    from handlore.datasets.loading import load_recordings

    tiles = [tile for one in load_recordings(folder.root).recordings for tile in tiles_of(one)]
    by_number = {tile.caption.split(" · ")[0]: tile for tile in tiles}
    assert by_number["1"].caption.endswith(" s")
    assert not by_number["1"].doubtful
    assert "hand " in by_number["2"].caption
    assert by_number["2"].doubtful
    assert by_number["3"].caption == "3 · 7 frames"


def test_many_of_a_label_are_cut_and_labels_are_sorted() -> None:
    tiles = tiles_of(movements(n_people=10, each=3, labels=("up", "left")))
    assert [tile.label for tile in tiles] == ["left"] * 30 + ["up"] * 30
    sheet = _contact_sheet(tiles, "x")
    rows = -(-24 // 10)
    assert sheet.shape[0] < HEADER + 2 * (HEADING + rows * (HEIGHT + 50)) + MARGIN


def test_views_are_not_drawn_and_frames_without_recordings_are_one_picture_each() -> None:
    data = held("fist", n=4)
    data.samples.view[:] = [0, 1, 2, 0]
    assert len(tiles_of(data)) == 2


@pytest.mark.parametrize(
    "data",
    [
        movement("left", lost=100),
        stream(60.0),
        two_handed(movement("circle")),
        movement("näh 手 Ω", like="left"),
        movement("left", seconds=0.07),
        concatenate([movement("x" * 200, like="left")] * 2),
    ],
    ids=["no hand", "stream", "two hands", "scripts", "two frames", "long label"],
)
def test_anything_can_be_drawn(data) -> None:
    png = contact_sheet_png(tiles_of(data), "näh 手")
    assert cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR) is not None


def test_landmarks_in_metres_and_all_in_one_point_are_drawn() -> None:
    data = movement("left")
    data.image[:] *= 0.1
    assert len(drawn(first_card(_contact_sheet(tiles_of(data), "x")))[0]) > 500
    data.image[:] = 0.5
    assert _contact_sheet(tiles_of(data), "x").shape[2] == 3


def test_the_same_data_gives_the_same_picture(tmp_path: Path) -> None:
    pictures = [contact_sheet_png(tiles_of(movement("left")), "x") for _ in range(2)]
    assert pictures[0] == pictures[1]
    with atomic_write(tmp_path / "x.png") as out:
        out.write(pictures[0])
