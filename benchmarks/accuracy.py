"""Accuracy on real photos of people the classifier has not seen, and on random splits.

Run it with ``python benchmarks/accuracy.py``; it reads the sets named in HANDLORE_DATA and prints
the table of the README. A picture in which no hand is found counts as an error. The model "plain"
is what most projects build, for comparison: a random forest on wrist-relative coordinates in the
plane, scaled by the largest of them.
"""

import tempfile
import time
from pathlib import Path

import numpy as np
from data import data_folder
from sklearn.ensemble import RandomForestClassifier

from handlore.classifiers.base import make_estimator
from handlore.classifiers.encoding import PoseEncoder
from handlore.classifiers.evaluation import cross_validate, fit_samples, score
from handlore.datasets.convert import convert
from handlore.datasets.sources import find_source, make_source
from handlore.datasets.splits import cross_validation
from handlore.landmarks.detector import open_detector
from handlore.landmarks.nativelog import quiet_native_log
from handlore.models.card import ModelCard
from handlore.models.storage import save_model

MASSEY = r"(?P<group>hand\d)_(?P<label>\w)_"
SETS = (("hgr1", {}), ("sign_digits", {}), ("asl_massey", {"name_pattern": MASSEY}))
ESTIMATORS = ("forest", "xgboost", "linear")


def main() -> None:
    root = data_folder()
    print(f"{'set':<13}{'found':>12}{'by':>8}  {'model':<9}{'accuracy':>9}{'macro-F1':>9}"
          f"{'KB':>7}{'train s':>8}")  # fmt: skip
    for name, options in SETS:
        source = make_source(find_source(root / name)[0], options)
        with quiet_native_log(), open_detector() as detector:
            done = convert(source, root / name, detector)
        found = f"{done.n_converted}/{done.n_items}"
        for by in ("group", "random") if done.dataset.samples.group[0] else ("random",):
            print(f"{name:<13}{found:>12}{by:>8}  {'plain':<9}{_plain(done.dataset, by):>9.4f}")
            for model in ESTIMATORS:
                scores = score(
                    cross_validate(make_estimator(model), done.dataset, PoseEncoder(), by)
                )
                size, seconds = _file(model, done.dataset)
                numbers = f"{scores.accuracy:>9.4f}{scores.macro_f1:>9.4f}"
                cost = f"{size / 1000:>7.0f}{seconds:>8.1f}"
                print(f"{name:<13}{found:>12}{by:>8}  {model:<9}{numbers}{cost}", flush=True)


def _plain(dataset, by):
    hands, labels = dataset.image[:, 0, :, :2], dataset.samples.label
    rows = (hands - hands[:, :1]).reshape(len(hands), -1)
    rows = np.nan_to_num(rows / np.abs(rows).max(axis=1, keepdims=True))
    right = 0
    for train, test in cross_validation(dataset, by):
        forest = RandomForestClassifier(200, random_state=0, n_jobs=-1)
        right += (forest.fit(rows[train], labels[train]).predict(rows[test]) == labels[test]).sum()
    return right / len(labels)


def _file(model, dataset):
    started = time.perf_counter()
    fitted = fit_samples(make_estimator(model), dataset, PoseEncoder())
    seconds = time.perf_counter() - started
    with tempfile.TemporaryDirectory() as folder:
        return save_model(fitted, ModelCard((), model), Path(folder, "m.onnx")), seconds


if __name__ == "__main__":
    main()
