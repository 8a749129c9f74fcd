"""What is said of a text that is not in the language: what was found, what was expected, and what to write instead.

Reads tokens around the place and never runs anything. Must not know the tables or what rules mean.
"""

from __future__ import annotations

import re
import string
from collections.abc import Collection
from typing import NamedTuple

from gradcli.errors import GradError, Source, Span
from gradcli.expr import Expr
from gradcli.functions import SPELLED, Function

STRANGE = "STRANGE"
"""The kind of a character that begins no token."""

NAME_STARTS = frozenset(string.ascii_letters + "_`")

_OPERANDS = frozenset({"NUMBER", "NAME", "QUOTED", "LPAR"})
_SEPARATORS = frozenset({"NEWLINE", "SEMICOLON"})
_ENDS = frozenset({"NEWLINE", "SEMICOLON", "PLUS", "MINUS", "RPAR", "COMMA", "COMPARE"})
_INFIX = frozenset({"STAR", "SLASH", "PERCENT", "POWER", "COMPARE", "AND", "OR"})
_OPERAND = "a number, a name or '('"
_FOREIGN_WORDS = frozenset(
    {
        "lambda", "for", "in", "import", "from", "def", "return", "while", "class", "with", "let", "then", "print",
        "begin", "end", "do", "yield", "del", "global",
    }
)  # fmt: skip
_FOREIGN_OPERATORS = {"mod": "%", "is": "==", "equals": "==", "times": "*", "xor": "!="}
_FOREIGN_CALLS = {
    "factorial": "gamma(n + 1)", "fact": "gamma(n + 1)", "ifelse": "where(condition, a, b)",
    "iif": "where(condition, a, b)", "piecewise": "where(condition, a, b)", "derivative": "diff(f, x)",
    "deriv": "diff(f, x)", "avg": "mean(x)", "average": "mean(x)", "total": "sum(x)", "product": "prod(x)",
     "d": "diff(f, x)", "grad": "diff(f, x)", "arg": "atan2(y, x)",
}  # fmt: skip
_PAIRS = {
    "//": "for a whole quotient write floor(a/b)", "<>": "write '!='", "===": "write '=='", "!==": "write '!='",
    "=<": "write '<='", "=>": "write '>='", "==": "a comparison is written '=='", "->": "there are no arrows",
}  # fmt: skip
_ASCII = {
    "[": "there are no lists, group with ( and )", "]": "group with ( and )",
    "{": "group with ( and )", "}": "group with ( and )",
    "@": "there is no matrix product, a product is '*'", "?": "write a if condition else b", "~": "write 'not'",
    "\\": "a statement goes on inside brackets or after an operator", "`": "the other '`' of the name is missing",
    "\r": "end lines with a line feed", ":": "it has no meaning in this language",
    "$": "names are written without it",
}  # fmt: skip


class Token(NamedTuple):
    kind: str
    spelled: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.spelled)


class _Place(NamedTuple):
    """Where a text went wrong: the tokens before, the token found there, some after, and whether an operand was due."""

    source: Source
    before: list[Token]
    here: Token
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
        """Whether nothing stands between this token and the one before."""
        return self.previous is not None and self.previous.end == self.here.start

    def left(self) -> str:
        """The operand that ends here, as it is written."""
        level = 0
        for index in range(len(self.before) - 1, -1, -1):
            level += {"RPAR": 1, "LPAR": -1}.get(self.before[index].kind, 0)
            if level == 0:
                first = self.before[index]
                if first.kind == "LPAR" and index and self.before[index - 1].kind == "NAME":
                    first = self.before[index - 1]
                return short(self.source.text[first.start : self.before[-1].end])
        return "..."

    def right(self) -> str:
        """The operand that starts here: a number, a name, a call or a group."""
        level = 0
        called = self.here.kind == "LPAR" or (self.here.kind == "NAME" and self.after and self.after.kind == "LPAR")
        if not called:
            return short(self.here.spelled)
        for token in (self.here, *self.rest):
            level += {"LPAR": 1, "RPAR": -1}.get(token.kind, 0)
            if token.kind == "RPAR" and level == 0:
                return short(self.source.text[self.here.start : token.end])
        return f"{self.here.spelled}...)" if self.here.kind == "LPAR" else f"{self.here.spelled}(...)"


def prefix(source: Source, offset: int) -> str:
    """The place in words. A file's name, line and column are put in front of every message anyway."""
    if source.name is not None:
        return ""
    line, column, _ = source.place(offset)
    return f"line {line}, column {column}: " if "\n" in source.text.rstrip() else f"column {column}: "


def short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 40 else f"{text[:37]}..."


def unexpected(source: Source, tokens: list[Token], at: int, last: int, wanted: Collection[str]) -> GradError:
    """The error for the token at ``at`` (the end of the text if none), the one before ending at ``last``."""
    before = [token for token in tokens if token.start < at]
    rest = tokens[len(before) :]
    here = rest.pop(0) if rest else Token("END", "", last)
    unclosed: list[Token] = []
    for token in before:
        if token.kind == "LPAR":
            unclosed.append(token)
        elif token.kind == "RPAR":
            unclosed.pop()
    place = _Place(source, before, here, rest, "NUMBER" in wanted, unclosed)
    if here.kind == STRANGE:
        length, body = _strange(place)
    else:
        length = len(here.spelled)
        body = _ending(place) if here.kind in ("END", "NEWLINE") else _misplaced(place)
    start = here.start
    span = Span(start, start if here.kind == "NEWLINE" else start + length)
    return GradError(prefix(source, start) + body, span=span, source=source)


def begins_line(source: Source, at: int) -> GradError:
    """A line that starts with + goes on from nowhere."""
    return GradError(prefix(source, at) + _line_start(source.text[at]), span=Span(at, at + 1), source=source)


def _line_start(operator: str) -> str:
    return f"a line cannot begin with '{operator}': end the line before with it, or put the whole in brackets"


# The end, too early.


def _ending(place: _Place) -> str:
    found = "unexpected end of expression" if place.here.kind == "END" else "unexpected end of line"
    if place.operand_due:
        previous = place.previous
        after = f" after '{short(previous.spelled)}'" if previous else ""
        return f"{found}: expected {_OPERAND}{after}"
    return f"{found}: {_still_open(place)}"


def _still_open(place: _Place) -> str:
    """What the text so far waits for."""
    start = place.unclosed[-1].start if place.unclosed else -1
    level = 0
    for token in reversed(place.before):
        if token.start <= start or (token.kind in _SEPARATORS and not place.unclosed):
            break
        level += {"IF": 1, "ELSE": -1}.get(token.kind, 0)
    if level > 0:
        return "expected 'else' and the other value: a if condition else b"
    if place.unclosed:
        line, column, _ = place.source.place(start)
        there = f"column {column}" if "\n" not in place.source.text.rstrip() else f"line {line}, column {column}"
        return f"expected ')': the '(' at {there} is never closed"
    return "expected an operator"


# A token of the language where it cannot stand.


def _misplaced(place: _Place) -> str:
    here, previous = place.here, place.previous
    found = f"unexpected '{short(here.spelled)}'"
    joined = previous.spelled + here.spelled if previous and place.next_to() else ""
    if joined in _PAIRS:
        return f"{found}: '{joined}' has no meaning here, {_PAIRS[joined]}"
    if here.kind == "EQUAL" and place.source.text[here.end : here.end + 1] in ("<", ">"):
        joined = place.source.text[here.start : here.end + 1]
        return f"{found}: '{joined}' has no meaning here, {_PAIRS[joined]}"
    if not place.operand_due:
        advice = _juxtaposed(place) if here.kind in _OPERANDS else _no_operator(place)
        return f"{found}{advice}"
    if previous is None or previous.kind in _SEPARATORS:
        if previous is not None and previous.kind == "NEWLINE" and here.kind in _INFIX and len(place.before) > 1:
            return _line_start(here.spelled)
        if here.kind == "IF":
            return f"{found}: write a if condition else b, or where(condition, a, b)"
        if here.kind == "ELSE":
            return f"{found}: there is no 'if' before it"
        if here.kind == "EQUAL":
            return f"{found}: a name is missing on its left"
        if here.kind == "RPAR":
            return f"{found}: no '(' is open"
        return f"{found}, expected {_OPERAND}"
    if here.kind == "NOT":
        return f"{found}: a condition cannot stand after '{previous.spelled}'"
    if here.kind == "EQUAL" and place.next_to():
        return f"{found}: '{joined}' has no meaning here"
    if here.kind == "RPAR" and previous.kind == "LPAR":
        return f"{found}: nothing stands between the brackets"
    if previous.kind == "COMMA" or (here.kind == "COMMA" and previous.kind == "LPAR"):
        return f"{found}: an argument is missing before it"
    return f"{found} after '{short(previous.spelled)}', expected {_OPERAND}"


def _juxtaposed(place: _Place) -> str:
    """Two operands with nothing between: nothing is multiplied in silence."""
    here, previous = place.here, place.previous
    assert previous is not None
    left, right = previous.spelled, here.spelled
    if previous.kind == "NUMBER" and place.next_to():
        prefixed = re.fullmatch(r"0(?:[xX]([0-9A-Fa-f]+)|[bB]([01]+)|[oO]([0-7]+))", left + right)
        if prefixed:
            digits = zip(prefixed.groups(), (16, 2, 8), strict=True)
            value = next(int(some[:200], base) for some, base in digits if some)
            return f" after '{left}': numbers are decimal, write {short(str(value))}"
        if re.fullmatch(r"_[0-9_]+", right):
            return f" after '{left}': digits are not grouped, write {short(left + right.replace('_', ''))}"
        if right in ("e", "E"):
            return f" after '{left}': the exponent is missing, write {left}e3, or {left}*e for the constant e"
        if here.kind == "NUMBER":
            return f" after '{left}': a number has one decimal point"
    for word in (left, right):
        if word.lower() in _FOREIGN_OPERATORS:
            return f": for '{word}' write '{_FOREIGN_OPERATORS[word.lower()]}'"
        if word.lower() in ("and", "or", "not", "if", "else"):
            return f": for '{word}' write '{word.lower()}'"
        if word in _FOREIGN_WORDS:
            return f": '{word}' has no meaning in this language"
    if previous.kind == "NAME" and (left in SPELLED or left == "diff"):
        alone = place.after is None or place.after.kind in _ENDS or place.right() != right
        return f": {left} is a function, write {left}({place.right() if alone else '...'})"
    return f" after '{short(left)}': for a product write {place.left()}*{place.right()}"


def _no_operator(place: _Place) -> str:
    """An operand is complete, and what follows does not go on from it."""
    here, previous, after = place.here, place.previous, place.after
    assert previous is not None
    if here.kind == "RPAR" and not place.unclosed:
        return ": no '(' is open"
    if here.kind == "COMMA":
        joined = place.next_to() and after is not None and after.start == here.end and not place.unclosed
        if joined and after is not None and previous.kind == after.kind == "NUMBER":
            return f": a decimal point is a '.', write {short(previous.spelled)}.{short(after.spelled)}"
        if place.unclosed:
            return ": brackets without a function hold one expression"
        return ": a comma separates arguments of a function; separate expressions by ';'"
    if here.kind == "EQUAL":
        if place.unclosed:
            return ": a comparison is written '=='"
        statement = next((i for i, t in enumerate(reversed(place.before)) if t.kind in _SEPARATORS), len(place.before))
        first = place.before[len(place.before) - statement :]
        if len(first) > 1 and first[0].kind == "NAME" and first[1].kind == "LPAR":
            return f": there are no functions of one's own, write {first[0].spelled} = ..."
        return ": only a name can stand on the left of '='; a comparison is written '=='"
    if here.kind == "ELSE":
        return ": there is no 'if' before it"
    if here.kind == "NOT":
        return f" after '{short(previous.spelled)}', expected an operator"
    return f": {_still_open(place)}"


# A character that begins nothing.


def _strange(place: _Place) -> tuple[int, str]:
    """How long the strange piece is, and what to say of it."""
    from gradcli.language.lookalikes import described, foreign

    if place.here.spelled.isascii():
        return _strange_ascii(place, f"unexpected character {described(place.here.spelled)}")
    previous = place.previous
    word = previous.start if previous is not None and previous.kind == "NAME" and place.next_to() else place.here.start
    return foreign(place.source.text, place.here.start, word)


def _strange_ascii(place: _Place, found: str) -> tuple[int, str]:
    text, at, c = place.source.text, place.here.start, place.here.spelled
    previous = place.previous
    rest = text[at : at + 200]
    line = rest.split("\n")[0]
    if c in "'\"":
        if c == "'" and not place.operand_due and place.next_to() and previous is not None and previous.kind != "LPAR":
            return 1, f"{found}: for a derivative write diff(f, x)"
        closing = line.find(c, 1)
        return closing + 1 if closing > 0 else 1, f"{found}: there are no strings in this language"
    for two, plain in (("&&", "and"), ("||", "or"), (":=", "="), ("=:", "=")):
        if rest.startswith(two):
            return 2, f"unexpected '{two}': write '{plain}'"
    if c == "&":
        return 1, f"{found}: write 'and'"
    if c == "|":
        bars = re.match(r"\|([^|]+)\|", line)
        if place.operand_due:
            return 1, f"{found}: for an absolute value write abs({short(bars[1]) if bars else '...'})"
        return 1, f"{found}: for a condition write 'or', for an absolute value abs(...)"
    if c == "!":
        if place.operand_due:
            return 1, f"{found}: write 'not'"
        return 1, f"{found}: for a factorial write gamma({place.left()} + 1)"
    if c == "." and not place.operand_due:
        if rest[1:2] in ("*", "/", "^"):
            return 2, f"unexpected '{rest[:2]}': write '{rest[1]}', which works point by point anyway"
        return 1, f"{found}: there are no attributes in this language"
    if c == ".":
        return 1, f"{found}: digits are missing, as in 0.5"
    if c == "[" and not place.operand_due:
        return 1, f"{found}: there is no indexing, and brackets are ( and )"
    if c == ":" and previous is not None and previous.spelled == "lambda":
        return 1, f"{found}: there is no lambda in this language"
    if c in _ASCII:
        return 1, f"{found}: {_ASCII[c]}"
    return 1, found if c.isprintable() else f"{found}: it is invisible, delete it"


# Functions.


def signature(row: Function, name: str) -> str:
    """A function as it is called: atan2(x, y)."""
    if row.name == "where":
        return f"{name}(condition, a, b)"
    most = row.arity[1]
    letters = ["n"] if row.parameter else []
    letters += ["x", "y", "z", "u", "v"][: most or 2]
    if most is None:
        letters.append("...")
    return f"{name}({', '.join(letters)})"


def all_points(e: Expr, why: str) -> str:
    """Why a reduction cannot stand here."""
    return f"{e.op} with one argument takes all points at once, {why}"


def unknown_function(name: str, call: str, known: bool) -> str:
    """``call`` is what stands after the name, brackets included; ``known`` whether the name is a variable."""
    import difflib

    said = f"unknown function '{name}'"
    if not known:
        spelled = [word for word, row in SPELLED.items() if not row.internal] + ["diff"]
        low = name.lower()
        if low in _FOREIGN_CALLS:
            return f"{said}: write {_FOREIGN_CALLS[low]}"
        near = [word for word in spelled if word.lower() == low]
        near = near or [word for word in spelled if len(word) > 1 and sorted(word) == sorted(low)]
        near = near or (difflib.get_close_matches(low, spelled, n=1) if len(low) > 1 else [])
        if near:
            return f"{said} (did you mean '{near[0]}'?)"
    return f"{said} (did you mean {name}*{short(call)}?)"
