"""Damaged and hostile files against every reader: ``make fuzz``.

Each case runs in a process of its own with limits. A fault is an exception that is no
HandloreError, an undocumented exit code, a crash, more than 20 seconds, or more than 1 GB. Cases
depend on --seed and their number only, so that a fault can be repeated:
``--only models --seed 0 --case 17``. ``--total 20000`` runs that many cases instead of a time,
more of the campaigns whose cases are short.
"""

import argparse
import contextlib
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
MOST_MB = 1024
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


def run_case(name, seed, number, good, folder):
    """Run a case in a child; return exit status, seconds, memory in MB, and what it printed."""
    folder.mkdir()
    log = folder.with_suffix(".log")
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        _child(name, seed, number, good, folder, log)
    _, status, usage = os.wait4(child, 0)
    seconds = time.monotonic() - started
    text = log.read_bytes() if log.exists() else b""
    shutil.rmtree(folder, ignore_errors=True)
    log.unlink(missing_ok=True)
    return status, seconds, usage.ru_maxrss / 1024, text


def _child(name, seed, number, good, folder, log):
    code = _FAULT
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(SECONDS + 5)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
        out = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.chdir(folder)
        rng = np.random.default_rng([seed, list(CAMPAIGNS).index(name), number])
        try:
            CAMPAIGNS[name](rng, good, folder)
            code = 0
        except HandloreError as error:
            code = 1
            if not str(error).isprintable():
                raise ValueError("the message is not printable") from error
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:  # noqa: BLE001 (whatever it is, it is a fault)
        code = _FAULT
        os.write(2, traceback.format_exc().encode("utf-8", "replace"))
    finally:
        os._exit(code)


def fault_of(status, seconds, peak_mb, text):
    """Return what is wrong with a result, or an empty text."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return "hang" if number == signal.SIGALRM else f"crash ({signal.Signals(number).name})"
    if os.WEXITSTATUS(status) not in _DOCUMENTED or b"Traceback" in text:
        lines = text.decode("utf-8", "replace").strip().splitlines()
        return f"traceback: {lines[-1][:150] if lines else '?'}"
    if seconds > SECONDS:
        return f"{seconds:.0f} s"
    return f"{peak_mb:.0f} MB" if peak_mb > MOST_MB else ""


def campaign(name, args, good, home, until):
    """Run cases of a campaign until a time or a number, in --jobs processes; return its row."""
    if args.case is not None:
        return share(name, args, good, home, until, [args.case])
    most = round(args.total * _SHARES[name]) if args.total else args.cases
    shares = [range(first, most, args.jobs) for first in range(args.jobs)]
    run = partial(share, name, args, good, home, until)
    if args.jobs == 1:
        return run(shares[0])
    with ProcessPoolExecutor(args.jobs, mp_context=get_context("fork")) as pool:
        return sum(pool.map(run, shares), Row())


def share(name, args, good, home, until, numbers):
    """Run cases of these numbers until a time; return their row."""
    row = Row()
    for number in numbers:
        if time.monotonic() > until:
            break
        result = run_case(name, args.seed, number, good, home / f"{name}-{number}")
        status, seconds, peak, text = result
        refused = os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0
        fault = fault_of(*result)
        row += Row(1, refused, [fault] if fault else [], peak, (seconds, number))
        if fault:
            print(f"{name} --case {number}: {fault}", flush=True)
            if args.case is not None:
                print(text.decode("utf-8", "replace"))
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="for all campaigns together")
    parser.add_argument("--cases", type=int, default=1 << 30, help="at most so many for each")
    parser.add_argument("--total", type=int, help="so many cases, however long that takes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=list(CAMPAIGNS), action="append")
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
