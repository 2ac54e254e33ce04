"""Poses that were never taught: how well ``familiarity`` tells them from those that were.

``python benchmarks/unknown.py`` leaves each gesture of HGR1 out in turn, and each person, and shows
all photos of that person, one look each, to what was learned from the rest.
"""

import argparse
from pathlib import Path

import numpy as np
from accuracy import N_VIEWS, dataset_of
from sklearn.metrics import roc_auc_score

from handlore.classifiers.base import make_estimator
from handlore.classifiers.encoding import PoseEncoder
from handlore.classifiers.familiarity import UNFAMILIAR, Familiarity


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--converted", type=Path, default=Path(), help="see accuracy.py")
    parser.add_argument("--every", type=int, default=1, help="leave every so many-th gesture out")
    options = parser.parse_args()
    data = dataset_of("hgr1", options.converted)
    data = data.select(data.has_hand & (data.samples.view <= N_VIEWS))
    X, label, person = PoseEncoder().encode_samples(data), data.samples.label, data.samples.group
    one_look = data.samples.view == 0
    rows = []
    for left_out in np.unique(label)[:: options.every]:
        told = []
        for who in np.unique(person):
            train, test = (person != who) & (label != left_out), (person == who) & one_look
            codes = np.unique(label[train], return_inverse=True)[1]
            familiarity = Familiarity.fit(X[train], codes, person[train])(X[test])
            forest = make_estimator("forest").fit(X[train], label[train])
            surest = forest.predict_proba(X[test]).max(axis=1)
            told.append(np.stack([label[test] != left_out, familiarity, surest]))
        known, familiarity, surest = np.concatenate(told, axis=1)
        known = known.astype(bool)
        kept = np.quantile(familiarity[known], 0.05)
        row = (roc_auc_score(known, familiarity), roc_auc_score(known, surest),
               (familiarity[~known] >= kept).mean(), (familiarity[known] >= UNFAMILIAR).mean(),
               (familiarity[~known] >= UNFAMILIAR).mean())  # fmt: skip
        print(left_out, *(f"{value:.3f}" for value in row), flush=True)
        rows.append(row)
    names = ("area under the ROC, familiarity", "the same, largest probability of the forest",
             "unknown told where 95 % of the known are", f"known at {UNFAMILIAR} or more",
             f"unknown at {UNFAMILIAR} or more")  # fmt: skip
    for name, value in zip(names, np.mean(rows, axis=0), strict=True):
        print(f"{name}: {value:.4f}")


if __name__ == "__main__":
    main()
