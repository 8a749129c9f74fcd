"""A token, and the context of one at which a text is wrong.

Layer: must not know the grammar or what an error says.
"""

from __future__ import annotations

import string
from typing import NamedTuple

from gradcli.caret import Source

STRANGE = "STRANGE"
"""The kind of a character that begins no token."""

NAME_STARTS = frozenset(string.ascii_letters + "_`")
"""The characters that begin a name; every other leaf is a number."""


class Token(NamedTuple):
    """A terminal of the grammar, its text, and the character offset at which it starts."""

    kind: str
    spelled: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.spelled)


class Context(NamedTuple):
    """A wrong token and its surroundings.

    ``before`` are all tokens before ``token``, the wrong one, ``rest`` some after it. ``operand_due``: the parser
    expects an operand. ``unclosed`` are the '(' still open.
    """

    source: Source
    before: list[Token]
    token: Token
    rest: list[Token]
    operand_due: bool
    unclosed: list[Token]

    @property
    def after(self) -> Token | None:
        return self.rest[0] if self.rest else None

    @property
    def previous(self) -> Token | None:
        return self.before[-1] if self.before else None

    def next_to(self) -> bool:
        """Whether the token follows the previous one without white space."""
        return self.previous is not None and self.previous.end == self.token.start

    def left(self) -> str:
        """The text of the operand that ends before the token."""
        index = self._left()
        return "..." if index is None else short(self.source.text[self.before[index].start : self.before[-1].end])

    def before_left(self) -> Token | None:
        """The token before the operand that ends before the token, and before its signs behind another operator."""
        index = self._left() or 0
        while index > 1 and self.before[index - 1].kind in ("PLUS", "MINUS"):
            index -= 1
            if self.before[index - 1].kind in ("NUMBER", "NAME", "QUOTED", "RPAR"):
                break
        return self.before[index - 1] if index else None

    def _left(self) -> int | None:
        """Where among the tokens before it the operand begins that ends before the token."""
        level = 0
        for index in range(len(self.before) - 1, -1, -1):
            level += {"RPAR": 1, "LPAR": -1}.get(self.before[index].kind, 0)
            if level == 0:
                called = self.before[index].kind == "LPAR" and index and self.before[index - 1].kind == "NAME"
                return index - 1 if called else index
        return None

    def right(self) -> str:
        """The text of the operand that starts at the token: a number, a name, a call or a group."""
        level = 0
        called = self.token.kind == "LPAR" or (self.token.kind == "NAME" and self.after and self.after.kind == "LPAR")
        if not called:
            return short(self.token.spelled)
        for token in (self.token, *self.rest):
            level += {"LPAR": 1, "RPAR": -1}.get(token.kind, 0)
            if token.kind == "RPAR" and level == 0:
                return short(self.source.text[self.token.start : token.end])
        return f"{self.token.spelled}...)" if self.token.kind == "LPAR" else f"{self.token.spelled}(...)"


def short(text: str) -> str:
    """A text on one line, cut to 40 characters."""
    text = " ".join(text.split())
    return text if len(text) <= 40 else f"{text[:37]}..."
