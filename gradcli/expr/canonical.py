"""`apply`, the only constructor of an operation: canonical form by rules that are exact in IEEE-754 arithmetic.

Constants are folded as exact fractions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from gradcli.errors import GradError
from gradcli.expr.node import FOLD_BITS, HALF_TINIEST, LARGEST, ONE, TWO, Expr, const, exact, intern

# Simplification: each rule returns the simpler node, or None where no rewriting is exact.


def _folded(result: Fraction) -> Expr | None:
    """The result as a constant; None where it is longer than FOLD_BITS or underflows, so that it stays unevaluated.

    Raises GradError where it is beyond the range of a double.
    """
    if result.numerator.bit_length() + result.denominator.bit_length() > FOLD_BITS:
        if abs(result) > LARGEST:
            return const(result)
        return None
    return const(result) if not result or abs(result) > HALF_TINIEST else None


def _add(a: Expr, b: Expr) -> Expr | None:
    p, q = a.op, b.op
    if p == "const" == q and (x := exact(a)) is not None and (y := exact(b)) is not None:
        return _folded(x + y)
    if p == "neg":
        return apply("sub", b, a.args[0])
    if q == "neg":
        return apply("sub", a, b.args[0])
    if a is b:
        return apply("mul", TWO, a)
    # A negative multiple is subtracted: `x - 2*y` reads better than `x + -2*y`, and rounds the same.
    if q in _SCALED and _negative(b):
        return apply("sub", a, apply("neg", b))
    return apply("sub", b, apply("neg", a)) if p in _SCALED and _negative(a) else None


_SCALED = frozenset({"const", "mul", "div"})


def _negative(e: Expr) -> bool:
    number = exact(e.args[0]) if e.args else exact(e)
    return number is not None and number < 0


def _sub(a: Expr, b: Expr) -> Expr | None:
    p, q = a.op, b.op
    if p == "const" == q and (x := exact(a)) is not None and (y := exact(b)) is not None:
        return _folded(x - y)
    if q == "neg":
        return apply("add", a, b.args[0])
    return apply("add", a, apply("neg", b)) if q in _SCALED and _negative(b) else None


def _mul(a: Expr, b: Expr) -> Expr | None:
    p, q = a.op, b.op
    if p == "neg":
        return apply("neg", apply("mul", a.args[0], b))
    if q == "neg":
        return apply("neg", apply("mul", a, b.args[0]))
    if p != "const" and q != "const":
        return None
    x, y = exact(a), exact(b)
    if x is not None and y is not None:
        return _folded(x * y)
    for number, other in ((x, b), (y, a)):
        if number == 1:
            return other
        if number == -1:
            return apply("neg", other)
    return None


def _div(a: Expr, b: Expr) -> Expr | None:
    p, q = exact(a), exact(b)
    if p is not None and q:
        return _folded(p / q)
    if a.op == "neg":
        return apply("neg", apply("div", a.args[0], b))
    if b.op == "neg":
        return apply("neg", apply("div", a, b.args[0]))
    if q == 1:
        return a
    return apply("neg", a) if q == -1 else None


def _neg(a: Expr) -> Expr | None:
    if a.op == "neg":
        return a.args[0]
    if a.op == "const":
        number = a.value
        assert isinstance(number, Fraction | float)
        return const(-number) if number or isinstance(number, float) else const(-0.0)
    if a.op in ("mul", "div") and a.args[0].op == "const":
        return apply(a.op, apply("neg", a.args[0]), a.args[1])
    return None


def _power(a: Expr, b: Expr) -> Expr | None:
    p, q = exact(a), exact(b)
    if q == 1:
        return a
    if q == 0:
        return ONE
    if a.op == "abs" and q is not None and q % 2 == 0:
        return apply("power", a.args[0], b)
    if a.op == "constant" and a.value == "e":
        return apply("exp", b)
    if p is not None and q is not None and q.denominator == 1 and (p or q > 0):
        n = int(q)
        size = abs(n) * max(p.numerator.bit_length() - 1, p.denominator.bit_length() - 1)
        if size <= 4 * FOLD_BITS:
            return _folded(p**n)
        if n * (math.log2(abs(p.numerator)) - math.log2(p.denominator)) > 1025:
            raise GradError("the number is beyond the range of a double (about 1.8e308)")
    return None


_RULES: dict[str, Callable[..., Expr | None]] = {
    "add": _add, "sub": _sub, "mul": _mul, "div": _div, "neg": _neg, "power": _power,
}  # fmt: skip


_RANKS = {
    "mul": {"const": 0, "constant": 0, "mul": 1, "var": 2},
    "add": {"add": 1, "var": 3, "const": 4, "constant": 4},
}


def _before(a: Expr, b: Expr, op: str) -> bool:
    """Whether ``a`` comes first as an operand of ``op``: products read 2*x*sin(x), sums read x**2 + x + 1.

    The order follows from structure alone, never from ``serial``: printed text must not depend on what a process
    computed before.
    """
    ranks = _RANKS[op]
    unnamed = 3 if op == "mul" else 2
    # In a product a power of a variable is sorted as the variable.
    first = a.args[0] if op == "mul" and a.op == "power" else a
    second = b.args[0] if op == "mul" and b.op == "power" else b
    if first.op != "var":
        first = a
    if second.op != "var":
        second = b
    p, q = ranks.get(first.op, unnamed), ranks.get(second.op, unnamed)
    if p != q:
        return p < q
    names = [str(e.value) if e.op in ("var", "constant") else e.op for e in (first, second)]
    return names[0] < names[1] if names[0] != names[1] else a.digest < b.digest


def apply(op: str, *args: Expr, value: int | None = None) -> Expr:
    """The node for ``op`` applied to ``args``, in canonical form: equal meaning by these rules is the same object.

    ``value`` is the integer parameter of an operation that has one. Raises GradError where a constant leaves the range
    of a double.
    """
    rule = _RULES.get(op)
    if rule is not None:
        simpler = rule(*args)
        if simpler is not None:
            return simpler
    if op == "add" or op == "mul":
        a, b = args
        if _before(b, a, op):
            args = (b, a)
    return intern(op, args, value)


def _operator(op: str, *, reflected: bool = False) -> Callable[..., Expr]:
    def operator(a: Expr, b: Expr | int) -> Expr:
        other = const(b) if isinstance(b, int) else b
        return apply(op, other, a) if reflected else apply(op, a, other)

    return operator


for _name, _op in {"add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "pow": "power"}.items():
    setattr(Expr, f"__{_name}__", _operator(_op))
    setattr(Expr, f"__r{_name}__", _operator(_op, reflected=True))
setattr(Expr, "__neg__", lambda a: apply("neg", a))  # noqa: B010
