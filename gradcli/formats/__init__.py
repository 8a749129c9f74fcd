"""Blocks of numbers <-> bytes, one row per format at the foot of the file.

Memory stays bounded except where a format needs a column at once (json, npz, matrices).
Must not know how the numbers are made, nor where the bytes go.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any, BinaryIO, NamedTuple

from gradcli.errors import GradError, missing, printable
from gradcli.formats.compression import Packer, suffix_of, zstandard
from gradcli.formats.input import STDIN, Input, opened
from gradcli.formats.interface import SCHEMA, Chunk, Columns, Out, Start, Statements, Style, Table
from gradcli.formats.passthrough import Kept
from gradcli.formats.print_numbers import spell

__all__ = [
    "FORMATS", "SCHEMA", "Chunk", "Columns", "Format", "Kept", "Out", "Packer", "Start", "Statements", "Style", "Table",
    "by_suffix", "open_table", "printable", "spell", "suffix_of",
]  # fmt: skip


class Format(NamedTuple):
    """A row: how a format is written, read and told apart.

    ``writer``, ``teller``, ``reader``, ``shower`` name functions of this folder, as "file:function", which are imported
    when they are called; "" where the format cannot do that. ``binary``: not for a terminal. ``held``: read and
    written whole, in memory, where others are streamed. ``library``: what writing stands on, and ``needs`` the extra
    that installs it.
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

    def write(self, result: Any, out: Out, style: Style) -> None:
        """Numbers, see `Columns`."""
        _function(self.writer)(result, out, style)

    def tell(self, formulas: Statements, out: Out, style: Style) -> None:
        """Expressions. Raises GradError where the format holds numbers alone."""
        if not self.teller:
            raise GradError(
                "without points there are expressions, and this format holds numbers alone",
                hint="give --at or --grid",
            )
        _function(self.teller)(formulas, out, style)

    def read(self, given: Input) -> Table:
        table: Table = _function(self.reader)(given)
        return table

    def shown(self, data: bytes) -> bytes:
        """What a terminal is given of the text: nothing that could drive it."""
        text: bytes = _function(self.shower)(data) if self.shower else data
        return text

    def load(self, packing: str | None) -> None:
        """Import what writing stands on, before a file is begun: an import may fail, and may end the process."""
        try:
            import_module(self.library)
        except ImportError as error:
            package = self.library.partition(".")[0]
            if not self.needs or not missing(error, package):
                raise
            raise GradError(
                f"{self.name} needs the package {package}", hint=f"pip install 'gradcli[{self.needs}]'"
            ) from None
        if packing == "zst":
            zstandard()


def _function(place: str) -> Any:
    file, _, name = place.partition(":")
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
            "csv_read:read_csv", "terminal:csv_shown",
        ),
        Format(
            "tsv", (".tsv", ".tab"), "tab-separated rows with a header", "csv_write:write_tsv", "csv_write:tell_tsv",
            "csv_read:read_tsv", "terminal:tsv_shown",
        ),
        Format(
            "json", (".json",), f"one object, schema {SCHEMA}: columns in the shape of the grid",
            "json_write:write_json", "json_write:tell_json", "json_read:JsonTable", "terminal:json_shown", held=True,
        ),
        Format(
            "jsonl", (".jsonl", ".ndjson"), "JSON lines: one object a point", "json_write:write_jsonl",
            "json_write:tell_jsonl", "jsonl_read:JsonLines", "terminal:json_shown",
        ),
        Format("markdown", (".md",), "a Markdown table", "markdown:write_markdown", "markdown:tell_markdown"),
        Format(
            "npy", (".npy",), "a NumPy array with a field a column", "npy_write:write_npy", reader="npy_read:Npy",
            binary=True, library="numpy",
        ),
        Format(
            "npz", (".npz",), "NumPy arrays, one a column, in the shape of the grid", "npy_write:write_npz",
            reader="npy_read:Npz", binary=True, held=True, library="numpy",
        ),
        Format(
            "parquet", (".parquet", ".pq"), "a Parquet table", "parquet:write_parquet", reader="parquet:Parquet",
            binary=True, library="pyarrow.parquet", needs="parquet",
        ),
    )
}  # fmt: skip


def by_suffix(path: str) -> Format:
    """The format of a file to write by the end of its name, .gz and .zst left aside. Raises GradError."""
    for row in FORMATS.values():
        if suffix_of(path)[0].lower().endswith(row.suffixes):
            return row
    known = " ".join(s for row in FORMATS.values() for s in row.suffixes)
    raise GradError(f"--output: no format goes with the name '{path}'", hint=f"give --format, or a suffix of {known}")


def open_table(
    path: str, stream: BinaryIO | None, *, format: str | None = None, na: str | None = None,
    max_bytes: int | None = None, columns: Sequence[str] | None = None,
) -> Table:  # fmt: skip
    """The table in a file, or in ``stream`` where that is given, as for ``-``; its header is read and checked.

    ``format``: a name of FORMATS, else by suffix; stdin is csv. ``na="nan"`` reads empty cells, NA, N/A, NaN and null
    as nan, where they are errors otherwise. ``max_bytes`` bounds what a packed or held input may expand to.
    ``columns`` names the columns of an array that has none; without it a one-dimensional one has the name "".
    Raises GradError: exit code 2 for what is wrong with the data, 3 where reading fails.
    """
    if path == "-":
        if stream is None:
            raise GradError("stdin is closed: --input - reads from it")
        plain, packing, name = "-", None, STDIN
    else:
        plain, packing = suffix_of(path)
        name, stream = path, stream or opened(path)
    row = _by_name(format) if format is not None else FORMATS["csv"] if path == "-" else _to_read(plain)
    given = Input(name, stream, packing=packing, na=na == "nan", limit=max_bytes, columns=columns)
    return row.read(given)


def _by_name(name: str) -> Format:
    row = FORMATS.get(name)
    if row is None or not row.reader:
        known = ", ".join([row.name for row in FORMATS.values() if row.reader])
        raise GradError(f"--input-format: '{name}' cannot be read (can be: {known})")
    return row


def _to_read(path: str) -> Format:
    import os

    for row in FORMATS.values():
        if row.reader and path.lower().endswith(row.suffixes):
            return row
    suffix = os.path.splitext(path)[1]
    what = f"the suffix '{suffix}'" if suffix else "a name without suffix"
    raise GradError(f"{path}: no format that can be read goes with {what}: give --input-format")
