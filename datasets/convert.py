"""Any source of pictures becomes a landmark dataset."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from handlore.landmarks.detector import HandDetector
from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.landmarks.hands import Hand

from .dataset import NONE_LABEL, Header, LandmarkDataset, Samples, printable
from .finding import FindOptions, find_hands
from .sources.registry import Item, Source

Progress = Callable[[int, int], None]
"""Called with how many items are done, and how many there are."""


@dataclass(frozen=True)
class ConvertOptions(FindOptions):
    """How a source is to be converted."""

    none: str = ""
    """The label of the source that stands for no gesture."""


@dataclass(frozen=True)
class Conversion:
    """What came of a source."""

    dataset: LandmarkDataset
    n_items: int
    n_converted: int
    """Items in which a hand was found."""

    failures: tuple[tuple[str, str], ...]
    """Inputs that could not be read: the file relative to the source, and why."""

    ignored: tuple[str, ...]
    """Pictures that do not fit the layout of the source."""

    def summary(self) -> dict[str, Any]:
        """Return the counts, under the names that scripts rely on."""
        with_hand = self.dataset.detected.any(axis=1)
        return {
            "n_items": self.n_items,
            "n_converted": self.n_converted,
            "n_no_hand": self.dataset.n_samples - self.n_converted,
            "n_failed": len(self.failures),
            "n_ignored": len(self.ignored),
            "stages": self.dataset.stage_counts(),
            "n_frames": self.dataset.n_frames,
            "n_frames_with_hand": int(with_hand.sum()),
        }


@dataclass
class _Frames:
    """What has been found so far, item by item."""

    slots: list[list[Hand | None]] = field(default_factory=list)
    time: list[float] = field(default_factory=list)
    offsets: list[int] = field(default_factory=lambda: [0])
    rows: list[tuple[Item, int, str]] = field(default_factory=list)
    """Of each sample the item, the view and the digest."""

    failures: list[tuple[str, str]] = field(default_factory=list)


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
    items = source.items(root)
    if not items:
        raise HandloreError(f"{root} holds nothing of the layout {source.name}: {source.layout}")
    _require_label(items, options.none, root)
    found = _Frames()
    for done, item in enumerate(items, 1):
        _convert_item(source, item, detector, options, found)
        if progress:
            progress(done, len(items))
    if not found.rows:
        file, reason = found.failures[0]
        raise HandloreError(
            f"none of the {len(items)} files in {root} could be read; {file}: {reason}"
        )
    ignored = tuple(source.ignored(root))
    log = [
        *source.notes(root),
        *(f"failed: {file}: {reason}" for file, reason in found.failures),
        *(f"ignored: {file}: it does not fit the layout" for file in ignored),
    ]
    dataset = _dataset(source, found, detector, options, log)
    n_converted = int(dataset.has_hand.sum())
    return Conversion(dataset, len(items), n_converted, tuple(found.failures), ignored)


def _convert_item(
    source: Source,
    item: Item,
    detector: HandDetector | None,
    options: ConvertOptions,
    found: _Frames,
) -> None:
    try:
        samples, sha256 = find_hands(source, item, detector, options)
    except InvalidDataError as error:
        found.failures.append((item.source, str(error)))
        return
    for sample in samples:
        found.slots += sample.slots
        found.time += sample.time
        found.offsets.append(len(found.slots))
        found.rows.append((item, sample.view, sha256))


def _dataset(
    source: Source,
    found: _Frames,
    detector: HandDetector | None,
    options: ConvertOptions,
    log: Sequence[str],
) -> LandmarkDataset:
    items = [item for item, _, _ in found.rows]
    renamed = {options.none: NONE_LABEL} if options.none else {}
    samples = Samples.make(
        [renamed.get(item.label, printable(item.label)) for item in items],
        **{
            column: [printable(getattr(item, column)) for item in items]
            for column in ("group", "session", "recording", "split")
        },
        source=[item.source for item in items],
        view=[view for _, view, _ in found.rows],
        sha256=[sha256 for _, _, sha256 in found.rows],
    )
    own = {name: value for name, value in vars(source).items() if value}
    chosen = {"source": source.name, "none": options.none, "stages": len(options.stages)}
    header = Header(
        kind=source.kind,
        image_unit=source.image_unit,
        detector=detector.info if detector else None,
        options=chosen | own,
        log=tuple(log),
    )
    return LandmarkDataset.of_hands(
        found.slots, samples, time=found.time, offsets=found.offsets, header=header
    )


def _require_label(items: Sequence[Item], label: str, root: Path) -> None:
    labels = sorted({item.label for item in items})
    if label and label not in labels:
        raise HandloreError(f"no class {label!r} in {root}; it has: {', '.join(labels)}")
