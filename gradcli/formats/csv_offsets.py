"""The cells of complete rows as ranges of bytes, found for all rows at once by NumPy.

The input must be quoted by RFC 4180; `csv_rows` finds the error in a malformed row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from gradcli.formats.csv_rows import BLANKS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Cells(NamedTuple):
    """The offsets of the cells of complete rows, in arrays of shape (rows, columns).

    A cell ends where a separator is. ``quoted``, ``returns`` and ``plain`` say whether the text contains quotes,
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
    if separator == BLANKS:
        marks |= (data == separator[1]) | (data == 13)
    if b'"' in text:
        quote = data == 34
        # uint8 overflow is harmless: only the parity of the quote count is used.
        inside = (np.cumsum(quote, dtype=np.uint8) & 1).astype(bool)
        if inside[-1] or not _quotes_valid(data, quote, inside, separator):
            return None
        marks &= ~inside
        newline &= ~inside
    found = _words(marks, newline, width) if separator == BLANKS else _between_marks(marks, newline, width)
    if found is None:
        return None
    starts, ends = found
    return Cells(text, starts.reshape(-1, width), ends.reshape(-1, width), b'"' in text, b"\r" in text, text.isascii())


def _between_marks(marks: Any, newline: Any, width: int) -> tuple[Any, Any] | None:
    """Return the offsets of cells that end at marks, or None if a row does not have ``width`` of them."""
    import numpy as np

    ends = np.flatnonzero(marks)
    if len(ends) % width or int(np.count_nonzero(newline[ends])) != len(ends) // width:
        return None
    if not newline[ends[width - 1 :: width]].all():
        return None
    starts = np.empty_like(ends)
    starts[0] = 0
    starts[1:] = ends[:-1] + 1
    return starts, ends


def _words(marks: Any, newline: Any, width: int) -> tuple[Any, Any] | None:
    """Return the offsets of cells between runs of marks, or None if a row does not have ``width`` of them."""
    import numpy as np

    bounds = np.flatnonzero(np.diff(marks, prepend=True))
    starts, ends = bounds[::2], bounds[1::2]
    lines = np.flatnonzero(newline)
    if len(starts) != len(lines) * width:
        return None
    fits = starts[::width] > np.concatenate([[-1], lines[:-1]])
    return (starts, ends) if fits.all() and (ends[width - 1 :: width] <= lines).all() else None


def _quotes_valid(data: Any, quote: Any, inside: Any, separator: bytes) -> bool:
    """Return whether quotes open and close cells only, and carriage returns outside quotes precede newlines."""
    import numpy as np

    at = np.flatnonzero(quote)
    opening = at[inside[at]]
    closing = at[~inside[at]]
    last = opening[opening > 0] - 1
    if separator != BLANKS and (data[last] == 32).any():
        # Blanks may stand before a quoted cell: the last byte that is none decides.
        last = np.maximum.accumulate(np.where(data == 32, -1, np.arange(len(data))))[last]
        last = last[last >= 0]
    before = data[last]
    after = data[closing + 1]
    returns = np.flatnonzero((data == 13) & ~inside)
    return bool(
        np.isin(before, (*separator, 10, 34)).all()
        and np.isin(after, (*separator, 10, 13, 34)).all()
        and (data[returns + 1] == 10).all()
    )


def between_commas(cells: Cells, order: list[int], separator: bytes, commas: bytes) -> bytes:
    """Return the cells of the columns ``order``, row after row, separated by commas.

    ``commas`` is the table of `bytes.translate` that makes separators and newlines commas, and of decimal commas
    points; commas that are neither become an invalid character.
    """
    import numpy as np

    text = cells.text
    rows, width = cells.ends.shape
    if separator == BLANKS:
        edges = np.zeros(len(text) + 1, np.int8)
        edges[cells.starts[:, order]] = 1
        edges[cells.ends[:, order] + 1] -= 1
        text = np.frombuffer(text, np.uint8)[np.cumsum(edges[:-1], dtype=np.int8).view(bool)].tobytes()
    elif len(order) < width:
        flags = np.zeros(width, dtype=bool)
        flags[order] = True
        lengths = cells.ends - cells.starts + 1
        picked = np.repeat(np.tile(flags, rows), lengths.ravel())
        text = np.frombuffer(text, np.uint8)[picked].tobytes()
    # Quotes hide separators: such cells are taken one by one.
    return b'"' if b'"' in text else text.translate(commas)[:-1]
