"""Self-contained HTML pages: one file, no script, nothing loaded from elsewhere.

This module knows tags, not scores; :mod:`.sections` puts the two together.
"""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from string import Template

from handlore import __version__


class Html(str):
    """Text that is HTML already and is not escaped again."""

    __slots__ = ()


def page(title: str, sections: Sequence[str], lead: str = "") -> str:
    """Return a whole HTML page made of sections; ``lead`` stands below the title."""
    template = Template(resources.files(__package__).joinpath("page.html").read_text("utf-8"))
    return template.substitute(
        title=escape(title),
        lead=f"<p class=lead>{escape(lead)}</p>" if lead else "",
        body="\n".join(filter(None, sections)),
        version=escape(__version__),
    )


def section(heading: str, body: str, text: str = "") -> str:
    """Return a section with a heading and a line or two that say what is seen."""
    explained = f"<p class=soft>{escape(text)}</p>" if text else ""
    return f"<section><h2>{escape(heading)}</h2>{explained}{body}</section>"


def numbers(values: Mapping[str, str | tuple[str, str]]) -> str:
    """Return large numbers with a word under each; of two texts the second stands smaller."""
    cells = []
    for word, value in values.items():
        number, more = value if isinstance(value, tuple) else (value, "")
        small = f"<em>{escape(more)}</em>" if more else ""
        cells.append(f"<div><b>{escape(number)}</b>{small}<span>{escape(word)}</span></div>")
    return f'<div class="numbers">{"".join(cells)}</div>'


def notes(lines: Sequence[str]) -> str:
    """Return lines that must not be overlooked."""
    return "".join(f'<p class="note">{escape(line)}</p>' for line in lines)


def fact_list(facts: Mapping[str, str]) -> str:
    """Return a list of facts."""
    rows = "".join(
        f"<dt>{escape(key)}</dt><dd>{escape(value)}</dd>" for key, value in facts.items()
    )
    return f"<dl>{rows}</dl>"


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table; cells that are :class:`Html` are taken as they are."""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows)
    return wide(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def bar(share: float, text: str) -> Html:
    """Return a bar as long as a share of its cell, with a text beside it."""
    percent = 100 * min(max(share, 0.0), 1.0)
    return Html(f'<span class="bar"><i style="width:{percent:.1f}%"></i></span>{escape(text)}')


def stacked(shares: Sequence[tuple[float, str, str]]) -> Html:
    """Return one bar of several parts: (share, name of a colour class, what is said of it)."""
    parts = "".join(
        f'<i class="{escape(kind)}" style="width:{100 * share:.2f}%" title="{escape(text)}"></i>'
        for share, kind, text in shares
    )
    return Html(f'<span class="bar stacked">{parts}</span>')


def wide(body: str) -> str:
    """Return something that is shown in its own size, and scrolls if need be."""
    return f'<div class="wide">{body}</div>'


def picture(png: bytes, text: str) -> str:
    """Return a picture that is part of the page."""
    data = base64.b64encode(png).decode()
    return f'<img alt="{escape(text)}" src="data:image/png;base64,{data}">'


def _cell(value: object) -> str:
    return f"<td>{value if isinstance(value, Html) else escape(str(value))}</td>"
