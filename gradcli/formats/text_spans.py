"""Spans of text: runs of whole lines of about a size, cut where the reader of the format ends a row.

The file is read once, in pieces; a piece without quotes is searched for newlines and not parsed.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

from gradcli.formats.columns import Span
from gradcli.formats.csv_read import Separated
from gradcli.formats.csv_rows import Newlines, count, first_end
from gradcli.formats.encoding import utf8_start
from gradcli.formats.input import LINE_LIMIT, Input, file_size
from gradcli.formats.jsonl_read import JsonLines
from gradcli.formats.ranges import ranged


def separated_spans(table: Separated, size: int) -> list[Span]:
    """Return the spans of a csv or tsv file, with its header read; none if the text has no places to begin at."""
    source, encoding, comment = table.source, table.source.dialect.encoding, table.source.dialect.comment
    if (mark := _start(source)) is None:
        return []
    start = mark + table.lines.taken
    known, open_quote = _header(ranged(source.stream, source.name, mark, start))
    # Lines above the rows may have open quotes: then the rows alone tell which line ends there are, or carriage returns
    # are exchanged inside the quotes of rows. Bytes that are not UTF-8 are reported by newlines, not by returns.
    if not known or (table.returns and (open_quote or encoding is not None)):
        return []
    scan = _Scan(start, table.lines.line - 1, size)
    parts = iter(Newlines(ranged(source.stream, source.name, start), table.returns))
    if comment:
        scan.read_commented(parts, comment.encode(), bool(table.returns))
    else:
        for part in parts:
            scan.read(part)
    return scan.spans(source)


def json_lines_spans(table: JsonLines, size: int) -> list[Span]:
    """Return the spans of a file of JSON lines; none if it is not UTF-8."""
    source = table.source
    if (start := _start(source)) is None:
        return []
    scan = _Scan(start, 0, size)
    for part in ranged(source.stream, source.name, start):
        scan.read(part, quoting=False)
    return scan.spans(source)


def _start(source: Input) -> int | None:
    """Return the offset of the text in a file; None if it is not UTF-8."""
    size = min(4, file_size(source.stream) or 0)
    return utf8_start(b"".join(ranged(source.stream, source.name, 0, size)), source.dialect.encoding)


def _header(parts: Iterator[bytes]) -> tuple[bool, bool]:
    """Return whether a line ends outside quotes in the lines before the rows, and whether a quote is open below."""
    ended, quotes = False, 0
    for part in parts:
        ended = ended or first_end(part, quotes) is not None
        quotes += part.count(b'"')
    return ended, quotes % 2 == 1


class _Scan:
    """A search for the ends of spans: the first line ends outside quotes from which a span has ``size`` bytes."""

    def __init__(self, start: int, before: int, size: int) -> None:
        self._size, self._spans = max(1, size), list[Span]()
        # The span at hand, the offset and the lines that have been read, and whether a quote is open there.
        self._start, self._before = start, before
        self._at, self._lines, self._open = start, before, False

    def read(self, part: bytes, quoting: bool = True) -> None:
        """Read the next part of the text. Without ``quoting`` every newline ends a row."""
        quoting = quoting and (self._open or b'"' in part)
        view, done = memoryview(part), 0
        while (least := max(done, self._start + self._size - self._at - 1)) < len(part):
            opened = quoting and self._open ^ (count(b'"', view[done:least]) & 1 == 1)
            end = _line_end(part, least, opened) if quoting else part.find(b"\n", least) + 1
            if not end:
                break
            self._lines += count(b"\n", view[done:end])
            self._open = False
            self._cut(self._at + end)
            done = end
        self._lines += count(b"\n", view[done:])
        if quoting:
            self._open ^= count(b'"', view[done:]) & 1 == 1
        self._at += len(part)

    def read_commented(self, parts: Iterator[bytes], comment: bytes, returns: bool) -> None:
        """Read the rest of a text in which quotes in lines that begin with ``comment`` do not count.

        ``returns``: the lines end in carriage returns, which are exchanged by all quotes, those of comments too: a span
        begins where both counts are even.
        """
        tail, hidden = [b""], False
        for part in parts:
            tail.append(part)
            if b"\n" not in part:
                if sum(map(len, tail)) > LINE_LIMIT:
                    # The reader refuses this line, and nothing below is read.
                    break
                continue
            text = b"".join(tail)
            cut = text.rfind(b"\n") + 1
            tail, text = [text[cut:]], text[:cut]
            if not hidden and (comment not in text or not (self._open or b'"' in text)):
                self.read(text)
                continue
            for line in io.BytesIO(text):
                self._at += len(line)
                self._lines += 1
                odd = line.count(b'"') % 2 == 1
                if not self._open and line.lstrip(b" \t").startswith(comment):
                    hidden ^= returns and odd
                else:
                    self._open ^= odd
                if not (self._open or hidden) and self._at - self._start >= self._size:
                    self._cut(self._at)

    def _cut(self, at: int) -> None:
        self._spans.append(Span(self._start, at, self._before))
        self._start, self._before = at, self._lines

    def spans(self, source: Input) -> list[Span]:
        """Return the spans, the last of which ends where the file does; none rather than one."""
        stop = file_size(source.stream) or self._start
        if self._start < stop:
            self._spans.append(Span(self._start, stop, self._before))
        return self._spans if len(self._spans) > 1 else []


def _line_end(part: bytes, at: int, opened: bool) -> int:
    """Return the offset after the first newline outside quotes from ``at`` on, or 0; ``opened``: a quote is open."""
    newline = -1
    while True:
        if opened:
            at, opened = part.find(b'"', at) + 1, False
            if not at:
                return 0
        if newline < at:
            # Search once per line: a search from each quote would take quadratic time.
            newline = part.find(b"\n", at)
            if newline < 0:
                return 0
        quote = part.find(b'"', at, newline)
        if quote < 0:
            return newline + 1
        at, opened = quote + 1, True
