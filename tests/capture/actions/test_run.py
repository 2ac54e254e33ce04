"""Commands."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from action_stubs import Make, seen

posix = pytest.mark.skipif(os.name != "posix", reason="uses the programs of Unix")


@posix
def test_arguments_and_environment(desk: Make, tmp_path: Path) -> None:
    out = tmp_path / "out"
    script = tmp_path / "script"
    script.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" "$HANDLORE_LABEL" "$HANDLORE_HAND" > {out}\n'
        f'echo "$HANDLORE_EVENT" >> {out}\n'
    )
    script.chmod(0o755)
    one = desk(f'[actions.fist]\nrun = ["{script}", "a b; rm -rf $HOME", "is {{label}}"]')
    one.runner.submit(seen("fist"))
    assert one.wait(1)[0][0] == "done"
    *words, event = out.read_text().splitlines()
    assert words == ["a b; rm -rf $HOME", "is fist", "fist", "left"]
    assert json.loads(event) == seen("fist").as_json()


@posix
def test_shell(desk: Make, tmp_path: Path) -> None:
    out = tmp_path / "out"
    one = desk(
        f"[actions.fist]\nrun = 'echo \"$HANDLORE_LABEL\" | tr a-z A-Z > {out}'\nshell = true"
    )
    one.runner.submit(seen("fist"))
    assert one.wait(1)[0][0] == "done"
    assert out.read_text() == "FIST\n"


@posix
@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ('["false"]', "ended with exit code 1"),
        ('["sh", "-c", "kill -9 $$"]', "was ended by SIGKILL"),
        pytest.param(
            '["sh", "-c", "kill -40 $$"]',
            "was ended by signal 40",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="real-time signals of Linux"),
        ),
    ],
)
def test_failed_command(command: str, reason: str, desk: Make) -> None:
    one = desk(f"[actions.fist]\nrun = {command}")
    one.runner.submit(seen("fist"))
    assert one.wait(1) == [("failed", reason)]


@posix
def test_vanished_program(desk: Make, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    one = desk(f'[actions.fist]\nrun = ["{program}"]\n[actions.swipe_left]\nrun = ["true"]')
    program.unlink()
    one.runner.submit(seen("fist"))
    one.runner.submit(seen("swipe_left"))
    states = sorted(state for state, _ in one.wait(2))
    assert states == ["done", "failed"]


@posix
def test_time_limit_kills_children(desk: Make, tmp_path: Path) -> None:
    """The child ignores the polite signal, as some do."""
    pids = tmp_path / "pids"
    script = tmp_path / "script"
    script.write_text(
        f"#!/bin/sh\n(trap '' TERM; while :; do sleep 0.05; done) &\necho $! $$ > {pids}\nwait\n"
    )
    script.chmod(0o755)
    one = desk(f'[actions.fist]\nrun = ["{script}"]\ntimeout = 1')
    one.runner.submit(seen("fist"))
    assert one.wait(1) == [("failed", "took longer than 1 s and was killed")]
    deadline = time.monotonic() + 60
    while left := [pid for pid in map(int, pids.read_text().split()) if _lives(pid)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.01)


@posix
def test_busy_action(desk: Make, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(f'#!/bin/sh\nwhile ! [ -e "{tmp_path / "go"}" ]; do sleep 0.02; done\n')
    script.chmod(0o755)
    one = desk(f'[actions.fist]\nrun = ["{script}"]\nwaiting = 2\ntimeout = 60')
    begun = time.monotonic()
    for _ in range(50):
        one.runner.submit(seen("fist"))
    assert time.monotonic() - begun < 30  # nobody waited for the command
    (tmp_path / "go").touch()
    assert Counter(state for state, _ in one.wait(50)) == {"skipped": 47, "done": 3}


@posix
@pytest.mark.parametrize(
    "n", [200, pytest.param(10_000, marks=pytest.mark.slow)], ids=lambda n: f"{n} commands"
)
def test_many_commands(n: int, desk: Make, tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = tmp_path / "script"
    script.write_text(f'#!/bin/sh\necho "$HANDLORE_END" >> {log}\n')
    script.chmod(0o755)
    one = desk(f'[actions.fist]\nrun = ["{script}"]\nwaiting = 10000')
    for number in range(n):
        one.runner.submit(seen("fist", end=float(number)))
    assert {state for state, _ in one.wait(n, 300.0)} == {"done"}
    assert log.read_text().splitlines() == [f"{number}.000" for number in range(n)]
    assert _zombies() == []


def _lives(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def _zombies() -> list[str]:
    done = subprocess.run(
        ["ps", "--ppid", str(os.getpid()), "-o", "stat=,comm="],
        capture_output=True,
        text=True,
        check=False,
    )
    return [line for line in done.stdout.splitlines() if line.startswith("Z")]
