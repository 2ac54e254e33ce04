"""Cameras: webcams, the Raspberry Pi's, and files in their place.

>>> feed = open_feed(camera_spec("0"))          # doctest: +SKIP
>>> frame = feed.next(timeout=0.1)              # doctest: +SKIP
"""

from .camera import (
    CAMERAS,
    Camera,
    CameraError,
    CameraFrame,
    CameraOptions,
    CameraSpec,
    camera_spec,
)
from .feed import Feed, FrameRate, LiveFeed, open_feed

__all__ = [
    "CAMERAS",
    "Camera",
    "CameraError",
    "CameraFrame",
    "CameraOptions",
    "CameraSpec",
    "Feed",
    "FrameRate",
    "LiveFeed",
    "camera_spec",
    "open_feed",
]
