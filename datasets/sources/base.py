"""What a source is: it reads the items of one layout."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar
from unicodedata import normalize

from handlore.landmarks.detector import DetectorInfo
from handlore.landmarks.errors import HandloreError, OptionError, counted, shell_line
from handlore.landmarks.hands import Hand, Pixels
from handlore.landmarks.registry import Registry
from handlore.landmarks.untrusted import printable

from ..dataset import LandmarkDataset, Unit, listed
from ..kinds import Kind
from ..layouts.folders import FileFacts
from ..layouts.words import SPLITS, LabelReading
from ..pictures import picture_and_digest


@dataclass(frozen=True)
class Item:
    """One picture or clip of a source, not read yet."""

    path: Path
    """The file."""
    source: str
    """The file relative to the source's folder, with forward slashes; ``#`` and a number follow
    where one file holds many items."""
    label: str
    group: str = ""
    session: str = ""
    recording: str = ""
    split: str = ""

    part: int = 0
    """Which item of its file it is, where one file holds many."""

    def __post_init__(self) -> None:
        # A letter with an accent is one character, or two labels could look the same.
        object.__setattr__(self, "label", normalize("NFC", self.label))


HandBox = tuple[float, float, float, float]
"""Left, top, width and height of the box around a hand in a picture."""


def box_between(left: float, top: float, right: float, bottom: float) -> HandBox | None:
    """Return the box between two corners; None if it is empty."""
    return (left, top, right - left, bottom - top) if right > left and bottom > top else None


@dataclass(frozen=True)
class Clip:
    """The pictures in one item."""

    sha256: str
    """Digest of the file, or of the part of it that is the item."""
    frames: Iterator[tuple[float, Pixels]]
    """Seconds from the start, and the picture."""
    box: HandBox | None = None
    """Where the hand is said to be in a picture, in pixels."""


@dataclass(frozen=True)
class LandmarkClip:
    """The landmarks in one item of a source that brings its own."""

    sha256: str
    """Digest of the file, or of the part of it that is the item."""
    frames: Sequence[tuple[float, Sequence[Hand]]]
    """Seconds from the start, and the hands; empty where none was found. Frames of reference as in
    :class:`~handlore.landmarks.hands.Hand`; what is not known is NaN."""


@dataclass(frozen=True)
class Listing:
    """What a source finds in a folder, in one walk over its files."""

    items: Sequence[Item]
    """What can be read, in an order that does not depend on the file system."""
    left_out: Sequence[str] = ()
    """Files of the source's kind that do not fit its layout, relative to the folder."""
    notes: Sequence[str] = ()
    """What was decided for this folder: shown to the person, and kept in the dataset's log."""
    detector: DetectorInfo | None = None
    """What found the landmarks that the source brings, where that is known."""
    dataset: LandmarkDataset | None = None
    """Samples that need no reading, of a source whose files are datasets; beside the items."""

    doubt: str = ""
    """Why the labels may not be what anybody meant: nothing is converted then."""

    readings: Sequence[LabelReading] = ()
    """What may be meant instead, the most likely first."""

    @property
    def n_items(self) -> int:
        """How many items there are, samples that need no reading included."""
        return len(self.items) + (self.dataset.n_samples if self.dataset else 0)

    @property
    def labels(self) -> list[str]:
        """The different labels, sorted."""
        ready = self.dataset.labels if self.dataset else []
        return sorted({item.label for item in self.items} | set(ready))


@dataclass(frozen=True)
class Source:
    """A layout of files on disk. Its fields are its options, which need defaults and a help text.

    The first line of the class's docstring is what ``handlore sources`` prints; the whole of it
    is shown by ``handlore sources NAME``.
    """

    name: ClassVar[str]
    layout: ClassVar[str]
    """The layout in one line."""
    kind: ClassVar[Kind] = "pose"
    specificity: ClassVar[int] = 0
    """Of several sources that fit a folder, the one with the highest number is used."""
    brings_landmarks: ClassVar[bool] = False
    """Whether it reads as :class:`LandmarkClip`; then no detector is opened."""
    image_unit: ClassVar[Unit] = "width"
    """The unit of the image landmarks that it brings."""
    silhouettes: ClassVar[bool | None] = None
    """Whether its pictures are silhouettes; None: decided picture by picture."""
    is_whole: ClassVar[bool] = False
    """Whether a folder or a file in it has no layout by itself: the error then names the whole.
    For sources that recognise a folder by a few names, without a walk."""

    def fits(self, root: Path) -> bool:
        """Say whether a folder has this layout. Looks at names, and at a few files at most."""
        raise NotImplementedError

    def why_not(self, root: Path) -> str:
        """Say why a file that looks like one of this layout is none; nothing if it does not.

        Shown where no source fits.
        """
        return ""

    def scan(self, root: Path) -> Listing:
        """List the items of a folder, and what was left out.

        Raises
        ------
        HandloreError
            If the folder or an option cannot be used.
        """
        raise NotImplementedError

    def read(self, item: Item) -> Clip | LandmarkClip:
        """Read one item.

        Raises
        ------
        InvalidDataError
            If it cannot be read; the message does not repeat the path.
        """
        pixels, sha256 = picture_and_digest(item.path)
        return Clip(sha256, iter([(0.0, pixels)]))


class UnclearLabelsError(HandloreError):
    """The folders of a source may not be the labels that anybody meant.

    The message has the commands for what may be meant; ``out`` is the file that they write.
    """

    def __init__(self, source: Source, root: Path, listing: Listing, out: str = "OUT.npz") -> None:
        self._of = source, root, listing
        commands = (
            f"`{_command(source, root, out, reading)}` (labels {_listed(reading.labels)})"
            for reading in listing.readings
        )
        left = f" ({_not_read(listing.left_out)})" if listing.left_out else ""
        meant = f"say what is meant: {', or '.join(commands)}"
        super().__init__(f"{root}: {listing.doubt}{left}; {meant}")

    def writing(self, out: Path) -> "UnclearLabelsError":
        """Return the error with commands that write a file."""
        return UnclearLabelsError(*self._of, str(out))


def _command(source: Source, root: Path, out: str, reading: LabelReading) -> str:
    words = ["handlore", "convert", str(root), out, "--source", source.name]
    for name, value in reading.options.items():
        words += [flag(name), value]
    return shell_line(*words)


def _listed(labels: Sequence[str]) -> str:
    return listed([printable(label) for label in labels])


def not_listed(names: Iterable[str], items: Iterable[Item]) -> list[str]:
    """Return the names that are not those of items."""
    used = {source for item in items for source in (item.source, item.source.rpartition("#")[0])}
    return [name for name in names if name not in used]


def option(default: Any, help_text: str) -> Any:
    """Return a dataclass field that is an option of a source."""
    return field(default=default, metadata={"help": help_text})


_NAMED = ("label", "group", "session", "recording", "split")
"""The groups that a name pattern may have."""

LABEL_HELP = "The label of everything in SOURCE; folders are not read for it."

PATTERN_HELP = (
    "Regular expression with named groups label, group, session, recording, split,"
    " searched for in the path below SOURCE."
)


class NamePattern:
    """What a regular expression reads from the path of a file; an empty one reads nothing."""

    def __init__(self, text: str) -> None:
        try:
            self._pattern = re.compile(text)
        except (re.error, OverflowError, RecursionError) as error:
            raise OptionError(
                f"--name-pattern {text!r} is not a regular expression: {error}"
            ) from error
        groups = set(self._pattern.groupindex)
        self.has_label = "label" in groups
        if text and (not groups or groups - set(_NAMED)):
            found = ", ".join(sorted(groups - set(_NAMED))) or "none"
            raise OptionError(
                f"--name-pattern needs named groups such as (?P<label>...), out of"
                f" {', '.join(_NAMED)}; it has {found}"
            )

    def read(self, path: str) -> dict[str, str] | None:
        """Return what it reads from a path; None if it is not found there."""
        match = self._pattern.search(path)
        if match is None:
            return None
        named = {name: text for name, text in match.groupdict().items() if text}
        if "split" in named:
            named["split"] = SPLITS.get(named["split"].lower(), named["split"])
        return named


def file_facts(
    files: Sequence[str],
    root: Path,
    pattern: str = "",
    label: str = "",
    *,
    of_stem: Callable[[str], str] | None = None,
) -> FileFacts:
    """Return the labels of files by what a person asked for, and by their folders.

    ``pattern`` is a name pattern, ``label`` one label for all; ``of_stem`` reads a label from a
    file's own name.
    """
    read = NamePattern(pattern)

    def named(file: str) -> dict[str, str] | None:
        columns = read.read(file)
        return columns if columns is None or not label else columns | {"label": label}

    has_label = read.has_label or bool(label)
    name = Path(root).resolve().name
    return FileFacts.read(files, name, named, has_label=has_label, label_of_stem=of_stem)


def _check(source: Any) -> None:
    if not isinstance(source, type) or not issubclass(source, Source):
        raise TypeError(f"{source!r} is not a subclass of Source")
    if not isinstance(getattr(source, "layout", None), str):
        raise TypeError(f"{source.__qualname__} has no layout")
    for given in fields(source):
        if "help" not in given.metadata:
            raise TypeError(f"the option {given.name} of {source.name} is not made by option()")


SOURCES: Registry[type[Source]] = Registry("source", "handlore.datasets.sources", _check)
"""All layouts, those of other packages too (entry points ``handlore.sources``)."""


def make_source(name: str, options: Mapping[str, Any] | None = None) -> Source:
    """Make a source by name, with its options.

    Raises
    ------
    HandloreError
        If the source does not have one of the options.

    Examples
    --------
    >>> source = handlore.make_source("images", {"name_pattern": "_(?P<group>p..)_"})
    >>> source.layout
    '<label>/*.jpg or train|val|test/<label>/*.jpg'
    """
    kind, options = SOURCES[name], options or {}
    known = {option.name for option in fields(kind)}
    for given in options:
        if given not in known:
            own = ", ".join(flag(option) for option in sorted(known)) or "none"
            raise HandloreError(f"source {name} has no option {flag(given)}; it has: {own}")
    return kind(**options)


def _not_read(files: Sequence[str]) -> str:
    """Say which files count for nothing: those of the other kind, if videos are among pictures."""
    n_files = counted(len(files), "other file")
    return f"{n_files}, such as {printable(files[0])}, would be left out: {endings_of(files)}"


def endings_of(files: Sequence[str]) -> str:
    """Return the endings of files in words."""
    return ", ".join(sorted({Path(file).suffix.lower() or "no ending" for file in files})[:6])


def flag(name: str) -> str:
    """Return the name of an option on the command line."""
    return "--" + name.replace("_", "-")
