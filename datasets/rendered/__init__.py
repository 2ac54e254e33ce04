"""Hands drawn by the project itself, with exactly known landmarks."""

from .gestures import MOVEMENTS, POSES, Keyframe, Pose
from .hand import Person
from .render import (
    Play,
    RenderedPicture,
    make_play,
    render_background,
    render_movement,
    render_pose,
    render_stream,
)
from .scene import Scene
from .write import TRUTH, write_movement_videos, write_pictures

__all__ = [
    "MOVEMENTS",
    "POSES",
    "TRUTH",
    "Keyframe",
    "Person",
    "Play",
    "Pose",
    "RenderedPicture",
    "Scene",
    "make_play",
    "render_background",
    "render_movement",
    "render_pose",
    "render_stream",
    "write_movement_videos",
    "write_pictures",
]
