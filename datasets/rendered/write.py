"""Labelled folders of rendered pictures and videos, as a data set would come."""

import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from handlore.landmarks.errors import HandloreError
from handlore.landmarks.files import atomic_write, make_folder

from .gestures import MOVEMENTS, POSES, get_movement, get_pose
from .hand import Person
from .render import SIZE, RenderedPicture, render_movement, render_pose
from .scene import Scene, Side

TRUTH = "truth.npz"
Progress = Callable[[int, int], None]
_HANDS: tuple[Side, Side] = ("right", "left")


def write_pictures(
    folder: Path,
    *,
    poses: Sequence[str] = tuple(POSES),
    n_people: int = 6,
    per_pose: int = 4,
    size: tuple[int, int] = SIZE,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[Path]:
    """Write `<folder>/<label>/<label>_p<person>_<n>.png` and their ground truth.

    The person is in the name, so that it can be read back as the group. Both hands take turns.
    The same arguments write the same bytes, and a picture is the same in a larger set.

    `truth.npz` has `path` (relative to the folder), `image`, `world` and `handedness`, one row a
    picture, as in `RenderedPicture`. The pictures are returned in the order of its rows.

    `size` is width and height in pixels; `progress` receives the numbers of pictures done and of
    all.
    """
    for pose in poses:
        get_pose(pose)
    written: list[Path] = []
    pictures: list[RenderedPicture] = []
    for label, person, n in _count(poses, n_people, per_pose):
        scene = _scene(label, person, n, seed)
        picture = render_pose(label, _person(person, seed), scene, size=size)
        path = _path(folder, label, person, n, "png")
        _write_png(path, picture)
        written.append(path)
        pictures.append(picture)
        if progress is not None:
            progress(len(written), len(poses) * n_people * per_pose)
    _write_truth(folder, written, pictures)
    return written


def write_movement_videos(
    folder: Path,
    *,
    movements: Sequence[str] = tuple(MOVEMENTS),
    n_people: int = 4,
    per_movement: int = 3,
    fps: float = 30.0,
    size: tuple[int, int] = SIZE,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[Path]:
    """Write `<folder>/<label>/<label>_p<person>_<n>.mp4`.

    The names, the order and the parameters are those of `write_pictures`.
    """
    for movement in movements:
        get_movement(movement)
    written: list[Path] = []
    for label, person, n in _count(movements, n_people, per_movement):
        scene = _scene(label, person, n, seed)
        frames = render_movement(label, _person(person, seed), scene, fps=fps, size=size)
        path = _path(folder, label, person, n, "mp4")
        write_video(path, (picture for _, picture in frames), fps, size)
        written.append(path)
        if progress is not None:
            progress(len(written), len(movements) * n_people * per_movement)
    return written


def _count(labels: Sequence[str], n_people: int, each: int) -> Iterator[tuple[str, int, int]]:
    for label in labels:
        for person in range(1, n_people + 1):
            for n in range(1, each + 1):
                yield label, person, n


def _person(person: int, seed: int) -> Person:
    return Person.random(1000 * seed + person)


def _scene(label: str, person: int, n: int, seed: int) -> Scene:
    rng = np.random.default_rng([seed, zlib.crc32(label.encode()), person, n])
    return Scene.random(rng, hand=_HANDS[(n - 1) % 2])


def _path(folder: Path, label: str, person: int, n: int, suffix: str) -> Path:
    path = folder / label / f"{label}_p{person:02d}_{n}.{suffix}"
    make_folder(path.parent)
    return path


def _write_png(path: Path, picture: RenderedPicture) -> None:
    _, data = cv2.imencode(".png", picture.pixels[..., ::-1])
    with atomic_write(path) as stream:
        stream.write(data.tobytes())


def _write_truth(folder: Path, written: list[Path], pictures: list[RenderedPicture]) -> None:
    make_folder(folder)
    with atomic_write(folder / TRUTH) as stream:
        np.savez(
            stream,
            path=np.array([path.relative_to(folder).as_posix() for path in written], dtype=np.str_),
            image=np.array([p.image for p in pictures], np.float32).reshape(-1, 21, 3),
            world=np.array([p.world for p in pictures], np.float32).reshape(-1, 21, 3),
            handedness=np.array([p.handedness for p in pictures], np.float32),
        )


def write_video(
    path: Path, pictures: Iterator[RenderedPicture], fps: float, size: tuple[int, int]
) -> None:
    """Write through a hidden name beside the target, so that no half video is left under it."""
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    video = cv2.VideoWriter(str(part), cv2.VideoWriter.fourcc(*"mp4v"), fps, size)
    try:
        if not video.isOpened():
            raise HandloreError(f"cannot write {path}: OpenCV has no mp4v encoder or no access")
        for picture in pictures:
            video.write(np.ascontiguousarray(picture.pixels[..., ::-1]))
        video.release()
        part.replace(path)
    finally:
        video.release()
        part.unlink(missing_ok=True)
