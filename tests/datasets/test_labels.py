"""Labels in two spellings."""

import pytest

from handlore.datasets.labels import about_same, same_labels


@pytest.mark.parametrize(
    ("label", "meant"),
    [
        ("A", "a"),
        ("Stop inverted", "stop_inverted"),
        ("STOP-INVERTED", "stop_inverted"),
        ("a", None),  # known as it is
        ("wave", None),
        ("Two Up", None),  # two known labels differ from it by spelling alone
        ("_", None),
    ],
)
def test_one_label_in_two_spellings(label: str, meant: str | None) -> None:
    known = ["a", "stop_inverted", "two_up", "twoup", "-"]
    assert same_labels([label], known) == ({} if meant is None else {label: meant})


@pytest.mark.parametrize(
    ("labels", "known"),
    [(["A", "a"], ["a"]), (["Up down", "up-down"], ["up_down"]), (["-1", "1-1"], ["1", "11"])],
)
def test_what_the_data_distinguishes_stays_apart(labels: list[str], known: list[str]) -> None:
    assert not same_labels(labels, known)


def test_a_few_are_named() -> None:
    assert about_same(same_labels("A", "a")) == "A counts as a"
    alphabet = "abcdefgh"
    assert (
        about_same(same_labels(alphabet.upper(), alphabet))
        == "A counts as a, B as b, C as c and 5 more"
    )
