"""Training of movements beside other programs, in processor time.

``python benchmarks/busy.py``: trains on examples of ``movements``, alone and beside a busy program
of another session. Where threads wait for each other, the processor time grows several times; else
only the time that passes does.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np

import handlore
from handlore.models.ready import READY_MODELS


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=int, default=1)
    options = parser.parse_args()
    examples = handlore.load_dataset(READY_MODELS["movements"].examples)
    with tempfile.TemporaryDirectory() as folder:
        data, out = Path(folder, "own.npz"), Path(folder, "own.onnx")
        handlore.save_dataset(examples.select(np.arange(0, examples.n_samples, 12)), data)
        command = [sys.executable, "-m", "handlore", "train", data, "--base", "movements"]
        alone = _times([*command, "--out", out])
        with ExitStack() as stack:
            for _ in range(options.programs):
                loop = [sys.executable, "-c", "while True: pass"]
                busy = subprocess.Popen(loop, start_new_session=True)
                stack.callback(busy.wait)
                stack.callback(busy.kill)
            beside = _times([*command, "--out", out])
    print(f"alone: {alone[0]:.0f} s, processor time {alone[1]:.0f} s")
    print(f"beside busy programs ({options.programs}): {beside[0]:.0f} s, {beside[1]:.0f} s")
    print(f"processor time: {beside[1] / alone[1]:.2f} times that alone")


def _times(command):
    """Return the seconds that pass, and those of the processors, while a command runs."""
    started, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    passed, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return passed, after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime


if __name__ == "__main__":
    main()
