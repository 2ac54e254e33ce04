"""The models that come with handlore: their files, and their names in place of paths."""

import re
from pathlib import Path

import numpy as np
import pytest

from handlore.datasets.dataset import NONE_LABEL
from handlore.datasets.storage import load_dataset
from handlore.landmarks.errors import HandloreError
from handlore.models import trial
from handlore.models.files import load_model, load_models
from handlore.models.ready import KNOWN_MODELS, LIVE_MODELS, READY_MODELS, known_model, model_path

_MAX_BYTES = 2_000_000
NAMES = list(READY_MODELS)


@pytest.mark.parametrize("name", NAMES)
def test_shipped_model(name: str) -> None:
    ready, model = READY_MODELS[name], load_model(name)
    assert ready.path.stat().st_size <= _MAX_BYTES
    assert model.labels == ready.labels
    assert model.card.kind == ready.kind
    assert model.card.licence.startswith(ready.licence)
    assert set(model.card.typical_hands) == set(ready.gestures)
    assert (ready.path.parent / f"LICENSE-{name}").is_file()


@pytest.mark.parametrize("name", NAMES)
def test_card_has_the_figures_of_the_model(name: str) -> None:
    ready, training = READY_MODELS[name], load_model(name).card.training
    text = ready.card.read_text("utf-8")
    assert f"{100 * training['crossval']['accuracy']:.1f} % of" in text
    rows = {row[0]: row[1:] for row in re.findall(r"\| (\w+) \| (\d+) \| ([\d.]+) \|", text)}
    assert rows == {
        label: (str(row["support"]), f"{100 * row['recall']:.1f}")
        for label, row in training["per_class"].items()
    }
    assert set(rows) == set(ready.labels)
    assert ready.licence in text
    assert all(line in text for line in ready.weaknesses)


@pytest.mark.parametrize("name", NAMES)
def test_examples(name: str) -> None:
    """They are what ``train --base`` adds to the data of a user."""
    ready = READY_MODELS[name]
    assert ready.examples.stat().st_size <= _MAX_BYTES
    kept = load_dataset(ready.examples)
    assert tuple(kept.labels) == ready.labels
    assert kept.header.kind == ready.kind
    assert kept.header.note.startswith(ready.licence)
    assert kept.has_hand.all()
    counts = np.unique(kept.samples.label, return_counts=True)[1]
    assert counts.min() >= 20
    assert not (kept.samples.source != "").any(), "names of files may be those of people"


def test_names_come_before_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("everyday").write_bytes(b"PK")
    assert load_model("everyday").labels == READY_MODELS["everyday"].labels
    for file in ("./everyday", Path("everyday"), tmp_path / "everyday"):
        with pytest.raises(HandloreError, match="everyday is not a model"):
            load_model(file)
    assert model_path("everyday.onnx") == Path("everyday.onnx")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("everydya", "did you mean everyday"),
        ("movement", "did you mean movements"),
        ("face", "handlore comes with: everyday, movements, digits"),
        ("asl-letters", "handlore models build asl-letters DATA"),
        ("some/everydya", "there is no file some/everydya$"),
        ("everydya.onnx", r"there is no file everydya\.onnx$"),
    ],
)
def test_near_miss(given: str, said: str) -> None:
    with pytest.raises(HandloreError, match=said):
        load_model(given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("mymodle.onnx", r"did you mean mymodel\.onnx\?"),
        ("mymodle", r"did you mean mymodel\.onnx\?"),
        ("movemens", r"did you mean movements, which comes with handlore, or movements2\.onnx\?"),
        ("mymodel.npz", r"did you mean mymodel\.onnx\?"),
    ],
)
def test_near_miss_of_a_file(
    given: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("mymodel.onnx", "mymodel.csv", "movements2.onnx"):
        Path(name).touch()
    with pytest.raises(HandloreError, match=said):
        load_model(given)


def test_unknown_recipe() -> None:
    with pytest.raises(HandloreError, match="did you mean asl-letters"):
        known_model("asl_letters")


def test_no_trial_for_a_shipped_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Files of the package are as trustworthy as its code; a copy elsewhere is tried."""
    tried: list[bytes] = []
    monkeypatch.setattr(trial, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(trial, "_tried", tried.append)
    load_model("digits")
    assert tried == []
    copy = tmp_path / "digits"
    copy.write_bytes(model_path("digits").read_bytes())
    load_model(copy)
    assert len(tried) == 1


def test_one_model_is_no_list_of_letters() -> None:
    (by_name,), _ = load_models("digits")
    (loaded,), _ = load_models(by_name)
    assert loaded is by_name
    assert by_name.labels == load_model("digits").labels


def test_live_models() -> None:
    """They run side by side: one hand each, and no gesture in both."""
    models, notes = load_models(LIVE_MODELS)
    assert [model.card.kind for model in models] == ["pose", "sequence"]
    assert notes == []


def test_labels_of_known_models() -> None:
    for one in KNOWN_MODELS.values():
        assert NONE_LABEL not in one.gestures
        assert list(one.labels) == sorted(one.labels)
