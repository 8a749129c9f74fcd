"""Writers of NumPy's files: npy, an array with a field for each column; npz, an array for each column.

The output is reproducible: it contains no times and no compression. Text columns are refused.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from gradcli.errors import GradError
from gradcli.expr import spell_name
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
    """Write a one-dimensional structured array, with a field for each column: doubles, or kept numbers of their type.

    The header contains the number of rows. If ``result.shape`` does not give it (the first length is negative), the
    header is written again at the end; if the output does not rewind, the blocks are held in memory until then.
    Raise GradError for columns of different shapes.
    """
    import numpy as np

    if result.shapes is not None:
        raise GradError("npy holds columns of equal length: these have shapes of their own", hint="write npz or json")
    blocks = _records(result)
    first = next(blocks, None)
    item = np.dtype([(name, "<f8") for name in result.names]) if first is None else first.dtype
    blocks = chain([] if first is None else [first], blocks)
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


def _records(result: Columns) -> Iterator[NDArray[Any]]:
    import numpy as np

    item: np.dtype[Any] | None = None
    for block in result.blocks:
        columns = [_numbers(column, name) for name, column in zip(result.names, block, strict=True)]
        if item is None:
            item = np.dtype([(name, column.dtype) for name, column in zip(result.names, columns, strict=True)])
        records = np.empty(next(len(c) for c in block if c is not None), item)
        for name, column in zip(result.names, columns, strict=True):
            if not np.can_cast(column.dtype, item[name]):
                raise GradError(f"the inputs have columns '{name}' of different types: npy holds one", hint="write csv")
            records[name] = column
        yield records


def _numbers(column: Any, name: str) -> Any:
    """Return a column as doubles, a kept array of NumPy in its own type; a missing column and nulls are nan.

    Raise GradError for text.
    """
    import numpy as np

    if column is None:
        return np.float64(math.nan)
    if isinstance(column, Kept):
        if isinstance(column.array, np.ndarray):
            return column.array.astype(column.array.dtype.newbyteorder("<"))
        if column.array is not None:
            from gradcli.formats.parquet_read import is_numeric, numeric, pyarrow

            arrow = pyarrow()
            if is_numeric(column.array.type, arrow.types):
                doubles = numeric(column.array, arrow).cast(arrow.float64(), safe=False)
                return doubles.to_numpy(zero_copy_only=False)
        try:
            return np.array([math.nan if cell is None else number(cell, True) for cell in column.cells])
        except NotANumber:
            hint = f"leave the column out: --drop {spell_name(name)}; or write csv, jsonl or parquet"
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

    columns = [(name, shape, _numbers(column, name)) for name, shape, column in shaped(result) if column is not None]
    with Sink(out) as sink, zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for name, shape, values in columns:
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            with archive.open(entry, "w", force_zip64=True) as file:
                file.write(_header(values.dtype, shape))
                for lo in range(0, len(values), _PIECE):
                    file.write(values[lo : lo + _PIECE].tobytes())
