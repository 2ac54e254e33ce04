"""A folder of recordings: nothing kept is lost, nothing half-written is seen."""

import errno
import json
import os
import shutil
import subprocess
import sys
import time
import tracemalloc
from collections import Counter
from pathlib import Path

import keep_recordings
import numpy as np
import pytest
from recording_stubs import filled, held, movement

from handlore.datasets import recording_files
from handlore.datasets import recordings as room
from handlore.datasets.dataset import LandmarkDataset, concatenate
from handlore.datasets.recording_files import folder_of, is_recordings
from handlore.datasets.recordings import RecordingFolder
from handlore.datasets.storage import load_dataset, save_dataset
from handlore.landmarks.errors import HandloreError, InvalidDataError, NewerFormatError


@pytest.fixture
def folder(tmp_path: Path) -> RecordingFolder:
    return RecordingFolder.open(tmp_path / "gestures")


def files(folder: RecordingFolder) -> list[str]:
    """Everything in the folder but its marker."""
    found = (path for path in folder.root.rglob("*") if path.is_file())
    return sorted(folder.name_of(path) for path in found if path.name != "recordings.json")


# Opening


def test_a_new_folder_is_marked_and_opened_again(tmp_path: Path) -> None:
    RecordingFolder.open(tmp_path / "a" / "gestures")
    assert is_recordings(tmp_path / "a" / "gestures")
    assert json.loads((tmp_path / "a/gestures/recordings.json").read_text())["format"] == 1
    assert RecordingFolder.open(tmp_path / "a" / "gestures", create=False).counts() == {}


def test_an_empty_folder_is_taken_and_litter_of_the_system_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / ".DS_Store").touch()
    RecordingFolder.open(tmp_path)
    assert is_recordings(tmp_path)


def test_a_folder_of_another_kind_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(HandloreError, match=r"holds other files, such as photo.jpg"):
        RecordingFolder.open(tmp_path)
    assert os.listdir(tmp_path) == ["photo.jpg"]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.mkdir(), "makes it a folder of recordings"),
        (lambda path: path.touch(), "is no folder of recordings"),
    ],
)
def test_nothing_is_made_where_something_should_be_read(tmp_path: Path, make, said) -> None:
    make(tmp_path / "x")
    with pytest.raises(HandloreError, match=said):
        RecordingFolder.open(tmp_path / "x", create=False)
    assert not is_recordings(tmp_path / "x")


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("mine")
    with pytest.raises(HandloreError, match="is a file"):
        RecordingFolder.open(tmp_path / "x")
    assert (tmp_path / "x").read_text() == "mine"


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"{}", b'{"format": "x"}', b"\xff\xfe"])
def test_a_damaged_marker_is_one_line_that_says_how_to_mend_it(tmp_path: Path, text) -> None:
    (tmp_path / "recordings.json").write_bytes(text)
    with pytest.raises(InvalidDataError, match=r"is damaged; .* write \{\"format\": 1\} into it"):
        RecordingFolder.open(tmp_path)


def test_a_newer_folder_is_refused(tmp_path: Path) -> None:
    marker = {"format": 2, "writer": "handlore 99"}
    (tmp_path / "recordings.json").write_text(json.dumps(marker))
    with pytest.raises(NewerFormatError, match="format 2, written by handlore 99"):
        RecordingFolder.open(tmp_path)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(HandloreError, match="Permission denied"):
        RecordingFolder.open(tmp_path / "x")


# Keeping


def test_numbers_go_on_and_are_never_given_twice(folder: RecordingFolder) -> None:
    for label in ("left", "right", "left"):
        last = folder.keep(movement(label))
    folder.discard(last)
    again = RecordingFolder.open(folder.root)
    again.keep(movement("right"))
    assert files(folder) == [
        "discarded/left/0003.npz", "left/0001.npz", "right/0002.npz", "right/0004.npz",
    ]  # fmt: skip


def test_more_than_9999_recordings_go_on_counting(folder: RecordingFolder) -> None:
    (folder.root / "left").mkdir()
    (folder.root / "left" / "9999.npz").touch()
    assert folder.name_of(folder.keep(movement("left"))) == "left/10000.npz"


def test_counts_and_entries(folder: RecordingFolder) -> None:
    folder.keep(movement("right", seed=1))
    folder.keep(movement("left", lost=4))
    folder.keep(held("fist", n=5))
    assert folder.counts() == {"fist": 1, "left": 1, "right": 1}
    first, second, third = folder.entries()
    assert [e.number for e in (first, second, third)] == [1, 2, 3]
    assert (first.label, first.kind, first.subject, first.camera) == (
        "right", "sequence", "anna", "camera 0",
    )  # fmt: skip
    assert second.share_with_hand == pytest.approx(1 - 4 / second.n_frames)
    assert second.seconds == pytest.approx((second.n_frames - 1) / 15)
    assert (third.kind, third.n_frames) == ("pose", 5)


def test_what_another_process_keeps_is_seen(folder: RecordingFolder) -> None:
    folder.keep(movement("left"))
    assert folder.counts() == {"left": 1}
    RecordingFolder.open(folder.root).keep(movement("left"))
    assert folder.counts() == {"left": 2}


@pytest.mark.parametrize(
    "label",
    ["a/b", "..", ".", "CON", "discarded", "recordings.json", "näh 手", "x" * 300, "~", " "],
)
def test_any_label_has_a_folder_and_is_read_back_whole(folder: RecordingFolder, label: str) -> None:
    path = folder.keep(movement(label, like="left"))
    assert path.parent.parent == folder.root
    assert path.parent.name.lower() not in ("discarded", "con")
    assert folder.counts() == {label: 1}
    assert folder.entries()[0].label == label


def test_labels_that_share_a_folder_do_not_meet(folder: RecordingFolder) -> None:
    assert folder_of("a/b") == folder_of("a:b")
    folder.keep(movement("a/b", like="left"))
    folder.keep(movement("a:b", like="right"))
    assert folder.counts() == {"a/b": 1, "a:b": 1}


def test_what_is_not_one_recording_is_refused(folder: RecordingFolder) -> None:
    two = concatenate([movement("left"), movement("left")])
    with pytest.raises(InvalidDataError, match="holds 2 clips"):
        folder.keep(two)
    mixed = concatenate([held("fist"), held("palm")])
    with pytest.raises(InvalidDataError, match="labels fist, palm"):
        folder.keep(mixed)
    with pytest.raises(InvalidDataError, match="no samples"):
        folder.keep(held("fist").select(np.zeros(5, bool)))
    assert files(folder) == []


# Videos


def test_a_video_goes_with_its_recording_everywhere(
    folder: RecordingFolder, tmp_path: Path
) -> None:
    video = tmp_path / "frames.AVI"
    video.write_bytes(b"pictures")
    path = folder.keep(movement("left"), video)
    assert not video.exists()
    assert files(folder) == ["left/0001.avi", "left/0001.npz"]
    assert folder.entries()[0].video == path.with_suffix(".avi")
    path = folder.relabel(path, "right")
    assert files(folder) == ["right/0001.avi", "right/0001.npz"]
    gone = folder.discard(path)
    assert files(folder) == ["discarded/right/0001.avi", "discarded/right/0001.npz"]
    folder.restore(gone)
    assert files(folder) == ["right/0001.avi", "right/0001.npz"]


def test_a_full_disk_leaves_nothing_half_written(
    folder: RecordingFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = folder.keep(movement("left"))
    before = kept.read_bytes()
    video = tmp_path / "frames.avi"
    video.write_bytes(b"pictures")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(HandloreError, match="No space left on device"):
            folder.keep(movement("left"), video)
    assert files(folder) == ["left/0001.npz"]
    assert video.read_bytes() == b"pictures"
    assert kept.read_bytes() == before
    assert folder.name_of(folder.keep(movement("left"), video)) == "left/0002.npz"


def test_a_video_that_is_not_there_keeps_nothing(folder: RecordingFolder, tmp_path: Path) -> None:
    with pytest.raises(HandloreError, match="No such file"):
        folder.keep(movement("left"), tmp_path / "gone.avi")
    assert files(folder) == []


KILLED = """
import os, sys
from pathlib import Path
from handlore.datasets import recordings as room
from keep_recordings import recording
save, root, written = room.save_dataset, Path(sys.argv[1]), sys.argv[2] == "True"
room.save_dataset = lambda *args: (save(*args) if written else None, os._exit(9))
room.RecordingFolder(root).keep(recording("left"), root.parent / "frames.avi")
"""


@pytest.mark.parametrize("written", [False, True], ids=["before it", "after it"])
def test_killed_around_a_recording_leaves_no_video_alone(
    folder: RecordingFolder, tmp_path: Path, written: bool
) -> None:
    (tmp_path / "frames.avi").write_bytes(b"pictures")
    stubs = {**os.environ, "PYTHONPATH": str(Path(keep_recordings.__file__).parent)}
    command = [sys.executable, "-c", KILLED, str(folder.root), str(written)]
    assert subprocess.run(command, env=stubs, check=False).returncode == 9
    assert not (folder.root / "left" / "0001.avi").exists()
    for path in folder.root.rglob(".*"):
        os.utime(path, (1, 1))
    RecordingFolder.open(folder.root)
    assert files(folder) == (["left/0001.avi", "left/0001.npz"] if written else [])


def test_ctrl_c_while_keeping_leaves_nothing(
    folder: RecordingFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(room, "save_dataset", stopped)
        with pytest.raises(KeyboardInterrupt):
            folder.keep(movement("left"))
    assert files(folder) == []


# Changing one's mind


def test_discard_and_restore(folder: RecordingFolder) -> None:
    path = folder.keep(movement("left"))
    before = path.read_bytes()
    gone = folder.discard(path)
    assert folder.counts() == {}
    assert [e.number for e in folder.entries(discarded=True)] == [1]
    assert folder.entries(discarded=True)[0].discarded
    back = folder.restore(gone)
    assert back == path
    assert back.read_bytes() == before
    assert not (folder.root / "left").is_symlink()
    assert folder.counts() == {"left": 1}


def test_relabel_changes_file_and_folder_and_keeps_the_number(folder: RecordingFolder) -> None:
    folder.keep(movement("left"))
    path = folder.keep(held("fist"))
    moved = folder.relabel(path, "palm")
    assert folder.name_of(moved) == "palm/0002.npz"
    assert load_dataset(moved).labels == ["palm"]
    assert load_dataset(moved).samples.source[0] == "palm/0002.npz#1"
    assert folder.counts() == {"left": 1, "palm": 1}


def test_relabel_between_labels_of_one_folder(folder: RecordingFolder) -> None:
    moved = folder.relabel(folder.keep(movement("a/b", like="left")), "a:b")
    assert folder.counts() == {"a:b": 1}
    assert folder.entries()[0].path == moved


def test_relabel_on_a_full_disk_leaves_the_recording_as_it_was(
    folder: RecordingFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    came = movement("left")
    path = folder.keep(came)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(HandloreError, match="No space left on device"):
            folder.relabel(path, "right")
    assert folder.counts() == {"left": 1}, "the label in the file counts"
    (entry,) = folder.entries()
    np.testing.assert_array_equal(load_dataset(entry.path).image, came.image)
    assert files(folder) == [folder.name_of(entry.path)]


@pytest.mark.parametrize("label", ["", "a\nb"])
def test_relabel_to_nonsense_changes_nothing(folder: RecordingFolder, label: str) -> None:
    path = folder.keep(movement("left"))
    with pytest.raises(InvalidDataError, match="label"):
        folder.relabel(path, label)
    assert folder.counts() == {"left": 1}


def test_only_recordings_of_the_folder_are_moved(folder: RecordingFolder, tmp_path: Path) -> None:
    foreign = tmp_path / "0001.npz"
    save_dataset(movement("left"), foreign)
    kept = folder.keep(movement("left"))
    for change in (folder.discard, folder.restore, lambda path: folder.relabel(path, "x")):
        with pytest.raises(HandloreError, match="recording of"):
            change(foreign)
    with pytest.raises(HandloreError, match="no discarded recording"):
        folder.restore(kept)
    with pytest.raises(HandloreError, match="there is no recording"):
        folder.discard(folder.root / "left" / "0099.npz")
    assert foreign.exists()
    assert folder.counts() == {"left": 1}


def test_numbers_that_meet_after_folders_were_joined_by_hand_lose_nothing(
    folder: RecordingFolder,
) -> None:
    first = folder.discard(folder.keep(movement("left", seed=1)))
    was = load_dataset(first)
    other = folder.root / "left" / first.name
    other.parent.mkdir()
    save_dataset(movement("left", seed=2), other)
    back = folder.restore(first)
    assert files(folder) == ["left/0001.npz", "left/0002.npz"]
    np.testing.assert_array_equal(load_dataset(back).image, was.image)


# What lies there


def test_unreadable_and_foreign_files_are_named_and_the_others_read(
    folder: RecordingFolder,
) -> None:
    good = folder.keep(movement("left"))
    (good.parent / "0002.npz").write_bytes(good.read_bytes()[:500])
    (good.parent / "0003.npz").write_bytes(b"")
    np.savez(good.parent / "0004.npz", x=np.zeros(3))
    (good.parent / "0005.npz").mkdir()
    save_dataset(movement("left"), good.parent / "mine.npz")
    save_dataset(concatenate([movement("left"), movement("right")]), good.parent / "0006.npz")
    (good.parent / "sheet.png").touch()
    (folder.root / "notes.txt").touch()
    assert [e.number for e in folder.entries()] == [1]
    said = dict(folder.failures())
    assert {name.removeprefix("left/") for name in said} == {
        "0002.npz", "0003.npz", "0004.npz", "0005.npz", "0006.npz", "mine.npz",
    }  # fmt: skip
    assert "truncated or damaged" in said["left/0002.npz"]
    assert "it is empty" in said["left/0003.npz"]
    assert "labels left, right" in said["left/0006.npz"]
    assert "its name is no number" in said["left/mine.npz"]
    assert not any(str(folder.root) in reason for reason in said.values())
    # And the next one goes beyond all of them.
    assert folder.name_of(folder.keep(movement("left"))) == "left/0007.npz"


def test_what_a_killed_process_left_is_not_seen_and_goes_with_time(folder: RecordingFolder) -> None:
    good = folder.keep(movement("left"))
    half = [
        folder.root / ".0002.claim", good.parent / ".0002.npz.abc.tmp",
        good.parent / ".0002.avi.tmp", folder.root / ".9.tmp.avi",
    ]  # fmt: skip
    for path in half:
        path.write_bytes(b"half")
    assert folder.counts() == {"left": 1}
    assert folder.failures() == []
    RecordingFolder.open(folder.root)
    assert all(path.exists() for path in half), "somebody may be writing them"
    for path in half:
        os.utime(path, (time.time() - 100, time.time() - 100))
    # A claim keeps its number from others as long as it lies there.
    assert folder.name_of(folder.keep(movement("left"))) == "left/0003.npz"
    RecordingFolder.open(folder.root)
    assert files(folder) == ["left/0001.npz", "left/0003.npz"]


def test_a_video_whose_process_was_killed_at_the_last_moment_is_there_when_it_is_opened(
    folder: RecordingFolder,
) -> None:
    # Killed after the recording got its name and before its video did.
    good = folder.keep(movement("left"))
    good.with_name(".0001.avi.tmp").write_bytes(b"a whole video")
    (entry,) = RecordingFolder.open(folder.root).entries()
    assert entry.video == good.with_suffix(".avi")
    assert entry.video.read_bytes() == b"a whole video"


def test_a_video_that_another_process_names_first_is_kept(
    folder: RecordingFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = tmp_path / "v.avi"
    video.write_bytes(b"a whole video")
    save = room.save_dataset

    def and_another_opens(recording: LandmarkDataset, path: Path) -> None:
        save(recording, path)
        RecordingFolder.open(folder.root)

    monkeypatch.setattr(room, "save_dataset", and_another_opens)
    kept = folder.keep(movement("left"), video)
    assert kept.with_suffix(".avi").read_bytes() == b"a whole video"


def test_a_second_subject_or_camera_is_warned_of(folder: RecordingFolder) -> None:
    assert folder.warnings_for("ben", "camera 1") == []
    folder.keep(movement("left", subject="anna", camera="camera 0"))
    assert folder.warnings_for("anna", "camera 0") == []
    lines = folder.warnings_for("ben", "")
    assert "recordings of subject anna; this session adds ben" in lines[0]
    assert "recordings of camera camera 0; this session does not name its camera" in lines[1]


def test_a_subject_in_other_capitals_is_named(folder: RecordingFolder) -> None:
    folder.keep(movement("left", subject="Zoe\u0308"))
    assert folder.warnings_for(" Zo\u00eb", "camera 0") == []
    (line,) = folder.warnings_for("zo\u00eb", "camera 0")
    assert line.endswith("this session adds zo\u00eb, which is another subject than Zo\u00eb")


# Other processes


def keeping(root: Path, *args: object) -> "subprocess.Popen[str]":
    program = [sys.executable, keep_recordings.__file__, str(root), *map(str, args)]
    return subprocess.Popen(program, stdout=subprocess.PIPE, text=True)


def test_two_processes_never_write_over_each_other(folder: RecordingFolder) -> None:
    both = [keeping(folder.root, 25) for _ in range(2)]
    reported = [process.communicate()[0].split() for process in both]
    assert [len(lines) for lines in reported] == [25, 25]
    entries = folder.entries()
    assert len(entries) == 50
    assert max(Counter(entry.number for entry in entries).values()) == 1
    assert folder.failures() == []
    assert not [name for name in files(folder) if Path(name).name.startswith(".")]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and kill -9")
def test_kill_9_at_random_moments_loses_nothing_that_was_kept(folder: RecordingFolder) -> None:
    said, _ = keeping(folder.root, 10_000, 20).communicate()
    reported = set(said.split())
    there = {folder.name_of(entry.path) for entry in folder.entries()}
    assert reported <= there
    assert len(there - reported) <= 20, "kept, and killed before it could say so"
    assert len(reported) > 20
    assert folder.failures() == []
    # The folder goes on as if nothing had been.
    folder.keep(movement("left"))
    assert len(folder.entries()) == len(there) + 1


def test_labels_come_in_the_order_of_their_first_recordings(tmp_path: Path):
    folder = filled(tmp_path / "g", 2, ("up", "circle", "left"))
    assert folder.labels() == ["up", "circle", "left"]
    folder.order_labels(["wave", "left", "none"])
    assert folder.labels() == ["wave", "left", "none", "up", "circle"]
    assert RecordingFolder.open(folder.root).labels()[:2] == ["wave", "left"], "still there"
    marker = folder.root / "recordings.json"
    marker.write_text('{"format": 1, "labels": "damaged"}')
    assert folder.labels() == ["up", "circle", "left"]


def test_a_folder_on_a_read_only_disk_is_refused_for_writing(tmp_path: Path, monkeypatch):
    filled(tmp_path / "g", 1)

    def refuse(_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(recording_files, "_created", refuse)
    with pytest.raises(HandloreError, match=r"cannot write into .*: Read-only file system"):
        RecordingFolder.open(tmp_path / "g")
    assert RecordingFolder.open(tmp_path / "g", create=False).entries(), "reading is another thing"


def test_keeping_takes_no_memory_for_what_is_there(folder: RecordingFolder) -> None:
    """A run of weeks keeps one recording after the other."""
    (folder.root / "left").mkdir()
    for number in range(1, 4001):
        (folder.root / "left" / f"{number:04d}.npz").touch()
    tracemalloc.start()
    try:
        with recording_files.new_recording(folder.root, "left", None) as path:
            assert path.stem == "4001"
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_a_folder_that_was_removed_meanwhile_is_made_again(folder: RecordingFolder) -> None:
    """Another session has made it too, and has failed; or somebody has tidied up."""
    shutil.rmtree(folder.root)
    assert load_dataset(folder.keep(movement("left"))).labels == ["left"]
    assert is_recordings(folder.root)
    assert folder.counts() == {"left": 1}


def test_only_an_unused_folder_is_removed(tmp_path: Path):
    filled(tmp_path / "g", 1)
    (tmp_path / "mine").mkdir()
    before = sorted(tmp_path.rglob("*"))
    for name in ("new", "a/b/c", "g", "mine", "mine/d"):
        RecordingFolder.open(tmp_path / name).remove_unused()
        assert sorted(tmp_path.rglob("*")) == before
    used = RecordingFolder.open(tmp_path / "a" / "b")
    used.keep(movement("left"))
    used.remove_unused()
    assert used.counts() == {"left": 1}


def test_nothing_is_left_of_a_folder_that_cannot_be_used(tmp_path: Path, monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(recording_files, "write_bytes", refuse)
    with pytest.raises(HandloreError, match="No space left"):
        RecordingFolder.open(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []
