"""Blocks of numbers <-> bytes, one row per format at the foot of the file.

Memory stays bounded except where a format needs a column at once (json, npz, matrices).
Must not know how the numbers are made, nor where the bytes go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, BinaryIO, NamedTuple

from gradcli.errors import GradError, printable
from gradcli.formats import deferred
from gradcli.formats.given import SCHEMA, Chunk, Columns, Out, Start, Statements, Style, Table
from gradcli.formats.json_text import tell_json, tell_jsonl, write_json, write_jsonl
from gradcli.formats.kept import Kept
from gradcli.formats.markdown import tell_markdown, write_markdown
from gradcli.formats.numbers import spell
from gradcli.formats.packed import Packer, suffix_of
from gradcli.formats.separated import separated
from gradcli.formats.source import STDIN, Input, opened
from gradcli.formats.table import tell_table, write_table
from gradcli.formats.terminal import csv_shown, json_shown, tsv_shown

__all__ = [
    "FORMATS", "SCHEMA", "Chunk", "Columns", "Format", "Kept", "Out", "Packer", "Start", "Statements", "Style", "Table",
    "by_suffix", "load", "open_table", "printable", "spell", "suffix_of",
]  # fmt: skip


class Format(NamedTuple):
    """``write(result, out, style)`` for numbers, ``tell(formulas, out, style)`` for expressions, ``read(input)``.

    ``binary``: not for a terminal. ``held``: read and written whole, in memory, where others are streamed. ``needs``:
    the extra that installs what it stands on. ``shown``: what a terminal is given of the text, where that is not all.
    """

    name: str
    suffixes: tuple[str, ...]
    doc: str
    write: Callable[[Any, Out, Style], None]
    tell: Callable[[Any, Out, Style], None]
    read: Callable[[Input], Table] | None = None
    binary: bool = False
    held: bool = False
    needs: str = ""
    shown: Callable[[bytes], bytes] | None = None


FORMATS = {
    row.name: row
    for row in (
        Format("table", (".txt",), "aligned text: matrices for a shape, else a row a point", write_table, tell_table),
        Format(
            "csv",
            (".csv",),
            "comma-separated rows with a header",
            *separated(b","),
            deferred.read_csv,
            shown=csv_shown,
        ),
        Format(
            "tsv",
            (".tsv", ".tab"),
            "tab-separated rows with a header",
            *separated(b"\t"),
            deferred.read_tsv,
            shown=tsv_shown,
        ),
        Format(
            "json",
            (".json",),
            f"one object, schema {SCHEMA}: columns in the shape of the grid",
            write_json,
            tell_json,
            deferred.read_json,
            held=True,
            shown=json_shown,
        ),
        Format(
            "jsonl",
            (".jsonl", ".ndjson"),
            "JSON lines: one object a point",
            write_jsonl,
            tell_jsonl,
            deferred.read_jsonl,
            shown=json_shown,
        ),
        Format("markdown", (".md",), "a Markdown table", write_markdown, tell_markdown),
        Format(
            "npy",
            (".npy",),
            "a NumPy array with a field a column",
            deferred.write_npy,
            deferred.tell_nothing,
            deferred.read_npy,
            binary=True,
        ),
        Format(
            "npz",
            (".npz",),
            "NumPy arrays, one a column, in the shape of the grid",
            deferred.write_npz,
            deferred.tell_nothing,
            deferred.read_npz,
            binary=True,
            held=True,
        ),
        Format(
            "parquet",
            (".parquet", ".pq"),
            "a Parquet table",
            deferred.write_parquet,
            deferred.tell_nothing,
            deferred.read_parquet,
            binary=True,
            needs="parquet",
        ),
    )
}


def load(row: Format, packing: str | None) -> None:
    """Import what a file of this format is written with, before it is begun."""
    deferred.load(row.name, packing)


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
    assert row.read is not None
    return row.read(given)


def _by_name(name: str) -> Format:
    row = FORMATS.get(name)
    if row is None or row.read is None:
        known = ", ".join([row.name for row in FORMATS.values() if row.read])
        raise GradError(f"--input-format: '{name}' cannot be read (can be: {known})")
    return row


def _to_read(path: str) -> Format:
    import os

    for row in FORMATS.values():
        if row.read is not None and path.lower().endswith(row.suffixes):
            return row
    suffix = os.path.splitext(path)[1]
    what = f"the suffix '{suffix}'" if suffix else "a name without suffix"
    raise GradError(f"{path}: no format that can be read goes with {what}: give --input-format")
