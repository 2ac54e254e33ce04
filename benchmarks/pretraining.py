"""Learn what classifiers know beforehand: ``python benchmarks/pretraining.py COMMAND DATA... OUT``.

DATA are datasets of many people, converted from clips or pictures that may be used for this. The
shipped files are made from IPN Hand, HaGRID and Sign Language Digits (``make pretrained``).
Movements need PyTorch (the extra ``temporal``).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import onnx
from numpy.typing import NDArray
from scipy.linalg import eigh

from handlore.classifiers.direction import DIRECTION
from handlore.classifiers.discriminant import LinearDiscriminant
from handlore.classifiers.estimators.rocket import RocketClassifier
from handlore.classifiers.estimators.tcn import _TemporalClassifier
from handlore.classifiers.evaluation.leaks import digests_in, item_digests
from handlore.classifiers.onnx_graph import Graph, GraphRunner, compact_constants
from handlore.classifiers.peaks import peak_features
from handlore.classifiers.pretrained import NETWORK_WEIGHT, PEAKS, PretrainedFeatures
from handlore.datasets.dataset import NONE_LABEL, LandmarkDataset, StrArray, concatenate
from handlore.datasets.storage import load_dataset
from handlore.landmarks.features import DEFAULT_FEATURES
from handlore.landmarks.files import atomic_write
from handlore.landmarks.hands import FloatArray
from handlore.models.card import INPUT
from handlore.models.encoders import PoseEncoder

_N_PARTS = 4
_LEAST_VARIANCE = 1e-3
"""Share of the mean variance that is added within labels, so that nothing is divided by 0."""
_RIDGE = 0.1
"""The same for features of poses: other data sets vary more, in other ways."""
_N_DIRECTIONS = 40
_N_MEMBERS = 2
"""Of the four of a network: with all of them its positions are hardly better."""


def pretrain(dataset: LandmarkDataset, epochs: int = 0) -> PretrainedFeatures:
    """Learn features from movements of many people; groups of the dataset are people.

    The scores of people who are left out show what differs between movements and what between
    people: their own linear discriminant analysis gives the directions, among the scores of a
    discriminant and among those of a network.
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
    network, middle = _network(seen, codes, part, epochs)
    # The network's positions are outputs of their own, beside the directions.
    none = np.zeros((len(middle), directions.shape[1]))
    return PretrainedFeatures(
        rocket.banks_,
        np.concatenate([rocket.mean_, middle]),
        np.concatenate([rocket.deviation_, np.full_like(middle, 1 / NETWORK_WEIGHT)]),
        np.concatenate([directions, none]).astype(np.float16).astype(np.float32),
        centre.astype(np.float32),
        network,
        tuple(digests_in(item_digests(seen))),
    )


def _network(
    dataset: LandmarkDataset, codes: NDArray[np.int64], part: NDArray[np.int64], epochs: int
) -> tuple[bytes, FloatArray]:
    """Return a network that gives positions of movements, and their mean (n_positions,)."""
    tcn = _TemporalClassifier(epochs)
    X, label = tcn.encoder(1).encode_samples(dataset), dataset.samples.label
    n_labels = int(codes.max()) + 1
    scores = np.empty((len(X), n_labels), np.float32)
    for number in range(_N_PARTS):
        known = part != number
        trained = _scores(tcn.fit(X[known], label[known], dataset.samples.group[known]), X[:2])
        scores[part == number] = _runner(trained, X)(X[part == number])
    turned = _directions(scores, codes).astype(np.float32)
    final = _scores(tcn.fit(X, label, dataset.samples.group), X[:2])
    graph = Graph()
    likely = graph.inline(final, {INPUT: INPUT, PEAKS: PEAKS})
    positions = graph.op("MatMul", likely, graph.constant(turned))
    model = graph.model(X.shape[1:], positions, (turned.shape[1],))
    model.graph.input.append(final.graph.input[1])
    return model.SerializeToString(deterministic=True), scores.mean(axis=0) @ turned


def _scores(tcn: _TemporalClassifier, example: FloatArray) -> Any:
    """Return a model from movements and peaks to the mean log probabilities of its members."""
    from torch import Tensor

    from handlore.classifiers.estimators._tcn_network import Probabilities

    class Scores(Probabilities):  # type: ignore[misc]
        def forward(self, blocks: Tensor, peaks: Tensor) -> Tensor:
            return self.network(blocks, peaks).log_softmax(-1).mean(1)

    network = tcn.network_
    network.members = network.members[:_N_MEMBERS]
    peaks = GraphRunner(tcn._peaks_graph())(example)
    made = Scores(network).to_onnx({INPUT: example, PEAKS: peaks})
    return compact_constants(onnx.load_from_string(made))


def _runner(scores: Any, X: FloatArray) -> GraphRunner:
    graph, shape = Graph(), X.shape[1:]
    peaks = peak_features(graph, *shape)
    result = graph.inline(scores, {INPUT: INPUT, PEAKS: peaks})
    return GraphRunner(graph.model(shape, result, ("labels",)))


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


def pose_directions(datasets: Sequence[LandmarkDataset], groups: Sequence[str]) -> FloatArray:
    """Return directions (n_features, 40) that distinguish labels of poses, the best one first.

    They are those of a linear discriminant analysis in which all datasets count the same. Labels
    are compared within a dataset only, and ``none`` is no pose.
    """
    encoder = PoseEncoder(tuple(groups))
    scatter = [_scatter(dataset, encoder) for dataset in datasets]
    between, within = (np.mean(part, axis=0) for part in zip(*scatter, strict=True))
    within += _RIDGE * np.trace(within) / len(within) * np.eye(len(within))
    found: FloatArray = eigh(between, within)[1][:, : -_N_DIRECTIONS - 1 : -1]
    return found


def _scatter(
    dataset: LandmarkDataset, encoder: PoseEncoder
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the covariance (n_features, n_features) between labels, and within them."""
    shown = dataset.has_hand & (dataset.samples.label != NONE_LABEL) & (dataset.samples.view == 0)
    poses = dataset.select(shown)
    rows = encoder.encode_samples(poses).astype(np.float64)
    codes = np.unique(poses.samples.label, return_inverse=True)[1]
    means = np.stack([rows[codes == code].mean(axis=0) for code in range(codes.max() + 1)])
    return np.cov(means.T, bias=True), np.cov((rows - means[codes]).T, bias=True)


@click.group()
def main() -> None:
    """Learn what classifiers know beforehand."""


_DATASET = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUT = click.argument("out", type=click.Path(dir_okay=False, path_type=Path))


@main.command()
@click.argument("data", type=_DATASET)
@_OUT
@click.option("--epochs", default=0, help="Of each network; 0: as many as tcn takes.")
def movements(data: Path, out: Path, epochs: int) -> None:
    """Learn features of movements from DATA and write them to OUT."""
    features = pretrain(load_dataset(data), epochs)
    with atomic_write(out) as stream:
        features.save(stream)


@main.command()
@click.argument("data", type=_DATASET, nargs=-1, required=True)
@_OUT
def poses(data: tuple[Path, ...], out: Path) -> None:
    """Learn directions of poses from DATA and write them to OUT."""
    datasets = [load_dataset(path) for path in data]
    with atomic_write(out) as stream:
        np.savez_compressed(
            stream,
            plain=pose_directions(datasets, DEFAULT_FEATURES).astype(np.float16),
            directed=pose_directions(datasets, [*DEFAULT_FEATURES, *DIRECTION]).astype(np.float16),
            items=np.array(digests_in(item_digests(concatenate(datasets))), np.bytes_),
        )


if __name__ == "__main__":
    main()
