"""What reads each format, and what writes those that are no text; imported at first need."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from gradcli.errors import GradError
from gradcli.formats.given import Columns, Out, Statements, Style, Table

if TYPE_CHECKING:
    from gradcli.formats.source import Input


def read_csv(given: Input) -> Table:
    from gradcli.formats.separated_in import Separated

    return Separated(given, ",")


def read_tsv(given: Input) -> Table:
    from gradcli.formats.separated_in import Separated

    return Separated(given, "\t")


def read_json(given: Input) -> Table:
    from gradcli.formats.json_in import JsonTable

    return JsonTable(given)


def read_jsonl(given: Input) -> Table:
    from gradcli.formats.jsonl_in import JsonLines

    return JsonLines(given)


def read_npy(given: Input) -> Table:
    from gradcli.formats.arrays_in import Npy

    return Npy(given)


def read_npz(given: Input) -> Table:
    from gradcli.formats.arrays_in import Npz

    return Npz(given)


def read_parquet(given: Input) -> Table:
    from gradcli.formats.parquet import Parquet

    return Parquet(given)


def write_npy(result: Columns, out: Out, style: Style) -> None:
    from gradcli.formats import arrays

    arrays.write_npy(result, out, style)


def write_npz(result: Columns, out: Out, style: Style) -> None:
    from gradcli.formats import arrays

    arrays.write_npz(result, out, style)


def write_parquet(result: Columns, out: Out, style: Style) -> None:
    from gradcli.formats import parquet

    parquet.write_parquet(result, out, style)


def load(name: str, packing: str | None) -> None:
    """Import what a format is written with, before its file is begun: an import may fail, and may end the process."""
    if name == "parquet":
        from gradcli.formats.parquet import pyarrow

        pyarrow()
    else:
        import_module("numpy" if name in ("npy", "npz") else "orjson")
    if packing == "zst":
        from gradcli.formats.packed import zstandard

        zstandard()


def tell_nothing(formulas: Statements, out: Out, style: Style) -> None:
    """Raises GradError: there are no numbers."""
    raise GradError(
        "without points there are expressions, and this format holds numbers alone", hint="give --at or --grid"
    )
