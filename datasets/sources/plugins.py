"""Sources of other people's packages, found through the entry points of what is installed."""

import inspect
import logging
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType

from .registry import Source, register

GROUP = "handlore.sources"
"""The group of entry points; each is a module that registers sources, or the class of one."""

_log = logging.getLogger(__name__)


@cache
def load_plugins() -> None:
    """Load all plug-ins, once per process; one that is broken is a line of warning."""
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            _load(entry)
        # Whatever is wrong with another's package must not stop this one.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            package = entry.dist.name if entry.dist else "an unnamed package"
            reason = (str(error).splitlines() or [""])[0]
            _log.warning(
                "handlore: the source %s of package %s cannot be loaded and is left out (%s: %s)",
                entry.name, package, type(error).__name__, reason,
            )  # fmt: skip


def _load(entry: EntryPoint) -> None:
    loaded = entry.load()
    if inspect.isclass(loaded) and issubclass(loaded, Source):
        register(loaded)
    elif not isinstance(loaded, ModuleType):
        raise TypeError(f"{entry.value} is neither a module nor a class of source")
