"""A model that learns from its mistakes: reviewed triggers become training data.

A session of ``live --record`` keeps what was recognised; a person corrects it. The model is trained
anew, as it was trained before, on its data and on these triggers, and replaced only if the new one
is no worse on what neither was trained on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.storage import save_dataset
from handlore.datasets.triggers import Triggers, load_triggers
from handlore.landmarks.errors import HandloreError, counted, naming
from handlore.landmarks.files import as_path, require_writable, write_bytes
from handlore.models.card import ModelCard
from handlore.models.files import load_model, replace_card, require_model_output
from handlore.models.ready import is_ready

from .base import Report, Steps
from .evaluation.standings import Standing, n_fits, protocol_of, standings, tested_in_parts
from .evaluation.triggers import (
    Answer,
    Raises,
    TriggerScores,
    choose_raises,
    cross_fitted,
    raised_thresholds,
    score_answers,
    score_triggers,
)
from .extending import joined
from .lesson import Lesson
from .origin import TRIGGERS, Origin, triggers_file
from .provenance import source_facts
from .replaced import backup_of
from .training import train_pipeline

_EMPHASIS = 5
"""How often a mistake counts in training: a few stand against hundreds or thousands of samples
(``benchmarks/improve.py``)."""
_FITS_OF_A_TRAINING = 4
"""As long as so many fits takes a training, thresholds included."""
_MOST_LOST = 0.005
"""Share of the test items that may be lost; one item may be in any case."""
_MOST_COST, _MOST_COST_SHARE = 3, 0.05
"""Missed gestures in streams, and their share, that are chance if triggers show no difference."""
_LEAST_FOUND = 2 / 3
"""Share of the gestures found in streams of the data that are still found, whatever it saves."""


@dataclass(frozen=True)
class Improvement:
    """A model, compared with one that has also learnt from triggers."""

    model: str
    out: Path
    before: Standing
    after: Standing
    protocol: str
    """How the data were tested, in words."""
    triggers: Triggers
    """Those that the model had not learnt, or with another label."""
    n_relearnt: int = 0
    """How many of them it had learnt; they are not compared."""
    n_unlabelled: int = 0
    """With which label it had learnt so many of the latter is not known."""
    n_forgotten: int = 0
    """How many that it had learnt have been discarded since."""
    raised: Raises = field(default_factory=dict)
    """By how much thresholds are higher than :func:`~.training.train` chose them."""
    is_written: bool = False
    backup: Path | None = None
    """The model so far, if the new one has its name."""
    notes: tuple[str, ...] = ()
    failures: tuple[tuple[str, str], ...] = ()
    """Recordings that cannot be read, and why."""

    @property
    def worse(self) -> str | None:
        """Why the new model is worse; None if it is not."""
        old, new = self.before, self.after
        if _is_less(new.n_wrong - old.n_wrong, new.n):
            return (
                f"its accuracy on the data is {100 * new.accuracy:.1f} %, before"
                f" {100 * old.accuracy:.1f} %"
            )
        if _is_less(new.n_base_wrong - old.n_base_wrong, new.n_base):
            return (
                f"its accuracy on the gestures of its base is {100 * new.base_accuracy:.1f} %,"
                f" before {100 * old.base_accuracy:.1f} %"
            )
        n_learnt = len(self.triggers.reviewed) + self.n_forgotten
        costs_more = new.cost(n_learnt) >= old.cost(n_learnt) + 1
        # Where the triggers show no gain, streams count in full; a little is chance.
        is_gain = new.triggers.cost < old.triggers.cost
        lost = new.stream_cost - old.stream_cost
        costs_more |= not is_gain and lost > max(_MOST_COST, _MOST_COST_SHARE * old.n_in_streams)
        if costs_more or new.n_found < _LEAST_FOUND * old.n_found:
            return f"{_in_words(new)}; before, {_in_words(old)}"
        return None

    def as_json(self) -> dict[str, Any]:
        """Return it under the names that scripts rely on."""
        return {
            "model": self.model,
            "out": str(self.out),
            "written": self.is_written,
            "worse": self.worse,
            "backup": None if self.backup is None else str(self.backup),
            "triggers": {
                "n": len(self.triggers.reviewed),
                "n_right": self.triggers.n_right,
                "n_wrong": self.triggers.n_wrong,
                "n_none": self.triggers.n_none,
                "n_relearnt": self.n_relearnt,
                "n_forgotten": self.n_forgotten,
                "n_unreviewed": self.triggers.n_unreviewed,
                "n_other": self.triggers.n_other,
            },
            "protocol": self.protocol,
            "thresholds_raised": dict(self.raised),
            "before": self.before.as_json(),
            "after": self.after.as_json(),
        }


def _in_words(standing: Standing) -> str:
    """Say what a model does live."""
    triggers, streams = standing.triggers, standing.streams
    said = f"{counted(triggers.n_false, 'false activation')} in {counted(triggers.n, 'trigger')}"
    if streams is None:
        return f"{said} and {counted(triggers.n_missed, 'missed gesture')}"
    return (
        f"{said} and {streams.n_false} in streams of the data, where {streams.n_found} of"
        f" {counted(streams.n, 'gesture')} are found"
    )


def _is_less(lost: int, n: int) -> bool:
    return lost > max(1, _MOST_LOST * n)


def improve(
    model: str | Path,
    triggers: str | Path,
    out: str | Path | None = None,
    *,
    data: Sequence[str | Path] | str | Path = (),
    all_reviewed: bool = False,
    dry_run: bool = False,
    progress: Report | None = None,
) -> Improvement:
    """Train a model also on the reviewed triggers of a live session, and keep it if it is no worse.

    Parameters
    ----------
    model
        A model file, or the name of a model that comes with handlore.
    triggers
        The folder of ``live --record``, reviewed. A trigger that shows none of the model's gestures
        is an example of ``none``.
    out
        The new model file; default: the model file itself, which is kept as ``NAME.old.onnx``. The
        triggers of all sessions are kept beside it in ``NAME.triggers.npz``.
    data
        Where the data of the model are, if they are no longer where they were.
    all_reviewed
        The labels of triggers that nobody has reviewed are right; they count as reviewed once the
        new model is written.
    dry_run
        Train and compare, and write nothing.
    progress
        Called with how much is done, and of how much.

    Returns
    -------
    What both models achieve; nothing was written if the new one is :attr:`~Improvement.worse`.

    Raises
    ------
    HandloreError
        If there is nothing to learn, or the data of the model are not there.

    Examples
    --------
    >>> result = handlore.improve("poses.onnx", "triggers", dry_run=True)
    >>> result.triggers.n_right, result.triggers.n_wrong, result.is_written
    (6, 4, False)
    """
    target, triggers = _target(model, out), as_path(triggers, "a folder of triggers")
    there = _content(target)
    origin = Origin.find(model, data)
    _require_apart(origin, triggers)
    card = origin.model.card
    with naming(origin.failures):
        found = load_triggers(triggers, card.labels, card.n_hands, all_reviewed=all_reviewed)
    with naming((*origin.failures, *found.failures)), TemporaryDirectory(prefix="handlore-") as own:
        lesson, trial = Lesson.of(origin, found, _EMPHASIS), Path(own) / "new.onnx"
        result = _tried(origin, lesson, trial, target, progress)
        if dry_run or result.worse:
            return result
        if _content(target) != there:
            raise HandloreError(
                f"{target} was written by something else while this ran, such as another `handlore"
                " improve`; improve it again"
            )
        backup = _write(trial, target, lesson.triggers.kept, is_known=origin.triggers is not None)
    result = replace(result, is_written=True, backup=backup)
    return _reviewed(result, found) if all_reviewed else result


def _reviewed(result: Improvement, found: Triggers) -> Improvement:
    """Keep that the triggers have been reviewed; a note says if their folder is read-only."""
    try:
        found.confirm()
    except HandloreError as error:
        return replace(
            result, notes=(*result.notes, f"the triggers still count as not reviewed: {error}")
        )
    return result


def _tried(
    origin: Origin, lesson: Lesson, trial: Path, target: Path, progress: Report | None
) -> Improvement:
    """Train the new model and compare it with the one so far."""
    steps = Steps(_FITS_OF_A_TRAINING + n_fits(origin), progress)
    notes = _train(origin, lesson, trial, target, steps)
    raised, (before, after) = _compared(origin, lesson, trial, steps)
    return Improvement(
        model=origin.name,
        out=target,
        before=before,
        after=after,
        protocol=protocol_of(origin),
        triggers=lesson.new,
        n_relearnt=len(lesson.relearnt),
        n_unlabelled=lesson.n_unlabelled,
        n_forgotten=len(lesson.forgotten),
        raised=raised,
        notes=(*origin.notes, *notes),
        failures=(*origin.failures, *lesson.new.failures),
    )


def _target(model: str | Path, out: str | Path | None) -> Path:
    if out is None and is_ready(model):
        raise HandloreError(
            f"{model} comes with handlore and stays as it is; name a file for the improved model"
            f" with --out my_{model}.onnx"
        )
    target = as_path(model if out is None else out, "a model file")
    require_model_output(target)
    for file in (triggers_file(target), backup_of(target), _old_triggers(target)):
        require_writable(file)
    return target


def _old_triggers(target: Path) -> Path:
    return target.with_name(f"{target.stem}.old{TRIGGERS}")


def _content(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None


def _require_apart(origin: Origin, triggers: Path) -> None:
    """Refuse to learn and test with the same recordings."""
    if triggers.resolve() in {path.resolve() for path in origin.paths}:
        raise HandloreError(
            f"{origin.name} was trained on {triggers}; record live sessions into another folder,"
            " such as `handlore live --record triggers`"
        )


def _train(
    origin: Origin, lesson: Lesson, trial: Path, target: Path, steps: Steps
) -> tuple[str, ...]:
    """Train the new model as ``train`` would, and return notes."""
    every = lesson.triggers.beside(origin.trained)
    pipeline = origin.pipeline(joined(every, origin.examples))
    facts = source_facts(
        target,
        [*origin.paths, *([triggers_file(target)] if lesson.triggers.names else [])],
        split=origin.split,
        base=origin.base,
        negatives=origin.negatives,
    )
    trained = train_pipeline(
        pipeline,
        origin.trained,
        trial,
        base=origin.examples,
        for_streams=lesson.triggers.named,
        negatives=origin.negatives,
        facts=facts,
        progress=steps.within(_FITS_OF_A_TRAINING),
    )
    steps.finish(_FITS_OF_A_TRAINING)
    return (*trained.notes, *_keep_calibration(origin.model.card, trial))


def _compared(
    origin: Origin, lesson: Lesson, trial: Path, steps: Steps
) -> tuple[Raises, tuple[Standing, Standing]]:
    """Raise thresholds of the new model; return by how much, and what both models achieve."""
    emitted = score_triggers(origin.model, lesson.compared)
    tested = tested_in_parts(origin, lesson, load_model(trial).card, steps)
    # Calibrated thresholds stay: somebody has chosen how much may be false.
    calibrated = origin.model.card.calibration
    raises, learnt = ({}, score_answers(tested.answers)) if calibrated else _raised(tested.answers)
    _raise_thresholds(trial, raises)
    both = standings(origin, load_model(trial), tested, (emitted, learnt), raises)
    steps.close()
    return raises, both


def _keep_calibration(before: ModelCard, trial: Path) -> tuple[str, ...]:
    if not before.calibration:
        return ()
    card = load_model(trial).card
    known = {label: one for label, one in before.thresholds.items() if label in card.labels}
    both = {**card.thresholds, **known}
    replace_card(trial, replace(card, thresholds=both, calibration=before.calibration))
    return ("the thresholds of `handlore calibrate` are kept; calibrate again to renew them",)


def _raised(answers: Sequence[Answer]) -> tuple[Raises, TriggerScores]:
    """Return which thresholds are raised, if that helps with triggers they were not chosen on."""
    plain, raised = score_answers(answers), cross_fitted(answers)
    return ({}, plain) if plain.cost < raised.cost else (choose_raises(answers), raised)


def _raise_thresholds(trial: Path, raises: Raises) -> None:
    if raises:
        model = load_model(trial)
        replace_card(trial, replace(model.card, thresholds=raised_thresholds(model, raises)))


def _copy(source: Path, target: Path) -> None:
    write_bytes(target, source.read_bytes())


def _write(trial: Path, target: Path, triggers: LandmarkDataset, *, is_known: bool) -> Path | None:
    """Write the triggers, then the model; return where the model so far is kept, if it is one.

    If this is interrupted in between, the triggers are new to the model the next time.
    """
    own = triggers_file(target)
    if own.is_file() and not is_known:
        # A model that was trained anew does not list the triggers of the one before.
        own.replace(_old_triggers(target))
    if triggers.n_samples:
        save_dataset(triggers, own)
    backup = backup_of(target) if target.exists() else None
    if backup is not None:
        _copy(target, backup)
    _copy(trial, target)
    if not triggers.n_samples:
        own.unlink(missing_ok=True)
    return backup
