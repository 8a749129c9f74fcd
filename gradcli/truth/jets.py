"""Taylor series of an expression along a direction through a point, in ball arithmetic.

The series is that of the expression itself, not of its derivatives, whose graph is larger and loosens the balls.
Layer: must not know how a point was written, nor how a ball is rounded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import partial
from typing import NamedTuple

from flint import arb, arb_series, ctx

from gradcli.calculus.derive import expand
from gradcli.expr import Expr, bit, exact, reachable
from gradcli.functions import TABLE, reduces
from gradcli.truth import ball_bessel, ball_elementary, ball_powers, ball_special, ball_steps
from gradcli.truth.balls import Ball, BallError, Rule, number, unsure

RULES: dict[str, Rule] = {
    **ball_powers.RULES, **ball_elementary.RULES, **ball_steps.RULES, **ball_special.RULES, **ball_bessel.RULES,
}  # fmt: skip
"""The rule of every function of the table but the reductions, which take all points at once."""
_LAZY = frozenset({"where", "and", "or"})
"""Operations that may have a value where an argument has none."""
_NUMBERS: dict[str, tuple[Callable[[], Ball], float]] = {
    "pi": (arb.pi, math.pi), "e": (arb.const_e, math.e), "tau": (lambda: 2 * arb.pi(), math.tau),
}  # fmt: skip
SPECIAL = ball_special.RULES.keys() | ball_bessel.RULES.keys()
WORK = 20
"""The work of a special function, in operations."""
_FAILURES = (ValueError, OverflowError, ZeroDivisionError)
"""What flint raises where an operation has no value."""


def decimal(q: Fraction) -> bool:
    """Whether a constant has a finite decimal expansion."""
    d = q.denominator
    d >>= (d & -d).bit_length() - 1
    while d % 5 == 0:
        d //= 5
    return d == 1


class _Step(NamedTuple):
    """A node: what it does with the slots of its arguments."""

    rule: Rule
    ins: tuple[int, ...]


class _Plan(NamedTuple):
    """The slots of an expression by what their values depend on, for some moving variables."""

    fixed: tuple[int, ...]
    """They depend on the point alone."""
    moving: tuple[int, ...]


class Jet:
    """One expression. ``doubles``: decimals and pi, e and tau stand for their doubles, as in every other number.

    All methods are called inside `balls.arithmetic`.
    """

    def __init__(self, root: Expr, *, doubles: bool = True) -> None:
        (root,) = expand([root])
        nodes = reachable([root])
        slots = {e: k for k, e in enumerate(nodes)}
        self.doubles = doubles
        self.variables = [str(e.value) for e in nodes if e.op == "var"]
        self.weight = sum(WORK if e.op in SPECIAL else 1 for e in nodes)
        self._nodes = nodes
        self._leaves = [(k, str(e.value)) for k, e in enumerate(nodes) if e.op == "var"]
        self._steps = [_Step(self._rule(e), tuple([slots[a] for a in e.args])) for e in nodes]
        self._lazy = any(e.op in _LAZY for e in nodes)
        self._closed = [k for k, e in enumerate(nodes) if not e.variables]
        self._plans: dict[int, _Plan] = {}
        self._constants: dict[int, list[Ball]] = {}
        self._at: tuple[object, ...] = ()
        self._known: dict[tuple[int, int], list[Ball]] = {}

    def _literal(self, q: Fraction | float) -> Fraction | float:
        """The number that a constant of the expression stands for."""
        if isinstance(q, float) or not self.doubles or not decimal(q):
            return q
        return Fraction(float(q))

    def _rule(self, e: Expr) -> Rule:
        if e.op == "var":
            return _never
        if e.op == "const":
            assert isinstance(e.value, Fraction | float)
            literal = self._literal(e.value)
            return partial(arb, literal) if isinstance(literal, float) else partial(number, literal)
        if e.op == "constant":
            exactly, double = _NUMBERS[str(e.value)]
            return partial(arb, double) if self.doubles else exactly
        if e.op == "where":
            return ball_steps.chosen
        if e.op == "instead":
            return lambda condition, rare, usual: usual
        if e.op in ("and", "or"):
            return partial(_connected, e.op == "or")
        if e.op == "mul" and e.args[0] is e.args[1]:
            square = ball_powers.constant_power(Fraction(2))
            return lambda a, b: square(a)
        if e.op in ("power", "power_shift") and (q := exact(e.args[1])) is not None:
            exponent = self._literal(q)
            assert isinstance(exponent, Fraction)
            shift = e.value if isinstance(e.value, int) else 0
            raised = ball_powers.constant_power(exponent - shift)
            return lambda x, n: raised(x)
        if e.op == "copysign" and _negative_zero(e.args[1]):
            return lambda a, b: -RULES["abs"](a)
        rule = ball_steps.SIGNED.get(e.op) if self.doubles else None
        rule = rule or RULES.get(e.op)
        if rule is None or reduces(e):
            return _unknown
        if TABLE[e.op].parameter:
            assert isinstance(e.value, int)
            return partial(_with_parameter, rule, e.value)
        return rule

    @classmethod
    def rule_of(cls, e: Expr) -> Rule:
        """The rule of a node other than a variable, at values alone; literals mean their exact decimals."""
        jet = cls.__new__(cls)
        jet.doubles = False
        return jet._rule(e)

    def _plan(self, moving: int) -> _Plan:
        plan = self._plans.get(moving)
        if plan is None:
            if len(self._plans) >= 64:
                self._plans.clear()
            inner = [(k, e) for k, e in enumerate(self._nodes) if e.variables and e.op != "var"]
            plan = self._plans[moving] = _Plan(
                tuple([k for k, e in inner if not e.variables & moving]),
                tuple([k for k, e in inner if e.variables & moving]),
            )
        return plan

    def _walk(self, slots: Sequence[int], values: list[Ball]) -> None:
        steps = self._steps
        if self._lazy:
            for k in slots:
                values[k] = self._guarded(steps[k], values)
            return
        try:
            for k in slots:
                rule, ins = steps[k]
                values[k] = rule(*[values[i] for i in ins])
        except _FAILURES:
            raise unsure() from None

    def _guarded(self, step: _Step, values: list[Ball]) -> Ball:
        """The value of a step, or why there is none, where a condition may leave it out."""
        args = [values[i] for i in step.ins]
        try:
            if step.rule is not ball_steps.chosen and not (
                isinstance(step.rule, partial) and step.rule.func is _connected
            ):
                for a in args:
                    if isinstance(a, BallError):
                        return a
            return step.rule(*args)
        except BallError as error:
            return error.again()
        except _FAILURES:
            return unsure()

    def _start(self, prec: int) -> list[Ball]:
        """The values of what depends on no variable: the same at every point."""
        values = self._constants.get(prec)
        if values is None:
            values = [None] * len(self._nodes)
            self._walk(self._closed, values)
            self._constants[prec] = values
        return values

    def run(self, point: Mapping[str, Ball], key: tuple[object, ...], direction: Mapping[str, int]) -> list[Ball]:
        """The Taylor coefficients at ``point`` along ``direction``, as many as `balls.arithmetic` says.

        What does not move is kept for further directions, as long as ``key``, which stands for the point, is the same.
        Raises BallError where there is no value.
        """
        if key != self._at:
            self._at, self._known = key, {}
        moving = 0
        for name in direction:
            moving |= bit(name)
        plan = self._plan(moving)
        values = self._start(ctx.prec)
        if plan.fixed:
            fixed = self._known.get((ctx.prec, moving))
            if fixed is None:
                fixed = values.copy()
                for k, name in self._leaves:
                    fixed[k] = point[name]
                self._walk(plan.fixed, fixed)
                if len(self._known) < 64:
                    self._known[ctx.prec, moving] = fixed
            values = fixed
        values = values.copy()
        for k, name in self._leaves:
            values[k] = arb_series([point[name], direction[name]]) if name in direction else point[name]
        self._walk(plan.moving, values)
        y = values[-1]
        if isinstance(y, BallError):
            raise y.again()
        if isinstance(y, arb_series):
            return [y[k] for k in range(ctx.cap)]
        return [y, *[arb(0)] * (ctx.cap - 1)]


def _negative_zero(e: Expr) -> bool:
    return e.op == "const" and isinstance(e.value, float) and e.value == 0


def _never() -> Ball:
    raise unsure()


def _unknown(*args: Ball) -> Ball:
    """A function of all points has no value at one."""
    raise BallError("undecided", True)


def _with_parameter(rule: Rule, n: int, *args: Ball) -> Ball:
    return rule(*args, n)


def _connected(stop: bool, *conditions: ball_steps.Truth | BallError) -> ball_steps.Truth:
    return ball_steps.connected(stop, conditions)
