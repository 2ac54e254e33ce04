"""Heavy packages are imported on use, and importing does nothing else."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

HEAVY = {
    "numpy",
    "sklearn",
    "pandas",
    "mediapipe",
    "matplotlib",
    "xgboost",
    "cv2",
    "onnxruntime",
    "torch",
}

RUN_COMMAND = """
import json, sys
from handlore.cli import main
sys.argv[0] = "handlore"
try:
    main()
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""

IMPORT_EVERYTHING = """
import json, os, pkgutil, importlib, sys
noted = []

def note(event, args):
    if event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
        noted.append(f"writes {args[0]}")
    elif event == "open" and isinstance(args[0], str) and args[0].startswith(os.getcwd()):
        noted.append(f"opens {args[0]}")
    elif event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.mkdir"):
        noted.append(f"{event} {args}")

# What other packages do when they are imported is theirs: import them before listening.
import numpy, cv2, sklearn, click, rich, onnx, matplotlib.font_manager
try:
    import torch
except ModuleNotFoundError:
    torch = None
before = dict(os.environ)
sys.dont_write_bytecode = True
sys.addaudithook(note)
import handlore
rooms = [importlib.import_module(f"handlore.{room}") for room in sys.argv[1:]]
names = [m.name for m in pkgutil.iter_modules(handlore.__path__, "handlore.")]
for room in rooms:
    names += [m.name for m in pkgutil.walk_packages(room.__path__, f"{room.__name__}.")]
for name in names:
    needs_torch = "._tcn_" in name and torch is None
    if not name.endswith("__main__") and not needs_torch:
        importlib.import_module(name)
environment = sorted(k for k in os.environ if os.environ[k] != before.get(k))
print(json.dumps({"names": names, "noted": noted, "environment": environment}))
"""


def python(code: str, *args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *args]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def modules_of(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The modules that a command had imported at its end."""
    return json.loads(done.stderr.splitlines()[-1])


def packages_of(done: subprocess.CompletedProcess[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules_of(done)}


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["convrt"]], ids=" ".join)
def test_root_help_imports_no_command(args: list[str], tmp_path: Path) -> None:
    loaded = modules_of(python(RUN_COMMAND, *args, cwd=tmp_path))
    assert not HEAVY & {name.partition(".")[0] for name in loaded}
    assert [name for name in loaded if name.startswith("handlore.cli.")] == []


def test_root_help_is_fast(tmp_path: Path) -> None:
    """At most 0.15 s on an idle computer; here compared with Python and click alone."""
    bare = [sys.executable, "-c", "import click, importlib.resources"]
    help_ = [sys.executable, "-m", "handlore", "--help"]
    seconds = {"bare": [], "help": []}
    for _ in range(5):
        for name, command in (("bare", bare), ("help", help_)):
            started = time.perf_counter()
            subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
            seconds[name].append(time.perf_counter() - started)
    assert min(seconds["help"]) < 2 * min(seconds["bare"]) + 0.05


HELP_OF_EACH = """
import json, sys
from click.testing import CliRunner
from handlore.cli import COMMANDS, main
loaded = {}
for name in COMMANDS:
    done = CliRunner().invoke(main, [name, "--help"])
    assert done.exit_code == 0, done.output
    loaded[name] = sorted({module.partition(".")[0] for module in sys.modules})
print(json.dumps(loaded))
"""


def test_help_of_a_command_imports_no_learning_and_no_detector(tmp_path: Path) -> None:
    done = python(HELP_OF_EACH, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    unwanted = {"sklearn", "xgboost", "mediapipe", "matplotlib", "pandas", "torch"}
    found = {name: unwanted & set(loaded) for name, loaded in json.loads(done.stdout).items()}
    assert not any(found.values()), found


def test_live_imports_no_training(tmp_path: Path) -> None:
    code = (
        "import handlore.cli.live, handlore.cli.replay, handlore.capture.live.run, sys, json;"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    loaded = modules_of(python(code, cwd=tmp_path))
    assert not {"sklearn", "pandas", "matplotlib", "xgboost", "onnx"} & set(loaded)
    assert "pygame" not in loaded, "only a window needs it"
    assert [name for name in loaded if name.startswith("handlore.classifiers")] == []


def test_live_draws_nothing_with_rich(tmp_path: Path) -> None:
    """It shows neither tables nor progress, and should start soon."""
    done = python(
        "import handlore.cli.live, sys, json; print(json.dumps(sorted(sys.modules)),"
        " file=sys.stderr)",
        cwd=tmp_path,
    )
    assert "rich" not in packages_of(done)


def test_predict_needs_no_learning_packages(onnx: Path, pictures: Path, tmp_path: Path) -> None:
    """A Raspberry Pi that only recognises does not load scikit-learn or pandas."""
    picture = pictures / "fist/fist_p01_1.png"
    done = python(RUN_COMMAND, "predict", str(onnx), str(picture), "--json", cwd=tmp_path)
    assert json.loads(done.stdout)[0]["label"] == "fist"
    loaded = packages_of(done)
    assert not {"sklearn", "xgboost", "pandas", "skl2onnx", "onnx"} & loaded


@pytest.mark.slow
def test_every_module_imports_without_side_effects(tmp_path: Path) -> None:
    (tmp_path / "handlore.toml").write_text("nobody should read this")
    rooms = ("landmarks", "datasets", "classifiers", "models", "capture", "cli", "report")
    done = python(IMPORT_EVERYTHING, *rooms, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    said = json.loads(done.stdout)
    assert {name.split(".")[1] for name in said["names"]} >= set(rooms)
    assert said["noted"] == []
    assert said["environment"] == []
    assert [path.name for path in tmp_path.iterdir()] == ["handlore.toml"]


def test_python_m_handlore_is_the_command(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "handlore", "--help"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "Usage: " in done.stdout
    assert done.stderr == ""
