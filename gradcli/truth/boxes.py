"""Enclosures of expressions over whole boxes: every value that the expressions have anywhere in a box.

A decision that the box leaves open gives the union of what both sides give, and a step the range of its values.
Layer: must not know what is searched for in a box.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flint import arb

from gradcli.expr import BOOLEANS, Expr, reachable
from gradcli.truth.balls import Ball, BallError, Rule, nonzero, unsure
from gradcli.truth.jets import RULES, Jet

Condition = bool | None
"""None: it holds in a part of the box only, as far as one can tell."""


def _decided(rule: Rule, a: Ball, b: Ball) -> Condition:
    """A comparison, which the box may leave open."""
    try:
        return bool(rule(a, b))
    except BallError:
        return None


def _connected(stop: bool, conditions: Sequence[Condition]) -> Condition:
    if stop in conditions:
        return stop
    return None if None in conditions else not stop


def _sign(a: Ball) -> Ball:
    return arb(1) if a > 0 else arb(-1) if a < 0 else arb(0) if a.is_zero() else arb(0, 1)


def _heaviside(a: Ball, h: Ball) -> Ball:
    return arb(1) if a > 0 else arb(0) if a < 0 else h if a.is_zero() else arb(0).union(arb(1)).union(h)


def _floor(a: Ball) -> Ball:
    return a.floor()


def _ceil(a: Ball) -> Ball:
    return -(-a).floor()


def _round(a: Ball) -> Ball:
    return _ceil(a - arb(0.5)).union(_floor(a + arb(0.5)))


def _trunc(a: Ball) -> Ball:
    return _floor(a) if a >= 0 else _ceil(a) if a <= 0 else _floor(a).union(_ceil(a))


def _angle(y: Ball, x: Ball) -> Ball:
    if x > 0 or y > 0 or y < 0:
        return arb.atan2(y, x)
    return arb(0).union(arb.pi()).union(-arb.pi())


def _cosine(x: Ball, y: Ball) -> Ball:
    size = (x * x + y * y).nonnegative_part().sqrt()
    return x / size if size > 0 else arb(0, 1)


def _monotonic(name: str) -> Rule:
    """By the values at both ends: flint has none for a ball at the end of the domain."""

    def rule(a: Ball) -> Ball:
        try:
            return RULES[name](a.lower()).union(RULES[name](a.upper()))
        except BallError:
            RULES[name](a)
            raise unsure() from None

    return rule


_RULES: dict[str, Rule] = {
    "asin": _monotonic("asin"),
    "acos": _monotonic("acos"),
    "acosh": _monotonic("acosh"),
    "sign": _sign,
    "heaviside": _heaviside,
    "copysign": lambda a, b: abs(a) * _sign(b),
    "floor": _floor,
    "ceil": _ceil,
    "round": _round,
    "trunc": _trunc,
    "mod": lambda a, b: a - b * _floor(a / nonzero(b)),
    "fmod": lambda a, b: a - b * _trunc(a / nonzero(b)),
    "floordiv": lambda a, b: _floor(a / nonzero(b)),
    "truncdiv": lambda a, b: _trunc(a / nonzero(b)),
    "atan2": _angle,
    "direction": _cosine,
}
"""Functions that jump, or have no limit, within their domain, or whose domain has an end."""
_STEPS: dict[str, Rule] = {
    "sign": _sign,
    "heaviside": lambda a, h: _sign(a),
    "copysign": lambda a, b: _sign(b),
    "floor": _floor,
    "ceil": _ceil,
    "round": _round,
    "trunc": _trunc,
    "mod": lambda a, b: _floor(a / b),
    "fmod": lambda a, b: _trunc(a / b),
    "floordiv": lambda a, b: _floor(a / b),
    "truncdiv": lambda a, b: _trunc(a / b),
    "atan2": lambda y, x: arb(0) if x > 0 or y > 0 or y < 0 else arb(0, 1),
    "direction": lambda x, y: arb(0) if x * x + y * y > 0 else arb(0, 1),
}
"""What is one number in a box where the function of this name does not jump."""


class Boxes:
    """Some expressions over one box after another. Called inside `balls.arithmetic`."""

    def __init__(self, roots: Sequence[Expr]) -> None:
        self._roots = list(roots)
        self._nodes = reachable(self._roots)
        self._rules = {e: Jet.rule_of(e) for e in self._nodes if e.op not in ("var", "where")}
        self._first = set(reachable(self._roots[:1]))
        self.jumps = False
        """Whether the first expression may jump in the last box, so that its slopes do not bound its changes."""
        self.work = len(self._nodes)

    def values(self, box: Mapping[str, Ball]) -> list[Ball | BallError]:
        """For each expression a ball of all its values in the box, or why there is none."""
        known: dict[Expr, Any] = {}
        self.jumps = False
        for e in self._nodes:
            if e.op == "var":
                known[e] = box[str(e.value)]
                continue
            args = [known[a] for a in e.args]
            try:
                known[e] = self._value(e, args)
                if e in self._first and not self.jumps:
                    self.jumps = _jumps(e, args)
            except BallError as error:
                known[e] = error
            except (ValueError, OverflowError, ZeroDivisionError):
                known[e] = unsure()
        return [known[root] for root in self._roots]

    def _value(self, e: Expr, args: list[Any]) -> Any:
        if e.op == "where":
            condition, *branches = args
            if isinstance(condition, BallError):
                raise condition
            chosen = branches if condition is None else [branches[0] if condition else branches[1]]
            for branch in chosen:
                if isinstance(branch, BallError):
                    raise branch
            return chosen[0] if len(chosen) == 1 else chosen[0].union(chosen[1])
        if e.op in ("and", "or"):
            return _connected(e.op == "or", [None if isinstance(a, BallError) else a for a in args])
        for k, a in enumerate(args):
            if isinstance(a, BallError) and not (e.op == "instead" and k < 2):
                raise a
        if e.op == "not":
            return None if args[0] is None else not args[0]
        if e.op in BOOLEANS:
            return _decided(self._rules[e], *args)
        return (_RULES.get(e.op) or self._rules[e])(*args)


def _jumps(e: Expr, args: Sequence[Any]) -> bool:
    if e.op == "where":
        return args[0] is None
    step = _STEPS.get(e.op)
    return step is not None and not step(*args).is_exact()
