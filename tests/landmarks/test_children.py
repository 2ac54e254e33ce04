"""Processes that handlore starts end when it is killed."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest

PARENT = """
import os, subprocess, sys
from handlore.landmarks.children import python_command
code = "import os, time; from handlore.landmarks.children import end_with_parent;"
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
