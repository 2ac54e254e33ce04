"""Streams of datasets, and events scored against their gestures."""

import numpy as np
import pytest
from movement_stubs import clip, dataset_of

from handlore.datasets.dataset import LabelledInterval, LandmarkDataset, Samples
from handlore.models.stream.events import Event
from handlore.models.stream.ground_truth import PICTURE_SECONDS, StreamScore, dataset_streams


def test_score_stream() -> None:
    def event(label: str, start: float, end: float) -> Event:
        return Event(label, start, end, 0.9, None)

    gestures = [
        LabelledInterval("a", 5, 6),
        LabelledInterval("b", 10, 11),
        LabelledInterval("a", 20, 21),
    ]
    events = [event("a", 4.2, 6), event("a", 5.5, 6.4), event("a", 10, 11), event("b", 3, 4)]
    scored = StreamScore.of(events, gestures)
    assert [truth.start for truth, _ in scored.found] == [5]
    assert scored.missed == tuple(gestures[1:])
    assert scored.false == tuple(events[1:])
    assert scored.n == 3
    assert StreamScore.of([event("a", 3.9, 6)], gestures).found == ()


def test_event_times_are_rounded() -> None:
    assert Event("a", 1.23456, 2, 0.98765, "left").as_json()["start"] == 1.235


def test_parts_of_a_recording_are_joined() -> None:
    clips = [clip("still", fps=30, seconds=seconds) for seconds in (1, 2, 1)]
    source = [f"r.txt#{number}" for number in range(3)]
    data = dataset_of(clips, ["none", "a", "none"], recording=["r"] * 3, source=source)
    (stream,) = dataset_streams(data)
    assert stream.name == "r.txt"
    assert stream.video.n_frames == data.n_frames
    assert np.diff(stream.video.time) == pytest.approx(1 / 30)
    (gesture,) = stream.ground_truth
    assert gesture == LabelledInterval("a", pytest.approx(1 + 1 / 30), pytest.approx(3 + 1 / 30))


def test_clips_and_pictures_are_streams() -> None:
    clips = dataset_of([clip("left"), clip("still")], ["left", "none"])
    assert [stream.ground_truth for stream in dataset_streams(clips)] == [
        (LabelledInterval("left", 0, 1.0),),
        (),
    ]
    image = clip("still")[0][:3]
    flat = np.full((3, 1), np.nan, np.float32)
    pictures = LandmarkDataset(
        image,
        image,
        flat,
        flat,
        np.zeros((3, 1), np.int8),
        np.zeros(3),
        np.arange(4),
        Samples.make(["a", "a", "none"], source=["1", "1", "2"], view=[0, 1, 0]),
    )
    first, second = dataset_streams(pictures)
    assert first.ground_truth == (LabelledInterval("a", 0, PICTURE_SECONDS),)
    assert (second.ground_truth, second.seconds) == ((), PICTURE_SECONDS)
