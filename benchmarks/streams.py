"""How many gestures of continuous streams are found, how late, and how many events are false.

Rows: ``sfinge`` (SFINGE 3D: trained on the clips of its Dictionary alone, asked about streams of
its Sequences), ``rendered`` (rendered hands of people not trained on, by their exact landmarks,
and a minute of meaningless movement), ``video`` (clips and streams through video files and the
detector, as people record them),
``clips`` (any dataset of clips, ``--clips``: those of people who are left out, joined end to end),
``speed`` (what the recogniser costs a frame, beside one call of the hand network).

Run it with ``python benchmarks/streams.py [--streams 1-9] [--seeds 3] [--clips FILE] [ROW...]``.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from data import data_folder
from rendered_streams import Play, make_play, render_stream

from handlore.classifiers.factory import Pipeline, make_estimator
from handlore.classifiers.training import train_pipeline
from handlore.datasets.conversion.convert import convert
from handlore.datasets.dataset import (
    Header,
    LabelledInterval,
    LandmarkDataset,
    Samples,
    concatenate,
)
from handlore.datasets.rendered import (
    POSES,
    Person,
    Scene,
    render_movement,
    render_pose,
    write_movement_videos,
)
from handlore.datasets.rendered.render import write_video
from handlore.datasets.sources import make_source
from handlore.datasets.splits import cross_validation
from handlore.datasets.storage import load_dataset
from handlore.demo import VIDEO_NAMES
from handlore.landmarks.detector import DetectorOptions, HandDetector
from handlore.landmarks.hands import Hand
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.opening import open_detector
from handlore.models.encoders import PoseEncoder
from handlore.models.files import load_model
from handlore.models.model import Model
from handlore.models.stream.events import Event
from handlore.models.stream.ground_truth import (
    Stream,
    StreamScore,
    dataset_streams,
    joined_clips,
)
from handlore.models.stream.recogniser import Recogniser, recognise
from handlore.models.stream.settings import RecogniserSettings

SIZE = (240, 240)
RENDERED = [
    "swipe_left", "swipe_right", "swipe_up", "swipe_down", "circle", "grab", "wave", "tap",
]  # fmt: skip
"""Without release and push: a hand that comes back from a grab opens, and that is a release."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", default="1-9", help="of SFINGE 3D, such as 1-9 or 10-18")
    parser.add_argument("--model", default="rocket")
    parser.add_argument("--param", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--set", action="append", default=[], metavar="SETTING=NUMBER")
    parser.add_argument("--seeds", type=int, default=1, help="how many models are trained")
    parser.add_argument(
        "--sets", type=int, default=1,
        help="how many sets of rendered streams, each of 32 gestures and a meaningless minute",
    )  # fmt: skip
    parser.add_argument("--clips", metavar="FILE.npz", help="the dataset of the row clips")
    parser.add_argument("--folds", type=int, default=5, help="how many folds of the row clips")
    parser.add_argument("--no-background", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="list what is missed and false")
    parser.add_argument("rows", nargs="*", help="default: all but video and clips")
    options = parser.parse_args()
    for row in options.rows or ("sfinge", "rendered", "speed"):
        ROWS[row](options)


def sfinge(options: argparse.Namespace) -> None:
    first, _, last = options.streams.partition("-")
    wanted = range(int(first), int(last or first) + 1)
    clips = _imported(part="dictionary")
    streams = [
        stream
        for stream in dataset_streams(_imported(part="sequences"))
        if int(Path(stream.name).stem) in wanted
    ]
    for seed in range(options.seeds):
        model = _trained(clips, options, seed)
        _tell(f"SFINGE 3D, streams {options.streams}, seed {seed}", [model], streams, options)


def rendered(options: argparse.Namespace) -> None:
    clips, streams = _rendered_clips(), _rendered_streams(options.sets)
    for seed in range(options.seeds):
        model = _trained(clips, options, seed)
        _tell(f"rendered landmarks, seed {seed}", [model], streams, options)


def video(options: argparse.Namespace) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        quiet_native_log(),
        open_detector(DetectorOptions(detector="litert")) as detector,
    ):
        clips, streams = _filmed_clips(Path(folder) / "clips", detector), []
        for number, (play, person, scene) in enumerate(_plays(options.sets)):
            path = Path(folder) / str(number) / "stream" / f"{number}.mp4"
            path.parent.mkdir(parents=True)
            pictures = render_stream(play, person, scene, size=SIZE)
            write_video(path, (picture for _, picture in pictures), 30.0, SIZE)
            found = convert(
                make_source("videos", {"label": "stream"}), path.parent, detector
            ).dataset
            (stream,) = dataset_streams(found)
            streams.append(Stream(str(number), stream.video, play.truths))
    for seed in range(options.seeds):
        model = _trained(clips, options, seed)
        _tell(f"rendered videos, litert, seed {seed}", [model], streams, options)


def speed(options: argparse.Namespace) -> None:
    models = [_trained(_rendered_clips(), options, 0), _pose_model()]
    video = _rendered_streams()[0].video
    recogniser = Recogniser(models, _settings(options))
    costs, shift = [], 0.0
    for _ in range(3):
        for at, seconds in enumerate(video.time):
            started = time.perf_counter()
            recogniser.feed(shift + seconds, video.image[at], video.world[at], video.handedness[at])
            costs.append(time.perf_counter() - started)
        shift += float(video.time[-1]) + 1 / 30
    scene = Scene.random(np.random.default_rng(3))
    picture = render_pose("open_palm", Person.random(3), scene, size=SIZE).pixels
    with quiet_native_log(), open_detector(DetectorOptions(detector="litert")) as detector:
        tracked = [_timed(lambda k=k: detector.track(picture, k / 30)) for k in range(60)]
    frame, network = 1e3 * float(np.mean(costs)), 1e3 * float(np.median(tracked[10:]))
    print(
        f"recogniser, a pose and a movement model, 30 frames a second: {frame:.3f} ms a frame"
        f" (95 % below {1e3 * np.quantile(costs, 0.95):.2f} ms, longest"
        f" {1e3 * max(costs):.1f} ms), {frame / network:.3f} of a tracked frame of the litert"
        f" detector ({network:.2f} ms)"
    )


def _tell(
    what: str, models: Sequence[Model], streams: Sequence[Stream], options: argparse.Namespace
) -> None:
    settings = _settings(options)
    total, late, shared, seconds = StreamScore(), [], [], 0.0
    for stream in streams:
        recogniser, emitted = Recogniser(models, settings), []
        video = stream.video
        for at, now in enumerate(video.time):
            events = recogniser.feed(
                float(now), video.image[at], video.world[at], video.handedness[at]
            )
            emitted += [(event, float(now)) for event in events]
        emitted += [(event, float(video.time[-1])) for event in recogniser.finish()]
        assert [event for event, _ in emitted] == list(recognise(models, video, settings))
        outcome = StreamScore.of([event for event, _ in emitted], stream.ground_truth)
        moments = dict(emitted)
        late += [moments[event] - truth.end for truth, event in outcome.found]
        total += outcome
        if stream.ground_truth:
            shared.append(_jaccard([event for event, _ in emitted], stream))
        seconds += stream.seconds
        if options.verbose:
            for truth in outcome.missed:
                print(f"  {stream.name}: missed {truth.label} {truth.start:.1f}-{truth.end:.1f}")
            for event in outcome.false:
                print(f"  {stream.name}: false {event.line()}")
    n, false = total.n, len(total.false)
    middle, most = np.quantile(late, (0.5, 0.9))
    print(
        f"{what}: {len(total.found)} of {n} found ({len(total.found) / n:.3f}), {false} false"
        f" ({false / n:.3f} of the gestures) in {seconds / 60:.1f} minutes, Jaccard index"
        f" {np.mean(shared):.3f}; emitted"
        f" {middle:+.2f} s after the end (median), 9 of 10 by {most:+.2f} s",
        flush=True,
    )


def _jaccard(events: Sequence[Event], stream: Stream) -> float:
    """Return the overlap over time of what is emitted and what is there, averaged over the labels.

    It is the Jaccard index of the SHREC tracks on online recognition: intersection over union of
    the frames with a label, for each label that the stream shows.
    """
    time = np.arange(0, stream.seconds, 0.02)

    def frames(intervals: Sequence[Event] | Sequence[LabelledInterval], label: str) -> np.ndarray:
        shown = [one for one in intervals if one.label == label]
        return np.any([(time >= one.start) & (time < one.end) for one in shown] or [time < 0], 0)

    shares = []
    for label in {one.label for one in stream.ground_truth}:
        found, there = frames(events, label), frames(stream.ground_truth, label)
        shares.append((found & there).sum() / (found | there).sum())
    return float(np.mean(shares))


def clips(options: argparse.Namespace) -> None:
    """Train on four fifths of the people of a dataset of clips; join the clips of the others."""
    dataset = load_dataset(options.clips)
    folds = list(cross_validation(dataset, "group", 5))[: options.folds]
    for number, (rest, left_out) in enumerate(folds):
        test, rng = dataset.select(left_out), np.random.default_rng(0)
        streams = []
        for person in np.unique(test.samples.group):
            own = rng.permutation(np.flatnonzero(test.samples.group == person))
            streams.append(joined_clips(test, str(person), own.tolist()))
        model = _trained(dataset.select(rest), options, 0)
        _tell(f"{options.clips}, fold {number}", [model], streams, options)


def _settings(options: argparse.Namespace) -> RecogniserSettings:
    values = dict(one.split("=", 1) for one in options.set)
    return RecogniserSettings(**{name: float(value) for name, value in values.items()})


def _trained(clips: LandmarkDataset, options: argparse.Namespace, seed: int) -> Model:
    params = dict(param.split("=", 1) for param in options.param)
    estimator = make_estimator(options.model, params, seed=seed)
    pipeline = Pipeline(options.model, estimator, estimator.encoder(1))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.onnx"
        train_pipeline(pipeline, clips, path, negatives=not options.no_background)
        return load_model(path)


def _pose_model() -> Model:
    hands, labels = [], []
    for pose in POSES:
        for number in range(12):
            scene = Scene.random(np.random.default_rng([number, len(labels)]))
            picture = render_pose(pose, Person.random(number % 4), scene, size=(64, 64))
            hands.append([Hand(picture.image, picture.world, picture.handedness)])
            labels.append(pose)
    estimator = make_estimator("forest")
    dataset = LandmarkDataset.of_hands(hands, Samples.make(labels))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.onnx"
        train_pipeline(Pipeline("forest", estimator, PoseEncoder()), dataset, path)
        return load_model(path)


def _rendered_clips(n_people: int = 8, each: int = 2) -> LandmarkDataset:
    clips = []
    for person in range(n_people):
        for label in RENDERED:
            for number in range(each):
                rng = np.random.default_rng([person, number, len(clips)])
                scene = Scene.random(rng, hand=("right", "left")[number % 2])
                frames = render_movement(label, Person.random(person), scene, fps=20, size=(32, 32))
                clips.append(_dataset(frames, label, f"p{person}"))
    return concatenate(clips)


def _filmed_clips(
    root: Path, detector: HandDetector, n_people: int = 8, each: int = 2
) -> LandmarkDataset:
    """Render the same into video files and find the hands, as somebody would record them."""
    write_movement_videos(root, movements=RENDERED, n_people=n_people, per_movement=each, fps=20.0)
    source = make_source("videos", {"name_pattern": VIDEO_NAMES})
    return convert(source, root, detector).dataset


def _plays(n_sets: int) -> list[tuple[Play, Person, Scene]]:
    plays = []
    for one in range(n_sets):
        for number in range(5):
            rng = np.random.default_rng([77 + one, number])
            names = [*rng.permutation(RENDERED)] if number else []
            play = make_play(names, rng, before=2.0 if number else 60.0)
            plays.append((play, Person.random(900 + 10 * one + number), Scene.random(rng)))
    return plays


def _rendered_streams(n_sets: int = 1) -> list[Stream]:
    return [
        Stream(
            str(number),
            _dataset(render_stream(play, person, scene, size=SIZE, painted=False), "?", ""),
            play.truths,
        )
        for number, (play, person, scene) in enumerate(_plays(n_sets))
    ]


def _dataset(frames: object, label: str, group: str) -> LandmarkDataset:
    seconds, pictures = zip(*frames, strict=True)  # type: ignore[call-overload]
    return LandmarkDataset.of_hands(
        [[Hand(p.image, p.world, p.handedness)] for p in pictures],
        Samples.make([label], group=[group]),
        time=seconds, offsets=[0, len(seconds)], header=Header(kind="sequence"),
    )  # fmt: skip


def _imported(**options: object) -> LandmarkDataset:
    return convert(make_source("sfinge3d", options), data_folder() / "sfinge3d", None).dataset


def _timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


ROWS = {
    "sfinge": sfinge,
    "rendered": rendered,
    "video": video,
    "clips": clips,
    "speed": speed,
}

if __name__ == "__main__":
    main()
