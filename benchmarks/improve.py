"""Whether a model learns from the corrected triggers of a live session.

A model is trained on some people and tested on others (its old test). People whom it has not seen
use it: a stream of half of their clips or pictures runs through the recogniser, with recording on.
It shows the gestures of the model, and others that it has never seen and that mean
nothing. Of the triggers, so many are kept that a fifth is wrong. Each gets its true label, as a
person would give it; `improve` takes them. Then a second session, of the other half, runs through
both models.

Rows: ``--movements FILE``, IPN Hand converted; ``--poses FILE``, HGR1 converted; and ``rendered``,
rendered hands, which prove that it works and no more.

Run it with ``python benchmarks/improve.py [--movements FILE] [--poses FILE] [--rendered]
[--users N] [--repeats N]``.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

import handlore
from handlore.capture.live.buffer import LandmarkBuffer
from handlore.capture.live.loop import LiveState
from handlore.capture.recording.writer import RecordingWriter, SessionInfo
from handlore.classifiers.recipes import RECIPES
from handlore.datasets.dataset import NONE_LABEL, Header, LandmarkDataset, Samples, concatenate
from handlore.datasets.recordings import RecordingFolder
from handlore.datasets.rendered import Person, Scene, render_movement
from handlore.datasets.rendered.gestures import MOVEMENTS
from handlore.landmarks.detector import DetectorInfo
from handlore.landmarks.hands import Hand
from handlore.models.model import Model
from handlore.models.stream.events import Event
from handlore.models.stream.ground_truth import Stream, StreamScore, joined_clips
from handlore.models.stream.recogniser import Recogniser, recognise

WRONG = 0.2
"""Share of wrong triggers in a session."""
_PICTURE = np.zeros((480, 640, 3), np.uint8)
_DETECTOR = DetectorInfo("litert", "2", "full", "0" * 64)
_MIN_SHARED = 0.3
_WRITING = 0.05
"""Seconds in which a recording is written."""
_DEALT = 40
"""Parts into which photos of unknown people are divided."""


@dataclass(frozen=True)
class Trial:
    """A data set, divided."""

    data: LandmarkDataset
    """What the model is trained and tested on, with splits."""
    sessions: tuple[tuple[Stream, ...], tuple[Stream, ...]]
    """A first and a second stream of each user."""


@dataclass
class Figures:
    """What a model achieves; sums over several divisions of a data set."""

    n_test: int = 0
    n_right: int = 0
    """Items of the old test."""
    n: int = 0
    n_found: int = 0
    n_false: int = 0
    seconds: float = 0.0
    """The second session."""

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def __str__(self) -> str:
        return (
            f"old test {100 * self.n_right / self.n_test:.2f} % of {self.n_test}; second session:"
            f" {self.n_found} of {self.n} gestures found, {self.n_false} false activations in"
            f" {self.seconds / 60:.1f} minutes"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--movements", type=Path)
    parser.add_argument("--poses", type=Path)
    parser.add_argument("--rendered", action="store_true")
    parser.add_argument("--users", type=int, default=3, help="people who use the model")
    parser.add_argument("--repeats", type=int, default=1, help="divisions of the people")
    options = parser.parse_args()
    for name, make in _rows(options):
        before, after = Figures(), Figures()
        for seed in range(options.repeats):
            with tempfile.TemporaryDirectory() as folder:
                one, other = run(make(seed), Path(folder), seed=seed)
            before, after = before + one, after + other
            print(f"{name} {seed}, before: {one}\n{name} {seed}, after: {other}", flush=True)
        print(f"{name}, before: {before}\n{name}, after: {after}", flush=True)


def _rows(options: argparse.Namespace) -> Iterator[tuple[str, Callable[[int], Trial]]]:
    for name, file, make in (
        ("movements", options.movements, movements),
        ("poses", options.poses, poses),
    ):
        if file:
            yield name, partial(make, handlore.load_dataset(file), options.users)
    if options.rendered:
        yield "rendered", partial(movements, rendered_movements(), options.users)


def rendered_movements(n_people: int = 8, each: int = 4) -> LandmarkDataset:
    """Return movements of rendered hands, with their true landmarks."""
    every = [
        _rendered(label, person, number)
        for person in range(n_people)
        for label in MOVEMENTS
        for number in range(each)
    ]
    return concatenate(every)


def _rendered(label: str, person: int, number: int) -> LandmarkDataset:
    rng = np.random.default_rng([person, number])
    scene = Scene(
        x=rng.uniform(0.45, 0.55),
        y=rng.uniform(0.5, 0.6),
        size=rng.uniform(0.18, 0.24),
        tempo=rng.uniform(0.9, 1.1),
        seed=number,
    )
    who = Person.random(person)
    moments = list(render_movement(label, who, scene, size=(32, 24), fps=20, painted=False))
    return LandmarkDataset.of_hands(
        [[Hand(shown.image, shown.world, shown.handedness)] for _, shown in moments],
        Samples.make([label], group=[f"p{person}"]),
        time=[seconds for seconds, _ in moments],
        offsets=[0, len(moments)],
        header=Header(kind="sequence"),
    )


def movements(dataset: LandmarkDataset, n_users: int, seed: int) -> Trial:
    """Return a trial of movements; who points moves a cursor, and must not trigger anything."""
    dataset = dataset.select(dataset.has_hand)
    names = RECIPES["movements"].labels
    labels = np.array([names.get(str(one), str(one)) for one in dataset.samples.label])
    return _divided(_labelled(dataset, labels), n_users, seed)


def poses(dataset: LandmarkDataset, n_users: int, seed: int) -> Trial:
    """Return a trial of hand signs.

    Where people are unknown, the photos are dealt out to as many as there are for each label.
    """
    dataset = dataset.select(dataset.has_hand)
    if (dataset.samples.group == "").any():
        dealt = np.random.default_rng(seed).integers(_DEALT, size=dataset.n_samples)
        dataset = replace(dataset, samples=replace(dataset.samples, group=dealt.astype(np.str_)))
    return _divided(dataset, n_users, seed)


def _labelled(dataset: LandmarkDataset, labels: np.ndarray) -> LandmarkDataset:
    return replace(dataset, samples=replace(dataset.samples, label=labels))


def _divided(dataset: LandmarkDataset, n_users: int, seed: int) -> Trial:
    """Divide the people: a quarter test, some are users, the others train.

    Every third gesture is unknown to the model; to the users it means nothing.
    """
    gestures = [label for label in dataset.labels if label != NONE_LABEL]
    known = ~np.isin(dataset.samples.label, gestures[1::3])
    dataset = _labelled(dataset, np.where(known, dataset.samples.label, NONE_LABEL))
    people = np.random.default_rng(seed).permutation(np.unique(dataset.samples.group))
    users, others = people[:n_users], people[n_users:]
    test = others[: max(len(people) // 4, 1)]
    group = dataset.samples.group
    split = np.where(np.isin(group, test), "test", "train")
    data = replace(dataset, samples=replace(dataset.samples, split=split))
    return Trial(data.select(known & np.isin(group, others)), _sessions(dataset, users, seed))


def _sessions(
    dataset: LandmarkDataset, users: Sequence[str], seed: int
) -> tuple[tuple[Stream, ...], tuple[Stream, ...]]:
    rng = np.random.default_rng(seed)
    gap = 0.5 if dataset.header.kind == "pose" else 0.0
    halves: tuple[list[Stream], list[Stream]] = [], []
    for user in users:
        chosen = (dataset.samples.group == user) & (dataset.samples.view == 0)
        own = rng.permutation(np.flatnonzero(chosen))
        for half, parts in zip(halves, np.array_split(own, 2), strict=True):
            half.append(joined_clips(dataset, str(user), parts.tolist(), gap))
    return tuple(halves[0]), tuple(halves[1])


def run(
    trial: Trial,
    folder: Path,
    *,
    share: float = WRONG,
    seed: int = 0,
    params: Mapping[str, object] | None = None,
) -> tuple[Figures, Figures]:
    """Train, record a session, correct it, improve; return the figures before and after."""
    data, path = folder / "data.npz", folder / "model.onnx"
    handlore.save_dataset(trial.data, data)
    handlore.train(handlore.load_dataset(data), path, params=params, data=[data])
    before = figures(path, trial)
    triggers, shown = folder / "triggers", []
    for stream in trial.sessions[0]:
        shown += record(handlore.load_model(path), stream, triggers)
    n_right, n_wrong = review(RecordingFolder.open(triggers), shown, share, seed)
    found = handlore.improve(path, triggers)
    held_out = [one.triggers for one in (found.before, found.after)]
    print(
        f"  {n_right} right and {n_wrong} wrong triggers; left out in turn:"
        f" {held_out[0].n_false} false and {held_out[0].n_missed} missed, then"
        f" {held_out[1].n_false} and {held_out[1].n_missed}; thresholds raised:"
        f" {dict(found.raised)}" + (f"; refused: {found.worse}" if found.worse else ""),
        flush=True,
    )
    return before, figures(path, trial)


def figures(path: Path, trial: Trial) -> Figures:
    """Return what a model file achieves in the old test and in the second session."""
    model = handlore.load_model(path)
    scores = handlore.evaluate(model, trial.data, with_streams=False).scores
    found = Figures(scores.n, round(scores.n * scores.accuracy))
    for stream in trial.sessions[1]:
        score = StreamScore.of(list(recognise([model], stream.video)), stream.ground_truth)
        found += Figures(0, 0, score.n, len(score.found), len(score.false), stream.seconds)
    return found


def record(model: Model, stream: Stream, folder: Path) -> list[str | None]:
    """Run a stream as live, with recording on; return the true label of each trigger, in order.

    None for the repetition of a gesture, which a person discards.
    """
    info = SessionInfo(_DETECTOR, "benchmark", stream.name, session=f"live-{stream.name}")
    buffer = LandmarkBuffer(RecordingWriter(RecordingFolder.open(folder)), info, all_at_end=False)
    recogniser, video, events = Recogniser([model]), stream.video, []
    for at, seconds in enumerate(map(float, video.time)):
        hands = [
            Hand(video.image[at, 0], video.world[at, 0], float(video.handedness[at, 0]), 0.9)
            for _ in range(int(video.detected[at, 0]))
        ]
        if at and seconds <= video.time[at - 1]:
            continue
        emitted = recogniser.feed_hands(seconds, hands)
        for event in emitted:
            buffer.on_event(event)
            # Recordings of a stream that is faster than life would wait for the disk in vain.
            time.sleep(_WRITING)
        buffer.show(LiveState(seconds, _PICTURE, hands))
        events += emitted
    for event in recogniser.finish():
        buffer.on_event(event)
        events.append(event)
    buffer.close()
    found = {
        id(event): interval.label
        for interval, event in StreamScore.of(events, stream.ground_truth).found
    }
    return [found.get(id(event)) or _shown(event, stream) for event in events]


def _shown(event: Event, stream: Stream) -> str | None:
    """Return what a false event shows: another gesture, or none."""
    for gesture in stream.ground_truth:
        shared = min(event.end, gesture.end) - max(event.start, gesture.start)
        shorter = min(event.end - event.start, gesture.end - gesture.start)
        if shared > _MIN_SHARED * shorter:
            return None if gesture.label == event.label else gesture.label
    return NONE_LABEL


def review(
    recordings: RecordingFolder, shown: Sequence[str | None], share: float, seed: int = 0
) -> tuple[int, int]:
    """Give each trigger its true label; discard some, so that a share of them is wrong."""
    entries = recordings.entries()
    assert len(entries) == len(shown)
    pairs = list(zip(entries, shown, strict=True))
    right = [one for one, label in pairs if label == one.label]
    wrong = [(one, label) for one, label in pairs if label not in (None, one.label)]
    rng = np.random.default_rng(seed)
    n_wrong = min(len(wrong), round(share / (1 - share) * len(right)))
    n_right = min(len(right), round((1 - share) / share * n_wrong))
    kept = {wrong[k][0].path: wrong[k][1] for k in rng.permutation(len(wrong))[:n_wrong]}
    kept |= {right[k].path: right[k].label for k in rng.permutation(len(right))[:n_right]}
    for entry, _ in pairs:
        label = kept.get(entry.path)
        if label is None:
            recordings.discard(entry.path)
        elif label == entry.label:
            recordings.confirm(entry.path)
        else:
            recordings.relabel(entry.path, label)
    return n_right, n_wrong


if __name__ == "__main__":
    main()
