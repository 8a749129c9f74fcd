"""Writer of aligned text: matrices, or a row for each point, or a record for each point if rows are too wide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from gradcli.caret import inert, printable
from gradcli.expr import spell_name
from gradcli.formats.columns import Columns, Out, Statements, Style, by_rows, shaped
from gradcli.formats.print_numbers import number_cells
from gradcli.limits import memory

_CHUNK = 65536
"""Numbers printed at a time."""
_COLUMN = 250
"""Bytes of memory for each column of a matrix while a row is written."""
_LOOK = 100_000
"""Cells that determine the widths of the columns."""


def _bold(text: str, style: Style) -> bytes:
    return (f"\x1b[1m{text}\x1b[0m" if style.color else text).encode()


def _shown(text: str) -> str:
    """A text that drives neither a terminal nor the CI server whose log the table is in."""
    return inert(printable(text))


def write_table(result: Columns, out: Out, style: Style) -> None:
    if result.matrix or result.shapes is not None:
        _write_matrices(result, out, style)
    else:
        _write_rows(result, out, style)


def _write_rows(result: Columns, out: Out, style: Style) -> None:
    names = [_shown(name) for name in result.names]
    width = len(names)
    template: bytes | None = None
    pending: list[bytes] = []
    blocks = result.blocks
    # Column widths are fixed by the first _LOOK cells, whatever the block size; a later, wider cell overflows its
    # column.
    for block in blocks:
        pending += _row_cells(block, style.digits)
        if len(pending) >= _LOOK:
            break
    measured = pending[: max(1, _LOOK // width) * width]
    widths = [max(len(names[k]), max(map(len, measured[k::width]), default=0)) for k in range(width)]
    if style.width is not None and sum(widths) + 2 * (width - 1) > style.width:
        label = max(map(len, names))
        lines = [_bold(name.ljust(label), style).replace(b"%", b"%%") + b"  %s\n" for name in names]
        record = b"".join(lines)
        template = b"\n" + record
        out(record % tuple(pending[:width]))
        pending = pending[width:]
    else:
        template = b"  ".join([b"%%%ds" % w for w in widths]) + b"\n"
        out(_bold("  ".join([n.rjust(w) for n, w in zip(names, widths, strict=True)]), style) + b"\n")
    out((template * (len(pending) // width)) % tuple(pending))
    for block in blocks:
        cells = _row_cells(block, style.digits)
        out((template * (len(cells) // width)) % tuple(cells))


def _row_cells(block: Sequence[Any], digits: int | None) -> list[bytes]:
    """Return the cells of a block as text, row after row."""
    return by_rows(
        block, lambda column: [_shown(text).encode() for text in column.plain()],
        lambda numbers: number_cells(numbers, digits),
    )  # fmt: skip


def _write_matrices(result: Columns, out: Out, style: Style) -> None:
    """Write each output as a matrix under its name; with more than two dimensions, a matrix for each leading index."""
    if result.matrix:
        across = result.shape[-1]
        memory.check(across * _COLUMN, f"a table of {across:,} columns", "write csv, jsonl, npy or parquet")
    first = True
    for name, shape, column in shaped(result):
        if column is None:
            out((b"" if first else b"\n") + _bold(_shown(name), style) + b"\nnull\n")
            first = False
            continue
        # Among outputs of different shapes a vector is a column, since it may have as many elements as a file has rows.
        upright = result.shapes is not None and len(shape) == 1
        *leading, height, width = (*shape, 1) if upright else (1,) * (2 - len(shape)) + shape
        area = height * width
        for k, index in enumerate(product(*map(range, leading))):
            title = _shown(name) + (f"[{','.join(map(str, index))}]" if index else "")
            out(b"" if first else b"\n")
            first = False
            _write_matrix(title, column[k * area : (k + 1) * area], width, out, style)


def _write_matrix(title: str, values: Any, width: int, out: Out, style: Style) -> None:
    step = max(1, _CHUNK // width) * width

    def parts() -> Iterator[list[bytes]]:
        for lo in range(0, len(values), step):
            yield number_cells([values[lo : lo + step]], style.digits)

    widths = [0] * width
    for cells in parts():
        widths = [max(w, *map(len, cells[k::width])) for k, w in enumerate(widths)]
    panels = list(_panels(widths, style.width))
    for k, (lo, hi) in enumerate(panels):
        if len(panels) > 1:
            out((b"\n" if k else b"") + _bold(f"{title}, columns {lo} to {hi - 1} of {width}", style) + b"\n")
        else:
            out(_bold(title, style) + b"\n")
        template = b"  ".join([b"%%%ds" % w for w in widths[lo:hi]]) + b"\n"
        for cells in parts():
            if len(panels) > 1:
                cells = [c for row in range(0, len(cells), width) for c in cells[row + lo : row + hi]]
            out((template * (len(cells) // (hi - lo))) % tuple(cells))


def _panels(widths: Sequence[int], limit: int | None) -> Iterator[tuple[int, int]]:
    """Yield ranges of columns that fit side by side into ``limit`` characters."""
    lo, used = 0, 0
    for k, w in enumerate(widths):
        if limit is not None and k > lo and used + 2 + w > limit:
            yield lo, k
            lo, used = k, 0
        used += w + (2 if k > lo else 0)
    yield lo, len(widths)


def tell_table(formulas: Statements, out: Out, style: Style) -> None:
    for name, text in formulas.lines:
        out(_bold(_shown(spell_name(name)), style) + f" = {_shown(text)}\n".encode())
    for name in formulas.unused:
        out(f"# {_shown(name)}: not used\n".encode())
