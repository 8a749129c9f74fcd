"""Writer of aligned text: matrices, or a row for each point, or a record for each point if rows are too wide."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain, product
from math import prod
from typing import Any, NamedTuple

from gradcli.caret import display_width, inert, printable
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
_NUMBER = re.compile(rb"[-+]?[0-9]*\.?[0-9]*([eE][-+]?[0-9]+)?|nan|[-+]?inf|null").fullmatch
"""A cell of a column that is aligned at the decimal point."""


class _Screen:
    """An output that takes a number of lines, and counts those that follow without writing them."""

    def __init__(self, out: Out, lines: int) -> None:
        self.out, self.room, self.shown, self.left_out = out, lines, 0, 0

    def __call__(self, data: bytes) -> None:
        lines = data.splitlines(keepends=True)
        fit = lines[: self.room - self.shown]
        self.out(b"".join(fit))
        self.shown += len(fit)
        self.left_out += len(lines) - len(fit)


def _bold(text: str, style: Style) -> bytes:
    return (f"\x1b[1m{text}\x1b[0m" if style.color else text).encode()


def _shown(text: str) -> str:
    """A text that drives neither a terminal nor the CI server whose log the table is in."""
    return inert(printable(text))


def write_table(result: Columns, out: Out, style: Style) -> None:
    if result.matrix or result.shapes is not None:
        screen = out if style.height is None else _Screen(out, max(1, style.height - 2))
        _write_matrices(result, screen, style)
        if isinstance(screen, _Screen) and screen.left_out:
            out(f"{screen.shown + screen.left_out:,} lines, {screen.shown:,} shown; --all\n".encode())
    else:
        _write_rows(result, out, style)


class _Column(NamedTuple):
    """A column, ``left`` cells of a terminal wide before the decimal point of its numbers and ``right`` from it on.

    Words are aligned to the right.
    """

    left: int
    right: int = 0
    numeric: bool = True

    @property
    def width(self) -> int:
        return self.left + self.right

    def aligned(self, cells: Sequence[bytes], width: int) -> list[bytes]:
        """Return the cells, filled with blanks after them up to ``width``."""
        left = self.left
        return [
            cell.rjust(left + len(cell) - point).ljust(width)
            if (point := cell.find(b".")) >= 0 and self.numeric
            else self._whole(cell).ljust(width)
            for cell in cells
        ]

    def _whole(self, cell: bytes) -> bytes:
        if self.numeric and cell[-1:].isdigit():
            return cell.rjust(self.left + len(cell) - _point(cell))
        return b" " * (self.width - display_width(cell.decode())) + cell


def _point(cell: bytes) -> int:
    """Return the place of the decimal point of a number; without one, where it would be."""
    place = cell.find(b".")
    if place < 0:
        place = cell.find(b"e")
    return place if place >= 0 else len(cell)


def _column(title: str, cells: Sequence[bytes]) -> _Column:
    """Return the least wide column for the cells and the title."""
    numeric = all(map(_NUMBER, cells))
    numbers = [cell for cell in cells if numeric and cell[-1:].isdigit()]
    points = list(map(_point, numbers))
    right = max([len(cell) - point for cell, point in zip(numbers, points, strict=True)], default=0)
    words = [title] if len(numbers) == len(cells) else [title, *[cell.decode() for cell in cells]]
    return _Column(max(0, *points, max(map(display_width, words)) - right), right, numeric)


def _lines(columns: Sequence[_Column], cells: Sequence[bytes]) -> bytes:
    """Return the cells, row after row, as lines of aligned columns."""
    width = len(columns)
    aligned = [c.aligned(cells[k::width], c.width if k < width - 1 else 0) for k, c in enumerate(columns)]
    return b"".join([b"  ".join(row) + b"\n" for row in zip(*aligned, strict=True)])


def _records(names: Sequence[str], style: Style, cells: Sequence[bytes]) -> bytes:
    """Return the cells, row after row, as a record of named lines for each row, after an empty line."""
    label = max(map(display_width, names))
    heads = [_bold(name + " " * (label - display_width(name)), style) for name in names]
    lines = [b"%s  %s\n" % pair for pair in zip(heads * (len(cells) // len(names)), cells, strict=True)]
    return b"".join([b"\n" + b"".join(lines[k : k + len(names)]) for k in range(0, len(lines), len(names))])


def _write_rows(result: Columns, out: Out, style: Style) -> None:
    names = [_shown(name) for name in result.names]
    width = len(names)
    pending: list[bytes] = []
    blocks = result.blocks
    # Column widths are fixed by the first _LOOK cells, whatever the block size; a later, wider cell overflows its
    # column.
    for block in blocks:
        pending += _row_cells(block, style.digits)
        if len(pending) >= _LOOK:
            break
    measured = pending[: max(1, _LOOK // width) * width]
    columns = [_column(name, measured[k::width]) for k, name in enumerate(names)]
    records = style.width is not None and sum(c.width for c in columns) + 2 * (width - 1) > style.width
    text = partial(_records, names, style) if records else partial(_lines, columns)
    if not records:
        titles = [" " * (c.width - display_width(name)) + name for c, name in zip(columns, names, strict=True)]
        out(_bold("  ".join(titles), style) + b"\n")
    # The first line, that of what is not shown and the shell's are on the screen too.
    room = None if style.height is None else max(1, (style.height - 3) // (width + 1 if records else 1))
    shown = 0
    for cells in chain([pending], (_row_cells(block, style.digits) for block in blocks)):
        if room is not None:
            cells = cells[: (room - shown) * width]
        lines = text(cells)
        out(lines[1:] if records and not shown else lines)
        shown += len(cells) // width
        if shown == room:
            break
    for _ in blocks:
        # Computed as for a pipe, since errors and values that are not finite are told.
        pass
    if shown < prod(result.shape):
        out(f"{prod(result.shape):,} rows, {shown:,} shown; --all\n".encode())


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

    columns = [_Column(0)] * width
    for cells in parts():
        more = [_column("", cells[k::width]) for k in range(width)]
        columns = [_Column(max(a.left, b.left), max(a.right, b.right)) for a, b in zip(columns, more, strict=True)]
    panels = list(_panels([column.width for column in columns], style.width))
    for k, (lo, hi) in enumerate(panels):
        if len(panels) > 1:
            out((b"\n" if k else b"") + _bold(f"{title}, columns {lo} to {hi - 1} of {width}", style) + b"\n")
        else:
            out(_bold(title, style) + b"\n")
        for cells in parts():
            if len(panels) > 1:
                cells = [c for row in range(0, len(cells), width) for c in cells[row + lo : row + hi]]
            out(_lines(columns[lo:hi], cells))


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
    for remark in formulas.remarks:
        out(f"# {_shown(remark)}\n".encode())
