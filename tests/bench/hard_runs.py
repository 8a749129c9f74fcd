"""The timed runs of `truth.py`, in a process of their own: `hard_runs.py ROUNDS`.

Prints a JSON line for each figure: what it is, the measured number, what it may be at most or must be at least, and the
times behind it. Times are those of the processor, the least of so many turns, in which what is compared alternates.
"""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcli.compute import engine, trust
from gradcli.compute.execute import empty, whole
from gradcli.compute.grid import Axis, Grid, Held
from gradcli.compute.program import build
from gradcli.expr import Expr, const, var
from gradcli.job.choices import conflicts
from gradcli.job.hard_points import HardPoints
from gradcli.job.parse_at_grid_fill import Points
from gradcli.job.request import Job, Request
from gradcli.language import parse
from gradcli.truth.bounds import bounds
from gradcli.truth.digits import Digits
from gradcli.truth.verdict import Judge

Array = NDArray[np.float64]
Run = Callable[[], object]

PLAIN: Mapping[str, Any] = {"kink": "convention", "careful": False}
MASKED: Mapping[str, Any] = {"careful": False}
FACTS = Path(__file__).parents[1] / "data" / "truth.jsonl"
HARD = [
    "relu(x - 1)*exp(-x)",
    "log(x)/(x - 2)",
    "abs(0.1 + x - 0.3)*sin(x)",
    "sqrt(x**2 + y**2)*atan(y/x)",
    "sin(x)*exp(-y**2) + log(1 + x**2*y**2)",
]
"""Formulas with a plain tie, with singular places, with a tie of decimals, in two variables, and without hazards."""
POINTS = 1_000_000


def _expression(text: str) -> Expr:
    [(_, e)] = parse(text).outputs
    return e


class Rows:
    """A formula with its derivatives at given rows, as a job computes rows that are read, on one thread."""

    def __init__(
        self, text: str, columns: Mapping[str, Array], order: int, by: str, options: Mapping[str, Any]
    ) -> None:
        job = Job(expressions=[text], order=order, engine=by, **options)
        points = Points(job.at, job.grids, job.fill)
        request = Request(job, points.names)
        conflicts(job, request.reductions)
        self.hard = HardPoints(job, request, points)
        results = [e for _, e in request.derived]
        self.outputs = [*map(var, request.points), *results, *self.hard.mask]
        grid = Grid([Axis(request.points, [Held(columns[name]) for name in request.points])])
        self.program = build(self.outputs, [request.points])
        self.hard.begin(self.outputs)
        self.work = self.hard.work(self.program, grid, by, partial(engine.work, self.program, grid, by))
        self.grid, self.by = grid, by
        self.target = engine.block_points(self.program, by)
        self.results = empty(self.work, grid.size)

    def __call__(self) -> None:
        deque(whole(self.work, target=self.target, outs=self.results), maxlen=0)

    @property
    def flagged(self) -> int:
        """The results that have fewer right digits than --careful asks for."""
        work = trust.work(self.outputs, self.program, self.grid, self.by)
        columns = empty(work, self.grid.size)
        deque(whole(work, target=self.target, outs=columns), maxlen=0)
        first, count = len(self.hard.coordinates), len(self.outputs)
        places = range(first, first + len(self.hard.targets))
        return sum(int(np.count_nonzero(trust.flagged(columns[k], columns[count + k]))) for k in places)


def least(runs: Sequence[Run], rounds: int) -> list[float]:
    """The least seconds of processor time of each of ``runs``, which take turns; the first turn is not counted."""
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds + 1):
        for run, found in zip(runs, times, strict=True):
            start = time.process_time()
            run()
            found.append(time.process_time() - start)
    return [min(found[1:]) for found in times]


def tell(
    what: str, number: float, unit: str, most: float | None = None, fewest: float | None = None, by: str = ""
) -> None:
    """``most`` or ``fewest``: what the number has to meet; ``by``: the engine, where that matters."""
    print(
        json.dumps({"what": what, "number": number, "unit": unit, "most": most, "least": fewest, "by": by}), flush=True
    )


def _random(text: str, points: int = POINTS) -> dict[str, Array]:
    rng = np.random.default_rng(1)
    return {name: rng.uniform(0.5, 3, points) for name in parse(text).variables}


def compared(what: str, options: Mapping[str, Any], most: float, rounds: int) -> None:
    """The times of formulas with hazards with ``options`` over those without any treatment of hard points."""
    for by in ("native", "vector"):
        for text in HARD:
            columns = _random(text)
            plain, other = (Rows(text, columns, 2, by, chosen) for chosen in (PLAIN, options))
            before, after = least([plain, other], rounds)
            tell(f"{what}: {text}", after / before, "of plain", most, by=by)


def sides(rounds: int) -> None:
    """Both sides of everything, where one row of 200 lies on a tie."""
    for by in ("native", "vector"):
        for text in HARD[:1]:
            columns = _random(text)
            columns["x"][::200] = 1.0
            plain, both = Rows(text, columns, 2, by, PLAIN), Rows(text, columns, 2, by, {**MASKED, "sides": True})
            before, after = least([plain, both], rounds)
            tell(f"--sides, 0.5 % of the rows on a tie: {text}", after / before, "of plain", 3, by=by)


def singular(rounds: int) -> None:
    """A million rows with a hundred singular points, all of them others."""
    text = "(exp(x) - exp(y))/(x - y)"
    columns = _random(text)
    columns["y"][::10_000] = columns["x"][::10_000]
    for by in ("native", "vector"):
        # A verdict is remembered: every run has a job of its own.
        made = [Rows(text, columns, 2, by, MASKED) for _ in range(rounds + 1)]
        plain = Rows(text, columns, 2, by, PLAIN)
        turns = iter(made)
        before, after = least([plain, lambda turns=turns: next(turns)()], rounds)
        tell(f"100 singular among a million rows, beyond plain: {text}", after - before, "s", 0.5, by=by)


def careful(rounds: int) -> None:
    text, rows = "(1 - cos(x))/x**2", 100_000
    columns = _random(text, rows)
    columns["x"][::100] *= 1e-4
    for by in ("native", "vector"):
        plain, mended = (Rows(text, columns, 2, by, chosen) for chosen in (PLAIN, {"careful": True}))
        count = mended.flagged
        before, after = least([plain, mended], rounds)
        more = (after - 2 * before) / count * 1e6
        tell(f"--careful, 1 % of the rows bad, beyond twice plain, a repaired number: {text}", more, "us", 40, by=by)


def germs(rounds: int) -> None:
    times = []
    for line in FACTS.read_text().splitlines():
        case = json.loads(line)
        root = _expression(case["expr"])
        point = {name: _expression(value) for name, value in case["point"].items()}
        run = lambda r=root, p=point, c=case: Judge(r, c["order"]).along(p, c["wrt"])
        times += [1000 * seconds for seconds in least([run], min(rounds, 3))]
    middle, high = np.percentile(times, [50, 95])
    tell(f"a germ of {len(times)} cases, median", middle, "ms", 1)
    tell("a germ, 95 %", high, "ms", 8)


def digits(rounds: int) -> None:
    for text, order, fewest, thirty in (
        ("sqrt(1 + x**2)*exp(-x)", 2, 25_000, 12_000), ("exp(sin(x))", 10, 5_000, 4_000)
    ):  # fmt: skip
        columns = _random(text, 2_000)
        [seconds] = least([Rows(text, columns, order, "vector", {"exact": True})], rounds)
        tell(f"--exact, order {order}: {text}", 2_000 / seconds, "points/s", fewest=fewest)
        root = _expression(text)
        points = [{"x": const(Fraction(repr(x)))} for x in columns["x"][:500].tolist()]
        powers = [{"x": k} if k else {} for k in range(order + 1)]
        run = lambda r=root, o=order, p=points, k=powers: deque(Digits(r, o).texts(p, k, 30), maxlen=0)
        [seconds] = least([run], rounds)
        tell(f"--digits 30, order {order}: {text}", 500 / seconds, "points/s", fewest=thirty)


def boxes(rounds: int) -> None:
    for text in ("x*exp(-x**2)", "sin(x)/(1 + x**2)", "log(1 + x**2) - atan(x)"):
        run = partial(bounds, _expression(text), {"x": (Fraction(-1), Fraction(3))}, {}, 1e-12)
        [seconds] = least([run], min(rounds, 3))
        tell(f"bounds to 1e-12 over -1 to 3: {text}", 1000 * seconds, "ms", 50)


def main() -> None:
    rounds = int(sys.argv[1])
    compared("mask", MASKED, 1.2, rounds)
    compared("--trust", {**PLAIN, "trust": True}, 2.5, rounds)
    sides(rounds)
    singular(min(rounds, 3))
    careful(rounds)
    germs(rounds)
    digits(rounds)
    boxes(rounds)


if __name__ == "__main__":
    main()
