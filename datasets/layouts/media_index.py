"""Which file a list of labels means: names without folders, with other endings, or of Windows."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from ..files import is_picture, is_video, parent_of
from .words import splits_in


class MediaIndex:
    """The pictures, videos and folders of frames below a folder, found by what lists call them."""

    def __init__(self, files: Iterable[str]) -> None:
        self._by_name: dict[str, list[str]] = defaultdict(list)
        self._by_stem: dict[str, list[str]] = defaultdict(list)
        self.files = [f for f in files if is_picture(Path(f)) or is_video(Path(f))]
        folders = set()
        for file in self.files:
            _, _, name = file.casefold().rpartition("/")
            self._by_name[name].append(file)
            self._by_stem[name.rpartition(".")[0]].append(file)
            if is_picture(Path(name)):
                folders.add(parent_of(file))
        for folder in sorted(folders - {""}):
            self._by_name[folder.rpartition("/")[2].casefold()].append(folder)

    def find(self, name: str, near: str = "", split: str = "") -> str | None:
        """Return the file or folder that a name in a list means; None if none or several fit.

        ``near`` is the folder of the list and ``split`` the split in its name: they decide between
        files of the same name.
        """
        parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
        if not parts:
            return None
        last = parts[-1].casefold()
        candidates = self._by_name.get(last) or self._by_stem.get(last) or self._renamed(last)
        if len(candidates) < 2:
            return candidates[0] if candidates else None
        ends = [(_common_end(candidate, parts), candidate) for candidate in candidates]
        best = max(end for end, _ in ends)
        nearest = [candidate for end, candidate in ends if end == best]
        beside = [c for c in nearest if near and c.startswith(f"{near}/")]
        same = [c for c in nearest if split and split_of_list(c) == split]
        chosen = next((some for some in (beside, same) if len(some) == 1), nearest)
        return chosen[0] if len(chosen) == 1 else None

    def _renamed(self, name: str) -> list[str]:
        """Return files with another ending, or with the kind of recording behind the name."""
        stem = PurePosixPath(name).stem
        names = (stem, *(f"{name}_{what}" for what in ("color", "colour", "rgb")))
        return next((self._by_stem[n] for n in names if n in self._by_stem), [])


def _common_end(file: str, parts: Sequence[str]) -> int:
    """Return how many folders at the end of two paths are the same."""
    own = file.casefold().split("/")[:-1]
    same = 0
    for mine, given in zip(reversed(own), reversed(parts[:-1]), strict=False):
        if mine != given.casefold():
            break
        same += 1
    return same


def split_of_list(name: str) -> str:
    """Return the split in the name of a list or of a folder around it: train.csv, val/labels."""
    path = PurePosixPath(name)
    for part in (path.stem, *reversed(path.parts[:-1])):
        split = splits_in([part]).get(part, "")
        if split:
            return split
    return ""
