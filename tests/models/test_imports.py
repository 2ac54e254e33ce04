"""Running models needs neither scikit-learn nor pandas nor the training code."""

import json
import subprocess
import sys

import pytest

LOADED = """
import importlib, json, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps(sorted(sys.modules)))
"""
NOT_NEEDED = {"sklearn", "scipy", "pandas", "matplotlib", "torch", "onnx", "skl2onnx", "xgboost"}


@pytest.mark.parametrize(
    "module",
    [
        "handlore.models.predict",
        "handlore.models.stream.replay",
        "handlore.models.stream.calibration",
        "handlore.capture.live.run",
    ],
)
def test_running_loads_no_training(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, module], capture_output=True, text=True, check=True
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert not {name.partition(".")[0] for name in loaded} & NOT_NEEDED
    assert not [name for name in loaded if name.startswith("handlore.classifiers")]
