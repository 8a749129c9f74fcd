"""The lines of a text: those before the rows, taken one at a time, and rows without the comments between them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from itertools import chain

from gradcli.errors import GradError
from gradcli.formats.csv_rows import check_length

SAMPLE = 1 << 14
"""Bytes at the start of a text by which a dialect is found that would read it."""


class Lines:
    """The lines of a text, without regard to quotes; ``line`` is the number of the next one, ``taken`` its offset."""

    def __init__(self, parts: Iterator[bytes], name: str) -> None:
        self.name, self.line, self.taken, self._sample = name, 1, 0, bytearray()
        self._parts, self._text, self._at = _sampled(parts, self._sample), b"", 0

    def take(self) -> bytes:
        """Return the next line with its newline, or nothing at the end. Raise GradError for one beyond LINE_LIMIT."""
        end = self._text.find(b"\n", self._at) + 1
        if not end:
            pending = [self.ahead]
            size = len(pending[0])
            for part in self._parts:
                pending.append(part)
                size += len(part)
                if b"\n" in part:
                    break
                check_length(size, self.name, self.line)
            self._text, self._at = b"".join(pending), 0
            end = self._text.find(b"\n") + 1 or len(self._text)
        line = self._text[self._at : end]
        self._at = end
        self.line += line.endswith(b"\n")
        self.taken += len(line)
        return line

    def row(self) -> bytes:
        """Return the next line, with those after it as long as a quote is open."""
        lines = [self.take()]
        quotes, size, first = lines[0].count(b'"'), len(lines[0]), self.line
        while quotes % 2 and (line := self.take()):
            lines.append(line)
            quotes, size = quotes + line.count(b'"'), size + len(line)
            check_length(size, self.name, first - 1, quotes)
        return b"".join(lines)

    @property
    def ahead(self) -> bytes:
        """The text that has been read and not been taken."""
        return self._text[self._at :]

    def put_back(self, lines: bytes) -> None:
        """Make lines that were taken the next ones again."""
        self._text, self._at = lines + self.ahead, 0
        self.line -= lines.count(b"\n")
        self.taken -= len(lines)

    def sample(self, rests: Callable[[], bool]) -> bytes:
        """Return complete lines at the start of the text, SAMPLE bytes at most, reading on until ``rests()``."""
        try:
            while len(self._sample) < SAMPLE and not rests() and next(self._parts, None) is not None:
                pass
        except GradError:
            # The error at hand comes first.
            pass
        text = bytes(self._sample[:SAMPLE])
        return text if len(text) < SAMPLE else text[: text.rfind(b"\n") + 1]

    def rest(self) -> Iterator[bytes]:
        """Yield what has not been taken, in pieces as they arrive."""
        text, self._text, self._at = self.ahead, b"", 0
        return chain([text] if text else [], self._parts)


def _sampled(parts: Iterator[bytes], sample: bytearray) -> Iterator[bytes]:
    """Yield the parts; add the first SAMPLE bytes of the text, or some more, to ``sample``."""
    for part in parts:
        if len(sample) < SAMPLE:
            sample += part[:SAMPLE]
        yield part


def uncommented(
    parts: Iterator[bytes], name: str, comment: bytes, lines: int
) -> Iterator[tuple[bytes, int, list[int]]]:
    """Yield pieces of complete rows without the lines that begin with ``comment``, as ``whole_rows`` does.

    The third member tells where they stood: the number of lines of the piece before each. A line in quotes belongs to
    a cell, whatever it begins with.
    """
    tail: list[bytes] = []
    kept: list[bytes] = []
    dropped: list[int] = []
    before = line = lines
    size = quotes = 0
    for part in chain(parts, [b""]):
        tail.append(part)
        size += len(part)
        check_length(size, name, before + 1, quotes)
        if part and b"\n" not in part:
            continue
        text = b"".join(tail)
        cut = text.rfind(b"\n") + 1 if part else len(text)
        tail, text = [text[cut:]], text[:cut]
        # How much of what is kept is complete rows, and the number of lines up to there.
        complete, end = 0, before
        if quotes % 2 == 0 and b'"' not in text and comment not in text:
            kept.append(text)
            line += text.count(b"\n")
            complete, end = 1, line
        else:
            for row in io.BytesIO(text):
                line += 1
                if quotes % 2 == 0 and row.lstrip(b" \t").startswith(comment):
                    dropped.append(line - 1 - before - len(dropped))
                else:
                    kept.append(row)
                    quotes += row.count(b'"')
                if quotes % 2 == 0:
                    complete, end = len(kept), line
        if not part:
            complete, end = len(kept), line
        if end > before or not part:
            if rows := b"".join(kept[:complete]):
                yield rows, before, dropped
            kept, dropped, before = kept[complete:], [], end
            size = sum(map(len, kept)) + len(tail[0])
