"""Lists as text: comma, tab, semicolon or blank separated, JSON lines, and ELAN's export."""

import codecs
import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import inf, isfinite, isnan
from pathlib import Path, PurePosixPath

from handlore.landmarks.errors import HandloreError
from handlore.landmarks.untrusted import damage_as

from ..files import parent_of, read_bytes, read_start
from ..layouts.media_index import MediaIndex
from ..layouts.words import SPLITS, Pattern
from ..videos import Span
from ._annotations import MAX_LIST_BYTES, Entry, ListFile
from ._spans import NO_TIMES
from .base import HandBox, box_between

_PERSON = Pattern.PERSON.value
ENDINGS = (".csv", ".tsv", ".txt", ".jsonl", ".lst", ".tab")

_FILE = (
    "file filename filepath path video videofile videopath videoname videofilename image img"
    " imagefile imagepath imgpath imagename imagefilename clip clippath clipname frames folder"
    " fname media videoid vidid imageid imgid clipid sequenceid sampleid sample uuid name id"
)
_LABEL = (
    "label labels class classname labelname gesture gesturename category gloss sign word"
    " annotation annotationvalue tag letter symbol target action phrase text y classlabel labelid"
    " classid gestureid"
)
_GROUP = (
    "person personid subject subjectid signer signerid participant participantid user userid group"
    " actor actorid performer volunteer"
)
_SPLIT = "split subset partition usage set"
_START = "start starttime startframe framestart tstart begin begintime beginframe onset from"
_DURATION = "duration durationseconds durations length durationss"
_END = "end endtime endframe frameend tend stop stoptime stopframe offset to finish"
_NAMES = {
    column: names.split()
    for column, names in (
        *(("name", _FILE), ("label", _LABEL), ("group", _GROUP), ("split", _SPLIT)),
        *(("start", _START), ("end", _END), ("duration", _DURATION)),
        *(("left", "xmin x1 bboxx left"), ("top", "ymin y1 bboxy top")),
        *(("right", "xmax x2 right"), ("bottom", "ymax y2 bottom")),
    )
}
_FEW = 20
_CLOCK = re.compile(r"(?:(\d+):)?(\d+):(\d+(?:[.,]\d+)?)")


@dataclass(frozen=True)
class _Table:
    """The rows of a list, and what its columns are."""

    columns: Mapping[str, int]
    rows: Sequence[Sequence[str]]
    header: Sequence[str]
    media: str = ""
    """The one file that all rows are about, where the list says so outside of its rows."""


def read_list(root: Path, name: str, index: MediaIndex) -> ListFile | None:
    """Read a list of labels; None if a file is none."""
    if not name.lower().endswith(ENDINGS) or not index.files:
        return None
    path = Path(root) / name
    start = _decoded(read_start(path))
    if "\0" in start:
        return None
    try:
        with damage_as("it is no list"):
            if not _may_be_list(start, index):
                return None
        if path.stat().st_size > MAX_LIST_BYTES:
            return ListFile(name, problem="it is larger than 64 MiB")
        with damage_as("it is damaged"):
            return _read(name, _decoded(read_bytes(path)), index)
    except (OSError, HandloreError):
        return None


def _decoded(data: bytes) -> str:
    """Return the text of a list: UTF-8, UTF-16 with its mark, or what old Windows wrote."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        # The start of a file may end within a character.
        return codecs.getincrementaldecoder("utf-8-sig")().decode(data)
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _may_be_list(start: str, index: MediaIndex) -> bool:
    """Look at the first lines only, as a table of numbers may be large."""
    lines = start.splitlines()[:_FEW]
    return any(map(_of_pairs, lines)) or _table("", "\n".join(lines), index) is not None


def _read(name: str, text: str, index: MediaIndex) -> ListFile | None:
    pairs = [entry for line in text.splitlines() if (entry := _of_pairs(line))]
    if pairs:
        return ListFile(name, pairs)
    table = _table(name, text, index)
    if table is None:
        return None
    columns = table.columns
    unit, scale, first = _unit(table)
    cells = [
        {c: row[at].strip() for c, at in columns.items() if at < len(row)} for row in table.rows
    ]
    spans = [_span(cell, unit, scale, first) for cell in cells]
    if all(span in (None, NO_TIMES) for span in spans):
        spans = [None] * len(cells)
    near = parent_of(name)
    entries = []
    for cell, span in zip(cells, spans, strict=True):
        media = cell.get("name") or table.media or _same_stem(name, index, near)
        if not media or not cell.get("label"):
            continue
        entries.append(
            Entry(
                media,
                cell["label"],
                cell.get("group", ""),
                cell.get("split", ""),
                box=_box(cell),
                span=span,
            )
        )
    return ListFile(name, entries, "" if entries else "no row has a file and a label")


_LONGEST_PAIRS = 2000
"""Most characters of a line of pairs: it is searched for several words, each from all others."""
_PAIRS = re.compile(
    r"path:(?P<path>\S+) (?:.* )?color:(?P<file>[^\s:]+):(?P<start>\d+):(?P<end>\d+) "
    r"(?:.* )?label:(?P<label>\w+)\s*"
)


def _of_pairs(line: str) -> Entry | None:
    """Read a line of NVGesture's lists: path:... depth:... color:file:start:end ... label:1."""
    found = _PAIRS.fullmatch(line.strip()) if len(line) < _LONGEST_PAIRS else None
    if not found:
        return None
    who = next((m[1] for part in found["path"].split("/") if (m := _PERSON.fullmatch(part))), "")
    span = Span(int(found["start"][:9]), int(found["end"][:9]), "frame")
    return Entry(f"{found['path']}/{found['file']}", found["label"], who, span=span)


def _same_stem(name: str, index: MediaIndex, near: str) -> str:
    """Return the video that a list with times is about: of the same name, or the only one."""
    own = index.find(PurePosixPath(name).stem, near)
    return own or (index.files[0] if len(index.files) == 1 else "")


def _table(name: str, text: str, index: MediaIndex) -> _Table | None:
    """Find the columns of a list by their names or, without names, by what is in them."""
    if text.lstrip().startswith("{"):
        return _json_lines(text)
    media = re.search(r'^"?#(?:file:/*)?([^\r\n"]+?\.\w{2,5})\b', text, re.MULTILINE)
    lines = [
        line for line in text.splitlines() if line.strip() and not line.startswith(('"#', "#"))
    ]
    rows = _rows(lines)
    if not rows:
        return None
    known = _by_name(rows[0])
    about = PurePosixPath(media[1].replace("\\", "/")).name if media else ""
    timed = "start" in known and bool({"end", "duration"} & set(known))
    if "label" in known and ("name" in known or timed):
        return _Table(known, rows[1:], rows[0], about)
    if timed and len(rows[0]) > max(known.values()):
        # ELAN names the column of annotations after its tier.
        return _Table(known | {"label": len(rows[0]) - 1}, rows[1:], rows[0], about)
    if "name" in known and _one_hot(rows, known["name"]):
        return _Table({"name": 0, "label": 1}, _chosen(rows, known["name"]), rows[0])
    clocks = _by_clock(rows)
    if clocks:
        return _Table(clocks, rows, (), about)
    guessed = _by_values(rows, index)
    if not guessed:
        return None
    named = index.find(rows[0][guessed["name"]].strip()) is None
    return _Table(guessed, rows[named:], rows[0] if named else ())


def _rows(lines: Sequence[str]) -> list[list[str]]:
    """Split lines at the separator that gives them all the same number of columns."""
    for separator in "\t;,|":
        rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=separator))
        few = {len(row) for row in rows[:_FEW]}
        if len(few) == 1 and few.pop() > 1:
            return rows
        if rows and len(rows[0]) > 2 and all(len(row) >= 3 for row in rows[:_FEW]):
            return rows
    words = [line.split() for line in lines]
    few = {len(row) for row in words[:_FEW]}
    return words if len(few) == 1 and 1 < max(few) < 8 else []


def _json_lines(text: str) -> _Table | None:
    objects = []
    for line in text.splitlines():
        if line.strip():
            one = json.loads(line)
            if not isinstance(one, dict):
                return None
            objects.append(one)
    header = list(dict.fromkeys(key for one in islice(objects, 1000) for key in one))
    known = _by_name(header)
    if not {"name", "label"} <= set(known):
        return None
    rows = [[_text(one.get(key)) for key in header] for one in objects]
    return _Table(known, rows, header)


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int | float) else ""


def _plain(cell: str) -> str:
    return re.sub(r"[^a-z0-9]", "", cell.lower())


def _by_name(header: Sequence[str]) -> dict[str, int]:
    """Return which column is which by the names in a header, the best name first."""
    plain = [_plain(cell) for cell in header]
    found: dict[str, int] = {}
    for column, names in _NAMES.items():
        best = next((plain.index(name) for name in names if name in plain), None)
        if best is None and column in ("start", "end"):
            # ELAN: Begin Time - ss.msec, beside the same with minutes and in milliseconds.
            word = "begin" if column == "start" else "end"
            timed = [k for k, cell in enumerate(plain) if cell.startswith(f"{word}time")]
            seconds = [k for k in timed if "ssmsec" in plain[k]]
            best = next(iter(seconds or timed), None)
        if best is not None and best not in found.values():
            found[column] = best
    return found


def _by_values(rows: Sequence[Sequence[str]], index: MediaIndex) -> dict[str, int]:
    """Return which column holds files, and which labels, in a list without known names."""
    some = [row for row in rows[1:200] or rows if len(row) == len(rows[0])]
    if len(some) == 0:
        return {}
    columns = list(zip(*some, strict=True))
    hits = [sum(index.find(c.strip()) is not None for c in set(column)) for column in columns]
    share = [hit / len(set(column)) for hit, column in zip(hits, columns, strict=True)]
    file = max(range(len(columns)), key=share.__getitem__)
    if share[file] < 0.5:
        return {}
    others = [k for k in range(len(columns)) if k != file and all(c.strip() for c in columns[k])]
    numeric = {k: all(_is_number(c) for c in columns[k]) for k in others}
    words = [k for k in others if not numeric[k]]
    counts = [k for k in others if numeric[k]]
    labels = words or counts[-1:]
    if not labels:
        return {}
    found = {"name": file, "label": labels[0]}
    for extra in words[1:]:
        values = {c.strip().lower() for c in columns[extra]}
        found.setdefault("split" if values <= set(SPLITS) else "group", extra)
    if words and len(counts) == 2:
        found |= {"start": counts[0], "end": counts[1]}
    return found


def _by_clock(rows: Sequence[Sequence[str]]) -> dict[str, int]:
    """Return the columns of ELAN's export without a header: tier, person, begin, end, label."""
    some = [row for row in rows[:200] if len(row) == len(rows[0])]
    columns = list(zip(*some, strict=True))
    clocks = [k for k, cells in enumerate(columns) if all(map(_CLOCK.fullmatch, cells))]
    words = [
        k for k, cells in enumerate(columns) if not any(_is_number(c) or ":" in c for c in cells)
    ]
    if len(clocks) < 2 or not words or words[-1] < clocks[1]:
        return {}
    return {"start": clocks[0], "end": clocks[1], "label": words[-1]}


def _is_number(cell: str) -> bool:
    return bool(re.fullmatch(r"\s*-?\d+(?:[.,]\d+)?\s*", cell))


def _one_hot(rows: Sequence[Sequence[str]], file: int) -> bool:
    """Say whether all columns but that of the files are 0 or 1: Roboflow's _classes.csv."""
    others = [cell.strip() for row in rows[1:200] for k, cell in enumerate(row) if k != file]
    return len(rows[0]) > 2 and bool(others) and set(others) <= {"0", "1"}


def _chosen(rows: Sequence[Sequence[str]], file: int) -> list[list[str]]:
    """Return file and label of the rows of a one-hot list with exactly one label."""
    found = []
    for row in rows[1:]:
        ones = [k for k, cell in enumerate(row) if k != file and cell.strip() == "1"]
        if len(ones) == 1 and ones[0] < len(rows[0]):
            found.append([row[file], rows[0][ones[0]].strip()])
    return found


def _box(cell: Mapping[str, str]) -> HandBox | None:
    try:
        return box_between(*(float(cell[k]) for k in ("left", "top", "right", "bottom")))
    except (KeyError, ValueError):
        return None


def _seconds(cell: str) -> float:
    """Return a time as a number: seconds, or minutes and seconds with colons."""
    clock = _CLOCK.fullmatch(cell.strip())
    if clock:
        hours, minutes, seconds = clock.groups()
        return 3600 * int(hours or 0) + 60 * int(minutes) + float(seconds.replace(",", "."))
    return float(cell.replace(",", "."))


def _unit(table: _Table) -> tuple[str, float, int]:
    """Return the unit of times, what it is divided by, and the number of the first frame.

    Frames if a name or a column of counts says so, or if the numbers are whole and large.
    """
    times = [table.columns[c] for c in ("start", "end", "duration") if c in table.columns]
    if "start" not in table.columns or len(times) < 2:
        return "s", 1.0, 0
    named = [_plain(cell) for cell in table.header]
    name = named[table.columns["start"]] if named else ""
    cells = [row[c] for row in table.rows for c in times if c < len(row)]
    whole = all(re.fullmatch(r"\s*-?\d+\s*", cell) for cell in cells if cell.strip())
    if name.endswith(("ms", "msec", "milliseconds")) and "ssmsec" not in name:
        return "s", 1000.0, 0
    starts = [int(row[table.columns["start"]]) for row in table.rows if whole and len(row) > 1]
    largest = max((abs(int(cell)) for cell in cells if whole and cell.strip()), default=0)
    if "frame" in name or (whole and ("frames" in named or largest > 600)):
        return "frame", 1.0, 0 if starts and min(starts) == 0 else 1
    return "s", 1.0, 0


def _span(cell: Mapping[str, str], unit: str, scale: float, first: int) -> Span | None:
    """Return the part of the video that a row is about; None: the whole of it."""
    if not (cell.get("start") and (cell.get("end") or cell.get("duration"))):
        return None
    try:
        start = _seconds(cell["start"]) / scale
        if cell.get("end"):
            end = _seconds(cell["end"]) / scale
        else:
            end = start + _seconds(cell["duration"]) / scale
    except ValueError:
        return NO_TIMES
    if isnan(end) or not isfinite(start):
        return NO_TIMES
    end = inf if end < 0 else end
    if unit == "frame":
        return Span(max(start - first, 0), end - first, "frame")
    return Span(max(start, 0.0), end)
