"""``handlore info``: what is in a dataset, a folder of recordings or a model."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from handlore.datasets.describe import DatasetDescription, RecordingsDescription, describe
from handlore.datasets.loading import load_recordings
from handlore.datasets.recording_files import labels_in_marker
from handlore.landmarks.errors import HandloreError, counted, shell_line
from handlore.landmarks.files import require_writable
from handlore.landmarks.stages import stage_words
from handlore.models.card import is_model_file
from handlore.models.ready import is_ready, model_path, no_model

from ._common import (
    FOLDER,
    MODEL,
    PATH,
    end,
    examples,
    json_option,
    percent,
    prepare_folder,
    print_json,
    say,
    say_failures,
    talk,
)
from ._rich import print_table
from ._training import protocol

_NOT_SHOWN = ("item_digests", "history", "per_class")
"""Parts of a card that are for `evaluate`, reports and `models show`."""

_WORDS = {
    "n": "trained on samples",
    "n_no_hand": "left out, without a hand",
    "n_of_base": "samples of the base",
    "counts": "samples of each label",
    "params": "parameters",
}
"""What facts of a card are called, where the key does not say it."""
_SCORES = {"by": str, "accuracy": float, "macro_f1": float, "n": int}


@click.command(
    "info",
    epilog=examples(
        "handlore info photos.npz",
        "handlore info poses.onnx",
        "handlore info everyday",
        "handlore info my_gestures --contact-sheet sheet.png",
        "handlore info photos.npz --plots plots/",
    ),
)
@click.argument("path", metavar="PATH", type=MODEL)
@click.option(
    "--contact-sheet",
    type=PATH,
    metavar="OUT.png",
    help="Draw a small picture of each recording or sample: the hand and its path.",
)
@click.option(
    "--plots",
    type=FOLDER,
    metavar="DIR",
    help="Draw into this folder the number of samples and the detection rate of each label, the"
    " mean hand or path of each label, and a contact sheet.",
)
@json_option
def command(
    path: str | Path, contact_sheet: Path | None, plots: Path | None, as_json: bool
) -> None:
    """Show the content of a dataset, a folder of recordings or a model.

    For recordings it also advises what to record next: labels that are rare or lack variety, and
    labels that a quick cross-validation confuses.
    """
    if contact_sheet:
        require_writable(contact_sheet)
    if plots:
        prepare_folder(plots)
    facts = _show(path, as_json, drawn=bool(contact_sheet or plots))
    facts |= _draw(path, contact_sheet, plots)
    if as_json:
        print_json(facts)
    end(facts.get("failures", ()))


def _show(path: str | Path, as_json: bool, *, drawn: bool) -> dict[str, Any]:
    """Print the content; ``drawn`` says that pictures of it are asked for, too."""
    ours = is_ready(path)
    if not ours and not Path(path).exists():
        raise HandloreError(no_model(Path(path), ending=""))
    if ours or is_model_file(Path(path)):
        if drawn:
            show = shell_line("handlore", "models", "show", path, "--picture", "FILE.png")
            raise HandloreError(
                f"{path} is a model, which has nothing to draw but its gestures: `{show}`"
            )
        return _show_model(path, as_json)
    facts = describe(Path(path))
    if isinstance(facts, RecordingsDescription):
        return _show_recordings(facts, as_json)
    if not as_json:
        _print_dataset(facts)
    return facts.as_json()


def _draw(path: str | Path, contact_sheet: Path | None, plots: Path | None) -> dict[str, Any]:
    if not (contact_sheet or plots):
        return {}
    # Imported here: drawing loads scikit-learn.
    from ..report.writing import write_contact_sheet, write_plots

    drawn: dict[str, Any] = {}
    if contact_sheet:
        drawn["n_drawn"] = write_contact_sheet(Path(path), contact_sheet)
        talk(f"wrote {contact_sheet}")
    if plots:
        files = write_plots(Path(path), plots)
        drawn["plots"] = [str(file) for file in files]
        talk(f"wrote {', '.join(file.name for file in files)} into {plots}")
    return drawn


def _print_dataset(facts: DatasetDescription) -> None:
    detector = facts.header.detector
    say(f"{facts.path}: a landmark dataset ({facts.bytes / 1000:.0f} KB)")
    n_own = facts.n_samples - facts.n_copies
    copies = counted(facts.n_copies, "augmented copy", "augmented copies")
    items = counted(n_own, "pose" if facts.kind == "pose" else "clip")
    frames = f"{counted(facts.n_frames, 'frame')}, {counted(facts.n_hands, 'hand')} per frame"
    say(f"  {items}{f' and {copies}' if facts.n_copies else ''}, {frames}")
    say(f"  with a hand: {percent((n_own - facts.n_no_hand) / max(n_own, 1))}")
    for stage, count in facts.stages.items() if detector else ():
        say(f"    frames found in search stage {stage_words(stage)}: {count}")
    _print_counts({"groups": facts.groups, "sessions": facts.sessions, "splits": facts.splits})
    if detector:
        say(f"  detector: {detector.name} {detector.version}, {detector.landmarker}")
    for line in facts.header.log:
        say(f"  {line}")
    rows = [[label, n, found, percent(found / n)] for label, (n, found) in facts.labels.items()]
    say()
    print_table(["label", "samples", "with a hand", "detection rate"], rows)
    _print_lines("Label problems:", list(facts.label_problems.lines()))


def _print_counts(counts: Mapping[str, Mapping[str, int]]) -> None:
    for what, named in counts.items():
        known = [f"{name} ({n})" for name, n in named.items() if name]
        if known:
            say(f"  {what}: {'; '.join(known)}")


def _print_lines(heading: str, lines: Sequence[str]) -> None:
    if lines:
        say(f"\n{heading}")
    for line in lines:
        say(f"  {line}")


def _show_recordings(facts: RecordingsDescription, as_json: bool) -> dict[str, Any]:
    # Imported here: the advice loads scikit-learn, which datasets do not need.
    from handlore.capture.coach import advise

    if not as_json:
        # Before the advice, which takes a few seconds.
        _print_recordings(facts)
    path = Path(facts.path)
    loaded = load_recordings(path)
    if loaded.renamed:
        talk(f"note: {loaded.renamed}")
    advice = advise(loaded, labels_in_marker(path))
    if not as_json:
        _print_lines("Next:", advice)
    return facts.as_json() | {"advice": advice}


def _print_recordings(facts: RecordingsDescription) -> None:
    discarded = f", {facts.n_discarded} discarded" if facts.n_discarded else ""
    say(f"{facts.path}: {counted(facts.n_recordings, 'recording')}{discarded}")
    named = ("groups", "sessions", "cameras", "detectors")
    _print_counts({what: getattr(facts, what) for what in named})
    rows = []
    for label, row in facts.labels.items():
        rate = percent(row.n_frames_with_hand / max(row.n_frames, 1))
        seconds = f"{row.seconds:.1f}"
        rows.append([label, row.n_movements, row.n_poses, seconds, row.n_frames, rate])
    if rows:
        say()
        print_table(["label", "movements", "poses", "seconds", "frames", "with a hand"], rows)
    say_failures(facts.failures)


def _show_model(file: str | Path, as_json: bool) -> dict[str, Any]:
    # Imported here: a dataset is shown without onnxruntime.
    from handlore.models.files import load_model

    card, size = load_model(file).card, model_path(file).stat().st_size
    if not as_json:
        what = "pose" if card.kind == "pose" else "movement"
        say(f"{file}: a {what} model, {card.estimator} ({size / 1000:.0f} KB)")
        say(f"  {counted(len(card.labels), 'label')}: {', '.join(card.labels)}")
        if card.kind == "pose":
            say(f"  features: {', '.join(card.features)} ({card.n_features} numbers)")
        else:
            lengths = f"{card.seconds[0]:.1f} to {card.seconds[-1]:.1f} s"
            say(f"  clips of {lengths}, resampled to {card.n_timepoints} points in time")
        say(f"  landmarks: {card.landmarker}, {counted(card.n_hands, 'hand')}")
        if card.licence:
            say(f"  licence: {card.licence}")
        if card.thresholds:
            each = ", ".join(f"{label} {least:.2f}" for label, least in card.thresholds.items())
            say(f"  thresholds: {each}")
        if card.patience:
            each = ", ".join(f"{label} {seconds:g} s" for label, seconds in card.patience.items())
            say(f"  patience: {each}")
        if card.calibration:
            say(f"  calibration: {_compact(card.calibration)}")
        _print_training(card.training)
        if card.history:
            say(f"  training history: {counted(len(card.history), 'epoch')}; --json lists them")
    shown = {"type": "model", "path": str(file), "bytes": size}
    return shown | card.as_json()


def _print_training(training: Mapping[str, Any]) -> None:
    # Imported here: a dataset is shown without the modules of the classifiers.
    from handlore.classifiers.evaluation.streams import StreamScores

    for key, value in training.items():
        if key in _NOT_SHOWN or not (text := _compact(value)):
            continue
        if key == "counts" and isinstance(value, Mapping):
            _print_counts({_WORDS[key]: value})
        elif key == "crossval" and _are_scores(value):
            accuracy, f1 = percent(value["accuracy"]), f"{value['macro_f1']:.3f}"
            items = counted(value["n"], "sample")
            say(f"  {protocol(value)}: accuracy {accuracy}, macro-F1 {f1}, of {items}")
        elif key == "streams" and (streams := StreamScores.from_json(value)):
            by = "cross-validated" if "crossval" in training else "tested on left-out parts,"
            say(f"  {by} {streams.sentence}")
        else:
            say(f"  {_WORDS.get(key, key.replace('_', ' '))}: {text}")


def _are_scores(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(value.get(name), kind) for name, kind in _SCORES.items()
    )


def _compact(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {item}" for key, item in value.items() if item != "")
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
