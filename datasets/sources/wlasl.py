"""WLASL and MS-ASL: videos of signs with a JSON of glosses, signers, splits and times."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

from handlore.landmarks.untrusted import parse_json

from ..files import read_bytes, read_start
from ..videos import Span
from ._annotations import AnnotatedClips, Entry, ListFile, read_each
from .base import SOURCES


@SOURCES.register
@dataclass(frozen=True)
class _Wlasl(AnnotatedClips):
    """Videos with the JSON of WLASL or MS-ASL: gloss, signer, split, and the part of the video.

    WLASL: a list of glosses with instances of video_id, signer_id, split, frame_start and frame_end
    (counted from 1, -1 = to the end). MS-ASL: a list of signs with clean_text or text, signer_id,
    start_time and end_time in seconds, in MSASL_train.json, MSASL_val.json and MSASL_test.json. The
    group is the signer. Videos that are not there are counted and named. MS-ASL names no files:
    they are found by the file entry, or by the address of the video.

    D. Li et al., "Word-level Deep Sign Language Recognition from Video", WACV 2020; H. Vaezi Joze
    and O. Koller, "MS-ASL", BMVC 2019.
    """

    name = "wlasl"
    layout = "*.mp4 with a JSON of gloss, instances (WLASL) or text, start_time (MS-ASL)"
    specificity = 9

    def lists(self, root: Path, files: Sequence[str]) -> list[ListFile]:
        """Return the JSON files of glosses."""
        return read_each(files, ".json", partial(_read, root))


def _read(root: Path, name: str) -> ListFile | None:
    start = read_start(Path(root) / name)
    wlasl = b'"gloss"' in start and b'"instances"' in start
    if not (wlasl or (b'"clean_text"' in start and b'"start_time"' in start)):
        return None
    found = parse_json(read_bytes(Path(root) / name))
    rows = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    entries = [e for row in rows for e in (_of_gloss(row) if wlasl else _of_sign(row))]
    return ListFile(name, entries, "" if entries else "it holds no glosses with videos")


def _of_gloss(row: Mapping[str, Any]) -> Iterator[Entry]:
    gloss, instances = row.get("gloss"), row.get("instances")
    if not (isinstance(gloss, str) and isinstance(instances, list)):
        return
    for one in instances:
        if isinstance(one, dict) and isinstance(one.get("video_id"), str | int):
            start, end = _number(one.get("frame_start"), 1), _number(one.get("frame_end"), -1)
            whole = start <= 1 and end < 0
            span = None if whole else Span(max(start - 1, 0), end - 1 if end > 0 else inf, "frame")
            yield Entry(
                str(one["video_id"]), gloss, _text(one, "signer_id"), _text(one, "split"), span=span
            )


def _of_sign(row: Mapping[str, Any]) -> Iterator[Entry]:
    label = row.get("clean_text") or row.get("text")
    start, end = _number(row.get("start_time"), 0), _number(row.get("end_time"), -1)
    address = _text(row, "url").rpartition("v=")[2].rpartition("/")[2].partition("&")[0]
    name = _text(row, "video") or address or _text(row, "file")
    if isinstance(label, str) and name:
        span = Span(max(start, 0.0), end if end > start else inf)
        yield Entry(name, label, _text(row, "signer_id"), span=span)


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _number(value: Any, default: float) -> float:
    known = isinstance(value, int | float) and value == value and abs(value) < 1e9
    return float(value) if known else default
