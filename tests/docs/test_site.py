"""The check of the built documentation finds what is wrong; README is short and linked well."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
from documentation import PAGES, ROOT, name_of

MOST_WORDS = 600
ROOMS = "landmarks|datasets|classifiers|models|capture|handlore|tests|benchmarks|docs"


@pytest.fixture(scope="module")
def check_site() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_site", ROOT / "docs" / "check_site.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('<a href="b.html#there">', None),
        ('<a href="https://example.org/">', None),
        ('<a href="c.html">', "does not exist"),
        ('<a href="b.html#missing">', "no such anchor"),
        ('<a href="#missing">', "no such anchor"),
        ('<script src="https://cdn.example.org/x.js"></script>', "loads https"),
        ('<link rel="stylesheet" href="//fonts.example.org/x.css">', "loads //fonts"),
        ('<p style="background: url(https://example.org/x.png)">', "loads https"),
        ('<img src="b.html">', "without alt text"),
    ],
)
def test_problems_of_a_site(
    check_site: ModuleType, tmp_path: Path, body: str, problem: str | None,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (tmp_path / "a.html").write_text(body, "utf-8")
    (tmp_path / "b.html").write_text('<h1 id="there">', "utf-8")
    assert check_site.main(tmp_path) == (0 if problem is None else 1)
    assert (problem or "0 problems") in capsys.readouterr().out


def test_a_style_sheet_that_loads_a_font(
    check_site: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.css").write_text("@import url('https://fonts.example.org/x.css');", "utf-8")
    assert check_site.main(tmp_path) == 1
    assert "loads https://fonts" in capsys.readouterr().out


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_between_files(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text("utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").split()) <= MOST_WORDS


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("make_*.py")), ids=name_of)
def test_scripts_of_pictures_import_what_exists(path: Path) -> None:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_that_are_named_exist(page: Path) -> None:
    named = re.findall(rf"`((?:{ROOMS})/[\w/.-]*)`", page.read_text("utf-8"))
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_tests_that_ci_names_exist() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    named = re.findall(r"(?<=\s)tests/[\w/.]+", script)
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []
