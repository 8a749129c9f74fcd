"""Numbers of results as they are told: an exact text where there is one, and the nearest double.

Layer: must not know formats or terminals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcli.errors import GradError
from gradcli.expr import Expr, exact, spell_name, text
from gradcli.job.decimals import reading
from gradcli.job.parse_at_grid_fill import Points
from gradcli.truth.words import first_few, place, sentence

if TYPE_CHECKING:
    from gradcli.truth.closed import Number
    from gradcli.truth.verdict import Truth


class Told(NamedTuple):
    """``exact`` is a fraction or an expression, None where the number is rounded to the double ``value``.

    ``value`` is None beyond the range of doubles, and where variables without values are left.
    """

    exact: str | None
    value: float | None


def told(number: Number) -> Told:
    """A number of a result as text and double."""
    from gradcli.truth.closed import double

    if isinstance(number, float):
        return Told(None, number)
    if isinstance(number, Expr) and number.variables:
        return Told(text(number), None)
    return Told(str(number) if isinstance(number, Fraction) else text(number), double(number))


def needs_flint(what: str) -> None:
    """Raises GradError without python-flint."""
    from gradcli.truth.repair import available

    if not available():
        raise GradError(f"{what} need python-flint", hint="pip install python-flint")


def check_values(points: Points, names: Sequence[str]) -> None:
    """Raises GradError for a variable without a value."""
    missing = next((n for n in names if n not in points.at), None)
    if missing is not None:
        raise GradError(f"variable '{missing}' has no value", hint=f"give it one: --at {spell_name(missing)}=...")


def exactly_at(points: Points, names: list[str]) -> dict[str, Expr]:
    """The coordinates of the point of ``--at`` as they were typed. Raises GradError for one that is not finite."""
    found = {}
    for name in names:
        value = points.at[name]
        if value - value != 0:
            raise GradError(f"--at: {spell_name(name)}={value} is no point", hint="give it a finite value")
        found[name] = reading(points, name, value)
    return found


def place_text(point: Mapping[str, Expr]) -> str:
    """A point as it is told in a sentence: x=2, y=pi/4."""
    return first_few([f"{spell_name(n)}={coordinate(e)}" for n, e in point.items()])


def coordinate(e: Expr) -> str:
    """A coordinate as it is typed, a fraction as p/q where it has no short decimal."""
    number = exact(e)
    if number is not None and number.denominator > 1 and len(text(e)) > 6:
        return str(number) if len(str(number)) < len(text(e)) else text(e)
    return text(e, 40)


def refused(what: str, truth: Truth, output: str, point: Mapping[str, Expr], wrt: str) -> GradError:
    """The error for an output that has none of ``what`` at a point, by the verdict there."""
    where = place_text(point) + (f" along {spell_name(wrt)}" if len(point) > 1 else "")
    kind = place(truth.verdict)
    return GradError(
        f"{spell_name(output)} has no {what} at {where}" + (f": {kind}" if kind else ""),
        hint=sentence(truth, output) or None,
        exit_code=1,
    )


def data(number: Told) -> dict[str, Any]:
    """A number as a value of JSON."""
    return {"exact": number.exact, "value": number.value}
