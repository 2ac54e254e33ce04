"""Pictures and videos with a list of their labels beside them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from ..files import is_picture, read_start
from ..layouts.media_index import MediaIndex
from ..videos import Span
from ._annotations import AnnotatedClips, AnnotatedSource, ListFile
from ._list_files import ENDINGS, read_list
from .base import SOURCES, Listing


def _lists(root: Path, files: Sequence[str]) -> list[ListFile]:
    index = MediaIndex(files)
    pictures = {PurePosixPath(file).stem for file in index.files if is_picture(Path(file))}
    # A text for each picture is YOLO's.
    texts = [file for file in files if PurePosixPath(file).stem not in pictures]
    found = [one for file in texts if (one := read_list(root, file, index)) is not None]
    if found and all(entry.label.isdigit() for one in found for entry in one.entries):
        return _with_class_names(root, files, found)
    return found


def _with_class_names(
    root: Path, files: Sequence[str], lists: Sequence[ListFile]
) -> list[ListFile]:
    """Give numbered labels the names in a list of classes beside them, if there is one."""
    used = {one.name for one in lists}
    for file in files:
        stem = PurePosixPath(file).stem.lower()
        if file in used or not file.lower().endswith(ENDINGS) or not re.search("class|label", stem):
            continue
        names = _class_names(read_start(Path(root) / file).decode("utf-8-sig", "replace"))
        if names and {entry.label for one in lists for entry in one.entries} <= set(names):
            return [
                replace(one, entries=[replace(e, label=names[e.label]) for e in one.entries])
                for one in lists
            ]
    return list(lists)


@SOURCES.register
@dataclass(frozen=True)
class _PictureList(AnnotatedSource):
    """Pictures with a list of file and label: CSV, TSV, semicolons or JSON lines.

    Any usual header is understood (file_name, path, image; label, class, gesture), and a list
    without one if its files are there. Further columns are the person, the split, and the box of
    the hand (xmin, ymin, xmax, ymax). Lists named train, val and test set the split. Hugging
    Face's metadata.csv and metadata.jsonl and Roboflow's _annotations.csv and _classes.csv are
    such lists. Names may be Windows paths, or lack folder and ending.
    """

    name = "picture-list"
    layout = "*.jpg with a .csv, .tsv, .txt or .jsonl of file,label[,person][,split]"
    specificity = 8

    def lists(self, root: Path, files: Sequence[str]) -> list[ListFile]:
        """Return the lists of labels."""
        return _lists(root, files)


@SOURCES.register
@dataclass(frozen=True)
class _ClipList(AnnotatedClips):
    """Videos or folders of frames with a list of file and label, or of start and end.

    As picture-list; Jester's ``id;label`` too. Rows of video, label, start and end cut a long
    video into clips: in seconds, in minutes and seconds with colons, or in frames (where a column
    or its name says so, or the numbers are whole and above 600). IPN Hand's Annot_List and ELAN's
    tab-delimited export are such lists; without a column of files, the video has the list's name.
    --rest makes clips of ``none`` of what is between, so that the video is whole again when it is
    evaluated as a stream.
    """

    name = "clip-list"
    layout = "*.mp4, or folders of frames, with a list of file,label or video,label,start,end"
    specificity = 8

    def lists(self, root: Path, files: Sequence[str]) -> list[ListFile]:
        """Return the lists of labels."""
        return _lists(root, files)

    def scan(self, root: Path) -> Listing:
        """List the clips, and say how times are understood."""
        listing = super().scan(root)
        units = _units_of(listing.items)
        note = [f"start and end are read as {units}"] if units else []
        return replace(listing, notes=[*listing.notes, *note])


def _units_of(items: Iterable[object]) -> str:
    """Say how the times of the parts among some items are understood; nothing without any."""
    spans = (getattr(item, "span", None) for item in items)
    units = {span.unit for span in spans if isinstance(span, Span)}
    return " and ".join(sorted({"s": "seconds", "frame": "frames"}[unit] for unit in units))


def _class_names(text: str) -> dict[str, str]:
    """Return the names of numbered classes: rows of number and name, or names alone from 0."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    pairs = [re.fullmatch(r"(\d+)\s*[,;:\t ]\s*([^,;\t]+).*", line) for line in lines]
    if lines and sum(pair is None for pair in pairs) <= 1:
        return {pair[1]: pair[2].strip() for pair in pairs if pair}
    return {str(number): line for number, line in enumerate(lines)}
