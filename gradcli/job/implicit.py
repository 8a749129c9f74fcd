"""Derivatives of a variable that an equation defines, at a point of its curve or as expressions.

Layer: must not know formats or terminals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, NamedTuple

from gradcli.calculus.derive import count_partials
from gradcli.calculus.forward import Partial
from gradcli.calculus.leibniz import derivative_name
from gradcli.caret import Source
from gradcli.errors import GradError, meant
from gradcli.expr import Expr, spell_name
from gradcli.job.equation import Equation, read_equation
from gradcli.job.numbers_told import Told, check_values, exactly_at, needs_flint, place_text, refused, told
from gradcli.job.parse_at_grid_fill import Points
from gradcli.job.request import as_text
from gradcli.notation.polynomial import latex_derivative, latex_of, terms

if TYPE_CHECKING:
    from gradcli.truth.branch import Contact
    from gradcli.truth.closed import Number

ORDERS, SYMBOLIC, SEVERAL = 100, 8, 6
"""The highest order at a point in one variable, as expressions, and in several variables."""
PARTIALS = 200
"""The most partial derivatives."""


class Implicit(NamedTuple):
    """The derivatives of ``solve`` in ``wrt``, by name.

    ``numbers`` at a point, ``expressions`` without one: one of the two is empty. ``point`` is the point as typed,
    ``powers`` the order in each variable, ``values`` what `latex` writes, ``ordinary`` with a straight d. ``read_as``:
    the strict equation where natural notation differs from it.
    """

    equation: str
    solve: str
    wrt: list[str]
    order: int
    point: dict[str, str]
    numbers: dict[str, Told]
    expressions: dict[str, Expr]
    powers: dict[str, dict[str, int]]
    values: Mapping[str, Number]
    ordinary: bool
    notes: list[str]
    read_as: str | None

    @property
    def latex(self) -> list[str]:
        """One equation a derivative. Raises GradError for formulas that are too long."""
        left = [latex_derivative(self.solve, self.powers[name], ordinary=self.ordinary) for name in self.values]
        right = [latex_of(terms([(value, None)])) for value in self.values.values()]
        return [f"{a} = {b}" for a, b in zip(left, right, strict=True)]


def implicit(source: Source, wrt: Sequence[str] | None, solve: str | None, points: Points, order: int) -> Implicit:
    """The derivatives up to an order of the variable ``solve`` that an equation defines as a function of ``wrt``.

    By default y, or the last variable, is solved for, and all others are differentiated in. Raises GradError for an
    invalid request; with exit code 1 where the point is not on the curve, or the equation defines no such function
    near it.
    """
    equation = read_equation(source, {*points.names, *(wrt or ()), *([solve] if solve else [])})
    y, xs = _roles(equation, wrt, solve, points.names)
    _check_order(order, len(xs), bool(points))
    partials = [p for k in range(1, order + 1) for p in combinations_with_replacement(range(len(xs)), k)]
    names = {p: derivative_name(y, xs, p) for p in partials}
    powers = {names[p]: {x: p.count(k) for k, x in enumerate(xs) if k in p} for p in partials}
    if not points:
        from gradcli.calculus.implicit import implicit as derived

        expressions = {names[p]: e for p, e in derived(equation.expression, xs, y, order).items()}
        return Implicit(
            equation.text, y, xs, order, {}, {}, expressions, powers, expressions, len(equation.variables) == 2, [],
            equation.read_as,
        )  # fmt: skip
    check_values(points, equation.variables)
    needs_flint("derivatives at a point of a curve")
    point = exactly_at(points, [n for n in points.at if n in equation.variables])
    contact, notes = _contact(equation, point, xs, y)
    numbers, proved = _numbers(equation.expression, point, xs, y, order, contact.exact)
    if not proved:
        notes.append("a number that no arithmetic tells from 0 was taken for 0")
    shown = {n: as_text(e) for n, e in point.items()}
    named = {names[p]: c for p, c in numbers.items()}
    return Implicit(
        equation.text, y, xs, order, shown, {name: told(c) for name, c in named.items()}, {}, powers,
        named, len(equation.variables) == 2, notes, equation.read_as,
    )  # fmt: skip


def _roles(
    equation: Equation, wrt: Sequence[str] | None, solve: str | None, typed: Sequence[str]
) -> tuple[str, list[str]]:
    """The variable to solve for, and those to differentiate in; ``typed``: those of ``--at``."""
    names = list(equation.variables)
    for option, given in (("--solve", [solve] if solve else []), ("--wrt", wrt or []), ("--at", typed)):
        for name in given:
            if name not in names:
                raise GradError(f"{option}: '{name}' is not used in the equation",
                                hint=meant(name, names, "its variables are"))  # fmt: skip
    if len(names) < 2:
        raise GradError("an equation that defines a function has two variables or more",
                        hint='such as "x**2 + y**2 = 25"')  # fmt: skip
    free = [n for n in names if n not in (wrt or ())]
    y = solve or ("y" if "y" in free else free[-1] if free else "")
    if not y:
        raise GradError("no variable is left to solve for", hint="name it: --solve y")
    xs = list(wrt) if wrt is not None else [n for n in names if n != y]
    if y in xs:
        raise GradError(f"--wrt: '{y}' is the variable to solve for")
    if len(set(xs)) < len(xs):
        raise GradError("--wrt: a variable is given twice")
    return y, xs


def _check_order(order: int, count: int, at_point: bool) -> None:
    most = (ORDERS if count == 1 else SEVERAL) if at_point else SYMBOLIC
    if not 1 <= order <= most:
        what = "at a point" if at_point else "as expressions"
        raise GradError(f"--order: implicit derivatives {what} have an order from 1 to {most}, not {order}",
                        hint=None if at_point or order < 1 else "at a point: --at x=3,y=4")  # fmt: skip
    if count_partials(count, order) > PARTIALS:
        raise GradError(f"order {order} in {count} variables makes more than {PARTIALS} derivatives",
                        hint="choose variables with --wrt, or a lower order")  # fmt: skip


def _contact(equation: Equation, point: Mapping[str, Expr], xs: Sequence[str], y: str) -> tuple[Contact, list[str]]:
    """How the point lies to the curve, and notes. Raises GradError where it defines no function there."""
    from gradcli.truth.branch import contact, nearest
    from gradcli.truth.taylor import NotSmoothError

    sides = [s for k, s in enumerate(equation.sides) if not k or s != "0"]
    where, what = place_text(point), " - ".join([_bracketed(s, k) for k, s in enumerate(sides)])
    try:
        at = contact(equation.expression, point, xs, y)
    except NotSmoothError as error:
        refusal = refused("derivatives", error.truth, what, dict(point), error.wrt)
        message = refusal.message.replace(spell_name(what), what, 1)
        raise GradError(message, hint=(refusal.hint or "").replace(spell_name(what), "it") or None,
                        exit_code=1) from None  # fmt: skip
    if not at.on:
        near = nearest(equation.expression, point, y)
        raise GradError(
            f"the point {where} is not on the curve: {what} is {_short(at.value)} there",
            hint=None if near is None else f"near it the curve has {spell_name(y)}={_short(near)}",
            exit_code=1,
        )
    if at.flat:
        steep = next((x for x, slope in zip(xs, at.slopes, strict=False) if slope), None)
        hint = "all slopes are 0: it is a singular point of the curve"
        if steep is not None:
            hint = f"for {spell_name(steep)} there may be one: --wrt {spell_name(y)} --solve {spell_name(steep)}"
        raise GradError(
            f"the equation defines no function {spell_name(y)} near {where}: its slope in {spell_name(y)} is 0 there",
            hint=hint, exit_code=1,
        )  # fmt: skip
    if at.exact:
        return at, [] if at.proved else [f"that the point is on the curve is not proved: {what} was taken for 0 there"]
    return at, [f"the point is about {at.off:.1g} off the curve in {spell_name(y)}, which is rounding: the derivatives "
                f"are those of the curve at the given {', '.join(map(spell_name, xs))}"]  # fmt: skip


def _numbers(
    equation: Expr, point: Mapping[str, Expr], xs: Sequence[str], y: str, order: int, exact: bool
) -> tuple[dict[Partial, Number], bool]:  # fmt: skip
    if len(xs) == 1:
        from gradcli.truth.branch import branch

        numbers, proved = branch(equation, point, xs[0], y, order, exact=exact)
        return {(0,) * k: c for k, c in enumerate(numbers, 1)}, proved
    from gradcli.calculus.implicit import implicit as derived
    from gradcli.truth.branch import at_point

    expressions = derived(equation, xs, y, order)
    numbers, proved = at_point(equation, list(expressions.values()), point, y, exact=exact)
    return dict(zip(expressions, numbers, strict=True)), proved


def _bracketed(side: str, k: int) -> str:
    return f"({side})" if k and _loose(side) else side


def _loose(side: str) -> bool:
    """Whether a text has a sum or a comparison outside brackets, so that it needs brackets after a minus."""
    depth = 0
    for c in side:
        depth += (c in "([") - (c in ")]")
        if not depth and c in "+-<>&|":
            return True
    return False


def _short(x: float) -> str:
    return str(round(x)) if abs(x) < 1e15 and x == round(x) else f"{x:.6g}"
