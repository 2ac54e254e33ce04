"""A review: what keys do, what they change on the disk, and what is seen."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from movement_stubs import two_handed
from recording_stubs import filled, held, movement, stream

from handlore.capture.review import Change, Review
from handlore.capture.views import review as review_module
from handlore.capture.views.review import (
    GROUND,
    HEIGHT,
    PANEL,
    WIDTH,
    draw_review,
    review_recordings,
)
from handlore.datasets.recordings import RecordingEntry, RecordingFolder
from handlore.datasets.storage import load_dataset
from handlore.landmarks.errors import HandloreError

KEYS = ["n", "p", "r", " ", "u", "k", "h", "+", *"0123456789", "q", "esc", "enter", "backspace",
        "x", "close"]  # fmt: skip


def entry(number: int, label: str = "left", *, discarded: bool = False) -> RecordingEntry:
    return RecordingEntry(
        number, Path(f"g/{label}/{number:04d}.npz"), label, "sequence", 31, 2.0, 1.0, "anna", "s1",
        "camera 0", discarded, None,
    )  # fmt: skip


ENTRIES = (entry(1), entry(2, "right"), entry(4, "none"), entry(3, "up", discarded=True))


def pressed(*keys: str, state: Review | None = None) -> tuple[Review, list[Change]]:
    state, changes = state or Review.of(ENTRIES, 10.0), []
    for key in keys:
        state, change = state.key(key, 20.0)
        changes += [change] if change else []
    return state, changes


def test_it_begins_with_the_first_recording_and_goes_by_number() -> None:
    state = Review.of(ENTRIES, 10.0)
    assert [one.number for one in state.entries] == [1, 2, 3, 4]
    assert state.entry.number == 1
    with pytest.raises(HandloreError, match="no recordings to review"):
        Review.of((), 0.0)


def test_n_and_p_go_on_and_back_and_stop_at_the_ends() -> None:
    assert pressed("n", "n", "p")[0].entry.number == 2
    first, _ = pressed("p")
    assert (first.entry.number, first.message) == (1, "this is the first")
    last, _ = pressed("n", "n", "n", "n")
    assert (last.entry.number, last.message) == (4, "this is the last one")
    assert pressed("p", "n")[0].message == "", "a message goes with the next key"


def test_a_recording_is_played_again_and_again_and_from_its_start_when_asked() -> None:
    state = Review.of(ENTRIES, 10.0)
    assert state.seconds(11.5) == pytest.approx(1.5)
    assert state.seconds(12.4) == 2.0, "it rests at its end for a moment"
    assert state.seconds(12.8) == pytest.approx(0.1)
    again, _ = state.key(" ", 11.5)
    assert again.seconds(11.5) == 0
    assert state.key("n", 11.5)[0].seconds(11.5) == 0


def test_u_discards_and_k_brings_back() -> None:
    assert pressed("u")[1] == [Change("discard", ENTRIES[0].path)]
    assert pressed("k")[1] == [], "it is kept already"
    assert pressed("n", "n", "k")[1] == [Change("restore", ENTRIES[3].path)]
    state, changes = pressed("n", "n", "u")
    assert changes == []
    assert "discarded already" in state.message


def test_digits_give_labels_in_the_order_shown() -> None:
    assert Review.of(ENTRIES, 0.0).labels == ("left", "right", "up", "none")
    assert pressed("2")[1] == [Change("relabel", ENTRIES[0].path, "right")]
    assert pressed("0")[1] == [Change("relabel", ENTRIES[0].path, "none")]
    assert pressed("1")[1] == [], "it has this label"
    state, changes = pressed("7")
    assert (changes, state.message) == ([], "no label has the key 7")
    state, changes = pressed("n", "n", "1")
    assert changes == []
    assert "bring it back with k first" in state.message


def test_a_new_label_is_typed() -> None:
    state, changes = pressed("+", *"quit", "backspace", *"p", " ", "2")
    assert (state.typed, changes) == ("quip 2", [])
    assert not state.ended, "letters are letters now"
    state, changes = pressed("enter", state=state)
    assert changes == [Change("relabel", ENTRIES[0].path, "quip 2")]
    assert state.typed is None


def test_a_label_in_other_letters_is_the_one_that_is_there() -> None:
    state, changes = pressed("+", *"RIGHT", "enter")
    assert changes == [Change("relabel", ENTRIES[0].path, "right")]
    state, changes = pressed("+", *"Left", "enter")
    assert (state.message, changes) == ("it is left already", [])


@pytest.mark.parametrize("keys", [("+", "enter"), ("+", "/", "enter"), ("+", "a", "esc")])
def test_what_is_no_label_changes_nothing(keys) -> None:
    state, changes = pressed(*keys)
    assert changes == []
    assert state.typed is None
    assert not state.ended


def test_h_shows_the_help_until_the_next_key() -> None:
    assert pressed("h")[0].help
    assert not pressed("h", "h")[0].help
    assert not pressed("h", "n")[0].help


@pytest.mark.parametrize("keys", [("q",), ("esc",), ("close",), ("+", "close")])
def test_it_ends(keys) -> None:
    assert pressed(*keys)[0].ended


def test_after_a_change_the_same_recording_is_shown_wherever_it_is_now() -> None:
    state, _ = pressed("n")
    moved = replace(entry(2, "up"), path=Path("g/up/0002.npz"))
    after = state.changed((entry(1), moved, entry(3), entry(4)), moved.path)
    assert after.entry == moved
    fewer = state.changed((entry(1),), Path("gone"))
    assert fewer.entry.number == 1
    assert state.changed((), Path("gone")).ended, "there is nothing left to look at"


@given(st.lists(st.sampled_from(KEYS), max_size=30))
def test_any_keys_leave_a_state_that_can_be_shown(keys: list[str]) -> None:
    state = Review.of(ENTRIES, 0.0)
    for key in keys:
        state, change = state.key(key, 1.0)
        assert change is None or not change.path.name.startswith("g")
        assert 0 <= state.at < len(ENTRIES)
        assert 0 <= state.seconds(5.0) <= state.entry.seconds


# The loop


class Keyboard:
    """Plays keys, one a picture, and keeps the pictures."""

    def __init__(self, *keys: str) -> None:
        self.keys = list(keys)
        self.pictures: list[np.ndarray] = []

    def pressed(self) -> list[str]:
        return [self.keys.pop(0)] if self.keys else ["q"]

    def picture(self, pixels: np.ndarray) -> None:
        self.pictures.append(pixels)


def stepped(folder: RecordingFolder, *keys: str) -> Keyboard:
    face, now = Keyboard(*keys), iter(range(1000))
    review_recordings(folder, face, clock=lambda: next(now) / 10, wait=lambda _: None)
    return face


@pytest.fixture
def folder(tmp_path: Path) -> RecordingFolder:
    return filled(tmp_path / "gestures", 1, ("left", "right"))


def names(folder: RecordingFolder) -> list[str]:
    return [folder.name_of(one.path) for discarded in (False, True)
            for one in folder.entries(discarded=discarded)]  # fmt: skip


def test_keys_change_the_folder(folder: RecordingFolder) -> None:
    face = stepped(folder, "u", "n", "+", *"up", "enter", "p", "r")
    assert names(folder) == ["up/0002.npz", "discarded/left/0001.npz"]
    assert load_dataset(folder.root / "up" / "0002.npz").labels == ["up"]
    assert len(face.pictures) == 8
    stepped(folder, "k")
    assert names(folder) == ["left/0001.npz", "up/0002.npz"]


def test_what_cannot_be_done_is_a_message_and_the_review_goes_on(
    folder: RecordingFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise HandloreError("No space left on device")

    monkeypatch.setattr(folder, "relabel", full)
    face = stepped(folder, "2", "n", "u")
    assert names(folder) == ["left/0001.npz", "discarded/right/0002.npz"]
    assert (face.pictures[0] != face.pictures[1]).any()


def test_a_file_that_vanishes_meanwhile_is_survived(folder: RecordingFolder) -> None:
    class Vandal(Keyboard):
        def picture(self, pixels: np.ndarray) -> None:
            super().picture(pixels)
            (folder.root / "right" / "0002.npz").unlink(missing_ok=True)

    face, now = Vandal("h", "n", "u", "p"), iter(range(1000))
    review_recordings(folder, face, clock=lambda: next(now) / 10, wait=lambda _: None)
    assert len(face.pictures) == 4
    assert names(folder) == ["left/0001.npz"]


def test_a_damaged_file_is_said_in_the_window(
    folder: RecordingFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    draw = lambda state, *_: said.append(state.message) or np.zeros((1, 1, 3), np.uint8)  # noqa: E731
    monkeypatch.setattr(review_module, "draw_review", draw)
    (folder.root / "left" / "0077.npz").write_bytes(b"torn")
    stepped(folder, "x", "n")
    assert said == ["cannot be read: left/0077.npz", ""]


def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(HandloreError, match="no recordings to review"):
        stepped(RecordingFolder.open(tmp_path / "empty"))


# The picture


def scene(picture: np.ndarray) -> np.ndarray:
    return picture[: HEIGHT - 80, :WIDTH]


def test_the_hand_moves_and_leaves_its_way_behind() -> None:
    recording = movement("left", seconds=1.6)
    state = Review.of([replace(entry(1), seconds=float(np.ptp(recording.time)))], 0.0)
    places, painted = [], []
    for now in (0.0, 0.6, 1.2):
        drawn = (scene(draw_review(state, recording, now)) != GROUND).any(axis=-1)
        places.append(np.nonzero(drawn)[1].min())
        painted.append(drawn.sum())
    assert places[0] > places[1] > places[2], "it goes to the left"
    assert painted[0] < painted[1] < painted[2]


@pytest.mark.parametrize(
    "recording",
    [held("fist"), stream(20.0), two_handed(movement("circle")), movement("left", lost=100), None,
     movement("left", seconds=0.07)],
    ids=["pose", "stream", "two hands", "no hand", "unreadable", "two frames"],
)  # fmt: skip
@pytest.mark.parametrize("keys", [(), ("h",), ("+", "é"), ("n", "n")])
def test_anything_can_be_shown(recording, keys) -> None:
    state, _ = pressed(*keys)
    for now in (10.0, 20.0, 21.1):
        assert draw_review(state, recording, now).shape == (HEIGHT, WIDTH + PANEL, 3)
