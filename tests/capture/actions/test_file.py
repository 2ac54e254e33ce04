"""An actions file, and everything that can be wrong with it."""

import os
import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from ready_stubs import signs

from handlore.capture.actions.file import (
    PRESETS,
    _lines_of,
    load_actions,
    load_model_actions,
    preset_file,
)
from handlore.capture.actions.runner import rehearse
from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.models.files import load_model
from handlore.models.ready import KNOWN_MODELS
from handlore.models.stream.recogniser import recognise
from handlore.models.stream.settings import RecogniserSettings

LABELS = ("fist", "open_palm", "swipe_left", "-v", "a+b", "none")


GOOD = """
[arming]
label = "open_palm"
seconds = 5

[actions.fist]          # one action
run = ["true", "{label}", "{\\"a\\": 1}"]
cooldown = 1.5
waiting = 3
timeout = 2

[[actions.swipe_left]]  # one for each hand
say = "to the left: {probability}"
hand = "left"

[[actions.swipe_left]]
post = "http://127.0.0.1:8123/api/webhook/x"
headers = { Authorization = "Bearer abc" }
hand = "right"

[actions."*"]
run = "true >/dev/null"
shell = true
"""


def load(tmp_path: Path, text: str, *, check: bool = False) -> object:
    path = tmp_path / "actions.toml"
    path.write_text(text)
    return load_actions(path, LABELS, check_computer=check)


def refused(tmp_path: Path, text: str, *, check: bool = False) -> str:
    with pytest.raises(InvalidDataError) as caught:
        load(tmp_path, text, check=check)
    line = str(caught.value)
    assert line.startswith(str(tmp_path / "actions.toml"))
    assert "\n" not in line
    return line.removeprefix(str(tmp_path / "actions.toml"))


def test_valid_file(tmp_path: Path) -> None:
    path = tmp_path / "actions.toml"
    path.write_text(GOOD)
    loaded = load_actions(path, LABELS)
    assert loaded.arming is not None
    assert (loaded.arming.label, loaded.arming.seconds) == ("open_palm", 5)
    assert [(a.label, a.kind.name, a.hand) for a in loaded.actions] == [
        ("fist", "run", None),
        ("swipe_left", "say", "left"),
        ("swipe_left", "post", "right"),
        ("*", "run", None),
    ]
    assert (loaded.actions[0].cooldown, loaded.actions[0].waiting) == (1.5, 3)


BAD = {
    # what is not TOML: tomllib knows the line
    "[actions.fist": "is not TOML: .*line 1",
    '[actions.fist]\nsay = "a\nsay = "b"\n': "is not TOML: .*line 2",
    '[actions.fist]\nsay = "a"\nsay = "b"\n': "is not TOML: a key is there twice .at line 3",
    '[actions.fist]\nsay = "a"\n[actions.fist]\nsay = "b"\n': r"\[actions.fist\] is there twice; "
    r"several actions of one label are each \[\[actions.fist\]\] .at line 3",
    '[actions.fist]\nsay = "a"\n[[actions.fist]]\nsay = "b"\n': r"each \[\[actions.*line 3",
    '[[actions.fist]]\nsay = "a"\n[actions.fist] # again\nsay = "b"': r"each \[\[actions.*line 3",
    '[arming]\nlabel = "palm"\n[[arming]]\nseconds = 3': r"\[arming\] is there twice .at line 3",
    # nothing in it
    "": "line 1: there are no actions; add .actions.LABEL.",
    "# nothing\n": "no actions",
    "[actions]\n": "no actions",
    "[actions.jä]": r'is not TOML: .*needs quotes, such as .actions."bravo!".',
    "[actions.Ja bitte]": r'is not TOML: .*needs quotes, such as .actions."bravo!".',
    "[actions.fist]\nrun = echo hi": "is not TOML: Invalid value; text needs quotes .at line 2",
    # names
    '[fist]\nsay = "a"': "line 1: unknown key 'fist'; write .actions.fist.",
    'fist = "ls"': "line 1: unknown key 'fist'; write .actions.fist.",
    '[action.fist]\nsay = "a"': "line 1: unknown key 'action'; did you mean actions",
    '[actions.fits]\nsay = "a"': "line 1: unknown label 'fits'; did you mean fist",
    '\n\n[actions.qqq]\nsay = "a"': "line 3: unknown label 'qqq'; known: fist, open_palm",
    '[actions.FIST]\nsay = "a"': "unknown label 'FIST'; known: fist",
    '[actions.fist]\nsay = "a"\n\ncoldown = 3': "line 4: unknown key 'coldown'; did you mean cool",
    '[actions.fist]\nsay = "a"\nshell = true': "line 3: unknown key 'shell'",
    '[actions.fist]\nsay = "a"\nheaders = {}': "line 3: unknown key 'headers'",
    '[actions.none]\nsay = "a"': "line 1: none stands for no gesture, so no event has this label",
    # which kind
    "[actions.fist]": "line 1: actions.fist needs exactly one of .*mqtt, .*; it has none of them$",
    "[actions.fist]\ncooldown = 1": "none of them .cooldown.",
    '[actions.fist]\nsay = "a"\nrun = ["true"]': "line 1: .* it has run and say",
    '[actions]\nfist = "true"': "line 2: actions.fist is not a table; write .actions.fist.",
    "[actions]\nfist = [1]": "line 2: actions.fist is not a table",
    "actions = 3": "line 1: actions is a whole number; expected a table",
    "actions = []": "line 1: actions is a list; expected a table",
    # numbers
    '[actions.fist]\nsay = "a"\ncooldown = -1': "line 3: cooldown is -1; expected 0 to 86400",
    '[actions.fist]\nsay = "a"\ncooldown = nan': "line 3: cooldown is nan",
    '[actions.fist]\nsay = "a"\ncooldown = inf': "line 3: cooldown is inf",
    '[actions.fist]\nsay = "a"\ncooldown = "1 s"': "line 3: cooldown is text; expected a number",
    '[actions.fist]\nsay = "a"\ncooldown = true': "cooldown is true or false; expected a number",
    '[actions.fist]\nsay = "a"\ncooldown = 2026-01-01': "cooldown is a date or time",
    '[actions.fist]\nsay = "a"\nwaiting = 1.5': "waiting is a number; expected a whole number",
    '[actions.fist]\nsay = "a"\nwaiting = -1': "waiting is -1; expected 0 to 10000",
    '[actions.fist]\nsay = "a"\nwaiting = true': "waiting is true or false",
    '[actions.fist]\nsay = "a"\ntimeout = 0': "timeout is 0; expected 0.1 to 3600",
    '[actions.fist]\nsay = "a"\nhand = "both"': "unknown hand 'both'; known: left, right",
    '[actions.fist]\nsay = "a"\nhand = 1': "hand is a whole number; expected text",
    # say
    "[actions.fist]\nsay = 1": "line 2: say is a whole number; expected text",
    '[actions.fist]\nsay = ""': "line 2: say is empty",
    '[actions.fist]\nsay = "{lable}"': "did you mean label",
    '[actions.fist]\nsay = "{pinch}"': 'has {pinch}; a value of the hand needs map = "pinch"',
    '[actions.fist]\nsay = "{volume}"\nmap = "pinch"': "line 2: say has {volume}; map names pinch",
    '[actions.fist]\nsay = "{pinch:.1f}"\nmap = "pinch"': "has {pinch:.1f}; write {pinch}, and a",
    '[actions.fist]\nsay = "{label!r}"': "line 2: say has {label!r}; write {label}",
    # run
    '[actions.fist]\nrun = "ls -l"': "line 2: run is text; expected a list .* or add shell = true",
    "[actions.fist]\nrun = []": "line 2: run names no program",
    '[actions.fist]\nrun = [""]': "line 2: run names no program",
    '[actions.fist]\nrun = ["sleep", 1]': "line 2: run accepts only texts; write numbers in quotes",
    '[actions.fist]\nrun = ["{label}"]': "line 2: the program itself cannot have a placeholder",
    '[actions.fist]\nrun = ["echo", "{probabilty}"]': "did you mean probability",
    '[actions.fist]\nrun = ["echo", "a\\u0000b"]': "contains a zero byte",
    '[actions."-v"]\nrun = ["echo", "{label}"]': "with the label '-v' .* becomes an option",
    '[actions."*"]\nrun = ["echo", "{label}"]': "with the label '-v' .* becomes an option",
    '[actions.fist]\nrun = ["ls"]\nshell = true': "line 2: run is a list; expected text",
    '[actions.fist]\nrun = "echo {label}"\nshell = true': r"as code; use .* .\$HANDLORE_LABEL",
    '[actions.fist]\nrun = ["ls"]\nshell = "yes"': "line 3: shell is text; expected true or false",
    # key
    '[actions.fist]\nkey = "spcae"': "line 2: unknown key 'spcae' in 'spcae'; did you mean space",
    '[actions.fist]\nkey = "crtl+a"': "unknown modifier 'crtl' in .* did you mean ctrl",
    '[actions.fist]\nkey = "ctrl"': "unknown key 'ctrl'",
    '[actions.fist]\nkey = "ctrl+"': "unknown key ''",
    '[actions.fist]\nkey = "a+b"': "unknown modifier 'a'",
    "[actions.fist]\nkey = 5": "key is a whole number; expected text",
    # what no person writes, but a program may
    f'[actions.fist]\nsay = "a"\ncooldown = 1{"0" * 400}': "line 3: cooldown is 100000... with 401",
    f'[actions.fist]\nsay = "a"\nwaiting = 1{"0" * 400}': "line 3: waiting is 100000... with 401",
    f'[actions.fist]\nsay = "a"\ncooldown = 1{"0" * 5000}': "is not TOML: .*digits",
    f"[actions.fist]\nsay = {'[' * 5000}": "too deeply nested brackets",
    "# \u2028 ends no line\n[actions.fist]\nsay = 3": "line 3: say is a whole .* text$",
    "[actions]\nfist = []": "line 2: actions.fist is an empty list",
    '[actions.fist]\nrun = "a\\u0000b"\nshell = true': "line 2: run contains a zero byte",
    # post
    '[actions.fist]\npost = "localhost:80"': "line 2: post is .* does not start with http://",
    '[actions.fist]\npost = "file:///etc/passwd"': "does not start with http://",
    '[actions.fist]\npost = "http://"': "names no host",
    '[actions.fist]\npost = "http://a:b/"': "post is not an address; expected http://host/path",
    '[actions.fist]\npost = "http://u:secret/w@h/x"': "post is not an address; expected",
    '[actions.fist]\npost = "htp://u:secret@h/x"': "post is an address, which does not start",
    '[actions.fist]\npost = "http://a/b c"': "characters that must be percent-encoded",
    '[actions.fist]\npost = "http://u:pw@a/"': "line 2: post is an address with a .* Authorization",
    '[actions.fist]\npost = "http://{label}/"': "line 2: post is .* host has a placeholder",
    '[actions.fist]\npost = "http://a/{labl}"': "line 2: post has .*did you mean label",
    '[actions.fist]\npost = "http://a"\nheaders = {A = 1}': "line 3: headers.A is a whole number",
    '[actions.fist]\npost = "http://a"\nheaders = {"A:" = "b"}': "is not a valid header",
    '[actions.fist]\npost = "http://a"\nheaders = {Content-Length = "0"}': "set by handlore",
    '[actions.fist]\npost = "http://a"\nheaders = {A = "b\\r\\nC: d"}': "is not a valid header",
    '[actions.fist]\npost = "http://a"\nbody = "{lable}"': "line 3: body has .*did you mean label",
    '[actions.fist]\npost = "http://a"\nbody = ""': "line 3: body is empty",
    # mqtt
    '[actions.fist]\nmqtt = "a"\npayload = "{lable}"': "line 3: payload has .*did you mean label",
    '[actions.fist]\nmqtt = "a/#"': "line 2: the topic 'a/#' contains",
    '[actions."a+b"]\nmqtt = "hands/{label}"': "contains +",
    '[actions.fist]\nmqtt = "a"\nbroker = "http://a"': "line 3: broker begins with http://",
    '[actions.fist]\nmqtt = "a"\nbroker = "mqtt://u:secret@"': "broker names no host",
    '[actions.fist]\nmqtt = "a"\nbroker = "mqtt://h:99999"': "broker is no valid address",
    # arming
    '[arming]\nseconds = 3\n[actions.fist]\nsay = "a"': "line 1: arming has no label",
    '[arming]\nlabel = "fits"\n[actions.fist]\nsay = "a"': "line 2: unknown label 'fits'; did",
    '[arming]\nlabel = "fist"\nsecond = 3\n[actions.fist]\nsay = "a"': "line 3: unknown key 'sec",
    '[arming]\nlabel = "fist"\nseconds = 0\n[actions.fist]\nsay = "a"': "line 3: seconds is 0",
    'arming = "fist"\n[actions.fist]\nsay = "a"': "line 1: arming is text; expected a table",
    # in the second of two tables of one label
    '[[actions.fist]]\nsay = "a"\n[[actions.fist]]\nsay = "b"\nhnd = 1': "line 5: unknown key 'hn",
    '[[actions.fist]]\nsay = "a"\n\n[[actions.fist]]\n': "line 4: actions.fist needs exactly one",
}


@pytest.mark.parametrize("text", BAD, ids=lambda text: text.replace("\n", " / ")[:60] or "empty")
def test_invalid_file(text: str, tmp_path: Path) -> None:
    expected = BAD[text].replace("contains +", r"contains \+")
    assert re.search(expected, refused(tmp_path, text)), refused(tmp_path, text)


@pytest.mark.parametrize(
    "line",
    [
        'mqtt = "a"\nbroker = "x://u:secret@h"',
        'post = "http://u:secret@h"',
        'post = "http://u:secret/w@h/x"',
        'post = "htp://u:secret@h/x"',
    ],
)
def test_a_password_is_not_repeated(line: str, tmp_path: Path) -> None:
    text = f"[actions.fist]\n{line}"
    assert "secret" not in refused(tmp_path, text)


def test_all_problems_are_reported(tmp_path: Path) -> None:
    text = '[actions.fits]\nsay = "a"\ntimeot = 3\n[actions.fist]\nrun = "ls"\n[arming]\n'
    line = refused(tmp_path, text)
    assert line.count("; line ") + 1 == 4
    assert [f"line {n}:" in line for n in (1, 3, 5, 6)] == [True] * 4


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("missing", "there is no file"),
        ("folder", "is a folder; expected a file such as actions.toml"),
        ("latin", "is not UTF-8 text"),
        ("huge", "larger than 1 MB"),
    ],
)
def test_unreadable_path(what: str, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "actions.toml"
    if what == "folder":
        path.mkdir()
    elif what == "latin":
        path.write_bytes(b'[actions.fist]\nsay = "\xe4"')
    elif what == "huge":
        path.write_bytes(b"#" * (1 << 21))
    with pytest.raises(HandloreError, match=expected):
        load_actions(path, LABELS)


def test_missing_program(tmp_path: Path) -> None:
    text = '\n[actions.fist]\nrun = ["no-such-program"]'
    line = refused(tmp_path, text, check=True)
    assert "line 3: there is no program 'no-such-program'; install it" in line
    load(tmp_path, text)  # a dry run needs no programs


def test_everything_missing_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlore.capture.actions.key._keyboard", lambda: "install one")
    monkeypatch.setattr("handlore.capture.actions.mouse._pointer", lambda: "install another")
    text = (
        '[[actions.fist]]\nkey = "a"\n[[actions.fist]]\nmouse = "pointer"\n[[actions.fist]]\n'
        'key = "b"\n[[actions.fist]]\nrun = ["no-such-program"]\n[[actions.fist]]\nrun = []\n'
    )
    line = refused(tmp_path, text, check=True)
    lines = re.findall(r"lines? [\d, ]+(?=: )", line)
    assert lines == ["lines 2, 6", "line 4", "line 8", "line 10"]
    assert line.count("no program to press keys") == 1, "the same problem is written once"


@pytest.mark.skipif(os.name != "posix", reason="a file of Windows is a program by its name")
def test_program_that_cannot_be_run(tmp_path: Path) -> None:
    script = tmp_path / "my script"
    script.write_text("#!/bin/sh\n")
    line = refused(tmp_path, f'[actions.fist]\nrun = ["{script}"]', check=True)
    assert f"line 2: '{script}' is not executable; `chmod +x '{script}'`" in line
    script.chmod(0o755)
    load(tmp_path, f'[actions.fist]\nrun = ["{script}"]', check=True)
    line = refused(tmp_path, '[actions.fist]\nrun = ["ls -l"]', check=True)
    assert 'write each word as an item: run = ["ls", "-l"]' in line


def test_byte_order_mark(tmp_path: Path) -> None:
    load(tmp_path, '\ufeff[actions.fist]\r\nsay = "a"\r\n')


def test_missing_paho(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlore.capture.broker.find_spec", lambda name: None)
    line = refused(tmp_path, '[actions.fist]\nmqtt = "a"', check=True)
    assert "line 2: paho-mqtt is not installed; `pip install 'handlore[mqtt]'`" in line


def test_lines_of() -> None:
    text = (
        'a.b = 1\n[t]\nx = """\n[no]\ny = 1\n"""\n"q.r" = 2\n[[t.u]]\n[[t.u]]\nz = [\n1,\n2]\nw=0'
    )
    found = _lines_of(text)
    assert (found["a",], found["a", "b"], found["t", "x"], found["t", "q.r"]) == (1, 1, 3, 7)
    assert (found["t", "u", 0], found["t", "u", 1], found["t", "u", 1, "w"]) == (8, 9, 13)
    assert ("no",) not in found


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
