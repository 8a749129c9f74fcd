"""Rows between separators, csv and tsv, as RFC 4180 has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradcli.formats.given import Columns, Out, Statements, Style, headed, without_kept
from gradcli.formats.kept import Kept, quoted
from gradcli.formats.numbers import number_rows, row_pieces


def _heading(name: str, separator: str) -> str:
    """A cell of the header; quotes keep blanks at its ends, which readers take away."""
    return quoted(name, separator) if name == name.strip() else '"' + name.replace('"', '""') + '"'


def with_kept(body: bytes, block: list[Any], separator: str) -> bytes:
    """Rows of numbers, and the kept cells at their places."""
    mark = separator.encode()
    cells = body.replace(b"\n", mark).split(mark)
    width = len(without_kept(block))
    places = iter(range(width))
    columns = [c.separated(separator) if isinstance(c, Kept) else cells[next(places) :: width] for c in block]
    return b"\n".join(map(mark.join, zip(*columns, strict=True)))


def separated(separator: str) -> tuple[Callable[..., None], Callable[..., None]]:
    turned = bytes.maketrans(b",", separator.encode())

    def write(result: Columns, out: Out, style: Style) -> None:
        header = separator.join([_heading(n, separator) for n in result.names]).encode() + b"\n"
        for block in headed(header, result.blocks, out):
            if any(isinstance(c, Kept) for c in block):
                body = number_rows(without_kept(block)).translate(turned)
                out(with_kept(body, block, separator) + b"\n")
                continue
            for piece in row_pieces(block):
                out(piece if separator == "," else piece.translate(turned))

    def tell(formulas: Statements, out: Out, style: Style) -> None:
        for pair in [("name", "expression"), *formulas.lines, *[(name, "") for name in formulas.unused]]:
            out(separator.join([quoted(cell, separator) for cell in pair]).encode() + b"\n")

    return write, tell
