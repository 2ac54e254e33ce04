"""Damaged and hostile files against every reader: ``make fuzz``.

Cases run in processes with limits, :data:`BATCH` in each. A fault is an exception that is no
HandloreError, an undocumented exit code, a crash, more than 20 seconds of processor time (or two
minutes by the clock), or more than 1 GB. Cases depend on --seed and their number only, so that a
fault can be repeated: ``--only models --seed 0 --case 17``. ``--total 20000`` runs that many cases
instead of a time, more of the campaigns whose cases are short.
"""

import argparse
import contextlib
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from campaigns import CAMPAIGNS, Good

from handlore.datasets.sources import find_source
from handlore.landmarks.errors import HandloreError

SECONDS = 20
"""Most seconds of processor time; a busy computer takes longer by the clock."""
WAIT_SECONDS = 120
"""Most seconds by the clock, for what waits without end."""
MOST_MB = 1024
BATCH = 10
"""Cases in one process: starting one takes longer than most cases."""
_FAULT = 99
_DOCUMENTED = (0, 1, 2, 3)
_SHARES = {
    "datasets": 0.12,
    "recordings": 0.05,
    "models": 0.12,
    "actions": 0.18,
    "pictures": 0.18,
    "videos": 0.18,
    "tables": 0.09,
    "archives": 0.04,
    "weights": 0.04,
}
"""Of the cases of --total: about as the cases are fast, at least a twenty-fifth each."""


@dataclass
class Row:
    """The result of a campaign."""

    cases: int = 0
    refused: int = 0
    faults: list[str] = field(default_factory=list)
    peak_mb: float = 0.0
    slowest: tuple[float, int] = (0.0, 0)
    """Seconds and number of the slowest case."""

    def __add__(self, other):
        return Row(
            self.cases + other.cases,
            self.refused + other.refused,
            self.faults + other.faults,
            max(self.peak_mb, other.peak_mb),
            max(self.slowest, other.slowest),
        )


@dataclass(frozen=True)
class Result:
    """How a case ended."""

    number: int
    status: int
    """As ``os.wait`` returns it."""
    seconds: float
    peak_mb: float
    """Most memory of its process, earlier cases of the process included."""
    text: str
    """What it printed."""


def run_cases(name, seed, numbers, good, home):
    """Run cases in a child; yield their results, up to one that ended the child."""
    log = home / f"{name}.log"
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _child(name, seed, numbers, good, home / name, log, writing)
    os.close(writing)
    started, left = time.monotonic(), list(numbers)
    with os.fdopen(reading) as pipe:
        for line in pipe:
            yield Result(left.pop(0), *json.loads(line))
            started = time.monotonic()
    _, status, usage = os.wait4(child, 0)
    if left:
        seconds, peak = time.monotonic() - started, usage.ru_maxrss / 1024
        yield Result(left[0], status, seconds, peak, log.read_text("utf-8", "replace"))
    shutil.rmtree(home / name, ignore_errors=True)


def _child(name, seed, numbers, good, folder, log, pipe):
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
        stream = os.fdopen(pipe, "w")
        for number in numbers:
            signal.alarm(WAIT_SECONDS)
            out = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_APPEND)
            os.dup2(out, 1)
            os.dup2(out, 2)
            os.close(out)
            started = _processor_seconds()
            code = _case(name, seed, number, good, folder)
            seconds = _processor_seconds() - started
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            said = log.read_text("utf-8", "replace")
            stream.write(json.dumps([code << 8, seconds, peak, said]) + "\n")
            stream.flush()
    finally:
        os._exit(0)


def _processor_seconds():
    """Return the processor time of this process, and of the children that it waited for."""
    return sum(os.times()[:4])


def _case(name, seed, number, good, folder):
    """Run a case in a new folder; return its exit code."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    os.chdir(folder)
    code = 0
    try:
        rng = np.random.default_rng([seed, list(CAMPAIGNS).index(name), number])
        CAMPAIGNS[name](rng, good, folder)
    except HandloreError as error:
        code = 1 if str(error).isprintable() else _FAULT
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    except BaseException:  # noqa: BLE001 (whatever it is, it is a fault)
        code = _FAULT
        os.write(2, traceback.format_exc().encode("utf-8", "replace"))
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def fault_of(result):
    """Return what is wrong with a result, or an empty text."""
    if os.WIFSIGNALED(result.status):
        number = os.WTERMSIG(result.status)
        return "hang" if number == signal.SIGALRM else f"crash ({signal.Signals(number).name})"
    if os.WEXITSTATUS(result.status) not in _DOCUMENTED or "Traceback" in result.text:
        lines = result.text.strip().splitlines()
        return f"traceback: {lines[-1][:150] if lines else 'a message that is not printable'}"
    if result.seconds > SECONDS:
        return f"{result.seconds:.0f} s"
    return f"{result.peak_mb:.0f} MB" if result.peak_mb > MOST_MB else ""


def campaign(name, args, good, home, until):
    """Run cases of a campaign until a time or a number, in --jobs processes; return its row."""
    if args.case is not None:
        return share(name, args, good, home, until, [args.case])
    most = round(args.total * _SHARES[name]) if args.total else args.cases
    shares = [range(args.first + k, most, args.jobs) for k in range(args.jobs)]
    run = partial(share, name, args, good, home, until)
    if args.jobs == 1:
        return run(shares[0])
    with ProcessPoolExecutor(args.jobs, mp_context=get_context("fork")) as pool:
        return sum(pool.map(run, shares), Row())


def share(name, args, good, home, until, numbers):
    """Run cases of these numbers until a time; return their row."""
    row, left = Row(), list(numbers)
    home = home / f"process-{os.getpid()}"
    home.mkdir(exist_ok=True)
    while left and time.monotonic() < until:
        for result in run_cases(name, args.seed, left[:BATCH], good, home):
            left.remove(result.number)
            fault, refused = fault_of(result), result.status != 0
            place = (result.seconds, result.number)
            row += Row(1, refused, [fault] if fault else [], result.peak_mb, place)
            if fault:
                print(f"{name} --case {result.number}: {fault}", flush=True)
            if args.case is not None:
                print(result.text)
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="for all campaigns together")
    parser.add_argument("--cases", type=int, default=1_000_000, help="at most so many for each")
    parser.add_argument("--total", type=int, help="so many cases, however long that takes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=list(CAMPAIGNS), action="append")
    parser.add_argument("--first", type=int, default=0, help="number of the first case of each")
    parser.add_argument("--case", type=int, help="repeat one case, and print what it says")
    parser.add_argument("--jobs", type=int, default=1, help="processes that run cases")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    names = args.only or list(CAMPAIGNS)
    rows = {}
    with tempfile.TemporaryDirectory(prefix="handlore-fuzz-") as folder:
        home = Path(folder)
        os.environ["XDG_CACHE_HOME"] = str(home / "cache")
        (home / "good").mkdir()
        good = Good(home / "good")
        _preload(home / "good")
        for name in names:
            seconds = np.inf if args.total else 60 * args.minutes / len(names)
            rows[name] = campaign(name, args, good, home, time.monotonic() + seconds)
            print(_line(name, rows[name]), flush=True)
    _print(rows)
    return bool(any(row.faults for row in rows.values()))


def _preload(folder):
    """Import what cases use, so that each starts at once; finding a source imports all sources."""
    import handlore.capture.coach
    import handlore.cli.evaluate
    import handlore.cli.info
    import handlore.cli.recordings
    import handlore.cli.replay
    import handlore.models.predict
    import handlore.models.stream.replay  # noqa: F401

    with contextlib.suppress(HandloreError):
        find_source(folder)


def _print(rows):
    print(
        f"\n{'campaign':<12}{'cases':>8}{'refused':>9}{'faults':>8}{'peak MB':>9}"
        f"{'slowest s':>11}  case"
    )
    for name, row in rows.items():
        print(_line(name, row) + f"  {row.slowest[1]}")
    if len(rows) > 1:
        print(_line("all", sum(rows.values(), Row())), flush=True)


def _line(name, row):
    return (
        f"{name:<12}{row.cases:>8}{row.refused:>9}{len(row.faults):>8}{row.peak_mb:>9.0f}"
        f"{row.slowest[0]:>11.2f}"
    )


if __name__ == "__main__":
    sys.exit(main())
