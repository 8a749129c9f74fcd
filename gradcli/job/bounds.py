"""Proved least and greatest values of outputs and derivatives over a box.

Layer: must not know formats or terminals.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from gradcli.caret import Source
from gradcli.errors import GradError
from gradcli.expr import exact, spell_name
from gradcli.job.parse_at_grid_fill import PLAIN, number, read_name, single, split
from gradcli.job.request import Job, Request

if TYPE_CHECKING:
    from gradcli.truth.bounds import Enclosure

COLUMN_LIMIT = 100
_SHARED, _LEAST = 1_000_000, 10_000
"""Work shared by all searches, some seconds, and what each of them may take at least."""
_DIGITS = 400
"""Ends of more digits are beyond what is meant."""


class Side(NamedTuple):
    """The range of a variable, both ends included; they mean the numbers as typed."""

    low: Fraction
    high: Fraction


class Bound(NamedTuple):
    """The extremes of one output or derivative; or why there are none, and the hint that goes with it."""

    name: str
    least: Enclosure | None
    greatest: Enclosure | None
    met: bool
    """Whether both enclosures are as narrow as was asked."""
    why: str = ""
    hint: str | None = None


class Bounds(NamedTuple):
    over: dict[str, Side]
    rows: list[Bound]
    note: str
    read_as: str | None = None


def read_box(texts: Sequence[str], option: str = "--over") -> dict[str, Side]:
    """The ranges of ``--over``, or of another option. Raises GradError, naming it, for malformed text."""
    box: dict[str, Side] = {}
    for text in texts:
        for piece in split(text, ","):
            name, equals, ends = piece.partition("=")
            pair = split(ends, ":")
            if not equals or not name or len(pair) != 2:
                raise GradError(f"{option} needs NAME=LOW:HIGH, such as x=0:1, not '{piece}'")
            name = read_name(name.strip(), option)
            if name in box:
                raise GradError(f"{option}: '{name}' is given twice")
            low, high = [_end(end, option, f"{option}: the range of '{name}'") for end in pair]
            if low > high:
                shown = f"{spell_name(name)}={pair[1]}:{pair[0]}"
                raise GradError(f"{option} {piece}: the range ends before it begins", hint=f"the other way: {shown}")
            box[name] = Side(low, high)
    return box


def _end(text: str, option: str, what: str) -> Fraction:
    """The exact number of a decimal or a fraction; another constant, such as pi/2, is rounded to its double."""
    value = number(text, option, "an end")
    if not math.isfinite(value):
        raise GradError(f"{what} has no end: {text} is not finite", hint="bounds are proved between two numbers")
    if PLAIN.fullmatch(text):
        return Fraction(text) if len(re.sub(r"[eE].*", "", text)) <= _DIGITS else Fraction(value)
    rational = exact(single(Source(text), "and here is a single number")[1])
    return Fraction(value) if rational is None else rational


def bounds(job: Job, over: Mapping[str, Side], tol: float) -> Bounds:
    """The bounds of every output and derivative of a job over a box. Raises GradError for an invalid request."""
    if not 0 <= tol < math.inf:
        raise GradError("--tol is a number from 0, such as 1e-9")
    from gradcli.truth.repair import available

    request = Request(job, list(over))
    request.pointwise()
    if not request.variables and not over:
        raise GradError("there is no variable, and so no box", hint="its value: gradcli eval")
    missing = next((n for n in request.variables if n not in over), None)
    if missing is not None:
        spelled = spell_name(missing)
        raise GradError(f"variable '{missing}' has no range", hint=f"give it one: --over {spelled}=0:1")
    derived = request.derived
    if len(derived) > COLUMN_LIMIT:
        raise GradError(
            f"bounds of {len(derived)} outputs and derivatives are beyond the limit of {COLUMN_LIMIT}",
            hint="choose variables with --wrt, or a lower order",
        )
    if not available():
        raise GradError("proved bounds need python-flint", hint="pip install python-flint")
    from gradcli.truth.bounds import WORK, NoBoundError, extremes

    work = max(_LEAST, min(WORK, _SHARED // (2 * max(1, len(derived)))))
    box = {n: (side.low, side.high) for n, side in over.items() if n in request.variables}
    outputs = {name for name, _ in request.outputs}
    rows = []
    for name, e in derived:
        try:
            least, greatest = extremes(e, box, tol, derivative=name not in outputs, work=work)
        except NoBoundError as error:
            rows.append(Bound(name, None, None, False, error.message, error.hint))
        else:
            rows.append(Bound(name, least, greatest, _narrow(least, tol) and _narrow(greatest, tol)))
    return Bounds(dict(over), rows, request.note, request.read_as)


def _narrow(enclosure: Enclosure, tol: float) -> bool:
    low, high = enclosure
    if not (math.isfinite(low) and math.isfinite(high)):
        return low == high
    return Fraction(high) - Fraction(low) <= Fraction(tol) * max(Fraction(1), abs(Fraction(low)), abs(Fraction(high)))
