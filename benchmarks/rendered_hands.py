"""How well MediaPipe reads the rendered hands: found, landmark error, handedness, pose by pose.

Run it with ``python benchmarks/rendered_hands.py [PEOPLE PER_POSE SEED]``.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from handlore.datasets.pictures import read_picture
from handlore.datasets.rendered import render_background, write_pictures
from handlore.landmarks.geometry import palm_length
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.opening import open_detector

BACKGROUNDS = 60


def main(n_people: int = 12, per_pose: int = 6, seed: int = 42) -> None:
    with tempfile.TemporaryDirectory() as name, quiet_native_log(), open_detector() as detector:
        folder = Path(name)
        paths = write_pictures(folder, n_people=n_people, per_pose=per_pose, seed=seed)
        with np.load(folder / "truth.npz") as truth:
            image, handedness = truth["image"], truth["handedness"]
        found = [detector.detect(read_picture(path)[0]) for path in paths]
        empty = [detector.detect(render_background(i, size=(320, 320))) for i in range(BACKGROUNDS)]
    poses = np.array([path.parent.name for path in paths])
    errors, sides = np.full(len(paths), np.nan), np.zeros(len(paths), bool)
    for i, hands in enumerate(found):
        if hands:
            apart = np.linalg.norm((hands[0].image - image[i])[:, :2], axis=1).mean()
            errors[i] = apart / palm_length(image[i])
            sides[i] = (hands[0].handedness >= 0.5) == (handedness[i] >= 0.5)
    print(f"{'pose':<12}{'n':>5}{'found':>8}{'median':>8}{'p90':>8}{'side':>8}")
    for pose in [*np.unique(poses), "all"]:
        of = (poses == pose) | (pose == "all")
        seen = of & ~np.isnan(errors)
        median, p90 = np.quantile(errors[seen], [0.5, 0.9])
        print(f"{pose:<12}{of.sum():>5}{seen.sum() / of.sum():>8.3f}{median:>8.3f}{p90:>8.3f}"
              f"{sides[seen].mean():>8.3f}")  # fmt: skip
    print("errors are mean 2-D distances to the truth in palm lengths")
    print(f"hands found in {BACKGROUNDS} pictures without one: {sum(map(bool, empty))}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
