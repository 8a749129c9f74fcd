"""Numbers as text: the shortest that reads back to the same double, spelled alike in every format.

By orjson, a whole block at a time. Must not know what stands between the numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


def _odd(value: float) -> bytes:
    return b"nan" if value != value else b"inf" if value > 0 else b"-inf"


def spell(value: float) -> str:
    """One number as every format writes it."""
    return number_rows([[float(value)]]).decode()


def plain(body: bytes) -> bytes:
    """orjson's text in the one spelling: its releases differ in the plus sign of 1e+16 alone."""
    return body.replace(b"e+", b"e")


def number_rows(columns: Sequence[Any], *, words: bool = True, nothing: bytes = b"") -> bytes:
    """Rows of a block as ``1.0,2.0],[3.0,4.0``; non-finite values as words, or as null; None as ``nothing``."""
    import orjson

    if not columns:
        return b""
    if any(column is None for column in columns):
        return _rows_with_nothing(columns, words, nothing)
    odd: list[float] = []
    if isinstance(columns[0], list):
        rows = list(zip(*columns, strict=True))
        body = plain(orjson.dumps(rows))
        if words and b"null" in body:
            odd = [v for row in rows for v in row if not math.isfinite(v)]
    else:
        import numpy as np

        table = np.stack(columns, axis=1)
        body = orjson.dumps(table, option=orjson.OPT_SERIALIZE_NUMPY)
        if (np.abs(table) >= 1e16).any():
            body = plain(body)
        finite = np.isfinite(table)
        if words and not finite.all():
            odd = table[~finite].tolist()
    body = body[2:-2]
    if odd:
        pieces = body.split(b"null")
        body = b"".join([text for pair in zip(pieces, map(_odd, odd), strict=False) for text in pair]) + pieces[-1]
    return body


def _rows_with_nothing(columns: Sequence[Any], words: bool, nothing: bytes) -> bytes:
    held = [column for column in columns if column is not None]
    rows = []
    for row in number_rows(held, words=words).split(b"],[") if held else [b""]:
        cells = iter(row.split(b","))
        rows.append(b",".join([nothing if column is None else next(cells) for column in columns]))
    return b"],[".join(rows)


def _rounded(value: float, digits: int) -> float:
    near = float(f"{value:.{digits}g}")
    # The largest doubles have no rounder neighbour above.
    return near if math.isfinite(near) else value


def number_cells(columns: Sequence[Any], digits: int | None) -> list[bytes]:
    """Every number of a block as text, row after row."""
    if digits is not None:
        columns = [None if column is None else [_rounded(v, digits) for v in column] for column in columns]
    return number_rows(columns, nothing=b"null").replace(b"],[", b",").split(b",")
