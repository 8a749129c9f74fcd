"""Where functions bend, jump or end: the conventions, in both modes of differentiation and on every engine."""

import json
import math

import pytest
from checkout import DATA
from engines import ENGINES, evaluate

from gradcli.calculus.derive import derive
from gradcli.language import parse

CASES = [json.loads(line) for line in (DATA / "kinks.jsonl").read_text().splitlines()]


@pytest.mark.quick
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("mode", ["forward", "reverse", "auto"])
@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['expr']} @ {c['at']} {' '.join(c['expect'])}")
def test_kink(case, mode, engine):
    point = {name: float(value) for name, value in case["at"].items()}
    parsed = parse(case["expr"])
    assert list(parsed.variables) == sorted(point, key=parsed.variables.index)
    ((_, e),) = parsed.outputs
    order = 2 if any(name.startswith("d2f") for name in case["expect"]) else 1
    found = evaluate(derive([("f", e)], list(point), order, mode), point, engine)
    for name, expected in case["expect"].items():
        true, computed = float(expected), found[name]
        if math.isnan(true) or math.isinf(true):
            assert str(computed) == str(true), name
        else:
            assert abs(computed - true) <= 4 * math.ulp(true), name
