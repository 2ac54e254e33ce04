"""The code blocks of the documentation, and what the tests do with each of them.

The word behind the language of a block says what can be done with it:

``run``      run
``camera``   run with a video in the camera's place and without a window
``display``  needs a window: its commands are checked
``check``    cannot be run here (apt, ssh, a cluster): its commands are checked, Python is compiled

``slow`` behind it leaves it to ``make test-slow``, which runs all blocks of its page. ``file=NAME``
writes the block to a file that the others use.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from handlore.cli import main

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^([ \t]*)```([^\n`]*)\n(.*?)^[ \t]*```[ \t]*$", re.MULTILINE | re.DOTALL)
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
CODE = {"sh", "python"}
KINDS = {"run", "camera", "display", "check"}
NO_COMMAND = ["(no command)"]
DATA = {"toml", "json", "ini", "text", "yaml", "javascript", "java"}


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    words: tuple[str, ...]
    text: str

    @property
    def kind(self) -> str:
        """The word that says what is done with it; empty without one."""
        return next((word for word in self.words if word in KINDS), "")

    @property
    def slow(self) -> bool:
        """Whether it takes long."""
        return "slow" in self.words

    @property
    def file(self) -> str:
        """The file that it is written to; empty without one."""
        return next((word[5:] for word in self.words if word.startswith("file=")), "")

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return f"{name_of(self.page)}:{self.line}"

    def problem(self) -> str | None:
        """Say why no test can know what to do with it; None if one can."""
        if self.language in CODE and not self.kind and not self.file:
            return f"{self.place}: a block of {self.language} needs one of {sorted(KINDS)}"
        if self.language not in CODE | DATA:
            return f"{self.place}: unknown language {self.language!r}"
        known = {*KINDS, "slow", f"file={self.file}"}
        if unknown := [word for word in self.words if word not in known]:
            return f"{self.place}: unknown word {unknown[0]!r}"
        return None


def name_of(page: Path) -> str:
    """Return a page's name relative to the repository."""
    return page.relative_to(ROOT).as_posix() if page.is_relative_to(ROOT) else page.name


def blocks_of(page: Path, text: str | None = None) -> list[Block]:
    """Return the blocks of a page in order; directives of Sphinx are none."""
    text = page.read_text("utf-8") if text is None else text
    found = []
    for fence in FENCE.finditer(text):
        indent, info, body = fence.groups()
        language, *words = info.split() or ["text"]
        if language.startswith("{"):
            continue
        body = "".join(line.removeprefix(indent) for line in body.splitlines(keepends=True))
        line = text.count("\n", 0, fence.start()) + 1
        found.append(Block(page, line, language, tuple(words), body))
    return found


def commands_of(block: Block) -> list[str]:
    """Return the commands of a shell block: lines joined at a backslash, without comments."""
    joined = block.text.replace("\\\n", " ")
    lines = (re.sub(r"^\s*\$\s+|\s+#\s.*$|^#.*$", "", line).strip() for line in joined.splitlines())
    return [line for line in lines if line]


def handlore_lines(text: str) -> Iterator[str]:
    """Yield each ``handlore ...`` of a text, up to a pipe or the end of the command."""
    for found in re.finditer(r"(?:^|&&|;|\$)[ \t]*(handlore [^\n]*)", text, re.MULTILINE):
        yield re.split(r"\s[|#>&]|;", found[1])[0].strip()


def problems(line: str) -> list[str]:
    """Return the words of a command line that click does not know: commands and options."""
    _, *words = shlex.split(line)
    command: click.Command = main
    context = click.Context(main)
    while words and isinstance(command, click.Group):
        found = command.get_command(context, words[0])
        if found is None:
            break
        command, words = found, words[1:]
        context = click.Context(command, parent=context)
    if isinstance(command, click.Group):
        flags = [word for word in words if word not in {"-h", "--help", "--version", "--json"}]
        return flags[:1] if words or command.invoke_without_command else NO_COMMAND
    return _usage_problems(command, words)


def _usage_problems(command: click.Command, words: list[str]) -> list[str]:
    if {"-h", "--help"} & set(words):
        return []
    context = click.Context(command)
    try:
        _, rest, _ = command.make_parser(context).parse_args(list(words))
    except click.UsageError as error:
        return [error.format_message()]
    return rest
