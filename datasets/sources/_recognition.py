"""Which source reads a folder or file: the most specific one whose layout it has."""

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from itertools import islice
from pathlib import Path
from typing import Any

from handlore.landmarks.errors import HandloreError, counted

from ..files import files_of, is_picture, is_video
from .base import SOURCES, Source, endings_of, flag

_READ = (
    "pictures (such as .jpg, .png), videos (.mp4, .avi), tables of landmarks (.csv, .json, .npy)"
    " and archives of them (.zip, .tar)"
)
_KINDS = {
    ".npz": "an .npz file, as `handlore convert` writes it; see `handlore info`",
    ".onnx": "a model; see `handlore info`",
    **dict.fromkeys(
        (".jpg", ".jpeg", ".png", ".bmp"),
        "a single picture; put pictures into a folder per label, or see `handlore predict`",
    ),
}
_LEVELS = 3
"""How many folders around an unknown one are looked at."""
_MOST_AROUND = 200
"""What a folder that holds such a data set has in it at most: a home folder may have thousands."""


def find_source(root: Path, options: Mapping[str, Any] | None = None) -> tuple[str, list[str]]:
    """Recognise the layout of a folder or file, among the sources that have the options given.

    Returns the name of the most specific source that fits, and the others that fit too. If none
    does, HandloreError says what was seen and what is known.
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
        foreign = [flag(option) for option in options if option not in has]
        if foreign:
            return f"{root} is {name}, which has no {', '.join(foreign)}; see `handlore sources`"
        if "name_pattern" in options:
            media = (name for name, path in files_of(root) if is_picture(path) or is_video(path))
            groups = list(re.compile(options["name_pattern"]).groupindex)
            return (
                f"--name-pattern has to fit the path of each file, but fits none in {root}, such"
                f" as {next(media, 'none')}; it is to find {' and '.join(groups)}:"
                f" {options['name_pattern']}"
            )
    what = _KINDS.get(root.suffix.lower()) if root.is_file() else None
    if what:
        return f"{root} is {what}"
    kinds = sorted(SOURCES.entries().values(), key=lambda kind: -kind.specificity)
    whys = (kind().why_not(root) for kind in kinds)
    if why := _whole_of(root, kinds) or next(filter(None, whys), ""):
        return why
    hint = "`handlore sources` lists them"
    if any("/" not in name and is_picture(path) for name, path in files_of(root)):
        hint = (
            "put pictures into a folder per label, <label>/*.jpg, or read labels from their names"
            f" with --name-pattern '(?P<label>[^/_-]+)[^/]*$', or give all the same one with"
            f" --label; {hint}"
        )
    else:
        hint = f"{hint}; it reads {_READ}"
    return f"{root} has no layout that handlore knows ({_seen(root)}); {hint}"


def _whole_of(root: Path, kinds: Sequence[type[Source]]) -> str:
    """Say of which data set a folder or file is a part, if one around it has the layout."""
    path = Path(os.path.abspath(root))
    for folder in list(path.parents)[:_LEVELS]:
        for kind in kinds:
            if kind.is_whole and _is_part(path, folder, kind()):
                text = f"{root} is part of {folder}, which has the layout {kind.name}: convert that"
                parts = [f.metadata["help"].rstrip(".") for f in fields(kind) if f.name == "part"]
                return "; ".join([f"{text} folder", *(f"--part is {part}" for part in parts)])
    return ""


def _is_part(path: Path, folder: Path, source: Source) -> bool:
    """Say whether items of a source are in a folder, or beside a file."""
    # What is around may be no data at all, and not to be read by everybody.
    with suppress(HandloreError, OSError):
        if len(list(islice(folder.iterdir(), _MOST_AROUND + 1))) > _MOST_AROUND:
            return False
        found = source.scan(folder).items if source.fits(folder) else []
        if path.is_file():
            return any(item.path.parent == path.parent for item in found)
        return any(path in item.path.parents for item in found)
    return False


def _seen(root: Path) -> str:
    files = [name for name, _ in files_of(root)]
    return f"{counted(len(files), 'file')}: {endings_of(files)}" if files else "it holds no files"
