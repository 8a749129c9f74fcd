"""Writer of Parquet by pyarrow, a row group at a time."""

from __future__ import annotations

from typing import Any

from gradcli.errors import GradError
from gradcli.formats.arrow_bytes import doubles, row_bytes
from gradcli.formats.columns import Columns, Out, Sink, Style
from gradcli.formats.csv_arrow import SPARE
from gradcli.formats.parquet_read import pyarrow
from gradcli.formats.passthrough import Kept
from gradcli.limits import memory

_ROWS = 1 << 17
"""Rows in a row group, unless they are long."""
_BYTES = 1 << 26
"""Bytes of a row group of long rows, and at least one row."""


def write_parquet(result: Columns, out: Out, style: Style) -> None:
    """Write a column of doubles for each name; columns carried through keep their Arrow type or are strings.

    Where a row group ends depends on the rows alone, so that the bytes do not depend on the blocks.
    """
    arrow = pyarrow()
    schema: Any = None
    pending: list[Any] = []
    count = held = 0
    with Sink(out) as sink:
        for block in result.blocks:
            kinds = [None] * len(block) if schema is None else schema.types
            length = next((len(column) for column in block if column is not None), 0)
            columns = [_arrow_column(c, arrow, k, length) for c, k in zip(block, kinds, strict=True)]
            records = arrow.RecordBatch.from_arrays(columns, names=list(result.names))
            if schema is None:
                schema = records.schema
                writer = _writer(arrow, sink, schema)
            pending.append(records)
            count, held = count + records.num_rows, held + records.nbytes
            memory.spare(SPARE)
            while count >= _ROWS or held > _BYTES:
                table = arrow.Table.from_batches(pending)
                rows = _group_rows(table, arrow.types)
                if rows == count < _ROWS:
                    break
                writer.write_table(table.slice(0, rows).combine_chunks(), row_group_size=_ROWS)
                table = table.slice(rows)
                pending, count, held = table.to_batches(), count - rows, table.nbytes
        if schema is None:
            types = [_arrow_column(column, arrow, None, 0).type for column in result.nothing]
            writer = _writer(arrow, sink, arrow.schema([*zip(result.names, types, strict=True)]))
        memory.spare(SPARE)
        while pending:
            table = arrow.Table.from_batches(pending)
            rows = _group_rows(table, arrow.types)
            writer.write_table(table.slice(0, rows).combine_chunks(), row_group_size=_ROWS)
            pending = table.slice(rows).to_batches()
        writer.close()


def kept_types(result: Columns) -> dict[str, str]:
    """Return what types the columns carried through have in parquet; the other columns are doubles."""
    arrow = pyarrow()
    types = {
        name: _arrow_column(column, arrow, None, 0).type
        for name, column in zip(result.names, result.nothing, strict=True) if isinstance(column, Kept)
    }  # fmt: skip
    return {name: str(_plain(kind, arrow.types)) for name, kind in types.items()}


def _plain(kind: Any, types: Any) -> Any:
    """Return a type without what is of Arrow alone: in the file such columns are alike."""
    kind = kind.value_type if types.is_dictionary(kind) else kind
    return str(kind).removeprefix("large_").removesuffix("_view")


def _group_rows(table: Any, types: Any) -> int:
    """Return the number of rows of the next row group."""
    import numpy as np

    rows: int = min(_ROWS, table.num_rows)
    fixed, sizes = 0, None
    for column in table.slice(0, _ROWS).columns:
        parts = [row_bytes(chunk, types) for chunk in column.chunks]
        if isinstance(parts[0], int):
            fixed += parts[0]
        else:
            sizes = np.concatenate(parts) + (0 if sizes is None else sizes)
    if sizes is None:
        return max(1, min(rows, _BYTES // max(1, fixed)))
    return max(1, int(np.searchsorted(np.cumsum(sizes + fixed), _BYTES, "right")))


def _arrow_column(column: Any, arrow: Any, kind: Any, length: int) -> Any:
    if column is None:
        return arrow.nulls(length, arrow.float64())
    if isinstance(column, Kept):
        values = column.array
        if values is not None and not isinstance(values, arrow.Array):
            values = arrow.array(values)
        if values is not None and (kind is None or values.type == kind):
            return values
        if kind is None or kind == arrow.string():
            return arrow.array(column.cells, arrow.string())
        raise GradError("the inputs have one column of different types: parquet cannot hold both", hint="write csv")
    return doubles(column, arrow)


def _writer(arrow: Any, sink: Sink, schema: Any) -> Any:
    return arrow.parquet.ParquetWriter(
        sink, schema, compression="snappy", use_dictionary=False, write_page_checksum=True
    )
