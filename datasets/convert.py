"""Any source of pictures becomes a landmark dataset, in this process.

:func:`~handlore.datasets.engine.convert_to_file` does the same in many processes, and survives
what may happen on the way; both take the same steps and give the same dataset.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from handlore.landmarks.detector import HandDetector
from handlore.landmarks.errors import HandloreError

from .batches import Batch, ConvertOptions, Failures, convert_batch, join_batches
from .dataset import LandmarkDataset
from .sources.registry import Item, Source
from .trouble import Trouble, find_trouble, in_conflict

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

    trouble: Trouble
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


def items_of(source: Source, root: Path, options: ConvertOptions) -> list[Item]:
    """List the items of a source.

    Raises
    ------
    HandloreError
        If there are none, or the class that is to be ``none`` is not among theirs.
    """
    for name in ("views", "min_score"):
        if getattr(options, name) and (source.brings_landmarks or source.kind != "pose"):
            flag = f"--{name.replace('_', '-')}"
            raise HandloreError(f"{flag} is for single pictures, and {source.name} has none")
    items = source.items(root)
    if not items:
        raise HandloreError(f"{root} holds nothing of the layout {source.name}: {source.layout}")
    labels = sorted({item.label for item in items})
    if options.none and options.none not in labels:
        raise HandloreError(f"no class {options.none!r} in {root}; it has: {', '.join(labels)}")
    return items


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
    dataset, trouble = whole.dataset, find_trouble(whole.dataset)
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


def _dropped(trouble: Trouble, n_dropped: int) -> list[str]:
    if not n_dropped:
        return []
    pairs = "; ".join(f"{' = '.join(one.labels)}: {one.n}" for one in trouble.conflicts)
    return [f"dropped: {n_dropped} pictures that stand under two labels ({pairs})"]
