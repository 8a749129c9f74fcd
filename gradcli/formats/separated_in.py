"""Reads rows between separators, csv and tsv, by RFC 4180 and strictly: every row has the header's number of cells.

A chunk of whole rows is looked at as one array of bytes; what is malformed is then found row by row, for the words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcli.errors import GradError
from gradcli.formats.arrow_rows import arrow_columns, loaded, plain
from gradcli.formats.cells import NotANumber, number, numbers
from gradcli.formats.given import Chunk
from gradcli.formats.kept import Kept
from gradcli.formats.separated_rows import row, unquoted, whole_rows, with_newlines
from gradcli.formats.source import Input, checked_names, fault, places, shown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


_JSON = re.compile(rb"""\s*(?:\{\s*["}\r\n]|\[\s*[-0-9"\[{\]\r\n])""")


class _Cells(NamedTuple):
    """Rows of cells as ranges of bytes, both of shape (rows, columns); an end is where its separator stands.

    What there is in the text, ``quoted`` cells, carriage ``returns`` or ``plain`` ASCII alone, is asked once for all
    columns.
    """

    text: bytes
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    quoted: bool
    returns: bool
    plain: bool


class Separated:
    """A table of text; see ``Table``. ``rows`` is never known."""

    rows: int | None = None

    def __init__(self, given: Input, separator: str) -> None:
        given.refuse_columns()
        name = given.name
        self.name, self.na, self.notes = name, given.na, list[str]()
        self._separator = separator.encode()
        self._rows = whole_rows(with_newlines(given.parts()), name)
        self._held, _ = next(self._rows, (b"", 0))
        self._line = 1
        if not self._held:
            raise GradError(f"{name}: the file is empty: a header is expected")
        self.names = self._header()
        if plain(self._held, self._separator, len(self.names)):
            loaded()

    def _header(self) -> tuple[str, ...]:
        text = self._held
        if text.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise GradError(f"{self.name}:1: UTF-16, not UTF-8", hint="convert it: iconv -f utf-16 -t utf-8")
        if text.startswith((b"\x93NUMPY", b"PK\x03\x04", b"PAR1")):
            raise GradError(f"{self.name}:1: not a text file", hint="say what it is by --input-format")
        start = 3 if text.startswith(b"\xef\xbb\xbf") else 0
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
        self._held = text[end:]
        return checked_names(self.name, names, 1)

    def chunks(self, wanted: Sequence[str], keep: Sequence[str]) -> Iterator[Chunk]:
        asked = places(self.name, self.names, wanted)
        kept = places(self.name, self.names, keep)
        start = 0
        while True:
            if self._held:
                chunk, error = self._chunk(self._held, asked, kept, start)
                if chunk is not None:
                    start += len((chunk.columns or chunk.kept)[0])
                    yield chunk
                if error is not None:
                    raise error
            following = next(self._rows, None)
            if following is None:
                return
            self._held, lines = following
            self._line = 1 + lines

    def _chunk(
        self, text: bytes, asked: list[int], kept: list[int], start: int
    ) -> tuple[Chunk | None, GradError | None]:
        """The rows up to the first bad one, and what is wrong with that."""
        text = text if text.endswith(b"\n") else text + b"\n"
        if not kept and (found := arrow_columns(text, self._separator, len(self.names), asked)) is not None:
            return Chunk(start, found, []), None
        error: GradError | None = None
        cells = _structure(text, self._separator, len(self.names))
        if cells is None:
            good, error = self._malformed(text)
            cells = _structure(text[:good], self._separator, len(self.names)) if good else None
        if cells is None:
            return None, error
        count = len(cells.ends)
        columns, bad = self._numbers(cells, asked)
        if bad is not None:
            count, error = bad
        texts = []
        for k in kept:
            one, bad = self._texts(cells, k, count)
            if bad is not None:
                count, error = bad
            texts.append(one)
        if count == 0:
            return None, error
        return Chunk(start, [c[:count] for c in columns], [t[:count] for t in texts]), error

    def _numbers(self, cells: _Cells, asked: list[int]) -> tuple[list[Any], tuple[int, GradError] | None]:
        """The asked columns, and where there is a bad cell how many rows are good."""
        import numpy as np

        if not asked:
            return [], None
        if len(asked) and (quick := arrow_columns(cells.text, self._separator, len(self.names), asked)) is not None:
            return quick, None
        order = sorted(asked)
        if (found := numbers(_between_commas(cells, order, self._separator), self.na)) is not None:
            table = found.reshape(-1, len(order))
            return [np.ascontiguousarray(table[:, order.index(k)]) for k in asked], None
        starts, ends = cells.starts[:, order].tolist(), cells.ends[:, order].tolist()
        rows = np.empty((len(starts), len(order)))
        for r, (los, his) in enumerate(zip(starts, ends, strict=True)):
            for c, (lo, hi) in enumerate(zip(los, his, strict=True)):
                try:
                    rows[r, c] = number(unquoted(cells.text[lo:hi]), self.na)
                except NotANumber as error:
                    bad = self._bad(cells.text, lo, hi, order[c], str(error))
                    return [rows[:r, order.index(k)].copy() for k in asked], (r, bad)
        return [rows[:, order.index(k)].copy() for k in asked], None

    def _bad(self, text: bytes, lo: int, hi: int, column: int, what: str) -> GradError:
        cell = unquoted(text[lo:hi]).strip(b" \r")
        where = f"in column {shown(self.names[column])}"
        if not _decodes(cell):
            return self._fault(text, lo, f"{where}: not UTF-8")
        if not cell:
            return self._fault(text, lo, f"an empty cell {where}", "--na nan reads it as nan")
        hint = None
        if cell.decode() in ("NA", "N/A", "NaN", "null"):
            hint = "--na nan reads it as nan"
        elif re.fullmatch(rb"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?|[+-]?[0-9]+,[0-9]+", cell):
            hint = "decimal commas and separators of thousands are not read: write 1234.5"
        return self._fault(text, lo, f"{shown(cell)} {where} {what}", hint)

    def _texts(self, cells: _Cells, k: int, count: int) -> tuple[Kept, tuple[int, GradError] | None]:
        text = cells.text
        found = [
            text[lo:hi] for lo, hi in zip(cells.starts[:count, k].tolist(), cells.ends[:count, k].tolist(), strict=True)
        ]
        marks: list[bool] | bool = False
        if cells.returns and k == len(self.names) - 1:
            found = [cell.removesuffix(b"\r") for cell in found]
        if cells.quoted:
            marks = [cell.startswith(b'"') for cell in found]
            found = [unquoted(cell) if mark else cell for cell, mark in zip(found, marks, strict=True)]
        if not cells.plain and not _decodes(b"\n".join(found)):
            bad = next(r for r, cell in enumerate(found) if not _decodes(cell))
            error = self._fault(text, int(cells.starts[bad, k]), f"in column {shown(self.names[k])}: not UTF-8")
            return Kept(found, marks)[:bad], (bad, error)
        return Kept(found, marks), None

    def _fault(self, text: bytes, at: int, message: str, hint: str | None = None) -> GradError:
        line = self._line + text.count(b"\n", 0, at)
        return fault(self.name, line, at - text.rfind(b"\n", 0, at), message, hint)

    def _malformed(self, text: bytes) -> tuple[int, GradError]:
        """Where the first malformed row begins, and what is wrong with it."""
        at, line, width = 0, self._line, len(self.names)
        while at < len(text):
            cells: list[bytes] = []
            try:
                end = row(text, at, self._separator, self.name, line, cells)
            except GradError as error:
                return at, error
            if len(cells) != width:
                found = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
                message = (
                    f"{found} where the header has {width}"
                    if cells != [b""]
                    else f"an empty line where the header has {width} cells"
                )
                return at, fault(self.name, line, 1, message)
            line += text.count(b"\n", at, end)
            at = end
        raise AssertionError("every row is well formed")


def _structure(text: bytes, separator: bytes, width: int) -> _Cells | None:
    """Where the cells of whole rows are; None where a row is malformed."""
    import numpy as np

    if b"\r" in text and b'"' not in text:
        text = text.replace(b"\r\n", b"\n")
        if b"\r" in text:
            return None
    data = np.frombuffer(text, np.uint8)
    newline = data == 10
    marks = newline | (data == separator[0])
    if b'"' in text:
        quote = data == 34
        # Sums wrap, their lowest bit does not mind.
        inside = (np.cumsum(quote, dtype=np.uint8) & 1).astype(bool)
        if inside[-1] or not _quotes_in_place(data, quote, inside, separator[0]):
            return None
        marks &= ~inside
    ends = np.flatnonzero(marks)
    if len(ends) % width or int(np.count_nonzero(newline[ends])) != len(ends) // width:
        return None
    if not newline[ends[width - 1 :: width]].all():
        return None
    starts = np.empty_like(ends)
    starts[0] = 0
    starts[1:] = ends[:-1] + 1
    return _Cells(text, starts.reshape(-1, width), ends.reshape(-1, width), b'"' in text, b"\r" in text, text.isascii())


def _quotes_in_place(data: Any, quote: Any, inside: Any, separator: int) -> bool:
    """Whether quotes open only at a cell's start, close only at its end, and returns stand before newlines alone."""
    import numpy as np

    at = np.flatnonzero(quote)
    opening = at[inside[at]]
    closing = at[~inside[at]]
    before = data[opening[opening > 0] - 1]
    after = data[closing + 1]
    returns = np.flatnonzero((data == 13) & ~inside)
    return bool(
        np.isin(before, (separator, 10, 34)).all()
        and np.isin(after, (separator, 10, 13, 34)).all()
        and (data[returns + 1] == 10).all()
    )


def _between_commas(cells: _Cells, order: list[int], separator: bytes) -> bytes:
    """The cells of some columns, row after row, without a comma behind the last."""
    import numpy as np

    rows, width = cells.ends.shape
    text = cells.text
    if len(order) < width:
        flags = np.zeros(width, dtype=bool)
        flags[order] = True
        lengths = cells.ends - cells.starts + 1
        picked = np.repeat(np.tile(flags, rows), lengths.ravel())
        text = np.frombuffer(text, np.uint8)[picked].tobytes()
    if separator != b",":
        # A comma inside a cell must not become one between cells.
        text = text.replace(b",", b"x").replace(separator, b",")
    elif b'"' in text:
        return b'"'
    return text.replace(b"\n", b",")[:-1]


def _decodes(cell: bytes) -> bool:
    try:
        cell.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_number(cell: bytes) -> bool:
    try:
        number(unquoted(cell), False)
    except NotANumber:
        return False
    return unquoted(cell).strip() not in (b"nan", b"inf", b"-inf")
