"""Parsing of numbers: ASCII text to the nearest double.

A number has the form ``1``, ``.5``, ``5.``, ``-1e-3`` or ``+2`` with optional blanks around it, or is one of the words
nan, inf and -inf. orjson parses whole arrays, correctly rounded; ``number`` parses cells that are not JSON.
Layer: must not know files.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NA = frozenset((b"", b"NA", b"N/A", b"nan", b"NaN", b"null"))
"""Cells that mean nan with --na nan."""
_NUMBER = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?").fullmatch
_WORDS = {b"nan": float("nan"), b"inf": float("inf"), b"-inf": float("-inf")}
_DIGITS = b"0123456789+-.eE, \r"
_ZERO = re.compile(rb"(?<![0-9.eE+-])-0(?=[,\] \r])")
# Empty cells and words between commas or brackets; lookarounds leave the neighbouring commas in place.
_MISSING = re.compile(rb"(?<=[,\[])[ \r]*(?:nan|NaN|NA|N/A|null)?[ \r]*(?=[,\]])")
_NAN = re.compile(rb"(?<=[,\[])[ \r]*nan[ \r]*(?=[,\]])")


class NotANumber(Exception):
    """A cell is not a number; the message is completed with its position."""


def number(cell: bytes, na: bool) -> float:
    """Return the number in a cell without quotes. Raise NotANumber.

    ``na``: whether empty cells and the words of NA mean nan.
    """
    text = cell.strip(b" \r")
    if _NUMBER(text):
        value = float(text)
        if value in (float("inf"), float("-inf")):
            raise NotANumber("is too large for a double")
        return value
    if text in _WORDS:
        return _WORDS[text]
    if text in NA:
        if na:
            return float("nan")
        raise NotANumber("is empty" if not text else "is not a number")
    raise NotANumber("is not a number")


def numbers(cells: bytes, na: bool) -> NDArray[np.float64] | None:
    """Return the numbers in cells separated by commas, or None if ``number`` must parse them one by one."""
    import numpy as np
    import orjson

    text = b"[" + cells + b"]"
    if cells.translate(None, _DIGITS):
        # The nulls inserted below mean nan; a literal null in the input means nan only with --na.
        if (b"n" not in cells and not na) or (b"null" in cells and not na):
            return None
        text = (_MISSING if na else _NAN).sub(b"null", text)
        if text.translate(None, _DIGITS + b"[]nul"):
            return None
    elif na:
        text = _MISSING.sub(b"null", text)
    try:
        values = np.array(orjson.loads(text), dtype=np.float64)
        # orjson reads the integer -0 as 0: write it as -0.0.
        if b"-0" in text and not values.all():
            values = np.array(orjson.loads(_ZERO.sub(b"-0.0", text)), dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        return None
    # A single blank cell makes an empty list.
    return values if len(values) else None
