import zlib
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlore.datasets.rendered import (
    MOVEMENTS,
    POSES,
    Person,
    Pose,
    Scene,
    render_background,
    render_movement,
    render_pose,
    write_movement_videos,
    write_pictures,
)
from handlore.datasets.rendered.hand import Body
from handlore.landmarks.errors import HandloreError
from handlore.landmarks.hands import FINGERS

SMALL = (96, 96)
EXTENDED = {
    "call": {"thumb", "pinky"},
    "fist": set(),
    "four": {"index", "middle", "ring", "pinky"},
    "gun": {"thumb", "index"},
    "love": {"thumb", "index", "pinky"},
    "ok": {"middle", "ring", "pinky"},
    "open_palm": {"thumb", "index", "middle", "ring", "pinky"},
    "point": {"index"},
    "rock": {"index", "pinky"},
    "three": {"index", "middle", "ring"},
    "thumbs_up": {"thumb"},
    "victory": {"index", "middle"},
}
angles = st.lists(st.floats(-120, 120), min_size=26, max_size=26)


def joints_of(pose, person):
    return Body.build(pose, person).points[:21]


def bone_lengths(joints):
    chains = [(0, *finger) for finger in FINGERS.values()]
    return np.array([np.linalg.norm(np.diff(joints[list(c)], axis=0), axis=1) for c in chains])


def straightness(joints, finger):
    """End-to-end length of a finger's three bones against their sum: 1 is straight."""
    chain = joints[list(FINGERS[finger])]
    return (
        np.linalg.norm(chain[-1] - chain[0]) / np.linalg.norm(np.diff(chain, axis=0), axis=1).sum()
    )


def path_of(movement, scene=None, fps=30.0, landmark=0):
    scene = scene or Scene()
    frames = render_movement(movement, Person(), scene, fps=fps, size=SMALL, painted=False)
    return {round(t, 6): picture.image[landmark] for t, picture in frames}


def test_there_are_enough_of_them():
    assert len(POSES) >= 10
    assert len(MOVEMENTS) >= 6


@given(angles)
def test_a_pose_survives_being_a_vector(values):
    pose = Pose.from_vector(np.array(values))
    np.testing.assert_array_equal(pose.to_vector(), values)


@given(angles, st.integers(0, 50))
def test_bones_keep_their_lengths_whatever_the_pose(values, seed):
    person = Person.random(seed)
    flat = joints_of(POSES["open_palm"], person)
    pose = Pose.from_vector(np.array(values))
    bent, backs = joints_of(pose, person), Body.build(pose, person).backs
    np.testing.assert_allclose(bone_lengths(bent), bone_lengths(flat), atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(backs, axis=1), 1, atol=1e-9)


def test_palm_length_is_the_persons():
    joints = joints_of(POSES["fist"], Person(palm=0.1))
    assert np.linalg.norm(joints[9] - joints[0]) == pytest.approx(0.1)


@pytest.mark.parametrize("pose", sorted(POSES))
def test_fingers_are_as_the_pose_is_named(pose):
    joints = joints_of(POSES[pose], Person())
    for finger in FINGERS:
        stretched = straightness(joints, finger) > (0.98 if finger == "thumb" else 0.9)
        assert stretched == (finger in EXTENDED[pose]), finger


def test_thumb_and_index_touch_in_ok():
    joints = joints_of(POSES["ok"], Person(palm=1.0))
    assert np.linalg.norm(joints[4] - joints[8]) < 0.25


def test_a_right_palm_has_its_thumb_on_the_pictures_right():
    image = render_pose("open_palm", Person(), Scene(), size=SMALL).image
    assert image[4, 0] > image[0, 0] > image[20, 0]
    assert image[12, 1] < image[0, 1]


def test_fingers_curl_towards_the_camera_when_the_palm_faces_it():
    picture = render_pose("fist", Person(), Scene(), size=SMALL)
    assert (picture.image[[6, 10, 14, 18], 2] < 0).all()
    assert (picture.world[[6, 10, 14, 18], 2] < picture.world[0, 2]).all()


def test_thumb_points_up_in_thumbs_up():
    image = render_pose("thumbs_up", Person(), Scene(), size=SMALL).image
    assert image[:, 1].argmin() == 4


@given(st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_image_landmarks_are_the_projection_of_the_world_landmarks(seed):
    scene = Scene.random(np.random.default_rng(seed))
    picture = render_pose("victory", Person(), replace(scene, x=0.5, y=0.5, distance=50.0))
    world = picture.world - picture.world[0]
    image = picture.image - picture.image[0]
    # From afar a projection is a scaling: `size` of the shorter side a palm length.
    np.testing.assert_allclose(image, world * scene.size / Person().palm, atol=4e-3)
    np.testing.assert_allclose(picture.world.mean(axis=0), 0, atol=1e-6)


def test_near_things_are_larger():
    near = render_pose("fist", Person(), Scene(distance=0.25), size=SMALL).image
    far = render_pose("fist", Person(), Scene(distance=5.0), size=SMALL).image
    spread = [np.linalg.norm(image[18, :2] - image[6, :2]) for image in (near, far)]
    assert spread[0] > 1.05 * spread[1]


@pytest.mark.parametrize("pose", ["call", "thumbs_up", "open_palm"])
def test_a_left_hand_is_the_mirror_image_of_the_right(pose):
    scene = Scene(
        yaw=15, pitch=-5, roll=12, looseness=4, seed=3, noise=0, background="plain",
        light=(0, -0.5, -1),
    )  # fmt: skip
    right = render_pose(pose, Person(), scene)
    left = render_pose(pose, Person(), replace(scene, hand="left"))
    np.testing.assert_allclose(left.image * (-1, 1, 1) + (1, 0, 0), right.image, atol=1e-6)
    np.testing.assert_allclose(left.world * (-1, 1, 1), right.world, atol=1e-6)
    assert (right.handedness, left.handedness) == (1.0, 0.0)
    difference = np.abs(left.pixels[:, ::-1].astype(float) - right.pixels)
    assert difference.mean() < 1.0


def test_in_a_wide_picture_the_unit_is_the_width():
    square = render_pose("point", Person(), Scene(), size=(96, 96)).image
    wide = render_pose("point", Person(), Scene(), size=(192, 96)).image
    np.testing.assert_allclose((wide - wide[0])[:, :2] * 2, (square - square[0])[:, :2], atol=1e-6)
    assert wide[:, 1].max() < 0.5


@pytest.mark.parametrize("pose", sorted(POSES))
def test_landmarks_lie_inside_random_pictures(pose):
    for seed in range(8):
        scene = Scene.random(np.random.default_rng([seed, zlib.crc32(pose.encode())]))
        image = render_pose(pose, Person.random(seed), scene, size=SMALL).image
        assert image[:, :2].min() > 0
        assert image[:, :2].max() < 1


def test_the_hand_is_drawn_where_the_landmarks_are():
    scene = Scene(background="plain", noise=0, seed=1)
    picture = render_pose("open_palm", Person(), scene)
    red = picture.pixels[..., 0].astype(int) - picture.pixels[..., 2]
    columns, rows = (picture.image[:, :2] * 320).astype(int).T
    assert (red[rows, columns] > 20).all()
    assert (red[:60] < 20).all()


def test_the_same_arguments_make_the_same_picture():
    scene = Scene.random(np.random.default_rng(5))
    assert scene == Scene.random(np.random.default_rng(5))
    assert Person.random(2) == Person.random(2) != Person.random(3)
    one, two = (render_pose("rock", Person.random(2), scene) for _ in range(2))
    np.testing.assert_array_equal(one.pixels, two.pixels)
    np.testing.assert_array_equal(one.image, two.image)


def test_picture_has_the_size_and_types_promised():
    picture = render_pose("four", Person(), Scene(), size=(161, 90))
    assert picture.pixels.shape == (90, 161, 3)
    assert picture.pixels.dtype == np.uint8
    assert picture.image.dtype == picture.world.dtype == np.float32
    assert picture.image[0, 2] == 0


def test_a_hand_outside_the_picture_leaves_the_background():
    scene = Scene(x=4.0, background="plain", noise=0)
    pixels = render_pose("fist", Person(), scene, size=SMALL).pixels
    assert (pixels == pixels[0, 0]).all()


@pytest.mark.parametrize(
    ("movement", "axis", "sign"),
    [("swipe_left", 0, -1), ("swipe_right", 0, 1), ("swipe_up", 1, -1), ("swipe_down", 1, 1)],
)
@pytest.mark.parametrize("hand", ["right", "left"])
def test_swipes_go_where_they_say(movement, axis, sign, hand):
    wrist = np.array(list(path_of(movement, Scene(hand=hand)).values()))[:, :2]
    steps = np.diff(wrist, axis=0) * sign
    assert (steps[:, axis] > -1e-6).all()
    assert steps[:, axis].sum() > 0.3
    assert abs(wrist[-1, 1 - axis] - wrist[0, 1 - axis]) < 1e-6


def test_push_makes_the_hand_larger():
    frames = [p for _, p in render_movement("push", Person(), Scene(), fps=5, painted=False)]
    palms = [np.linalg.norm(p.image[9, :2] - p.image[0, :2]) for p in frames]
    assert palms[-1] > 1.3 * palms[0]


def test_grab_closes_and_release_opens():
    for movement, sign in (("grab", -1), ("release", 1)):
        frames = [p for _, p in render_movement(movement, Person(), Scene(), fps=5, painted=False)]
        change = straightness(frames[-1].world, "middle") - straightness(frames[0].world, "middle")
        assert change * sign > 0.3


def test_circle_comes_back_and_wave_swings():
    circle = np.array(list(path_of("circle").values()))[:, :2]
    np.testing.assert_allclose(circle[0], circle[-1], atol=0.01)
    assert (np.ptp(circle, axis=0) > 0.3).all()
    swing = np.diff(np.array(list(path_of("wave", landmark=12).values()))[:, 0])
    assert (np.diff(np.sign(swing[np.abs(swing) > 1e-6])) != 0).sum() >= 4


@pytest.mark.parametrize("movement", sorted(MOVEMENTS))
def test_movements_depend_on_time_not_on_frames(movement):
    scene = Scene(tempo=1.1, looseness=3)
    slow, fast = path_of(movement, scene, fps=10), path_of(movement, scene, fps=30)
    assert set(slow) <= set(fast)
    for time, wrist in slow.items():
        np.testing.assert_array_equal(wrist, fast[time])
    assert max(fast) == pytest.approx(MOVEMENTS[movement].seconds / 1.1, abs=1 / 30)


def test_backgrounds_are_deterministic_and_not_skin():
    pictures = [render_background(seed, size=(80, 60)) for seed in range(20)]
    assert {p.shape for p in pictures} == {(60, 80, 3)}
    np.testing.assert_array_equal(pictures[3], render_background(3, size=(80, 60)))
    assert not np.array_equal(pictures[3], pictures[4])
    reddish = [(p[..., 0].astype(int) - p[..., 2] > 40).mean() for p in pictures]
    assert max(reddish) < 0.02


def test_written_pictures_and_truth_belong_together(tmp_path):
    calls = []
    arguments = {"poses": ["open_palm", "fist"], "n_people": 2, "per_pose": 2, "size": SMALL}
    paths = write_pictures(tmp_path, **arguments, progress=lambda *done: calls.append(done))
    assert [p.relative_to(tmp_path).as_posix() for p in paths[:5]] == [
        "open_palm/open_palm_p01_1.png",
        "open_palm/open_palm_p01_2.png",
        "open_palm/open_palm_p02_1.png",
        "open_palm/open_palm_p02_2.png",
        "fist/fist_p01_1.png",
    ]
    assert calls == [(k, 8) for k in range(1, 9)]
    with np.load(tmp_path / "truth.npz", allow_pickle=False) as truth:
        assert truth["path"].tolist() == [p.relative_to(tmp_path).as_posix() for p in paths]
        assert truth["image"].shape == truth["world"].shape == (8, 21, 3)
        assert truth["handedness"].tolist() == [1, 0] * 4
    assert cv2.imread(str(paths[0])).shape == (96, 96, 3)
    assert [p for p in tmp_path.rglob("*") if p.is_file() and p not in paths] == [
        tmp_path / "truth.npz"
    ]


def test_writing_twice_gives_the_same_bytes_and_a_larger_set_the_same_pictures(tmp_path):
    small = {"poses": ["call"], "n_people": 1, "per_pose": 1, "size": SMALL, "seed": 7}
    first = write_pictures(tmp_path / "a", **small)
    second = write_pictures(tmp_path / "b", **small)
    larger = write_pictures(tmp_path / "c", **{**small, "poses": ["ok", "call"], "n_people": 2})
    other = write_pictures(tmp_path / "d", **{**small, "seed": 8})
    picture = first[0].read_bytes()
    assert picture == second[0].read_bytes() == larger[2].read_bytes() != other[0].read_bytes()
    truths = [(tmp_path / folder / "truth.npz").read_bytes() for folder in "ab"]
    assert truths[0] == truths[1]


def test_written_videos_have_the_frames_of_the_movement(tmp_path):
    paths = write_movement_videos(
        tmp_path, movements=["swipe_left"], n_people=1, per_movement=1, fps=10, size=SMALL
    )
    assert [p.relative_to(tmp_path).as_posix() for p in paths] == [
        "swipe_left/swipe_left_p01_1.mp4"
    ]
    assert len(list(tmp_path.rglob("*.mp4"))) == 1
    video = cv2.VideoCapture(str(paths[0]))
    assert video.get(cv2.CAP_PROP_FPS) == 10
    assert 8 <= video.get(cv2.CAP_PROP_FRAME_COUNT) <= 13
    assert video.read()[1].shape == (96, 96, 3)


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: render_pose("fits", Person(), Scene()), POSES),
        (lambda: next(render_movement("swype", Person(), Scene())), MOVEMENTS),
    ],
)
def test_unknown_names_list_the_known_ones(call, names):
    with pytest.raises(HandloreError, match="unknown rendered") as problem:
        call()
    assert all(name in str(problem.value) for name in names)


def test_unknown_names_are_found_before_anything_is_written(tmp_path):
    with pytest.raises(HandloreError, match="unknown rendered pose 'nope'"):
        write_pictures(tmp_path, poses=["fist", "nope"])
    with pytest.raises(HandloreError, match="unknown rendered movement 'nope'"):
        write_movement_videos(tmp_path, movements=["wave", "nope"])
    assert not list(tmp_path.iterdir())


def test_a_file_in_the_folders_place_is_one_clear_line(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(HandloreError, match=r"cannot make the folder .*taken"):
        write_pictures(tmp_path / "taken", poses=["fist"], n_people=1, per_pose=1, size=SMALL)


def test_no_pictures_is_an_empty_truth(tmp_path):
    assert write_pictures(tmp_path / "none", poses=[]) == []
    with np.load(tmp_path / "none" / "truth.npz", allow_pickle=False) as truth:
        assert truth["image"].shape == (0, 21, 3)


@pytest.mark.parametrize("movement", sorted(MOVEMENTS))
def test_movements_stay_inside_random_pictures(movement):
    for seed in range(3):
        scene = Scene.random(np.random.default_rng([seed, zlib.crc32(movement.encode())]))
        look = {"fps": 6, "size": SMALL, "painted": False}
        for _, picture in render_movement(movement, Person.random(seed), scene, **look):
            assert picture.image[:, :2].min() > 0
            assert picture.image[:, :2].max() < 1


def test_the_back_of_a_right_hand_has_its_thumb_on_the_pictures_left():
    scene = Scene.random(np.random.default_rng(0), hand="right", back=True)
    image = render_pose("open_palm", Person(), replace(scene, roll=0), size=SMALL).image
    assert image[4, 0] < image[0, 0] < image[20, 0]
