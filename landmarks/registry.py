"""The one way to extend handlore: sources, detectors, estimators, cameras, actions and outputs.

Each kind has a :class:`Registry`. What comes with handlore is a module in the registry's package;
what other packages bring is an entry point in the group ``handlore.<kind>s``. Either way a class
with a ``name`` is marked with the registry's decorator, and nothing else has to be touched::

    @SOURCES.register
    class MyLayout(Source):
        name = "my-layout"
"""

import importlib
import logging
import pkgutil
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any, Generic, TypeVar, cast

from .errors import require_type, unknown_name

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Registry(Generic[T]):
    """The entries of one kind, each imported when it is first needed.

    Parameters
    ----------
    kind
        What an entry is, in the singular, such as ``source``.
    package
        The package whose modules hold the built-in entries; names that begin with ``_`` are
        helpers. A module that is named like its entry is found without importing the others.
    check
        Receives an entry before it is registered, and raises ``TypeError`` if it is not usable.
    """

    def __init__(self, kind: str, package: str, check: Callable[[Any], None] | None = None) -> None:
        self.kind, self.package = kind, package
        self._check = check
        self._entries: dict[str, T] = {}
        self._loaded = False

    @property
    def group(self) -> str:
        """The group of entry points in which other packages name theirs."""
        return f"handlore.{self.kind}s"

    def register(self, entry: T) -> T:
        """Add an entry under its ``name``; usable as a decorator.

        TypeError: it has no name, another entry has it, or the registry's check refuses it.
        """
        name = getattr(entry, "name", None)
        if not isinstance(name, str) or not name:
            raise TypeError(f"a {self.kind} needs a class attribute `name`, got {entry!r}")
        module = name.replace("-", "_")
        is_built_in = getattr(entry, "__module__", "").startswith(f"{self.package}.")
        if not is_built_in and module in self._modules():
            # A built-in entry that nobody has used yet has its name too.
            importlib.import_module(f"{self.package}.{module}")
        known = self._entries.get(name)
        if known is not None and not _same(known, entry):
            raise TypeError(f"there is already a {self.kind} {name}: {known!r}")
        if self._check is not None:
            self._check(entry)
        self._entries[name] = entry
        return entry

    def __getitem__(self, name: str) -> T:
        """Return an entry by name; HandloreError lists the names if there is none."""
        module = require_type(name, str, f"the name of a {self.kind}").replace("-", "_")
        if name not in self._entries and module in self._modules():
            importlib.import_module(f"{self.package}.{module}")
        if name not in self._entries:
            self.load()
        if name not in self._entries:
            raise unknown_name(self.kind, name, self.names())
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def names(self) -> list[str]:
        """Return the names of all entries, sorted. Imports them all."""
        self.load()
        return sorted(self._entries)

    def entries(self) -> dict[str, T]:
        """Return all entries by name, sorted. Imports them all."""
        return {name: self._entries[name] for name in self.names()}

    def listed(self) -> list[str]:
        """Return the names to offer in help, importing nothing: of modules and entry points.

        This fits packages in which each module holds one entry of its name.
        """
        modules = {name.replace("_", "-") for name in self._modules()}
        plugins = {entry.name for entry in entry_points(group=self.group)}
        return sorted(modules | plugins | set(self._entries))

    def load(self) -> None:
        """Import everything, once; a broken plug-in is one line of warning."""
        if self._loaded:
            return
        for module in self._modules():
            importlib.import_module(f"{self.package}.{module}")
        self._loaded = True
        for entry in sorted(entry_points(group=self.group), key=lambda entry: entry.name):
            try:
                self._load(entry)
            # Whatever is wrong with another's package must not stop this one.
            except (Exception, SystemExit) as error:  # noqa: BLE001
                package = entry.dist.name if entry.dist else "an unnamed package"
                reason = (str(error).splitlines() or [""])[0]
                _log.warning(
                    "handlore: the %s %s of package %s cannot be loaded and is left out (%s: %s)",
                    *(self.kind, entry.name, package, type(error).__name__, reason),
                )

    def _load(self, entry: EntryPoint) -> None:
        loaded = entry.load()
        if isinstance(loaded, type):
            self.register(cast("T", loaded))
        elif not isinstance(loaded, ModuleType):
            raise TypeError(f"{entry.value} is neither a module nor a class of {self.kind}")

    def _modules(self) -> list[str]:
        path = importlib.import_module(self.package).__path__
        names = (module.name for module in pkgutil.iter_modules(path))
        return [name for name in names if not name.startswith("_")]


def _same(a: object, b: object) -> bool:
    # A file that is run as a program is `__main__` and, for worker processes, a module too: one
    # class may be imported twice.
    modules = {getattr(one, "__module__", "") for one in (a, b)} - {"__main__", "__mp_main__"}
    names = {getattr(entry, "__qualname__", None) for entry in (a, b)}
    return a is b or (len(modules) <= 1 and len(names) == 1)
