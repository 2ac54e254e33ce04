"""The photos of HaGRID with its annotations: the boxes of hands, their labels and the person."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path, PurePosixPath

from handlore.landmarks.errors import counted

from ..files import MAX_LISTED, is_picture, walk
from ._annotations import AnnotatedSource, Entry, ListFile, box_from, read_each
from .base import SOURCES, Listing, NamePattern
from .hagrid import (
    boxes_problem,
    entries_in,
    entries_of,
    has_boxes,
    has_landmarks,
    labels_of,
    person_of,
    split_in_folders,
)

_DEPTH = 3
"""How many folders down annotations are looked for: annotations/train/call.json is two."""


@SOURCES.register
@dataclass(frozen=True)
class _HagridPhotos(AnnotatedSource):
    """HaGRID's photos with its annotations: <label>.json with boxes, labels and people.

    The annotations of both versions, with landmarks and without, in any folder beside the photos or
    around them; a photo is found by its name. Each box is a sample with the label it has;
    no_gesture becomes none. Boxes are used where the hand is not found in the whole picture. The
    group is user_id; a folder train, val, test, ann_train_val or ann_test of the annotations is the
    split. Landmarks in the annotations are not used (--source hagrid reads them): those found in
    the photos have depth and world landmarks. Photos of which nothing is said are left out.

    A. Kapitanov, K. Kvanchiani, A. Nagaev, R. Kraynov, A. Makhliarchuk, "HaGRID - HAnd Gesture
    Recognition Image Dataset", WACV 2024.
    """

    name = "hagrid-photos"
    layout = "<label>/*.jpg with [train|val|test/]<label>.json: {uuid: {bboxes, labels, user_id}}"
    specificity = 11

    def fits(self, root: Path) -> bool:
        """Say whether annotations name most of the photos, with several labels."""
        if NamePattern(self.name_pattern).has_label:
            return False  # the labels are wanted from the names, not from the annotations
        found = [path for path in _json_files(root) if has_boxes(path)]
        if not found:
            return False
        files = [Path(file) for file in islice(walk(root), MAX_LISTED)]
        photos = Counter(file.stem for file in files if is_picture(file))
        entries = dict(entry for path in found for entry in entries_in(path).items())
        named = [stem for stem, n in photos.items() if n == 1 and stem in entries]
        if not named or 2 * len(named) < photos.total():
            return False
        is_part = len(files) < MAX_LISTED and 2 * len(named) < len(entries)
        if is_part and has_landmarks(entries.values()):
            return False  # a few photos beside many landmarks
        whole = (entries[name] for name in named if not boxes_problem(entries[name]))
        return len({label for entry in whole for label in labels_of(entry)}) > 1

    def why_not(self, root: Path) -> str:
        """Say what annotations need that have neither landmarks nor photos."""
        files = [root] if root.is_file() else _json_files(root)
        if not any(has_boxes(path) for path in files):
            return ""
        return (
            f"{root} holds HaGRID's annotations, but no landmarks and no photos that they name; put"
            " the photos beside them, and convert the folder that holds both"
        )

    def lists(self, root: Path, files: Sequence[str]) -> list[ListFile]:
        """Return the annotations."""
        return read_each(files, ".json", lambda name: _read(Path(root) / name, name))

    def scan(self, root: Path) -> Listing:
        """List the boxes; the folder of a photo is its split, if that of its annotation is none."""
        listing = super().scan(root)
        items = (
            item if item.split else replace(item, split=split_in_folders(item.source))
            for item in listing.items
        )
        return replace(listing, items=list(items))


def _json_files(root: Path) -> Iterator[Path]:
    """Yield JSON files near the top; folders may hold half a million photos before them."""
    return chain.from_iterable(
        sorted(root.glob("*/" * depth + "*.json")) for depth in range(_DEPTH + 1)
    )


def _read(path: Path, name: str) -> ListFile | None:
    if not has_boxes(path):
        return None
    gesture, split = PurePosixPath(name).stem, split_in_folders(name)
    problems = {picture: boxes_problem(entry) for picture, entry in entries_of(path)}
    entries = [
        Entry(f"{gesture}/{picture}", label, person_of(entry), split, box=box_from(box))
        for picture, entry in entries_of(path)
        if not problems[picture]
        for label, box in zip(labels_of(entry), entry["bboxes"], strict=True)
    ]
    if not entries:
        return ListFile(name, problem="it has no picture with boxes and labels")
    wrong = [f"picture {picture}: {problem}" for picture, problem in problems.items() if problem]
    n_wrong = counted(len(wrong), "entry", "entries")
    note = f"{n_wrong} not used, such as {wrong[0]}" if wrong else ""
    return ListFile(name, entries, note=note)
