"""MediaPipe's hand networks without the mediapipe runtime: LiteRT, numpy and OpenCV.

Written from MediaPipe's public graphs and calculators, which the docstrings name; the tests compare
its results with those of MediaPipe.
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
