"""Verdicts of random expressions against differences of a thousand digits, made by references/one_sided.py."""

import json
import math
from fractions import Fraction
from typing import Any

import pytest
from checkout import DATA
from mpmath import mp

from gradcli.expr import Expr, const
from gradcli.job.kink_rules import derivative
from gradcli.language import parse

verdict = pytest.importorskip("gradcli.truth.verdict")
pytestmark = pytest.mark.quick

PATH = DATA / "one_sided.jsonl"
LINES = PATH.read_text().splitlines()
MIXED = (DATA / "mixed.jsonl").read_text().splitlines()
PARTS = 8
UNDECIDED = 0.03
"""The share of cases that may be `unknown`."""


def single(text: str) -> Expr:
    ((_, e),) = parse(text).outputs
    return e


def wrong(computed: float, said: str) -> bool:
    """Whether a number contradicts the reference, which may have said nothing."""
    if said == "cannot say":
        return False
    if said == "oscillates":
        return not math.isnan(computed)
    if said.endswith("inf"):
        return computed != float(said)
    with mp.workdps(40):
        true = mp.mpf(said)
        if abs(true) > mp.mpf(1.7976931348623157e308):
            return not math.isinf(computed)
        return math.isnan(computed) or abs(computed - true) > max(abs(true) * mp.mpf("2e-16"), mp.mpf(2) ** -1074)


def contradictions(case: dict[str, Any], truth: Any) -> list[str]:
    found = []
    for name in ("left", "right"):
        said, computed = case[name], getattr(truth, name)
        if said == "cannot say":
            continue
        if (said is None) != (computed is None):
            found.append(f"{name}: {computed} is not {said}")
            continue
        if said is None:
            continue
        limit = getattr(truth, f"limit_{name}")
        pairs = zip([limit, *computed], [case[f"limit_{name}"], *said], strict=True)
        found += [f"{name} {k}: {a!r} is not {b}" for k, (a, b) in enumerate(pairs) if wrong(a, b)]
    said = case["value"]
    if said is None and math.isfinite(truth.value):
        found.append(f"value: {truth.value!r}, where there is none")
    elif said is not None and wrong(truth.value, said):
        found.append(f"value: {truth.value!r} is not {said}")
    return found


@pytest.mark.parametrize("part", range(PARTS))
def test_no_verdict_contradicts_differences_of_a_thousand_digits(part: int) -> None:
    bad, undecided = [], 0
    lines = LINES[part::PARTS]
    for case in map(json.loads, lines):
        truth = verdict.Judge(single(case["expr"]), case["order"]).along({"x": const(Fraction(case["x"]))}, "x")
        if truth.verdict == "unknown":
            undecided += 1
            continue
        bad += [f"{case['expr']} at {case['x']}: {why}" for why in contradictions(case, truth)]
    assert not bad, "\n".join(bad[:20])
    assert undecided <= UNDECIDED * len(lines)


def test_mixed_partials_are_those_of_rectangles_in_four_quadrants() -> None:
    """Where there is none, none may be said; where there is one, "cannot say" is allowed."""
    bad = []
    for case in map(json.loads, MIXED):
        point = {name: const(Fraction(x)) for name, x in case["at"].items()}
        judge = verdict.Judge(single(case["expr"]), 2)
        computed = judge.mixed(point, {"x": 1, "y": 1})
        said = "oscillates" if case["xy"] == "none" else case["xy"]
        if computed is not None and wrong(computed, said):
            bad.append(f"{case['expr']} at {case['at']}: {computed!r} is not {case['xy']}")
    assert not bad, "\n".join(bad[:20])


def test_pure_second_partials_are_those_of_both_sides() -> None:
    bad = []
    for case in map(json.loads, MIXED):
        point = {name: const(Fraction(x)) for name, x in case["at"].items()}
        judge = verdict.Judge(single(case["expr"]), 2)
        for wrt, said in (("x", case["xx"]), ("y", case["yy"])):
            truth = judge.along(point, wrt)
            if truth.verdict == "unknown":
                continue
            found = derivative(truth, 2)
            computed = math.nan if found is None else found
            if wrong(computed, "oscillates" if said == "none" else said):
                bad.append(f"{case['expr']} at {case['at']} in {wrt}: {computed!r} is not {said}")
    assert not bad, "\n".join(bad[:20])
