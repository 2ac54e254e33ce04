"""Every example of README and docs is run, or checked where it needs what a test has not."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from contextlib import nullcontext
from pathlib import Path

import pytest
from click.testing import CliRunner
from documentation import (
    NO_COMMAND,
    PAGES,
    Block,
    blocks_of,
    commands_of,
    handlore_lines,
    name_of,
    problems,
)

from handlore.capture.actions.file import load_actions
from handlore.capture.keys import ScriptedKeys
from handlore.capture.recording import run as recording
from handlore.cli import main
from handlore.models.ready import KNOWN_MODELS

BLOCKS = [block for page in PAGES for block in blocks_of(page)]
RUN = {"run", "camera"}


def pages(*, slow: bool) -> list[Path]:
    """Return the pages of which something is run; fast or slow."""
    return list(dict.fromkeys(b.page for b in BLOCKS if b.kind in RUN and b.slow == slow))


def code(language: str, *kinds: str) -> list[Block]:
    return [b for b in BLOCKS if b.language == language and (not kinds or b.kind in kinds)]


def follow(page: Path, folder: Path, *, slow: bool) -> None:
    """Do what a page says, in order, in a folder."""
    blocks = [block for block in BLOCKS if block.page == page]
    for block in blocks:
        if block.file:
            (folder / block.file).write_text(block.text, "utf-8")
    for block in blocks:
        if block.kind in RUN and (slow or not block.slow):
            run_block(block, folder)


def run_block(block: Block, folder: Path) -> None:
    if block.language == "python":
        program = compile("\n" * block.line + block.text, name_of(block.page), "exec")
        exec(program, {"__name__": "__main__"})  # noqa: S102
        return
    for line in commands_of(block):
        run_line(line, block, folder)


def run_line(line: str, block: Block, folder: Path) -> None:
    """Run a command of handlore in this process, and anything else in a shell."""
    if block.kind == "camera":
        line = line.partition(" | ")[0]
    if line.startswith("handlore ") and not re.search(r"[;&]| \| ", line):
        done = CliRunner().invoke(main, arguments(line, block.kind == "camera"))
        assert done.exit_code == 0, f"{block.place}: {line}\n{done.output}"
        return
    home = str(Path(sys.executable).parent)
    env = os.environ | {"PATH": os.pathsep.join([home, os.environ["PATH"]])}
    ended = subprocess.run(
        ["bash", "-ec", line], cwd=folder, env=env, capture_output=True, check=False
    )
    assert ended.returncode == 0, f"{block.place}: {line}\n{ended.stderr.decode()}"


def arguments(line: str, camera: bool) -> list[str]:
    """Return the arguments of a command line, with a video in the camera's place if asked for."""
    words = shlex.split(line)[1:]
    if not camera or words[0] not in {"live", "capture"}:
        return words
    words = [re.sub(r"(?<=[:\d]):?8000$", ":0", word) for word in words]
    words += ["--camera", "lesson.mp4", "--headless"]
    if words[0] == "live":
        words.append("--fast")
    return [*words, "--dry-run"] if "--actions" in words else words


@pytest.fixture
def folder(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh copy of the prepared folder, and the current one; nobody presses a key in it."""
    monkeypatch.setattr(recording, "terminal_keys", lambda: nullcontext(ScriptedKeys()))
    copy = shutil.copytree(prepared, tmp_path / "home")
    monkeypatch.chdir(copy)
    return copy


def test_every_block_says_what_a_test_does_with_it() -> None:
    assert [problem for block in BLOCKS if (problem := block.problem())] == []


@pytest.mark.parametrize("page", pages(slow=False), ids=name_of)
def test_page(page: Path, folder: Path) -> None:
    follow(page, folder, slow=False)


@pytest.mark.slow
@pytest.mark.parametrize("page", pages(slow=True), ids=name_of)
def test_whole_page(page: Path, prepared_more: Path, folder: Path) -> None:
    shutil.copytree(prepared_more, folder, dirs_exist_ok=True)
    follow(page, folder, slow=True)


@pytest.mark.parametrize("page", dict.fromkeys(block.page for block in code("sh")), ids=name_of)
def test_commands_and_options_exist(page: Path) -> None:
    lines = [line for b in code("sh") if b.page == page for line in handlore_lines(b.text)]
    assert {line: wrong for line in lines if (wrong := problems(line))} == {}


def test_commands_in_sentences_exist() -> None:
    texts = [page.read_text("utf-8") for page in PAGES]
    lines = [span for text in texts for span in re.findall(r"`(handlore [^`\n]+)`", text)]
    whole = [line for line in lines if "..." not in line]
    found = {line: problems(line) for line in whole}
    assert {line: wrong for line, wrong in found.items() if wrong not in ([], NO_COMMAND)} == {}


@pytest.mark.parametrize("block", code("python", "check"), ids=lambda block: block.place)
def test_python_compiles(block: Block) -> None:
    compile(block.text, block.place, "exec")


@pytest.mark.parametrize("block", code("toml"), ids=lambda block: block.place)
def test_toml_is_valid(block: Block, tmp_path: Path) -> None:
    table = tomllib.loads(block.text)
    if "actions" in table and block.kind != "check":
        path = tmp_path / "actions.toml"
        path.write_text(block.text, "utf-8")
        known = (*KNOWN_MODELS["everyday"].gestures, "open_palm", "arm")
        labels = [label for label in (*table["actions"], *known) if label != "*"]
        load_actions(path, labels, check_computer=False)


@pytest.mark.parametrize("block", code("json"), ids=lambda block: block.place)
def test_json_is_valid(block: Block) -> None:
    assert json.loads(block.text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```sh\nmake\n```\n", "needs one of"),
        ("```sh often\nmake\n```\n", "needs one of"),
        ("```bash run\nmake\n```\n", "unknown language"),
        ("```toml often\na = 1\n```\n", "unknown word"),
        ("  ```sh run\n  make\n  ```\n", None),
        ("```{note}\nmake\n```\n", None),
    ],
)
def test_a_block_without_a_kind_is_found(text: str, expected: str | None) -> None:
    found = [block.problem() for block in blocks_of(Path("page.md"), text)]
    assert all(problem is None for problem in found) if expected is None else expected in found[0]


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("handlore convert a b.npz --json", []),
        ("handlore weights fetch --landmarker lite", []),
        ("handlore --help", []),
        ("handlore convert a b.npz --jsn", ["--jsn"]),
        ("handlore convert a b c", ["c"]),
        ("handlore liev", ["liev"]),
        ("handlore weights fetsh", ["fetsh"]),
    ],
)
def test_the_check_of_a_command_line(line: str, wrong: list[str]) -> None:
    found = problems(line)
    assert len(found) == len(wrong)
    assert all(part in text for part, text in zip(wrong, found, strict=True))


def test_lines_are_found_behind_comments_pipes_and_loops() -> None:
    text = "handlore live a.onnx --json | ./x.py\nfor a in b; do handlore info c; done  # x\n"
    assert list(handlore_lines(text)) == ["handlore live a.onnx --json"]
    page = Path("page.md")
    block = blocks_of(page, "```sh run\n$ make  # all\nhandlore info \\\n  a.npz\n# x\n```\n")[0]
    assert commands_of(block) == ["make", "handlore info    a.npz"]
