"""Reader of csv and tsv by RFC 4180. It is strict: each row must have as many cells as the header.

A chunk of complete rows is parsed as an array of bytes; only if it is malformed, row by row, to find the error.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Any

from gradcli.errors import GradError
from gradcli.formats.columns import Chunk
from gradcli.formats.csv_arrow import arrow_columns, loaded, plain
from gradcli.formats.csv_offsets import Cells, between_commas, split
from gradcli.formats.csv_rows import position, row, unquoted, whole_rows, with_newlines
from gradcli.formats.input import Input, checked_names, column_indices, fault, marked, shown
from gradcli.formats.parse_numbers import NA, NotANumber, number, numbers
from gradcli.formats.passthrough import Kept

_JSON = re.compile(rb"""\s*(?:\{\s*["}\r\n]|\[\s*[-0-9"\[{\]\r\n])""")


class Separated:
    """A table of separated text; see ``Table``. ``rows`` is always None."""

    rows: int | None = None

    def __init__(self, source: Input, separator: bytes) -> None:
        source.refuse_columns()
        name = source.name
        self.name, self.na, self.notes = name, source.na, list[str]()
        self._separator = separator
        self._rows = whole_rows(with_newlines(source.parts()), name)
        self._text, _ = next(self._rows, (b"", 0))
        self._line = 1
        if not self._text:
            raise GradError(f"{name}: the file is empty: a header is expected")
        self.names = self._header()
        if plain(self._text, self._separator, len(self.names)):
            loaded()

    def _header(self) -> tuple[str, ...]:
        """Parse the header and return the names. Raise GradError for text that is not a table."""
        text = self._text
        start = marked(text, self.name)
        if text.startswith((b"\x93NUMPY", b"PK\x03\x04", b"PAR1")):
            raise GradError(f"{self.name}:1: not a text file", hint="say what it is by --input-format")
        cells: list[bytes] = []
        end = row(text, start, self._separator, self.name, 1, cells)
        if _JSON.match(text, start):
            raise GradError(
                f"{self.name}:1: JSON, not rows of cells", hint="say what it is: --input-format json, or jsonl"
            )
        if b"\0" in text[:end]:
            raise GradError(f"{self.name}:1: a NUL byte in the header: UTF-16, or no text at all")
        try:
            texts = [unquoted(cell).decode() for cell in cells]
        except UnicodeDecodeError:
            raise GradError(f"{self.name}:1: the header is not UTF-8") from None
        if not any(cell.strip() for cell in cells):
            raise GradError(f"{self.name}:1: the first line is empty: a header is expected")
        names = [t if c.startswith(b'"') else t.strip() for t, c in zip(texts, cells, strict=True)]
        if all(_is_number(cell) for cell in cells):
            raise GradError(
                f"{self.name}:1: no header: the first line holds numbers", hint="write the columns' names above them"
            )
        self._line += text.count(b"\n", 0, end)
        self._text = text[end:]
        return checked_names(self.name, names, 1)

    def chunks(self, wanted: Sequence[str], keep: Sequence[str]) -> Iterator[Chunk]:
        indices = column_indices(self.name, self.names, wanted)
        kept = column_indices(self.name, self.names, keep)
        start = 0
        for text, lines in chain([(self._text, self._line - 1)] if self._text else [], self._rows):
            self._line = 1 + lines
            chunk, error = self._chunk(text, indices, kept, start)
            if chunk is not None:
                start += len((chunk.columns or chunk.kept)[0])
                yield chunk
            if error is not None:
                raise error

    def _chunk(
        self, text: bytes, indices: list[int], kept: list[int], start: int
    ) -> tuple[Chunk | None, GradError | None]:
        """Return the chunk of rows before the first invalid one, and the error there or None."""
        text = text if text.endswith(b"\n") else text + b"\n"
        if not kept and (columns := arrow_columns(text, self._separator, len(self.names), indices)) is not None:
            return Chunk(start, columns, []), None
        error: GradError | None = None
        cells = split(text, self._separator, len(self.names))
        if cells is None:
            good, error = self._malformed(text)
            cells = split(text[:good], self._separator, len(self.names)) if good else None
        if cells is None:
            return None, error
        count = len(cells.ends)
        columns, bad = self._numbers(cells, indices)
        if bad is not None:
            count, error = bad
        texts = []
        for k in kept:
            column, bad = self._texts(cells, k, count)
            if bad is not None:
                count, error = bad
            texts.append(column)
        if count == 0:
            return None, error
        return Chunk(start, [c[:count] for c in columns], [t[:count] for t in texts]), error

    def _numbers(self, cells: Cells, indices: list[int]) -> tuple[list[Any], tuple[int, GradError] | None]:
        """Return the columns ``indices`` before the first invalid cell, and its row and error if there is one."""
        import numpy as np

        if not indices:
            return [], None
        if (parsed := arrow_columns(cells.text, self._separator, len(self.names), indices)) is not None:
            return parsed, None
        order = sorted(indices)
        place = {k: c for c, k in enumerate(order)}
        if (values := numbers(between_commas(cells, order, self._separator), self.na)) is not None:
            table = values.reshape(-1, len(order))
            return [np.ascontiguousarray(table[:, place[k]]) for k in indices], None
        starts, ends = cells.starts[:, order].tolist(), cells.ends[:, order].tolist()
        rows = np.empty((len(starts), len(order)))
        for r, (los, his) in enumerate(zip(starts, ends, strict=True)):
            for c, (lo, hi) in enumerate(zip(los, his, strict=True)):
                try:
                    rows[r, c] = number(unquoted(cells.text[lo:hi]), self.na)
                except NotANumber as error:
                    bad = self._bad(cells.text, lo, hi, order[c], str(error))
                    return [rows[:r, place[k]].copy() for k in indices], (r, bad)
        return [rows[:, place[k]].copy() for k in indices], None

    def _bad(self, text: bytes, lo: int, hi: int, column: int, what: str) -> GradError:
        """Return the error for a cell that is not a number."""
        cell = unquoted(text[lo:hi]).strip(b" \r")
        where = f"in column {shown(self.names[column])}"
        if not _decodes(cell):
            return self._fault(text, lo, f"{where}: not UTF-8")
        if not cell:
            return self._fault(text, lo, f"an empty cell {where}", "--na nan reads it as nan")
        hint = None
        if cell in NA:
            hint = "--na nan reads it as nan"
        elif re.fullmatch(rb"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?|[+-]?[0-9]+,[0-9]+", cell):
            hint = "decimal commas and separators of thousands are not read: write 1234.5"
        return self._fault(text, lo, f"{shown(cell)} {where} {what}", hint)

    def _texts(self, cells: Cells, k: int, count: int) -> tuple[Kept, tuple[int, GradError] | None]:
        """Return a column as cells carried through, and the row and error of the first invalid one if there is one."""
        text = cells.text
        values = [
            text[lo:hi] for lo, hi in zip(cells.starts[:count, k].tolist(), cells.ends[:count, k].tolist(), strict=True)
        ]
        marks: list[bool] | bool = False
        if cells.returns and k == len(self.names) - 1:
            values = [cell.removesuffix(b"\r") for cell in values]
        if cells.quoted:
            marks = [cell.startswith(b'"') for cell in values]
            values = [unquoted(cell) if mark else cell for cell, mark in zip(values, marks, strict=True)]
        if not cells.plain and not _decodes(b"\n".join(values)):
            bad = next(r for r, cell in enumerate(values) if not _decodes(cell))
            error = self._fault(text, int(cells.starts[bad, k]), f"in column {shown(self.names[k])}: not UTF-8")
            return Kept(values, marks)[:bad], (bad, error)
        return Kept(values, marks), None

    def _fault(self, text: bytes, at: int, message: str, hint: str | None = None) -> GradError:
        """Return an error with the line and column of an offset in the current text."""
        return fault(self.name, *position(text, 0, at, self._line), message, hint)

    def _malformed(self, text: bytes) -> tuple[int, GradError]:
        """Return the offset of the first malformed row, and its error."""
        at, line, width = 0, self._line, len(self.names)
        while at < len(text):
            cells: list[bytes] = []
            try:
                end = row(text, at, self._separator, self.name, line, cells)
            except GradError as error:
                return at, error
            if len(cells) != width:
                count = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
                message = (
                    f"{count} where the header has {width}"
                    if cells != [b""]
                    else f"an empty line where the header has {width} cells"
                )
                return at, fault(self.name, line, 1, message)
            line += text.count(b"\n", at, end)
            at = end
        raise AssertionError("every row is well formed")


def _decodes(cell: bytes) -> bool:
    try:
        cell.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_number(cell: bytes) -> bool:
    try:
        return math.isfinite(number(unquoted(cell), False))
    except NotANumber:
        return False


read_csv = partial(Separated, separator=b",")
read_tsv = partial(Separated, separator=b"\t")
