"""Birth certificates of a result: the first numbers that are not finite, and the step at which each began.

The numbers are noted while blocks pass by; the certificates are made afterwards, at these points alone, from the
request parsed again. Layer: must not know formats or terminals.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from gradcli.calculus.leibniz import Derivative, read
from gradcli.compute.engine import block_points
from gradcli.compute.execute import Block, blocks
from gradcli.compute.grid import Grid
from gradcli.compute.passes import Plan
from gradcli.errors import GradError
from gradcli.expr import ZERO, Expr, apply, reachable, spell_name, substitute, var, variables
from gradcli.functions import reduces
from gradcli.job.born_limits import Limits, limits_at
from gradcli.job.parse_at_grid_fill import Points
from gradcli.job.request import Job, Request, Rows
from gradcli.job.result import Computed, Result, count_nonfinite
from gradcli.limits.work import SpentError
from gradcli.notation.explain.birth import Birth, Reductions, Written, birth
from gradcli.notation.explain.reasons import shown
from gradcli.truth.words import first_few, plain

MOST = 3
"""Results that have a certificate."""


class Place(NamedTuple):
    """A number that is not finite: its row, counted from 0, its column, and the point."""

    row: int
    column: str
    value: float
    point: dict[str, float]


class Born:
    """The certificates of ``result``, that of ``job`` over the tables ``rows``; made before its blocks are taken."""

    def __init__(self, job: Job, rows: Rows | None, result: Computed) -> None:
        self.job, self.rows, self.result = job, rows, result
        self.places: list[Place] = []
        self.single = not result.shape
        self.texts: dict[str, tuple[Written, Derivative, Expr]] | None = None
        self.reductions: Reductions | None = None
        # With --strict an error names the first number, whether its column is written or not.
        self._shown = set(result.names if job.strict else result.output.names)
        self._births: list[Birth] = []
        self._limits: list[Limits] = []
        self._filled: dict[str, Expr] = {}
        result.inspect, result.born = self._inspect, self.members

    def _inspect(self, first: int, block: Block) -> None:
        """Note what is not finite in a block, of which ``first`` is the index of the first point."""
        room = MOST - len(self.places)
        if room <= 0:
            return
        result = self.result
        names, points = result.names[len(result.kept) :], result.points
        columns = [k for k in range(points, len(block) - result.told) if names[k] in self._shown]
        bad = [(row, k) for k in columns for row in _nonfinite_rows(block[k], room)]
        for row, k in sorted(bad)[:room]:
            point = {names[i]: float(block[i][row]) for i in range(points)}
            self.places.append(Place(first + row, names[k], float(block[k][row]), point))

    def certificates(self) -> list[tuple[Place, Birth]]:
        """The certificates of the first results that are not finite, in order of rows, then columns."""
        for place in self.places[len(self._births) :]:
            self._limits.append(limits_at(self.result, place.column, place.point))
            self._births.append(self._birth(place, self._limits[-1].text))
        return list(zip(self.places, self._births, strict=True))

    def where(self, place: Place) -> str:
        """The row and the point of a number, such as ``row 3 (x=0)``; ``at x=0`` for a single point."""
        if self.single:
            at = _at(place.point)
            return f"at {at}" if at else ""
        return _row(place.row, place.point)

    def errors(self) -> list[GradError]:
        """The certificates as messages with pictures."""
        return [birth.error(self.where(place)) for place, birth in self.certificates()]

    def members(self) -> list[dict[str, Any]]:
        """The certificates as names, texts and numbers, with the point; what is not finite is a text."""
        return [
            {
                "row": place.row + 1, "point": {n: plain(v) for n, v in place.point.items()}, **birth.member(),
                "limits": limits.member,
            }
            for (place, birth), limits in zip(self.certificates(), self._limits, strict=True)
        ]  # fmt: skip

    def completed(self, error: GradError) -> GradError:
        """The error of ``--strict`` with the certificate of the number it names; any other error as it is."""
        if error.exit_code == 1 and self.places and error.span is None:
            _, birth = self.certificates()[0]
            error.message += f": {birth.why}"
            error.hint, error.span, error.source = birth.values or None, birth.span, birth.source
        return error

    def _birth(self, place: Place, limits: str) -> Birth:
        try:
            if self.texts is None:
                self.texts = self._written()
            written, derivative, root = self.texts[place.column]
            total = derivative.total
            made = birth(written, place.column, root, place.point, total, self.reductions, limits)
        except (GradError, SpentError):
            # The numbers stand without their story: a limit of work or memory, or a point that is not on a grid.
            return Birth(
                place.column, place.value, "the step where it began takes too much work to find", "", None, None
            )
        if made is None:
            return Birth(
                place.column, place.value, "its steps are finite, but this point is hard", "", None, written.source
            )
        return made._replace(value=place.value)

    def _written(self) -> dict[str, tuple[Written, Derivative, Expr]]:
        points = Points(self.job.at, self.job.grids, self.job.fill)
        request = Request(self.job, points.names, self.rows)
        wrt = request.variables if self.job.wrt is None else list(self.job.wrt)
        texts = [parsed for parsed in request.parsed for _ in parsed.outputs]
        written = {
            name: Written(parsed, e, wrt, self.job.order)
            for (name, e), parsed in zip(request.outputs, texts, strict=True)
        }
        if request.reductions:
            if self.rows is None:
                _, self._filled = points.bind(request.points, counted=True)
            self.reductions = Reductions(self._numbers([e for _, e in request.outputs]), self._first)
        names = [name for name, _ in request.derived]
        return {
            name: (written[derivative.of], derivative, e)
            for (name, e), derivative in zip(request.derived, read(names, wrt), strict=True)
        }

    def _numbers(self, outputs: Sequence[Expr]) -> dict[Expr, float]:
        """The value of each reduction over all points."""
        nodes = [e for e in reachable(outputs) if reduces(e)]
        (block,) = self._again(nodes, Grid([axis for axis in self._grid.axes if axis.fixed]))
        return {e: float(column[0]) for e, column in zip(nodes, block, strict=True)}

    def _first(self, e: Expr, nan: bool) -> tuple[str, Mapping[str, float]] | None:
        """The first row of all points in which ``e`` is not finite, or is ``nan``, and the point there."""
        names = variables(e)
        done = 0
        sought = apply("where", apply("eq", e, e), ZERO, e) if nan else e
        for *columns, values in self._again([*map(var, names), sought], self._grid):
            for row in _nonfinite_rows(values, 1):
                point = {name: float(column[row]) for name, column in zip(names, columns, strict=True)}
                return _row(done + row, point), point
            done += len(values)
        return None

    @property
    def _grid(self) -> Grid:
        assert isinstance(self.result, Result)
        return self.result.plan.grid

    def _again(self, outputs: Sequence[Expr], over: Grid) -> Iterator[Block]:
        """The blocks of further expressions over the points of the result."""
        engine = self.result.engine
        plan = Plan(substitute(outputs, self._filled), self._grid, over)
        work = plan.last(plan.over, plan.grid, engine, 1, lambda done: None)
        return blocks(work, target=block_points(plan.program, engine), threads=1)


def _at(point: Mapping[str, float]) -> str:
    return first_few([f"{spell_name(name)}={shown(value)}" for name, value in point.items()])


def _row(row: int, point: Mapping[str, float]) -> str:
    return f"row {row + 1} ({_at(point)})" if point else f"row {row + 1}"


def _nonfinite_rows(column: Any, most: int) -> list[int]:
    """The first rows of a column, at most ``most``, that are not finite."""
    if not count_nonfinite(column):
        return []
    if isinstance(column, list):
        return [k for k, value in enumerate(column) if count_nonfinite([value])][:most]
    import numpy as np

    rows: list[int] = np.flatnonzero(~np.isfinite(column))[:most].tolist()
    return rows
