import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
from few_parts import few_parts  # noqa: F401

from handlore.classifiers.estimators import ESTIMATORS
from handlore.classifiers.factory import Pipeline
from handlore.classifiers.training import train_pipeline
from handlore.datasets.dataset import LandmarkDataset
from handlore.models.encoders import PoseEncoder
from handlore.models.files import METADATA_KEY

Edit = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="session")
def model_file(dataset: LandmarkDataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small forest, trained on the rendered hands."""
    path = tmp_path_factory.mktemp("models") / "poses.onnx"
    forest = ESTIMATORS["forest"]().set_params(n_estimators=10)
    train_pipeline(Pipeline("forest", forest, PoseEncoder()), dataset, path)
    return path


@pytest.fixture
def edited(model_file: Path, tmp_path: Path) -> Callable[[Edit], Path]:
    """The model file with another card."""

    def write(edit: Edit) -> Path:
        model = onnx.load(model_file)
        (entry,) = [entry for entry in model.metadata_props if entry.key == METADATA_KEY]
        card = json.loads(entry.value)
        edit(card)
        entry.value = json.dumps(card)
        path = tmp_path / "edited.onnx"
        path.write_bytes(model.SerializeToString())
        return path

    return write
