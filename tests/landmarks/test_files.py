import errno
import os
import stat
import sys
from pathlib import Path

import pytest

from handlore.landmarks.errors import HandloreError
from handlore.landmarks.files import atomic_write, no_file, require_writable, write_together


@pytest.fixture
def out(tmp_path):
    """A file that is there already, alone in its folder."""
    path = tmp_path / "out.bin"
    path.write_bytes(b"old")
    return path


def files_beside(path):
    return {file.name for file in path.parent.iterdir()}


def test_a_file_is_replaced_when_the_block_ends(out):
    with atomic_write(out) as stream:
        stream.write(b"new")
        assert out.read_bytes() == b"old", "nobody sees a half-written file"
    assert out.read_bytes() == b"new"
    assert files_beside(out) == {out.name}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_exception_leaves_the_old_file_and_nothing_else(out, error):
    with pytest.raises(error), atomic_write(out) as stream:  # noqa: PT012 - half-way on purpose
        stream.write(b"half of the n")
        raise error
    assert out.read_bytes() == b"old"
    assert files_beside(out) == {out.name}


def test_an_exception_leaves_no_new_file(tmp_path):
    with pytest.raises(ValueError, match="stop"), atomic_write(tmp_path / "a.bin"):
        raise ValueError("stop")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_full_disk_is_one_line_and_leaves_the_old_file(out, monkeypatch, failing):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, failing, full)
    message = r"cannot write .*out\.bin: No space left on device"
    with pytest.raises(HandloreError, match=message), atomic_write(out) as stream:
        stream.write(b"new")
    assert out.read_bytes() == b"old"
    assert files_beside(out) == {out.name}


@pytest.mark.skipif(sys.platform == "win32", reason="needs resource limits")
def test_a_disk_that_fills_up_while_writing_is_one_line(out):
    import resource
    import signal

    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, hard))
    try:
        with pytest.raises(HandloreError, match="cannot write"), atomic_write(out) as stream:
            stream.write(bytes(1 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert out.read_bytes() == b"old"
    assert files_beside(out) == {out.name}


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_a_file_has_the_permissions_of_any_new_file(tmp_path, mask):
    before = os.umask(mask)
    try:
        with atomic_write(tmp_path / "a.bin") as stream:
            stream.write(b"x")
        assert os.umask(mask) == mask, "the umask itself is unchanged"
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.bin").stat().st_mode) == 0o666 & ~mask


def test_a_missing_folder_is_named(tmp_path):
    path = tmp_path / "nowhere" / "a.bin"
    with pytest.raises(HandloreError, match="nowhere does not exist"), atomic_write(path):
        pytest.fail("the block must not run")
    assert not list(tmp_path.iterdir())


def test_a_folder_cannot_be_written_as_a_file(tmp_path):
    with pytest.raises(HandloreError, match="it is a folder; give a file name"):
        require_writable(tmp_path)


def test_a_file_cannot_serve_as_the_folder(out):
    with pytest.raises(HandloreError, match=r"out\.bin does not exist"):
        require_writable(out / "a.bin")


def test_an_unwritable_folder_is_refused_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)  # tests may run as root, who may all
    with pytest.raises(HandloreError, match="is not writable"):
        require_writable(tmp_path / "a.bin")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_is_no_file_is_not_replaced_by_one(tmp_path):
    """As root, `--out /dev/null` must not put a file in the place of the device."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(HandloreError, match="cannot write"), atomic_write(pipe) as stream:
        stream.write(b"x")
    assert pipe.is_fifo()


@pytest.mark.parametrize("name", ["Grüße aus Köln.bin", "a" * 250 + ".bin"])
def test_any_name_that_the_disk_takes_will_do(tmp_path, name):
    with atomic_write(tmp_path / name) as stream:
        stream.write(b"x")
    assert files_beside(tmp_path / name) == {name}


def test_a_link_stays_a_link_and_what_it_leads_to_is_written(tmp_path):
    target, link = tmp_path / "far" / "x.npz", tmp_path / "x.npz"
    target.parent.mkdir()
    link.symlink_to(target)
    with atomic_write(link) as stream:
        stream.write(b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize(
    ("given", "ending", "near"),
    [
        ("pose.npz", "", "poses.npz"),
        ("pose.jpg", "", "poses.npz"),  # of another ending, as none of its own is like it
        ("poses.onx", ".onnx", "poses.onnx"),
        ("poes", ".onnx", "poses.onnx"),
        ("Recordngs", "", "recordings"),
        ("recordngs", ".onnx", ""),
        ("reordinary.npz", "", ""),
        ("sign.npz", "", ""),  # the ending makes no names alike
        ("hiden.npz", "", ""),
        ("no/poses.npz", "", ""),
        ("no\0/poses.npz", "", ""),
    ],
)
def test_what_a_misspelt_file_may_mean(tmp_path, given, ending, near):
    for name in ("poses.npz", "poses.onnx", ".hidden.npz"):
        (tmp_path / name).touch()
    (tmp_path / "recordings").mkdir()
    path = Path(f"{tmp_path}/{given}")
    meant = f"; did you mean {tmp_path / near}?" if near else ""
    assert no_file(path, ending) == f"there is no file {path}{meant}"


def test_a_suggestion_moves_no_cursor(tmp_path):
    (tmp_path / "pose\x1b[2J.npz").touch()
    assert r"pose\x1b[2J.npz" in no_file(tmp_path / "pose\x1b[2K.npz").partition(";")[2]


def test_files_together_are_all_there_or_none(tmp_path):
    """A report of which a part cannot be written leaves the one before as it was."""
    write_together(tmp_path, {"a.png": b"old", "b.html": b"old"})
    (tmp_path / "c.json").mkdir()
    with pytest.raises(HandloreError, match="it is a folder"):
        write_together(tmp_path, {"a.png": b"new", "b.html": b"new", "c.json": b"new"})
    assert [(tmp_path / name).read_bytes() for name in ("a.png", "b.html")] == [b"old"] * 2
    assert files_beside(tmp_path / "a.png") == {"a.png", "b.html", "c.json"}
    write_together(tmp_path, {"a.png": b"new", "b.html": b"new"})
    assert [(tmp_path / name).read_bytes() for name in ("a.png", "b.html")] == [b"new"] * 2
