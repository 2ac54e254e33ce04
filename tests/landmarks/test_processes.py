"""Signals end a program although native code runs, and do not cut short what is put away."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

START = """
import hashlib, sys, time
from pathlib import Path
from handlore.capture.keys import ending_on_signals
from handlore.landmarks.files import atomic_write
from handlore.landmarks.processes import ends_in_native_code

def native(million=200):
    hashlib.pbkdf2_hmac("sha256", b"", b"", million * 1_000_000)

"""
NATIVE = (
    "with ends_in_native_code(), {more} open('x', 'w'):\n    print('ready', flush=True); native()"
)


def signalled(code: str, number: int, folder: Path) -> tuple[int, float, str]:
    """Run a program, send it a signal when it is ready; return exit code, seconds and output."""
    process = subprocess.Popen(
        [sys.executable, "-c", START + code],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.3)
    started = time.monotonic()
    os.kill(process.pid, number)
    output = process.stdout.read()
    return process.wait(60), time.monotonic() - started, output


@pytest.mark.parametrize(
    ("number", "more"),
    [
        (signal.SIGINT, ""),
        (signal.SIGTERM, "ending_on_signals(), "),
        pytest.param(signal.SIGTERM, "", marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, "ending_on_signals(), ", marks=pytest.mark.slow),
    ],
)
def test_native_code_is_ended(number: int, more: str, tmp_path: Path) -> None:
    code, seconds, output = signalled(NATIVE.format(more=more), number, tmp_path)
    assert code in (128 + number, -number)
    assert seconds < 2.0
    assert "Traceback" not in output


def test_a_file_that_is_being_written_is_removed(tmp_path: Path) -> None:
    code, _, output = signalled(
        "from handlore.landmarks import processes; processes.PATIENCE = 0.2\n"
        "with ends_in_native_code(), atomic_write(Path('out.bin')) as stream:\n"
        "    stream.write(b'half'); print('ready', flush=True); native()",
        signal.SIGINT,
        tmp_path,
    )
    assert (code, list(tmp_path.iterdir())) == (130, [])
    assert "no incomplete file was left behind" in output


def test_what_is_put_away_after_the_signal_gets_its_time(tmp_path: Path) -> None:
    code, seconds, _ = signalled(
        "with ends_in_native_code():\n"
        "    try:\n"
        "        print('ready', flush=True); time.sleep(60)\n"
        "    except KeyboardInterrupt:\n"
        "        started = time.monotonic()\n"
        "        while time.monotonic() < started + 1.8: native(1)\n"
        "        Path('kept').touch()\n",
        signal.SIGINT,
        tmp_path,
    )
    assert code == 0
    assert seconds > 1.7
    assert (tmp_path / "kept").exists()


def test_a_library_user_keeps_the_handler() -> None:
    from handlore.landmarks.processes import ends_in_native_code, interrupts

    before = signal.getsignal(signal.SIGINT)
    with ends_in_native_code(), ends_in_native_code():
        assert interrupts()
    assert signal.getsignal(signal.SIGINT) is before


PARENT = """
import os, subprocess, sys
from handlore.landmarks.processes import python_command
code = "import os, time; from handlore.landmarks.processes import end_with_parent;"
code += f"end_with_parent({os.getpid()}); print(os.getpid(), flush=True); time.sleep(60)"
subprocess.run(python_command("-c", code))
"""


@pytest.fixture
def parent() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.communicate()


@pytest.mark.skipif(os.name != "posix", reason="Windows tells a process nothing about its parent")
def test_a_child_ends_soon_after_its_parent_is_killed(parent: subprocess.Popen[str]) -> None:
    assert parent.stdout
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    started = time.monotonic()
    with suppress(psutil.NoSuchProcess):
        child.wait(10)
    assert not child.is_running()
    # On an idle computer a tenth of a second.
    assert time.monotonic() - started < 5
