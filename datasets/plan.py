"""What a conversion is to do: its items, how they are cut, and what must not change on the way."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from handlore import __version__
from handlore.landmarks.detector import DetectorInfo

from .batches import ConvertOptions
from .convert import items_of
from .parts import Manifest, digest_of
from .sources.registry import Item, Source
from .workers import Opener, Task

PARTS_FORMAT = 1


@dataclass(frozen=True)
class Plan:
    """What is to be done."""

    source: Source
    root: Path
    options: ConvertOptions
    opener: Opener | None
    info: DetectorInfo | None
    items: Sequence[Item]
    size: int
    """Items in a batch."""

    @property
    def n_batches(self) -> int:
        """How many batches there are."""
        return -(-len(self.items) // self.size)

    def of_batch(self, number: int) -> tuple[Item, ...]:
        """Return the items of a batch."""
        return tuple(self.items[number * self.size : (number + 1) * self.size])

    def task(self, number: int) -> Task:
        """Return a batch as a worker takes it."""
        items = self.of_batch(number)
        return Task(number, items, self.source, self.options, self.opener, self.info)

    def manifest(self) -> Manifest:
        """Return what must be the same for parts to belong together."""
        # What is done to the whole in the end does not touch the parts.
        early = [f.name for f in fields(self.options) if f.name != "drop_conflicts"]
        own = {"name": self.source.name, **_plain(vars(self.source))}
        return {
            "format": PARTS_FORMAT,
            "handlore": __version__,
            "folder": str(self.root.resolve()),
            "source": own,
            "options": {name: _plain(getattr(self.options, name)) for name in early}
            | {"stages": len(self.options.stages)},
            "detector": asdict(self.info) if self.info else None,
            "files": {"number": len(self.items), "digest": digest_of(self.items)},
            "items in a part": self.size,
        }


def make_plan(
    source: Source, root: Path, options: ConvertOptions, opener: Opener, *, alone: bool
) -> Plan:
    """Plan a conversion; ``alone`` says that one process does it, which may use many threads."""
    items = items_of(source, root, options)
    size = batch_size(source, len(items))
    if source.brings_landmarks:
        return Plan(source, root, options, None, None, items, size)
    if not alone:
        # Side by side, each gets one processor; what it finds does not depend on that.
        opener = replace(opener, options=replace(opener.options, threads=1))
    return Plan(source, root, options, opener, opener.info(), items, size)


def batch_size(source: Source, n_items: int) -> int:
    """Return how many items make a batch: a second of work or so, and at most some 4,000 parts."""
    if source.brings_landmarks:
        return 256
    if source.kind == "sequence":
        return max(1, n_items // 4000)
    return min(max(16, n_items // 1000), 256)


def _plain(value: Any) -> Any:
    """Return a value as JSON knows it; search stages and other things with a name by name."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if is_dataclass(value) and hasattr(value, "name"):
        return str(value.name)
    return value if isinstance(value, str | int | float | bool | None) else str(value)
