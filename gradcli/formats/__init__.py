"""File formats: conversion between blocks of numbers and bytes, a row of FORMATS for each format.

Memory is bounded, except for formats that need a whole column at once (json, npz, and matrices in a table).
Layer: must not know how the numbers are computed, nor where the bytes go.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from gradcli.errors import GradError, optional
from gradcli.formats.columns import PLAIN, SCHEMA, Chunk, Columns, Dialect, Out, Span, Start, Statements, Style, Table
from gradcli.formats.passthrough import Kept
from gradcli.formats.print_numbers import spell

if TYPE_CHECKING:
    from gradcli.formats.input import Input

__all__ = [
    "FORMATS", "PLAIN", "SCHEMA", "Chunk", "Columns", "Dialect", "Format", "Kept", "Out", "Span", "Start", "Statements",
    "Style", "Table", "by_suffix", "open_table", "spans", "spell",
]  # fmt: skip


class Format(NamedTuple):
    """A file format.

    ``suffixes`` are those of file names, ``doc`` is the line of the help. ``writer``, ``teller``, ``reader`` and
    ``shower`` write numbers, write expressions, read, and escape text for a terminal: functions of this package as
    "file:function", imported when they are called; "" if the format does not support the operation. ``binary``: not
    written to a terminal. ``held``: read and written as a whole in memory, whereas other formats are streamed.
    ``library``: the library that writing needs, and ``needs`` the extra that installs it. ``dialect``: the fields of
    `Dialect` that reading can use, ``na`` apart. ``cutter`` cuts a table of a file into spans; "" if the format has
    none.
    """

    name: str
    suffixes: tuple[str, ...]
    doc: str
    writer: str
    teller: str = ""
    reader: str = ""
    shower: str = ""
    binary: bool = False
    held: bool = False
    library: str = "orjson"
    needs: str = ""
    dialect: tuple[str, ...] = ()
    cutter: str = ""

    def write(self, result: Any, out: Out, style: Style) -> None:
        """Write the columns of a result to ``out``."""
        _function(self.writer)(result, out, style)

    def tell(self, formulas: Statements, out: Out, style: Style) -> None:
        """Write expressions to ``out``. Raise GradError if the format holds numbers only."""
        if not self.teller:
            raise GradError(
                "without points there are expressions, and this format holds numbers alone",
                hint="give --at or --grid",
            )
        _function(self.teller)(formulas, out, style)

    def read(self, source: Input) -> Table:
        """Return the table of an input, with its header read and checked."""
        if source.span is not None and (not self.cutter or source.packing is not None):
            raise GradError(f"{source.name}: this is not read in parts, but as a whole")
        for field, value, default in zip(Dialect._fields, source.dialect, PLAIN, strict=True):
            if value != default and field not in (*self.dialect, "na"):
                known = [row.name for row in FORMATS.values() if field in row.dialect]
                option = "--" + field.replace("_", "-")
                raise GradError(f"{source.name}: {option} is for {', '.join(known)}; this is {self.name}")
        table: Table = _function(self.reader)(source)
        return table

    def cut(self, source: Input, size: int) -> list[Span]:
        """Return the spans of a file of about ``size`` bytes each; none if it is read as a whole alone."""
        cut: list[Span] = _function(self.cutter)(self.read(source), size)
        return cut

    def shown(self, data: bytes) -> bytes:
        """Return the text as a terminal may receive it, with control characters escaped."""
        text: bytes = _function(self.shower)(data) if self.shower else data
        return text

    def load(self, packing: str | None) -> None:
        """Import the libraries that writing needs, before the output file is created: an import may end the process.

        Raise GradError if a library is not installed.
        """
        if self.needs:
            optional(self.library, self.needs, f"{self.name} needs the package {self.library.partition('.')[0]}")
        else:
            import_module(self.library)
        if packing == "zst":
            from gradcli.formats.compression import zstandard

            zstandard()


def _function(path: str) -> Any:
    """Import and return a function given as "file:function"."""
    file, _, name = path.partition(":")
    return getattr(import_module(f"gradcli.formats.{file}"), name)


FORMATS = {
    row.name: row
    for row in (
        Format(
            "table", (".txt",), "aligned text: matrices for a shape, else a row a point", "table:write_table",
            "table:tell_table",
        ),
        Format(
            "csv", (".csv",), "comma-separated rows with a header", "csv_write:write_csv", "csv_write:tell_csv",
            "csv_read:read_csv", "terminal:csv_shown", dialect=Dialect._fields, cutter="text_spans:separated_spans",
        ),
        Format(
            "tsv", (".tsv", ".tab"), "tab-separated rows with a header", "csv_write:write_tsv", "csv_write:tell_tsv",
            "csv_read:read_tsv", "terminal:tsv_shown", dialect=Dialect._fields, cutter="text_spans:separated_spans",
        ),
        Format(
            "json", (".json",), f"one object, schema {SCHEMA}: columns in the shape of the grid",
            "json_write:write_json", "json_write:tell_json", "json_read:read_json", "terminal:json_shown", held=True,
            dialect=("encoding",),
        ),
        Format(
            "jsonl", (".jsonl", ".ndjson"), "JSON lines: one object a point", "json_write:write_jsonl",
            "json_write:tell_jsonl", "jsonl_read:JsonLines", "terminal:json_shown", dialect=("encoding",),
            cutter="text_spans:json_lines_spans",
        ),
        Format("markdown", (".md",), "a Markdown table", "markdown:write_markdown", "markdown:tell_markdown"),
        Format(
            "npy", (".npy",), "a NumPy array with a field a column", "npy_write:write_npy", reader="npy_read:Npy",
            binary=True, library="numpy", dialect=("columns",),
        ),
        Format(
            "npz", (".npz",), "NumPy arrays, one a column, in the shape of the grid", "npy_write:write_npz",
            reader="npy_read:Npz", binary=True, held=True, library="numpy",
        ),
        Format(
            "parquet", (".parquet", ".pq"), "a Parquet table", "parquet_write:write_parquet",
            reader="parquet_read:Parquet", binary=True, library="pyarrow.parquet", needs="parquet",
            cutter="parquet_spans:parquet_spans",
        ),
    )
}  # fmt: skip


def by_suffix(path: str) -> Format:
    """Return the format of an output file by its suffix, ignoring .gz and .zst. Raise GradError if it is unknown."""
    from gradcli.formats.compression import suffix_of

    for row in FORMATS.values():
        if suffix_of(path)[0].lower().endswith(row.suffixes):
            return row
    known = " ".join(s for row in FORMATS.values() for s in row.suffixes)
    raise GradError(f"--output: no format goes with the name '{path}'", hint=f"give --format, or a suffix of {known}")


def open_table(
    path: str, stream: BinaryIO | None, *, format: str | None = None, max_bytes: int | None = None,
    dialect: Dialect = PLAIN, span: Span | None = None,
) -> Table:  # fmt: skip
    """Open a table in a file, or in ``stream`` if given, as for ``-``; read and check its header.

    ``format``: a name of FORMATS; by default that of the suffix, and csv for stdin. ``max_bytes`` limits the bytes of
    the input after decompression. ``span``: the run of rows that is read, one of `spans`; errors give their place in
    the whole input. The column of a one-dimensional array has the name "". Raise GradError, with exit code 2 for
    invalid data and 3 for failed reads.
    """
    row, source = _opened(path, stream, format, max_bytes, dialect, span)
    table = row.read(source)
    if dialect.na != "skip":
        return table
    from gradcli.formats.complete_rows import CompleteRows

    return CompleteRows(table, source.name)


def spans(
    path: str, stream: BinaryIO | None, size_of_part: int, *, format: str | None = None, dialect: Dialect = PLAIN
) -> list[Span]:
    """Return the runs of rows, of about ``size_of_part`` bytes of the file, that together are a table in input order.

    Empty if the input is one part: it is smaller, a stream, compressed, or of a format or an encoding without places to
    begin at. A part is at least one row, or one row group of parquet. A text is read once, and ``stream`` left open at
    any position. Raise GradError for a header that `open_table` refuses; rows are not checked.
    """
    from gradcli.formats.columns import HEADER
    from gradcli.formats.input import file_size

    row, source = _opened(path, stream, format, None, dialect, HEADER)
    try:
        whole = not row.cutter or path == "-" or source.packing is not None
        return [] if whole or file_size(source.stream) is None else row.cut(source, size_of_part)
    finally:
        if stream is None:
            source.stream.close()


def _opened(
    path: str, stream: BinaryIO | None, format: str | None, limit: int | None, dialect: Dialect, span: Span | None
) -> tuple[Format, Input]:
    """Return the format of an input, and the input."""
    from gradcli.formats.compression import suffix_of
    from gradcli.formats.input import STDIN, Input, opened

    if path == "-":
        if stream is None:
            raise GradError("stdin is closed: --input - reads from it")
        plain, packing, name = "-", None, STDIN
    else:
        plain, packing = suffix_of(path)
        name, stream = path, stream or opened(path)
    row = _by_name(format) if format is not None else FORMATS["csv"] if path == "-" else _by_read_suffix(plain)
    return row, Input(name, stream, packing=packing, limit=limit, dialect=dialect, span=span)


def _by_name(name: str) -> Format:
    row = FORMATS.get(name)
    if row is None or not row.reader:
        known = ", ".join([row.name for row in FORMATS.values() if row.reader])
        raise GradError(f"--input-format: '{name}' cannot be read (can be: {known})")
    return row


def readable_suffix(path: str) -> Format | None:
    """Return the format of an input file by its suffix, ignoring .gz and .zst; None if it is unknown."""
    from gradcli.formats.compression import suffix_of

    plain = suffix_of(path)[0].lower()
    return next((row for row in FORMATS.values() if row.reader and plain.endswith(row.suffixes)), None)


def _by_read_suffix(path: str) -> Format:
    import os

    row = readable_suffix(path)
    if row is not None:
        return row
    suffix = os.path.splitext(path)[1]
    what = f"the suffix '{suffix}'" if suffix else "a name without suffix"
    others = ", ".join(row.name for row in FORMATS.values() if row.reader and row.name != "csv")
    hint = f"columns of text are csv, whatever is between them: --input-format csv (or {others})"
    if suffix.lower() in (".xls", ".xlsx", ".ods"):
        hint = "a spreadsheet is read after it has been saved as .csv"
    raise GradError(f"{path}: no format that can be read goes with {what}: give --input-format", hint=hint)
