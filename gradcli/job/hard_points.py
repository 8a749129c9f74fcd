"""Hard points of a job: what is asked about them, the mask that finds them, and the columns that tell them.

The mask is computed beside the values: it marks the points at which a decision is tied or an operation at the end of
its domain, so that the code of the tiers is loaded only if there is such a point, or a result that is not finite.
"""

from __future__ import annotations

import math
from _thread import allocate_lock
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcli.compute import engine, trust
from gradcli.compute.execute import Work, blocks
from gradcli.compute.program import build
from gradcli.errors import GradError
from gradcli.expr import ZERO, Expr
from gradcli.job.marks import ODD, Arrays, Lists, guarded_mask, hazard_mask

if TYPE_CHECKING:
    from gradcli.compute.grid import Grid
    from gradcli.compute.program import Program
    from gradcli.job.hard_columns import Extra
    from gradcli.job.parse_at_grid_fill import Points
    from gradcli.job.request import Job, Request
    from gradcli.job.tiers import Tiers
    from gradcli.truth.words import Beside


CAREFUL_POINTS = 10_000
CAREFUL_LOAD = 2_000_000
"""Points, and points times steps, up to which the numbers of a grid are repaired unless asked otherwise."""
LOOKED = 16_384
"""Points at which a plain run looks for numbers with few right digits."""
WORK, SHARED_WORK, ROW_WORK = 100_000, 10_000_000, 10_000
"""Work for the repair of a number: at most, shared by all numbers of a grid, and for a number of a row."""


class Target(NamedTuple):
    """A column of results: the place of its output, the variables with their orders, and its name."""

    output: int
    powers: Mapping[str, int]
    name: str


class Tally:
    """How many numbers have a fault, and the worst of them: digits that are right, the point and the name."""

    def __init__(self) -> None:
        self.count = 0
        self.worst: tuple[int, tuple[float, ...], str] = (17, (), "")

    def add(self, digits: int, point: Mapping[str, float], name: str) -> None:
        self.count += 1
        self.worst = min(self.worst, (digits, tuple(point.values()), name))


class HardPoints:
    """The treatment of the hard points of a request.

    ``names``: the columns it adds. ``coordinates`` are those that come before the results, one for each variable.
    ``rows``: they are those of tables.
    """

    few_digits = 10
    """Digits below which a plain run has a note."""

    def __init__(self, job: Job, request: Request, points: Points, rows: bool = False) -> None:
        self.job, self.typed, self.order, self.of_rows = job, points, job.order, rows
        if job.exact or job.proved_digits:
            from gradcli.truth.repair import available

            if not available():
                option = "--exact" if job.exact else f"--digits {job.proved_digits}"
                raise GradError(f"{option} needs python-flint: pip install python-flint")
        self.request = request if job.kink == "error" else None
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
        taken = Counter([*request.points, *[target.name for target in self.targets], *self.names])
        if clash := next((name for name in self.names if taken[name] > 1), None):
            raise GradError(f"two columns would be called '{clash}'", hint="name the outputs apart: name = expression")
        self._mask: list[Expr] | None = None
        self._tiers: Tiers | None = None
        self._workers: dict[tuple[str, tuple[Sequence[str], ...]], Callable[[Grid], Work]] = {}
        self.words: list[str] = ["smooth"]
        self.kinds: Counter[str] = Counter()
        self.hardest: Sequence[tuple[int, str, Beside]] = ()
        self.points = 0
        self.unproved, self.apart, self.split = Tally(), Tally(), Tally()
        self.missing = 0
        self.doubtful: set[str] = set()
        self.lost: list[tuple[int, int, str]] = []
        self.looked = 0
        self.careful = bool(job.careful or job.exact)
        self.budget = ROW_WORK
        self.outputs: Sequence[Expr] = ()
        self._lock = allocate_lock()

    # The mask.

    @property
    def mask(self) -> list[Expr]:
        """The mask as one more output: 0, `tie` or `singular`; none if no point can be hard."""
        if self._mask is None:
            self._mask = hazard_mask(self.roots) if self.marking else []
        return self._mask

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
        counts = self.unproved.count + self.apart.count + self.split.count
        return bool(self.kinds or self.missing or self.lost or counts)

    @property
    def texts(self) -> bool:
        """Whether it writes columns otherwise than as doubles, or adds some."""
        return bool(self.names) or self.job.proved_digits is not None

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do beside the values."""
        return not (self.mask or self.extras or self.careful) and self.job.kink == "convention"

    def look(self, program: Program, grid: Grid, engine_name: str) -> None:
        """Count the numbers with few right digits among the first points, of which ``grid`` has the next ones.

        Not where plain doubles and conventions are asked for.
        """
        plain = self.job.careful is False and self.job.kink == "convention"
        if self.careful or plain or self.job.proved_digits or self.looked >= LOOKED:
            return
        first = len(self.coordinates)
        lists: type[Lists | Arrays] = Lists if engine_name == "scalar" else Arrays
        work = trust.work(self.outputs, program, grid, "scalar" if lists is Lists else "vector")
        for block in blocks(work, target=4096):
            points = min(len(block[0]), LOOKED - self.looked)
            values = [column[:points] for column in block[first : first + len(self.targets)]]
            after = len(self.outputs) + first
            errors = [column[:points] for column in block[after : after + len(self.targets)]]
            for k, places in lists.lost(values, errors, False):
                for n in places:
                    count = trust.digits(float(values[k][n]), float(errors[k][n]))
                    if count < self.few_digits and math.isfinite(values[k][n]):
                        self.lost.append((count, self.looked + n, self.targets[k].name))
            self.looked += points
            if self.looked >= LOOKED:
                return

    def work(self, program: Program, grid: Grid, engine_name: str, plain: Callable[[], Work]) -> Work:
        """The work whose columns are coordinates, results and those of ``names``, all of them settled.

        ``plain`` returns the work of the program as it is.
        """
        if self.idle:
            return plain()
        guarded = engine_name == "native" and self.marking
        if guarded or self.careful or self.job.trust:
            # The chunks of a stream have one program.
            axes = tuple([axis.names for axis in grid.axes])
            if (engine_name, axes) not in self._workers:
                self._workers[engine_name, axes] = self._worker(program, axes, engine_name, guarded)
            inner = self._workers[engine_name, axes](grid)
        else:
            inner = plain()
        kept = len(self.coordinates) + len(self.targets)
        make = partial(self._kernel, inner.make, inner.arrays, inner.outputs - kept, guarded)
        return inner._replace(make=make, outputs=kept + len(self.extras))

    def _worker(
        self, program: Program, axes: Sequence[Sequence[str]], engine_name: str, guarded: bool
    ) -> Callable[[Grid], Work]:
        """The works of a program with more outputs: a mask that looks at the results, and errors."""
        outputs = self.outputs
        if guarded:
            first = len(self.coordinates)
            kept = first + len(self.targets)
            mask = outputs[-1] if self.mask else ZERO
            outputs = [*outputs[:kept], guarded_mask(outputs[first:kept], mask)]
            program = build(outputs, axes)
        if self.careful or self.job.trust:
            return trust.worker(outputs, program, axes, engine_name)
        return lambda grid: engine.work(program, grid, engine_name)

    @property
    def marking(self) -> bool:
        """Whether points are marked at all."""
        return self.job.kink != "convention" or self.job.sides or self.job.verdict

    def _kernel(
        self, make: Callable[[], Callable[..., None]], arrays: bool, scratch: int, guarded: bool
    ) -> Callable[..., None]:
        kernel = make()
        kept = len(self.coordinates) + len(self.targets)
        held: list[Any] = []

        def run(ins: Sequence[Any], outs: Sequence[Any], extents: tuple[int, ...]) -> None:
            nonlocal held
            points = math.prod(extents)
            # New memory would be touched for the first time in every block, which takes as long as to compute it.
            if scratch and (not held or len(held[0]) != points):
                held = _columns(scratch, points, arrays)
            kernel(ins, [*outs[:kept], *held], extents)
            self.settle(outs, held, points, arrays, guarded)

        return run

    def settle(self, outs: Sequence[Any], more: Sequence[Any], points: int, arrays: bool, guarded: bool) -> None:
        """Settle a block in place. ``more``: the mask if there is one, then the errors if they are computed.

        ``guarded``: the mask marks results that are not finite, too.
        """
        first, width = len(self.coordinates), len(self.targets)
        count = int(guarded or bool(self.mask))
        mask = more[0] if count else None
        # The errors come in the order of all outputs, coordinates and mask included.
        errors = more[count + first :][:width] if len(more) > count else None
        results = outs[first : first + width]
        if self.extras:
            from gradcli.job.hard_columns import fill

            fill(self, outs, errors, arrays)
        lists = Arrays if arrays else Lists
        rows = lists.marked(results, mask, guarded) if self.marking else []
        lost = [] if errors is None or not self.careful else lists.lost(results, errors, self.job.exact)
        if guarded and rows:
            assert mask is not None
            mask[mask >= ODD] -= ODD
        # Blocks come from several threads.
        with self._lock:
            self.points += points
            if rows or lost:
                self.tiers(arrays).settle(outs, rows, lost, mask if self.mask else None, errors)

    def tiers(self, arrays: bool) -> Tiers:
        """The code that settles marked points, made at the first of them. ``arrays``: the points come in arrays."""
        if self._tiers is None:
            from gradcli.job.tiers import Tiers

            self._tiers = Tiers(self, arrays)
        return self._tiers

    def code(self, word: str) -> float:
        """The number that stands for a verdict in a column."""
        if word not in self.words:
            self.words.append(word)
        return float(self.words.index(word))


def _columns(count: int, points: int, arrays: bool) -> list[Any]:
    if not arrays:
        return [[0.0] * points for _ in range(count)]
    import numpy as np

    return list(np.empty((count, points)))
