import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlore.datasets.dataset import NONE_LABEL
from handlore.datasets.splits import (
    cross_validation,
    default_by,
    doubt_about,
    fold_count,
    held_out_samples,
    n_groups,
    require_testable,
    strictest_by,
    training_samples,
    untested_labels,
)
from handlore.landmarks.errors import HandloreError

few_names = st.sampled_from(["a", "b", "c", "d", "e"])


def assert_partition(folds, n_samples):
    """Each sample is tested once, and trains in all other folds."""
    assert sorted(i for _, test in folds for i in test) == list(range(n_samples))
    for train, test in folds:
        assert len(train) > 0
        assert len(test) > 0
        assert sorted([*train, *test]) == list(range(n_samples))


@given(st.lists(st.tuples(few_names, few_names), min_size=2, max_size=30), st.data())
def test_groups_are_never_split_and_every_sample_is_tested_once(make_dataset, rows, data):
    groups = np.array([group for _, group in rows])
    several = len(set(groups))
    if several < 2:
        return
    n_folds = data.draw(st.none() | st.integers(2, several))
    dataset = make_dataset([label for label, _ in rows], group=groups)
    folds = list(cross_validation(dataset, "group", n_folds))
    assert len(folds) == (n_folds or several)
    assert_partition(folds, len(rows))
    for train, test in folds:
        assert not set(groups[train]) & set(groups[test])


@given(st.lists(st.tuples(few_names, st.integers(0, 40)), min_size=2, max_size=30))
def test_random_folds_never_split_the_views_of_a_picture(make_dataset, rows):
    source = np.array([str(number) for _, number in rows])
    if len(set(source)) < 2:
        return
    dataset = make_dataset([label for label, _ in rows], source=source)
    folds = list(cross_validation(dataset, "random"))
    assert len(folds) == min(5, len(set(source)))
    assert_partition(folds, len(rows))
    for train, test in folds:
        assert not set(source[train]) & set(source[test])


def test_three_views_of_ten_pictures_are_tested_together(make_dataset):
    source = np.repeat([str(number) for number in range(10)], 3)
    dataset = make_dataset(["a", "a", "a", "b", "b", "b"] * 5, source=source, view=[0, 1, 2] * 10)
    for _, test in cross_validation(dataset, "random"):
        assert all(np.sum(source[test] == picture) == 3 for picture in source[test])


@pytest.mark.parametrize("labels", ["abcd", "aabbcc", "ab"])
def test_classes_with_fewer_samples_than_folds_can_be_split_at_random(make_dataset, labels):
    folds = list(cross_validation(make_dataset(list(labels)), "random"))
    assert_partition(folds, len(labels))


def test_no_random_fold_is_empty(make_dataset):
    """Four pictures, some with views; their labels tempt scikit-learn into an empty fold."""
    dataset = make_dataset(list("babaabbbb"), source=list("747646060"))
    folds = list(cross_validation(dataset, "random"))
    assert len(folds) == 4
    assert_partition(folds, 9)


def test_random_folds_spread_the_labels_evenly(make_dataset):
    labels = np.array(["a"] * 10 + ["b"] * 20)
    for _, test in cross_validation(make_dataset(labels), "random"):
        assert sorted(labels[test]) == ["a"] * 2 + ["b"] * 4


@pytest.mark.parametrize("by", ["group", "random"])
def test_the_seed_decides_and_nothing_else(make_dataset, by):
    dataset = make_dataset(["a", "b"] * 20, group=[f"p{i % 15}" for i in range(40)])

    def tested(seed):
        return [test.tolist() for _, test in cross_validation(dataset, by, seed=seed)]

    assert tested(0) == tested(0)
    assert tested(0) != tested(1)


def test_folds_leave_the_warnings_of_their_caller_alone(make_dataset):
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        for _ in cross_validation(make_dataset(["a"] * 6 + ["b"]), "random", 2):
            warnings.warn("a word in between", UserWarning, stacklevel=1)
    assert [str(warning.message) for warning in heard] == ["a word in between"] * 2


@pytest.mark.parametrize(
    ("several", "by", "folds"),
    [(2, "group", 2), (12, "group", 12), (13, "group", 5), (3, "random", 3), (12, "random", 5)],
)
def test_there_is_a_fold_for_each_group_up_to_12_groups_else_5(make_dataset, several, by, folds):
    numbers = [str(number) for number in range(several)]
    dataset = make_dataset(["a"] * several, group=numbers, source=numbers)
    assert fold_count(dataset, by) == folds
    assert n_groups(dataset, by) == several


@pytest.mark.parametrize(
    ("columns", "by"),
    [
        ({"group": "pq", "session": "12", "recording": "xy"}, "group"),
        ({"session": "12", "recording": "xy"}, "session"),
        ({"recording": "xy"}, "recording"),
        ({}, "random"),
        ({"group": "pp", "session": "12"}, "session"),
        ({"group": ["p", ""], "recording": "xy"}, "recording"),
    ],
    ids=["group", "session", "recording", "nothing", "one person", "some persons unknown"],
)
def test_the_most_honest_split_is_the_default(make_dataset, columns, by):
    given = {name: [*values] * 2 for name, values in columns.items()}
    dataset = make_dataset(["a", "a", "b", "b"], **given)
    assert default_by(dataset) == strictest_by(dataset) == by


@pytest.mark.parametrize(
    ("labels", "sessions", "obstacle"),
    [
        # Another day only one gesture was recorded.
        ("ababa", "11112", "without one session, fewer than 2 labels are left to train on"),
        # Somebody else recorded `none`.
        ("abn", "112", "no two sessions show the same gesture"),
        # Each gesture has a session of its own.
        ("aabb", "1122", "no two sessions show the same gesture"),
        ("aabbcc", "112233", "no two sessions show the same gesture"),
        ("ababab", "111222", ""),
        # One label cannot be tested, the others can.
        ("abcabab", "1112222", ""),
    ],
)
def test_a_split_that_leaves_nothing_to_train_on_is_not_the_default(
    make_dataset, labels, sessions, obstacle
):
    names = [NONE_LABEL if one == "n" else one for one in labels]
    recordings = [str(number) for number in range(len(names))]
    dataset = make_dataset(
        2 * names, session=2 * list(sessions), recording=recordings + [f"{n}x" for n in recordings]
    )
    by = "recording" if obstacle else "session"
    assert default_by(dataset) == by
    assert strictest_by(dataset) == "session"
    assert default_by(dataset, known=["a"]) == "session"
    if obstacle:
        said = f"{obstacle}, so the split is by recording; scores are too high"
        assert doubt_about(dataset, by) == said


def test_a_split_that_leaves_nothing_to_train_on_names_another(make_dataset):
    dataset = make_dataset(["a", "b"] * 2, session=["1", "2"] * 2, recording=list("wxyz"))
    with pytest.raises(HandloreError, match=r"each label has only one session.* split by record"):
        require_testable(dataset, "session")


@pytest.mark.parametrize(
    ("by", "n_folds", "match"),
    [
        ("session", None, "2 of 4 samples have no session; split by group"),
        ("recording", None, "needs at least two recordings; there is 1"),
        ("group", 3, "3 folds cannot be made of 2 groups; expected 2 to 2"),
        ("random", 5, "5 folds cannot be made of 4 different samples"),
        ("group", 1, "1 fold cannot be made of 2 groups"),
        ("random", 0, "0 folds cannot be made"),
    ],
)
def test_what_cannot_be_split_so_says_what_can(make_dataset, by, n_folds, match):
    dataset = make_dataset(
        ["a", "b", "a", "b"],
        group=["p", "p", "q", "q"],
        session=["1", "", "2", ""],
        recording=["r"] * 4,
    )
    with pytest.raises(HandloreError, match=match):
        list(cross_validation(dataset, by, n_folds))


@pytest.fixture
def split(make_dataset):
    return make_dataset(list("abcde"), split=["train", "val", "test", "", "train"])


def test_training_takes_train_and_what_has_no_split(split):
    assert training_samples(split).samples.label.tolist() == ["a", "d", "e"]
    assert training_samples(split, "val").samples.label.tolist() == ["b"]


def test_testing_takes_test_where_there_is_one_else_all(split, make_dataset):
    assert held_out_samples(split).samples.label.tolist() == ["c"]
    assert held_out_samples(split, "train").samples.label.tolist() == ["a", "e"]
    assert held_out_samples(make_dataset(["a", "b"])).n_samples == 2


def test_a_split_that_is_not_there_lists_those_that_are(split, make_dataset):
    with pytest.raises(HandloreError, match=r"'dev'; there is: \(empty\), test, train, val"):
        training_samples(split, "dev")
    with pytest.raises(HandloreError, match="no samples in split 'train' or ''; there is: test"):
        training_samples(make_dataset(["a"], split=["test"]))


def test_copies_of_a_picture_are_never_on_both_sides(make_dataset):
    digests = np.repeat([f"{number:064x}" for number in range(12)], 3)
    dataset = make_dataset(["a", "b", "a"] * 12, sha256=digests)
    for train, test in cross_validation(dataset, "random"):
        assert not set(digests[train]) & set(digests[test])


def test_a_person_missing_here_and_there_is_worth_a_word(make_dataset):
    dataset = make_dataset(["a", "b", "a"], group=["p", "q", ""])
    assert default_by(dataset) == "random"
    assert "1 of 3 samples have no group, so the split is random" in doubt_about(dataset, "random")
    assert doubt_about(make_dataset(["a", "b"]), "random") is None
    assert doubt_about(make_dataset(["a", "b"] * 2, group=["p", "p", "q", "q"]), "group") is None


def test_a_label_that_one_group_alone_shows_is_worth_a_word(make_dataset):
    data = make_dataset(["a", "a", "b", "c"], group=["p", "q", "p", "q"])
    assert "only one group shows b, c" in doubt_about(data, "group")
    many = make_dataset([f"l{k:03d}" for k in range(200)], group=["p", "q"] * 100)
    assert "only one group shows l000, l001, l002" in doubt_about(many, "group")
    assert "l007 and 192 more:" in doubt_about(many, "group")
    assert doubt_about(data, "random") is None


def test_recordings_are_dealt_out_so_that_every_fold_has_each_label(make_dataset):
    """One of them is a stream of many windows, which must not make a fold of its own."""
    labels = ["none"] * 60 + ["none"] * 20 + ["a", "b"] * 4
    recording = ["r0"] * 60 + ["r1"] * 20 + [f"r{k}" for k in range(2, 10)]
    data = make_dataset(labels, recording=recording)
    for _, test in cross_validation(data, "recording", 2):
        assert set(data.samples.label[test]) == {"none", "a", "b"}


def test_labels_that_one_group_shows_cannot_be_tested(make_dataset):
    data = make_dataset(["a", "a", "b", "none"], group=["p", "q", "q", "q"])
    assert untested_labels(data, "group") == ["b"]
    assert untested_labels(data, "random") == ["b"]
    assert untested_labels(make_dataset(["a", "b"]), "random") == [], "then none could be"


def test_wrong_values_are_refused(make_dataset):
    data = make_dataset(["a", "b"] * 4, group=["p", "q"] * 4)
    with pytest.raises(HandloreError, match=r"by 'person', expected group .the person."):
        fold_count(data, "person")
    with pytest.raises(HandloreError, match="expected a number of folds, but got str"):
        fold_count(data, "group", "4")
    with pytest.raises(HandloreError, match="no samples in split 'test'; the data has no splits"):
        held_out_samples(data, "test")


def test_one_item_of_each_label_is_refused(make_dataset):
    for labels in (["a", "b"], ["a", "b", "none", "none"]):
        with pytest.raises(HandloreError, match=r"only one item.*; add a second item of each$"):
            require_testable(make_dataset(labels), "random")
    require_testable(make_dataset(["a", "b"]), "random", known=["a"])
    data = make_dataset(["a", "a", "b", "b"], group=["p", "p", "q", "q"])
    with pytest.raises(HandloreError, match="second group of each, or split at random"):
        require_testable(data, "group")
    require_testable(data, "random")
