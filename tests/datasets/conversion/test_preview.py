"""What a conversion says it would read, before it starts."""

import pytest

from handlore.datasets.conversion.preview import preview
from handlore.datasets.sources import make_source


@pytest.fixture
def shown(tmp_path):
    """Return a maker of the lines about empty pictures."""

    def make(*files):
        for file in files:
            path = tmp_path / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return list(preview(make_source("images"), tmp_path).lines())

    return make


NO_GESTURE = """
background unknown nothing no_class neutral negative Idle no-hand nogesture other Others rest
resting relaxed random blank empty
"""


@pytest.mark.parametrize("name", NO_GESTURE.split())
def test_names_of_no_gesture_are_hinted_at(shown, name):
    lines = shown("fist/1.jpg", "palm/1.jpg", f"{name}/1.jpg")
    assert f"{name} may mean no gesture: --none {name} makes it `none`" in lines


@pytest.mark.parametrize("name", ["none", "brother", "forest"])
def test_other_names_are_not(shown, name):
    assert not any("--none" in line for line in shown("fist/1.jpg", "palm/1.jpg", f"{name}/1.jpg"))
