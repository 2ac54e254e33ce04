"""What the sources with labels beside the media read: boxes of hands, and parts of videos."""

import cv2
import numpy as np
import pytest
from fakes import BrightDetector
from layout_stubs import read

from handlore.datasets.conversion.convert import convert
from handlore.datasets.rendered import write_movement_videos
from handlore.datasets.sources import make_source
from handlore.datasets.videos import FrameSelection, Span, read_video
from handlore.models.stream.ground_truth import dataset_streams


@pytest.fixture
def boxed(tmp_path):
    """A picture that is too dark as a whole, with the boxes of two hands."""
    noise = np.random.default_rng(0).integers(-20, 20, (200, 200, 3))
    pixels = np.full((200, 200, 3), 25) + noise
    pixels[100:160, 120:180] += 190
    pixels = pixels.astype(np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), pixels)
    (tmp_path / "l.csv").write_text(
        "file,label,xmin,ymin,xmax,ymax\na.png,fist,120,100,180,160\na.png,palm,5,5,60,60\n"
    )
    return tmp_path


def test_a_hand_that_the_whole_picture_does_not_show_is_searched_in_its_box(boxed):
    name, _ = read(boxed)
    done = convert(make_source(name), boxed, BrightDetector())
    dataset = done.dataset
    assert dataset.samples.label.tolist() == ["fist", "palm"]
    x, y = dataset.image[0, 0, :, :2].mean(axis=0)
    assert 0.5 < x < 1
    assert 0.4 < y < 0.9
    assert len(set(dataset.samples.sha256.tolist())) == 2, "two hands are no conflict"


def test_a_label_that_is_none_fails_its_row_only(boxed):
    (boxed / "l.csv").write_text(
        "file,label,xmin,ymin,xmax,ymax\na.png,fist,120,100,180,160\n"
        f"a.png,{'x' * 501},120,100,180,160\n"
    )
    done = convert(make_source("picture-list"), boxed, BrightDetector())
    assert done.failures == (("a.png#1", "its label must have at most 500 characters"),)
    assert done.dataset.labels == ["fist"]


@pytest.fixture
def lesson(tmp_path):
    """A video of a minute's movements with a list of when each was made."""
    root = tmp_path / "lessons"
    root.mkdir()
    size, n = (64, 48), 90
    writer = cv2.VideoWriter(
        str(root / "lesson.avi"), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*"MJPG"), 30.0, size
    )
    for number in range(n):
        writer.write(np.full((48, 64, 3), 60 + 2 * number, np.uint8))
    writer.release()
    (root / "l.csv").write_text(
        "video,label,start,end\nlesson.avi,wave,0.5,1.0\nlesson.avi,stop,2.0,2.5\n"
    )
    return root


def test_a_part_of_a_video_begins_at_nought(lesson):
    frames, _ = read_video(lesson / "lesson.avi", FrameSelection(span=Span(0.5, 1.0)))
    found = list(frames)
    assert [round(t, 3) for t, _ in found] == [round(k / 30, 3) for k in range(16)]
    frames, _ = read_video(lesson / "lesson.avi", FrameSelection(2, span=Span(15, 20, "frame")))
    assert [round(t, 3) for t, _ in frames] == [0.0, 0.067, 0.133]


def test_the_rest_of_a_video_is_none_and_the_stream_is_whole_again(lesson):
    name, listing = read(lesson)
    assert any("--rest" in note for note in listing.notes)
    done = convert(make_source(name, {"rest": True}), lesson, BrightDetector())
    dataset = done.dataset
    assert dataset.samples.label.tolist() == ["none", "wave", "none", "stop", "none"]
    assert not done.failures
    (stream,) = dataset_streams(dataset)
    assert stream.seconds == pytest.approx(89 / 30, abs=0.1)
    found = [(one.label, round(one.start, 1), round(one.end, 1)) for one in stream.ground_truth]
    assert found == [("wave", 0.5, 1.0), ("stop", 2.0, 2.5)]


def rows_in(lesson, *rows):
    """Write a list of rows about the lesson of 3 s; return how the source reads it."""
    (lesson / "l.csv").write_text("\n".join(["video,label,start,end", *rows]) + "\n")
    listing = make_source("clip-list", {"rest": True}).scan(lesson)
    done = convert(make_source("clip-list", {"rest": True}), lesson, BrightDetector())
    return listing.notes, done


def test_a_part_that_the_end_of_the_video_cuts_off_is_named(lesson):
    notes, done = rows_in(
        lesson, "lesson.avi,wave,0.5,1.0", "lesson.avi,stop,2.0,9.0", "lesson.avi,wave,2.5,8"
    )
    assert (
        "cut off at the end of the video: 2 rows of the list, such as stop in lesson.avi:"
        " 2 s to 9 s, and the video ends at 3.00 s; is the unit right?"
    ) in notes
    assert not done.failures
    notes, _ = rows_in(lesson, "lesson.avi,wave,0.5,1.0", "lesson.avi,stop,2.0,3.1")
    assert not any("cut off" in note for note in notes)


@pytest.mark.parametrize(
    ("start", "end", "why"),
    [
        ("100", "104", "it starts at 100 s, and the video ends at 3.00 s"),
        ("2.5", "1.5", "it ends at 1.5 s, before its start at 2.5 s"),
        ("soon", "1.5", "its start or end in the list is not a time"),
        ("1.5", "nan", "its start or end in the list is not a time"),
    ],
)
def test_no_rest_is_made_of_a_video_with_a_part_that_is_not_in_it(lesson, start, end, why):
    notes, done = rows_in(lesson, "lesson.avi,wave,0.5,1.0", f"lesson.avi,stop,{start},{end}")
    assert any(f"1 row of the list, such as stop in lesson.avi: {why};" in note for note in notes)
    assert [reason for _, reason in done.failures] == [why]
    assert done.dataset.labels == ["wave"]


def test_a_folder_of_frames_that_ends_before_a_part_begins(tmp_path):
    folder = tmp_path / "in" / "v1"
    folder.mkdir(parents=True)
    for number in range(12):
        cv2.imwrite(str(folder / f"{number:05}.png"), np.full((30, 40, 3), 200, np.uint8))
    (tmp_path / "in" / "l.csv").write_text(
        "video,label,start_frame,end_frame\nv1,wave,1,4\nv1,stop,14,20\nv1,stop,600,620\n"
    )
    done = convert(make_source("clip-list", {}), tmp_path / "in", BrightDetector())
    assert [reason for _, reason in done.failures] == [
        "it has no frames: frame 13 (from 0) to frame 19 (from 0)",
        "it starts at frame 599 (from 0), and the video has 12 frames",
    ]


def test_frames_of_a_folder_are_cut_too(tmp_path):
    folder = tmp_path / "in" / "v1"
    folder.mkdir(parents=True)
    for number in range(12):
        cv2.imwrite(str(folder / f"{number:05}.png"), np.full((30, 40, 3), 100 + number, np.uint8))
    (tmp_path / "in" / "l.csv").write_text(
        "video,label,start_frame,end_frame\nv1,wave,1,4\nv1,stop,6,12\n"
    )
    name, listing = read(tmp_path / "in")
    source = make_source(name)
    greys = [
        [int(pixels[0, 0, 0]) - 100 for _, pixels in source.read(item).frames]
        for item in listing.items
    ]
    assert greys == [[0, 1, 2, 3], [5, 6, 7, 8, 9, 10, 11]]


def test_signs_of_a_json_are_converted_with_signer_and_part(tmp_path):
    write_movement_videos(
        tmp_path / "made", movements=["wave"], n_people=1, per_movement=1, fps=10, size=(160, 120)
    )
    clip = next((tmp_path / "made").rglob("*.mp4"))
    root = tmp_path / "in"
    (root / "videos").mkdir(parents=True)
    for name in ("1", "2"):
        (root / "videos" / f"0000{name}.mp4").write_bytes(clip.read_bytes())
    (root / "WLASL.json").write_text(
        '[{"gloss": "book", "instances": [{"video_id": "00001", "signer_id": 3, "split": "train",'
        ' "frame_start": 3, "frame_end": 7}]}, {"gloss": "drink", "instances": [{"video_id":'
        ' "00002", "signer_id": 5, "split": "test", "frame_start": 1, "frame_end": -1}]}]'
    )
    name, _ = read(root)
    samples = convert(make_source(name), root, BrightDetector()).dataset
    assert samples.samples.label.tolist() == ["book", "drink"]
    assert samples.samples.group.tolist() == ["3", "5"]
    assert samples.samples.split.tolist() == ["train", "test"]
    assert np.diff(samples.offsets)[0] == 5
