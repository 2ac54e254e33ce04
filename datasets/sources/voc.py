"""Pascal VOC's XML beside each picture, as labelImg and Roboflow write it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from pathlib import Path, PurePosixPath

from ..files import is_picture, read_start
from ._annotations import AnnotatedSource, Entry, ListFile, read_each
from .base import SOURCES, HandBox, box_between

_MAX_BYTES = 1 << 20


@SOURCES.register
@dataclass(frozen=True)
class _Voc(AnnotatedSource):
    """Pictures with Pascal VOC's XML for each: objects with a name and a box.

    The XML is beside the picture, or in a folder of its own (Annotations, JPEGImages), and has
    its name. Each object is a sample; its box is used where the hand is not found in the whole
    picture. Folders train, valid and test set the split.
    """

    name = "voc"
    layout = "*.jpg with a .xml of the same name: annotation, object, name, bndbox"
    specificity = 9

    def lists(self, root: Path, files: Sequence[str]) -> list[ListFile]:
        """Return the XML files of annotations."""
        stems = {PurePosixPath(file).stem for file in files if is_picture(Path(file))}
        return read_each(files, ".xml", lambda file: _read(root, file, stems))


def _read(root: Path, name: str, stems: set[str]) -> ListFile | None:
    text = read_start(Path(root) / name, _MAX_BYTES).decode("utf-8-sig", "replace")
    if "<annotation" not in text[:2000]:
        return None
    # Tools that rename pictures leave the old name inside.
    own = name.rpartition(".")[0]
    picture = own if PurePosixPath(own).name in stems else _inside(text, "filename") or own
    entries = list(_objects(text, picture))
    return ListFile(name, entries, "" if entries else "it has no object with a name")


def _objects(text: str, picture: str) -> Iterator[Entry]:
    for part in text.split("<object>")[1:]:
        inner, end, _ = part.partition("</object>")
        label = _inside(inner, "name") if end else ""
        if label:
            yield Entry(picture, label, box=_box(inner))


def _inside(text: str, tag: str) -> str:
    """Return what is in the first element of a name."""
    found = re.search(rf"<{tag}>([^<]*)</{tag}>", text)
    return unescape(found[1]).strip() if found else ""


def _box(text: str) -> HandBox | None:
    corners = [_inside(text, tag) for tag in ("xmin", "ymin", "xmax", "ymax")]
    if not all(re.fullmatch(r"-?\d{1,6}(?:\.\d{1,9})?", corner) for corner in corners):
        return None
    return box_between(*map(float, corners))
