"""Rows of plain numbers through pyarrow where that is installed: faster, and other threads go on meanwhile.

It is asked only where it must read what ``Separated`` reads, number for number; all else is left to that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradcli import memory

LEAST = 1 << 17
"""Bytes of text from which pyarrow's import pays."""
_CELL = 64
"""Bytes of text for each column from which it pays: every column has its name, its type and an array of its own."""
_SPARE = 64 << 20
"""Bytes of address space that are left before it is asked: its threads abort where there are none."""
_OTHER = (b'"', b"\r", b"\t", b"\0")
"""What it sees with other eyes: it takes a carriage return for the end of a line, and trims tabs."""


def plain(text: bytes, separator: bytes, width: int) -> bool:
    """Whether it reads rows of so many cells as they are read here, and is worth its import."""
    return len(text) >= max(LEAST, _CELL * width) and not any(mark in text for mark in _OTHER if mark != separator)


def loaded() -> Any:
    """pyarrow; None where it is not installed, or there is no room for it."""
    try:
        import pyarrow
        import pyarrow.csv
    except (ImportError, MemoryError):
        return None
    return pyarrow


def arrow_columns(text: bytes, separator: bytes, width: int, asked: Sequence[int]) -> list[Any] | None:
    """The asked columns of whole rows, as float64; None where they must be read otherwise, or are malformed."""
    if not plain(text, separator, width) or (arrow := loaded()) is None:
        return None
    import numpy as np

    names = [str(k) for k in range(width)]
    try:
        memory.spare(_SPARE)
        table = arrow.csv.read_csv(
            arrow.py_buffer(text),
            read_options=arrow.csv.ReadOptions(use_threads=False, block_size=len(text) + 1, column_names=names),
            parse_options=arrow.csv.ParseOptions(
                delimiter=separator.decode(), quote_char=False, ignore_empty_lines=False, newlines_in_values=False
            ),
            convert_options=arrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, arrow.float64()), include_columns=[names[k] for k in asked],
                null_values=[], strings_can_be_null=False,
            ),
        )  # fmt: skip
    except (MemoryError, arrow.ArrowException):
        return None
    columns = [column.to_numpy() for column in table.columns]
    # Words for nan and infinity have more spellings there.
    return columns if all(np.isfinite(column).all() for column in columns) else None
