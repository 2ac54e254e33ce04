"""Model files: an ONNX graph, with the model card as JSON in its metadata.

``docs/format.md`` specifies them. No pickle is ever written or loaded.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from handlore.classifiers.base import HandEstimator
from handlore.classifiers.familiarity import Familiarity
from handlore.landmarks.files import atomic_write

from .card import ModelCard
from .loading import METADATA_KEY


def save_model(
    estimator: HandEstimator, card: ModelCard, path: Path, familiarity: Familiarity | None = None
) -> int:
    """Write a fitted estimator as a model file; it appears whole or not at all.

    Parameters
    ----------
    estimator
        Fitted on features of the card's groups.
    card
        What the file is to say of itself; labels and the number of features are filled in.
    path
        Where to, usually ending in ``.onnx``.
    familiarity
        What tells how like the training data a hand is, for models of poses.

    Returns
    -------
    The size of the file in bytes.

    Raises
    ------
    HandloreError
        If it cannot be written.
    """
    labels = tuple(map(str, estimator.classes_))
    card = replace(card, labels=labels, n_features=estimator.n_features_in_)
    model = estimator.to_onnx()
    model.graph.name = "handlore"
    if familiarity is not None:
        familiarity.beside(model)
    return _write(model, card, path)


def replace_card(path: Path, card: ModelCard, out: Path | None = None) -> int:
    """Give a model file another card; what it answers stays the same.

    Parameters
    ----------
    path
        A model file.
    card
        Of the same labels.
    out
        Where to write it; default: in its place, whole or not at all.

    Returns
    -------
    The size of the file in bytes.

    Raises
    ------
    HandloreError
        If it cannot be written.
    """
    import onnx

    return _write(onnx.load_model_from_string(Path(path).read_bytes()), card, out or path)


def _write(model: Any, card: ModelCard, path: Path) -> int:
    del model.metadata_props[:]
    entry = model.metadata_props.add()
    entry.key = METADATA_KEY
    entry.value = json.dumps(card.as_json(), sort_keys=True)
    data: bytes = model.SerializeToString()
    with atomic_write(Path(path)) as stream:
        stream.write(data)
    return len(data)
