"""HGR1, the hand gesture recognition data base of Kawulok, Nalepa and others."""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..names import is_picture
from .registry import Item, Source, register, walk

# The skin mask of a photo has the same name and another ending, so the ending is part of it.
_NAME = re.compile(r"(?P<label>[^_]+)_P_hgr1_id(?P<person>\d+)_\d+\.jpe?g", re.IGNORECASE)

_MASK = re.compile(r"[^_]+_P_hgr1_id\d+_\d+\.(bmp|png)", re.IGNORECASE)


@register
@dataclass(frozen=True)
class Hgr1(Source):
    """HGR1: label and person in the file name, skin masks beside the photos are ignored.

    M. Kawulok, J. Kawulok, J. Nalepa, B. Smolka, "Self-adaptive algorithm for segmenting skin
    regions", EURASIP Journal on Advances in Signal Processing, 2014. The group is the person.
    """

    name = "hgr1"
    layout = "<label>_P_hgr1_id<person>_<n>.jpg"
    specificity = 10

    def fits(self, root: Path) -> bool:
        """Say whether most pictures, masks aside, have such a name."""
        pictures = [f for f in walk(root) if is_picture(Path(f)) and not self.companion(f)]
        named = sum(bool(_NAME.fullmatch(PurePosixPath(file).name)) for file in pictures)
        return 2 * named > len(pictures)

    def companion(self, file: str) -> bool:
        """Say whether it is a skin mask."""
        return bool(_MASK.fullmatch(PurePosixPath(file).name))

    def items(self, root: Path) -> list[Item]:
        """List the photos."""
        found = ((file, _NAME.fullmatch(PurePosixPath(file).name)) for file in walk(root))
        return [
            Item(root / file, file, match["label"], group=f"id{match['person']}")
            for file, match in found
            if match
        ]
