"""Propagation of distributions by Monte Carlo simulation (JCGM 101:2008, clauses 7 and 8).

Layer: must not know options, files or terminals.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from importlib import import_module
from itertools import count, islice
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcli.caret import counted
from gradcli.compute import engine
from gradcli.compute.program import Program, build
from gradcli.errors import GradError
from gradcli.expr import Expr
from gradcli.limits import memory
from gradcli.limits.threads import in_order
from gradcli.uncertainty.draws import BLOCK, Draws

if TYPE_CHECKING:
    import numpy as np

    from gradcli.uncertainty.sample import Summary

    Array = np.ndarray[Any, np.dtype[np.float64]]

MOST = 1 << 25
"""Trials at which the adaptive procedure gives up, 33 million: 3 s on two cores, 268 MB a result."""
FEWEST = 100
"""Trials for each draw that lies outside the interval, at least (JCGM 101, 7.9.4 a)."""
SEQUENCES = 10
"""Sequences of the adaptive procedure, at least: the standard deviation of two averages, which JCGM 101 is content
with, is off by a factor of ten one time in a dozen."""
_USUAL = 1_000_000
"""Trials that the adaptive procedure is thought to take when the engine is chosen."""
_DRAW = 20
"""Steps of a program that take as long as a draw, some 10 ns."""


@dataclass(frozen=True)
class Plan:
    """How to simulate. ``trials`` None: as many as the adaptive procedure takes (JCGM 101, 7.9).

    ``coverage``: the probability of the intervals. ``threads`` None: as many as pay; the numbers do not depend on them.
    """

    trials: int | None = 1_000_000
    seed: int = 0
    coverage: Fraction = field(default=Fraction(95, 100))
    engine: str = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        fewest = math.ceil(FEWEST / (1 - self.coverage))
        if self.trials is not None and self.trials < fewest:
            raise GradError(
                f"{self.trials:,} trials are too few for intervals of {float(100 * self.coverage):g} %: they take "
                f"{fewest:,} or more (JCGM 101, 7.9.4)",
            )
        if self.trials is None and fewest > MOST:
            raise GradError(
                f"intervals of {float(100 * self.coverage):.12g} % take more than {MOST:,} trials",
                hint="a lower coverage",
            )
        if not 0 <= self.seed < 1 << 128:
            raise GradError("the seed of a simulation is a whole number from 0 to 2**128 - 1")


class MonteCarlo(NamedTuple):
    """The result of a simulation for an output, in its unit: see `sample.Summary` for what is not told here.

    ``coverage``: the probability of both intervals. ``settled``: whether the adaptive procedure found the second digit
    of the uncertainty to be stable (JCGM 101, 7.9.4); None if the number of trials was given.
    """

    mean: float
    u: float
    symmetric: tuple[float, float]
    shortest: tuple[float, float]
    trials: int
    coverage: float
    nonfinite: int = 0
    settled: bool | None = None
    seed: int = 0


class Validation(NamedTuple):
    """Whether the interval of the law of propagation agrees with that of a simulation (JCGM 101, 8.1).

    ``low`` and ``high``: how far their limits lie apart; ``delta``, which they may, is half a unit of the second digit
    of the standard uncertainty.
    """

    validated: bool
    low: float
    high: float
    delta: float


def validate(result: MonteCarlo, value: float, u: float, expanded: float) -> Validation:
    """Compare the interval value +- ``expanded`` with the symmetric one of a simulation of the same coverage.

    >>> result = MonteCarlo(0.0, 1.0, (-1.961, 1.959), (-1.96, 1.96), 10**6, 0.95)
    >>> validate(result, 0.0, 1.0, 1.96).validated
    True
    """
    from gradcli.uncertainty.sample import digit

    low, high = (abs(a - b) for a, b in zip((value - expanded, value + expanded), result.symmetric, strict=True))
    delta = digit(u)
    return Validation(low <= delta and high <= delta, low, high, delta)


def simulate(
    outputs: Sequence[Expr], draws: Draws, fixed: Mapping[str, float], plan: Plan,
    watch: Callable[[int], None] | None = None,
) -> list[MonteCarlo]:  # fmt: skip
    """Return the distribution of each output, simulated with the same draws of the inputs.

    ``fixed``: the values of variables that have no distribution. ``watch`` is called with the number of trials done.
    Draws that give no finite number are left out and counted. The same plan gives the same numbers on any number of
    threads. 8 bytes a trial and output are held, by the adaptive procedure 8 bytes a trial more: raises GradError where
    that is beyond the limit of memory.

    >>> from gradcli.expr import var
    >>> from gradcli.uncertainty.distributions import Distribution
    >>> draws = Draws({"a": Distribution("R", 0.0, 1.0), "b": Distribution("R", 0.0, 1.0)})
    >>> result, = simulate([var("a") + var("b")], draws, {}, Plan(seed=1))
    >>> round(result.u, 2), [round(limit, 2) for limit in result.symmetric]
    (0.82, [-1.55, 1.55])
    """
    program = build(outputs, [draws.names, [*fixed]])
    most = plan.trials or MOST
    held = 8 * most * (len(outputs) + (plan.trials is None))
    memory.check(held, f"{most:,} trials of {counted(len(outputs), 'results')}", "fewer trials, or results")
    run = _Run(program, draws, fixed, plan)
    if plan.trials is None:
        return run.adaptive(watch)
    return run.given(plan.trials, watch)


class _Run:
    """A simulation: the kernels of a program, one for each thread that is at work."""

    def __init__(self, program: Program, draws: Draws, fixed: Mapping[str, float], plan: Plan) -> None:
        import numpy as np

        self.program, self.draws, self.plan = program, draws, plan
        self.fixed = {name: np.array([value]) for name, value in fixed.items()}
        trials = plan.trials or _USUAL
        load = program.length * trials
        chosen = engine.chosen(plan.engine, load, program.length)[0]
        # Small programs are chosen for plain Python, which draws would be converted for.
        self.engine = "vector" if plan.engine == "auto" and chosen == "scalar" else chosen
        self.threads = engine.threads(plan.threads, load + _DRAW * len(draws.names) * trials, self.engine)
        self.idle: deque[dict[int, Callable[..., None]]] = deque()

    def kernel(self, size: int) -> Callable[..., None]:
        backend = import_module(f"gradcli.compute.backends.{self.engine}")
        made = backend.ready(self.program, [size, 1])() if self.engine == "native" else backend.kernel(self.program)
        kernel: Callable[..., None] = made
        return kernel

    def block(self, index: int, outs: Sequence[Array]) -> int:
        """Fill the columns of outputs with block ``index``, and return how many trials it has."""
        import numpy as np

        size = len(outs[0])
        # Threads have this state each. Draws beyond the range of doubles are infinite, and counted.
        with np.errstate(over="ignore"):
            columns = dict(zip(self.draws.names, self.draws.block(self.plan.seed, index, size), strict=True))
        ins = [(self.fixed if axis else columns)[name] for name, axis in self.program.inputs]
        # Kernels hold scratch memory for blocks of one size, which threads must not share.
        try:
            kernels = self.idle.pop()
        except IndexError:
            kernels = {}
        kernel = kernels.get(size) or kernels.setdefault(size, self.kernel(size))
        if self.engine == "scalar":
            lists = [[0.0] * size for _ in outs]
            kernel([column.tolist() for column in ins], lists, (size, 1))
            for out, values in zip(outs, lists, strict=True):
                out[:] = values
        else:
            kernel(ins, outs, (size, 1))
        self.idle.append(kernels)
        return size

    def filled(
        self, parts: Iterable[tuple[int, Sequence[Array]]], watch: Callable[[int], None] | None
    ) -> Iterator[int]:
        """Fill the columns of each part, an index and columns, and yield the number of trials so far, in order."""
        tasks: Iterator[Callable[[], int]] = (partial(self.block, index, outs) for index, outs in parts)
        done = 0
        for size in in_order(tasks, self.threads) if self.threads > 1 else (task() for task in tasks):
            done += size
            if watch is not None:
                watch(done)
            yield done

    def given(self, trials: int, watch: Callable[[int], None] | None) -> list[MonteCarlo]:
        """A number of trials that was given (JCGM 101, 7.2 to 7.7)."""
        import numpy as np

        held = np.empty((len(self.program.outputs), trials))
        parts = ((k, [row[k * BLOCK : (k + 1) * BLOCK] for row in held]) for k in range(-(-trials // BLOCK)))
        for _ in self.filled(parts, watch):
            pass
        return [self.result(row, None) for row in held]

    def adaptive(self, watch: Callable[[int], None] | None) -> list[MonteCarlo]:
        """Sequences of trials until all results are stable, or too many (JCGM 101, 7.9.4)."""
        import numpy as np

        outputs = len(self.program.outputs)
        each = -(-math.ceil(FEWEST / (1 - self.plan.coverage)) // BLOCK)
        held: list[Array] = []

        def parts() -> Iterator[tuple[int, Sequence[Array]]]:
            for index in count():
                if index % each == 0:
                    held.append(np.empty((outputs, each * BLOCK)))
                start = index % each * BLOCK
                # The sequence is read now: with threads, later ones exist when this one is filled.
                yield index, [row[start : start + BLOCK] for row in held[-1]]

        filled = self.filled(parts(), watch)
        stability = [_Stability(self.plan.coverage) for _ in range(outputs)]
        sequences, settled = 0, False
        while not settled and (sequences + 1) * each * BLOCK <= MOST:
            for _ in islice(filled, each):
                pass
            for output, known in enumerate(stability):
                known.add(held[sequences][output].copy())
            sequences += 1
            settled = all(known.settled for known in stability)
        filled.close()  # type: ignore[attr-defined]
        del held[sequences:]
        return [self.result(np.concatenate([block[k] for block in held]), stability[k].settled) for k in range(outputs)]

    def result(self, values: Array, settled: bool | None) -> MonteCarlo:
        from gradcli.uncertainty.sample import summary

        found = summary(values, self.plan.coverage)
        return MonteCarlo(
            found.mean, found.u, found.symmetric, found.shortest, len(values), float(self.plan.coverage),
            found.nonfinite, settled, self.plan.seed,
        )  # fmt: skip


class _Stability:
    """The summaries of the sequences of an output, and whether their averages are stable (JCGM 101, 7.9.4 e to j)."""

    def __init__(self, coverage: Fraction) -> None:
        self.coverage = coverage
        self.seen: list[Summary] = []
        self.size = 0
        self.settled = False

    def add(self, values: Array) -> None:
        """Add a sequence, whose draws are rearranged."""
        from gradcli.uncertainty.sample import digit, summary

        self.size = len(values)
        self.seen.append(summary(values, self.coverage))
        h = len(self.seen)
        if all(known.nonfinite == self.size for known in self.seen):
            # No draw has a result, and none of the next ones is waited for.
            self.settled = True
            return
        if h < SEQUENCES:
            return
        columns = [
            [s.mean for s in self.seen],
            [s.u for s in self.seen],
            *zip(*[s.symmetric for s in self.seen], strict=True),
        ]
        # Scaled, since the squares of large numbers overflow.
        largest = max(max(map(abs, column)) for column in columns)
        if not 0 < largest < math.inf:
            self.settled = largest == 0
            return
        spreads = [_spread([v / largest for v in column]) for column in columns]
        within = math.fsum([(s.u / largest) ** 2 for s in self.seen]) * (self.size - 1)
        between = spreads[0] ** 2 * (h - 1) * self.size
        u = math.sqrt((within + between) / (h * self.size - 1)) * largest
        self.settled = all(2 * spread / math.sqrt(h) * largest <= digit(u) for spread in spreads)


def _spread(values: Sequence[float]) -> float:
    """Return the standard deviation of some numbers."""
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum([(v - mean) ** 2 for v in values]) / (len(values) - 1))
