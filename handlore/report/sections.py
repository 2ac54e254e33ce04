"""The sections of a report: each takes findings and returns HTML, or nothing to show."""

from collections.abc import Sequence
from html import escape

from handlore.classifiers.assessment.breakdown import Part
from handlore.classifiers.evaluation import Scores

from .charts import confusion_svg, curves_svg, reliability_svg, weighed_hand_svg
from .findings import Findings, stage_name
from .handsvg import hand_svg
from .mistakes import Confusion, Shown
from .page import Html, bar, fact_list, notes, numbers, page, section, stacked, table, wide

_FINGERS = ("thumb", "index", "middle", "ring", "pinky")


def report_page(findings: Findings) -> str:
    """Return the whole page."""
    about = findings.about
    lead = " · ".join(about.facts.get(key, "") for key in ("Model", "Data") if key in about.facts)
    parts = (
        headline, warnings, people, classes, confusion, mistakes, reliability, importance,
        stages, found_hands, training, cards,
    )  # fmt: skip
    return page(about.title, [part(findings) for part in parts], lead)


def headline(findings: Findings) -> str:
    """Show the numbers that stand first, and how they were measured."""
    scores, spread = findings.outcome.scores, findings.outcome.intervals
    low, high = (f"{100 * bound:.1f}" for bound in spread.accuracy)
    values: dict[str, str | tuple[str, str]] = {
        "accuracy": (f"{100 * scores.accuracy:.1f} %", f"{low} to {high}"),
        "macro-F1": (
            f"{scores.macro_f1:.3f}",
            "{:.3f} to {:.3f}".format(*spread.macro_f1),
        ),
        findings.what: str(scores.n),
        "without a hand": str(scores.n_no_hand),
    }
    facts = dict(findings.about.facts) | {
        "Small numbers": f"intervals, {spread.words}",
        "Counted": "an item in which no hand was found is answered none, and is wrong unless that"
        " is its label",
    }
    return numbers(values) + fact_list(facts)


def warnings(findings: Findings) -> str:
    """Say what speaks against the numbers."""
    leaks = findings.outcome.leaks
    return notes([*findings.about.notes, *(leaks.lines() if leaks else [])])


def people(findings: Findings) -> str:
    """Show accuracy by person, the worst first."""
    if not findings.people:
        return ""
    text = "Each was tested by a model that had not seen them." if _cross_validated(
        findings) else "The one who is served worst comes first."  # fmt: skip
    return section(f"Accuracy by {findings.over}", _parts(findings.over, findings.people), text)


def classes(findings: Findings) -> str:
    """Show how many there are of each class, and how well each is recognised."""
    return class_section(findings.outcome.scores)


def class_section(scores: Scores) -> str:
    """Return the table of classes."""
    most = max(row["support"] for row in scores.per_class.values())
    rows = [
        [label, bar(row["support"] / most, f"{row['support']:.0f}"),
         *(bar(row[key], f"{row[key]:.3f}") for key in ("precision", "recall", "f1"))]
        for label, row in scores.per_class.items()
    ]  # fmt: skip
    return section(
        "Classes", table(["label", "n", "precision", "recall", "F1"], rows),
        "Precision: of what was called so, how much is so. Recall: of what is so, how much was"
        " called so.",
    )  # fmt: skip


def confusion(findings: Findings) -> str:
    """Show the confusion matrix."""
    return confusion_section(findings.outcome.scores)


def confusion_section(scores: Scores) -> str:
    """Return the confusion matrix."""
    return section(
        "Confusion matrix", wide(confusion_svg(scores)),
        "Rows are what was shown, columns what was answered; the stronger, the larger its share of"
        " the row.",
    )  # fmt: skip


def error_section(scores: Scores) -> str:
    """Return the most frequent errors as a table; nothing where there are none."""
    errors = [[a, b, n] for a, b, n in scores.most_confused(10)]
    return section("Most confused", table(["truth", "answer", "items"], errors)) if errors else ""


def mistakes(findings: Findings) -> str:
    """Show the pairs most often confused, with the hands."""
    pairs = "".join(map(_pair, findings.confusions))
    text = (
        "Of each pair: a typical hand of either label, then the mistakes, those it was surest of"
        " first."
    )
    return section("Most confused", pairs, text) if pairs else ""


def reliability(findings: Findings) -> str:
    """Show whether its probabilities can be taken at their word."""
    found = findings.reliability
    if found is None:
        return ""
    text = (
        "On the dashed line it is right as often as it says; above it, it is too modest, below it"
        f" too sure. Expected calibration error {found.error:.3f}."
    )
    return section("How far its probabilities can be trusted", reliability_svg(found), text)


def importance(findings: Findings) -> str:
    """Show what each part of the hand is worth."""
    found = findings.outcome.importances
    if not found:
        return ""
    most = max(*(one.lost for one in found), 1e-9)
    rows = [[one.part, bar(one.lost / most, f"{100 * one.lost:.1f} points")] for one in found]
    lost = {one.part: one.lost for one in found if one.part in _FINGERS}
    body = f'<div class="beside">{weighed_hand_svg(lost)}{table(["part", "worth"], rows)}</div>'
    text = (
        f"Accuracy lost when a part of the hand is taken from another sample; measured on"
        f" {found[0].n} {findings.what}."
    )
    return section("What it looks at", body, text)


def stages(findings: Findings) -> str:
    """Show accuracy by search stage."""
    if len(findings.stages) < 2:
        return ""
    named = [Part(stage_name(part.name), part.n, part.n_right) for part in findings.stages]
    text = "Hands that were hard to find are hard to recognise."
    return section("Accuracy by search stage", _parts("found", named), text)


def found_hands(findings: Findings) -> str:
    """Show the yield by class and search stage."""
    numbers_of = sorted({stage for one in findings.yields for stage in one.by_stage})
    kinds = {stage: f"s{min(place, 5)}" for place, stage in enumerate(numbers_of)}
    rows = []
    for one in findings.yields:
        shares = [(count / one.n, kinds[stage], f"{stage_name(stage)}: {count}")
                  for stage, count in sorted(one.by_stage.items())]  # fmt: skip
        rows.append([one.label, one.n, stacked(shares), f"{100 * one.n_found / one.n:.1f} %"])
    legend = "".join(
        f'<span><i class="{kind}"></i>{escape(stage_name(stage))}</span>'
        for stage, kind in kinds.items()
    )
    body = f'<p class="legend">{legend}</p>' + table(["label", "n", "found", "yield"], rows)
    return section("Hands found", body, "By class and the search stage that found the hand.")


def training(findings: Findings) -> str:
    """Show how the model was trained."""
    history = findings.about.history
    if not history:
        return ""
    legend = '<p class="legend"><span><i class="s0"></i>learnt from</span>' \
             '<span><i class="s1"></i>held back</span></p>'  # fmt: skip
    curves = "".join(curves_svg(history, what) for what in ("loss", "accuracy"))
    return section("How the model was trained", f'{legend}<div class="beside">{curves}</div>')


def cards(findings: Findings) -> str:
    """Show speed and size, data and model."""
    about = findings.about
    blocks = {"Speed and size": about.speed, "Data": findings.data_card, "Model": about.card}
    return "".join(section(name, fact_list(facts)) for name, facts in blocks.items() if facts)


def _cross_validated(findings: Findings) -> bool:
    return findings.about.facts.get("Protocol", "").startswith("cross-validated by")


def _parts(heading: str, parts: Sequence[Part]) -> str:
    rows = [
        [part.name, part.n, bar(part.accuracy, f"{100 * part.accuracy:.1f} %")] for part in parts
    ]
    return table([heading, "n", "accuracy"], rows)


def _pair(pair: Confusion) -> str:
    heading = (
        f"<h3>{escape(pair.truth)} taken for {escape(pair.answer)} <small>{pair.n}</small></h3>"
    )
    typical = _figure(pair.typical_truth, f"a right {pair.truth}", "typical") + _figure(
        pair.typical_answer, f"a right {pair.answer}", "typical")  # fmt: skip
    wrong = "".join(_figure(one, f"{100 * one.probability:.0f} % sure", "") for one in pair.wrong)
    return f'<div class="pair">{heading}<div class="hands">{typical}{wrong}</div></div>'


def _figure(shown: Shown | None, caption: str, kind: str) -> str:
    if shown is None:
        return ""
    return Html(f'<figure class="{kind}">{hand_svg(shown.image, shown.source)}<figcaption>'
                f"{escape(caption)}</figcaption></figure>")  # fmt: skip
