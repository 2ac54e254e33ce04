"""Training with less calibration: imported by the conftest of rooms that train many models."""

import pytest

from handlore.classifiers import novelty


@pytest.fixture(autouse=True)
def few_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out two parts of the data in turn for the novelty score, not eight.

    That score takes three quarters of the time that training on a few photos takes; what it is
    worth is tested with all parts, in tests/classifiers/test_novelty.py.
    """
    monkeypatch.setattr(novelty, "_N_PARTS", 2)
