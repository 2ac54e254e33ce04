"""Hands drawn by the project itself, with exactly known landmarks."""

from .gestures import MOVEMENTS, POSES, Keyframe, Pose
from .hand import Person
from .render import RenderedPicture, render_background, render_movement, render_pose
from .scene import Scene
from .write import TRUTH, write_movement_videos, write_pictures

__all__ = [
    "MOVEMENTS",
    "POSES",
    "TRUTH",
    "Keyframe",
    "Person",
    "Pose",
    "RenderedPicture",
    "Scene",
    "render_background",
    "render_movement",
    "render_pose",
    "write_movement_videos",
    "write_pictures",
]
