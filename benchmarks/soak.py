"""`live --serve --record --actions` for a long time, with a camera that comes and goes.

``soak.py --minutes 120``: memory of the process every two seconds, and its slope after the first
third of the time, but at most ten minutes. A browser reads the page's stream and pictures; every
half minute the camera is lost for two seconds. A slope over a few minutes says little.
"""

import argparse
import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from handlore.capture.cameras import CameraError, CameraFrame, CameraSpec
from handlore.capture.live.loop import LiveView
from handlore.capture.live.run import LiveOptions, run_live
from handlore.datasets.rendered import Person, Scene, render_pose
from handlore.landmarks.nativelog import quiet_native_log

OLDER = Path(__file__).parents[1] / "tests" / "older_files"
MODELS = (OLDER / "poses-forest.onnx", OLDER / "movements.onnx")
FPS, SIZE = 15, (320, 240)
LOST_EVERY, LOST_FOR = 30.0, 2.0
_START_SECONDS = 20.0
ACTIONS = '[actions."*"]\nrun = ["true", "{label}"]\n'


class ComingAndGoing:
    """A camera that shows hands, and is unplugged now and then."""

    name = "a camera that comes and goes"
    losses = 0

    def __init__(self, pictures, until):
        self._pictures, self._until = pictures, until
        self._opened = time.monotonic()
        self._number = 0

    def read(self):
        """Return the next frame in real time."""
        time.sleep(1 / FPS)
        now = time.monotonic()
        if now > self._until:
            os.kill(os.getpid(), 15)
            time.sleep(1)
        if now - self._opened > LOST_EVERY:
            ComingAndGoing.losses += 1
            time.sleep(LOST_FOR)
            raise CameraError("the camera was unplugged")
        self._number += 1
        picture = self._pictures[self._number // (2 * FPS) % len(self._pictures)]
        shift = round(30 * np.sin(self._number / 8))
        return CameraFrame(np.roll(picture, shift, axis=1), now)

    def close(self):
        """Do nothing."""


def hands():
    scene = Scene(background="room", seed=5)
    shown = [
        render_pose(pose, Person.random(3), scene, size=SIZE).pixels
        for pose in ("fist", "open_palm", "victory")
    ]
    return [*shown, np.full_like(shown[0], 90)]


def memory_mb():
    status = Path("/proc/self/status").read_text()
    return next(int(v.split()[1]) / 1024 for v in status.splitlines() if v.startswith("VmRSS"))


def watch(samples, until):
    """Note the memory until a time."""
    started = time.monotonic()
    while time.monotonic() < until:
        time.sleep(2)
        samples.append((time.monotonic() - started, memory_mb()))


class Browser:
    """Reads the page as a browser does, in a process of its own: its memory is not live's."""

    def __init__(self):
        self._process = None

    def begin(self, text):
        """Open the address that a run announces."""
        if text.startswith("the page: "):
            url = text.removeprefix("the page: ")
            command = [sys.executable, __file__, "--browse", url]
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE)

    def end(self):
        """Return how many bytes it has read."""
        self._process.terminate()
        return int(self._process.communicate()[0])


def browse(url):
    """Read the events and the pictures of a page until the process is terminated."""
    read = [0, 0]
    for k, look in enumerate((stream_events, fetch_pictures)):
        threading.Thread(target=again_and_again, args=(look, url, read, k), daemon=True).start()
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    ended.wait()
    print(sum(read))


def again_and_again(look, url, read, k):
    """Connect again whenever the page is lost."""
    while True:
        line = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
        with contextlib.suppress(OSError, http.client.HTTPException):
            look(line, read, k)
        line.close()
        time.sleep(0.5)


def stream_events(line, read, k):
    line.request("GET", "/events")
    answer = line.getresponse()
    while part := answer.read1(65536):
        read[k] += len(part)


def fetch_pictures(line, read, k):
    """Fetch one picture after another on one connection, as the page's script does."""
    number = 0
    while True:
        line.request("GET", f"/frame.jpg?after={number}")
        answer = line.getresponse()
        read[k] += len(answer.read())
        number = int(answer.headers.get("X-Frame", number))
        time.sleep(0.1)


class Face(LiveView):
    """What a run shows: counts events and actions."""

    def __init__(self, browser):
        self.events, self.actions = 0, 0
        self._browser = browser

    def say(self, text):
        """Take the address of the page."""
        self._browser.begin(text)

    def on_event(self, event):
        """Count it."""
        self.events += 1

    def on_action(self, result):
        """Count it."""
        self.actions += result.state == "done"


def slope(samples, settled):
    """Return MB an hour after the start has settled, by least squares."""
    later = np.array([one for one in samples if one[0] >= settled])
    return float(np.polyfit(later[:, 0] / 3600, later[:, 1], 1)[0]) if len(later) > 2 else np.nan


def soak(minutes, folder):
    """Run, and return what was measured."""
    (folder / "actions.toml").write_text(ACTIONS)
    pictures, samples, browser = hands(), [], Browser()
    until = time.monotonic() + 60 * minutes
    face = Face(browser)
    options = LiveOptions(
        actions=folder / "actions.toml",
        serve="127.0.0.1:0",
        record=folder / "recorded",
        buffer_seconds=30.0,
    )
    spec = CameraSpec("soak", True, lambda: ComingAndGoing(pictures, until))
    threading.Thread(target=watch, args=(samples, until), daemon=True).start()
    with contextlib.suppress(SystemExit):
        run_live(MODELS, spec, options=options, views=[face])
    settled = min(20.0 * minutes, 600.0)
    return {
        "minutes": minutes,
        "events": face.events,
        "actions": face.actions,
        "camera_losses": ComingAndGoing.losses,
        "recordings": len(list((folder / "recorded").glob("*/*.npz"))),
        "page_mb": round(browser.end() / 1e6, 1),
        "first_mb": round(next(mb for seconds, mb in samples if seconds > _START_SECONDS), 1),
        "last_mb": round(samples[-1][1], 1),
        "peak_mb": round(max(mb for _, mb in samples), 1),
        "settled_after_s": settled,
        "slope_mb_per_hour": round(slope(samples, settled), 1),
        "threads": threading.active_count(),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--browse", metavar="URL", help="be the browser of another process")
    options = parser.parse_args()
    if options.browse:
        browse(options.browse)
        return
    with tempfile.TemporaryDirectory(prefix="handlore-soak-") as folder, quiet_native_log():
        print(json.dumps(soak(options.minutes, Path(folder)), indent=2))


if __name__ == "__main__":
    sys.exit(main())
