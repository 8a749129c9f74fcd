"""The names that a text may use: those that options give, those it defines, and how a word comes apart into them.

Layer: must not know lexemes or the strict grammar.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import NamedTuple

from gradcli.language.natural.symbols import BARE, FUNCTIONS, NUMBERS, RESERVED_FUNCTIONS

_LETTERS = frozenset("xyz")
_NAME = r"(?:[A-Za-z]\w*+|\\[a-z]++|[\u0391-\u03a9\u03b1-\u03c9])"
_DEFINED = re.compile(
    rf"(?:(?<=[;\n])|\A)[ \t]*+(?:(?P<function>{_NAME})\s*+\(\s*+(?P<of>{_NAME}(?:\s*+,\s*+{_NAME})*+)\s*+\)"
    r"|(?P<name>[A-Za-z_]\w*+))\s*+:?=(?!=)",
    re.ASCII,
)
_LONGEST = 40
"""Letters of a word that is taken apart."""
_PIECE = 12
"""Letters of a piece of a word."""


def spelled(name: str) -> str:
    """A name by its strict spelling: Greek letters, and commands of LaTeX, by their English names.

    A letter whose name calls a function, such as gamma, or is a constant stands in backquotes.
    """
    if name.isascii():
        return name.removeprefix("\\")
    word = unicodedata.name(name, "").rpartition(" ")[2].replace("LAMDA", "LAMBDA")
    word = word.lower() if name.islower() else word.capitalize()
    return f"`{name}`" if word in BARE or word in NUMBERS else word


def names_in(text: str) -> tuple[str, ...]:
    """The names between commas, by their strict spelling."""
    return tuple(spelled(name.strip()) for name in text.split(","))


class Definition(NamedTuple):
    """A definition such as ``f(x) =``: its span, the name, and the names in brackets."""

    start: int
    end: int
    name: str
    of: tuple[str, ...]


class Piece(NamedTuple):
    """A piece of a word: a function, a number or a name."""

    kind: str
    text: str


class Names:
    """The names known in a text.

    ``given`` are those that options or definitions name, ``known`` these and x, y, z. ``functions`` are the
    definitions with brackets, such as f(x) = x^2, by the offset at which they begin, ``formulas`` by name.
    """

    def __init__(self, text: str, bound: Collection[str]) -> None:
        self.given = set(bound)
        self.functions: dict[int, Definition] = {}
        self.formulas: dict[str, tuple[str, ...]] = {}
        arguments = set[str]()
        for match in _DEFINED.finditer(text):
            name = spelled(match["function"] or match["name"])
            if name in self.given or not (name in RESERVED_FUNCTIONS or name in NUMBERS):
                self.given.add(name.strip("`"))
                if match["function"]:
                    of = names_in(match["of"])
                    self.functions[match.start("function")] = Definition(match.start("function"), match.end(), name, of)
                    self.formulas[name] = of
                    arguments.update(of)
        self.known = self.given | _LETTERS | arguments

    def apart(self, word: str, opens: bool, glued: bool) -> list[Piece] | None:
        """The pieces of a word, if there is exactly one way into known pieces.

        ``opens``: a bracket follows the word; ``glued``: a letter of another alphabet, or a root.
        """
        n = len(word)
        if n > _LONGEST or word.startswith("_"):
            return None
        ways = [0] * n + [1]
        ends = [0] * n
        for start in range(n - 1, -1, -1):
            for end in range(start + 1, min(n, start + _PIECE) + 1):
                if ways[end] and self._kind(word, start, end, opens, glued):
                    ways[start] += ways[end]
                    ends[start] = end
        if ways[0] != 1:
            return None
        pieces, start = [], 0
        while start < n:
            kind = self._kind(word, start, ends[start], opens, glued)
            pieces.append(Piece(kind, word[start : ends[start]]))
            start = ends[start]
        return pieces

    def _kind(self, word: str, start: int, end: int, opens: bool, glued: bool) -> str:
        """The kind of a piece, or "" for what is none."""
        piece, last = word[start:end], end == len(word)
        if piece in self.known:
            return "" if "_" in piece else "name"
        if piece in FUNCTIONS and len(piece) > 1:
            return "function" if (opens or (glued and piece in BARE) if last else piece in BARE) else ""
        if piece.isdigit():
            inside = glued if last else not word[end].isdigit()
            inside = inside and start > 0 and not word[start - 1].isdigit()
            return "number" if inside and self._ends_function(word, start) else ""
        if piece == "pi" or (piece == "e" and not word[end : end + 1].isalpha()):
            return "name"
        return ""

    @staticmethod
    def _ends_function(word: str, end: int) -> bool:
        return any(word[start:end] in BARE for start in range(max(0, end - _PIECE), end - 1))
