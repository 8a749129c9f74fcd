"""The request of a study: expressions, a range with exact ends, and values for the other variables, read from texts.

Layer: must not know formats or terminals.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from gradcli.caret import Source
from gradcli.errors import GradError
from gradcli.expr import const, spell_name, substitute, variables
from gradcli.job.decimals import exactly
from gradcli.job.parse_at_grid_fill import PLAIN, Points, number, read_name, single, split
from gradcli.job.request import Job, Request
from gradcli.truth.repair import available

if TYPE_CHECKING:
    from gradcli.plot.study import Study
    from gradcli.truth.places import Place

_DIGITS = 400
"""Ends of more digits are beyond what is meant."""
OUTPUTS = 20
"""Functions that are studied at a time, at most."""


class Studied(NamedTuple):
    """A study with the name of its function, its expression as typed, and the text of the range and of other values."""

    name: str
    text: str
    range: str
    study: Study


class Studies(NamedTuple):
    studies: list[Studied]
    note: str
    read_as: str | None


def studies(expressions: Sequence[str | Source], grids: Sequence[str], at: Sequence[str] = ()) -> Studies:
    """The study of each expression over the range ``NAME=LOW:HIGH``, with values for the other variables.

    Ends and values mean what they say: 0.1 is one tenth, and pi is pi. Raises GradError, naming the option, for
    malformed text, for a variable without a value, and where an expression has no value in the range.
    """
    if not available():
        raise GradError("a study needs python-flint", hint="pip install python-flint")
    from gradcli.plot.study import study

    points = Points(at)
    name, (left, right), text = _range(grids, expressions)
    if name in points.at:
        raise GradError(f"'{name}' has a range and a value: leave out one of --grid and --at")
    request = Request(Job(expressions, order=0), [*points.at, name])
    request.pointwise()
    free = next((n for n in request.variables if n not in points.at and n != name), None)
    if free is not None:
        raise GradError(f"variable '{free}' has no value", hint=f"such as --at {spell_name(free)}=1")
    if len(request.outputs) > OUTPUTS:
        raise GradError(f"{len(request.outputs)} functions at a time are too many for a study: the limit is {OUTPUTS}")
    values = exactly(points, points.at)
    if strange := next((n for n, v in values.items() if isinstance(v, float)), None):
        raise GradError(f"--at: the value of '{strange}' must be finite")
    found = []
    for output, e in request.outputs:
        (root,) = substitute([e], values)
        if variables(root) != [name]:
            raise GradError(f"{spell_name(output)} does not depend on '{name}'", hint="its value: gradcli eval")
        shown = next(t for n, t in request.facts(0).expressions.items() if n == output)
        made = study(root, left, right, f"{text[0]}:{text[1]}")
        found.append(Studied(output, shown, f"{text[0]} <= {spell_name(name)} <= {text[1]}{_given(points)}", made))
    return Studies(found, request.note, request.read_as)


def _given(points: Points) -> str:
    """The values of the other variables as they are told behind the range."""
    told = [f"{spell_name(n)} = {points.texts.get((n, v), v)}" for n, v in points.at.items()]
    return f" with {', '.join(told)}" if told else ""


def _range(
    grids: Sequence[str], expressions: Sequence[str | Source]
) -> tuple[str, tuple[Place, Place], tuple[str, str]]:
    if not grids:
        raise GradError("a study needs a range: --grid x=-5:5")
    if len(grids) > 1:
        raise GradError(f"a study has one range, not {len(grids)}", hint="a value for each other variable: --at a=1")
    text = grids[0].strip()
    name, equals, rest = text.partition("=")
    if not equals or not name:
        raise GradError(f"--grid needs NAME=LOW:HIGH, such as x=-5:5, not '{text}'")
    name = read_name(name.strip(), "--grid")
    parts = split(rest, ":")
    if len(parts) == 3 and parts[0] != "log":
        raise GradError(f"--grid {text}: a study looks at all of a range, not at {parts[2]} points",
                        hint=f"leave out the count: --grid {spell_name(name)}={parts[0]}:{parts[1]}")  # fmt: skip
    if len(parts) != 2:
        raise GradError(f"--grid needs NAME=LOW:HIGH, such as x=-5:5, not '{text}'")
    left, right = (_end(part, f"--grid {text}") for part in parts)
    if left.low >= right.low:
        shown = f"{spell_name(name)}={parts[1]}:{parts[0]}"
        if left.low == right.low:
            raise GradError(f"--grid {text}: the range has one point, and a study needs more")
        raise GradError(f"--grid {text}: the range ends before it begins", hint=f"the other way: --grid {shown}")
    return name, (left, right), (parts[0], parts[1])


def _end(text: str, option: str) -> Place:
    """The exact number of a text."""
    from gradcli.truth.closed_forms import place

    value = number(text, option, "an end")
    if value - value != 0:
        raise GradError(f"{option}: the ends must be finite", hint="what is beyond them the asymptotes tell")
    if PLAIN.fullmatch(text):
        return place(const(Fraction(text) if len(text) <= _DIGITS else Fraction(value)))
    return place(single(Source(text), "and here is a single number")[1])
