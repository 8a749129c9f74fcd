"""Parsing of numbers: ASCII text to the nearest double.

A number has the form ``1``, ``.5``, ``5.``, ``-1e-3``, ``+2`` or Fortran's ``1.0D-3``, with optional blanks around it,
or is one of the words nan, inf and infinity in any case, with or without a sign. orjson parses whole arrays, correctly
rounded; ``number`` parses cells that are not JSON.
Layer: must not know files.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NA = frozenset((b"", b"NA", b"N/A", b"#N/A", b"null"))
"""Cells that are missing numbers."""
_NUMBER = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eEdD][+-]?[0-9]+)?").fullmatch
_WORD = re.compile(rb"([+-]?)(?:nan|(inf(?:inity)?))", re.I).fullmatch
_FORTRAN = bytes.maketrans(b"dD", b"ee")
_DIGITS = b"0123456789+-.eE, \r"
_LETTERS = b"nNaAiIfFtTyYdDul"
_ZERO = re.compile(rb"(?<![0-9.eE+-])-0(?=[,\] \r])")
# Patterns of literals are searched for by their first letters, several times as fast as others.
_MISSING = re.compile(rb"N/A|NA(?![nN])")
_WORDS = re.compile(rb"nan|null|inf|pinf|minf")
_VALUES = {b"inf": math.inf, b"pinf": math.inf, b"minf": -math.inf}
# Empty cells; lookarounds leave the neighbouring commas in place.
_EMPTY = re.compile(rb"(?<=[,\[])[ \r]*(?=[,\]])")


class NotANumber(Exception):
    """A cell is not a number; the message is completed with its position."""


def number(cell: bytes, na: bool) -> float:
    """Return the number in a cell without quotes. Raise NotANumber.

    ``na``: whether the words of NA mean nan.
    """
    text = cell.strip(b" \r")
    if _NUMBER(text):
        value = float(text.translate(_FORTRAN))
        if value in (math.inf, -math.inf):
            raise NotANumber("is too large for a double")
        return value
    if word := _WORD(text):
        return math.nan if word[2] is None else -math.inf if word[1] == b"-" else math.inf
    if text in NA:
        if na:
            return math.nan
        raise NotANumber("is empty" if not text else "is not a number")
    raise NotANumber("is not a number")


def numbers(cells: bytes, na: bool) -> NDArray[np.float64] | None:
    """Return the numbers in cells separated by commas, or None if ``number`` must parse them one by one."""
    import numpy as np
    import orjson

    others = cells.translate(None, _DIGITS)
    # A null is literal, in small letters, and means nan only with --na.
    if others.translate(None, _LETTERS + b"#/" * na) or others.count(b"ull") != others.count(b"null") * na:
        return None
    text, words = b"[" + cells + b"]", list[float]()
    if na:
        text = _with_nulls(text)
    if others:
        text = _in_json(text, words)
    try:
        values = np.array(orjson.loads(text), dtype=np.float64)
        # orjson reads the integer -0 as 0: write it as -0.0.
        if b"-0" in text and not values.all():
            values = np.array(orjson.loads(_ZERO.sub(b"-0.0", text)), dtype=np.float64)
        if words:
            values[np.isnan(values)] = words
    except (ValueError, TypeError, OverflowError):
        return None
    # A single blank cell makes an empty list.
    return values if len(values) else None


def _with_nulls(text: bytes) -> bytes:
    """Return a list with null for empty cells and the words of NA."""
    text = _MISSING.sub(b"null", text).replace(b"#null", b"null")
    if b" " in text or b"\r" in text:
        return _EMPTY.sub(b"null", text)
    return text.replace(b",,", b",null,").replace(b",,", b",null,").replace(b"[,", b"[null,").replace(b",]", b",null]")


def _in_json(text: bytes, words: list[float]) -> bytes:
    """Return a list with null for words, and Fortran's exponents spelled with e.

    If there are infinities, ``words`` receives the values of all nulls. What is no number makes no JSON.
    """
    text = text.lower().translate(_FORTRAN)
    if b"+nan" in text or b"-nan" in text:
        text = text.replace(b"+nan", b"null").replace(b"-nan", b"null")
    if b"f" not in text:
        return _WORDS.sub(b"null", text)
    text = text.replace(b"infinity", b"inf").replace(b"+inf", b"pinf").replace(b"-inf", b"minf")

    def noted(match: re.Match[bytes]) -> bytes:
        words.append(_VALUES.get(match[0], math.nan))
        return b"null"

    return _WORDS.sub(noted, text)
