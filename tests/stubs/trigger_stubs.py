"""Recordings of a live session, as ``live --record`` keeps them around events."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from handlore.classifiers.extending import pipeline_beside
from handlore.classifiers.factory import make_pipeline
from handlore.classifiers.provenance import source_facts
from handlore.classifiers.training import train_pipeline
from handlore.datasets.dataset import Header, LandmarkDataset, Samples
from handlore.datasets.recordings import RecordingFolder
from handlore.datasets.splits import training_samples
from handlore.datasets.storage import save_dataset

FPS = 15
UNKNOWN = "victory"
"""A pose that the model has never seen, and takes for another one."""


def trigger(
    poses: LandmarkDataset,
    sample: int,
    recognised: str,
    *,
    session: str = "live-1",
    subject: str = "carl",
    seed: int = 0,
) -> LandmarkDataset:
    """A second without a hand, then a pose that is held; the event is its first quarter second."""
    n = 2 * FPS
    frames = np.full(n, poses.offsets[sample])
    rng = np.random.default_rng([seed, sample])
    tremor = rng.normal(0, 0.001, (n, 1, 21, 3)).astype(np.float32)
    image, world = poses.image[frames] + tremor, poses.world[frames] + tremor
    side, score = poses.handedness[frames].copy(), poses.score[frames].copy()
    stage, away = poses.stage[frames].copy(), slice(0, FPS)
    for values in (image, world, side, score):
        values[away] = np.nan
    stage[away] = -1
    event = {"label": recognised, "start": 1.0, "end": 1.3, "slot": 0, "probability": 0.8}
    return LandmarkDataset(
        image,
        world,
        side,
        score,
        stage,
        np.arange(n) / FPS,
        np.array([0, n]),
        Samples.make([recognised], group=[subject], session=[session]),
        Header(kind="sequence", options={"live": True, "session": session, "event": event}),
    )


def few_poses(poses: LandmarkDataset) -> LandmarkDataset:
    """The rendered hands without one pose."""
    return poses.select(poses.samples.label != UNKNOWN)


def pose_model(folder: Path, poses: LandmarkDataset, name: str = "poses") -> Path:
    """A quick model of all poses but one, beside its data; it rejects no unknown pose."""
    few, out = few_poses(poses), folder / f"{name}.onnx"
    save_dataset(few, folder / "photos.npz")
    own, facts = training_samples(few), source_facts(out, [folder / "photos.npz"])
    train_pipeline(
        make_pipeline(own, "linear", features=["world"]), own, out, novelty=False, facts=facts
    )
    return out


def model_on_base(folder: Path, poses: LandmarkDataset, own: str) -> Path:
    """A quick model of one pose of one's own, on top of a base that knows the others."""
    base = folder / "base.onnx"
    few, is_own = few_poses(poses), poses.samples.label == own
    save_dataset(few.select(few.samples.label != own), base.with_suffix(".npz"))
    pose_model(folder, poses, "base")
    save_dataset(poses.select(is_own), folder / "photos.npz")
    out, data = folder / "mine.onnx", poses.select(is_own)
    pipeline, examples, _ = pipeline_beside(data, base, "linear", features=["world"])
    facts = source_facts(out, [folder / "photos.npz"], base=base)
    train_pipeline(pipeline, data, out, base=examples, novelty=False, facts=facts)
    return out


def session(
    root: Path, poses: LandmarkDataset, *, each: int = 2, name: str = "live-1"
) -> RecordingFolder:
    """A session in which the unknown pose was taken for ``point``; nobody has reviewed it."""
    folder, seed = RecordingFolder.open(root), sum(name.encode())
    for label in poses.labels:
        for k, sample in enumerate(np.flatnonzero(poses.samples.label == label)[: each * 2]):
            if label == UNKNOWN or k < each:
                said = "point" if label == UNKNOWN else label
                folder.keep(trigger(poses, int(sample), said, session=name, seed=seed))
    return folder


def wrong_ones(folder: RecordingFolder, poses: LandmarkDataset, *, each: int = 2) -> list[int]:
    """The numbers of the recordings of the unknown pose, the last ones of the last session."""
    return [entry.number for entry in folder.entries()][-2 * each :]


def corrected(folder: RecordingFolder, numbers: list[int], label: str = "none") -> None:
    """Review everything: these get another label, the others are right."""
    for entry in folder.entries():
        if entry.number in numbers:
            folder.relabel(entry.path, label)
        elif entry.needs_review:
            folder.confirm(entry.path)


def with_test_split(poses: LandmarkDataset) -> LandmarkDataset:
    """The same; the last person is for testing."""
    last = poses.samples.group == np.unique(poses.samples.group)[-1]
    split = np.where(last, "test", "train")
    return replace(poses, samples=replace(poses.samples, split=split))
