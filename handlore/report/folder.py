"""A report as a folder: the page, and its figures as PNG files for papers."""

from .dataplots import yield_png
from .figures import (
    bars_png,
    classes_png,
    confusion_png,
    mistakes_png,
    reliability_png,
    spans_png,
    training_png,
)
from .findings import Findings
from .sections import report_page

FIGURES = frozenset(
    f"{name}.png"
    for name in (
        "confusion", "classes", "yield", "people", "stages", "mistakes", "reliability",
        "importance", "training",
    )
)  # fmt: skip
"""Every figure that a report may have."""


def report_files(findings: Findings) -> dict[str, bytes]:
    """Return the files of a report by name; figures of which there is nothing are left out."""
    scores, about = findings.outcome.scores, findings.about
    files = {
        "confusion.png": confusion_png(scores),
        "classes.png": classes_png(scores),
        "yield.png": yield_png(list(findings.detection_rates)),
    }
    if findings.people:
        files["people.png"] = spans_png(findings.people, f"accuracy by {findings.over}")
    if len(findings.stages) > 1:
        files["stages.png"] = spans_png(findings.named_stages, "accuracy by search stage")
    if findings.confusions:
        files["mistakes.png"] = mistakes_png(findings.confusions)
    if findings.reliability:
        files["reliability.png"] = reliability_png(findings.reliability)
    if found := findings.outcome.importances:
        lost = [100 * one.lost for one in found]
        files["importance.png"] = bars_png(
            [one.part for one in found], lost, "accuracy lost without it, in points"
        )
    if about.history:
        files["training.png"] = training_png(about.history)
    return files | {"report.html": report_page(findings).encode("utf-8", "replace")}
