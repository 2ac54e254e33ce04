"""How far a conversion is, on disk: a folder of parts beside the output.

Each part is a small landmark dataset, written whole or not at all. The manifest says of which
conversion they are; what does not fit it is refused. Nothing here depends on who makes the parts.
"""

import contextlib
import errno
import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from handlore import __version__
from handlore.landmarks.detector import DetectorInfo
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.files import atomic_write

from ..dataset import TEXT, LandmarkDataset
from ..sources.base import Item, Source
from ..storage import load_dataset, save_dataset
from .batches import Batch, ConvertOptions, items_of
from .workers import Opener, Task

# A lock that dies with the process that holds it.


_FAR = 1 << 30
"""Where Windows, which locks bytes against reading, locks one: the process id stays readable."""


@contextmanager
def only_one(path: Path, what: str, talk: Callable[[str], None] | None = None) -> Iterator[None]:
    """Hold a lock file for the length of the block; it is removed in the end.

    The system drops the lock when the process ends, however it ends, so one that was killed
    leaves nothing that blocks.

    Parameters
    ----------
    path
        The lock file; its folder must exist.
    what
        What is being done, for the line that a second process gets.
    talk
        Told where the file system has no locks; then there is none.

    Raises
    ------
    HandloreError
        If another process holds it.
    """
    descriptor = _held(path, what, talk)
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        # Unlinked while it is held, so that nobody else takes a lock on a file without a name.
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(descriptor)
        with contextlib.suppress(OSError):
            if os.name == "nt":
                path.unlink()


def _held(path: Path, what: str, talk: Callable[[str], None] | None) -> int:
    while True:
        try:
            path.parent.mkdir(exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:
            if not path.parent.parent.is_dir():
                raise
            continue  # the last holder has just removed the folder
        try:
            _take(descriptor)
        except (BlockingIOError, PermissionError) as error:
            holder = _text(descriptor)
            os.close(descriptor)
            raise HandloreError(
                f"another process{holder} is at it: {what}; wait for it, or stop it"
            ) from error
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL):
                os.close(descriptor)
                raise
            if talk:
                talk("note: this file system has no locks; start no second conversion into it")
        if _is_still(path, descriptor):
            return descriptor
        # Its last holder removed the file between our opening it and locking it.
        os.close(descriptor)


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except OSError:
        return False


def _text(descriptor: int) -> str:
    number = os.pread(descriptor, 20, 0) if hasattr(os, "pread") else os.read(descriptor, 20)
    pid = number.decode(errors="replace").strip()
    return f" (number {pid})" if pid.isdigit() else ""


if os.name == "nt":  # pragma: no cover

    def _take(descriptor: int) -> None:
        import msvcrt

        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        os.lseek(descriptor, 0, os.SEEK_SET)

else:

    def _take(descriptor: int) -> None:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


Manifest = Mapping[str, Any]
Stamps = list[list[int]]
"""Of each item the size of its file and when it was changed, in nanoseconds."""

_MANIFEST, _LOCK, _RESULT = "manifest.json", "lock", "result.npz"
_OF_FILES = {"files number", "files digest", "items in a part"}
"""What differs between manifests when nothing but the files has changed."""
_OURS = re.compile(r"\d{7}\.npz|manifest\.json|lock|result\.npz|\..*\.tmp")


@dataclass(frozen=True)
class ResumeFolder:
    """The parts of an output that is not finished."""

    out: Path
    """The output, links resolved: the parts lie where its bytes will lie."""

    @classmethod
    def of(cls, out: Path) -> "ResumeFolder":
        """Return the parts of an output."""
        return cls(Path(out).resolve())

    @property
    def folder(self) -> Path:
        """Where the parts are."""
        return self.out.with_name(f"{self.out.name}.parts")

    @contextmanager
    def held(self, talk: Callable[[str], None]) -> Iterator[None]:
        """Keep others out for the length of the block; a folder without parts goes in the end."""
        if self.folder.is_dir() and self._strange():
            raise HandloreError(
                f"{self.folder} is where the parts of {self.out.name} would go, but it holds other"
                f" files, such as {self._strange()[0]}; move it away"
            )
        try:
            self.folder.mkdir(exist_ok=True)
            with only_one(self.folder / _LOCK, f"converting into {self.out}", talk):
                try:
                    yield
                finally:
                    if not any(self._numbers()):
                        self.discard()
        finally:
            with suppress(OSError):
                self.folder.rmdir()

    def begin(self, manifest: Manifest, restart: bool) -> None:
        """Make the folder ready for the parts of a conversion.

        Raises
        ------
        HandloreError
            If it holds parts of another one.
        """
        for leftover in self.folder.glob(".*.tmp"):
            leftover.unlink(missing_ok=True)
        if restart or not self._manifest() or not any(self._numbers()):
            self.discard()
        others = _differences(self._manifest(), manifest)
        if others:
            raise HandloreError(
                f"{self.folder} holds a conversion that was not finished,"
                f" {_in_words(others)} to go on with it, or add --restart to begin anew"
            )
        with atomic_write(self.folder / _MANIFEST) as stream:
            stream.write(json.dumps(manifest, indent=1).encode())

    def save(self, number: int, batch: Batch, stamps: Stamps) -> None:
        """Keep a part.

        Raises
        ------
        HandloreError
            If it cannot be written, such as on a full disk; the line says how to go on.
        """
        facts = {"failures": [list(failure) for failure in batch.failures], "stamps": stamps}
        header = replace(batch.dataset.header, options=facts)
        with self._surviving():
            save_dataset(replace(batch.dataset, header=header), self._path(number))

    def load(self, number: int) -> tuple[Batch, Stamps] | None:
        """Return a part; None where it is not there, or damaged."""
        path = self._path(number)
        if not path.exists():
            return None
        try:
            dataset = load_dataset(path)
            failures = tuple((str(a), str(b)) for a, b in dataset.header.options["failures"])
            stamps = [[int(a), int(b)] for a, b in dataset.header.options["stamps"]]
        except (HandloreError, KeyError, TypeError, ValueError):
            return None
        header = replace(dataset.header, options={})
        return Batch(replace(dataset, header=header), failures), stamps

    def finish(self, dataset: LandmarkDataset) -> None:
        """Write the output; the parts go when it is there."""
        result = self.folder / _RESULT
        with self._surviving():
            # First into this folder: what a power cut leaves of it is then found and removed.
            save_dataset(dataset, result)
            try:
                result.replace(self.out)
            except OSError as error:
                raise HandloreError(f"cannot write {self.out}: {error.strerror}") from error
        self.discard()

    def discard(self) -> None:
        """Remove the parts, and nothing that is not ours."""
        for path in self._files():
            if path.name != _LOCK and _OURS.fullmatch(path.name):
                path.unlink(missing_ok=True)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:07d}.npz"

    def _files(self) -> list[Path]:
        return sorted(self.folder.iterdir()) if self.folder.is_dir() else []

    def _numbers(self) -> Iterator[Path]:
        return (path for path in self._files() if re.fullmatch(r"\d{7}\.npz", path.name))

    def _strange(self) -> list[str]:
        return [path.name for path in self._files() if not _OURS.fullmatch(path.name)]

    def _manifest(self) -> Manifest:
        try:
            found = json.loads((self.folder / _MANIFEST).read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    @contextmanager
    def _surviving(self) -> Iterator[None]:
        try:
            yield
        except HandloreError as error:
            raise HandloreError(
                f"{error}. What is done is kept in {self.folder}: when that is mended, the same"
                " command goes on"
            ) from error


def digest_of(items: Sequence[Item]) -> str:
    """Return a sha256 over what is known of the items before they are read."""
    digest = hashlib.sha256()
    for item in items:
        columns = (item.source, item.label, item.group, item.session, item.recording, item.split)
        digest.update("\0".join((*columns, f"{item.part}\n")).encode(*TEXT))
    return digest.hexdigest()


def stamps_of(items: Sequence[Item]) -> Stamps:
    """Return the size and the time of change of the items' files; of a folder, of its files."""
    known: dict[Path, list[int]] = {}
    for path in (item.path for item in items):
        if path not in known:
            known[path] = _stamp(path)
    return [known[item.path] for item in items]


def _stamp(path: Path) -> list[int]:
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            inside = [entry.stat() for entry in os.scandir(path)]
            size = sum(one.st_size for one in inside)
            return [size, max((one.st_mtime_ns for one in (found, *inside)), default=0)]
    except OSError:
        return [-1, -1]
    return [found.st_size, found.st_mtime_ns]


def _differences(there: Manifest, wanted: Manifest) -> dict[str, tuple[str, str]]:
    """Return what differs between two manifests: by key, how it was and how it is now."""
    if not there:
        return {}
    was, is_now = _flat(there), _flat(json.loads(json.dumps(wanted)))
    keys = [key for key in was | is_now if was.get(key) != is_now.get(key)]
    return {key: (_at(was, key), _at(is_now, key)) for key in keys}


def _in_words(differences: Mapping[str, tuple[str, str]]) -> str:
    """Say what differs, and what to do about it."""
    if differences.keys() <= _OF_FILES:
        was, is_now = differences.get("files number", ("", ""))
        counted = f" (there were {was}, now {is_now})" if was else ""
        return f"and files were added, removed or renamed since{counted}; put them back"
    few = [f"{key} {was} (now {is_now})" for key, (was, is_now) in list(differences.items())[:3]]
    return f"with {'; '.join(few)}; give the same command"


def _at(manifest: Mapping[str, Any], key: str) -> str:
    text = str(manifest.get(key, "unset")) or "unset"
    return text if len(text) <= 60 else f"{text[:12]}..."


def _flat(manifest: Manifest) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in manifest.items():
        if isinstance(value, dict):
            flat |= {f"{key} {name}": inner for name, inner in _flat(value).items()}
        else:
            flat[key] = value
    return flat


# What a conversion is to do: its items, how they are cut, and what must not change on the way.


PARTS_FORMAT = 1


@dataclass(frozen=True)
class ConversionPlan:
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


def plan_conversion(
    source: Source, root: Path, options: ConvertOptions, opener: Opener, *, alone: bool
) -> ConversionPlan:
    """Plan a conversion; ``alone`` says that one process does it, which may use many threads."""
    items = items_of(source, root, options)
    size = batch_size(source, len(items))
    if source.brings_landmarks:
        return ConversionPlan(source, root, options, None, None, items, size)
    if not alone:
        # Side by side, each gets one processor; what it finds does not depend on that.
        opener = replace(opener, options=replace(opener.options, threads=1))
    return ConversionPlan(source, root, options, opener, opener.info(), items, size)


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
