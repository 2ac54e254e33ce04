"""A report as a folder: the page, and its figures as PNG files for papers."""

from .charts import (
    BarRow,
    bar_chart,
    class_chart,
    confusion_chart,
    interval_chart,
    mistake_chart,
    reliability_chart,
    training_chart,
)
from .dataplots import detection_chart
from .findings import Findings
from .raster import png
from .sections import report_page

FIGURES = frozenset(
    {
        "classes.png",
        "confusion.png",
        "importance.png",
        "mistakes.png",
        "people.png",
        "reliability.png",
        "stages.png",
        "training.png",
        "yield.png",
    }
)
"""Every figure that a report may have."""


def report_files(findings: Findings) -> dict[str, bytes]:
    """Return the files of a report by name; figures without content are left out."""
    scores, history = findings.outcome.scores, findings.about.history
    drawn = {
        "confusion.png": confusion_chart(scores),
        "classes.png": class_chart(scores),
        "yield.png": detection_chart(list(findings.detection_rates)),
    }
    if findings.people:
        drawn["people.png"] = interval_chart(findings.people, f"Accuracy by {findings.over}")
    if len(findings.stages) > 1:
        drawn["stages.png"] = interval_chart(findings.named_stages, "Accuracy by search stage")
    if findings.confusions:
        drawn["mistakes.png"] = mistake_chart(findings.confusions)
    if findings.reliability:
        drawn["reliability.png"] = reliability_chart(findings.reliability)
    if found := findings.outcome.importances:
        rows = [BarRow(one.part, {"s0": one.lost}, f"{100 * one.lost:.1f}") for one in found]
        unit = "accuracy lost without it, in points"
        drawn["importance.png"] = bar_chart(rows, unit, "What the model uses")
    if history:
        drawn["training.png"] = training_chart(history)
    files = {name: png(one) for name, one in drawn.items()}
    return files | {"report.html": report_page(findings).encode("utf-8", "replace")}
