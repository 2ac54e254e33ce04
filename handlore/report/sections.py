"""The sections of a report: each takes findings and returns HTML, or None if it has no content."""

from collections.abc import Callable, Mapping, Sequence
from html import escape

import numpy as np

from handlore.classifiers.evaluation.breakdown import DetectionRate
from handlore.classifiers.evaluation.scores import Scores
from handlore.landmarks.hands import FINGERS, FloatArray

from .charts import confusion_chart, interval_chart, reliability_chart, training_chart
from .drawing import HAND_SIZE, Drawing
from .findings import Confusion, Findings, Mistake, stage_name, stage_styles
from .page import Html, Section, fact_list, numbers, page, table, wide

_MOST_PEOPLE = 16
_MOST_HALF = 12
"""A confusion matrix of more labels takes the whole width."""
_MOST_MISSED = 100


def report_page(findings: Findings) -> str:
    """Return the whole page."""
    about = findings.about
    lead = " · ".join(about.facts[key] for key in ("Data", "Protocol") if key in about.facts)
    return page(about.title, [part(findings) for part in _SECTIONS], lead)


def _headline(findings: Findings) -> str:
    scores, spread = findings.outcome.scores, findings.outcome.intervals
    low, high = (f"{100 * bound:.1f}" for bound in spread.accuracy)
    what, right = findings.what, scores.n - scores.n_wrong - scores.n_missed
    counted = f"Of {scores.n} {what}, {right} are answered right and {scores.n_wrong} wrong. " + (
        f"In {scores.n_missed} no hand was found although there should be one; they count as"
        " errors too."
        if scores.n_missed
        else "A hand was found in every item that should have one."
    )
    values: dict[str, str | tuple[str, str]] = {
        "macro-F1": (f"{scores.macro_f1:.3f}", "{:.3f} to {:.3f}".format(*spread.macro_f1))
        if spread.macro_f1
        else f"{scores.macro_f1:.3f}",
        "labels": str(len(scores.per_class)),
        "wrong": (str(scores.n_wrong), f"{100 * scores.n_wrong / scores.n:.1f} %"),
        "no hand found": (str(scores.n_missed), f"{100 * scores.n_missed / scores.n:.1f} %"),
    }
    return (
        '<section class="first" aria-label="Result"><div class="score">'
        f"<b>{100 * scores.accuracy:.1f} %</b><p><strong>accuracy</strong>, {low} to {high} %</p>"
        f'<p class="soft"><small>{escape(spread.words)}</small></p></div>'
        f"<div><p>{counted}</p>{_streamed(findings)}{numbers(values)}</div></section>"
    )


def _streamed(findings: Findings) -> str:
    streams = findings.outcome.streams
    if not streams or not streams.seconds:
        return ""
    return f"<p>{escape(streams.sentence[:1].upper() + streams.sentence[1:])}.</p>"


def _warnings(findings: Findings) -> str:
    leaks = findings.outcome.leaks
    return _notes([*findings.about.notes, *(leaks.lines() if leaks else [])])


def _people(findings: Findings) -> Section | None:
    parts = findings.people
    if not parts:
        return None
    text = "Lowest accuracy first. Bands are 95 % intervals."
    if len(parts) > _MOST_PEOPLE:
        text += f" The lowest {_MOST_PEOPLE} of {len(parts)}; all are in scores.json."
    body = interval_chart(parts[:_MOST_PEOPLE], f"Accuracy by {findings.over}").svg()
    return Section(f"Accuracy by {findings.over}", body, text, half=True)


def _classes(findings: Findings) -> Section:
    return class_section(findings.outcome.scores, findings.detection_rates, findings.typical)


def class_section(
    scores: Scores,
    rates: Sequence[DetectionRate] = (),
    typical: Mapping[str, FloatArray] | None = None,
) -> Section:
    """Return the table of classes, with detection rates and mean hands if known."""
    most = max(row["support"] for row in scores.per_class.values())
    found, colors = {one.label: one for one in rates}, stage_styles(rates)
    rows = []
    for label, row in scores.per_class.items():
        cells: list[object] = [_bar(row["support"] / most, f"{row['support']:.0f}")]
        cells += [_found(found[label], colors)] if label in found else [""] * bool(found)
        cells += [_bar(row[key], f"{row[key]:.3f}") for key in ("precision", "recall", "f1")]
        rows.append([label, *_mean_hand(label, typical or {}), *cells])
    hand, detected = [""] if typical else [], ["hand found"] if found else []
    columns = ["label", *hand, "n", *detected, "precision", "recall", "F1"]
    text = (
        "Precision: the share of answers with this label that are right. Recall: the share of items"
        " with this label that are answered right."
    )
    if typical:
        text += " Beside each label is its mean hand."
    return Section("Classes", _legend(colors) + table(columns, rows), text)


def _mean_hand(label: str, typical: Mapping[str, FloatArray]) -> list[Html]:
    """Return the cell with the mean hand; none if no label has one."""
    if not typical:
        return []
    return [Html(_hand_drawing(typical[label]).svg("hand") if label in typical else "")]


def _found(one: DetectionRate, colors: Mapping[int, str]) -> Html:
    shares = [
        (count / one.n, colors[stage], f"{stage_name(stage)}: {count}")
        for stage, count in sorted(one.by_stage.items())
    ]
    share = one.n_found / one.n
    return _stacked(shares, "all" if share == 1 else f"{100 * share:.1f} %")


def _legend(colors: Mapping[int, str]) -> str:
    if len(colors) < 2:
        return ""
    words = "".join(
        f'<span><i class="{kind}"></i>{escape(stage_name(stage))}</span>'
        for stage, kind in colors.items()
    )
    return f'<p class="legend">hand found: {words}</p>'


def _missed(findings: Findings) -> Section | None:
    names = findings.missed
    if not names:
        return None
    more = f" and {len(names) - _MOST_MISSED} more" if len(names) > _MOST_MISSED else ""
    body = f"<p>{escape(', '.join(names[:_MOST_MISSED]))}{more}</p>"
    return Section("No hand found", body, "Each is answered none and counts as an error.")


def _confusion(findings: Findings) -> Section:
    return confusion_section(findings.outcome.scores)


def confusion_section(scores: Scores) -> Section:
    """Return the confusion matrix."""
    text = (
        "Rows are the true labels, columns the answers; the stronger a cell, the larger its share"
        " of the row. If no hand was found, the answer is none."
    )
    half = len(scores.labels) <= _MOST_HALF
    return Section(
        "Confusion matrix",
        wide(confusion_chart(scores).svg("confusion", fixed=True), "Confusion matrix"),
        text,
        half,
    )


def _mistakes(findings: Findings) -> Section | None:
    pairs = "".join(map(_pair, findings.confusions))
    text = (
        "Each pair begins with a typical hand of either label (the right answer of the highest"
        " probability); the mistakes follow, highest probability first."
    )
    return Section("Most confused", f'<div class="pairs">{pairs}</div>', text) if pairs else None


def _reliability(findings: Findings) -> Section | None:
    found = findings.reliability
    if found is None:
        return None
    text = (
        "On the dashed line, answers are right as often as their probability says; above it, the"
        " model is underconfident, below it overconfident. Expected calibration error"
        f" {found.error:.3f}."
    )
    chart = reliability_chart(found).svg("chart square")
    return Section("Reliability of the probabilities", chart, text, half=True)


def _importance(findings: Findings) -> Section | None:
    found = findings.outcome.importances
    if not found:
        return None
    most = max(*(one.lost for one in found), 1e-9)
    rows = [[one.part, _bar(one.lost / most, f"{100 * one.lost:.1f}")] for one in found]
    lost = {one.part: one.lost for one in found if one.part in FINGERS}
    hand = _weighted_hand(lost).svg("hand weighted-hand")
    body = f'<div class="beside">{hand}{table(["part", "points"], rows)}</div>'
    text = (
        "Percentage points of accuracy lost if a part of the hand is taken from another sample;"
        f" measured on {found[0].n} {findings.what}."
    )
    return Section("What the model uses", body, text, half=True)


def _stages(findings: Findings) -> Section | None:
    if len(findings.stages) < 2:
        return None
    text = "Stages are tried in this order; late ones find hands that are hard to detect."
    chart = interval_chart(findings.named_stages, "Accuracy by search stage").svg()
    return Section("Accuracy by search stage", chart, text, half=True)


def _training(findings: Findings) -> Section | None:
    history = findings.about.history
    if not history:
        return None
    return Section("Training", training_chart(history).svg(), half=True)


def _speed(findings: Findings) -> Section | None:
    return _facts("Speed and size", findings.about.speed)


def _data_card(findings: Findings) -> Section | None:
    return _facts("Data", findings.data_card)


def _model_card(findings: Findings) -> Section | None:
    about = findings.about
    known = {"Model": about.facts["Model"]} if "Model" in about.facts else {}
    return _facts("Model", known | dict(about.card))


def _facts(heading: str, facts: Mapping[str, str]) -> Section | None:
    return Section(heading, fact_list(facts), half=heading != "Model") if facts else None


def _pair(pair: Confusion) -> str:
    names = f"{escape(pair.truth)} confused with {escape(pair.answer)}"
    typical = ((pair.typical_truth, pair.truth), (pair.typical_answer, pair.answer))
    hands = "".join(_figure(one, f"typical {label}", "typical") for one, label in typical if one)
    hands += "".join(_figure(one, f"{100 * one.probability:.0f} %", "") for one in pair.wrong)
    kind = "pair" if len(pair.wrong) > 2 else "pair short"
    heading = f"<h3>{names} <small>{pair.n}</small></h3>"
    return f'<div class="{kind}">{heading}<div class="hands">{hands}</div></div>'


def _figure(shown: Mistake, caption: str, kind: str) -> str:
    name = f'<span title="{escape(shown.source)}">{escape(shown.name)}</span>'
    return (
        f'<figure class="{kind}">{_hand_drawing(shown.image, shown.source or caption).svg("hand")}'
        f"<figcaption>{escape(caption)}{name}</figcaption></figure>"
    )


_SECTIONS: tuple[Callable[[Findings], str | Section | None], ...] = (
    _headline,
    _warnings,
    _people,
    _reliability,
    _confusion,
    _importance,
    _stages,
    _mistakes,
    _classes,
    _missed,
    _training,
    _speed,
    _data_card,
    _model_card,
)
"""The sections of a report, from top to bottom."""


def _weighted_hand(lost: Mapping[str, float]) -> Drawing:
    """Draw a hand with each finger as strong as the accuracy that is lost without it."""
    most = max(*lost.values(), 1e-9)
    drawn = Drawing(150, 160, "A hand; the stronger a finger, the more accuracy depends on it")
    drawn.outline(_OPEN_HAND, {finger: max(value, 0) / most for finger, value in lost.items()})
    return drawn


_OPEN_HAND = np.array([
    (72, 148), (50, 134), (34, 114), (22, 98), (10, 84), (49, 84), (44, 58), (41, 42), (38, 27),
    (69, 80), (68, 50), (67, 32), (66, 16), (88, 84), (91, 57), (93, 41), (95, 27), (105, 93),
    (113, 73), (118, 60), (123, 48),
], float)  # fmt: skip
"""An open right hand (21, 2) in pixels, its palm towards the viewer."""


def _hand_drawing(image: FloatArray, title: str = "") -> Drawing:
    drawn = Drawing(HAND_SIZE, HAND_SIZE, title)
    with drawn.titled(title):
        drawn.hand(image)
    return drawn


def _notes(lines: Sequence[str]) -> str:
    """Return lines that must be noticed."""
    return "".join(f'<p class="note">{escape(line)}</p>' for line in lines)


def _bar(share: float, text: str) -> Html:
    """Return a bar as long as a share of its cell, with a text beside it."""
    percent = 100 * min(max(share, 0.0), 1.0)
    length = f'<i style="width:{percent:.1f}%"></i>'
    return Html(f'<span class="bar" aria-hidden="true">{length}</span>{escape(text)}')


def _stacked(shares: Sequence[tuple[float, str, str]], text: str) -> Html:
    """Return a bar of several parts, each (share, name of a colour class, text)."""
    parts = "".join(
        f'<i class="{escape(kind)}" style="width:{100 * share:.2f}%" title="{escape(text)}"></i>'
        for share, kind, text in shares
    )
    return Html(f'<span class="bar stacked">{parts}</span>{escape(text)}')
