"""Names of keys, from characters of terminals and clicks in windows."""

from handlore.capture.keys import choosing, chosen_label, key_of_character


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


def test_clicks() -> None:
    assert chosen_label(choosing("swipe left")) == "swipe left"
    assert [chosen_label(key) for key in ("c", "enter", "close", " ")] == [None] * 4
