"""How the ready-made models are trained: ``handlore models build``, and ``make models`` for all.

A recipe says how a known data set is read and a model is trained on it. Nothing is left to chance
or to the clock: the same landmarks give the same bytes.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from handlore.datasets.conversion.convert import convert_to_file
from handlore.datasets.dataset import NONE_LABEL, LandmarkDataset, listed
from handlore.datasets.files import read_start
from handlore.datasets.sources import make_source
from handlore.datasets.storage import is_dataset, load_dataset, save_dataset
from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.landmarks.features import DEFAULT_FEATURES
from handlore.landmarks.files import require_writable, write_bytes
from handlore.models.card import ModelCard
from handlore.models.ready import ReadyModel, known_model

from .direction import DIRECTION
from .discriminant import one_core_for_products
from .evaluation.streams import StreamScores
from .training import Trained, train

_LEFT_OUT = ""
_ORIENTED = (*DEFAULT_FEATURES, *DIRECTION)


@dataclass(frozen=True)
class Recipe:
    """How a ready-made model is trained from its data set."""

    layout: str
    """The source that reads the data set."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Options of that source."""
    estimator: str | None = None
    """None: the default of its kind."""
    features: tuple[str, ...] | None = None
    """Groups of features of poses; None: the default ones."""
    params: Mapping[str, object] = field(default_factory=dict)
    """Parameters of the estimator."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Other names of labels of the data set; an empty one leaves the label out."""
    n_examples: int = 150
    """Samples of each label that are kept beside the model."""
    n_none: int = 300
    """Samples of ``none`` that are kept."""
    stride: int = 1
    """Each so many frames of a clip are kept."""


RECIPES: dict[str, Recipe] = {
    "everyday": Recipe(
        "images",
        features=_ORIENTED,
    ),
    "movements": Recipe(
        "videos",
        {"name_pattern": r"^[^/]+/(?P<group>[^/]+_\d+)_[LR]_"},
        estimator="tcn",
        labels={
            "no_gesture": NONE_LABEL,
            **{f"throw_{way}": f"swipe_{way}" for way in ("left", "right", "up", "down")},
            **{f"click_{n}": "click" for n in ("one_finger", "two_fingers")},
            **{f"double_click_{n}": "double_click" for n in ("one", "two")},
            # Who points moves a cursor, and must not trigger anything.
            **{f"point_{n}": NONE_LABEL for n in ("one_finger", "two_fingers")},
        },
        n_examples=20,
        n_none=30,
        stride=2,
    ),
    "digits": Recipe("images"),
    "asl-letters": Recipe(
        "images",
        {"name_pattern": r"hand(?P<group>\d+)_"},
        features=_ORIENTED,
        labels=dict.fromkeys("0123456789", _LEFT_OUT),
    ),
}
"""The recipe of each of :data:`~handlore.models.ready.KNOWN_MODELS`."""


def landmarks_of(
    name: str,
    data: Path,
    out: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
    report: Callable[[str], None] | None = None,
) -> Path:
    """Return the landmarks of a data set: a dataset file as it is, a folder converted into ``out``.

    What was converted into ``out`` before is used again; a conversion that was stopped continues.
    ``progress`` and ``report`` are those of :func:`~.convert_to_file`.
    """
    known = known_model(name)
    if not data.is_dir():
        return data
    if not is_dataset(out):
        recipe = RECIPES[name]
        source = make_source(recipe.layout, recipe.options)
        # Before hours of conversion.
        _require_labels(known, recipe, {item.label for item in source.scan(data).items})
        convert_to_file(source, data, out, progress=progress, report=report)
    elif report is not None:
        report(f"{out} is there from an earlier run, and is used")
    return out


def build_model(
    name: str,
    dataset: LandmarkDataset,
    out: str | Path,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Trained:
    """Train a ready-made model by its recipe; write its file, its examples and its card.

    ``OUT.npz`` beside the model file keeps some of the training landmarks, for ``--base`` of
    training; ``OUT.md`` is the card.

    Parameters
    ----------
    name
        One of :data:`~handlore.models.ready.KNOWN_MODELS`, such as ``asl-letters``.
    dataset
        The landmarks of its data set, under the labels of the data set.
    out
        The model file, ending in ``.onnx``.
    progress
        As in :func:`~.training.train`.

    Raises
    ------
    InvalidDataError
        If the dataset is of another kind, or lacks a label.
    HandloreError
        If one of the files cannot be written, or would replace something else.
    """
    known, recipe, out = known_model(name), RECIPES[name], Path(out)
    require_built_files(name, out)
    prepared = _prepared(known, recipe, dataset)
    # Sums by several threads differ in the last digit from run to run and computer to computer.
    with one_core_for_products():
        trained = train(
            prepared,
            out,
            recipe.estimator,
            features=recipe.features,
            params=recipe.params,
            crossval=True,
            progress=progress,
        )
    save_dataset(_examples(recipe, prepared), out.with_suffix(".npz"))
    write_bytes(out.with_suffix(".md"), _card_text(known, trained.card).encode())
    return replace(trained, notes=(*_about_other_data(known, prepared), *trained.notes))


def require_built_files(name: str, out: Path) -> None:
    """Refuse a model file beside which the card or the examples would replace something else."""
    known, examples, card = known_model(name), out.with_suffix(".npz"), out.with_suffix(".md")
    is_other = {
        examples: examples.exists() and not _is_examples(known, examples),
        card: card.exists() and not read_start(card).startswith(_head(known).encode()),
    }
    for path, other in is_other.items():
        if other:
            raise HandloreError(
                f"{path} exists, and what is written beside {out} would replace it; give another"
                " name with --out"
            )
        require_writable(path)


def _is_examples(known: ReadyModel, path: Path) -> bool:
    try:
        return load_dataset(path).header.note == _origin(known)
    except HandloreError:
        return False


def _origin(known: ReadyModel) -> str:
    return f"{known.licence}: {known.data}"


def _head(known: ReadyModel) -> str:
    """Return how the card begins."""
    gestures = ", ".join(known.gestures)
    return f"# {known.name}\n\n{known.summary[0].upper()}{known.summary[1:]}: {gestures}"


def _about_other_data(known: ReadyModel, dataset: LandmarkDataset) -> list[str]:
    n = int((dataset.samples.view == 0).sum())
    if n == known.n_samples or not known.n_samples:
        return []
    return [
        f"it is trained on {n:,} samples instead of {known.n_samples:,}; its card names the data"
        f" and licence of {known.data}: if yours are others, use `handlore train`"
    ]


def _prepared(known: ReadyModel, recipe: Recipe, dataset: LandmarkDataset) -> LandmarkDataset:
    """Return the samples of a data set that a model is trained on, under its labels."""
    if dataset.header.kind != known.kind:
        holds = {"pose": "single pictures", "sequence": "clips"}
        raise InvalidDataError(
            f"{known.name} is trained on {holds[known.kind]}, and this data holds"
            f" {holds[dataset.header.kind]}; its data are {known.data}"
        )
    names = _require_labels(known, recipe, dataset.labels)
    renamed = np.array([names[str(label)] for label in dataset.samples.label], np.str_)
    chosen = np.isin(renamed, known.labels)
    kept = dataset.select(chosen)
    samples = replace(kept.samples, label=renamed[chosen])
    header = replace(dataset.header, note=_origin(known), log=())
    return replace(kept, samples=samples, header=header)


def _require_labels(known: ReadyModel, recipe: Recipe, labels: Iterable[str]) -> dict[str, str]:
    """Return the label of the model for each label of a data set; raise if one is missing."""
    names = {label: recipe.labels.get(label, label) for label in labels}
    if lacking := sorted(set(known.labels) - set(names.values())):
        raise InvalidDataError(
            f"this is not the data of {known.name}: it lacks {listed(lacking)}; expected"
            f" {known.data}"
        )
    return names


def _examples(recipe: Recipe, dataset: LandmarkDataset) -> LandmarkDataset:
    """Return some samples of each label, landmarks in 16 bits, without names of people or files."""
    seen, rng = dataset.select(dataset.has_hand), np.random.default_rng(0)
    chosen = []
    for label in seen.labels:
        most = recipe.n_none if label == NONE_LABEL else recipe.n_examples
        chosen.append(rng.permutation(np.flatnonzero(seen.samples.label == label))[:most])
    some = _thinned(seen.select(np.sort(np.concatenate(chosen))), recipe.stride)
    empty = np.full(some.n_samples, "", "<U1")
    samples = replace(
        some.samples, **dict.fromkeys(("session", "recording", "split", "source", "sha256"), empty)
    )
    people = np.unique(some.samples.group, return_inverse=True)[1]
    known = some.samples.group != ""
    group = np.where(known, np.char.add("person ", people.astype(np.str_)), "")
    world = some.world if some.header.kind == "pose" else np.full_like(some.world, np.nan)
    return replace(
        some,
        image=_rounded(some.image),
        world=_rounded(world),
        handedness=_rounded(some.handedness),
        score=np.full_like(some.score, np.nan),
        time=np.round(some.time, 3),
        samples=replace(samples, group=group),
    )


def _rounded(values: Any) -> Any:
    return values.astype(np.float16).astype(np.float32)


def _thinned(dataset: LandmarkDataset, stride: int) -> LandmarkDataset:
    """Return a dataset with each ``stride``-th frame of its clips."""
    if stride == 1:
        return dataset
    ends = zip(dataset.offsets[:-1], dataset.offsets[1:], strict=True)
    frames = [np.arange(start, end, stride) for start, end in ends]
    return dataset.at_frames(frames, dataset.samples)


def _card_text(known: ReadyModel, card: ModelCard) -> str:
    """Return the card as Markdown; all figures are those of the model file."""
    training, crossval = card.training, card.training["crossval"]
    rows = [
        f"| {label} | {row['support']} | {100 * row['recall']:.1f} | {100 * row['precision']:.1f} |"
        for label, row in training["per_class"].items()
    ]
    streams = StreamScores.from_json(training.get("streams"))
    lines = [
        _head(known) + (", and `none` for other hands." if known.has_none else "."),
        "## Data and licence",
        f"Trained on landmarks of {known.data}; no picture of it is in this repository.",
        f"Licence of `{known.name}.onnx` and `{known.name}.npz`: {known.licence}.",
        "## Scores",
        f"{_protocol(crossval)}: {100 * crossval['accuracy']:.1f} % of {crossval['n']} correct. An"
        f" item in which no hand was found ({crossval['n_no_hand']}) counts as an error unless it"
        " is `none`.",
        "\n".join(["| label | n | recall, % | precision, % |", "|---|---:|---:|---:|", *rows]),
        *([f"{streams.sentence[0].upper()}{streams.sentence[1:]}."] if streams else []),
        "## Known weaknesses",
        "\n".join(f"- {line}" for line in known.weaknesses),
        "## How it is made",
        f"`make models`, or `handlore models build {known.name} DATA`: {card.estimator} on"
        f" {training['n']} samples with a hand, landmark network {card.landmarker}.",
    ]
    return "\n\n".join(lines) + "\n"


def _protocol(crossval: Mapping[str, Any]) -> str:
    folds = f"cross-validated in {crossval['n_folds']} parts"
    if crossval["by"] == "random":
        return f"{folds} at random, people unknown".capitalize()
    return f"{folds}, {crossval['n_groups']} people apart".capitalize()
