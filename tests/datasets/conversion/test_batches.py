import threading

import numpy as np
import pytest
from fakes import BrightDetector
from handlore_stubs import Ready

from handlore.datasets.conversion.batches import ConvertOptions, convert_batch
from handlore.datasets.sources import Clip, Source
from handlore.landmarks.errors import InvalidDataError


class Noting(Source):
    """A source that notes who reads what; item 2 cannot be read."""

    name = "noting"

    def __init__(self):
        object.__setattr__(self, "read_by", {})

    def read(self, item):
        self.read_by.setdefault(item.part, []).append(threading.current_thread().name)
        if item.part == 2:
            raise InvalidDataError("it is damaged")
        return Clip("0" * 64, iter([(0.0, np.full((8, 8, 3), 200 + item.part, np.uint8))]))


@pytest.fixture
def items(tmp_path):
    return Ready(5).scan(tmp_path).items


def readers_left():
    return [one for one in threading.enumerate() if one.name.startswith("read ahead")]


def test_another_thread_reads_and_what_it_raises_belongs_to_its_item(items):
    source = Noting()
    batch = convert_batch(source, items, BrightDetector(), ConvertOptions())
    assert batch.failures == ((items[2].source, "it is damaged"),)
    assert batch.dataset.samples.source.tolist() == [f"a#{k}" for k in (0, 1, 3, 4)]
    np.testing.assert_allclose(batch.dataset.image[:, 0, 0, 0] * 255, [200, 201, 203, 204])
    assert all(len(names) == 1 and names[0].startswith("read ahead")
               for names in source.read_by.values())  # fmt: skip
    assert not readers_left()


def test_stopped_half_way_no_thread_is_left(items):
    class Stopped(BrightDetector):
        def detect(self, picture, **options):
            raise ZeroDivisionError

    source = Noting()
    with pytest.raises(ZeroDivisionError):
        convert_batch(source, items, Stopped(), ConvertOptions())
    assert not readers_left()
    assert len(source.read_by) <= 2, "only one item is read ahead"


def test_nothing_to_read_is_nothing():
    assert not convert_batch(Noting(), [], BrightDetector(), ConvertOptions()).dataset.n_samples
