"""Functions at kinks, jumps, holes and poles: the rows of files for every rule, and the true slopes on both sides."""

from __future__ import annotations

import json
import math
import random
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rows_of_files import bits, of_file

from gradcli import function
from gradcli.callables.function import Function
from gradcli.errors import GradError

DATA = Path(__file__).parents[1] / "data"
TRUTH = [json.loads(line) for line in (DATA / "truth.jsonl").read_text().splitlines()]
NUMBERS = [json.loads(line) for line in (DATA / "numbers.jsonl").read_text().splitlines()]
RULES: list[dict[str, Any]] = [
    *[{"kink": kink} for kink in ("derivative", "convention", "left", "right", "mean", "limit", "nan", "error")],
    {"careful": True}, {"exact": True},
]  # fmt: skip
INF, NAN = math.inf, math.nan


def at(case: dict[str, Any]) -> dict[str, float]:
    return {name: function(str(value))() for name, value in case["point"].items()}


def of_rows(text: str, columns: dict[str, Any], **options: Any) -> dict[str, list[int]] | str:
    """The bits of the columns of `gradcli diff` over a file, or its message."""
    careful = {"careful": None} if options.get("exact") else {}
    try:
        return {name: bits(column) for name, column in of_file(text, columns, **(options | careful)).items()}
    except GradError as error:
        return error.message


def of_points(f: Function, columns: dict[str, Any], order: int) -> dict[str, list[int]] | str:
    try:
        rows = [f.partials(*point, order=order) for point in zip(*columns.values(), strict=True)]
    except GradError as error:
        return error.message
    return {name: bits([row[name] for row in rows]) for name in rows[0]}


def of_arrays(f: Function, columns: dict[str, Any], order: int) -> dict[str, list[int]] | str:
    try:
        return {name: bits(column) for name, column in f.partials(**columns, order=order).items()}
    except GradError as error:
        return error.message


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_every_rule_as_in_files(rule: dict[str, Any]) -> None:
    """A quarter of the cases for each rule, all of them for all rules together."""
    cases = [case for case in TRUTH if case["point"]]
    first = RULES.index(rule)
    for case in cases[first % 4 :: 8 if "kink" in rule else 24]:
        columns = {name: [x, x + 0.37, NAN, x, -x] for name, x in at(case).items()}
        # Arguments that are nan one at a time.
        next(iter(columns.values())).append(NAN)
        for column in list(columns.values())[1:]:
            column.append(column[0])
        order = min(case["order"], 2)
        f = function(case["expr"], [case["wrt"]], list(columns), **rule)
        request = {"wrt": [case["wrt"]], "order": order, **rule}
        assert of_points(f, columns, order) == of_rows(case["expr"], columns, engine="scalar", **request), case
        true = of_rows(case["expr"], columns, engine="vector", **request)
        assert of_arrays(f, columns, order) == true, case
        # All of them are marked: what many rows have in common is settled at once.
        many = {name: np.repeat(column[0], 40) for name, column in columns.items()}
        true = of_rows(case["expr"], many, engine="vector", **request)
        assert of_arrays(f, many, order) == true, case


@pytest.mark.parametrize("part", range(4))
def test_true_slopes_on_both_sides(part: int) -> None:
    """Against mpmath's one-sided differences."""
    for case in TRUTH[part::4]:
        if not case["point"] or any("/" in x or "pi" in x for x in case["point"].values()):
            continue  # no double
        point = at(case)
        f = function(case["expr"], [case["wrt"]], list(point))
        if (case["breaks"] or 0) <= 1 and case["id"] != "t187":
            # What only higher derivatives tell is left out.
            assert f.verdict(**point).removesuffix("?") in case["verdict"], case
        for word in ("left", "right"):
            slopes = case[word]
            if slopes is None or slopes[0] in ("oscillates", "unknown"):
                continue
            true = float(slopes[0]) if "inf" in slopes[0] else float(Fraction(slopes[0]))
            side, array = f.side(word), {name: [x] for name, x in point.items()}
            for found in (side.grad(**point)[0], side.grad(**array)[0, 0]):
                assert found == true or abs(found - true) <= 1e-15 * abs(true), (case, word)


@pytest.mark.quick
@pytest.mark.parametrize(("kink", "value", "slope"), [
    ("derivative", 0.0, 0.0), ("convention", 0.0, 0.0), ("left", 0.0, -1.0), ("right", 0.0, 1.0), ("mean", 0.0, 0.0),
    ("limit", 0.0, NAN), ("nan", 0.0, NAN),
])  # fmt: skip
def test_rules_at_a_kink(kink: str, value: float, slope: float) -> None:
    f = function("abs(x)", kink=kink)
    for x in (0, 0.0, np.float64(0)):
        assert f(x) == value and bits(f.grad(x)) == bits(slope)
    assert bits(f.grad([0.0, 2.0])) == bits([slope, 1.0]) == bits(f.grad(np.array([[0.0], [2.0]])))
    assert bits(f.grad(np.array(0.0))) == bits(slope)


@pytest.mark.quick
def test_the_error_names_the_first_hard_point() -> None:
    f = function("abs(x - a)", wrt="x", args="x,a", kink="error")
    message = r"at x=1.0, a=1.0: f has a kink: the slope is -1 on the left, 1 on the right"
    for x in (1.0, [0.0, 1.0, 1.0], np.linspace(0, 2, 40_001), np.linspace(0, 2, 4_000_001)):
        with pytest.raises(GradError, match=message):
            f.grad(x, 1.0)
    assert f.grad(3, 1.0)[0] == 1.0 and f.grad([3.0], 1.0).tolist() == [[1.0]]
    # A point that is refused leaves nothing behind.
    with pytest.raises(GradError, match=r"at x=2.0, a=2.0"):
        f.grad(2.0, 2.0)


@pytest.mark.parametrize("case", NUMBERS[::3], ids=lambda case: case["id"])
def test_digits_are_right_where_asked(case: dict[str, Any]) -> None:
    want = case["want"]
    order = 0 if "_d" not in want else int(want[1 : want.index("f_")] or 1)
    true = Fraction(case["true"])
    for options in ({"careful": True}, {"exact": True}):
        f = function(case["expr"], list(case["at"]), list(case["at"]), **options)
        point = {name: function(str(x))() for name, x in case["at"].items()}
        for found in (f.partials(**point, order=order)[want],
                      f.partials(**{name: [x] for name, x in point.items()}, order=order)[want][0]):  # fmt: skip
            least = max(abs(true) * Fraction(1, 10**14), Fraction(1, 2**1074))
            assert abs(Fraction(float(found)) - true) <= least, (case, options)


@pytest.mark.quick
def test_exact_numbers_are_correctly_rounded() -> None:
    f = function("(1 - cos(x))/x**2")
    assert f.exact(1e-8) == 0.5 and f.exact([1e-8, 1e-9]).tolist() == [0.5, 0.5] and f(1e-8) == 0.0
    assert function("(1 - cos(x))/x**2", careful=True)(1e-8) == 0.5
    assert f.exact.side("left").exact(1e-8) == 0.5


@pytest.mark.quick
def test_verdicts() -> None:
    f = function("max(x, y) + sin(x)/x", wrt="x")
    assert f.verdict(1, 1) == "kink" and f.verdict(x=0, y=1) == "removable" and f.verdict(2, 1) == "smooth"
    assert f.verdict([[0.0, 1.0]], [[1.0], [2.0]]).tolist() == [["removable", "kink"], ["removable", "smooth"]]
    both = function("u = abs(x); v = 1/y").verdict(0, 0)
    names = ["u_verdict_x", "u_verdict_y", "v_verdict_x", "v_verdict_y"]
    assert dict(both) == dict(zip(names, ["kink", "smooth", "undefined", "pole"], strict=True))


@pytest.mark.quick
def test_some_hard_points_among_many() -> None:
    """Each row of an array as that row alone, in every engine; the others are not touched."""
    rng = random.Random(4)
    x = np.array([rng.choice([0.0, -0.0, 1.0, 0.5, NAN, INF, -2.0]) for _ in range(3_000)])
    for engine in ("scalar", "vector", "native"):
        for text in ("abs(x)*a + sin(x)/x", "sqrt(x**4) + log(a*x)", "x**a"):
            f = function(text, args="x,a", engine=engine)
            found = f.hessian(x, 1.5)
            for row in range(0, 3_000, 297):
                assert bits(found[row]) == bits(f.hessian(x[row : row + 1], 1.5)), (engine, text, x[row])
