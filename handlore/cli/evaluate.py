"""``handlore evaluate``: a model file against data it has not seen."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ._common import (
    data_argument,
    end,
    examples,
    json_option,
    load_datasets,
    make_folder,
    print_json,
    talk,
)
from ._scores import print_scores, report_option, write_report

if TYPE_CHECKING:
    from handlore.datasets.dataset import LandmarkDataset
    from handlore.models.card import ModelCard


def _doubts(card: "ModelCard", dataset: "LandmarkDataset") -> list[str]:
    """Say why the scores may mean less than they seem to."""
    lines = []
    unknown = sorted(set(dataset.labels) - set(card.labels) - {"none"})
    if unknown:
        lines.append(f"the model was never taught {', '.join(unknown)}; each counts as an error")
    if dataset.digest() == card.training.get("data_digest"):
        lines.append("the model was trained on exactly this data; the scores say nothing")
        return lines
    trained = int((dataset.samples.split == "train").sum())
    if trained:
        lines.append(f"{trained} of these samples are meant for training; choose with --split")
    groups = set(dataset.samples.group.tolist()) - {""}
    shared = sorted(groups & set(card.training.get("groups") or ()))
    if shared:
        lines.append(f"the model was trained on {', '.join(shared)} too, so the scores flatter")
    detector = dataset.header.detector
    if detector and detector.landmarker != card.landmarker:
        lines.append(
            f"the model was trained on {card.landmarker} landmarks, these are {detector.landmarker}"
        )
    return lines


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
    from handlore.classifiers.evaluation import answer, score
    from handlore.datasets.splits import held_out_samples
    from handlore.models.loading import load_model

    if report:
        make_folder(report)
    taught = load_model(model)
    loaded = load_datasets(data, taught.encoder.kind)
    dataset = held_out_samples(loaded.dataset, split)
    answers = answer(taught.predict_proba, taught.card.labels, dataset, taught.encoder)
    for line in _doubts(taught.card, dataset):
        talk(f"note: {line}")
    scores = score(answers)
    result = scores.as_json() | {"model": str(model)}
    if report:
        facts = {
            "Model": f"{model.name} ({taught.card.estimator})",
            "Trained on": f"{taught.card.training.get('n', '?')} samples",
            "Data": ", ".join(path.name for path in data),
        }
        write_report(report, "Evaluation", answers, facts, result, history=taught.card.history)
    if as_json:
        print_json(result)
    else:
        print_scores(scores, f"{model}", dataset.header.kind)
        if report:
            click.echo(f"report: {report / 'report.html'}")
    end(loaded)
