"""Parts of a recording: windows of a stream of ``none``, and single frames as static poses.

A recording of ``none`` is minutes of everyday movement. A recogniser of movements sees it in
windows as long as the movements of the other labels usually are, one of poses frame by frame.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.errors import counted

from .dataset import NONE_LABEL, LandmarkDataset

_MAX_WHOLE = 1.5
"""Recordings of ``none`` up to this many windows long are not cut."""
_MAX_GAP = 60.0
"""Seconds without a frame that count at most."""
_POSE_INTERVAL = 0.25
"""Seconds between the frames of a stream of ``none`` that become poses."""


def cut_if_stream(
    recording: LandmarkDataset, window: float, notes: list[str]
) -> list[LandmarkDataset]:
    """Return a recording, or the windows of a stream of ``none`` that show a hand."""
    if recording.labels != [NONE_LABEL] or np.ptp(recording.time) <= _MAX_WHOLE * window:
        return [recording]
    windows = cut_windows(recording, window)
    seen = windows.select(windows.has_hand)
    empty = windows.n_samples - seen.n_samples
    source = str(recording.samples.source[0])
    notes.append(
        f"{source}: cut into {counted(windows.n_samples, 'window')} of {window:.2f} s"
        + (f", {empty} without a hand left out" if empty else "")
    )
    return [seen] if seen.n_samples else []


def poses_of_none(recording: LandmarkDataset, notes: list[str]) -> list[LandmarkDataset]:
    """Return some frames of a stream of ``none`` as poses, and nothing of other movements."""
    if recording.labels != [NONE_LABEL] or recording.header.kind == "pose":
        return []
    poses = frames_as_poses(recording, _POSE_INTERVAL)
    seen = poses.select(poses.has_hand)
    source = str(recording.samples.source[0])
    notes.append(
        f"{source}: {counted(seen.n_samples, 'frame')}, {_POSE_INTERVAL:g} s apart, used as static"
        " `none`"
    )
    return [seen] if seen.n_samples else []


def frames_as_poses(recording: LandmarkDataset, every: float) -> LandmarkDataset:
    """Return frames of a recording of one sample as poses, ``every`` seconds apart."""
    # Of a long gap without frames only its end is looked at: one frame follows it.
    time = recording.time
    if np.diff(time).max(initial=0) > _MAX_GAP:
        time = time[0] + np.cumsum([0, *np.minimum(np.diff(time), _MAX_GAP)])
    moments = np.arange(time[0], time[-1] + 1e-6, every)
    chosen = np.unique(np.searchsorted(time, moments - 1e-6))
    frames = [chosen[k : k + 1] for k in range(len(chosen))]
    poses = _pieces(recording, frames)
    return replace(poses, header=replace(poses.header, kind="pose"))


def cut_windows(recording: LandmarkDataset, window: float) -> LandmarkDataset:
    """Cut a recording of one sample into half-overlapping windows of so many seconds.

    The last window ends where the recording ends. All share the column ``recording``, so that no
    split puts a stream on both sides.
    """
    start, end = float(recording.time[0]), float(recording.time[-1])
    room = max(end - start - window, 0.0)
    firsts = np.unique([*np.arange(0, room, window / 2), room]) + start
    ends = np.searchsorted(recording.time, firsts + window + 1e-6)
    starts = np.searchsorted(recording.time, firsts - 1e-6)
    # While the camera was gone there may have been any number of windows without a frame.
    bounds = np.stack([starts, ends], 1)[ends > starts]
    return _pieces(recording, [np.arange(a, b) for a, b in bounds])


def _pieces(recording: LandmarkDataset, frames: Sequence[NDArray[np.int64]]) -> LandmarkDataset:
    """Return a sample for each choice of frames of a recording of one sample."""
    samples = recording.samples.take(np.zeros(len(frames), np.int64))
    sources = [f"{samples.source[0]}#{k}" for k in range(1, len(frames) + 1)]
    samples = replace(samples, source=np.array(sources, np.str_))
    return recording.at_frames(frames, samples).from_zero()
