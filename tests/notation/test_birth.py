"""Birth certificates: the step at which a number that is not finite began, in the words that a user reads."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gradcli.calculus.derive import derive
from gradcli.calculus.leibniz import read
from gradcli.compute.backends.scalar import at_point
from gradcli.expr import BOOLEANS, apply, const, var
from gradcli.functions import NONLOCAL, SPELLED, TABLE, Function
from gradcli.language import parse
from gradcli.notation.explain.birth import Birth, Written, birth
from gradcli.notation.explain.reasons import reason

pytestmark = pytest.mark.quick

DATA = Path(__file__).parents[1] / "data"


def births(source: str, order: int, point: Mapping[str, float], limits: str = "") -> list[Birth]:
    """The certificates of the value and of all derivatives of a text's last output."""
    parsed = parse(source, point)
    name, e = parsed.outputs[-1]
    wrt = list(parsed.variables)
    written = Written(parsed, e, wrt, order)
    derived = derive([(name or "f", e)], wrt, order)
    orders = read([column for column, _ in derived], wrt)
    made = [
        birth(written, column, root, point, derivative.total, limits=limits)
        for (column, root), derivative in zip(derived, orders, strict=True)
    ]
    return [certificate for certificate in made if certificate is not None]


CASES = [json.loads(line) for line in (DATA / "births.jsonl").read_text().splitlines()]
"""Texts, orders and points, and the certificates of all columns line by line."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["expression"])
def test_certificate(case: dict[str, Any]) -> None:
    point = {name: float(value) for name, value in case["at"].items()}
    told = [str(certificate.error()) for certificate in births(case["expression"], case["order"], point)]
    assert "\n".join(told).split("\n") == case["lines"]


def test_what_is_finite_has_none() -> None:
    assert births("x*log(x)", 3, {"x": 2.0}) == []


def test_a_step_without_a_word_is_told_by_its_text() -> None:
    slope, _ = births("beta(x, y)", 1, {"x": -0.5, "y": 0.5})
    assert slope.why == "0 times inf in the slope of beta at (-0.5, 0.5)"
    assert slope.values == "beta(x, y) is -0, digamma(x + y) - digamma(x) is -inf"
    (slope,) = births("lambertw(x) - x", 1, {"x": -1.0})[1:]
    assert "lambertw" in slope.why
    assert "lambertw_" not in slope.why + slope.values


def test_the_limits_end_the_last_line() -> None:
    (certificate,) = births("x*log(x)", 0, {"x": 0.0}, "from the right f -> 0")
    assert certificate.values == "x is 0, log(x) is -inf (born at log(x): log of 0); from the right f -> 0"


def test_the_place_stands_in_front() -> None:
    (certificate,) = births("1/x", 0, {"x": 0.0})
    assert certificate.error("row 3 (x=0)").message == "row 3 (x=0): f is inf here: division by 0"


def test_the_members() -> None:
    (certificate,) = births("1 + 1/x", 0, {"x": -0.0})
    assert certificate.member() == {
        "column": "f", "value": "-inf", "text": "division by 0; x is -0", "span": [4, 7], "source": "1 + 1/x",
    }  # fmt: skip


# Every row.

VALUES = (0.0, -0.0, 1.0, -1.0, 2.0, 0.5, -0.5, -2.0, 3.0)
ROWS = [
    row for row in TABLE.values()
    if (row.edges or row.poles) and row.name not in BOOLEANS and row.name not in NONLOCAL
]  # fmt: skip
"""Every row with an edge or a pole."""
FINITE = {
    "abs", "acot", "cbrt", "ceil", "clip", "copysign", "floor", "heaviside", "max", "min", "relu", "round", "sec",
    "sign", "tan", "trunc",
}  # fmt: skip
"""Those that are finite wherever their arguments are: what has an edge there is a slope, or a pole is no double."""


def points(row: Function) -> list[tuple[float, ...]]:
    """Arguments on and beside the edges."""
    return list(itertools.product(VALUES, repeat=row.arity[0] if row.arity[1] else 2))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_with_an_edge_or_a_pole_has_a_sentence(row: Function) -> None:
    """A sentence says more than the function and its arguments."""
    names = "xyz"[: len(points(row)[0])]
    e = apply(row.name, *map(var, names), value=1 if row.parameter else None)
    bad = 0
    for point in points(row):
        (value,) = at_point([e], dict(zip(names, point, strict=True)))
        if not math.isfinite(value):
            bad += 1
            text = reason(e, point, float(value))
            assert any(
                word in text
                for word in ("a pole of", "domain", "of 0", "by 0", "0/0", "0 to a", "negative", "infinite at")
            ), (point, value, text)
    assert (bad == 0) == (row.name in FINITE)


@pytest.mark.parametrize("row", [row for row in ROWS if row in SPELLED.values()], ids=lambda row: row.name)
def test_the_slope_of_every_row_has_a_place(row: Function) -> None:
    """What is not finite in a derivative of a call is told at that call."""
    names = list("xyz"[: len(points(row)[0])])
    arguments = ["1", *names] if row.parameter and row.made is None else names
    arguments = ["0", "x"] if row.made is not None and row.parameter else arguments
    call = {"div": "x/y", "power": "x**y", "mod": "x % y"}.get(row.name, f"{row.name}({', '.join(arguments)})")
    source = f"7 + {call}"
    parsed = parse(source)
    (_, e) = parsed.outputs[0]
    unknown = {name for name, known in zip(names, row.arguments, strict=False) if known in row.unknown}
    wrt = [name for name in names if name not in unknown]
    written = Written(parsed, e, wrt, 1)
    for column, root in derive([("f", e)], wrt, 1):
        for point in points(row):
            certificate = birth(written, column, root, dict(zip(names, point, strict=True)), 1)
            if certificate is not None:
                assert certificate.span is not None
                assert source[slice(*certificate.span)] == call, (point, certificate)
                assert certificate.why


# Hostile texts.


def test_control_characters_do_not_reach_the_terminal() -> None:
    name = "a\x1b[31m\u202e::"
    (certificate,) = births(f"1/`{name}`", 0, {name: 0.0})
    assert str(certificate.error()).split("\n") == [
        "f is inf here: division by 0",
        "  1/`a\\x1b[31m\\u202e::`",
        "  ^^^^^^^^^^^^^^^^^^^^^",
        "  `a\\x1b[31m\\u202e::` is 0",
    ]


def test_ten_thousand_steps_deep() -> None:
    source = "log(" + "sin(" * 10_000 + "x" + ")" * 10_000 + ") + 1"
    value, slope = births(source, 1, {"x": 0.0})
    assert (value.why, value.span) == ("log of 0", (0, len(source) - 4))
    assert value.values == "sin(sin(sin(sin(sin(sin(sin(sin(sin(s... is 0"
    assert slope.why == "division by 0 in the slope of log at 0"


def test_ten_thousand_terms() -> None:
    source = " + ".join([f"sin({k}*x)" for k in range(1, 10_000)] + ["log(x)"])
    value, slope = births(source, 1, {"x": 0.0})
    assert source[slice(*(value.span or ()))] == source[slice(*(slope.span or ()))] == "log(x)"


def test_a_constant_alone() -> None:
    (certificate,) = births("1/0", 0, {})
    assert str(certificate.error()) == "f is inf here: division by 0\n  1/0\n  ^^^"
    assert reason(apply("div", const(1), const(0)), [1.0, 0.0], math.inf) == "division by 0"
