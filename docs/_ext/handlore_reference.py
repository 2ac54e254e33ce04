"""Directives that keep the reference complete: all commands, all sources and all public names.

``handlore-commands`` documents every command with sphinx-click, ``handlore-sources`` every source,
and ``handlore-api`` every public name that lives in a room. Nothing has to be listed by hand.
"""

import importlib
import inspect
import re
from dataclasses import fields
from typing import Any, ClassVar

import click
from docutils import nodes
from sphinx.addnodes import desc_annotation, pending_xref
from sphinx.application import Sphinx
from sphinx.ext.napoleon import Config, NumpyDocstring
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

import handlore
from handlore.cli import main
from handlore.datasets.sources import SOURCES


def public_names() -> dict[str, str]:
    """Return the room of each name that ``handlore`` exports."""
    return {name: home.split(".")[0] for name, home in handlore._API.items()}


class Generated(SphinxDirective):
    """A directive whose content is reStructuredText that it writes itself."""

    def lines(self) -> list[str]:
        """Return the text."""
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        """Parse the text where the directive is."""
        return self.parse_text_to_nodes("\n".join(self.lines()), allow_section_headings=True)


class Commands(Generated):
    """A section for each command."""

    def lines(self) -> list[str]:
        """Return a label, a heading and sphinx-click's directive for each command."""
        context = click.Context(main)
        named = {name: main.get_command(context, name) for name in main.list_commands(context)}
        shown = {name: command for name, command in named.items() if command is not None}
        text = [".. list-table::", ""]
        for name, command in shown.items():
            summary = command.get_short_help_str(limit=200)
            text += [f"   * - :ref:`{name} <command-{name}>`", f"     - {summary}"]
        text.append("")
        for name, command in shown.items():
            module = command.callback.__module__ if command.callback else ""
            where = _attribute(module, command)
            text += [f".. _command-{name}:", "", f".. click:: {module}:{where}"]
            text += [f"   :prog: handlore {name}", "   :nested: full", ""]
        return text


def _attribute(module: str, command: click.Command) -> str:
    named = vars(importlib.import_module(module)).items()
    return next(name for name, value in named if value is command)


class Sources(Generated):
    """A section for each source: layout, description, options."""

    def lines(self) -> list[str]:
        """Return the text of each section."""
        text = []
        for name, source in SOURCES.entries().items():
            about = _plain(inspect.cleandoc(source.__doc__ or "")).splitlines()
            text += [name, "=" * len(name), "", "::", "", f"   {source.layout}", "", *about, ""]
            for option in fields(source):
                flag = option.name.replace("_", "-")
                text += [f"``--{flag}``", f"   {_plain(option.metadata['help'])}", ""]
        return text


def _plain(text: str) -> str:
    """Escape the characters of patterns that reStructuredText would read as markup."""
    return re.sub(r"[\\*|]", r"\\\g<0>", text)


class PublicNames(Generated):
    """The documentation of each public name that lives in a room."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {}

    def lines(self) -> list[str]:
        """Return autodoc's directive for each name."""
        text = []
        for name, room in sorted(public_names().items(), key=lambda pair: pair[0].lower()):
            if room == self.arguments[0]:
                text += _documented(name, getattr(handlore, name))
        return text


def _documented(name: str, value: object) -> list[str]:
    if inspect.isclass(value) and issubclass(value, BaseException):
        return [f".. autoexception:: handlore.{name}", ""]
    if inspect.isclass(value):
        members = ["   :members:", "   :undoc-members:"]
        return [f".. autoclass:: handlore.{name}", *members, ""]
    if inspect.isfunction(value):
        return [f".. autofunction:: handlore.{name}", ""]
    module = f"handlore.{handlore._API[name]}"
    about = ModuleAnalyzer.for_module(module).find_attr_docs()["", name]
    return [f".. py:data:: handlore.{name}", "", *("   " + line for line in about), ""]


def resolve_by_name(
    app: Sphinx, env: Any, node: pending_xref, contnode: nodes.Element
) -> nodes.Node | None:
    """Link a class that is named by its module to the page that documents it as public."""
    name = node.get("reftarget", "").rpartition(".")[2]
    if node.get("refdomain") != "py" or name not in public_names():
        return None
    domain = env.domains["py"]
    found = domain.objects.get(f"handlore.{name}")
    if found is None:
        return None
    page = node["refdoc"]
    return make_refnode(app.builder, page, found.docname, found.node_id, contnode)


def tidy_examples(app: Sphinx, ctx: click.Context, lines: list[str]) -> None:
    """Set the examples at the end of a command's help as code."""
    text = [line.strip().lstrip("| ") for line in lines if line.strip() not in {"", "|"}]
    if text and text[0].startswith("Examples"):
        shown = ["   " + line for line in text[1:]]
        lines[:] = [".. rubric:: Examples", "", ".. code-block:: sh", "", *shown, ""]


def tidy_defaults(app: Sphinx, ctx: click.Context, lines: list[str]) -> None:
    """Write defaults as they are typed, not as Python prints them."""
    lines[:] = [re.sub(r"(?:PosixPath\()?``'([^']*)'``\)?", r"``\1``", line) for line in lines]
    lines[:] = [re.sub(r"``\w*Path\('([^']*)'\)``", r"``\1``", line) for line in lines]


def _array_of(kind: str) -> str:
    return rf"~?(?:\w+\.)*ndarray\[tuple\[.*?\], ~?(?:\w+\.)*dtype\[~?(?:\w+\.)*{kind}\]\]"


ALIASES = (
    (_array_of("float32"), "FloatArray"),
    (_array_of("uint8"), "Pixels"),
    (_array_of(r"(\w+)"), r"NDArray[\1]"),
    (r"\S*_Buffer \| \S*_SupportsArray.*?_NestedSequence\[complex \| bytes \| str\]", "ArrayLike"),
)
"""Types whose definitions are longer than their names."""


def shorten_types(
    app: Sphinx, what: str, name: str, obj: object, options: object, signature: str | None,
    returned: str | None,
) -> tuple[str | None, str | None]:  # fmt: skip
    """Name the types of arrays in a signature."""
    return _shortened(signature), _shortened(returned)


def polish(app: Sphinx, doctree: nodes.document) -> None:
    """Name the types of arrays in attributes, and keep a number and its % sign together."""
    for annotation in doctree.findall(desc_annotation):
        text = annotation.astext()
        if (short := _shortened(text)) != text:
            annotation.children = [nodes.Text(short or "")]
    for node in list(doctree.findall(nodes.Text)):
        if " %" in node and not isinstance(node.parent, nodes.literal | nodes.literal_block):
            node.parent.replace(node, nodes.Text(re.sub(r"(?<=\d) %", "\N{NO-BREAK SPACE}%", node)))


def _shortened(text: str | None) -> str | None:
    for pattern, alias in ALIASES if text else ():
        text = re.sub(pattern, alias, text or "")
    return text


class Sections(NumpyDocstring):
    """Reads numpydoc sections in which what is returned is a sentence without a type."""

    def _parse_returns_section(self, section: str) -> list[str]:
        return [*self._format_block(":returns: ", self._consume_to_next_section()), ""]

    def _parse_yields_section(self, section: str) -> list[str]:
        return [*self._format_block(":yields: ", self._consume_to_next_section()), ""]


NUMPYDOC = Config(napoleon_google_docstring=False, napoleon_use_rtype=False)
WITHOUT_SECTIONS = {"attribute", "property", "data"}


def read_sections(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Read numpydoc sections. Attributes have none: a colon in their text follows no type."""
    if what not in WITHOUT_SECTIONS:
        lines[:] = str(Sections(lines, NUMPYDOC, app, what, name, obj, options)).splitlines()


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("handlore-commands", Commands)
    app.add_directive("handlore-sources", Sources)
    app.add_directive("handlore-api", PublicNames)
    app.connect("missing-reference", resolve_by_name)
    app.connect("sphinx-click-process-epilog", tidy_examples)
    app.connect("sphinx-click-process-options", tidy_defaults)
    app.connect("autodoc-process-docstring", read_sections)
    app.connect("doctree-read", polish)
    app.connect("autodoc-process-signature", shorten_types)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
