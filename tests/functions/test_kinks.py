"""Where functions bend, jump or end: the conventions, in both modes of differentiation and on every engine."""

import json
import math

import pytest
from checkout import DATA
from engines import ENGINES, evaluate

from gradcli.calculus.derive import derive
from gradcli.language import parse

CASES = [json.loads(line) for line in (DATA / "kinks.jsonl").read_text().splitlines()]
AT_NAN = [
    *[
        (f"{f}(x)", {"x": "nan"}, {"df_dx": "nan", "d2f_dx2": "nan"})
        for f in ("floor", "ceil", "round", "trunc", "sign")
    ],
    ("heaviside(x,1/2)", {"x": "nan"}, {"df_dx": "nan", "d2f_dx2": "nan"}),
    ("x**2*floor(x)+y", {"x": "1.5", "y": "nan"}, {"df_dx": 3.0, "df_dy": 1}),
    ("floor(y)+x", {"x": "1.5", "y": "nan"}, {"df_dx": 1, "df_dy": "nan", "d2f_dxdy": 0}),
    ("where(x>0,x,0)", {"x": "nan"}, {"df_dx": "nan", "d2f_dx2": "nan"}),
    ("where(x>0,x**2,sin(x))", {"x": "nan"}, {"df_dx": "nan", "d2f_dx2": "nan"}),
    ("exp(where(x>0,y,2*y))", {"x": "nan", "y": "0"}, {"df_dx": "nan", "df_dy": 2, "d2f_dy2": 4}),
    # Of two comparisons the one that met nan; in the branch not taken none.
    ("where(x>0 and y<1,1,y)", {"x": "nan", "y": "2"}, {"df_dx": "nan", "df_dy": 1}),
    ("where(y>0,where(x>0,x,0),y)", {"x": "nan", "y": "-1"}, {"df_dx": 0, "df_dy": 1}),
    ("where(y>0,where(x>0,x,0),y)", {"x": "nan", "y": "1"}, {"df_dx": "nan", "df_dy": 0}),
    # No nan where none was: 0 times an infinite slope.
    ("where(sqrt(x)>1,sqrt(x),0)", {"x": "0"}, {"df_dx": 0}),
]
"""Steps and comparisons that meet nan: the slope is nan in what is nan there, to every order."""
FAR = [
    (f"{f}(x)", {"x": x}, {"f": value, "df_dx": 0, "d2f_dx2": 0})
    for f, *values in (("normcdf", "0", "1"), ("normpdf", "0", "0"), ("erf", "-1", "1"))
    for sign, value in zip(("-", ""), values, strict=True)
    for x in (f"{sign}inf", f"{sign}1e200", f"{sign}40")
]
"""What vanishes far out is 0 at infinity too."""
CASES += [{"expr": expr, "at": at, "expect": expect} for expr, at, expect in AT_NAN + FAR]


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
