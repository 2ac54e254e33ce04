"""What outputs cost a frame of live recognition: receivers that read, hang and flood, in turns.

Frames are tracked as fast as they are asked for, and shown to one output after the other, five at a
time. Two hands are sent. Medians are of the wall clock; the processor time is that of the thread of
the loop, which other programs do not change; the rate is that of the frames, beside that without an
output. At the end the encoding of Open Sound Control is compared with python-osc.
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
from handlore.capture.outputs.base import LandmarkMessage, make_output
from handlore.capture.outputs.osc import _osc_message
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
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
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
    parser.add_argument("--turns", type=int, default=60, help="of each output, 5 frames each")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with ExitStack() as stack:
        stack.enter_context(quiet_native_log())
        views = {name: stack.enter_context(case()) for name, case in CASES.items()}
        times = track(views, given.turns)
    usual = statistics.median(whole for _, _, whole in times["nothing"])
    rows = {}
    for name, frames in times.items():
        shown, used, whole = zip(*frames, strict=True)
        rows[name] = {
            "median_ms": round(1000 * statistics.median(shown), 3),
            "processor_ms": round(1000 * statistics.fmean(used), 3),
            "rate": round(usual / statistics.median(whole), 3),
        }
    rows |= encodings()
    if given.json:
        print(json.dumps(rows, indent=2))
        return
    for name, row in rows.items():
        print(f"{name:28}", "  ".join(f"{key} {value:7.3f}" for key, value in row.items()))


def track(views: dict[str, LiveView], turns: int) -> dict[str, list[tuple[float, float, float]]]:
    """Track frames and show them to one view after the other.

    Returns for each frame what showing it took, the processor time of that, and the time with
    tracking the frame after it.
    """
    pictures = [
        render_pose("open_palm", Person(), Scene(seed=5, x=0.4 + 0.01 * k)).pixels
        for k in range(10)
    ]
    times, number = defaultdict(list), 0
    with open_detector(DetectorOptions(video=True)) as detector:
        hands = detector.track(pictures[0], 0.0)
        for _ in range(turns):
            for name, view in views.items():
                for _ in range(5):
                    state = LiveState(number / FPS, pictures[0], [*hands, *hands])
                    number += 1
                    start, work = time.perf_counter(), time.thread_time()
                    view.show(state)
                    work, shown = time.thread_time() - work, time.perf_counter() - start
                    hands = detector.track(pictures[abs(number % 18 - 9)], number / FPS)
                    times[name].append((shown, work, time.perf_counter() - start))
    return times


def encodings() -> dict[str, dict[str, float]]:
    """Return how long it takes to encode two hands, in milliseconds."""
    rng = np.random.default_rng(0)
    hand = Hand(rng.random((21, 3), np.float32), rng.random((21, 3), np.float32), 0.9, 0.9)
    state = LiveState(0.0, np.zeros((480, 640, 3), np.uint8), [hand, hand])
    values = rng.random(128).tolist()
    ways = {
        "JSON line": lambda: LandmarkMessage.of(state).line,
        "OSC /hands/arr": lambda: _osc_message("/hands/arr", 640, 480, 2, *values),
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
