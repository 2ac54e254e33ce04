"""Command lines, one after the other in one process: starting a process for each takes long.

``python command_lines.py JSON`` with a list of lists of words, as bytes in hexadecimal. What each
one writes to stdout and stderr is followed by its exit code between NULs.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from subprocess import run
from typing import NamedTuple


class Done(NamedTuple):
    returncode: int
    stdout: bytes
    stderr: bytes


def run_lines(
    lines: Sequence[Sequence[object]], *, timeout: float = 120, env: Mapping[str, str] | None = None
) -> list[Done]:
    """Run ``handlore`` with these words, in a new process for all of them."""
    words = [[os.fsencode(str(word)).hex() for word in line] for line in lines]
    command = [sys.executable, __file__, json.dumps(words)]
    done = run(command, capture_output=True, check=False, timeout=timeout, env=env)
    out, err = (shown.split(b"\0") for shown in (done.stdout, done.stderr))
    assert len(out) == len(err) == 2 * len(lines) + 1, done.stderr
    return [Done(*each) for each in zip(map(int, out[1::2]), out[::2], err[::2], strict=False)]


def _main(lines: Sequence[Sequence[str]]) -> None:
    from handlore.cli import main

    for words in lines:
        try:
            main([os.fsdecode(bytes.fromhex(word)) for word in words], prog_name="handlore")
        except SystemExit as ended:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
                stream.buffer.write(f"\0{ended.code}\0".encode())
                stream.flush()


if __name__ == "__main__":
    _main(json.loads(sys.argv[1]))
