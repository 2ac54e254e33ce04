"""The hand networks without the mediapipe runtime: LiteRT runs them, numpy and OpenCV do the rest.

Written from MediaPipe's public graphs and calculators, which the docstrings name, and held to
MediaPipe's results by the tests.
"""

from .detector import LiteRTDetector
from .regions import MEDIAPIPE_PALM_ANGLE, UPRIGHT_PALM_ANGLE
from .schedule import AdaptiveSchedule, EveryFrame, PalmSchedule

__all__ = [
    "MEDIAPIPE_PALM_ANGLE",
    "UPRIGHT_PALM_ANGLE",
    "AdaptiveSchedule",
    "EveryFrame",
    "LiteRTDetector",
    "PalmSchedule",
]
