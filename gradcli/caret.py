"""The picture of an error: its message, the source line with a caret below the span, and the hint.

Layer: must not know what the text says, nor where the picture is printed.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Span(NamedTuple):
    """Half-open range of character offsets, ``text[start:end]``."""

    start: int
    end: int


class Source(NamedTuple):
    """A text that an error can point into: the expression typed, or a file (then ``name`` is its path)."""

    text: str
    name: str | None = None

    def place(self, offset: int) -> tuple[int, int, str]:
        """Line and column (both counted from 1) of a character offset, and the text of that line."""
        start = self.text.rfind("\n", 0, offset) + 1
        end = self.text.find("\n", offset)
        line = self.text[start:] if end < 0 else self.text[start:end]
        return self.text.count("\n", 0, start) + 1, offset - start + 1, line


_WIDTH = 76
"""Characters of a source line that are shown."""


def printable(text: str) -> str:
    """``text`` with control and invisible characters as escapes: no input can send commands to a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def display_width(text: str) -> int:
    """The cells that a text takes on a terminal: two for a wide character of East Asia, none for a combining mark."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    return sum(0 if category(c) in ("Mn", "Me") else 2 if east_asian_width(c) in "WF" else 1 for c in text)


_COMMAND = re.compile(r"(?m)^[ \t]*::|##\w*\[")


def _without_command(found: re.Match[str]) -> str:
    return f"{found[0][:-1]}\\u{ord(found[0][-1]):04x}"


def inert(text: str) -> str:
    """The text without workflow commands, which would be carried out by the CI server that shows it in a log.

    GitHub reads them after ``::`` at the start of a line and after ``##[`` anywhere, others after ``##vso[`` and alike.
    """
    return _COMMAND.sub(_without_command, text)


def picture(message: str, hint: str | None, span: Span | None, source: Source | None) -> str:
    """The message, the source line with carets below the span where one is set, and the hint."""
    lines = [inert(printable(message))]
    if span is not None and source is not None:
        number, column, line = source.place(span.start)
        if source.name is not None:
            lines[0] = inert(f"{printable(source.name)}:{number}:{column}: {lines[0]}")
        # A line longer than _WIDTH is cut to a window around the span: files have lines of megabytes.
        first = max(0, column - 1 - _WIDTH // 2) if len(line) > _WIDTH else 0
        window = line[first : first + _WIDTH]
        signs = list(map(printable, window))
        for match in _COMMAND.finditer(window):
            signs[match.end() - 1] = _without_command(match)[len(match[0]) - 1 :]
        start = column - 1 - first
        end = start + max(1, span.end - span.start)
        before, marked, after = ("".join(signs[part]) for part in (slice(start), slice(start, end), slice(end, None)))
        lead, trail = ("..." if first else ""), ("..." if len(line) > first + _WIDTH else "")
        lines.append(f"  {lead}{before}{marked}{after}{trail}")
        lines.append("  " + " " * len(lead + before) + "^" * max(1, len(marked)))
    if hint:
        lines.append("  " + inert(printable(hint)))
    return "\n".join(lines)
