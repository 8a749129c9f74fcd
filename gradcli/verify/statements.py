"""Statements of a text, so that one that cannot be read does not hide the others.

Layer: must not know what a statement says.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from gradcli.caret import Source, Span
from gradcli.errors import GradError
from gradcli.language import Parsed

_MOST = 100
"""Statements that are told as unreadable: the text is parsed again after each."""
_PIECE = re.compile(r"`[^`\n]*`|#[^\n]*|[()]|[;\n]")
_NAME = re.compile(r"\s*(`[^`\n]*`|[^\W\d]\w*)\s*=(?!=)\s*")
_COMMENT = re.compile(r"((?:`[^`\n]*`|[^`#\n])*)#[^\n]*")


class Statement(NamedTuple):
    """``text[start:end]``, which defines ``name``, or "", as ``body``.

    ``open``: it ends within a bracket, where the next statement begins.
    """

    start: int
    end: int
    open: bool
    name: str
    body: Span


def statements(text: str) -> list[Statement]:
    """The statements of a text. A line ``NAME = ...`` begins one even if a bracket before it is not closed."""
    found, start, depth = list[Statement](), 0, 0
    for piece in _PIECE.finditer(text):
        mark = piece[0]
        if mark == "(":
            depth += 1
        elif mark == ")":
            depth = max(0, depth - 1)
        elif mark in (";", "\n") and (not depth or _NAME.match(text, piece.end())):
            found.append(_statement(text, start, piece.start(), depth > 0))
            start, depth = piece.end(), 0
    return [*found, _statement(text, start, len(text), depth > 0)]


def _statement(text: str, start: int, end: int, open: bool) -> Statement:
    head = _NAME.match(text, start, end)
    first = start if head is None else head.end()
    body = _COMMENT.sub(r"\1", text[first:end]).rstrip()
    return Statement(start, end, open, "" if head is None else head[1].strip("`"), Span(first, first + len(body)))


def blank(text: str, statement: Statement) -> str:
    """Blanks in place of a statement, so that what follows keeps its line and column."""
    return re.sub(r"[^\n]", " ", text[statement.start : statement.end])


def _error(source: Source, read: Callable[[Source], Parsed]) -> GradError | None:
    try:
        read(source)
    except GradError as error:
        return error
    return None


def readable(source: Source, read: Callable[[Source], Parsed]) -> tuple[Parsed | None, list[GradError]]:
    """The text parsed without the statements that cannot be read, and the error of each of these.

    None if nothing is left. Blanks take the place of such a statement, so that all others keep their lines and columns.
    """
    errors: list[GradError] = []
    while True:
        text = source.text
        try:
            return read(source), errors
        except GradError as error:
            errors.append(error)
            if error.span is None or len(errors) > _MOST:
                return None, errors
            every = statements(text)
            place = next(k for k, s in enumerate(every) if error.span.start <= s.end)
            wrong = every[place]
            if place and every[place - 1].open:
                # A bracket left open is met where the next statement begins: told is where the statement ends.
                wrong = every[place - 1]
                errors[-1] = _error(source._replace(text=text[: wrong.end]), read) or error
            rest = text[: wrong.start] + blank(text, wrong) + text[wrong.end :]
            if rest == text or not _COMMENT.sub(r"\1", rest).strip("; \t\n"):
                return None, errors
            source = source._replace(text=rest)
