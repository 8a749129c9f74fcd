"""Reader of Parquet by pyarrow, in batches of rows, so that memory is bounded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from gradcli.errors import GradError, optional
from gradcli.formats.arrow_bytes import longest, stored, width
from gradcli.formats.columns import Chunk, Table, Unnamed, key_of
from gradcli.formats.csv_arrow import SPARE
from gradcli.formats.input import Input, checked_names, column_indices, failed, shown
from gradcli.formats.json_values import json_text
from gradcli.formats.npy_read import as_floats
from gradcli.formats.passthrough import Kept, Texts
from gradcli.formats.print_numbers import number_cells
from gradcli.formats.ranges import shorter
from gradcli.limits import memory

_ROWS = 1 << 17
"""Rows in a batch if they are not long, as in a row group that is written, which a batch then fills without copies."""
_BYTES = 1 << 25
"""Bytes of a batch if its rows are long, and at least one row."""


def pyarrow() -> Any:
    """Return the module pyarrow. Raise GradError if it is not installed."""
    message = "parquet needs the package pyarrow"
    optional("pyarrow.parquet", "parquet", message)
    return optional("pyarrow", "parquet", message)


class Parquet(Table):
    """A table in a Parquet file; see ``Table``. A pipe or a compressed file is held in memory.

    ``parts``: the fields of structs, which are read as numbers by names such as ``p.x``, each with its column and the
    indices that lead to it.
    """

    def __init__(self, source: Input) -> None:
        arrow = pyarrow()
        self.name, self.na, self.notes, self._arrow = source.name, source.na, list[str](), arrow
        self.source, self._stream = source, source.seekable()
        try:
            start = self._stream.read(4)
            self._stream.seek(0)
            if start != b"PAR1":
                raise GradError(f"{self.name}: not a parquet file")
            memory.spare(SPARE)
            self._file = self._opened()
            schema, metadata = self._file.schema_arrow, self._file.metadata
        except (arrow.ArrowException, UnicodeDecodeError, OSError) as error:
            raise self._refused(error) from None
        self.names = checked_names(self.name, list(schema.names))
        self.rows: int | None = metadata.num_rows
        self._before, self._groups = 0, range(metadata.num_row_groups)
        if (span := source.span) is not None:
            if span.stop > len(self._groups):
                raise shorter(self.name)
            self._before, self._groups = span.before, self._groups[span.start : span.stop]
            self.rows = sum(metadata.row_group(k).num_rows for k in self._groups)
        self._fields = dict(zip(self.names, schema, strict=True))
        self.parts: dict[str, tuple[str, tuple[int, ...]]] = {}
        for name, field in self._fields.items():
            self._add_parts(name, field.type, name, ())
        self._expanded = 0
        if source.limit is not None:
            self._count(sum(metadata.row_group(k).total_byte_size for k in range(metadata.num_row_groups)))
            self._expanded = 0

    def _add_parts(self, name: str, kind: Any, column: str, path: tuple[int, ...]) -> None:
        if path and name not in self._fields:
            self.parts[name] = column, path
        if self._arrow.types.is_struct(kind):
            for k in range(kind.num_fields):
                self._add_parts(f"{name}.{kind[k].name}", kind[k].type, column, (*path, k))

    @property
    def metadata(self) -> Any:
        """The metadata of the file, by pyarrow: its row groups, their rows and sizes."""
        return self._file.metadata

    def _opened(self, **options: Any) -> Any:
        # pre_buffer=True would hold the whole file in memory.
        file = self._arrow.parquet.ParquetFile
        return file(self._stream, pre_buffer=False, page_checksum_verification=True, **options)

    def _refused(self, error: Exception, columns: Sequence[str] = (), groups: Sequence[int] = ()) -> GradError:
        """Return the error for a failed read, which names the first of the ``columns`` that cannot be read alone."""
        # pyarrow raises OSError without an errno for damaged data.
        if isinstance(error, OSError) and error.errno is not None:
            return failed(self.name, error)
        if memory.lacking(error):
            raise MemoryError from error
        where = "the parquet file"
        for name in columns:
            try:
                for _ in self._file.iter_batches(1024, row_groups=groups, columns=[name], use_threads=False):
                    pass
            except (self._arrow.ArrowException, OSError):
                where = f"column {shown(name)} of the parquet file"
                break
        return GradError(f"{self.name}: {where} is damaged: {str(error).splitlines()[0] if str(error) else ''}")

    def _count(self, size: int) -> None:
        """Add to the bytes read, as unpacked. Raise GradError if they exceed the limit."""
        self._expanded += size
        if self.source.limit is not None and self._expanded > self.source.limit:
            raise self.source.too_large(self.source.limit, "it expands to more than the limit of")

    def chunks(self, wanted: Sequence[str], keep: Sequence[str]) -> Iterator[Chunk]:
        column_indices(self.name, self.names, [*[name for name in wanted if name not in self.parts], *keep])
        places = [self.parts.get(name, (name, ())) for name in wanted]
        for name, (column, path) in zip(wanted, places, strict=True):
            self._check_number(name, column, path)
        names = list(dict.fromkeys([*[column for column, _ in places], *keep]))
        start = 0
        for batch in self._batches(names):
            self._count(batch.nbytes)
            count, error = batch.num_rows, None
            columns = []
            # Of the columns without a name all come, in their order.
            unnamed = (name for name in self.names if isinstance(name, Unnamed))
            place = {name or next(unnamed): k for k, name in enumerate(batch.schema.names)}
            for name, (top, path) in zip(wanted, places, strict=True):
                column = batch.column(place[top])
                for k in path:
                    column = column.flatten()[k]
                if column.null_count and not self.na:
                    first = column.is_null().index(True).as_py()
                    if first < count:
                        count, error = first, self._null(name, self._before + start + first)
                columns.append(self._numbers(column, name))
            kept = [Kept(array=batch.column(place[n]), texts=partial(self._cells, n)) for n in keep]
            if count:
                yield Chunk(start, [c[:count] for c in columns], [k[:count] for k in kept])
            if error is not None:
                raise error
            start += count

    def nothing(self, keep: Sequence[str]) -> list[Kept]:
        arrays = [self._arrow.nulls(0, self._fields[name].type) for name in keep]
        return [Kept(array=array, texts=partial(self._cells, name)) for name, array in zip(keep, arrays, strict=True)]

    def _check_number(self, name: str, column: str, path: tuple[int, ...]) -> None:
        """Raise GradError unless a column, or a part of it, holds numbers, or true and false."""
        field = self._fields[column]
        for k in path:
            field = field.type[k]
        kind = field.type
        # The meaning of the numbers of an unregistered extension type is unknown.
        extension = (field.metadata or {}).get(b"ARROW:extension:name")
        if extension or not is_numeric(kind, self._arrow.types):
            problem = f"extension type {shown(extension)}" if extension else f"type {kind}"
            parts = [f"`{part}`" for part in self.parts if part.startswith(f"{name}.")]
            raise GradError(
                f"{self.name}: column '{name}' of the parquet file has the {problem}, not a number",
                hint=f"its parts are {', '.join(parts[:10])}" if parts else None,
            )

    def _batches(self, names: list[str]) -> Iterator[Any]:
        """Yield the rows of some columns in batches of bounded size."""
        # Each thread allocates a malloc arena, which a limited address space may not hold.
        threads, groups = not memory.limited(), list[int]()
        keys = [*dict.fromkeys(map(key_of, names))]
        try:
            for groups, rows in self._runs(names):
                memory.spare(SPARE)
                for batch in self._file.iter_batches(rows, row_groups=groups, columns=keys, use_threads=threads):
                    memory.spare(SPARE)
                    if batch.num_rows:
                        yield batch
        except (self._arrow.ArrowException, OSError) as error:
            raise self._refused(error, keys, groups) from None

    def _runs(self, names: list[str]) -> Iterator[tuple[list[int], int]]:
        """Yield groups of rows that are read together, with the number of rows in a batch."""
        metadata, types = self._file.metadata, self._arrow.types
        widths = {name: width(self._fields[name].type, types) for name in names}
        fixed = sum(size or 0 for size in widths.values())
        leaves = self._leaves({key_of(name) for name, size in widths.items() if size is None})
        # With the dictionaries of text as arrays: repeated text may expand to any multiple of the file's size.
        file = self._opened(metadata=metadata, read_dictionary=[*leaves]) if leaves else self._file
        run, count, least = list[int](), 0, _ROWS
        for k in self._groups:
            group = metadata.row_group(k)
            chunks = {path: group.column(leaf) for path, leaf in leaves.items()}
            size = fixed + sum(chunk.total_uncompressed_size for chunk in chunks.values()) // max(1, group.num_rows)
            packed = [path for path, chunk in chunks.items() if any("DICT" in e for e in chunk.encodings)]
            for batch in file.iter_batches(1, row_groups=[k], columns=packed) if packed else ():
                size += sum(longest(column, types) for column in batch.columns)
                break
            rows = max(1, min(_ROWS, _BYTES // max(1, size)))
            if run and (count >= _ROWS or rows != least):
                yield run, least
                run, count = [], 0
            run.append(k)
            count, least = count + group.num_rows, rows
        if run:
            yield run, least

    def _leaves(self, names: set[str]) -> dict[str, int]:
        """Return the leaves of the columns ``names`` in the schema of the file: their paths, and their indices."""
        if not names:
            return {}
        schema, leaves = self._file.metadata.schema, dict[str, int]()
        for k in range(self._file.metadata.num_columns):
            path = schema.column(k).path
            # The path of a leaf in a nested column is such as v.list.element; a name may contain points itself.
            if any(path[:end] in names for end in [*[m.start() for m in re.finditer(r"\.", path)], len(path)]):
                leaves[path] = k
        return leaves

    def _null(self, name: str, row: int) -> GradError:
        return GradError(
            f"{self.name}: row {row + 1}: column '{name}' is null where a number is expected",
            hint="--na nan reads it as nan",
        )

    def _numbers(self, column: Any, name: str) -> Any:
        import numpy as np

        column = numeric(column, self._arrow)
        if column.null_count:
            full = np.full(len(column), np.nan)
            valid = stored(column.is_valid().cast(self._arrow.uint8())).view(np.bool_)
            full[valid] = as_floats(stored(column.drop_null()), self.name, name, self.notes)
            return full
        return as_floats(stored(column), self.name, name, self.notes)

    def _cells(self, name: str, column: Any) -> Texts:
        """Return a column as text, lists and structs as JSON."""
        arrow, types, kind = self._arrow, self._arrow.types, column.type
        if types.is_dictionary(kind):
            column, kind = column.dictionary_decode(), kind.value_type
        try:
            if types.is_floating(kind):
                numbers = iter(number_cells([stored(column.drop_null()).astype("f8")], None))
                return [next(numbers) if valid else None for valid in column.is_valid().to_pylist()], False
            if types.is_integer(kind) or types.is_boolean(kind):
                return column.cast(arrow.string()).cast(arrow.binary()).to_pylist(), False
            if types.is_string(kind) or types.is_large_string(kind):
                column.validate(full=True)
                return column.cast(arrow.large_binary()).to_pylist(), True
            # datetime has no nanoseconds: let pyarrow print such timestamps and times of day.
            nanoseconds = (types.is_timestamp(kind) or types.is_time64(kind)) and kind.unit == "ns"
            values = (column.cast(arrow.string()) if nanoseconds else column).to_pylist()
            if types.is_nested(kind):
                return [None if v is None else json_text(v).encode() for v in values], None
            texts = [None if v is None else _text(v).encode() for v in values]
            return texts, not types.is_decimal(kind)
        except (ValueError, OverflowError) as error:
            wrong = isinstance(error, UnicodeError) or types.is_string(kind) or types.is_large_string(kind)
            problem = "not UTF-8" if wrong else f"values of the type {kind} beyond its range"
            raise GradError(f"{self.name}: column '{name}' of the parquet file has {problem}") from None


def is_numeric(kind: Any, types: Any) -> bool:
    """Return whether the values of an Arrow type are numbers, or true and false."""
    value = kind.value_type if types.is_dictionary(kind) else kind
    tests = (types.is_integer, types.is_floating, types.is_decimal, types.is_boolean, types.is_null)
    return any(test(value) for test in tests)


def numeric(column: Any, arrow: Any) -> Any:
    """Return an array of a numeric type as one of integers or floats."""
    kind = column.type
    if arrow.types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    if arrow.types.is_decimal(kind):
        # The text gives the nearest double, the cast of decimals to doubles not always.
        return column.cast(arrow.string()).cast(arrow.float64())
    return column.cast(arrow.uint8()) if arrow.types.is_boolean(kind) or arrow.types.is_null(kind) else column


def _text(value: Any) -> str:
    from decimal import Decimal

    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
