"""Tangent and normal lines, and tangent planes, of the outputs of a request at a point.

Layer: must not know formats or terminals.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from gradcli.errors import GradError
from gradcli.expr import Expr, spell_name, var, variables
from gradcli.job.numbers_told import Told, check_values, exactly_at, needs_flint, place_text, refused, told
from gradcli.job.parse_at_grid_fill import Points
from gradcli.job.request import Job, Request, as_text
from gradcli.notation.polynomial import Coefficient, latex_name, latex_of, terms, text_of

if TYPE_CHECKING:
    from gradcli.truth.closed import Number
    from gradcli.truth.tangents import Tangent
    from gradcli.truth.verdict import Truth


class Equation(NamedTuple):
    """An equation, or several with commas between them, as text and as LaTeX."""

    text: str
    latex: str


class Touching(NamedTuple):
    """The tangent line or plane of one output, and its normal line.

    ``point`` are the coordinates of all variables. ``value``, ``slopes`` by variable and ``intercept`` are its numbers:
    the intercept is None, and so are the slopes, for a vertical line.
    """

    name: str
    expression: str
    point: dict[str, str]
    tangent: Equation
    normal: Equation
    value: Told
    slopes: dict[str, Told | None]
    intercept: Told | None
    notes: list[str]


class Tangents(NamedTuple):
    """The tangents of a request, notes about it, and its strict text where natural notation differs from that."""

    lines: list[Touching]
    notes: list[str]
    read_as: str | None


def tangents(job: Job, points: Points) -> Tangents:
    """The tangents of the outputs of a job at the point of ``--at``.

    Raises GradError for an invalid request, and with exit code 1 where an output has no tangent.
    """
    request = Request(job, points.names)
    request.pointwise()
    if not request.wrt:
        raise GradError("there is no variable, and so no tangent", hint="its value: gradcli eval")
    check_values(points, [*request.points, *request.wrt])
    needs_flint("tangents")
    named = [name for parsed in request.parsed for name, _ in parsed.outputs]
    at = exactly_at(points, [n for n in points.at if n in request.variables or n in request.wrt])
    lines = [
        _touching(name, e, at, request.wrt, _left_side(name, own, request))
        for (name, e), own in zip(request.outputs, named, strict=True)
    ]
    notes = [*([request.note] if request.note else []), *[note for line in lines for note in line.notes]]
    return Tangents(lines, notes, request.read_as)


def _left_side(name: str, own: str | None, request: Request) -> str:
    """What the equation is solved for: the output's own name, else y, or z beside two variables, if that is free."""
    usual = "y" if len(request.wrt) == 1 else "z"
    return name if own is not None or usual in request.variables or len(request.outputs) > 1 else usual


def _touching(name: str, e: Expr, at: Mapping[str, Expr], wrt: Sequence[str], left: str) -> Touching:
    from gradcli.truth.tangents import NoPlaneError, tangent
    from gradcli.truth.taylor import NotSmoothError

    shown = {n: a for n, a in at.items() if n in variables(e) or n in wrt}
    point = {n: as_text(a) for n, a in shown.items()}
    try:
        line = tangent(e, at, wrt)
    except NotSmoothError as error:
        if len(wrt) == 1 and _upright(error.truth):
            return _vertical(name, e, point, wrt[0], at[wrt[0]], left, error.truth)
        raise refused("tangent", error.truth, name, shown, error.wrt) from None
    except NoPlaneError as error:
        raise GradError(f"{spell_name(name)} has no tangent plane at {place_text(shown)}: {error.message}",
                        exit_code=1) from None  # fmt: skip
    summands: list[tuple[Coefficient, Expr | None]] = [
        *[(slope, var(x)) for x, slope in zip(wrt, line.slopes, strict=True)], (line.intercept, None),
    ]  # fmt: skip
    return Touching(
        name, as_text(e), point, _solved(left, summands), _normal(line, at, wrt, left), told(line.value),
        {x: told(slope) for x, slope in zip(wrt, line.slopes, strict=True)}, told(line.intercept),
        _notes(name, line, place_text(shown)),
    )  # fmt: skip


def _solved(left: str, summands: Sequence[tuple[Coefficient, Expr | None]]) -> Equation:
    parts = terms(summands)
    return Equation(f"{spell_name(left)} = {text_of(parts)}", f"{latex_name(left)} = {latex_of(parts)}")


def _normal(line: Tangent, at: Mapping[str, Expr], wrt: Sequence[str], left: str) -> Equation:
    """The line at right angles, in several variables with a parameter."""
    if len(wrt) == 1:
        if line.normal is None:
            return _solved(wrt[0], [(at[wrt[0]], None)])
        slope, intercept = line.normal
        return _solved(left, [(slope, var(wrt[0])), (intercept, None)])
    parameter = var(next(n for n in ("t", "s", "u", "k", "parameter") if n not in (*wrt, left)))
    along = [
        *[(x, [(at[x], None), (slope, parameter)]) for x, slope in zip(wrt, line.slopes, strict=True)],
        (left, [(line.value, None), (Fraction(-1), parameter)]),
    ]  # fmt: skip
    equations = [_solved(name, summands) for name, summands in along]
    return Equation(", ".join([e.text for e in equations]), r", \quad ".join([e.latex for e in equations]))


def _upright(truth: Truth) -> bool:
    """Whether the tangent is vertical: the function is continuous, and both slopes are infinite, of one sign."""
    return truth.verdict == "vertical" and truth.breaks == 1


def _vertical(name: str, e: Expr, point: dict[str, str], x: str, at: Expr, left: str, truth: Truth) -> Touching:
    value: Number = Fraction(int(truth.value)) if truth.value.is_integer() else truth.value
    return Touching(
        name, as_text(e), point, _solved(x, [(at, None)]), _solved(left, [(value, None)]), told(value), {x: None}, None,
        [f"the slope of {spell_name(name)} is {'inf' if _slope(truth) > 0 else '-inf'} there: the tangent is vertical"],
    )  # fmt: skip


def _slope(truth: Truth) -> float:
    return (truth.left or truth.right or (math.nan,))[0]


def _notes(name: str, line: Tangent, where: str) -> list[str]:
    f, notes = spell_name(name), []
    if line.hole:
        notes.append(f"{f} has a hole at {where}: the tangent is that of the function beside it")
    if line.side:
        notes.append(f"{f} is defined on the {'right' if line.side > 0 else 'left'} of {where} only")
    if not line.proved:
        notes.append(f"{f}: that it is smooth at {where} in all directions is not proved")
    return notes
