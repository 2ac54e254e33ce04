"""Silhouettes: pictures of two grey levels, in the layouts of photos."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.silhouettes import is_silhouette

from ..files import MAX_LISTED, SAMPLED, spread, walk
from ..pictures import is_picture, read_picture
from .base import SOURCES
from .images import Images


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
        if self.name_pattern:
            return [item.path for item in self.scan(root).items]
        files = (file for file in walk(root) if "/" in file and is_picture(Path(file)))
        return [Path(root) / file for file in islice(files, MAX_LISTED)]


def _is_silhouette(path: Path) -> bool | None:
    """Look at one picture; None if it cannot be read."""
    try:
        return is_silhouette(read_picture(path)[0])
    except InvalidDataError:
        return None
