"""Reader and writer of Parquet by pyarrow, in batches of rows, so that memory is bounded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from gradcli.errors import GradError, optional
from gradcli.formats.columns import Chunk, Columns, Out, Sink, Style
from gradcli.formats.csv_arrow import SPARE
from gradcli.formats.input import Input, checked_names, column_indices, failed, shown
from gradcli.formats.npy_read import as_floats
from gradcli.formats.passthrough import Kept
from gradcli.formats.print_numbers import number_cells
from gradcli.limits import memory

_ROWS = 65536
"""Rows in a batch that is read."""
_GROUP = 1 << 17
"""Rows in a row group that is written."""


def pyarrow() -> Any:
    """Return the module pyarrow. Raise GradError if it is not installed."""
    message = "parquet needs the package pyarrow"
    optional("pyarrow.parquet", "parquet", message)
    return optional("pyarrow", "parquet", message)


class Parquet:
    """A table in a Parquet file; see ``Table``. A pipe or a compressed file is held in memory."""

    def __init__(self, source: Input) -> None:
        arrow = pyarrow()
        source.refuse_columns()
        self.name, self.na, self.notes, self._arrow = source.name, source.na, list[str](), arrow
        stream = source.seekable()
        try:
            start = stream.read(4)
            stream.seek(0)
            if start != b"PAR1":
                raise GradError(f"{self.name}: not a parquet file")
            memory.spare(SPARE)
            # pre_buffer=True would hold the whole file in memory.
            self._file = arrow.parquet.ParquetFile(stream, pre_buffer=False)
            schema = self._file.schema_arrow
        except (arrow.ArrowException, UnicodeDecodeError) as error:
            raise self._damaged(error) from None
        except OSError as error:
            raise self._failed(error) from None
        self.names = checked_names(self.name, list(schema.names))
        self.rows: int | None = self._file.metadata.num_rows
        self._fields = dict(zip(self.names, schema, strict=True))

    def _damaged(self, error: Exception) -> GradError:
        if memory.lacking(error):
            raise MemoryError from error
        return GradError(
            f"{self.name}: the parquet file is damaged: {str(error).splitlines()[0] if str(error) else ''}"
        )

    def _failed(self, error: OSError) -> GradError:
        # pyarrow raises OSError without an errno for damaged data.
        return failed(self.name, error) if error.errno is not None else self._damaged(error)

    def chunks(self, wanted: Sequence[str], keep: Sequence[str]) -> Iterator[Chunk]:
        arrow = self._arrow
        column_indices(self.name, self.names, [*wanted, *keep])
        for name in wanted:
            kind = self._fields[name].type
            # The meaning of the numbers of an unregistered extension type is unknown.
            extension = (self._fields[name].metadata or {}).get(b"ARROW:extension:name")
            if extension or not (arrow.types.is_integer(kind) or arrow.types.is_floating(kind)):
                problem = f"extension type {shown(extension)}" if extension else f"type {kind}"
                raise GradError(f"{self.name}: column '{name}' of the parquet file has the {problem}, not a number")
        names = list(dict.fromkeys([*wanted, *keep]))
        start = 0
        try:
            memory.spare(SPARE)
            # Each thread allocates a malloc arena, which a limited address space may not hold.
            threads = not memory.limited()
            for batch in self._file.iter_batches(_ROWS, columns=names, use_threads=threads):
                memory.spare(SPARE)
                if batch.num_rows:
                    count, error = batch.num_rows, None
                    columns = []
                    for name in wanted:
                        column = batch.column(name)
                        if column.null_count and not self.na:
                            first = column.is_null().index(True).as_py()
                            if first < count:
                                count, error = first, self._null(name, start + first)
                        columns.append(self._numbers(column, name))
                    kept = [self._cells(batch.column(n), n) for n in keep]
                    if count:
                        yield Chunk(start, [c[:count] for c in columns], [k[:count] for k in kept])
                    if error is not None:
                        raise error
                    start += count
        except arrow.ArrowException as error:
            raise self._damaged(error) from None
        except OSError as error:
            raise self._failed(error) from None

    def _null(self, name: str, row: int) -> GradError:
        return GradError(
            f"{self.name}: row {row + 1}: column '{name}' is null where a number is expected",
            hint="--na nan reads it as nan",
        )

    def _numbers(self, column: Any, name: str) -> Any:
        import numpy as np

        if column.null_count:
            values = column.drop_null().to_numpy(zero_copy_only=False)
            full = np.full(len(column), np.nan)
            full[column.is_valid().to_numpy(zero_copy_only=False)] = as_floats(values, self.name, name, self.notes)
            return full
        return as_floats(column.to_numpy(zero_copy_only=False), self.name, name, self.notes)

    def _cells(self, column: Any, name: str) -> Kept:
        """Return a column as cells carried through, with its Arrow array, which preserves the type in Parquet."""
        types, kind = self._arrow.types, column.type
        if types.is_floating(kind):
            numbers = iter(number_cells([column.drop_null().to_numpy(zero_copy_only=False).astype("f8")], None))
            return Kept([next(numbers) if valid else None for valid in column.is_valid().to_pylist()], False, column)
        try:
            # datetime has no nanoseconds: let pyarrow print such timestamps.
            nanoseconds = types.is_timestamp(kind) and kind.unit == "ns"
            values = (column.cast(self._arrow.string()) if nanoseconds else column).to_pylist()
            if types.is_binary(kind) or types.is_large_binary(kind):
                values = [None if v is None else v.decode(errors="backslashreplace") for v in values]
        except (ValueError, OverflowError) as error:
            problem = (
                "not UTF-8" if isinstance(error, UnicodeDecodeError) else f"values of the type {kind} beyond its range"
            )
            raise GradError(f"{self.name}: column '{name}' of the parquet file has {problem}") from None
        texts = ["" if v is None else str(v) for v in values]
        if types.is_boolean(kind):
            texts = [text.lower() for text in texts]
        cells = [None if v is None else text.encode() for v, text in zip(values, texts, strict=True)]
        return Kept(cells, not (types.is_integer(kind) or types.is_boolean(kind)), column)


def write_parquet(result: Columns, out: Out, style: Style) -> None:
    """Write a column of doubles for each name; columns carried through keep their Arrow type or are strings.

    Row groups have a fixed number of rows, so that the bytes do not depend on the blocks.
    """
    arrow = pyarrow()
    schema: Any = None
    pending: list[Any] = []
    count = 0
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
            count += records.num_rows
            memory.spare(SPARE)
            while count >= _GROUP:
                table = arrow.Table.from_batches(pending)
                writer.write_table(table.slice(0, _GROUP).combine_chunks(), row_group_size=_GROUP)
                pending, count = table.slice(_GROUP).to_batches(), count - _GROUP
        if schema is None:
            writer = _writer(arrow, sink, arrow.schema([(name, arrow.float64()) for name in result.names]))
        memory.spare(SPARE)
        if pending:
            writer.write_table(arrow.Table.from_batches(pending).combine_chunks(), row_group_size=_GROUP)
        writer.close()


def _arrow_column(column: Any, arrow: Any, kind: Any, length: int) -> Any:
    if column is None:
        return arrow.nulls(length, arrow.float64())
    if isinstance(column, Kept):
        if column.arrow is not None and (kind is None or column.arrow.type == kind):
            return column.arrow
        if kind is None or kind == arrow.string():
            return arrow.array(column.cells, arrow.string())
        raise GradError("the inputs have one column of different types: parquet cannot hold both", hint="write csv")
    return arrow.array(column, arrow.float64())


def _writer(arrow: Any, sink: Sink, schema: Any) -> Any:
    return arrow.parquet.ParquetWriter(sink, schema, compression="snappy", use_dictionary=False)
