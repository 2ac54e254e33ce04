"""The small files that the examples of the public API use."""

import shutil
from pathlib import Path

import numpy as np
from trigger_stubs import corrected, session, wrong_ones

from handlore.classifiers.training import train
from handlore.datasets.dataset import Header, LandmarkDataset, Samples, concatenate
from handlore.datasets.rendered import Person, Scene, render_movement, write_movement_videos
from handlore.datasets.storage import save_dataset
from handlore.landmarks.hands import Hand

MOVEMENTS = ("circle", "swipe_left", "wave")


def rendered(label: str, person: int, seed: int, *, after: int = 0) -> LandmarkDataset:
    """The true landmarks of a rendered movement, followed by frames without a hand."""
    rng = np.random.default_rng([person, seed])
    scene = Scene(
        x=rng.uniform(0.45, 0.55),
        y=rng.uniform(0.5, 0.6),
        size=rng.uniform(0.18, 0.24),
        tempo=rng.uniform(0.9, 1.1),
        seed=seed,
    )
    who = Person.random(person)
    moments = list(render_movement(label, who, scene, size=(32, 24), fps=20, painted=False))
    hands = [[Hand(shown.image, shown.world, shown.handedness)] for _, shown in moments]
    times = [seconds for seconds, _ in moments]
    return LandmarkDataset.of_hands(
        [*hands, *[[None]] * after],
        Samples.make([label], group=[f"p{person}"]),
        time=[*times, *(times[-1] + 0.05 * (number + 1) for number in range(after))],
        offsets=[0, len(times) + after],
        header=Header(kind="sequence"),
    )


def write_home(folder: Path, pictures: Path, poses: LandmarkDataset) -> None:
    """Write photos, a video, the data and models ``poses`` and ``moves``, a stream, triggers."""
    shutil.copytree(pictures, folder / "photos")
    shutil.copy(pictures / "fist/fist_p01_1.png", folder / "photo.png")
    write_movement_videos(
        folder, movements=("wave",), n_people=1, per_movement=1, fps=20, size=(320, 240)
    )
    (clip,) = (folder / "wave").glob("*.mp4")
    clip.rename(folder / "wave.mp4")
    moves = concatenate(
        [
            rendered(label, person, seed)
            for label in MOVEMENTS
            for person in range(3)
            for seed in range(2)
        ]
    )
    save_dataset(rendered("swipe_left", 9, 9, after=20), folder / "stream.npz")
    for name, data, estimator, params, options in (
        ("poses", poses, "linear", {}, {}),
        (
            "moves",
            moves,
            "rocket",
            {"n_kernel_features": "300", "n_augmented": "1"},
            {"negatives": True},
        ),
    ):
        save_dataset(data, folder / f"{name}.npz")
        train(data, folder / f"{name}.onnx", estimator, params=params, **options)
    triggers = session(folder / "triggers", poses)
    corrected(triggers, wrong_ones(triggers, poses), "victory")
