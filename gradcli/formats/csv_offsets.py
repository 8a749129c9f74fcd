"""The cells of complete rows as ranges of bytes, found for all rows at once by NumPy.

The input must be quoted by RFC 4180; `csv_rows` finds the error in a malformed row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Cells(NamedTuple):
    """The offsets of the cells of complete rows, in arrays of shape (rows, columns).

    A cell ends where its separator is. ``quoted``, ``returns`` and ``plain`` say whether the text contains quotes,
    contains carriage returns, and is ASCII.
    """

    text: bytes
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    quoted: bool
    returns: bool
    plain: bool


def split(text: bytes, separator: bytes, width: int) -> Cells | None:
    """Return the cells of complete rows, or None if a row is malformed."""
    import numpy as np

    if b"\r" in text and b'"' not in text:
        text = text.replace(b"\r\n", b"\n")
        if b"\r" in text:
            return None
    data = np.frombuffer(text, np.uint8)
    newline = data == 10
    marks = newline | (data == separator[0])
    if b'"' in text:
        quote = data == 34
        # uint8 overflow is harmless: only the parity of the quote count is used.
        inside = (np.cumsum(quote, dtype=np.uint8) & 1).astype(bool)
        if inside[-1] or not _quotes_valid(data, quote, inside, separator[0]):
            return None
        marks &= ~inside
    ends = np.flatnonzero(marks)
    if len(ends) % width or int(np.count_nonzero(newline[ends])) != len(ends) // width:
        return None
    if not newline[ends[width - 1 :: width]].all():
        return None
    starts = np.empty_like(ends)
    starts[0] = 0
    starts[1:] = ends[:-1] + 1
    return Cells(text, starts.reshape(-1, width), ends.reshape(-1, width), b'"' in text, b"\r" in text, text.isascii())


def _quotes_valid(data: Any, quote: Any, inside: Any, separator: int) -> bool:
    """Return whether quotes open and close cells only, and carriage returns outside quotes precede newlines."""
    import numpy as np

    at = np.flatnonzero(quote)
    opening = at[inside[at]]
    closing = at[~inside[at]]
    before = data[opening[opening > 0] - 1]
    after = data[closing + 1]
    returns = np.flatnonzero((data == 13) & ~inside)
    return bool(
        np.isin(before, (separator, 10, 34)).all()
        and np.isin(after, (separator, 10, 13, 34)).all()
        and (data[returns + 1] == 10).all()
    )


def between_commas(cells: Cells, order: list[int], separator: bytes) -> bytes:
    """Return the cells of the columns ``order``, row after row, separated by commas."""
    import numpy as np

    rows, width = cells.ends.shape
    text = cells.text
    if len(order) < width:
        flags = np.zeros(width, dtype=bool)
        flags[order] = True
        lengths = cells.ends - cells.starts + 1
        picked = np.repeat(np.tile(flags, rows), lengths.ravel())
        text = np.frombuffer(text, np.uint8)[picked].tobytes()
    if separator != b",":
        # Replace commas inside cells, which make a cell invalid as a number, before they would separate cells.
        text = text.replace(b",", b"x").replace(separator, b",")
    elif b'"' in text:
        return b'"'
    return text.replace(b"\n", b",")[:-1]
