"""Draws the picture of docs/explanation/evaluation.md: the start of a report in a browser.

Needs chromium. Run it as ``python docs/make_report_picture.py handlore-demo/poses.npz``.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import cv2

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "stubs"))
from browser import run  # noqa: E402

PICTURE = Path(__file__).parent / "pictures" / "report.png"
SIZE = (1100, 1420)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [sys.executable, "-m", "handlore", "crossval", sys.argv[1], "--report", folder]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        shot = folder / "shot.png"
        page = (folder / "report.html").as_uri()
        run(page, folder / "profile", f"--window-size={SIZE[0]},{SIZE[1]}", f"--screenshot={shot}")
        picture = cv2.resize(
            cv2.imread(str(shot)), None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA
        )
    cv2.imwrite(str(PICTURE), picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])


if __name__ == "__main__":
    main()
