"""How many columns of a terminal a text takes."""

from unicodedata import category, east_asian_width

_WITHOUT_WIDTH = ("Mn", "Me", "Cf")
"""Categories of characters that stand above, below or inside the one before."""


def columns_of(text: str) -> int:
    """Return how many columns a text takes; Chinese, Japanese and Korean signs take two each."""
    return sum(map(_columns, text))


def cut(text: str, columns: int) -> str:
    """Return as much of a text as fits into so many columns, with an ellipsis where it was cut."""
    if columns_of(text) <= columns:
        return text
    left, kept = columns - 1, ""
    for character in text:
        left -= _columns(character)
        if left < 0:
            break
        kept += character
    return f"{kept}…" if columns > 0 else ""


def _columns(character: str) -> int:
    if category(character) in _WITHOUT_WIDTH:
        return 0
    return 2 if east_asian_width(character) in "WF" else 1
