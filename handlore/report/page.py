"""Self-contained HTML pages: one file, no script, nothing loaded from elsewhere."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from string import Template
from typing import TYPE_CHECKING

from handlore import __version__

if TYPE_CHECKING:
    from handlore.classifiers.evaluation import Scores


def page(title: str, sections: Sequence[str]) -> str:
    """Return a whole HTML page made of sections."""
    template = Template(resources.files(__package__).joinpath("page.html").read_text("utf-8"))
    return template.substitute(
        title=escape(title), body="\n".join(sections), version=escape(__version__)
    )


def scores_page(
    title: str,
    scores: "Scores",
    facts: Mapping[str, str],
    confusion: bytes,
    training: bytes | None = None,
) -> str:
    """Return the page of one evaluation, with the curves of training where there are any."""
    sections = [numbers(headline(scores)), fact_list(facts), *score_sections(scores, confusion)]
    if training:
        curves = picture(training, "Loss and accuracy by epoch")
        sections.append(section("How the model was trained", curves))
    return page(title, sections)


def score_sections(scores: "Scores", confusion: bytes) -> list[str]:
    """Return confusion matrix, frequent errors and the table of classes."""
    errors = [[a, b, n] for a, b, n in scores.most_confused(10)]
    classes = [
        [label, row["support"], *(f"{row[key]:.3f}" for key in ("precision", "recall", "f1"))]
        for label, row in scores.per_class.items()
    ]
    return [
        section("Confusion matrix", wide(picture(confusion, "Confusion matrix, truth by row"))),
        section("Most frequent errors", table(["truth", "answer", "pictures"], errors))
        if errors
        else "",
        section("Per class", table(["label", "n", "precision", "recall", "F1"], classes)),
    ]


def headline(scores: "Scores") -> dict[str, str]:
    """Return the numbers that stand first."""
    return {
        "accuracy": f"{100 * scores.accuracy:.1f} %",
        "macro-F1": f"{scores.macro_f1:.3f}",
        "pictures": str(scores.n),
        "without a hand": str(scores.n_no_hand),
    }


def section(heading: str, body: str) -> str:
    """Return a section with a heading."""
    return f"<section><h2>{escape(heading)}</h2>{body}</section>"


def numbers(values: Mapping[str, str]) -> str:
    """Return large numbers with a word under each."""
    cells = "".join(
        f"<div><b>{escape(number)}</b><span>{escape(word)}</span></div>"
        for word, number in values.items()
    )
    return f'<div class="numbers">{cells}</div>'


def fact_list(facts: Mapping[str, str]) -> str:
    """Return a list of facts."""
    rows = "".join(
        f"<dt>{escape(key)}</dt><dd>{escape(value)}</dd>" for key, value in facts.items()
    )
    return f"<dl>{rows}</dl>"


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table."""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def wide(body: str) -> str:
    """Return something that is shown in its own size, and scrolls if need be."""
    return f'<div class="wide">{body}</div>'


def picture(png: bytes, text: str) -> str:
    """Return a picture that is part of the page."""
    data = base64.b64encode(png).decode()
    return f'<img alt="{escape(text)}" src="data:image/png;base64,{data}">'
