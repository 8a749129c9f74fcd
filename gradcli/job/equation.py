"""Equations as they are typed, ``lhs = rhs``, as one expression that is 0 where they hold."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

from gradcli.caret import Source, Span
from gradcli.errors import GradError
from gradcli.expr import Expr, apply, exact
from gradcli.language import parse

_EQUALS = re.compile(r"`[^`]*`|[<>!=]=|=|[()\[\]]")
"""Names in backquotes, comparisons, equal signs and brackets."""


class Equation(NamedTuple):
    """``expression`` is 0 where it holds; ``sides`` are the texts of both sides, or of the one that is to be 0.

    ``changed``: one of these is not the text that was typed, which is in natural notation.
    """

    expression: Expr
    variables: tuple[str, ...]
    sides: tuple[str, ...]
    changed: bool = False

    @property
    def text(self) -> str:
        return " = ".join(self.sides if len(self.sides) > 1 else (*self.sides, "0"))

    @property
    def read_as(self) -> str | None:
        """The strict text of natural notation; None where it is the one that was typed."""
        return " = ".join(self.sides) if self.changed else None


def read_equation(source: Source, bound: Collection[str]) -> Equation:
    """The equation of a text; without an equal sign the expression is to be 0. ``bound`` are names of variables.

    Raises GradError for several equal signs, for statements, and at errors of the language.

    >>> read_equation(Source("x**2 = 1 - y"), ()).variables
    ('x', 'y')
    """
    text = source.text
    signs = _signs(text)
    if len(signs) > 1:
        start, end = signs[1]
        raise GradError("an equation has one equal sign", span=Span(start, end), source=source)
    # The right side keeps its columns, so that errors point into the whole text.
    pieces = [text] if not signs else [text[: signs[0][0]], " " * signs[0][1] + text[signs[0][1] :]]
    sides: list[Expr] = []
    names: list[str] = []
    texts: list[str] = []
    changed = False
    for piece in pieces:
        try:
            parsed = parse(source._replace(text=piece), bound).pointwise("and an equation is one of each point alone")
        except GradError as error:
            raise GradError(error.message, hint=error.hint, span=error.span,
                            source=None if error.source is None else source) from None  # fmt: skip
        if len(parsed.outputs) != 1 or parsed.names:
            raise GradError("an equation is one expression, or two with = between them",
                            hint='such as "x**2 + y**2 = 25"')  # fmt: skip
        sides.append(parsed.outputs[0][1])
        names += parsed.variables
        texts.append(" ".join((parsed.read_as or piece).split()))
        changed = changed or parsed.read_as is not None
    left = sides[0]
    whole = left if len(sides) < 2 or exact(sides[1]) == 0 else apply("sub", left, sides[1])
    return Equation(whole, tuple(dict.fromkeys(names)), tuple(texts), changed)


def _signs(text: str) -> list[tuple[int, int]]:
    """Where equal signs stand outside brackets and backquotes; == is one, too."""
    depth, found = 0, []
    for match in _EQUALS.finditer(text):
        word = match[0]
        if word in ("(", "["):
            depth += 1
        elif word in (")", "]"):
            depth -= 1
        elif word in ("=", "==") and depth <= 0:
            found.append(match.span())
    return found
