"""What a worker does: it converts a batch, with one detector that it opens and keeps.

It reads inputs and returns arrays; nothing else of it is needed, wherever it runs.
"""

import threading
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from functools import partial

from handlore import __version__
from handlore.landmarks.detector import (
    DetectorInfo,
    DetectorOptions,
    HandDetector,
    detector_info,
    open_detector,
)
from handlore.landmarks.errors import HandloreError

from .batches import Batch, ConvertOptions, convert_batch
from .sources.registry import Item, Source


@dataclass(frozen=True)
class Opener:
    """Opens a detector, in whichever process it is needed."""

    options: DetectorOptions = field(default_factory=DetectorOptions)

    def info(self) -> DetectorInfo:
        """Say which detector it will be."""
        return detector_info(self.options)

    def open(self) -> HandDetector:
        """Open it."""
        return open_detector(self.options)


@dataclass(frozen=True)
class Task:
    """A batch that is to be converted."""

    number: int
    """Its place among the batches."""

    items: tuple[Item, ...]
    source: Source
    options: ConvertOptions
    opener: Opener | None
    """None for a source that brings landmarks."""

    info: DetectorInfo | None = None
    """The detector that it must be."""

    version: str = __version__


Result = tuple[int, Batch]
"""The place of a batch, and what came of it."""


def here(tasks: Iterable[Task], told: Callable[[Task, int], None]) -> Generator[Result, None, None]:
    """Convert batches in this process, with one detector; ``told`` hears of every item."""
    opened: HandDetector | None = None
    try:
        for task in tasks:
            if opened is None and task.opener:
                opened = task.opener.open()
            yield task.number, _converted(task, opened, partial(told, task))
    finally:
        if opened is not None:
            opened.close()


def work(task: Task) -> Result:
    """Convert a batch in a worker, with the detector that this thread keeps.

    Raises
    ------
    HandloreError
        If this worker would not give the same landmarks.
    """
    if task.version != __version__:
        raise HandloreError(
            f"a worker runs handlore {__version__}, but {task.version} was started; install the"
            " same version on all"
        )
    return task.number, _converted(task, _kept(task.opener) if task.opener else None)


def _converted(
    task: Task, detector: HandDetector | None, told: Callable[[int], None] | None = None
) -> Batch:
    if detector is not None and task.info is not None and detector.info != task.info:
        raise HandloreError(
            f"a worker would find hands with {_words(detector.info)}, but"
            f" {_words(task.info)} was started; make all the same"
        )
    return convert_batch(task.source, task.items, detector, task.options, told)


def _words(info: DetectorInfo) -> str:
    return f"{info.name} {info.version}, {info.landmarker} bundle {info.bundle_sha256[:12]}"


_OWN = threading.local()


def _kept(opener: Opener) -> HandDetector:
    kept: dict[Opener, HandDetector] = _OWN.__dict__.setdefault("detectors", {})
    if opener not in kept:
        for other in kept.values():
            other.close()
        kept.clear()
        kept[opener] = opener.open()
    return kept[opener]
