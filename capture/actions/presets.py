"""Actions files that come with handlore, for the signs of the model ``everyday``."""

import tomllib
from collections.abc import Collection
from pathlib import Path

from handlore.landmarks.errors import HandloreError

from .base import unknown

_FOLDER = Path(__file__).parent / "presets"
PRESETS = ("slides", "media", "obs", "home", "mouse")


def preset_file(name: str) -> Path:
    """Return the actions file of a preset."""
    if name not in PRESETS:
        raise HandloreError(unknown(f"preset {name!r}", name, PRESETS))
    return _FOLDER / f"{name}.toml"


def check_preset(path: Path, labels: Collection[str]) -> None:
    """Raise HandloreError if a file is a preset for other labels than those of the models."""
    if path.parent != _FOLDER:
        return
    needed = tomllib.loads(path.read_text("utf-8"))["actions"]
    missing = [label for label in needed if label not in labels]
    if missing:
        raise HandloreError(
            f"the preset {path.stem} needs {', '.join(missing)}, which the models do not know; use"
            f" the model everyday, or adapt it: `handlore live --print-preset {path.stem}`"
        )
