"""What a model is to learn from triggers: what is new, what it knows, and what was discarded."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import LandmarkDataset, Samples, StrArray, concatenate
from handlore.datasets.triggers import Trigger, Triggers
from handlore.landmarks.errors import HandloreError, shell_line

from .evaluation.leaks import trained_on
from .origin import Origin


@dataclass(frozen=True, eq=False)
class TriggerSamples:
    """Samples of triggers that a model is trained on; perhaps none."""

    kept: LandmarkDataset
    """As they are kept beside the model."""
    named: LandmarkDataset
    """The same, named as fits to the data of the model."""

    @classmethod
    def of(cls, origin: Origin, samples: LandmarkDataset | None) -> Self:
        """Name samples like the data of a model."""
        kept = origin.trained.select(np.arange(0)) if samples is None else samples
        return cls(kept, _named_like(kept, origin.trained))

    @property
    def names(self) -> set[str]:
        """The names of the triggers."""
        return set(map(str, self.kept.samples.recording))

    def beside(
        self, data: LandmarkDataset, chosen: NDArray[np.bool_] | None = None
    ) -> LandmarkDataset:
        """Return data with these samples, or with those chosen."""
        return concatenate([data, self.named if chosen is None else self.named.select(chosen)])


def _named_like(samples: LandmarkDataset, data: LandmarkDataset) -> LandmarkDataset:
    """Return samples with people, sessions and recordings that fit to other data.

    Where that data has several names, samples without one get that of their session, and are so
    nobody else's. Else they get its one name, or none, so that a split of both is the same as one
    of the data alone. They are for training.
    """
    columns: dict[str, Any] = {"split": np.full(samples.n_samples, "train")}
    for name in ("group", "session", "recording"):
        theirs: StrArray = getattr(data.samples, name)
        own: StrArray = getattr(samples.samples, name)
        names = np.unique(theirs)
        if len(names) == 1:
            columns[name] = np.full(samples.n_samples, names[0])
        elif (names == "").any():
            columns[name] = np.full(samples.n_samples, "")
        else:
            columns[name] = np.where(own == "", samples.samples.session, own)
    # The detector is that of the data: others are a matter of course here.
    header = replace(samples.header, detector=data.header.detector, log=(), note="")
    return replace(samples, samples=replace(samples.samples, **columns), header=header)


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a model is to learn."""

    triggers: TriggerSamples
    """Those of all triggers, of earlier sessions too."""
    known: TriggerSamples
    """Those that the model was trained on, with the labels that they had."""
    new: Triggers
    """The triggers that the model was not trained on, or with another label."""
    relearnt: frozenset[str]
    """The names of the latter, and of those whose label then is not known."""

    @classmethod
    def of(cls, origin: Origin, found: Triggers, emphasis: int) -> "Lesson":
        """Find what is new; HandloreError if nothing is. Mistakes count ``emphasis`` times."""
        (window,) = origin.model.card.seconds[1:2] or (None,)
        samples = found.samples(origin.dataset.header.kind, window, emphasis)
        fresh = _fresh(origin, samples)
        lesson = cls(
            # A model that was put back has not learnt all that the file knows.
            TriggerSamples.of(origin, _merged(_learnt(origin, origin.triggers), found, samples)),
            TriggerSamples.of(origin, _learnt(origin, origin.triggers)),
            replace(found, reviewed=tuple(one for one in found.reviewed if one.name in fresh)),
            frozenset(fresh & TriggerSamples.of(origin, _learnt(origin, samples)).names),
        )
        if not fresh and not lesson.forgotten and not lesson._forgets_all(origin):
            raise HandloreError(_nothing_new(origin, found))
        return lesson

    @property
    def compared(self) -> tuple[Trigger, ...]:
        """The new triggers that the model so far has not seen."""
        return tuple(one for one in self.new.reviewed if one.name not in self.relearnt)

    @property
    def n_unlabelled(self) -> int:
        """How many triggers the model has learnt with a label that no file beside it says."""
        return len(self.relearnt - self.known.names)

    @property
    def forgotten(self) -> set[str]:
        """The names of triggers of earlier sessions that have been discarded since."""
        return self.known.names - self.triggers.names

    def _forgets_all(self, origin: Origin) -> bool:
        """Return whether a model that was put back is to forget triggers of which none is left."""
        return bool(origin.lost_triggers) and not self.triggers.names


def _is_learnt(origin: Origin, samples: LandmarkDataset) -> NDArray[np.bool_]:
    """Return which samples of triggers a model was trained on, whatever their label was.

    The file may know more than the model: it is written first, and a model may be put back.
    """
    known = trained_on(origin.model.card, samples)
    if known is None and origin.triggers is not None:
        known = np.isin(samples.samples.sha256, origin.triggers.samples.sha256).tolist()
    return np.array(known or [False] * samples.n_samples, bool)


def _learnt(origin: Origin, samples: LandmarkDataset | None) -> LandmarkDataset | None:
    return None if samples is None else samples.select(_is_learnt(origin, samples))


def _fresh(origin: Origin, samples: LandmarkDataset | None) -> set[str]:
    """Return the names of the triggers that the model has not learnt, or with another label."""
    if samples is None:
        return set()
    before = origin.triggers.samples if origin.triggers is not None else Samples.make([])
    labels = dict(zip(before.sha256.tolist(), before.label.tolist(), strict=True))
    table, learnt = samples.samples, _is_learnt(origin, samples)
    rows = zip(table.recording, table.sha256, table.label, learnt, strict=True)
    return {str(r) for r, digest, label, known in rows if not known or labels.get(digest) != label}


def _nothing_new(origin: Origin, found: Triggers) -> str:
    n, of = found.n_unreviewed, len(found.reviewed)
    if n:
        none = f"none of the {n} new triggers in {found.root} has"
        which = none if n > 1 else f"the new trigger in {found.root} has not"
        right = "all their labels are right" if n > 1 else "its label is right"
        review = shell_line("handlore", "recordings", "review", found.root)
        return f"{which} been reviewed: `{review}`, or --yes if {right}"
    if of:
        which = f"all {of} triggers" if of > 1 else "the trigger"
        return (
            f"there is nothing new to learn: {origin.name} knows {which} in {found.root}; record"
            " another session with `handlore live --record`"
        )
    live = shell_line("handlore", "live", origin.name, "--record", found.root)
    return f"{found.root} holds no triggers of {origin.name}; record a session with `{live}`"


def _merged(
    before: LandmarkDataset | None, triggers: Triggers, samples: LandmarkDataset | None
) -> LandmarkDataset | None:
    """Return the samples of earlier sessions with those of a folder.

    What was taken from the folder before is taken once, with the label that it has now, and is
    left out if it has been discarded since.
    """
    kept = None
    if before is not None:
        kept = before.select(~np.isin(before.samples.recording, sorted(triggers.settled)))
    parts = [one for one in (kept, samples) if one is not None and one.n_samples]
    return concatenate(parts) if parts else None
