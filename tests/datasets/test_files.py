import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlore.datasets.files import (
    file_stamp,
    files_of,
    natural_key,
    natural_order,
    read_bytes,
    spread,
    walk,
)
from handlore.landmarks.errors import HandloreError, InvalidDataError


def test_numbers_in_names_are_compared_as_numbers() -> None:
    names = ["f10.png", "f2.png", "f1.png", "f02.png", "a.png"]
    ordered = [path.name for path in natural_order(map(Path, names))]
    assert ordered == ["a.png", "f1.png", "f02.png", "f2.png", "f10.png"]


@given(st.lists(st.text(max_size=9), max_size=5))
def test_any_names_can_be_sorted(names: list[str]) -> None:
    assert sorted(sorted(names, key=natural_key)) == sorted(names)


def test_a_stamp_changes_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    assert file_stamp(path) == (-1, -1)
    path.write_text("1")
    first = file_stamp(path)
    path.write_text("12")
    assert file_stamp(path) != first
    of_folder = file_stamp(tmp_path)
    (tmp_path / "b").write_text("1")
    assert file_stamp(tmp_path) != of_folder


def test_a_single_file_is_its_own_listing(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.touch()
    assert list(files_of(path)) == [("a.csv", path)]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidDataError, match="no regular file"):
        read_bytes(tmp_path / "pipe")


@given(st.integers(0, 50), st.integers(1, 20))
def test_a_sample_is_spread_over_all(size: int, n: int) -> None:
    chosen = spread(range(size), n)
    assert len(chosen) == len(set(chosen)) == min(size, n)


def test_folders_within_each_other_are_bounded(tmp_path):
    """Each layout that is tried walks the folder; two hundred levels took half a minute."""
    deep = tmp_path.joinpath(*["a"] * 60)
    deep.mkdir(parents=True)
    with pytest.raises(HandloreError, match="more than 50 folders within each other"):
        list(walk(tmp_path))
    assert list(walk(tmp_path.joinpath(*["a"] * 20))) == []


def test_a_link_to_itself_is_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "loop.png").symlink_to("loop.png")
    assert list(walk(tmp_path)) == ["a.png", "loop.png"]
