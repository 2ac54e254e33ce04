"""Loading data: dataset files, folders of recordings, or both.

The recordings of a folder become one dataset of movements, or one of static poses. Recordings of
``none`` are minutes of everyday movement; they are cut into windows as long as the movements of the
other labels usually are, since that is what a recogniser sees of them.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.errors import HandloreError, counted, naming, shell_line
from handlore.landmarks.files import each_path
from handlore.landmarks.untrusted import reason

from .dataset import NONE_LABEL, Kind, LandmarkDataset, concatenate
from .files import file_stamp
from .recording_files import is_recordings, recording_files, require_recordings
from .recordings import UNSORTED, is_live, load_recording
from .storage import load_dataset

_WINDOW = 1.5
"""Seconds of a window of ``none`` if there are no movements to take the length from."""

_MAX_WHOLE = 1.5
"""Recordings of ``none`` up to this many windows long are not cut."""

KINDS: tuple[Kind, ...] = ("sequence", "pose")
"""In the order of preference if a folder holds both."""

KIND_NAMES: dict[Kind, str] = {"sequence": "movements", "pose": "static poses"}
_DEFAULT_MODELS: dict[Kind, str] = {"sequence": "rocket", "pose": "kernel"}
_READY_MODELS: dict[Kind, str] = {"sequence": "movements", "pose": "everyday"}
"""A model to train and one that comes with handlore for each kind, for messages."""

_MAX_GAP = 60.0
"""Seconds without a frame that count at most."""

_POSE_INTERVAL = 0.25
"""Seconds between the frames of a stream of ``none`` that become poses."""


@dataclass(frozen=True)
class LoadedRecordings:
    """The recordings of a folder that are kept."""

    root: Path
    recordings: tuple[LandmarkDataset, ...]
    """Each one recording, by number within its label."""
    failures: tuple[tuple[str, str], ...]
    """Files that cannot be read, relative to the folder, and why."""

    @property
    def sorted(self) -> "LoadedRecordings":
        """The same without the recordings of :data:`UNSORTED`, which is the name of no gesture."""
        kept = tuple(one for one in self.recordings if one.labels != [UNSORTED])
        return replace(self, recordings=kept)

    def live_clips(self) -> int:
        """Return how many clips of gestures of live runs there are, which are no poses."""
        return sum(one.labels != [NONE_LABEL] for one in self.sorted.recordings if is_live(one))

    def counts(self) -> dict[Kind, int]:
        """Return how many recordings there are of each kind that there is.

        Recordings of ``none`` are not counted if there are others: they serve both kinds.
        """
        kinds = Counter(one.header.kind for one in self.recordings if one.labels != [NONE_LABEL])
        if not kinds:
            kinds = Counter(one.header.kind for one in self.recordings)
        return {kind: kinds[kind] for kind in KINDS if kinds[kind]}

    def failed(self) -> tuple[tuple[str, str], ...]:
        """Return the paths of the files that cannot be read, and why."""
        return tuple((str(self.root / name), why) for name, why in self.failures)

    def require(self, kind: Kind) -> list[LandmarkDataset]:
        """Return the recordings of movements, or of poses; HandloreError if there are none."""
        chosen = [one for one in self.recordings if one.header.kind == kind]
        if not chosen:
            with naming(self.failed()):
                raise HandloreError(self._lacking(kind))
        return chosen

    def dataset(self, kind: Kind, window: float | None = None) -> LandmarkDataset:
        """Join the recordings of one kind, or raise HandloreError if there are none.

        ``sequence``: movements; ``pose``: static poses, each frame a sample. Windows of ``none``
        have a length in seconds, by default the median of the other movements. Decisions are listed
        in the log of the header.
        """
        notes: list[str] = []
        if kind == "sequence":
            chosen = self.require(kind)
            window = window or _usual_length(chosen) or _WINDOW
            chosen = [part for one in chosen for part in _cut_if_stream(one, window, notes)]
        else:
            none = [part for one in self.recordings for part in _poses_of_none(one, notes)]
            own = [one for one in self.recordings if one.header.kind == kind]
            # A folder may hold nothing but `none`, which serves both kinds.
            chosen = [*own, *none] if own or none else self.require(kind)
        if not chosen:
            raise HandloreError(f"no recording in {self.root} shows a hand; record more")
        joined = concatenate([replace(one, header=replace(one.header, log=())) for one in chosen])
        log = (*notes, *joined.header.log)
        header = replace(joined.header, options={"source": "recordings"}, log=log)
        return replace(joined, header=header, samples=_with_digests(joined))

    def _lacking(self, kind: Kind) -> str:
        there = " and ".join(f"{n} of {KIND_NAMES[other]}" for other, n in self.counts().items())
        if not there:
            return f"{self.root} holds no readable recordings; `handlore capture` makes some"
        lacks = f"{self.root} holds no recordings of {KIND_NAMES[kind]}"
        if kind == "pose" and (clips := self.live_clips()):
            replay = shell_line("handlore", "replay", "MODEL", self.root)
            return (
                f"{lacks}, but {counted(clips, 'clip')} of live runs: `{replay}` recognises what"
                f" they show, and `{_improve(self.root)}` tests with them"
            )
        held = next(iter(self.counts()))
        return (
            f"{lacks}, but {there}; a model of {KIND_NAMES[held]} uses those, such as"
            f" {_READY_MODELS[held]}, or in training `--base {_READY_MODELS[held]}` or `--model"
            f" {_DEFAULT_MODELS[held]}`"
        )


def load_recordings(root: Path) -> LoadedRecordings:
    """Load all recordings of a folder that are kept; HandloreError if it is no such folder.

    Files that cannot be read are listed, and so are those with room for another number of hands
    than most have.
    """
    root = Path(root)
    require_recordings(root)
    files = tuple(recording_files(root))
    return _read(root, files, tuple(map(file_stamp, files)))


@lru_cache(maxsize=2)
def _read(
    root: Path, files: tuple[Path, ...], _stamps: tuple[tuple[int, int], ...]
) -> LoadedRecordings:
    recordings, failures = [], []
    for path in files:
        try:
            recordings.append(load_recording(root, path))
        except (HandloreError, MemoryError) as error:
            why = str(error) if isinstance(error, HandloreError) else reason(error)
            failures.append((path.relative_to(root).as_posix(), why))
    room = Counter(one.n_hands for one in recordings)
    most = max(room, key=lambda n: (room[n], n), default=1)
    failures += [
        (
            str(one.samples.source[0]).partition("#")[0],
            f"it has room for {counted(one.n_hands, 'hand')} a frame, most recordings here for"
            f" {most}; move them into a folder of their own",
        )
        for one in recordings
        if one.n_hands != most
    ]
    same = tuple(one for one in recordings if one.n_hands == most)
    return LoadedRecordings(root, same, tuple(sorted(failures)))


def _usual_length(recordings: Sequence[LandmarkDataset]) -> float | None:
    """Return the median length in seconds of movements that are not ``none``; None without any."""
    lengths = [
        float(np.ptp(one.time))
        for one in recordings
        if one.header.kind == "sequence" and one.labels != [NONE_LABEL]
    ]
    return float(np.median(lengths)) or None if lengths else None


def _cut_if_stream(
    recording: LandmarkDataset, window: float, notes: list[str]
) -> list[LandmarkDataset]:
    """Return a recording, or the windows of a stream of ``none`` that show a hand."""
    if recording.labels != [NONE_LABEL] or np.ptp(recording.time) <= _MAX_WHOLE * window:
        return [recording]
    windows = _cut_windows(recording, window)
    seen = windows.select(windows.has_hand)
    empty = windows.n_samples - seen.n_samples
    source = str(recording.samples.source[0])
    notes.append(
        f"{source}: cut into {counted(windows.n_samples, 'window')} of {window:.2f} s"
        + (f", {empty} without a hand left out" if empty else "")
    )
    return [seen] if seen.n_samples else []


def _poses_of_none(recording: LandmarkDataset, notes: list[str]) -> list[LandmarkDataset]:
    """Return some frames of a stream of ``none`` as poses, and nothing of other movements."""
    if recording.labels != [NONE_LABEL] or recording.header.kind == "pose":
        return []
    poses = frames_as_poses(recording, _POSE_INTERVAL)
    seen = poses.select(poses.has_hand)
    source = str(recording.samples.source[0])
    notes.append(
        f"{source}: {counted(seen.n_samples, 'frame')}, {_POSE_INTERVAL:g} s apart, used as static"
        " `none`"
    )
    return [seen] if seen.n_samples else []


def frames_as_poses(recording: LandmarkDataset, every: float) -> LandmarkDataset:
    """Return frames of a recording of one sample as poses, ``every`` seconds apart."""
    # Of a long gap without frames only its end is looked at: one frame follows it.
    time = recording.time
    if np.diff(time).max(initial=0) > _MAX_GAP:
        time = time[0] + np.cumsum([0, *np.minimum(np.diff(time), _MAX_GAP)])
    moments = np.arange(time[0], time[-1] + 1e-6, every)
    chosen = np.unique(np.searchsorted(time, moments - 1e-6))
    frames = [chosen[k : k + 1] for k in range(len(chosen))]
    poses = _pieces(recording, frames)
    return replace(poses, header=replace(poses.header, kind="pose"))


def _cut_windows(recording: LandmarkDataset, window: float) -> LandmarkDataset:
    """Cut a recording of one sample into half-overlapping windows of so many seconds.

    The last window ends where the recording ends. All share the column ``recording``, so that no
    split puts a stream on both sides.
    """
    start, end = float(recording.time[0]), float(recording.time[-1])
    room = max(end - start - window, 0.0)
    firsts = np.unique([*np.arange(0, room, window / 2), room]) + start
    ends = np.searchsorted(recording.time, firsts + window + 1e-6)
    starts = np.searchsorted(recording.time, firsts - 1e-6)
    # While the camera was gone there may have been any number of windows without a frame.
    bounds = np.stack([starts, ends], 1)[ends > starts]
    return _pieces(recording, [np.arange(a, b) for a, b in bounds])


def _pieces(recording: LandmarkDataset, frames: Sequence[NDArray[np.int64]]) -> LandmarkDataset:
    """Return a sample for each choice of frames of a recording of one sample."""
    samples = recording.samples.take(np.zeros(len(frames), np.int64))
    sources = [f"{samples.source[0]}#{k}" for k in range(1, len(frames) + 1)]
    samples = replace(samples, source=np.array(sources, np.str_))
    return recording.at_frames(frames, samples).from_zero()


def _with_digests(dataset: LandmarkDataset) -> Any:
    """Return the table with a digest of the landmarks of each sample that shows a hand.

    So copies of a recording, perhaps under another label, are recognised.
    """
    bounds = zip(dataset.offsets[:-1], dataset.offsets[1:], dataset.has_hand, strict=True)
    digests = [_digest(dataset, slice(a, b)) if seen else "" for a, b, seen in bounds]
    return replace(dataset.samples, sha256=np.array(digests, np.str_))


def _digest(dataset: LandmarkDataset, frames: slice) -> str:
    digest = hashlib.sha256()
    for values in (dataset.image[frames], dataset.world[frames], dataset.time[frames]):
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class LoadedData:
    """The result of :func:`load_data`."""

    dataset: LandmarkDataset
    failures: tuple[tuple[str, str], ...] = ()
    """Recordings that could not be read, and why."""
    notes: tuple[str, ...] = ()
    """What was decided."""
    unused: tuple[str, ...] = ()
    """Recordings of the other kind, where the caller chose one; else the notes name them."""


def load_data(paths: Sequence[str | Path] | str | Path, kind: Kind | None = None) -> LoadedData:
    """Load dataset files and folders of recordings, and join them.

    Parameters
    ----------
    paths
        Files as ``convert`` writes them, and folders as ``capture`` does; at least one.
    kind
        Which recordings to load from a folder that holds movements and poses. Default: the kind
        of the files, else movements.

    Raises
    ------
    HandloreError
        If something cannot be read, or a folder holds no recordings of that kind.
    InvalidDataError
        If they cannot be joined.

    Examples
    --------
    >>> import handlore
    >>> handlore.load_data(["poses.npz"]).dataset.header.kind
    'pose'
    """
    paths = each_path(paths)
    if not paths:
        raise HandloreError("no data; expected dataset files or folders of recordings")
    paths, twice = _without_repeats(paths)
    read = [load_recordings(path) if is_recordings(path) else load_dataset(path) for path in paths]
    unsorted = about_unsorted([one for one in read if isinstance(one, LoadedRecordings)])
    read = [one.sorted if isinstance(one, LoadedRecordings) else one for one in read]
    folders = [one for one in read if isinstance(one, LoadedRecordings)]
    if not folders:
        files = [one for one in read if isinstance(one, LandmarkDataset)]
        return LoadedData(concatenate(files), notes=twice)
    files = [one for one in read if isinstance(one, LandmarkDataset)]
    chosen = kind or (files[0].header.kind if files else None) or _first_kind(folders)
    # One length for all, since a folder may hold nothing but `none`.
    window = _usual_length([one for folder in folders for one in folder.recordings])
    failures = tuple(failure for one in folders for failure in one.failed())
    with naming(failures):
        joined = concatenate(
            [r.dataset(chosen, window) if isinstance(r, LoadedRecordings) else r for r in read]
        )
    notes = [
        f"left out: {counted(clips, 'clip')} of live runs, which are no static poses;"
        f" `{_improve(one.root)}` tests with them"
        for one in folders
        if chosen == "pose" and (clips := one.live_clips())
    ]
    unused = [] if notes else _other_kind(folders, chosen, is_chosen=kind is None)
    if kind is None:
        notes, unused = [*notes, *unused], []
    return LoadedData(joined, failures, (*twice, *unsorted, *notes), tuple(unused))


def _improve(root: Path) -> str:
    return shell_line("handlore", "improve", "MODEL", "--from", root)


def _without_repeats(paths: Sequence[Path]) -> tuple[list[Path], tuple[str, ...]]:
    """Return the paths without other names of the same file or folder, and which were left out."""
    kept = dict[str, Path]()
    notes = []
    for path in paths:
        first = kept.setdefault(os.path.realpath(path), path)
        if first is not path:
            same = "given twice" if path == first else f"the same as {first}"
            notes.append(f"{path} is {same}: its samples count once")
    return list(kept.values()), tuple(dict.fromkeys(notes))


def about_unsorted(folders: Sequence[LoadedRecordings]) -> list[str]:
    """Say which recordings are left out because nobody has said what they show.

    Raises HandloreError if a folder holds no others.
    """
    notes = []
    for folder in folders:
        n = len(folder.recordings) - len(folder.sorted.recordings)
        if not n:
            continue
        left = f"{counted(n, 'recording')} of `{UNSORTED}` in {folder.root}"
        review = f"`{shell_line('handlore', 'recordings', 'review', folder.root)}`"
        if n == len(folder.recordings):
            raise HandloreError(f"there is nothing but {left}; say what they show: {review}")
        notes.append(f"left out: {left}; say what they show with {review}")
    return notes


def _first_kind(folders: Sequence[LoadedRecordings]) -> Kind:
    """Return movements if there are any, but for a folder of ``none`` beside poses."""
    every = [one for folder in folders for one in folder.recordings]
    gestures = [one for one in every if one.labels != [NONE_LABEL]]
    there = {one.header.kind for one in gestures or every}
    return next((kind for kind in KINDS if kind in there), KINDS[0])


def _other_kind(folders: Sequence[LoadedRecordings], taken: Kind, *, is_chosen: bool) -> list[str]:
    """Say which recordings were not loaded, and how to load them if the kind was chosen here."""
    counts: Counter[Kind] = Counter()
    for folder in folders:
        counts.update(folder.counts())
    return [
        f"{counted(counts[taken], 'recording')} of {KIND_NAMES[taken]}"
        f" {'is' if counts[taken] == 1 else 'are'} used, not the {n} of {KIND_NAMES[kind]}; "
        + (
            f"--model {_DEFAULT_MODELS[kind]} uses {'that' if n == 1 else 'those'}"
            if is_chosen
            else f"{'that needs' if n == 1 else 'those need'} a model of {KIND_NAMES[kind]}"
        )
        for kind, n in counts.items()
        if kind != taken
    ]
