"""The rules of the running error bound in vector code.

Layer: must not know how code is compiled.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from gradcli.compute.backends.native.emit import TRUTH, Emitter, Value
from gradcli.compute.trust.rules import LOW, residual
from gradcli.compute.trust.table import rule_of

_ZERO = "splat (double 0x0000000000000000)"


def _lane(x: Any, b: Emitter) -> Any:
    """A number as a vector value; booleans of Python and lanes as they are."""
    return Lane(b.number(x)) if isinstance(x, int | float) and not isinstance(x, bool) else x


class Lane:
    """A vector value with the operators that rules use; terms and factors that are 0 everywhere leave no code.

    A product that is added to is one fused multiply-add. A comparison that needs no code is a boolean of Python.
    """

    __slots__ = ("b", "factors", "made")

    def __init__(self, value: Value | None, factors: tuple[Value, Value] | None = None) -> None:
        self.made, self.factors = value, factors
        number = value or (factors and factors[0])
        assert number
        self.b = number.emitter

    @property
    def value(self) -> Value:
        if self.made is None:
            assert self.factors
            self.made = self.factors[0] * self.factors[1]
        return self.made

    @property
    def nothing(self) -> bool:
        """Whether it is 0 everywhere."""
        return self.made is not None and self.made.text == _ZERO

    def __add__(self, other: Any) -> Lane:
        x: Lane = _lane(other, self.b)
        if self.nothing or x.nothing:
            return x if self.nothing else self
        for product, term in ((self, x), (x, self)):
            if product.factors and self.b.target.fma:
                return Lane(self.b.fma(*product.factors, term.value))
        return Lane(self.value + x.value)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Lane:
        x: Lane = _lane(other, self.b)
        return self if x.nothing else Lane(self.value - x.value)

    def __rsub__(self, other: Any) -> Lane:
        return Lane(other - self.value)

    def __mul__(self, other: Any) -> Lane:
        x: Lane = _lane(other, self.b)
        return self if self.nothing else x if x.nothing else Lane(None, (self.value, x.value))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Lane:
        x: Lane = _lane(other, self.b)
        return self if self.nothing else Lane(self.value / x.value)

    def __rtruediv__(self, other: Any) -> Lane:
        return Lane(other / self.value)

    def __pow__(self, exponent: int) -> Lane:
        assert exponent == 2
        return self * self

    def __neg__(self) -> Lane:
        return Lane(-self.value)

    def __abs__(self) -> Lane:
        return self if self.nothing else Lane(self.b.intrinsic("fabs", self.value))

    def _compared(self, how: str, other: Any) -> Any:
        x: Lane = _lane(other, self.b)
        if self.nothing and x.nothing:
            return how in ("oeq", "oge", "ole")
        return Lane(self.b.compare(how, self.value, x.value))

    def __lt__(self, other: Any) -> Any:
        return self._compared("olt", other)

    def __le__(self, other: Any) -> Any:
        return self._compared("ole", other)

    def __gt__(self, other: Any) -> Any:
        return self._compared("ogt", other)

    def __ge__(self, other: Any) -> Any:
        return self._compared("oge", other)

    def __eq__(self, other: object) -> Any:
        return self._compared("oeq", other)

    def __ne__(self, other: object) -> Any:
        return self._compared("une", other)

    __hash__ = None  # type: ignore[assignment]

    def __and__(self, other: Any) -> Any:
        if isinstance(other, bool):
            return self if other else False
        return Lane(self.value & other.value)

    __rand__ = __and__

    def __or__(self, other: Any) -> Any:
        if isinstance(other, bool):
            return True if other else self
        return Lane(self.value | other.value)

    __ror__ = __or__


class Lanes:
    """The operations that rules need, in the code of an emitter; ``rows`` are the emitters of functions.

    ``rough``: an argument is surely inexact, so that half an ulp stands for a rounding error.
    """

    def __init__(self, b: Emitter, rows: Mapping[str, Callable[..., Value]], rough: bool) -> None:
        self.b, self.rows, self.rough = b, rows, rough

    def where(self, c: Any, x: Any, y: Any) -> Any:
        if isinstance(c, bool):
            return _lane(x if c else y, self.b)
        x, y = _lane(x, self.b), _lane(y, self.b)
        if x.value == y.value:
            return x
        if TRUTH in (x.value.kind, y.value.kind):
            x, y = (Lane(self.b.stored(a.value)) for a in (x, y))
        return Lane(self.b.select(self.b.truth(c.value), x.value, y.value))

    def least(self, x: Any, y: Any) -> Any:
        x, y = _lane(x, self.b), _lane(y, self.b)
        return x if x.nothing and y.nothing else self.where(y < x, y, x)

    def largest(self, x: Any, y: Any) -> Any:
        x, y = _lane(x, self.b), _lane(y, self.b)
        return x if y.nothing else y if x.nothing else self.where(y > x, y, x)

    def lazily(self, c: Any, usual: Any, otherwise: Callable[[], Any]) -> Any:
        return usual if c is False else self.where(c, otherwise(), usual)

    def rare(self, c: Any, usual: Any, otherwise: Callable[[], Any]) -> Any:
        # nan: the row is done again by the vector engine.
        return otherwise() if c is True else self.where(c, math.nan, usual)

    def ratio(self, p: Any, x: Any) -> Any:
        # One division serves all ratios by the same number.
        p = _lane(p, self.b)
        return p if p.nothing else p * (1.0 / x)

    def summed(self, v: Any, a: Any, b: Any, s: Any) -> Any:
        if self.rough:
            return s + abs(v)
        t = v - a
        return s + abs((a - (v - t)) + (b - t)) * 2.0**53

    def _residual(self, x: Any, y: Any, v: Any) -> Any:
        if self.b.target.fma:
            return abs(Lane(self.b.fma(x.value, y.value, (-v).value)))
        return residual(x, y, v)

    def rounded(self, v: Any, a: Any, b: Any, s: Any) -> Any:
        size = abs(v)
        # A factor that is 0 loses nothing; else the residual may underflow.
        low = (size < LOW) & (a != 0) & (b != 0)
        return self.where(low, math.nan, size if self.rough else self._residual(a, b, v) * 2.0**53)

    def divided(self, v: Any, b: Any, a: Any, s: Any) -> Any:
        size, low = abs(v), self.least(abs(a), abs(v)) < LOW
        if not self.rough:
            size = self.where((s == 0) & (self._residual(v, b, a) == 0), 0.0, size)
        # Numbers that are 0, or so small that the residual underflows.
        return self.where(low, math.nan, size)

    def sqrt(self, x: Any) -> Any:
        return x if x.nothing else Lane(self.b.intrinsic("sqrt", x.value))

    def rint(self, x: Any) -> Any:
        return Lane(self.b.intrinsic("rint", x.value))

    def _row(self, name: str, x: Any) -> Any:
        return Lane(self.rows[name](self.b, x.value))

    def exp(self, x: Any) -> Any:
        return self._row("exp", x)

    def log(self, x: Any) -> Any:
        return self._row("log", x)

    def sin(self, x: Any) -> Any:
        return self._row("sin", x)

    def cos(self, x: Any) -> Any:
        return self._row("cos", x)


def bounded(name: str, o: Lanes, *x: Value) -> Value:
    """Return the error of a kernel: ``x`` are the errors of its arguments, these and the value.

    It is nan or inf where more than the usual is to be looked at: the error of such a row is computed again.
    """
    rule = rule_of(name)
    assert rule is not None
    count, lanes = len(x) // 2, [*map(Lane, x)]
    error: Lane = _lane(rule(o, lanes[-1], *lanes[count:-1], *lanes[:count]), o.b)
    return error.value
