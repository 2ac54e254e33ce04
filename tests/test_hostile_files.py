"""Files that once did harm: one line each, in little memory and time."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

OLDER = Path(__file__).parent / "older_files"
POSES, MOVES = OLDER / "poses-linear.onnx", OLDER / "movements.onnx"
PEAK = """
import os, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], timeout=60)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
sys.stderr.write(f"\\npeak {peak}")
sys.exit(done.returncode if done.returncode >= 0 else 128 - done.returncode)
"""

COMMANDS: Sequence[tuple[str, int]] = (
    ("predict {poses} {hostile}/bomb_32000.png", 1),
    ("predict {poses} {hostile}/b6000.png", 0),
    ("predict {poses} {hostile}/damaged.avif", 1),
    *(
        (f"info {{hostile}}/d_{name}.npz", 1)
        for name in ("typeerror", "indexerror", "tokenerror", "indent", "lzma", "surrogate")
    ),
    ("replay {poses} {hostile}/d_views.npz", 1),
    ("crossval {hostile}/d_crossval_inf.npz --model linear --folds 3", 1),
    *(
        (f"info {{hostile}}/m_{name}.onnx", 1)
        for name in ("loop", "sleeper", "mem6gb", "gather", "onerow")
    ),
    ("evaluate {hostile}/m_nan.onnx {older}/poses.npz", 1),
    ("info {hostile}/r_json_nest", 1),
    ("info {hostile}/r_time1e10", 3),
    ("live {poses} --camera {frames} --headless --actions {hostile}/a_deep.toml", 1),
    ("live {poses} --camera {frames} --headless --actions {hostile}/a_shc.toml", 1),
    ("weights fetch --from {hostile}/w_lzma.task", 1),
)


@pytest.fixture(scope="session")
def hostile(real_data: Path) -> Path:
    folder = real_data / "hostile"
    if not folder.is_dir():
        pytest.skip("needs the folder of hostile files")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "code"), COMMANDS, ids=[line.split("/")[-1] for line, _ in COMMANDS]
)
def test_each_is_one_line(line: str, code: int, hostile: Path, pictures: Path) -> None:
    places = {"hostile": hostile, "poses": POSES, "moves": MOVES, "older": OLDER}
    words = line.format_map(places | {"frames": pictures / "fist"}).split()
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", PEAK, sys.executable, "-m", "handlore", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert time.monotonic() - started < 20
    assert int(done.stderr.rpartition("peak ")[2]) < 1024


@pytest.mark.slow
def test_a_bad_picture_among_good_ones(hostile: Path, pictures: Path, tmp_path: Path) -> None:
    for label in ("fist", "point"):
        shutil.copytree(pictures / label, tmp_path / "p" / label)
    for name in ("damaged.avif", "bomb_32000.png"):
        os.symlink(hostile / name, tmp_path / "p" / "fist" / name)
    done = subprocess.run(
        [sys.executable, "-m", "handlore", "convert", tmp_path / "p", tmp_path / "x.npz"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert done.stderr.count("failed: ") == 2
    assert (tmp_path / "x.npz").is_file()
