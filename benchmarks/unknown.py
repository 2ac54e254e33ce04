"""Poses not in the training data: how well their p-value distinguishes them from those that are.

``python benchmarks/unknown.py`` leaves each gesture of HGR1 out in turn, and each person, and shows
all photos of that person, one look each, to what was learned from the rest. ``--forest`` also asks
for the highest probability of a forest, which takes several times as long.
"""

import argparse
from pathlib import Path

import numpy as np
from accuracy import N_VIEWS, dataset_of
from sklearn.metrics import roc_auc_score

from handlore.classifiers.factory import make_estimator
from handlore.classifiers.novelty import NoveltyModel
from handlore.models.encoders import PoseEncoder
from handlore.models.model import MIN_P_VALUE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--converted", type=Path, default=Path(), help="see accuracy.py")
    parser.add_argument("--every", type=int, default=1, help="leave every so many-th gesture out")
    parser.add_argument("--forest", action="store_true", help="beside the forest's probability")
    options = parser.parse_args()
    data = dataset_of("hgr1", options.converted)
    data = data.select(data.has_hand & (data.samples.view <= N_VIEWS))
    X, label, person = PoseEncoder().encode_samples(data), data.samples.label, data.samples.group
    one_look = data.samples.view == 0
    rows = []
    for left_out in np.unique(label)[:: options.every]:
        found = []
        for who in np.unique(person):
            train, test = (person != who) & (label != left_out), (person == who) & one_look
            codes = np.unique(label[train], return_inverse=True)[1]
            p_value = NoveltyModel.fit(X[train], codes, person[train]).p_value(X[test])
            found.append([label[test] != left_out, p_value])
            if options.forest:
                forest = make_estimator("forest").fit(X[train], label[train])
                found[-1].append(forest.predict_proba(X[test]).max(axis=1))
        known, p_value, *surest = map(np.concatenate, zip(*found, strict=True))
        kept = np.quantile(p_value[known], 0.05)
        rows.append([
            roc_auc_score(known, p_value), (p_value[~known] >= kept).mean(),
            (p_value[known] >= MIN_P_VALUE).mean(), (p_value[~known] >= MIN_P_VALUE).mean(),
            *(roc_auc_score(known, sure) for sure in surest),
        ])  # fmt: skip
        print(left_out, *(f"{value:.3f}" for value in rows[-1]), flush=True)
    names = [
        "area under the ROC, p-value", "unknown accepted where 95 % of the known are",
        f"known at {MIN_P_VALUE} or more", f"unknown at {MIN_P_VALUE} or more",
        "area under the ROC, largest probability of the forest",
    ]  # fmt: skip
    for name, value in zip(names, np.mean(rows, axis=0), strict=False):
        print(f"{name}: {value:.4f}")


if __name__ == "__main__":
    main()
