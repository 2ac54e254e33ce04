"""``handlore evaluate``: a model file against data it has not seen."""

from pathlib import Path

import click

from ._common import data_argument, examples, json_option, load_datasets, print_json, talk
from ._scores import print_scores, report_option, write_report


@click.command(
    "evaluate",
    epilog=examples(
        "handlore evaluate poses.onnx others.npz",
        "handlore evaluate poses.onnx photos.npz --split test --report report/",
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

    A picture in which no hand was found is answered `none`, and counts as an error unless that
    is its label.
    """
    from handlore.classifiers.evaluation import answer, score
    from handlore.datasets.splits import held_out_samples
    from handlore.models.runtime import load_model

    loaded = load_model(model)
    dataset = held_out_samples(load_datasets(data), split)
    unknown = sorted(set(dataset.labels) - set(loaded.card.labels) - {"none"})
    if unknown:
        talk(f"note: the model was never taught {', '.join(unknown)}; each counts as an error")
    if dataset.digest() == loaded.card.training.get("data_digest"):
        talk("note: the model was trained on exactly this data; the scores say nothing")
    answers = answer(loaded.predict_proba, loaded.card.labels, dataset, loaded.encoder)
    scores = score(answers)
    result = scores.as_json() | {"model": str(model)}
    if report:
        facts = {
            "Model": f"{model.name} ({loaded.card.estimator})",
            "Trained on": f"{loaded.card.training.get('n', '?')} samples",
            "Data": ", ".join(path.name for path in data),
        }
        write_report(report, "Evaluation", answers, facts, result)
    if as_json:
        print_json(result)
    else:
        print_scores(scores, f"{model}")
        if report:
            click.echo(f"report: {report / 'report.html'}")
