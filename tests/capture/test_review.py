"""A review: the state after keys, and the changes on the disk."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recording_stubs import filled, live_recording
from review_stubs import ENTRIES, entry, pressed

from handlore.capture.keys import choosing
from handlore.capture.review import Review, _Change, review_recordings
from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.recordings import RecordingFolder
from handlore.datasets.storage import load_dataset
from handlore.landmarks.errors import HandloreError

KEYS = [
    "n",
    "p",
    "r",
    " ",
    "u",
    "k",
    "h",
    "+",
    *"0123456789",
    "q",
    "esc",
    "enter",
    "backspace",
    "x",
    "close",
]


def test_order() -> None:
    state = Review.of(ENTRIES, 10.0)
    assert [one.number for one in state.entries] == [1, 2, 3, 4]
    assert state.entry.number == 1
    with pytest.raises(HandloreError, match="no recordings to review"):
        Review.of((), 0.0)


def test_next_and_previous() -> None:
    assert pressed("n", "n", "p")[0].entry.number == 2
    first, _ = pressed("p")
    assert (first.entry.number, first.message) == (1, "this is the first one")
    last, _ = pressed("n", "n", "n", "n")
    assert (last.entry.number, last.message) == (4, "this is the last one")
    assert pressed("p", "n")[0].message == "", "a message goes with the next key"


def test_replay() -> None:
    state = Review.of(ENTRIES, 10.0)
    assert state.seconds(11.5) == pytest.approx(1.5)
    assert state.seconds(12.4) == 2.0, "it rests at its end for a moment"
    assert state.seconds(12.8) == pytest.approx(0.1)
    again, _ = state.key(" ", 11.5)
    assert again.seconds(11.5) == 0
    assert state.key("n", 11.5)[0].seconds(11.5) == 0


def test_discard_and_restore() -> None:
    assert pressed("u")[1] == [_Change("discard", ENTRIES[0].path)]
    assert pressed("k")[1] == [], "it is kept already"
    assert pressed("n", "n", "k")[1] == [_Change("restore", ENTRIES[3].path)]
    state, changes = pressed("n", "n", "u")
    assert changes == []
    assert "already discarded" in state.message


def test_relabel_by_digit() -> None:
    assert Review.of(ENTRIES, 0.0).labels == ("left", "right", "up", "none")
    assert pressed("2")[1] == [_Change("relabel", ENTRIES[0].path, "right")]
    assert pressed("0")[1] == [_Change("relabel", ENTRIES[0].path, "none")]
    assert pressed("1")[1] == [], "it has this label"
    state, changes = pressed("7")
    assert (changes, state.message) == ([], "no label has the key 7")
    state, changes = pressed("n", "n", "1")
    assert changes == []
    assert "restore it with k first" in state.message


def test_digits_mean_what_they_mean_in_a_session() -> None:
    state = Review.of(ENTRIES, 0.0, ["up", "none", "wave", "left"])
    assert state.labels == ("up", "wave", "left", "right", "none"), "wave has no recording yet"
    assert pressed("2", state=state)[1] == [_Change("relabel", ENTRIES[0].path, "wave")]
    assert pressed("0", state=state)[1] == [_Change("relabel", ENTRIES[0].path, "none")]


def test_click_on_a_label() -> None:
    _, changes = pressed("n", choosing("up"))
    assert changes == [_Change("relabel", ENTRIES[1].path, "up")]
    assert pressed(choosing("left"))[0].message == "the label is already left"
    assert pressed("+", choosing("left"))[1] == [], "a label is being typed"


def test_full_screen() -> None:
    assert pressed("f")[0].full_screen
    assert not pressed("f", "f11")[0].full_screen
    assert pressed("+", "f")[0].typed == "f"


def test_a_new_label_is_typed() -> None:
    state, changes = pressed("+", *"quit", "backspace", *"p", " ", "2")
    assert (state.typed, changes) == ("quip 2", [])
    assert not state.ended, "letters are letters now"
    state, changes = pressed("enter", state=state)
    assert changes == [_Change("relabel", ENTRIES[0].path, "quip 2")]
    assert state.typed is None


def test_label_in_another_case() -> None:
    state, changes = pressed("+", *"RIGHT", "enter")
    assert changes == [_Change("relabel", ENTRIES[0].path, "right")]
    state, changes = pressed("+", *"Left", "enter")
    assert (state.message, changes) == ("the label is already left", [])


@pytest.mark.parametrize("keys", [("+", "enter"), ("+", "/", "enter"), ("+", "a", "esc")])
def test_invalid_label(keys) -> None:
    state, changes = pressed(*keys)
    assert changes == []
    assert state.typed is None
    assert not state.ended


def test_help() -> None:
    assert pressed("h")[0].help
    assert not pressed("h", "h")[0].help
    assert not pressed("h", "n")[0].help


@pytest.mark.parametrize("keys", [("q",), ("esc",), ("close",), ("+", "close")])
def test_it_ends(keys) -> None:
    assert pressed(*keys)[0].ended


def test_same_recording_after_a_change() -> None:
    state, _ = pressed("n")
    moved = replace(entry(2, "up"), path=Path("g/up/0002.npz"))
    after = state.changed((entry(1), moved, entry(3), entry(4)), moved.path)
    assert after.entry == moved
    fewer = state.changed((entry(1),), Path("gone"))
    assert fewer.entry.number == 1
    assert state.changed((), Path("gone")).ended, "there is nothing left to look at"


@given(st.lists(st.sampled_from(KEYS), max_size=30))
def test_any_keys(keys: list[str]) -> None:
    state = Review.of(ENTRIES, 0.0)
    for key in keys:
        state, change = state.key(key, 1.0)
        assert change is None or not change.path.name.startswith("g")
        assert 0 <= state.at < len(ENTRIES)
        assert 0 <= state.seconds(5.0) <= state.entry.seconds


class View:
    """Presses keys, one per picture, and keeps what it is to show."""

    def __init__(self, *keys: str) -> None:
        self.keys = list(keys)
        self.shown: list[tuple[Review, LandmarkDataset | None]] = []

    def pressed(self) -> list[str]:
        return [self.keys.pop(0)] if self.keys else ["q"]

    def show(self, state: Review, recording: LandmarkDataset | None, now: float) -> None:
        self.shown.append((state, recording))


def stepped(folder: RecordingFolder, *keys: str) -> View:
    view, now = View(*keys), iter(range(1000))
    review_recordings(folder, view, clock=lambda: next(now) / 10, wait=lambda _: None)
    return view


@pytest.fixture
def folder(tmp_path: Path) -> RecordingFolder:
    return filled(tmp_path / "gestures", 1, ("left", "right"))


def names(folder: RecordingFolder) -> list[str]:
    return [
        folder.name_of(one.path)
        for discarded in (False, True)
        for one in folder.entries(discarded=discarded)
    ]


def test_keys_change_the_folder(folder: RecordingFolder) -> None:
    view = stepped(folder, "u", "n", "+", *"up", "enter", "p", "r")
    assert names(folder) == ["up/0002.npz", "discarded/left/0001.npz"]
    assert load_dataset(folder.root / "up" / "0002.npz").labels == ["up"]
    assert len(view.shown) == 8
    stepped(folder, "k")
    assert names(folder) == ["left/0001.npz", "up/0002.npz"]


@pytest.mark.parametrize(
    ("typed", "said"), [("rihgt", "now rihgt; did you mean right?"), ("nome", "now nome; did you")]
)
def test_a_new_label_that_is_nearly_another(typed: str, said: str, folder: RecordingFolder) -> None:
    (state, _) = stepped(folder, "+", *typed, "enter").shown[-1]
    assert state.message.startswith(said)


def test_a_corrected_typing_error_is_not_suggested(folder: RecordingFolder) -> None:
    keys = ("+", *"swip_left", "enter", "+", *"swipe_left", "enter")
    (state, _) = stepped(folder, *keys).shown[-1]
    assert state.message == "now swipe_left"


def test_failed_change(folder: RecordingFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise HandloreError("No space left on device")

    monkeypatch.setattr(folder, "relabel", full)
    view = stepped(folder, "2", "n", "u")
    assert names(folder) == ["left/0001.npz", "discarded/right/0002.npz"]
    assert [state.message for state, _ in view.shown] == [
        "No space left on device",
        "",
        "discarded",
    ]


def test_vanished_file(folder: RecordingFolder) -> None:
    class Deleting(View):
        def show(self, state: Review, recording: LandmarkDataset | None, now: float) -> None:
            super().show(state, recording, now)
            (folder.root / "right" / "0002.npz").unlink(missing_ok=True)

    view, now = Deleting("h", "n", "u", "p"), iter(range(1000))
    review_recordings(folder, view, clock=lambda: next(now) / 10, wait=lambda _: None)
    assert len(view.shown) == 4
    assert names(folder) == ["left/0001.npz"]


def test_a_damaged_file_is_reported(folder: RecordingFolder) -> None:
    (folder.root / "left" / "0077.npz").write_bytes(b"torn")
    messages = [state.message for state, _ in stepped(folder, "x", "n").shown]
    assert messages == ["cannot be read: left/0077.npz", ""]


def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(HandloreError, match="no recordings to review"):
        stepped(RecordingFolder.open(tmp_path / "empty"))


def test_seen_triggers_are_confirmed(tmp_path: Path) -> None:
    """``n`` keeps that the label of a trigger is right; ``p`` and ``q`` say nothing."""
    folder = RecordingFolder.open(tmp_path / "triggers")
    for number in range(4):
        folder.keep(live_recording(seed=number))
    view = stepped(folder, "n", "0", "n", "p", "n", "u", "n")
    assert [one.reviewed for one in folder.entries()] == [True, True, False]
    assert [one.label for one in folder.entries()] == ["left", "none", "left"]
    assert all(one.recognised == "left" for one in folder.entries())
    assert view.shown[0][0].entry.needs_review


def test_some_of_a_folder(folder: RecordingFolder) -> None:
    now, view = iter(range(1000)), View("n", "n", "0")
    review_recordings(
        folder, view, lambda: next(now) / 10, lambda _: None, numbers={2}, labels=("wave",)
    )
    assert {len(state.entries) for state, _ in view.shown} == {1}
    assert "wave" in view.shown[0][0].labels
    assert names(folder) == ["left/0001.npz", "none/0002.npz"]
