"""What tests share: one detector for all, a few rendered hands, the command line."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from filelock import FileLock
from hypothesis import settings

from handlore.cli import main
from handlore.datasets.conversion.convert import convert
from handlore.datasets.dataset import FRAME_ARRAYS, LandmarkDataset
from handlore.datasets.rendered import write_pictures
from handlore.datasets.sources import make_source
from handlore.datasets.storage import load_dataset, save_dataset
from handlore.landmarks.detector import HandDetector
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.opening import open_detector
from handlore.landmarks.registry import Registry

POSES = ("fist", "open_palm", "point", "victory")
NAME_PATTERN = r"_(?P<group>p\d+)_\d+\.png$"

# Each run draws other examples; --hypothesis-profile=thorough draws more of them. No deadline: the
# first example of a test may import half a library, and how long that takes is no failure.
settings.register_profile("thorough", deadline=None)
settings.register_profile("fast", deadline=None, max_examples=30)
settings.load_profile("fast")

Run = Callable[..., Result]
MadeOnce = Callable[[str, Callable[[Path], object]], Path]


def pytest_configure(config: pytest.Config) -> None:
    """React to Ctrl-C, and give each of several processes that run tests one core."""
    # A script's ``make test &`` ignores Ctrl-C, and so would its children.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Threads of linear algebra that share cores with other processes mostly wait for each other:
    # training took three times as much processor time, and ten times as long.
    if getattr(config.option, "numprocesses", None):
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ.setdefault(name, "1")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Count what reads the real data sets among the slow tests."""
    for item in items:
        if "real_data" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def detector() -> Iterator[HandDetector]:
    """One real detector for the whole run; making one takes long."""
    with quiet_native_log(), open_detector() as opened:
        yield opened


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce:
    """Return a function that fills a folder once for all processes that run the tests.

    ``made_once(name, fill)`` calls ``fill(folder)`` in the first process and returns the folder;
    the others wait for it. Nobody may write to it later.
    """
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent

    def make(name: str, fill: Callable[[Path], object]) -> Path:
        folder, done = root / f"shared-{name}", root / f"shared-{name}.done"
        with FileLock(folder.with_suffix(".lock")):
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                fill(folder)
                done.touch()
        return folder

    return make


@pytest.fixture(scope="session")
def pictures(made_once: MadeOnce) -> Path:
    """A folder of rendered hands: 4 poses x 3 people x 2, with the person in the name."""
    return made_once(
        "pictures",
        lambda folder: write_pictures(folder, poses=POSES, n_people=3, per_pose=2),
    )


@pytest.fixture(scope="session")
def npz(pictures: Path, made_once: MadeOnce, request: pytest.FixtureRequest) -> Path:
    """The rendered hands as a dataset file, grouped by person."""

    def fill(folder: Path) -> None:
        source = make_source("images", {"name_pattern": NAME_PATTERN})
        detector = request.getfixturevalue("detector")
        save_dataset(convert(source, pictures, detector).dataset, folder / "poses.npz")

    return made_once("dataset", fill) / "poses.npz"


@pytest.fixture(scope="session")
def dataset(npz: Path) -> LandmarkDataset:
    """The rendered hands as landmarks; nobody may write to what all share."""
    made = load_dataset(npz)
    for name in FRAME_ARRAYS:
        getattr(made, name).flags.writeable = False
    return made


StubPackage = Callable[..., Path]


@pytest.fixture
def stub_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StubPackage]:
    """Return a function that installs a package of one module, for this test only.

    ``stub_package(registry, code)`` names the module in the registry's group of entry points and
    returns the folder it is in, which programs find by ``PYTHONPATH``.
    """
    home = tmp_path / "site-packages"
    home.mkdir()

    def install(registry: Registry[Any], code: str, value: str = "stub_module") -> Path:
        registry.load()
        monkeypatch.setattr(registry, "_entries", registry.entries())
        (home / "stub_module.py").write_text(code, "utf-8")
        info = home / "fake_hands-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fake-hands\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{registry.group}]\nmine = {value}\n")
        # Last: finders remember what a folder held when it was first on the path.
        monkeypatch.syspath_prepend(home)
        monkeypatch.setattr(registry, "_loaded", False)
        return home

    yield install
    sys.modules.pop("stub_module", None)


@pytest.fixture
def run() -> Run:
    """Run a command line, with stdout and stderr apart."""

    def invoke(*args: object) -> Result:
        return CliRunner().invoke(main, [str(arg) for arg in args])

    return invoke


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets; tests that need it are skipped where it is absent."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("HANDLORE_DATA", default))
    if not folder.is_dir():
        pytest.skip("needs the real data sets; name their folder in HANDLORE_DATA")
    return folder


@pytest.fixture(scope="session")
def xvfb() -> Iterator[str]:
    """Start an X server without a screen and return its display."""
    if shutil.which("Xvfb") is None:
        pytest.skip("needs Xvfb")
    reading, writing = os.pipe()
    words = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x1024x24"]
    # Without -noreset it starts anew whenever its last client leaves, and refuses whoever
    # connects at that moment: a program whose first process looks for a display, for example.
    words += ["-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(
        words, pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(writing)
    with os.fdopen(reading) as stream:
        number = stream.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait()
