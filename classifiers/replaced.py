"""The model file that a new one replaces: what would be lost with it is kept and named."""

from pathlib import Path

from handlore.datasets.dataset import NONE_LABEL, LandmarkDataset, listed
from handlore.landmarks.errors import HandloreError, shell_line
from handlore.landmarks.files import write_bytes
from handlore.models.card import ModelCard, is_model_file
from handlore.models.files import load_model

from .origin import listed_triggers


def backup_of(model: Path) -> Path:
    """Return where a model is kept when another takes its name."""
    return model.with_name(f"{model.stem}.old{model.suffix}")


def copy_file(source: Path, target: Path) -> None:
    """Copy a file; the copy appears whole or not at all."""
    write_bytes(target, source.read_bytes())


def keep_replaced(path: Path, dataset: LandmarkDataset) -> list[str]:
    """Keep the model at a path if one of this dataset lacks something of it; return notes."""
    try:
        card = load_model(path).card if is_model_file(path) else None
    except HandloreError:
        return []
    lost = [] if card is None else _lost(path, card, dataset)
    if lost:
        copy_file(path, backup_of(path))
        lost.append(f"the model that was {path} is kept as {backup_of(path)}")
    return lost


def _lost(path: Path, card: ModelCard, dataset: LandmarkDataset) -> list[str]:
    notes, labels = [], dataset.select(dataset.has_hand).labels
    if gone := sorted(set(card.labels) - set(labels) - {NONE_LABEL}):
        notes.append(f"{path} knew {listed(gone)}, and there are no samples of that now")
    if triggers := [one for one in listed_triggers(card, path) if one.is_file()]:
        names = shell_line("handlore", "train", "DATA", *triggers, "--out", path)
        notes.append(
            f"{path} had learnt corrected triggers, and the new model has not: `{names}` learns"
            " them too"
        )
    if card.calibration:
        again = shell_line("handlore", "calibrate", path, "DATA")
        notes.append(f"the thresholds of {path} were calibrated: `{again}` does it again")
    return notes
