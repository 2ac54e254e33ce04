"""The annotations of HaGRID, the hand gesture recognition image data set, with its landmarks."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from math import nan
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.landmarks.hands import Hand

from ..dataset import NONE_LABEL
from ..files import file_stamp, files_of, read_bytes, read_start
from ..layouts.words import SPLITS
from ..tables.units import height_in_widths
from ._landmarks import (
    ASPECT_HELP,
    BadItem,
    LandmarkSource,
    first_files,
    require_aspect,
    require_within,
)
from .base import SOURCES, Item, LandmarkClip, Listing, option

_NO_GESTURE = "no_gesture"

_START = re.compile(rb'(\xef\xbb\xbf)?\s*\{\s*"[^"]{1,200}"\s*:\s*\{')
_LANDMARKS = ("hand_landmarks", "landmarks")
_SPLITS = SPLITS | {"ann_train_val": "train", "train_val": "train", "ann_test": "test"}

_Entry = tuple[str, Any]
"""The name of a picture, and what is said of it."""


@SOURCES.register
@dataclass(frozen=True)
class _Hagrid(LandmarkSource):
    """HaGRID's annotations with landmarks: <label>.json with boxes, labels and 21 x 2 landmarks.

    Each box is a sample with the label it has; no_gesture becomes none. The group is user_id,
    recording the name of the picture, a folder train, val or test the split. Coordinates are
    shares of the picture, so the aspect has to be given where the file does not hold the picture's
    size. z is unknown. The side is that of leading_hand for the only hand with a gesture, else
    unknown. A box with an empty list of landmarks is a sample without a hand. Annotations without
    any landmarks are refused: hagrid-photos reads them with the photos.

    Of gestures made with both hands each hand is a sample, with the label of its own box.

    A. Kapitanov, K. Kvanchiani, A. Nagaev, R. Kraynov, A. Makhliarchuk, "HaGRID - HAnd Gesture
    Recognition Image Dataset", WACV 2024.
    """

    name = "hagrid"
    layout = "[train|val|test/]<label>.json: {uuid: {bboxes, labels, hand_landmarks, user_id}}"

    aspect: str = option("4:3", ASPECT_HELP)

    def fits(self, root: Path) -> bool:
        """Say whether a file begins as annotations do and speaks of landmarks."""
        return any(_looks_right(read_start(path)) for _, path in first_files(root, ".json"))

    def scan(self, root: Path) -> Listing:
        """List the boxes of all pictures."""
        require_aspect(self.aspect)
        files = [(name, path) for name, path in files_of(root) if _is_annotation(path)]
        items = [item for name, path in files for item in _items(name, path)]
        is_whole = any(not isinstance(item, BadItem) for item in items)
        if is_whole and not any(has_landmarks(entries_in(path).values()) for _, path in files):
            raise HandloreError(
                f"the annotations in {root} hold boxes without landmarks; convert the folder that"
                " holds them and their photos, with --source hagrid-photos"
            )
        note = f"pictures without a size in the file are treated as {self.aspect}; z is unknown"
        return Listing(items, notes=[note])

    def read_landmarks(self, item: Item) -> LandmarkClip:
        """Read a box."""
        name, entry = entries_of(item.path)[item.part >> _BITS]
        box = item.part & _BOX
        marks = _marks(entry, box)
        hands = [self._hand(marks, entry, box)] if marks else []
        known = {"picture": name, "bbox": entry["bboxes"][box], "landmarks": marks}
        text = json.dumps(known, sort_keys=True).encode("utf-8", "surrogatepass")
        return LandmarkClip(sha256(text).hexdigest(), [(0.0, hands)])

    def _hand(self, marks: Any, entry: Mapping[str, Any], box: int) -> Hand:
        try:
            xy = np.array(marks, np.float64)
        except (ValueError, TypeError, OverflowError) as error:
            raise InvalidDataError("its landmarks are not 21 pairs of numbers") from error
        if xy.shape not in ((21, 2), (21, 3)):
            raise InvalidDataError(f"its landmarks are {xy.shape}, expected (21, 2)")
        require_within(xy[:, :2], 20, "shares of the picture in [0, 1]")
        image = np.full((21, 3), np.nan, np.float32)
        image[:, :2] = xy[:, :2] * (1, _size_ratio(entry) or height_in_widths(self.aspect))
        return Hand(image, np.full((21, 3), np.nan, np.float32), _right(entry, box))


_BITS, _BOX = 6, 63
"""An item's part is the number of its entry and, in the lowest bits, of its box."""


def _is_annotation(path: Path) -> bool:
    return path.suffix.lower() == ".json" and bool(_START.match(read_start(path, 4096)))


def has_boxes(path: Path) -> bool:
    """Say whether a file begins as annotations do, with landmarks or without: boxes and people."""
    head = read_start(path)
    return bool(_START.match(head)) and all(
        b'"%b"' % key in head for key in (b"bboxes", b"labels", b"user_id")
    )


def _looks_right(head: bytes) -> bool:
    return bool(_START.match(head)) and b'"bboxes"' in head and b'landmarks"' in head


def entries_of(path: Path) -> list[_Entry]:
    """Return what a file says of each picture; the last two files are kept."""
    return _parsed(path, file_stamp(path))


@lru_cache(maxsize=2)
def _parsed(path: Path, _stamp: tuple[int, int]) -> list[_Entry]:
    try:
        parsed = json.loads(read_bytes(path).decode("utf-8-sig"))
    except (ValueError, RecursionError, MemoryError) as error:
        raise InvalidDataError(f"it is not whole JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise InvalidDataError("it is not a JSON object of pictures")
    return list(parsed.items())


def has_landmarks(entries: Iterable[Any]) -> bool:
    """Say whether one of some pictures has landmarks."""
    return any(isinstance(e, dict) and any(k in e for k in _LANDMARKS) for e in entries)


def entries_in(path: Path) -> dict[str, Any]:
    """Return what a file says of each picture; nothing if it is damaged."""
    try:
        return dict(entries_of(path))
    except InvalidDataError:
        return {}


def _items(name: str, path: Path) -> Iterator[Item]:
    try:
        entries = entries_of(path)
    except InvalidDataError as error:
        yield BadItem(path, name, "unknown", reason=str(error))
        return
    split = split_in_folders(name)
    found = (item for at, entry in enumerate(entries) for item in _boxes(path, at, *entry))
    for number, item in enumerate(found):
        yield replace(item, source=f"{name}#{number}", split=split)


def split_in_folders(name: str) -> str:
    """Return the split that the nearest folder of a file means; empty if none does."""
    folders = reversed(PurePosixPath(name).parts[:-1])
    return next((_SPLITS[part.lower()] for part in folders if part.lower() in _SPLITS), "")


def boxes_problem(entry: Any) -> str:
    """Say what keeps the boxes and labels of a picture from belonging together."""
    if not isinstance(entry, dict):
        return "it is not a JSON object"
    boxes, labels = entry.get("bboxes"), entry.get("labels")
    if not (isinstance(boxes, list) and isinstance(labels, list) and len(boxes) == len(labels)):
        return "it needs a label for each of its bboxes"
    if len(boxes) > _BOX or not all(isinstance(x, str) and x.strip() for x in labels):
        return "its labels are not words"
    return ""


def _problem(entry: Any) -> str:
    """Say what keeps the boxes, labels and landmarks of a picture from belonging together."""
    if reason := boxes_problem(entry):
        return reason
    marks, boxes = _all_marks(entry), entry["bboxes"]
    if marks and not (isinstance(marks, list) and len(marks) == len(boxes)):
        return "it needs landmarks, or an empty list, for each of its bboxes"
    return ""


def _boxes(path: Path, at: int, picture: str, entry: Any) -> Iterator[Item]:
    """Yield the boxes of a picture; the caller knows what they are called."""
    reason = _problem(entry)
    if reason:
        yield BadItem(path, "", "unknown", reason=f"picture {picture}: {reason}")
        return
    for box, label in enumerate(labels_of(entry)):
        yield Item(
            path, "", label, group=person_of(entry), recording=picture, part=at << _BITS | box
        )


def labels_of(entry: Mapping[str, Any]) -> list[str]:
    """Return the label of each box of a picture."""
    return [NONE_LABEL if name == _NO_GESTURE else name for name in entry["labels"]]


def person_of(entry: Mapping[str, Any]) -> str:
    """Return the person in a picture; empty if it is not said."""
    user = entry.get("user_id")
    return str(user) if isinstance(user, str | int) else ""


def _all_marks(entry: Mapping[str, Any]) -> Any:
    return next((entry[key] for key in _LANDMARKS if entry.get(key)), None)


def _marks(entry: Mapping[str, Any], box: int) -> Any:
    """Return the landmarks of a box, None where there are none."""
    marks = _all_marks(entry)
    return (marks[box] or None) if marks else None


def _size_ratio(entry: Mapping[str, Any]) -> float | None:
    """Return height / width of the picture, None where it is not said."""
    size = entry.get("image_size") or entry.get("image size")
    if not (isinstance(size, list) and len(size) == 2):
        size = [entry.get("width"), entry.get("height")]
    try:
        width, height = (float(side) for side in size)
        ratio = height / width
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        return None
    return ratio if width > 0 and 0.01 <= ratio <= 100 else None


def _right(entry: Mapping[str, Any], box: int) -> float:
    """Return the probability of a right hand, NaN where it is not said of this hand."""
    labels, side = entry["labels"], entry.get("leading_hand")
    gestures = [number for number, label in enumerate(labels) if label != _NO_GESTURE]
    if gestures != [box] or side not in ("left", "right"):
        return nan
    confidence = entry.get("leading_conf", 1.0)
    if not (isinstance(confidence, int | float) and 0.5 <= confidence <= 1):
        confidence = 1.0
    return float(confidence) if side == "right" else 1 - float(confidence)
