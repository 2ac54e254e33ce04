"""What a video shows when."""

import numpy as np

from handlore.datasets.dataset import NONE_LABEL, LandmarkDataset
from handlore.landmarks.hands import majority_side

from ..model import Model, MovementModel
from .events import Event
from .recogniser import recognise
from .settings import RecogniserSettings

_MAX_CLIP_LENGTH = 1.5
"""What lasts up to so many times as long as nearly all training clips is one clip."""

_MIN_HOLD = 0.2
"""A pose held for less than so many seconds is not told, or than a third of a short video."""


def video_events(model: Model, video: LandmarkDataset) -> list[Event]:
    """Say what a video shows when; what is ``none`` is left out.

    A model of movements takes a video no longer than the clips it was trained on for one of them.
    In a longer one, and for poses, the recogniser of live streams says what comes when.

    Parameters
    ----------
    model
        Of poses or movements.
    video
        One sample.
    """
    seen = np.flatnonzero(video.detected.any(axis=1))
    if not len(seen):
        return []
    if isinstance(model, MovementModel):
        lasts = float(video.time[seen[-1]] - video.time[seen[0]])
        if lasts <= _MAX_CLIP_LENGTH * model.card.seconds[-1]:
            return _one(model, video, slice(seen[0], seen[-1] + 1))
    settings = RecogniserSettings(
        poses="when over", dwell=min(_MIN_HOLD, float(np.ptp(video.time)) / 3)
    )
    return list(recognise([model], video, settings))


def _one(model: MovementModel, video: LandmarkDataset, frames: slice) -> list[Event]:
    image, side, time = video.image[frames], video.handedness[frames], video.time[frames]
    probabilities = model.predict_clip(image, side, time)
    best = int(probabilities.argmax())
    label = model.labels[best]
    event = Event(
        label, float(time[0]), float(time[-1]), float(probabilities[best]), majority_side(side)
    )
    return [] if label == NONE_LABEL else [event]
