"""Everything a report tells, gathered before anything is drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from handlore.classifiers.assessment.breakdown import Part, Yield, by_stage, by_unit, yields
from handlore.classifiers.assessment.leaks import NOT_COMPARED
from handlore.classifiers.assessment.outcome import Outcome
from handlore.classifiers.assessment.reliability import Reliability, reliability_of
from handlore.landmarks.hands import FloatArray
from handlore.landmarks.search import STAGE_NAMES

from .mistakes import Confusion, worst_mistakes
from .typical import typical_hands

History = Sequence[Mapping[str, float | None]]


@dataclass(frozen=True)
class About:
    """What only the command knows: words for the report."""

    title: str
    facts: Mapping[str, str]
    """Model, data, protocol."""

    notes: Sequence[str] = ()
    """What speaks against the numbers."""

    history: History = ()
    """How the model was trained, a row an epoch."""

    speed: Mapping[str, str] = field(default_factory=dict)
    """Time and size."""

    card: Mapping[str, str] = field(default_factory=dict)
    """What is known of the model."""


@dataclass(frozen=True)
class Findings:
    """What a report is drawn from."""

    about: About
    outcome: Outcome
    over: str
    """What the people are: ``group``, ``session``, ``recording``; ``item`` if none are known."""

    people: Sequence[Part]
    stages: Sequence[Part]
    yields: Sequence[Yield]
    reliability: Reliability | None
    confusions: Sequence[Confusion]

    missed: Sequence[str]
    """The sources of items in which no hand was found, but for those labelled ``none``."""

    typical: Mapping[str, FloatArray]
    """The mean hand of each label, see :func:`~.typical.typical_hands`."""

    @classmethod
    def of(cls, outcome: Outcome, about: About) -> Self:
        """Take an outcome apart."""
        answers, dataset = outcome.answers, outcome.dataset
        over, people = by_unit(answers, dataset)
        return cls(
            about,
            outcome,
            over,
            people,
            by_stage(answers, dataset),
            yields(dataset),
            reliability_of(answers),
            worst_mistakes(outcome),
            _missed(outcome),
            typical_hands(dataset),
        )

    @property
    def what(self) -> str:
        """What the items are called."""
        return "pictures" if self.outcome.dataset.header.kind == "pose" else "clips"

    @property
    def named_stages(self) -> list[Part]:
        """The stages under their names."""
        return [replace(part, name=stage_name(part.name)) for part in self.stages]

    @property
    def data_card(self) -> dict[str, str]:
        """What is known of the data."""
        dataset = self.outcome.dataset
        header, detector = dataset.header, dataset.header.detector
        facts = {
            "Samples": f"{dataset.n_samples}, {dataset.n_frames} frames",
            "Labels": str(len(dataset.labels)),
            "Source": str(header.options.get("source", "")),
            "Detector": f"{detector.name} {detector.version}, {detector.landmarker}"
            if detector
            else "landmarks came with the data",
            "Seen before": self._seen_before,
            "Licence": header.note,
            "Digest": dataset.digest()[:16],
        }
        return {key: value for key, value in facts.items() if value}

    @property
    def _seen_before(self) -> str:
        """What the leak check found."""
        leaks = self.outcome.leaks
        if leaks is None:
            return "cannot be told: the model does not remember what it was trained on"
        n = f"{leaks.n} of the samples" if leaks.n else "none of the samples"
        how = "by file or by landmarks" if leaks.by_landmarks else f"by file; {NOT_COMPARED}"
        return f"{n} tested, {how}"


def _missed(outcome: Outcome) -> list[str]:
    answers, samples = outcome.answers, outcome.dataset.samples
    lost = answers.no_hand & (answers.truth != answers.answer)
    return [str(samples.source[at]) or f"sample {at}" for at in answers.sample[lost]]


def stage_name(number: str | int) -> str:
    """Return what a search stage is called."""
    place = int(number)
    if place < 0:
        return "no hand found"
    return STAGE_NAMES[place] if place < len(STAGE_NAMES) else f"stage {place}"
