"""MediaPipe's hand networks without the mediapipe runtime: LiteRT, numpy and OpenCV.

Written from MediaPipe's public graphs and calculators, which the docstrings name; the tests compare
its results with those of MediaPipe.
"""

from .detector import AdaptiveSchedule as AdaptiveSchedule
from .detector import LiteRTDetector as LiteRTDetector
from .regions import MEDIAPIPE_PALM_ANGLE as MEDIAPIPE_PALM_ANGLE
from .regions import UPRIGHT_PALM_ANGLE as UPRIGHT_PALM_ANGLE
