"""1,041 points of real expressions with their derivatives to 25 digits: value, gradient and second derivatives.

A number is right when its relative error is at most 1e-12, or at most 16 ulp times the conditioning of that
derivative g: in absolute terms 16 * 2**-52 * sum |x_j * dg/dx_j|, the sum from further exact derivatives.
The data say 0 both for what vanishes and for what is merely tiny beside the value; where the answer is not 0 there, the
truth is found again by differences at 1000 digits. A derivative that vanishes though its formula does not say so
(x*y/x in x) may be off by 16 ulp of |f| / |x|**order, the size of the terms that cancel.
Formulas that cancel in themselves are listed in cancelling.jsonl, each with the sum that does it, and that reason
is checked.
"""

import json
import math
import operator
from collections import defaultdict
from fractions import Fraction
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any, NamedTuple

import accuracy
import pytest
from checkout import DATA
from engines import ENGINES
from mpmath import mp

from gradcli.calculus.derive import derive
from gradcli.expr import CONSTANTS, Expr, reachable
from gradcli.language import parse

SETS = sorted(path.stem for path in (DATA / "derivatives").glob("*.jsonl"))
CLOSE = Fraction(1, 10**12)
STEP = Fraction(16, 2**52)
LEAST = Fraction(math.ulp(0))


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


CANCELLING = lines(DATA / "cancelling.jsonl")
EXCUSED = {(c["expr"], tuple(sorted(c["point"].items())), q) for c in CANCELLING for q in c["quantities"]}


class Miss(NamedTuple):
    """A number beyond both bounds; ``off`` is None where it is not even finite."""

    quantity: str
    off: Fraction | None
    weight: Fraction
    row: dict

    def __str__(self) -> str:
        if self.off is None:
            return f"{self.quantity} is not finite: {self.row['expr']} at {self.row['point']}"
        ulp = float(self.off / (self.weight * Fraction(1, 2**52))) if self.weight else math.inf
        return f"{self.quantity}: {ulp:.3g} ulp times conditioning: {self.row['expr']} at {self.row['point']}"


ROWS = [row for name in SETS for row in lines(DATA / "derivatives" / f"{name}.jsonl")]


def single(text: str) -> Expr:
    ((_, e),) = parse(text).outputs
    return e


def expected(row: dict, names: list[str]) -> dict[tuple[int, ...], Fraction]:
    """Reference numbers by the positions of the variables differentiated in."""
    found = {(): Fraction(row["value"])}
    for key, times in (("grad", 1), ("hess_diag", 2)):
        for name, number in row[key].items():
            found[(names.index(name),) * times] = Fraction(number)
    return found


def label(partial: tuple[int, ...], names: list[str]) -> str:
    return "value" if not partial else f"{('grad', 'hess_diag')[len(partial) - 1]} {names[partial[0]]}"


def misses(rows: list[dict], engine: str) -> list[Miss]:
    """The numbers beyond both bounds at points of one expression."""
    parsed = parse(rows[0]["expr"])
    ((_, e),) = parsed.outputs
    names = list(rows[0]["point"])
    assert set(parsed.variables) == set(names)
    points = [tuple(float(row["point"][name]) for name in names) for row in rows]
    derived = dict(zip(partials(len(names)), [d for _, d in derive([("f", e)], names, 2)], strict=True))
    wanted = [k for k in derived if len(set(k)) < 2]
    columns = accuracy.evaluate([derived[k] for k in wanted], names, points, engine)
    found = []
    for k, column in zip(wanted, columns, strict=True):
        for row, point, computed in zip(rows, points, column, strict=True):
            true = expected(row, names)[k]
            if not math.isfinite(computed):
                found.append(Miss(label(k, names), None, Fraction(0), row))
                continue
            if not true and computed:
                true = truth(e, names, point, k)
            off = abs(Fraction(computed) - true)
            if off > max(CLOSE * abs(true), LEAST):
                weight = conditioning(derived[k], names, point, engine)
                if not true and k:
                    weight += abs(Fraction(row["value"]) / Fraction(point[k[0]]) ** len(k))
                if off > STEP * weight:
                    found.append(Miss(label(k, names), off, weight, row))
    return found


def partials(count: int) -> list[tuple[int, ...]]:
    """All positions of derivatives up to the second order, as derive gives them."""
    return [k for order in range(3) for k in combinations_with_replacement(range(count), order)]


def truth(e: Expr, names: list[str], point: tuple[float, ...], k: tuple[int, ...]) -> Fraction:
    """A derivative by central differences at 1000 digits; 0 where nothing but the last of them is left."""
    with mp.workdps(1000):
        step = mp.mpf(10) ** -60
        shifts = {0: [(0, 1)], 1: [(1, 0.5), (-1, -0.5)], 2: [(1, 1), (0, -2), (-1, 1)]}[len(k)]
        terms = []
        for shift, weight in shifts:
            moved = [mp.mpf(x) + (shift * step if i in k else 0) for i, x in enumerate(point)]
            terms.append(weight * precise(e, dict(zip(names, moved, strict=True))) / step ** len(k))
        total = mp.fsum(terms)
        if abs(total) < max(map(abs, terms)) * mp.mpf(10) ** -900 or abs(total) < mp.mpf(10) ** -330:
            return Fraction(0)
        sign, man, exponent, _ = total._mpf_
        return (-1) ** sign * int(man) * Fraction(2) ** exponent


def precise(e: Expr, at: dict[str, Any]) -> Any:
    """The expression in mpmath's arithmetic; constants as doubles, as everywhere here."""
    found: dict[Expr, Any] = {}
    for node in reachable([e]):
        args = [found[a] for a in node.args]
        if node.op == "var":
            found[node] = at[str(node.value)]
        elif node.op in ("const", "constant"):
            found[node] = mp.mpf(CONSTANTS[node.value] if node.op == "constant" else float(node.value))
        else:
            plain = getattr(operator, {"power": "pow", "div": "truediv"}.get(node.op, node.op), None)
            found[node] = (plain or getattr(mp, node.op))(*args)
    return found[e]


def conditioning(g: Expr, names: list[str], point: tuple[float, ...], engine: str) -> Fraction:
    """sum |x_j * dg/dx_j|; where that is not finite, as at a kink, a variable adds nothing."""
    slopes = accuracy.evaluate([d for _, d in derive([("g", g)], names, 1)], names, [point], engine)[1:]
    terms = [Fraction(x) * Fraction(s) for x, (s,) in zip(point, slopes, strict=True) if math.isfinite(s)]
    return sum(map(abs, terms), Fraction(0))


def excused(miss: Miss) -> bool:
    return (miss.row["expr"], tuple(sorted(miss.row["point"].items())), miss.quantity) in EXCUSED


@pytest.mark.quick
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", SETS)
def test_facts(name, engine):
    by_text = defaultdict(list)
    for row in lines(DATA / "derivatives" / f"{name}.jsonl"):
        by_text[row["expr"]].append(row)
    bad = [str(m) for rows in by_text.values() for m in misses(rows, engine) if not excused(m)]
    assert not bad, f"{len(bad)} wrong:\n" + "\n".join(bad)


@pytest.mark.quick
def test_all_are_there():
    assert len(ROWS) == 1041


@pytest.mark.parametrize("case", CANCELLING, ids=lambda c: c["expr"])
def test_reasons(case):
    """Rounding the one sum named, by a few times half an ulp of its largest term, moves a quantity as far as it is off.

    ``perturbed`` is the expression with + t at that sum, so the derivative in t says what such a rounding does.
    ``overflows`` names instead a part of the expression that is beyond the doubles.
    """
    found = {
        (engine, m.quantity): m
        for engine in ENGINES
        for m in misses([r for r in ROWS if (r["expr"], r["point"]) == (case["expr"], case["point"])], engine)
    }
    assert {q for _, q in found} == set(case["quantities"]), "an excuse nobody needs, or one that is missing"
    names = [*case["point"], "t"]
    point = (*[float(case["point"][name]) for name in case["point"]], 0.0)
    if "overflows" in case:
        assert case["overflows"] in case["expr"]
        assert math.isinf(accuracy.evaluate([single(case["overflows"])], names, [point], "scalar")[0][0])
        return
    e, moved = single(case["expr"]), single(case["perturbed"])
    terms = accuracy.evaluate([single(t) for t in case["terms"]], names, [point], "scalar")
    unit = Fraction(max(abs(v) for (v,) in terms)) / 2**53
    derived = dict(zip(partials(len(names)), [d for _, d in derive([("f", moved)], names, 2)], strict=True))
    same = accuracy.evaluate([e, moved], names, [point], "scalar")
    assert abs(same[0][0] - same[1][0]) <= 4 * math.ulp(same[0][0])
    by_label = {label(k, names): k for k in derived if len(set(k)) < 2}
    for (engine, quantity), miss in found.items():
        ((_, _), (_, slope)) = derive([("g", derived[by_label[quantity]])], ["t"], 1)
        ((value,),) = accuracy.evaluate([slope], names, [point], engine)
        assert miss.off is not None
        assert miss.off <= 4 * unit * abs(Fraction(value)), quantity
