"""HGR1, the hand gesture recognition data base of Kawulok, Nalepa and others."""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.hands import Pixels

from ..files import is_picture, walk
from ..pictures import picture_and_digest
from .base import SOURCES, Clip, Item, Listing, Source, not_listed, option

# The skin mask of a photo has the same name and another ending, so the ending is part of it.
_NAME = re.compile(r"(?P<label>[^_]+)_P_hgr1_id(?P<person>\d+)_\d+\.jpe?g", re.IGNORECASE)

_MASK = re.compile(r"[^_]+_P_hgr1_id\d+_\d+\.(bmp|png)", re.IGNORECASE)

_MASK_ENDINGS = (".bmp", ".BMP", ".png", ".PNG")


@SOURCES.register
@dataclass(frozen=True)
class _Hgr1(Source):
    """HGR1: label and person in the file name, skin masks beside the photos.

    M. Kawulok, J. Kawulok, J. Nalepa, B. Smolka, "Self-adaptive algorithm for segmenting skin
    regions", EURASIP Journal on Advances in Signal Processing, 2014. The group is the person.
    The masks are ignored, unless they are to cut the hands out of the photos.
    """

    name = "hgr1"
    layout = "<label>_P_hgr1_id<person>_<n>.jpg"
    specificity = 10

    apply_masks: bool = option(
        False,
        "Cut the hand out of each photo by the skin mask beside it (.bmp or .png, hand = black);"
        " the rest becomes black.",
    )

    def fits(self, root: Path) -> bool:
        """Say whether most pictures, masks aside, have such a name."""
        pictures = [f for f in walk(root) if is_picture(Path(f)) and not _is_mask(f)]
        named = sum(bool(_NAME.fullmatch(PurePosixPath(file).name)) for file in pictures)
        return 2 * named > len(pictures)

    def scan(self, root: Path) -> Listing:
        """List the photos."""
        files = list(walk(root))
        found = ((file, _NAME.fullmatch(PurePosixPath(file).name)) for file in files)
        items = [
            Item(root / file, file, match["label"], group=f"id{match['person']}")
            for file, match in found
            if match
        ]
        return Listing(items, not_listed((f for f in files if not _is_mask(f)), items))

    def read(self, item: Item) -> Clip:
        """Read a photo, with what is not hand made black if masks are to be applied.

        The digest is that of the photo.
        """
        pixels, sha256 = picture_and_digest(item.path)
        if self.apply_masks:
            pixels = _cut_out(pixels, _mask_of(item.path))
        return Clip(sha256, iter([(0.0, pixels)]))


def _is_mask(file: str) -> bool:
    """Say whether a file is the skin mask of a photo, by its name."""
    return bool(_MASK.fullmatch(PurePosixPath(file).name))


def _mask_of(photo: Path) -> Path:
    masks = [photo.with_suffix(ending) for ending in _MASK_ENDINGS]
    for mask in masks:
        if mask.is_file():
            return mask
    raise InvalidDataError(f"the skin mask {masks[0].name} beside it is missing")


def _cut_out(photo: Pixels, mask_path: Path) -> Pixels:
    try:
        mask, _ = picture_and_digest(mask_path)
    except InvalidDataError as error:
        raise InvalidDataError(f"its skin mask {mask_path.name}: {error}") from error
    if mask.shape != photo.shape:
        raise InvalidDataError(
            f"its skin mask {mask_path.name} has {_size(mask)} pixels, the photo {_size(photo)}"
        )
    hand = mask.mean(axis=2, keepdims=True) < 128
    return np.where(hand, photo, np.uint8(0))


def _size(pixels: Pixels) -> str:
    return f"{pixels.shape[1]}x{pixels.shape[0]}"
