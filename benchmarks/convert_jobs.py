"""`handlore convert --jobs 2` against a bare single-process loop, and the memory of its workers.

    python benchmarks/convert_jobs.py [FOLDER] [--pictures 4000] [--jobs 2] [--turns 3]

Whole commands are timed, from start to exit, in turns: the bare loop of OpenCV and MediaPipe
(handlore/benchmark.py) and `handlore convert`, over the same files, those of FOLDER in which one
plain call finds the hand, linked as often as it takes. Default: rendered hands. Memory is resident
memory of each worker when it has done about 200 and about 2,000 pictures (of 4,000 by two).
"""

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from handlore.datasets.conversion.convert import RunOptions, convert_to_file
from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.rendered import write_pictures
from handlore.datasets.sources import find_source, make_source
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.weights import require_bundle

EARLY, LATE = 200, 2000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--pictures", type=int, default=4000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        folder = options.folder or rendered(home / "rendered")
        linked = link(easy(folder, home), home / "linked", options.pictures)
        report(linked, home / "out.npz", options)


def rendered(folder: Path) -> Path:
    write_pictures(folder, n_people=10, per_pose=4, size=(640, 480))
    return folder


def easy(folder: Path, home: Path) -> list[Path]:
    """Return the files in which a plain call finds the hand."""
    source = make_source(find_source(folder)[0], {})
    with quiet_native_log():
        dataset = convert_to_file(source, folder, home / "easy.npz", run=RunOptions()).dataset
    # Of these: pictures that are linked many times would hardly need room.
    size = (home / "easy.npz").stat().st_size
    print(f"output: {size / dataset.n_samples:.0f} bytes a picture")
    return [folder / name for name in plain(dataset)]


def plain(dataset: LandmarkDataset) -> list[str]:
    return dataset.samples.source[dataset.stage[:, 0] == 0].tolist()


def link(files: list[Path], folder: Path, n: int) -> Path:
    (folder / "hand").mkdir(parents=True)
    for number, file in zip(range(n), itertools.cycle(files), strict=False):
        (folder / "hand" / f"{number:06d}{file.suffix}").symlink_to(file.resolve())
    return folder


def report(folder: Path, out: Path, options: argparse.Namespace) -> None:
    files = [str(file) for file in sorted((folder / "hand").iterdir())]
    both, memory = [], {}
    for _ in range(options.turns):
        before = spent()
        memory = convert(folder, out, options.jobs)
        between = spent()
        loop(files)
        both.append((between - before, spent() - between))
    (ours, ours_cpu), (bare, bare_cpu) = np.median(both, axis=0) * 1000 / len(files)
    turns = np.array(both)
    ratio = np.median(turns[:, 1, 0] / turns[:, 0, 0])
    print(f"{len(files)} pictures, --jobs {options.jobs}, median of {options.turns} turns")
    print(f"handlore convert: {ours:.1f} ms a picture, {ours_cpu:.1f} ms of processor time")
    print(f"bare loop:        {bare:.1f} ms a picture, {bare_cpu:.1f} ms of processor time")
    print(f"ratio:            {ratio:.2f} (wanted: 1.75 with two jobs on two cores)")
    for count, megabytes in memory.items():
        print(f"memory a worker after {count} pictures: {megabytes:.0f} MB")


def spent() -> np.ndarray:
    """Return the time on the clock, and the processor time of all processes that have ended."""
    times = os.times()
    return np.array([times.elapsed, times.children_user + times.children_system])


def convert(folder: Path, out: Path, jobs: int) -> dict[int, float]:
    """Run the command; return the memory of a worker early and late."""
    command = [sys.executable, "-m", "handlore", "convert", folder, out, "--jobs", str(jobs)]
    parts, memory = Path(f"{out}.parts"), {}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    n_pictures = sum(1 for _ in (folder / "hand").iterdir())
    a_part = min(max(16, n_pictures // 1000), 256)
    while process.poll() is None:
        each = len(list(parts.glob("0*.npz"))) * a_part // jobs
        memory |= {each: resident(process.pid) for each in [each] if each}
        time.sleep(0.3)
    assert process.returncode == 0
    return {near(memory, count): memory[near(memory, count)] for count in (EARLY, LATE)}


def near(memory: dict[int, float], count: int) -> int:
    return min((each for each in memory if memory[each]), key=lambda each: abs(each - count))


def resident(pid: int) -> float:
    """Return the most memory that a child of a process holds, in MB."""
    # Read here: a program that is asked ten times a second would count as processor time of ours.
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return max((status_mb(child) for child in children), default=0)
    except OSError:  # one has just ended
        return 0


def status_mb(pid: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0)


def loop(files: list[str]) -> None:
    command = [sys.executable, "-m", "handlore.benchmark", require_bundle().path, len(files), 200]
    subprocess.run([*map(str, command), *files], check=True, capture_output=True)


if __name__ == "__main__":
    main()
