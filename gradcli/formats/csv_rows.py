"""Rows of cells by RFC 4180: splitting text into complete rows, and strict parsing of a row."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gradcli.formats.input import LINE_LIMIT, fault

_NEWLINE = 10
_MARK = re.compile(rb'["\r\n]')
_EXCHANGED = bytes.maketrans(b"\r\n", b"\n\r")


def with_newlines(parts: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the text with newlines as line ends.

    If the first line ends in a lone carriage return, carriage returns and newlines outside quotes are exchanged, so
    that a line with a different end is refused later like any other malformed line.
    """
    returns: bool | None = None
    pending, quotes = b"", 0
    for part in parts:
        part = pending + part
        pending = b""
        if returns is None and (end := _first_end(part, quotes)) is not None:
            if part[end:] == b"\r":
                # The next part decides, since it may begin with a newline.
                pending = part
                continue
            returns = part[end] == 13 and part[end + 1] != 10
        if returns is False:
            yield part
            continue
        pieces = part.split(b'"')
        if returns:
            outside = slice(quotes % 2, None, 2)
            pieces[outside] = [piece.translate(_EXCHANGED) for piece in pieces[outside]]
        quotes += len(pieces) - 1
        yield b'"'.join(pieces)
    if pending:
        yield pending[:-1] + b"\n"


def _first_end(part: bytes, quotes: int) -> int | None:
    """Return the offset of the first newline or carriage return outside quotes; ``quotes`` counts earlier quotes."""
    for mark in _MARK.finditer(part):
        if mark[0] == b'"':
            quotes += 1
        elif quotes % 2 == 0:
            return mark.start()
    return None


def whole_rows(parts: Iterator[bytes], name: str, quoting: bool = True) -> Iterator[tuple[bytes, int]]:
    """Yield pieces of complete rows, each with the number of newlines before it; the last may lack its newline.

    ``quoting``: whether newlines in quotes belong to a cell. Raise GradError for a row longer than LINE_LIMIT.
    """
    pending: list[bytes] = []
    size = lines = quotes = 0
    for part in parts:
        # Searching for a quote is many times faster than counting quotes.
        has_quotes = quoting and b'"' in part
        cut = _last_end(part, quotes) if has_quotes or quotes % 2 else part.rfind(b"\n") + 1
        if cut:
            pending.append(part[:cut])
            text = b"".join(pending)
            yield text, lines
            lines += _newlines(text)
            pending, size, quotes, part = [], 0, 0, part[cut:]
        pending.append(part)
        size += len(part)
        quotes += part.count(b'"') if has_quotes else 0
        if size > LINE_LIMIT:
            what = "a quote is not closed, or the line" if quotes % 2 else "the line"
            raise fault(name, lines + 1, 1, f"{what} is too long: the limit is {LINE_LIMIT:,} bytes")
    if size:
        yield b"".join(pending), lines


def _newlines(text: bytes) -> int:
    """Return the number of newlines; several times faster than bytes.count if there are many."""
    import numpy as np

    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == _NEWLINE))


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

    ``line`` is the number of its first line. Raise GradError if the row is malformed.
    """
    first, newline = at, _line_end(text, at)
    plain = text[at:newline].removesuffix(b"\r") if newline < len(text) else text[at:]
    if b'"' not in plain and b"\r" not in plain:
        cells += plain.split(separator)
        return min(newline + 1, len(text))
    while True:
        start = at
        if text.startswith(b'"', at):
            at = _closing(text, at)
            if at < 0:
                raise fault(name, *position(text, first, start, line), "a quote is opened here and never closed")
            at += 1
        else:
            if newline < at:
                # Search once per line: a search from each cell would take quadratic time.
                newline = _line_end(text, at)
            at = text.find(separator, at, newline)
            at = newline if at < 0 else at
            stray = [k for k in (text.find(b'"', start, at), text.find(b"\r", start, at)) if k >= 0]
            if stray and text[min(stray) : min(stray) + 2] != b"\r\n":
                bad = min(stray)
                what = "a quote inside a cell" if text[bad : bad + 1] == b'"' else "a carriage return inside a line"
                hint = "quote the whole cell and double the quotes in it"
                if text[bad : bad + 1] != b'"':
                    hint = "all lines of a file end alike: in CRLF, LF or CR"
                raise fault(name, *position(text, first, bad, line), what, hint)
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
    """Return a raw cell without its quotes."""
    if cell.startswith(b'"'):
        return cell.removesuffix(b"\r")[1:-1].replace(b'""', b'"')
    return cell
