"""What is known of movements beforehand: it helps with few clips, and only then is it used."""

import io
import runpy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from click.testing import CliRunner
from movement_stubs import Nearest, movements

import handlore
from handlore.classifiers.discriminant import LinearDiscriminant
from handlore.classifiers.estimators import ESTIMATORS
from handlore.classifiers.estimators.rocket import RocketClassifier
from handlore.classifiers.evaluation import leaks
from handlore.classifiers.evaluation.leaks import digests_in, item_digests
from handlore.classifiers.evaluation.scores import fit_samples, fit_streams
from handlore.classifiers.factory import _MovementBlend
from handlore.classifiers.negatives import NegativeWindows
from handlore.classifiers.pretrained import PretrainedFeatures, pretrained_items
from handlore.datasets.conversion.batches import ConvertOptions
from handlore.datasets.conversion.convert import convert
from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.kinds import Kind
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


@pytest.mark.parametrize(
    ("source", "options", "folder", "gain"),
    [("mp-holistic", {}, "mp_drone9", 0.1), ("sfinge3d", {"part": "dictionary"}, "sfinge3d", 0.15)],
)
def test_one_clip_of_each_movement(
    real_data: Path, source: str, options: dict[str, str], folder: str, gain: float
) -> None:
    """The features come from other people, movements and cameras than these."""
    idle = ConvertOptions(none="idle" if source == "mp-holistic" else "")
    dataset = convert(make_source(source, options), real_data / folder, None, idle).dataset
    dataset = dataset.select(dataset.has_hand)
    found = {
        below: np.mean(
            [accuracy(fitted(few, pretrained_below=below), rest) for few, rest in draws(dataset, 3)]
        )
        for below in (0, 10)
    }
    assert found[10] > found[0] + gain


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
    assert again.network == known.network
    for one, other in zip(again.banks.banks, known.banks.banks, strict=True):
        assert (one.groups, one.dilation) == (other.groups, other.dilation)
        np.testing.assert_array_equal(one.thresholds, other.thresholds)


def test_learnt_from_a_dataset(tmp_path: Path) -> None:
    """Movements of other people are distinguished along the directions alone, of either kind."""
    pytest.importorskip("torch", reason="needs the extra temporal")
    dataset, out = movements(n_people=6, each=3), tmp_path / "features.npz"
    save_dataset(dataset, tmp_path / "data.npz")
    program = runpy.run_path(str(BENCHMARKS / "pretraining.py"))
    line = ["movements", str(tmp_path / "data.npz"), str(out), "--epochs", "30"]
    done = CliRunner().invoke(program["main"], line)
    assert done.exit_code == 0, done.output
    with out.open("rb") as stream:
        found = PretrainedFeatures.load(stream)
    n_labels = len(dataset.labels)
    assert found.directions.shape == (len(found.mean), n_labels - 1)
    with patch.object(PretrainedFeatures, "shipped", lambda: found):
        rocket = fitted(dataset, pretrained_below=1000)
    rows = rocket._computed(rocket.encoder(1).encode_samples(dataset))
    codes = np.unique(dataset.samples.label, return_inverse=True)[1]
    of_network = rows[:, len(found.mean) - n_labels + 1 : len(found.mean)]
    for along in (rows[:, len(found.mean) :], of_network):
        means = np.stack([along[codes == code].mean(axis=0) for code in range(n_labels)])
        nearest = ((along[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
        assert (nearest == codes).mean() > 0.95


@pytest.mark.parametrize(("below", "expected"), [("10", 4), ("0", 0)])
def test_scores_on_what_they_were_learnt_from(
    below: str, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A note says so, in cross-validation and of the model file on other items."""
    seen, other = (with_digests(movements(n_people=2, each=2), name) for name in "ab")
    known = digests_in(item_digests(seen))
    monkeypatch.setattr(leaks, "pretrained_items", lambda kind: frozenset(known[:4]))
    params = {"n_augmented": "0", "pretrained_below": below}
    tested = handlore.cross_validate(seen, "rocket", params=params, with_streams=False)
    handlore.train(other, tmp_path / "m.onnx", "rocket", params=params, negatives=False)
    evaluated = handlore.evaluate(tmp_path / "m.onnx", seen, with_streams=False)
    for found in (tested.leaks, evaluated.leaks):
        assert found.as_json().get("pretrained", 0) == expected
        assert any("pretrained features" in line for line in found.lines()) == (expected > 0)


def test_another_estimator_has_no_part_in_them() -> None:
    """Those of one are handed on to the next in a comparison."""
    found = leaks.Leaks(0, 0, (), n_pretrained=3)
    assert not found.with_pretrained(movements(1, 1), used=False).n_pretrained


def with_digests(dataset: LandmarkDataset, name: str) -> LandmarkDataset:
    digests = np.array([f"{name}{number}" for number in range(dataset.n_samples)])
    return replace(dataset, samples=replace(dataset.samples, sha256=digests))


@pytest.mark.parametrize("kind", ["pose", "sequence"])
def test_shipped_features_say_what_they_were_learnt_from(kind: Kind) -> None:
    assert len(pretrained_items(kind)) > 800


@pytest.mark.parametrize("below", [-1, 5000])
def test_number_out_of_range(below: int) -> None:
    with pytest.raises(handlore.HandloreError, match="pretrained_below"):
        fitted(movements(n_people=2, each=2), pretrained_below=below)
