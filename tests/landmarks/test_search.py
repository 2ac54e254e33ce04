from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from fakes import PLAIN, FakeDetector, hand_of

from handlore.datasets.rendered import POSES, Person, Scene, render_background, render_pose
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.geometry import palm_length
from handlore.landmarks.hands import Hand
from handlore.landmarks.opening import _ChosenHandDetector
from handlore.landmarks.search import augmented_hands, search
from handlore.landmarks.stages import (
    MIN_TILED_SIDE,
    SMOOTHED_STAGE,
    STAGES,
    TINTED_STAGE,
    WHOLE_STAGE,
    Stage,
    _turned,
)


class Recorder(FakeDetector):
    """A detector that finds a hand at a share of the picture, from its nth call on."""

    def __init__(self, finds_at=99, share=(0.5, 0.5)):
        super().__init__(lambda picture: [])
        self.calls = []
        self.finds_at = finds_at
        self.share = share

    def detect(self, picture, *, min_confidence, min_presence):
        self.calls.append((picture, min_confidence))
        if len(self.calls) <= self.finds_at:
            return []
        height, width = picture.shape[:2]
        mark = [self.share[0], self.share[1] * height / width, 0.25]
        image = np.tile(np.float32(mark), (21, 1))
        return [Hand(image, np.ones((21, 3), np.float32), 0.9)]


def picture_with_square(width, height, left, top, side=20):
    """A brown picture with a white square; its centre is known in pixels."""
    pixels = np.full((height, width, 3), (90, 60, 40), np.uint8)
    pixels[top : top + side, left : left + side] = 255
    return pixels


def centre_of_light(pixels):
    """Return the centre of what is bright, as a share of the width and of the height."""
    rows, columns = np.nonzero(pixels[..., 2] > 127)
    height, width = pixels.shape[:2]
    if not len(rows):
        return None
    return (columns.mean() + 0.5) / width, (rows.mean() + 0.5) / height


class SeesTheSquare(Recorder):
    """Takes the bright square for a hand."""

    def detect(self, picture, **how):
        self.share = centre_of_light(picture)
        return super().detect(picture, **how) if self.share else []


def test_stages_are_tried_in_order_until_none_is_left():
    detector, picture = Recorder(), picture_with_square(400, 300, 0, 0)
    assert search(detector, picture) == []
    shapes = [pixels.shape[:2] for pixels, _ in detector.calls]
    assert shapes[:5] == [(300, 400), (450, 600), (600, 800), (750, 1000), (900, 1200)]
    assert [confidence for _, confidence in detector.calls[:5]] == [0.5, 0.5, 0.1, 0.1, 0.1]
    # 1 in skin colour, tiles of a half (3 x 3) and a third (4 x 4), 5 turns, 3 x 3 padded tiles
    assert len(detector.calls) == 5 + 1 + 9 + 16 + 5 + 9


@pytest.mark.parametrize("stage", range(6))
def test_the_first_stage_that_finds_a_hand_is_the_last_tried_and_is_stored(stage):
    detector = Recorder(finds_at=stage)
    (hand,) = search(detector, np.zeros((300, 400, 3), np.uint8))
    assert hand.stage == stage
    assert len(detector.calls) == stage + 1


def test_small_pictures_are_not_cut_into_tiles_and_searched_again_smoothed():
    detector = Recorder()
    search(detector, np.zeros((200, 299, 3), np.uint8))
    assert len(detector.calls) == 5 + 1 + 5 + 5


class SeesSmoothOnly(Recorder):
    """Noise hides the hand from it, in detection and at a second look."""

    def detect(self, picture, **how):
        return super().detect(picture, **how) if is_smooth(picture) else []

    def detect_again(self, picture, hand, transforms=PLAIN):
        there = is_smooth(picture) and hand.handedness == 0.9
        return [replace(hand, score=0.9 * there) for _ in transforms]


NOISE = 40


def is_smooth(picture):
    y, x = picture.shape[0] // 2, picture.shape[1] // 2
    middle = picture[y - 50 : y + 50, x - 50 : x + 50, 0].astype(np.float32)
    return np.abs(np.diff(middle, axis=1)).mean() < 0.5 * NOISE


def test_a_small_picture_is_searched_again_smoothed():
    noise = np.random.default_rng(0).normal(128, NOISE, (256, 256, 3))
    picture = np.clip(noise, 0, 255).astype(np.uint8)
    (hand,) = search(SeesSmoothOnly(finds_at=0), picture)
    assert hand.stage == SMOOTHED_STAGE
    # Augmented copies are made from the smoothed picture too.
    assert augmented_hands(SeesSmoothOnly(), picture, [hand], 2)
    large = np.tile(picture, (2, 2, 1))
    assert search(SeesSmoothOnly(finds_at=0), large) == []


class SeesPalmsInColour(Recorder):
    """Palms in grey are none to it; hands are as probable there as it is made for."""

    def __init__(self, in_grey):
        super().__init__(finds_at=0)
        self.in_grey = in_grey

    def detect(self, picture, **how):
        return super().detect(picture, **how) if is_warm(picture) else []

    def detect_again(self, picture, hand, transforms=PLAIN):
        filling = np.isnan(hand.handedness)
        score = 0.9 if is_warm(picture) else self.in_grey * (not filling)
        return [replace(hand, score=score) for _ in transforms]


def is_warm(picture):
    red, green, blue = picture.reshape(-1, 3).mean(axis=0)
    return red > 1.8 * blue > 0 and red > 1.2 * green


def test_a_large_picture_without_colour_is_searched_again_tinted():
    grey = np.tile(np.random.default_rng(0).integers(60, 190, (300, 400, 1), np.uint8), 3)
    (hand,) = search(SeesPalmsInColour(0.96), grey)
    assert hand.stage == TINTED_STAGE
    assert augmented_hands(SeesPalmsInColour(0.96), grey, [hand], 2)
    assert search(SeesPalmsInColour(0.94), grey) == [], "the picture itself does not show it"
    assert search(SeesPalmsInColour(0.96), grey + np.uint8([1, 0, 0])) == []
    assert search(SeesPalmsInColour(0.96), grey[:200, :200].copy()) == []


class NotAgain(Recorder):
    """Finds a hand at once that is not there at a second look."""

    def detect_again(self, picture, hand, transforms=PLAIN):
        return [replace(hand, score=0.4) for _ in transforms]


class Elsewhere(Recorder):
    """Finds a hand whose landmarks are somewhere else at a second look."""

    def detect(self, picture, **how):
        hands = super().detect(picture, **how)
        marks = np.float32([[0.1 * (i % 5), 0.02 * i, 0] for i in range(21)])
        return [replace(hand, image=marks) for hand in hands]

    def detect_again(self, picture, hand, transforms=PLAIN):
        return [replace(hand, image=hand.image + np.float32(0.4), score=0.9) for _ in transforms]


@pytest.mark.parametrize("unsteady", [NotAgain, Elsewhere])
def test_what_a_late_stage_finds_must_stand_a_second_look(unsteady):
    picture = np.zeros((200, 200, 3), np.uint8)
    assert search(unsteady(finds_at=2), picture) == []
    assert len(search(unsteady(finds_at=0), picture)) == 1
    assert len(search(unsteady(finds_at=1), picture)) == 1


class SeesAll(Recorder):
    """Its palms are parts of the hand that fills the picture, which its hand network sees."""

    def __init__(self, finds_at=99, right=0.9):
        super().__init__(finds_at, share=(0.2, 0.2))
        self.right = right

    def detect_again(self, picture, hand, transforms=PLAIN):
        assumed, whole = np.isnan(hand.handedness), hand.handedness == self.right
        side = self.right if assumed else hand.handedness
        score = 0.6 if assumed else 0.7 + 0.25 * whole
        return [replace(hand, handedness=side, score=score) for _ in transforms]


def test_in_a_tight_crop_the_whole_hand_is_returned_not_a_part_of_it():
    (hand,) = search(SeesAll(finds_at=1, right=0.8), np.zeros((80, 100, 3), np.uint8))
    assert (hand.stage, hand.handedness, hand.score) == (1, 0.8, pytest.approx(0.95))
    (hand,) = search(SeesAll(finds_at=0, right=0.8), np.zeros((960, 1280, 3), np.uint8))
    assert hand.handedness == 0.9


def test_a_hand_that_was_found_in_a_part_of_the_picture_does_not_fill_it():
    picture, tiles = np.zeros((480, 640, 3), np.uint8), [STAGES[0], STAGES[6]]
    (hand,) = search(SeesAll(finds_at=1, right=0.8), picture, tiles)
    assert (hand.stage, hand.handedness) == (1, 0.9)


def test_a_hand_that_fills_the_picture_needs_no_palm():
    (hand,) = search(SeesAll(), np.zeros((80, 100, 3), np.uint8))
    assert hand.stage == WHOLE_STAGE
    assert search(SeesAll(), np.zeros((80, 100, 3), np.uint8), STAGES[:2]) == []


def test_a_hand_that_fills_the_picture_is_on_the_chosen_side():
    picture = np.zeros((80, 100, 3), np.uint8)
    assert search(_ChosenHandDetector(SeesAll(right=0.9), "left"), picture) == []
    (hand,) = search(_ChosenHandDetector(SeesAll(right=0.1), "left"), picture)
    assert hand.side == "left"


class Flips(Recorder):
    """Its hands are left ones at first, and right ones at a second look."""

    def detect(self, picture, **how):
        return [replace(hand, handedness=0.1) for hand in super().detect(picture, **how)]

    def detect_again(self, picture, hand, transforms=PLAIN):
        there = 0.0 if np.isnan(hand.handedness) else 0.9
        return [replace(hand, handedness=0.9, score=there) for _ in transforms]


def test_a_settled_hand_is_on_the_chosen_side():
    picture = np.zeros((480, 640, 3), np.uint8)
    assert search(Flips(finds_at=0), picture)[0].side == "right"
    assert search(_ChosenHandDetector(Flips(finds_at=0), "left"), picture) == []


@pytest.mark.parametrize("size", [(300, 1), (1, 300), (1, 1)])
def test_pictures_of_one_line(size):
    assert search(Recorder(), np.zeros((*size, 3), np.uint8)) == []


@pytest.mark.parametrize(
    "wrong", [np.zeros((48, 64), np.uint8), np.zeros((0, 4, 3), np.uint8), np.zeros((48, 64, 3))]
)
def test_what_is_no_picture(wrong):
    with pytest.raises(HandloreError, match="expected"):
        search(Recorder(), wrong, STAGES[:2])


class Merging(FakeDetector):
    """Finds two hands; looked at again, they become one."""

    def detect_again(self, picture, hand, transforms=PLAIN):
        spread = np.linspace(0, 0.1, 63, dtype=np.float32).reshape(21, 3)
        return [replace(hand, image=spread, score=0.9) for _ in transforms]


def test_two_hands_stay_two():
    hands = [hand_of(0.2, 0.9), hand_of(0.7, 0.1)]
    found = search(Merging(lambda picture: hands), np.zeros((480, 640, 3), np.uint8))
    assert [hand.image[0, 0] for hand in found] == [np.float32(0.2), np.float32(0.7)]


@pytest.mark.parametrize("pose", ["open_palm", "victory", "fist"])
def test_a_hand_that_was_found_stays_where_it_is_when_detected_again(detector, pose):
    picture = render_pose(pose, Person(), Scene()).pixels
    (hand,) = search(detector, picture)
    (again,) = detector.detect_again(picture, hand)
    (plain,) = detector.detect(picture)
    (moved,) = detector.detect_again(picture, plain)
    settled = np.linalg.norm(again.image - hand.image, axis=1).mean()
    assert settled < np.linalg.norm(moved.image - plain.image, axis=1).mean()


def test_only_the_stages_given_are_tried():
    detector = Recorder()
    search(detector, np.zeros((300, 400, 3), np.uint8), STAGES[:1])
    assert len(detector.calls) == 1


def test_the_picture_itself_is_not_changed():
    picture = picture_with_square(300, 200, 30, 40)
    before = picture.copy()
    search(Recorder(), picture)
    np.testing.assert_array_equal(picture, before)


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
@pytest.mark.parametrize(
    ("width", "height"), [(300, 300), (640, 480), (480, 640), (100, 80), (2000, 1000), (301, 97)]
)
def test_a_hand_is_mapped_back_to_where_it_is_in_the_original(stage, width, height):
    if "tiles" in stage.name and max(width, height) < MIN_TILED_SIDE:
        pytest.skip("small pictures are not cut into tiles")
    left, top, side = width // 2, height // 4, min(width, height) // 6
    picture = picture_with_square(width, height, left, top, side)
    (hand,) = search(SeesTheSquare(finds_at=0), picture, [stage])
    pixels = hand.image[0, :2] * width
    # A tile may cut the square; else exact but for the blurred edge of a picture that was scaled.
    slack = side if "tiles" in stage.name else max(width / 300, 0.5)
    np.testing.assert_allclose(pixels, [left + side / 2, top + side / 2], atol=slack)


@pytest.mark.parametrize("degrees", [90, -90, 180, 45, -45])
def test_world_landmarks_are_turned_back_with_the_picture(detector, degrees):
    stage = Stage("one turn", partial(_turned, 0.5, (degrees,)), 0.1)
    palm = render_pose("open_palm", Person(), Scene()).pixels
    (plain,), (other,) = search(detector, palm, STAGES[:1]), search(detector, palm, [stage])
    apart = np.linalg.norm(plain.world - other.world, axis=1)
    assert np.median(apart) < 0.012
    image = np.linalg.norm((plain.image - other.image)[:, :2], axis=1)
    assert np.median(image) < 0.1 * palm_length(plain.image)


@pytest.mark.parametrize("width", [100, 400, 2000])
@pytest.mark.parametrize(("stage", "wider"), [(0, 1.0), (1, 1.5), (2, 2.0), (3, 2.5), (4, 3.0)])
def test_depth_scales_with_the_picture(stage, wider, width):
    (hand,) = search(Recorder(finds_at=stage), np.zeros((width * 3 // 4, width, 3), np.uint8))
    np.testing.assert_allclose(hand.image[:, 2], 0.25 * wider, rtol=1e-6)
    np.testing.assert_array_equal(hand.world, 1)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (20_000, 50), (50, 20_000), (2, 500)])
def test_pictures_of_any_shape_are_searched_without_complaint(detector, width, height):
    assert search(detector, np.full((height, width, 3), 128, np.uint8)) == []


def tight_crop(pose, margin):
    """Return a picture cut off close to the hand, its landmarks in pixels, and the palm length."""
    picture = render_pose(pose, Person(), Scene(size=0.3))
    size = picture.pixels.shape[1]
    marks = picture.image[:, :2] * size
    palm = np.linalg.norm(marks[9] - marks[0])
    low = np.maximum(marks.min(axis=0) - margin * palm, 0).astype(int)
    high = np.minimum(marks.max(axis=0) + margin * palm, size).astype(int)
    crop = picture.pixels[low[1] : high[1], low[0] : high[0]]
    return np.ascontiguousarray(crop), marks - low, palm


def test_tight_crops_that_a_plain_call_misses_are_found_in_their_place(detector):
    found_plainly, apart = 0, []
    for pose in POSES:
        crop, marks, palm = tight_crop(pose, margin=0.08)
        found_plainly += bool(detector.detect(crop))
        (hand,) = search(detector, crop)
        there = hand.image[:, :2] * crop.shape[1]
        apart.append(np.median(np.linalg.norm(there - marks, axis=1)) / palm)
    assert found_plainly < len(POSES), "else this test shows nothing"
    assert np.median(apart) < 0.1


def test_stages_agree_on_where_a_hand_is(detector):
    for pose in ("open_palm", "victory", "point", "call"):
        picture = render_pose(pose, Person(), Scene()).pixels
        (plain,) = search(detector, picture, STAGES[:1])
        palm = np.linalg.norm(plain.image[9, :2] - plain.image[0, :2])
        for stage in STAGES[1:6]:
            (other,) = search(detector, picture, [stage])
            apart = np.linalg.norm(other.image[:, :2] - plain.image[:, :2], axis=1)
            assert np.median(apart) < 0.08 * palm, (pose, stage.name)


@pytest.mark.parametrize(
    "seed", [1, 11, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (4, 7, 9, 10))]
)
def test_no_stage_finds_a_hand_where_there_is_none(detector, seed):
    """In a wall, a gradient, noise and a room."""
    assert list(search(detector, render_background(seed))) == []
