"""Printing of numbers: the shortest text that reads back to the same double, spelled alike in every format.

orjson prints a whole block at a time.
Layer: must not know what stands between the numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

_PIECE = 1 << 14
"""Numbers printed at a time."""
_COMMA, _NEWLINE = b",\n"


def _word(value: float) -> bytes:
    return b"nan" if value != value else b"inf" if value > 0 else b"-inf"


def spell(value: float) -> str:
    """Return a number as every format writes it."""
    return number_rows([[float(value)]]).decode()


def plain(body: bytes) -> bytes:
    """Return text of orjson in a uniform spelling: its releases differ in the plus sign of 1e+16."""
    return body.replace(b"e+", b"e")


def number_rows(
    columns: Sequence[Any], *, words: bool = True, nothing: bytes = b"", digits: int | None = None
) -> bytes:
    """Return the rows of a block as ``1.0,2.0\\n3.0,4.0``.

    ``words``: write non-finite values as nan, inf and -inf instead of null. ``nothing``: the cells of a column None.
    ``digits``: round to so many significant digits.
    """
    return b"".join(row_pieces(columns, words=words, nothing=nothing, digits=digits))[:-1]


def row_pieces(
    columns: Sequence[Any], *, words: bool = True, nothing: bytes = b"", digits: int | None = None
) -> Iterator[bytes]:
    """Yield the rows of ``number_rows`` in pieces that fit into the cache, with a newline after each row."""
    if digits is not None:
        cells = iter(number_cells(columns, digits, nothing))
        yield b"".join([b",".join(row) + b"\n" for row in zip(*[cells] * len(columns), strict=True)])
    elif any(column is None for column in columns):
        yield _rows_with_nothing(columns, words, nothing)
    elif columns and isinstance(columns[0], list):
        yield _list_rows(columns, words)
    elif columns:
        step = max(1, _PIECE // len(columns))
        for lo in range(0, len(columns[0]), step):
            yield _array_rows([column[lo : lo + step] for column in columns], words)


def _list_rows(columns: Sequence[list[float]], words: bool) -> bytes:
    import orjson

    rows = list(zip(*columns, strict=True))
    body = plain(orjson.dumps(rows))[2:-2].replace(b"],[", b"\n") + b"\n"
    if words and b"null" in body:
        return _worded(body, [v for row in rows for v in row if not math.isfinite(v)])
    return body


def _array_rows(columns: Sequence[Any], words: bool) -> bytes:
    """Return the rows of arrays: print a flat array, which is fastest, then replace commas at row ends by newlines."""
    import numpy as np
    import orjson

    table = np.stack(columns, axis=1)
    body = orjson.dumps(table.ravel(), option=orjson.OPT_SERIALIZE_NUMPY)
    if not np.abs(table).max() < 1e16:
        body = plain(body)
        finite = np.isfinite(table)
        if words and not finite.all():
            body = _worded(body, table[~finite].tolist())
    size = len(body)
    text = np.zeros(-(-size // 4) * 4, np.uint8)
    text[:size] = np.frombuffer(body, np.uint8)
    # A number has three characters or more, so that four bytes hold one comma at most: search groups of four, which is
    # twice as fast, and find the place in the group from its value.
    groups = (text == _COMMA).view("<u4")
    ends = np.flatnonzero(groups != 0)[len(columns) - 1 :: len(columns)]
    group = groups[ends]
    text[4 * ends + (group > 0xFF) + (group > 0xFFFF) + (group > 0xFFFFFF)] = _NEWLINE
    text[size - 1] = _NEWLINE
    return text[1:size].tobytes()


def _worded(body: bytes, nonfinite: list[float]) -> bytes:
    """Return the text with its nulls replaced by nan, inf and -inf, the values ``nonfinite``."""
    pieces = body.split(b"null")
    return b"".join([text for pair in zip(pieces, map(_word, nonfinite), strict=False) for text in pair]) + pieces[-1]


def _rows_with_nothing(columns: Sequence[Any], words: bool, nothing: bytes) -> bytes:
    present = [column for column in columns if column is not None]
    rows = []
    for row in number_rows(present, words=words).split(b"\n") if present else [b""]:
        cells = iter(row.split(b","))
        rows.append(b",".join([nothing if column is None else next(cells) for column in columns]))
    return b"\n".join(rows) + b"\n"


def _rounded(value: float, digits: int) -> float:
    rounded = float(f"{value:.{digits}g}")
    # Rounding up near the largest double overflows: keep the value.
    return rounded if math.isfinite(rounded) else value


def _shortened(cell: bytes, digits: int) -> bytes:
    """Return a rounded number without the zeros that are no digits of it, such as 1.069e10 for 10690000000.0."""
    whole = cell[:-2].lstrip(b"-")
    if len(whole) < digits or not cell.endswith(b".0"):
        return cell
    if len(whole) == digits:
        return cell[:-2]
    fraction = whole[1:].rstrip(b"0")
    sign, point = (b"-" if cell.startswith(b"-") else b""), (b"." if fraction else b"")
    return b"%s%s%s%se%d" % (sign, whole[:1], point, fraction, len(whole) - 1)


def number_cells(columns: Sequence[Any], digits: int | None, nothing: bytes = b"null") -> list[bytes]:
    """Return the numbers of a block as text, row after row, rounded to ``digits`` significant digits if given."""
    if digits is None:
        return number_rows(columns, nothing=nothing).replace(b"\n", b",").split(b",")
    columns = [None if column is None else [_rounded(v, digits) for v in column] for column in columns]
    return [_shortened(cell, digits) for cell in number_cells(columns, None, nothing)]
