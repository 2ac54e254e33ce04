"""Hands drawn by the project itself, with exactly known landmarks."""

from .anatomy import Person
from .movements import MOVEMENTS, Moment, Movement
from .poses import POSES, Pose
from .render import Picture, render_background, render_movement, render_pose
from .scene import Scene
from .streams import Play, make_play, render_stream
from .write import TRUTH, write_movement_videos, write_pictures

__all__ = [
    "MOVEMENTS",
    "POSES",
    "TRUTH",
    "Moment",
    "Movement",
    "Person",
    "Picture",
    "Play",
    "Pose",
    "Scene",
    "make_play",
    "render_background",
    "render_movement",
    "render_pose",
    "render_stream",
    "write_movement_videos",
    "write_pictures",
]
