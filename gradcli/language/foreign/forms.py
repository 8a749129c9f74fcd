"""Statements of other languages by their outer form: functions, equations, derivatives, assignments.

Layer: must not know errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from gradcli.expr import WORDS
from gradcli.functions import SPELLED
from gradcli.language.foreign.lexemes import Notes, Unreadable
from gradcli.language.foreign.meaning import is_function, meaning
from gradcli.language.foreign.reader import Reader
from gradcli.language.foreign.text import written
from gradcli.language.foreign.words import NOTHING

_DERIVED = r"(?:d|∂|\\partial|\\mathrm\{d\})"
_POWER = r"(?:\s*(?:\^|\*\*)\s*\{?(\d)\}?|\s*([²³]))?"
_VARIABLE = r"\s*(\\?(?!\d)\w+?)"
_OPERATOR = re.compile(
    rf"\\[dt]?frac\s*\{{\s*{_DERIVED}{_POWER}\s*\}}\s*\{{\s*{_DERIVED}{_VARIABLE}{_POWER}\s*\}}"
    rf"|(?<![\w)\]])(?P<open>\(\s*)?{_DERIVED}{_POWER}\s*/\s*{_DERIVED}{_VARIABLE}{_POWER}(?(open)\s*\)|)(?!\w)(?=\s*[\w(\[{{\\√|])"
)
"""d/dx and its like, before what it is applied to."""
_LAMBDA = re.compile(
    r"\s*(?:([A-Za-z_]\w*)\s*:?=\s*)?(?:lambda\s[^:()]*:|@\s*\([^()]*\)|\\\([^()]*\)|function\s*\([^()]*\)"
    r"|(?:\([\w\s,]*\)|[A-Za-z_]\w*)\s*(?:->|=>))(.+)", re.DOTALL
)  # fmt: skip
_DEFINED = re.compile(
    r"\s*([A-Za-z_]\w*)\s*(?:\(([A-Za-z_][\w\s,]*)\)|\[([A-Za-z_][\w\s,]*_)\])\s*:?=(?!=)(.+)", re.DOTALL
)
_PRIMED = re.compile(r"\s*([A-Za-z_]\w*?)\s*(['\u2032]+|\u2033)\s*(?:\(([A-Za-z_]\w*)\))?\s*:?=(?!=)(.+)", re.DOTALL)
_LEIBNIZ = re.compile(r"\s*d([A-Za-z_]\w*)?(?:\s*/\s*d([A-Za-z_]\w*)\s*==?|_d([A-Za-z]\w*)\s*==)(?!=)(.+)", re.DOTALL)
_NAMED = re.compile(r"\s*([A-Za-z_]\w*|`[^`]+`)\s*(?::=|=(?!=)|(?<= )<-(?= ))(.+)", re.DOTALL)
_EQUATION = re.compile(r"([^<>=!~:]+)={1,2}([^<>=!~]+)", re.DOTALL)
_WORDED = re.compile(
    r"\s*(?:the\s+)?(derivative\s+of|differentiate|derive|integral\s+of|integrate)\s+(.+?)"
    r"(?:\s+(?:with\s+respect\s+to|wrt|w\.r\.t\.|by)\s+([A-Za-z_]\w*))?", re.DOTALL | re.IGNORECASE
)  # fmt: skip
_WRAPPED = re.compile(
    r"\s*(?:\$\$?(.*)\$\$?|\\\[(.*)\\\]|\\\((.*)\\\)"
    r"|(?:@\.|return\b|(?:let|double|float|real|var|const)(?=\s+[A-Za-z_`\\]))?(.*?)[;,]?)\s*", re.DOTALL
)  # fmt: skip
"""What stands around a statement: the delimiters of LaTeX, words of other languages."""


def forms(statement: str, notes: Notes) -> Iterator[str]:
    """The readings of a statement by its outer form: a function, an equation, an assignment, an expression."""
    wrapped = _WRAPPED.fullmatch(statement)
    body = next(filter(None, wrapped.groups()), "") if wrapped is not None else statement
    if match := _PRIMED.fullmatch(body):
        order = 2 if match[2] == "\u2033" else len(match[2])
        for text in _texts(match[4], notes):
            x = match[3] or next((v for v in variables_of(text) if v != match[1]), "x")
            yield f"{_derivative_name(match[1], x, order)} = {text}"
        notes.remark("as a claim for gradcli check")
    elif match := _LEIBNIZ.fullmatch(body):
        name = f"d{match[1] or 'f'}_d{match[2] or match[3]}"
        yield from (f"{name} = {text}" for text in _texts(match[4], notes))
        notes.remark("as a claim for gradcli check")
    elif match := _LAMBDA.fullmatch(body):
        yield from (f"{match[1]} = {text}" if match[1] else text for text in _texts(match[2], notes))
    elif (match := _DEFINED.fullmatch(body)) and match[1] not in SPELLED:
        yield from (f"{match[1]} = {text}" for text in _texts(match[4], notes))
    elif match := _NAMED.fullmatch(body):
        yield from (f"{match[1]} = {text}" for text in _texts(match[2], notes))
    elif (match := _WORDED.fullmatch(body)) is not None:
        if match[1][:5].lower() == "integ":
            raise Unreadable("integral")
        for text in _texts(match[2], notes):
            names = [match[3]] if match[3] else variables_of(text)
            yield from (f"diff({text}, {x})" for x in names)
    elif (sides := _sides(body)) is not None:
        if "==" in body:
            yield from _texts(body, notes)
        if "==" not in body or (len(variables_of(body)) > 1 and not re.search(r"\?|\bif\b", body)):
            yield from _implicit(*sides, notes)
    else:
        yield from _texts(body, notes)


def _implicit(left: str, right: str, notes: Notes) -> Iterator[str]:
    """The derivative that an equation defines, with both sides as one function."""
    for difference in _texts(left if right.strip() == "0" else f"({left}) - ({right})", notes):
        names = variables_of(difference)
        if len(names) < 2:
            yield f"F = {difference}"
            notes.remark(NOTHING["solve"].removeprefix("-- "))
            continue
        if not {"x", "y"} <= set(names) and len(names) > 2:
            yield f"F = {difference}"
            continue
        x, y = ("x", "y") if {"x", "y"} <= set(names) else names[:2]
        slope = f"-diff(F,{x})/diff(F,{y})"
        yield f"F = {difference}; d{y}_d{x} = {slope}"
        notes.remark(f"gradcli implicit differentiates it; the slope of the curve is d{y}/d{x} = {slope}")


def _sides(body: str) -> tuple[str, str] | None:
    """Both sides of an equation, whose sign stands outside brackets."""
    depth = 0
    for k, c in enumerate(body):
        depth += (c in "([{") - (c in ")]}")
        if c == "=" and depth == 0 and body[:k].strip():
            match = _EQUATION.fullmatch(body)
            return (match[1], match[2]) if match is not None else None
    return None


def _derivative_name(f: str, x: str, order: int) -> str:
    return f"d{f}_d{x}" if order == 1 else f"d{order}{f}_d{x}{order}"


def variables_of(text: str) -> list[str]:
    words = re.findall(r"(?<![\w.])[A-Za-z_]\w*(?!\w*\()", text)
    return [word for word in dict.fromkeys(words) if word not in WORDS]


def _texts(text: str, notes: Notes) -> list[str]:
    """The texts of one expression, one for each reading: those with letters apart first."""
    formula = _OPERATOR.sub(_operator, text.strip())
    texts = []
    for apart in (True, False):
        tree = meaning(Reader(formula, is_function, notes, apart).read(), notes)
        texts += [written(tree, choice)[0] for choice in range(max(_choices(tree), 1))]
        notes.places = 0
    return list(dict.fromkeys(texts))


def _operator(match: re.Match[str]) -> str:
    groups = [g for g in (*match.groups()[:5], *match.groups()[6:]) if g]
    name = next(g for g in groups if not re.fullmatch("[0-9²³]", g))
    order = next((g for g in groups if re.fullmatch("[0-9²³]", g)), "1")
    return rf"\derivative{{{order.replace('²', '2').replace('³', '3')}}}{{{name}}} "


def _choices(tree: Any) -> int:
    """The number of readings of a tree."""
    if isinstance(tree, list) or (isinstance(tree, tuple) and tree and not isinstance(tree[0], str)):
        return max(map(_choices, tree), default=0)
    if not isinstance(tree, tuple):
        return 0
    own = len(tree) - 1 if tree[0] == "choice" else 0
    return max([own, *map(_choices, tree[1:])])


# From trees of other languages to trees of this one.
