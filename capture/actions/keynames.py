"""The keys that can be pressed, as each system calls them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Key:
    """One key."""

    keysym: str
    """Its name in X11 and xkb, which xdotool and wtype take."""

    code: int
    """Its number in Linux's ``input-event-codes.h``, which ydotool takes; a place on a US
    keyboard, whatever is printed on it."""

    pynput: str
    """Its name in pynput; a single sign is the sign itself."""


MODIFIERS = {
    "ctrl": Key("ctrl", 29, "ctrl"),
    "shift": Key("shift", 42, "shift"),
    "alt": Key("alt", 56, "alt"),
    "super": Key("super", 125, "cmd"),
}
"""What is held while another key is pressed."""

_ROWS = {2: "1234567890", 16: "qwertyuiop", 30: "asdfghjkl", 44: "zxcvbnm"}

KEYS = (
    {sign: Key(sign, first + n, sign) for first, row in _ROWS.items() for n, sign in enumerate(row)}
    | {f"f{n}": Key(f"F{n}", 58 + n if n < 11 else 76 + n, f"f{n}") for n in range(1, 13)}
    | {
        "escape": Key("Escape", 1, "esc"),
        "minus": Key("minus", 12, "-"),
        "equal": Key("equal", 13, "="),
        "backspace": Key("BackSpace", 14, "backspace"),
        "tab": Key("Tab", 15, "tab"),
        "enter": Key("Return", 28, "enter"),
        "comma": Key("comma", 51, ","),
        "period": Key("period", 52, "."),
        "slash": Key("slash", 53, "/"),
        "space": Key("space", 57, "space"),
        "home": Key("Home", 102, "home"),
        "up": Key("Up", 103, "up"),
        "page_up": Key("Prior", 104, "page_up"),
        "left": Key("Left", 105, "left"),
        "right": Key("Right", 106, "right"),
        "end": Key("End", 107, "end"),
        "down": Key("Down", 108, "down"),
        "page_down": Key("Next", 109, "page_down"),
        "insert": Key("Insert", 110, "insert"),
        "delete": Key("Delete", 111, "delete"),
        "mute": Key("XF86AudioMute", 113, "media_volume_mute"),
        "volume_down": Key("XF86AudioLowerVolume", 114, "media_volume_down"),
        "volume_up": Key("XF86AudioRaiseVolume", 115, "media_volume_up"),
        "next_track": Key("XF86AudioNext", 163, "media_next"),
        "play_pause": Key("XF86AudioPlay", 164, "media_play_pause"),
        "previous_track": Key("XF86AudioPrev", 165, "media_previous"),
    }
)
"""Every key by the name it has in an actions file."""
