"""What is installed: the models that come with handlore and their licences are in the package."""

import subprocess
import sys
import tomllib
import zipfile
from fnmatch import fnmatch
from pathlib import Path

import pytest

from handlore.capture.actions.file import PRESETS
from handlore.models.ready import READY_MODELS

ROOT = Path(__file__).parents[1]
SETUP = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
READY = ROOT / "models" / "ready"


def shipped() -> list[str]:
    ends = ("onnx", "npz", "md")
    each = [f"{name}.{end}" for name in READY_MODELS for end in ends]
    return [*each, *(f"LICENSE-{name}" for name in READY_MODELS)]


def test_models_are_package_data() -> None:
    tools = SETUP["tool"]["setuptools"]
    assert "handlore.models.ready" in tools["packages"]
    patterns = tools["package-data"]["handlore.models.ready"]
    files = sorted(path.name for path in READY.iterdir() if path.suffix != ".py" and path.is_file())
    assert files == sorted(shipped())
    assert all(any(fnmatch(name, pattern) for pattern in patterns) for name in files)


def test_presets_are_package_data() -> None:
    patterns = SETUP["tool"]["setuptools"]["package-data"]["handlore.capture.actions"]
    files = sorted((ROOT / "capture" / "actions").glob("presets/*"))
    assert [path.stem for path in files] == sorted(PRESETS)
    names = [path.relative_to(ROOT / "capture" / "actions").as_posix() for path in files]
    assert all(any(fnmatch(name, pattern) for pattern in patterns) for name in names)


def test_models_are_not_ignored() -> None:
    """Other files of these kinds are: git would leave the models out of a clone."""
    names = [str(READY / name) for name in shipped()]
    done = subprocess.run(
        ["git", "check-ignore", "--no-index", *names],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 128:
        pytest.skip("not a clone")
    assert done.stdout == ""


def test_licences_are_named() -> None:
    notice = (ROOT / "NOTICE").read_text("utf-8")
    readme = (ROOT / "README.md").read_text("utf-8")
    for name in READY_MODELS:
        assert f"models/ready/LICENSE-{name}" in notice
    assert "HaGRID" in readme
    assert "CC-BY-4.0" in SETUP["project"]["license"]


@pytest.mark.slow
def test_wheel(tmp_path: Path) -> None:
    """Of a clone: what is only on this computer is not in it."""
    clone = ["git", "clone", "--quiet", str(ROOT), str(tmp_path / "clone")]
    if subprocess.run(clone, capture_output=True, check=False).returncode:
        pytest.skip("not a clone")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(tmp_path)]
    words = [*command, str(tmp_path / "clone")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if "No matching distribution" in done.stderr or "connection" in done.stderr.lower():
        pytest.skip("needs the network for setuptools")
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    assert {f"handlore/models/ready/{name}" for name in shipped()} <= inside
