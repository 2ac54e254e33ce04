"""Entries of a folder, and keys pressed in a review of them."""

from pathlib import Path

from handlore.capture.review import Review, _Change
from handlore.datasets.recorded import RecordingEntry


def entry(number: int, label: str = "left", *, discarded: bool = False) -> RecordingEntry:
    return RecordingEntry(
        number,
        Path(f"g/{label}/{number:04d}.npz"),
        label,
        "sequence",
        31,
        2.0,
        1.0,
        "anna",
        "s1",
        "camera 0",
        discarded,
        None,
    )


ENTRIES = (entry(1), entry(2, "right"), entry(4, "none"), entry(3, "up", discarded=True))


def pressed(*keys: str, state: Review | None = None) -> tuple[Review, list[_Change]]:
    state, changes = state or Review.of(ENTRIES, 10.0), []
    for key in keys:
        state, change = state.key(key, 20.0)
        changes += [change] if change else []
    return state, changes
