"""Which of the detectors runs on this computer, which one is taken, and why.

Nothing here imports mediapipe: on some processors that alone kills the process.
"""

import platform
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from .errors import HandloreError

DETECTORS = ("mediapipe", "litert")
"""The implementations; ``auto`` picks one of them."""

CPU_INFO = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Choice:
    """The detector that is taken."""

    name: str
    reason: str


def choose_detector(wanted: str = "auto", *, live: bool = False) -> Choice:
    """Choose a detector.

    Parameters
    ----------
    wanted
        ``auto``, or one of :data:`DETECTORS`.
    live
        Whether a camera is being watched. Then it matters when the palm detector runs, which
        only ``litert`` lets us decide.

    Raises
    ------
    HandloreError
        If the one wanted, or under ``auto`` any, cannot run here; the message says what to do.
    """
    if wanted != "auto":
        problem = problem_with(wanted)
        if problem:
            raise HandloreError(f"the detector {wanted} cannot run here: {problem}")
        return Choice(wanted, "it was asked for")
    problems = {name: problem_with(name) for name in DETECTORS}
    for choice in _preferences(live):
        if problems[choice.name] is None:
            return choice
    causes = "; ".join(f"{name}: {problem}" for name, problem in problems.items())
    raise HandloreError(f"no hand detector can run here ({causes})")


def problem_with(name: str) -> str | None:
    """Say why a detector cannot run on this computer, and what to do; None if it can.

    Raises
    ------
    HandloreError
        If there is no detector of this name.
    """
    if name not in DETECTORS:
        raise HandloreError(f"unknown detector {name!r}; known: auto, {', '.join(DETECTORS)}")
    if name == "mediapipe" and is_arm_linux() and not _has_lse_atomics():
        return (
            "mediapipe aborts on this processor, which lacks the `atomics` instructions"
            " (Raspberry Pi 3, 4, 400, Zero 2 W); use --detector litert"
        )
    module, package = {
        "mediapipe": ("mediapipe", "mediapipe"),
        "litert": ("ai_edge_litert", "ai-edge-litert>=1.2,<2.2"),
    }[name]
    if find_spec(module) is None:
        return f"it is not installed; `pip install '{package}'`"
    return None


def is_arm_linux() -> bool:
    """Say whether this is 64-bit Linux on ARM, such as a Raspberry Pi."""
    return platform.system() == "Linux" and platform.machine() == "aarch64"


def _preferences(live: bool) -> list[Choice]:
    if is_arm_linux():
        return [
            Choice("litert", "this is ARM Linux, where mediapipe aborts on many processors"),
            Choice("mediapipe", "litert cannot run here"),
        ]
    if live:
        return [
            Choice("litert", "with a camera it decides when the palm detector runs"),
            Choice("mediapipe", "litert cannot run here"),
        ]
    return [
        Choice("mediapipe", "it is the reference, and runs here"),
        Choice("litert", "mediapipe cannot run here"),
    ]


def _has_lse_atomics() -> bool:
    return CPU_INFO.is_file() and "atomics" in CPU_INFO.read_text(errors="replace").split()
