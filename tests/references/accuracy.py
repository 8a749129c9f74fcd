"""How accurate is every function of the table, at every order, on every engine? Measured against the references.

    python tests/references/accuracy.py [--points N] [--functions sin,tanh] [--engine NAME|all] [--markdown]

Two errors are shown: the raw one in ulp of the true number, and in brackets the conditioned one, which is divided by
one plus the ulp that half an ulp of every argument may move the true number: half its conditioning number. What LIMITS
excuses is left out.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import NamedTuple

# As a command it runs in a checkout, without pytest's paths.
sys.path.extend(str(Path(__file__).parents[2] / folder) for folder in (".", "tests/compute"))

import reference
from engines import ENGINES, run
from reference import FIXED_POWERS, ORDER, REFERENCES, Mark, Parameter, Point

from gradcli.calculus.derive import derive
from gradcli.compute.program import build
from gradcli.expr import ZERO, Expr, apply, const, var
from gradcli.functions import TABLE
from gradcli.functions.row import named

LETTERS = ("x", "y", "z")


class Finding(NamedTuple):
    """One number that an engine computed: what it is, how wrong, and how wrong it might be."""

    engine: str
    partial: str
    order: int
    parameter: Parameter
    at: Point
    computed: float
    true: float
    off: float
    allowed: float
    conditioning: float

    @property
    def conditioned(self) -> float:
        """The error beside what half an ulp of the arguments does to the true number."""
        return self.off / (1 + self.conditioning / 2) if self.off else 0.0

    @property
    def share(self) -> float:
        """Of the allowance; above 1 is a failure."""
        return self.off / self.allowed if self.off else 0.0


def expression(name: str, parameter: Parameter = None) -> Expr:
    """The function applied to variables x, y, z."""
    if name in FIXED_POWERS:
        return apply("power", var("x"), const(FIXED_POWERS[name][0]))
    x = [var(letter) for letter in LETTERS[: len(REFERENCES[name].domain)]]
    if name == "where":
        x[0] = apply("gt", x[0], ZERO)
    if isinstance(parameter, tuple):
        return (TABLE[name].made or named(name))(*map(const, parameter), *x)
    return apply(name, *x, value=parameter)


def error(name: str) -> float:
    """The ulp that the row allows a value to be off."""
    return TABLE["power" if name in FIXED_POWERS else name].error


def evaluate(outputs: Sequence[Expr], names: Sequence[str], at: Sequence[Point], engine: str) -> list[list[float]]:
    """One list of values per output, over points that are rows of one axis."""
    program = build(outputs, [tuple(names)])
    columns = [[point[names.index(name)] for point in at] for name, _ in program.inputs]
    return run(program, columns, (len(at),), engine)


@cache
def judged(name: str, count: int, seed: int) -> dict[Parameter, list[tuple[Point, dict[tuple[int, ...], Mark]]]]:
    """Points by parameter, each with what is true there."""
    found: dict[Parameter, list[tuple[Point, dict[tuple[int, ...], Mark]]]] = {}
    for parameter, at in reference.points(name, count, seed):
        found.setdefault(parameter, []).append((at, reference.marks(name, at, parameter)))
    return found


def findings(name: str, engine: str, count: int, seed: int = 1) -> Iterator[Finding]:
    """Every number of every partial up to order 4 at ``count`` points."""
    names = LETTERS[: len(reference.reference(name).domain)]
    for parameter, rows in judged(name, count, seed).items():
        derived = derive([("f", expression(name, parameter))], names, ORDER)
        indices = [k for order in range(ORDER + 1) for k in reference.indices(len(names), order)]
        values = evaluate([e for _, e in derived], names, [at for at, _ in rows], engine)
        for (partial, _), index, column in zip(derived, indices, values, strict=True):
            for (at, marks), computed in zip(rows, column, strict=True):
                if index in marks:
                    true = marks[index]
                    order = sum(index)
                    yield Finding(
                        engine, partial, order, parameter, at, computed, true.nearest,
                        reference.off(computed, true), reference.allowance(error(name), order, true), true.conditioning,
                    )  # fmt: skip


def whole(f: Finding) -> bool:
    """Whether the order of a Bessel function is a whole number."""
    return not isinstance(f.parameter, tuple)


LIMITS = {
    "power": ("a base or a power so small that a factor leaves the range of a double before the product does",
              lambda f: abs(f.at[0]) < 1e-76 or abs(f.true) < 1e-290),
    "div": ("a third derivative within a factor 10 of the largest double", lambda f: abs(f.true) > 1e307),
    "gamma": ("a value that has lost digits, below x = -170; orders 3 and 4 just before overflow, above 171",
              lambda f: abs(f.true) < 1e-300 or (f.order >= 3 and f.at[0] > 171)),
    "bessely": ("neighbouring orders both overflow next to 0, of an order that is not whole; SciPy's kernel below 25, "
                "next to zeros and where the order is not whole",
                lambda f: (not whole(f) and f.at[0] < 1e-20)
                or (f.at[0] < 25 and f.off < (80 if whole(f) else 1000))),
    "besselj": ("SciPy's kernel below 25 (64 where the order is not whole) and next to zeros; neighbouring orders both "
                "overflow next to 0",
                lambda f: abs(f.at[0]) < 1e-40 or (abs(f.at[0]) < (25 if whole(f) else 64)
                                                   and f.off < (80 if whole(f) else 1000))),
    "besseli": ("neighbouring orders both overflow next to 0, of an order that is not whole",
                lambda f: not whole(f) and f.at[0] < 1e-40),
    "besselk": ("256 ulp where the order is not whole", lambda f: not whole(f) and f.off < 256),
    "beta": ("mixed derivatives with an argument below 1: terms that cancel, which betaln has not",
             lambda f: "dx" in f.partial and "dy" in f.partial and min(f.at) < 1),
    **dict.fromkeys(
        ("betainc", "gammainc", "gammaincc"),
        ("numbers below 1e-290, and derivatives above 1e307", lambda f: not 1e-290 < abs(f.true) < 1e307),
    ),
    **dict.fromkeys(
        ("airyai", "airyaiprime"), ("orders 2 to 4 for x from 1 to 3, where SciPy's kernel is up to 128 ulp off",
                                    lambda f: f.order > 1 and 1 < f.at[0] < 3 and f.share < 4),
    ),
    "factorial": ("orders 3 and 4 just before overflow, above 170; a value that has lost digits, below x = -171",
                  lambda f: abs(f.true) < 1e-300 or (f.order >= 3 and f.at[0] > 170)),
    "lgamma": ("next to its zero at -2.457", lambda f: f.order == 0 and -3 < f.at[0] < -2 and f.off < 32),
    **{
        name: ("a power leaves the range of a double before its factor brings it back",
               lambda f: not 1e-300 < abs(f.true) < 1e307)
        for name in FIXED_POWERS
    },
}  # fmt: skip
"""What is beyond the allowance, why, and where, as docs/accuracy.md lists it. No row may exceed it anywhere else."""


def limited(name: str, f: Finding) -> bool:
    return name in LIMITS and LIMITS[name][1](f)


class Worst(NamedTuple):
    """The worst findings of one order by three measures."""

    raw: Finding
    conditioned: Finding
    share: Finding


def worst(name: str, engines: Sequence[str], count: int, seed: int = 1) -> tuple[str, list[Worst], list[Finding]]:
    """The worst findings per order, and all that exceed their allowance."""
    top: dict[int, Worst] = {}
    failures = []
    for engine in engines:
        for f in findings(name, engine, count, seed):
            if f.share > 1 and limited(name, f):
                continue
            old = top.get(f.order, Worst(f, f, f))
            top[f.order] = Worst(
                max(old.raw, f, key=lambda g: g.off),
                max(old.conditioned, f, key=lambda g: g.conditioned),
                max(old.share, f, key=lambda g: g.share),
            )
            if f.share > 1:
                failures.append(f)
    return name, [top[k] for k in sorted(top)], failures


def shown(worst: Worst) -> str:
    """The raw error in ulp, and the conditioned one in brackets."""
    return f"{_short(worst.raw.off)} ({_short(worst.conditioned.conditioned)})"


def _short(size: float) -> str:
    return "wrong" if math.isinf(size) else f"{size:.2f}" if size < 100 else f"{size:.1e}"


def describe(f: Finding) -> str:
    """A finding in one line."""
    at = ", ".join(f"{letter}={x!r}" for letter, x in zip(LETTERS, f.at, strict=False))
    n = "" if f.parameter is None else f"{f.parameter}, "
    said = f"{f.computed!r}, true {f.true!r}, {f.off:.3g} ulp of {f.allowed:.3g} allowed"
    return f"{f.partial} ({f.engine}) at {n}{at}: {said}"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--points", type=int, default=2000, help="points per function (default 2000)")
    options.add_argument("--functions", help="names, separated by commas (default all)")
    options.add_argument("--engine", choices=(*ENGINES, "all"), default="all")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--failures", type=int, default=0, metavar="N", help="show N per function and partial")
    options.add_argument("--markdown", action="store_true", help="print the table of docs/accuracy.md")
    chosen = options.parse_args()
    names = chosen.functions.split(",") if chosen.functions else [*REFERENCES, *FIXED_POWERS]
    engines = ENGINES if chosen.engine == "all" else (chosen.engine,)
    tasks = [(name, engines, chosen.points, chosen.seed) for name in names]
    bad = 0
    if chosen.markdown:
        print("| function | value | 1st | 2nd | 3rd | 4th |\n|---|---|---|---|---|---|")
    with ProcessPoolExecutor() as pool:
        for name, top, failures in pool.map(worst, *zip(*tasks, strict=True)):
            bad += bool(failures)
            if chosen.markdown:
                print(f"| {name} | {' | '.join(map(shown, top))} |", flush=True)
                continue
            mark = f"{len(failures)} FAILURES" if failures else "ok"
            print(f"{name:12} {'  '.join(f'{shown(w):>18}' for w in top)}  {mark}", flush=True)
            for w in top:
                f = w.share
                if f.share > 1:
                    print(f"    worst order {f.order}: {describe(f)}")
            seen: dict[tuple[str, str], int] = {}
            for f in failures:
                key = f.engine, f.partial
                seen[key] = seen.get(key, 0) + 1
                if seen[key] <= chosen.failures:
                    print(f"        {describe(f)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
