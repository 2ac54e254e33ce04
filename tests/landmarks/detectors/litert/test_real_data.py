"""The LiteRT detector held to MediaPipe's answers on real pictures and videos."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from handlore.datasets.pictures import read_picture
from handlore.datasets.rendered import (
    Person,
    Scene,
    render_background,
    render_movement,
    render_pose,
)
from handlore.landmarks.detectors.litert import AdaptiveSchedule, LiteRTDetector
from handlore.landmarks.detectors.mediapipe import MediaPipeDetector
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.weights import require_bundle

pytestmark = pytest.mark.slow


def every_frame():
    """Return the schedule of MediaPipe: whenever fewer hands are tracked than were asked for."""
    return AdaptiveSchedule(second_hand=0, alert=0, after_loss=0, heartbeat=0)


@pytest.fixture(scope="module")
def both():
    bundle = require_bundle("full")
    with (
        quiet_native_log(),
        MediaPipeDetector(bundle) as reference,
        LiteRTDetector(bundle) as ours,
    ):
        yield reference, ours


def image_distance(one, other):
    """Mean distance in the picture, in image widths."""
    return np.linalg.norm((one.image - other.image)[:, :2], axis=1).mean()


@pytest.mark.parametrize(
    ("pattern", "n"),
    [("hgr1/*.[jJ][pP][gG]", 500), ("asl_massey/*/*", 1000), ("hagrid_sample/*/*.jpg", 40)],
    ids=["hgr1", "asl_massey", "hagrid_sample"],
)
def test_stills_are_those_of_mediapipe(both, real_data, pattern, n):
    reference, ours = both
    files = sorted(real_data.glob(pattern))
    assert len(files) >= n
    differ, image, world, sides = 0, [], [], []
    for file in files:
        pixels = read_picture(file)[0]
        expected, found = reference.detect(pixels), ours.detect(pixels)
        differ += bool(expected) != bool(found)
        for one, other in zip(expected, found, strict=False):
            image.append(image_distance(one, other))
            world.append(np.linalg.norm(one.world - other.world, axis=1).mean())
            sides.append(one.side == other.side)
    assert differ <= 0.005 * len(files)
    assert np.mean(np.array(image) <= 0.005) >= 0.99
    assert np.median(world) <= 0.003
    assert np.mean(sides) >= 0.995


@pytest.mark.parametrize(("schedule", "lost"), [(AdaptiveSchedule, 0), (every_frame, 1)])
def test_videos_are_tracked_as_mediapipe_tracks_them(both, real_data, schedule, lost):
    """GIFs of a webcam, clips of a phone and rendered movements together, frame by frame.

    A blurred hand that the network half believes in sends both ways for some frames: the region
    follows from the landmarks and the landmarks from the region, so a thousandth of a pixel grows
    (phone_clips/H-0.mp4, frame 11, presence 0.59). There mediapipe differs from itself by more
    than 1 % in 6 to 12 of 95 frames, and loses a frame more in two of three trials, when its
    pictures get a noise of one grey level. So the schedule that is not the default may lose one.
    """
    reference, _ = both
    apart, n_expected, n_found = [], 0, 0
    with LiteRTDetector(require_bundle("full"), schedule=schedule()) as ours:
        for frames in videos(real_data):
            reference.reset()
            ours.reset()
            for seconds, pixels in frames:
                expected, found = reference.track(pixels, seconds), ours.track(pixels, seconds)
                n_expected += len(expected)
                n_found += len(found)
                apart += [image_distance(a, b) for a, b in zip(expected, found, strict=False)]
    assert n_expected > 800
    assert n_found >= n_expected - lost
    assert np.mean(np.array(apart) <= 0.01) >= 0.98


def videos(real_data):
    for pattern in ("webcam_gifs/*.gif", "phone_clips/*.mp4"):
        for file in sorted(real_data.glob(pattern)):
            yield frames_of(file)
    for number, movement in enumerate(("wave", "grab", "swipe_left", "circle")):
        person, scene = Person.random(number), Scene.random(np.random.default_rng(number))
        frames = render_movement(movement, person, scene, fps=30, size=(320, 240))
        yield ((seconds, picture.pixels) for seconds, picture in frames)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux")
def test_memory_does_not_grow_with_the_number_of_frames():
    hand = render_pose("open_palm", Person(), Scene(), size=(640, 480)).pixels
    empty = render_background(1, size=(640, 480))
    frames = [np.roll(hand, k, axis=1) for k in range(10)] + [empty] * 10
    with quiet_native_log(), LiteRTDetector(require_bundle("lite"), max_hands=2) as ours:
        used = []
        for k in range(1200):
            ours.track(frames[k % len(frames)], k / 30)
            if k in (300, 1199):
                used.append(int(Path("/proc/self/statm").read_text().split()[1]) * 4096)
    assert used[1] - used[0] < 3e6


def frames_of(file: Path):
    capture = cv2.VideoCapture(str(file))
    fps = min(capture.get(cv2.CAP_PROP_FPS) or 30, 60)
    number = 0
    while True:
        fine, frame = capture.read()
        if not fine:
            break
        yield number / fps, cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        number += 1
    capture.release()
