"""``handlore sources``: the layouts that convert knows."""

import inspect
from dataclasses import fields

import click

from handlore.datasets.sources import SOURCES

from ._common import examples, json_option, print_json, say
from ._rich import print_table


@click.command("sources", epilog=examples("handlore sources", "handlore sources images"))
@click.argument("name", required=False)
@json_option
def command(name: str | None, as_json: bool) -> None:
    """List the data layouts that convert reads, or describe one."""
    if name is None:
        _list(as_json)
    else:
        _show(name, as_json)


def _list(as_json: bool) -> None:
    sources = SOURCES.entries()
    if as_json:
        print_json([{"name": key, "layout": source.layout} for key, source in sources.items()])
    else:
        print_table(["source", "layout"], [[k, s.layout] for k, s in sources.items()])


def _show(name: str, as_json: bool) -> None:
    source = SOURCES[name]
    options = {
        f"--{option.name.replace('_', '-')}": option.metadata["help"] for option in fields(source)
    }
    about = inspect.cleandoc(source.__doc__ or "")
    if as_json:
        print_json({"name": name, "layout": source.layout, "about": about, "options": options})
        return
    say(f"{name}: {source.layout}\n\n{about}\n\nOptions:")
    for option, text in options.items():
        say(f"  {option}  {text}")
    if not options:
        say("  none")
