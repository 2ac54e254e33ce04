import threading

import pytest
from handlore_stubs import Ready

from handlore.datasets.conversion.batches import reading_ahead
from handlore.landmarks.errors import InvalidDataError


class Noting:
    """A source that notes who reads what; item 2 cannot be read."""

    name = "noting"

    def __init__(self):
        self.read_by = {}

    def read(self, item):
        self.read_by.setdefault(item.part, []).append(threading.current_thread().name)
        if item.part == 2:
            raise InvalidDataError("it is damaged")
        return item.part


@pytest.fixture
def items(tmp_path):
    return Ready(5).scan(tmp_path).items


def test_another_thread_reads_and_what_it_raises_arrives_with_its_item(items):
    source = Noting()
    with reading_ahead(source, items) as ahead:
        assert ahead.name == "noting"
        assert [ahead.read(item) for item in items[:2]] == [0, 1]
        with pytest.raises(InvalidDataError, match="it is damaged"):
            ahead.read(items[2])
        assert [ahead.read(item) for item in items[3:]] == [3, 4]
    assert all(len(names) == 1 and names[0].startswith("read ahead")
               for names in source.read_by.values())  # fmt: skip


def test_an_item_may_be_read_again(items):
    source = Noting()
    with reading_ahead(source, items) as ahead:
        assert [ahead.read(items[0]), ahead.read(items[0]), ahead.read(items[1])] == [0, 0, 1]
    assert source.read_by[0][1] == threading.current_thread().name


def test_stopped_half_way_no_thread_is_left(items):
    def use():
        with reading_ahead(Noting(), items) as ahead:
            ahead.read(items[0])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        use()
    assert not [one for one in threading.enumerate() if one.name.startswith("read ahead")]


def test_nothing_to_read_is_nothing(items):
    with reading_ahead(Noting(), []):
        pass
