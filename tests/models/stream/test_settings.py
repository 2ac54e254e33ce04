"""Settings out of range are refused."""

import pytest

from handlore.landmarks.errors import InvalidDataError
from handlore.models.stream.settings import MOVEMENT_THRESHOLD, RecogniserSettings


@pytest.mark.parametrize(
    "name", ["threshold", "movement_threshold", "release", "dwell", "patience", "smoothing"]
)
def test_settings_out_of_range(name: str) -> None:
    for value in (-1.0, 1e9, float("nan")):
        with pytest.raises(InvalidDataError, match=name):
            RecogniserSettings(**{name: value})


def test_thresholds_of_labels_without_one() -> None:
    plain, given = RecogniserSettings(), RecogniserSettings(movement_threshold=0.2)
    assert plain.default_threshold("sequence") == MOVEMENT_THRESHOLD
    assert given.default_threshold("sequence") == 0.2
    assert plain.default_threshold("pose") == given.default_threshold("pose") == 0.5
    assert not plain.overrides("sequence")
    assert given.overrides("sequence")
    assert not given.overrides("pose")
