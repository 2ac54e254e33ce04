import numpy as np
import pytest

from handlore.landmarks.hand_transforms import HandTransform, plan_transforms


def test_the_plan_spreads_turns_and_mirrors_half():
    plan = plan_transforms(9)
    assert plan[0] == HandTransform()
    turns = sorted(view.turn for view in plan[1:])
    assert turns[0] < -15
    assert turns[-1] > 15
    assert np.diff(turns).max() < 16
    assert sum(view.flip for view in plan) == 4
    assert plan == plan_transforms(9)


@pytest.mark.parametrize("n", [-1, 1.5])
def test_a_number_of_transforms_that_is_none(n):
    with pytest.raises(ValueError, match="n_transforms is"):
        plan_transforms(n)
