"""Files and text that others made.

What reading them may raise, how large they may become, and how their text is shown. Every decoder
and loader catches :data:`DAMAGE`, or runs within :func:`damage_as`; a damaged file is then one
failed input. ``docs/reference/limits.md`` lists the limits.
"""

import csv
import json
import pickle
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from tokenize import TokenError
from typing import Any

from .errors import HandloreError, InvalidDataError

try:
    from lzma import LZMAError
except ImportError:  # a Python that was built without it
    LZMAError = zlib.error  # type: ignore[assignment, misc]

DAMAGE = (
    # RuntimeError includes RecursionError and NotImplementedError, ArithmeticError OverflowError,
    # LookupError KeyError and IndexError, ValueError UnicodeError and json.JSONDecodeError.
    *(ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError),
    *(RuntimeError, SyntaxError, TypeError, ValueError),
    # numpy about text with characters that do not exist.
    SystemError,
    # numpy's reader tokenizes headers.
    *(LZMAError, TokenError, csv.Error, pickle.UnpicklingError, struct.error),
    *(zipfile.BadZipFile, zlib.error),
)
"""What decoders and loaders of Python raise about damaged bytes, system errors left out. Those of
pictures raise more, see ``datasets/pictures.py``."""

MAX_FILE_BYTES = 1 << 30
"""Most bytes of a file that is read into memory, and of all members of a dataset together."""
MAX_JSON_BYTES = 64 << 20
"""Most bytes of a text of JSON; the annotations of a large data set have some 10 MB a file."""
_MAX_JSON_DEPTH = 100
"""Most brackets within each other in JSON; no format here needs more than 10."""


@contextmanager
def damage_as(what: str, *more: type[Exception]) -> Iterator[None]:
    """Raise what a decoder or loader raises in the block as InvalidDataError.

    The message is ``what``, such as "photo.zip is damaged", and the reason. Errors of handlore
    pass unchanged, and so do those of the system. ``more`` lists further errors of a decoder.
    """
    damage: tuple[type[Exception], ...] = (*DAMAGE, *more)
    try:
        yield
    except HandloreError:
        raise
    except damage as error:
        raise InvalidDataError(f"{what} ({reason(error)})") from error


_LONGEST_REASON = 160


def reason(error: BaseException) -> str:
    """Return what an error says, in one printable line that is not long."""
    if isinstance(error, MemoryError):
        return "it needs more memory than there is"
    if isinstance(error, RecursionError):
        return "it is too deeply nested"
    text = printable(" ".join(str(error).split())) or type(error).__name__
    return text if len(text) <= _LONGEST_REASON else f"{text[: _LONGEST_REASON - 3]}..."


def printable(text: str) -> str:
    r"""Return text as it is safe to show: bytes that are no UTF-8 and control characters escaped.

    >>> printable("fist\x1b[2J")
    'fist\\x1b[2J'
    """
    if text.isprintable():
        return text
    escaped = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return "".join(escaped)


def printable_lines(text: str) -> str:
    """Return text as :func:`printable` does, with its line breaks and tabs as they are."""
    if text.isprintable():
        return text
    return "".join(c if c in "\n\t" else printable(c) for c in text)


def require_size(n_bytes: int, most: int, what: str = "it") -> None:
    """Refuse something that is, or would become, larger than a limit."""
    if n_bytes > most:
        raise InvalidDataError(f"{what} has {_words(n_bytes)}, expected at most {_words(most)}")


def read_member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Return a member of a zip file, which must have at most so many bytes when it is unpacked.

    Only as much is unpacked as it declares: ``ZipFile.read`` would unpack all there is first, and
    cut that. Only members that are stored or deflated are read, since the other decompressors of
    Python have no limit.
    """
    info = archive.getinfo(name)
    require_size(info.file_size, most, f"its member {printable(name)}")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InvalidDataError(f"its member {printable(name)} is compressed in an unusual way")
    with archive.open(name) as stream:
        data = stream.read(info.file_size)
    if len(data) < info.file_size:
        raise InvalidDataError(f"its member {printable(name)} is cut off")
    return data


def parse_json(data: bytes | str, most: int = MAX_JSON_BYTES) -> Any:
    """Parse JSON of limited size and depth; InvalidDataError says what is wrong with it.

    It may have a bracket, string or escape per 16 bytes of the limit: each takes some 100 bytes.
    """
    require_size(len(data), most, "the JSON text")
    with damage_as("it is not JSON"):
        text = data.decode("utf-8-sig") if isinstance(data, bytes) else data
        _require_few_parts(text, most // 16)
        _require_depth(text)
        return json.loads(text)


def _require_few_parts(text: str, most: int) -> None:
    """Refuse what is short as text and large in memory: a string of escapes, many empty lists."""
    if text.count("[") + text.count("{") + text.count("\\") + text.count('"') // 2 > most:
        raise InvalidDataError("it is not JSON that handlore writes (it has too many parts)")


def _require_depth(text: str) -> None:
    brackets = re.sub(rb"[^][}{]+", b"", text.encode("utf-8", "replace"))
    for _ in range(_MAX_JSON_DEPTH):
        if not brackets:
            return
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    if brackets and _depth(text) > _MAX_JSON_DEPTH:
        raise InvalidDataError("it is not JSON (it is too deeply nested)")


def _depth(text: str) -> int:
    """Count exactly: brackets within texts, which are rare, do not count.

    Escapes are taken out first; a pattern that knows them takes memory for each character.
    """
    plain = text.replace("\\\\", "").replace('\\"', "")
    depth = deepest = 0
    for found in re.finditer(r'"[^"]*"?|[][}{]', plain):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0)
        deepest = max(deepest, depth)
    return deepest


def _words(n_bytes: int) -> str:
    if n_bytes >= 1 << 20:
        return f"{n_bytes / (1 << 20):,.0f} MB"
    return f"{n_bytes:,} bytes"
