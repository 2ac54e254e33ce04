"""A program that keeps recordings, and says the name of each when it is kept.

``keep_recordings.py ROOT N``; with a third number, that many children are killed while they do.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np

from handlore.datasets.dataset import Header, LandmarkDataset, Samples
from handlore.datasets.recording_files import recording_files
from handlore.datasets.recordings import RecordingFolder


def recording(label: str, n: int = 30) -> LandmarkDataset:
    marks = np.random.default_rng(0).random((n, 1, 21, 3)).astype(np.float32)
    ones = np.ones((n, 1), np.float32)
    return LandmarkDataset(
        marks,
        marks,
        ones,
        ones,
        np.zeros((n, 1), np.int8),
        np.arange(n) / 30,
        np.array([0, n]),
        Samples.make([label]),
        Header(kind="sequence"),
    )


def keep(root: Path, n: int) -> None:
    folder = RecordingFolder.open(root)
    video = root / f".{os.getpid()}.tmp.avi"
    for number in range(n):
        if number % 2:
            video.write_bytes(b"picture" * 1000)
        path = folder.keep(recording("abc"[number % 3]), video if number % 2 else None)
        os.write(1, f"{folder.name_of(path)}\n".encode())


def keep_and_be_killed(root: Path, n: int) -> None:
    enough = len(recording_files(root)) + random.randint(1, 4)
    child = os.fork()
    if child == 0:
        keep(root, n)
        os._exit(0)
    while len(recording_files(root)) < enough:
        time.sleep(0.001)
    time.sleep(random.uniform(0, 0.01))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


if __name__ == "__main__":
    if len(sys.argv) == 4:
        for _ in range(int(sys.argv[3])):
            keep_and_be_killed(Path(sys.argv[1]), int(sys.argv[2]))
    else:
        keep(Path(sys.argv[1]), int(sys.argv[2]))
