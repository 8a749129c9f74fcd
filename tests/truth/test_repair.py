"""Correctly rounded doubles: the numbers that plain doubles get wrong, refusals with their reason, independence."""

import json
import math
import re
import sys
import threading
from pathlib import Path

import pytest

from gradcli.language import parse
from gradcli.truth.repair import Number, Repair, available

pytestmark = pytest.mark.quick
pytest.importorskip("flint")

DATA = Path(__file__).parents[1] / "data"
HARD = [json.loads(line) for line in (DATA / "numbers.jsonl").read_text().splitlines()]


def powers(column: str) -> dict[str, int]:
    """{"x": 1, "y": 1} for d2f_dxdy."""
    return {name: int(n or 1) for name, n in re.findall(r"d([a-z])(\d*)", column.partition("_")[2])}


def repair(text: str, order: int = 0) -> Repair:
    return Repair(parse(text).outputs[0][1], order)


@pytest.mark.parametrize("case", HARD, ids=lambda case: case["id"])
def test_numbers_that_doubles_get_wrong(case):
    at = {name: float(x) for name, x in case["at"].items()}
    value, why = repair(case["expr"]).number(at, powers(case["want"]), 10_000)
    true = float(case["true"])
    assert why == ""
    assert abs(value - true) <= max(1e-14 * abs(true), math.ulp(0.0))


@pytest.mark.parametrize(
    ("text", "at", "column", "why"),
    [
        ("abs(x)", 0.0, "f_dx", "kink"),
        ("max(x, 2*x)", 0.0, "f_dx", "kink"),
        ("floor(x)", 2.0, "f_dx", "kink"),
        ("x % 2", 4.0, "f_dx", "kink"),
        ("where(x == 0, 0, sin(x)/x)", 0.0, "f_dx", "kink"),
        ("where(x >= 0, x, sin(x))", 0.0, "f_dx", "kink"),
        ("1/x", 0.0, "f", "pole"),
        ("sin(x)/x", 0.0, "f", "pole"),
        ("log(x)", 0.0, "f", "pole"),
        ("sqrt(x)", 0.0, "f_dx", "pole"),
        ("gamma(x)", -2.0, "f", "pole"),
        ("log(x)", -1.0, "f", "domain"),
        ("sqrt(x)", -1.0, "f_dx", "domain"),
        ("x", math.inf, "f", "domain"),
        ("sqrt(sin(x)**2 + cos(x)**2 - 1)", 1.0, "f", "undecided"),
        ("sum(x)", 1.0, "f", "undecided"),
    ],
)
def test_why_there_is_no_number(text, at, column, why):
    assert repair(text).number({"x": at}, powers(column), 10**9) == Number(None, why)


@pytest.mark.parametrize(
    ("text", "at", "column", "value"),
    [
        ("abs(x)", 0.0, "f", 0.0),
        ("abs(x)", -3.0, "f_dx", -1.0),
        ("max(x, 2*x, 5)", 0.0, "f_dx", 0.0),
        ("where(x == 0, 0, sin(x)/x)", 0.0, "f", 0.0),
        ("x**2.5", 0.0, "f_dx2", 0.0),
        ("x**3", 0.0, "f_dx3", 6.0),
        ("0**x", 0.0, "f", 1.0),
        ("(-2)**x", -1e300, "f", 0.0),
        ("x**1000000007", -1.0, "f_dx", 1000000007.0),
        ("sqrt(x)", 0.0, "f", 0.0),
        ("1e-200*x", 1e-200, "f", 0.0),
        ("sin(x)**2 + cos(x)**2 - 1", 1.0, "f", 0.0),
        ("exp(x)", 1e4, "f", math.inf),
        ("1/(1 + exp(x))", 800.0, "f_dx", -0.0),
    ],
)
def test_numbers_at_edges(text, at, column, value):
    assert repair(text).number({"x": at}, powers(column)) == Number(value, "")


def test_decimals_and_pi_mean_their_doubles():
    assert repair("x - 0.1").number({"x": 0.1}, {}) == Number(0.0)
    assert repair("x - pi").number({"x": math.pi}, {}) == Number(0.0)
    assert repair("3*x - 1/3").number({"x": 1 / 9}, {}).value not in (None, 0.0)
    # The slope of x**0.3 has the exponent 0.299...9889 - 1.
    value = repair("diff(x**0.3, x)").number({"x": 1e-300}, {}).value
    assert value == repair("x**0.3").number({"x": 1e-300}, {"x": 1}).value


def test_budget_is_counted():
    zero = repair("sin(x)**2 + cos(x)**2 - 1")
    assert zero.number({"x": 1.0}, {}, 100) == Number(None, "work")
    assert zero.number({"x": 1.0}, {}, 10_000) == Number(0.0)
    assert repair("x*y").number({"x": 3.0, "y": 5.0}, {}, 0) == Number(15.0), "128 bits are always tried"


def test_terms_of_a_mixed_partial():
    from gradcli.truth.partials import terms

    assert terms({}) == ((1, ()),)
    assert terms({"x": 3, "y": 0}) == ((6, (("x", 1),)),)
    assert {steps: weight for weight, steps in terms({"x": 1, "y": 1})} == {
        (("x", 1), ("y", 1)): 1, (("x", 1),): -1, (("y", 1),): -1,
    }  # fmt: skip


def test_the_order_of_calls_does_not_matter():
    text, columns = "exp(x*y)/(x - 1)**2 + x**2.5", ["f", "f_dx", "f_dx2", "f_dxdy", "f_dx2dy", "f_dy3"]
    at = {"x": 1.0 + 1e-9, "y": 0.25}
    alone = [repair(text).number(at, powers(c)) for c in columns]
    shared = repair(text, 3)
    assert [shared.number(at, powers(c)) for c in reversed(columns)][::-1] == alone
    assert shared.numbers([{"x": 2.0, "y": 1.0}, at, at], [powers(c) for c in columns])[1:] == [alone, alone]


def test_lower_orders_survive_a_pole_of_a_higher_one():
    numbers = repair("x**2.5").numbers([{"x": 0.0}], [{"x": k} for k in range(5)])[0]
    assert numbers == [Number(0.0), Number(0.0), Number(0.0), Number(None, "pole"), Number(None, "pole")]


def test_threads_and_flints_own_precision():
    from flint import ctx

    cases = [(repair("sqrt(1 + x**2)", order), {"x": 1e8 + order}, {"x": order}) for order in (1, 2, 3, 7)]
    alone = [r.number(at, p) for r, at, p in cases]
    before, wrong = (ctx.prec, ctx.cap), []

    def work(k: int) -> None:
        for i in range(40):
            r, at, p = cases[(i + k) % len(cases)]
            if r.number(at, p) != alone[(i + k) % len(cases)]:
                wrong.append((i, k))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong
    assert (ctx.prec, ctx.cap) == before


def test_without_flint(monkeypatch):
    assert available()
    monkeypatch.setitem(sys.modules, "flint", None)
    assert not available()
