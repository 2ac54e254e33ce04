"""Poses not in the training data: how well their p-value distinguishes them from those that are.

``python benchmarks/unknown.py DATASET`` leaves each gesture of a converted data set out, and
each person (a third of the pictures where people are not known), and shows the pictures of that
person to what was learned from the rest. It also asks for the distances alone, and for the largest
probability of the classifier.
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from handlore.classifiers.evaluation.scores import fit_samples
from handlore.classifiers.factory import make_pipeline
from handlore.classifiers.novelty import NoveltyModel
from handlore.datasets.dataset import NONE_LABEL
from handlore.datasets.splits import cross_validation, default_by
from handlore.datasets.storage import load_dataset
from handlore.models.model import MIN_P_VALUE

FOLDS = {"group": 100, "random": 3}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--every", type=int, default=1, help="leave every so many-th gesture out")
    parser.add_argument("--at-most", type=int, default=4000, help="so many pictures, at random")
    options = parser.parse_args()
    data = load_dataset(options.dataset)
    data = data.select(data.has_hand & (data.samples.view == 0))
    order = np.random.default_rng(0).permutation(data.n_samples)[: options.at_most]
    data = data.select(np.sort(order))
    pipeline = make_pipeline(data, "kernel")
    X, label = pipeline.encoder.encode_samples(data), data.samples.label
    by = default_by(data)
    n_folds = min(FOLDS[by], len(np.unique(data.samples.group))) if by == "group" else FOLDS[by]
    rows = []
    for left_out in [one for one in np.unique(label) if one != NONE_LABEL][:: options.every]:
        found = []
        for train, test in cross_validation(data, by, n_folds):
            trained = data.select(train[label[train] != left_out])
            fitted = fit_samples(pipeline.estimator, trained, pipeline.encoder)
            likely = fitted.predict_proba(X[test])
            plain = NoveltyModel.of(trained, pipeline.encoder)
            novelty = NoveltyModel.of(trained, pipeline.encoder, fitted)
            found.append([
                label[test] != left_out, novelty.p_value(X[test], likely),
                plain.p_value(X[test]), likely.max(axis=1),
            ])  # fmt: skip
        known, p_value, *others = map(np.concatenate, zip(*found, strict=True))
        kept = np.quantile(p_value[known], 0.05)
        rows.append([
            roc_auc_score(known, p_value), (p_value[~known] >= kept).mean(),
            (p_value[known] >= MIN_P_VALUE).mean(), (p_value[~known] >= MIN_P_VALUE).mean(),
            *(roc_auc_score(known, other) for other in others),
        ])  # fmt: skip
        print(left_out, *(f"{value:.3f}" for value in rows[-1]), flush=True)
    names = [
        "area under the ROC, p-value", "unknown accepted where 95 % of the known are",
        f"known at {MIN_P_VALUE} or more", f"unknown at {MIN_P_VALUE} or more",
        "area under the ROC, distances alone", "area under the ROC, largest probability",
    ]  # fmt: skip
    for name, value in zip(names, np.mean(rows, axis=0), strict=True):
        print(f"{name}: {value:.4f}")


if __name__ == "__main__":
    main()
