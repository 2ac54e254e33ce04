"""The hand detectors, one adapter per network runtime; importing this package imports none.

>>> DETECTORS.listed()
['litert', 'mediapipe']
"""

from typing import TYPE_CHECKING

from ..registry import Registry

if TYPE_CHECKING:
    from ..detector import DetectorKind

DETECTORS: "Registry[type[DetectorKind]]" = Registry("detector", "handlore.landmarks.detectors")
"""All detectors, those of other packages too (entry points ``handlore.detectors``).

Importing one must not import its runtime: on some processors that alone kills the process.
"""
