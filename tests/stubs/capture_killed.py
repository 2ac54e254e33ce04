"""A program that records without end, for killing it."""

import itertools
import sys
from pathlib import Path

from capture_stubs import FPS, Rig

from handlore.capture.recording.writer import VideoFolder


class Tireless:
    """Presses the key that records before every frame, which changes nothing while it does."""

    def pressed(self) -> list[str]:
        return [" "] if self.session.state.value == "idle" else []


def main(root: Path) -> None:
    rig = Rig(root, range(10**6), review=0.0, videos=VideoFolder(root))
    clock = itertools.count()
    rig.parts.feed.times = lambda number: next(clock) / FPS
    rig.parts.keys = keys = Tireless()
    keys.session = rig.parts.session
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    rig.run()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
