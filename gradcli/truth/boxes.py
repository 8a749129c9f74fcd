"""Enclosures of expressions over whole boxes: every value that the expressions have anywhere in a box.

A decision that the box leaves open gives the union of what both sides give, and a step the range of its values.
Layer: must not know what is searched for in a box.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flint import arb

from gradcli.expr import BOOLEANS, Expr, reachable
from gradcli.functions import TABLE
from gradcli.truth import ball_elementary
from gradcli.truth.balls import Ball, BallError, Rule, nonzero, sign, unsure
from gradcli.truth.domains import inside, margins
from gradcli.truth.jets import RULES, SPECIAL, WORK, Jet

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


def between(low: Ball, high: Ball) -> Ball:
    """A ball around two numbers and all between them, not wider if the ends have few bits.

    flint adds a unit to the last of the 30 bits of every radius that it is given.
    """
    middle, half = (low + high) / 2, (high - low) / 2
    ball = arb(middle, half - half * arb(2) ** -32)
    return ball if ball.contains(low) and ball.contains(high) else arb(middle, half)


def _hull(*parts: Ball) -> Ball:
    """A ball around all."""
    low, high = parts[0].lower(), parts[0].upper()
    for part in parts[1:]:
        low, high = low.min(part.lower()), high.max(part.upper())
    if not (low.is_finite() and high.is_finite()):
        raise unsure()
    return between(low, high) if low < high else low


def _sign(a: Ball) -> Ball:
    if a > 0 or a < 0 or a.is_zero():
        return arb(sign(a))
    return between(arb(0 if a >= 0 else -1), arb(0 if a <= 0 else 1))


def _heaviside(a: Ball, h: Ball) -> Ball:
    return arb(1) if a > 0 else arb(0) if a < 0 else h if a.is_zero() else _hull(arb(0), arb(1), h)


def _floor(a: Ball) -> Ball:
    return _hull(a.lower().floor(), a.upper().floor())


def _ceil(a: Ball) -> Ball:
    return -_floor(-a)


def _round(a: Ball) -> Ball:
    if a.is_exact():
        return RULES["round"](a)
    return _hull(_ceil(a - arb(0.5)), _floor(a + arb(0.5)))


def _trunc(a: Ball) -> Ball:
    return _floor(a) if a >= 0 else _ceil(a) if a <= 0 else _hull(_floor(a), _ceil(a))


def _mod(a: Ball, b: Ball) -> Ball:
    whole = _floor(a / nonzero(b))
    return a - b * whole if whole.is_exact() else _hull(arb(0), b)


def _fmod(a: Ball, b: Ball) -> Ball:
    whole = _trunc(a / nonzero(b))
    if whole.is_exact():
        return a - b * whole
    size = abs(b)
    return _hull(arb(0) if a >= 0 else -size, arb(0) if a <= 0 else size)


def _angle(y: Ball, x: Ball) -> Ball:
    if x > 0 or y > 0 or y < 0:
        return arb.atan2(y, x)
    return _hull(arb.pi(), -arb.pi())


def _cosine(x: Ball, y: Ball) -> Ball:
    size = (x * x + y * y).nonnegative_part().sqrt()
    return x / size if size > 0 else between(arb(-1), arb(1))


def _monotonic(name: str) -> Rule:
    """By the values at both ends of the last argument: flint has none for a ball at the end of the domain."""

    def rule(*args: Ball) -> Ball:
        *first, a = args
        try:
            return _hull(RULES[name](*first, a.lower()), RULES[name](*first, a.upper()))
        except BallError:
            RULES[name](*args)
            raise unsure() from None

    return rule


_RULES: dict[str, Rule] = {
    "asin": _monotonic("asin"),
    "acos": _monotonic("acos"),
    "acosh": _monotonic("acosh"),
    "cbrt": _monotonic("cbrt"),
    "gammainc": _monotonic("gammainc"),
    "gammaincc": _monotonic("gammaincc"),
    "betainc": _monotonic("betainc"),
    "sign": _sign,
    "heaviside": _heaviside,
    "copysign": lambda a, b: abs(a) * _sign(b),
    "floor": _floor,
    "ceil": _ceil,
    "round": _round,
    "trunc": _trunc,
    "mod": _mod,
    "fmod": _fmod,
    "floordiv": lambda a, b: _floor(a / nonzero(b)),
    "truncdiv": lambda a, b: _trunc(a / nonzero(b)),
    "atan2": _angle,
    "direction": _cosine,
}
"""Functions that jump, or have no limit, within their domain, or whose domain has an end."""
_POSITIVE = frozenset([name for name, row in TABLE.items() if row.nonnegative])
_SLOW = ball_elementary.RULES.keys() | SPECIAL
_LARGE = arb(2) ** 2048
"""Functions for which flint takes long beyond; there they have no bound here."""
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


_TURNS = {*BOOLEANS, *_STEPS, "abs", "relu", "min", "max", "clip", "hypot"} - {"and", "or", "not"}


def _ties(op: str, args: Sequence[Any]) -> bool:
    """Whether a decision may turn at these arguments."""
    if any(isinstance(a, BallError | bool) or a is None for a in args):
        return True
    if op in ("sign", "heaviside", "abs", "relu"):
        return bool(args[0].contains(0))
    if op == "copysign":
        return bool(args[1].contains(0))
    if op in ("atan2", "direction", "hypot"):
        return bool(args[0].contains(0) and args[1].contains(0))
    if op in ("floor", "ceil", "trunc"):
        return bool(args[0].contains_integer())
    if op == "round":
        return bool((args[0] + arb(0.5)).contains_integer())
    if op in ("mod", "fmod", "floordiv", "truncdiv"):
        return bool((args[0] / args[1]).contains_integer())
    return any(a.overlaps(b) for k, a in enumerate(args) for b in args[:k])


class Boxes:
    """Some expressions over one box after another. Called inside `balls.arithmetic`."""

    def __init__(self, roots: Sequence[Expr]) -> None:
        self._roots = list(roots)
        self._nodes = reachable(self._roots)
        self._rules = {e: Jet.rule_of(e) for e in self._nodes if e.op not in ("var", "where")}
        self._first = set(reachable(self._roots[:1]))
        self._turns = [e for e in self._nodes if e.op in _TURNS and e.variables]
        self.inside: set[Expr] = set()
        """Nodes whose arguments are proved to be in their domain."""
        self.jumps = False
        """Whether the first expression may jump in the last box, so that its slopes do not bound its changes."""
        self.work = sum(WORK if e.op in SPECIAL else 1 for e in self._nodes)

    def unproved(self) -> list[Expr]:
        """Nodes whose domain has an end, with arguments that depend on the box."""
        return [e for e in self._nodes if e.variables and margins(e)]

    def tied(self, point: Mapping[str, Ball]) -> bool:
        """Whether a decision may turn at a point, where the graph of a derivative holds a convention."""
        known = self._walk(point)
        return any(_ties(e.op, [known[a] for a in e.args]) for e in self._turns)

    def values(self, box: Mapping[str, Ball]) -> list[Ball | BallError]:
        """For each expression a ball of all its values in the box, or why there is none."""
        known = self._walk(box)
        return [known[root] for root in self._roots]

    def _walk(self, box: Mapping[str, Ball]) -> dict[Expr, Any]:
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
        return known

    def _value(self, e: Expr, args: list[Any]) -> Any:
        if e.op == "where":
            condition, *branches = args
            if isinstance(condition, BallError):
                raise condition
            chosen = branches if condition is None else [branches[0] if condition else branches[1]]
            for branch in chosen:
                if isinstance(branch, BallError):
                    raise branch
            return chosen[0] if len(chosen) == 1 else _hull(*chosen)
        if e.op in ("and", "or"):
            return _connected(e.op == "or", [None if isinstance(a, BallError) else a for a in args])
        for k, a in enumerate(args):
            if isinstance(a, BallError) and not (e.op == "instead" and k < 2):
                raise a
        if e.op == "not":
            return None if args[0] is None else not args[0]
        if e.op in BOOLEANS:
            return _decided(self._rules[e], *args)
        if e in self.inside:
            args = [inside(e, args[0]), *args[1:]]
        if e.op in _SLOW and not all(abs(a) < _LARGE for a in args):
            raise unsure()
        signed = e.op == "copysign" and e.args[1].op == "const"
        value = (self._rules[e] if signed else _RULES.get(e.op) or self._rules[e])(*args)
        # The ball of numbers of very different sizes has negative ones, too.
        return value.nonnegative_part() if e.op in _POSITIVE and not value >= 0 else value


def _jumps(e: Expr, args: Sequence[Any]) -> bool:
    if e.op == "where":
        return args[0] is None
    step = _STEPS.get(e.op)
    return step is not None and not step(*args).is_exact()
