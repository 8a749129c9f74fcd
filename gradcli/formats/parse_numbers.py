"""Text -> numbers: the double nearest to what is written, plain ASCII alone. Knows no file.

A number is ``1 .5 5. -1e-3 +2`` with blanks around it, or one of the words nan, inf, -inf. Whole arrays go through
orjson, which rounds correctly; what JSON does not know goes through ``number``, a cell at a time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NA = ("", "NA", "N/A", "nan", "NaN", "null")
"""Cells that are nan with --na nan."""
_NA = frozenset(word.encode() for word in NA)
_NUMBER = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?").fullmatch
_WORDS = {b"nan": float("nan"), b"inf": float("inf"), b"-inf": float("-inf")}
_DIGITS = b"0123456789+-.eE, \r"
_ZERO = re.compile(rb"(?<![0-9.eE+-])-0(?=[,\] \r])")
# Empty cells and words between commas or brackets; the neighbouring commas stay.
_NOTHING = re.compile(rb"(?<=[,\[])[ \r]*(?:nan|NaN|NA|N/A|null)?[ \r]*(?=[,\]])")
_NAN = re.compile(rb"(?<=[,\[])[ \r]*nan[ \r]*(?=[,\]])")


class NotANumber(Exception):
    """What is wrong with a cell, to be told with its place."""


def number(cell: bytes, na: bool) -> float:
    """One cell, without quotes. Raises NotANumber."""
    text = cell.strip(b" \r")
    if _NUMBER(text):
        value = float(text)
        if value in (float("inf"), float("-inf")):
            raise NotANumber("is too large for a double")
        return value
    if text in _WORDS:
        return _WORDS[text]
    if text in _NA:
        if na:
            return float("nan")
        raise NotANumber("is empty" if not text else "is not a number")
    raise NotANumber("is not a number")


def numbers(cells: bytes, na: bool) -> NDArray[np.float64] | None:
    """Cells between commas as one array; None where they must be looked at one by one."""
    import numpy as np
    import orjson

    text = b"[" + cells + b"]"
    if cells.translate(None, _DIGITS):
        # Only what is written here stands for nan: a null of the input is none without --na.
        if (b"n" not in cells and not na) or (b"null" in cells and not na):
            return None
        text = (_NOTHING if na else _NAN).sub(b"null", text)
        if text.translate(None, _DIGITS + b"[]nul"):
            return None
    elif na:
        text = _NOTHING.sub(b"null", text)
    try:
        found = np.array(orjson.loads(text), dtype=np.float64)
        # JSON's integers have no minus zero.
        if b"-0" in text and not found.all():
            found = np.array(orjson.loads(_ZERO.sub(b"-0.0", text)), dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        return None
    # One blank cell alone makes an empty list.
    return found if len(found) else None
