"""COCO's JSON of boxes and categories, and LabelMe's JSON beside each picture."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import isfinite
from pathlib import Path, PurePosixPath
from typing import Any

from handlore.landmarks.untrusted import parse_json

from ..files import read_bytes, read_start
from ._annotations import AnnotatedSource, Entry, ListFile, box_from, read_each
from .base import SOURCES, HandBox

_MAX_LABELME_BYTES = 32 << 20
"""LabelMe may put the picture itself into the JSON."""


@SOURCES.register
@dataclass(frozen=True)
class _Coco(AnnotatedSource):
    """Pictures with COCO's JSON: images, annotations with boxes, and categories.

    Each annotation is a sample with the name of its category; boxes are used where the hand is not
    found in the whole picture. Keypoints in it are not used. The names of the JSON files or of
    their folders set the split: instances_train.json, valid/_annotations.coco.json. The list of
    pictures that CreateML writes (image, annotations of label and coordinates) is read, too.
    """

    name = "coco"
    layout = "*.jpg with a .json of images, annotations and categories"
    specificity = 9

    def lists(self, root: Path, files: Sequence[str]) -> list[ListFile]:
        """Return the JSON files of annotations."""
        return read_each(files, ".json", partial(_coco, root))


def _coco(root: Path, name: str) -> ListFile | None:
    start = read_start(Path(root) / name)
    createml = b'"annotations"' in start and b'"coordinates"' in start
    coco = any(key in start for key in (b'"annotations"', b'"categories"', b'"images"'))
    if not (coco or createml):
        return None
    found = parse_json(read_bytes(Path(root) / name))
    entries = list(_of_coco(found) if isinstance(found, dict) else _of_createml(found))
    if isinstance(found, dict) and not {"images", "annotations", "categories"} <= set(found):
        return None
    return ListFile(name, entries, "" if entries else "it has no annotation with a category")


def _rows(value: Any) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _of_coco(found: Mapping[str, Any]) -> Iterator[Entry]:
    files = {_key(row.get("id")): row.get("file_name") for row in _rows(found.get("images"))}
    names = {_key(row.get("id")): row.get("name") for row in _rows(found.get("categories"))}
    for row in _rows(found.get("annotations")):
        file, label = files.get(_key(row.get("image_id"))), names.get(_key(row.get("category_id")))
        if isinstance(file, str) and isinstance(label, str) and label.strip():
            yield Entry(file, label, box=box_from(row.get("bbox")))


def _of_createml(found: Any) -> Iterator[Entry]:
    for row in _rows(found):
        for one in _rows(row.get("annotations")):
            label, place = one.get("label"), one.get("coordinates")
            if isinstance(row.get("image"), str) and isinstance(label, str):
                keys = ("x", "y", "width", "height")
                box = box_from([place.get(k) for k in keys]) if isinstance(place, dict) else None
                centred = box and (box[0] - box[2] / 2, box[1] - box[3] / 2, box[2], box[3])
                yield Entry(row["image"], label, box=centred)


def _key(value: Any) -> str:
    return str(value) if isinstance(value, str | int) else ""


@SOURCES.register
@dataclass(frozen=True)
class _Labelme(AnnotatedSource):
    """Pictures with LabelMe's JSON beside each: shapes with a label and points.

    Each shape is a sample; its bounding box is used where the hand is not found in the whole
    picture.
    """

    name = "labelme"
    layout = "*.jpg with a .json of the same name: shapes, imagePath"
    specificity = 9

    def lists(self, root: Path, files: Sequence[str]) -> list[ListFile]:
        """Return the JSON files with shapes."""
        return read_each(files, ".json", partial(_labelme, root))


def _labelme(root: Path, name: str) -> ListFile | None:
    if b'"shapes"' not in read_start(Path(root) / name):
        return None
    found = parse_json(read_bytes(Path(root) / name), _MAX_LABELME_BYTES)
    entries = list(_of_labelme(found, name)) if isinstance(found, dict) else []
    return ListFile(name, entries, "" if entries else "it has no shape with a label")


def _of_labelme(found: Mapping[str, Any], name: str) -> Iterator[Entry]:
    given = found.get("imagePath")
    file = given if isinstance(given, str) and given else PurePosixPath(name).stem
    for shape in _rows(found.get("shapes")):
        label, points = shape.get("label"), shape.get("points")
        if isinstance(label, str) and label.strip() and isinstance(points, list):
            yield Entry(file, label, box=_around(points))


def _around(points: Sequence[Any]) -> HandBox | None:
    pairs = [p for p in points if isinstance(p, list) and len(p) == 2]
    flat = [value for pair in pairs for value in pair]
    if not pairs or not all(isinstance(v, int | float) and isfinite(v) for v in flat):
        return None
    xs, ys = [p[0] for p in pairs], [p[1] for p in pairs]
    return box_from([min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)])
