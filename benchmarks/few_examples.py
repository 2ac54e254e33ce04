"""How much a few clips or pictures of each label are worth, with and without pretrained features.

Rows: ``ipn`` (1, 2, 3 and more clips of one person, tested on that person's other clips; the
pretrained features are learnt anew from other people, a quarter of the people being left out in
turn; needs PyTorch, half an hour, and ``--ipn FILE``, the converted clips), ``sfinge`` (SFINGE 3D
Dictionary), ``drone`` (mp_drone9), ``shrec14`` and ``shrec28`` (SHREC'17, one person each), and the
name of each converted data set of ``--poses FILE...`` (with directions learnt from the others).
Clips and pictures without a hand, and poses of ``none``, are left out.

Run it with ``python benchmarks/few_examples.py [ROW...] [--ipn FILE] [--poses FILE...]``.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
from data import data_folder
from pretraining import pose_directions, pretrain

from handlore.classifiers.estimators import kernel
from handlore.classifiers.evaluation.scores import fit_samples
from handlore.classifiers.factory import make_estimator
from handlore.classifiers.pretrained import PretrainedFeatures
from handlore.datasets.conversion.batches import ConvertOptions
from handlore.datasets.conversion.convert import convert
from handlore.datasets.dataset import NONE_LABEL, LandmarkDataset
from handlore.datasets.kinds import DEFAULT_ESTIMATOR
from handlore.datasets.sources import make_source
from handlore.datasets.storage import load_dataset
from handlore.landmarks.features import DEFAULT_FEATURES
from handlore.landmarks.hands import FloatArray

EXAMPLES = (1, 2, 3, 5, 10, 20)
_N_PARTS = 4
METHODS = {"pretrained": 20, "not pretrained": 0}

Part = tuple[LandmarkDataset, PretrainedFeatures | FloatArray]
"""A data set, and what is known beforehand: of movements, or of poses."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ipn", type=Path)
    parser.add_argument("--poses", type=Path, nargs="+", default=[])
    parser.add_argument("--draws", type=int, default=4, help="random choices of the clips")
    parser.add_argument("rows", nargs="*", help="default: all")
    options = parser.parse_args()
    parts = {row: make() for row, make in ROWS.items()}
    if options.ipn:
        parts["ipn"] = ipn(options.ipn)
    for file in options.poses:
        parts[file.stem] = poses(file, [other for other in options.poses if other != file])
    for row in options.rows or parts:
        for method, curve in curves(parts[row], options.draws).items():
            print(f"{row}, {method}: " + ", ".join(curve), flush=True)


def ipn(file: Path) -> Iterator[Part]:
    dataset = load_dataset(file)
    dataset = dataset.select(dataset.has_hand)
    group = dataset.samples.group
    for number in range(_N_PARTS):
        people = np.unique(group)[number::_N_PARTS]
        known = pretrain(dataset.select(~np.isin(group, people)))
        yield from ((dataset.select(group == person), known) for person in people)


def poses(file: Path, others: list[Path]) -> Iterator[Part]:
    dataset = load_dataset(file)
    shown = dataset.has_hand & (dataset.samples.label != NONE_LABEL) & (dataset.samples.view == 0)
    known = pose_directions([load_dataset(other) for other in others], DEFAULT_FEATURES)
    yield dataset.select(shown), known.astype(np.float32)


def sfinge() -> Iterator[Part]:
    yield _imported("sfinge3d", "sfinge3d", part="dictionary"), PretrainedFeatures.shipped()


def drone() -> Iterator[Part]:
    dataset = _imported("mp-holistic", "mp_drone9", none="idle")
    yield dataset.select(dataset.has_hand), PretrainedFeatures.shipped()


def shrec(classes: int) -> Iterator[Part]:
    dataset = _imported("shrec17", "shrec17_train", classes=classes)
    for person in np.unique(dataset.samples.group):
        yield dataset.select(dataset.samples.group == person), PretrainedFeatures.shipped()


ROWS: dict[str, Callable[[], Iterator[Part]]] = {
    "sfinge": sfinge,
    "drone": drone,
    "shrec14": partial(shrec, 14),
    "shrec28": partial(shrec, 28),
}


def curves(parts: Iterator[Part], n_draws: int) -> dict[str, list[str]]:
    """Return for each method its accuracy with each number of clips."""
    right: dict[tuple[str, int], list[np.ndarray]] = defaultdict(list)
    for dataset, pretrained in parts:
        most = np.median(np.unique(dataset.samples.label, return_counts=True)[1])
        for n in (n for n in EXAMPLES if n < most):
            rng = np.random.default_rng(0)
            for _ in range(n_draws):
                chosen = few_of_each(dataset, n, rng)
                for method, below in METHODS.items():
                    right[method, n].append(answers(dataset, chosen, below, pretrained))
    return {
        method: [
            f"{n}: {np.concatenate(right[method, n]).mean():.3f}"
            for n in EXAMPLES
            if (method, n) in right
        ]
        for method in METHODS
    }


def few_of_each(dataset: LandmarkDataset, n: int, rng: np.random.Generator) -> np.ndarray:
    """Choose at most n clips of each label, and leave one at least for testing."""
    chosen = np.zeros(dataset.n_samples, bool)
    for label in dataset.labels:
        own = rng.permutation(np.flatnonzero(dataset.samples.label == label))
        chosen[own[: min(n, max(len(own) - 1, 1))]] = True
    return chosen


def answers(
    dataset: LandmarkDataset, chosen: np.ndarray, below: int, pretrained: object
) -> np.ndarray:
    """Train on the chosen samples; return which of the others get the right label."""
    trained, tested = dataset.select(chosen), dataset.select(~chosen)
    is_pose = dataset.header.kind == "pose"
    estimator = make_estimator(
        DEFAULT_ESTIMATOR[dataset.header.kind], {"pretrained_below": str(below)}, seed=0
    )
    encoder = estimator.encoder(1)
    where = (kernel, "pretrained_directions") if is_pose else (PretrainedFeatures, "shipped")
    with patch.object(*where, lambda *_: pretrained):
        fitted = fit_samples(estimator, trained, encoder)
    return np.asarray(fitted.predict(encoder.encode_samples(tested)) == tested.samples.label)


def _imported(source: str, folder: str, none: str = "", **options: object) -> LandmarkDataset:
    root = data_folder() / folder
    return convert(make_source(source, options), root, None, ConvertOptions(none=none)).dataset


if __name__ == "__main__":
    main()
