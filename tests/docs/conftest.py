"""The folder in which the documentation's examples run: small, rendered, made once."""

import shutil
from collections.abc import Callable
from itertools import repeat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from few_parts import few_parts  # noqa: F401
from recording_stubs import held, rendered, stream

from handlore.cli import main
from handlore.datasets.recordings import RecordingFolder
from handlore.datasets.rendered import (
    Person,
    Scene,
    render_background,
    render_movement,
    write_movement_videos,
    write_pictures,
)
from handlore.datasets.rendered.render import write_video

MOVEMENTS = ("swipe_left", "swipe_right", "wave")
SMALL: dict[str, Any] = {"n_people": 1, "per_movement": 1, "fps": 10, "size": (320, 240)}
POSES = ("fist", "open_palm", "point")

MadeOnce = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def prepared(made_once: MadeOnce) -> Path:
    """Photos, clips, recordings and models, under the names that the pages use."""
    return made_once("docs", prepare)


@pytest.fixture(scope="session")
def prepared_more(made_once: MadeOnce) -> Path:
    """What the slow examples need, too."""
    return made_once("docs-more", prepare_more)


def prepare_more(home: Path) -> None:
    write_movement_videos(home / "clips", movements=MOVEMENTS, **SMALL | {"n_people": 3})
    movements(home / "bens_gestures", "ben")
    lessons(home)


def prepare(home: Path) -> None:
    pictures(home)
    write_movement_videos(home / "lesson", movements=["wave"], **SMALL)
    shutil.copy(next((home / "lesson").rglob("*.mp4")), home / "lesson.mp4")
    movements(home / "my_gestures", "anna")
    handlore(home, "convert", "photos", "photos.npz", "--jobs", "1")
    handlore(home, "convert", "other_photos", "others.npz", "--jobs", "1")
    handlore(home, "train", "photos.npz", "--out", "poses.onnx")
    quick = ("--param", "n_kernel_features=300", "--no-negatives")
    handlore(home, "train", "my_gestures", "--out", "gestures.onnx", *quick)
    shutil.copy(home / "gestures.onnx", home / "moves.onnx")
    switches(home / "my_switches")
    handlore(home, "train", "my_switches", "--out", "switches.onnx")


def pictures(home: Path) -> None:
    write_pictures(home / "photos", poses=POSES, n_people=3, per_pose=1)
    write_pictures(home / "other_photos", poses=POSES, n_people=2, per_pose=1, seed=7)
    shown = cv2.imread(str(next((home / "other_photos" / "fist").glob("*.png"))))
    cv2.imwrite(str(home / "new_photo.jpg"), shown)


def movements(root: Path, subject: str) -> None:
    folder = RecordingFolder.open(root)
    for number in range(2):
        for label in MOVEMENTS:
            folder.keep(rendered(label, seed=number, subject=subject, session=f"s{number}"))
        folder.keep(stream(4.0, seed=number, session=f"s{number}"))


def lessons(home: Path) -> None:
    """Write a video of each person with movements in it, and the list of when they were made."""
    folder, fps, size = home / "lessons", 15.0, SMALL["size"]
    folder.mkdir()
    rows = ["video,label,start,end,person,split"]
    for number in range(1, 5):
        name, split = f"p{number}.mp4", "test" if number == 4 else "train"
        room = SimpleNamespace(pixels=render_background(number, size=size))
        pictures = list(repeat(room, 15))
        for turn in range(2):
            for label in MOVEMENTS:
                scene = Scene.random(np.random.default_rng([number, turn]), hand="right")
                moved = render_movement(label, Person.random(number), scene, fps=fps, size=size)
                start = len(pictures) / fps
                pictures += [picture for _, picture in moved]
                end = (len(pictures) - 1) / fps
                rows.append(f"{name},{label},{start:.2f},{end:.2f},p{number},{split}")
                pictures += repeat(room, 15)
        write_video(folder / name, iter(pictures), fps, size)
    (folder / "gestures.csv").write_text("\n".join(rows) + "\n")


def switches(root: Path) -> None:
    folder = RecordingFolder.open(root)
    for number in range(2):
        for label in ("yes", "help", "arm"):
            folder.keep(held(label, seed=number, session=f"s{number}"))


def handlore(home: Path, *words: str) -> None:
    paths = [str(home / word) if (home / word).exists() or "." in word else word for word in words]
    done = CliRunner().invoke(main, paths)
    assert done.exit_code == 0, done.output
