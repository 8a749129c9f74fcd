"""NumPy's files: npy, one array with a field a column; npz, one array a column in the shape of the grid.

The same numbers give the same bytes: no times, no compression. Text has no place here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gradcli.errors import GradError
from gradcli.formats.interface import Columns, Out, Sink, Start, Style, headed, shaped
from gradcli.formats.parse_numbers import NotANumber, number
from gradcli.formats.passthrough import Kept
from gradcli.limits import memory

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DIGITS = 20
"""Those of the greatest number of rows."""
_PIECE = 1 << 17
"""Numbers written at a time."""


def write_npy(result: Columns, out: Out, style: Style) -> None:
    """A structured array of one dimension, its fields little-endian doubles named as the columns.

    The header tells the number of rows. Where ``result.shape`` does not (the first length is negative), the header is
    written once more at the end; where the output does not rewind, the blocks are held until then.
    Columns with shapes of their own do not fit: GradError.
    """
    import numpy as np

    if result.shapes is not None:
        raise GradError("npy holds columns of equal length: these have shapes of their own", hint="write npz or json")
    item = np.dtype([(name, "<f8") for name in result.names])
    blocks = _records(result, item)
    told = all(length >= 0 for length in result.shape)
    rows, done = math.prod(result.shape) if told else 0, 0
    if not told and not style.rewinds:
        held, size = [], 0
        for block in blocks:
            held.append(block)
            size += block.nbytes
            memory.check(
                size, "npy tells first how many rows follow: holding them until then", "write to a file: -o FILE.npy"
            )
        rows, blocks = sum(map(len, held)), iter(held)
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
    """A column as doubles: one that holds nothing is nan, and so is a null that was kept."""
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
    """What stands before the numbers: the first version of the format, the third for names beyond Latin-1."""
    import numpy as np

    described = {"descr": np.lib.format.dtype_to_descr(item), "fortran_order": False, "shape": shape}
    text = repr(described)
    try:
        body, version, width = text.encode("latin-1"), 1, 2
    except UnicodeEncodeError:
        body, version, width = text.encode(), 3, 4
    if len(body) > 60000:
        version, width = max(version, 2), 4
    # As long for any number of rows, which may be known last.
    body += b" " * (_DIGITS - len(repr(shape[0])) if shape else 0)
    # The numbers begin at a multiple of 64.
    body += b" " * (-(8 + width + len(body) + 1) % 64) + b"\n"
    return b"\x93NUMPY" + bytes((version, 0)) + len(body).to_bytes(width, "little") + body


def write_npz(result: Columns, out: Out, style: Style) -> None:
    """An archive with one array a column, each in its shape, stored without compression and without times."""
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
