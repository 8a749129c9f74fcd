"""Writers of NumPy's files: npy, an array with a field for each column; npz, an array for each column.

The output is reproducible: it contains no times and no compression. Text columns are refused.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gradcli.errors import GradError
from gradcli.formats.columns import Columns, Out, Sink, Start, Style, headed, shaped
from gradcli.formats.parse_numbers import NotANumber, number
from gradcli.formats.passthrough import Kept
from gradcli.limits import memory

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DIGITS = 20
"""Digits reserved for the number of rows."""
_PIECE = 1 << 17
"""Numbers written at a time."""


def write_npy(result: Columns, out: Out, style: Style) -> None:
    """Write a one-dimensional structured array, with a field of little-endian doubles for each column.

    The header contains the number of rows. If ``result.shape`` does not give it (the first length is negative), the
    header is written again at the end; if the output does not rewind, the blocks are held in memory until then.
    Raise GradError for columns of different shapes.
    """
    import numpy as np

    if result.shapes is not None:
        raise GradError("npy holds columns of equal length: these have shapes of their own", hint="write npz or json")
    item = np.dtype([(name, "<f8") for name in result.names])
    blocks = _records(result, item)
    known = all(length >= 0 for length in result.shape)
    rows, done = math.prod(result.shape) if known else 0, 0
    if not known and not style.rewinds:
        pending, size = [], 0
        for block in blocks:
            pending.append(block)
            size += block.nbytes
            memory.check(
                size, "npy tells first how many rows follow: holding them until then", "write to a file: -o FILE.npy"
            )
        rows, blocks = sum(map(len, pending)), iter(pending)
    for block in headed(_header(item, (rows,)), blocks, out):
        done += len(block)
        out(block.tobytes())
    if done != rows:
        out(Start(_header(item, (done,))))


def _records(result: Columns, item: np.dtype[Any]) -> Iterator[NDArray[Any]]:
    import numpy as np

    for block in result.blocks:
        records = np.empty(next(len(c) for c in block if c is not None), item)
        for name, column in zip(result.names, block, strict=True):
            records[name] = _floats(column, name)
        yield records


def _floats(column: Any, name: str) -> Any:
    """Return a column as doubles; a missing column and nulls are nan. Raise GradError for text."""
    import numpy as np

    if column is None:
        return math.nan
    if isinstance(column, Kept):
        try:
            return np.array([math.nan if cell is None else number(cell, True) for cell in column.cells])
        except NotANumber:
            hint = "leave the column out of --keep, or write csv, jsonl or parquet"
            raise GradError(f"column '{name}' holds text: npy and npz hold numbers alone", hint=hint) from None
    return np.asarray(column, dtype="<f8")


def _header(item: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """Return the header, in version 1 of the format, version 2 if it is long, or version 3 for names beyond Latin-1."""
    import numpy as np

    text = repr({"descr": np.lib.format.dtype_to_descr(item), "fortran_order": False, "shape": shape})
    try:
        body, version, width = text.encode("latin-1"), 1, 2
    except UnicodeEncodeError:
        body, version, width = text.encode(), 3, 4
    if len(body) > 60000:
        version, width = max(version, 2), 4
    # Pad the header to the same length for every number of rows, so that it can be overwritten.
    body += b" " * (_DIGITS - len(repr(shape[0])) if shape else 0)
    # Align the numbers to 64 bytes, as NumPy does.
    body += b" " * (-(8 + width + len(body) + 1) % 64) + b"\n"
    return b"\x93NUMPY" + bytes((version, 0)) + len(body).to_bytes(width, "little") + body


def write_npz(result: Columns, out: Out, style: Style) -> None:
    """Write an archive with an array for each column, each in its shape, without compression and without times."""
    import zipfile

    import numpy as np

    columns = [(name, shape, _floats(column, name)) for name, shape, column in shaped(result) if column is not None]
    with Sink(out) as sink, zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for name, shape, values in columns:
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            with archive.open(entry, "w", force_zip64=True) as file:
                file.write(_header(np.dtype("<f8"), shape))
                for lo in range(0, len(values), _PIECE):
                    file.write(values[lo : lo + _PIECE].tobytes())
