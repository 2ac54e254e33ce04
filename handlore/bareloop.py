"""What people write without handlore: OpenCV reads, MediaPipe detects. Only for comparison.

It imports nothing else, so that ``python -m handlore.bareloop BUNDLE N FILE...`` shows the memory
of such a loop in a process of its own.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path


class BareLoop:
    """Detects the hands in picture files and throws the result away."""

    def __init__(self, bundle: Path) -> None:
        import cv2
        import mediapipe

        self._cv2, self._mediapipe = cv2, mediapipe
        tasks = mediapipe.tasks
        self._landmarker = tasks.vision.HandLandmarker.create_from_options(
            tasks.vision.HandLandmarkerOptions(tasks.BaseOptions(model_asset_path=str(bundle)))
        )

    def __call__(self, paths: Sequence[Path | str]) -> None:
        """Go through the files."""
        for path in paths:
            pixels = self._cv2.cvtColor(self._cv2.imread(str(path)), self._cv2.COLOR_BGR2RGB)
            srgb = self._mediapipe.ImageFormat.SRGB
            self._landmarker.detect(self._mediapipe.Image(image_format=srgb, data=pixels))

    def close(self) -> None:
        """Free the networks."""
        self._landmarker.close()


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
    watch, loop = MemoryWatch(int(early)), BareLoop(Path(bundle))
    for done in range(1, int(n) + 1):
        loop([files[done % len(files)]])
        watch.look(done, int(n))
    print(watch.report())  # noqa: T201
    loop.close()


if __name__ == "__main__":
    _main(*sys.argv[1:])
