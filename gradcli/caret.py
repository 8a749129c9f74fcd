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
    """A text that an error can point into: the expression typed, or a file (then ``name`` is its path).

    ``natural``: whether it is in natural notation; None where nobody could have chosen that.
    """

    text: str
    name: str | None = None
    natural: bool | None = None

    def place(self, offset: int) -> tuple[int, int, str]:
        """Line and column (both counted from 1) of a character offset, and the text of that line."""
        start = self.text.rfind("\n", 0, offset) + 1
        end = self.text.find("\n", offset)
        line = self.text[start:] if end < 0 else self.text[start:end]
        return self.text.count("\n", 0, start) + 1, offset - start + 1, line

    def position(self, offset: int) -> str:
        """Line and column of a character offset in words; the column alone in a text of one line."""
        line, column, _ = self.place(offset)
        return f"line {line}, column {column}" if "\n" in self.text.rstrip() else f"column {column}"


_WIDTH = 76
"""Cells of a source line that are shown."""


def printable(text: str) -> str:
    """``text`` with control and invisible characters as escapes: no input can send commands to a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def counted(number: int, word: str) -> str:
    """A number with its noun, such as ``1 row`` or ``1,234 rows``."""
    return f"{number:,} {word.removesuffix('s') if number == 1 else word}"


def display_width(text: str) -> int:
    """The cells that a text takes on a terminal: two for a wide character of East Asia, none for a combining mark."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    return sum(0 if category(c) in ("Mn", "Me") else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def wrapped(line: str, width: int | None, indent: int | None = None) -> list[str]:
    """A line as lines of at most ``width`` cells, broken at blanks, or in a word that is too long by itself.

    They continue after ``indent`` blanks; by default below the last column of a line of columns, or two blanks further
    than the line begins. ``width`` None: the line as it is.
    """
    if width is None or display_width(line) <= width:
        return [line]
    lead = len(line) - len(line.lstrip())
    if indent is None:
        columns = [gap.end() for gap in _GAP.finditer(line) if gap.end() <= width // 2]
        indent = max([*columns, min(lead, width // 2) + 2])
    lines, start = list[str](), line[:lead]
    for word in _WORD.findall(line[lead:]):
        if display_width(start + word) > width and start.strip():
            lines.append(start.rstrip())
            start, word = " " * indent, word.lstrip()
        while display_width(start + word) > width:
            fit = next(k for k in range(len(word), 0, -1) if display_width(start + word[:k]) <= width or k == 1)
            lines.append(start + word[:fit])
            start, word = " " * indent, word[fit:]
        start += word
    return [*lines, start]


_GAP = re.compile(r"(?<=\S)  +(?=\S)")
_WORD = re.compile(r"\s*\S+")
_COMMAND = re.compile(r"(?m)^[ \t]*::|##\w*\[")


def _without_command(found: re.Match[str]) -> str:
    return f"{found[0][:-1]}\\u{ord(found[0][-1]):04x}"


def inert(text: str) -> str:
    """The text without workflow commands, which would be carried out by the CI server that shows it in a log.

    GitHub reads them after ``::`` at the start of a line and after ``##[`` anywhere, others after ``##vso[`` and alike.
    """
    return _COMMAND.sub(_without_command, text)


def picture(message: str, hint: str | None, span: Span | None, source: Source | None, width: int = _WIDTH) -> str:
    """The message, the source line with carets below the span where one is set, and the hint.

    A source line wider than ``width`` cells is cut to a window around the span: files have lines of megabytes.
    """
    lines = [inert(printable(message))]
    if span is not None and source is not None:
        number, column, line = source.place(span.start)
        if source.name is not None:
            lines[0] = inert(f"{printable(source.name)}:{number}:{column}: {lines[0]}")
        first, last = _window(line, column - 1, width)
        window = line[first:last]
        signs = list(map(printable, window))
        for match in _COMMAND.finditer(window):
            signs[match.end() - 1] = _without_command(match)[len(match[0]) - 1 :]
        start = column - 1 - first
        end = start + max(1, span.end - span.start)
        before, marked, after = ("".join(signs[part]) for part in (slice(start), slice(start, end), slice(end, None)))
        lead, trail = ("..." if first else ""), ("..." if last < len(line) else "")
        lines.append(f"  {lead}{before}{marked}{after}{trail}")
        lines.append("  " + " " * display_width(lead + before) + "^" * max(1, display_width(marked)))
    if hint:
        lines.append("  " + inert(printable(hint)))
    return "\n".join(lines)


def _window(line: str, place: int, width: int) -> tuple[int, int]:
    """The range of characters of a line that is shown: all, or half of ``width`` before the place, the rest after."""
    if len(line) <= width and display_width(printable(line)) <= width:
        return 0, len(line)
    first, room = place, width // 2
    while first and (room := room - display_width(printable(line[first - 1]))) >= 0:
        first -= 1
    last, room = first, width
    while last < len(line) and (room := room - display_width(printable(line[last]))) >= 0:
        last += 1
    return first, last
