"""One's own gestures on top of a model that comes with handlore.

A model file cannot be trained further: training starts anew, on one's own samples and on the
examples that are kept beside the model. What is tested is always one's own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from handlore.datasets.dataset import LandmarkDataset, StrArray, concatenate, listed
from handlore.datasets.kinds import DEFAULT_ESTIMATOR, KIND_WORDS
from handlore.datasets.labels import same_labels
from handlore.datasets.splits import BY, By, differs, strictest_by, untested_labels
from handlore.datasets.storage import load_dataset
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.features import FEATURE_GROUPS
from handlore.models.card import ModelCard
from handlore.models.files import load_model
from handlore.models.ready import READY_MODELS, model_path

from .evaluation.scores import Scores
from .factory import Pipeline, make_estimator, make_pipeline

_MOST_CONFUSED = 8


@dataclass(frozen=True, eq=False)
class Base:
    """A model whose gestures are kept."""

    name: str
    card: ModelCard
    examples: LandmarkDataset
    """Samples of its training data."""

    @classmethod
    def load(cls, model: str | Path) -> Self:
        """Load a model with its examples.

        Parameters
        ----------
        model
            The name of a model that comes with handlore, or a file of ``handlore models build``.

        Raises
        ------
        HandloreError
            If there is no such model, or there are no examples beside it.
        """
        card, examples = load_model(model).card, model_path(model).with_suffix(".npz")
        if not examples.is_file():
            raise HandloreError(
                f"{model} can be no base: there are no examples beside it ({examples.name}); with"
                f" handlore come: {', '.join(READY_MODELS)}"
            )
        return cls(str(model), card, load_dataset(examples))

    def beside(self, own: LandmarkDataset) -> LandmarkDataset:
        """Return the examples in a form that can be joined with one's own samples.

        They get names of people, sessions and recordings of their own, where one's own samples have
        names: so a split by these still finds all named.
        """
        theirs, mine = self.examples.header.kind, own.header.kind
        if theirs != mine:
            raise HandloreError(
                f"{self.name} takes {KIND_WORDS[theirs]}, and this data holds {KIND_WORDS[mine]};"
                " choose another --base"
            )
        columns: dict[str, Any] = {by: self._names(own, by) for by in BY if by != "random"}
        samples = replace(self.examples.samples, **columns)
        # The detector is that of one's own samples: others are a matter of course here.
        header = replace(self.examples.header, detector=own.header.detector, log=())
        return replace(self.examples, samples=samples, header=header)

    def features(self, own: LandmarkDataset) -> tuple[str, ...] | None:
        """Return the groups of features of the model that one's own samples have."""
        hands = own.world[own.detected]
        if not self.card.features or not len(hands) or np.isfinite(hands).any():
            return self.card.features or None
        return tuple(g for g in self.card.features if FEATURE_GROUPS[g].landmarks == "image")

    def _names(self, own: LandmarkDataset, by: By) -> StrArray:
        given: Any = getattr(own.samples, by)
        known = getattr(self.examples.samples, by)
        if not len(given) or (given == "").any():
            return np.full(len(known), "", np.str_)
        numbers = np.arange(len(known)).astype(np.str_)
        names: StrArray = np.char.add(f"{self.name} ", np.where(known == "", numbers, known))
        return names


def pipeline_beside(
    dataset: LandmarkDataset,
    base: str | Path | None,
    model: str | None = None,
    *,
    features: Sequence[str] | None = None,
    **options: Any,
) -> tuple[Pipeline, LandmarkDataset | None, list[str]]:
    """Return a pipeline for a dataset and the examples of a base, these examples, and notes.

    ``options`` are those of :func:`~.factory.make_pipeline`.
    """
    added = None if base is None else Base.load(base)
    examples = None if added is None else added.beside(dataset)
    notes = []
    if added is not None and examples is not None:
        own = added.card.estimator
        # It is trained several times, to say what is confused.
        is_slow = model is None and make_estimator(own).learns_in_epochs
        if model is None:
            model = DEFAULT_ESTIMATOR[dataset.header.kind] if is_slow else own
        features = features or added.features(dataset)
        if alike := same_labels(dataset.labels, examples.labels):
            pairs = [f"{own} and {theirs}" for own, theirs in alike.items()]
            notes.append(
                f"{listed(pairs)} of {added.name} are different labels; if they are the same"
                " gesture, give it the same name"
            )
        if is_slow:
            notes.append(
                f"{added.name} was trained with {own}, which takes PyTorch and minutes; {model} is"
                " trained here"
                f" (--model {own} for the same)"
            )
    pipeline = make_pipeline(joined(dataset, examples), model, features=features, **options)
    return pipeline, examples, [*notes, *pipeline.about_features(features)]


def joined(own: LandmarkDataset, base: LandmarkDataset | None) -> LandmarkDataset:
    """Return one's own samples with those of a base, if there is one."""
    return own if base is None else concatenate([own, base])


def strictest_split(own: LandmarkDataset, base: LandmarkDataset) -> By:
    """Return the strictest split of one's own samples that leaves an example of each label."""
    choices = BY[BY.index(strictest_by(own)) :]
    known = set(base.labels)
    for by in choices[:-1]:
        if differs(own, by) and not set(untested_labels(own, by)) - known:
            return by
    return "random"


class ConfusedLabels(NamedTuple):
    """A label whose items were predicted as another one."""

    label: str
    other: str
    n: int
    of: int

    def __str__(self) -> str:
        return f"{self.label} is confused with {self.other} in {self.n} of {self.of}"

    @classmethod
    def among(cls, scores: Scores) -> Iterator[Self]:
        """Yield the labels that are confused, most often first."""
        for label, other, n in scores.most_confused(_MOST_CONFUSED):
            yield cls(label, other, n, int(scores.per_class[label]["support"]))
