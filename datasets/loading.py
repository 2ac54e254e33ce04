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
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.errors import HandloreError, counted, naming, shell_line
from handlore.landmarks.files import each_path
from handlore.landmarks.untrusted import reason

from .dataset import NONE_LABEL, LandmarkDataset, concatenate
from .files import file_stamp
from .kinds import DEFAULT_ESTIMATOR, KIND_NAMES, KINDS, READY_MODEL, Kind, require_kind
from .recorded import UNSORTED, is_live, is_unreviewed, load_recording
from .recording_files import is_recordings, recording_files, require_recordings
from .recordings import about_renamed
from .storage import load_dataset
from .windows import cut_if_stream, poses_of_none

_WINDOW = 1.5
"""Seconds of a window of ``none`` if there are no movements to take the length from."""


@dataclass(frozen=True)
class LoadedRecordings:
    """The recordings of a folder that are kept."""

    root: Path
    recordings: tuple[LandmarkDataset, ...]
    """Each one recording, by number within its label."""
    failures: tuple[tuple[str, str], ...]
    """Files that cannot be read, relative to the folder, and why."""

    @cached_property
    def sorted(self) -> "LoadedRecordings":
        """The same without the recordings of :data:`UNSORTED`, which is the name of no gesture."""
        kept = tuple(one for one in self.recordings if one.labels != [UNSORTED])
        return replace(self, recordings=kept)

    @cached_property
    def renamed(self) -> str:
        """What :func:`~handlore.datasets.recordings.about_renamed` says of them."""
        folders = (str(one.samples.source[0]).partition("/")[0] for one in self.recordings)
        labels = (one.labels[0] for one in self.recordings)
        return about_renamed(self.root, zip(folders, labels, strict=True))

    @cached_property
    def gestures(self) -> list[LandmarkDataset]:
        """The recordings of anything but ``none``."""
        return [one for one in self.recordings if one.labels != [NONE_LABEL]]

    def live_clips(self) -> int:
        """Return how many clips of gestures of live runs there are, which are no poses."""
        return sum(is_live(one) for one in self.sorted.gestures)

    def counts(self) -> dict[Kind, int]:
        """Return how many recordings there are of each kind that there is.

        Recordings of ``none`` are not counted if there are others: they serve both kinds.
        """
        return _counts(self.recordings)

    def is_live_only(self, kind: Kind) -> bool:
        """Return whether there are clips of live runs only, which are no poses."""
        return kind == "pose" and 0 < self.live_clips() == len(self.recordings)

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
            chosen = [part for one in chosen for part in cut_if_stream(one, window, notes)]
        else:
            none = [part for one in self.recordings for part in poses_of_none(one, notes)]
            own = [one for one in self.recordings if one.header.kind == kind]
            # A folder may hold nothing but `none`, which serves both kinds.
            has_none = any(one.labels == [NONE_LABEL] for one in self.recordings)
            chosen = [*own, *none] if own or has_none else self.require(kind)
        if not chosen:
            raise HandloreError(f"no recording in {self.root} shows a hand; record more")
        joined = concatenate([replace(one, header=replace(one.header, log=())) for one in chosen])
        if len(chosen) == 1:
            # What was read is kept for the next call, so nobody may get its arrays.
            joined = joined.select(np.arange(joined.n_samples))
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
            f" {READY_MODEL[held]}, or in training `--base {READY_MODEL[held]}` or `--model"
            f" {DEFAULT_ESTIMATOR[held]}`"
        )


def _counts(recordings: Sequence[LandmarkDataset]) -> dict[Kind, int]:
    kinds = Counter(one.header.kind for one in recordings if one.labels != [NONE_LABEL])
    kinds = kinds or Counter(one.header.kind for one in recordings)
    return {kind: kinds[kind] for kind in KINDS if kinds[kind]}


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
    sizes: tuple[int, ...] = ()
    """How many samples of the dataset each file or folder gave, in order."""

    @property
    def parts(self) -> list[LandmarkDataset]:
        """The samples of each file or folder."""
        if len(self.sizes) < 2:
            return [self.dataset]
        ends = np.cumsum(self.sizes)
        return [
            self.dataset.select(np.arange(end - size, end))
            for size, end in zip(self.sizes, ends, strict=True)
        ]


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
    require_kind(kind)
    if not paths:
        raise HandloreError("no data; expected dataset files or folders of recordings")
    paths, twice = _without_repeats(paths)
    read = [load_recordings(path) if is_recordings(path) else load_dataset(path) for path in paths]
    recorded = [one for one in read if isinstance(one, LoadedRecordings)]
    unsorted = about_unsorted(recorded, alone=len(recorded) == len(read))
    renamed = [one.renamed for one in recorded if one.renamed]
    unsorted_only = {one.root for one in recorded if one.recordings and not one.sorted.recordings}
    read = [one.sorted if isinstance(one, LoadedRecordings) else one for one in read]
    folders = [one for one in read if isinstance(one, LoadedRecordings)]
    if not folders:
        files = [one for one in read if isinstance(one, LandmarkDataset)]
        sizes = tuple(one.n_samples for one in files)
        return LoadedData(concatenate(files), notes=twice, sizes=sizes)
    files = [one for one in read if isinstance(one, LandmarkDataset)]
    chosen = kind or (files[0].header.kind if files else None) or _first_kind(folders)
    # One length for all, since a folder may hold nothing but `none`.
    window = _usual_length([one for folder in folders for one in folder.recordings])
    failures = tuple(failure for one in folders for failure in one.failed())
    # A line says so of these; alone they are an error.
    nothing = [one for one in folders if one.root in unsorted_only or one.is_live_only(chosen)]
    used = [one for one in read if one not in nothing] or read
    with naming(failures):
        parts = [r.dataset(chosen, window) if isinstance(r, LoadedRecordings) else r for r in used]
        joined = concatenate(parts)
    part_of = np.repeat(np.arange(len(parts)), [part.n_samples for part in parts])
    recorded_parts = np.array([isinstance(one, LoadedRecordings) for one in used])
    kept, copies = _without_copies(joined, recorded_parts[part_of])
    joined = joined.select(kept) if copies else joined
    sizes = tuple(np.bincount(part_of[kept], minlength=len(parts)).tolist())
    notes = [
        f"left out: {counted(clips, 'clip')} of live runs, which are no static poses;"
        f" `{_improve(one.root)}` tests with them"
        for one in folders
        if chosen == "pose" and (clips := one.live_clips())
    ]
    unused = [] if notes else _other_kind(folders, chosen, is_chosen=kind is None)
    if kind is None:
        notes, unused = [*notes, *unused], []
    before = (*twice, *copies, *unsorted, *renamed, *_about_unreviewed(used, chosen))
    return LoadedData(joined, failures, (*before, *notes), tuple(unused), sizes)


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


def _without_copies(
    dataset: LandmarkDataset, is_recorded: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """Return which samples are no recordings that are there already, and a note if some are.

    Somebody has copied recordings: of a folder in a file manager, or of two computers into one.
    Their digests are those of landmarks; in dataset files they are those of whole files.
    """
    table, kept = dataset.samples, np.ones(dataset.n_samples, bool)
    known = np.flatnonzero(is_recorded & (table.sha256 != ""))
    keys = np.stack([table.sha256, table.label, table.group, table.session])[:, known]
    kept[known] = False
    kept[known[np.unique(keys, axis=1, return_index=True)[1]]] = True
    n = int((~kept).sum())
    if not n:
        return kept, ()
    are = "is a copy" if n == 1 else "are copies"
    return kept, (f"{counted(n, 'sample')} {are} of another: each counts once",)


def _about_unreviewed(read: Sequence[LandmarkDataset | LoadedRecordings], kind: Kind) -> list[str]:
    """Say which recordings of a kind have the label that a model gave them."""
    counts = {
        one.root: sum(is_unreviewed(each) for each in one.recordings if each.header.kind == kind)
        for one in read
        if isinstance(one, LoadedRecordings)
    }
    return [
        f"nobody has reviewed {counted(n, 'recording')} of live runs in {root}, labelled as they"
        f" were recognised: `{shell_line('handlore', 'recordings', 'review', root)}`"
        for root, n in counts.items()
        if n
    ]


def about_unsorted(folders: Sequence[LoadedRecordings], *, alone: bool = True) -> list[str]:
    """Say which recordings are left out because nobody has said what they show.

    Raises HandloreError if the folders hold no others, and there is no other data (``alone``).
    """
    notes, alone = [], alone and not any(folder.sorted.recordings for folder in folders)
    for folder in folders:
        n = len(folder.recordings) - len(folder.sorted.recordings)
        if not n:
            continue
        left = f"{counted(n, 'recording')} of `{UNSORTED}` in {folder.root}"
        review = f"`{shell_line('handlore', 'recordings', 'review', folder.root)}`"
        if alone:
            raise HandloreError(f"there is nothing but {left}; say what they show: {review}")
        notes.append(f"left out: {left}; say what they show with {review}")
    return notes


def _first_kind(folders: Sequence[LoadedRecordings]) -> Kind:
    """Return movements if there are any, but for a folder of ``none`` beside poses."""
    every = [one for folder in folders for one in folder.recordings]
    gestures = [one for folder in folders for one in folder.gestures]
    there = {one.header.kind for one in gestures or every}
    return next((kind for kind in KINDS if kind in there), KINDS[0])


def _other_kind(folders: Sequence[LoadedRecordings], taken: Kind, *, is_chosen: bool) -> list[str]:
    """Say which recordings were not loaded, and how to load them if the kind was chosen here."""
    counts = _counts([one for folder in folders for one in folder.recordings])
    counts = {taken: 0} | counts
    return [
        f"{counted(counts[taken], 'recording')} of {KIND_NAMES[taken]}"
        f" {'is' if counts[taken] == 1 else 'are'} used, not the {n} of {KIND_NAMES[kind]}; "
        + (
            f"--model {DEFAULT_ESTIMATOR[kind]} uses {'that' if n == 1 else 'those'}"
            if is_chosen
            else f"{'that needs' if n == 1 else 'those need'} a model of {KIND_NAMES[kind]}"
        )
        for kind, n in counts.items()
        if kind != taken
    ]
