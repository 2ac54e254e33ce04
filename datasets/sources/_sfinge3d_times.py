"""When which gesture is made in a stream of SFINGE 3D: its table of times."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from handlore.landmarks.errors import InvalidDataError

GESTURES = (
    *("one", "two", "three", "four", "ok", "pinch", "grab", "expand", "tap"),
    *("swipe_left", "swipe_right", "swipe_v", "swipe_o"),
)
TIMES = "sequencesGT.csv"

Event = tuple[int, int, int]
"""Number of the gesture, first and last line of the stream, counted from 1."""


def times_of(lines: Sequence[bytes]) -> dict[str, list[bytes]]:
    """Return the words after the number of each stream."""
    rows: dict[str, list[bytes]] = {}
    for line in lines:
        number, *words = [word.strip() for word in line.rstrip(b", \t").split(b",")]
        if number.isdigit():
            name = number.decode()
            # Of two rows for one stream nobody knows which is right.
            rows[name] = [b"two rows"] if name in rows else words
    return rows


def is_counted(words: list[bytes]) -> bool:
    """Say whether the number of events stands in front of them."""
    return len(words) % 3 == 1 and words[0] == b"%d" % (len(words) // 3)


def events_of(words: list[bytes], counted: bool) -> list[Event]:
    """Return the events of a stream in order of time."""
    whole = is_counted(words) if counted else len(words) % 3 == 0
    if not (whole and words and all(word.isdigit() and len(word) < 9 for word in words)):
        count = "count," if counted else ""
        raise InvalidDataError(f"its row in {TIMES} is not: stream,{count}(label,start,end)*")
    numbers = [int(word) for word in words[counted:]]
    triples = zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True)
    return sorted(triples, key=lambda event: event[1])


def cuts_of(events: Sequence[Event], n_lines: int) -> Iterator[tuple[str, int, int]]:
    """Yield label, start and stop, counted from 0, of all consecutive parts of a stream."""
    _require_in_order(events, n_lines)
    at = 0
    for gesture, first, last in events:
        # Where an event begins in the line in which the one before ends, that line is the latter's.
        start = max(first - 1, at)
        if start > at:
            yield "none", at, start
        yield GESTURES[gesture - 1], start, last
        at = last
    if at < n_lines:
        yield "none", at, n_lines


def _require_in_order(events: Sequence[Event], n_lines: int) -> None:
    for gesture, first, last in events:
        if not (1 <= gesture <= len(GESTURES) and 1 <= first < last <= n_lines):
            raise InvalidDataError(
                f"{TIMES} has gesture {gesture} in lines {first} to {last} of {n_lines}"
            )
    for (_, _, last), (_, first, _) in pairwise(events):
        if first < last:
            raise InvalidDataError(f"{TIMES} has two gestures at once in line {first}")
