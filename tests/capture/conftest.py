import os
import shutil
import subprocess
from collections.abc import Iterator
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


@pytest.fixture(scope="session")
def xvfb() -> Iterator[str]:
    """Start an X server without a screen and return its display."""
    if shutil.which("Xvfb") is None:
        pytest.skip("needs Xvfb")
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"],
        pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(writing)
    with os.fdopen(reading) as stream:
        number = stream.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait()
