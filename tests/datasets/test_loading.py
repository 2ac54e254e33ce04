"""A folder of recordings as data: kinds distinguished, streams cut, and the same by every way."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from movement_stubs import LABELS, two_handed
from recording_stubs import DETECTOR, filled, held, live_recording, movement, stream

from handlore.capture.coach import advise
from handlore.datasets.conversion.batches import ConvertOptions
from handlore.datasets.conversion.convert import RunOptions, convert, convert_to_file
from handlore.datasets.dataset import FRAME_ARRAYS, MIXED_DETECTORS, SAMPLE_COLUMNS, LandmarkDataset
from handlore.datasets.loading import load_data, load_recordings
from handlore.datasets.recordings import RecordingFolder
from handlore.datasets.sources import find_source, make_source
from handlore.datasets.splits import cross_validation, default_by, fold_count
from handlore.datasets.storage import load_dataset, save_dataset
from handlore.landmarks.detector import DetectorInfo
from handlore.landmarks.errors import HandloreError, InvalidDataError, NewerFormatError


@pytest.fixture
def folder(tmp_path: Path) -> RecordingFolder:
    return RecordingFolder.open(tmp_path / "gestures")


@pytest.fixture
def both(folder: RecordingFolder) -> RecordingFolder:
    """Movements, poses and a stream of ``none``."""
    for seed in range(2):
        for label in LABELS:
            folder.keep(movement(label, seed=seed))
        for label in ("fist", "palm"):
            folder.keep(held(label, n=3, seed=seed))
    folder.keep(stream(20.0))
    return folder


def same(a: LandmarkDataset, b: LandmarkDataset) -> None:
    for array in (*FRAME_ARRAYS, "offsets"):
        np.testing.assert_array_equal(getattr(a, array), getattr(b, array), err_msg=array)
    for column in SAMPLE_COLUMNS:
        assert getattr(a.samples, column).tolist() == getattr(b.samples, column).tolist(), column


# Kinds


def test_a_path_given_twice_counts_once(
    dataset: LandmarkDataset,
    both: RecordingFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    save_dataset(dataset, tmp_path / "poses.npz")
    (tmp_path / "link.npz").symlink_to("poses.npz")
    monkeypatch.chdir(tmp_path)
    loaded = load_data([tmp_path / "poses.npz", "poses.npz", "link.npz"])
    assert loaded.dataset.n_samples == dataset.n_samples
    assert [note.split(" ")[0] for note in loaded.notes] == ["poses.npz", "link.npz"]
    assert all(note.endswith("its samples count once") for note in loaded.notes)
    again = load_data([both.root, "gestures"], "pose")
    assert again.dataset.n_samples == load_data(both.root, "pose").dataset.n_samples
    assert len(again.notes) == 1


def test_copied_recordings_count_once(folder: RecordingFolder, tmp_path: Path) -> None:
    """A label, or the whole folder, copied in a file manager."""
    for label in ("left", "right"):
        folder.keep(movement(label))
    alone = load_data(folder.root).dataset
    shutil.copytree(folder.root, tmp_path / "copy")
    both = load_data([folder.root, tmp_path / "copy"])
    assert [part.n_samples for part in both.parts] == [alone.n_samples, 0]
    assert both.dataset.samples.label.tolist() == alone.samples.label.tolist()
    assert both.notes == ("2 samples are copies of another: each counts once",)
    shutil.copytree(folder.root / "left", folder.root / "left (copy)")
    within = load_data(folder.root)
    assert within.dataset.n_samples == 2
    assert within.notes[0] == "1 sample is a copy of another: each counts once"


def test_samples_of_one_file_are_no_copies(folder: RecordingFolder, tmp_path: Path) -> None:
    """In a dataset, frames of a video have the digest of the video."""
    for label in ("fist", "palm"):
        folder.keep(held(label))
    frames = load_data(folder.root).dataset
    same = replace(frames.samples, sha256=np.full(frames.n_samples, 64 * "a"))
    save_dataset(replace(frames, samples=same), tmp_path / "frames.npz")
    both = load_data([tmp_path / "frames.npz", folder.root])
    assert both.dataset.n_samples == 2 * frames.n_samples
    assert both.notes == ()


def test_triggers_that_nobody_has_reviewed_are_named(folder: RecordingFolder) -> None:
    folder.keep(movement("left"))
    path = folder.keep(live_recording("right"))
    said = r"nobody has reviewed 1 recording of live runs in .*: `handlore recordings review "
    assert re.search(said, load_data(folder.root).notes[0])
    folder.confirm(path)
    assert load_data(folder.root).notes == ()


def test_what_is_loaded_may_be_written_into(folder: RecordingFolder) -> None:
    """A folder is read once; what somebody does with its arrays must not be in the next copy."""
    folder.keep(movement("left"))
    first = load_data(folder.root).dataset
    first.image[:] = 7
    assert not (load_data(folder.root).dataset.image == 7).any()
    with pytest.raises(HandloreError, match="unknown kind 'poses'; did you mean pose"):
        load_data(folder.root, "poses")


def test_movements_and_poses_are_distinguished(both: RecordingFolder) -> None:
    recorded = load_recordings(both.root)
    assert recorded.counts() == {"sequence": 6, "pose": 4}, "`none` makes no kind"
    moves = recorded.dataset("sequence")
    assert moves.header.kind == "sequence"
    assert set(moves.labels) == {*LABELS, "none"}
    poses = recorded.dataset("pose")
    assert poses.header.kind == "pose"
    assert set(poses.labels) == {"fist", "palm", "none"}
    assert (np.diff(poses.offsets) == 1).all()


@pytest.mark.parametrize(
    ("kept", "wanted", "said"),
    [
        (movement("left"), "pose", r"no recordings of static poses, but 1 of movements.* rocket"),
        (held("fist"), "sequence", r"no recordings of movements, but 1 of static poses.* kernel"),
        (None, "pose", r"no readable recordings; `handlore capture` makes some"),
    ],
)
def test_a_kind_that_is_not_there_is_one_line(folder, kept, wanted, said) -> None:
    if kept:
        folder.keep(kept)
    with pytest.raises(HandloreError, match=said):
        load_recordings(folder.root).dataset(wanted)


def test_where_nobody_chose_movements_are_taken_and_a_line_says_so(both: RecordingFolder) -> None:
    loaded = load_data([both.root])
    assert loaded.dataset.header.kind == "sequence"
    assert loaded.notes == (
        "6 recordings of movements are used, not the 4 of static poses; --model kernel uses those",
    )
    chosen = load_data([both.root], "pose")
    assert chosen.notes == ()
    assert chosen.unused == (
        "4 recordings of static poses are used, not the 6 of movements; those need a model of"
        " movements",
    )


def test_files_and_folders_mix_and_the_file_decides_the_kind(
    both: RecordingFolder, tmp_path: Path
) -> None:
    save_dataset(held("victory", n=4), tmp_path / "poses.npz")
    loaded = load_data([both.root, tmp_path / "poses.npz"])
    assert loaded.dataset.header.kind == "pose"
    assert set(loaded.dataset.labels) == {"fist", "palm", "victory", "none"}
    assert ["victory" in part.labels for part in loaded.parts] == [False, True]
    assert "4 recordings of static poses are used, not the 6" in loaded.notes[0]


def test_a_file_of_the_other_kind_is_refused(both: RecordingFolder, tmp_path: Path) -> None:
    save_dataset(movement("left"), tmp_path / "moves.npz")
    with pytest.raises(InvalidDataError, match="kind is pose in one, sequence in another"):
        load_data([both.root, tmp_path / "moves.npz"], "pose")


# Streams of none


def test_a_stream_is_cut_into_windows_as_long_as_the_other_movements(both: RecordingFolder) -> None:
    data = load_recordings(both.root).dataset("sequence")
    lengths = np.array([np.ptp(data.time[a:b]) for a, b in zip(data.offsets, data.offsets[1:],
                                                               strict=False)])  # fmt: skip
    none = data.samples.label == "none"
    usual = np.median(lengths[~none])
    assert lengths[none] == pytest.approx(usual, abs=2 / 15)
    # Half overlapping, less those in the second quarter, which shows no hand.
    whole = 20.0 / (usual / 2)
    assert 0.6 * whole < none.sum() < 0.9 * whole
    assert data.has_hand.all()
    assert all(data.time[data.offsets[:-1]] == 0)
    assert set(data.samples.recording[none]) == {"s1 0011"}
    assert len(set(data.samples.source)) == data.n_samples
    assert any("none/0011.npz: cut into" in line and "without a hand left out" in line
               for line in data.header.log)  # fmt: skip


def test_a_short_none_is_one_movement(folder: RecordingFolder) -> None:
    folder.keep(movement("left"))
    folder.keep(movement("none", like="still", seconds=1.0))
    assert load_recordings(folder.root).dataset("sequence").n_samples == 2


def test_none_alone_is_cut_too_and_takes_its_length_from_other_folders(
    folder: RecordingFolder, tmp_path: Path
) -> None:
    folder.keep(stream(10.0))
    alone = load_recordings(folder.root).dataset("sequence")
    assert np.ptp(alone.time[: alone.offsets[1]]) == pytest.approx(1.5, abs=0.07)
    others = RecordingFolder.open(tmp_path / "others")
    others.keep(movement("left", seconds=3.0))
    usual = others.entries()[0].seconds
    data = load_data([folder.root, others.root]).dataset
    assert np.ptp(data.time[: data.offsets[1]]) == pytest.approx(usual, abs=0.07)


def test_a_stream_without_a_hand_teaches_nothing(folder: RecordingFolder) -> None:
    quiet = stream(10.0)
    nothing = np.full_like(quiet.image, np.nan)
    folder.keep(replace(quiet, image=nothing, stage=np.full_like(quiet.stage, -1)))
    with pytest.raises(HandloreError, match="shows a hand"):
        load_recordings(folder.root).dataset("sequence")
    folder.keep(movement("left"))
    assert load_recordings(folder.root).dataset("sequence").labels == ["left"]


def test_a_stream_shows_poses_too(both: RecordingFolder) -> None:
    poses = load_recordings(both.root).dataset("pose")
    none = poses.samples.label == "none"
    assert none.sum() == pytest.approx(15 / 0.25, abs=3), "20 s, a quarter of it without a hand"
    assert poses.has_hand.all()
    assert any("used as static `none`" in line for line in poses.header.log)


# Groups


def test_a_folder_of_none_serves_the_poses_of_another(
    folder: RecordingFolder, tmp_path: Path
) -> None:
    for label in ("fist", "palm"):
        folder.keep(held(label))
    triggers = RecordingFolder.open(tmp_path / "triggers")
    triggers.keep(movement("none", like="left", seconds=2.0))
    for kind in (None, "pose"):
        loaded = load_data([folder.root, triggers.root], kind)
        assert loaded.dataset.header.kind == "pose"
        assert loaded.dataset.labels == ["fist", "none", "palm"]
    with pytest.raises(HandloreError, match="holds no recordings of static poses"):
        load_data([folder.root, filled(tmp_path / "moves", 1).root], "pose")


def test_one_person_in_one_session_is_split_by_recording(both: RecordingFolder) -> None:
    for kind in ("sequence", "pose"):
        data = load_recordings(both.root).dataset(kind)
        assert default_by(data) == "recording"
        for train, test in cross_validation(data, "recording"):
            shared = set(data.samples.recording[train]) & set(data.samples.recording[test])
            assert not shared


def test_sessions_then_people_are_kept_apart_where_there_are_more(folder: RecordingFolder) -> None:
    for label in ("left", "right"):
        folder.keep(movement(label, session="s1"))
        folder.keep(movement(label, session="s2"))
    assert default_by(load_recordings(folder.root).dataset("sequence")) == "session"
    for label in ("left", "right"):
        folder.keep(movement(label, session="s2", subject="ben"))
    assert default_by(load_recordings(folder.root).dataset("sequence")) == "group"


def test_recordings_of_the_same_number_in_two_folders_stay_apart(
    folder: RecordingFolder, tmp_path: Path
) -> None:
    other = RecordingFolder.open(tmp_path / "other")
    folder.keep(movement("left", session="monday"))
    other.keep(movement("left", session="tuesday"))
    data = load_data([folder.root, other.root]).dataset
    assert fold_count(data, "recording") == 2


# What cannot be read


def test_damaged_files_are_named_and_the_others_read(both: RecordingFolder) -> None:
    (both.root / "left" / "0099.npz").write_bytes(b"PK nonsense")
    loaded = load_data([both.root])
    assert [name for name, _ in loaded.failures] == [str(both.root / "left" / "0099.npz")]
    same(loaded.dataset, load_recordings(both.root).dataset("sequence"))


def test_a_file_that_is_mended_is_read_again(folder: RecordingFolder) -> None:
    path = folder.keep(movement("left"))
    good = path.read_bytes()
    path.write_bytes(good[:100])
    assert load_recordings(folder.root).failures
    path.write_bytes(good)
    assert not load_recordings(folder.root).failures


def test_recordings_with_room_for_another_number_of_hands_are_named(
    folder: RecordingFolder,
) -> None:
    for seed in range(2):
        folder.keep(movement("left", seed=seed))
    two = two_handed(movement("right"))
    folder.keep(two)
    recorded = load_recordings(folder.root)
    assert [name for name, _ in recorded.failures] == ["right/0003.npz"]
    assert "room for 2 hands a frame, most recordings here for 1" in recorded.failures[0][1]
    assert recorded.dataset("sequence").labels == ["left"]


def test_different_detectors_are_noted(folder: RecordingFolder) -> None:
    folder.keep(movement("left"))
    assert MIXED_DETECTORS not in load_recordings(folder.root).dataset("sequence").header.log
    folder.keep(movement("left", detector=DetectorInfo("mediapipe", "1", "lite", "1" * 64)))
    data = load_recordings(folder.root).dataset("sequence")
    assert MIXED_DETECTORS in data.header.log
    assert data.header.detector == DETECTOR


def test_a_copy_under_another_label_is_known_for_one(folder: RecordingFolder) -> None:
    folder.keep(movement("left"))
    folder.keep(movement("right", like="left"))
    done = convert(make_source("recordings", {}), folder.root, None)
    assert done.label_problems.n_conflicts == 2


# The source


@pytest.mark.parametrize(
    ("name", "kind"), [("recordings", "sequence"), ("recordings-poses", "pose")]
)
def test_converting_gives_what_reading_gives(both: RecordingFolder, name: str, kind: str) -> None:
    done = convert(make_source(name, {}), both.root, None)
    direct = load_recordings(both.root).dataset(kind)
    same(done.dataset, direct)
    assert done.dataset.header.kind == kind
    assert done.dataset.header.detector == DETECTOR
    assert done.dataset.header.log == direct.header.log
    assert done.left_out == ()


def test_a_hand_that_is_taken_for_a_left_one_at_times_loses_no_frame(
    folder: RecordingFolder,
) -> None:
    flickering = movement("left")
    flickering.handedness[::3] = 0.2
    folder.keep(flickering)
    done = convert(make_source("recordings", {}), folder.root, None)
    assert done.dataset.detected.all()


def test_it_is_recognised_by_its_marker(both: RecordingFolder, tmp_path: Path) -> None:
    (both.root / "left" / "0001.avi").touch()
    assert find_source(both.root) == ("recordings", ["recordings-poses", "videos"])
    assert find_source(filled(tmp_path / "moves", 1).root)[0] == "recordings"
    poses = RecordingFolder.open(tmp_path / "poses")
    poses.keep(held("fist"))
    assert find_source(poses.root) == ("recordings-poses", [])
    assert find_source(RecordingFolder.open(tmp_path / "empty").root)[0] == "recordings"


def test_a_file_that_happens_to_have_the_name_of_the_marker_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "fist").mkdir()
    (tmp_path / "fist" / "1.jpg").touch()
    (tmp_path / "recordings.json").write_text('["monday.wav"]')
    assert find_source(tmp_path)[0] == "images"
    (tmp_path / "recordings.json").write_text('{"format": 2}')
    with pytest.raises(NewerFormatError, match="recordings format 2"):
        find_source(tmp_path)


def test_the_other_source_says_which_one_to_take(folder: RecordingFolder) -> None:
    folder.keep(held("fist"))
    with pytest.raises(HandloreError, match=r"no movements; .* --source recordings-poses"):
        convert(make_source("recordings", {}), folder.root, None)


def test_an_empty_folder_holds_nothing(folder: RecordingFolder) -> None:
    with pytest.raises(HandloreError, match="holds nothing of the layout recordings"):
        convert(make_source("recordings", {}), folder.root, None)


def test_damaged_files_are_failures_of_the_conversion(both: RecordingFolder) -> None:
    (both.root / "left" / "0099.npz").write_bytes(b"")
    done = convert(make_source("recordings", {}), both.root, None)
    assert done.failures == (
        ("left/0099.npz", "is damaged (it is empty); record it again, or delete the file"),
    )


def test_converting_in_processes_gives_the_same(both: RecordingFolder, tmp_path: Path) -> None:
    out = tmp_path / "out.npz"
    convert_to_file(make_source("recordings", {}), both.root, out, run=RunOptions(jobs=2))
    same(load_dataset(out), load_recordings(both.root).dataset("sequence"))


def test_two_hands_come_through(folder: RecordingFolder) -> None:
    folder.keep(two_handed(movement("left")))
    direct = load_recordings(folder.root).dataset("sequence")
    assert direct.n_hands == 2
    done = convert(make_source("recordings", {}), folder.root, None, ConvertOptions(max_hands=2))
    same(done.dataset, direct)


def test_what_nobody_has_sorted_teaches_nothing(folder: RecordingFolder) -> None:
    folder.keep(movement("left"))
    folder.keep(movement("unsorted", like="right"))
    loaded = load_data([folder.root])
    assert loaded.dataset.labels == ["left"]
    (note,) = loaded.notes
    assert note.startswith(f"left out: 1 recording of `unsorted` in {folder.root}")
    assert not any("unsorted" in line for line in advise(load_recordings(folder.root)))
    done = convert(make_source("recordings", {}), folder.root, None, ConvertOptions())
    assert done.dataset.labels == ["left"]
    assert note in done.dataset.header.log


def test_a_label_folder_that_was_renamed_by_hand(folder: RecordingFolder) -> None:
    """The label in the file counts, and a note says so."""
    for seed, label in enumerate(("left", "left", "right")):
        folder.keep(movement(label, seed=seed))
    (folder.root / "left").rename(folder.root / "nach links")
    (note,) = load_data([folder.root]).notes
    assert note.startswith('2 recordings in "nach links" are labelled left: ')
    assert f"`handlore recordings relabel {folder.root} NUMBER LABEL`" in note
    assert load_data([folder.root]).dataset.labels == ["left", "right"]
    done = convert(make_source("recordings", {}), folder.root, None, ConvertOptions())
    assert note in done.dataset.header.log
    assert folder.renamed() == note


def test_folders_that_cannot_be_called_like_their_label(folder: RecordingFolder) -> None:
    labels = ("a/b", "CON", "x" * 70, "Wave", "cafe\u0301")
    for label in labels:
        folder.keep(movement(label, like="left"))
    (folder.root / "Wave").rename(folder.root / "wave")
    (folder.root / "a_b").rename(folder.root / "a:b")
    folder.keep(movement("left")).parent.rename(folder.root / "unsorted")
    folder.discard(folder.keep(movement("right")))
    (folder.root / "discarded" / "right").rename(folder.root / "discarded" / "wrong")
    assert load_data([folder.root]).notes == ()
    assert folder.renamed() == ""


def test_nothing_but_unsorted_recordings_is_one_line(folder: RecordingFolder) -> None:
    folder.keep(movement("unsorted", like="right"))
    with pytest.raises(HandloreError, match=r"nothing but 1 recording of `unsorted`.*review"):
        load_data([folder.root])
    with pytest.raises(HandloreError, match=r"nothing but 1 recording of `unsorted`.*review"):
        convert(make_source("recordings", {}), folder.root, None, ConvertOptions())


def test_one_path_needs_no_list(folder: RecordingFolder) -> None:
    folder.keep(movement("left"))
    for path in (folder.root, str(folder.root)):
        assert load_data(path).dataset.n_samples == 1


def test_clips_of_live_runs_are_named_where_poses_are_wanted(folder: RecordingFolder) -> None:
    """A model of poses emitted them; only those that were relabelled `none` become poses."""
    folder.keep(live_recording("left"))
    says = r"holds no recordings of static poses, but 1 clip of live runs: `handlore replay MODEL "
    with pytest.raises(HandloreError, match=rf"{says}.*`handlore improve MODEL --from"):
        load_data(folder.root, "pose")
    clips = "1 clip of live runs, which are no static poses; `handlore improve MODEL --from"
    wrong = folder.keep(live_recording("right"))
    folder.relabel(wrong, "none")
    loaded = load_data(folder.root, "pose")
    assert loaded.dataset.labels == ["none"]
    assert [note[: len(clips) + 10] for note in loaded.notes] == [f"left out: {clips}"]
    (note,) = load_data(folder.root).notes
    assert note.startswith("nobody has reviewed 1 recording of live runs")


def test_a_folder_beside_another_may_have_nothing_for_it(
    folder: RecordingFolder, tmp_path: Path
) -> None:
    """Triggers that nobody has reviewed, or that were all right, are no reason to stop."""
    for label in ("fist", "palm"):
        folder.keep(held(label))
    triggers = RecordingFolder.open(tmp_path / "triggers")
    triggers.keep(movement("unsorted", like="right"))
    loaded = load_data([folder.root, triggers.root])
    assert loaded.dataset.labels == ["fist", "palm"]
    assert loaded.notes[0].startswith(f"left out: 1 recording of `unsorted` in {triggers.root}")
    triggers.keep(live_recording("left"))
    assert load_data([folder.root, triggers.root], "pose").dataset.labels == ["fist", "palm"]
    more = RecordingFolder.open(tmp_path / "more")
    more.keep(live_recording("right"))
    with pytest.raises(HandloreError, match="but 1 clip of live runs"):
        load_data([triggers.root, more.root], "pose")


def test_clips_of_live_runs_beside_poses_are_movements(folder: RecordingFolder) -> None:
    for label in ("fist", "palm"):
        folder.keep(held(label))
    for label in ("left", "right"):
        folder.keep(live_recording(label))
    for kind in (None, "sequence"):
        assert load_data(folder.root, kind).dataset.labels == ["left", "right"]


def test_none_without_a_hand_is_no_question_of_the_kind(folder: RecordingFolder) -> None:
    made = movement("none", like="left", seconds=2.0)
    folder.keep(movement("none", like="left", seconds=2.0, lost=made.n_frames))
    with pytest.raises(HandloreError, match="shows a hand; record more"):
        load_data(folder.root, "pose")


def test_folders_without_recordings_are_one_line(tmp_path: Path) -> None:
    folders = [RecordingFolder.open(tmp_path / name).root for name in ("a", "b")]
    with pytest.raises(HandloreError, match="a holds no readable recordings"):
        load_data(folders)
    with pytest.raises(HandloreError, match="a holds no readable recordings"):
        load_data([folders[0], filled(tmp_path / "moves", 1).root])


def test_what_is_used_of_both_kinds_is_said_as_it_is(
    folder: RecordingFolder, tmp_path: Path
) -> None:
    """A clip of `none` serves poses, so it is not among what is not used."""
    for label in ("fist", "palm"):
        folder.keep(held(label))
    none = RecordingFolder.open(tmp_path / "none")
    none.keep(movement("none", like="left", seconds=2.0))
    assert load_data([folder.root, none.root]).notes == ()
