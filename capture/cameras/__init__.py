"""Cameras: webcams, the Raspberry Pi's, and files in their place.

>>> feed = open_feed(camera_spec("0"))          # doctest: +SKIP
>>> frame = feed.next(timeout=0.1)              # doctest: +SKIP
"""

from .camera import CAMERAS as CAMERAS
from .camera import Camera as Camera
from .camera import CameraError as CameraError
from .camera import CameraFrame as CameraFrame
from .camera import CameraOptions as CameraOptions
from .camera import CameraSpec as CameraSpec
from .camera import camera_spec as camera_spec
from .feed import Feed as Feed
from .feed import FrameRate as FrameRate
from .feed import LiveFeed as LiveFeed
from .feed import open_feed as open_feed
