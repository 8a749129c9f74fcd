"""Two-dimensional typesetting of expressions (fractions, powers, roots, cases), independent of the markup language.

A `Style` writes each of these constructs. Parts are built bottom-up and written in one pass, without recursion.
Layer: must not know any markup language.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Protocol

from gradcli.calculus.leibniz import Derivative, read
from gradcli.errors import GradError
from gradcli.expr import BOOLEANS, Expr, Parts, exact, pieces, reachable, readable, spell_number, variables
from gradcli.functions import TABLE
from gradcli.limits.work import spend

_LOWEST, _COMPARE, _SUM, _NEG, _PRODUCT, _POWER, _CALL, _ATOM = range(8)
"""How tightly an operator binds, loosest first."""
LENGTH_LIMIT = 20_000_000
"""The longest formula that is written out, in characters."""
_PIECES = 2
"""Pieces of text that are written in one step of work."""
_FACTORS = 64
"""The most factors of a product that are put in order; a longer one is written as it is nested."""
_EXPONENT = 80
"""Characters of markup from which an exponential is written as exp(...), not as a power of e."""

_LETTERS = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi"
_CAPITALS = "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
GREEK = {
    word: unicodedata.lookup(
        f"GREEK {'SMALL' if word.islower() else 'CAPITAL'} LETTER {word.upper().replace('LAMBDA', 'LAMDA')}"
    )
    for word in f"{_LETTERS} psi omega {_CAPITALS}".split()
}
_FENCES = ("||", "⌊⌋", "⌈⌉", "‖‖")


class Style(Protocol):
    """The constructs of one markup language; each gives its parts, in which an argument may be repeated or moved."""

    def digits(self, text: str) -> str: ...
    def name(self, name: str) -> str: ...
    def word(self, word: str) -> str: ...
    def sign(self, sign: str) -> str: ...
    def times(self, dot: bool) -> str: ...
    def fraction(self, above: Parts, below: Parts) -> Parts: ...
    def raised(self, base: Parts, exponent: Parts) -> Parts: ...
    def lowered(self, base: Parts, index: Parts) -> Parts: ...
    def root(self, body: Parts, degree: str) -> Parts: ...
    def fenced(self, left: str, body: Parts, right: str) -> Parts: ...
    def called(self, function: Parts, arguments: Parts) -> Parts: ...
    def cases(self, condition: Parts, yes: Parts, no: Parts) -> Parts: ...
    def left_side(self, partial: Derivative, ordinary: bool) -> str: ...


class Typesetter:
    """The text of each of ``roots`` in textbook form, in one style.

    For each node ``parts`` is its text in parts, ``bind`` how tightly it binds, ``digit`` whether the text begins with
    a digit (a factor before it then needs a dot), ``length`` its number of characters written out. ``unsigned`` has
    parts and binding without the minus for each node whose text begins with one.
    """

    def __init__(self, style: Style, roots: Sequence[Expr]) -> None:
        self.style = style
        self.form = dict(zip(roots, readable(roots), strict=True))
        self.parts: dict[Expr, Parts] = {}
        self.bind: dict[Expr, int] = {}
        self.unsigned: dict[Expr, tuple[Parts, int]] = {}
        self.digit: dict[Expr, bool] = {}
        self.length: dict[Expr, int] = {}
        self.count: dict[Expr, int] = {}
        for e in reachable(self.form.values()):
            self.digit[e] = False
            self.parts[e], self.bind[e] = self.shape(e)
            if e in self.unsigned:
                self.parts[e], self.bind[e] = (style.sign("neg"), *self.parts[e]), _NEG
            self.length[e] = sum([len(p) if isinstance(p, str) else self.length[p] for p in self.parts[e]])
            self.count[e] = 1 + sum([1 if isinstance(p, str) else self.count[p] for p in self.parts[e]])

    def __call__(self, root: Expr) -> str:
        """The text of a root. Raises GradError if it is longer than LENGTH_LIMIT when shared nodes are written out."""
        e = self.form[root]
        if self.length[e] > LENGTH_LIMIT:
            raise GradError(
                f"written out the formula has {_rounded(self.length[e])} characters",
                hint="graph and dot show what is shared",
            )
        spend(self.count[e] / _PIECES)
        return "".join(pieces((e,), self.parts.__getitem__))

    def inside(self, e: Expr, at_least: int) -> Parts:
        return (e,) if self.bind[e] >= at_least else self.style.fenced("(", (e,), ")")

    def signed(self, e: Expr, body: Parts, bind: int) -> tuple[Parts, int]:
        """The text of a node that is minus ``body``."""
        self.unsigned[e] = body, bind
        return body, bind

    def shape(self, e: Expr) -> tuple[Parts, int]:
        """The text of a node in parts, and how tightly it binds; of a node in ``unsigned`` that without its minus."""
        style, op, args = self.style, e.op, e.args
        if op == "const":
            return self.number(e)
        if op in ("var", "constant"):
            symbol = style.name(str(e.value)) if op == "var" else style.word(str(e.value))
            return (symbol,), _ATOM
        if op in ("add", "sub"):
            minus = args[1] in self.unsigned
            sign = style.sign("+" if (op == "add") != minus else "-")
            term = self.unsigned[args[1]][0] if minus else self.inside(args[1], _PRODUCT)
            return (*self.inside(args[0], _SUM), sign, *term), _SUM
        if op == "neg":
            if args[0] in self.unsigned:
                return self.unsigned[args[0]]
            return self.signed(e, self.inside(args[0], _PRODUCT), _PRODUCT)
        if op == "mul":
            return self.product(e)
        if op == "div":
            above, below = ((self.unsigned[a][0] if a in self.unsigned else (a,)) for a in args)
            whole = style.fraction(above, below)
            minus = (args[0] in self.unsigned) != (args[1] in self.unsigned)
            return self.signed(e, whole, _PRODUCT) if minus else (whole, _PRODUCT)
        if op == "power":
            return self.power(e)
        if op == "mod":
            a, b = (self.inside(a, _PRODUCT) for a in args)
            return (*a, style.sign(_word(op)), *b), _COMPARE
        if op == "not":
            return (style.sign(_word(op)), *style.fenced("(", (args[0],), ")")), _ATOM
        if op in BOOLEANS:
            level = _LOWEST if op in ("and", "or") else _COMPARE
            a, b = (self.inside(a, level + 1) for a in args)
            return (*a, style.sign(_word(op)), *b), level
        if op == "where":
            return style.cases((args[0],), (args[1],), (args[2],)), _LOWEST
        return self.function(e)

    def product(self, e: Expr) -> tuple[Parts, int]:
        """The factors of a product, numbers and constants before what depends on variables: 4 pi**2 L."""
        style = self.style
        factors = _factors(e)
        spend(2 * len(factors))
        first, *rest = sorted(factors, key=lambda f: 2 if f.variables else f.op != "const")
        minus = first in self.unsigned
        self.digit[e] = self.digit[first]
        whole = self.unsigned[first][0] if minus else self.inside(first, _PRODUCT)
        for factor in rest:
            whole = (*whole, style.times(self.digit[factor]), *self.inside(factor, _PRODUCT))
        return self.signed(e, whole, _PRODUCT) if minus else (whole, _PRODUCT)

    def number(self, e: Expr) -> tuple[Parts, int]:
        style = self.style
        assert isinstance(e.value, Fraction | float)
        spelled, _ = spell_number(e.value)
        minus, spelled = (True, spelled[1:]) if spelled[0] == "-" else (False, spelled)
        if spelled in ("inf", "nan"):
            body: Parts = (style.word(spelled),)
            bind = _ATOM
        else:
            self.digit[e] = not minus
            above, _, below = spelled.partition("/")
            body, bind = self.scientific(above)
            if below:
                body, bind = style.fraction(body, self.scientific(below)[0]), _PRODUCT
        return self.signed(e, body, bind) if minus else (body, bind)

    def scientific(self, spelled: str) -> tuple[Parts, int]:
        style = self.style
        digits, _, exponent = spelled.partition("e")
        if not exponent:
            return (style.digits(digits),), _ATOM
        minus = (style.sign("neg"),) if exponent[0] == "-" else ()
        tens = style.raised((style.digits("10"),), (*minus, style.digits(exponent.lstrip("+-"))))
        return (tens, _POWER) if digits == "1" else ((style.digits(digits), style.times(True), *tens), _PRODUCT)

    def power(self, e: Expr) -> tuple[Parts, int]:
        style = self.style
        base, exponent = e.args
        n = exact(exponent)
        if n == -1:
            return style.fraction((style.digits("1"),), (base,)), _PRODUCT
        if n == Fraction(1, 2):
            return style.root((base,), ""), _CALL
        if base.op in TABLE and TABLE[base.op].power_on_name and n is not None and n > 1 and n.denominator == 1:
            head = style.raised((style.word(_word(base.op)),), (exponent,))
            return style.called(head, base.args), _CALL
        self.digit[e] = self.digit[base] and self.bind[base] == _ATOM
        return style.raised(self.inside(base, _ATOM), (exponent,)), _POWER

    def function(self, e: Expr) -> tuple[Parts, int]:
        style, op, args = self.style, e.op, e.args
        if op == "sqrt" or op == "cbrt":
            return style.root(args, "3" if op == "cbrt" else ""), _CALL
        if op == "exp" and self.length[args[0]] < _EXPONENT:
            return style.raised((style.word("e"),), args), _POWER
        if op == "exp2":
            self.digit[e] = True
            return style.raised((style.digits("2"),), args), _POWER
        word, _, index = _word(op).partition(" ")
        if word in _FENCES:
            return style.fenced(word[0], args, word[1]), _ATOM
        if op == "lgamma":
            return style.called((style.word("ln"),), style.called((style.word("Gamma"),), args)), _CALL
        if op == "diff":
            order = (style.digits(str(e.value)),)
            d: Parts = (style.word("d"),)
            first = e.value == 1
            above = d if first else style.raised(d, order)
            below = args[1:] if first else style.raised(args[1:], order)
            whole = (*style.fraction(above, (*d, style.times(False), *below)), *style.fenced("(", args[:1], ")"))
            return whole, _PRODUCT
        head: Parts = (style.name(word) if len(word) == 1 else style.word(word),)
        if index == "x":
            head, args = style.lowered(head, args[:1]), args[1:]
        elif index:
            head = style.lowered(head, (style.digits(str(e.value) if index == "n" else index),))
        elif isinstance(e.value, int):
            # polygamma(n, x) is the n-th derivative of psi, with n in brackets above (DLMF 5.15).
            head = style.raised(head, style.fenced("(", (style.digits(str(e.value)),), ")"))
        comma = style.sign(",")
        return style.called(head, tuple([part for a in args for part in (comma, a)][1:])), _CALL


def _factors(e: Expr) -> Sequence[Expr]:
    """The factors of a product, or its two arguments if there are more than _FACTORS."""
    factors: list[Expr] = []
    stack = [e]
    while stack:
        node = stack.pop()
        if node.op == "mul":
            stack += node.args[::-1]
        else:
            factors.append(node)
        if len(factors) + len(stack) > _FACTORS:
            return e.args
    return factors


def equations(
    style: Style, named: Sequence[tuple[str, Expr]], order: Sequence[str], of: Sequence[str] = ()
) -> Iterator[tuple[str, str]]:
    """The left side and the text of each equation; where there is a single variable, derivatives are ordinary.

    ``of``: for derivatives without the functions themselves, the name of the function that each is one of.
    """
    text = Typesetter(style, [e for _, e in named])
    ordinary = len({*order, *[v for _, e in named for v in variables(e)]}) == 1
    names = [name for name, _ in named]
    partials = [read(pair, order)[-1] for pair in zip(of, names, strict=True)] if of else read(names, order)
    for partial, (_, e) in zip(partials, named, strict=True):
        yield style.left_side(partial, ordinary), text(e)


def _word(op: str) -> str:
    """The mathematical name of a function."""
    return (op in TABLE and TABLE[op].math) or op


def _rounded(size: int) -> str:
    digits = str(size) if size < 10**15 else ""
    return digits or f"about 10**{size.bit_length() * 3 // 10}"


_INDEXED = re.compile(r"([A-Za-z]+)(?:_?([0-9]+)|_([A-Za-z0-9]+))")


def split_name(name: str) -> tuple[str, str]:
    """The base and the index of a variable's name: x_1 and x1 are x with index 1, v_max is v with index max."""
    match = _INDEXED.fullmatch(name)
    if match is None or not (len(match[1]) == 1 or match[1] in GREEK):
        return name, ""
    return match[1], match[2] or match[3]
