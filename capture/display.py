"""Whether a window can be shown here, and what to do if not."""

import os
import subprocess
import sys
from collections.abc import Mapping

_PROBE = "import cv2; cv2.namedWindow('handlore'); cv2.waitKey(1); cv2.destroyAllWindows()"
_PATIENCE = 20.0
"""A Raspberry Pi takes seconds to import OpenCV."""


def why_no_window(environment: Mapping[str, str] | None = None) -> str | None:
    """Say why no window can be shown, and what to do; None if one can.

    A window is opened for a moment in a process of its own: where a display is named that is not
    there, the toolkit behind OpenCV does not raise an error but ends the process.

    Parameters
    ----------
    environment
        Default: that of this process.
    """
    environment = os.environ if environment is None else environment
    names = ("DISPLAY", "WAYLAND_DISPLAY")
    if sys.platform.startswith("linux") and not any(environment.get(name) for name in names):
        return (
            "there is no display (DISPLAY is not set): over SSH use `ssh -X`, on a Raspberry Pi a"
            " desktop or VNC"
        )
    if not opencv_has_windows():
        return (
            "this OpenCV was built without windows: `pip uninstall -y opencv-python-headless"
            " opencv-contrib-python-headless && pip install --force-reinstall"
            " opencv-contrib-python`"
        )
    if not _window_opens(environment):
        return (
            f"the display {environment.get('DISPLAY', '')!s} cannot be opened; check DISPLAY, and"
            " on a Wayland desktop that XWayland is installed"
        )
    return None


def opencv_has_windows() -> bool:
    """Say whether OpenCV was built with windows."""
    import cv2

    lines = cv2.getBuildInformation().splitlines()
    return not any(line.split() == ["GUI:", "NONE"] for line in lines)


def _window_opens(environment: Mapping[str, str]) -> bool:
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE], env=dict(environment), capture_output=True,
            timeout=_PATIENCE, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
