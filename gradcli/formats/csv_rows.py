"""Rows of cells by RFC 4180: splitting text into complete rows, and strict parsing of a row."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gradcli.errors import GradError
from gradcli.formats.input import LINE_LIMIT, fault

_MARK = re.compile(rb'["\r\n]')
_EXCHANGED = bytes.maketrans(b"\r\n", b"\n\r")
BLANKS = b" \t"
"""The separator of cells that runs of blanks and tabs separate."""
_opening = re.compile(rb' *+"').match
_blank = re.compile(rb"[ \t]*+").match
_word = re.compile(rb'[^ \t\r\n"]++').match
_end_of_row = re.compile(rb"\r?\n|\Z").match


class Newlines:
    """A text with newlines as line ends.

    If the first line ends in a lone carriage return, carriage returns and newlines outside quotes are exchanged, so
    that a line with a different end is refused later like any other malformed line. ``returns``: whether it does, None
    until its end has been read; given, if the parts begin further down, outside quotes.
    """

    def __init__(self, parts: Iterator[bytes], returns: bool | None = None) -> None:
        self._parts, self.returns = parts, returns

    def __iter__(self) -> Iterator[bytes]:
        pending, quotes = b"", 0
        for part in self._parts:
            part = pending + part
            pending = b""
            if self.returns is None and (end := first_end(part, quotes)) is not None:
                if part[end:] == b"\r":
                    # The next part decides, since it may begin with a newline.
                    pending = part
                    continue
                self.returns = part[end] == 13 and part[end + 1] != 10
            if self.returns is False:
                yield part
                continue
            pieces = part.split(b'"')
            if self.returns:
                outside = slice(quotes % 2, None, 2)
                pieces[outside] = [piece.translate(_EXCHANGED) for piece in pieces[outside]]
            quotes += len(pieces) - 1
            yield b'"'.join(pieces)
        if pending:
            yield pending[:-1] + b"\n"


def first_end(part: bytes, quotes: int) -> int | None:
    """Return the offset of the first newline or carriage return outside quotes; ``quotes`` counts earlier quotes."""
    for mark in _MARK.finditer(part):
        if mark[0] == b'"':
            quotes += 1
        elif quotes % 2 == 0:
            return mark.start()
    return None


def whole_rows(parts: Iterator[bytes], name: str, quoting: bool = True, lines: int = 0) -> Iterator[tuple[bytes, int]]:
    """Yield pieces of complete rows, each with the number of lines before it; the last may lack its newline.

    ``lines``: how many stand before the parts. ``quoting``: whether newlines in quotes belong to a cell. Raise
    GradError for a row longer than LINE_LIMIT.
    """
    pending: list[bytes] = []
    size = quotes = 0
    for part in parts:
        # Searching for a quote is many times faster than counting quotes.
        has_quotes = quoting and b'"' in part
        cut = _last_end(part, quotes) if has_quotes or quotes % 2 else part.rfind(b"\n") + 1
        if cut:
            pending.append(part[:cut])
            text = b"".join(pending)
            yield text, lines
            lines += count(b"\n", text)
            pending, size, quotes, part = [], 0, 0, part[cut:]
        pending.append(part)
        size += len(part)
        quotes += part.count(b'"') if has_quotes else 0
        check_length(size, name, lines + 1, quotes)
    if size:
        yield b"".join(pending), lines


def check_length(size: int, name: str, line: int, quotes: int = 0) -> None:
    """Raise GradError for a row of more than LINE_LIMIT bytes; ``quotes`` is the number of those in it."""
    if size > LINE_LIMIT:
        what = "a quote is not closed, or the line" if quotes % 2 else "the line"
        raise fault(name, line, 1, f"{what} is too long: the limit is {LINE_LIMIT:,} bytes")


def count(byte: bytes, text: bytes | memoryview) -> int:
    """Return how often a byte occurs; several times faster than bytes.count if it does often."""
    import numpy as np

    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == byte[0]))


def _last_end(part: bytes, quotes: int) -> int:
    """Return the offset after the last newline outside quotes, or 0; ``quotes`` counts earlier quotes of the row."""
    quotes += part.count(b'"')
    end = len(part)
    while (at := part.rfind(b"\n", 0, end)) >= 0:
        quotes -= part.count(b'"', at, end)
        if quotes % 2 == 0:
            return at + 1
        end = at
    return 0


def row(text: bytes, at: int, separator: bytes, name: str, line: int, cells: list[bytes]) -> int:
    """Append the raw cells of the row at offset ``at`` to ``cells``; return the offset of the next row.

    ``line`` is the number of its first line. Blanks may stand before a quote. Raise GradError if the row is malformed.
    """
    if separator == BLANKS:
        return _row_of_words(text, at, name, line, cells)
    first, newline = at, _line_end(text, at)
    plain = text[at:newline].removesuffix(b"\r") if newline < len(text) else text[at:]
    if b'"' not in plain and b"\r" not in plain:
        cells += plain.split(separator)
        return min(newline + 1, len(text))
    while True:
        start = at
        if quote := _opening(text, at):
            at = _after_quotes(text, quote.end() - 1, first, name, line)
        else:
            if newline < at:
                # Search once per line: a search from each cell would take quadratic time.
                newline = _line_end(text, at)
            at = text.find(separator, at, newline)
            at = newline if at < 0 else at
            stray = [k for k in (text.find(b'"', start, at), text.find(b"\r", start, at)) if k >= 0]
            if stray and text[min(stray) : min(stray) + 2] != b"\r\n":
                raise _stray(text, min(stray), first, name, line)
            if text[at - 1 : at + 1] == b"\r\n" and at > start:
                at -= 1
        cells.append(text[start:at])
        if text.startswith(b"\r\n", at):
            return at + 2
        if text.startswith(b"\n", at):
            return at + 1
        if at == len(text):
            return at
        if not text.startswith(separator, at):
            raise fault(name, *position(text, first, at, line), "text behind a closing quote")
        at += 1


def _row_of_words(text: bytes, at: int, name: str, line: int, cells: list[bytes]) -> int:
    """`row` for cells between blanks: those at the ends of the line do not count."""
    first = at
    while True:
        blank = _blank(text, at)
        assert blank is not None
        if end := _end_of_row(text, blank.end()):
            return end.end()
        start, word = blank.end(), _word(text, blank.end())
        if word is None and not text.startswith(b'"', start):
            raise _stray(text, start, first, name, line)
        if start == at > first:
            raise fault(name, *position(text, first, at, line), "text behind a closing quote")
        at = _after_quotes(text, start, first, name, line) if word is None else word.end()
        if word is not None and text.startswith(b'"', at):
            raise _stray(text, at, first, name, line)
        cells.append(text[start:at])


def _after_quotes(text: bytes, at: int, first: int, name: str, line: int) -> int:
    """Return the offset after the quote that closes the one at ``at``. Raise GradError if there is none."""
    end = _closing(text, at)
    if end < 0:
        raise fault(name, *position(text, first, at, line), "a quote is opened here and never closed")
    return end + 1


def _stray(text: bytes, at: int, first: int, name: str, line: int) -> GradError:
    """Return the error for a quote or a carriage return inside a cell."""
    what, hint = "a quote inside a cell", "quote the whole cell and double the quotes in it"
    if text[at : at + 1] != b'"':
        what, hint = "a carriage return inside a line", "all lines of a file end alike: in CRLF, LF or CR"
    return fault(name, *position(text, first, at, line), what, hint)


def _line_end(text: bytes, at: int) -> int:
    newline = text.find(b"\n", at)
    return len(text) if newline < 0 else newline


def _closing(text: bytes, at: int) -> int:
    """Return the offset of the quote that closes the one at ``at``, or -1."""
    at += 1
    while (at := text.find(b'"', at)) >= 0:
        if not text.startswith(b'""', at):
            return at
        at += 2
    return -1


def position(text: bytes, first: int, at: int, line: int) -> tuple[int, int]:
    """Return the line and column of offset ``at``; ``line`` is that of offset ``first``."""
    return line + text.count(b"\n", first, at), at - text.rfind(b"\n", 0, at)


def unquoted(cell: bytes) -> bytes:
    """Return a raw cell without its quotes, and without the blanks before them."""
    if _opening(cell):
        return cell.lstrip(b" ").removesuffix(b"\r")[1:-1].replace(b'""', b'"')
    return cell
