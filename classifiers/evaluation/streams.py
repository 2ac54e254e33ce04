"""Scores in a stream: whole clips are easy, a camera shows everything in between as well.

Clips of people who are not in the training data are joined into streams, which the recogniser sees
as it would live: those of one recording as they were recorded, others in random order. If the data
has clips of ``none``, they are what is between the gestures; else the hand rests and moves idly
there, as in the negative windows of training.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handlore.datasets.dataset import NONE_LABEL, LabelledInterval, LandmarkDataset, Samples
from handlore.datasets.splits import groups_of
from handlore.landmarks.errors import counted
from handlore.landmarks.hands import FloatArray
from handlore.models.card import DURATION_QUANTILES
from handlore.models.encoders import Encoder, MovementEncoder, durations
from handlore.models.model import reject_novel
from handlore.models.stream.events import Event
from handlore.models.stream.ground_truth import Stream, StreamScore, joined_clips, stream_parts
from handlore.models.stream.inference import ModelOutput, StreamModel
from handlore.models.stream.recogniser import events_from_outputs, model_outputs
from handlore.models.stream.settings import MOVEMENT_THRESHOLD, RecogniserSettings

from ..base import HandEstimator
from ..negatives import FRAME_RATE, NegativeWindows, shows_none, synthetic_streams
from ..novelty import NoveltyModel
from ..onnx_graph import GraphRunner
from ..pretrained import FEW_CLIPS
from .scores import fit_streams

PATIENCES = (0.25, 0.5, 1.0)
"""Seconds that a movement may wait for windows that contradict it."""
_USUAL, _USUAL_LABELS, _LEAST = 0.35, 5, 0.25
"""The usual threshold with at most 5 labels, and the least with more."""
_USUAL_OF_FEW = 0.5
"""That of few clips of one person, with any number of labels."""
_PALM = 0.1
"""Palm length of synthetic hands, in image widths."""
_GAP = 0.5
"""Seconds without a hand between two pictures, which may show the same pose."""
_MIN_SHARED = 0.3
"""Share of the shorter one that an event and a gesture cover together, if one is confused."""


@dataclass(frozen=True)
class StreamScores:
    """Gestures and events in streams, counted."""

    n: int
    n_found: int
    n_confused: int
    """Gestures during which an event with another label was emitted."""
    n_false: int
    """Events without a gesture of their label; those of confused gestures are among them."""
    seconds: float
    is_synthetic: bool = False
    """Whether what is between the gestures was made, because the data has no ``none``."""
    is_of_poses: bool = False
    """Whether the gestures are pictures of poses, each held for a second."""

    @property
    def n_missed(self) -> int:
        """Gestures without any event."""
        return self.n - self.n_found - self.n_confused

    @property
    def sentence(self) -> str:
        """The scores in words."""
        found, confused, missed = (
            f"{100 * count / max(self.n, 1):.0f} %"
            for count in (self.n_found, self.n_confused, self.n_missed)
        )
        gestures = "poses" if self.is_of_poses else "gestures"
        rate = 60 * self.n_false / max(self.seconds, 1e-9)
        false = f"{counted(self.n_false, 'false event')} ({rate:.1f} a minute)"
        if not self.n:
            return f"in a stream of nothing but {NONE_LABEL}: {false}"
        return (
            f"in a stream {self._stream}: {found} of {self.n} {gestures} found,"
            f" {confused} confused, {missed} missed; {false}"
        )

    def as_json(self) -> dict[str, Any]:
        """Return it under the names that scripts rely on."""
        return {
            "n": self.n,
            "n_found": self.n_found,
            "n_confused": self.n_confused,
            "n_missed": self.n_missed,
            "n_false": self.n_false,
            "minutes": round(self.seconds / 60, 3),
            "false_per_minute": round(60 * self.n_false / max(self.seconds, 1e-9), 3),
            "between": self._between,
        }

    @property
    def _between(self) -> str:
        if self.is_of_poses:
            return "pictures"
        return "synthetic" if self.is_synthetic else NONE_LABEL

    @property
    def _stream(self) -> str:
        return {
            "pictures": "of pictures that are held for a second each",
            "synthetic": "with synthetic idle movement in between",
            NONE_LABEL: "with the clips of none in between",
        }[self._between]

    @classmethod
    def from_json(cls, values: Any) -> "StreamScores | None":
        """Read what :meth:`as_json` returned; None if it is something else."""
        names = ("n", "n_found", "n_confused", "n_false", "minutes")
        if not isinstance(values, Mapping) or not all(
            isinstance(values.get(name), int | float) for name in names
        ):
            return None
        n, n_found, n_confused, n_false, minutes = (values[name] for name in names)
        kinds = values.get("between") == "synthetic", values.get("between") == "pictures"
        return cls(n, n_found, n_confused, n_false, 60 * minutes, *kinds)


@dataclass(frozen=True, eq=False)
class FittedModel:
    """A fitted classifier as what a recogniser runs."""

    labels: tuple[str, ...]
    encoder: Encoder
    seconds: tuple[float, ...]
    """Lengths of short, typical and long training clips; empty for poses."""
    runner: GraphRunner
    novelty: NoveltyModel | None = None
    thresholds: Mapping[str, float] = field(default_factory=dict)
    patience: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls, estimator: HandEstimator, encoder: Encoder, trained: LandmarkDataset
    ) -> "FittedModel":
        """Return it with what else is learnt from its training data."""
        labels = tuple(map(str, estimator.classes_))
        # Windows come one at a time, for which one thread is the fastest.
        runner = GraphRunner(estimator.to_onnx(), 1)
        if encoder.kind == "pose":
            return cls(labels, encoder, (), runner, NoveltyModel.of(trained, encoder, estimator))
        return cls(labels, encoder, clip_lengths(trained), runner)

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Return the probabilities (n, n_labels) of encoded windows."""
        return self.runner(X)

    def predict_known(self, X: FloatArray, max_novelty: float) -> FloatArray:
        """Return the same, lowered for samples that are unlike the training data."""
        likely = self.predict_proba(X)
        if self.novelty is None:
            return likely
        return reject_novel(likely, self.novelty.p_value(X, likely), max_novelty)


@dataclass(frozen=True, eq=False)
class StreamOutputs:
    """The outputs of a model in streams, before anything is decided."""

    model: StreamModel
    streams: tuple[tuple[list[ModelOutput], tuple[LabelledInterval, ...]], ...]
    seconds: float
    is_synthetic: bool
    usual: float = MOVEMENT_THRESHOLD
    """The usual threshold of this model, see :func:`usual_threshold`."""

    scores: dict[float, StreamScores] = field(default_factory=dict)
    """What was found at one threshold for all labels, for those that were asked for."""

    @classmethod
    def of_left_out(
        cls,
        fitted: HandEstimator,
        encoder: Encoder,
        trained: LandmarkDataset,
        left_out: LandmarkDataset,
        most: int,
        whole: LandmarkDataset | None = None,
    ) -> "StreamOutputs":
        """Run a classifier on streams of what was left out.

        A classifier of movements is trained on windows of streams too. It stands for a model of
        ``whole``, by default of what it was trained on.
        """
        usual = usual_threshold(trained if whole is None else whole)
        if isinstance(encoder, MovementEncoder):
            fitted = fit_streams(fitted, trained, encoder, NegativeWindows())
        found = cls.of(FittedModel.of(fitted, encoder, trained), left_out, most)
        return replace(found, usual=usual)

    @classmethod
    def of(cls, model: StreamModel, clips: LandmarkDataset, most: int) -> "StreamOutputs":
        """Run a model on streams of at most ``most`` samples, without augmented copies."""
        clips = clips.select(clips.samples.view == 0)
        streams, is_synthetic = _clip_streams(clips, most)
        settings = RecogniserSettings()
        found = tuple(
            (list(model_outputs(model, stream.video, settings)), stream.ground_truth)
            for stream in streams
        )
        return cls(model, found, sum(stream.seconds for stream in streams), is_synthetic)

    def score(self, threshold: float) -> StreamScores:
        """Return what is found with one threshold for all labels; it is decided only once."""
        if threshold not in self.scores:
            levels = (dict.fromkeys(self.model.labels, one) for one in (threshold, PATIENCES[-1]))
            self.scores[threshold] = self.counted(*levels)
        return self.scores[threshold]

    def total(self, thresholds: Mapping[str, float], patience: float) -> StreamScore:
        """Return what is found with one patience for all labels."""
        waits = dict.fromkeys(self.model.labels, patience)
        return sum(self._each(thresholds, waits), StreamScore())

    def counted(
        self, thresholds: Mapping[str, float], patience: Mapping[str, float] | None = None
    ) -> StreamScores:
        """Count what is found with these thresholds; ``patience`` replaces that of the model."""
        n_confused, total = 0, StreamScore()
        for score in self._each(thresholds, patience):
            n_confused += sum(
                any(_share_time(event, gesture) for event in score.false)
                for gesture in score.missed
            )
            total += score
        counts = total.n, len(total.found), n_confused, len(total.false)
        return StreamScores(*counts, self.seconds, self.is_synthetic, self.is_of_poses)

    @property
    def is_of_poses(self) -> bool:
        """Whether they are streams of pictures; their model has one threshold for all labels."""
        return self.model.encoder.kind == "pose"

    def _each(
        self, thresholds: Mapping[str, float], patience: Mapping[str, float] | None
    ) -> Iterator[StreamScore]:
        settings = RecogniserSettings()
        for outputs, ground_truth in self.streams:
            events = events_from_outputs(self.model, outputs, thresholds, settings, patience)
            yield StreamScore.of(events, ground_truth)


def _share_time(event: Event, gesture: LabelledInterval) -> bool:
    shared = min(event.end, gesture.end) - max(event.start, gesture.start)
    return shared > _MIN_SHARED * min(event.end - event.start, gesture.end - gesture.start)


def usual_threshold(trained: LandmarkDataset) -> float:
    """Return the threshold that suits models trained on such clips.

    A model of a few clips of one person is certain of this person's gestures. The more labels share
    the probability, the less certain is a model of strangers', and the more is lost with a high
    threshold.
    """
    seen, samples = trained.has_hand, trained.samples
    labels = samples.label[seen]
    is_few = len(labels) < FEW_CLIPS * len(np.unique(labels))
    if is_few and len(np.unique(samples.group[seen])) < 2:
        return _USUAL_OF_FEW
    n_labels = max(len(np.unique(labels[labels != NONE_LABEL])), 1)
    usual = _USUAL * min(1.0, math.sqrt(_USUAL_LABELS / n_labels))
    return max(round(usual, 2), _LEAST)


def clip_lengths(dataset: LandmarkDataset) -> tuple[float, ...]:
    """Return the lengths of short, typical and long clips in seconds."""
    lengths = np.quantile(durations(dataset.select(dataset.has_hand)), DURATION_QUANTILES)
    return tuple(round(float(seconds), 3) for seconds in lengths)


def _clip_streams(clips: LandmarkDataset, most: int) -> tuple[list[Stream], bool]:
    """Return streams of at most so many clips, and whether idle movement was made.

    A recording that was cut into clips is a stream, in its own order. The other clips of each
    person are one in random order, and so are pictures.
    """
    rng = np.random.default_rng(0)
    is_movement = clips.header.kind == "sequence"
    is_real = is_movement and shows_none(clips)
    recording = _recordings(clips) if is_real else np.arange(clips.n_samples)
    # Whole recordings are chosen: a part of one is no stream.
    place = np.argsort(rng.permutation(len(np.unique(recording))))[recording]
    numbers = np.sort(np.argsort(place, kind="stable")[:most])
    chosen, recording = clips.select(numbers), recording[numbers]
    if is_movement and not is_real:
        seen = chosen.select(chosen.has_hand)
        return [
            _as_stream(one.image, one.handedness, one.events, seen)
            for one in synthetic_streams(seen, groups_of(seen), rng, idle=1)
        ], True
    is_part = np.bincount(recording)[recording] > 1
    streams = [
        joined_clips(chosen, "", np.flatnonzero(recording == one).tolist())
        for one in np.unique(recording[is_part])
    ]
    people = groups_of(chosen)
    for person in np.unique(people[~is_part]):
        own = rng.permutation(np.flatnonzero((people == person) & ~is_part))
        streams.append(joined_clips(chosen, str(person), own.tolist(), 0 if is_movement else _GAP))
    return streams, False


def _recordings(clips: LandmarkDataset) -> NDArray[np.int64]:
    """Return a number (n_samples,) for each clip, shared by those that a recording was cut into.

    Windows of a recording of nothing but ``none`` are clips like others: they overlap, and are for
    between the gestures.
    """
    number = np.arange(clips.n_samples)
    for _, parts in stream_parts(clips):
        if (clips.samples.label[parts] != NONE_LABEL).any():
            number[parts] = parts[0]
    return np.asarray(np.unique(number, return_inverse=True)[1], np.int64)


def _as_stream(
    image: FloatArray,
    handedness: FloatArray,
    events: Sequence[tuple[str, int, int]],
    like: LandmarkDataset,
) -> Stream:
    """Return a synthetic stream; ``image`` (n_frames, n_hands, 21, 3) is in palm lengths."""
    n = len(image)
    placed = (_PALM * image + 0.5).astype(np.float32)
    seen = ~np.isnan(placed).any(axis=(2, 3))
    placed[~seen] = np.nan
    video = LandmarkDataset(
        image=placed,
        world=placed,
        handedness=np.where(seen, handedness, np.nan).astype(np.float32),
        score=np.where(seen, 1, np.nan).astype(np.float32),
        stage=np.where(seen, 0, -1).astype(like.stage.dtype),
        time=np.arange(n) / FRAME_RATE,
        offsets=np.array([0, n]),
        samples=Samples.make(["?"]),
        header=like.header,
    )
    shown = tuple(
        LabelledInterval(label, start / FRAME_RATE, end / FRAME_RATE)
        for label, start, end in events
        if label != NONE_LABEL
    )
    return Stream("", video, shown)
