"""How well movements are distinguished, on people, recordings and frame rates not trained on.

Rows: ``ipn`` (IPN Hand, 5 folds by person, with and without the clips of ``ipn_audit.csv``, which
do not show what their label says; needs ``--ipn FILE``, the converted clips), ``shrec`` (SHREC'17,
5 folds by subject, 14 and 28 classes), ``sfinge`` (SFINGE 3D Dictionary, 6 contiguous blocks),
``drone`` (the last 6 of 30 sequences of 9 commands held out, and
how it grows with examples), ``rates`` (the same clip at 10, 15, 30 and 60 frames a second),
``rendered`` (through video files and the detector, on people not trained on), ``speed``.

Run it with ``python benchmarks/movements.py [--model NAME] [ROW...]``.
"""

import argparse
import csv
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from data import data_folder

from handlore.classifiers.base import HandEstimator
from handlore.classifiers.evaluation.crossval import cross_val_predict
from handlore.classifiers.evaluation.scores import Predictions, Scores, fit_samples, predict_items
from handlore.classifiers.factory import make_estimator
from handlore.classifiers.training import save_model
from handlore.datasets.conversion.batches import ConvertOptions
from handlore.datasets.conversion.convert import convert
from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.rendered import write_movement_videos
from handlore.datasets.sources import make_source
from handlore.datasets.storage import load_dataset
from handlore.landmarks.detector import DetectorOptions
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.opening import open_detector
from handlore.models.card import ModelCard
from handlore.models.encoders import MovementEncoder
from handlore.models.files import load_model
from handlore.models.model import MovementModel

RATES = (10, 15, 30, 60)
EXAMPLES = (1, 2, 3, 5, 10, 20)
RENDERED = [
    "swipe_left", "swipe_right", "swipe_up", "swipe_down", "circle", "grab", "wave", "tap",
]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="rocket")
    parser.add_argument("--param", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--ipn", type=Path, metavar="FILE")
    parser.add_argument("rows", nargs="*", help="default: all")
    options = parser.parse_args()
    params = dict(param.split("=", 1) for param in options.param)
    rows = ROWS | ({"ipn": partial(ipn, options.ipn)} if options.ipn else {})
    for row in options.rows or rows:
        rows[row](lambda: make_estimator(options.model, params))


Maker = Callable[[], HandEstimator]


def ipn(file: Path, make: Maker) -> None:
    dataset = load_dataset(file)
    answers = cross_val_predict(make(), dataset, make().encoder(1), "group", n_folds=5)
    with Path(__file__).with_name("ipn_audit.csv").open(encoding="utf-8") as table:
        audited = {row["file"] for row in csv.DictReader(table)}
    own = ~np.isin(dataset.samples.source[answers.sample], list(audited))
    right = answers.truth == answers.predicted
    print(
        f"IPN Hand, 14 classes, 5 folds by person: {right.mean():.4f} (n {len(right)}), without the"
        f" {(~own).sum()} audited clips {right[own].mean():.4f}"
    )


def shrec(make: Maker) -> None:
    for classes in (14, 28):
        dataset = _imported("shrec17", "shrec17_train", classes=classes)
        started = time.perf_counter()
        answers = cross_val_predict(make(), dataset, make().encoder(1), "group", n_folds=5)
        seconds = time.perf_counter() - started
        print(
            f"SHREC'17, {classes} classes, 5 folds by subject: {_said(answers)} ({seconds:.0f} s)"
        )


def sfinge(make: Maker) -> None:
    dataset = _imported("sfinge3d", "sfinge3d", part="dictionary")
    number = np.array([int(Path(str(source)).stem) for source in dataset.samples.source])
    block = np.zeros(len(number), int)
    for label in dataset.labels:
        own = np.flatnonzero(dataset.samples.label == label)
        block[own[np.argsort(number[own])]] = np.arange(len(own)) * 6 // len(own)
    right = _right(make, dataset, ((block != k, block == k) for k in range(6)))
    print(f"SFINGE 3D Dictionary, 6 contiguous blocks: {right.mean():.4f} (n {len(right)})")


def drone(make: Maker) -> None:
    with_none = _imported("mp-holistic", "mp_drone9", none="idle")
    number = np.array([int(Path(str(source)).name) for source in with_none.samples.source])
    test = number >= 24
    for name, chosen in (("with", np.ones(len(number), bool)),
                         ("without", with_none.samples.label != "none")):  # fmt: skip
        dataset = with_none.select(chosen)
        held_out, numbers = test[chosen], number[chosen]
        right = _right(make, dataset, [(~held_out, held_out)])
        print(f"mp_drone9 {name} none, last 6 of 30 held out: {right.mean():.4f} (n {len(right)})")
    for augmented in (True, False):
        curve = []
        for n in EXAMPLES:
            estimator = make()
            if not augmented:
                estimator.set_params(**_without_augmentation(estimator))
            right = _right(lambda e=estimator: e, dataset, [(numbers < n, held_out)])
            curve.append(f"{n}: {right.mean():.3f}")
        print(f"  examples a class, {'with' if augmented else 'without'} augmentation: "
              + ", ".join(curve))  # fmt: skip


def rates(make: Maker) -> None:
    dataset = _imported("shrec17", "shrec17_train", classes=14)
    subjects = sorted(set(dataset.samples.group.tolist()))
    test = np.isin(dataset.samples.group, subjects[::5])
    fitted = fit_samples(make(), dataset.select(~test), make().encoder(1))
    seen = dataset.select(test)
    labels = {rate: fitted.predict(_at_rate(make().encoder(1), seen, rate)) for rate in RATES}
    for rate in RATES:
        same = (labels[rate] == labels[30]).mean()
        right = (labels[rate] == seen.samples.label).mean()
        print(f"{rate} frames a second: {same:.4f} the same as at 30, {right:.4f} right")


def rendered(make: Maker) -> None:
    with tempfile.TemporaryDirectory() as folder, quiet_native_log():
        write_movement_videos(Path(folder), movements=RENDERED, n_people=12, per_movement=2)
        source = make_source(
            "videos", {"name_pattern": r"/(?P<label>\w+)_(?P<group>p\d+)_\d+\.mp4"}
        )
        with open_detector(DetectorOptions(detector="litert")) as detector:
            dataset = convert(source, Path(folder), detector).dataset
    answers = cross_val_predict(make(), dataset, make().encoder(1), "group", n_folds=4)
    print(f"rendered videos, 8 movements, 12 people, 4 folds by person: {_said(answers)}")


def speed(make: Maker) -> None:
    for name, dataset in (
        ("SHREC'17, 1,960 clips", _imported("shrec17", "shrec17_train", classes=28)),
        ("mp_drone9, 9 x 30 clips", _imported("mp-holistic", "mp_drone9", none="idle")),
    ):
        started = time.perf_counter()
        fitted = fit_samples(make(), dataset, make().encoder(1))
        seconds = time.perf_counter() - started
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "m.onnx")
            card = ModelCard(
                (), "any", kind="sequence", features=(), n_timepoints=fitted.n_timepoints,
                timed=True, seconds=(1.0, 1.0, 1.0),
            )  # fmt: skip
            n_bytes = save_model(fitted, card, path)
            model = load_model(path, "sequence")
        clips = [dataset.select(np.array([i])) for i in np.flatnonzero(dataset.has_hand)[:50]]
        blocks = [
            model.encoder.encode(c.image, c.handedness, c.time, whole=True)[None] for c in clips
        ]
        graph = _median_seconds(model.predict_proba, blocks)
        parts = [(c.image, c.handedness, c.time) for c in clips]
        whole = _median_seconds(partial(_from_landmarks, model), parts)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{name}: trained in {seconds:.1f} s, {n_bytes / 1000:.0f} KB, a clip takes"
              f" {1000 * graph:.2f} ms in the model file, {1000 * whole:.2f} ms from its landmarks"
              f" (one thread), peak memory {peak:.0f} MB")  # fmt: skip


ROWS: dict[str, Callable[[Maker], None]] = {
    "shrec": shrec, "sfinge": sfinge, "drone": drone, "rates": rates, "rendered": rendered,
    "speed": speed,
}  # fmt: skip


def _imported(source: str, folder: str, none: str = "", **options: object) -> LandmarkDataset:
    root = data_folder() / folder
    return convert(make_source(source, options), root, None, ConvertOptions(none=none)).dataset


def _right(
    make: Maker,
    dataset: LandmarkDataset,
    splits: "Iterator[tuple[np.ndarray, np.ndarray]] | list[tuple[np.ndarray, np.ndarray]]",
) -> np.ndarray:
    parts = []
    for train, test in splits:
        encoder = make().encoder(1)
        fitted = fit_samples(make(), dataset.select(train), encoder)
        labels = [str(label) for label in fitted.classes_]
        answers = predict_items(fitted.predict_proba, labels, dataset.select(test), encoder)
        parts.append(answers.truth == answers.predicted)
    return np.concatenate(parts)


def _median_seconds(work: Callable[[Any], object], inputs: list[Any]) -> float:
    work(inputs[0])
    seconds = []
    for one in inputs:
        started = time.perf_counter()
        work(one)
        seconds.append(time.perf_counter() - started)
    return float(np.median(seconds))


def _from_landmarks(model: MovementModel, clip: tuple[Any, Any, Any]) -> object:
    return model.predict_proba(model.encoder.encode(*clip, whole=True)[None])


def _at_rate(encoder: MovementEncoder, dataset: LandmarkDataset, rate: int) -> np.ndarray:
    """Encode clips as a camera of another rate would have seen them."""
    blocks = []
    for i in range(dataset.n_samples):
        clip = dataset.select(np.array([i]))
        moments = np.arange(0, clip.time[-1] + 1e-9, 1 / rate)
        flat = clip.image.reshape(clip.n_frames, -1)
        seen = np.stack([np.interp(moments, clip.time, column) for column in flat.T], axis=1)
        image = seen.reshape(-1, *clip.image.shape[1:]).astype(np.float32)
        handedness = np.full(image.shape[:2], np.nan, np.float32)
        blocks.append(encoder.encode(image, handedness, moments, whole=True))
    return np.stack(blocks)


def _without_augmentation(estimator: HandEstimator) -> dict[str, object]:
    known = estimator.get_params()
    return {"n_augmented": 0} if "n_augmented" in known else {"augment": False}


def _said(answers: Predictions) -> str:
    scores = Scores.of(answers)
    return f"{scores.accuracy:.4f} (n {scores.n}, macro-F1 {scores.macro_f1:.3f})"


if __name__ == "__main__":
    main()
