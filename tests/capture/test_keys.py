"""Names of keys, from codes of windows and characters of terminals."""

import sys

import pytest

from handlore.capture.keys import WindowKeys, key_of_character


@pytest.mark.parametrize(
    ("code", "key"),
    [
        (ord("r"), "r"),
        (ord(" "), " "),
        (0x2B, "+"),
        (0xFFAB, "+"),  # of the number pad
        (0xFFB7, "7"),
        (0xFF1B, "esc"),
        (27, "esc"),
        (0xFF0D, "enter"),
        (0xFF8D, "enter"),
        (0xFF08, "backspace"),
        (8, "backspace"),
        (127, "backspace"),
        (0x100000 | ord("q"), "q"),  # GTK with Num Lock on
        (0xFF51, None),  # an arrow, whose lower byte is Q
        (0xFFE1, None),  # Shift alone
        (0x250000, None),  # an arrow on Windows
        (0, None),
        (-0x2A, "ö"),  # Qt's Latin-1, the same with Shift
        (-0x37, "é"),
        (-0x21, "ß"),
        (-0x50, "°"),
        (-0x4E, "²"),
        (0x80072, None),  # GTK with Alt, Super, Control
        (0x400072, None),
        (0x40072, None),
        (0x10053, "S"),  # GTK with Shift
        (0x100624B, "手"),
    ],
)
def test_codes_of_windows(code: int, key: str | None):
    assert WindowKeys().name(code, 0.0) == key


@pytest.mark.parametrize(
    ("code", "key"),
    [(0x6D6, "ж"), (0x7E2, "β"), (0x1B1, "ą"), (0x4B9, None), (0xFE03, None), (0xFE50, None)],
)
def test_other_scripts_under_x11(code: int, key: str | None, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    assert WindowKeys().name(code, 0.0) == key


@pytest.mark.parametrize(
    ("codes", "keys"),
    [
        ([0xFFE1, ord("s"), ord("w")], [None, "S", "w"]),
        ([0xFFE1, -0x2A], [None, "Ö"]),
        ([0xFFE1, -0x21, 0xFF0D], [None, "ß", "enter"]),
        ([0xFFE9, ord("q"), ord("q")], [None, None, "q"]),
        ([0xFFEB, ord("r")], [None, None]),
        ([0xFFE3, ord("r")], [None, None]),
        ([0xFE03, ord("@")], [None, "@"]),  # AltGr
    ],
)
def test_modifier_keys(codes: list[int], keys: list[str | None]):
    window = WindowKeys()
    assert [window.name(code, 0.1 * k) for k, code in enumerate(codes)] == keys


def test_old_modifier():
    window = WindowKeys()
    assert window.name(0xFFE9, 0.0) is None
    assert window.name(ord("q"), 5.0) == "q"


def test_characters_of_terminals():
    assert [key_of_character(c) for c in "r\r\n\x7f\x1bß\x01"] == [
        "r",
        "enter",
        "enter",
        "backspace",
        "esc",
        "ß",
        None,
    ]
