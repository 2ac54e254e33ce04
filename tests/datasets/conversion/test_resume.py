import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import BrightDetector
from handlore_stubs import Brights, Deadly, Ready

from handlore.datasets.conversion import batches, resume, workers
from handlore.datasets.conversion.batches import ConvertOptions
from handlore.datasets.conversion.convert import RunOptions, convert, convert_to_file
from handlore.datasets.conversion.resume import ResumeFolder
from handlore.datasets.sources import make_source
from handlore.datasets.storage import load_dataset, save_dataset
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.stages import STAGES

N = 70
"""Pictures in the folder: four full batches and a short one."""


def picture(path, grey):
    path.parent.mkdir(parents=True, exist_ok=True)
    done, data = cv2.imencode(path.suffix, np.full((30, 40, 3), grey, np.uint8))
    assert done
    path.write_bytes(data.tobytes())


def pictures_in(folder):
    for k in range(N):
        picture(folder / ("fist" if k % 2 else "palm") / f"{k:03d}.png", 3 * k)
    (folder / "fist" / "bad.png").write_text("no picture")
    return folder


@pytest.fixture
def root(tmp_path):
    return pictures_in(tmp_path / "in")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out.npz"


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The bytes that an uninterrupted run in one process writes, of the same files elsewhere."""
    folder = tmp_path_factory.mktemp("expected")
    done = convert(Deadly(), pictures_in(folder / "in"), BrightDetector())
    save_dataset(done.dataset, folder / "expected.npz")
    return (folder / "expected.npz").read_bytes()


def go(root, out, *, jobs=1, restart=False, source=None, options=None, **more):
    said = []
    run = RunOptions(jobs, restart=restart)
    report = more.pop("report", said.append)
    factory = more.pop("factory", Brights())
    source = source or Deadly()
    done = convert_to_file(source, root, out, options, factory, run=run, report=report, **more)
    return done, said


class StoppedError(Exception):
    """What a test stops a conversion with."""


def stop_after(n):
    """Return a progress function that stops the conversion after some items."""

    def shown(done, total):
        if done >= n:
            raise StoppedError

    return shown


def stopped(root, out, n=40, **more):
    with pytest.raises(StoppedError):
        go(root, out, progress=stop_after(n), **more)
    return out.with_name(f"{out.name}.parts")


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_bytes_are_those_of_one_process_and_nothing_else_is_left(root, out, expected, jobs):
    done, said = go(root, out, jobs=jobs)
    assert out.read_bytes() == expected
    assert done.summary()["n_failed"] == 1
    assert sorted(path.name for path in out.parent.iterdir()) == ["in", out.name]
    assert said == []


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_where_the_items_are_cut_makes_no_difference(root, out, expected, size, monkeypatch):
    monkeypatch.setattr(resume, "_batch_size", lambda source, n: size)
    go(root, out)
    assert out.read_bytes() == expected


def test_batches_join_to_the_whole_whatever_their_sizes(root):
    source = make_source("images", {})
    items = source.scan(root).items
    options = ConvertOptions(max_hands=2)
    cuts = [items[:1], items[1:30], items[30:31], items[31:]]
    joined = batches.Batch.joined(
        [batches.convert_batch(source, cut, BrightDetector(), options) for cut in cuts]
    )
    whole = batches.convert_batch(source, items, BrightDetector(), options)
    assert joined.dataset.digest() == whole.dataset.digest()
    assert joined.failures == whole.failures


def test_the_same_command_goes_on_where_it_was(root, out, expected):
    stopped(root, out)
    assert not out.exists()
    shown = []
    _, said = go(root, out, progress=lambda *numbers: shown.append(numbers))
    assert said == ["continuing: 32 of 71 done"]
    assert shown[0] == (32, 71)
    assert shown[-1] == (71, 71)
    assert out.read_bytes() == expected


def test_it_goes_on_with_another_number_of_processes(root, out, expected):
    stopped(root, out)
    _, said = go(root, out, jobs=2)
    assert said == ["continuing: 32 of 71 done"]
    assert out.read_bytes() == expected


def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(root, out):
    said = []

    def ctrl_c(done, total):
        if done >= 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        go(root, out, progress=ctrl_c, report=said.append)
    assert said[-1].strip().startswith("32 of 71 are kept in ")
    assert "the same command continues" in said[-1]


def test_a_file_that_was_changed_since_is_noticed_and_read_again(root, out):
    stopped(root, out)
    picture(root / "fist" / "001.png", 222)
    _, said = go(root, out)
    assert said[0].startswith("fist/001.png changed since")
    assert said[1] == "continuing: 16 of 71 done"
    dataset = load_dataset(out)
    row = dataset.samples.source.tolist().index("fist/001.png")
    assert dataset.image[row, 0, 0, 0] == pytest.approx(222 / 255, abs=0.01)


def test_many_changed_files_are_said_in_one_line(root, out):
    stopped(root, out)
    for name in ("001", "003", "005"):
        picture(root / "fist" / f"{name}.png", 222)
    _, said = go(root, out)
    assert said[0].startswith("fist/001.png and 2 more files changed since")


@pytest.mark.parametrize("damage", ["cut", "empty", "flip", "text"])
def test_a_damaged_part_is_done_again(root, out, expected, damage):
    folder = stopped(root, out)
    part = folder / "0000001.npz"
    data = bytearray(part.read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 0xFF
    kept = {"cut": data[: len(data) // 2], "empty": b"", "flip": data, "text": b"text"}[damage]
    part.write_bytes(kept)
    _, said = go(root, out)
    assert said == ["continuing: 16 of 71 done"]
    assert out.read_bytes() == expected


def test_other_options_are_refused_until_restart_is_given(root, out, expected):
    folder = stopped(root, out, options=ConvertOptions(stages=STAGES[:1]))
    with pytest.raises(HandloreError, match=r"unfinished .* options stages .*--restart"):
        go(root, out)
    assert any(folder.glob("0*.npz")), "what is there is kept"
    _, said = go(root, out, restart=True)
    assert said == []
    assert out.read_bytes() == expected


def test_other_files_are_another_conversion(root, out):
    stopped(root, out)
    picture(root / "fist" / "new.png", 99)
    with pytest.raises(HandloreError, match=r"added, .* since \(there were 71, now 72\); put"):
        go(root, out)


def test_a_file_that_went_since_is_reported_as_such(root, out):
    stopped(root, out)
    (root / "fist" / "001.png").rename(root / "fist" / "other.png")
    with pytest.raises(HandloreError, match=r"removed or renamed since; put them back .*--restart"):
        go(root, out)
    (root / "fist" / "other.png").unlink()
    with pytest.raises(HandloreError) as refused:
        go(root, out)
    assert "(there were 71, now 70); put them back" in str(refused.value)
    assert "same command" not in str(refused.value), "it was the same command"


def test_another_folder_is_another_conversion(root, out, tmp_path):
    stopped(root, out)
    shutil.copytree(root, tmp_path / "copy")
    with pytest.raises(HandloreError, match=r"with folder .*--restart"):
        go(tmp_path / "copy", out)


def test_what_is_dropped_in_the_end_may_be_decided_later(root, out):
    shutil.copy(root / "fist" / "001.png", root / "palm" / "copy.png")
    stopped(root, out)
    done, said = go(root, out, options=ConvertOptions(drop_conflicts=True))
    assert said == ["continuing: 32 of 72 done"]
    assert done.n_dropped == 2
    assert done.dataset.n_samples == N - 1


def test_where_nothing_is_done_yet_any_command_may_begin(root, out, expected):
    with pytest.raises(StoppedError):
        go(root, out, progress=stop_after(1), options=ConvertOptions(stages=STAGES[:1]))
    assert not out.with_name(f"{out.name}.parts").exists()
    go(root, out)
    assert out.read_bytes() == expected


def test_what_a_power_cut_leaves_of_a_write_is_removed(root, out, expected):
    folder = stopped(root, out)
    (folder / ".0000003.npz.x1y2.tmp").write_bytes(b"half")
    (folder / "result.npz").write_bytes(b"half")
    go(root, out)
    assert out.read_bytes() == expected
    assert not folder.exists()


def test_a_folder_with_other_files_is_refused_and_kept(root, out):
    folder = out.with_name(f"{out.name}.parts")
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    with pytest.raises(HandloreError, match=r"holds other files, such as thesis\.txt; move it"):
        go(root, out, restart=True)
    assert (folder / "thesis.txt").exists()


def test_two_conversions_into_one_file_are_not_possible(root, out):
    with (
        ResumeFolder.of(out).held(print),
        pytest.raises(
            HandloreError,
            match=rf"another process \(number {os.getpid()}\) is converting into",
        ),
    ):
        go(root, out)
    go(root, out)


def test_a_lock_that_was_left_does_not_block(root, out, expected):
    folder = out.with_name(f"{out.name}.parts")
    folder.mkdir()
    (folder / "lock").write_text("1\n")
    go(root, out)
    assert out.read_bytes() == expected


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_full_disk_is_one_line_and_keeps_the_parts(root, out, expected, jobs, monkeypatch):
    real, room = resume.save_dataset, [3]

    def save(dataset, path):
        if not room[0]:
            cause = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            raise HandloreError(f"cannot write {path}: {cause.strerror}") from cause
        room[0] -= 1
        real(dataset, path)

    monkeypatch.setattr(resume, "save_dataset", save)
    with pytest.raises(HandloreError, match=r"No space left .* kept in .* same command"):
        go(root, out, jobs=jobs)
    room[0] = 99
    _, said = go(root, out, jobs=jobs)
    assert "continuing" in said[0]
    assert out.read_bytes() == expected


@pytest.mark.slow
def test_a_file_that_kills_its_process_costs_itself_only_and_is_named(root, out):
    picture(root / "fist" / "020 exit.png", 60)
    picture(root / "palm" / "061 segfault.png", 60)
    done, _ = go(root, out, jobs=2)
    reasons = dict(done.failures)
    assert reasons.pop("fist/bad.png")
    assert reasons == {
        "fist/020 exit.png": "the process died while reading it",
        "palm/061 segfault.png": "the process died while reading it",
    }
    assert done.dataset.n_samples == N
    assert "failed: fist/020" in "\n".join(load_dataset(out).header.log)


def test_a_deadly_file_is_not_met_again_by_the_next_run(root, out):
    picture(root / "fist" / "000 exit.png", 60)
    run = RunOptions(2)
    shown = []

    def stop(done, total):
        shown.append(done)
        if Path(f"{out}.parts/0000000.npz").exists():
            raise StoppedError

    with pytest.raises(StoppedError):
        convert_to_file(Deadly(), root, out, None, Brights(), run=run, progress=stop)
    done, _ = go(root, out, jobs=1)  # in this process, which would die
    assert "fist/000 exit.png" in dict(done.failures)


@pytest.mark.slow
def test_where_everything_dies_it_is_not_the_files(tmp_path, out):
    for k in range(40):
        picture(tmp_path / "in" / "fist" / f"{k} exit.png", 60)
    with pytest.raises(HandloreError, match=r"worker processes die with every file .*--jobs 1"):
        go(tmp_path / "in", out, jobs=2, source=Deadly(label="fist"))


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_problem_in_a_worker_is_the_same_line_as_without_one(root, out, jobs):
    picture(root / "fist" / "020 missing.png", 60)
    with pytest.raises(HandloreError, match=r"^the bundle is missing; fetch it$"):
        go(root, out, jobs=jobs)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_bug_in_a_worker_is_not_hidden(root, out, jobs):
    picture(root / "fist" / "020 bug.png", 60)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        go(root, out, jobs=jobs)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_worker_with_other_networks_is_refused(root, out, jobs):
    with pytest.raises(HandloreError, match=r"bundle 111111111111, but .*000000000000"):
        go(root, out, jobs=jobs, factory=Brights(wrong=True))


@pytest.mark.parametrize("jobs", [1, 2])
def test_landmarks_that_a_source_brings_need_no_detector(out, tmp_path, jobs):
    done, _ = go(tmp_path, out, jobs=jobs, source=Ready(600), factory=None)
    assert done.n_converted == 600
    assert done.notes == ("numbers are used as landmarks",)
    assert load_dataset(out).image[599, 0, 0, 0] == 599


def test_nothing_that_can_be_read_is_one_line_and_leaves_nothing(tmp_path, out):
    (tmp_path / "in" / "a").mkdir(parents=True)
    (tmp_path / "in" / "a" / "1.png").write_text("text")
    with pytest.raises(HandloreError, match=r"none of 1 file .*a/1\.png: it is a text"):
        go(tmp_path / "in", out, source=Deadly(label="a"))
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_memory_limits_how_many_processes_there_are(monkeypatch):
    monkeypatch.setattr(workers, "_free_mb", lambda: 900.0)
    assert workers.usable_jobs(per_worker_mb=901) == 1
    monkeypatch.setattr(workers, "_free_mb", lambda: 0.0)
    assert workers.usable_jobs() >= 1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_the_workers_of_a_killed_command_end_too(root, tmp_path):
    import signal
    import time

    code = (
        "import handlore_stubs as s, sys, pathlib\n"
        "from handlore.datasets.conversion.convert import convert_to_file, RunOptions\n"
        "convert_to_file(s.Deadly(slow=0.05), pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]),"
        " None, s.Brights(), run=RunOptions(2))"
    )
    stubs = Path(__file__).parents[2] / "stubs"
    command = [sys.executable, "-c", code, root, tmp_path / "out.npz"]
    process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(stubs)})
    folder, deadline = tmp_path / "out.npz.parts", time.monotonic() + 300
    while not any(folder.glob("0*.npz")) and time.monotonic() < deadline:
        time.sleep(0.02)
    workers = children(process.pid)
    assert len(workers) >= 2
    process.send_signal(signal.SIGKILL)
    process.wait()
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(alive, workers))


def children(pid):
    command = ["ps", "-o", "pid=", "--ppid", str(pid)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return [int(word) for word in found.stdout.split()]


def alive(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps no parents")
def test_a_worker_whose_master_was_killed_while_it_started_ends():
    home = "handlore.datasets.conversion.workers"
    code = f"from {home} import _set_up_worker; _set_up_worker(1 << 30); print('goes on')"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
