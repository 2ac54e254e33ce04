import hashlib
import os
from collections import deque

import cv2
import numpy as np
import pytest
from PIL import Image

from handlore.datasets import pictures as readers
from handlore.datasets import videos
from handlore.datasets.sources import find_source, make_source
from handlore.datasets.sources.base import Item
from handlore.datasets.videos import FrameSelection, read_video
from handlore.landmarks.errors import HandloreError, InvalidDataError

CODECS = {"mp4": "mp4v", "mov": "mp4v", "avi": "MJPG", "mkv": "MJPG", "webm": "VP80"}


def video(path, n=20, fps=20.0, size=(64, 48)):
    """Write a video that becomes brighter from frame to frame, red above and blue below."""
    path.parent.mkdir(parents=True, exist_ok=True)
    code = cv2.VideoWriter_fourcc(*CODECS.get(path.suffix[1:], "mp4v"))
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, fps, size)
    for number in range(n):
        pixels = np.zeros((size[1], size[0], 3), np.uint8)
        pixels[: size[1] // 2, :, 2] = 55 + 200 * number // n
        pixels[size[1] // 2 :, :, 0] = 55 + 200 * number // n
        writer.write(pixels)
    writer.release()
    return path


def gif(path, durations=(40, 200, 100, 0), size=(40, 30)):
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = [Image.new("RGB", size, (50 * n, 255 - 50 * n, 90)) for n in range(len(durations))]
    more = {"save_all": True, "append_images": frames[1:]} if len(frames) > 1 else {}
    frames[0].save(path, duration=list(durations) if more else durations[0], **more)
    return path


def read(path, **options):
    frames, _ = read_video(path, FrameSelection(**options))
    return list(frames)


def labels(root, **options):
    return {item.source: item.label for item in make_source("videos", options).scan(root).items}


def touched(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


@pytest.mark.parametrize("ending", sorted(CODECS))
def test_frames_come_in_order_with_their_times_and_colours(tmp_path, ending):
    path = video(tmp_path / f"wave.{ending}")
    frames = read(path)
    assert [round(seconds, 3) for seconds, _ in frames] == [round(n / 20, 3) for n in range(20)]
    assert all(pixels.shape == (48, 64, 3) for _, pixels in frames)
    reds = [float(pixels[10, 30, 0]) for _, pixels in frames]
    assert reds == sorted(reds), "the frames are in order"
    _, last = frames[-1]
    assert last[10, 30, 0] > last[10, 30, 2] + 100, "RGB, not BGR"


def test_times_increase_whatever_a_container_says():
    given = deque([40.0, 73.3, 73.3, 73.7, 70.0, 140.0])

    class Capture:
        def grab(self):
            return bool(given)

        def get(self, what):
            return given.popleft() if what == cv2.CAP_PROP_POS_MSEC else 0.0

    times = list(videos._grabbed(Capture()))
    assert times == pytest.approx([0.0, 0.0333, 0.0353, 0.0373, 0.0393, 0.1])


def test_the_digest_is_that_of_the_file(tmp_path):
    path = video(tmp_path / "wave.mp4")
    assert read_video(path)[1] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_phone_held_upright_gives_upright_pictures(tmp_path):
    path = video(tmp_path / "wave.mp4")
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 44
    turned = [0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30]
    data[place : place + 36] = b"".join(n.to_bytes(4, "big", signed=True) for n in turned)
    path.write_bytes(data)
    _, last = read(path)[-1]
    assert last.shape == (64, 48, 3)
    assert last[30, 40, 0] > 150 > last[30, 5, 0], "what was above is now on the right"


def test_every_nth_frame_and_the_first_so_many(tmp_path):
    path = video(tmp_path / "wave.avi")
    assert [round(t, 2) for t, _ in read(path, stride=5)] == [0.0, 0.25, 0.5, 0.75]
    assert [round(t, 2) for t, _ in read(path, max_frames=3)] == [0.0, 0.05, 0.1]
    assert [round(t, 2) for t, _ in read(path, stride=4, max_frames=2)] == [0.0, 0.2]


def test_at_most_so_many_frames_a_second_by_time():
    uneven = [0, 0.01, 0.02, 0.1, 0.35, 0.36, 0.61, 0.99, 1.0, 1.01]
    assert list(FrameSelection(fps=4).chosen(uneven)) == [0, 0.35, 0.61, 0.99, 1.0]
    steady = [n / 30 for n in range(300)]
    for fps in (1, 7, 10, 15, 20, 29, 30, 60):
        chosen = list(FrameSelection(fps=fps).chosen(steady))
        assert len(chosen) == min(fps, 30) * 10


@pytest.mark.parametrize(
    ("options", "match"),
    [({"stride": 0}, "--stride is 0"), ({"fps": -1.0}, "--fps is -1"),
     ({"fps": float("nan")}, "--fps is nan"), ({"max_frames": -1}, "--max-frames is -1")],
)  # fmt: skip
def test_options_out_of_range_are_refused(options, match):
    with pytest.raises(HandloreError, match=match):
        make_source("videos", options)


def test_a_gif_has_the_times_of_its_frames(tmp_path):
    frames = read(gif(tmp_path / "wave.gif", (40, 200, 100, 0, 50)))
    assert [round(seconds, 3) for seconds, _ in frames] == [0, 0.04, 0.24, 0.34, 0.44]
    assert [int(pixels[0, 0, 0]) for _, pixels in frames] == [0, 50, 100, 150, 200]


def test_what_is_transparent_in_a_gif_is_white(tmp_path):
    drawn = []
    for number in range(3):
        pixels = np.zeros((30, 40, 4), np.uint8)
        pixels[5:15, 5 + 10 * number : 12 + 10 * number] = (255, 0, 0, 255)
        drawn.append(Image.fromarray(pixels, "RGBA"))
    drawn[0].save(tmp_path / "x.gif", save_all=True, append_images=drawn[1:], disposal=2)
    for number, (_, pixels) in enumerate(read(tmp_path / "x.gif")):
        assert pixels[25, 2].tolist() == [255, 255, 255]
        assert pixels[8, 7 + 10 * number].tolist() == [255, 0, 0]


@pytest.mark.parametrize("ending", ["avi", "mkv", "webm"])
def test_a_video_that_lost_its_end_says_how_much(tmp_path, ending):
    path = video(tmp_path / f"wave.{ending}", n=60)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    with pytest.raises(InvalidDataError, match=r"ends early: \d+ of 60 frames"):
        read(path)
    assert len(read(path, max_frames=5)) == 5, "the lost end was not asked for"


@pytest.mark.parametrize("ending", ["mp4", "mov", "gif"])
def test_half_a_file_is_no_video(tmp_path, ending):
    path = tmp_path / f"wave.{ending}"
    gif(path) if ending == "gif" else video(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InvalidDataError, match="not a whole"):
        read(path)


@pytest.mark.parametrize("name", ["x.mp4", "x.avi", "x.gif", "x.webm"])
@pytest.mark.parametrize(
    ("data", "match"),
    [(b"", "the file is empty"), (b"I am text\n" * 50, "not a whole"), (b"\0" * 999, "not a whole"),
     (b"GIF89a", "not a whole")],
)  # fmt: skip
def test_what_is_no_video_says_so(tmp_path, name, data, match):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InvalidDataError, match=match):
        read(tmp_path / name)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "x.mp4")
    with pytest.raises(InvalidDataError, match="no regular file"):
        read(tmp_path / "x.mp4")


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts files by /proc")
def test_files_are_closed_also_when_nobody_reads_to_the_end(tmp_path):
    paths = [video(tmp_path / "a.mp4"), gif(tmp_path / "b.gif")]
    before = len(os.listdir("/proc/self/fd"))
    for path in paths * 5:
        read(path)
        frames, _ = read_video(path)
        next(frames)
        del frames
    assert len(os.listdir("/proc/self/fd")) == before


def test_the_label_is_the_folder_or_the_name_without_its_number(tmp_path):
    root = touched(
        tmp_path, "wave_3.mp4", "wave-12.avi", "wave (2).mov", "thumb_up.webm", "12.mkv", "x/1.mp4"
    )
    assert labels(root) == {
        "wave_3.mp4": "wave",
        "wave-12.avi": "wave",
        "wave (2).mov": "wave",
        "thumb_up.webm": "thumb_up",
        "12.mkv": "12",
        "x/1.mp4": "x",
    }
    (note,) = make_source("videos", {}).scan(root).notes
    assert "3 file names" in note
    assert "--name-pattern" in note


def test_splits_are_read_from_folders(tmp_path):
    touched(tmp_path / "a", "train/wave/1.mp4", "test/wave/2.mp4")
    touched(tmp_path / "b", "train/wave_1.mp4", "test/wave_2.mp4")
    touched(tmp_path / "c", "data/train/wave_1.mp4", "data/val/wave_2.mp4")
    for name in "abc":
        items = make_source("videos", {}).scan(tmp_path / name).items
        assert {item.label for item in items} == {"wave"}
        assert {item.split for item in items} in ({"train", "test"}, {"train", "val"})


def test_one_video_may_be_the_source(tmp_path):
    path = video(tmp_path / "wave_3.mp4")
    assert find_source(path) == ("videos", [])
    (item,) = make_source("videos", {}).scan(path).items
    assert (item.path, item.source, item.label) == (path, "wave_3.mp4", "wave")


def test_still_gifs_are_pictures_and_moving_ones_are_videos(tmp_path):
    for n in range(3):
        gif(tmp_path / "still" / "a" / f"{n}.gif", [100])
        gif(tmp_path / "moving" / "a" / f"{n}.gif")
    assert find_source(tmp_path / "still")[0] == "images"
    assert find_source(tmp_path / "moving") == ("videos", ["images"])


def test_one_video_among_photos_does_not_decide(tmp_path):
    touched(tmp_path, "a/1.jpg", "a/2.jpg", "b/3.jpg", "b/making_of.mp4")
    assert find_source(tmp_path)[0] == "images"
    assert make_source("videos", {}).scan(tmp_path).left_out == ["a/1.jpg", "a/2.jpg", "b/3.jpg"]


def test_real_phone_clips(real_data):
    root = real_data / "phone_clips"
    assert find_source(root) == ("videos", [])
    source = make_source("videos", {"name_pattern": r"H-(?P<label>\w+)\.mp4", "stride": 20})
    items = {item.label: item for item in source.scan(root).items}
    assert set(items) >= {"0", "1", "5", "Increased", "LightOn", "SetThermo"}
    clip = list(source.read(items["LightOn"]).frames)
    assert clip[0][1].shape == (1280, 720, 3), "turned upright"
    steps = np.diff([seconds for seconds, _ in clip])
    assert steps.min() > 0.6
    assert steps.max() > 1.2 * steps.min(), "the frame rate varies"
    ten_bit = next(source.read(items["SetThermo"]).frames)[1]
    assert ten_bit.shape == (1920, 1080, 3)
    assert 100 < ten_bit.mean() < 220


def test_real_gifs(real_data):
    root = real_data / "webcam_gifs"
    assert find_source(root) == ("videos", [])
    source = make_source("videos", {})
    for item in source.scan(root).items:
        assert item.label == item.source.removesuffix(".gif")
        frames = list(source.read(item).frames)
        assert 18 <= len(frames) <= 23
        np.testing.assert_allclose(np.diff([seconds for seconds, _ in frames]), 0.1)


def test_reading_an_item_twice_gives_the_same(tmp_path):
    source = make_source("videos", {})
    item = Item(video(tmp_path / "a.mp4"), "a.mp4", "a")
    one, two = source.read(item), source.read(item)
    assert one.sha256 == two.sha256
    assert [s for s, _ in one.frames] == [s for s, _ in two.frames]


def test_a_name_that_is_not_utf8_is_refused_and_does_not_crash(tmp_path):
    path = video(tmp_path / "a.mp4")
    try:
        path = path.rename(tmp_path / "n\udcff.mp4")
    except OSError:
        pytest.skip("this system has no such names")
    with pytest.raises(InvalidDataError, match="not UTF-8"):
        read(path)


def test_a_bare_stream_gets_its_nominal_rate_and_a_note(tmp_path):
    root = touched(tmp_path, "fist/1.mp4")
    jpegs = [cv2.imencode(".jpg", np.full((48, 64, 3), 20 * k, np.uint8))[1] for k in range(10)]
    (root / "left").mkdir()
    path = root / "left" / "1.mjpeg"
    path.write_bytes(b"".join(one.tobytes() for one in jpegs))
    frames = read(path)
    assert [round(seconds, 3) for seconds, _ in frames] == [k / 25 for k in range(10)]
    source = make_source("videos")
    listing = source.scan(root)
    assert listing.labels == ["fist", "left"]
    assert any("nominal rate" in note and "left/1.mjpeg" in note for note in listing.notes)


@pytest.mark.parametrize("ending", ["flv", "ts", "h264", "3g2", "m2ts"])
def test_videos_of_other_recorders_are_listed(tmp_path, ending):
    root = touched(tmp_path, f"left/1.{ending}", "right/1.mp4")
    assert labels(root) == {f"left/1.{ending}": "left", "right/1.mp4": "right"}


def test_large_frames_are_refused_by_their_header(tmp_path, monkeypatch):
    path = video(tmp_path / "a.avi")
    monkeypatch.setattr(videos, "MAX_FRAME_PIXELS", 64 * 48 - 1)
    with pytest.raises(InvalidDataError, match="its frames have 64 x 48 pixels, expected at most"):
        read(path)


def test_large_gifs_are_refused_by_their_headers(tmp_path, monkeypatch):
    """Of a frame, or of all together: a frame of one colour takes some bytes."""
    monkeypatch.setattr(videos, "MAX_GIF_FRAME_PIXELS", 90 * 90 - 1)
    with pytest.raises(InvalidDataError, match="its frames have 90 x 90 pixels"):
        read(gif(tmp_path / "a.gif", size=(90, 90)))
    monkeypatch.setattr(videos, "MAX_GIF_PIXELS", 5 * 40 * 30 - 1)
    assert len(read(gif(tmp_path / "b.gif"))) == 4
    with pytest.raises(InvalidDataError, match="the GIF has 5 frames of 40 x 30 pixels, expected"):
        read(gif(tmp_path / "c.gif", (40,) * 5))
    monkeypatch.setattr(videos, "MAX_GIF_FRAMES", 3)
    with pytest.raises(InvalidDataError, match=r"at most 3 frames and .* convert it to mp4"):
        read(tmp_path / "b.gif")


def test_frames_of_a_gif_that_are_larger_than_its_header_says_are_refused(tmp_path):
    small = gif(tmp_path / "a.gif").read_bytes()
    image = small.index(b"\x2c", small.rindex(b"\x21\xf9"))
    grown = small[: image + 5] + b"\xff\xff\xff\xff" + small[image + 9 :]
    (tmp_path / "a.gif").write_bytes(grown)
    with pytest.raises(InvalidDataError, match="its frames have 65,535 x 65,535 pixels"):
        read(tmp_path / "a.gif")


def test_frames_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(videos, "MAX_FRAMES", 3)
    path = video(tmp_path / "a.avi", n=4)
    assert len(read(path, max_frames=3)) == 3
    with pytest.raises(InvalidDataError, match="more than 3 frames; cut it"):
        read(path)


def test_very_large_frames_are_made_smaller(tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "FULL_PIXELS", 1000)
    assert read(video(tmp_path / "a.avi"))[0][1].shape == (24, 32, 3)


def test_huge_files_are_not_digested(tmp_path):
    with (tmp_path / "a.mp4").open("wb") as file:
        file.truncate(videos.MAX_VIDEO_BYTES + 1)
    with pytest.raises(InvalidDataError, match="the file has 16,384 MB, expected at most"):
        read(tmp_path / "a.mp4")


def sequence(folder, n=12, name="frame_{}.png", first=1):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(n):
        pixels = np.full((20, 30, 3), 10 + 10 * number, np.uint8)
        done, data = cv2.imencode(".png", pixels)
        assert done
        (folder / name.format(first + number)).write_bytes(data.tobytes())
    return folder


@pytest.fixture
def root(tmp_path):
    for place in ("train/wave/1", "train/fist/seq a", "test/wave/7"):
        sequence(tmp_path / "data" / place)
    return tmp_path / "data"


def greys(source, item):
    return [
        (round(seconds, 3), int(pixels[0, 0, 0])) for seconds, pixels in source.read(item).frames
    ]


def test_each_folder_is_a_sequence_of_the_label_above_it(root):
    assert find_source(root)[0] == "frames"
    items = make_source("frames", {}).scan(root).items
    assert {(item.source, item.label, item.split) for item in items} == {
        ("train/wave/1", "wave", "train"),
        ("train/fist/seq a", "fist", "train"),
        ("test/wave/7", "wave", "test"),
    }


def test_frame_2_comes_before_frame_10(root):
    source = make_source("frames", {"frame_rate": 10.0})
    assert greys(source, source.scan(root).items[0]) == [
        (round(n / 10, 3), 10 + 10 * n) for n in range(12)
    ]


def test_every_second_frame_keeps_its_time(root):
    source = make_source("frames", {"stride": 2})
    found = greys(source, source.scan(root).items[0])
    assert found == [(round(n / 30, 3), 10 + 10 * n) for n in range(0, 12, 2)]
    assert any("30 frames a second" in note for note in source.scan(root).notes)


def test_the_digest_is_that_of_all_frames_in_order(root):
    source, thin = make_source("frames", {}), make_source("frames", {"stride": 2})
    one, two, _ = source.scan(root).items
    assert source.read(one).sha256 == source.read(two).sha256 == thin.read(one).sha256
    frame_2, frame_3 = one.path / "frame_2.png", one.path / "frame_3.png"
    frame_2.rename(one.path / "x.png")
    frame_3.rename(frame_2)
    (one.path / "x.png").rename(frame_3)
    assert source.read(one).sha256 != source.read(two).sha256


def test_a_damaged_frame_fails_the_sequence_and_is_named(root):
    source = make_source("frames", {})
    item = source.scan(root).items[0]
    (item.path / "frame_7.png").write_bytes(b"")
    with pytest.raises(InvalidDataError, match=r"picture frame_7\.png: the file is empty"):
        list(source.read(item).frames)


def test_photos_of_a_person_in_a_folder_are_no_sequences(tmp_path):
    for person in ("anna", "ben"):
        folder = sequence(tmp_path / "fist" / person, 2)
        for number, path in enumerate(sorted(folder.iterdir())):
            path.rename(folder / f"{'xy'[number]}.png")
    assert find_source(tmp_path) == ("images", [])


def test_a_photo_beside_the_sequences_is_no_sequence_layout(root):
    (root / "train/wave/lonely.png").touch()
    assert find_source(root)[0] == "images"
    source = make_source("frames", {})
    assert source.scan(root).left_out == ["train/wave/lonely.png"]


def test_people_are_read_from_the_name_of_the_sequence(tmp_path):
    sequence(tmp_path / "wave" / "p03_7")
    source = make_source("frames", {"name_pattern": r"/(?P<group>p\d+)_"})
    (item,) = source.scan(tmp_path).items
    assert (item.label, item.group) == ("wave", "p03")


@pytest.mark.parametrize("options", [{"stride": 0}, {"frame_rate": 0.0}, {"frame_rate": -5.0}])
def test_frame_options_out_of_range_are_refused(options):
    with pytest.raises(HandloreError, match="expected"):
        make_source("frames", options)


def test_a_folder_with_the_name_of_a_picture_is_no_frame(root):
    source = make_source("frames", {})
    item = source.scan(root).items[0]
    (item.path / "frame_99.png").mkdir()
    assert len(greys(source, item)) == 12


def tree(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_a_split_is_never_taken_for_a_label(tmp_path):
    names = [f"{s}/{k}/IMG_{n}.jpg" for s in ("train", "test") for k in "ab" for n in range(8)]
    assert find_source(tree(tmp_path, *names))[0] == "images"


def test_photos_of_people_in_folders_of_their_own_are_no_clips(tmp_path):
    few = [f"fist/{who}/IMG_{n}.jpg" for who in ("anna", "ben") for n in range(3)]
    assert find_source(tree(tmp_path / "few", *few))[0] == "images"
    far = [f"fist/{who}/IMG_{n}.jpg" for who in ("anna", "ben") for n in range(0, 900, 90)]
    assert find_source(tree(tmp_path / "far", *far))[0] == "images"
    frames = [f"wave/{k}/frame_{n:04}.jpg" for k in range(2) for n in range(8)]
    assert find_source(tree(tmp_path / "frames", *frames))[0] == "frames"
