"""Photos turned by 80 degrees: whether labels stay right, and how exact ``rotation_deg`` is.

``python benchmarks/turned.py`` turns the photos of HGR1, finds the hands again and answers them by
classifiers trained on upright photos of all people but theirs.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from accuracy import N_VIEWS, dataset_of
from data import data_folder

from handlore.classifiers.evaluation.scores import fit_samples
from handlore.classifiers.factory import make_estimator
from handlore.datasets.pictures import read_picture
from handlore.landmarks.geometry import rotation_deg
from handlore.landmarks.hands import by_slot
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.opening import open_detector
from handlore.landmarks.search import search
from handlore.models.encoders import PoseEncoder

TURNS = (0, 80, -80)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--converted", type=Path, default=Path(), help="see accuracy.py")
    parser.add_argument("--models", default="linear,forest")
    options = parser.parse_args()
    upright = dataset_of("hgr1", options.converted)
    upright = upright.select(upright.samples.view <= N_VIEWS)
    photos = upright.select(upright.samples.view == 0)
    hands = {turn: found(photos, turn) for turn in TURNS}
    rotations = {turn: rotated(hands[turn]) for turn in TURNS}
    for turn in TURNS[1:]:
        off = (rotations[turn] - rotations[0] - turn + 180) % 360 - 180
        off = np.abs(off[~np.isnan(off)])
        exact = f"{np.median(off):.2f} degrees (median), {np.quantile(off, 0.9):.2f} (9 of 10)"
        share = f"found {len(off)} of {len(photos.samples.label)}"
        print(f"turned by {turn}: {share}, rotation_deg off by {exact}")
    for model in options.models.split(","):
        right = answered(model, upright, photos, hands)
        shown = ", ".join(f"{turn}: {100 * right[turn].mean():.1f} %" for turn in TURNS)
        print(f"{model}, by person, one look at each photo: {shown}")


def found(photos, turn):
    """Return the hand in each photo turned clockwise by so many degrees, or None."""
    root = data_folder() / "hgr1"
    with quiet_native_log(), open_detector() as detector:
        return [
            by_slot(search(detector, turned(read_picture(root / source)[0], turn)), 1)[0]
            for source in photos.samples.source
        ]


def turned(pixels, degrees):
    """Turn a photo clockwise, on a larger ground of its borders, so that nothing is cut off."""
    height, width = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1)
    size = int(np.ceil(np.hypot(height, width)))
    turn[:, 2] += [(size - width) / 2, (size - height) / 2]
    return cv2.warpAffine(pixels, turn, (size, size), borderMode=cv2.BORDER_REPLICATE)


def rotated(hands):
    return np.array([np.nan if hand is None else rotation_deg(hand.image) for hand in hands])


def answered(model, upright, photos, hands):
    """Return for each turn which photos are answered right."""
    labels, people = photos.samples.label, photos.samples.group
    right = {turn: np.zeros(len(labels), bool) for turn in TURNS}
    for person in np.unique(people):
        fitted = fit_samples(
            make_estimator(model), upright.select(upright.samples.group != person), PoseEncoder()
        )
        for turn in TURNS:
            own = [k for k in np.flatnonzero(people == person) if hands[turn][k] is not None]
            image, world = (
                np.stack([getattr(hands[turn][k], name) for k in own])[:, None]
                for name in ("image", "world")
            )
            side = np.array([[hands[turn][k].handedness] for k in own], np.float32)
            rows = PoseEncoder().encode(image, world, side)
            right[turn][own] = fitted.predict(rows) == labels[own]
    return right


if __name__ == "__main__":
    main()
