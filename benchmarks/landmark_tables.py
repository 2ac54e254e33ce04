"""Tables of landmarks: how fast a large one is read, and whether shares read back are as good.

``python benchmarks/landmark_tables.py speed [ROWS]`` writes a CSV file of hands with three
coordinates and a label and converts it in a process of its own: seconds and peak memory.

``python benchmarks/landmark_tables.py units [PER_LABEL]`` puts photos of digits onto pictures of
16:9, 9:16 and 4:3, finds the hands with MediaPipe alone and writes what it returns, shares of width
and height, as people do. The table is read with the right aspect, with ``unknown``, and compared
with the direct conversion of the same pictures: accuracy of a forest on image landmarks in the same
folds, on the pictures in which both found a hand.
"""

import csv
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import mediapipe as mp
import numpy as np
from data import data_folder

from handlore.classifiers.evaluation.crossval import cross_validate
from handlore.datasets.conversion.batches import ConvertOptions
from handlore.datasets.conversion.convert import convert
from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.sources import make_source
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.opening import open_detector
from handlore.landmarks.stages import STAGES
from handlore.landmarks.weights import require_bundle

SIZES = {"16:9": (640, 360), "9:16": (360, 640), "4:3": (640, 480)}
NAMES = ["label", *(f"{axis}{k}" for k in range(21) for axis in "xyz")]


def speed(n_rows: int = 1_000_000) -> None:
    with tempfile.TemporaryDirectory() as name:
        table, out = Path(name) / "table.csv", Path(name) / "out.npz"
        write_table(table, n_rows)
        started = time.perf_counter()
        command = [sys.executable, "-m", "handlore", "convert", str(table), str(out)]
        subprocess.run([*command, "--aspect", "16:9"], check=True)
        seconds = time.perf_counter() - started
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(
            f"{n_rows:,} rows, {table.stat().st_size / 1e6:,.0f} MB: {seconds:.1f} s, of the"
            f" processor {used.ru_utime + used.ru_stime:.1f} s; at most"
            f" {used.ru_maxrss / 1024:,.0f} MB of memory"
        )


def write_table(path: Path, n_rows: int) -> None:
    rng = np.random.default_rng(0)
    with path.open("w") as file:
        print(*NAMES, sep=",", file=file)
        for start in range(0, n_rows, 10_000):
            rows = rng.uniform(0.2, 0.8, (min(10_000, n_rows - start), 63))
            for number, row in enumerate(rows.tolist()):
                file.write(f"gesture {number % 20}," + ",".join(map(repr, row)) + "\n")


def units(per_label: int = 40) -> None:
    for aspect, size in SIZES.items():
        with tempfile.TemporaryDirectory() as name, quiet_native_log():
            folder = Path(name)
            write_pictures(folder / "pictures", size, per_label)
            write_shares(folder / "pictures", folder / "shares.csv")
            options = ConvertOptions(stages=STAGES[:1])
            with open_detector() as detector:
                pictures = make_source("images")
                direct = convert(pictures, folder / "pictures", detector, options).dataset
            tables = {
                given: convert(
                    make_source("landmark-table", {"aspect": given}), folder / "shares.csv", None
                ).dataset
                for given in (aspect, "unknown")
            }
        both = direct.has_hand & tables[aspect].has_hand
        scored = {"direct": direct, **tables}
        found = "  ".join(f"{n} {accuracy(one.select(both)):.1%}" for n, one in scored.items())
        apart = np.abs(direct.image - tables[aspect].image)[both, ..., :2].max()
        print(f"{aspect:>5}: {both.sum()} hands; {found}; landmarks at most {apart:.1e} apart")


def accuracy(dataset: LandmarkDataset) -> float:
    # A table has no world landmarks, so both go without them.
    features = ("image", "image_distances")
    done = cross_validate(dataset, "forest", by="random", features=features)
    return float(done.scores.accuracy)


def write_pictures(folder: Path, size: tuple[int, int], per_label: int) -> None:
    rng = np.random.default_rng(0)
    for label in map(str, range(10)):
        (folder / label).mkdir(parents=True)
        for path in sorted((data_folder() / "sign_digits").rglob(f"{label}/*.JPG"))[:per_label]:
            photo = cv2.resize(cv2.imread(str(path)), (300, 300))
            canvas = np.full((size[1], size[0], 3), 200, np.uint8)
            x, y = (int(rng.integers(0, side - 300 + 1)) for side in size)
            canvas[y : y + 300, x : x + 300] = photo
            cv2.imwrite(str(folder / label / f"{path.stem}.png"), canvas)


def write_shares(folder: Path, table: Path) -> None:
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(NAMES)
        writer.writerows(rows_of(folder))


def rows_of(folder: Path) -> Iterator[list[object]]:
    vision = mp.tasks.vision
    base = mp.tasks.BaseOptions(model_asset_path=str(require_bundle().path))
    options = vision.HandLandmarkerOptions(base_options=base)
    with vision.HandLandmarker.create_from_options(options) as landmarker:
        for path in sorted(folder.rglob("*.png")):
            pixels = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
            hands = landmarker.detect(mp.Image(mp.ImageFormat.SRGB, pixels)).hand_landmarks
            marks = (
                [v for mark in hands[0] for v in (mark.x, mark.y, mark.z)] if hands else [0] * 63
            )
            yield [path.parent.name, *marks]


if __name__ == "__main__":
    {"speed": speed, "units": units}[sys.argv[1]](*map(int, sys.argv[2:]))
