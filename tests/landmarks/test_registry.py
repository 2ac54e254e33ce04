"""The registry: built-in modules, entry points, and errors that list the names."""

import sys

import pytest

from handlore.landmarks.errors import HandloreError, nearest, unknown_name
from handlore.landmarks.registry import Registry

ENTRY = """
from toys import TOYS
@TOYS.register
class Entry:
    name = "{name}"
"""


@pytest.fixture
def toys(tmp_path, monkeypatch):
    """Return a registry whose package holds a ball and, in one file, a top and a yo-yo."""
    home = tmp_path / "toybox"
    home.mkdir()
    (home / "__init__.py").touch()
    (home / "_helper.py").write_text("raise ImportError('helpers are not entries')")
    (home / "ball.py").write_text(ENTRY.format(name="ball"))
    (home / "spinning.py").write_text(ENTRY.format(name="top") + ENTRY.format(name="yo-yo"))
    (tmp_path / "toys.py").write_text(
        "from handlore.landmarks.registry import Registry\nTOYS = Registry('toy', 'toybox')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import toys

    yield toys.TOYS
    for name in [name for name in sys.modules if name.split(".")[0] in ("toys", "toybox")]:
        del sys.modules[name]


def test_a_module_named_like_its_entry_is_imported_alone(toys: Registry) -> None:
    assert toys["ball"].name == "ball"
    assert "toybox.spinning" not in sys.modules


def test_all_names_are_found_in_files_of_any_name(toys: Registry) -> None:
    assert toys["yo-yo"].name == "yo-yo"
    assert toys.names() == ["ball", "top", "yo-yo"]


def test_an_unknown_name_gets_the_nearest_and_all(toys: Registry) -> None:
    with pytest.raises(HandloreError, match=r"unknown toy 'bal'; did you mean ball\? .*top, yo-yo"):
        toys["bal"]


def test_two_entries_of_one_name_are_refused(toys: Registry) -> None:
    toys.load()
    other = type("Other", (), {"name": "ball"})
    with pytest.raises(TypeError, match="already a toy ball"):
        toys.register(other)


def test_the_name_of_a_built_in_entry_that_nobody_has_used_is_refused(toys: Registry) -> None:
    """Else anything that lists all names fails later, far from the mistake."""
    with pytest.raises(TypeError, match="already a toy ball"):
        toys.register(type("Other", (), {"name": "ball"}))
    assert toys.names() == ["ball", "top", "yo-yo"]


def test_an_entry_without_a_name_is_refused(toys: Registry) -> None:
    with pytest.raises(TypeError, match="class attribute `name`"):
        toys.register(type("Nameless", (), {}))


def test_listing_names_imports_nothing(toys: Registry) -> None:
    assert toys.listed() == ["ball", "spinning"]
    assert not [name for name in sys.modules if name.startswith("toybox.")]


def test_the_same_class_of_a_program_and_of_its_module_is_one(toys: Registry) -> None:
    for module in ("__main__", "spinner"):
        toys.register(type("Spinner", (), {"name": "spinner", "__module__": module}))
    assert "spinner" in toys.names()


def test_an_entry_may_be_refused(toys: Registry) -> None:
    def refuse(entry: object) -> None:
        raise TypeError("not a toy")

    with pytest.raises(TypeError, match="not a toy"):
        Registry("toy", "toybox", refuse).register(type("Entry", (), {"name": "x"}))


def test_nearest_names() -> None:
    assert nearest("fits", ["fist", "palm"]) == "fist"
    assert nearest("colour", ["color", "colours"]) == "colours or color"
    assert nearest("qqq", ["fist", "palm"]) == ""


def test_nothing_is_near_or_known() -> None:
    assert str(unknown_name("toy", "x", [])) == "unknown toy 'x'. Known: none"
