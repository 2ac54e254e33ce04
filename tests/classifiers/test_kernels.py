"""The convolutions of MiniRocket, against their definition and another implementation."""

import io
import runpy
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from movement_stubs import Nearest, movements

import handlore
from handlore.classifiers.discriminant import LinearDiscriminant
from handlore.classifiers.estimators import ESTIMATORS
from handlore.classifiers.estimators.rocket import RocketClassifier
from handlore.classifiers.evaluation.scores import fit_samples, fit_streams
from handlore.classifiers.factory import _MovementBlend
from handlore.classifiers.kernels import (
    DILATIONS,
    Bank,
    KernelBanks,
    PretrainedFeatures,
    _responses,
)
from handlore.classifiers.movement_features import N_FEATURES, movement_features
from handlore.classifiers.negatives import NegativeWindows
from handlore.classifiers.onnx_graph import Graph, GraphRunner
from handlore.datasets.conversion.batches import ConvertOptions
from handlore.datasets.conversion.convert import convert
from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.sources import make_source
from handlore.datasets.storage import save_dataset
from handlore.models.encoders import MovementEncoder


def shares_of(series: np.ndarray, dilation: int, thresholds: np.ndarray) -> np.ndarray:
    """What the graph counts of series (n, n_timepoints) that take the place of presence."""
    blocks = np.zeros((len(series), 64, series.shape[1]), np.float32)
    blocks[:, 63] = series
    ones, zeros = np.ones((84, 1), np.float32), np.zeros(84, np.float32)
    bank = Bank(("presence",), dilation, ones, zeros, thresholds.astype(np.float32))
    graph = Graph()
    kinds = movement_features(graph, 64, series.shape[1])
    said = KernelBanks((bank,)).add_to(graph, kinds)
    return GraphRunner(graph.model((64, series.shape[1]), said, (thresholds.size,)))(blocks)


@pytest.mark.parametrize("dilation", DILATIONS)
def test_kernels_and_features(dilation: int) -> None:
    rng = np.random.default_rng(0)
    series, thresholds = rng.normal(size=(3, 32)), rng.normal(size=(84, 2)).astype("f2")
    expected = np.zeros((3, 84, 2))
    for kernel, taps in enumerate(combinations(range(9), 3)):
        response = np.zeros((3, 32))
        for tap in range(9):
            for point in range(32):
                seen = point + (tap - 4) * dilation
                if 0 <= seen < 32:
                    response[:, point] += (2 if tap in taps else -1) * series[:, seen]
        expected[:, kernel] = (response[..., None] > thresholds[kernel]).mean(axis=1)
    np.testing.assert_allclose(shares_of(series, dilation, thresholds).reshape(3, 84, 2), expected)


def test_kernels_are_those_of_aeon() -> None:
    reference = pytest.importorskip("aeon.transformations.collection.convolution_based")
    series = np.random.default_rng(0).normal(size=(5, 32)).astype(np.float32)
    mini = reference.MiniRocket(84, random_state=0).fit(series[:, None])
    thresholds = np.asarray(mini.parameters[-1])
    assert thresholds.shape == (84,)
    ours = shares_of(series, 1, thresholds[:, None])
    # Every other kernel of aeon's leaves out the ends, where ours always take zeros.
    np.testing.assert_allclose(ours[:, ::2], mini.transform(series[:, None])[:, ::2], atol=0.04)


THRESHOLDS = {("shape", "path"): 2, ("distances",): 2, ("picture",): 1}
SETS = {groups: (sum(N_FEATURES[group] for group in groups), n) for groups, n in THRESHOLDS.items()}


def drawn(blocks: np.ndarray, seed: int = 0) -> KernelBanks:
    def compute(build: object) -> np.ndarray:
        return computed(build, blocks, ("rows", "points"))

    return KernelBanks.draw(SETS, compute, np.random.default_rng(seed))


def computed(build: object, blocks: np.ndarray, shape: tuple[str, ...]) -> np.ndarray:
    graph = Graph()
    features = movement_features(graph, 64, 32)
    return GraphRunner(graph.model((64, 32), build(graph, features), shape))(blocks)  # type: ignore[operator]


@pytest.fixture(scope="module")
def blocks() -> np.ndarray:
    return MovementEncoder().encode_samples(movements(2, 2))


def test_banks_together_answer_as_each_alone(blocks: np.ndarray) -> None:
    banks = drawn(blocks)
    assert len(banks.banks) == len(SETS) * len(DILATIONS)
    together = computed(banks.add_to, blocks, ("outputs",))
    alone = [computed(KernelBanks((one,)).add_to, blocks, ("outputs",)) for one in banks.banks]
    # Rounding may take a single point in time across a threshold.
    np.testing.assert_allclose(together, np.concatenate(alone, axis=1), atol=1.01 / 32)
    assert (together != np.concatenate(alone, axis=1)).mean() < 1e-3


def test_kernels_see_standardised_features(blocks: np.ndarray) -> None:
    for bank in drawn(blocks).banks:
        n_mixed = (bank.mixing != 0).sum(axis=1)
        assert 1 <= n_mixed.min() <= n_mixed.max() <= 9
        responses = computed(lambda *a, bank=bank: _responses(*a, (bank,)), blocks, ("r", "t"))
        # Thresholds are quantiles, so each is passed at some times and not at others.
        above = (responses[:, :, None] > bank.thresholds[:, :, None]).mean(axis=(0, 3))
        assert ((above > 0) & (above < 1)).mean() > 0.95
        assert above.mean() == pytest.approx(0.5, abs=0.1)


def test_drawn_numbers_fit_into_half_precision(blocks: np.ndarray) -> None:
    for bank in drawn(blocks).banks:
        for numbers in (bank.mixing, bank.offset, bank.thresholds):
            np.testing.assert_array_equal(numbers, numbers.astype(np.float16))


def test_draw_repeats_with_its_seed(blocks: np.ndarray) -> None:
    one, same, other = (drawn(blocks, seed).banks[0].mixing for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


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


@pytest.mark.parametrize(
    "members", [("rocket",), ("tcn",), ("nearest", "rocket"), ("rocket", "tcn")]
)
@pytest.mark.parametrize(("n_whole", "pretrained"), [(36, False), (20, True)])
def test_parts_have_the_features_of_the_whole(
    members: tuple[str, ...], n_whole: int, pretrained: bool
) -> None:
    """Pretrained ones are more certain: a threshold found with them suits no other model."""
    if "tcn" in members:
        pytest.importorskip("torch", reason="needs the extra temporal")
    params = {"rocket": {"n_augmented": 0}, "tcn": {"epochs": 2}}
    known = {**ESTIMATORS.entries(), "nearest": Nearest}
    made = [(name, known[name](**params.get(name, {}))) for name in members]
    part = movements(n_people=2, each=3)
    copy = (made[0][1] if len(made) == 1 else _MovementBlend(made)).for_part(n_whole)
    encoder = copy.encoder(1)
    in_streams = fit_streams(fit_samples(copy, part, encoder), part, encoder, NegativeWindows())
    assert (in_streams.banks_ is PretrainedFeatures.shipped().banks) == pretrained


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
    done = CliRunner().invoke(program["main"], ["movements", str(tmp_path / "data.npz"), str(out)])
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
