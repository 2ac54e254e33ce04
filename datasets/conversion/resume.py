"""How far a conversion is, on disk: a folder of parts beside the output.

Each part is a small landmark dataset, written whole or not at all. The manifest says to which
conversion the parts belong; another conversion refuses them. Nothing here depends on who makes
the parts.
"""

import errno
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Self

from filelock import FileLock, Timeout

from handlore import __version__
from handlore.landmarks.detector import DetectorInfo
from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.landmarks.files import os_errors_as, real_path, write_bytes
from handlore.landmarks.untrusted import DAMAGE, parse_json

from ..dataset import TEXT, LandmarkDataset
from ..sources.base import Item, Listing, Source
from ..storage import load_dataset, save_dataset
from .batches import Batch, ConvertOptions, scan_source
from .workers import DetectorFactory, WorkUnit

Report = Callable[[str], None]
"""Receives a line of text for the person."""
_Manifest = Mapping[str, Any]
Stamps = list[list[int]]
"""Of each item the size of its file and when it was changed, in nanoseconds."""
_MANIFEST, _LOCK, _HOLDER, _RESULT = "manifest.json", "lock", "holder", "result.npz"
_OF_FILES = {"files number", "files digest", "items in a part"}
"""What differs between manifests when nothing but the files has changed."""
_OURS = re.compile(r"\d{7}\.npz|manifest\.json|lock|holder|result\.npz|\..*\.tmp")

_NO_LOCKS = (None, errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)
"""What file systems answer that have no locks; None belongs to filelock's NotImplementedError."""


@contextmanager
def _exclusive(folder: Path, what: str, report: Report | None = None) -> Iterator[None]:
    """Hold the lock of a folder for the length of the block.

    The system drops the lock when its process ends, however it ends. The folder is made if needed,
    in one that must exist; files of the lock are removed at the end. A second process gets an error
    that says ``what`` is being done. Where the file system has no locks, nothing is locked, and
    ``report`` receives a line.
    """
    lock = _acquired(folder, what, report)
    try:
        yield
    finally:
        # Removed while the lock is held: afterwards the files may be those of another process.
        for name in (_HOLDER, _LOCK):
            with suppress(OSError):
                (folder / name).unlink()
        lock.release()
        with suppress(OSError):
            if os.name == "nt":  # which removes no open file
                (folder / _LOCK).unlink()
            folder.rmdir()


def _acquired(folder: Path, what: str, report: Report | None) -> FileLock:
    path = folder / _LOCK
    while True:
        folder.mkdir(exist_ok=True)
        lock = FileLock(path)
        try:
            path.touch()
            before = path.stat()
            lock.acquire(blocking=False)
            if os.path.samestat(before, path.stat()):
                (folder / _HOLDER).write_text(f"{os.getpid()}\n", encoding="ascii")
                return lock
        except Timeout as error:
            raise HandloreError(
                f"another process{_holder(folder)} is {what}; wait for it, or stop it"
            ) from error
        except FileNotFoundError:
            if not folder.parent.is_dir():
                raise
        except (NotImplementedError, OSError) as error:
            if getattr(error, "errno", None) not in _NO_LOCKS:
                raise
            if report:
                report("note: this file system has no locks; start no second conversion into it")
            return lock
        # The last holder removed the folder or its lock between two of these steps.
        lock.release()


def _holder(folder: Path) -> str:
    try:
        pid = (folder / _HOLDER).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
    return f" (number {pid})" if pid.isdigit() else ""


@dataclass(frozen=True)
class ResumeFolder:
    """The parts of an output that is not finished."""

    out: Path
    """The output, links resolved: the parts are where its bytes will be."""

    @classmethod
    def of(cls, out: Path) -> "ResumeFolder":
        """Return the parts of an output."""
        return cls(real_path(out))

    @property
    def folder(self) -> Path:
        """Where the parts are."""
        return self.out.with_name(f"{self.out.name}.parts")

    @contextmanager
    def held(self, report: Report) -> Iterator[None]:
        """Lock the folder for the length of the block; no folder without parts is left."""
        if self.folder.is_dir() and self._strange():
            raise HandloreError(
                f"{self.folder} is needed for the parts of {self.out.name}, but it holds other"
                f" files, such as {self._strange()[0]}; move it away"
            )
        with _exclusive(self.folder, f"converting into {self.out}", report):
            try:
                yield
            finally:
                if not any(self._numbers()):
                    self.discard()

    def begin(self, manifest: _Manifest, restart: bool) -> None:
        """Prepare the folder for the parts of a conversion."""
        for leftover in self.folder.glob(".*.tmp"):
            leftover.unlink(missing_ok=True)
        if restart or not self._manifest() or not any(self._numbers()):
            self.discard()
        others = _differences(self._manifest(), manifest)
        if others:
            raise HandloreError(
                f"{self.folder} holds an unfinished conversion,"
                f" {_in_words(others)} to continue it, or add --restart to start anew"
            )
        write_bytes(self.folder / _MANIFEST, json.dumps(manifest, indent=1).encode())

    def save(self, number: int, batch: Batch, stamps: Stamps) -> None:
        """Keep a part."""
        facts = {"failures": [list(failure) for failure in batch.failures], "stamps": stamps}
        header = replace(batch.dataset.header, options=facts)
        with self._surviving():
            save_dataset(replace(batch.dataset, header=header), self._path(number))

    def load(self, number: int) -> tuple[Batch, Stamps] | None:
        """Return a part; None if it is missing or damaged."""
        path = self._path(number)
        if not path.exists():
            return None
        try:
            dataset = load_dataset(path)
            failures = tuple((str(a), str(b)) for a, b in dataset.header.options["failures"])
            stamps = [[int(a), int(b)] for a, b in dataset.header.options["stamps"]]
        except (HandloreError, *DAMAGE):
            return None
        header = replace(dataset.header, options={})
        return Batch(replace(dataset, header=header), failures), stamps

    def finish(self, dataset: LandmarkDataset) -> None:
        """Write the output, then remove the parts."""
        result = self.folder / _RESULT
        with self._surviving():
            # First into this folder, so that what a power cut leaves of it is found and removed.
            save_dataset(dataset, result)
            with os_errors_as(f"cannot write {self.out}"):
                result.replace(self.out)
        self.discard()

    def discard(self) -> None:
        """Remove the parts, and nothing that is not ours."""
        for path in self._files():
            if path.name not in (_LOCK, _HOLDER) and _OURS.fullmatch(path.name):
                path.unlink(missing_ok=True)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:07d}.npz"

    def _files(self) -> list[Path]:
        return sorted(self.folder.iterdir()) if self.folder.is_dir() else []

    def _numbers(self) -> Iterator[Path]:
        return (path for path in self._files() if re.fullmatch(r"\d{7}\.npz", path.name))

    def _strange(self) -> list[str]:
        return [path.name for path in self._files() if not _OURS.fullmatch(path.name)]

    def _manifest(self) -> _Manifest:
        try:
            found = parse_json((self.folder / _MANIFEST).read_bytes())
        except (OSError, InvalidDataError):
            return {}
        return found if isinstance(found, dict) else {}

    @contextmanager
    def _surviving(self) -> Iterator[None]:
        try:
            yield
        except HandloreError as error:
            raise HandloreError(
                f"{error}. What is done is kept in {self.folder}: when this is fixed, the same"
                " command continues"
            ) from error


def _digest_of(items: Sequence[Item]) -> str:
    """Return a sha256 over what is known of the items before they are read."""
    digest = hashlib.sha256()
    for item in items:
        columns = (item.source, item.label, item.group, item.session, item.recording, item.split)
        # Of items of a list: the box and the span, which are not in the files themselves.
        more = [f"{getattr(item, name, None)}" for name in ("box", "span")]
        known = "" if more == ["None", "None"] else "\0".join(more)
        digest.update("\0".join((*columns, f"{item.part}{known}\n")).encode(*TEXT))
    return digest.hexdigest()


def _differences(there: _Manifest, wanted: _Manifest) -> dict[str, tuple[str, str]]:
    """Return what differs between two manifests: by key, how it was and how it is now."""
    if not there:
        return {}
    was, is_now = _flat(there), _flat(json.loads(json.dumps(wanted)))
    keys = [key for key in was | is_now if was.get(key) != is_now.get(key)]
    return {key: (_at(was, key), _at(is_now, key)) for key in keys}


def _in_words(differences: Mapping[str, tuple[str, str]]) -> str:
    if differences.keys() <= _OF_FILES:
        was, is_now = differences.get("files number", ("", ""))
        counted = f" (there were {was}, now {is_now})" if was else ""
        return f"and files were added, removed or renamed since{counted}; put them back"
    few = [f"{key} {was} (now {is_now})" for key, (was, is_now) in list(differences.items())[:3]]
    return f"with {'; '.join(few)}; give the same command"


def _at(manifest: Mapping[str, Any], key: str) -> str:
    text = str(manifest.get(key, "unset")) or "unset"
    return text if len(text) <= 60 else f"{text[:12]}..."


def _flat(manifest: _Manifest) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in manifest.items():
        if isinstance(value, dict):
            flat |= {f"{key} {name}": inner for name, inner in _flat(value).items()}
        else:
            flat[key] = value
    return flat


_PARTS_FORMAT = 1


@dataclass(frozen=True)
class ConversionPlan:
    """What is to be converted: the items, how they are divided, and what must not change."""

    source: Source
    root: Path
    options: ConvertOptions
    factory: DetectorFactory | None
    info: DetectorInfo | None
    listing: Listing
    size: int
    """Items in a batch."""

    @classmethod
    def make(
        cls,
        source: Source,
        root: Path,
        options: ConvertOptions,
        factory: DetectorFactory,
        *,
        alone: bool,
    ) -> Self:
        """Plan a conversion; if one process does it ``alone``, it may use many threads."""
        listing = scan_source(source, root, options)
        size = _batch_size(source, len(listing.items))
        if source.brings_landmarks:
            return cls(source, root, options, None, None, listing, size)
        detector = replace(factory.options, video=source.kind == "sequence")
        if not alone:
            # Each process gets one processor; the landmarks do not depend on that.
            detector = replace(detector, threads=1)
        factory = replace(factory, options=detector)
        return cls(source, root, options, factory, factory.info(), listing, size)

    @property
    def items(self) -> Sequence[Item]:
        """The items that are to be read."""
        return self.listing.items

    @property
    def n_batches(self) -> int:
        """How many batches there are."""
        return -(-len(self.items) // self.size)

    def of_batch(self, number: int) -> tuple[Item, ...]:
        """Return the items of a batch."""
        return tuple(self.items[number * self.size : (number + 1) * self.size])

    def unit(self, number: int) -> WorkUnit:
        """Return a batch as a unit of work."""
        items = self.of_batch(number)
        return WorkUnit(number, items, self.source, self.options, self.factory, self.info)

    def manifest(self) -> _Manifest:
        """Return what must be the same for parts to belong together."""
        # What is done to the whole at the end does not change the parts.
        early = [f.name for f in fields(self.options) if f.name != "drop_conflicts"]
        own = {"name": self.source.name, **_plain(vars(self.source))}
        return {
            "format": _PARTS_FORMAT,
            "handlore": __version__,
            "folder": str(self.root.resolve()),
            "source": own,
            "options": {name: _plain(getattr(self.options, name)) for name in early}
            | {"stages": len(self.options.stages)},
            "detector": asdict(self.info) if self.info else None,
            "files": {"number": len(self.items), "digest": _digest_of(self.items)},
            "items in a part": self.size,
        }


def _batch_size(source: Source, n_items: int) -> int:
    """Return how many items make a batch: about a second of work, and at most some 4,000 parts."""
    if source.brings_landmarks:
        return 256
    if source.kind == "sequence":
        return max(1, n_items // 4000)
    return min(max(16, n_items // 1000), 256)


def _plain(value: Any) -> Any:
    """Return a value as JSON types; search stages and other things with a name by name."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if is_dataclass(value) and hasattr(value, "name"):
        return str(value.name)
    return value if isinstance(value, str | int | float | bool | None) else str(value)
