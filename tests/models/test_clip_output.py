"""What a file of movements predicts for whole clips is what cross-validation scored."""

from pathlib import Path

import numpy as np
import pytest
from movement_stubs import clip, dataset_of

import handlore
from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.splits import cross_validation
from handlore.models.files import load_model

PEOPLE = ("anna", "ben")
FEW = {"n_kernel_features": 84, "n_augmented": 1}


def clips(labels: tuple[str, ...], each: int = 6) -> LandmarkDataset:
    """Unsteady clips of two people: ambiguous enough that some answers are wrong."""
    rng = np.random.default_rng(3)
    made, names, who = [], [], []
    for person in PEOPLE:
        for label in labels:
            for _ in range(each):
                image, side, time = clip(label, seconds=rng.uniform(0.4, 2.0), fps=15)
                made.append((image + rng.normal(0, 0.02, image.shape).astype("f4"), side, time))
                names.append(label)
                who.append(person)
    return dataset_of(made, names, group=who)


@pytest.mark.parametrize("labels", [("left", "right", "still"), ("left", "right")])
def test_each_fold_answers_as_its_file(labels: tuple[str, ...], tmp_path: Path) -> None:
    dataset = clips(labels, each=4)
    scored = handlore.cross_validate(dataset, "rocket", params=FEW, with_streams=False).predictions
    for number, (train, test) in enumerate(cross_validation(dataset, "group", None, 0)):
        out = tmp_path / f"{number}.onnx"
        handlore.train(dataset.select(train), out, "rocket", params=FEW)
        found = handlore.evaluate(out, dataset.select(test), with_streams=False).predictions
        fold = np.isin(scored.sample, test)
        assert found.predicted.tolist() == scored.predicted[fold].tolist()
        np.testing.assert_allclose(found.probability, scored.probability[fold], atol=1e-4)


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("clips") / "moves.onnx"
    # Too few to look for thresholds, which takes longer than all the rest.
    handlore.train(clips(("left", "right"), each=4), out, "rocket", params=FEW)
    return out


def test_none_only_if_trained(model_file: Path) -> None:
    model = load_model(model_file, "sequence")
    X = model.encoder.encode_samples(clips(("left", "still")))
    none = model.labels.index("none")
    assert not model.predict_clips(X)[:, none].any()
    assert model.predict_proba(X)[:, none].max() > 0.25, "streams still have it"


def test_predict_and_evaluate_agree(model_file: Path) -> None:
    dataset = clips(("left", "right"))
    model = load_model(model_file)
    one_by_one = [model.predict_clip(dataset.select([n])).label for n in range(dataset.n_samples)]
    scored = handlore.evaluate(model, dataset, with_streams=False).predictions
    assert one_by_one == scored.predicted.tolist()


def test_without_negatives_there_is_one_answer(tmp_path: Path) -> None:
    out = tmp_path / "m.onnx"
    handlore.train(clips(("left", "right")), out, "rocket", params=FEW, negatives=False)
    model = load_model(out, "sequence")
    assert not model.has_clip_output
    assert model.labels == ("left", "right")
