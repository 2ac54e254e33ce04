"""How well everyday gestures are recognised in pictures that are degraded by known amounts.

``python benchmarks/robustness.py hagrid.npz``, after ``handlore convert hagrid_crops hagrid.npz``,
trains on four fifths of the crops of HaGRID. Some of the others are scaled, blurred, darkened,
turned or mirrored, searched for hands again and answered. A hand that is not found counts as an
error unless it shows no gesture. ``--per-label`` says how many pictures of each label are changed.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from data import data_folder

from handlore.classifiers.evaluation.scores import fit_samples
from handlore.classifiers.factory import make_pipeline
from handlore.datasets.dataset import NONE_LABEL
from handlore.datasets.pictures import read_picture
from handlore.datasets.storage import load_dataset
from handlore.landmarks.hands import by_slot, stack_hands
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.opening import open_detector
from handlore.landmarks.search import search


def scaled(side):
    """Return a change that makes the longer side so many pixels long."""

    def change(pixels):
        scale = side / max(pixels.shape[:2])
        size = [max(1, round(scale * n)) for n in pixels.shape[1::-1]]
        return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)

    return change


def far_away(share):
    """Return a change that puts the picture into a grey scene; it is a share of its width."""

    def change(pixels):
        height, width = pixels.shape[:2]
        scene = np.full((round(height / share), round(width / share), 3), 110, np.uint8)
        y, x = (scene.shape[0] - height) // 2, (scene.shape[1] - width) // 2
        scene[y : y + height, x : x + width] = pixels
        return scene

    return change


def blurred(share):
    """Return a change that blurs by a standard deviation, as a share of the longer side."""
    return lambda pixels: cv2.GaussianBlur(pixels, (0, 0), share * max(pixels.shape[:2]))


def dark(share):
    """Return a change that leaves a share of the light, and adds the noise of a camera."""

    def change(pixels):
        noise = np.random.default_rng(0).normal(0, 3, pixels.shape)
        return np.clip(pixels * share + noise, 0, 255).astype(np.uint8)

    return change


def turned(degrees):
    """Return a change that rotates about the middle, the border repeated outwards."""

    def change(pixels):
        height, width = pixels.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
        return cv2.warpAffine(pixels, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)

    return change


CHANGES = {
    "as it is": lambda pixels: pixels,
    "60 pixels": scaled(60),
    "40 pixels": scaled(40),
    "28 pixels": scaled(28),
    "a third of the width of a scene": far_away(1 / 3),
    "a sixth of the width of a scene": far_away(1 / 6),
    "blurred by 1 % of its side": blurred(0.01),
    "blurred by 2 %": blurred(0.02),
    "blurred by 4 %": blurred(0.04),
    "half of the light": dark(0.5),
    "a quarter of the light": dark(0.25),
    "a tenth of the light": dark(0.1),
    "turned by 15 degrees": turned(15),
    "turned by 30 degrees": turned(30),
    "turned by 45 degrees": turned(45),
    "mirrored": lambda pixels: np.ascontiguousarray(pixels[:, ::-1]),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("converted", type=Path)
    parser.add_argument("--per-label", type=int, default=20)
    options = parser.parse_args()
    data = load_dataset(options.converted)
    out = np.random.default_rng(0).permutation(data.n_samples) % 5 == 0
    known = data.select(~out)
    pipeline = make_pipeline(known)
    fitted = fit_samples(pipeline.estimator, known, pipeline.encoder)
    labels = data.samples.label
    tested = np.concatenate(
        [np.flatnonzero(out & (labels == one))[: options.per_label] for one in data.labels]
    )
    print(f"{len(tested)} pictures\n{'picture':<34}{'found':>8}{'right':>8}{'named wrongly':>15}")
    with quiet_native_log(), open_detector() as detector:
        for name, change in CHANGES.items():
            slots = [_slots(detector, data, sample, change) for sample in tested]
            _print(name, fitted, pipeline.encoder, slots, labels[tested])


def _slots(detector, data, sample, change):
    pixels = read_picture(data_folder() / "hagrid_crops" / str(data.samples.source[sample]))[0]
    return by_slot(search(detector, np.ascontiguousarray(change(pixels))), 1)


def _print(name, fitted, encoder, slots, truth):
    hands = stack_hands(slots)
    found = ~np.isnan(hands.image[:, 0, 0, 0])
    given = np.full(len(truth), NONE_LABEL, truth.dtype)
    X = encoder.encode(hands.image[found], hands.world[found], hands.handedness[found])
    given[found] = fitted.predict(X)
    wrong = (given != truth) & (given != NONE_LABEL)
    print(
        f"{name:<34}{found.mean():>8.3f}{(given == truth).mean():>8.3f}{wrong.mean():>15.3f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
