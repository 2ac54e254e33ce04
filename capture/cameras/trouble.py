"""Why a camera cannot be opened, as far as the system tells, and what to do."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from handlore.landmarks.choice import is_arm_linux

DEVICES = Path("/dev")
PROCESSES = Path("/proc")


def video_devices() -> list[str]:
    """List the video devices of a Linux system, by their numbers."""
    found = DEVICES.glob("video*")
    numbered = [(int(path.name[5:]), str(path)) for path in found if path.name[5:].isdigit()]
    return [path for _, path in sorted(numbered)]


def why_not_open(device: int | str) -> str:
    """Say in one line why a webcam cannot be opened, and what to do."""
    name = f"camera {device}" if isinstance(device, int) else str(device)
    return f"{name} cannot be opened: {_reason(device)}"


def _reason(device: int | str) -> str:
    if not sys.platform.startswith("linux"):
        allow = " and that this program may use it (System Settings, Privacy, Camera)"
        return (
            "check that it is plugged in, that no other program uses it,"
            f"{allow if sys.platform == 'darwin' else ''} or name another one with --camera"
        )
    path = Path(f"{DEVICES}/video{device}" if isinstance(device, int) else str(device))
    if not path.exists():
        return absent()
    if not os.access(path, os.R_OK | os.W_OK):
        return f"{path} may not be read by you; `sudo usermod -aG video $USER`, then log in again"
    users = programs_using(path)
    if users:
        return f"it is in use by {', '.join(users)}; end that program"
    return f"{path} gives no pictures; name another device with --camera{_pi_camera()}"


def absent() -> str:
    """Say why there is no such camera, and what to do."""
    there = video_devices()
    if there:
        return f"there is none; found: {', '.join(there)} (--camera {there[0]}){_pi_camera()}"
    return f"no camera is plugged in, or this system does not pass it on{_pi_camera()}"


def _pi_camera() -> str:
    if not is_arm_linux():
        return ""
    if find_spec("picamera2") is not None:
        return "; for a Raspberry Pi camera: --camera picamera"
    return "; for a Raspberry Pi camera: `sudo apt install python3-picamera2`, --camera picamera"


def programs_using(path: Path) -> list[str]:
    """Name the programs that hold a device open, as far as they may be seen; Linux only."""
    target, users = os.path.realpath(path), []
    for process in PROCESSES.glob("[0-9]*"):
        if int(process.name) == os.getpid():
            continue
        try:
            links = [os.readlink(one) for one in (process / "fd").iterdir()]
            if target in links:
                users.append(f"{(process / 'comm').read_text().strip()} (process {process.name})")
        except OSError:  # ended meanwhile, or somebody else's
            continue
    return users
