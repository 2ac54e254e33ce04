"""SFINGE 3D, hand gestures tracked by a Leap Motion, of Caputo and others."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import numpy as np

from handlore.landmarks.errors import InvalidDataError, OptionError

from ..files import natural_order
from ._landmarks import BadItem, LandmarkSource, Numbers, lines_of, number_rows, skeleton_clip
from .base import SOURCES, Item, LandmarkClip, Listing, option

_GESTURES = (
    *("one", "two", "three", "four", "ok", "pinch", "grab", "expand", "tap"),
    *("swipe_left", "swipe_right", "swipe_v", "swipe_o"),
)
_TIMES = "sequencesGT.csv"

Event = tuple[int, int, int]
"""Number of the gesture, first and last line of the stream, counted from 1."""


def _times_of(lines: Sequence[bytes]) -> dict[str, list[bytes]]:
    """Return the words after the number of each stream."""
    rows: dict[str, list[bytes]] = {}
    for line in lines:
        number, *words = [word.strip() for word in line.rstrip(b", \t").split(b",")]
        if number.isdigit():
            name = number.decode()
            # It is not known which of two rows for one stream is right.
            rows[name] = [b"two rows"] if name in rows else words
    return rows


def _is_counted(words: list[bytes]) -> bool:
    """Say whether the row begins with the number of its events."""
    return len(words) % 3 == 1 and words[0] == b"%d" % (len(words) // 3)


def _events_of(words: list[bytes], counted: bool) -> list[Event]:
    """Return the events of a stream in order of time."""
    whole = _is_counted(words) if counted else len(words) % 3 == 0
    if not (whole and words and all(word.isdigit() and len(word) < 9 for word in words)):
        count = "count," if counted else ""
        raise InvalidDataError(f"its row in {_TIMES} is not: stream,{count}(label,start,end)*")
    numbers = [int(word) for word in words[counted:]]
    triples = zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True)
    return sorted(triples, key=lambda event: event[1])


def _cuts_of(events: Sequence[Event], n_lines: int) -> Iterator[tuple[str, int, int]]:
    """Yield label, start and stop, counted from 0, of all consecutive parts of a stream."""
    _require_in_order(events, n_lines)
    at = 0
    for gesture, first, last in events:
        # Where an event begins in the line in which the one before ends, that line is the latter's.
        start = max(first - 1, at)
        if start > at:
            yield "none", at, start
        yield _GESTURES[gesture - 1], start, last
        at = last
    if at < n_lines:
        yield "none", at, n_lines


def _require_in_order(events: Sequence[Event], n_lines: int) -> None:
    for gesture, first, last in events:
        if not (1 <= gesture <= len(_GESTURES) and 1 <= first < last <= n_lines):
            raise InvalidDataError(
                f"{_TIMES} has gesture {gesture} in lines {first} to {last} of {n_lines}"
            )
    for (_, _, last), (_, first, _) in pairwise(events):
        if first < last:
            raise InvalidDataError(f"{_TIMES} has two gestures at once in line {first}")


_FPS = 20.0

_NOTES = (
    "wrist := palm; thumb CMC := midpoint of palm and thumb A; all hands treated as right hands",
    "axes turned to those of a camera in front of the person; 20 frames a second",
    f"lines in {_TIMES} counted from 1, both ends included; the rest of a stream is none",
)

_JOINTS = 20
_TURN = (-1, -1, -1)
"""The tracker's x is the person's right, its y up, its z ahead of the person: left-handed axes."""


@dataclass(frozen=True)
class _Part(Item):
    start: int = 0
    stop: int = 0
    """The lines are ``start:stop``, counted from 0."""


@SOURCES.register
@dataclass(frozen=True)
class _Sfinge3d(LandmarkSource):
    """SFINGE 3D: 13 gestures as clips, and streams with timed gestures; skeletons in metres.

    Clips below Dictionary are samples of split train. A stream below Sequences is cut at the
    times in sequencesGT.csv into consecutive samples of split test: each gesture with its label,
    and everything between gestures as none. Every frame is in exactly one of them, in order, and
    recording names the stream, so that it can be put together again. 20 frames a second.

    The times are lines of the stream: all are within it, and the hands of static gestures hold
    still from a few lines after the start to the end. They are read as counted from 1 with both
    ends included, as in the later tracks of the same authors; no event of the set shows whether
    this or counting from 0 is right.

    The 20 joints have no wrist: the palm's position replaces it, and the midpoint of palm and
    thumb A for the thumb's CMC. image holds metres, turned to x right, y down, z away as seen by
    a camera in front of the person; world the same about the hand's centre. All hands are right
    ones: of the frames with clearly bent fingers all curl to the side of a right hand.

    A. Caputo, A. Giachetti, F. Giannini, K. Lupinetti, M. Monti, M. Pegoraro, A. Ranieri,
    "SFINGE 3D: A novel benchmark for online detection and recognition of heterogeneous hand
    gestures from 3D fingers' trajectories", Computers & Graphics 91, 2020.
    """

    name = "sfinge3d"
    layout = "Dictionary/<1-13>/<n>.txt, Sequences/<n>.txt with Sequences/sequencesGT.csv"
    kind = "sequence"
    image_unit = "metre"
    is_whole = True

    part: str = option("both", "dictionary (clips), sequences (streams) or both (default).")

    def fits(self, root: Path) -> bool:
        """Say whether there are clips or a table of times."""
        base = _base(root)
        return (base / "Sequences" / _TIMES).is_file() or any(
            (base / "Dictionary").glob("[0-9]*/[0-9]*.txt")
        )

    def scan(self, root: Path) -> Listing:
        """List the clips, then the parts of the streams in order."""
        if self.part not in ("dictionary", "sequences", "both"):
            raise OptionError(f"--part is {self.part!r}, expected dictionary, sequences or both")
        clips = _clips(root) if self.part != "sequences" else []
        streams = _streams(root) if self.part != "dictionary" else []
        return Listing([*clips, *streams], notes=_NOTES)

    def read_landmarks(self, item: Item) -> LandmarkClip:
        """Read a clip, or one part of a stream."""
        lines = lines_of(item.path)
        if isinstance(item, _Part):
            rows = number_rows(
                lines[item.start : item.stop], 7 * _JOINTS, b",", first=item.start + 1
            )
            digest = sha256(b"\n".join(lines[item.start : item.stop])).hexdigest()
        else:
            rows = number_rows(lines, 7 * _JOINTS, b";")
            digest = sha256(b"\n".join(lines)).hexdigest()
        positions = rows.reshape(-1, _JOINTS, 7)[..., :3]
        return skeleton_clip(_as_mediapipe(positions), _TURN, _FPS, handedness=1.0, sha256=digest)


def _as_mediapipe(joints: Numbers) -> Numbers:
    """Return 21 joints (n_frames, 21, 3) of palm, thumb A B End and four fingers A B C End."""
    palm, thumb = joints[:, :1], joints[:, 1:2]
    return np.concatenate([palm, (palm + thumb) / 2, joints[:, 1:]], axis=1)


def _base(root: Path) -> Path:
    """Return the folder of Dictionary and Sequences: the one given, or one in it."""
    folders = [root, *sorted(path for path in root.glob("*") if path.is_dir())]
    having = (f for f in folders if (f / "Dictionary").is_dir() or (f / "Sequences").is_dir())
    return next(having, root)


def _texts(folder: Path) -> list[Path]:
    return natural_order(folder.glob("*.txt"))


def _clips(root: Path) -> list[Item]:
    folders = (path for path in (_base(root) / "Dictionary").glob("*") if path.is_dir())
    return [_clip(path, root) for folder in natural_order(folders) for path in _texts(folder)]


def _clip(path: Path, root: Path) -> Item:
    source, number = path.relative_to(root).as_posix(), path.parent.name
    label = dict(zip(map(str, range(1, 14)), _GESTURES, strict=True)).get(number)
    if label is None:
        return BadItem(path, source, "unknown", reason=f"no gesture has the number {number!r}")
    return Item(path, source, label, split="train")


def _streams(root: Path) -> list[Item]:
    folder = _base(root) / "Sequences"
    texts = _texts(folder)
    if not (texts or (folder / _TIMES).exists()):
        return []
    try:
        rows = _times_of(lines_of(folder / _TIMES))
    except InvalidDataError as error:
        return [_bad(path, root, f"{_TIMES}: {error}") for path in texts]
    counted = any(_is_counted(words) for words in rows.values())
    numbers = {path.stem for path in texts}
    lost = [folder / f"{number}.txt" for number in rows if number not in numbers]
    parts = [part for path in texts for part in _parts(path, root, rows.get(path.stem), counted)]
    return [*parts, *(_bad(path, root, f"{_TIMES} names it, and it is missing") for path in lost)]


def _bad(path: Path, root: Path, reason: str) -> Item:
    return BadItem(path, path.relative_to(root).as_posix(), "unknown", reason=reason)


def _parts(path: Path, root: Path, words: list[bytes] | None, counted: bool) -> Iterator[Item]:
    source = path.relative_to(root).as_posix()
    try:
        if words is None:
            raise InvalidDataError(f"{_TIMES} has no row for it")
        cuts = list(_cuts_of(_events_of(words, counted), len(lines_of(path))))
    except InvalidDataError as error:
        yield _bad(path, root, str(error))
        return
    for part, (label, start, stop) in enumerate(cuts):
        yield _Part(
            *(path, f"{source}#{part}", label),
            recording=source,
            split="test",
            part=part,
            start=start,
            stop=stop,
        )
