"""Photos in a folder per label."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..files import walk
from ..pictures import is_picture
from ..videos import is_animated
from ._paths import PATTERN_HELP, compiled, labels_in, named_in, split_off, splits_among, wrapper_of
from .base import SOURCES, Item, Listing, Source, not_listed, option


@SOURCES.register
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

    name_pattern: str = option("", PATTERN_HELP)

    def fits(self, root: Path) -> bool:
        """Say whether there is a picture in a folder, or one that fits the pattern."""
        if self.name_pattern:
            return bool(self.scan(root).items)
        return any("/" in file and is_picture(Path(file)) for file in walk(root))

    def scan(self, root: Path) -> Listing:
        """List the pictures."""
        pattern = compiled(self.name_pattern)
        files = list(walk(root))
        pictures = [file for file in files if is_picture(Path(file))]
        wrapper = wrapper_of(pictures)
        splits = splits_among([file.removeprefix(wrapper) for file in pictures], 2)
        found = (_item(root, file, wrapper, splits, pattern) for file in pictures)
        items = [item for item in found if item]
        return Listing(items, not_listed(files, items), _about_gifs(items))


def _about_gifs(items: Sequence[Item]) -> list[str]:
    """Say of how many GIFs only the first frame is read."""
    gifs = [item for item in items if item.path.suffix.lower() == ".gif"]
    animated = [item.source for item in gifs if is_animated(item.path)]
    if not animated:
        return []
    return [
        f"of animated GIFs only the first frame is read: {len(animated)}, such as {animated[0]}"
        " (--source videos reads them as clips)"
    ]


def _item(
    root: Path, file: str, wrapper: str, splits: frozenset[str], pattern: re.Pattern[str] | None
) -> Item | None:
    *folders, _ = PurePosixPath(file.removeprefix(wrapper)).parts
    # A lone folder named train is a label, unless the pattern says where the label is.
    split, folders = split_off(folders, 1 if labels_in(pattern) else 2)
    named = named_in(pattern, file)
    if named is None:
        return None
    label = folders[0] if folders and (split or folders[0] not in splits) else ""
    named = {"split": split, "label": label} | named
    return Item(root / file, file, **named) if named["label"] else None
