"""Sums of coefficients and monomials, as text in gradcli's language and as LaTeX, in the order in which they come.

Layer: must not know where the coefficients come from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from gradcli.calculus.leibniz import Derivative
from gradcli.expr import ONE, Expr, apply, const, exact, text
from gradcli.notation.latex import Latex
from gradcli.notation.typeset import Typesetter

Coefficient = Fraction | Expr | float
"""A finite number, exact as a fraction or an expression; or an expression in other variables."""


class Term(NamedTuple):
    """A summand by its size and its sign. A fraction stands alone; any other is an expression."""

    negative: bool
    size: Fraction | Expr


def terms(summands: Iterable[tuple[Coefficient, Expr | None]]) -> list[Term]:
    """The terms of a sum of coefficients times monomials (None: 1), without those that are 0.

    >>> from gradcli.expr import var
    >>> text_of(terms([(Fraction(1, 2), None), (Fraction(0), var("x")), (Fraction(-2, 3), var("x") ** 2)]))
    '1/2 - 2*x**2/3'
    """
    found = []
    for coefficient, monomial in _split(summands):
        if isinstance(coefficient, float):
            # A double is written as its shortest decimal.
            factor, rest = Fraction(1 if coefficient > 0 else -1), const(abs(coefficient))
        elif isinstance(coefficient, Fraction):
            factor, rest = coefficient, ONE
        else:
            factor, rest = _factored(coefficient)
        if factor and exact(rest) != 0:
            found.append(Term(factor < 0, _size(abs(factor), rest, monomial)))
    return found


def _split(summands: Iterable[tuple[Coefficient, Expr | None]]) -> Iterator[tuple[Coefficient, Expr | None]]:
    """The summands, a coefficient that is a sum and stands alone as the terms of that sum."""
    for coefficient, monomial in summands:
        stack = [(coefficient, False)]
        while stack:
            part, negative = stack.pop()
            if monomial is None and isinstance(part, Expr) and part.op in ("add", "sub"):
                a, b = part.args
                stack += [(b, negative is not (part.op == "sub")), (a, negative)]
            else:
                yield -part if negative else part, monomial


def _factored(e: Expr) -> tuple[Fraction, Expr]:
    """The rational number in front of an expression or below it, its sign included, and what is left."""
    sign = 1
    while e.op == "neg":
        sign, e = -sign, e.args[0]
    if e.op != "div":
        factor, rest = _spine(e)
        return sign * factor, rest
    (factor, rest), (below, divisor) = map(_spine, e.args)
    return (sign * factor / below, apply("div", rest, divisor)) if below else (Fraction(sign), e)


def _spine(e: Expr) -> tuple[Fraction, Expr]:
    """The constants among the factors of a product, multiplied, and the product of the others."""
    factors = []
    while e.op == "mul":
        factors.append(e.args[1])
        e = e.args[0]
    number, rest = Fraction(1), ONE
    for factor in [e, *reversed(factors)]:
        constant = exact(factor)
        if constant is not None:
            number *= constant
        else:
            rest = factor if rest is ONE else apply("mul", rest, factor)
    return number, rest


def _size(factor: Fraction, rest: Expr, monomial: Expr | None) -> Fraction | Expr:
    if rest is ONE and monomial is None:
        return factor
    above, below = (rest.args[0], rest.args[1]) if rest.op == "div" else (rest, ONE)
    above = _scaled(factor.numerator, above)
    if monomial is not None:
        above = apply("mul", above, monomial)
    return apply("div", above, _scaled(factor.denominator, below))


def _scaled(number: int, e: Expr) -> Expr:
    return const(number) if e is ONE else apply("mul", const(number), e)


def text_of(sum_: Sequence[Term]) -> str:
    """The sum as text that parses back: ``1 + x - x**3/6``; ``0`` for no terms."""
    return _joined(
        sum_, [str(t.size) if isinstance(t.size, Fraction) else text(t.size) for t in sum_], "({})".format
    )  # fmt: skip


def latex_of(sum_: Sequence[Term]) -> str:
    """The sum as LaTeX for math mode."""
    typeset = Typesetter(Latex(), [t.size for t in sum_ if isinstance(t.size, Expr)])
    texts = [latex_fraction(t.size) if isinstance(t.size, Fraction) else typeset(t.size) for t in sum_]
    return _joined(sum_, texts, lambda part: rf"\left({part}\right)")


def latex_fraction(number: Fraction) -> str:
    """A fraction as LaTeX for math mode."""
    sign, size = "-" if number < 0 else "", abs(number)
    return sign + (str(size) if size.denominator == 1 else rf"\frac{{{size.numerator}}}{{{size.denominator}}}")


def _joined(sum_: Sequence[Term], texts: Sequence[str], brackets: Callable[[str], str]) -> str:
    written = []
    for k, (term, part) in enumerate(zip(sum_, texts, strict=True)):
        sum_inside = isinstance(term.size, Expr) and term.size.op in ("add", "sub")
        written.append((" - " if k else "-") if term.negative else " + " if k else "")
        written.append(brackets(part) if sum_inside and len(texts) + term.negative > 1 else part)
    return "".join(written) or "0"


def latex_derivative(of: str, powers: Mapping[str, int], *, ordinary: bool) -> str:
    """The derivative of a variable of these orders as LaTeX, with d if it is ``ordinary``, else with ∂."""
    return Latex().left_side(Derivative(of, sum(powers.values()), tuple(powers.items())), ordinary)


def latex_name(name: str) -> str:
    """A variable as LaTeX writes it."""
    return Latex().name(name)
