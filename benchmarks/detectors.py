"""What it costs to train on the landmarks of one detector and to use those of another.

Run it with ``python benchmarks/detectors.py``: HGR1, one person left out at a time; rows are the
landmarks trained on, columns those tested on.
"""

import numpy as np
from data import data_folder

from handlore.classifiers.evaluation.scores import Scores, fit_samples, predict_items
from handlore.classifiers.factory import make_estimator
from handlore.datasets.conversion.convert import convert
from handlore.datasets.sources import make_source
from handlore.datasets.splits import cross_validation
from handlore.landmarks.detector import DetectorOptions
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.opening import open_detector
from handlore.models.encoders import PoseEncoder

KINDS = (("mediapipe", "full"), ("litert", "full"), ("mediapipe", "lite"), ("litert", "lite"))


def main() -> None:
    source, root = make_source("hgr1", {}), data_folder() / "hgr1"
    datasets = {}
    for detector, landmarker in KINDS:
        options = DetectorOptions(detector=detector, landmarker=landmarker)
        with quiet_native_log(), open_detector(options) as opened:
            datasets[f"{detector} {landmarker}"] = convert(source, root, opened).dataset
    for model in ("forest", "linear"):
        print(f"\n{model:<17}" + "".join(f"{name:>17}" for name in datasets))
        for trained, train_set in datasets.items():
            cells = [_accuracy(model, train_set, test_set) for test_set in datasets.values()]
            print(f"{trained:<17}" + "".join(f"{cell:>17.4f}" for cell in cells), flush=True)


def _accuracy(model, train_set, test_set) -> float:
    encoder, right = PoseEncoder(), []
    for train, test in cross_validation(train_set, "group"):
        fitted = fit_samples(make_estimator(model), train_set.select(train), encoder)
        held_out = test_set.select(test)
        answers = predict_items(fitted.predict_proba, fitted.classes_, held_out, encoder)
        right.append((Scores.of(answers).accuracy, len(test)))
    accuracies, sizes = np.transpose(right)
    return float(np.average(accuracies, weights=sizes))


if __name__ == "__main__":
    main()
