"""Accuracy from one data set to another: ``python benchmarks/transfer.py FOLDER``.

FOLDER holds converted data sets (``handlore convert``): ``asl_massey.npz``, ``hgr1.npz``,
``sign_digits.npz``, ``hagrid_crops.npz`` and ``sign_mnist_mini.npz``. Only labels that are the same
shape in both sets are tested, all labels of the training set may be predicted. The mean of the
accuracies of the labels counts, with and without tilted copies in training.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from handlore.classifiers.evaluation.scores import fit_samples, predict_items
from handlore.classifiers.factory import make_pipeline
from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.storage import load_dataset

LETTERS, DIGITS = "abcdefghijklmnopqrstuvwxyz", "0123456789"
ALPHABET = {letter: letter for letter in LETTERS} | {"d": "dz", "i": "ij"}
PAIRS = {
    ("asl_massey", LETTERS): {
        "sign_mnist_mini": ALPHABET,
        "hgr1": {"a": "a", "b": "b", "f": "f", "i": "ij", "k": "k", "l": "l", "r": "r", "w": "w",
                 "z": "dz"},
        "sign_digits": {"0": "o", "1": "dz", "2": "v", "6": "w", "9": "f"},
        "hagrid_crops": {"peace": "v", "one": "dz", "ok": "f", "call": "y", "fist": "saetmn"},
    },
    ("asl_massey", DIGITS): {"sign_digits": {digit: digit for digit in DIGITS}},
    ("sign_digits", DIGITS): {"asl_massey": {digit: digit for digit in DIGITS}},
    ("hagrid_crops", ""): {
        "sign_digits": {"1": ["one"], "2": ["peace"], "5": ["palm"], "9": ["ok"]},
        "asl_massey": {"1": ["one"], "2": ["peace"], "5": ["palm"], "9": ["ok"], "y": ["call"],
                       "s": ["fist"]},
    },
}  # fmt: skip
"""Training set and which of its labels (all: ""), test set, and what its labels are in training."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    names = {name for (trained, _), tests in PAIRS.items() for name in (trained, *tests)}
    sets = {name: lowercase(load_dataset(options.folder / f"{name}.npz")) for name in names}
    for (trained, labels), tests in PAIRS.items():
        dataset = sets[trained]
        if labels:
            dataset = dataset.select(np.isin(dataset.samples.label, list(labels)))
        for name, shapes in tests.items():
            means = [
                np.mean([
                    mean_recall(dataset, sets[name], shapes, copies, seed)
                    for seed in range(options.seeds)
                ])
                for copies in (0, 1)
            ]  # fmt: skip
            print(f"{trained} -> {name}: {means[0]:.3f} without, {means[1]:.3f} with", flush=True)


def mean_recall(
    dataset: LandmarkDataset, other: LandmarkDataset, shapes: dict, n_copies: int, seed: int
) -> float:
    """Train on a data set, test on those labels of another that have the same shapes."""
    tested = other.select(np.isin(other.samples.label, list(shapes)))
    params = {"tilted_copies": n_copies}
    pipeline = make_pipeline(dataset, "kernel", params=params, seed=seed)
    fitted = fit_samples(pipeline.estimator, dataset, pipeline.encoder)
    found = predict_items(fitted.predict_proba, fitted.classes_, tested, pipeline.encoder)
    pairs = zip(found.truth, found.predicted, strict=True)
    right = np.array([predicted in shapes[truth] for truth, predicted in pairs])
    return float(np.mean([right[found.truth == one].mean() for one in np.unique(found.truth)]))


def lowercase(dataset: LandmarkDataset) -> LandmarkDataset:
    samples = dataset.samples
    return replace(dataset, samples=replace(samples, label=np.char.lower(samples.label)))


if __name__ == "__main__":
    main()
