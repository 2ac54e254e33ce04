"""Checks the built documentation: ``python docs/check_site.py build/docs``.

Every link to a page or anchor of the site leads somewhere, every picture has a text, and no page
loads a script, style sheet, font or picture from another host.
"""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src"), ("link", "href")}
CSS_URL = re.compile(r"""(?:url\(|@import)\s*['"]?((?:https?:)?//[^'")\s]+)""")


class Page(HTMLParser):
    """Collects the anchors of a page, where it links to, what it loads, and what is wrong."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = {""}
        self.links: list[str] = []
        self.loads: list[str] = []
        self.problems: list[str] = []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Read a tag."""
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[key] for key in ("id", "name") if key in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if values.get("rel") != "canonical":
            self.loads += [values[key] for name, key in LOADED if name == tag and key in values]
        self.loads += CSS_URL.findall(values.get("style", ""))
        if tag == "img" and not values.get("alt"):
            self.problems.append(f"a picture without alt text: {values.get('src')}")


def main(site: Path) -> int:
    """Print all problems, and return their number."""
    site = site.resolve()
    pages = {path: Page(path) for path in sorted(site.rglob("*.html"))}
    problems = [problem for path in pages for problem in problems_of(path, pages, site)]
    for style in sorted(site.rglob("*.css")):
        foreign = CSS_URL.findall(style.read_text("utf-8"))
        problems += [f"{style.relative_to(site)}: loads {url}" for url in foreign]
    print("\n".join([*problems, f"{len(pages)} pages, {len(problems)} problems"]))
    return len(problems)


def problems_of(path: Path, pages: dict[Path, Page], site: Path) -> list[str]:
    """Return what is wrong with a page."""
    page, found = pages[path], list(pages[path].problems)
    found += [f"loads {url}" for url in page.loads if urlsplit(url).netloc]
    for link in page.links + page.loads:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if not target.is_file():
            found.append(f"links to {link}, which does not exist")
        elif target in pages and unquote(parts.fragment) not in pages[target].anchors:
            found.append(f"links to {link}, which has no such anchor")
    return [f"{path.relative_to(site)}: {problem}" for problem in found]


if __name__ == "__main__":
    sys.exit(1 if main(Path(sys.argv[1])) else 0)
