"""What worker processes of tests import by name: a detector without networks, deadly sources.

It may run as a program: the command line, with the deadly sources among the layouts.
"""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fakes import BrightDetector

from handlore.datasets.conversion.workers import DetectorFactory
from handlore.datasets.sources.base import SOURCES, Item, LandmarkClip, Listing, Source, option
from handlore.datasets.sources.images import Images
from handlore.landmarks.detector import DetectorInfo
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.hands import Hand


class OtherBright(BrightDetector):
    """The same with other networks."""

    info = DetectorInfo("bright", "1", "full", "1" * 64)


@dataclass(frozen=True)
class Brights(DetectorFactory):
    """Opens it; ``wrong`` opens another one than it says."""

    wrong: bool = False

    def info(self):
        return BrightDetector.info

    def open(self):
        return OtherBright() if self.wrong else BrightDetector()


@SOURCES.register
@dataclass(frozen=True)
class Deadly(Images):
    """Pictures that do to the process what their name says."""

    name = "deadly"
    layout = "<label>/*.png"
    specificity = -10

    slow: float = option(0.0, "Seconds that a picture takes.")
    wait: float = option(0.0, "Seconds before a process exits.")

    def fits(self, root: Path) -> bool:
        return False

    def read(self, item: Item):
        time.sleep(self.slow)
        if "exit" in item.path.name:
            time.sleep(self.wait)
            os._exit(9)
        if "segfault" in item.path.name:
            os.kill(os.getpid(), signal.SIGSEGV)
        if "missing" in item.path.name:
            raise HandloreError("the bundle is missing; fetch it")
        if "bug" in item.path.name:
            raise ZeroDivisionError("a bug")
        return super().read(item)


@dataclass(frozen=True)
class Ready(Source):
    """A source that brings landmarks."""

    name = "ready"
    layout = "numbers"
    brings_landmarks = True
    n: int = 3

    def scan(self, root):
        items = [Item(root, f"a#{k}", f"label {k % 3}", part=k) for k in range(self.n)]
        return Listing(items, notes=["numbers are used as landmarks"])

    def read(self, item):
        marks = np.full((21, 3), item.part, np.float32)
        return LandmarkClip(f"{item.part:064d}", [(0.0, [Hand(marks, marks, 0.9)])])


if __name__ == "__main__":
    import handlore_stubs  # noqa: F401, registers the Deadly that workers can import

    from handlore.cli import main

    main()
