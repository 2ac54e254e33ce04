"""The actions files that come with handlore, as a dry run of what their signs do."""

import tomllib
from collections import Counter

import pytest
from ready_stubs import signs

from handlore.capture.actions.file import load_model_actions
from handlore.capture.actions.presets import PRESETS, preset_file
from handlore.capture.actions.runner import rehearse
from handlore.landmarks.errors import HandloreError
from handlore.models.files import load_model
from handlore.models.ready import KNOWN_MODELS
from handlore.models.stream.recogniser import recognise
from handlore.models.stream.settings import RecogniserSettings

HELD = 2.6
"""Seconds for which each sign is shown."""
EXPECTED = {
    "slides": {
        "like": ["press page_down"],
        "dislike": ["press page_up"],
        "fist": ["press b"],
        "rock": ["press f5"],
        "stop": ["press escape"],
    },
    "media": {
        "palm": ["press play_pause"],
        "like": ["press volume_up"] * 10,
        "dislike": ["press volume_down"] * 10,
        "mute": ["press mute"],
        "peace": ["press next_track"],
        "rock": ["press previous_track"],
    },
    "obs": {
        "one": ["press ctrl+shift+f1"],
        "peace": ["press ctrl+shift+f2"],
        "rock": ["press ctrl+shift+f3"],
        "mute": ["press ctrl+shift+m"],
        "ok": ["press ctrl+shift+s"],
        "call": ["press ctrl+shift+r"],
    },
    "home": {
        name: [f"post to http://homeassistant.local:8123/api/webhook/handlore_{hook}"] * n
        for name, hook, n in (
            ("palm", "lights_on", 1),
            ("fist", "lights_off", 1),
            ("like", "brighter", 5),
            ("dislike", "darker", 5),
            ("peace", "scene", 1),
        )
    },
    "mouse": {
        "one": ["move the pointer"],
        "peace": ["right click"],
        "like": ["scroll up"] * 24,
        "dislike": ["scroll down"] * 24,
    },
}


@pytest.mark.parametrize("name", PRESETS)
def test_dry_run(name: str) -> None:
    """Each sign does what its comment says, and every other sign nothing."""
    model = load_model("everyday")
    actions = load_model_actions(preset_file(name), [model], check_computer=False)
    arming = [("ok", 0.8), ("gone", 1)] if actions.arming else []
    for label in KNOWN_MODELS["everyday"].gestures:
        video = signs(("gone", 1), *arming, (label, HELD), ("gone", 1))
        events = recognise([model], video, actions.settings(RecogniserSettings()))
        found = rehearse(actions, events)
        called = Counter(one.detail for one in found if one.state == "dry run")
        expected = Counter(EXPECTED[name].get(label, []))
        assert called.keys() == expected.keys(), label
        assert all(abs(called[what] - n) <= (n > 1) for what, n in expected.items()), label


def test_home_is_armed() -> None:
    model = load_model("everyday")
    actions = load_model_actions(preset_file("home"), [model], check_computer=False)
    events = recognise(
        [model], signs(("palm", 2), ("gone", 1)), actions.settings(RecogniserSettings())
    )
    assert [(one.state, one.detail) for one in rehearse(actions, events)] == [
        ("skipped", "not armed")
    ]


@pytest.mark.parametrize("name", PRESETS)
def test_comments(name: str) -> None:
    """Each file says how to use it; what is commented out is valid, too."""
    text = preset_file(name).read_text("utf-8")
    assert text.startswith(f"# {name}: ")
    assert f"handlore live everyday --preset {name} " in text
    assert f"handlore live --print-preset {name} > " in text
    assert max(map(len, text.splitlines())) <= 100
    lines = text.splitlines()
    tables = [n for n, line in enumerate(lines) if line.startswith("# [")]
    for first in tables:
        block = [line.removeprefix("# ") for line in lines[first:]]
        end = next((n for n, line in enumerate(block) if line in ("#", "")), len(block))
        assert tomllib.loads("\n".join(block[:end]))["actions"]


def test_model_without_its_signs() -> None:
    with pytest.raises(HandloreError, match=r"preset slides needs like, .*--print-preset slides`"):
        load_model_actions(preset_file("slides"), [load_model("digits")], check_computer=False)


def test_unknown_preset() -> None:
    with pytest.raises(HandloreError, match="unknown preset 'slide'; did you mean slides"):
        preset_file("slide")
