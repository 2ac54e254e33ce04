"""The public API: every name is imported on use, and every example in a docstring is true."""

import ast
import doctest
import inspect
import subprocess
import sys
from pathlib import Path

import pytest
from api_stubs import write_home
from few_parts import few_parts  # noqa: F401

import handlore
from handlore.datasets.dataset import LandmarkDataset

API = handlore._API
EXAMPLES = [name for name in sorted(API) if name[0].islower() or name == "Recogniser"]


@pytest.fixture(scope="module")
def home(
    tmp_path_factory: pytest.TempPathFactory, pictures: Path, dataset: LandmarkDataset
) -> Path:
    """The folder in which the examples are run."""
    folder = tmp_path_factory.mktemp("home")
    write_home(folder, pictures, dataset)
    return folder


@pytest.mark.parametrize("name", [pytest.param("handlore", marks=pytest.mark.slow), *EXAMPLES])
def test_example(name: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    found = handlore if name == "handlore" else getattr(handlore, name)
    text = inspect.getdoc(found) or ""
    assert "+SKIP" not in text, "examples are run"
    example = doctest.DocTestParser().get_doctest(text, {"handlore": handlore}, name, None, 0)
    assert example.examples, "has no example"
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    problems: list[str] = []
    doctest.DocTestRunner(verbose=False, optionflags=options).run(example, out=problems.append)
    assert not problems, "".join(problems)


def test_library_examples_are_short() -> None:
    examples = handlore.__doc__.split("\n\n>>> ")[1:]
    assert len(examples) == 6
    assert max(len(example.split("\n\n")[0].splitlines()) for example in examples) <= 8


def test_every_name_is_there_for_type_checkers() -> None:
    tree = ast.parse(Path(handlore.__file__).read_text("utf-8"))
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    (block,) = (node for node in blocks if ast.unparse(node.test) == "TYPE_CHECKING")
    found = {
        alias.asname: node.module.removeprefix("handlore.")
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert found == API


def test_names_are_imported_on_use() -> None:
    code = "import handlore, sys; print(*(m for m in sys.modules if m.startswith('handlore.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
    assert set(API) <= set(dir(handlore))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'recognize'"):
        handlore.recognize  # noqa: B018
