"""From a pose, a person and a scene to a picture with its ground truth, and to folders of them."""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from handlore.landmarks.errors import HandloreError
from handlore.landmarks.files import atomic_write, make_folder, write_bytes

from .gestures import MOVEMENTS, POSES, Keyframe, Pose, get_movement, get_pose
from .hand import Body, Person
from .raster import paint, photograph
from .scene import BACKGROUNDS, HandPlacement, Scene, Side, make_backdrop

_SIZE = (320, 320)

# By how much each of a pose's angles may stray, against a scene's looseness: a finger has less
# play sideways than in its bend, and the turn belongs to the scene.
_PLAY = np.array([1.0] * 5 + [1.0, 1.0, 1.0, 0.4] * 4 + [1.0] * 2 + [0.0] * 3)


@dataclass(frozen=True)
class RenderedPicture:
    """A picture of one hand and where its landmarks are."""

    pixels: NDArray[np.uint8]
    """(height, width, 3), RGB."""
    image: NDArray[np.float32]
    """(21, 3) image landmarks in image widths: x right, y down, z with the scale of x, smaller is
    nearer, relative to the wrist."""
    world: NDArray[np.float32]
    """(21, 3) metres, origin at the mean of the landmarks, x right, y down, z away."""
    handedness: float
    """1 for a right hand, 0 for a left one."""


def render_pose(
    pose: str, person: Person, scene: Scene, *, size: tuple[int, int] = _SIZE
) -> RenderedPicture:
    """Render a static pose of :data:`~.gestures.POSES`; ``size`` is width and height in pixels."""
    return _render_at(get_pose(pose), Keyframe(), person, scene, size=size)


def render_movement(
    movement: str,
    person: Person,
    scene: Scene,
    *,
    fps: float = 30.0,
    size: tuple[int, int] = _SIZE,
    painted: bool = True,
) -> Iterator[tuple[float, RenderedPicture]]:
    """Render a movement frame by frame as (seconds, picture); ``size`` is width, height in pixels.

    What is seen depends on the time alone; ``fps`` only says when it is looked at. Not painted, the
    pictures stay black.
    """
    moves = get_movement(movement)
    frames = int(moves.seconds / scene.tempo * fps + 1e-9) + 1
    for seconds in (k / fps for k in range(frames)):
        pose, moment = moves.at(seconds * scene.tempo)
        shown = _render_at(
            pose, moment, person, scene, size=size, grain=round(seconds * 1e6), painted=painted
        )
        yield seconds, shown


def render_background(seed: int, *, size: tuple[int, int] = _SIZE) -> NDArray[np.uint8]:
    """Render a picture without a hand: (height, width, 3), RGB."""
    rng = np.random.default_rng([seed, 0xBAC])
    kind = BACKGROUNDS[int(rng.integers(len(BACKGROUNDS)))]
    return photograph(make_backdrop(kind, rng, size), 0.6, float(rng.uniform(1.0, 5.0)), rng)


def _render_at(
    pose: Pose,
    moment: Keyframe,
    person: Person,
    scene: Scene,
    *,
    size: tuple[int, int],
    grain: int = 0,
    painted: bool = True,
) -> RenderedPicture:
    """Render a hand at one moment of a movement; not painted, the picture stays black."""
    body = Body.build(_loosen(pose, scene), person)
    stage = HandPlacement.build(scene, person.palm, size, pose, moment)
    joints = stage.place(body.points[:21])
    black = np.zeros((size[1], size[0], 3), np.uint8)
    return RenderedPicture(
        pixels=paint(body, stage, person, scene, grain=grain) if painted else black,
        image=stage.camera.image_landmarks(joints),
        world=(joints - joints.mean(axis=0)).astype(np.float32),
        handedness=float(scene.hand == "right"),
    )


def _loosen(pose: Pose, scene: Scene) -> Pose:
    stray = np.random.default_rng([scene.seed, 0x10]).normal(0, 1, len(_PLAY)).clip(-2, 2)
    return Pose.from_vector(pose.to_vector() + stray * _PLAY * scene.looseness)


TRUTH = "truth.npz"
Progress = Callable[[int, int], None]
_HANDS: tuple[Side, Side] = ("right", "left")


def write_pictures(
    folder: Path,
    *,
    poses: Sequence[str] = tuple(POSES),
    n_people: int = 6,
    per_pose: int = 4,
    size: tuple[int, int] = _SIZE,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[Path]:
    """Write ``<folder>/<label>/<label>_p<person>_<n>.png`` and their ground truth.

    The person is in the name, so that it can be read back as the group. Both hands take turns.
    The same arguments write the same bytes, and a picture is the same in a larger set.

    ``truth.npz`` has ``path`` (relative to the folder), ``image``, ``world`` and ``handedness``,
    one row a picture, as in :class:`RenderedPicture`. The pictures are returned in the order of its
    rows.

    ``size`` is width and height in pixels; ``progress`` receives the numbers of pictures done and
    of all.
    """
    for pose in poses:
        get_pose(pose)
    pictures: list[RenderedPicture] = []

    def write(path: Path, label: str, person: Person, scene: Scene) -> None:
        pictures.append(render_pose(label, person, scene, size=size))
        _write_png(path, pictures[-1])

    paths = _paths(folder, poses, n_people, per_pose, "png")
    _write_all(paths, seed, write, progress)
    _write_truth(folder, list(paths), pictures)
    return list(paths)


def write_movement_videos(
    folder: Path,
    *,
    movements: Sequence[str] = tuple(MOVEMENTS),
    n_people: int = 4,
    per_movement: int = 3,
    fps: float = 30.0,
    size: tuple[int, int] = _SIZE,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[Path]:
    """Write ``<folder>/<label>/<label>_p<person>_<n>.mp4``.

    The names, the order and the parameters are those of :func:`write_pictures`.
    """
    for movement in movements:
        get_movement(movement)

    def write(path: Path, label: str, person: Person, scene: Scene) -> None:
        frames = render_movement(label, person, scene, fps=fps, size=size)
        write_video(path, (picture for _, picture in frames), fps, size)

    paths = _paths(folder, movements, n_people, per_movement, "mp4")
    _write_all(paths, seed, write, progress)
    return list(paths)


def _paths(
    folder: Path, labels: Sequence[str], n_people: int, each: int, suffix: str
) -> dict[Path, tuple[str, int, int]]:
    """Return the files to write, each with its label, the number of its person, and its own."""
    chosen = product(labels, range(1, n_people + 1), range(1, each + 1))
    return {
        folder / label / f"{label}_p{person:02d}_{n}.{suffix}": (label, person, n)
        for label, person, n in chosen
    }


def _write_all(
    paths: Mapping[Path, tuple[str, int, int]],
    seed: int,
    write: Callable[[Path, str, Person, Scene], None],
    progress: Progress | None,
) -> None:
    for done, (path, (label, person, n)) in enumerate(paths.items(), 1):
        make_folder(path.parent)
        rng = np.random.default_rng([seed, zlib.crc32(label.encode()), person, n])
        scene = Scene.random(rng, hand=_HANDS[(n - 1) % 2])
        write(path, label, Person.random(1000 * seed + person), scene)
        if progress is not None:
            progress(done, len(paths))


def _write_png(path: Path, picture: RenderedPicture) -> None:
    _, data = cv2.imencode(".png", picture.pixels[..., ::-1])
    write_bytes(path, data.tobytes())


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
    """Write pictures of one size (width and height in pixels) as a video.

    It gets its name when it is complete, so that no half video is left under it.
    """
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
