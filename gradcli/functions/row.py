"""The row of the function table, `define` and the look-ups.

A row gives the name, the partial derivative in each argument as an expression of the result ``y`` and the arguments
(None: zero everywhere), and, unless the backends have a kernel of that name, the ``expansion`` into functions that
have one. One slope serves forward mode, reverse mode and every order, so its *form* decides the accuracy: it must
neither cancel nor overflow where the derivative is finite, nor do so when differentiated again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Literal, NamedTuple

from gradcli.errors import GradError
from gradcli.expr import BOOLEANS, ZERO, Expr, apply, const, constant, exact, printing

Slopes = Callable[..., Sequence[Expr | None]]


class Function(NamedTuple):
    """One row: a function and every fact about it. Kernels, which need a library, stand in their rooms by its name."""

    name: str
    doc: str
    arity: tuple[int, int | None]
    """Least and most arguments; most is None for any number."""
    slopes: Slopes | None
    synonyms: tuple[str, ...]
    arguments: tuple[str, ...]
    """Names of the arguments in messages and docs."""
    expansion: Callable[..., Expr] | None = None
    domain: str = "all x"
    notes: str = ""
    infix: str | None = None
    parameter: bool = False
    """Whether it has an integer parameter ``n`` beside its arguments."""
    internal: bool = False
    needs: str | None = None
    reduces: bool = False
    """Whether it is a reduction: with one argument, one number from all points of the grid (adjoint: see `reverse`)."""
    direct: bool = False
    """Whether forward and reverse mode have a rule of their own for it."""
    commutes: bool = False
    parity: Literal["", "odd", "even"] = ""
    nonnegative: bool = False
    nonzero: bool = False
    """Whether its value is never 0, though it may be rounded to 0."""
    at: tuple[tuple[int, int | Fraction], ...] = ()
    """Arguments at which the value is exact, each with its value."""
    edges: Edges | None = None
    """Expressions of the arguments that change sign at kinks, jumps, poles and ends; else ``ties`` or ``poles``."""
    poles: Edges | None = None
    """Expressions of the arguments that are 0 at poles, and whose size is about the distance to the nearest pole."""
    ties: Edges | None = None
    """Expressions of the arguments that are 0 where one smooth form passes into another: kinks and jumps."""
    singular: Edges | None = None
    """Expressions of the arguments that are 0 at poles, ends and branch points; else ``edges``, with ties ``poles``."""
    exact: bool = False
    """Whether its value is never rounded."""
    error: int = 4
    """The ulp that a value, or a first derivative, may be off: what tests/accuracy.py allows and `check` expects."""
    selects: bool = False
    """Whether its value is one of its arguments."""
    turns: bool = False
    """Whether it is not monotonic: its values at two points do not bound it between them."""
    shrinks: bool = False
    """Whether it may underflow to 0 for arguments other than 0."""
    numpy: str = ""
    """The name of NumPy's ufunc."""
    libm: str = ""
    """The name of the C library's function."""
    math: str = ""
    """The name in LaTeX and MathML where it differs, with an index after a blank (n: the parameter, x: the first
    argument); or two brackets."""
    unknown: tuple[str, ...] = ()
    """Arguments in which the derivative has no closed form."""
    word: str = ""
    """The word that calls it in the language, where that is not its name: one word for several rows."""
    made: Callable[..., Expr] | None = None
    """Makes the node of a call from all arguments given, where the word stands for several rows."""
    more: int = 0
    """Arguments that a call may have beyond its own."""
    power_on_name: bool = False
    """Whether mathematics writes powers on the name, as in sin**2 x."""
    pythagorean: tuple[str, int] | None = None
    """(g, s) with f(x)**2 + s*g(x)**2 = 1."""

    def takes(self, count: int) -> bool:
        """Whether it can be called with so many arguments, the parameter among them."""
        least, most = self.arity
        extra = 1 if self.parameter else 0
        return least + extra <= count and (most is None or count <= most + extra)

    def call(self, name: str) -> str:
        """A call by one of its names: `atan2(y, x)`."""
        more = ["..."] if self.arity[1] is None else []
        return f"{name}({', '.join([*(['n'] if self.parameter else []), *self.arguments, *more])})"


Edges = Callable[..., list[Expr]]


LOWERED = frozenset({"power_residual", "cbrt_near", "gauss", "erfinv_gauss"})
"""Operations with kernels that occur in expansions and lowered programs only.

gauss(x) is exp(-x**2); power_residual(x, n, lost) is x**(n + lost), lost below an ulp of n.
"""

NONLOCAL = frozenset({"unit", "cofactor", "cofactor_along"})
"""Slopes of the reductions: a value at each point that depends on all points."""

TABLE: dict[str, Function] = {}
SPELLED: dict[str, Function] = {}


def define(
    name: str,
    doc: str,
    *slopes: Callable[..., Expr] | None,
    every: Slopes | None = None,
    arity: tuple[int, int | None] | None = None,
    synonyms: str = "",
    arguments: str = "x y z",
    readable: Callable[..., Expr] | None = None,
    kinks: bool = False,
    at: Mapping[int, int | Fraction] = {},
    **facts: Any,
) -> None:
    """Add a row. ``slopes`` are one rule per argument, ``every`` one rule that returns them all.

    ``readable`` is the textbook form, of the arguments and the parameter; ``kinks``: it differs from the function at
    kinks. ``facts`` are fields of `Function`.
    """

    def each(y: Expr, *x: Expr, **parameters: int) -> Sequence[Expr | None]:
        return [None if rule is None else rule(y, *x, **parameters) for rule in slopes]

    least, most = arity or (len(slopes), len(slopes))
    flat = every is None and all(rule is None for rule in slopes)
    facts.setdefault("edges", facts.get("ties") or facts.get("poles"))
    names = tuple(arguments.split())[: most or 2]
    row = Function(
        name, doc, (least, most), None if flat else every or each, tuple(synonyms.split()), names,
        at=tuple(at.items()), **facts,
    )  # fmt: skip
    TABLE[name] = row
    if row.word:
        printing.WORDS_OF[name] = row.word
    if readable is not None:
        printing.FORMS[name] = readable
    if kinks:
        printing.KINKS.add(name)
    for spelled in (() if row.infix or name == "neg" else (name,), row.synonyms):
        for word in spelled:
            SPELLED[word] = row


def reduces(e: Expr) -> bool:
    """Whether a node takes all points at once: sum(x), and max(x) where max(x, y) does not."""
    return len(e.args) == 1 and (row := TABLE.get(e.op)) is not None and row.reduces


def slopes(y: Expr, wrt: int = 0) -> Sequence[Expr | None]:
    """dy/d(argument) for each argument of a node; None where it is zero everywhere.

    Raises GradError for a node that takes all points at once: it has adjoints, and no slope at a point. Raises it, too,
    where the slope in an argument that depends on a variable of ``wrt`` (bits) has no closed form; without, it is None.
    """
    row = TABLE[y.op]
    if y.op in NONLOCAL or reduces(y):
        raise GradError(f"{y.op} takes all points at once: its gradient is what grad gives")
    for name, argument in zip(row.arguments, y.args, strict=False) if row.unknown else ():
        if name in row.unknown and argument.variables & wrt:
            word = row.word or row.name
            others = " and ".join(n for n in row.arguments if n not in row.unknown)
            raise GradError(
                f"the derivative of {word}({', '.join(row.arguments)}) in {name} has no closed form",
                hint=f"its derivative in {others} has: name the variables of {others} alone by --wrt",
            )
    if row.slopes is None:
        return (None,) * len(y.args)
    if row.parameter:
        return row.slopes(y, *y.args, n=y.value)
    return row.slopes(y, *y.args)


def expansion(e: Expr, args: Sequence[Expr]) -> Expr | None:
    """A node as an expression of functions with kernels, on ``args``; None where it has a kernel itself."""
    row = TABLE.get(e.op)
    if row is None or row.expansion is None:
        return None
    return row.expansion(*args, n=e.value) if row.parameter else row.expansion(*args)


def named(name: str) -> Callable[..., Expr]:
    """The operation of this name as a function of expressions."""
    return lambda *args: apply(name, *args)


(sqrt, exp, log, log1p, sin, cos, atan2, abs_, rint, fmod) = map(
    named, ["sqrt", "exp", "log", "log1p", "sin", "cos", "atan2", "abs", "round", "fmod"]
)
(lt, le, gt, ge, eq, and_, maximum, minimum, copysign, where) = map(
    named, ["lt", "le", "gt", "ge", "eq", "and", "max", "min", "copysign", "where"]
)
PI = constant("pi")
HALF = const(Fraction(1, 2))


def positive(e: Expr, depth: int = 8) -> bool:
    """Whether a node is surely >= 0 wherever it is a number (a sufficient sign rule, not a proof search)."""
    number = exact(e)
    if number is not None:
        return number >= 0
    if e.op == "constant" or ((row := TABLE.get(e.op)) is not None and row.nonnegative):
        return True
    if depth == 0:
        return False
    if e.op == "power":
        n = exact(e.args[1])
        return (n is not None and n % 2 == 0) or positive(e.args[0], depth - 1)
    if e.op == "mul" and e.args[0] is e.args[1]:
        return True
    return e.op in ("add", "mul", "div") and all(positive(a, depth - 1) for a in e.args)


def polynomial(terms: Iterable[tuple[int, Expr]]) -> Expr:
    """A sum of powers with integer factors, without the terms whose factor is 0."""
    total: Expr | None = None
    for factor, power in terms:
        if factor:
            term = const(factor) * power
            total = term if total is None else total + term
    return ZERO if total is None else total


def defined(y: Expr, slope: Expr, argument: Expr | None = None) -> Expr:
    """``slope``, but nan where the function's own value ``y`` is: 1/x is no derivative of log at -1."""
    if argument is not None and positive(argument):
        return slope
    return apply("defined", y, slope)


def vanishing(argument: Expr) -> Expr:
    """0, but nan where the argument is: the slope of a step. `times` and `plus` leave it out of products and sums."""
    return apply("defined", argument, ZERO)


def vanishes(e: Expr) -> bool:
    """Whether a derivative is 0 or nan: a factor that leaves nothing of the others, a term that leaves the others."""
    while e.op == "defined":
        e = e.args[1]
        if e is ZERO:
            return True
    return False


def guarded(total: Expr, e: Expr) -> Expr:
    """total + e for an e that vanishes; total alone where it is nan already wherever e is."""
    while e.op == "defined":
        argument, e = e.args
        if not _carries(total, argument):
            total = apply("defined", argument, total)
    return total


_LOST = frozenset({"where", "instead", "hypot", "power", *BOOLEANS})
"""Operations that may be a number where an argument is nan."""
_SEARCHED = 64


def _carries(e: Expr, argument: Expr) -> bool:
    """Whether a node is surely nan where an argument of it is (few nodes are searched)."""
    stack, seen = [e], {e}
    while stack and len(seen) < _SEARCHED:
        node = stack.pop()
        if node is argument:
            return True
        if node.op == "where" and all(_carries(branch, argument) for branch in node.args[1:]):
            return True
        strict = node.op not in _LOST and not reduces(node)
        args = node.args if strict else node.args[:1] if node.op == "power" and exact(node.args[1]) else ()
        stack += [a for a in args if a not in seen]
        seen.update(args)
    return False


def compared(condition: Expr) -> list[Expr]:
    """The nodes whose nan a condition meets: the operands of its comparisons."""
    found: dict[Expr, None] = {}
    stack = [condition]
    while stack:
        e = stack.pop()
        if e.op in BOOLEANS:
            stack += e.args
        elif e.variables:
            found[e] = None
    return list(found)
