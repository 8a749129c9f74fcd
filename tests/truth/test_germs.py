"""Germs of every row against the balls in regular points; random expressions against divided differences."""

import json
import math
from fractions import Fraction
from itertools import product

import mpmath
import pytest
from checkout import DATA

pytest.importorskip("flint")

from gradcli.expr import Expr, apply, const, var
from gradcli.functions import NONLOCAL, TABLE, reduces
from gradcli.language import parse
from gradcli.truth.repair import Repair
from gradcli.truth.verdict import Judge

x = var("x")
ONE_SIDED = [json.loads(line) for line in (DATA / "one_sided.jsonl").read_text().splitlines()]
MIXED = [json.loads(line) for line in (DATA / "mixed.jsonl").read_text().splitlines()]
PART = 100
UNSAID = "cannot say"
FEW = 40
"""Of the 1,801 expressions, as many may be unknown: double logarithms, ends of erfinv, gamma at infinity."""

WITHOUT = {"along", "norm_lead", "norm_scale", "prod_lead", "prod_scale", "sum_lost"} | NONLOCAL
"""Rows of all points at once, and conditions, have no germ."""
CONDITIONS = {"lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not", "where", "instead", "defined"}
FIXED = {"betapdf": 2, "polygamma_gap": 0}
"""Arguments before the one that moves, where others would be singular."""


def made(name: str) -> Expr | None:
    """The row with one argument that moves; the others are 5/2, and in which it moves does not matter."""
    row = TABLE[name]
    count = 2 if row.arity[1] is None else row.arity[0]
    if name in WITHOUT | CONDITIONS or (count == 1 and row.arity[1] == 1 and row.reduces):
        return None
    args = [const(Fraction(5, 2))] * max(count, 2 if row.reduces else 1)
    args[-1 if row.unknown else FIXED.get(name, 0)] = x
    e = apply(name, *args, value=(1 if name.startswith("lambertw") else 2) if row.parameter else None)
    return None if reduces(e) else e


REGULAR = [Fraction(3, 8), Fraction(7, 4), Fraction(-1, 8)]


@pytest.mark.quick
@pytest.mark.parametrize("name", [name for name in TABLE if made(name) is not None])
def test_every_row_has_the_derivatives_of_its_ball(name):
    e = made(name)
    judge, repair, judged = Judge(e, 3), Repair(e, 3), 0
    for at in REGULAR:
        truth = judge.along({"x": const(at)}, "x")
        numbers = [repair.number({"x": float(at)}, {"x": k} if k else {}, 100_000) for k in range(4)]
        if any(number.value is None for number in numbers):
            assert truth.verdict == "undefined" or numbers[0].why in ("undecided", "work"), numbers
            continue
        assert (truth.verdict, truth.left) == ("smooth", truth.right), truth
        assert [truth.value, *truth.right] == [number.value for number in numbers]
        judged += 1
    assert judged


def double(text: str | None) -> float:
    with mpmath.workdps(30):
        return math.nan if text in (None, "oscillates") else float(mpmath.mpf(text))


def near(got: float, text: str | None) -> bool:
    true = double(text)
    return (
        (got != got and true != true) or got == true or (math.isfinite(true) and abs(got - true) <= 1e-15 * abs(true))
    )


def differences(case: dict) -> list[str] | None:
    """What is not as the case says; None where the verdict is unknown."""
    e, at = parse(case["expr"]).outputs[0][1], parse(case["x"]).outputs[0][1]
    truth = Judge(e, case["order"]).along({"x": at}, "x")
    if truth.verdict == "unknown":
        return None
    wrong = [] if case["value"] == UNSAID or near(truth.value, case["value"]) else ["value"]
    for side in ("left", "right"):
        limit, true, got = case[f"limit_{side}"], case[side], getattr(truth, side)
        if UNSAID in (limit, true):
            continue
        if (limit is None) != (got is None):
            wrong.append(side)
        elif got is not None:
            pairs = [(getattr(truth, f"limit_{side}"), limit), *zip(got, true, strict=False)]
            wrong += [f"{side} {k}" for k, (a, b) in enumerate(pairs) if b != UNSAID and not near(a, b)]
    return wrong


@pytest.mark.parametrize("part", range(0, len(ONE_SIDED), PART))
def test_random_expressions_have_the_limits_of_their_differences(part):
    unknown = 0
    for case in ONE_SIDED[part : part + PART]:
        wrong = differences(case)
        assert not wrong, (case, wrong)
        unknown += wrong is None
    assert unknown <= FEW * PART // 500


@pytest.mark.parametrize("part", range(0, len(MIXED), PART))
def test_mixed_partials_of_random_expressions(part):
    missing = 0
    for case, (column, powers) in product(
        MIXED[part : part + PART], [("xx", {"x": 2}), ("xy", {"x": 1, "y": 1}), ("yy", {"y": 2})]
    ):
        at = {name: parse(text).outputs[0][1] for name, text in case["at"].items()}
        got = Judge(parse(case["expr"]).outputs[0][1], 2).mixed(at, powers)
        if case[column] == "none":
            assert got is None, case
        elif case[column] != UNSAID:
            missing += got is None
            assert got is None or near(got, case[column]), case
    assert missing <= 3


@pytest.mark.quick
@pytest.mark.parametrize("name", ["atan", "besselj", "gammainc", "tanh", "beta", "lambertw", "softplus"])
def test_a_row_without_a_formula_is_the_series_of_its_ball(name, monkeypatch):
    """As a new row is, before anything is said of it here."""
    from gradcli.truth import germs

    e, at = made(name), {"x": const(Fraction(3, 8))}
    known = Judge(e, 3).along(at, "x")
    for table in ("ROWS", "FAMILIES"):
        monkeypatch.setattr(germs, table, {row: rule for row, rule in getattr(germs, table).items() if row != name})
    assert Judge(e, 3).along(at, "x") == known


@pytest.mark.quick
def test_an_irrational_order_and_an_irrational_shape():
    with mpmath.workdps(30):
        bessel = [mpmath.besselj(mpmath.pi, mpmath.mpf(3) / 4, derivative=k) for k in range(3)]
        gamma = mpmath.gammainc(mpmath.pi, 0, mpmath.mpf(3) / 4, regularized=True)
        density = mpmath.mpf("0.75") ** (mpmath.pi - 1) * mpmath.exp("-0.75") / mpmath.gamma(mpmath.pi)
    for text, true in (("besselj(pi, x)", bessel), ("gammainc(pi, x)", [gamma, density])):
        truth = Judge(parse(text).outputs[0][1], 2).along({"x": const(Fraction(3, 4))}, "x")
        assert [truth.value, *truth.right][: len(true)] == pytest.approx([float(v) for v in true], rel=1e-15)
        assert truth.verdict == "smooth"
