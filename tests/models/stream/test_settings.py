"""Settings out of range are refused."""

import pytest

from handlore.landmarks.errors import InvalidDataError
from handlore.models.stream.settings import RecogniserSettings


@pytest.mark.parametrize("name", ["threshold", "release", "dwell", "patience", "smoothing"])
def test_settings_out_of_range(name: str) -> None:
    for value in (-1.0, 1e9, float("nan")):
        with pytest.raises(InvalidDataError, match=name):
            RecogniserSettings(**{name: value})
