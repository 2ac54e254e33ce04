"""Photos in a folder per label; silhouettes in the same layouts."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.silhouettes import is_silhouette

from ..files import MAX_LISTED, SAMPLED, is_picture, spread, walk
from ..layouts.words import likely_readings
from ..pictures import picture_and_digest
from ..videos import is_animated
from .base import (
    LABEL_HELP,
    PATTERN_HELP,
    SOURCES,
    Item,
    Listing,
    Source,
    file_facts,
    not_listed,
    option,
)


@SOURCES.register
@dataclass(frozen=True)
class Images(Source):
    r"""Photos in a folder per label, also under train, val and test.

    The folder is the label; pictures in folders below it belong to it too. Folders named train, val
    (valid, validation, dev) and test set the split, folders of people (subject3, s03, 00) above or
    below the labels the group, and folders that only hold others (images, data) are stepped over.
    Numbers that order folders (03_fist) are not part of the label. Where this leaves a doubt,
    nothing is converted, and the error has the commands for what may be meant. With a name pattern
    the label, person and so on are read from the path instead, for example
    '(?P<group>hand\d)_(?P<label>\w)_' for files such as hand1_a_dif_seg_1.jpeg.
    """

    name = "images"
    layout = "<label>/*.jpg or train|val|test/<label>/*.jpg"

    name_pattern: str = option("", PATTERN_HELP)
    label: str = option("", LABEL_HELP)

    def fits(self, root: Path) -> bool:
        """Say whether there is a picture in a folder, or one that fits the pattern."""
        if self.name_pattern or self.label:
            return bool(self.scan(root).items)
        return any("/" in file and is_picture(Path(file)) for file in walk(root))

    def scan(self, root: Path) -> Listing:
        """List the pictures."""
        files = list(walk(root))
        pictures = [file for file in files if is_picture(Path(file))]
        columns = file_facts(pictures, root, self.name_pattern, self.label)
        items = [Item(root / file, file, **own) for file, own in columns.of.items()]
        return Listing(
            items,
            not_listed(files, items),
            [*columns.notes, *_about_gifs(items)],
            doubt=columns.doubt,
            readings=likely_readings(pictures) if columns.doubt else (),
        )


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


@SOURCES.register
@dataclass(frozen=True)
class _Silhouettes(Images):
    r"""Black-and-white masks of hands, of either polarity, in a folder per label.

    The layouts and the name pattern are those of images. Recognised by opening a dozen
    pictures: nearly all pixels of a silhouette have one of two grey levels. For the skin masks
    of HGR1: '(?P<label>[^_]+)_P_hgr1_(?P<group>id\d+)_\d+\.bmp'.
    """

    name = "silhouettes"
    layout = "black-and-white <label>/*.png or train|val|test/<label>/*.png"
    specificity = 5
    silhouettes = True

    def fits(self, root: Path) -> bool:
        """Say whether a sample of the pictures have two grey levels only, nearly all of them.

        A few masks among photos are recognised picture by picture.
        """
        judged = [_is_silhouette(path) for path in spread(self._some(root), SAMPLED)]
        known = [verdict for verdict in judged if verdict is not None]
        return bool(known) and sum(known) >= 0.9 * len(known)

    def _some(self, root: Path) -> list[Path]:
        if self.name_pattern or self.label:
            return [item.path for item in self.scan(root).items]
        files = (file for file in walk(root) if "/" in file and is_picture(Path(file)))
        return [Path(root) / file for file in islice(files, MAX_LISTED)]


def _is_silhouette(path: Path) -> bool | None:
    """Look at one picture; None if it cannot be read."""
    try:
        return is_silhouette(picture_and_digest(path)[0])
    except InvalidDataError:
        return None
