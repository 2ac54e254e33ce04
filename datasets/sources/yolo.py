"""YOLO's layout, as Roboflow and Ultralytics export it: pictures, and a text of boxes for each."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..files import is_picture, read_start
from ._annotations import AnnotatedSource, Entry, ListFile
from .base import SOURCES

# Possessive: else a row of a million digits takes the square of them.
_NUMBER = r"-?(?:\d++(?:\.\d++)?|\.\d++)(?:[eE]-?\d++)?"
_ROW = re.compile(rf"(\d++)((?:\s++{_NUMBER}){{4,}})\s*+")
_MAX_LABELS = 1 << 20


@SOURCES.register
@dataclass(frozen=True)
class _Yolo(AnnotatedSource):
    """Pictures with YOLO's labels: data.yaml or classes.txt, images/ and labels/*.txt.

    Each row of a text, class x y width height as shares of the picture, is a sample with the name
    of its class; a picture with several hands has several samples. Boxes are used where the hand
    is not found in the whole picture. Further numbers in a row (21 points of pose labels,
    polygons) are not used. Pictures without a row are left out. Folders train, valid and test set
    the split.
    """

    name = "yolo"
    layout = "[train|valid|test/]images/*.jpg, labels/*.txt, and data.yaml or classes.txt"
    specificity = 9

    def lists(self, root: Path, files: Sequence[str]) -> list[ListFile]:
        """Return the texts of the pictures."""
        names = _class_names(root, files)
        pictures = {file.rpartition(".")[0]: file for file in files if is_picture(Path(file))}
        texts = [file for file in files if file.endswith(".txt")]
        paired = [(text, _picture_of(text, pictures)) for text in texts]
        found = [(text, picture) for text, picture in paired if picture]
        if not names and not any("/labels/" in f"/{text}" for text, _ in found[:1]):
            return []
        return [_read(root, text, picture, names) for text, picture in found]


def _picture_of(text: str, pictures: dict[str, str]) -> str:
    """Return the picture of a text: in the folder images beside labels, or beside the text."""
    stem = text.removesuffix(".txt")
    parts = ["images" if part == "labels" else part for part in PurePosixPath(stem).parts]
    return pictures.get("/".join(parts)) or pictures.get(stem) or ""


def _class_names(root: Path, files: Sequence[str]) -> list[str]:
    """Return the names of the classes in data.yaml, or line by line in classes.txt."""
    for file in files:
        name = PurePosixPath(file).name.lower()
        if name in ("classes.txt", "obj.names", "classes.names", "_darknet.labels"):
            text = read_start(Path(root) / file, _MAX_LABELS).decode("utf-8-sig", "replace")
            return [line.strip() for line in text.splitlines() if line.strip()]
        if name.endswith((".yaml", ".yml")):
            text = read_start(Path(root) / file, _MAX_LABELS).decode("utf-8-sig", "replace")
            names = _yaml_names(text)
            if names:
                return names
    return []


def _yaml_names(text: str) -> list[str]:
    """Return the list or mapping ``names`` of YAML as these tools write it, read as plain text."""
    inline = re.search(r"^names:\s*+([\[{])", text, re.MULTILINE)
    inside = re.split(r"[\]}]", text[inline.end() :], maxsplit=1) if inline else []
    if inline and len(inside) == 2:
        cells = re.findall(r"'([^']*)'|\"([^\"]*)\"|([^,\s][^,]*)", inside[0])
        values = [next(filter(None, cell), "").strip() for cell in cells]
        if inline[1] == "{":
            values = [value.partition(":")[2].strip(" '\"") for value in values]
        return values
    block = re.search(r"^names:[ \t]*\r?\n((?:[ \t]*(?:-|\d+\s*:).*\r?\n?)+)", text, re.MULTILINE)
    rows = re.findall(r"^[ \t]*+(?:-|\d++\s*+:)(.*)$", block[1] if block else "", re.M)
    return [re.split(r"\s#", row, maxsplit=1)[0].strip().strip("'\"") for row in rows]


def _read(root: Path, text: str, picture: str, names: Sequence[str]) -> ListFile:
    start = read_start(Path(root) / text, _MAX_LABELS).decode("utf-8-sig", "replace")
    entries = list(_entries(start, picture, names))
    return ListFile(text, entries, "" if entries or not start.strip() else "it holds no boxes")


def _entries(text: str, picture: str, names: Sequence[str]) -> Iterator[Entry]:
    for line in text.splitlines():
        row = _ROW.fullmatch(line.strip())
        if not row:
            continue
        number = int(row[1]) if len(row[1]) < 6 else len(names)
        if names and number >= len(names):
            continue
        numbers = [float(value) for value in row[2].split()]
        if len(numbers) > 4 and len(numbers) % 2 == 0 and _is_polygon(numbers):
            xs, ys = numbers[::2], numbers[1::2]
            box = (min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
        else:
            x, y, width, height = numbers[:4]
            box = (x - width / 2, y - height / 2, width, height)
        label = names[number] if names else str(number)
        yield Entry(picture, label, box=box)


def _is_polygon(numbers: Sequence[float]) -> bool:
    """Say whether numbers are corners and no box with points: a box has 4 + 21 * 2 or * 3."""
    return len(numbers) not in (46, 67)
