import io
import json
import tracemalloc
import zipfile
from tokenize import TokenError

import pytest

from handlore.landmarks.errors import HandloreError, InvalidDataError
from handlore.landmarks.untrusted import (
    DAMAGE,
    damage_as,
    parse_json,
    printable,
    printable_lines,
    read_member,
    reason,
)


@pytest.mark.parametrize("kind", [*DAMAGE, RecursionError, OverflowError, TokenError, KeyError])
def test_every_kind_of_damage_is_one_line(kind) -> None:
    expected = pytest.raises(InvalidDataError, match=r"^photo.zip is damaged \(")
    with expected as raised, damage_as("photo.zip is damaged"):
        raise kind
    assert "\n" not in str(raised.value)


def test_errors_with_an_answer_and_those_of_the_system_pass() -> None:
    for error in (HandloreError("known"), FileNotFoundError("gone"), KeyboardInterrupt()):
        with pytest.raises(type(error)), damage_as("it is damaged"):
            raise error


def test_reasons_are_short_printable_lines() -> None:
    assert reason(ValueError("two\nlines\x1b[2J")) == "two lines\\x1b[2J"
    assert reason(MemoryError()) == "it needs more memory than there is"
    assert len(reason(ValueError("x" * 9999))) == 160
    assert reason(KeyError()) == "KeyError"


def test_text_is_shown_without_its_effects() -> None:
    assert printable("fist\x1b]0;x\x07\u202e\udcff") == "fist\\x1b]0;x\\x07\\u202e\\udcff"
    assert printable("手 é 1") == "手 é 1"
    assert printable_lines("a\tb\nc\x1b") == "a\tb\nc\\x1b"


def zipped(data: bytes, kind: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipFile:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", kind) as archive:
        archive.writestr("a", data)
    return zipfile.ZipFile(stream)


def test_a_member_is_read_up_to_its_limit() -> None:
    assert read_member(zipped(b"12345"), "a", 5) == b"12345"
    with pytest.raises(InvalidDataError, match=r"its member a has 6 bytes, expected at most 5"):
        read_member(zipped(b"123456"), "a", 5)
    with pytest.raises(InvalidDataError, match="unusual way"):
        read_member(zipped(b"1", zipfile.ZIP_LZMA), "a", 5)


def test_a_member_that_is_longer_than_it_declares_takes_no_memory() -> None:
    long = bytearray(zipped(bytes(60 << 20)).fp.getvalue())  # type: ignore[union-attr]
    for start, place in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        at = long.index(start) + place
        long[at : at + 4] = (5).to_bytes(4, "little")
    archive = zipfile.ZipFile(io.BytesIO(long))
    tracemalloc.start()
    with pytest.raises(zipfile.BadZipFile):
        read_member(archive, "a", 5)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize("part", ["\\n", "[],", '"",', '{"":{}},'])
def test_json_that_would_take_much_memory(part: str) -> None:
    """Half of a megabyte of text; each part becomes an object of Python."""
    parts = part * ((1 << 19) // len(part))
    text = f'["{parts}"]' if part == "\\n" else f"[{parts}0]"
    with pytest.raises(InvalidDataError, match="too many parts"):
        parse_json(text, 1 << 20)
    assert parse_json(text)


def test_json_is_bounded() -> None:
    text = json.dumps({"a": ["[[[", '"]', {"b": 1}]})
    assert parse_json(text.encode()) == json.loads(text)
    assert parse_json(json.dumps(["[" * 200])) == ["[" * 200]
    assert parse_json("\ufeff[1]".encode()) == [1]
    for deep in ("[" * 200 + "]" * 200, "[" * 100_000, '{"a":' * 5000):
        with pytest.raises(InvalidDataError, match="too deeply nested"):
            parse_json(deep)
    with pytest.raises(InvalidDataError, match="the JSON text has 11 bytes"):
        parse_json("[1,2,3,4,5]", 10)
    for bad in (b"\xff", b"", b"{", b"1" * 5000):
        with pytest.raises(InvalidDataError, match="it is not JSON"):
            parse_json(bad)
