"""``handlore evaluate``: a model file against data it has not seen."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ._common import data_argument, end, examples, json_option, load_datasets, prepare_folder, talk
from ._scores import print_scores, print_scores_json, report_option, words_of, write_report

if TYPE_CHECKING:
    from handlore.datasets.dataset import LandmarkDataset
    from handlore.models.card import ModelCard
    from handlore.models.model import Model
    from handlore.report.findings import About


def _doubts(card: "ModelCard", dataset: "LandmarkDataset") -> list[str]:
    """Say why the scores may mean less than they seem to."""
    from handlore.datasets.dataset import listed

    lines = []
    unknown = sorted(set(dataset.labels) - set(card.labels) - {"none"})
    if unknown:
        lines.append(f"the model was never taught {listed(unknown)}; each counts as an error")
    if dataset.digest() == card.training.get("data_digest"):
        lines.append("the model was trained on exactly this data; the scores say nothing")
        return lines
    trained = int((dataset.samples.split == "train").sum())
    if trained:
        lines.append(f"{trained} of these samples are meant for training; choose with --split")
    groups = set(dataset.samples.group.tolist()) - {""}
    shared = sorted(groups & set(card.training.get("groups") or ()))
    if shared:
        lines.append(f"the model was trained on {listed(shared)} too, so the scores flatter")
    detector = dataset.header.detector
    if detector and detector.landmarker != card.landmarker:
        lines.append(
            f"the model was trained on {card.landmarker} landmarks, these are {detector.landmarker}"
        )
    return lines


def _about(
    path: Path, model: "Model", data: str, dataset: "LandmarkDataset", doubts: list[str]
) -> "About":
    """Gather what the report tells beside the scores."""
    from handlore.report.findings import About, answer_time

    card, training = model.card, model.card.training
    speed = {"File": f"{path.stat().st_size / 1000:.0f} KB"}
    seconds = answer_time(model, dataset)
    if seconds is not None:
        speed["One answer"] = (
            f"{1e6 * seconds:.0f} µs on this machine, from landmarks to probabilities (median)"
        )
    told = {
        "Trained on": f"{training.get('n', '?')} samples",
        "People": ", ".join(map(str, training.get("groups") or ())),
        "Parameters": words_of(training.get("params") or {}),
        "Cross-validated": words_of(training.get("crossval") or {}),
        "Features": ", ".join(card.features),
        "Landmarks": card.landmarker,
        "Versions": words_of(training.get("versions") or {}),
    }
    return About(
        f"{path.name}: how well it recognises hands",
        {
            "Model": f"{path.name} ({card.estimator})",
            "Data": data,
            "Protocol": f"a model file, trained on {training.get('n', '?')} samples",
        },
        doubts,
        card.history,
        speed,
        {key: value for key, value in told.items() if value},
    )


@click.command(
    "evaluate",
    epilog=examples(
        "handlore evaluate poses.onnx others.npz",
        "handlore evaluate poses.onnx photos.npz --split test --report report/",
        "handlore evaluate moves.onnx bens_gestures",
    ),
)
@click.argument("model", type=click.Path(path_type=Path))
@data_argument
@click.option("--split", help="Evaluate on this split; default: `test` where there is one.")
@report_option
@json_option
def command(
    model: Path, data: tuple[Path, ...], split: str | None, report: Path | None, as_json: bool
) -> None:
    """Score a model file on landmark datasets.

    DATA is a file that `handlore convert` wrote, or a folder of recordings of `handlore capture`.
    A picture or clip in which no hand was found is answered `none`, and counts as an error unless
    that is its label.
    """
    from handlore.classifiers.evaluation.evaluation import Evaluation
    from handlore.classifiers.evaluation.importance import measure_importances
    from handlore.classifiers.evaluation.leaks import find_model_leaks
    from handlore.classifiers.evaluation.scores import predict_items
    from handlore.datasets.splits import held_out_samples
    from handlore.models.files import load_model

    if report:
        prepare_folder(report)
    taught = load_model(model)
    loaded = load_datasets(data, taught.encoder.kind)
    dataset = held_out_samples(loaded.dataset, split)
    predictions = predict_items(taught.predict_proba, taught.card.labels, dataset, taught.encoder)
    leaks = find_model_leaks(taught.card, dataset, loaded.dataset)
    found = (
        measure_importances(taught.predict_proba, taught.card.labels, dataset, taught.encoder)
        if report
        else []
    )
    outcome = Evaluation.of(predictions, dataset, leaks, found)
    doubts = _doubts(taught.card, dataset)
    for line in doubts + (leaks.lines() if leaks else []):
        talk(f"note: {line}")
    result = outcome.as_json() | {"model": str(model), "protocol": "tested as a model file"}
    if report:
        names = ", ".join(path.name for path in data)
        write_report(report, outcome, _about(model, taught, names, dataset, doubts), result)
    if as_json:
        print_scores_json(result)
    else:
        print_scores(outcome, f"{model}")
        if report:
            click.echo(f"report: {report / 'report.html'}")
    end(loaded)
