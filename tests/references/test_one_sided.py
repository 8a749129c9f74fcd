"""The differences of one_sided.py say what the facts of truth.jsonl say, wherever they say something."""

import json
from collections.abc import Callable
from fractions import Fraction

import pytest
from checkout import DATA
from exact_values import FAMILIES, ROWS, Evaluator, Number, Undefined, Unsure, real
from mpmath import mp
from one_sided import UNSAID, Said, side, single
from reference import REFERENCES, points, truth

CASES = [json.loads(line) for line in (DATA / "truth.jsonl").read_text().splitlines()]
pytestmark = pytest.mark.quick


def place(text: str) -> Fraction | Callable[[], Number]:
    """A coordinate: exact, or a function that gives it at the working precision."""
    root = single(text)
    x = Evaluator(root).at({})
    return x if isinstance(x, Fraction) else lambda: Evaluator(root).at({})


def agrees(said: Said, fact: str) -> bool:
    if said in (UNSAID, fact):
        return True
    try:
        a, b = mp.mpf(said), mp.mpf(Fraction(fact).numerator) / Fraction(fact).denominator
    except ValueError:
        return False
    return bool(abs(a - b) <= abs(b) * mp.mpf("1e-18"))


@pytest.mark.parametrize("case", CASES[::9], ids=lambda c: c["expr"])
def test_differences_agree_with_the_facts(case: dict) -> None:
    point = {name: place(text) for name, text in case["point"].items()}
    for sign, name in ((-1, "left"), (1, "right")):
        found = side(single(case["expr"]), point, case["wrt"], sign, case["order"])
        if found == UNSAID:
            continue
        if found is None or case[f"limit_{name}"] is None:
            assert found is None and case[f"limit_{name}"] is None
            continue
        with mp.workdps(50):
            facts = [case[f"limit_{name}"], *case[name]]
            assert all(map(agrees, [found.limit, *found.derivatives], facts)), (found, facts)


@pytest.mark.parametrize("name", sorted(REFERENCES.keys() & (ROWS.keys() | FAMILIES.keys())))
def test_rows_have_the_values_of_the_other_reference(name: str) -> None:
    """Two evaluators by mpmath, written apart."""
    for parameter, at in points(name, 3):
        if any(abs(x) > 100 or 0 < abs(x) < 1e-6 for x in at):
            continue
        true = truth(name, at, parameter)[(0,) * len(at)]
        lead = parameter if isinstance(parameter, tuple) else () if parameter is None else (parameter,)
        args = [x if isinstance(x, int) and name in FAMILIES else Fraction(x) for x in lead]
        try:
            with mp.workdps(60):
                found = real((FAMILIES if name in FAMILIES else ROWS)[name](*args, *map(Fraction, at)))
        except (Undefined, Unsure):
            continue
        if true is not None and not mp.isnan(true):
            assert abs(found - true) <= abs(true) * mp.mpf("1e-28") + mp.mpf("1e-400"), (parameter, at)
