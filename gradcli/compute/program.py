"""Program: the tape. Named expressions lowered to steps on registers, as plain data any backend can run.

Lowering replaces rows without a kernel by their expansions and gives a few textbook forms the evaluation
they need (1 - x**2 as (1 - x)*(1 + x), x**(y - 1) without rounding y - 1). Steps fall into strata by the set of grid
axes they depend on, so what depends on x alone runs once per x. Must not know arrays, threads or how a step is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from gradcli.errors import GradError
from gradcli.expr import BOOLEANS, CONSTANTS, ONE, ZERO, Expr, apply, bit, exact, post_order, reachable, rebuild
from gradcli.functions import LOWERED, TABLE, expansion
from gradcli.functions.elementary import csch_squared, sech_squared
from gradcli.functions.row import exp, sqrt


_ARRAYS = 400
"""Operations that a function takes which works on arrays, at a single number: some 100 us, most of it overhead."""


class Step(NamedTuple):
    """``out = function(*ins)``; ``value`` is the integer parameter of a row that has one."""

    function: str
    value: int | None
    out: int
    ins: tuple[int, ...]


class Stratum(NamedTuple):
    """Steps that depend on exactly these grid axes."""

    axes: tuple[int, ...]
    steps: tuple[Step, ...]


class Register(NamedTuple):
    """A slot of scratch: the stratum whose shape it has, and whether it holds truth values."""

    stratum: int
    boolean: bool


class Program(NamedTuple):
    """Slots are numbered: constants, then inputs, then registers."""

    constants: tuple[float, ...]
    inputs: tuple[tuple[str, int], ...]
    strata: tuple[Stratum, ...]
    registers: tuple[Register, ...]
    outputs: tuple[int, ...]
    axes: int

    @property
    def length(self) -> int:
        """Number of steps."""
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
        # Adding 0 turns -0.0 into 0.0: pow(-0.0, 0.5) is 0.0, sqrt(-0.0) is not.
        if number == Fraction(1, 2):
            return sqrt(apply("add", x, ZERO))
        if number == Fraction(-1, 2):
            return 1 / sqrt(apply("add", x, ZERO))
        return apply("power", x, n)
    if n.op in ("add", "sub"):
        a, b = n.args if n.op == "add" else (n.args[0], apply("neg", n.args[1]))
        back = n - b
        return apply("power_residual", x, n, (a - back) + (b - (n - back)))
    return apply("power", x, n)


def _sub(a: Expr, b: Expr) -> Expr:
    for one, square, sign in ((a, b, False), (b, a, True)):
        if one is ONE and square.op == "mul" and square.args[0] is square.args[1]:
            u = square.args[0]
            # At u = -1 the first product is -0.0, where u*u - 1 is 0.0: adding 0 tells them apart nowhere else.
            return apply("add", (u - ONE) * (u + ONE), ZERO) if sign else (ONE - u) * (u + ONE)
    return a - b


def _exp(a: Expr) -> Expr:
    if a.op == "mul" and a.args[0] is a.args[1] and a.args[0].op == "erfinv":
        return apply("erfinv_gauss", a.args[0].args[0])
    return exp(a)


_CAREFUL: dict[str, Callable[..., Expr]] = {"power": _power, "sub": _sub, "exp": _exp}
_SQUARED = {"sech": sech_squared, "csch": csch_squared}
_AS_IT_IS = {row.name for row in TABLE.values() if row.expansion is None} - set(_CAREFUL)
_AS_IT_IS |= {"const", "constant", "var", *LOWERED}


def lower(roots: Iterable[Expr]) -> list[Expr]:
    """The same expressions in functions that every backend has."""
    new: dict[Expr, Expr] = {}
    done: dict[Expr, Expr] = {}
    for e in reachable(roots := list(roots)):
        args = tuple([new[a] for a in e.args])
        if e.op in _AS_IT_IS:
            made = rebuild(e, args)
        elif e.op == "power" and e.args[0].op in _SQUARED and exact(e.args[1]) == 2:
            made = _expanded(_SQUARED[e.args[0].op](new[e.args[0].args[0]]), done)
        elif e.op in _CAREFUL:
            made = _CAREFUL[e.op](*args)
        else:
            simpler = expansion(e, args)
            assert simpler is not None
            made = _expanded(simpler, done)
        new[e] = made
        done[made] = made
    return [new[r] for r in roots]


def _expanded(e: Expr, done: dict[Expr, Expr]) -> Expr:
    """An expansion whose own rows may have expansions in turn; what is in ``done`` is lowered already."""
    stack = [e]
    while stack:
        top = stack[-1]
        if top in done:
            stack.pop()
        elif not top.args:
            done[top] = top
        elif any(a not in done for a in top.args):
            stack.extend(a for a in top.args if a not in done)
        else:
            args = tuple([done[a] for a in top.args])
            if top.op == "power":
                done[top] = _power(*args)
            elif (len(args) == 2 and top.op in ("min", "max")) or (simpler := expansion(top, args)) is None:
                done[top] = rebuild(top, args)
            else:
                # Expansions nest a fixed few levels deep, whatever the depth of the expression.
                done[top] = _expanded(simpler, done)
    return done[e]


# Scheduling.


def _number(e: Expr) -> float:
    if e.op == "constant":
        return CONSTANTS[str(e.value)]
    assert isinstance(e.value, Fraction | float)
    return float(e.value)


def build(outputs: Sequence[Expr], axes: Sequence[Sequence[str]]) -> Program:
    """The program that computes ``outputs``; ``axes[k]`` are the variables that grid axis k carries.

    Raises GradError for a variable on no axis.
    """
    roots = lower(outputs)
    order = post_order(roots)
    axis_of = {name: k for k, names in enumerate(axes) for name in names}
    masks = [sum(bit(name) for name in names) for names in axes]

    constants: list[float] = []
    inputs: list[tuple[str, int]] = []
    leaves: list[Expr] = []
    by_axes: dict[tuple[int, ...], list[Expr]] = {}
    for e in order:
        if e.op in ("const", "constant"):
            constants.append(_number(e))
        elif e.op == "var":
            name = str(e.value)
            if name not in axis_of:
                raise GradError(f"variable '{name}' has no value", hint=f"give it one: --at {name}=...")
            inputs.append((name, axis_of[name]))
            leaves.append(e)
        else:
            on = tuple([k for k, mask in enumerate(masks) if e.variables & mask])
            by_axes.setdefault(on, []).append(e)
    slot: dict[Expr, int] = {}
    numbers = [e for e in order if e.op in ("const", "constant")]
    for e in (*numbers, *leaves):
        slot[e] = len(slot)
    fixed = len(slot)

    subsets = sorted(by_axes, key=lambda on: (len(on), on))
    where_computed = {e: k for k, on in enumerate(subsets) for e in by_axes[on]}
    # A value that another stratum or the outside reads stays in its register for good.
    kept = set(roots)
    left: dict[Expr, int] = {}
    for e, k in where_computed.items():
        for a in e.args:
            left[a] = left.get(a, 0) + 1
            if where_computed.get(a, k) != k:
                kept.add(a)

    registers: list[Register] = []
    strata: list[Stratum] = []
    for k, on in enumerate(subsets):
        free: dict[bool, list[int]] = {False: [], True: []}
        steps: list[Step] = []
        for e in by_axes[on]:
            ins = tuple([slot[a] for a in e.args])
            for a in e.args:
                left[a] -= 1
                if not left[a] and a not in kept and where_computed.get(a) == k:
                    # Last in, first out: the register freed a moment ago is the one still in the cache.
                    free[a.op in BOOLEANS].append(slot[a])
            boolean = e.op in BOOLEANS
            if free[boolean] and e not in kept:
                slot[e] = free[boolean].pop()
            else:
                slot[e] = fixed + len(registers)
                registers.append(Register(k, boolean))
            steps.append(Step(e.op, e.value if isinstance(e.value, int) else None, slot[e], ins))
        strata.append(Stratum(on, tuple(steps)))
    return Program(
        tuple(constants), tuple(inputs), tuple(strata), tuple(registers), tuple([slot[r] for r in roots]), len(axes)
    )
