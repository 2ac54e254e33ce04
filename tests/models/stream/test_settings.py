"""Settings out of range are refused."""

import pytest

from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.models.stream.settings import MOVEMENT_THRESHOLD, SENSITIVITIES, RecogniserSettings


@pytest.mark.parametrize(
    "name", ["threshold", "movement_threshold", "release", "dwell", "patience", "smoothing"]
)
def test_settings_out_of_range(name: str) -> None:
    for value in (-1.0, 1e9, float("nan")):
        with pytest.raises(InvalidDataError, match=name):
            RecogniserSettings(**{name: value})


def test_settings_of_another_type() -> None:
    with pytest.raises(InvalidDataError, match="pose_events is 'both', expected start or end"):
        RecogniserSettings(pose_events="both")
    with pytest.raises(HandloreError, match="True or False as follow_hands, but got str"):
        RecogniserSettings(follow_hands="no")


def test_thresholds_of_labels_without_one() -> None:
    plain, given = RecogniserSettings(), RecogniserSettings(movement_threshold=0.2)
    assert plain.default_threshold("sequence") == MOVEMENT_THRESHOLD
    assert given.default_threshold("sequence") == 0.2
    assert plain.default_threshold("pose") == given.default_threshold("pose") == 0.5
    own = {"wave": 0.9}
    assert plain.thresholds("sequence", own) == plain.thresholds("pose", own) == own
    assert given.thresholds("sequence", own) == {}
    assert given.thresholds("pose", own) == own


def test_sensitivity() -> None:
    low, normal, high = (RecogniserSettings.of_sensitivity(one) for one in SENSITIVITIES)
    assert normal == RecogniserSettings()
    assert low.threshold > normal.threshold > high.threshold
    assert low.dwell > normal.dwell > high.dwell
    assert low.max_novelty < normal.max_novelty < high.max_novelty
    for own in ({}, {"wave": 0.6}):
        thresholds = [
            one.thresholds("sequence", own).get("wave", one.default_threshold("sequence"))
            for one in (low, normal, high)
        ]
        assert thresholds == sorted(thresholds, reverse=True)
        assert len(set(thresholds)) == 3
    assert max(low.thresholds("sequence", {"wave": 0.98}).values()) < 1


def test_what_is_given_goes_before_sensitivity() -> None:
    given = RecogniserSettings.of_sensitivity("low", threshold=0.5, movement_threshold=0.3)
    assert (given.threshold, given.dwell) == (0.5, SENSITIVITIES["low"]["dwell"])
    assert given.default_threshold("sequence") == 0.3
    with pytest.raises(InvalidDataError, match="expected one of: low, normal, high"):
        RecogniserSettings.of_sensitivity("medium")  # type: ignore[arg-type]
    with pytest.raises(InvalidDataError, match="movement_margin"):
        RecogniserSettings(movement_margin=2)
