"""Columns carried from input to output unchanged, text included."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from gradcli.formats.print_numbers import number_rows

_NUMBER = rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_LITERAL = re.compile(_NUMBER + rb"|true|false").fullmatch
_NUMERIC = re.compile(_NUMBER).fullmatch
_LINES_OF_NUMBERS = re.compile(rb"(?:" + _NUMBER + rb"\n)*+").fullmatch
_STARTS = frozenset(b"-0123456789tfni")
"""The first bytes of cells that JSON may write without quotes."""
_NONFINITE = frozenset((b"nan", b"inf", b"-inf"))
_ESCAPED = re.compile(rb'[\x00-\x1f"\\]').search
_CELL = 100
"""Memory per cell as bytes, beside the bytes."""

Texts = tuple[Sequence[bytes | None], Sequence[bool | None] | bool | None]
"""Cells as UTF-8 bytes, None for a null, and the marks of those that are text."""


class Kept:
    """The cells of a column carried through: as text, as an array, or as both.

    ``cells``: UTF-8 bytes, None for a null. ``quoted``: which cells the input marks as text; JSON writes the others as
    numbers if they are spelled as such, and those marked None as they are, since they are JSON. ``array``: the values
    as an array of Arrow or NumPy, which a binary format takes as it is; a text cell beside its value is a number,
    however it is spelled. ``texts`` makes the cells of an array that has none, if a format asks for text.
    """

    __slots__ = ("_texts", "_written", "array")

    def __init__(
        self, cells: Sequence[bytes | None] | None = None, quoted: Sequence[bool | None] | bool | None = False,
        array: Any = None, texts: Callable[[Any], Texts] | None = None,
    ) -> None:  # fmt: skip
        self.array, self._texts = array, texts
        self._written: Texts | None = None if cells is None else (cells, quoted)

    def _text(self) -> Texts:
        if self._written is None:
            assert self._texts is not None
            self._written = self._texts(self.array)
        return self._written

    @property
    def cells(self) -> Sequence[bytes | None]:
        return self._text()[0]

    @property
    def quoted(self) -> Sequence[bool | None] | bool | None:
        return self._text()[1]

    @property
    def size(self) -> int:
        """The bytes of memory that the column takes, its cells as text included."""
        if self._written is None:
            # The text of a dictionary is held as often as it occurs.
            values = self.array.dictionary_decode() if hasattr(self.array, "dictionary") else self.array
            return int(values.nbytes) * 2 + _CELL * len(self)
        return sum([len(cell or b"") for cell in self.cells]) + _CELL * len(self)

    def __len__(self) -> int:
        return len(self.cells if self.array is None else self.array)

    def __getitem__(self, part: slice) -> Kept:
        array = None if self.array is None else self.array[part]
        if self._written is None:
            return Kept(array=array, texts=self._texts)
        marks = self.quoted
        return Kept(self.cells[part], marks[part] if isinstance(marks, Sequence) else marks, array)

    @staticmethod
    def joined(parts: Sequence[Kept]) -> Kept:
        """Return the concatenation of ``parts``; arrays of Arrow become text."""
        import numpy as np

        arrays = [part.array for part in parts]
        alike = all(isinstance(a, np.ndarray) and a.dtype == arrays[0].dtype for a in arrays)
        array = np.concatenate(arrays) if alike else None
        if alike and all(part._written is None for part in parts):
            return Kept(array=array, texts=parts[0]._texts)
        cells = [cell for part in parts for cell in part.cells]
        return Kept(cells, [mark for part in parts for mark in part._marks()], array)

    def repeated(self, times: int, lo: int, hi: int) -> Kept:
        """Return cells ``lo`` to ``hi`` of the column in which each cell is repeated ``times`` times."""
        part = self[lo // times : -(-hi // times)]
        if times == 1:
            return part
        return part.picked([k // times - lo // times for k in range(lo, hi)])

    def picked(self, rows: Sequence[int]) -> Kept:
        """Return the cells of the given rows."""
        array = None if self.array is None else self.array.take(rows)
        if self._written is None:
            return Kept(array=array, texts=self._texts)
        marks = self._marks()
        return Kept([self.cells[k] for k in rows], [marks[k] for k in rows], array)

    def _marks(self) -> Sequence[bool | None]:
        marks = self.quoted
        return marks if isinstance(marks, Sequence) else [marks] * len(self)

    def separated(self, separator: bytes) -> Sequence[bytes]:
        """Return the cells by RFC 4180, quoted where necessary; a null is an empty cell."""
        cells = [cell or b"" for cell in self.cells]
        joined = b"\n".join(cells)
        if separator in joined or b'"' in joined or b"\r" in joined or joined.count(b"\n") != len(cells) - 1:
            return [quoted(cell, separator) for cell in cells]
        return cells

    def json(self) -> list[bytes]:
        """Return the cells as JSON: numbers with their digits, null for nan and infinities, strings for all else."""
        variable = self.array is not None and self._texts is None
        if variable or self.quoted is False or self.quoted == [False] * len(self):
            # One match of all cells is several times faster than one of each.
            cells = [cell for cell in self.cells if cell]
            if len(cells) == len(self.cells) and _LINES_OF_NUMBERS(b"".join([cell + b"\n" for cell in cells])):
                return cells
        if variable:
            numbers = number_rows([self.array], words=False).split(b"\n")
            return [c if c and _NUMERIC(c) else n for c, n in zip(self.cells, numbers, strict=True)]
        marks = self.quoted
        if isinstance(marks, bool) or (marks is not None and None not in marks):
            cells = [cell for cell in self.cells if cell and cell[0] not in _STARTS]
            if len(cells) == len(self.cells) and not _ESCAPED(b"".join(cells)):
                return [b'"%s"' % cell for cell in cells]
        return [_json(cell, mark) for cell, mark in zip(self.cells, self._marks(), strict=True)]

    def plain(self) -> list[str]:
        """Return the cells as text; a null is ``null``."""
        return ["null" if cell is None else cell.decode() for cell in self.cells]


def _json(cell: bytes | None, mark: bool | None) -> bytes:
    if cell is None:
        return b"null"
    if mark is None:
        return cell
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
