"""Pretrained features: what few clips gain, and that they change nothing else."""

import io
import runpy
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from movement_stubs import movements

import handlore
from handlore.classifiers.discriminant import LinearDiscriminant
from handlore.classifiers.estimators.rocket import RocketClassifier
from handlore.classifiers.evaluation.scores import fit_samples
from handlore.classifiers.pretrained import PretrainedFeatures
from handlore.datasets.conversion.batches import ConvertOptions
from handlore.datasets.conversion.convert import convert
from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.sources import make_source
from handlore.datasets.storage import save_dataset

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def fitted(dataset: LandmarkDataset, **params: int) -> RocketClassifier:
    rocket = RocketClassifier(**params)
    return fit_samples(rocket, dataset, rocket.encoder(dataset.n_hands))


def accuracy(rocket: RocketClassifier, dataset: LandmarkDataset) -> float:
    X = rocket.encoder(1).encode_samples(dataset)
    return float((rocket.predict(X) == dataset.samples.label).mean())


def draws(dataset: LandmarkDataset, n: int) -> Iterator[tuple[LandmarkDataset, LandmarkDataset]]:
    """One clip of each label to train on, and all others."""
    rng = np.random.default_rng(0)
    for _ in range(n):
        order = rng.permutation(dataset.n_samples)
        first = order[np.unique(dataset.samples.label[order], return_index=True)[1]]
        yield dataset.select(first), dataset.select(np.setdiff1d(order, first))


def test_one_clip_of_each_movement(real_data: Path) -> None:
    """The features come from other people, movements and cameras than these."""
    source = make_source("mp-holistic", {})
    dataset = convert(source, real_data / "mp_drone9", None, ConvertOptions(none="idle")).dataset
    dataset = dataset.select(dataset.has_hand)
    found = {
        below: np.mean(
            [accuracy(fitted(few, pretrained_below=below), rest) for few, rest in draws(dataset, 3)]
        )
        for below in (0, 10)
    }
    assert found[10] > found[0] + 0.1


def test_only_with_few_clips() -> None:
    few, many = movements(n_people=2, each=2), movements(n_people=2, each=4)
    assert fitted(few, pretrained_below=5).banks_ is PretrainedFeatures.shipped().banks
    assert fitted(many, pretrained_below=5).banks_ is not PretrainedFeatures.shipped().banks
    assert fitted(few, pretrained_below=0).banks_ is not PretrainedFeatures.shipped().banks


def test_other_numbers_of_kernels_are_drawn() -> None:
    rocket = fitted(movements(n_people=2, each=2), n_kernel_features=500)
    assert rocket.banks_ is not PretrainedFeatures.shipped().banks


def test_folded_discriminant_gives_the_same_scores() -> None:
    known, rng = PretrainedFeatures.shipped(), np.random.default_rng(0)
    outputs = rng.normal(size=(5, len(known.mean))).astype(np.float32)
    extended = known.extended(outputs)
    weights = rng.normal(size=(extended.shape[1], 3)).astype(np.float32)
    plain = LinearDiscriminant(weights, np.float32([1, 2, 3]))
    np.testing.assert_allclose(
        known.folded(plain).scores(outputs), plain.scores(extended), rtol=1e-3, atol=0.5
    )


def test_written_and_read() -> None:
    known, stream = PretrainedFeatures.shipped(), io.BytesIO()
    known.save(stream)
    stream.seek(0)
    again = PretrainedFeatures.load(stream)
    np.testing.assert_array_equal(again.directions, known.directions)
    for one, other in zip(again.banks.banks, known.banks.banks, strict=True):
        assert (one.groups, one.dilation) == (other.groups, other.dilation)
        np.testing.assert_array_equal(one.thresholds, other.thresholds)


def test_learnt_from_a_dataset(tmp_path: Path) -> None:
    """Movements of other people are distinguished along the directions alone."""
    save_dataset(movements(n_people=6, each=3), tmp_path / "data.npz")
    out = tmp_path / "features.npz"
    program = runpy.run_path(str(BENCHMARKS / "pretraining.py"))
    done = CliRunner().invoke(program["main"], [str(tmp_path / "data.npz"), str(out)])
    assert done.exit_code == 0, done.output
    with out.open("rb") as stream:
        found = PretrainedFeatures.load(stream)
    dataset = movements(n_people=6, each=3)
    assert found.directions.shape == (len(found.mean), len(dataset.labels) - 1)
    rocket = RocketClassifier()
    outputs, _ = rocket.outputs_of(rocket.encoder(1).encode_samples(dataset))
    along = found.extended(outputs)[:, len(found.mean) :]
    codes = np.unique(dataset.samples.label, return_inverse=True)[1]
    means = np.stack([along[codes == code].mean(axis=0) for code in range(3)])
    nearest = ((along[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == codes).mean() > 0.95


@pytest.mark.parametrize("below", [-1, 5000])
def test_number_out_of_range(below: int) -> None:
    with pytest.raises(handlore.HandloreError, match="pretrained_below"):
        fitted(movements(n_people=2, each=2), pretrained_below=below)
