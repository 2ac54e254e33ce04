import io
import os
import tarfile
import zipfile

import pytest

from handlore.datasets import archives
from handlore.datasets.archives import _is_archive, unpacked
from handlore.landmarks.errors import HandloreError, InvalidDataError

FILES = {"train/fist/1.png": b"one", "train/palm/2.png": b"two", "__MACOSX/train/._1.png": b"x"}


def zipped(path, files, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def tarred(path, files):
    with tarfile.open(path, "w:gz" if path.suffix in (".gz", ".tgz") else "w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def content(root):
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.mark.parametrize("name", ["hands.zip", "hands.tar", "hands.tar.gz", "HANDS.TGZ"])
def test_an_archive_is_read_and_leaves_nothing(tmp_path, name):
    path = (zipped if name.endswith("zip") else tarred)(tmp_path / name, FILES)
    with unpacked(path, tmp_path / "out.npz") as root:
        assert root.name.lower() == "hands"
        assert content(root) == {"train/fist/1.png": b"one", "train/palm/2.png": b"two"}
        stamps = [p.stat().st_mtime_ns for p in sorted(root.rglob("*.png"))]
    assert [p.name for p in tmp_path.iterdir()] == [name]
    with unpacked(path) as root:
        assert [p.stat().st_mtime_ns for p in sorted(root.rglob("*.png"))] == stamps


def test_what_is_no_archive_is_used_as_it_is(tmp_path):
    with unpacked(tmp_path) as root:
        assert root == tmp_path
    assert not _is_archive(tmp_path)


@pytest.mark.parametrize("name", ["../x.png", "/etc/x.png", "C:\\x.png", "a\\..\\..\\x.png"])
@pytest.mark.parametrize("make", [zipped, tarred])
def test_names_that_point_out_of_it_are_refused(tmp_path, name, make):
    path = make(tmp_path / ("a.zip" if make is zipped else "a.tar"), {name: b"1"})
    with pytest.raises(InvalidDataError, match="points out"), unpacked(path, tmp_path / "o.npz"):
        pass
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_bomb_is_refused_before_it_grows(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "_ALLOWED", 1 << 20)
    path = zipped(tmp_path / "bomb.zip", {"a/1.png": bytes(40 << 20)})
    with pytest.raises(InvalidDataError, match="would become larger"), unpacked(path):
        pass
    path = tarred(tmp_path / "bomb.tar.gz", {"a/1.png": bytes(40 << 20)})
    with pytest.raises(InvalidDataError, match="would become larger"), unpacked(path):
        pass


def test_a_size_that_is_only_declared_is_refused(tmp_path):
    path = tmp_path / "huge.tar"
    info = tarfile.TarInfo("a/1.png")
    info.size = 10 << 30
    path.write_bytes(info.tobuf() + bytes(1024))
    with pytest.raises(HandloreError, match="would become larger"), unpacked(path):
        pass


def test_links_in_it_are_passed_over(tmp_path):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        link = tarfile.TarInfo("a/passwd.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with unpacked(path) as root:
        assert content(root) == {}


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
def test_a_damaged_archive_is_one_line(tmp_path, name):
    path = (zipped if name.endswith("zip") else tarred)(tmp_path / name, FILES)
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(InvalidDataError, match="is damaged"), unpacked(path, tmp_path / "o.npz"):
        pass
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_errors_name_the_archive(tmp_path):
    path = zipped(tmp_path / "a.zip", FILES)
    with pytest.raises(HandloreError, match=rf"{path} holds nothing"), unpacked(path) as root:
        raise HandloreError(f"{root} holds nothing")


def test_what_a_killed_process_left_is_removed_and_other_folders_are_not(tmp_path):
    path = zipped(tmp_path / "a.zip", FILES)
    left = tmp_path / ".o.npz.unpacked"
    left.mkdir()
    (left / archives._MARK).touch()
    with unpacked(path, tmp_path / "o.npz"):
        pass
    assert not left.exists()
    left.mkdir()
    (left / "mine").touch()
    with pytest.raises(OSError, match="exists"), unpacked(path, tmp_path / "o.npz"):
        pass
    assert os.listdir(left) == ["mine"]
