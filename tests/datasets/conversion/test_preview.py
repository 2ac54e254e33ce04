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


def people(lines):
    return next(line for line in lines if line.startswith("people: "))


@pytest.mark.parametrize("sign", ["_", "-"])
def test_people_that_names_may_begin_with_are_offered(shown, tmp_path, sign):
    names = [
        f"{label}/{who}{sign}6{sign}R.jpg" for label in ("fist", "palm") for who in ("C4", "M1")
    ]
    line = people(shown(*names))
    assert line.startswith("people: not known; if names of files begin with them, --name-pattern '")
    assert line.endswith(f"' reads C4 in C4{sign}6{sign}R.jpg")
    source = make_source("images", {"name_pattern": line.split("'")[1]})
    assert preview(source, tmp_path).groups == {"C4": 2, "M1": 2}


NO_PEOPLE = {
    "the label": ["fist/fist_1.jpg", "fist/fist_2.jpg", "palm/palm_1.jpg"],
    "the same word": ["fist/IMG_1.jpg", "fist/IMG_2.jpg", "palm/IMG_3.jpg"],
    "no parts": ["fist/1.jpg", "fist/a_2.jpg", "palm/b_3.jpg", "palm/a_3.jpg", "fist/b_1.jpg"],
    "numbers of pictures": ["fist/0a1-4b.jpg", "fist/0b2-4c.jpg", "palm/0c3-4b.jpg"],
}


@pytest.mark.parametrize("name", NO_PEOPLE)
def test_other_names_are_not_offered_as_people(shown, name):
    assert people(shown(*NO_PEOPLE[name])) == "people: not known"
