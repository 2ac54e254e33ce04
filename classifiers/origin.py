"""What a model was trained on, found again from what its file says.

A model file names its data as seen from its own folder. Triggers that it has been improved with are
in a dataset beside it, ``NAME.triggers.npz``, which is known by this ending and never among its
data. A model that comes with handlore has some of its training samples beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from handlore.datasets.dataset import (
    NONE_LABEL,
    LandmarkDataset,
    concatenate,
    listed,
)
from handlore.datasets.loading import load_data
from handlore.datasets.splits import training_samples
from handlore.datasets.storage import CONVERT_AGAIN, load_dataset
from handlore.landmarks.errors import HandloreError, InvalidDataError, naming
from handlore.landmarks.files import each_path
from handlore.models.card import ModelCard
from handlore.models.files import load_model
from handlore.models.model import Model
from handlore.models.ready import is_ready, model_path

from .evaluation.leaks import seen_items, trained_on
from .extending import Base
from .factory import Pipeline, make_pipeline

TRIGGERS = ".triggers.npz"


def triggers_file(model: Path) -> Path:
    """Return the dataset of the triggers that a model file was improved with."""
    return model.with_name(f"{model.stem}{TRIGGERS}")


def _triggers_in(file: Path) -> LandmarkDataset:
    try:
        return load_dataset(file)
    except InvalidDataError as error:
        why = str(error).removesuffix(f"; {CONVERT_AGAIN}")
        raise InvalidDataError(
            f"{why}; it keeps the triggers of earlier sessions: move it away, and give those again"
            " with --from"
        ) from error


def _divided(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Return those of data and those of triggers."""
    triggers = [path for path in paths if path.name.endswith(TRIGGERS)]
    return [path for path in paths if path not in triggers], triggers


@dataclass(frozen=True, eq=False)
class Origin:
    """A model with what it was trained on."""

    model: Model
    name: str
    """The model as it was given: a path, or the name of a model that comes with handlore."""
    path: Path
    """The model file."""
    paths: tuple[Path, ...]
    """Its data, without triggers; empty if only samples beside a ready-made model are left."""
    dataset: LandmarkDataset
    """The data, or these samples."""
    base: str | Path | None
    """The model whose gestures it keeps."""
    examples: LandmarkDataset | None = None
    """Samples of the base, if they are not the dataset."""
    triggers: LandmarkDataset | None = None
    """Triggers of earlier sessions, as they are kept beside it; None if it lists none."""
    lost_triggers: tuple[Path, ...] = ()
    """Those that it lists and that are not there."""
    split: str | None = None
    """The split that it was trained on, if one was named."""
    negatives: bool = True
    """Movements: whether it was trained on negative windows too."""
    notes: tuple[str, ...] = ()
    failures: tuple[tuple[str, str], ...] = ()
    """Recordings among the data that cannot be read, and why."""

    @classmethod
    def find(cls, model: str | Path, data: Sequence[str | Path] | str | Path = ()) -> Self:
        """Find the data of a model; ``data`` is where they are now, if they were moved.

        Triggers that were moved may be among them.

        Raises
        ------
        HandloreError
            If it names no data, or they are not there.
        """
        loaded, path = load_model(model), model_path(model)
        facts = loaded.card.training
        given, given_triggers = _divided(each_path(data))
        triggers = given_triggers or listed_triggers(loaded.card, path)
        there = [one for one in triggers if given_triggers or one.is_file()]
        split = facts.get("split")
        same: dict[str, Any] = {
            "model": loaded,
            "name": str(model),
            "path": path,
            "triggers": concatenate([_triggers_in(one) for one in there]) if there else None,
            "lost_triggers": tuple(one for one in triggers if one not in there),
            "split": split if isinstance(split, str) else None,
            "negatives": facts.get("negatives", True) is not False,
        }
        paths = given or _named_data(loaded.card, path)
        if not paths:
            return cls(**same | _kept_beside(model, loaded.card, path))._with_doubts()
        read, base = load_data(paths, loaded.card.kind), _base_of(loaded.card, path)
        found = cls(
            **same,
            paths=tuple(paths),
            dataset=read.dataset,
            base=base,
            examples=None if base is None else Base.load(base).beside(read.dataset),
            notes=read.notes,
            failures=read.failures,
        )
        with naming(found.failures):
            found._require_labels()
        return found._with_doubts()

    def _require_labels(self) -> None:
        """Refuse data that have changed so much that labels of the model would be forgotten.

        A few triggers of a label are no data of it.
        """
        there = {*self.trained.labels, *(() if self.examples is None else self.examples.labels)}
        if gone := sorted(set(self.model.labels) - there - {NONE_LABEL}):
            raise HandloreError(
                f"{listed([str(path) for path in self.paths])} has no samples of {listed(gone)},"
                f" which {self.name} knows; say with --data where its data are"
            )

    def _with_doubts(self) -> Self:
        """Say if the model was trained on what is not there, or on what is to test it."""
        doubts = []
        if self.lost_triggers:
            doubts = [
                f"{listed([str(one) for one in self.lost_triggers])} is not there: the new model"
                f" will not know the triggers that {self.name} was improved with; say with --data"
                " where they are"
            ]
        tested = self.dataset.select(self.dataset.samples.split == "test")
        found = seen_items(self.model.card, tested)
        if found is not None and (n := int(found.seen.sum())):
            were = "sample was" if n == 1 else "samples were"
            least = "at least " if found.is_part else ""
            doubts.append(
                f"{least}{n} test {were} among the training data of {self.name}: its accuracy"
                " before is too high"
            )
        return replace(self, notes=(*self.notes, *doubts))

    @property
    def trained(self) -> LandmarkDataset:
        """The samples of the data that the model was trained on."""
        return training_samples(self.dataset, self.split)

    @property
    def has_test(self) -> bool:
        """Whether the data have a test split, which is never trained on."""
        return bool((self.dataset.samples.split == "test").any())

    @property
    def has_clip_classifier(self) -> bool:
        """Whether whole clips have a classifier of their own, which does not learn triggers."""
        return self.negatives and self.dataset.header.kind == "sequence"

    def pipeline(self, dataset: LandmarkDataset) -> Pipeline:
        """Return the pipeline for a dataset, with the options that the model was trained with."""
        card = self.model.card
        said = card.training.get("params")
        params = dict(said) if isinstance(said, dict) else {}
        named = {name.replace("__", "."): value for name, value in params.items()}
        return make_pipeline(dataset, card.estimator, features=card.features or None, params=named)


def _listed(card: ModelCard, path: Path) -> tuple[list[Path], list[Path]]:
    """Return the data and the triggers that a card lists, whether they are there or not.

    Triggers alone, as somebody may train a model on them, are its data.
    """
    said = card.training.get("data")
    names = [one for one in said if isinstance(one, str)] if isinstance(said, list) else []
    data, triggers = _divided([path.parent / name for name in names])
    return (data, triggers) if data or card.training.get("base") else (triggers, [])


def listed_triggers(card: ModelCard, path: Path) -> list[Path]:
    """Return the triggers that a card lists, as they are named now.

    A model that was put back lists none, and has not learnt those of its successor. The triggers
    of one that was renamed have its new name, or still the one that it lists; a file of its new
    name may also be of another model, and what it lists too.
    """
    _, named = _listed(card, path)
    own = triggers_file(path)
    is_renamed = len(named) == 1 and own not in named and own.is_file()
    return [own] if is_renamed and _knows_some(card, own) else named


def _knows_some(card: ModelCard, triggers: Path) -> bool:
    """Return whether a model was trained on some triggers of a file, or may have been."""
    known = trained_on(card, _triggers_in(triggers))
    return known is None or any(known)


def _named_data(card: ModelCard, path: Path) -> list[Path]:
    """Return the files and folders that a card names, all there; without the triggers."""
    own, _ = _listed(card, path)
    gone = [str(one) for one in own if not one.exists()]
    if gone:
        raise HandloreError(
            f"{path} was trained on {listed(gone)}, which is not there any more; say where it is"
            " now with --data"
        )
    return own


def _base_of(card: ModelCard, path: Path) -> str | Path | None:
    """Return the base that a card names."""
    name = card.training.get("base")
    if isinstance(name, str) and name:
        return name if is_ready(name) else path.parent / name
    if card.training.get("n_of_base"):
        raise HandloreError(
            f"{path} was trained with --base, and an earlier handlore did not keep which; train it"
            " again"
        )
    return None


def _kept_beside(model: str | Path, card: ModelCard, path: Path) -> dict[str, Any]:
    """Return what is known of a model that names no data of its own."""
    base = _base_of(card, path)
    if base is not None:
        return {"paths": (), "dataset": Base.load(base).examples, "base": base}
    beside = path.with_suffix(".npz")
    if not beside.is_file():
        raise HandloreError(
            f"{model} does not say what it was trained on: an earlier handlore made it, or not"
            " `handlore train`; name its data with --data"
        )
    kept = load_dataset(beside)
    if training_samples(kept).digest() == card.training.get("data_digest"):
        return {"paths": (beside,), "dataset": kept, "base": None}
    n, crossval = card.training.get("n"), card.training.get("crossval")
    known = ""
    if isinstance(crossval, dict) and isinstance(score := crossval.get("accuracy"), float):
        known = f" (cross-validated: {100 * score:.1f} % of {crossval.get('n')} right)"
    note = (
        f"{model} was trained on {n} samples{known}; {kept.n_samples} of them are kept beside it,"
        " so the new model may recognise other people less well"
    )
    return {"paths": (), "dataset": kept, "base": model, "notes": (note,)}
