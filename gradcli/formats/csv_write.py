"""Writers of csv and tsv, by RFC 4180."""

from __future__ import annotations

from collections.abc import Callable

from gradcli.formats.columns import Columns, Out, Statements, Style, Unnamed, headed, runs
from gradcli.formats.passthrough import Kept, quoted
from gradcli.formats.print_numbers import number_rows, row_pieces


def _heading(name: str, separator: bytes) -> bytes:
    """Return a cell of the header, quoted if it begins or ends with blanks, since readers strip unquoted names."""
    cell = b"" if isinstance(name, Unnamed) else name.encode()
    return quoted(cell, separator) if cell == cell.strip() else b'"' + cell.replace(b'"', b'""') + b'"'


def _separated(separator: bytes) -> tuple[Callable[..., None], Callable[..., None]]:
    """Return the writer and the teller for a separator."""
    separators = bytes.maketrans(b",", separator)

    def write(result: Columns, out: Out, style: Style) -> None:
        header = separator.join([_heading(n, separator) for n in result.names]) + b"\n"
        for block in headed(header, result.blocks, out):
            if not any(isinstance(column, Kept) for column in block):
                for piece in row_pieces(block, digits=style.digits):
                    out(piece if separator == b"," else piece.translate(separators))
                continue
            cells = [
                run.separated(separator) if isinstance(run, Kept)
                else number_rows(run, digits=style.digits)
                .translate(None if separator == b"," else separators).split(b"\n")
                for run in runs(block)
            ]  # fmt: skip
            out(b"\n".join(map(separator.join, zip(*cells, strict=True))) + b"\n")

    def tell(formulas: Statements, out: Out, style: Style) -> None:
        for pair in [("name", "expression"), *formulas.lines, *[(name, "") for name in formulas.unused]]:
            out(separator.join([quoted(cell.encode(), separator) for cell in pair]) + b"\n")

    return write, tell


write_csv, tell_csv = _separated(b",")
write_tsv, tell_tsv = _separated(b"\t")
