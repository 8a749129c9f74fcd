"""Hard points of a job: what is asked about them, the mask that finds them, and the columns that tell them.

The mask is computed beside the values: it marks the points at which a decision is tied or an operation at the end of
its domain, so that the code of the tiers is loaded only if there is such a point, or a result that is not finite.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cached_property, partial
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcli.calculus.hazards import hazards
from gradcli.calculus.plain import plain
from gradcli.compute import trust
from gradcli.compute.execute import Work, blocks
from gradcli.expr import ONE, ZERO, Expr, apply, const

if TYPE_CHECKING:
    from gradcli.compute.grid import Grid
    from gradcli.compute.program import Program
    from gradcli.job.hard_columns import Extra
    from gradcli.job.parse_at_grid_fill import Points
    from gradcli.job.request import Job, Request
    from gradcli.job.tiers import Tiers


CAREFUL_POINTS = 10_000
CAREFUL_LOAD = 2_000_000
"""Points, and points times steps, up to which the numbers of a grid are repaired unless asked otherwise."""
LOOKED = 16_384
"""Points at which a plain run looks for numbers with few right digits."""
TIE, SINGULAR = 1.0, 2.0
"""Values of the mask."""
_UNIT = const(Fraction(1, 2**53))
WORK, SHARED_WORK, ROW_WORK = 100_000, 10_000_000, 10_000
"""Work for the repair of a number: at most, shared by all numbers of a grid, and for a number of a row."""


class Target(NamedTuple):
    """A column of results: the place of its output, the variables with their orders, and its name."""

    output: int
    powers: Mapping[str, int]
    name: str


class HardPoints:
    """The treatment of the hard points of a request.

    ``names``: the columns it adds. ``coordinates`` are those that come before the results, one for each variable.
    ``reading`` gives the exact value that a double of a variable stands for, as an expression.
    """

    tie, singular = TIE, SINGULAR
    few_digits = 10
    """Digits below which a plain run has a note."""

    def __init__(self, job: Job, request: Request, points: Points) -> None:
        self.job, self.typed, self.order = job, points, job.order
        wrt = request.wrt if job.order else []
        named, order = request.derived, job.order if wrt else 0
        self.coordinates = tuple(request.points)
        partials = [p for total in range(order + 1) for p in combinations_with_replacement(range(len(wrt)), total)]
        self.targets: list[Target] = []
        self.roots: list[Expr] = []
        for k, (name, e) in enumerate(named):
            output, place = divmod(k, len(partials))
            if not place:
                self.roots.append(e)
            partial_ = partials[place]
            self.targets.append(Target(output, {wrt[i]: partial_.count(i) for i in sorted({*partial_})}, name))
        self.per_output = len(partials)
        self.results = [e for _, e in named]
        self.axes = tuple(wrt) or tuple(request.variables)
        self.extras: list[Extra] = []
        if job.sides or job.verdict or job.trust:
            from gradcli.job.hard_columns import extras

            self.extras = [*extras(self, [name for name, _ in request.outputs])]
        self.names = tuple([extra.name for extra in self.extras])
        self._tiers: Tiers | None = None
        self.words: list[str] = ["smooth"]
        self.kinds: Counter[str] = Counter()
        self.points = 0
        self.unproved = 0
        self.worst: tuple[int, tuple[float, ...], str] = (17, (), "")
        self.missing = 0
        self.doubtful: set[str] = set()
        self.lost: list[tuple[int, int, str]] = []
        self.looked = 0
        self.careful = bool(job.careful or job.exact)
        self.budget = ROW_WORK
        self.outputs: Sequence[Expr] = ()

    # The mask.

    @cached_property
    def mask(self) -> list[Expr]:
        """The mask as one more output: 0, `tie` or `singular`; none if no point can be hard."""
        if self.job.kink == "convention" and not self.job.sides and not self.job.verdict:
            return []
        mask = marks(self.roots)
        return [] if mask is ZERO else [mask]

    # The computation.

    def begin(self, outputs: Sequence[Expr], size: int | None = None, steps: int = 0) -> None:
        """Take the outputs of the program. ``size``: the points of a grid, whose numbers are repaired if they are few.

        ``steps``: those of the program.
        """
        self.outputs = outputs
        if size is not None:
            if self.job.careful is None and size <= CAREFUL_POINTS and size * steps <= CAREFUL_LOAD:
                self.careful = True
            self.budget = min(WORK, SHARED_WORK // max(1, size * len(self.targets)))

    @property
    def noted(self) -> bool:
        """Whether there is something to tell on stderr."""
        return bool(self.kinds or self.missing or self.lost or self.unproved)

    @property
    def texts(self) -> bool:
        """Whether it writes columns otherwise than as doubles, or adds some."""
        return bool(self.names) or self.job.proved_digits is not None

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do beside the values."""
        return not (self.mask or self.extras or self.careful) and self.job.kink == "convention"

    def look(self, program: Program, grid: Grid, engine: str) -> None:
        """Count the numbers with few right digits among the first points, of which ``grid`` has the next ones."""
        if self.careful or self.job.careful is False or self.looked >= LOOKED:
            return
        first = len(self.coordinates)
        work = trust.work(self.outputs, program, grid, "vector")
        for block in blocks(work, target=4096):
            points = min(len(block[0]), LOOKED - self.looked)
            errors = block[len(self.outputs) + first :]
            for target, values, bounds in zip(self.targets, block[first:], errors, strict=False):
                for n in _indices(trust.flagged(values[:points], bounds[:points])):
                    count = trust.digits(float(values[n]), float(bounds[n]))
                    if count < self.few_digits and math.isfinite(values[n]):
                        self.lost.append((count, self.looked + n, target.name))
            self.looked += points
            if self.looked >= LOOKED:
                return

    def work(self, program: Program, grid: Grid, engine: str, inner: Work) -> Work:
        """The work whose columns are coordinates, results and those of ``names``, all of them settled.

        ``inner``: the work of the program as it is.
        """
        if self.idle:
            return inner
        if self.careful or self.job.trust:
            inner = trust.work(self.outputs, program, grid, engine)
        kept = len(self.coordinates) + len(self.targets)
        make = partial(self._kernel, inner.make, inner.arrays, inner.outputs - kept)
        return inner._replace(make=make, outputs=kept + len(self.extras))

    def _kernel(self, make: Callable[[], Callable[..., None]], arrays: bool, scratch: int) -> Callable[..., None]:
        kernel = make()
        kept = len(self.coordinates) + len(self.targets)

        def run(ins: Sequence[Any], outs: Sequence[Any], extents: tuple[int, ...]) -> None:
            points = math.prod(extents)
            more = _columns(scratch, points, arrays)
            kernel(ins, [*outs[:kept], *more], extents)
            self.settle(outs, more, points, arrays)

        return run

    def settle(self, outs: Sequence[Any], more: Sequence[Any], points: int, arrays: bool) -> None:
        """Settle a block in place. ``more``: the mask if there is one, then the errors if they are computed."""
        first, width = len(self.coordinates), len(self.targets)
        mask = more[0] if self.mask else None
        # The errors come in the order of all outputs, coordinates and mask included.
        errors = more[len(self.mask) + first :][:width] if len(more) > len(self.mask) else None
        results = outs[first : first + width]
        if self.extras:
            from gradcli.job.hard_columns import fill

            fill(self, outs, errors, arrays)
        if arrays:
            rows, lost = _marked_arrays(results, mask, errors if self.careful else None, self.job.exact)
        else:
            rows, lost = _marked_lists(results, mask, errors if self.careful else None, self.job.exact)
        if self.job.kink == "convention" and not self.job.sides and not self.job.verdict:
            rows = []
        self.points += points
        if rows or lost:
            self.tiers(arrays).settle(outs, rows, lost, mask, errors)

    def tiers(self, arrays: bool) -> Tiers:
        """The code that settles marked points, made at the first of them. ``arrays``: the points come in arrays."""
        if self._tiers is None:
            from gradcli.job.tiers import Tiers

            self._tiers = Tiers(self, arrays)
        return self._tiers

    def undecided(self, digits: int, point: Mapping[str, float], name: str) -> None:
        """Count a number that could not be proved, of which so many digits are right."""
        self.unproved += 1
        self.worst = min(self.worst, (digits, tuple(point.values()), name))


def marks(roots: Sequence[Expr]) -> Expr:
    """The mask of the hazards of expressions: 0, `TIE` or `SINGULAR`; the node ZERO if no point can be hard."""
    ties, singular = hazards(roots)
    tied = [d for d in ties if plain(d)]
    exact = [d for d in singular if plain(d)]
    near = [d for d in (*ties, *singular) if not plain(d)]
    bounds = trust.bounds(near, decimals=True)
    mask = ZERO
    for value, tests in (
        (TIE, [apply("eq", d, ZERO) for d in tied]),
        (SINGULAR, [*[apply("eq", d, ZERO) for d in exact], *map(_close, near, bounds)]),
    ):
        if tests:
            condition = tests[0]
            for test in tests[1:]:
                condition = apply("or", condition, test)
            mask = apply("where", condition, ONE if value == TIE else const(2), mask)
    return mask


def _close(distance: Expr, bound: Expr) -> Expr:
    """Whether a distance is 0 within its rounding error, points and literals read as decimals."""
    if bound is ZERO:
        return apply("eq", distance, ZERO)
    return apply("le", apply("abs", distance), apply("mul", bound, _UNIT))


def _columns(count: int, points: int, arrays: bool) -> list[Any]:
    if not arrays:
        return [[0.0] * points for _ in range(count)]
    import numpy as np

    return list(np.empty((count, points)))


Lost = list[tuple[int, list[int]]]
"""Columns of results with the rows in which a number has too few right digits."""


def _marked_lists(
    results: Sequence[Any], mask: Any, errors: Sequence[Any] | None, exact: bool
) -> tuple[list[int], Lost]:
    finite, flagged = math.isfinite, trust.flagged
    rows = set() if mask is None else {n for n, m in enumerate(mask) if m}
    lost = []
    for k, column in enumerate(results):
        rows.update([n for n, v in enumerate(column) if not finite(v)])
        if errors is not None:
            error = errors[k]
            places = [n for n, v in enumerate(column) if exact or (error[n] and flagged(v, error[n]))]
            if places:
                lost.append((k, places))
    return sorted(rows), lost


def _marked_arrays(
    results: Sequence[Any], mask: Any, errors: Sequence[Any] | None, exact: bool
) -> tuple[list[int], Lost]:
    import numpy as np

    with np.errstate(all="ignore"):
        total = results[0].copy()
        for column in results[1:]:
            total += column
        # The sum may overflow though every number is finite: such a row is looked at and left as it is.
        marked = ~np.isfinite(total)
        if mask is not None:
            marked |= mask != 0
        lost = []
        for k, column in enumerate(results if errors is not None else ()):
            assert errors is not None
            bad = np.ones(len(column), bool) if exact else trust.flagged(column, errors[k])
            if places := _indices(bad):
                lost.append((k, places))
    return _indices(marked), lost


def _indices(marked: Any) -> list[int]:
    import numpy as np

    places: list[int] = np.flatnonzero(marked).tolist()
    return places
