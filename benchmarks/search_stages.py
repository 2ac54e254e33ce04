"""What each search stage finds where there is a hand, and where there is none.

A stage that finds more hands is worth nothing if it also finds them where there are none. The
pictures without a hand are HGR1 photos whose hand is painted over through its widened skin mask,
rendered backgrounds, and drone_poses' folder of people who do nothing (some of whom do show a
hand, so that row is only there to be compared).
"""

from collections import Counter
from collections.abc import Iterator

import cv2
import numpy as np
from data import data_folder

from handlore.datasets.pictures import read_picture
from handlore.datasets.rendered import render_background
from handlore.datasets.sources import find_source, make_source
from handlore.landmarks.detector import open_detector
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.search import STAGES, search

WITH_HANDS = ("hgr1", "sign_digits", "asl_massey", "hagrid_sample")


def main() -> None:
    root = data_folder()
    print(f"{'pictures':<34}{'n':>6}{'plain':>8}{'all':>8}   by stage")
    with quiet_native_log(), open_detector() as detector:
        for name in WITH_HANDS:
            _row(name, _photos(root / name), detector)
        _row("no hand: hgr1, hand painted over", _painted_over(root / "hgr1"), detector)
        backgrounds = (render_background(i, size=(320, 320)) for i in range(300))
        _row("no hand: rendered backgrounds", backgrounds, detector)


def _row(name, pictures, detector) -> None:
    stages = Counter()
    for picture in pictures:
        hands = search(detector, picture)
        stages[hands[0].stage if hands else -1] += 1
    n, missed = stages.total(), stages.pop(-1, 0)
    counts = "  ".join(f"{stage}: {stages[stage]}" for stage in range(len(STAGES)))
    print(f"{name:<34}{n:>6}{stages[0] / n:>8.3f}{1 - missed / n:>8.3f}   {counts}", flush=True)


def _photos(folder) -> Iterator[np.ndarray]:
    source = make_source(find_source(folder)[0], {})
    for item in source.items(folder):
        if item.label != "none":
            yield read_picture(item.path)[0]


def _painted_over(folder) -> Iterator[np.ndarray]:
    """Fill the widened hand with the median colour around it, and blur the edge away."""
    for item in make_source("hgr1", {}).items(folder):
        photo, _ = read_picture(item.path)
        mask, _ = read_picture(item.path.with_suffix(".bmp"))
        hand = (mask[..., 0] < 128).astype(np.uint8)
        side = max(photo.shape[:2]) // 20 * 2 + 1
        wide = cv2.dilate(hand, np.ones((side, side), np.uint8)).astype(bool)
        if wide.all():
            continue
        ground = np.where(wide[..., None], np.median(photo[~wide], axis=0), photo).astype(np.uint8)
        soft = cv2.GaussianBlur(ground, (0, 0), side / 4)
        yield np.where(wide[..., None], soft, photo)


if __name__ == "__main__":
    main()
