"""A lexeme of natural notation, and the list of lexemes that a text becomes.

Layer: must not know what a lexeme means beside another one.
"""

from __future__ import annotations

from typing import NamedTuple, NoReturn

from gradcli.caret import Source, Span
from gradcli.errors import GradError
from gradcli.language.natural.names import Names


class Lexeme(NamedTuple):
    """A piece of the typed text: its kind, what the strict text has for it, its span, and whether a blank precedes it.

    Kinds: number, name, function, root, open, close, base (a bracket with the base of a logarithm), middle (of a
    fraction), bar, raised (a superscript), post (``!`` and the degree), prime, operator, word, comma, separator,
    definition, other. ``more`` is what belongs to the kind: the text that closes a bracket, the tail of a call.
    """

    kind: str
    text: str
    start: int
    end: int
    gap: bool
    more: str = ""


_KINDS = {"and": "word", "or": "word", "not": "word", "inf": "name", "|": "bar"}
"""The kinds of what is no operator among the commands of LaTeX that are."""


class Open(NamedTuple):
    """A bracket that is open: the sign that closes it, and what the closing lexeme carries."""

    closing: str
    more: str
    start: int
    call: bool = False


def refuse(source: Source, start: int, end: int, why: str, *readings: str) -> NoReturn:
    """Raise the error for a place of the typed text, with what may be written instead as its hint."""
    hint = f"write {' or '.join(readings)}" if readings else None
    raise GradError(why, hint=hint, span=Span(start, max(end, start + 1)), source=source)


def refuse_defined(source: Source, start: int, end: int, name: str, variable: str, order: int) -> NoReturn:
    """Raise the error for a derivative on the left of ``=``, which is one name there."""
    column = f"d{name}_d{variable}" if order == 1 else f"d{order}{name}_d{variable}{order}"
    derivative = f"diff({name}, {variable})" if order == 1 else f"diff({name}, {variable}, {order})"
    why = "on the left of '=' a derivative is one name"
    refuse(source, start, end, why, f"{column} = ...", f"{derivative} elsewhere")


class Lexemes:
    """The lexemes of a text so far, and its open brackets."""

    def __init__(self, source: Source, names: Names) -> None:
        self.source = source
        self.text = source.text
        self.names = names
        self.latex = "\\" in source.text
        self.found: list[Lexeme] = []
        self.open: list[Open] = []
        self.forms: dict[str, bool] = {}
        """Which of its two forms each Greek letter has."""
        self.told = False
        """Whether a word has a reading that is worth a note, though it is that of the strict language."""

    def add(self, kind: str, text: str, start: int, end: int, more: str = "") -> None:
        """Append a lexeme. A blank behind a command of LaTeX ends the command, and is no gap."""
        last = self.found[-1] if self.found else None
        gap = last is not None and last.end < start and not (self.latex and self.text[last.start] == "\\")
        self.found.append(Lexeme(kind, text, start, end, gap, more))

    def enter(self, text: str, start: int, end: int, closing: str, more: str = ")", call: bool = False) -> None:
        """Append an opening bracket, ``text`` in the strict text; ``closing`` closes it in the typed one."""
        self.add("open", text, start, end, more)
        self.open.append(Open(closing, more, start, call))

    def operator(self, text: str, start: int, end: int) -> None:
        """Append an operator, a constant or a word by its strict spelling."""
        self.add(_KINDS.get(text, "operator"), text, start, end)

    def refuse(self, start: int, end: int, why: str, *readings: str) -> NoReturn:
        """Raise the error for a place of the typed text."""
        refuse(self.source, start, end, why, *readings)

    def ends_operand(self) -> bool:
        """Whether the last lexeme ends an operand."""
        return bool(self.found) and self.found[-1].kind in ("number", "name", "close", "raised", "post", "bar")
