"""The sections of a report: each takes findings and returns HTML, or nothing to show."""

from collections.abc import Mapping, Sequence
from html import escape

from handlore.classifiers.evaluation.breakdown import DetectionRate
from handlore.classifiers.evaluation.scores import Scores
from handlore.landmarks.hands import FINGERS, FloatArray

from .charts import (
    confusion_svg,
    curves_svg,
    hand_svg,
    reliability_svg,
    spans_svg,
    weighed_hand_svg,
)
from .findings import Confusion, Findings, Mistake, stage_name
from .page import Html, Section, bar, fact_list, notes, numbers, page, stacked, table, wide

MOST_PEOPLE = 16
MOST_BESIDE = 12
"""A confusion matrix of so many labels takes half the width."""

MOST_MISSED = 100


def report_page(findings: Findings) -> str:
    """Return the whole page."""
    about = findings.about
    lead = " · ".join(about.facts[key] for key in ("Data", "Protocol") if key in about.facts)
    parts = (
        headline, warnings, people, reliability, confusion, importance, stages, mistakes, classes,
        missed, training, speed, data_card, model_card,
    )  # fmt: skip
    return page(about.title, [part(findings) for part in parts], lead)


def headline(findings: Findings) -> str:
    """Show the number that stands first, what it counts, and how far it may be off."""
    scores, spread = findings.outcome.scores, findings.outcome.intervals
    low, high = (f"{100 * bound:.1f}" for bound in spread.accuracy)
    what, right = findings.what, scores.n - scores.n_wrong - scores.n_missed
    counted = f"Of {scores.n} {what} {right} are answered right and {scores.n_wrong} wrong. " + (
        f"In {scores.n_missed} no hand is found where there should be one; they count as"
        " errors, too."
        if scores.n_missed
        else "A hand is found wherever there should be one."
    )
    values: dict[str, str | tuple[str, str]] = {
        "macro-F1": (f"{scores.macro_f1:.3f}", "{:.3f} to {:.3f}".format(*spread.macro_f1))
        if spread.macro_f1[0] < spread.macro_f1[1]
        else f"{scores.macro_f1:.3f}",
        "labels": str(len(scores.per_class)),
        "wrong": (str(scores.n_wrong), f"{100 * scores.n_wrong / scores.n:.1f} %"),
        "no hand found": (str(scores.n_missed), f"{100 * scores.n_missed / scores.n:.1f} %"),
    }
    return (
        '<section class="first" aria-label="Result"><div class="score">'
        f"<b>{100 * scores.accuracy:.1f} %</b><p><strong>accuracy</strong>, {low} to {high} %</p>"
        f'<p class="soft"><small>{escape(spread.words)}</small></p></div>'
        f"<div><p>{counted}</p>{numbers(values)}</div></section>"
    )


def warnings(findings: Findings) -> str:
    """Say what speaks against the numbers."""
    leaks = findings.outcome.leaks
    return notes([*findings.about.notes, *(leaks.lines() if leaks else [])])


def people(findings: Findings) -> Section | None:
    """Show accuracy by person, the worst first."""
    parts = findings.people
    if not parts:
        return None
    text = "The one who is served worst comes first. Bands are 95 % intervals."
    if len(parts) > MOST_PEOPLE:
        text += f" The {MOST_PEOPLE} worst of {len(parts)}; all are in scores.json."
    body = spans_svg(parts[:MOST_PEOPLE], f"Accuracy by {findings.over}")
    return Section(f"Accuracy by {findings.over}", body, text, half=True)


def classes(findings: Findings) -> Section:
    """Show how many there are of each class, where hands were found, and how it is recognised."""
    return class_section(findings.outcome.scores, findings.detection_rates, findings.typical)


def class_section(
    scores: Scores,
    yields: Sequence[DetectionRate] = (),
    typical: Mapping[str, FloatArray] | None = None,
) -> Section:
    """Return the table of classes, with how hands were found and a mean hand where known."""
    most = max(row["support"] for row in scores.per_class.values())
    found, colors = {one.label: one for one in yields}, _stage_colors(yields)
    rows = []
    for label, row in scores.per_class.items():
        cells: list[object] = [bar(row["support"] / most, f"{row['support']:.0f}")]
        cells += [_found(found[label], colors)] if label in found else [""] * bool(found)
        cells += [bar(row[key], f"{row[key]:.3f}") for key in ("precision", "recall", "f1")]
        hand = [Html(hand_svg(typical[label])) if label in typical else ""] if typical else []
        rows.append([label, *hand, *cells])
    columns = ["label", *([""] if typical else []), "n", *(["hand found"] if found else []),
               "precision", "recall", "F1"]  # fmt: skip
    text = "Precision: of what was called so, how much is so. Recall: of what is so, how much was" \
           " called so."  # fmt: skip
    if typical:
        text += " Beside each label its mean hand."
    return Section("Classes", _legend(colors) + table(columns, rows), text)


def _found(one: DetectionRate, colors: Mapping[int, str]) -> Html:
    shares = [(count / one.n, colors[stage], f"{stage_name(stage)}: {count}")
              for stage, count in sorted(one.by_stage.items())]  # fmt: skip
    share = one.n_found / one.n
    return stacked(shares, "all" if share == 1 else f"{100 * share:.1f} %")


def _stage_colors(yields: Sequence[DetectionRate]) -> dict[int, str]:
    """Return the colour class of each search stage, the earliest six apart."""
    used = sorted({stage for one in yields for stage in one.by_stage})
    return {stage: f"s{min(place, 5)}" for place, stage in enumerate(used)}


def _legend(colors: Mapping[int, str]) -> str:
    if len(colors) < 2:
        return ""
    words = "".join(f'<span><i class="{kind}"></i>{escape(stage_name(stage))}</span>'
                    for stage, kind in colors.items())  # fmt: skip
    return f'<p class="legend">hand found: {words}</p>'


def missed(findings: Findings) -> Section | None:
    """Name the items in which no hand was found."""
    names = findings.missed
    if not names:
        return None
    more = f" and {len(names) - MOST_MISSED} more" if len(names) > MOST_MISSED else ""
    body = f"<p>{escape(', '.join(names[:MOST_MISSED]))}{more}</p>"
    return Section("No hand found", body, "They are answered none, and wrong for that.")


def confusion(findings: Findings) -> Section:
    """Show the confusion matrix."""
    return confusion_section(findings.outcome.scores)


def confusion_section(scores: Scores) -> Section:
    """Return the confusion matrix."""
    text = (
        "Rows are what was shown, columns what was answered; the stronger, the larger its share of"
        " the row. Where no hand was found the answer is none."
    )
    half = len(scores.labels) <= MOST_BESIDE
    return Section("Confusion matrix", wide(confusion_svg(scores), "Confusion matrix"), text, half)


def error_section(scores: Scores) -> Section | None:
    """Return the most frequent errors as a table; nothing where there are none."""
    errors = [[a, b, n] for a, b, n in scores.most_confused(10)]
    if not errors:
        return None
    return Section("Most confused", table(["truth", "answer", "items"], errors))


def mistakes(findings: Findings) -> Section | None:
    """Show the pairs most often confused, with the hands."""
    pairs = "".join(map(_pair, findings.confusions))
    text = (
        "Of each pair: a clear hand of either label (its surest right answer), then the mistakes,"
        " those it was surest of first."
    )
    return Section("Most confused", f'<div class="pairs">{pairs}</div>', text) if pairs else None


def reliability(findings: Findings) -> Section | None:
    """Show whether its probabilities can be taken at their word."""
    found = findings.reliability
    if found is None:
        return None
    text = (
        "On the dashed line it is right as often as it says; above it, it is too modest, below it"
        f" too sure. Expected calibration error {found.error:.3f}."
    )
    return Section("How far its probabilities can be trusted", reliability_svg(found), text, True)


def importance(findings: Findings) -> Section | None:
    """Show what each part of the hand is worth."""
    found = findings.outcome.importances
    if not found:
        return None
    most = max(*(one.lost for one in found), 1e-9)
    rows = [[one.part, bar(one.lost / most, f"{100 * one.lost:.1f}")] for one in found]
    lost = {one.part: one.lost for one in found if one.part in FINGERS}
    body = f'<div class="beside">{weighed_hand_svg(lost)}{table(["part", "points"], rows)}</div>'
    text = (
        f"Points of accuracy that are lost when a part of the hand is taken from another sample;"
        f" measured on {found[0].n} {findings.what}."
    )
    return Section("What it looks at", body, text, half=True)


def stages(findings: Findings) -> Section | None:
    """Show accuracy by search stage."""
    if len(findings.stages) < 2:
        return None
    text = "Stages are tried one after the other; late ones find what is hard to see."
    chart = spans_svg(findings.named_stages, "Accuracy by search stage")
    return Section("Accuracy by search stage", chart, text, half=True)


def training(findings: Findings) -> Section | None:
    """Show how the model was trained."""
    history = findings.about.history
    if not history:
        return None
    legend = '<p class="legend"><span><i class="s0"></i>learnt from</span>' \
             '<span><i class="s1"></i>held back</span></p>'  # fmt: skip
    curves = "".join(curves_svg(history, what) for what in ("loss", "accuracy"))
    return Section("How the model was trained", f'{legend}<div class="beside">{curves}</div>')


def speed(findings: Findings) -> Section | None:
    """Show time and size."""
    return _facts("Speed and size", findings.about.speed)


def data_card(findings: Findings) -> Section | None:
    """Show what is known of the data."""
    return _facts("Data", findings.data_card)


def model_card(findings: Findings) -> Section | None:
    """Show what is known of the model."""
    about = findings.about
    known = {"Model": about.facts["Model"]} if "Model" in about.facts else {}
    return _facts("Model", known | dict(about.card))


def _facts(heading: str, facts: Mapping[str, str]) -> Section | None:
    return Section(heading, fact_list(facts), half=heading != "Model") if facts else None


def _pair(pair: Confusion) -> str:
    heading = (
        f"<h3>{escape(pair.truth)} taken for {escape(pair.answer)} <small>{pair.n}</small></h3>"
    )
    clear = _figure(pair.typical_truth, f"a clear {pair.truth}", "typical") + _figure(
        pair.typical_answer, f"a clear {pair.answer}", "typical")  # fmt: skip
    wrong = "".join(_figure(one, f"{100 * one.probability:.0f} % sure", "") for one in pair.wrong)
    kind = "pair" if len(pair.wrong) > 2 else "pair short"
    return f'<div class="{kind}">{heading}<div class="hands">{clear}{wrong}</div></div>'


def _figure(shown: Mistake | None, caption: str, kind: str) -> str:
    if shown is None:
        return ""
    name = f'<span title="{escape(shown.source)}">{escape(shown.name)}</span>'
    return (
        f'<figure class="{kind}">{hand_svg(shown.image, shown.source)}'
        f"<figcaption>{escape(caption)}{name}</figcaption></figure>"
    )
