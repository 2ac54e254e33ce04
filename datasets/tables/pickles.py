"""Pickled lists and arrays of numbers, read without executing anything.

A pickle is a program. This reader knows the part of the language that makes dicts, lists, text,
numbers and numpy's arrays of numbers; whatever else a file asks for is refused by name. Nothing
that a file names is imported: what numpy writes is rebuilt here from bytes, shape and type.
"""

import io
import math
import pickle
import pickletools
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from handlore.landmarks.errors import InvalidDataError
from handlore.landmarks.untrusted import damage_as, printable

MAX_PICKLE_BYTES = 256 << 20

_OPCODES = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
    *("BYTEARRAY8", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "NONE"),
    *("NEWTRUE", "NEWFALSE", "EMPTY_LIST", "APPEND", "APPENDS", "LIST", "EMPTY_TUPLE", "TUPLE"),
    *("TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_DICT", "DICT", "SETITEM", "SETITEMS", "POP", "DUP"),
    *("MARK", "POP_MARK", "GET", "BINGET", "LONG_BINGET", "PUT", "BINPUT", "LONG_BINPUT"),
    *("MEMOIZE", "GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD", "PROTO", "STOP", "FRAME"),
}
"""Without those that make objects of classes, use extensions or persistent names, or share
buffers; GLOBAL and REDUCE reach only what :data:`_KNOWN` lists."""


def load_numbers(data: bytes) -> Any:
    """Return what is pickled: dicts, lists, text, numbers and arrays of numbers.

    Raises
    ------
    InvalidDataError
        If it holds anything else, or is damaged or too large.
    """
    if len(data) > MAX_PICKLE_BYTES:
        raise InvalidDataError(f"it has more than {MAX_PICKLE_BYTES >> 20} MB")
    with damage_as("it is not a pickle, or damaged"):
        _require_plain(data)
        return _Walk(len(data) + 1000).plain(_NumbersUnpickler(io.BytesIO(data)).load())


def _require_plain(data: bytes) -> None:
    """Refuse opcodes that no data need, and places in the memo that only serve to fill memory."""
    for count, (opcode, value, _) in enumerate(pickletools.genops(data)):
        if opcode.name not in _OPCODES:
            raise InvalidDataError(
                f"it is a pickle that does more than hold numbers ({opcode.name}); only dicts,"
                " lists, text, numbers and arrays are read, and nothing is executed"
            )
        if opcode.name.endswith("PUT") and not 0 <= int(value or 0) <= count + 1:
            raise InvalidDataError("it is a damaged pickle: its memo has a hole")


class _Array:
    """An array of numpy, before and after its state is known."""

    value: Any = None

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, is_fortran, data = state
        self.value = _array(data, dtype, shape, "F" if is_fortran else "C")


class _Type:
    """A type of numpy's numbers or texts; numpy itself is never asked for one by a file's words."""

    def __init__(self, code: object, *_: object) -> None:
        if not isinstance(code, str) or not re.fullmatch(r"[biufSUO]\d{0,6}", code):
            raise InvalidDataError(
                f"it has an array of {printable(str(code))[:40]}, not of numbers"
            )
        self.code, self.order = code, "="

    def __setstate__(self, state: Any) -> None:
        self.order = state[1] if state[1] in ("<", ">") else "|"
        if any(part is not None for part in state[2:5]):
            raise InvalidDataError("it has an array of records, not of numbers")

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(f"{self.order}{self.code}")


def _array(data: Any, dtype: Any, shape: Any, order: str) -> Any:
    if not isinstance(dtype, _Type):
        raise InvalidDataError("it has an array without a type")
    shape = tuple(int(side) for side in shape)
    if dtype.code.startswith("O"):
        if not isinstance(data, list) or len(data) != math.prod(shape):
            raise InvalidDataError("it has a damaged array")
        return data
    if isinstance(data, str):
        data = data.encode("latin-1")
    flat = np.frombuffer(bytes(data), dtype.dtype)
    return flat.reshape(shape, order="F" if order == "F" else "C")


def _scalar(dtype: Any, data: Any = b"") -> Any:
    return _array(data, dtype, (), "C").item()


def _reconstruct(*_: object) -> _Array:
    return _Array()


def _encode(text: Any, coding: Any = "latin1") -> bytes:
    """Return bytes as Python 3 writes them for Python 2."""
    return str(text).encode("latin-1")


def _name(*_: object) -> Any:
    raise InvalidDataError("it makes an object of a class that is only named")


def _dict(*_: object) -> dict[Any, Any]:
    return {}


_KNOWN: dict[tuple[str, str], Callable[..., Any]] = {
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _reconstruct for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _scalar for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _array for core in ("core", "_core")},
    ("numpy", "ndarray"): _name,
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _encode,
    ("collections", "OrderedDict"): _dict,
    ("collections", "defaultdict"): _dict,
    **{(builtins, "list"): _name for builtins in ("builtins", "__builtin__")},
    # Python 2 has no other word for no bytes.
    **{(builtins, "bytes"): lambda: b"" for builtins in ("builtins", "__builtin__")},
}
"""What a file may name, and what stands for it."""


class _NumbersUnpickler(pickle.Unpickler):
    """Python's reader of pickles, which here finds only what :data:`_KNOWN` lists."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        known = _KNOWN.get((module_name, global_name))
        if known is None:
            raise InvalidDataError(
                f"it is a pickle that asks for {printable(f'{module_name}.{global_name}')[:80]};"
                " only dicts, lists, text, numbers and arrays are read, and nothing is executed"
            )
        return known


class _Walk:
    """Replaces what stands for arrays; a file that repeats itself without end is refused."""

    def __init__(self, most: int) -> None:
        self._left = most

    def plain(self, value: Any) -> Any:
        """Return a value of dicts, lists, text, numbers and arrays."""
        self._left -= 1
        if self._left < 0:
            raise InvalidDataError("it is a pickle that unfolds to much more than it holds")
        if isinstance(value, _Array):
            return self.plain(value.value) if isinstance(value.value, list) else value.value
        if isinstance(value, dict):
            return {self.plain(key): self.plain(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.plain(one) for one in value]
        if isinstance(value, str | bytes | bytearray | int | float | np.ndarray | None):
            return value
        raise InvalidDataError(f"it holds a {type(value).__name__}, which is no data")
