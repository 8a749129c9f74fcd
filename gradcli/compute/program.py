"""Programs: expressions lowered to a tape of steps on registers, plain data that every backend can run.

Lowering replaces functions without a kernel by their expansions, and rewrites a few patterns to avoid cancellation:
1 - x**2 becomes (1 - x)*(1 + x), and x**(y - 1) does not round y - 1. Steps are grouped into strata by the set of grid
axes they depend on, so that a value that depends on x alone is computed once per x.
Layer: must not know arrays, threads or how a step is executed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from gradcli.errors import GradError
from gradcli.expr import BOOLEANS, CONSTANTS, ONE, ZERO, Expr, apply, bit, exact, post_order, reachable, rebuild
from gradcli.expr.node import collector_paused
from gradcli.expr.traversal import missing
from gradcli.functions import LOWERED, TABLE, expansion
from gradcli.functions.elementary import csch_squared, sech_squared
from gradcli.functions.row import exp, sqrt

ERROR = "error_"
"""What the name of an operation begins with that gives the error of a kernel; see `trust`."""
ROUGH = "rough_"
"""As ERROR, of an inexact argument: half an ulp stands for the rounding error, for compiled code."""
ROUGHLY = frozenset({"add", "sub", "mul", "div", "sqrt"})
"""The kernels whose rounding error is 0 for some exact arguments, and found out at a price."""
_ARRAYS = 400
"""Operations that a function takes which works on arrays, at a single number: some 100 us, most of it overhead."""


class Step(NamedTuple):
    """``out = function(*ins)`` on slots; ``value`` is the integer parameter of functions such as ``polygamma``."""

    function: str
    value: int | None
    out: int
    ins: tuple[int, ...]


class Stratum(NamedTuple):
    """The steps that depend on exactly the grid axes ``axes``."""

    axes: tuple[int, ...]
    steps: tuple[Step, ...]


class Register(NamedTuple):
    """A scratch slot: the stratum whose shape it has, and whether it holds booleans."""

    stratum: int
    boolean: bool


class Program(NamedTuple):
    """A tape. Slots are numbered: first ``constants``, then ``inputs`` (name, axis), then ``registers``.

    ``outputs`` are slots; ``axes`` is the number of grid axes; ``rounding`` is the error of each constant.
    """

    constants: tuple[float, ...]
    inputs: tuple[tuple[str, int], ...]
    strata: tuple[Stratum, ...]
    registers: tuple[Register, ...]
    outputs: tuple[int, ...]
    axes: int
    rounding: tuple[float, ...]

    @property
    def length(self) -> int:
        """The number of steps."""
        return sum(len(s.steps) for s in self.strata)

    @property
    def operations(self) -> int:
        """Operations in plain Python at a single point."""
        steps = [step for stratum in self.strata for step in stratum.steps]
        slow = [step for step in steps if step.function in TABLE and TABLE[step.function].needs]
        return len(steps) + _ARRAYS * len(slow)


# Lowering.


def _power(x: Expr, n: Expr) -> Expr:
    number = exact(n)
    if number is not None:
        if number == 2:
            return x * x
        if number == 3:
            return x * x * x
        if number == -1:
            return 1 / x
        # Adding 0 turns -0.0 into 0.0: pow(-0.0, 0.5) is 0.0, but sqrt(-0.0) is -0.0.
        if number == Fraction(1, 2):
            return sqrt(apply("add", x, ZERO))
        if number == Fraction(-1, 2):
            return 1 / sqrt(apply("add", x, ZERO))
        return apply("power", x, n)
    if n.op in ("add", "sub"):
        a, b = n.args if n.op == "add" else (n.args[0], apply("neg", n.args[1]))
        restored = n - b
        return apply("power_residual", x, n, (a - restored) + (b - (n - restored)))
    return apply("power", x, n)


def _sub(a: Expr, b: Expr) -> Expr:
    for unit, square, sign in ((a, b, False), (b, a, True)):
        if unit is ONE and square.op == "mul" and square.args[0] is square.args[1]:
            u = square.args[0]
            # At u = -1 the product is -0.0 but u*u - 1 is 0.0: adding 0 corrects that and changes no other value.
            return apply("add", (u - ONE) * (u + ONE), ZERO) if sign else (ONE - u) * (u + ONE)
    return a - b


def _exp(a: Expr) -> Expr:
    if a.op == "mul" and a.args[0] is a.args[1] and a.args[0].op == "erfinv":
        return apply("erfinv_gauss", a.args[0].args[0])
    return exp(a)


_REWRITES: dict[str, Callable[..., Expr]] = {"power": _power, "sub": _sub, "exp": _exp}
_SQUARED = {"sech": sech_squared, "csch": csch_squared}
_UNCHANGED = {row.name for row in TABLE.values() if row.expansion is None} - set(_REWRITES)
_UNCHANGED |= {"const", "constant", "var", *LOWERED}


def lower(roots: Iterable[Expr]) -> list[Expr]:
    """Return the expressions rewritten in functions for which every backend has a kernel."""
    new: dict[Expr, Expr] = {}
    done: dict[Expr, Expr] = {}
    for e in reachable(roots := list(roots)):
        args = tuple([new[a] for a in e.args])
        if e.op in _UNCHANGED:
            lowered = rebuild(e, args)
        elif e.op == "power" and e.args[0].op in _SQUARED and exact(e.args[1]) == 2:
            lowered = _expanded(_SQUARED[e.args[0].op](new[e.args[0].args[0]]), done)
        elif e.op in _REWRITES:
            lowered = _REWRITES[e.op](*args)
        elif e.op.startswith((ERROR, ROUGH)):
            lowered = rebuild(e, args)
        else:
            simpler = expansion(e, args)
            assert simpler is not None
            lowered = _expanded(simpler, done)
        new[e] = lowered
        done[lowered] = lowered
    return [new[r] for r in roots]


def _expanded(e: Expr, done: dict[Expr, Expr]) -> Expr:
    """Return a lowered expansion, the functions in which may have expansions in turn.

    ``done`` maps nodes to their lowered forms and is extended.
    """
    for node in missing(e, done):
        args = tuple([done[a] for a in node.args])
        if node.op in _REWRITES:
            done[node] = _REWRITES[node.op](*args)
        elif (len(args) == 2 and node.op in ("min", "max")) or (simpler := expansion(node, args)) is None:
            done[node] = rebuild(node, args)
        else:
            # Recursion is safe: expansions nest a few levels deep, whatever the depth of the expression.
            done[node] = _expanded(simpler, done)
    return done[e]


# Scheduling.


def _number(e: Expr) -> float:
    """Return the double nearest to a constant."""
    if e.op == "constant":
        return CONSTANTS[str(e.value)]
    assert isinstance(e.value, Fraction | float)
    return float(e.value)


def reading_error(e: Expr) -> float:
    """What the double of a constant is off by, in units of 2**-53.

    A decimal means its double, as pi and e do; a fraction that folding made, such as 1/3, is exact. A decimal of 16 or
    more digits stands for a number that is none, such as the coefficients of expansions: half an ulp.
    """
    q = e.value
    if not isinstance(q, Fraction):
        return 0.0
    bottom = q.denominator
    bottom >>= (bottom & -bottom).bit_length() - 1
    if bottom == 1 and q.numerator.bit_length() <= 53:
        return 0.0
    while bottom % 5 == 0:
        bottom //= 5
    if bottom != 1:
        return float(abs(Fraction(float(q)) - q) * 2**53)
    digits = repr(abs(float(q))).partition("e")[0].replace(".", "").strip("0")
    return math.ulp(float(q)) * 2**52 if len(digits) > 15 else 0.0


@collector_paused()
def build(outputs: Sequence[Expr], axes: Sequence[Sequence[str]]) -> Program:
    """Return the program that computes ``outputs``; ``axes[k]`` are the variables along grid axis k.

    Raise GradError for a variable that is on no axis.
    """
    roots = lower(outputs)
    order = post_order(roots)
    axis_of = {name: k for k, names in enumerate(axes) for name in names}
    masks = [sum(bit(name) for name in names) for names in axes]

    numbers: list[Expr] = []
    inputs: list[tuple[str, int]] = []
    leaves: list[Expr] = []
    by_axes: dict[tuple[int, ...], list[Expr]] = {}
    for e in order:
        if e.op in ("const", "constant"):
            numbers.append(e)
        elif e.op == "var":
            name = str(e.value)
            if name not in axis_of:
                raise GradError(f"variable '{name}' has no value", hint=f"give it one: --at {name}=...")
            inputs.append((name, axis_of[name]))
            leaves.append(e)
        else:
            axes_read = tuple([k for k, mask in enumerate(masks) if e.variables & mask])
            by_axes.setdefault(axes_read, []).append(e)
    slot: dict[Expr, int] = {}
    for e in (*numbers, *leaves):
        slot[e] = len(slot)
    fixed = len(slot)

    subsets = sorted(by_axes, key=lambda axes_read: (len(axes_read), axes_read))
    stratum_of = {e: k for k, axes_read in enumerate(subsets) for e in by_axes[axes_read]}
    # A register is never reused if another stratum reads its value or if the value is an output.
    preserved = set(roots)
    uses: dict[Expr, int] = {}
    for e, k in stratum_of.items():
        for a in e.args:
            uses[a] = uses.get(a, 0) + 1
            if stratum_of.get(a, k) != k:
                preserved.add(a)

    registers: list[Register] = []
    strata: list[Stratum] = []
    for k, axes_read in enumerate(subsets):
        free: dict[bool, list[int]] = {False: [], True: []}
        steps: list[Step] = []
        for e in by_axes[axes_read]:
            ins = tuple([slot[a] for a in e.args])
            for a in e.args:
                uses[a] -= 1
                if not uses[a] and a not in preserved and stratum_of.get(a) == k:
                    # Reuse registers last in, first out: the one freed last is most likely still in the cache.
                    free[a.op in BOOLEANS].append(slot[a])
            boolean = e.op in BOOLEANS
            if free[boolean] and e not in preserved:
                slot[e] = free[boolean].pop()
            else:
                slot[e] = fixed + len(registers)
                registers.append(Register(k, boolean))
            steps.append(Step(e.op, e.value if isinstance(e.value, int) else None, slot[e], ins))
        strata.append(Stratum(axes_read, tuple(steps)))
    constants, rounding = tuple(map(_number, numbers)), tuple(map(reading_error, numbers))
    slots = tuple([slot[r] for r in roots])
    return Program(constants, tuple(inputs), tuple(strata), tuple(registers), slots, len(axes), rounding)
