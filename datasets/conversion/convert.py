"""Any source becomes a landmark dataset: in this process, or in many and into a file.

:func:`convert` does it in memory. :func:`convert_to_file` cuts the items into batches, which
workers convert; each result is a part beside the output until all are put together. What is there
is not done again, so a killed command continues. Both give the same dataset, to the byte.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.detector import HandDetector, checked_detector
from handlore.landmarks.errors import HandloreError, counted
from handlore.landmarks.files import as_path, real_path, require_writable
from handlore.landmarks.untrusted import printable

from ..dataset import LandmarkDataset
from ..describe import LabelProblems
from ..files import file_stamp
from ..sources.base import Item, Listing, Source
from .batches import Batch, ConvertOptions, Failures, convert_batch, scan_source
from .preview import Preview
from .resume import ConversionPlan, Report, ResumeFolder, Stamps
from .workers import (
    DaskPool,
    DetectorFactory,
    ProcessPool,
    Result,
    WorkerPool,
    WorkUnit,
    convert_here,
    convert_in_pool,
    usable_jobs,
)

Progress = Callable[[int, int], None]
"""Receives how many items are done, and how many there are."""
_SMALL = 300
"""This process converts fewer stills than this before a second process would have started."""
_SMALL_WITH_LANDMARKS = 3000
"""The same for items that need no detector."""


@dataclass(frozen=True)
class Conversion:
    """The result of a conversion."""

    dataset: LandmarkDataset
    n_items: int
    n_converted: int
    """Items in which a hand was found."""
    failures: Failures
    """Inputs that could not be read: the file relative to the source, and why."""
    left_out: tuple[str, ...]
    """Files that do not fit the layout of the source."""
    label_problems: LabelProblems
    """What is wrong with the labels, before anything was dropped."""
    n_dropped: int = 0
    """Items left out because they have two labels."""
    notes: tuple[str, ...] = ()
    """What the source decided."""

    def summary(self) -> dict[str, Any]:
        """Return the counts, under the names that scripts rely on."""
        copies = self.dataset.samples.view > 0
        # Counts are of the pictures themselves, without their augmented copies.
        own = self.dataset.select(~copies) if copies.any() else self.dataset
        with_hand = own.detected.any(axis=1)
        return {
            "n_items": self.n_items,
            "n_converted": self.n_converted,
            "n_no_hand": own.n_samples - self.n_converted,
            "n_failed": len(self.failures),
            "n_ignored": len(self.left_out),
            "n_dropped": self.n_dropped,
            "n_views": int(copies.sum()),
            "stages": own.stage_counts(),
            "n_frames": own.n_frames,
            "n_frames_with_hand": int(with_hand.sum()),
        }


def convert(
    source: Source,
    root: str | Path,
    detector: HandDetector | None,
    options: ConvertOptions | None = None,
    *,
    progress: Progress | None = None,
) -> Conversion:
    """Find the hands in all items of a source.

    Inputs that cannot be read are listed, and the others are still converted; items without a
    hand are kept as such.

    Parameters
    ----------
    source
        The layout of the folder.
    root
        The folder, or the one file that holds everything.
    detector
        An open detector; None for a source that brings landmarks.
    options
        How to convert.
    progress
        Called after each item.

    Raises
    ------
    HandloreError
        If there is nothing to convert, or nothing can be read.

    Examples
    --------
    >>> import handlore
    >>> with handlore.open_detector() as detector:
    ...     done = handlore.convert(handlore.make_source("images"), "photos", detector)
    >>> done.n_items == done.dataset.n_samples
    True
    """
    options, root = options or ConvertOptions(), as_path(root)
    listing = scan_source(source, root, options)
    if not source.brings_landmarks:
        checked_detector(detector)

    def count(done: int) -> None:
        if progress:
            progress(listing.n_items - len(listing.items) + done, listing.n_items)

    if listing.dataset:
        count(0)
    batch = convert_batch(source, listing.items, detector, options, count)
    return _finished(source, root, listing, [batch], options)


def _finished(
    source: Source, root: Path, listing: Listing, batches: Sequence[Batch], options: ConvertOptions
) -> Conversion:
    ready = [Batch.ready(listing.dataset, options)] if listing.dataset else []
    whole = Batch.joined([*ready, *batches])
    if not whole.dataset.n_samples:
        file, reason = whole.failures[0]
        raise HandloreError(
            f"none of {counted(listing.n_items, 'file')} in {root} could be read; {file}: {reason}"
        )
    problems = LabelProblems.of(whole.dataset)
    dataset = _without_conflicts(whole.dataset, root) if options.drop_conflicts else whole.dataset
    n_dropped = problems.n_conflicts if options.drop_conflicts else 0
    log = [
        *listing.notes,
        *(printable(f"failed: {file}: {reason}") for file, reason in whole.failures),
        *(f"ignored: {printable(file)}: it does not fit the layout" for file in listing.left_out),
        *_dropped(problems, n_dropped),
    ]
    detector = dataset.header.detector or listing.detector
    header = replace(
        dataset.header, detector=detector, options=_chosen(source, options), log=tuple(log)
    )
    return Conversion(
        replace(dataset, header=header),
        n_items=listing.n_items,
        n_converted=int((dataset.has_hand & (dataset.samples.view == 0)).sum()),
        failures=whole.failures,
        left_out=tuple(listing.left_out),
        label_problems=problems,
        n_dropped=n_dropped,
        notes=tuple(listing.notes),
    )


def _without_conflicts(dataset: LandmarkDataset, root: Path) -> LandmarkDataset:
    conflicting = _in_conflict(dataset)
    if conflicting.all():
        raise HandloreError(
            f"every picture in {root} has two labels: --drop-conflicts leaves nothing"
        )
    return dataset.select(~conflicting) if conflicting.any() else dataset


def _chosen(source: Source, options: ConvertOptions) -> dict[str, Any]:
    own = {name: value for name, value in vars(source).items() if value}
    dropped = {"drop_conflicts": True} if options.drop_conflicts else {}
    chosen = {"source": source.name, "none": options.none, "stages": len(options.stages)}
    asked = {"views": options.augment, "min_score": options.min_score, "hand": options.hand}
    return chosen | {name: value for name, value in asked.items() if value} | dropped | own


def _dropped(problems: LabelProblems, n_dropped: int) -> list[str]:
    if not n_dropped:
        return []
    pairs = "; ".join(f"{' = '.join(one.labels)}: {one.n}" for one in problems.conflicts)
    return [f"dropped: {counted(n_dropped, 'picture')} under two labels ({pairs})"]


@dataclass(frozen=True)
class RunOptions:
    """How a conversion is run. The result does not depend on it."""

    jobs: int | None = None
    """How many processes; None: as many as there are processors and memory for."""
    dask: str = ""
    """The address of a Dask scheduler whose workers convert."""
    restart: bool = False
    """Whether parts of an earlier run are discarded."""


def convert_to_file(
    source: Source,
    root: str | Path,
    out: str | Path,
    options: ConvertOptions | None = None,
    factory: DetectorFactory | None = None,
    *,
    run: RunOptions | None = None,
    progress: Progress | None = None,
    report: Report | None = None,
    understood: Callable[[Preview], None] | None = None,
) -> Conversion:
    """Find the hands in all items of a source and write them to a file.

    The file is the same, byte for byte, as that of :func:`convert`. Killed at any moment, the
    conversion continues where it was when it is called again.

    Parameters
    ----------
    source, root
        What to read.
    out
        The file; its parts are beside it while it is not finished.
    options
        How to convert.
    factory
        Opens the detector; not needed for a source that brings landmarks.
    run
        Which processes convert.
    progress
        Receives how many items are done, and of how many.
    report
        Receives lines for the person: what continues, which files were changed.
    understood
        Receives how the source was understood, before anything is read.

    Raises
    ------
    HandloreError
        If there is nothing to convert, or another process or conversion is writing the same file.

    Examples
    --------
    >>> done = handlore.convert_to_file(handlore.make_source("images"), "photos", "photos.npz")
    >>> done.dataset.labels
    ['fist', 'open_palm', 'point', 'victory']
    """
    options, run, root = options or ConvertOptions(), run or RunOptions(), as_path(root)
    report, progress = report or (lambda line: None), progress or (lambda done, total: None)
    require_writable(real_path(as_path(out)))
    folder = ResumeFolder.of(as_path(out))
    with folder.held(report):
        alone = run.jobs == 1 and not run.dask
        plan = ConversionPlan.make(source, root, options, factory or DetectorFactory(), alone=alone)
        folder.begin(plan.manifest(), run.restart)
        if understood:
            understood(Preview.of(source, plan.listing, plan.options))
        state = _State(plan, folder, progress, report)
        try:
            state.resume()
            while state.missing:
                _convert_missing(state, run)
        except KeyboardInterrupt as stop:
            if state.n_done:
                kept = f"{state.words()} are kept in {folder.folder}; the same command continues"
                report(f"\n{kept}")
                stop.args = (kept,)
            raise
        return _finish(plan, folder)


class _State:
    """Which batches are done, and which are missing."""

    def __init__(
        self, plan: ConversionPlan, folder: ResumeFolder, progress: Progress, report: Report
    ) -> None:
        self.plan, self.folder = plan, folder
        self.missing = dict.fromkeys(range(plan.n_batches))
        self._progress, self._report = progress, report
        self._n_ready = plan.listing.n_items - len(plan.items)
        self.n_done = 0
        """Items that are kept in parts."""
        self._stamps: dict[int, Stamps] = {}

    def resume(self) -> None:
        """Use the parts of an earlier run whose files are still the same."""
        changed: list[str] = []
        for number in list(self.missing):
            part, items = self.folder.load(number), self.plan.of_batch(number)
            if part is None:
                continue
            stamps = _stamps_of(items)
            both = zip(items, part[1], stamps, strict=False)
            new = [item.source for item, before, now in both if before != now]
            changed += new
            if not new and len(part[1]) == len(items):
                self._count(number)
        if changed:
            self._report(f"{_some(changed)} changed since; read again, with the files beside it")
        if self.n_done:
            self._report(f"continuing: {self.words()} done")
        if self.n_done or self._n_ready:
            self._show(0)

    def units(self) -> Iterator[WorkUnit]:
        for number in list(self.missing):
            unit = self.plan.unit(number)
            # Noted before it is read: what changes meanwhile is then found to have changed.
            self._stamps[number] = _stamps_of(unit.items)
            yield unit

    def keep(self, result: Result) -> None:
        number, batch = result
        self.folder.save(number, batch, self._stamps.pop(number))
        self._count(number)
        self._show(0)

    def within(self, unit: WorkUnit, n_items: int) -> None:
        if n_items < len(unit.items):
            self._show(n_items)

    def words(self) -> str:
        return f"{self.n_done:,} of {len(self.plan.items):,}"

    def _show(self, n_more: int) -> None:
        self._progress(self._n_ready + self.n_done + n_more, self.plan.listing.n_items)

    def _count(self, number: int) -> None:
        del self.missing[number]
        self.n_done += len(self.plan.of_batch(number))


def _stamps_of(items: Sequence[Item]) -> Stamps:
    known = {path: list(file_stamp(path)) for path in dict.fromkeys(item.path for item in items)}
    return [known[item.path] for item in items]


def _convert_missing(state: _State, run: RunOptions) -> None:
    pool, units = _pool(state, run), state.units()
    results = convert_here(units, state.within) if pool is None else convert_in_pool(units, pool)
    with closing(results):
        for result in results:
            state.keep(result)


def _pool(state: _State, run: RunOptions) -> WorkerPool | None:
    """Return the workers; None: this process."""
    if run.dask:
        return DaskPool(run.dask)
    jobs = min(run.jobs or usable_jobs(), len(state.missing))
    # An explicit number is kept to: a process of its own protects this one from what it reads.
    here = run.jobs == 1 or (run.jobs is None and (jobs == 1 or _is_small(state.plan)))
    return None if here else ProcessPool(jobs)


def _is_small(plan: ConversionPlan) -> bool:
    if plan.source.brings_landmarks:
        return len(plan.items) < _SMALL_WITH_LANDMARKS
    return plan.source.kind == "pose" and len(plan.items) < _SMALL


def _finish(plan: ConversionPlan, folder: ResumeFolder) -> Conversion:
    loaded = [folder.load(number) for number in range(plan.n_batches)]
    batches = [part[0] for part in loaded if part is not None]
    if len(batches) < plan.n_batches:
        raise HandloreError(
            f"parts in {folder.folder} were removed; the same command makes them again"
        )
    if not plan.listing.dataset and not any(batch.dataset.n_samples for batch in batches):
        folder.discard()  # there is nothing worth keeping
    conversion = _finished(plan.source, plan.root, plan.listing, batches, plan.options)
    folder.finish(conversion.dataset)
    return conversion


def _some(names: Sequence[str]) -> str:
    return names[0] + (f" and {len(names) - 1} more files" if len(names) > 1 else "")


def _in_conflict(dataset: LandmarkDataset) -> NDArray[np.bool_]:
    """(n_samples,) whether an identical picture is under another label."""
    labels = defaultdict(set)
    pairs = list(zip(dataset.digests.tolist(), dataset.samples.label.tolist(), strict=True))
    for digest, label in pairs:
        labels[digest].add(label)
    return np.array([bool(digest) and len(labels[digest]) > 1 for digest, _ in pairs], bool)
