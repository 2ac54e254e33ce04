"""Pipelines of GStreamer, where OpenCV was built with it."""

import re
from pathlib import Path
from typing import ClassVar

import cv2

from handlore.landmarks.errors import HandloreError

from .camera import CAMERAS, CameraError, CameraOptions, Opener
from .webcam import OpenCvCamera

_SINK = "videoconvert ! video/x-raw,format=BGR ! appsink drop=true max-buffers=1 sync=false"
"""What hands pictures over to OpenCV, the newest one and no older ones."""


@CAMERAS.register
class _Pipeline(OpenCvCamera):
    """A pipeline, such as ``v4l2src device=/dev/video2 ! image/jpeg ! jpegdec``."""

    name = "gstreamer"
    texts: ClassVar[str] = "a GStreamer pipeline (v4l2src ! ...)"
    live: ClassVar[bool] = True
    remedy: ClassVar[str] = "check its source"
    lost: ClassVar[str] = "the pipeline has ended, or its source was lost"
    undecodable: ClassVar[str] = "add videoconvert to the pipeline"

    @classmethod
    def find(cls, text: str, options: CameraOptions) -> Opener | None:
        if " ! " not in text or Path(text).exists():
            return None
        if options.size or options.frame_rate or options.backend not in ("auto", "gstreamer"):
            raise HandloreError(
                "size, frame rate and backend are parts of a GStreamer pipeline; write"
                " 'video/x-raw,width=640,height=480,framerate=30/1' into it"
            )
        return lambda: cls(text)

    @classmethod
    def shown(cls, text: str) -> str:
        """Return the first element alone: locations and passwords are among the properties."""
        first = re.match(r"\w+", text.strip())
        return f"{first[0] if first else ''} ! ..."

    def __init__(self, pipeline: str) -> None:
        self.name = f"pipeline {self.shown(pipeline)}"
        if "appsink" not in pipeline:
            pipeline = f"{pipeline} ! {_SINK}"
        self._capture = cv2.VideoCapture(pipeline, cv2.CAP_GSTREAMER)
        if self._capture.isOpened():
            return
        if not cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER):
            raise CameraError(
                f"{self.name} cannot be opened: this OpenCV was built without GStreamer, as those"
                " of PyPI are; give the address instead (rtsp://, http://, /dev/video0)"
            )
        raise CameraError(
            f"{self.name} cannot be opened: test it with `gst-launch-1.0 PIPELINE ! fakesink`"
        )
