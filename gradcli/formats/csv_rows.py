"""Rows of cells between separators, by RFC 4180: where they end, and one of them cell by cell, strictly."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gradcli.formats.input import LINE_LIMIT, fault

_NEWLINE = 10
_MARK = re.compile(rb'["\r\n]')
_SWAPPED = bytes.maketrans(b"\r\n", b"\n\r")


def with_newlines(parts: Iterator[bytes]) -> Iterator[bytes]:
    """The same; where the first line ends in a carriage return alone, that and a newline trade places.

    A line that ends otherwise than the first is so refused as any other.
    """
    returns: bool | None = None
    held, quotes = b"", 0
    for part in parts:
        part = held + part
        held = b""
        if returns is None and (end := _first_end(part, quotes)) is not None:
            if part[end:] == b"\r":
                # What follows tells: a newline may be on its way.
                held = part
                continue
            returns = part[end] == 13 and part[end + 1] != 10
        if returns is False:
            yield part
            continue
        pieces = part.split(b'"')
        if returns:
            outside = slice(quotes % 2, None, 2)
            pieces[outside] = [piece.translate(_SWAPPED) for piece in pieces[outside]]
        quotes += len(pieces) - 1
        yield b'"'.join(pieces)
    if held:
        yield held[:-1] + b"\n"


def _first_end(part: bytes, quotes: int) -> int | None:
    """The first newline or carriage return outside quotes; ``quotes`` came before."""
    for mark in _MARK.finditer(part):
        if mark[0] == b'"':
            quotes += 1
        elif quotes % 2 == 0:
            return mark.start()
    return None


def whole_rows(parts: Iterator[bytes], name: str) -> Iterator[tuple[bytes, int]]:
    """Pieces that end where a row ends, and how many newlines came before; the last may lack its newline."""
    held: list[bytes] = []
    size = lines = quotes = 0
    for part in parts:
        # Looking for one is many times faster than counting them.
        marked = b'"' in part
        cut = _last_end(part, quotes) if marked or quotes % 2 else part.rfind(b"\n") + 1
        if cut:
            held.append(part[:cut])
            text = b"".join(held)
            yield text, lines
            lines += _newlines(text)
            held, size, quotes, part = [], 0, 0, part[cut:]
        held.append(part)
        size += len(part)
        quotes += part.count(b'"') if marked else 0
        if size > LINE_LIMIT:
            what = "a quote is not closed, or the line" if quotes % 2 else "the line"
            raise fault(name, lines + 1, 1, f"{what} is too long: the limit is {LINE_LIMIT:,} bytes")
    if size:
        yield b"".join(held), lines


def _newlines(text: bytes) -> int:
    """Their number, several times faster than bytes.count where there are many."""
    import numpy as np

    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == _NEWLINE))


def _last_end(part: bytes, quotes: int) -> int:
    """Behind the last newline outside quotes, 0 where there is none; ``quotes`` came before in the row."""
    quotes += part.count(b'"')
    end = len(part)
    while (at := part.rfind(b"\n", 0, end)) >= 0:
        quotes -= part.count(b'"', at, end)
        if quotes % 2 == 0:
            return at + 1
        end = at
    return 0


def row(text: bytes, at: int, separator: bytes, name: str, line: int, cells: list[bytes]) -> int:
    """Adds the raw cells of the row that begins at ``at``; gives where the next begins. Raises GradError."""
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
                raise fault(name, *_place(text, first, start, line), "a quote is opened here and never closed")
            at += 1
        else:
            if newline < at:
                # Looked for once a line: from every cell it would take a row's length each.
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
                raise fault(name, *_place(text, first, bad, line), what, hint)
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
            raise fault(name, *_place(text, first, at, line), "text behind a closing quote")
        at += 1


def _line_end(text: bytes, at: int) -> int:
    found = text.find(b"\n", at)
    return len(text) if found < 0 else found


def _closing(text: bytes, at: int) -> int:
    """The quote that closes the one at ``at``, -1 where there is none."""
    at += 1
    while (at := text.find(b'"', at)) >= 0:
        if not text.startswith(b'""', at):
            return at
        at += 2
    return -1


def _place(text: bytes, first: int, at: int, line: int) -> tuple[int, int]:
    return line + text.count(b"\n", first, at), at - text.rfind(b"\n", 0, at)


def unquoted(cell: bytes) -> bytes:
    if cell.startswith(b'"'):
        return cell.removesuffix(b"\r")[1:-1].replace(b'""', b'"')
    return cell
