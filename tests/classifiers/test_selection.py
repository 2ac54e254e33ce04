"""Several estimators on the same folds: which one to take, and how far to believe the best."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from movement_stubs import movements

from handlore.classifiers import selection
from handlore.classifiers.estimators import ESTIMATORS
from handlore.classifiers.evaluation.crossval import cross_validate
from handlore.classifiers.evaluation.evaluation import Evaluation, Split
from handlore.classifiers.evaluation.leaks import Leaks
from handlore.classifiers.evaluation.scores import Predictions
from handlore.classifiers.selection import compare_estimators
from handlore.datasets.dataset import LandmarkDataset
from handlore.landmarks.errors import HandloreError

N_PEOPLE, N_EACH = 10, 10
Right = np.ndarray
Answers = Callable[[Mapping[str, Right]], None]


@pytest.fixture
def hundred(dataset: LandmarkDataset) -> LandmarkDataset:
    """A hundred items of ten people, ten folds."""
    many = dataset.select(np.arange(N_PEOPLE * N_EACH) % dataset.n_samples)
    numbers = np.arange(many.n_samples)
    source = np.array([f"{number}.png" for number in numbers])
    group = np.array([f"p{number // N_EACH}" for number in numbers])
    return replace(many, samples=replace(many.samples, source=source, group=group))


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """Estimators that are right on given items (people, items of each), instead of training."""

    def given(right: Mapping[str, Right]) -> None:
        def cross_validate_pipeline(
            pipeline: Any, dataset: LandmarkDataset, by: Any, folds: Any, *, watch: Any, **_: Any
        ) -> Evaluation:
            watch.seconds.append(1.0)
            truth = dataset.samples.label
            predicted = np.where(right[pipeline.name].ravel(), truth, "other")
            n = len(truth)
            columns = (np.full(n, 0.5, np.float32), np.zeros(n, bool), np.arange(n))
            found = Evaluation.of(Predictions(truth, predicted, *columns), dataset)
            split, leaks = Split(by, N_PEOPLE, N_PEOPLE), Leaks(0, 0, ())
            return replace(found, model=pipeline.name, split=split, leaks=leaks)

        monkeypatch.setattr(selection, "cross_validate_pipeline", cross_validate_pipeline)

    return given


def right(n_wrong: int = 0, people: range = range(N_PEOPLE)) -> Right:
    """Right (people, items of each), except the first items of some people."""
    given = np.ones((N_PEOPLE, N_EACH), bool)
    given[list(people), :n_wrong] = False
    return given


def test_a_significantly_better_one_is_taken(hundred: LandmarkDataset, answers: Answers) -> None:
    answers({"kernel": right(3), "linear": right(1), "forest": right(5)})
    found = compare_estimators(hundred, ["kernel", "linear", "forest"])
    assert [one.name for one in found.results] == ["linear", "kernel", "forest"]
    assert (found.preferred, found.chosen.name) == ("kernel", "linear")
    assert [one.verdict for one in found.results[1:]] == ["worse", "worse"]
    assert "Take linear: it is 20.0 points more accurate than kernel, the def" in found.sentence
    assert found.winner_elsewhere == pytest.approx(0.9)
    assert found.optimism == pytest.approx(0)
    assert found.optimism_sentence.endswith(
        "gives 90.0 %, as the best of 3 has: picking it does not make it look better than it is."
    )


def test_the_default_is_taken_if_the_difference_may_be_chance(
    hundred: LandmarkDataset, answers: Answers
) -> None:
    answers({"linear": right(1, range(3)), "kernel": right(1, range(3, 8))})
    found = compare_estimators(hundred, ["linear", "kernel"])
    assert (found.best.name, found.chosen.name) == ("linear", "kernel")
    assert found.sentence == (
        "Take kernel, the default: linear is 2.0 points more accurate, which may be chance."
    )


def test_of_equal_ones_the_default_is_the_best(hundred: LandmarkDataset, answers: Answers) -> None:
    answers({"linear": right(1), "kernel": right(1)})
    found = compare_estimators(hundred, ["linear", "kernel"])
    assert found.best.name == found.chosen.name == "kernel"
    assert "no other is more accurate" in found.sentence


def test_one_estimator(hundred: LandmarkDataset, answers: Answers) -> None:
    answers({"linear": right(1)})
    assert compare_estimators(hundred, "linear").chosen.name == "linear"


def test_without_the_default_the_first_named_is_preferred(
    hundred: LandmarkDataset, answers: Answers
) -> None:
    answers({"linear": right(1), "forest": right(1, range(8))})
    found = compare_estimators(hundred, ["linear", "forest"])
    assert (found.best.name, found.chosen.name) == ("forest", "linear")
    assert found.sentence.startswith("Take linear, the first named: forest is 2.0 points")


def test_more_comparisons_ask_for_more_evidence(hundred: LandmarkDataset, answers: Answers) -> None:
    """Six items that only one has right: p = 0.031 alone, 0.063 as one of two comparisons."""
    answers({"kernel": right(1, range(6)), "linear": right(), "forest": right(4)})
    assert compare_estimators(hundred, ["kernel", "linear"]).chosen.name == "linear"
    three = compare_estimators(hundred, ["kernel", "linear", "forest"])
    assert (three.best.name, three.chosen.name) == ("linear", "kernel")
    assert three.results[1].p_value == pytest.approx(4 / 64)


def test_the_best_of_many_alike_is_too_good(hundred: LandmarkDataset, answers: Answers) -> None:
    """Each is right on the people on whom the other is wrong: what won elsewhere fails here."""
    answers({"linear": right(10, range(5)), "kernel": right(10, range(5, 10))})
    found = compare_estimators(hundred, ["linear", "kernel"])
    assert found.best.evaluation.scores.accuracy == 0.5
    assert found.winner_elsewhere == 0
    assert "picking the best of 2 makes it look 50.0 points too good" in found.optimism_sentence


def test_real_estimators(dataset: LandmarkDataset) -> None:
    done: list[float] = []
    params = {"forest.n_estimators": "5"}
    found = compare_estimators(
        dataset,
        ["linear", "linear+forest"],
        params=params,
        progress=lambda n, of: done.append(n / of),
    )
    alone = cross_validate(dataset, "linear", with_streams=False)
    (linear,) = (one for one in found.results if one.name == "linear")
    assert linear.evaluation.scores.accuracy == alone.scores.accuracy
    assert linear.evaluation.intervals == alone.intervals
    assert linear.evaluation.notes == alone.notes
    values = found.as_json()
    assert (values["by"], values["n"], values["n_folds"]) == ("group", 24, 3)
    sizes = {one["model"]: one["bytes"] for one in values["models"]}
    assert 10_000 < sizes["linear"] < sizes["linear+forest"] < 1_000_000
    assert all(one["seconds_per_fold"] > 0 for one in values["models"])
    assert (done == sorted(done), done[-1]) == (True, 1.0)
    (blend,) = (one for one in found.results if one.name == "linear+forest")
    assert blend.evaluation.params["forest__n_estimators"] == 5


def test_auto_leaves_out_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: object) -> None:
        raise HandloreError("tcn needs PyTorch: pip install 'handlore[temporal]'")

    monkeypatch.setattr(ESTIMATORS["tcn"], "require", missing)
    clips = movements(2, 2)
    params = {"rocket.n_kernel_features": 84, "rocket.n_augmented": 0}
    found = compare_estimators(clips, params=params, folds=2)
    assert [one.name for one in found.results] == ["rocket"]
    assert found.sentence == "rocket is the only estimator that was compared."
    assert any("rocket+tcn is left out: tcn needs PyTorch" in note for note in found.notes)
    with pytest.raises(HandloreError, match="needs PyTorch"):
        compare_estimators(clips, ["rocket", "rocket+tcn"])


@pytest.mark.parametrize(
    ("models", "params", "message"),
    [
        (["kernel", "rocket"], {}, r"rocket takes movements \(clips\), and this data holds poses"),
        (["kernel", "forst"], {}, "unknown estimator .forst.; did you mean forest"),
        ([], {}, "name at least one estimator, or auto"),
        (["auto"], {"n_estimators": 5}, "say whose it is, such as forest.n_estimators"),
        (["kernel", "linear"], {"forest.n_estimators": 5}, "there are: kernel, linear"),
        (["kernel", "forest"], {"forest.trees": 5}, "forest has no parameter 'forest.trees'"),
    ],
)
def test_options_that_do_not_fit(
    models: list[str], params: dict[str, Any], message: str, dataset: LandmarkDataset
) -> None:
    with pytest.raises(HandloreError, match=message):
        compare_estimators(dataset, models, params=params)


def test_auto_compares_what_suits_poses(hundred: LandmarkDataset, answers: Answers) -> None:
    names = selection.CANDIDATES["pose"]
    answers(dict.fromkeys((*names, "kernel+linear"), right(1)))
    found = compare_estimators(hundred, ["auto", "kernel", "kernel+linear"])
    assert {one.name for one in found.results} == {*names, "kernel+linear"}
    assert len(found.results) == len(names) + 1
