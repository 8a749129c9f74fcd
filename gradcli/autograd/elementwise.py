"""Elementwise operations: functions of the table and expressions in them, with their derivatives.

An operation is a *template*, an Expr in placeholders for its arguments. Its slopes come from the table, so that the
cotangent of an argument is a template again (in the cotangent of the answer, the answer and the arguments) and has
slopes in turn. Layer: must not know graphs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from gradcli.autograd import complex
from gradcli.autograd.values import BOOL, F32, F64, Operation
from gradcli.calculus import forward
from gradcli.compute.backends import scalar, vector
from gradcli.compute.backends.scalar import reader
from gradcli.compute.program import build
from gradcli.expr import BOOLEANS, ONE, ZERO, Expr, apply, const, reachable, rebuild, rewrite, substitute, var
from gradcli.functions import TABLE, slopes, vanishes

Back = tuple[Callable[..., Any], Callable[[list[Any]], Sequence[Any]]] | int | None
"""A function and the reader of its arguments; COTANGENT if the result is the cotangent itself, None if it is zero."""
Source = int
"""The origin of an argument of a derivative's template: COTANGENT, ANSWER or the index of an argument."""
COTANGENT, ANSWER = -1, -2
_G, _Y = var("\0g"), var("\0y")


def placeholder(k: int) -> Expr:
    return var(f"\0a{k}")


def _placeholders(arity: int) -> list[Expr]:
    return [placeholder(k) for k in range(arity)]


class Elementwise(Operation):
    """The operation of a template with ``arity`` placeholders; its functions and derivatives are compiled at first use.

    ``numbers`` and ``arrays`` are its functions on Python floats and bools, and on arrays, None until compiled.
    ``back_numbers`` and ``back_arrays`` are the derivatives that `back` has compiled, by the index of the argument.
    ``conditions`` and ``live`` are described at `_conditions` and `_live`; ``all_live`` and ``numeric`` say that all
    arguments are live, and that none is a condition; ``order`` are the nodes of the template.
    """

    __slots__ = (
        "_complex", "_pulls", "_saves", "_slopes", "all_live", "arity", "arrays", "back_arrays", "back_numbers",
        "boolean", "conditions", "dtype", "live", "numbers", "numeric", "order", "template",
    )  # fmt: skip

    def __init__(self, template: Expr, arity: int) -> None:
        super().__init__(template.op, self._compute)
        self.template, self.arity = template, arity
        self.conditions = _conditions(template, arity)
        self.boolean = template.op in BOOLEANS
        self.dtype = BOOL if self.boolean else F64
        self.order = reachable([template])
        self.live = _live(template, arity)
        self.numeric, self.all_live = not any(self.conditions), all(self.live)
        self.numbers: Callable[..., float | bool] | None = None
        self.arrays: Callable[..., Any] | None = None
        self._complex: Callable[..., Any] | None = None
        self.back_numbers: dict[int, Back] = {}
        self.back_arrays: dict[int, Back] = {}
        self._saves: dict[tuple[int, ...], bool] = {}
        self._slopes: dict[int, Expr | None] = {}
        self._pulls: dict[int, tuple[Elementwise, tuple[Source, ...]] | Source | None] = {}

    fused = True

    def saves(self, indices: Sequence[int]) -> bool:
        key = tuple(indices)
        saves = self._saves.get(key)
        if saves is None:
            saves = self._saves[key] = any(e is not None and e.variables for e in map(self.slope, key))
        return saves

    def instance(self, args: Sequence[Expr]) -> Expr:
        """The template with ``args`` in place of its placeholders."""
        new: dict[Expr, Expr] = {}
        for e in self.order:
            new[e] = args[int(str(e.value)[2:])] if e.op == "var" else rebuild(e, tuple([new[a] for a in e.args]))
        return new[self.template]

    def on_numbers(self) -> Callable[..., float | bool]:
        """The function on Python floats and bools, compiled if it is not yet."""
        if self.numbers is None:
            names = [f"\0a{k}" for k in range(self.arity)]
            self.numbers = scalar.function(build([self.template], [names]), names)
        return self.numbers

    def on_arrays(self) -> Callable[..., Any]:
        """The function on arrays of doubles and truth values, compiled if it is not yet."""
        if self.arrays is None:
            names = [f"\0a{k}" for k in range(self.arity)]
            self.arrays = vector.function(build([self.template], [names]), names)
        return self.arrays

    def _compute(self, *arrays: Any) -> Any:
        scalars = doubles = True
        for a in arrays:
            if a.__class__ is not float and a.__class__ is not bool:
                scalars = False
                if a.dtype.kind == "c":
                    if self._complex is None:
                        self._complex = complex.function(self.template, self.order)
                    return self._complex(*arrays)
                doubles = doubles and a.dtype.itemsize != F32.itemsize
        if scalars:
            return (self.numbers or self.on_numbers())(*arrays)
        if not doubles:
            arrays = tuple([a.astype(F64) if isinstance(a, np.ndarray) and a.dtype == F32 else a for a in arrays])
        return (self.arrays or self.on_arrays())(*arrays)

    def slope(self, k: int) -> Expr | None:
        """d template / d argument k, in the arguments and the answer; None if it is zero everywhere."""
        if k not in self._slopes:
            self._slopes[k] = self._slope(k)
        return self._slopes[k]

    def _slope(self, k: int) -> Expr | None:
        template, name = self.template, placeholder(k)
        row = TABLE.get(template.op)
        if row is not None and not row.direct and template.args == tuple(_placeholders(self.arity)):
            slope = slopes(template, name.variables)[k]
        else:
            slope = forward.partials([template], [str(name.value)], 1)[template].get((0,))
        return None if slope is None or slope is ZERO or vanishes(slope) else _with_answer(slope, template)

    def pull(self, k: int) -> tuple[Elementwise, tuple[Source, ...]] | Source | None:
        """The cotangent of argument k: an operation and its sources, COTANGENT itself, or None if it is zero."""
        if k not in self._pulls:
            self._pulls[k] = self._pulled(k)
        return self._pulls[k]

    def _pulled(self, k: int) -> tuple[Elementwise, tuple[Source, ...]] | Source | None:
        template, a = self.template, _placeholders(self.arity)
        if template.op == "div" and template.args == tuple(a):
            # g/b for the numerator and -g/b*y for the denominator, as in `reverse`: one division, no square.
            share = apply("div", _G, a[1])
            return operation(share if k == 0 else apply("neg", apply("mul", share, _Y)), a)
        slope = self.slope(k)
        if slope is None:
            return None
        if slope is ONE:
            return COTANGENT
        return operation(apply("neg", _G) if slope is _MINUS else apply("mul", _G, slope), a)

    def back(self, k: int, arrays: bool) -> Back:
        """`pull` compiled for plain numbers or arrays: a function of the list [answer, cotangent, *arguments]."""
        backs = self.back_arrays if arrays else self.back_numbers
        if k not in backs:
            backs[k] = self._back(k, arrays)
        return backs[k]

    def _back(self, k: int, arrays: bool) -> Back:
        pulled = self.pull(k)
        if not isinstance(pulled, tuple):
            return pulled
        op, sources = pulled
        return op.on_arrays() if arrays else op.on_numbers(), reader([source - ANSWER for source in sources])

    def slope_operation(self, k: int) -> tuple[Elementwise, tuple[Source, ...]] | None:
        """The slope in argument k, not yet times the cotangent: for complex numbers it is conjugated first."""
        slope = self.slope(k)
        return None if slope is None else operation(slope, _placeholders(self.arity))


_MINUS = const(-1)


def operation(e: Expr, arguments: Sequence[Expr]) -> tuple[Elementwise, tuple[Source, ...]]:
    """An expression in cotangent, answer and arguments, as an operation on those of them that occur in it."""
    sources: list[Source] = []
    names: dict[str, Expr] = {}
    for source, name in ((COTANGENT, _G), (ANSWER, _Y), *enumerate(arguments)):
        if e.variables & name.variables:
            names[str(name.value)] = placeholder(len(sources))
            sources.append(source)
    return elementwise(substitute([e], names)[0], len(sources)), tuple(sources)


_MOST = 2000


@lru_cache(_MOST)
def elementwise(template: Expr, arity: int) -> Elementwise:
    """The operation of a template; the last _MOST are cached with their compiled functions."""
    return Elementwise(template, arity)


@lru_cache(100)
def joined(template: Expr, arity: int) -> Joined:
    """The operation of a template that many operations were substituted into."""
    return Joined(template, arity)


def row(name: str, arity: int, value: int | None = None) -> Elementwise:
    """The operation of a function of the table on ``arity`` arguments; ``value`` is its integer parameter, if any."""
    return elementwise(apply(name, *[placeholder(k) for k in range(arity)], value=value), arity)


def _with_answer(e: Expr, answer: Expr) -> Expr:
    """``e`` with a placeholder for the answer wherever it occurs, so that it is not computed again."""
    if answer.op in ("var", "const"):
        return e
    return rewrite([e], lambda node, args: _Y if node is answer else rebuild(node, args))[0]


def _conditions(template: Expr, arity: int) -> tuple[bool, ...]:
    """For each argument, whether it is a truth value."""
    if template.op in ("and", "or", "not"):
        return (True,) * arity
    return tuple([template.op == "where" and template.args[0] is placeholder(k) for k in range(arity)])


def _live(template: Expr, arity: int) -> tuple[bool, ...]:
    """For each argument, whether the template depends on it other than through conditions."""
    seen: set[Expr] = set()
    stack = [template]
    while stack:
        e = stack.pop()
        if e in seen or e.op in BOOLEANS:
            continue
        seen.add(e)
        stack.extend(e.args[1:] if e.op in ("where", "instead", "defined") else e.args)
    return tuple([placeholder(k) in seen for k in range(arity)])


class Power(Elementwise):
    """x**n for a number n.

    For an integer n repeated derivatives stay connected to x down to x**0, whose slope is zero, as in PyTorch.
    """

    __slots__ = ("exponent",)

    def __init__(self, exponent: int | float) -> None:
        super().__init__(apply("power", placeholder(0), const(exponent)), 1)
        self.exponent = exponent
        self.live, self.all_live = (True,), True

    def saves(self, indices: Sequence[int]) -> bool:
        return True

    @property
    def whole(self) -> bool:
        """Whether the exponent is a positive integer: the slope is n*x**(n - 1) then, also where it is 0."""
        return self.exponent >= 1 and float(self.exponent).is_integer()

    @property
    def below(self) -> Power:
        """The operation x**(n - 1)."""
        return power(type(self.exponent)(self.exponent - 1))

    def _back(self, k: int, arrays: bool) -> Back:
        if not self.whole:
            return super()._back(k, arrays)
        n, product = float(self.exponent), row("mul", 2)
        f, mul = [op.on_arrays() if arrays else op.on_numbers() for op in (self.below, product)]
        return lambda g, x: mul(g, mul(f(x), n)), reader([1, 2])


class Joined(Elementwise):
    """Many operations as one: the slope of the whole function takes half the work of a chain of slopes."""

    __slots__ = ()

    def _slope(self, k: int) -> Expr | None:
        slope = forward.partials([self.template], [str(placeholder(k).value)], 1)[self.template].get((0,))
        return None if slope is ZERO else slope


@lru_cache(200)
def power(exponent: int | float) -> Power:
    """The operation x**exponent for a constant exponent."""
    return Power(exponent)
