"""Directives that keep the reference complete: all commands, all sources and all public names.

``handlore-commands`` documents every command with sphinx-click, ``handlore-sources`` every source,
and ``handlore-api`` every public name that lives in a room. Nothing has to be listed by hand.
"""

import importlib
import inspect
from dataclasses import fields
from typing import Any, ClassVar

import click
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

import handlore
from handlore.cli import main
from handlore.datasets.sources import SOURCES


def public_names() -> dict[str, Any]:
    """Return what ``handlore`` exports, by name."""
    names = [name for name in dir(handlore) if not name.startswith("_")]
    found = {name: getattr(handlore, name) for name in names}
    return {name: value for name, value in found.items() if _is_public(value)}


def _is_public(value: object) -> bool:
    module = getattr(value, "__module__", None) or ""
    return module.startswith("handlore.") and not inspect.ismodule(value)


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
        text = []
        for name in main.list_commands(context):
            command = main.get_command(context, name)
            if command is None or command.hidden:
                continue
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
            about = inspect.cleandoc(source.__doc__ or "").splitlines()
            text += [name, "=" * len(name), "", "::", "", f"   {source.layout}", "", *about, ""]
            for option in fields(source):
                flag = option.name.replace("_", "-")
                text += [f"``--{flag}``", f"   {option.metadata['help']}", ""]
        return text


class PublicNames(Generated):
    """The documentation of each public name that lives in a room."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {}

    def lines(self) -> list[str]:
        """Return autodoc's directive for each name."""
        text = []
        for name, value in sorted(public_names().items(), key=lambda pair: pair[0].lower()):
            if value.__module__.split(".")[1] == self.arguments[0]:
                text += _documented(name, value)
        return text


def _documented(name: str, value: object) -> list[str]:
    if inspect.isclass(value) and issubclass(value, BaseException):
        return [f".. autoexception:: handlore.{name}", ""]
    if inspect.isclass(value):
        members = ["   :members:", "   :undoc-members:"]
        return [f".. autoclass:: handlore.{name}", *members, ""]
    return [f".. autofunction:: handlore.{name}", ""]


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


def tidy_help(app: Sphinx, ctx: click.Context, lines: list[str]) -> None:
    """Set the examples at the end of a command's help as code."""
    text = [line for line in StringList(lines) if line.strip() not in {"", "|"}]
    examples = [line.strip().lstrip("| ") for line in text]
    starts = [at for at, line in enumerate(examples) if line.startswith("Examples")]
    if starts:
        shown = ["   " + line for line in examples[starts[0] + 1 :]]
        before = examples[: starts[0]]
        head = ["::", "", *["   " + line for line in before], ""] if before else []
        lines[:] = [*head, ".. rubric:: Examples", "", ".. code-block:: sh", "", *shown, ""]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("handlore-commands", Commands)
    app.add_directive("handlore-sources", Sources)
    app.add_directive("handlore-api", PublicNames)
    app.connect("missing-reference", resolve_by_name)
    app.connect("sphinx-click-process-epilog", tidy_help)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
