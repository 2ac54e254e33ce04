"""Fonts for text in any script: the usual one, and for what it lacks an installed one that has it.

Letters are joined and reordered, as in Arabic and Devanagari, by Raqm, which Pillow brings.
"""

import os
import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PIL import ImageFont, features

_SUFFIXES = {".ttf", ".otf", ".ttc", ".otc"}
_LIKELY = re.compile(
    r"noto ?sans|cjk|wqy|droidsansfallback|ipag|takao|nanum|lohit|freesans|msyh|yugoth|malgun"
    r"|nirmala|leelawad|segoeui|pingfang|hiragino|applesdgothic|kohinoor|geeza|thonburi|unicode",
    re.IGNORECASE,
)
"""Names of fonts without serifs that have many characters: they are tried first."""
_UNLIKELY = re.compile(r"bold|italic|oblique|black|mono|serif|light|thin|emoji", re.IGNORECASE)
_SHAPED = ("ARABIC", "DEVANAGARI", "BENGALI", "TAMIL", "TELUGU", "KANNADA", "MALAYALAM", "GUJARATI",
           "GURMUKHI", "ORIYA", "SINHALA", "KHMER", "MYANMAR", "TIBETAN", "SYRIAC")  # fmt: skip
"""Scripts whose letters change with their neighbours."""
_MOST_SHOWN = 6
Font = Any
"""A font of Pillow."""


def font_runs(text: str) -> list[tuple[Path | None, str]]:
    """Split a text into parts with the file of the font that has their characters.

    None is the usual font, also for what no font has. Marks and blanks stay with what is before
    them.
    """
    runs: list[tuple[Path | None, str]] = []
    for character in text:
        stays = runs and (character.isspace() or unicodedata.category(character)[0] in "MC")
        path = runs[-1][0] if stays else _font_with(character)
        if runs and runs[-1][0] == path:
            runs[-1] = (path, runs[-1][1] + character)
        else:
            runs.append((path, character))
    return runs


@lru_cache(64)
def load_font(path: Path | None, size: int, bold: bool = False) -> Font:
    """Return a font of ``size`` pixels; None for the usual one, which alone can be bold."""
    if path is not None:
        return ImageFont.truetype(str(path), size)
    usual = _usual_font(bold)
    return ImageFont.load_default(size) if usual is None else ImageFont.truetype(str(usual), size)


def unwritable(texts: Iterable[str]) -> str | None:
    """Return in one line which characters of texts cannot be written, and what to install."""
    texts = list(texts)
    lacking = sorted(
        {c for c in "".join(texts) if c.isprintable() and not (c.isspace() or _is_known(c))}
    )
    if lacking:
        shown = " ".join(f"{c} ({_script(c)})" for c in lacking[:_MOST_SHOWN])
        more = f" and {len(lacking) - _MOST_SHOWN} more" if len(lacking) > _MOST_SHOWN else ""
        return (
            f"no installed font has {shown}{more}: boxes are shown instead; install one, such as"
            " Noto (on Debian: `sudo apt install fonts-noto-core fonts-noto-cjk`)"
        )
    joined = next((text for text in texts if any(_script(c) in _SHAPED for c in text)), None)
    if joined is not None and not features.check("raqm"):
        return (
            f"this Pillow has no Raqm: the letters of {joined} are shown one by one, not joined;"
            " `pip install --force-reinstall pillow` brings it"
        )
    return None


@lru_cache(2)
def _usual_font(bold: bool) -> Path | None:
    """Return the font of matplotlib, which has Greek and Cyrillic too; None for that of Pillow."""
    found = find_spec("matplotlib")
    if found is None or found.origin is None:
        return None
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    path = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / name
    return path if path.is_file() else None


def _is_known(character: str) -> bool:
    return _has(None, character) or _font_with(character) is not None


@lru_cache(4096)
def _font_with(character: str) -> Path | None:
    """Return the file of the font for a character; None for the usual one, or if none has it."""
    if character.isascii() or not character.isprintable() or _has(None, character):
        return None
    found = next((path for path in _FOUND if _has(path, character)), None)
    if found is None:
        found = next((path for path in _installed() if _has(path, character)), None)
        if found is not None:
            _FOUND.append(found)
    return found


_FOUND: list[Path] = []
"""Fonts that were needed before: a text in one script is written with one font."""


@lru_cache(4096)
def _has(path: Path | None, character: str) -> bool:
    """Say whether a font has a character, instead of a box in its place."""
    try:
        font = load_font(path, 16)
        return bytes(font.getmask(character)) not in (b"", bytes(font.getmask("\U0010fffe")))
    except (OSError, ValueError):  # damaged, or with pictures of one size only
        return False


@lru_cache(1)
def _installed() -> tuple[Path, ...]:
    """List the files of installed fonts, those first that are likely to have what is needed."""
    files = {path for folder in _font_folders() for path in _fonts_in(folder)}
    rank = {
        path: (bool(_UNLIKELY.search(path.name)), not _LIKELY.search(path.name)) for path in files
    }
    return tuple(sorted(files, key=lambda path: (*rank[path], path.name)))


def _fonts_in(folder: Path) -> Iterator[Path]:
    for root, _, names in os.walk(folder):
        yield from (Path(root, name) for name in names if Path(name).suffix.lower() in _SUFFIXES)


def _font_folders() -> list[Path]:
    home = Path.home()
    if sys.platform == "win32":
        windows, local = os.environ.get("WINDIR", r"C:\Windows"), os.environ.get("LOCALAPPDATA", "")
        return [
            Path(windows, "Fonts"),
            *([Path(local, r"Microsoft\Windows\Fonts")] if local else []),
        ]
    if sys.platform == "darwin":
        return [Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library/Fonts"]
    shared = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    own = os.environ.get("XDG_DATA_HOME") or str(home / ".local/share")
    return [*(Path(one, "fonts") for one in (*shared.split(":"), own) if one), home / ".fonts"]


def _script(character: str) -> str:
    """Return the script of a character by its name in Unicode, such as DEVANAGARI."""
    return unicodedata.name(character, f"U+{ord(character):04X}").split()[0]
