"""A Markdown table, a row a point."""

from __future__ import annotations

from collections.abc import Sequence

from gradcli.errors import printable
from gradcli.formats.given import Columns, Out, Statements, Style, headed
from gradcli.formats.kept import Kept
from gradcli.formats.numbers import number_rows


def _cell(text: str) -> str:
    return printable(text).replace("|", "\\|")


def _markdown_row(cells: Sequence[str]) -> bytes:
    return ("| " + " | ".join(map(_cell, cells)) + " |\n").encode()


def write_markdown(result: Columns, out: Out, style: Style) -> None:
    header = _markdown_row(result.names) + b"|" + b" ---: |" * len(result.names) + b"\n"
    for block in headed(header, result.blocks, out):
        kept = [[_cell(text).encode() for text in column.plain()] for column in block if isinstance(column, Kept)]
        numbers = number_rows(block[len(kept) :], nothing=b"null").replace(b",", b" | ").split(b"\n")
        out(b"".join([b"| " + b" | ".join(row) + b" |\n" for row in zip(*kept, numbers, strict=True)]))


def tell_markdown(formulas: Statements, out: Out, style: Style) -> None:
    out(_markdown_row(["name", "expression"]) + b"| --- | --- |\n")
    for name, text in formulas.lines:
        out(_markdown_row([name, f"`` {text} ``" if "`" in text else f"`{text}`"]))
    for name in formulas.unused:
        out(_markdown_row([name, "not used"]))
