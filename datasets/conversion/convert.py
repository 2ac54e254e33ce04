"""Any source of pictures becomes a landmark dataset, in this process.

:func:`convert_to_file` does the same in many processes, and survives
what may happen on the way; both take the same steps and give the same dataset.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from handlore.landmarks.detector import HandDetector
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.files import require_writable

from ..dataset import LandmarkDataset
from ..label_problems import LabelProblems, find_label_problems, in_conflict
from ..sources.base import Source
from .batches import Batch, ConvertOptions, Failures, convert_batch, items_of, join_batches
from .resume import ConversionPlan, ResumeFolder, Stamps, plan_conversion, stamps_of
from .workers import (
    Opener,
    ProcessPool,
    Result,
    Task,
    WorkerPool,
    convert_in_pool,
    here,
    usable_jobs,
)

__all__ = ["Conversion", "ConvertOptions", "Progress", "convert"]

Progress = Callable[[int, int], None]
"""Called with how many items are done, and how many there are."""


@dataclass(frozen=True)
class Conversion:
    """What came of a source."""

    dataset: LandmarkDataset
    n_items: int
    n_converted: int
    """Items in which a hand was found."""

    failures: Failures
    """Inputs that could not be read: the file relative to the source, and why."""

    ignored: tuple[str, ...]
    """Pictures that do not fit the layout of the source."""

    trouble: LabelProblems
    """What is wrong with the labels, before anything was dropped."""

    n_dropped: int = 0
    """Items left out because they stand under two labels."""

    notes: tuple[str, ...] = ()
    """What the source decided."""

    def summary(self) -> dict[str, Any]:
        """Return the counts, under the names that scripts rely on."""
        views = self.dataset.samples.view > 0
        # Of the pictures themselves: views are more of the same.
        own = self.dataset.select(~views) if views.any() else self.dataset
        with_hand = own.detected.any(axis=1)
        return {
            "n_items": self.n_items,
            "n_converted": self.n_converted,
            "n_no_hand": own.n_samples - self.n_converted,
            "n_failed": len(self.failures),
            "n_ignored": len(self.ignored),
            "n_dropped": self.n_dropped,
            "n_views": int(views.sum()),
            "stages": own.stage_counts(),
            "n_frames": own.n_frames,
            "n_frames_with_hand": int(with_hand.sum()),
        }


def convert(
    source: Source,
    root: Path,
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
        The folder, or the one file that holds all.
    detector
        An open detector; None for a source that brings landmarks.
    options
        How to do it.
    progress
        Called after each item.

    Raises
    ------
    HandloreError
        If there is nothing to convert, or nothing that can be read.
    """
    options, root = options or ConvertOptions(), Path(root)
    items = items_of(source, root, options)

    def told(done: int) -> None:
        if progress:
            progress(done, len(items))

    batch = convert_batch(source, items, detector, options, told)
    return finished(source, root, len(items), [batch], options)


def finished(
    source: Source, root: Path, n_items: int, batches: Sequence[Batch], options: ConvertOptions
) -> Conversion:
    """Make the whole of its batches.

    Raises
    ------
    HandloreError
        If nothing could be read.
    """
    whole = join_batches(batches)
    if not whole.dataset.n_samples:
        file, reason = whole.failures[0]
        raise HandloreError(
            f"none of the {n_items} files in {root} could be read; {file}: {reason}"
        )
    dataset, trouble = whole.dataset, find_label_problems(whole.dataset)
    conflicting = in_conflict(dataset) if options.drop_conflicts else None
    if conflicting is not None and conflicting.any():
        if conflicting.all():
            raise HandloreError(
                f"every picture in {root} stands under two labels: --drop-conflicts leaves nothing"
            )
        dataset = dataset.select(~conflicting)
    n_dropped = trouble.n_conflicts if options.drop_conflicts else 0
    ignored = tuple(source.ignored(root))
    notes = tuple(source.notes(root))
    log = [
        *notes,
        *(f"failed: {file}: {reason}" for file, reason in whole.failures),
        *(f"ignored: {file}: it does not fit the layout" for file in ignored),
        *_dropped(trouble, n_dropped),
    ]
    detector = dataset.header.detector or source.detector_of(root)
    header = replace(
        dataset.header, detector=detector, options=_chosen(source, options), log=tuple(log)
    )
    n_converted = int((dataset.has_hand & (dataset.samples.view == 0)).sum())
    return Conversion(
        replace(dataset, header=header),
        *(n_items, n_converted, whole.failures, ignored, trouble, n_dropped, notes),
    )


def _chosen(source: Source, options: ConvertOptions) -> dict[str, Any]:
    own = {name: value for name, value in vars(source).items() if value}
    dropped = {"drop_conflicts": True} if options.drop_conflicts else {}
    chosen = {"source": source.name, "none": options.none, "stages": len(options.stages)}
    asked = {"views": options.views, "min_score": options.min_score}
    return chosen | {name: value for name, value in asked.items() if value} | dropped | own


def _dropped(trouble: LabelProblems, n_dropped: int) -> list[str]:
    if not n_dropped:
        return []
    pairs = "; ".join(f"{' = '.join(one.labels)}: {one.n}" for one in trouble.conflicts)
    return [f"dropped: {n_dropped} pictures that stand under two labels ({pairs})"]


# Conversion into a file: in many processes, and whatever happens on the way.
#
# Items are cut into batches; workers convert them; this process keeps each as a part beside the
# output, and puts the parts together in the end. A part that is there is not done again, so the
# same command goes on after it was killed, and what comes out is the same to the byte.


Talk = Callable[[str], None]

SMALL = 300
"""Fewer stills than this are done before a second process would have begun."""

SMALL_WITH_LANDMARKS = 3000
"""The same for items that need no detector."""


@dataclass(frozen=True)
class RunOptions:
    """How a conversion is run. What comes out does not depend on it."""

    jobs: int | None = None
    """How many processes; None: as many as there are processors and memory for."""

    dask: str = ""
    """The address of a Dask scheduler whose workers are to convert."""

    restart: bool = False
    """Whether parts of an earlier run are thrown away."""


def convert_to_file(
    source: Source,
    root: Path,
    out: Path,
    options: ConvertOptions | None = None,
    opener: Opener | None = None,
    *,
    run: RunOptions | None = None,
    progress: Progress | None = None,
    talk: Talk | None = None,
) -> Conversion:
    """Find the hands in all items of a source and write them to a file.

    The file is the same, byte for byte, as that of :func:`convert`.
    Killed at any moment, it goes on where it was when it is called again.

    Parameters
    ----------
    source, root
        What to read.
    out
        The file; its parts lie beside it while it is not finished.
    options
        How to convert.
    opener
        Opens the detector; not needed for a source that brings landmarks.
    run
        Who converts.
    progress
        Called with how many items are done, and of how many.
    talk
        Told what a person should know: what goes on, which files were changed.

    Raises
    ------
    HandloreError
        If there is nothing to convert, another process is converting into the same file, or parts
        of another conversion are in the way.
    """
    options, run, root = options or ConvertOptions(), run or RunOptions(), Path(root)
    talk = talk or _silent
    require_writable(Path(out).resolve())
    parts = ResumeFolder.of(out)
    with parts.held(talk):
        alone = run.jobs == 1 and not run.dask
        plan = plan_conversion(source, root, options, opener or Opener(), alone=alone)
        parts.begin(plan.manifest(), run.restart)
        done = _Done(plan, parts, progress or _silent_progress, talk)
        try:
            done.go_on()
            while done.missing:
                _convert_missing(done, run)
        except KeyboardInterrupt:
            if done.any:
                talk(f"\n{done.words()} are kept in {parts.folder}; the same command goes on")
            raise
        return _finish(plan, parts)


class _Done:
    """What is done so far, and what is not."""

    def __init__(
        self, plan: ConversionPlan, parts: ResumeFolder, progress: Progress, talk: Talk
    ) -> None:
        self.plan, self.parts = plan, parts
        self.missing = dict.fromkeys(range(plan.n_batches))
        self._progress, self._talk = progress, talk
        self._n = 0
        self._stamps: dict[int, Stamps] = {}

    def go_on(self) -> None:
        """Take what an earlier run has left, if the files are still the same."""
        changed: list[str] = []
        for number in list(self.missing):
            part, items = self.parts.load(number), self.plan.of_batch(number)
            if part is None:
                continue
            stamps = stamps_of(items)
            both = zip(items, part[1], stamps, strict=False)
            new = [item.source for item, was, is_now in both if was != is_now]
            changed += new
            if not new and len(part[1]) == len(items):
                self._count(number)
        if changed:
            self._talk(f"{_some(changed)} changed since; read again, with what is beside it")
        if self._n:
            self._talk(f"going on: {self.words()} done")
            self._progress(self._n, len(self.plan.items))

    def tasks(self) -> Iterator[Task]:
        """Yield what is missing."""
        for number in list(self.missing):
            task = self.plan.task(number)
            # Noted before it is read: what changes meanwhile is then found to have changed.
            self._stamps[number] = stamps_of(task.items)
            yield task

    def keep(self, result: Result) -> None:
        """Keep a batch."""
        number, batch = result
        self.parts.save(number, batch, self._stamps.pop(number))
        self._count(number)
        self._progress(self._n, len(self.plan.items))

    def within(self, task: Task, n_items: int) -> None:
        """Tell of progress within a batch."""
        if n_items < len(task.items):
            self._progress(self._n + n_items, len(self.plan.items))

    @property
    def any(self) -> bool:
        """Whether anything is kept."""
        return self._n > 0

    def words(self) -> str:
        """Say how far it is."""
        return f"{self._n:,} of {len(self.plan.items):,}"

    def _count(self, number: int) -> None:
        del self.missing[number]
        self._n += len(self.plan.of_batch(number))


def _convert_missing(done: _Done, run: RunOptions) -> None:
    crew = _crew(done, run)
    tasks = done.tasks()
    results = here(tasks, done.within) if crew is None else convert_in_pool(tasks, crew)
    with closing(results):
        for result in results:
            done.keep(result)


def _crew(done: _Done, run: RunOptions) -> WorkerPool | None:
    """Return who converts; None: this process."""
    if run.dask:
        from .dask_cluster import DaskPool

        return DaskPool(run.dask)
    jobs = min(run.jobs or usable_jobs(), len(done.missing))
    # An explicit number is kept to: a process of its own protects this one from what it reads.
    here_alone = run.jobs == 1 or (run.jobs is None and (jobs == 1 or _is_small(done.plan)))
    return None if here_alone else ProcessPool(jobs)


def _is_small(plan: ConversionPlan) -> bool:
    if plan.source.brings_landmarks:
        return len(plan.items) < SMALL_WITH_LANDMARKS
    return plan.source.kind == "pose" and len(plan.items) < SMALL


def _finish(plan: ConversionPlan, parts: ResumeFolder) -> Conversion:
    loaded = [parts.load(number) for number in range(plan.n_batches)]
    batches = [part[0] for part in loaded if part is not None]
    if len(batches) < plan.n_batches:
        raise HandloreError(f"parts in {parts.folder} have gone; the same command makes them again")
    if not any(batch.dataset.n_samples for batch in batches):
        parts.discard()  # nothing came of it: nothing is worth keeping
    conversion = finished(plan.source, plan.root, len(plan.items), batches, plan.options)
    parts.finish(conversion.dataset)
    return conversion


def _some(names: Sequence[str]) -> str:
    return names[0] + (f" and {len(names) - 1} more files" if len(names) > 1 else "")


def _silent(line: str) -> None:
    pass


def _silent_progress(done: int, total: int) -> None:
    pass
