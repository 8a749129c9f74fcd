"""A Markdown table, a row a point."""

from __future__ import annotations

from collections.abc import Sequence

from gradcli.errors import printable
from gradcli.formats.given import Columns, Out, Statements, Style, headed, without_kept
from gradcli.formats.kept import Kept
from gradcli.formats.numbers import number_rows


def _markdown_row(cells: Sequence[str]) -> bytes:
    return ("| " + " | ".join([printable(c).replace("|", "\\|") for c in cells]) + " |\n").encode()


def write_markdown(result: Columns, out: Out, style: Style) -> None:
    header = _markdown_row(result.names) + b"|" + b" ---: |" * len(result.names) + b"\n"
    for block in headed(header, result.blocks, out):
        if any(isinstance(column, Kept) for column in block):
            numbers = number_rows(without_kept(block), nothing=b"null").split(b"\n")
            held = iter(zip(*(row.decode().split(",") for row in numbers), strict=True))
            columns = [c.plain() if isinstance(c, Kept) else next(held) for c in block]
            out(b"".join([_markdown_row(row) for row in zip(*columns, strict=True)]))
        else:
            body = number_rows(block, nothing=b"null").replace(b"\n", b" |\n| ").replace(b",", b" | ")
            out(b"| " + body + b" |\n")


def tell_markdown(formulas: Statements, out: Out, style: Style) -> None:
    out(_markdown_row(["name", "expression"]) + b"| --- | --- |\n")
    for name, text in formulas.lines:
        out(_markdown_row([name, f"`` {text} ``" if "`" in text else f"`{text}`"]))
    for name in formulas.unused:
        out(_markdown_row([name, "not used"]))
