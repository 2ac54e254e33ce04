"""The real command, killed at random moments and started again; and on a Dask cluster."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from handlore_stubs import Deadly

from handlore.datasets.conversion.convert import convert
from handlore.datasets.rendered import write_pictures
from handlore.datasets.storage import load_dataset, save_dataset

STUBS = Path(__file__).parents[2] / "stubs"
PROGRAM = STUBS / "handlore_stubs.py"
ENVIRONMENT = os.environ | {"PYTHONPATH": str(STUBS)}
PATIENCE = 400
"""Seconds; a busy machine takes minutes to start the eight processes that a cluster loses."""

unix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs the signals of Unix")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rendered")
    write_pictures(folder, poses=("fist", "open_palm", "point", "victory"), n_people=10, per_pose=4)
    return folder


@pytest.fixture(scope="module")
def expected(root, detector, tmp_path_factory):
    """The bytes of an uninterrupted conversion in one process, with the real detector."""
    path = tmp_path_factory.mktemp("expected") / "out.npz"
    save_dataset(convert(Deadly(slow=0.001), root, detector).dataset, path)
    return path.read_bytes()


def started(root, out, *more):
    command = [sys.executable, PROGRAM, "convert", root, out, "--source", "deadly"]
    return subprocess.Popen(
        [*map(str, command), *map(str, more), "--slow", "0.001"],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(root, out, *more):
    process = started(root, out, *more)
    stdout, stderr = process.communicate(timeout=PATIENCE)
    return process.returncode, stdout, stderr


def parts(out):
    return len(list(Path(f"{out}.parts").glob("0*.npz")))


def wait_for_parts(out, n, process):
    deadline = time.monotonic() + PATIENCE
    while parts(out) < n and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)


@unix_only
@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_killed_at_random_moments_it_ends_with_the_same_bytes(root, expected, tmp_path, jobs):
    out, rng = tmp_path / "out.npz", random.Random(jobs)
    kills = 0
    for _ in range(5):
        process = started(root, out, "--jobs", jobs)
        wait_for_parts(out, min(parts(out) + 1, 9), process)
        time.sleep(rng.uniform(0, 0.3))
        process.kill()
        process.communicate()
        kills += process.returncode == -signal.SIGKILL
    code, _, stderr = finish(root, out, "--jobs", jobs)
    assert code == 0, stderr
    assert kills >= 3
    assert out.read_bytes() == expected
    assert [path.name for path in tmp_path.iterdir()] == ["out.npz"]


@unix_only
@pytest.mark.slow
def test_a_second_run_into_the_same_file_stops_and_the_first_goes_on(root, expected, tmp_path):
    out = tmp_path / "out.npz"
    first = started(root, out, "--jobs", 2)
    wait_for_parts(out, 1, first)
    code, stdout, stderr = finish(root, out, "--jobs", 1)
    assert (code, stdout) == (1, "")
    assert f"another process (number {first.pid}) is converting into" in stderr
    assert len(stderr.splitlines()) == 1
    first.communicate(timeout=PATIENCE)
    assert first.returncode == 0
    assert out.read_bytes() == expected


@unix_only
@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_stops_at_once_and_says_how_to_go_on(root, expected, tmp_path, jobs):
    out = tmp_path / "out.npz"
    process = started(root, out, "--jobs", jobs)
    wait_for_parts(out, 2, process)
    before = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert time.monotonic() - before < 10
    assert "of 160 are kept in" in stderr
    assert "Traceback" not in stderr
    code, _, stderr = finish(root, out, "--jobs", jobs)
    assert code == 0
    assert "continuing:" in stderr
    assert out.read_bytes() == expected


@unix_only
@pytest.mark.slow
def test_a_deadly_file_is_named_by_the_command(root, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for label in ("fist", "point"):
        (folder / label).symlink_to(root / label)
    (folder / "bad").mkdir()
    (folder / "bad" / "segfault.png").write_bytes(b"")
    code, stdout, stderr = finish(folder, tmp_path / "out.npz", "--jobs", 2)
    assert code == 3, stderr
    assert "failed: bad/segfault.png: the process died while reading it" in stderr
    assert "80 of 81 pictures show a hand" in stdout


@pytest.fixture
def cluster():
    """A scheduler and two workers on loopback, as docs/how-to/large-data.md starts them."""
    pytest.importorskip("distributed", reason="needs the extra dask")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    dask = [sys.executable, "-m", "dask"]
    worker = [*dask, "worker", address, "--host", "127.0.0.1", "--nthreads", "1", "--no-dashboard"]
    commands = [
        [*dask, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"],
        *[[*worker, "--no-nanny"]] * 2,
    ]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    processes = [subprocess.Popen(command, env=ENVIRONMENT, **quiet) for command in commands]
    yield address, processes
    for process in reversed(processes):
        process.kill()
        process.wait()


@unix_only
@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_half_way_writes_the_same_bytes(
    root, expected, tmp_path, cluster
):
    address, (_, *workers) = cluster
    out = tmp_path / "out.npz"
    process = started(root, out, "--dask", address)
    wait_for_parts(out, 4, process)
    workers[0].kill()
    assert parts(out) < 9, "the worker was killed too late"
    stdout, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, stderr
    assert "160 of 160 pictures" in stdout
    assert out.read_bytes() == expected


@unix_only
@pytest.mark.slow
def test_a_file_that_kills_the_workers_of_a_cluster_is_named(root, tmp_path, monkeypatch):
    """Each worker has a nanny here, which starts another one: Dask gives up when four are lost.

    A nanny does not notice a worker that dies while it starts, so the workers live for a second; a
    LocalCluster closes the nanny of a worker that is away 15 s after any death.
    """
    distributed = pytest.importorskip("distributed", reason="needs the extra dask")
    dask = pytest.importorskip("dask")
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "fist").symlink_to(root / "fist")
    (folder / "bad").mkdir()
    (folder / "bad" / "exit.png").write_bytes(b"")
    monkeypatch.setenv("PYTHONPATH", str(STUBS))
    patient = dask.config.set({"distributed.deploy.lost-worker-timeout": "1 hour"})
    with (
        patient,
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
        ) as local,
    ):
        code, _, stderr = finish(
            folder, tmp_path / "o.npz", "--dask", local.scheduler_address, "--wait", 1
        )
    assert code == 3, stderr
    assert "failed: bad/exit.png: the process died while reading it" in stderr
    assert load_dataset(tmp_path / "o.npz").n_samples == 40


@unix_only
@pytest.mark.slow
def test_a_cluster_without_any_worker_left_is_not_waited_for(run, tmp_path, cluster, monkeypatch):
    """These workers have no nannies: the file ends both of them."""
    monkeypatch.setattr("handlore.datasets.conversion.workers._WORKER_TIMEOUT", 20)
    (tmp_path / "in" / "bad").mkdir(parents=True)
    (tmp_path / "in" / "bad" / "exit.png").write_bytes(b"")
    arguments = ["convert", tmp_path / "in", tmp_path / "o.npz", "--source", "deadly"]
    arguments += ["--label", "any"]
    assert "has no workers" in refused_line(run(*arguments, "--dask", cluster[0]))


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://x"])
def test_no_scheduler_is_one_line(run, pictures, tmp_path, address, monkeypatch):
    pytest.importorskip("distributed", reason="needs the extra dask")
    monkeypatch.setattr("handlore.datasets.conversion.workers._SCHEDULER_TIMEOUT", 0.2)
    line = refused_line(run("convert", pictures, tmp_path / "o.npz", "--dask", address))
    assert "no Dask scheduler answers at" in line


def test_something_else_that_listens_is_one_line(run, pictures, tmp_path, monkeypatch):
    """It never answers, and Dask would wait for it for ever."""
    pytest.importorskip("distributed", reason="needs the extra dask")
    monkeypatch.setattr("handlore.datasets.conversion.workers._SCHEDULER_TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        line = refused_line(run("convert", pictures, tmp_path / "o.npz", "--dask", address))
    assert "no Dask scheduler answers at" in line


def test_without_the_extra_one_line_says_what_to_install(run, pictures, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    line = refused_line(run("convert", pictures, tmp_path / "o.npz", "--dask", "tcp://a:1"))
    assert "pip install 'handlore[dask]'" in line


def refused_line(result):
    assert result.exit_code == 1, result.output
    (line,) = (x for x in result.stderr.splitlines() if not x.startswith("note: "))
    return line
