"""Runs the coach in a process of its own at the lowest priority, without waiting for it."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from handlore.landmarks.processes import end_with_parent, python_command


class BackgroundCoach:
    """Analyses a folder in the background, until it is closed.

    Every call returns immediately. Of the requests during an analysis only the last one is run
    afterwards.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._next: tuple[str, ...] | None = None
        self._lines: list[str] = []

    def consult(self, folder: Path, labels: Sequence[str] = ()) -> None:
        """Request advice on the recordings of a folder; ``labels`` are to be recorded too."""
        self._next = (str(folder), *labels)
        self._poll()

    def advice(self) -> list[str]:
        """Return the latest advice, the most useful line first; nothing before the first result."""
        self._poll()
        return list(self._lines)

    @property
    def is_settled(self) -> bool:
        """Whether the latest advice is the answer to the last request."""
        self._poll()
        return self._process is None

    def close(self) -> None:
        """Stop the process."""
        self._next = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._end(self._process)

    def _poll(self) -> None:
        """Read the result of a process that has ended, and start the next one."""
        process = self._process
        if process is not None and process.poll() is not None:
            output = process.stdout.read() if process.stdout else b""
            self._end(process)
            if process.returncode == 0:
                self._lines = json.loads(output)
        if self._process is None and self._next is not None:
            self._process, self._next = _started(self._next), None

    def _end(self, process: "subprocess.Popen[bytes]") -> None:
        if process.stdout:
            process.stdout.close()
        self._process = None


def _started(args: Sequence[str]) -> "subprocess.Popen[bytes] | None":
    """Start a process that prints the advice; None if it cannot be started."""
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    try:
        return subprocess.Popen(
            python_command("-m", __name__, os.getpid(), *args),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | one_thread,
        )
    except OSError:
        return None


def _lower_priority() -> None:
    """Use the lowest priority and one processor, and leave the others to the camera."""
    if hasattr(os, "nice"):
        os.nice(19)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def _main(parent: str, folder: str, *labels: str) -> None:
    end_with_parent(int(parent))
    _lower_priority()
    from handlore.datasets.loading import load_recordings

    recorded = load_recordings(Path(folder))
    from .coach import advise

    sys.stdout.write(json.dumps(advise(recorded, labels)))


if __name__ == "__main__":
    _main(*sys.argv[1:])
