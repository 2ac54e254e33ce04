"""The gestures in a recorded video."""

import numpy as np

from handlore.datasets.dataset import NONE_LABEL, LandmarkDataset

from ..model import Model, MovementModel
from .events import Event
from .recogniser import recognise
from .settings import RecogniserSettings

_MAX_CLIP_LENGTH = 1.5
"""A video up to this many times as long as the longest training clips is one clip."""

_MIN_HOLD = 0.2
"""Hold time of poses in seconds; a third of the video, if that is shorter."""


def video_events(model: Model, video: LandmarkDataset) -> list[Event]:
    """Return the gestures in a video with their times, without ``none``.

    A model of movements classifies a video as one clip if it is about as long as the training
    clips. Longer videos, and all videos for a model of poses, are recognised as a stream.

    Parameters
    ----------
    model
        Of poses or movements.
    video
        One sample, such as :func:`~handlore.datasets.tracking.track_video` returns.
    """
    seen = np.flatnonzero(video.detected.any(axis=1))
    if not len(seen):
        return []
    start, end = float(video.time[seen[0]]), float(video.time[seen[-1]])
    if isinstance(model, MovementModel) and end - start <= _MAX_CLIP_LENGTH * model.seconds[-1]:
        found = model.predict_clip(video)
        if found.label == NONE_LABEL or found.probability is None:
            return []
        return [Event(found.label, start, end, found.probability, found.hand)]
    dwell = min(_MIN_HOLD, float(np.ptp(video.time)) / 3)
    return list(recognise([model], video, RecogniserSettings(pose_events="end", dwell=dwell)))
