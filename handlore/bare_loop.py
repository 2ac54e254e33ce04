"""What people write without handlore: OpenCV reads, MediaPipe detects. For comparison only.

``python -m handlore.bare_loop BUNDLE N EARLY FILE...`` prints the memory of such a loop; it imports
nothing else of handlore, or that would be counted too.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path


@contextmanager
def bare_loop(bundle: Path) -> Iterator[Callable[[Sequence[Path | str]], None]]:
    """Give a function that detects the hands in picture files and discards the result."""
    # Both are imported here, so that memory can be watched without them.
    import cv2
    import mediapipe

    vision, srgb = mediapipe.tasks.vision, mediapipe.ImageFormat.SRGB
    base = mediapipe.tasks.BaseOptions(model_asset_path=str(bundle))
    options = vision.HandLandmarkerOptions(base)

    def detect(paths: Sequence[Path | str]) -> None:
        for path in paths:
            pixels = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
            landmarker.detect(mediapipe.Image(image_format=srgb, data=pixels))

    with closing(vision.HandLandmarker.create_from_options(options)) as landmarker:
        yield detect


class MemoryWatch:
    """Notes the memory of this process at an early picture and at the last one, in MB."""

    def __init__(self, early: int) -> None:
        self._early = early
        self._early_mb = 0.0

    def look(self, done: int, total: int) -> None:
        """Note the memory if this is the early picture."""
        if done == min(self._early, total):
            self._early_mb = _status_mb("VmRSS")

    def report(self) -> str:
        """Return the figures as JSON."""
        last, peak = _status_mb("VmRSS"), _status_mb("VmHWM")
        return json.dumps({"peak_mb": peak, "early_mb": self._early_mb, "last_mb": last})


def _status_mb(field: str) -> float:
    # ru_maxrss would include the peak of the process that started this one.
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    return next(
        (int(v.split()[1]) / 1024 for v in lines if v.startswith(field + ":")), float("nan")
    )


def _main(bundle: str, n: str, early: str, *files: str) -> None:
    watch = MemoryWatch(int(early))
    with bare_loop(Path(bundle)) as detect:
        for done in range(1, int(n) + 1):
            detect([files[done % len(files)]])
            watch.look(done, int(n))
        print(watch.report())  # noqa: T201


if __name__ == "__main__":
    _main(*sys.argv[1:])
