"""What a source is, and how the right one is found for a folder."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from handlore.landmarks.errors import HandloreError
from handlore.landmarks.registry import Registry

from ..pictures import is_picture, is_video

if TYPE_CHECKING:
    from handlore.landmarks.detector import DetectorInfo
    from handlore.landmarks.hands import Hand, Pixels

    from ..dataset import Kind, Unit


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


@dataclass(frozen=True)
class Clip:
    """The pictures in one item."""

    sha256: str
    """Digest of the file, or of the part of it that is the item."""

    frames: "Iterator[tuple[float, Pixels]]"
    """Seconds from the start, and the picture."""


@dataclass(frozen=True)
class LandmarkClip:
    """The landmarks in one item of a source that brings its own."""

    sha256: str
    """Digest of the file, or of the part of it that is the item."""

    frames: "Sequence[tuple[float, Sequence[Hand]]]"
    """Seconds from the start, and the hands; none where none was found. Frames of reference as in
    :class:`~handlore.landmarks.hands.Hand`, what is not known is NaN."""

    one_hand: bool = False
    """Whether all are one hand that was followed, for whichever side it was taken at times."""


@dataclass(frozen=True)
class Source:
    """A layout of files on disk. Its fields are its options, which need defaults and a help text.

    The first line of the class's docstring is what ``handlore sources`` prints; the whole of it
    is shown by ``handlore sources NAME``.
    """

    name: ClassVar[str]
    layout: ClassVar[str]
    """The layout in one line."""

    kind: ClassVar["Kind"] = "pose"
    specificity: ClassVar[int] = 0
    """Of two sources that fit a folder, the one with the higher number is taken."""

    brings_landmarks: ClassVar[bool] = False
    """Whether it reads as :class:`LandmarkClip`; then no detector is opened."""

    image_unit: ClassVar["Unit"] = "width"
    """The unit of the image landmarks that it brings."""

    silhouettes: ClassVar[bool | None] = None
    """Whether its pictures are silhouettes; None: looked at one by one."""

    def fits(self, root: Path) -> bool:
        """Say whether a folder has this layout. Looks at names, reads no file."""
        raise NotImplementedError

    def items(self, root: Path) -> list[Item]:
        """List the items of a folder, in an order that does not depend on the file system."""
        raise NotImplementedError

    def companion(self, file: str) -> bool:
        """Say whether a picture that is no item belongs to the layout, such as a mask."""
        return False

    def ignored(self, root: Path) -> list[str]:
        """Name the pictures and videos, relative to the folder, that do not fit the layout."""
        taken = {item.path for item in self.items(root)}
        seen = (file for file in walk(root) if is_picture(Path(file)) or is_video(Path(file)))
        return [f for f in seen if root / f not in taken and not self.companion(f)]

    def notes(self, root: Path) -> list[str]:
        """Say what was decided for this folder: for the person, and for the dataset's log."""
        return []

    def detector_of(self, root: Path) -> "DetectorInfo | None":
        """Return what found the landmarks that it brings, where that is known."""
        return None

    def read(self, item: Item) -> Clip | LandmarkClip:
        """Read one item.

        Raises
        ------
        InvalidDataError
            If it cannot be read; the message does not repeat the path.
        """
        from ..pictures import read_picture

        pixels, sha256 = read_picture(item.path)
        return Clip(sha256, iter([(0.0, pixels)]))


def option(default: Any, help_text: str) -> Any:
    """Return a dataclass field that is an option of a source."""
    return field(default=default, metadata={"help": help_text})


MOST_LINKS = 2


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

register = SOURCES.register
"""Short for ``SOURCES.register``, as packages with sources of their own may call it."""


def make_source(name: str, options: Mapping[str, Any]) -> Source:
    """Make a source with options, as a user gives them.

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
    kind = SOURCES[name]
    known = {option.name for option in fields(kind)}
    for given in options:
        if given not in known:
            own = ", ".join(_flag(option) for option in sorted(known)) or "none"
            raise HandloreError(f"source {name} has no option {_flag(given)}; it has: {own}")
    return kind(**options)


def find_source(root: Path, options: Mapping[str, Any] | None = None) -> tuple[str, list[str]]:
    """Recognise the layout of a folder or file, among the sources that have the options given.

    Returns
    -------
    The name of the most specific source that fits, and the others that fit too.

    Raises
    ------
    HandloreError
        If none fits; the message says what was seen and what is known.
    """
    sources, options = SOURCES.entries(), options or {}
    has = {name: {option.name for option in fields(kind)} for name, kind in sources.items()}
    able = [kind for name, kind in sources.items() if set(options) <= has[name]]
    fitting = [kind for kind in able if kind(**options).fits(root)]
    if not fitting:
        plain = [name for name, kind in sources.items() if options and kind().fits(root)]
        raise HandloreError(_unrecognised(root, options, {name: has[name] for name in plain}))
    fitting.sort(key=lambda source: -source.specificity)
    return fitting[0].name, [source.name for source in fitting[1:]]


def _unrecognised(root: Path, options: Mapping[str, Any], plain: Mapping[str, set[str]]) -> str:
    """Say why no source fits; ``plain`` are those that would fit without the options given."""
    for name, has in plain.items():
        foreign = [_flag(option) for option in options if option not in has]
        if foreign:
            return f"{root} is {name}, which has no {', '.join(foreign)}; see `handlore sources`"
        if "name_pattern" in options:
            first = next(files_of(root), ("", root))[0]
            return (
                f"--name-pattern fits none of the files in {root}, such as {first};"
                f" it has to find a label: {options['name_pattern']}"
            )
    what = _KINDS.get(root.suffix.lower()) if root.is_file() else None
    if what:
        return f"{root} is {what}"
    hint = "`handlore sources` lists them"
    if any("/" not in name and is_picture(path) for name, path in files_of(root)):
        hint = f"put pictures into a folder per label, <label>/*.jpg; {hint}"
    return f"{root} has no layout that handlore knows ({_seen(root)}); {hint}"


_KINDS = {
    ".zip": "a zip file; unpack it first",
    ".npz": "an .npz file, as `handlore convert` writes it; see `handlore info`",
    ".onnx": "a model; see `handlore info`",
    **dict.fromkeys(
        (".jpg", ".jpeg", ".png", ".bmp"),
        "a single picture; put pictures into a folder per label, or see `handlore predict`",
    ),
}


def files_of(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield the name relative to the source and the path of all files: of one file, only itself."""
    root = Path(root)
    if root.is_file():
        yield root.name, root
    else:
        yield from ((name, root / name) for name in walk(root))


def walk(root: Path) -> Iterator[str]:
    """Yield all files below a folder, relative to it, sorted; hidden ones are passed over.

    A file has nothing below it.

    Links to folders are followed, except where they lead back to a folder they are in, and at
    most two on the way to a file.
    """
    if Path(root).is_file():
        return
    for path in _walk(Path(root), (), MOST_LINKS):
        yield path.relative_to(root).as_posix()


def _walk(folder: Path, above: tuple[Path, ...], links: int) -> Iterator[Path]:
    real = folder.resolve()
    if real in above:
        return
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise HandloreError(f"cannot read the folder {folder}: {error.strerror}") from error
    shown = [entry for entry in entries if not hidden(entry.name)]
    yield from (Path(entry.path) for entry in shown if not entry.is_dir())
    for entry in shown:
        left = links - entry.is_symlink()
        if entry.is_dir() and left >= 0:
            yield from _walk(Path(entry.path), (*above, real), left)


def hidden(name: str) -> bool:
    """Say whether a name is hidden, or litter that systems leave behind."""
    return name.startswith(".") or name in ("__MACOSX", "Thumbs.db", "desktop.ini")


def _seen(root: Path) -> str:
    files = [name for name, _ in files_of(root)]
    if not files:
        return "it holds no files"
    endings = sorted({Path(file).suffix.lower() or "no ending" for file in files})
    n_files = "1 file" if len(files) == 1 else f"{len(files)} files"
    return f"{n_files}: {', '.join(endings[:6])}"


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
