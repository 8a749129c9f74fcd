"""Tokens of other languages' formulas, and a cursor over them.

Layer: must not know what a name means.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise
from typing import Any, NamedTuple

from gradcli.expr import WORDS
from gradcli.functions import SPELLED
from gradcli.language.foreign.words import FOREIGN_WORDS, OPERATORS, UNITS
from gradcli.language.lookalikes import REPLACED, SUPERSCRIPT, latin

_RAISED = "".join(SUPERSCRIPT)
_FRACTIONS = "\u00bc-\u00be\u2150-\u215e\u2189"
_TOKEN = re.compile(
    rf"""(?P<space>\s+|\\[,;:!>\ ]|\\q?quad\b|~(?=\\)|\\(?:left|right)(?![A-Za-z])\.?|\\(?:displaystyle|limits)\b)
    |(?P<comma>\d{{1,3}}(?:\.\d{{3}})+,\d+(?!\w)|\d+,(?!\d{{3}}(?!\d))\d+(?![\w,]))
    |(?P<grouped>\d{{1,3}}(?:,\d{{3}})+(?![\d,])(?:\.\d*)?
        |\d{{1,3}}(?:[\ \u00a0\u2009\u202f']\d{{3}})+(?!\d)(?:\.\d*)?|\d+(?:_\d+)+)
    |(?P<radix>0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?\d+|0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+)
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+|\*\^[+-]?\d+)?)(?P<suffix>_dp\b|_8\b|f0\b|[fFlLuU]\b)?
    |(?P<quoted>`[^`\n]+`)
    |(?P<command>\\[A-Za-z]+\*?|\\[{{}}|%])
    |(?P<dotted>\.(?:eq|ne|lt|le|gt|ge|and|or|not)\.)
    |(?P<name>%(?:pi|e|inf)\b|π|(?-i:\$?[A-Z]{{1,3}}\$\d+)|\$?(?![{_RAISED}{_FRACTIONS}\d])\w(?:(?![{_RAISED}{_FRACTIONS}π])\w)*)
    |(?P<fraction>[{_FRACTIONS}])
    |(?P<raised>[{_RAISED}]+)
    |(?P<operator>===|!==|\.\*\*|\.[-+*/^]|\*\*|//|%%|%/%|&&|\|\||[<>=!~/]=|<>|=<|=>|:=|->|::|.)""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
ACCENTS = frozenset({"dot", "square", "triangle"})
"""Commands of LaTeX with the name of a function that they are not."""
STOPS = frozenset({"", ")", "]", "}", ",", ";", ":", "then", "else", r"\rfloor", r"\rceil", r"\rvert", "⌋", "⌉", r"\}"})
INFIX = frozenset({"+", "-", "*", "/", "%", "^", "**", "//", "%/%", "and", "or", "?", "=", "<", "<=", ">", ">=", "==",
                   "!=", "@", "if", "div", "!", "'", ".", "°", "->", ":="})  # fmt: skip


_PLACES = 4
"""The most places that can be read in two ways."""
_WHOLE = WORDS | OPERATORS.keys() | FOREIGN_WORDS | UNITS | {"div", "base", "im"}
"""Names that are never letters side by side."""
_PLAIN = INFIX | {"not", "(", ")"}


class Unreadable(Exception):
    """The text has no reading. The argument names a call that has none here, or is empty."""


def letters_apart(tokens: list[Lexeme]) -> list[Lexeme]:
    """The tokens with names of two or three letters as products, where people write letters side by side.

    That is in LaTeX, behind a number, before a superscript, and where each letter is a variable elsewhere.
    """
    letters = {token.text for token in tokens if token.kind == "name" and len(token.text) == 1}
    latex = any(token.kind == "command" or token.text == "{" for token in tokens)
    apart: list[Lexeme] = []
    for token, after in pairwise(tokens):
        name = token.text
        plain = token.kind == "name" and 1 < len(name) < 4 and name.isalpha() and name.islower()
        beside = latex or (apart and apart[-1].kind == "number" and not token.blank) or after.kind == "raised"
        if not plain or name in _WHOLE or name in SPELLED or after.text == "(" or not (beside or set(name) <= letters):
            apart.append(token)
            continue
        apart += [Lexeme("name", letter, token.blank and not k) for k, letter in enumerate(name)]
    return [*apart, tokens[-1]]


class Notes:
    """What is found beside a reading: ``remarks`` for the user, and how many places have two readings."""

    def __init__(self) -> None:
        self.remarks: dict[str, None] = {}
        self.places = 0

    def remark(self, text: str) -> None:
        self.remarks[text] = None

    def choice(self, *trees: tuple[Any, ...]) -> tuple[Any, ...]:
        """A node with several readings. Raises Unreadable for too many: each doubles the tree."""
        self.places += 1
        if self.places > _PLACES:
            raise Unreadable
        return ("choice", *trees)


class Lexeme(NamedTuple):
    """A token in this language's spelling, where there is one, and whether a blank precedes it."""

    kind: str
    text: str
    blank: bool


def lexemes(text: str) -> list[Lexeme]:
    """The tokens of a text."""
    tokens: list[Lexeme] = []
    blank = False
    at = depth = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise Unreadable
        kind, spelled = str(match.lastgroup), match[0]
        if depth and "," in spelled and kind in ("comma", "grouped"):
            # Within brackets a comma separates arguments.
            spelled = re.compile(r"\d+").match(text, at)[0]  # type: ignore[index]
            kind = "number"
        if kind == "suffix":
            # 2.0f and 2L are numbers of C, 2f is a product.
            kind, whole = "number", match["number"].isdigit()
            if (suffix := match["suffix"].lower()) in ("f", "u", "l") and whole is (suffix == "f"):
                spelled = match["number"]
        at += len(spelled)
        depth += (spelled in ("(", "[", "{")) - (spelled in (")", "]", "}"))
        if kind == "space":
            blank = True
            continue
        operand = bool(tokens) and (
            tokens[-1].kind in ("number", "name", "quoted", "raised") or tokens[-1].text in (")", "]")
        )
        # A blank behind a command of LaTeX only ends its name.
        blank = blank and not (tokens and tokens[-1].kind == "command")
        tokens.append(Lexeme(*_spelling(kind, spelled, match, operand), blank))
        blank = False
    return [*tokens, Lexeme("end", "", blank)]


def _spelling(kind: str, spelled: str, match: re.Match[str], operand: bool) -> tuple[str, str]:
    """The kind and the text of a token; a word is an operator behind an operand only."""
    if kind == "number":
        number = spelled if match["suffix"] is None else spelled.removesuffix(match["suffix"])
        return "number", re.sub("[dD]", "e", number.replace("*^", "e"))
    if kind == "comma":
        return "number", spelled.replace(".", "").replace(",", ".")
    if kind == "grouped":
        return "number", re.sub(r"[,_'\s]", "", spelled)
    if kind == "radix":
        return "number", str(int(spelled, 0)) if "p" not in spelled.lower() else _hexadecimal(spelled)
    if kind == "fraction":
        return "number", f"({unicodedata.normalize('NFKC', spelled).replace(chr(0x2044), '/')})"
    if kind == "name" and not spelled.isascii():
        return _name(spelled)
    word = OPERATORS.get(spelled.lower() if kind in ("dotted", "name") else spelled)
    if kind == "operator" and REPLACED.get(spelled) in _PLAIN:
        word = REPLACED[spelled]
    if word is not None and (operand or kind != "name" or word == "not"):
        return "operator", word
    return kind, spelled.replace("$", "") if kind == "name" else spelled


def _hexadecimal(spelled: str) -> str:
    """C's 0x1.8p3 in decimal digits."""
    try:
        return repr(float.fromhex(spelled))
    except OverflowError:
        raise Unreadable from None


def _name(spelled: str) -> tuple[str, str]:
    """A name with other letters than Latin ones."""
    if spelled == "\u03c4":
        return "command", r"\tau"
    name = latin(spelled)
    if not name.strip("`").isidentifier():
        raise Unreadable
    return "quoted" if name.startswith("`") else "name", name


class Cursor:
    """A place among the tokens of a text; ``bars`` counts the open | of absolute values."""

    def __init__(self, text: str) -> None:
        self.tokens = lexemes(text)
        self.at = self.bars = 0

    @property
    def next(self) -> Lexeme:
        return self.tokens[self.at]

    def peek(self, ahead: int = 1) -> Lexeme:
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)]

    def part_bars(self) -> None:
        """Read || as two signs: an absolute value ends, and another begins or ends."""
        if self.next.text == "||":
            self.tokens[self.at : self.at + 1] = [
                Lexeme("operator", "|", self.next.blank),
                Lexeme("operator", "|", False),
            ]

    def take(self, *texts: str) -> str:
        """The next token's text if it is one of ``texts``; else nothing is taken."""
        token = self.next
        if token.text in texts and token.kind != "quoted" and token.text:
            self.at += 1
            return token.text
        return ""

    def expect(self, text: str) -> None:
        if not self.take(text):
            raise Unreadable

    def operand_next(self) -> bool:
        token = self.next
        if token.kind in ("number", "name", "quoted", "command"):
            return token.text not in STOPS | INFIX
        return token.text in ("(", "{", "[", "√", "∛", "⌊", "⌈") or (
            token.text == "|" and not self.bars and not token.blank
        )
