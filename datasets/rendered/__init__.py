"""Hands drawn by the project itself, with exactly known landmarks."""

from .gestures import MOVEMENTS as MOVEMENTS
from .gestures import POSES as POSES
from .gestures import Keyframe as Keyframe
from .gestures import Pose as Pose
from .hand import Person as Person
from .render import TRUTH as TRUTH
from .render import RenderedPicture as RenderedPicture
from .render import render_background as render_background
from .render import render_movement as render_movement
from .render import render_pose as render_pose
from .render import write_movement_videos as write_movement_videos
from .render import write_pictures as write_pictures
from .scene import Scene as Scene
