"""The tokens of a JSON text as bytes (blanks, strings, numbers, words) and the errors for malformed ones."""

from __future__ import annotations

import json
import re

from gradcli.errors import GradError
from gradcli.formats.input import fault
from gradcli.formats.json_values import kind, not_finite

# The alternatives of each pattern differ in their first byte, which avoids backtracking. Repetitions of groups are
# bounded, since the engine of regular expressions stores each repetition until the match ends.
BLANK = rb"[ \t\n\r]*+"
_ESCAPE = rb'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})'
_PLAIN = rb'[^"\\\x00-\x1f]*+'
_STRING = rb'"' + _PLAIN + rb"(?:" + _ESCAPE + _PLAIN + rb'){0,99}"'
_NUMBER = rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?"
SCALAR = rb"(?:" + _NUMBER + rb"|" + _STRING + rb"|true|false|null)"
"""A number, a word or a string with at most 99 escapes."""
COMMA = BLANK + rb"," + BLANK

_blank = re.compile(BLANK).match
_scalar = re.compile(SCALAR).match
_inside = re.compile(rb"(?:" + _ESCAPE + rb'|[^"\\\x00-\x1f]++){1,999}').match
_word = re.compile(rb"NaN|-?Infinity").match


class Tokens:
    """A UTF-8 text with its name in messages; ``start`` is the offset after a byte order mark.

    ``at`` is always an offset in bytes.
    """

    def __init__(self, text: bytes, name: str, start: int) -> None:
        self.text, self.name, self.start = text, name, start

    def blank(self, at: int) -> int:
        """Return the offset of the next token."""
        match = _blank(self.text, at)
        assert match is not None
        return match.end()

    def end(self, at: int) -> None:
        """Raise GradError unless only blanks follow."""
        if (at := self.blank(at)) < len(self.text):
            raise self.fault(at, "extra data")

    def scalar(self, at: int) -> int | None:
        """Return the end of a number, string or word, or None if there is none."""
        if match := _scalar(self.text, at):
            return match.end()
        if self.text[at : at + 1] != b'"':
            return None
        at += 1
        while match := _inside(self.text, at):
            at = match.end()
        return at + 1 if self.text[at : at + 1] == b'"' else None

    def closed(self, at: int, mark: bytes) -> None:
        """Raise GradError unless the closing bracket ``mark`` of a list or an object is here."""
        if self.text[at : at + 1] != mark:
            raise self.unexpected(at, "expecting ',' delimiter")

    def string(self, at: int) -> str:
        """Return the decoded text of a string, or "" for another value."""
        return str(json.loads(self.text[at : self.scalar(at)])) if self.text[at : at + 1] == b'"' else ""

    def kind(self, at: int) -> str:
        alike = {b'"': self.string(at), b"{": {}, b"[": [], b"t": True, b"f": False, b"n": None}
        return kind(alike.get(self.text[at : at + 1], 0))

    def no_value(self, at: int, expected: str = "expecting value") -> GradError:
        """Return the error for an offset where no complete value begins."""
        text = self.text
        if word := _word(text, at):
            return not_finite(self.name, word[0].decode())
        if text[at : at + 1] != b'"':
            return self.unexpected(at, expected)
        end = at + 1
        while match := _inside(text, end):
            end = match.end()
        if end == len(text):
            return self.fault(at, "unterminated string")
        return self.fault(end, "invalid escape" if text[end : end + 1] == b"\\" else "invalid control character")

    def unexpected(self, at: int, expected: str) -> GradError:
        """Return the error ``expected``, or that for an unexpected end of the text."""
        ended = self.blank(at) == len(self.text)
        return self.fault(len(self.text) if ended else at, "unexpected end of the text" if ended else expected)

    def fault(self, at: int, message: str, hint: str | None = None) -> GradError:
        """Return an error with the line and column of an offset."""
        line = self.text.count(b"\n", 0, at) + 1
        return fault(self.name, line, at - max(self.text.rfind(b"\n", 0, at), self.start - 1), message, hint)
