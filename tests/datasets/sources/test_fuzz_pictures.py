"""Damaged trees and files: a clear error or a counted failure, never another exception."""

import os
import random

import cv2
import numpy as np
import pytest
from fakes import BrightDetector
from PIL import Image

from handlore.datasets.conversion.batches import ConvertOptions
from handlore.datasets.conversion.convert import convert
from handlore.datasets.sources import find_source, make_source
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.hands import Hand
from handlore.landmarks.stages import STAGES

OURS = ("images", "silhouettes", "videos", "frames", "pixels-csv", "hgr1")


class EveryPicture(BrightDetector):
    """Finds a hand in every picture, and checks what it gets."""

    def detect(self, picture, *, min_confidence=0.5, min_presence=None):
        assert picture.ndim == 3
        assert picture.shape[2] == 3
        assert picture.dtype == np.uint8
        return [Hand(np.zeros((21, 3), np.float32), np.zeros((21, 3), np.float32), 0.9)]


def _encoded(ending, rng):
    return cv2.imencode(ending, rng.integers(0, 255, (9, 8, 3)).astype(np.uint8))[1].tobytes()


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """Return whole files by ending."""
    rng, folder = np.random.default_rng(0), tmp_path_factory.mktemp("samples")
    found = {ending: _encoded(ending, rng) for ending in (".png", ".jpg", ".bmp")}
    for ending, code in ((".mp4", "mp4v"), (".avi", "MJPG")):
        path = folder / f"x{ending}"
        writer = cv2.VideoWriter(
            str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*code), 20, (32, 32)
        )
        for _ in range(6):
            writer.write(rng.integers(0, 255, (32, 32, 3)).astype(np.uint8))
        writer.release()
        found[ending] = path.read_bytes()
    drawn = [Image.new("RGB", (8, 9), (60 * n, 0, 9)) for n in range(4)]
    drawn[0].save(folder / "x.gif", save_all=True, append_images=drawn[1:])
    found[".gif"] = (folder / "x.gif").read_bytes()
    rows = [",".join(map(str, [n % 24, *rng.integers(0, 256, 64)])) for n in range(30)]
    found[".csv"] = ("label," + ",".join(f"p{n}" for n in range(64)) + "\n").encode()
    found[".csv"] += "\n".join(rows).encode()
    return found


def _damaged(data, rng):
    how = rng.randrange(9)
    place = rng.randrange(len(data))
    if how == 0:
        return data[:place]
    if how == 1:
        return data[:place] + rng.randbytes(rng.randrange(1, 40)) + data[place + 3 :]
    if how == 2:
        return rng.randbytes(rng.randrange(300))
    if how == 3:
        return data.decode("latin-1").encode("utf-16")
    if how == 4:
        return data[place:] + data[:place]
    return data if how > 5 else b""


FOLDERS = ("train", "test", "val", "fist", "palm", "Größe 1", "a b", "x.jpg", "1", "2", "L\udce4r")
STEMS = ("1", "frame_{}", "wave_{}", "x", "A_P_hgr1_id01_{}", "train", "ö {}", "%d", "-", "n\udcff")


def _tree(root, samples, rng):
    """Make a tree; the true label of a file is the last folder above it that is no split."""
    root.mkdir()
    endings = rng.sample(sorted(samples), rng.randrange(1, 3))
    for number in range(rng.randrange(1, 9)):
        folder = root.joinpath(*rng.choices(FOLDERS, k=rng.randrange(4)))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            ending = rng.choice(endings)
            path = folder / (rng.choice(STEMS).replace("{}", str(number)) + ending)
            kind = rng.randrange(40)
            if os.path.lexists(path):
                continue  # Writing into a pipe that is there already would wait for a reader.
            if kind == 0:
                path.mkdir()
            elif kind == 1:
                os.symlink(root, path)
            elif kind == 2:
                os.symlink(root / "nowhere", path)
            elif kind == 3:
                os.mkfifo(path)
            else:
                path.write_bytes(_damaged(samples[ending], rng))
        except OSError:
            continue


def _converted(name, root):
    source = make_source(name, {})
    try:
        return source, convert(source, root, EveryPicture(), ConvertOptions(stages=STAGES[:1]))
    except HandloreError:
        return source, None


def _check(root):
    try:
        taken = {find_source(root)[0]}
    except HandloreError:
        taken = set()
    for name in sorted({*OURS, *taken} & {*OURS}):
        source, done = _converted(name, root)
        if done is None:
            continue
        items = {item.source: item for item in source.scan(root).items}
        assert done.n_items == len(items)
        assert done.dataset.n_samples + len(done.failures) == len(items), (
            "every item is accounted for"
        )
        assert set(dict(done.failures)) <= set(items)
        for label, file in zip(
            done.dataset.samples.label, done.dataset.samples.source, strict=True
        ):
            assert label
            _check_label(name, label, items[file])


def _check_label(name, label, item):
    if name in ("images", "silhouettes", "frames"):
        folders = item.source.split("/")
        escaped = [f.encode("utf-8", "backslashreplace").decode() for f in folders]
        assert label in escaped
    elif name == "pixels-csv":
        assert label == item.label


def _run(tmp_path, samples, seeds):
    for seed in seeds:
        root = tmp_path / str(seed)
        _tree(root, samples, random.Random(seed))
        try:
            _check(root)
        except HandloreError:
            raise
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error!r}") from error


def test_damaged_trees(tmp_path, samples):
    _run(tmp_path, samples, range(40))


@pytest.mark.slow
def test_many_damaged_trees(tmp_path, samples):
    _run(tmp_path, samples, range(1000, 2500))


def test_damaged_tables(tmp_path, samples):
    """A row of which some bytes are others fails, or has the label and pixels that are written."""
    rng, path = random.Random(1), tmp_path / "a.csv"
    data = samples[".csv"]
    for _ in range(500):
        path.write_bytes(_damaged(data, rng))
        source = make_source("pixels-csv", {})
        try:
            items = source.scan(tmp_path).items
        except HandloreError:
            continue
        for item in rng.sample(items, min(2, len(items))):
            try:
                clip = source.read(item)
            except HandloreError:
                continue
            assert item.label
            assert next(clip.frames)[1].shape == (8, 8, 3)
