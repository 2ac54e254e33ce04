import numpy as np
import pytest

from handlore.datasets.conversion.convert import ConvertOptions, convert
from handlore.datasets.sources import find_source, make_source
from handlore.landmarks.errors import HandloreError

HAND = np.linspace(0.1, 0.7, 63)
NONE = np.zeros(63)


@pytest.fixture
def tree(tmp_path):
    """Return a maker of a set: arrays by file."""

    def make(files):
        for name, array in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, array)
        return tmp_path

    return make


def converted(root, max_hands=1, none="", **options):
    how = ConvertOptions(max_hands, none=none)
    return convert(make_source("mp-holistic", options), root, None, how)


@pytest.mark.parametrize("above", ["MP_Data/", "", "some/MP_Data/"])
def test_folders_are_labels_and_sequences(tree, above):
    root = tree({f"{above}{name}": HAND for name in ("a/10/0.npy", "a/9/0.npy", "b/0/0.npy")})
    assert find_source(root)[0] == "mp-holistic"
    data = converted(root).dataset
    assert list(data.samples.label) == ["a", "a", "b"]
    assert list(data.samples.source) == [f"{above}a/9", f"{above}a/10", f"{above}b/0"]
    assert data.header.kind == "sequence"
    assert any("30 frames a second; pictures of 4:3" in line for line in data.header.log)


def test_frames_go_by_number_and_a_missing_one_leaves_a_gap_in_time(tree):
    frames = {n: HAND + n / 1000 for n in (10, 2, 1, 4)}
    root = tree({f"a/0/{n}.npy": frame for n, frame in frames.items()})
    data = converted(root, frame_rate=10.0).dataset
    assert data.time == pytest.approx([0, 0.1, 0.3, 0.9])
    assert data.image[:, 0, 0, 0] == pytest.approx([0.101, 0.102, 0.104, 0.11])


def test_zeros_are_no_hand(tree):
    root = tree({"idle/0/0.npy": NONE, "a/0/0.npy": HAND, "a/0/1.npy": NONE})
    done = converted(root, none="idle")
    assert done.summary()["n_no_hand"] == 1
    assert done.dataset.detected[:, 0].tolist() == [True, False, False]
    assert np.isnan(done.dataset.image[1]).all()
    assert list(done.dataset.samples.label) == ["a", "none"]


def test_coordinates_are_image_widths(tree):
    hand = HAND.reshape(21, 3)
    for aspect, ratio in (("4:3", 0.75), ("9:16", 16 / 9)):
        image = converted(tree({"a/0/0.npy": HAND}), aspect=aspect).dataset.image[0, 0]
        assert image == pytest.approx(hand * (1, ratio, 1), abs=1e-6)


@pytest.mark.parametrize("size", [126, 258, 1662])
def test_two_hands_go_to_their_slots(tree, size):
    before = np.full(size - 126, 0.9)
    root = tree({"a/0/0.npy": np.concatenate([before, HAND, HAND / 2])})
    data = converted(root, max_hands=2).dataset
    assert data.handedness[0].tolist() == [0, 1]
    assert data.image[0, :, 0, 0] == pytest.approx([0.1, 0.05])
    assert np.isnan(data.world).all()
    assert np.isnan(data.score).all()


def test_one_hand_alone_in_a_holistic_frame(tree):
    data = converted(tree({"a/0/0.npy": np.concatenate([NONE, HAND])}), max_hands=2).dataset
    assert data.detected[0].tolist() == [False, True]


def test_the_side_of_63_numbers_is_unknown(tree):
    data = converted(tree({"a/0/0.npy": HAND.reshape(21, 3)})).dataset
    assert np.isnan(data.handedness).all()


def test_mirrored_pictures_are_flipped_back(tree):
    root = tree({"a/0/0.npy": np.concatenate([HAND, NONE])})
    data = converted(root, mirrored=True).dataset
    assert data.handedness[0, 0] == 1
    assert data.image[0, 0, 0, 0] == pytest.approx(0.9)


def test_damaged_frames_cost_their_sequence(tree):
    root = tree({
        "a/0/0.npy": HAND,
        "a/1/0.npy": np.append(HAND[:-1], np.nan),
        "a/2/0.npy": HAND * 640,
        "a/3/0.npy": HAND[:62],
        "a/4/0.npy": HAND, "a/4/1.npy": np.tile(HAND, 2),
        "a/5/0.npy": HAND, "a/5/00.npy": HAND,
        "a/6/0.npy": HAND,
    })  # fmt: skip
    (root / "a/6/1.npy").write_bytes((root / "a/6/0.npy").read_bytes()[:200])
    done = converted(root)
    reasons = dict(done.failures)
    assert list(done.dataset.samples.source) == ["a/0"]
    assert reasons["a/1"].startswith("0.npy: a coordinate is nan")
    assert "expected shares of the picture" in reasons["a/2"]
    assert "expected 63, 126, 258, 1662 numbers" in reasons["a/3"]
    assert "different amounts" in reasons["a/4"]
    assert "two frames have the number" in reasons["a/5"]
    assert reasons["a/6"].startswith("1.npy: ")


def test_pickles_are_refused(tree):
    root = tree({"a/0/0.npy": HAND, "a/1/0.npy": np.array([print] * 63, object)})
    assert "it is object" in dict(converted(root).failures)["a/1"]


def test_options_that_make_no_sense_are_refused(tree):
    root = tree({"a/0/0.npy": HAND})
    with pytest.raises(HandloreError, match="--frame-rate is 0, expected"):
        converted(root, frame_rate=0.0)
    with pytest.raises(HandloreError, match="--aspect is '4', expected width:height"):
        converted(root, aspect="4")


def test_splits_and_files_that_do_not_fit(tree):
    root = tree({"train/a/0/0.npy": HAND, "test/a/0/0.npy": HAND, "mean.npy": HAND})
    done = converted(root)
    assert sorted(done.dataset.samples.split) == ["test", "train"]
    assert done.left_out == ("mean.npy",)


def test_the_real_sets(real_data):
    assert find_source(real_data / "mp_drone9")[0] == "mp-holistic"
    done = converted(real_data / "mp_drone9", none="idle")
    assert (done.n_items, done.n_converted, done.failures) == (270, 240, ())
    labels = done.dataset.samples.label
    assert list(labels[~done.dataset.has_hand]) == ["none"] * 30
    assert done.dataset.detected.sum() == 7063

    assert find_source(real_data / "mp_holistic")[0] == "mp-holistic"
    words = converted(real_data / "mp_holistic", max_hands=2).dataset
    assert {label: int((words.samples.label == label).sum()) for label in words.labels} == {
        "fall": 7, "love": 4, "up": 10,
    }  # fmt: skip
    assert words.detected.sum(axis=0).tolist() == [101, 300]


def test_left_and_right_of_a_real_set_are_what_the_hands_look_like(real_data, bend_side):
    data = converted(real_data / "mp_holistic", max_hands=2).dataset
    for slot, sign in ((0, -1), (1, 1)):
        bent = bend_side(data.image[data.detected[:, slot], slot].astype(float)) * sign
        assert (bent > 0).mean() > 0.9
