"""Expressions as text in gradcli's language: the printed text parses back to the same node."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

from gradcli.errors import GradError
from gradcli.expr.node import BOOLEANS, COMPARISONS, FOLD_BITS, LARGEST, WORDS, Expr, Number
from gradcli.expr.traversal import reachable, rebuild, rewrite

_LOOSE, _OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _UNARY, _POWER, ATOM = range(10)
"""How tightly an operator binds, loosest first."""
_SHARE = 16
"""Characters above which the text of a shared node gets a name of its own."""

FORMS: dict[str, Callable[..., Expr]] = {}
"""The textbook form of each internal operation that has one; the function table fills it."""
WORDS_OF: dict[str, str] = {}
"""The word of each operation whose calls are not spelled by its own name; an argument after a blank comes last."""
KINKS: set[str] = set()
"""Operations whose textbook form differs at kinks and where the function is not defined."""


def _textbook(e: Expr, args: tuple[Expr, ...]) -> Expr:
    form = FORMS.get(e.op)
    if form is None:
        # The textbook forms of two branches may be one.
        return args[1] if e.op == "where" and args[1] is args[2] and e.args[1] is not e.args[2] else rebuild(e, args)
    try:
        return form(*args) if e.value is None else form(*args, e.value)
    except GradError:
        # A constant of the textbook form may leave the range of a double where the internal form has no such constant.
        return rebuild(e, args)


def readable(roots: Iterable[Expr], *, kinks: bool = False) -> list[Expr]:
    """The same functions with internal operations in textbook form.

    Both forms are equal wherever the function is defined. At kinks and near overflow or underflow the internal form,
    which is the one evaluated, is better. ``kinks``: keep the internal form where the two differ at kinks.
    """
    roots = list(roots)
    if all(e.op not in FORMS for e in reachable(roots)):
        return roots
    return rewrite(roots, lambda e, args: rebuild(e, args) if kinks and e.op in KINKS else _textbook(e, args))


def spell_number(value: Number) -> tuple[str, int]:
    """The shortest text that parses to this constant, and how tightly it binds."""
    if isinstance(value, float):
        if value == 0:
            return "-0.0", _UNARY
        return ("nan", ATOM) if value != value else ("inf", ATOM) if value > 0 else ("-inf", _UNARY)
    sign, size = ("-", -value) if value < 0 else ("", value)
    bind = _UNARY if sign else ATOM
    # The shortest decimal of the nearest double, if it equals the number (nearly always); else exact digits.
    near = float(size)
    if Fraction(repr(near)) == size:
        plain = (
            str(int(size))
            if size.denominator == 1 and size < 10**16
            else repr(near).replace("e+", "e").replace("e-0", "e-")
        )
        return sign + plain, bind
    rest, twos, fives = size.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if size.denominator == 1:
        return sign + str(size.numerator), bind
    if rest == 1 and max(twos, fives) <= 40:
        places = max(twos, fives)
        digits = str(size.numerator * 10**places // size.denominator).zfill(places + 1)
        return f"{sign}{digits[:-places]}.{digits[-places:]}", bind
    if rest == 1 and size.numerator.bit_length() + size.denominator.bit_length() > FOLD_BITS:
        # A quotient of this length is not folded when it is parsed (FOLD_BITS); a decimal is.
        return f"{sign}{size.numerator * 10 ** max(twos, fives) // size.denominator}e-{max(twos, fives)}", bind
    # Both parts are scaled by the same power of ten if one of them is beyond the range of a double.
    scale = "" if max(size.numerator, size.denominator) <= LARGEST else "e-310"
    return f"{sign}{size.numerator}{scale}/{size.denominator}{scale}", _PRODUCT


def spell_name(name: str) -> str:
    """A variable as it is typed: in backquotes unless it is an ASCII identifier and no reserved word."""
    return name if name.isidentifier() and name.isascii() and name not in WORDS else f"`{name}`"


Parts = tuple["str | Expr", ...]
"""A text with nodes in place of their own texts."""


def shape(e: Expr, bind: dict[Expr, int]) -> tuple[Parts, int]:
    """The text of a node in parts, with its arguments in place of their texts, and how tightly it binds.

    ``bind`` gives how tightly each argument binds, which decides on its brackets.
    """

    def inside(index: int, at_least: int) -> Parts:
        a = e.args[index]
        return (a,) if bind[a] >= at_least else ("(", a, ")")

    op = e.op
    if op == "const":
        assert isinstance(e.value, Fraction | float)
        word, strength = spell_number(e.value)
        return (word,), strength
    if op == "var":
        return (spell_name(str(e.value)),), ATOM
    if op == "constant":
        return (str(e.value),), ATOM
    if op in ("add", "sub"):
        return (*inside(0, _SUM), " + " if op == "add" else " - ", *inside(1, _PRODUCT)), _SUM
    if op in ("mul", "div", "mod"):
        sign = {"mul": "*", "div": "/", "mod": " % "}[op]
        return (*inside(0, _PRODUCT), sign, *inside(1, _UNARY)), _PRODUCT
    if op == "neg":
        first = e.args[0]
        while first.op in ("mul", "div"):
            first = first.args[0]
        # -x*y parses as (-x)*y, which is the same node; -2*x*y parses as a constant factor -2, which is another.
        at_least = _UNARY if first.op in ("const", "mod") else _PRODUCT
        return ("-", *inside(0, at_least)), at_least
    if op == "power":
        return (*inside(0, ATOM), "**", *inside(1, _UNARY)), _POWER
    if op in COMPARISONS:
        return (*inside(0, _SUM), f" {COMPARISONS[op]} ", *inside(1, _SUM)), _COMPARE
    if op == "not":
        return ("not ", *inside(0, _NOT)), _NOT
    if op in ("and", "or"):
        strength = _AND if op == "and" else _OR
        return (*inside(0, strength), f" {op} ", *inside(1, strength + 1)), strength
    word, _, last = WORDS_OF.get(op, op).partition(" ")
    parts: list[str | Expr] = [f"{word}(" if op == "diff" or not isinstance(e.value, int) else f"{word}({e.value}, "]
    for a in e.args:
        parts += [a, ", "]
    parts[-1] = f", {e.value})" if op == "diff" and e.value != 1 else f", {last})" if last else ")"
    return tuple(parts), ATOM


def pieces(whole: Parts, parts: Callable[[Expr], Parts]) -> Iterator[str]:
    """The text of ``whole`` in pieces, each node replaced by ``parts(node)``.

    The pass yields leaves only: joining the texts of each level would be quadratic in the depth.
    """
    stack = list(reversed(whole))
    while stack:
        top = stack.pop()
        if isinstance(top, str):
            yield top
        else:
            stack.extend(reversed(parts(top)))


def statements(
    named: Iterable[tuple[str, Expr]], *, share: bool = True, kinks: bool = False, most: float = math.inf
) -> Iterator[tuple[str, str]]:
    """Pairs (name, text): one for each named expression, and before it ``t1``, ``t2`` ... for shared subexpressions.

    ``kinks`` as for `readable`. A text is cut after ``most`` characters: without sharing its length can be exponential
    in the size of the graph.
    """
    names, roots = zip(*named, strict=True)
    pairs = list(zip(names, readable(roots, kinks=kinks), strict=True))
    nodes = reachable(e for _, e in pairs)
    uses: dict[Expr, int] = {}
    for e in nodes:
        for a in e.args:
            uses[a] = uses.get(a, 0) + 1
    for _, e in pairs:
        uses[e] = uses.get(e, 0) + 1
    taken = {str(e.value) for e in nodes if e.op == "var"} | {name for name, _ in pairs}
    parts: dict[Expr, Parts] = {}
    bind: dict[Expr, int] = {}
    length: dict[Expr, int] = {}

    def body(e: Expr) -> str:
        written: list[str] = []
        room = most
        for piece in pieces(parts[e], parts.__getitem__):
            written.append(piece)
            room -= len(piece)
            if room < 0:
                return "".join(written)[: int(most)] + " ..."
        return "".join(written)

    count = 0
    for e in nodes:
        parts[e], bind[e] = shape(e, bind)
        length[e] = sum(len(part) if isinstance(part, str) else length[part] for part in parts[e])
        if share and uses[e] > 1 and length[e] > _SHARE and e.op not in BOOLEANS:
            count += 1
            while f"t{count}" in taken:
                count += 1
            yield f"t{count}", body(e)
            parts[e], bind[e], length[e] = (f"t{count}",), ATOM, len(f"t{count}")
    for name, e in pairs:
        yield name, body(e)


def text(e: Expr, most: float = math.inf) -> str:
    """One expression as text, shared subexpressions repeated, cut after ``most`` characters."""
    return next(body for _, body in statements([("", e)], share=False, most=most))


setattr(Expr, "__repr__", lambda e: f"<Expr {text(e, 400)}>")  # noqa: B010
