"""What the sources with labels beside the media share: entries, the files they mean, parts."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from handlore.landmarks.errors import HandloreError, InvalidDataError, counted
from handlore.landmarks.hands import Pixels
from handlore.landmarks.untrusted import printable

from ..dataset import listed
from ..files import MAX_LISTED, is_picture, is_video, parent_of, walk
from ..layouts.media_index import MediaIndex, split_of_list
from ..layouts.words import SPLITS
from ..pictures import picture_and_digest
from ..videos import FrameSelection, Span, read_video
from ._spans import AnnotatedItem, about_spans, length_of, of_span, span_problem, with_rest
from .base import (
    PATTERN_HELP,
    Clip,
    HandBox,
    Item,
    Listing,
    NamePattern,
    Source,
    file_facts,
    option,
)
from .videos import Frames

MAX_LIST_BYTES = 64 << 20
"""Most bytes of a list file."""

_NAMES_CLASSES = re.compile(r"(?:^|/)(?:[^/]*\.ya?ml|classes\.txt|obj\.names|[^/]*\.labels)$", re.I)
"""Files that name the classes of YOLO, or say where its folders are."""
_NAMES_LABELS = re.compile(r"class|label|gloss|categor", re.IGNORECASE)
"""Lists that may hold the names of the labels, and no files at all."""
_MOST_SEEN = 300
"""How many files that are no media are looked at to recognise a layout."""


@dataclass(frozen=True)
class Entry:
    """What a list says of one file, or of a part of it."""

    name: str
    """The file, as the list writes it; backslashes and missing endings are understood."""
    label: str
    group: str = ""
    split: str = ""
    session: str = ""
    box: HandBox | None = None
    """Where the hand is: in pixels, or in shares of the picture if all are at most 1."""
    span: Span | None = None


@dataclass(frozen=True)
class ListFile:
    """A list and what it says; ``problem`` is why it says nothing, ``note`` what is not used."""

    name: str
    entries: Sequence[Entry] = ()
    problem: str = ""
    note: str = ""


def box_from(value: Any) -> HandBox | None:
    """Return the box of left, top, width and height in a JSON file; None if it is none."""
    if not (isinstance(value, list) and len(value) == 4):
        return None
    if not all(isinstance(v, int | float) and abs(v) < 1e6 for v in value):
        return None
    x, y, width, height = (float(v) for v in value)
    return (x, y, width, height) if width > 0 and height > 0 else None


def read_each(
    files: Sequence[str], ending: str, read: Callable[[str], ListFile | None]
) -> list[ListFile]:
    """Return the lists among the files with an ending.

    ``read`` returns None for other files, and raises HandloreError for a list that is damaged.
    """
    found = []
    for file in files:
        if file.lower().endswith(ending):
            try:
                found.append(read(file))
            except HandloreError as error:
                found.append(ListFile(file, problem=str(error)))
    return [one for one in found if one is not None]


@dataclass(frozen=True)
class _Found:
    """The entries of some lists with the files they mean."""

    items: list[AnnotatedItem] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    """Names in the lists that no file has."""
    torn: list[str] = field(default_factory=list)
    """Files with several labels, and nothing that says which part of the file each is about."""


def _find_entries(root: Path, lists: Sequence[ListFile], index: MediaIndex) -> _Found:
    """Return the items of all entries whose file is there."""
    found = _Found()
    meant: dict[str, list[tuple[Entry, str]]] = defaultdict(list)
    for one in lists:
        split = split_of_list(one.name)
        missing = []
        for entry in one.entries:
            file = index.find(entry.name, parent_of(one.name), split)
            if file is None:
                missing.append(entry.name)
            else:
                meant[file].append((entry, split))
        if len(missing) < len(one.entries) or not _NAMES_LABELS.search(one.name):
            found.missing.extend(missing)
    for file, entries in meant.items():
        if len({entry.label for entry, _ in entries if not (entry.box or entry.span)}) > 1:
            found.torn.append(file)
            continue
        for part, (entry, split) in enumerate(entries):
            whole = len(entries) == 1 and entry.span is None
            source = file if whole else f"{file}#{part}"
            found.items.append(_item(root, file, source, part, entry, split))
    return found


def _item(root: Path, file: str, source: str, part: int, entry: Entry, split: str) -> AnnotatedItem:
    return AnnotatedItem(
        root / file,
        source,
        entry.label,
        entry.group,
        entry.session,
        file if entry.span else "",
        SPLITS.get(entry.split.lower(), entry.split) or split,
        part,
        entry.box,
        entry.span,
    )


@dataclass(frozen=True)
class AnnotatedSource(Source):
    """A source whose labels are in files beside the pictures or videos."""

    name_pattern: str = option("", PATTERN_HELP)

    def lists(self, root: Path, files: Sequence[str]) -> list[ListFile]:
        """Return the lists among the files of a folder, and what they say."""
        raise NotImplementedError

    def fits(self, root: Path) -> bool:
        """Say whether there is a list, and files that it means, or nothing else that has labels."""
        if NamePattern(self.name_pattern).has_label:
            return False  # the labels are wanted from the names, not from a list
        every = list(islice(walk(root), MAX_LISTED))
        media = {file for file in every if is_picture(Path(file)) or is_video(Path(file))}
        texts = [file for file in every if file not in media][:_MOST_SEEN]
        lists = self.lists(root, [*media, *texts]) if media and texts else []
        if not lists:
            return False
        index = MediaIndex(sorted(media))
        entries = [(one, entry) for one in lists for entry in one.entries[:200]]
        named = (
            index.find(e.name, parent_of(one.name), split_of_list(one.name)) for one, e in entries
        )
        if any(self.takes(file) for file in named):
            return True
        # A list that does not fit is named, rather than that folders leave a doubt.
        mine = [file for file in index.files if self.takes(file)]
        return bool(mine) and bool(file_facts(mine, root).doubt)

    def takes(self, file: str | None) -> bool:
        """Say whether a file is of the kind that this source reads."""
        return file is not None and is_picture(Path(file))

    def scan(self, root: Path) -> Listing:
        """List what the lists say of files that are there."""
        files = list(walk(root))
        lists = self.lists(root, files)
        found = _find_entries(Path(root), lists, MediaIndex(files))
        pattern = NamePattern(self.name_pattern)
        mine = (item for item in found.items if self.takes(str(item.path)))
        items = _with_people([_with_name(item, pattern) for item in mine])
        if lists and not items:
            raise HandloreError(_fits_nothing(root, lists, found))
        used = {item.path.relative_to(root).as_posix() for item in items}
        used |= {one.name for one in lists if one.entries}
        used |= {file for file in files if _NAMES_CLASSES.search(file)}
        left_out = [file for file in files if not (file in used or parent_of(file) in used)]
        return Listing(sorted(items, key=_place), left_out, _about(lists, found))

    def read(self, item: Item) -> Clip:
        """Read a picture with the box of its hand."""
        pixels, sha256 = picture_and_digest(item.path)
        box = getattr(item, "box", None)
        if box is None:
            return Clip(sha256, iter([(0.0, pixels)]))
        height, width = pixels.shape[:2]
        x, y, w, h = box
        if max(x, y, w, h) <= 1.0:
            x, y, w, h = x * width, y * height, w * width, h * height
        digest = hashlib.sha256(f"{sha256} {box}".encode()).hexdigest()
        return Clip(digest, iter([(0.0, pixels)]), (x, y, w, h))


@dataclass(frozen=True)
class AnnotatedClips(AnnotatedSource):
    """A source of videos, or parts of them, whose labels are in files beside them."""

    kind = "sequence"

    rest: bool = option(False, "Also cut what is between labelled parts of a video, as `none`.")
    frame_rate: float = option(30.0, "Frames a second of folders of pictures; sets the times.")
    stride: int = option(1, "Read every Nth frame.")

    def __post_init__(self) -> None:
        """Refuse options out of range."""
        Frames(stride=self.stride, frame_rate=self.frame_rate)

    def takes(self, file: str | None) -> bool:
        """Say whether a file is a video or a folder of frames."""
        return file is not None and (is_video(Path(file)) or not PurePosixPath(file).suffix)

    def scan(self, root: Path) -> Listing:
        """List the clips; with ``rest`` also what is between them."""
        listing = super().scan(root)
        cut = [item for item in listing.items if isinstance(item, AnnotatedItem) and item.span]
        if not cut:
            return listing
        paths = dict.fromkeys(item.path for item in cut)
        lengths = {path: length_of(path, self.frame_rate) for path in paths}
        items, notes = listing.items, [*listing.notes, *about_spans(cut, lengths, rest=self.rest)]
        if self.rest:
            items = with_rest(items, lengths)
        else:
            notes.append(
                "what is between the labelled parts is not used; --rest makes it clips of `none`"
            )
        return replace(listing, items=items, notes=notes)

    def read(self, item: Item) -> Clip:
        """Read a video, a folder of frames, or the part of it that is the clip."""
        span = getattr(item, "span", None)
        if span and (why := span_problem(span)):
            raise InvalidDataError(why)
        if item.path.is_dir():
            clip = Frames(stride=self.stride, frame_rate=self.frame_rate).read(item)
            frames = _cut(clip.frames, span, self.frame_rate) if span else clip.frames
            sha256 = clip.sha256
        else:
            frames, sha256 = read_video(item.path, FrameSelection(self.stride, span=span))
        if span:
            frames = of_span(frames, span, item.path, self.frame_rate)
            sha256 = hashlib.sha256(f"{sha256} {span}".encode()).hexdigest()
        return Clip(sha256, frames)


def _cut(
    frames: Iterator[tuple[float, Pixels]], span: Span, frame_rate: float
) -> Iterator[tuple[float, Pixels]]:
    first = None
    for seconds, pixels in frames:
        if span.ended(seconds, round(seconds * frame_rate)):
            return
        if span.begun(seconds, round(seconds * frame_rate)):
            first = seconds if first is None else first
            yield seconds - first, pixels


def _with_name(item: AnnotatedItem, pattern: NamePattern) -> AnnotatedItem:
    """Return an item with the person and so on that a pattern reads in the name of its file."""
    named: dict[str, Any] = {**(pattern.read(item.source) or {})}
    return replace(item, **{name: text for name, text in named.items() if name != "label"})


_WHO = re.compile(r"((?:signer|subject|person|user|participant)[ _-]?\d+)[ _.-]", re.IGNORECASE)
"""A person at the beginning of a name: signer0_sample1."""


def _with_people(items: Sequence[AnnotatedItem]) -> list[AnnotatedItem]:
    """Return items with the people in their names, if all name one and no list does."""
    people = [_WHO.match(item.path.name) for item in items]
    found = [who[1] for who in people if who]
    if any(item.group for item in items) or len(found) < len(items) or len(set(found)) < 2:
        return list(items)
    return [replace(item, group=who) for item, who in zip(items, found, strict=True)]


def _place(item: Item) -> tuple[str, float, int]:
    span = getattr(item, "span", None)
    return str(item.path), span.start if span else 0.0, item.part


def _fits_nothing(root: Path, lists: Sequence[ListFile], found: _Found) -> str:
    bad = next((one for one in lists if one.problem), None)
    if bad and not any(one.entries for one in lists):
        return f"{root}: the list {printable(bad.name)} cannot be used: {bad.problem}"
    names = listed([printable(one.name) for one in lists if one.entries])
    few = f", such as {printable(found.missing[0])}" if found.missing else ""
    return (
        f"{root}: none of {counted(len(found.missing), 'file')} that {names} names is there{few};"
        " put the list beside them, or read the folders with --source images or --source videos"
    )


def _about(lists: Sequence[ListFile], found: _Found) -> list[str]:
    used = [printable(one.name) for one in lists if one.entries]
    few = used[0] if len(used) == 1 else f"{len(used)} files, such as {' '.join(used[:1])}"
    notes = [f"labels are read from {few}"] if used else []
    if found.missing:
        notes.append(
            f"not there: {counted(len(found.missing), 'file')} that the list names, such as"
            f" {printable(found.missing[0])}"
        )
    if found.torn:
        notes.append(
            f"not used: {counted(len(found.torn), 'file')} with several labels in the list, such as"
            f" {printable(found.torn[0])}"
        )
    notes += [f"{printable(one.name)} is not used: {one.problem}" for one in lists if one.problem]
    notes += [f"{printable(one.name)}: {one.note}" for one in lists if one.note]
    return notes
