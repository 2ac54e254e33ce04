"""What the search for hands finds where there is a hand, and where there is none.

A stage that finds more hands is worth nothing if it also finds them where there are none, or in the
wrong place. Pictures without a hand: HGR1 photos whose hand is painted over through its widened
skin mask, rendered backgrounds, the frames of phone_clips in which no hand is wholly in view, grey
28x28 blobs, random binary shapes. Landmarks are compared with those found in the colour photo, in
palm lengths.

Run it with ``python benchmarks/search_stages.py [--every N] [--detector NAME] [ROW...]``.
"""

import argparse
from collections import Counter
from collections.abc import Iterator

import cv2
import numpy as np
from data import data_folder

from handlore.datasets.pictures import read_picture
from handlore.datasets.rendered import render_background
from handlore.datasets.sources import find_source, make_source
from handlore.landmarks.detector import DetectorOptions
from handlore.landmarks.geometry import palm_length
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.opening import open_detector
from handlore.landmarks.search import search
from handlore.landmarks.stages import STAGE_NAMES

TURNS = (40, 80, -80, 180)
NO_HAND_FRAMES = {"H-SetThermo": range(52, 74), "H-1": range(92, 111)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="take every Nth picture only")
    parser.add_argument("--detector", default="auto")
    parser.add_argument("rows", nargs="*", help="only rows whose name contains one of these")
    options = parser.parse_args()
    for number, name in enumerate(STAGE_NAMES):
        print(f"  stage {number}: {name}")
    print(f"\n{'pictures':<36}{'n':>6}{'plain':>8}{'all':>8}{'distance':>10}   by stage")
    chosen = DetectorOptions(detector=options.detector)
    with quiet_native_log(), open_detector(chosen) as detector:
        for name, pictures in rows().items():
            if not options.rows or any(part in name for part in options.rows):
                _row(name, pictures(), detector, options.every)


def rows():
    """Return, by name, what yields pictures, each with its colour photo or None."""
    sets = ("hgr1", "sign_digits", "asl_massey", "hagrid_sample", "silhouettes50")
    # Repeated borders would draw wires where fingers touch the border of a silhouette.
    borders = {"sign_digits": cv2.BORDER_REPLICATE, "silhouettes50": cv2.BORDER_CONSTANT}
    turned = {
        f"{name}, turned by {degrees}": lambda name=name, degrees=degrees, border=border: (
            (_turn(picture, degrees, border), None) for picture, _ in _photos(name)
        )
        for name, border in borders.items()
        for degrees in TURNS
    }
    return {
        **{name: lambda name=name: _photos(name) for name in sets},
        "sign_mnist_mini": lambda: _photos("sign_mnist_mini"),
        "hgr1's masks": _masks,
        "hgr1, 28x28 grey": _small,
        **turned,
        "no hand: hgr1, hand painted over": _painted_over,
        "no hand: frames": _frames_without_hand,
        "no hand: rendered backgrounds": lambda: (
            (render_background(i, size=(320, 320)), None) for i in range(300)
        ),
        "no hand: 28x28 grey blobs": lambda: ((blob(seed), None) for seed in range(600)),
        "no hand: random binary shapes": lambda: ((shape(seed), None) for seed in range(600)),
    }


def _row(name, pictures, detector, every) -> None:
    stages, plain, distances = Counter(), 0, []
    for number, (picture, photo) in enumerate(pictures):
        if number % every:
            continue
        plain += bool(detector.detect(picture))
        hands = search(detector, picture)
        stages[hands[0].stage if hands else -1] += 1
        there = search(detector, photo) if photo is not None and hands else []
        if there:
            apart = np.linalg.norm((hands[0].image - there[0].image)[:, :2], axis=1)
            distances.append(np.median(apart) / palm_length(there[0].image))
    n, missed = stages.total(), stages.pop(-1, 0)
    counts = "  ".join(f"{stage}: {stages[stage]}" for stage in sorted(stages))
    distance = f"{np.median(distances):.3f}" if distances else ""
    print(f"{name:<36}{n:>6}{plain / n:>8.3f}{1 - missed / n:>8.3f}{distance:>10}   {counts}",
          flush=True)  # fmt: skip


def _photos(name) -> Iterator[tuple[np.ndarray, None]]:
    folder = data_folder() / name
    source = make_source(find_source(folder)[0], {})
    for item in source.scan(folder).items:
        if item.label != "none":
            for _, pixels in source.read(item).frames:
                yield pixels, None


def _hgr1() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for item in make_source("hgr1", {}).scan(data_folder() / "hgr1").items:
        yield read_picture(item.path)[0], read_picture(item.path.with_suffix(".bmp"))[0]


def _masks() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    yield from ((mask, photo) for photo, mask in _hgr1())


def _small() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Photos squeezed into 28x28 grey pixels; their landmarks are squeezed alike."""
    for photo, _ in _hgr1():
        side = max(photo.shape[:2])
        square = cv2.resize(photo, (side, side), interpolation=cv2.INTER_AREA)
        tiny = cv2.resize(cv2.cvtColor(square, cv2.COLOR_RGB2GRAY), (28, 28),
                          interpolation=cv2.INTER_AREA)  # fmt: skip
        yield _rgb(tiny), square


def _turn(picture, degrees, border) -> np.ndarray:
    """Turn a picture clockwise, in a frame large enough for all of it.

    What is new in the frame repeats the border of the picture, or is black.
    """
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    c, s = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = round(width * c + height * s), round(width * s + height * c)
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    return cv2.warpAffine(picture, matrix, size, borderMode=border)


def _painted_over() -> Iterator[tuple[np.ndarray, None]]:
    """Fill the widened hand with the median colour around it, and blur the edge away."""
    for photo, mask in _hgr1():
        hand = (mask[..., 0] < 128).astype(np.uint8)
        side = max(photo.shape[:2]) // 20 * 2 + 1
        wide = cv2.dilate(hand, np.ones((side, side), np.uint8)).astype(bool)
        if wide.all():
            continue
        ground = np.where(wide[..., None], np.median(photo[~wide], axis=0), photo).astype(np.uint8)
        soft = cv2.GaussianBlur(ground, (0, 0), side / 4)
        yield np.where(wide[..., None], soft, photo), None


def _frames_without_hand() -> Iterator[tuple[np.ndarray, None]]:
    for name, empty in NO_HAND_FRAMES.items():
        video = cv2.VideoCapture(str(data_folder() / "phone_clips" / f"{name}.mp4"))
        for number in range(empty.stop):
            there, frame = video.read()
            assert there
            if number in empty:
                yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), None


def blob(seed) -> np.ndarray:
    """Return smooth noise, an ellipse or a few soft spots in 28x28 grey pixels."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:28, :28]
    values = cv2.GaussianBlur(random.normal(size=(28, 28)), (0, 0), random.uniform(1.5, 5))
    values = (values - values.min()) / np.ptp(values)
    if seed % 3 == 1:
        (a, b), (x, y), turn = (
            random.uniform(5, 11, 2),
            random.uniform(10, 18, 2),
            random.uniform(0, 3),
        )
        u = ((columns - x) * np.cos(turn) + (rows - y) * np.sin(turn)) / a
        v = ((rows - y) * np.cos(turn) - (columns - x) * np.sin(turn)) / b
        values = 0.3 * values + 0.7 / (1 + np.exp(4 * (u * u + v * v - 1)))
    if seed % 3 == 2:
        spots = random.uniform((4, 4, 2), (24, 24, 5), (random.integers(2, 6), 3))
        values = np.clip(sum(np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 2 / r**2)
                             for x, y, r in spots), 0, 1)  # fmt: skip
    low, high = sorted(random.uniform(40, 230, 2))
    low, high = (low, high) if high - low > 60 else (60, 200)
    return _rgb((low + (high - low) * values).astype(np.uint8))


def shape(seed) -> np.ndarray:
    """Return a white figure on black: thresholded noise, ellipses, or a polygon."""
    random = np.random.default_rng(seed)
    side = int(random.choice([50, 100, 200]))
    mask = np.zeros((side, side), np.uint8)
    if seed % 3 == 0:
        noise = cv2.GaussianBlur(
            random.normal(size=(side, side)), (0, 0), side * random.uniform(0.06, 0.15)
        )
        mask[noise > np.quantile(noise, random.uniform(0.5, 0.8))] = 255
    elif seed % 3 == 1:
        for _ in range(random.integers(1, 6)):
            centre = (random.uniform(0.2, 0.8, 2) * side).astype(int).tolist()
            axes = np.maximum(random.uniform(0.05, 0.35, 2) * side, 2).astype(int).tolist()
            cv2.ellipse(mask, centre, axes, random.uniform(0, 360), 0, 360, 255, -1)
    else:
        turns = np.sort(random.uniform(0, 2 * np.pi, random.integers(3, 12)))
        reach = random.uniform(0.1, 0.45, len(turns)) * side
        corners = side / 2 + np.stack([reach * np.cos(turns), reach * np.sin(turns)], axis=1)
        cv2.fillPoly(mask, [corners.astype(np.int32)], 255)
    return _rgb(mask)


def _rgb(grey) -> np.ndarray:
    return np.repeat(grey[..., None], 3, axis=2)


if __name__ == "__main__":
    main()
