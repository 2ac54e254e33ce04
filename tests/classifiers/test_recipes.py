"""Building the models that come with handlore, here from rendered hands."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from handlore.classifiers import novelty, recipes
from handlore.classifiers.recipes import RECIPES, Recipe, build_model, landmarks_of
from handlore.datasets.dataset import LandmarkDataset
from handlore.datasets.storage import load_dataset
from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.models import ready
from handlore.models.files import load_model
from handlore.models.ready import KNOWN_MODELS, ReadyModel

Run = Callable[..., Result]

SIGNS = ReadyModel(
    "signs",
    "pose",
    "signs of rendered hands",
    ("fist", "palm", "victory"),
    "rendered hands (nobody 2026)",
    "CC0",
    ("they are rendered",),
    has_none=False,
    shipped=False,
)


@pytest.fixture(autouse=True, scope="module")
def signs() -> Iterator[None]:
    """A recipe that renames a label, leaves one out, and keeps few examples."""
    recipe = Recipe(
        "images",
        {"name_pattern": r"_(?P<group>p\d+)_\d+\.png$"},
        "linear",
        labels={"open_palm": "palm", "point": ""},
        n_examples=4,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ready.KNOWN_MODELS, "signs", SIGNS)
        patch.setitem(recipes.RECIPES, "signs", recipe)
        yield


@pytest.fixture(scope="module")
def built(dataset: LandmarkDataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model, with what is written beside it."""
    path = tmp_path_factory.mktemp("built") / "signs.onnx"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(novelty, "_N_PARTS", 2)  # as for each test of this room
        build_model("signs", dataset, path)
    return path


def test_every_known_model_has_a_recipe() -> None:
    assert set(RECIPES) == set(KNOWN_MODELS)


def test_build(dataset: LandmarkDataset, built: Path) -> None:
    model = load_model(built)
    assert model.labels == SIGNS.labels
    assert model.card.licence == "CC0: rendered hands (nobody 2026)"
    kept = load_dataset(built.with_suffix(".npz"))
    assert kept.labels == list(SIGNS.labels)
    assert kept.n_samples == 12
    assert not set(kept.samples.group) & set(dataset.samples.group), "no names of people"
    assert not (kept.samples.source != "").any()
    assert kept.header.note == model.card.licence
    card = built.with_suffix(".md").read_text("utf-8")
    accuracy = model.card.training["crossval"]["accuracy"]
    for words in (
        *("# signs", "rendered hands (nobody 2026)", "CC0", "they are rendered", "3 people apart"),
        f"{100 * accuracy:.1f} % of 18 correct",
    ):
        assert words in card


def test_same_bytes_each_time(dataset: LandmarkDataset, built: Path, tmp_path: Path) -> None:
    trained = build_model("signs", dataset, tmp_path / built.name)
    assert trained.card.labels == SIGNS.labels
    for path in built.parent.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()


def test_other_data_is_refused(dataset: LandmarkDataset, tmp_path: Path) -> None:
    fists = dataset.select(dataset.samples.label == "fist")
    with pytest.raises(InvalidDataError, match="it lacks palm, victory; expected rendered hands"):
        build_model("signs", fists, tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_other_data_is_refused_before_it_is_converted(tmp_path: Path) -> None:
    for label in ("fist", "wave"):
        (tmp_path / "data" / label).mkdir(parents=True)
        (tmp_path / "data" / label / "a_p1_0.png").write_bytes(b"not opened")
    with pytest.raises(InvalidDataError, match="it lacks palm, victory; expected rendered hands"):
        landmarks_of("signs", tmp_path / "data", tmp_path / "out.npz")
    assert not (tmp_path / "out.npz").exists()


def test_build_from_a_folder(
    pictures: Path, run: Run, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    photos = tmp_path_factory.mktemp("photos")
    for picture in pictures.glob("*/*_1.png"):
        (photos / picture.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(picture, photos / picture.parent.name)
    out = tmp_path / "my.onnx"
    words = ("models", "build", "signs", photos, "--out", out, "--json")
    assert json.loads(run(*words).stdout)["labels"] == list(SIGNS.labels)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"my.onnx", "my.npz", "my.md", "my-landmarks.npz"}
    again = run(*words)
    assert again.exit_code == 0
    assert "my-landmarks.npz is there from an earlier run" in again.stderr


def test_built_model_is_a_base(
    dataset: LandmarkDataset, npz: Path, built: Path, run: Run, tmp_path: Path
) -> None:
    """Its examples are beside it, as those of the models that come with handlore."""
    done = run("train", npz, "--base", built, "--out", tmp_path / "m.onnx")
    assert done.exit_code == 0, done.output
    assert set(load_model(tmp_path / "m.onnx").labels) == {*SIGNS.labels, *dataset.labels}
    assert load_model(tmp_path / "m.onnx").card.estimator == "linear"


def test_files_that_are_converted_already(npz: Path, tmp_path: Path) -> None:
    assert landmarks_of("signs", npz, tmp_path / "unused.npz") == npz


def test_clips_are_thinned() -> None:
    from movement_stubs import movements

    data = movements(labels=("left", "right"))
    few = recipes._examples(replace(RECIPES["movements"], n_examples=2), data)
    assert few.n_samples == 4
    assert np.diff(few.offsets).max() <= (np.diff(data.offsets).max() + 1) // 2
    assert np.isnan(few.world).all()
    assert few.header.kind == "sequence"


@pytest.mark.parametrize("ending", [".npz", ".md"])
def test_what_is_beside_the_model_replaces_nothing_else(
    ending: str, dataset: LandmarkDataset, npz: Path, tmp_path: Path
) -> None:
    """The data of the model have its name, or notes."""
    out = tmp_path / "mine.onnx"
    other = out.with_suffix(ending)
    shutil.copy(npz, other) if ending == ".npz" else other.write_text("my notes")
    before = other.read_bytes()
    with pytest.raises(HandloreError, match=f"{other.name} exists, and what is written beside"):
        build_model("signs", dataset, out)
    assert (other.read_bytes(), out.exists()) == (before, False)


def test_fewer_samples_than_the_data_set_has(
    dataset: LandmarkDataset, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ready.KNOWN_MODELS, "signs", replace(SIGNS, n_samples=2_000))
    again = build_model("signs", dataset, built)
    assert (
        "samples instead of 2,000; its card names the data and licence of rendered hands"
        in (again.notes[0])
    )
