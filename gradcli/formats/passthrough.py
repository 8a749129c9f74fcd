"""Columns carried from input to output unchanged, text included."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

_NUMBER = rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_LITERAL = re.compile(_NUMBER + rb"|true|false").fullmatch
_STARTS = frozenset(b"-0123456789tfni")
"""The first bytes of cells that JSON may write without quotes."""
_NONFINITE = frozenset((b"nan", b"inf", b"-inf"))
_ESCAPED = re.compile(rb'[\x00-\x1f"\\]').search


class Kept:
    """The cells of a column carried through.

    ``cells``: UTF-8 bytes, None for a null. ``quoted``: which cells the input marks as text; JSON writes the others as
    numbers if they are spelled as such. ``arrow``: the Arrow array of the input, if any, which preserves the type in
    Parquet.
    """

    __slots__ = ("arrow", "cells", "quoted")

    def __init__(self, cells: Sequence[bytes | None], quoted: Sequence[bool] | bool = False, arrow: Any = None) -> None:
        self.cells, self.quoted, self.arrow = cells, quoted, arrow

    def __len__(self) -> int:
        return len(self.cells)

    def __getitem__(self, part: slice) -> Kept:
        quoted = self.quoted if isinstance(self.quoted, bool) else self.quoted[part]
        return Kept(self.cells[part], quoted, None if self.arrow is None else self.arrow[part])

    @staticmethod
    def joined(parts: Sequence[Kept]) -> Kept:
        """Return the concatenation of ``parts``, without their Arrow arrays."""
        return Kept([cell for part in parts for cell in part.cells], [mark for part in parts for mark in part._marks()])

    def repeated(self, times: int, lo: int, hi: int) -> Kept:
        """Return cells ``lo`` to ``hi`` of the column in which each cell is repeated ``times`` times."""
        part = self[lo // times : -(-hi // times)]
        if times == 1:
            return part
        marks, first = part._marks(), lo // times
        rows = [k // times - first for k in range(lo, hi)]
        return Kept([part.cells[k] for k in rows], [marks[k] for k in rows])

    def _marks(self) -> Sequence[bool]:
        return [self.quoted] * len(self.cells) if isinstance(self.quoted, bool) else self.quoted

    def separated(self, separator: bytes) -> Sequence[bytes]:
        """Return the cells by RFC 4180, quoted where necessary; a null is an empty cell."""
        cells = [cell or b"" for cell in self.cells]
        joined = b"\n".join(cells)
        if separator in joined or b'"' in joined or b"\r" in joined or joined.count(b"\n") != len(cells) - 1:
            return [quoted(cell, separator) for cell in cells]
        return cells

    def json(self) -> list[bytes]:
        """Return the cells as JSON: numbers with their digits, null for nan and infinities, strings for all else."""
        cells = [cell for cell in self.cells if cell and cell[0] not in _STARTS]
        if len(cells) == len(self.cells) and not _ESCAPED(b"".join(cells)):
            return [b'"%s"' % cell for cell in cells]
        return [_json(cell, mark) for cell, mark in zip(self.cells, self._marks(), strict=True)]

    def plain(self) -> list[str]:
        """Return the cells as text; a null is ``null``."""
        return ["null" if cell is None else cell.decode() for cell in self.cells]


def _json(cell: bytes | None, mark: bool) -> bytes:
    if cell is None:
        return b"null"
    if not mark:
        if _LITERAL(cell):
            return cell
        if cell in _NONFINITE:
            return b"null"
    if _ESCAPED(cell):
        import json

        return json.dumps(cell.decode(), ensure_ascii=False).encode()
    return b'"%s"' % cell


def quoted(cell: bytes, separator: bytes) -> bytes:
    """Return a cell by RFC 4180, quoted if necessary, with quotes doubled."""
    if separator in cell or b'"' in cell or b"\n" in cell or b"\r" in cell:
        return b'"' + cell.replace(b'"', b'""') + b'"'
    return cell
