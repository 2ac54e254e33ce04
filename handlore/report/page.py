"""Self-contained HTML pages: one file, no script, nothing loaded from elsewhere.

It knows tags only; :mod:`.sections` fills them with scores.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from string import Template

from handlore import __version__


class Html(str):
    """Text that is HTML already and is not escaped again."""

    __slots__ = ()


@dataclass(frozen=True)
class Section:
    """A part of a page with a heading."""

    heading: str
    body: str
    text: str = ""
    """One or two lines of explanation."""
    half: bool = False
    """Whether it takes half the width of a large screen."""

    @property
    def anchor(self) -> str:
        """Its id, for links."""
        return "-".join(re.findall(r"[a-z0-9]+", self.heading.lower()))

    def __str__(self) -> str:
        explained = f'<p class="soft">{escape(self.text)}</p>' if self.text else ""
        kind = ' class="half"' if self.half else ""
        name = escape(self.anchor)
        return (
            f'<section{kind} id="{name}" aria-labelledby="{name}-h">'
            f'<h2 id="{name}-h">{escape(self.heading)}</h2>{explained}{self.body}</section>'
        )


def page(title: str, parts: Sequence[str | Section | None], lead: str = "") -> str:
    """Return a whole HTML page of sections and other HTML, with links to the sections.

    ``lead`` is a line below the title.
    """
    files = resources.files(__package__)
    sections = [part for part in parts if isinstance(part, Section)]
    links = "".join(f'<a href="#{one.anchor}">{escape(one.heading)}</a>' for one in sections)
    return Template(files.joinpath("page.html").read_text("utf-8")).substitute(
        title=escape(title),
        style=files.joinpath("page.css").read_text("utf-8"),
        skip='<a class="skip" href="#content">Skip the list of contents</a>' if links else "",
        lead=f'<p class="lead">{escape(lead)}</p>' if lead else "",
        contents=f'<nav aria-label="Contents">{links}</nav>' if links else "",
        body="\n".join(str(part) for part in parts if part),
        version=escape(__version__),
    )


def numbers(values: Mapping[str, str | tuple[str, str]]) -> str:
    """Return large numbers with a word under each; of two texts the second is smaller."""
    cells = []
    for word, value in values.items():
        number, more = value if isinstance(value, tuple) else (value, "")
        small = f"<em>{escape(more)}</em>" if more else ""
        cells.append(f"<div><b>{escape(number)}</b>{small}<span>{escape(word)}</span></div>")
    return f'<div class="numbers">{"".join(cells)}</div>'


def fact_list(facts: Mapping[str, str]) -> str:
    """Return a list of facts."""
    rows = "".join(
        f"<dt>{escape(key)}</dt><dd>{escape(value)}</dd>" for key, value in facts.items()
    )
    return f"<dl>{rows}</dl>"


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table; cells that are :class:`Html` are not escaped."""
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows)
    html = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return wide(html, ", ".join(filter(None, columns)))


def wide(body: str, name: str) -> str:
    """Return HTML that keeps its size and scrolls on a narrow page, with keys too."""
    return f'<div class="wide" tabindex="0" role="group" aria-label="{escape(name)}">{body}</div>'


def _cell(value: object) -> str:
    return f"<td>{value if isinstance(value, Html) else escape(str(value))}</td>"
