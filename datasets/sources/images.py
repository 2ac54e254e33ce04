"""Photos in a folder per label."""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from handlore.landmarks.errors import HandloreError

from ..names import is_picture
from .registry import Item, Source, option, register, walk

SPLITS = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
_NAMED = ("label", "group", "session", "recording", "split")


@register
@dataclass(frozen=True)
class Images(Source):
    r"""Photos in a folder per label, also under train, val and test.

    The first folder is the label; pictures in folders below it belong to it too. Folders named
    train, val (valid, validation) and test set the split of what is in them. With a name
    pattern the label, person and so on are read from the path instead, for example
    '(?P<group>hand\d)_(?P<label>\w)_' for files such as hand1_a_dif_seg_1.jpeg.
    """

    name = "images"
    layout = "<label>/*.jpg or train|val|test/<label>/*.jpg"

    name_pattern: str = option(
        "",
        "Regular expression with named groups label, group, session, recording, split,"
        " searched for in the path below SOURCE.",
    )

    def fits(self, root: Path) -> bool:
        """Say whether there is a picture in a folder, or one that fits the pattern."""
        if self.name_pattern:
            return bool(self.items(root))
        return any("/" in file and is_picture(Path(file)) for file in walk(root))

    def items(self, root: Path) -> list[Item]:
        """List the pictures."""
        pattern = self._compiled()
        pictures = [file for file in walk(root) if is_picture(Path(file))]
        wrapper = _wrapper(pictures)
        found = (self._item(root, file, wrapper, pattern) for file in pictures)
        return [item for item in found if item]

    def _compiled(self) -> re.Pattern[str] | None:
        if not self.name_pattern:
            return None
        try:
            pattern = re.compile(self.name_pattern)
        except re.error as error:
            raise HandloreError(
                f"--name-pattern {self.name_pattern!r} is not a regular expression: {error}"
            ) from error
        unknown = set(pattern.groupindex) - set(_NAMED)
        if unknown or not pattern.groupindex:
            raise HandloreError(
                f"--name-pattern needs named groups such as (?P<label>...), out of"
                f" {', '.join(_NAMED)}; it has {', '.join(sorted(unknown)) or 'none'}"
            )
        return pattern

    def _item(
        self, root: Path, file: str, wrapper: str, pattern: re.Pattern[str] | None
    ) -> Item | None:
        *folders, _ = PurePosixPath(file.removeprefix(wrapper)).parts
        named: dict[str, Any] = {}
        # A lone folder named train is a label, unless the pattern says where the label is.
        fewest = 1 if pattern is not None and "label" in pattern.groupindex else 2
        if len(folders) >= fewest and folders[0].lower() in SPLITS:
            named["split"] = SPLITS[folders[0].lower()]
            folders = folders[1:]
        if folders:
            named["label"] = folders[0]
        if pattern is not None:
            match = pattern.search(file)
            if match is None:
                return None
            named |= {name: text for name, text in match.groupdict().items() if text}
        return Item(root / file, file, **named) if named.get("label") else None


def _wrapper(files: list[str]) -> str:
    """Return the folder, with a slash, that stands alone around train and test; else nothing."""
    parts = [PurePosixPath(file).parts for file in files]
    tops = {part[0] for part in parts}
    below = {part[1].lower() if len(part) > 3 else "" for part in parts}
    alone = len(tops) == 1 and bool(below) and below <= set(SPLITS)
    return f"{tops.pop()}/" if alone else ""
