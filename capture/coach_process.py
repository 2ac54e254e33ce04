"""The coach beside the camera: a process of its own at the lowest priority, never waited for."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


class BackgroundCoach:
    """Thinks about a folder while something else goes on. Close it, or use ``with``.

    Every call returns at once. What is asked while it thinks is thought about afterwards, once.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._next: tuple[str, ...] | None = None
        self._lines: list[str] = []

    def consider(self, folder: Path, labels: Sequence[str] = ()) -> None:
        """Have the recordings in a folder looked at.

        Parameters
        ----------
        folder
            A folder of recordings.
        labels
            Those that are to be recorded, if more than are there.
        """
        self._next = (str(folder), *labels)
        self._look()

    def advice(self) -> list[str]:
        """Return the latest lines, the most useful first; none until there are any."""
        self._look()
        return list(self._lines)

    @property
    def thinking(self) -> bool:
        """Whether more is to be expected."""
        self._look()
        return self._process is not None

    def close(self) -> None:
        """Stop thinking."""
        self._next = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._end(self._process)

    def __enter__(self) -> "BackgroundCoach":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _look(self) -> None:
        """Take what a process has said that has ended, and start the next."""
        process = self._process
        if process is not None and process.poll() is not None:
            said = process.stdout.read() if process.stdout else b""
            self._end(process)
            if process.returncode == 0:
                self._lines = json.loads(said)
        if self._process is None and self._next is not None:
            self._process, self._next = _started(self._next), None

    def _end(self, process: "subprocess.Popen[bytes]") -> None:
        if process.stdout:
            process.stdout.close()
        self._process = None


def _started(args: Sequence[str]) -> "subprocess.Popen[bytes] | None":
    """Start a process that prints the advice; None where no process can be had."""
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    try:
        return subprocess.Popen(
            [sys.executable, "-m", __name__, *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | one_thread,
        )
    except OSError:
        return None


def _be_modest() -> None:
    """Take the lowest priority and one processor, so that the camera has the others."""
    if hasattr(os, "nice"):
        os.nice(19)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def main(folder: str, *labels: str) -> None:
    """Print the advice for a folder as a JSON list of lines."""
    _be_modest()
    from handlore.datasets.loading import load_recordings

    from .coach import advise

    sys.stdout.write(json.dumps(advise(load_recordings(Path(folder)), labels)))


if __name__ == "__main__":
    main(*sys.argv[1:])
