"""Reader of csv and tsv by RFC 4180. It is strict: each row must have as many cells as the header.

A chunk of complete rows is parsed as an array of bytes; only if it is malformed, row by row, to find the error.
"""

from __future__ import annotations

import io
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from gradcli.errors import GradError
from gradcli.formats.columns import Chunk, Dialect, Table
from gradcli.formats.csv_arrow import arrow_columns, loaded, plain
from gradcli.formats.csv_header import POINTS, commas_for, read_header, separator_of
from gradcli.formats.csv_lines import Lines, uncommented
from gradcli.formats.csv_offsets import Cells, between_commas, split
from gradcli.formats.csv_rows import Newlines, position, row, unquoted, whole_rows
from gradcli.formats.input import ENCODING, Input, column_indices, fault, shown
from gradcli.formats.parse_numbers import NA, NotANumber, number, numbers
from gradcli.formats.passthrough import Kept
from gradcli.formats.ranges import head, text_of

_MISSING = "--na nan reads it as nan, --na skip leaves its row out"
_THOUSANDS = "separators of thousands are not read: delete them from the file"


class Separated(Table):
    """A table of separated text; see ``Table``. ``rows`` is always None.

    ``separator`` is that of the format. ``trial``: whether a text that does not read is no reason to look for options
    that would read it.
    """

    rows = None

    def __init__(self, source: Input, separator: bytes, trial: bool = False) -> None:
        dialect, name = source.dialect, source.name
        self.name, self.na, self.notes = name, source.na, list[str]()
        self.source, self._usual, self._trial, self._dialect = source, separator, trial, dialect
        self._separator = separator_of(dialect, separator)
        self._decimal = dialect.decimal.encode()
        self._refused = b""
        # The column that the options of an error must read.
        self._asked: str | None = None
        self._commas = commas_for(self._separator, dialect.decimal)
        text = Newlines(source.text() if source.span is None else head(source))
        self.lines = Lines(iter(text), name)
        try:
            self.names = read_header(self.lines, dialect, self._separator, name)
        except GradError as error:
            raise self._explained(error) from None
        for _ in range(dialect.skip_after_header):
            self.lines.take()
        if plain(self.lines.ahead, self._separator, len(self.names)):
            loaded()
        # The lines of the text before that of the current rows, and where comments stood among these.
        self._before = self.lines.line - 1
        self._dropped: Sequence[int] = ()
        self.returns, self._part = text.returns, None
        if source.span is not None:
            self._before = source.span.before
            self._part = iter(Newlines(text_of(source, source.span), self.returns))

    def _pieces(self) -> Iterator[tuple[bytes, int, Sequence[int]]]:
        """Yield pieces of complete rows, each with the number of lines before it and where comments stood in it."""
        rest, comment = self._part or self.lines.rest(), self._dialect.comment
        if comment:
            return uncommented(rest, self.name, comment.encode(), self._before)
        return ((text, lines, ()) for text, lines in whole_rows(rest, self.name, lines=self._before))

    def hint(self, name: str) -> str | None:
        return self._options(name)

    def _options(self, column: str | None) -> str | None:
        from gradcli.formats.csv_hints import options_that_read

        if self._trial:
            return None
        sample = self.lines.sample(self.source.rests)

        def opened(dialect: Dialect) -> Table:
            return Separated(Input("", io.BytesIO(sample), dialect=dialect), self._usual, True)

        dialect = self._dialect._replace(encoding=None)
        return options_that_read(sample, dialect, self._separator, column, opened)

    def _explained(self, error: GradError, column: str | None = None) -> GradError:
        """Return an error with the options that read the text, and ``column`` as numbers, as its hint if there are any.

        Without a column, it is the first one that has been asked for.
        """
        error.hint = self._options(column or self._asked) or error.hint
        return error

    def chunks(self, wanted: Sequence[str], keep: Sequence[str]) -> Iterator[Chunk]:
        indices = column_indices(self.name, self.names, wanted)
        kept = column_indices(self.name, self.names, keep)
        self._asked = wanted[0] if wanted else None
        start = 0
        for text, lines, dropped in self._pieces():
            self._before, self._dropped = lines, dropped
            chunk, error = self._chunk(text, indices, kept, start)
            if chunk is not None:
                start += len((chunk.columns or chunk.kept)[0])
                yield chunk
            if error is not None:
                try:
                    raise error
                finally:
                    # Its traceback holds this frame: a cycle would keep the input open.
                    del error

    def _chunk(
        self, text: bytes, indices: list[int], kept: list[int], start: int
    ) -> tuple[Chunk | None, GradError | None]:
        """Return the chunk of rows before the first invalid one, and the error there or None."""
        text = text if text.endswith(b"\n") else text + b"\n"
        if not kept and (columns := self._by_arrow(text, indices)) is not None:
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

    def _by_arrow(self, text: bytes, indices: list[int]) -> list[Any] | None:
        """Return columns by pyarrow, or None if it cannot read the text, which is not tried twice."""
        columns = None
        if text is not self._refused:
            columns = arrow_columns(text, self._separator, len(self.names), indices, self._decimal)
        self._refused = text if columns is None else b""
        return columns

    def _numbers(self, cells: Cells, indices: list[int]) -> tuple[list[Any], tuple[int, GradError] | None]:
        """Return the columns ``indices`` before the first invalid cell, and its row and error if there is one."""
        import numpy as np

        if not indices:
            return [], None
        if (parsed := self._by_arrow(cells.text, indices)) is not None:
            return parsed, None
        order = sorted(indices)
        place = {k: c for c, k in enumerate(order)}
        if (values := numbers(between_commas(cells, order, self._separator, self._commas), self.na)) is not None:
            table = values.reshape(-1, len(order))
            return [np.ascontiguousarray(table[:, place[k]]) for k in indices], None
        starts, ends = cells.starts[:, order].tolist(), cells.ends[:, order].tolist()
        rows = np.empty((len(starts), len(order)))
        for r, (los, his) in enumerate(zip(starts, ends, strict=True)):
            for c, (lo, hi) in enumerate(zip(los, his, strict=True)):
                try:
                    cell = unquoted(cells.text[lo:hi])
                    rows[r, c] = number(cell.translate(POINTS) if self._decimal == b"," else cell, self.na)
                except NotANumber as error:
                    bad = self._bad(cells.text, lo, hi, order[c], str(error))
                    return [rows[:r, place[k]].copy() for k in indices], (r, bad)
        return [rows[:, place[k]].copy() for k in indices], None

    def _bad(self, text: bytes, lo: int, hi: int, column: int, what: str) -> GradError:
        """Return the error for a cell that is not a number."""
        cell = unquoted(text[lo:hi]).strip(b" \r")
        where = f"in column {shown(self.names[column])}"
        if not _decodes(cell):
            return self._fault(text, lo, f"{where}: not UTF-8", ENCODING)
        if not cell:
            return self._fault(text, lo, f"an empty cell {where}", _MISSING)
        if cell in NA:
            return self._fault(text, lo, f"{shown(cell)} {where} {what}", _MISSING)
        thousands = re.fullmatch(rb"[+-]?[0-9]{1,3}([,.][0-9]{3})+([.,][0-9]*)?|[+-]?[0-9]+,[0-9]+", cell)
        return self._explained(
            self._fault(text, lo, f"{shown(cell)} {where} {what}", _THOUSANDS if thousands else None),
            self.names[column],
        )

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
            marks = [cell.lstrip(b" ").startswith(b'"') for cell in values]
            values = [unquoted(cell) if mark else cell for cell, mark in zip(values, marks, strict=True)]
        if not cells.plain and not _decodes(b"\n".join(values)):
            bad = next(r for r, cell in enumerate(values) if not _decodes(cell))
            error = self._fault(
                text, int(cells.starts[bad, k]), f"in column {shown(self.names[k])}: not UTF-8", ENCODING
            )
            return Kept(values, marks)[:bad], (bad, error)
        return Kept(values, marks), None

    def _fault(self, text: bytes, at: int, message: str, hint: str | None = None) -> GradError:
        """Return an error with the line and column of an offset in the current text."""
        line, column = position(text, 0, at, 0)
        return fault(self.name, self._number_of(line), column, message, hint)

    def _number_of(self, line: int) -> int:
        """Return the number in the file of a line in the current text, both counted from 0 and 1."""
        return self._before + 1 + line + bisect_right(self._dropped, line)

    def _malformed(self, text: bytes) -> tuple[int, GradError]:
        """Return the offset of the first malformed row, and its error."""
        at, line, width = 0, 0, len(self.names)
        while at < len(text):
            cells: list[bytes] = []
            number = self._number_of(line)
            try:
                end = row(text, at, self._separator, self.name, number, cells)
            except GradError as error:
                return at, self._explained(error)
            if len(cells) != width:
                count = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
                message = (
                    f"{count} where the header has {width}"
                    if cells not in ([b""], [])
                    else f"an empty line where the header has {width} cells"
                )
                return at, self._explained(fault(self.name, number, 1, message))
            line += text.count(b"\n", at, end)
            at = end
        raise AssertionError("every row is well formed")


def _decodes(cell: bytes) -> bool:
    try:
        cell.decode()
    except UnicodeDecodeError:
        return False
    return True


read_csv = partial(Separated, separator=b",")
read_tsv = partial(Separated, separator=b"\t")
