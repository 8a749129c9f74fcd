"""Operations element by element: rows of the table, and what their derivatives are made of.

An operation is a *template*, an Expr in placeholders for its arguments. Its slopes are the table's, so the cotangent
of an argument is again a template, in the cotangent, the answer and the arguments, and has slopes in turn.
Must not know graphs: which tensor depends on which.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from gradcli import forward
from gradcli.backends import scalar, vector
from gradcli.expr import BOOLEANS, ONE, ZERO, Expr, apply, const, reachable, substitute, var
from gradcli.functions import TABLE, slopes
from gradcli.program import build
from gradcli.tensor import fusion, holomorphic
from gradcli.tensor.values import Operation

Source = int
"""Where an argument of a derivative's template comes from: COTANGENT, ANSWER or an argument's place."""
COTANGENT, ANSWER = -1, -2
_G, _Y = var("\0g"), var("\0y")


def placeholder(k: int) -> Expr:
    return var(f"\0a{k}")


def _placeholders(arity: int) -> list[Expr]:
    return [placeholder(k) for k in range(arity)]


class Elementwise(Operation):
    """A template of ``arity`` placeholders as an operation."""

    __slots__ = (
        "_array",
        "_complex",
        "_pulls",
        "_scalar",
        "_slopes",
        "arity",
        "boolean",
        "conditions",
        "live",
        "order",
        "template",
    )

    def __init__(self, template: Expr, arity: int) -> None:
        super().__init__(template.op, self._compute)
        self.template, self.arity = template, arity
        self.conditions = _conditions(template, arity)
        self.boolean = template.op in BOOLEANS
        self.order = reachable([template])
        self.live = _live(template, arity)
        self._scalar: Callable[..., float | bool] | None = None
        self._array: Callable[..., Any] | None = None
        self._complex: Callable[..., Any] | None = None
        self._slopes: dict[int, Expr | None] = {}
        self._pulls: dict[int, tuple[Elementwise, tuple[Source, ...]] | Source | None] = {}

    fused = True

    def saves(self, ways: Sequence[int]) -> bool:
        return any(e is not None and e.variables for e in map(self.slope, ways))

    def instance(self, args: Sequence[Expr]) -> Expr:
        """The template on other expressions."""
        return fusion.instance(self.template, self.order, args)

    def single(self) -> Callable[..., float | bool]:
        """The function on single numbers."""
        if self._scalar is None:
            names = [f"\0a{k}" for k in range(self.arity)]
            self._scalar = scalar.function(build([self.template], [names]), names)
        return self._scalar

    def _compute(self, *arrays: Any) -> Any:
        if all(a.__class__ in (float, bool) for a in arrays):
            return self.single()(*arrays)
        if any(isinstance(a, np.ndarray) and a.dtype.kind == "c" for a in arrays):
            if self._complex is None:
                self._complex = holomorphic.function(self.template, self.order)
            return self._complex(*arrays)
        if self._array is None:
            names = [f"\0a{k}" for k in range(self.arity)]
            self._array = vector.function(build([self.template], [names]), names)
        return self._array(*arrays)

    def slope(self, k: int) -> Expr | None:
        """d template / d argument k, in the arguments and the answer; None where it is zero everywhere."""
        if k not in self._slopes:
            self._slopes[k] = self._slope(k)
        return self._slopes[k]

    def _slope(self, k: int) -> Expr | None:
        template, name = self.template, placeholder(k)
        if template.op in TABLE and template.op not in _BY_HEART and template.args == tuple(_placeholders(self.arity)):
            found = slopes(template)[k]
        else:
            found = forward.partials([template], [str(name.value)], 1)[template].get((0,))
        return None if found is None or found is ZERO else _with_answer(found, template)

    def pull(self, k: int) -> tuple[Elementwise, tuple[Source, ...]] | Source | None:
        """The cotangent of argument k: an operation and its sources, COTANGENT itself, or None where it is zero."""
        if k not in self._pulls:
            self._pulls[k] = self._pulled(k)
        return self._pulls[k]

    def _pulled(self, k: int) -> tuple[Elementwise, tuple[Source, ...]] | Source | None:
        template, a = self.template, _placeholders(self.arity)
        if template.op == "div" and template.args == tuple(a):
            # As reverse mode has it: one division, and the answer is known.
            share = apply("div", _G, a[1])
            return operation(share if k == 0 else apply("neg", apply("mul", share, _Y)), a)
        slope = self.slope(k)
        if slope is None:
            return None
        if slope is ONE:
            return COTANGENT
        return operation(apply("neg", _G) if slope is _MINUS else apply("mul", _G, slope), a)

    def slope_sources(self, k: int) -> tuple[Source, ...]:
        """What the slope in argument k is made of."""
        found = self.slope_operation(k)
        return () if found is None else found[1]

    def slope_operation(self, k: int) -> tuple[Elementwise, tuple[Source, ...]] | None:
        """The slope alone, for complex numbers, where it is conjugated before it meets the cotangent."""
        slope = self.slope(k)
        return None if slope is None else operation(slope, _placeholders(self.arity))


_MINUS = const(-1)


def operation(e: Expr, arguments: Sequence[Expr]) -> tuple[Elementwise, tuple[Source, ...]]:
    """An expression in cotangent, answer and arguments as an operation on those of them that occur."""
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
    """The operation of a template; one object as long as it is remembered."""
    return Elementwise(template, arity)


@lru_cache(100)
def joined(template: Expr, arity: int) -> Joined:
    """Many operations, put into one template, as one."""
    return Joined(template, arity)


def row(name: str, arity: int, value: int | None = None) -> Elementwise:
    """A function of the table on ``arity`` arguments; ``value`` is the integer parameter of a row that has one."""
    return elementwise(apply(name, *[placeholder(k) for k in range(arity)], value=value), arity)


_BY_HEART = frozenset({"add", "sub", "mul", "div", "neg", "where", "instead", "defined"})


def _with_answer(e: Expr, answer: Expr) -> Expr:
    """``e`` with the answer, where it occurs, as a placeholder: it is computed once."""
    if answer.op in ("var", "const"):
        return e
    new: dict[Expr, Expr] = {}
    for node in reachable([e]):
        if node is answer:
            new[node] = _Y
        elif any(new[a] is not a for a in node.args):
            new[node] = apply(
                node.op, *[new[a] for a in node.args], value=node.value if isinstance(node.value, int) else None
            )
        else:
            new[node] = node
    return new[e]


def _conditions(template: Expr, arity: int) -> tuple[bool, ...]:
    """For each argument whether it is a truth value."""
    if template.op in ("and", "or", "not"):
        return (True,) * arity
    return tuple([template.op == "where" and template.args[0] is placeholder(k) for k in range(arity)])


def _live(template: Expr, arity: int) -> tuple[bool, ...]:
    """For each argument whether the template depends on it other than through conditions."""
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
    """x**n for a number n. Whole powers stay connected to x down to x**0, whose slope is zero."""

    __slots__ = ("exponent",)

    def __init__(self, exponent: int | float) -> None:
        super().__init__(apply("power", placeholder(0), const(exponent)), 1)
        self.exponent = exponent
        self.live = (True,)

    def saves(self, ways: Sequence[int]) -> bool:
        return True


class Joined(Elementwise):
    """Many operations as one: its slope is that of the whole function, half the work of a chain of slopes."""

    __slots__ = ()

    def _slope(self, k: int) -> Expr | None:
        found = forward.partials([self.template], [str(placeholder(k).value)], 1)[self.template].get((0,))
        return None if found is ZERO else found


@lru_cache(200)
def power(exponent: int | float) -> Power:
    """x**exponent for a number known beforehand."""
    return Power(exponent)
