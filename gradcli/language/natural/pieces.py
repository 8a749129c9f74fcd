"""The strict text in pieces, each with its span in the typed text, and the state of reading a term.

Layer: must not know which products are read and which refused.
"""

from __future__ import annotations

import re
from typing import NamedTuple, NoReturn

from gradcli.caret import Source, Span
from gradcli.language.natural.lexemes import Lexeme, refuse
from gradcli.language.natural.names import Names
from gradcli.language.tokens import short

_ALONE = re.compile(r"(?<![\w`])\(([A-Za-z0-9.]++)\)", re.ASCII)
"""One number or name in brackets."""


class Piece:
    """A piece of the strict text and its span in the typed text; or ``parts``, pieces that were moved here."""

    __slots__ = ("end", "parts", "start", "text")

    def __init__(self, text: str, start: int, end: int, parts: list[Piece] | None = None) -> None:
        self.text = text
        self.start = start
        self.end = end
        self.parts = parts


def flat(pieces: list[Piece]) -> list[Piece]:
    """The pieces, with those that were moved in their place."""
    result, stack = [], pieces[::-1]
    while stack:
        piece = stack.pop()
        if piece.parts is None:
            result.append(piece)
        else:
            stack += piece.parts[::-1]
    return result


def powered(tail: list[Piece]) -> bool:
    """Whether what follows an argument is a power."""
    return any(piece.text.startswith("**") for piece in tail)


class Quotient(NamedTuple):
    """A fraction of LaTeX: the piece before its first character in the strict text, its last one, and its span."""

    before: Piece
    last: Piece
    span: Span


class Use(NamedTuple):
    """A function without brackets whose argument is being read.

    ``at`` is its first piece, ``tail`` what follows the argument, ``powered`` whether it stands in an exponent.
    """

    at: int
    tail: list[Piece]
    start: int
    end: int
    powered: bool


class Operand(NamedTuple):
    """The kind of an operand, and its text where it is a number or a name."""

    kind: str
    text: str


class Exponent(NamedTuple):
    """An exponent that ends here: its kind, its base, and the pieces at which the base and the exponent begin."""

    kind: str
    base: Operand
    base_at: int
    at: int


_GROUP = Operand("group", "")


class Frame:
    """What is known within one bracket: the term so far, and the functions and roots that wait for an operand."""

    def __init__(self, kind: str, start: int, first: int, atom: int = 0, state: str = "start") -> None:
        self.kind = kind
        self.start = start
        """The offset of the bracket."""
        self.first = first
        """The bracket's piece."""
        self.atom = atom
        """The piece at which the operand begins that this bracket is or belongs to."""
        self.state = state
        """What was due before the bracket."""
        self.tail: list[Piece] = []
        """What follows the closing bracket of a call."""
        self.called = False
        self.function: Lexeme | None = None
        self.middle: int | None = None
        self.opened_fresh = False
        """Whether the bracket begins a term."""
        self.row = "value"
        """Which part of a row of cases is read: its value, its condition, or a condition that is all the rest."""
        self.rows = 0
        """The rows of cases that are complete."""
        self.uses: list[Use] = []
        self.roots: list[int] = []
        self.rooted = False
        """Whether the last operand is a root without brackets."""
        self.division: int | None = None
        """The piece of the last division of this term."""
        self.term = first
        """The piece at which this term begins."""
        self.fresh = True
        """Whether the term has neither sign nor factor yet."""
        self.exponent: Exponent | None = None
        self.last = _GROUP
        self.base = _GROUP
        self.base_at = 0
        self.power_at = 0
        self.barred = False
        """Whether a factor of this term stands in bars."""
        self.sealed = False
        """Whether the last operand is a function with a power behind its name."""
        self.loose = False
        """Whether there is a sum, or what binds less."""
        self.factors = False
        """Whether there is a product or a sign."""


class Term:
    """The strict text so far: its pieces, the open frames, and what may come next.

    ``state``: start (an operand is due), argument (that of a function without brackets), exponent, operand (one has
    just ended). ``atom``: the piece at which the last operand begins. ``at``: the lexeme that is read.
    """

    def __init__(self, source: Source, names: Names, lexemes: list[Lexeme]) -> None:
        self.source = source
        self.typed = source.text
        self.latex = "\\" in source.text
        self.names = names
        self.lexemes = lexemes
        self.pieces: list[Piece] = []
        self.quotients: list[Quotient] = []
        self.frame = Frame("", 0, 0)
        self.frames: list[Frame] = []
        self.state = "start"
        self.atom = 0
        self.at = 0
        self.stop = 0
        """The end of the lexeme before this one."""

    def put(self, text: str, start: int, end: int) -> None:
        """Append a piece."""
        self.pieces.append(Piece(text, start, end))

    def next(self) -> Lexeme | None:
        """The lexeme behind the one that is read."""
        return self.lexemes[self.at + 1] if self.at + 1 < len(self.lexemes) else None

    def previous(self) -> Lexeme:
        """The lexeme before the one that is read."""
        return self.lexemes[self.at - 1]

    def close_uses(self) -> None:
        """End the functions without brackets: their argument is complete."""
        frame = self.frame
        while frame.uses:
            use = frame.uses.pop()
            self.put(")", self.stop, self.stop)
            self.pieces += use.tail
            self.atom = use.at
            self.state = "operand"
            frame.sealed = powered(use.tail)
        frame.exponent = None

    def done(self, kind: str, text: str = "") -> None:
        """End an operand, with the roots and the power that waited for it."""
        frame = self.frame
        frame.rooted = bool(frame.roots)
        frame.sealed = False
        while frame.roots:
            self.atom = frame.roots.pop()
            self.put(")", self.stop, self.stop)
        if self.state == "exponent":
            frame.exponent = Exponent(kind, frame.base, frame.base_at, frame.power_at)
        else:
            frame.exponent = None
            frame.last = Operand(kind, text)
        self.state = "operand"

    def in_root(self) -> bool:
        """Whether the argument of sqrt or cbrt without brackets is read."""
        uses = self.frame.uses
        return bool(uses) and self.pieces[uses[-1].at].text in ("sqrt(", "cbrt(")

    # Messages.

    def refuse(self, start: int, end: int, why: str, *readings: str) -> NoReturn:
        """Raise the error for a place of the typed text, with the readings it may have."""
        refuse(self.source, start, end, why, *readings)

    def said(self, first: int, last: int | None = None) -> str:
        """The strict text of some pieces, with the power as people write it."""
        text = "".join(piece.text for piece in flat(self.pieces[first:last]))
        text = _ALONE.sub(r"\1", text)
        return short(text if "**" in self.typed else text.replace("**", "^"))

    def written(self, start: int, end: int) -> str:
        """Some of the typed text."""
        return short(self.typed[start:end])

    def whole(self, index: int) -> str:
        """The operand that begins at a lexeme, as it is typed."""
        lexemes, level = self.lexemes, 0
        first = lexemes[index]
        if first.kind in ("number", "name"):
            return f"{first.text}{self._marks(index + 1)}"
        if first.kind == "bar":
            return "|...|"
        for k in range(index, min(len(lexemes), index + 60)):
            lexeme = lexemes[k]
            level += {"open": 1, "close": -1}.get(lexeme.kind, 0)
            prefix = first.kind in ("function", "root")
            if level <= 0 and not (k == index and prefix):
                return self.written(first.start, lexeme.end)
        return f"{self.written(first.start, first.end)}..."

    def _marks(self, first: int) -> str:
        """The powers and factorials that follow an operand from a lexeme on, as they are typed."""
        lexemes, k, level, due = self.lexemes, first, 0, False
        while k < min(len(lexemes), first + 60):
            lexeme = lexemes[k]
            opens = lexeme.kind == "open" and (due or level > 0)
            if level == 0 and not opens and not due and lexeme.kind not in ("raised", "post") and lexeme.text != "**":
                break
            level += 1 if opens else -1 if lexeme.kind == "close" and level > 0 else 0
            due = level == 0 and (lexeme.text == "**" or (due and lexeme.text in ("+", "-")))
            k += 1
        return self.written(lexemes[first].start, lexemes[k - 1].end) if k > first else ""
