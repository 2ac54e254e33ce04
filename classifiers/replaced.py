"""The model file that a new one replaces: what would be lost is named, and the file kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from handlore.datasets.dataset import NONE_LABEL, LandmarkDataset, listed
from handlore.datasets.storage import load_dataset
from handlore.landmarks.errors import HandloreError, shell_line
from handlore.landmarks.files import each_path, write_bytes
from handlore.models.card import ModelCard, is_model_file
from handlore.models.files import load_model

from .origin import listed_triggers


def backup_of(model: Path) -> Path:
    """Return where a model is kept when another takes its name."""
    return model.with_name(f"{model.stem}.old{model.suffix}")


@dataclass(frozen=True)
class ReplacedModel:
    """A model file before another is written in its place."""

    path: Path
    lost: tuple[str, ...] = ()
    """What the new model will lack, in sentences."""
    content: bytes = b""

    @classmethod
    def of(cls, path: Path, dataset: LandmarkDataset, data: Sequence[str | Path]) -> Self:
        """Look at a path before a model of a dataset, which is in ``data``, is written there."""
        try:
            card = load_model(path).card if is_model_file(path) else None
            lost = () if card is None else tuple(_lost(path, card, dataset, data))
        except HandloreError:
            lost = ()  # It cannot be used, or what it had learnt cannot.
        return cls(path, lost, path.read_bytes() if lost else b"")

    def keep(self) -> list[str]:
        """Keep the model, now that another is in its place, if something is lost; return notes."""
        if not self.lost:
            return []
        backup = backup_of(self.path)
        try:
            write_bytes(backup, self.content)
        except HandloreError as error:
            return [*self.lost, f"the model that was {self.path} is not kept: {error}"]
        return [*self.lost, f"the model that was {self.path} is kept as {backup}"]


def _lost(
    path: Path, card: ModelCard, dataset: LandmarkDataset, data: Sequence[str | Path]
) -> list[str]:
    notes, labels = [], dataset.select(dataset.has_hand).labels
    if gone := sorted(set(card.labels) - set(labels) - {NONE_LABEL}):
        them = "it" if len(gone) == 1 else "them"
        notes.append(f"{path} knew {listed(gone)}, and no sample of {them} shows a hand now")
    given = {one.resolve() for one in each_path(data)}
    listed_ones = [one for one in listed_triggers(card, path) if one.is_file()]
    known = set(dataset.samples.recording)
    if triggers := [
        one
        for one in listed_ones
        # Their folder may be among the data too.
        if one.resolve() not in given and set(load_dataset(one).samples.recording) - known
    ]:
        names = shell_line("handlore", "train", "DATA", *triggers, "--out", path)
        notes.append(
            f"{path} had learnt corrected triggers, and the new model has not: `{names}` learns"
            " them too"
        )
    if card.calibration:
        again = shell_line("handlore", "calibrate", path, "DATA")
        notes.append(f"the thresholds of {path} were calibrated: `{again}` does it again")
    return notes
