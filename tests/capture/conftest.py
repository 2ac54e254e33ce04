import os
from pathlib import Path

import pytest
from capture_stubs import write_scene


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list]:
    """A video of a hand that swipes and waves, frames numbered in the picture, and its truth."""
    path = tmp_path_factory.mktemp("scene") / "scene.mp4"
    return path, write_scene(path)


@pytest.fixture
def artefacts(tmp_path: Path) -> Path:
    """Where pictures for people go: HANDLORE_ARTEFACTS, or the test's own folder."""
    folder = Path(os.environ.get("HANDLORE_ARTEFACTS", tmp_path / "artefacts"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
