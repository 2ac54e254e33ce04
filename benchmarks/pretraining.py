"""Learn the pretrained features of movements: ``python benchmarks/pretraining.py DATA OUT``.

DATA is a dataset of movements of many people, converted from clips that may be used for this; the
shipped file is made from IPN Hand (``make pretrained``).
"""

from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from handlore.classifiers.discriminant import LinearDiscriminant
from handlore.classifiers.estimators.rocket import RocketClassifier
from handlore.classifiers.kernels import PretrainedFeatures
from handlore.datasets.dataset import LandmarkDataset, StrArray
from handlore.datasets.storage import load_dataset
from handlore.landmarks.files import atomic_write
from handlore.landmarks.hands import FloatArray

_N_PARTS = 4
_LEAST_VARIANCE = 1e-3
"""Share of the mean variance that is added within labels, so that nothing is divided by 0."""


def pretrain(dataset: LandmarkDataset) -> PretrainedFeatures:
    """Learn features from movements of many people; groups of the dataset are people.

    The discriminant scores of people who are left out show what differs between movements and what
    between people: their own linear discriminant analysis gives the directions.
    """
    seen = dataset.select(dataset.has_hand)
    rocket = RocketClassifier()
    codes = np.unique(seen.samples.label, return_inverse=True)[1]
    rows, copies = rocket.outputs_of(rocket.encoder(1).encode_samples(seen))
    n_labels = int(codes.max()) + 1
    scores = np.empty((len(rows), n_labels), np.float32)
    part = _parts(seen.samples.group)
    for number in range(_N_PARTS):
        scores[part == number] = _fitted(rows, copies, codes, part != number).scores(
            rows[part == number]
        )
    turned = _directions(scores, codes)
    final = _fitted(rows, copies, codes, np.ones(len(rows), bool))
    directions = final.weights @ turned
    centre = (scores - final.bias).mean(axis=0) @ turned
    return PretrainedFeatures(
        rocket.banks_,
        rocket.mean_,
        rocket.deviation_,
        directions.astype(np.float16).astype(np.float32),
        centre.astype(np.float32),
    )


def _parts(people: StrArray) -> NDArray[np.int64]:
    """Assign people to parts, which are left out in turn."""
    return np.unique(people, return_inverse=True)[1] % _N_PARTS


def _fitted(
    rows: FloatArray, copies: FloatArray, codes: NDArray[np.int64], chosen: NDArray[np.bool_]
) -> LinearDiscriminant:
    both = np.concatenate([rows[chosen], copies[chosen]])
    return LinearDiscriminant.of_rows(both, np.tile(codes[chosen], 2), int(codes.max()) + 1)


def _directions(scores: FloatArray, codes: NDArray[np.int64]) -> FloatArray:
    """Return directions (n_labels, n_labels - 1) among scores, with a variance of 1 in a label."""
    n_labels = scores.shape[1]
    means = np.stack([scores[codes == code].mean(axis=0) for code in range(n_labels)])
    off = scores - means[codes]
    within = off.T @ off / len(off)
    within += _LEAST_VARIANCE * np.trace(within) / n_labels * np.eye(n_labels)
    turned: FloatArray = eigh(np.cov(means.T, bias=True), within)[1][:, :0:-1]
    return turned


@click.command()
@click.argument("data", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
def main(data: Path, out: Path) -> None:
    """Learn features from DATA and write them to OUT."""
    features = pretrain(load_dataset(data))
    with atomic_write(out) as stream:
        features.save(stream)


if __name__ == "__main__":
    main()
