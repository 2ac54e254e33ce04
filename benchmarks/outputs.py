"""What outputs cost a frame of live recognition: receivers that read, hang and flood, in turns.

Each round tracks the same frames as fast as they are asked for, and shows each to one output. Two
hands are sent. Medians are of the wall clock; the processor time is that of the thread of the loop,
which other programs do not change. At the end the encoding of Open Sound Control is compared with
python-osc.
"""

import argparse
import contextlib
import json
import os
import socket
import statistics
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import numpy as np

from handlore.capture.live.loop import LiveState, LiveView
from handlore.capture.outputs.base import make_output
from handlore.capture.outputs.messages import LandmarkMessage
from handlore.capture.outputs.osc import osc_message
from handlore.capture.outputs.sender import Sender
from handlore.capture.outputs.stdout import LandmarkPrinter
from handlore.datasets.rendered import Person, Scene, render_pose
from handlore.landmarks.detector import DetectorOptions
from handlore.landmarks.hands import Hand
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.opening import open_detector

FPS = 30


@contextmanager
def printer(*, reads: bool) -> Iterator[LiveView]:
    """Print into a pipe that is read, or that nobody reads."""
    reading, writing = os.pipe()
    real, sys.stdout = sys.stdout, os.fdopen(writing, "w")
    view = LandmarkPrinter()
    sys.stdout, pipe = real, sys.stdout
    if reads:
        threading.Thread(target=drain, args=(lambda: os.read(reading, 65536),), daemon=True).start()
    yield view
    os.close(reading)
    with contextlib.suppress(BrokenPipeError):
        view.close()
    pipe.close()


def drain(read: Callable[[], bytes]) -> None:
    """Read until there is nothing more."""
    with contextlib.suppress(OSError):
        while read():
            pass


@contextmanager
def receiver(scheme: str, behaviour: str = "") -> Iterator[LiveView]:
    """Send to a socket that takes everything, or hangs, or floods; or to nobody at all."""
    with ExitStack() as stack:
        kind = socket.SOCK_STREAM if scheme == "tcp" else socket.SOCK_DGRAM
        listener = stack.enter_context(socket.socket(socket.AF_INET, kind))
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        if behaviour == "vanished":
            listener.close()
        elif scheme == "tcp":
            listener.listen()
        sender = Sender(make_output(f"{scheme}://127.0.0.1:{port}"))
        stack.callback(sender.close)
        if scheme == "tcp" and behaviour != "vanished":
            connection = stack.enter_context(listener.accept()[0])
            if behaviour == "floods":
                work = lambda: drain(lambda: b"x" * connection.send(b"x" * 65536))  # noqa: E731
            else:
                work = lambda: drain(lambda: connection.recv(65536))  # noqa: E731
            if behaviour != "hangs":
                threading.Thread(target=work, daemon=True).start()
        yield sender


CASES: dict[str, Callable[[], contextlib.AbstractContextManager[LiveView]]] = {
    "nothing": lambda: contextlib.nullcontext(LiveView()),
    "--landmarks": lambda: printer(reads=True),
    "--landmarks, nobody reads": lambda: printer(reads=False),
    "udp": lambda: receiver("udp"),
    "osc": lambda: receiver("osc"),
    "tcp": lambda: receiver("tcp"),
    "tcp, hangs": lambda: receiver("tcp", "hangs"),
    "tcp, floods": lambda: receiver("tcp", "floods"),
    "tcp, vanished": lambda: receiver("tcp", "vanished"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=150, help="of each output in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    pictures = [
        render_pose("open_palm", Person(), Scene(seed=5, x=0.4 + 0.01 * k)).pixels
        for k in range(10)
    ]
    shown, work, rates = defaultdict(list), defaultdict(list), defaultdict(list)
    with quiet_native_log(), open_detector(DetectorOptions(video=True)) as detector:
        for _ in range(given.rounds):
            for name, case in CASES.items():
                with case() as view:
                    detector.reset()
                    costs, used, rate = track(detector, view, pictures, given.frames)
                shown[name] += costs
                work[name].append(used / given.frames)
                rates[name].append(rate)
    rows = {
        name: {
            "median_ms": round(1000 * statistics.median(costs), 3),
            "processor_ms": round(1000 * statistics.fmean(work[name]), 3),
            "rate": round(statistics.median(rates[name]) / statistics.median(rates["nothing"]), 3),
        }
        for name, costs in shown.items()
    }
    rows |= encodings()
    if given.json:
        print(json.dumps(rows, indent=2))
        return
    for name, row in rows.items():
        print(f"{name:28}", "  ".join(f"{key} {value:7.3f}" for key, value in row.items()))


def track(detector, view: LiveView, pictures, frames: int) -> tuple[list[float], float, float]:
    """Return what showing each frame took, its processor time in all, and frames per second."""
    costs, used, began = [], 0.0, time.perf_counter()
    for number in range(frames):
        picture = pictures[abs(number % 18 - 9)]
        hands = detector.track(picture, number / FPS)
        state = LiveState(number / FPS, picture, [*hands, *hands])
        start, work = time.perf_counter(), time.thread_time()
        view.show(state)
        used += time.thread_time() - work
        costs.append(time.perf_counter() - start)
    return costs, used, frames / (time.perf_counter() - began)


def encodings() -> dict[str, dict[str, float]]:
    """Return how long it takes to encode two hands, in milliseconds."""
    rng = np.random.default_rng(0)
    hand = Hand(rng.random((21, 3), np.float32), rng.random((21, 3), np.float32), 0.9, 0.9)
    state = LiveState(0.0, np.zeros((480, 640, 3), np.uint8), [hand, hand])
    values = rng.random(128).tolist()
    ways = {
        "JSON line": lambda: LandmarkMessage.of(state).line,
        "OSC /hands/arr": lambda: osc_message("/hands/arr", 640, 480, 2, *values),
    }
    with contextlib.suppress(ImportError):
        from pythonosc.osc_message_builder import build_msg

        ways["the same, python-osc"] = lambda: build_msg("/hands/arr", [640, 480, 2, *values])
    return {name: {"ms": round(time_of(way), 3)} for name, way in ways.items()}


def time_of(way: Callable[[], object], n: int = 300) -> float:
    took = []
    for _ in range(n):
        start = time.perf_counter()
        way()
        took.append(time.perf_counter() - start)
    return 1000 * statistics.median(took)


if __name__ == "__main__":
    main()
