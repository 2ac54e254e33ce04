"""How far a conversion is, on disk: a folder of parts beside the output.

Each part is a small landmark dataset, written whole or not at all. The manifest says of which
conversion they are; what does not fit it is refused. Nothing here depends on who makes the parts.
"""

import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from handlore.landmarks.errors import HandloreError
from handlore.landmarks.files import atomic_write

from .batches import Batch
from .dataset import TEXT, LandmarkDataset
from .lock import only_one
from .sources.registry import Item
from .storage import load_dataset, save_dataset

Manifest = Mapping[str, Any]
Stamps = list[list[int]]
"""Of each item the size of its file and when it was changed, in nanoseconds."""

_MANIFEST, _LOCK, _RESULT = "manifest.json", "lock", "result.npz"
_OF_FILES = {"files number", "files digest", "items in a part"}
"""What differs between manifests when nothing but the files has changed."""
_OURS = re.compile(r"\d{7}\.npz|manifest\.json|lock|result\.npz|\..*\.tmp")


@dataclass(frozen=True)
class Parts:
    """The parts of an output that is not finished."""

    out: Path
    """The output, links resolved: the parts lie where its bytes will lie."""

    @classmethod
    def of(cls, out: Path) -> "Parts":
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
