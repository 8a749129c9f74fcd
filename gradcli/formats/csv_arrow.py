"""Parsing of rows of plain numbers by pyarrow, if installed: it is faster and releases the interpreter lock.

It is used only for text that it reads exactly as ``Separated`` does; ``Separated`` reads everything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradcli.formats.arrow_bytes import stored
from gradcli.limits import memory

LEAST = 1 << 17
"""Bytes of text from which the import of pyarrow is worth its time."""
_CELL = 64
"""Bytes of text per column from which pyarrow is faster: each column costs a name, a type and an array."""
SPARE = 64 << 20
"""Bytes of address space that must be available, since pyarrow aborts the process if an allocation fails."""
_OTHER = (b'"', b"\r", b"\t", b"\0")
"""Bytes that pyarrow reads differently: it takes a carriage return for the end of a line, and trims tabs."""


def plain(text: bytes, separator: bytes, width: int) -> bool:
    """Return whether pyarrow reads this text as ``Separated`` does, and is worth its import, for ``width`` columns."""
    if len(separator) > 1 or len(text) < max(LEAST, _CELL * width):
        return False
    return not any(mark in text for mark in _OTHER if mark != separator)


def loaded() -> Any:
    """Return pyarrow, or None if it is not installed or the address space does not hold it."""
    try:
        import pyarrow
        import pyarrow.csv
    except (ImportError, MemoryError):
        return None
    return pyarrow


def arrow_columns(
    text: bytes, separator: bytes, width: int, indices: Sequence[int], decimal: bytes = b"."
) -> list[Any] | None:
    """Return columns of complete rows as float64 arrays, by their indices.

    Return None if pyarrow cannot be used or the rows are malformed.
    """
    if not plain(text, separator, width) or (arrow := loaded()) is None:
        return None
    import numpy as np

    names = [str(k) for k in range(width)]
    try:
        memory.spare(SPARE)
        table = arrow.csv.read_csv(
            arrow.py_buffer(text),
            read_options=arrow.csv.ReadOptions(use_threads=False, block_size=len(text) + 1, column_names=names),
            parse_options=arrow.csv.ParseOptions(
                delimiter=separator.decode(), quote_char=False, ignore_empty_lines=False, newlines_in_values=False
            ),
            convert_options=arrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, arrow.float64()), include_columns=[names[k] for k in indices],
                null_values=[], strings_can_be_null=False, decimal_point=decimal.decode(),
            ),
        )  # fmt: skip
    except (MemoryError, arrow.ArrowException):
        return None
    columns = [stored(column.combine_chunks()) for column in table.columns]
    # pyarrow accepts more spellings of nan and infinity than we do.
    return columns if all(np.isfinite(column).all() for column in columns) else None
