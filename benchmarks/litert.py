"""The LiteRT detector beside MediaPipe's, in turns, in one run.

Times are medians over rounds in which both do the same work one after the other, so that whatever
else the machine does falls on both. `--threads` is for LiteRT only; MediaPipe uses one thread for
each network on a PC. Rendered hands: how fast a network is does not depend on what it sees.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack

import numpy as np

from handlore.datasets.rendered import Person, Scene, render_background, render_pose
from handlore.landmarks.detectors.litert import AdaptiveSchedule, LiteRTDetector
from handlore.landmarks.detectors.mediapipe import MediaPipeDetector
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.search import _plan_transforms
from handlore.landmarks.weights import require_bundle

SIZE = (640, 480)
FPS = 30

START = """
import json, sys, time
start = time.perf_counter()
import numpy as np
from handlore.landmarks.weights import require_bundle
if sys.argv[1] == "mediapipe":
    from handlore.landmarks.detectors.mediapipe import MediaPipeDetector as Detector
else:
    from handlore.landmarks.detectors.litert import LiteRTDetector as Detector
pixels = np.load(sys.argv[3])
with Detector(require_bundle(sys.argv[2])) as detector:
    assert len(detector.detect(pixels)) == 1
    first = time.perf_counter() - start
    for step in range(60):
        detector.track(pixels, step / 30)
    detector.detect(pixels)
status = open("/proc/self/status").read() if sys.platform == "linux" else "VmHWM: 0"
peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
print(json.dumps({"first": first, "peak": peak}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--landmarker", choices=("full", "lite"), default="full")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    bundle = require_bundle(options.landmarker)
    with quiet_native_log(), ExitStack() as stack:
        reference, reference_two = (
            stack.enter_context(MediaPipeDetector(bundle, max_hands=n)) for n in (1, 2)
        )
        ours, ours_two = (
            stack.enter_context(LiteRTDetector(bundle, max_hands=n, threads=options.threads))
            for n in (1, 2)
        )
        always = AdaptiveSchedule(second_hand=0, alert=0, after_loss=0, heartbeat=0)
        every = stack.enter_context(LiteRTDetector(bundle, schedule=always))
        _print_header(reference, ours, options.landmarker)
        picture = render_pose("open_palm", Person(), Scene(), size=SIZE).pixels
        _stills(reference, ours, picture, options.rounds)
        _tracked(reference, ours, picture, options.rounds)
        _empty(reference, ours, every, options.rounds)
        _second_hand((reference, reference_two), (ours, ours_two), picture, options.rounds)
        _views(reference, ours, picture, options.rounds)
    _start(options.landmarker, picture, options.rounds)


def in_turns(*work: Callable[[], object], rounds: int, clock=time.perf_counter) -> list[float]:
    """Return the median seconds of each piece of work, done in turns."""
    seconds = [[] for _ in work]
    for _ in range(rounds):
        for place, piece in enumerate(work):
            start = clock()
            piece()
            seconds[place].append(clock() - start)
    return [statistics.median(times) for times in seconds]


def _stills(reference, ours, picture, rounds) -> None:
    n = 10
    pictures = [np.roll(picture, 3 * k, axis=1) for k in range(n)]

    def work(detector):
        return lambda: [detector.detect(one) for one in pictures]

    for clock in (time.perf_counter, time.process_time):
        theirs, mine = in_turns(work(reference), work(ours), rounds=rounds, clock=clock)
        _row(f"a still, {_of(clock)}", theirs / n, mine / n, "ms", 1.0)


def _tracked(reference, ours, picture, rounds) -> None:
    frames = [np.roll(picture, k, axis=1) for k in range(30)]
    for clock in (time.perf_counter, time.process_time):
        theirs, mine = in_turns(
            _video(reference, frames), _video(ours, frames), rounds=rounds, clock=clock
        )
        _row(f"a tracked frame, {_of(clock)}", theirs / len(frames), mine / len(frames), "ms", 1.0)
    total, network = _shares(ours, frames * 5)
    print(f"{'  of it ours, not the network':<44}{'':>11}{1000 * (total - network):>9.2f} ms"
          f"{'':>8}  wanted <= 0.60 ms")  # fmt: skip


def _shares(ours, frames) -> tuple[float, float]:
    """Return the median seconds of a tracked frame, and of the hand network in it."""
    interpreter = ours._networks._hand._interpreter
    invoke, inside = interpreter.invoke, []

    def timed():
        start = time.perf_counter()
        invoke()
        inside.append(time.perf_counter() - start)

    interpreter.invoke = timed
    ours.reset()
    totals, networks = [], []
    for number, old in enumerate(frames):
        inside.clear()
        # A frame comes from the camera or a decoder just before: it is not cold.
        frame = old.copy()
        start = time.perf_counter()
        ours.track(frame, number / FPS)
        total = time.perf_counter() - start
        if number:
            totals.append(total - sum(inside))
            networks.append(sum(inside))
    ours.reset()
    del interpreter.invoke
    network = statistics.median(networks)
    return statistics.median(totals) + network, network


def _empty(reference, ours, every, rounds) -> None:
    seconds, random = 4, np.random.default_rng(0)
    still = render_background(5, size=SIZE).astype(np.int16)
    noise = random.normal(0, 4, (6, *still.shape))
    frames = [np.clip(still + one, 0, 255).astype(np.uint8) for one in noise]
    video = [frames[k % len(frames)] for k in range(FPS * seconds)]
    theirs, mine, plain = in_turns(
        *(_video(detector, video) for detector in (reference, ours, every)),
        rounds=max(3, rounds // 3),
        clock=time.process_time,
    )
    _row("a second of an empty scene, CPU", theirs / seconds, mine / seconds, "ms", 0.2)
    _row("  the same, palms sought in every frame", theirs / seconds, plain / seconds, "ms")


def _second_hand(references, ours, picture, rounds) -> None:
    frames = [np.roll(picture, k % 30, axis=1) for k in range(90)]
    work = [_video(detector, frames) for detector in (*references, *ours)]
    one, two, our_one, our_two = in_turns(*work, rounds=max(3, rounds // 3))
    n = len(frames)
    _row("a frame with one hand, two-hand mode", two / n, our_two / n, "ms", 1.0)
    print(f"{'  against one-hand mode':<44}{two / one:>10.2f}x{our_two / our_one:>11.2f}x"
          f"{'':>8}  wanted <= 1.15x")  # fmt: skip


def _views(reference, ours, picture, rounds) -> None:
    (hand,) = ours.detect(picture)
    theirs, mine = in_turns(
        lambda: [reference.detect(picture) for _ in range(8)],
        lambda: ours.detect_again(picture, hand, _plan_transforms(8)),
        rounds=rounds,
    )
    _row("8 views of a picture", theirs, mine, "ms", 0.55)


def _start(landmarker, picture, rounds) -> None:
    import tempfile
    from pathlib import Path

    results = {"mediapipe": [], "litert": []}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "picture.npy"
        np.save(file, picture)
        for _ in range(max(3, rounds // 2)):
            for name, found in results.items():
                command = [sys.executable, "-c", START, name, landmarker, str(file)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                found.append(json.loads(done.stdout.splitlines()[-1]))
    for key, title in (("first", "import and first result"), ("peak", "peak memory")):
        theirs, mine = (
            statistics.median(one[key] for one in results[name]) for name in ("mediapipe", "litert")
        )
        _row(title, theirs, mine, "ms" if key == "first" else "MB", 1.0)


def _video(detector, frames) -> Callable[[], None]:
    def work() -> None:
        detector.reset()
        for number, frame in enumerate(frames):
            detector.track(frame, number / FPS)

    return work


def _print_header(reference, ours, landmarker) -> None:
    print(f"networks: {landmarker}; mediapipe {reference.info.version},"
          f" ai-edge-litert {ours.info.version}; {SIZE[0]}x{SIZE[1]}\n")  # fmt: skip
    print(f"{'':<44}{'mediapipe':>11}{'litert':>12}{'ratio':>8}")


def _row(title, theirs, mine, unit, wanted=None) -> None:
    factor = 1000 if unit == "ms" else 1
    goal = f"  wanted <= {wanted:.2f}" if wanted else ""
    print(
        f"{title:<44}{factor * theirs:>8.1f} {unit}{factor * mine:>9.1f} {unit}"
        f"{mine / theirs:>8.2f}{goal}",
        flush=True,
    )


def _of(clock) -> str:
    return "elapsed" if clock is time.perf_counter else "CPU"


if __name__ == "__main__":
    main()
