"""SHREC'17, the track on 3-D hand gesture recognition of De Smedt, Wannous and others."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from handlore.landmarks.errors import InvalidDataError, OptionError

from ..files import SAMPLED, read_bytes, read_start
from ._landmarks import (
    FRAME_RATE_HELP,
    BadItem,
    LandmarkSource,
    lines_in,
    lines_of,
    number_rows,
    require_frame_rate,
    skeleton_clip,
)
from .base import SOURCES, Item, LandmarkClip, Listing, option

_GESTURES = (
    *("grab", "tap", "expand", "pinch", "rotation_clockwise", "rotation_counter_clockwise"),
    *("swipe_right", "swipe_left", "swipe_up", "swipe_down"),
    *("swipe_x", "swipe_plus", "swipe_v", "shake"),
)
_LISTS = {"train_gestures.txt": "train", "test_gestures.txt": "test"}

_JOINTS, _PALM = 22, 1
_NOT_A_LINE = "not a line of: gesture finger subject essai label14 label28 frames"
_TURN = (-1, -1, 1)
"""The tracker's x is the person's right, that is a camera's left; its y is up, its z away."""


@dataclass(frozen=True)
class _Listed(Item):
    n_frames: int = 0
    """The number of frames in the list."""


@SOURCES.register
@dataclass(frozen=True)
class _Shrec17(LandmarkSource):
    """SHREC'17: 14 dynamic gestures as skeletons in metres, each with one finger and with all.

    The lists train_gestures.txt and test_gestures.txt, both or one of them, say which sequences
    there are and set the split; SOURCE may be one of the lists itself. The group is the person.

    Joint 1 of the 22, the palm's centre, is dropped; the others are MediaPipe's landmarks. image
    holds metres in the camera's frame, turned to x right, y down, z away; world the same about
    the hand's centre. All hands are treated as right hands: the authors say that all participants
    are right-handed, and of the frames with clearly bent fingers 96 % (majority for each of the
    20 people of the training list) curl to the side of a right hand.

    Q. De Smedt, H. Wannous, J.-P. Vandeborre, J. Guerry, B. Le Saux, D. Filliat, "SHREC'17 Track:
    3D Hand Gesture Recognition Using a Depth and Skeletal Dataset", 3DOR 2017.
    """

    name = "shrec17"
    layout = "train_gestures.txt, test_gestures.txt, gesture_*/finger_*/subject_*/essai_*/*.txt"
    kind = "sequence"
    image_unit = "metre"
    is_whole = True

    classes: int = option(
        14, "14 gestures (default), or 28: one finger and the whole hand are two classes."
    )
    frame_rate: float = option(30.0, FRAME_RATE_HELP)

    def fits(self, root: Path) -> bool:
        """Say whether there is a list that begins as it should."""
        return any(map(_begins_as_list, _lists(root)))

    def why_not(self, root: Path) -> str:
        """Say that a list has another name than those of the set."""
        folder = root.parent if root.is_file() else root
        if not any(folder.glob("gesture_*")):
            return ""
        texts = [root] if root.is_file() else sorted(root.glob("*.txt"))[:SAMPLED]
        return next((_misnamed(path) for path in texts if _begins_as_list(path)), "")

    def scan(self, root: Path) -> Listing:
        """List the sequences that the lists name; a wrong line is a failure."""
        if self.classes not in (14, 28):
            raise OptionError(f"--classes is {self.classes}, expected 14 or 28")
        require_frame_rate(self.frame_rate)
        lists = _lists(root)
        found = [item for path in lists for item in self._listed(root, path)]
        first = {item.source: item for item in reversed(found)}
        items = [item if first[item.source] is item else _listed_twice(item) for item in found]
        names = ", ".join(path.name for path in lists)
        notes = [
            f"lists: {names}; {self.classes} classes; {self.frame_rate:g} frames a second",
            "joint 1, the palm's centre, was dropped; all hands are treated as right hands",
            "axes turned from x to the person's right, y up to x right, y down in the picture",
        ]
        return Listing(items, notes=notes)

    def _listed(self, root: Path, path: Path) -> Iterator[Item]:
        above = root if root.is_dir() else root.parent
        for number, line in enumerate(lines_of(path), 1):
            if line.strip():
                source = f"{path.relative_to(above).as_posix()}#{number}"
                yield self._item(line, path, above) or BadItem(
                    path, source, "unknown", part=number, reason=_NOT_A_LINE
                )

    def _item(self, line: bytes, path: Path, above: Path) -> Item | None:
        words = line.split()
        if len(words) != 7 or not all(word.isdigit() and len(word) < 9 for word in words):
            return None
        gesture, finger, subject, essai, label14, label28, n_frames = map(int, words)
        if not (1 <= gesture <= 14 and finger in (1, 2)):
            return None
        if (label14, label28) != (gesture, 2 * (gesture - 1) + finger):
            return None
        folder = f"gesture_{gesture}/finger_{finger}/subject_{subject}/essai_{essai}"
        file = path.parent / folder / "skeletons_world.txt"
        label = _GESTURES[gesture - 1] + (f"_finger{finger}" if self.classes == 28 else "")
        return _Listed(
            *(file, file.relative_to(above).as_posix(), label),
            group=f"subject_{subject}",
            split=_LISTS[path.name],
            n_frames=n_frames,
        )

    def read_landmarks(self, item: Item) -> LandmarkClip:
        """Read a sequence."""
        data = read_bytes(item.path)
        lines = lines_in(data)
        listed = item.n_frames if isinstance(item, _Listed) else len(lines)
        # Loosely: other releases of the set may be cut a little differently.
        if abs(len(lines) - listed) > 2 + listed // 10:
            raise InvalidDataError(f"it has {len(lines)} frames, the list says {listed}")
        joints = number_rows(lines, 3 * _JOINTS).reshape(-1, _JOINTS, 3)
        kept = [joint for joint in range(_JOINTS) if joint != _PALM]
        return skeleton_clip(
            joints[:, kept], _TURN, self.frame_rate, handedness=1.0, sha256=sha256(data).hexdigest()
        )


def _lists(root: Path) -> list[Path]:
    """Return the lists in a folder, or in the first folder in it that has any."""
    if root.is_file():
        return [root] if root.name in _LISTS else []
    folders = [root, *sorted(path for path in root.glob("*") if path.is_dir())]
    lists = ([path for name in _LISTS if (path := folder / name).is_file()] for folder in folders)
    return next((found for found in lists if found), [])


def _begins_as_list(path: Path) -> bool:
    words = read_start(path, 4096).split(b"\n", 1)[0].split()
    return len(words) == 7 and all(map(bytes.isdigit, words))


def _misnamed(path: Path) -> str:
    names = " and ".join(_LISTS)
    return f"{path} begins as a list of SHREC'17, whose lists are named {names}: rename it"


def _listed_twice(item: Item) -> Item:
    return BadItem(
        item.path, item.source, item.label, part=item.part, reason="it is listed a second time"
    )
