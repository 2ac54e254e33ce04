"""The LiteRT detector compared with MediaPipe's own results, and what only it offers."""

import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from shutil import which

import cv2
import numpy as np
import pytest

from handlore.datasets.rendered import (
    Person,
    Scene,
    render_background,
    render_movement,
    render_pose,
)
from handlore.landmarks.detector import HandDetector
from handlore.landmarks.detectors.litert import (
    UPRIGHT_PALM_ANGLE,
    AdaptiveSchedule,
    LiteRTDetector,
)
from handlore.landmarks.detectors.litert import detector as module
from handlore.landmarks.detectors.litert.detector import _Motion
from handlore.landmarks.detectors.mediapipe import MediaPipeDetector
from handlore.landmarks.nativelog import quiet_native_log
from handlore.landmarks.weights import require_bundle

SMALL = (320, 240)


def every_frame():
    """Return the schedule of MediaPipe: whenever fewer hands are tracked than were asked for."""
    return AdaptiveSchedule(second_hand=0, alert=0, after_loss=0, heartbeat=0)


@pytest.fixture(scope="module", params=[1, 2], ids=["one hand", "two hands"])
def both(request):
    """MediaPipe and LiteRT, looking for as many hands."""
    bundle, n = require_bundle("full"), request.param
    with (
        quiet_native_log(),
        MediaPipeDetector(bundle, max_hands=n) as reference,
        LiteRTDetector(bundle, max_hands=n) as ours,
    ):
        yield reference, ours


@pytest.fixture(scope="module")
def ours():
    with quiet_native_log(), LiteRTDetector(require_bundle("full")) as opened:
        yield opened


def assert_same_hands(
    reference: HandDetector, ours: HandDetector, pixels, *, atol=0.002, **how
) -> int:
    expected, found = reference.detect(pixels, **how), ours.detect(pixels, **how)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.image, other.image, atol=atol)
        np.testing.assert_allclose(one.world, other.world, atol=0.001)
        assert one.handedness == pytest.approx(other.handedness, abs=0.02)
        assert 0.0 < one.score <= 1
    return len(found)


def test_rendered_hands_are_found_as_mediapipe_finds_them(both, pictures):
    files = sorted(pictures.glob("*/*.png")) or sorted(pictures.rglob("*.png"))
    assert len(files) >= 24
    n = sum(
        assert_same_hands(*both, cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB))
        for file in files[::2]
    )
    assert n >= 10


@pytest.mark.parametrize("size", [(480, 320), (320, 480), (641, 207)], ids=["wide", "tall", "odd"])
def test_pictures_that_are_not_square(both, size):
    for side in ("left", "right"):
        picture = render_pose("victory", Person(), Scene(size=0.25, hand=side), size=size)
        assert assert_same_hands(*both, picture.pixels) == 1


def test_two_hands_side_by_side(both):
    left, right = (render_pose("open_palm", Person(), Scene(hand=h)) for h in ("left", "right"))
    n = assert_same_hands(*both, np.hstack([right.pixels, left.pixels]))
    assert n == both[1]._max_hands


def test_low_thresholds(both):
    blurred = cv2.GaussianBlur(render_pose("fist", Person(), Scene()).pixels, (0, 0), 7)
    assert_same_hands(*both, blurred, min_confidence=0.1)
    assert_same_hands(*both, blurred, atol=0.003, min_confidence=0.9)


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 300), (300, 1), (50, 20_000), (7, 5)], ids=lambda s: f"{s[1]}x{s[0]}"
)
def test_pictures_of_strange_shapes_do_no_harm(ours, shape):
    pixels = np.random.default_rng(0).integers(0, 255, (*shape, 3), np.uint8)
    assert ours.detect(pixels) == []


def test_very_large_pictures_are_thinned_out(ours):
    small = render_pose("open_palm", Person(), Scene()).pixels
    (known,) = ours.detect(small)
    factor = -(-12_200 // small.shape[1])
    (hand,) = ours.detect(cv2.resize(small, None, fx=factor, fy=factor))
    assert np.abs(hand.image - known.image)[:, :2].max() < 0.02


def test_pixels_need_not_be_contiguous(ours):
    pixels = render_pose("open_palm", Person(), Scene()).pixels
    (known,) = ours.detect(pixels)
    (hand,) = ours.detect(np.asfortranarray(pixels))
    np.testing.assert_array_equal(hand.image, known.image)


def test_an_upright_first_crop_can_be_asked_for(ours):
    picture = render_pose("open_palm", Person(), Scene())
    (known,) = ours.detect(picture.pixels)
    with LiteRTDetector(require_bundle("full"), palm_target_angle=UPRIGHT_PALM_ANGLE) as upright:
        (hand,) = upright.detect(picture.pixels)
    apart = np.abs(hand.image - known.image)[:, :2].max()
    assert 0 < apart < 0.05


def test_lite_networks(both):
    bundle = require_bundle("lite")
    pixels = render_pose("open_palm", Person(), Scene()).pixels
    with MediaPipeDetector(bundle) as reference, LiteRTDetector(bundle) as lite:
        assert assert_same_hands(reference, lite, pixels) == 1
        assert lite.info.landmarker == "lite"


@pytest.fixture
def video():
    with quiet_native_log(), LiteRTDetector(require_bundle("full")) as opened:
        yield opened


@pytest.fixture
def palm_calls(monkeypatch):
    """The times palms were sought, by the clock of the frames."""
    calls, real = [], module.find_palms

    def counted(*args):
        calls.append(args)
        return real(*args)

    monkeypatch.setattr(module, "find_palms", counted)
    return calls


@pytest.fixture(scope="module")
def open_palm():
    return render_pose("open_palm", Person(), Scene()).pixels


def distances(hands, others):
    return [
        np.linalg.norm((one.image - other.image)[:, :2], axis=1).mean()
        for one, other in zip(hands, others, strict=False)
    ]


@pytest.mark.parametrize("movement", ["swipe_right", pytest.param("grab", marks=pytest.mark.slow)])
def test_a_rendered_video_is_tracked_as_mediapipe_tracks_it(movement):
    bundle = require_bundle("full")
    apart, n_reference, n_every, n_thrifty = [], 0, 0, 0
    with (
        quiet_native_log(),
        MediaPipeDetector(bundle) as reference,
        LiteRTDetector(bundle, schedule=every_frame()) as every,
        LiteRTDetector(bundle) as thrifty,
    ):
        for seconds, picture in render_movement(
            movement, Person(), Scene(), fps=30, size=(320, 240)
        ):
            expected = reference.track(picture.pixels, seconds)
            found = every.track(picture.pixels, seconds)
            n_reference += len(expected)
            n_every += len(found)
            n_thrifty += len(thrifty.track(picture.pixels, seconds))
            apart += distances(expected, found)
    assert n_reference > 10
    assert n_every >= n_reference
    assert n_thrifty >= n_reference
    assert np.mean(np.array(apart) <= 0.01) >= 0.98


def tracks(detector):
    """Return what the detector follows, one object per hand."""
    return tuple(detector._tracker.tracks)


def test_two_hands_keep_their_places(open_palm):
    frames = [np.hstack([np.roll(open_palm, 3 * k, axis=1), open_palm[:, ::-1]]) for k in range(12)]
    bundle = require_bundle("full")
    with (
        quiet_native_log(),
        MediaPipeDetector(bundle, max_hands=2) as reference,
        LiteRTDetector(bundle, max_hands=2, schedule=every_frame()) as ours,
    ):
        followed, sides = [], set()
        for k, frame in enumerate(frames):
            expected, found = reference.track(frame, k / 30), ours.track(frame, k / 30)
            assert len(found) == len(expected) == 2
            assert max(distances(expected, found)) < 0.01
            followed.append(tracks(ours))
            sides.add(tuple(hand.side for hand in found))
    assert len(sides) == 1
    assert all(
        one is first for seen in followed for one, first in zip(seen, followed[0], strict=True)
    )


def test_a_hand_that_leaves_and_returns_is_another_track(video, open_palm):
    empty = render_background(3, size=(open_palm.shape[1], open_palm.shape[0]))
    assert tracks(video) == ()
    seen = []
    for k, pixels in enumerate([open_palm] * 3 + [empty] * 12 + [open_palm] * 9):
        seen.append((bool(video.track(pixels, k / 30)), tracks(video)))
    (before,), (after,) = seen[2][1], seen[-1][1]
    assert [seen[k][0] for k in (2, 14, -1)] == [True, False, True]
    assert seen[14][1] == ()
    assert before is not after


def test_palms_are_not_sought_while_all_hands_are_tracked(video, palm_calls, open_palm):
    for k in range(30):
        assert len(video.track(open_palm, k / 30)) == 1
    assert len(palm_calls) == 1


def test_for_a_second_hand_palms_are_sought_now_and_then(palm_calls, open_palm):
    with LiteRTDetector(require_bundle("full"), max_hands=2) as video:
        for k in range(90):
            assert len(video.track(open_palm, k / 30)) == 1
    assert 5 <= len(palm_calls) <= 14


def test_an_empty_scene_costs_a_few_looks_a_second(video, palm_calls):
    still, random = render_background(5, size=(320, 240)).astype(np.int16), np.random.default_rng(0)
    for k in range(120):
        noise = random.normal(0, 6, still.shape)
        frame = np.clip(still + noise, 0, 255).astype(np.uint8)
        assert video.track(frame, k / 30) == []
    assert len(palm_calls) <= 4 * 3 + 4


def test_a_hand_that_appears_is_found_within_150_ms(video, open_palm):
    empty = render_background(5, size=(open_palm.shape[1], open_palm.shape[0]))
    for k in range(37):
        assert video.track(empty, k / 30) == []
    found = [k for k in range(37, 50) if video.track(open_palm, k / 30)]
    assert found[0] / 30 - 36 / 30 <= 0.15
    assert len(found) == 50 - found[0]


def test_a_hand_that_jumps_is_found_again_in_the_same_frame(video, open_palm):
    wide = np.full((open_palm.shape[0], 3 * open_palm.shape[1], 3), 90, np.uint8)
    there = wide.copy()
    wide[:, : open_palm.shape[1]] = open_palm
    there[:, -open_palm.shape[1] :] = open_palm
    for k in range(5):
        assert video.track(wide, k / 30)
    (hand,) = video.track(there, 5 / 30)
    assert hand.image[0, 0] > 0.6


class FirstFrame(AdaptiveSchedule):
    """Detects palms in the first frame only."""

    def due(self, picture, seconds, n_tracked):
        return seconds == 0

    def lost(self, seconds):
        return False


def test_a_lost_hand_is_found_where_it_is_expected_without_palm_detection():
    """The hand is out of sight in frames 4 and 5, and moves on meanwhile."""
    hand = render_pose("open_palm", Person(), Scene(), size=(320, 240)).pixels
    room = np.full((240, 960, 3), hand[0, 0], np.uint8)
    with LiteRTDetector(require_bundle("full"), schedule=FirstFrame()) as video:
        wrists, seen = [], set()
        for k in range(10):
            frame = room.copy()
            if k not in (4, 5):
                frame[:, 40 + 30 * k : 360 + 30 * k] = hand
            wrists += [(k, found.image[0, 0] * 960) for found in video.track(frame, k / 30)]
            seen |= {id(track) for track in tracks(video)}
    assert [k for k, _ in wrists] == [0, 1, 2, 3, 6, 7, 8, 9]
    assert len(seen) == 1
    moved = np.diff([x for _, x in wrists])
    np.testing.assert_allclose(moved, [30, 30, 30, 90, 30, 30, 30], atol=6)


@pytest.fixture
def hand_calls(monkeypatch):
    """The regions in which the hand network ran."""
    calls, real = [], module.hand_in_region

    def counted(networks, picture, region):
        calls.append(region)
        return real(networks, picture, region)

    monkeypatch.setattr(module, "hand_in_region", counted)
    return calls


def test_a_hand_that_its_region_cuts_off_is_detected_again(video, hand_calls, open_palm):
    (known,) = video.track(open_palm, 0.0)
    del hand_calls[:]
    video.track(open_palm, 0.1)
    assert len(hand_calls) == 1
    (track,) = tracks(video)
    track.region = track.region.turned(0, 0.7)
    del hand_calls[:]
    (hand,) = video.track(open_palm, 0.2)
    assert 2 <= len(hand_calls) <= module.MAX_PASSES
    assert distances([hand], [known])[0] < 0.01


def test_a_schedule_of_ones_own(open_palm):
    class Never(AdaptiveSchedule):
        def due(self, picture, seconds, n_tracked):
            return False

    with LiteRTDetector(require_bundle("full"), schedule=Never()) as video:
        assert [video.track(open_palm, k / 30) for k in range(3)] == [[], [], []]


@pytest.mark.parametrize("schedule", [AdaptiveSchedule, every_frame])
def test_a_hand_is_followed_when_the_frame_size_changes(open_palm, schedule):
    height, width = open_palm.shape[:2]
    sizes = [(width, height), (width // 2, height // 2), (3 * width // 2, 3 * height // 2)]
    with (
        quiet_native_log(),
        LiteRTDetector(require_bundle("full"), schedule=schedule()) as ours,
    ):
        found = [
            (ours.track(cv2.resize(open_palm, sizes[k // 4]), k / 30), tracks(ours))
            for k in range(12)
        ]
    assert all(one is found[0][1][0] for _, (one,) in found)
    first = found[0][0][0].image
    for hands, _ in found:
        assert np.abs(hands[0].image[:, :2] - first[:, :2]).max() < 0.02


def test_two_detectors_in_two_threads_answer_as_one():
    frames = [p.pixels for _, p in render_movement("grab", Person(), Scene(), fps=8)]

    def run(_):
        with LiteRTDetector(require_bundle("full")) as opened:
            return [
                [hand.image.tobytes() for hand in opened.track(frame, k / 8)]
                for k, frame in enumerate(frames)
            ]

    alone = run(0)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(run, range(2))) == [alone, alone]


def test_no_socket_is_opened(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    pixels = render_pose("open_palm", Person(), Scene()).pixels
    with LiteRTDetector(require_bundle("full")) as opened:
        assert opened.detect(pixels)
        assert opened.track(pixels, 0.0)


SCRIPT = """
import numpy as np
from handlore.landmarks.detectors.litert import LiteRTDetector
from handlore.landmarks.weights import require_bundle
with LiteRTDetector(require_bundle("full")) as opened:
    opened.detect(np.zeros((64, 64, 3), np.uint8))
    opened.track(np.zeros((64, 64, 3), np.uint8), 0.0)
import sys
assert "mediapipe" not in sys.modules
print("done")
"""


@pytest.mark.skipif(which("strace") is None, reason="needs strace")
def test_no_system_call_asks_for_a_socket():
    command = ["strace", "-f", "-qq", "-e", "trace=%network", sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if "ptrace" in done.stderr and "done" not in done.stdout:
        pytest.skip("strace may not trace here")
    assert done.stdout.strip() == "done", done.stderr[-500:]
    assert "socket(" not in done.stderr


def test_a_read_only_view_of_a_buffer_that_changes_is_detected_again():
    hand = render_pose("open_palm", Person(), Scene()).pixels
    buffer = np.zeros_like(hand)
    view = buffer.view()
    view.flags.writeable = False
    with LiteRTDetector(require_bundle("full")) as ours:
        assert ours.detect(view) == []
        buffer[:] = hand
        assert len(ours.detect(view)) == 1


STILL = np.full((240, 320, 3), 120, np.uint8)


def looks(schedule, n_frames, fps, frame=lambda _: STILL, tracked=0):
    """Return the times at which palms are sought."""
    times = [k / fps for k in range(n_frames)]
    return [t for t in times if schedule.due(frame(t), t, tracked)]


def moving(seconds):
    frame = STILL.copy()
    x = int(300 * seconds) % 280
    frame[100:140, x : x + 40] = 200
    return frame


def test_every_frame_is_every_frame():
    assert len(looks(every_frame(), 30, 30)) == 30
    assert len(looks(every_frame(), 30, 30, tracked=1)) == 30


@pytest.mark.parametrize("fps", [5, 15, 30, 60, 120])
def test_a_still_scene_is_looked_at_by_time_not_by_frames(fps):
    n = len(looks(AdaptiveSchedule(), 10 * fps, fps))
    assert 18 <= n <= 26, "twice a second, and a little more at first"


@pytest.mark.parametrize("fps", [30, 60, 120])
def test_movement_is_followed_but_not_in_every_frame(fps):
    times = looks(AdaptiveSchedule(), 4 * fps, fps, moving)
    assert 30 <= len(times) <= 42
    assert np.diff(times).max() <= 0.15


@pytest.mark.parametrize("offset", np.arange(0, 0.5, 0.06))
def test_what_moves_is_looked_at_within_150_ms(offset):
    start = 3.0 + offset
    times = looks(AdaptiveSchedule(), 150, 30, lambda t: moving(t) if t >= start else STILL)
    first = next(t for t in times if t >= start)
    assert first - start <= 0.15


def test_a_slow_movement_adds_up():
    def drifting(seconds):
        frame = STILL.copy()
        frame[100:140, 100:140] += np.uint8(40 * seconds)
        return frame

    assert (
        len(looks(AdaptiveSchedule(), 75, 30, drifting))
        > len(looks(AdaptiveSchedule(), 75, 30)) + 5
    )


def test_a_missing_second_hand_is_sought_every_few_hundred_milliseconds():
    times = looks(AdaptiveSchedule(), 300, 30, moving, tracked=1)
    assert 0.45 <= np.diff(times).min() <= np.diff(times).max() <= 0.55


def test_a_loss_means_at_once():
    schedule = AdaptiveSchedule()
    looks(schedule, 60, 30)
    assert schedule.lost(2.0)
    assert not schedule.due(STILL, 2.01, 0), "it has just been done"
    frames = [k for k in range(1, 60) if schedule.due(STILL, 2 + k / 30, 0)]
    assert frames[:15] == list(range(1, 16)), "in every frame for half a second"
    assert len(frames) <= 15 + 4


def test_the_first_frame_is_looked_at_and_a_reset_makes_the_next_one_the_first():
    schedule = AdaptiveSchedule()
    assert schedule.due(STILL, 5.0, 0)
    assert not schedule.due(STILL, 5.01, 0)
    schedule.reset()
    assert schedule.due(STILL, 0.0, 0)


def test_noise_is_no_movement_and_a_hand_is():
    motion, random = _Motion(), np.random.default_rng(0)
    for _ in range(20):
        noisy = np.clip(STILL + random.normal(0, 12, STILL.shape), 0, 255).astype(np.uint8)
        motion.seen(noisy)
        motion.remember()
        noisy = np.clip(STILL + random.normal(0, 12, STILL.shape), 0, 255).astype(np.uint8)
        assert not motion.seen(noisy)
    hand = STILL.copy()
    hand[50:74, 50:74] = 160
    assert motion.seen(hand)


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (2000, 3), (31, 39)])
def test_motion_takes_pictures_of_any_size_and_a_change_of_size(shape):
    motion = _Motion()
    motion.seen(STILL)
    motion.remember()
    assert not motion.seen(np.full((*shape, 3), 120, np.uint8))
