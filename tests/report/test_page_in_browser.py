"""The report in a real browser: it fits, it can be read, nothing is loaded and nothing is lost."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from browser import DARK, asked, run
from report_stubs import findings_of

from handlore.report.sections import report_page

LOOK = r"""
const parse = text => {
  const numbers = text.match(/[\d.]+/g).map(Number);
  return numbers.length < 4 ? [...numbers, 1] : numbers;
};
const over = (a, b) => [0, 1, 2].map(k => a[k] * a[3] + b[k] * (1 - a[3])).concat(1);
const linear = v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
const light = c => .2126 * linear(c[0]) + .7152 * linear(c[1]) + .0722 * linear(c[2]);
const ground = node => over(parse(getComputedStyle(node).backgroundColor),
  node.parentElement ? ground(node.parentElement) : [255, 255, 255, 1]);
const contrast = node => {
  const below = ground(node), shades = [light(over(parse(getComputedStyle(node).color), below)),
    light(below)];
  return (Math.max(...shades) + .05) / (Math.min(...shades) + .05);
};
const all = what => [...document.querySelectorAll(what)];
const texts = all('header *, section *, main > p, footer').filter(node => !node.closest('svg')
  && !node.classList.contains('skip')
  && [...node.childNodes].some(c => c.nodeType === 3 && c.textContent.trim()));
const ids = all('[id]').map(node => node.id);
const links = all('a').map(a => a.getAttribute('href'));
return {
  width: [document.documentElement.scrollWidth, innerWidth],
  n_texts: texts.length,
  pale: texts.filter(node => contrast(node) < 4.5).map(node => node.textContent),
  n_links: links.length,
  lost: links.filter(link => !document.querySelector(link)),
  n_drawn: all('svg[role=img]').length,
  nameless: all('svg[role=img]').filter(s => !s.getAttribute('aria-label')
    && !s.querySelector('title')).length,
  twice: ids.length - new Set(ids).size,
  loaded: performance.getEntriesByType('resource').map(r => r.name),
};
"""

BROKEN = r"""
document.body.style.maxWidth = '360px';
const lines = node => {
  const range = document.createRange();
  range.selectNodeContents(node);
  return new Set([...range.getClientRects()].map(box => Math.round(box.top))).size;
};
const words = [...document.querySelectorAll('td, th')].filter(cell => !cell.children.length
  && /^\S{1,12}$/.test(cell.textContent.trim()));
return {n: words.length, broken: words.filter(c => lines(c) > 1).map(c => c.textContent)};
"""


@pytest.fixture(
    scope="module",
    params=[3, pytest.param(60, marks=pytest.mark.slow)],
    ids=lambda n: f"{n} labels",
)
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(report_page(findings_of(request.param)), "utf-8")
    return path


@pytest.fixture(scope="module", params=["wide and light", "narrow and dark"])
def seen(
    request: pytest.FixtureRequest, page: Path, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """What the browser says of the page."""
    narrow = request.param.startswith("narrow")
    options = {"width": 500, "dark": True} if narrow else {}
    return asked(page, LOOK, tmp_path_factory.mktemp("browser"), **options)


def test_the_page_never_scrolls_sideways(seen: Any) -> None:
    needed, there = seen["width"]
    assert needed <= there


def test_all_text_stands_out(seen: Any) -> None:
    """4.5 : 1 is what WCAG 2.1 asks for of text."""
    assert seen["n_texts"] > 60
    assert seen["pale"] == []


def test_tables_break_no_word_on_a_phone(page: Path, tmp_path: Path) -> None:
    found = asked(page, BROKEN, tmp_path)
    assert found["n"] > 8
    assert found["broken"] == []


def test_links_lead_somewhere_and_nothing_is_loaded(seen: Any) -> None:
    assert seen["n_links"] > 8
    assert (seen["lost"], seen["twice"], seen["loaded"]) == ([], 0, [])


def test_everything_drawn_has_a_name(seen: Any) -> None:
    assert seen["n_drawn"] > 8
    assert seen["nameless"] == 0


@pytest.mark.slow
def test_it_is_drawn_and_dark_is_dark(tmp_path: Path) -> None:
    page, shades = tmp_path / "report.html", []
    page.write_text(report_page(findings_of(3)), "utf-8")
    for dark in ((), DARK):
        shot = tmp_path / "shot.png"
        run(page.as_uri(), tmp_path / "profile", "--window-size=800,1000",
            f"--screenshot={shot}", *dark)  # fmt: skip
        pixels = cv2.imread(str(shot))
        assert len(np.unique(pixels.astype(int) @ [1, 256, 65536])) > 50
        shades.append(float(np.median(pixels)))
    assert shades[0] > 200 > 60 > shades[1]
