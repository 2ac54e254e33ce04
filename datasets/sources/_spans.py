"""Parts of videos, as lists name them: whether they are in their video, and what is between."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, isinf
from pathlib import Path

from handlore.landmarks.errors import InvalidDataError, counted
from handlore.landmarks.hands import Pixels
from handlore.landmarks.untrusted import printable

from ..dataset import NONE_LABEL
from ..files import is_picture
from ..videos import Span, video_length
from .base import HandBox, Item

_NEXT = 0.002
"""Seconds behind the last frame of a part at which the next one may begin."""
_SHORTEST_REST = 0.2
"""Seconds between two labelled spans from which on what is between them is a clip."""

NO_TIMES = Span(inf, inf)
"""The span of a row whose start or end is no time."""

Length = tuple[float, int]
"""Seconds and frames of a video."""


@dataclass(frozen=True)
class AnnotatedItem(Item):
    """A file, or a part of it, with the box of the hand or the span of the movement."""

    box: HandBox | None = None
    span: Span | None = None


def length_of(path: Path, frame_rate: float) -> Length | None:
    """Return the length of a video or of a folder of frames; None if it is not known."""
    if not path.is_dir():
        return video_length(path)
    n = sum(is_picture(file) for file in path.iterdir())
    return n / frame_rate, n


def of_span(
    frames: Iterator[tuple[float, Pixels]], span: Span, path: Path, frame_rate: float
) -> Iterator[tuple[float, Pixels]]:
    """Yield the frames of a part, at least one; an error says why there is none."""
    empty = True
    for frame in frames:
        empty = False
        yield frame
    if empty:
        why = span_problem(span, length_of(path, frame_rate))
        raise InvalidDataError(why or f"it has no frames: {_words(span)}")


def span_problem(span: Span, length: Length | None = None) -> str:
    """Say why a part cannot be cut out of a video; nothing if it can."""
    if isinf(span.start):
        return "its start or end in the list is not a time"
    if span.end < span.start:
        return f"it ends at {_time(span.end, span)}, before its start at {_time(span.start, span)}"
    if length and _is_behind(span.start, span, length):
        return f"it starts at {_time(span.start, span)}, and {_video_ends(span, length)}"
    return ""


def _is_behind(place: float, span: Span, length: Length) -> bool:
    """Say whether a finite place is clearly behind the end of the video: containers miscount."""
    return not isinf(place) and place > _end(span, length) + _least(span)


def _end(span: Span, length: Length) -> float:
    return length[0] if span.unit == "s" else length[1]


def _least(span: Span) -> float:
    return _SHORTEST_REST if span.unit == "s" else 30 * _SHORTEST_REST


def _time(place: float, span: Span) -> str:
    return f"{place:g} s" if span.unit == "s" else f"frame {place:g} (from 0)"


def _words(span: Span) -> str:
    if isinf(span.end):
        return f"from {_time(span.start, span)}"
    return f"{_time(span.start, span)} to {_time(span.end, span)}"


def _video_ends(span: Span, length: Length) -> str:
    if span.unit == "frame":
        return f"the video has {counted(length[1], 'frame')}"
    return f"the video ends at {length[0]:.2f} s"


def about_spans(
    cut: Sequence[AnnotatedItem], lengths: Mapping[Path, Length | None], *, rest: bool
) -> list[str]:
    """Say which parts are not in their video, or not wholly: their times may be in another unit."""
    known = [(item, item.span, lengths[item.path]) for item in cut if item.span]
    lost = [(item, why) for item, span, length in known if (why := span_problem(span, length))]
    short = [
        (item, f"{_words(span)}, and {_video_ends(span, length)}")
        for item, span, length in known
        if length and _is_behind(span.end, span, length) and not span_problem(span, length)
    ]
    notes = []
    if short:
        notes.append(f"cut off at the end of the video: {_such_as(short)}; is the unit right?")
    if lost:
        less = "; nothing of these videos becomes `none`" if rest else ""
        notes.append(f"cannot be cut out of the video: {_such_as(lost)}{less}")
    return notes


def _such_as(found: Sequence[tuple[AnnotatedItem, str]]) -> str:
    """Return how many rows are found, and the first of them."""
    item, why = found[0]
    name, label = printable(item.path.name), printable(item.label)
    return f"{counted(len(found), 'row')} of the list, such as {label} in {name}: {why}"


def with_rest(items: Sequence[Item], lengths: Mapping[Path, Length | None]) -> list[Item]:
    """Return clips with what is between them, in the order in which they follow each other."""
    by_file: dict[Path, list[AnnotatedItem]] = defaultdict(list)
    whole: list[Item] = []
    for item in items:
        if isinstance(item, AnnotatedItem) and item.span:
            by_file[item.path].append(item)
        else:
            whole.append(item)
    return whole + [c for path, cut in by_file.items() for c in _of_stream(cut, lengths[path])]


def _of_stream(cut: Sequence[AnnotatedItem], length: Length | None) -> Iterator[AnnotatedItem]:
    """Yield the clips of one video and those between them, numbered from its start.

    Where a clip is not in the video, nobody knows where its gesture is: no other part is `none`.
    """
    ordered = sorted(cut, key=lambda item: item.span.start if item.span else 0.0)
    lost = any(item.span and span_problem(item.span, length) for item in ordered)
    clips = ordered if lost else list(_with_gaps(ordered, length))
    file = ordered[0].source.rpartition("#")[0]
    for number, clip in enumerate(clips):
        yield replace(clip, source=f"{file}#{number}", part=number)


def _with_gaps(ordered: Sequence[AnnotatedItem], length: Length | None) -> Iterator[AnnotatedItem]:
    first = ordered[0].span or Span()
    now = 0.0
    for item in ordered:
        span = item.span or Span()
        if span.start - now > _least(first):
            yield _none_like(item, Span(now, span.start, span.unit, open_end=True))
        yield item
        now = max(now, span.end + (_NEXT if first.unit == "s" else 1))
    if length and _end(first, length) - now > _least(first):
        yield _none_like(ordered[-1], Span(now, inf, first.unit))


def _none_like(item: AnnotatedItem, span: Span) -> AnnotatedItem:
    return replace(item, label=NONE_LABEL, span=span)
