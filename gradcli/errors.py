"""The one exception that crosses a door, and the picture it draws.

Knows nothing of expressions, files or terminals: a message, a place in a text, a way out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple


class Span(NamedTuple):
    """Half-open range of character offsets, ``text[start:end]``."""

    start: int
    end: int


class Source(NamedTuple):
    """A text that can be wrong: the expression typed, or a file (then ``name`` is its path)."""

    text: str
    name: str | None = None

    def place(self, offset: int) -> tuple[int, int, str]:
        """Line and column (both from 1) of an offset, and that line's text."""
        start = self.text.rfind("\n", 0, offset) + 1
        end = self.text.find("\n", offset)
        line = self.text[start:] if end < 0 else self.text[start:end]
        return self.text.count("\n", 0, start) + 1, offset - start + 1, line


class GradError(Exception):
    """Anything that keeps gradcli from answering, in words for the person who asked.

    ``exit_code`` is 1 (the answer is no), 2 (what was given is wrong) or 3 (could not finish).
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        span: Span | None = None,
        source: Source | None = None,
        exit_code: int = 2,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.span = span
        self.source = source
        self.exit_code = exit_code

    def at(self, span: Span, source: Source) -> GradError:
        """The same error, told where it happened unless it knows already."""
        if self.span is None:
            self.span, self.source = span, source
        return self

    def __str__(self) -> str:
        return picture(self)


_COMPARED = 2000
"""Names that an unknown one is compared with: a comparison takes 10 us, and a file may have a million columns."""


def meant(name: str, known: Sequence[str], what: str, spell: Callable[[str], str] = str) -> str:
    """A hint for an unknown name: the nearest known one, else the first ten, introduced by ``what``."""
    from difflib import get_close_matches

    if not known:
        return f"{what} none"
    near = [spell(match) for match in get_close_matches(name, known[:_COMPARED], 1)]
    if near:
        quote = "" if near[0].startswith(("`", "-")) else "'"
        return f"did you mean {quote}{near[0]}{quote}?"
    return f"{what} {', '.join(map(spell, known[:10]))}" + (" ..." if len(known) > 10 else "")


def missing(error: ImportError, package: str) -> bool:
    """Whether an import failed because this package is not installed; it may also lack memory, or be damaged."""
    return isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] == package


_WIDTH = 76


def printable(text: str) -> str:
    """Control and invisible characters as escapes, so that no input can drive a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


_COMMAND = re.compile(r"(?m)^[ \t]*::|##\w*\[")


def _without_command(found: re.Match[str]) -> str:
    return f"{found[0][:-1]}\\u{ord(found[0][-1]):04x}"


def inert(text: str) -> str:
    """The text without workflow commands, which would be carried out by the CI server that shows it in a log.

    GitHub reads them after ``::`` at the start of a line and after ``##[`` anywhere, others after ``##vso[`` and alike.
    """
    return _COMMAND.sub(_without_command, text)


def picture(error: GradError) -> str:
    """The message, and where a place is known the source line with a caret under it."""
    lines = [inert(printable(error.message))]
    if error.span is not None and error.source is not None:
        number, column, line = error.source.place(error.span.start)
        if error.source.name is not None:
            lines[0] = inert(f"{printable(error.source.name)}:{number}:{column}: {lines[0]}")
        # A long line is shown as a window around the place: nobody reads a megabyte to find a caret.
        first = max(0, column - 1 - _WIDTH // 2) if len(line) > _WIDTH else 0
        window = line[first : first + _WIDTH]
        signs = list(map(printable, window))
        for found in _COMMAND.finditer(window):
            signs[found.end() - 1] = _without_command(found)[len(found[0]) - 1 :]
        start = column - 1 - first
        end = start + max(1, error.span.end - error.span.start)
        before, there, after = ("".join(signs[part]) for part in (slice(start), slice(start, end), slice(end, None)))
        lead, trail = ("..." if first else ""), ("..." if len(line) > first + _WIDTH else "")
        lines.append(f"  {lead}{before}{there}{after}{trail}")
        lines.append("  " + " " * len(lead + before) + "^" * max(1, len(there)))
    if error.hint:
        lines.append("  " + inert(printable(error.hint)))
    return "\n".join(lines)
