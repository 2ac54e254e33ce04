"""What is the network's own: the contract of all movement classifiers is tested elsewhere."""

import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from movement_stubs import movements

from handlore.classifiers.augmentation import Augmentation
from handlore.classifiers.base import HandEstimator
from handlore.classifiers.estimators.tcn import _batch_size_for, _epochs_for, _validation_mask
from handlore.classifiers.factory import make_estimator
from handlore.classifiers.negatives import NegativeWindows
from handlore.classifiers.onnx_graph import GraphRunner
from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.models.encoders import N_CHANNELS

LABELS = ("left", "right", "still")


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch", reason="needs the extra temporal")


def small(**params: Any) -> HandEstimator:
    return make_estimator("tcn").set_params(**{"epochs": 2} | params)


def swipes(
    n_each: int = 8,
    n_timepoints: int = 16,
    n_hands: int = 1,
    labels: tuple[str, ...] = LABELS,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Open hands that go left, go right or stay, in palm lengths."""
    rng = np.random.default_rng(seed)
    y = np.repeat(labels, n_each)
    hand = np.random.default_rng(9).normal(size=(21, 3))
    hand[0] = 0
    way = np.array([{"left": -3, "right": 3, "still": 0}[label] for label in y])
    path = np.zeros((len(y), 1, 3, n_timepoints))
    path[:, 0, 0] = (way * rng.uniform(0.8, 1.2, len(y)))[:, None] * np.linspace(0, 1, n_timepoints)
    marks = hand[:, :, None] + path + rng.normal(0, 0.02, (len(y), 21, 3, n_timepoints))
    block = np.ones((len(y), n_hands, N_CHANNELS, n_timepoints), np.float32)
    block[:, :, :-1] = marks.reshape(len(y), 1, N_CHANNELS - 1, n_timepoints)
    return block.reshape(len(y), -1, n_timepoints), y


def answers_of_network(estimator: Any, X: np.ndarray) -> np.ndarray:
    import torch

    from handlore.classifiers.estimators._tcn_network import Probabilities

    inputs = torch.from_numpy(X), torch.from_numpy(estimator._peaks(X))
    with torch.no_grad():
        return Probabilities(estimator.network_).eval()(*inputs).numpy()


def size(estimator: Any) -> int:
    return sum(values.numel() for values in estimator.network_.parameters())


def test_learns_swipes_it_has_not_seen(torch: Any) -> None:
    estimator = small(epochs=20, batch_size=8).fit(*swipes())
    X, y = swipes(seed=1)
    assert (estimator.predict(X) == y).mean() > 0.9
    probabilities = estimator.predict_proba(X)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("n_hands", "n_timepoints", "labels"),
    [(1, 48, LABELS), (1, 8, LABELS[:2]), (2, 48, LABELS), (2, 9, LABELS[:2])],
)
def test_graph_equals_network(
    torch: Any, n_hands: int, n_timepoints: int, labels: tuple[str, ...]
) -> None:
    X, y = swipes(4, n_timepoints, n_hands, labels)
    X[::3, N_CHANNELS - 1] = 0
    X[-1, :N_CHANNELS] = 0
    estimator = small().fit(X, y)
    elsewhere = np.random.default_rng(1).normal(0, 3, (70, *X.shape[1:])).astype(np.float32)
    for blocks in (X, X[:1], elsewhere):
        answers = estimator.predict_proba(blocks)
        np.testing.assert_allclose(GraphRunner(estimator.to_onnx())(blocks), answers, atol=1e-6)
        # The weights are kept as 16-bit numbers.
        np.testing.assert_allclose(answers, answers_of_network(estimator, blocks), atol=5e-3)
    opsets = {(one.domain, one.version) for one in estimator.to_onnx().opset_import}
    assert opsets == {("", 15), ("ai.onnx.ml", 3)}


@pytest.mark.parametrize("n_hands", [1, 2])
def test_is_small(torch: Any, n_hands: int) -> None:
    X, y = swipes(2, n_hands=n_hands)
    assert len(small(epochs=1).fit(X, y).to_onnx().SerializeToString()) <= 1_300_000


def test_same_seed_same_bytes(torch: Any) -> None:
    X, y = swipes(2)
    state = torch.random.get_rng_state()
    first, second, other = (
        small(epochs=1, random_state=seed).fit(X, y).to_onnx().SerializeToString()
        for seed in (3, 3, 4)
    )
    assert first == second
    assert first != other
    assert torch.equal(state, torch.random.get_rng_state())


def test_ten_movements_one_of_them_alone(torch: Any) -> None:
    X, y = swipes(5, labels=LABELS[:2])
    y = np.where(np.arange(10) == 4, "still", y)
    estimator = small(validation=0.2).fit(X, y, np.full(10, "anna"))
    assert estimator.predict_proba(X).shape == (10, 3)


def test_history_says_how_each_epoch_went(torch: Any) -> None:
    X, y = swipes(6)
    groups = np.tile(np.array(["a", "b", "c", "d", "e", "f"]), 3)
    seen: list[tuple[int, int]] = []
    estimator = small(epochs=3, validation=0.15)
    estimator.progress = lambda done, total: seen.append((done, total))
    estimator.fit(X, y, groups)
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert [line["epoch"] for line in estimator.history_] == [1, 2, 3]
    for line in estimator.history_:
        assert set(line) == {
            "epoch",
            "loss",
            "accuracy",
            "val_loss",
            "val_accuracy",
            "learning_rate",
        }
        assert all(np.isfinite(value) for value in line.values())
    assert estimator.notes_ == ()
    assert small(epochs=1).fit(X, y, groups).history_[0]["val_loss"] is None


def test_early_stopping(torch: Any) -> None:
    X, y = swipes(6)
    groups = np.tile(np.array(["a", "b", "c", "d", "e", "f"]), 3)
    estimator = small(epochs=40, validation=0.3, patience=2, learning_rate=0.05)
    estimator.fit(X, np.random.default_rng(0).permutation(y), groups)
    losses = [line["val_loss"] for line in estimator.history_]
    assert len(losses) < 40
    assert len(losses) - 1 - int(np.argmin(losses)) == 2


def test_ctrl_c_keeps_what_is_learnt_so_far(torch: Any) -> None:
    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    X, y = swipes(4)
    estimator = small(epochs=9)
    estimator.progress = stop
    estimator.fit(X, y)
    assert len(estimator.history_) == 2
    assert estimator.notes_ == ("stopped after 2 of 9 epochs; kept the best so far",)
    assert estimator.predict_proba(X).shape == (12, 3)
    estimator.keeps_best = False
    with pytest.raises(KeyboardInterrupt):  # one of several fits
        estimator.fit(X, y)
    estimator.progress = None
    assert estimator.fit(X, y).notes_ == ()


def test_ctrl_c_ends_all_work_if_nobody_watches(
    torch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from handlore.classifiers.estimators._tcn_training import NetworkTraining

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(NetworkTraining, "run", stop)
    with pytest.raises(KeyboardInterrupt):
        small().fit(*swipes(2))
    watched = small()
    watched.progress = lambda done, total: None
    with pytest.raises(KeyboardInterrupt):  # nothing is learnt yet
        watched.fit(*swipes(2))


def test_mirrored_movements_are_learnt_too(torch: Any) -> None:
    X, y = swipes(8)
    some = y != "right"
    X, y = X[some], y[some]
    X, y = np.concatenate([X, swipes(1)[0][1:2]]), np.append(y, "right")
    estimator = small(epochs=30, batch_size=8, mirror_labels="left=right").fit(X, y)
    seen, truth = swipes(seed=1)
    assert (estimator.predict(seen) == truth).mean() > 0.9


def test_the_label_in_a_mirror_is_found(torch: Any) -> None:
    """Of swipes to the right only one person's are taught; a mirror shows the others."""
    X, y = swipes(24)
    estimator = small(epochs=2).fit(X, y)
    (_, plain), (mirrored, labels) = estimator._with_mirrored(
        X, np.unique(y, return_inverse=True)[1], None
    )
    assert estimator.classes_[plain].tolist() == y.tolist()
    swapped = {"left": "right", "right": "left", "still": "still"}
    assert estimator.classes_[labels].tolist() == [swapped[label] for label in y]
    np.testing.assert_allclose(mirrored[:, 0], -X[:, 0])


def test_in_streams_the_network_says_which_movement_it_is(torch: Any) -> None:
    data = movements(3, 2)
    labels, groups = data.samples.label, data.samples.group
    estimator: Any = small()
    encoder = estimator.encoder(1)
    X = encoder.encode_samples(data)
    estimator.fit(X, labels, groups)
    windows = NegativeWindows().windows(data, groups, encoder, np.random.default_rng(0))
    more = estimator.fit_with_windows(X, labels, groups, windows)
    assert more.classes_.tolist() == sorted([*np.unique(labels), "none"])
    found = more.predict_proba(X)[:, more.classes_ != "none"]
    shares = found / found.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares, estimator.predict_proba(X), atol=1e-3)
    rest = windows.X[windows.label == "none"]
    assert (more.predict(rest) == "none").mean() > 0.7


def test_without_augmentation(torch: Any) -> None:
    X, y = swipes()
    assert (small(epochs=15, batch_size=8, augment=False).fit(X, y).predict(X) == y).mean() > 0.9


def test_diverging_learning_rate(torch: Any) -> None:
    with pytest.raises(InvalidDataError, match="take a smaller learning_rate"):
        small(epochs=30, learning_rate=1e30).fit(*swipes(2))


def test_without_torch_one_line_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(HandloreError, match=r"^tcn needs PyTorch: pip install 'handlore\[temp"):
        small().fit(*swipes(2))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", -1),
        ("batch_size", -1),
        ("batch_size", 1),
        ("learning_rate", 0.0),
        ("validation", 0.9),
        ("patience", 0),
        ("random_state", -1),
    ],
)
def test_parameters_out_of_range_get_one_line(name: str, value: float) -> None:
    with pytest.raises(InvalidDataError, match=f"{name} is {value}, expected"):
        small(**{name: value}).fit(*swipes(2))


def test_too_few_points_in_time_get_one_line() -> None:
    with pytest.raises(InvalidDataError, match="at least 8 points in time"):
        small().fit(*swipes(2, n_timepoints=7))


def test_validation_groups() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat([f"p{i:02}" for i in range(20)], 10)
    codes = np.tile(np.arange(5), 40)
    codes[groups == "p07"] = 5
    for _ in range(20):
        held = _validation_mask(codes, groups, 0.15, rng)
        assert held.sum() == 30
        assert not set(groups[held]) & set(groups[~held])
        assert "p07" not in groups[held]


def test_validation_without_groups() -> None:
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1, 2], [60, 30, 1])
    for groups in (None, np.full(91, "anna")):
        assert np.bincount(
            codes[_validation_mask(codes, groups, 0.2, rng)], minlength=3
        ).tolist() == [
            12,
            6,
            0,
        ]
    assert not _validation_mask(codes[:59], None, 0.2, rng).any()
    assert not _validation_mask(codes, None, 0.0, rng).any()


def test_epochs_and_batch_size() -> None:
    sizes = {n: _batch_size_for(n, 0) for n in (2, 10, 270, 1960)}
    assert sizes == {2: 2, 10: 10, 270: 32, 1960: 64}
    assert {n: _epochs_for(n, batch, 0) for n, batch in sizes.items()} == {
        2: 300,
        10: 300,
        270: 75,
        1960: 100,
    }
    assert _epochs_for(270, 32, 7) == 7
    assert _batch_size_for(270, 500) == 270


STILL = Augmentation(turn=0, size=0, reach=0, bones=0, shape=0, jitter=0, warp=0, crop=0, drop=0)


def bends(blocks: np.ndarray) -> np.ndarray:
    """Where in time (n, n_timepoints - 2) a wrist's way bends."""
    return np.abs(np.diff(blocks[:, 0], 2, axis=-1)) > 1e-4


def circling(n: int = 200) -> np.ndarray:
    """One hand that circles, so that its way bends everywhere."""
    X = np.ones((n, N_CHANNELS, 48), np.float32)
    X[:, :-1] = np.sin(np.linspace(0.3, 2.8, 48))
    return X


def test_nothing_happens_unless_asked_for() -> None:
    X = circling()
    np.testing.assert_allclose(STILL(X, np.random.default_rng(0)), X, atol=1e-5)
    assert bends(X).all()


def test_a_slower_camera_sees_fewer_points() -> None:
    X = circling()
    seen = replace(STILL, slow=0.5)(X, np.random.default_rng(0))
    bending = bends(seen).mean(axis=1)
    assert 0.4 < (bending < 0.9).mean() < 0.6
    assert 0.1 < bending.min() < 0.3
    np.testing.assert_allclose(seen[..., [0, -1]], X[..., [0, -1]], atol=1e-6)
    np.testing.assert_allclose(seen, X, atol=0.2)
    assert (seen[:, -1] == 1).all()


def test_a_lost_hand_is_absent_and_goes_straight() -> None:
    X = circling()
    seen = replace(STILL, lost=0.5)(X, np.random.default_rng(0))
    absent = seen[:, -1] == 0
    assert 0.4 < absent.any(axis=1).mean() < 0.6
    assert absent.sum(axis=1).max() <= 12
    assert not absent[:, [0, -1]].any()
    inside = absent[:, :-2] & absent[:, 1:-1] & absent[:, 2:]
    assert inside.any()
    assert not bends(seen)[inside].any()
    np.testing.assert_array_equal(
        seen[:, :-1].transpose(0, 2, 1)[~absent], X[:, :-1].transpose(0, 2, 1)[~absent]
    )


def test_stretched_path() -> None:
    X, _ = swipes(30)
    seen = replace(STILL, travel=0.3)(X, np.random.default_rng(0))
    wrist, before = seen[:, :3], X[:, :3]
    np.testing.assert_allclose(seen[:, 3:6] - wrist, X[:, 3:6] - before, atol=1e-5)
    moving = np.abs(before[:, 0, -1]) > 1
    factors = wrist[moving, 0, -1] / before[moving, 0, -1]
    assert 0.2 < np.log(factors).std() < 0.4
