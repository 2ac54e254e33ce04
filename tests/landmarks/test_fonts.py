"""Which installed font has the characters of a text; the fonts are made by the test."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import features

from handlore.landmarks import fonts
from handlore.landmarks.drawing import draw_text
from handlore.landmarks.fonts import font_runs, load_font, unwritable

builders = pytest.importorskip("fontTools.fontBuilder")
pens = pytest.importorskip("fontTools.pens.ttGlyphPen")


def make_font(path: Path, characters: str) -> None:
    """Write a font in which each character is a box as high as it is the next in the list."""
    names = [f"g{number}" for number in range(len(characters))]

    def box(width: int, height: int):
        pen = pens.TTGlyphPen(None)
        pen.moveTo((50, 0))
        for point in ((50, height), (width, height), (width, 0)):
            pen.lineTo(point)
        pen.closePath()
        return pen.glyph()

    builder = builders.FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", *names])
    builder.setupCharacterMap(dict(zip(map(ord, characters), names, strict=True)))
    glyphs = {name: box(600, 200 + 100 * k) for k, name in enumerate(names)}
    builder.setupGlyf(glyphs | {".notdef": box(300, 700)})
    builder.setupHorizontalMetrics(dict.fromkeys([".notdef", *names], (700, 50)))
    builder.setupHorizontalHeader(ascent=900, descent=-200)
    builder.setupNameTable({"familyName": path.stem, "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that is the only one with fonts."""
    for cached in (fonts._font_with, fonts._has, fonts._installed):
        cached.cache_clear()
    monkeypatch.setattr(fonts, "_font_folders", lambda: [tmp_path])
    monkeypatch.setattr(fonts, "_FOUND", [])
    yield tmp_path
    for cached in (fonts._font_with, fonts._has, fonts._installed):
        cached.cache_clear()


def test_each_part_has_the_font_with_its_characters(installed: Path) -> None:
    make_font(installed / "Han.ttf", "手势")
    make_font(installed / "Hindi.ttf", "नम्")
    (installed / "damaged.ttf").write_bytes(b"no font")
    runs = [(path and path.stem, part) for path, part in font_runs("keep: 手势 नम् жест 7")]
    assert runs == [(None, "keep: "), ("Han", "手势 "), ("Hindi", "नम् "), (None, "жест 7")]


def test_drawn_with_that_font(installed: Path) -> None:
    make_font(installed / "Han.ttf", "手势")

    def drawn(text: str) -> np.ndarray:
        picture = np.zeros((60, 200, 3), np.uint8)
        assert draw_text(picture, text, (5, 30), 30, (255, 255, 255)) > 20
        return picture

    assert not np.array_equal(drawn("手手"), drawn("势势")), "no boxes in their place"


def test_what_no_font_has(installed: Path) -> None:
    make_font(installed / "Han.ttf", "手势")
    assert unwritable(["swipe left", "жест", "αριστερά", "手势"]) is None
    line = unwritable(["手足", "ไทย"])
    assert line is not None
    assert "足 (CJK)" in line
    assert "(THAI)" in line
    assert "fonts-noto-cjk" in line
    assert "手 " not in line


def test_letters_that_are_not_joined(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts.features, "check", lambda name: False)
    assert "مرحبا are shown one by one" in (unwritable(["مرحبا"]) or "")
    assert unwritable(["fist"]) is None


@pytest.mark.skipif(not features.check("raqm"), reason="this Pillow has no Raqm")
def test_letters_are_joined() -> None:
    font = load_font(None, 40)
    apart = sum(font.getlength(letter) for letter in "مرحبا")
    assert font.getlength("مرحبا") < 0.9 * apart
