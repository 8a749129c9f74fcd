"""Errors that are kept hold no frames: the collector of circles is off in the command line's process."""

from __future__ import annotations

import gc
from fractions import Fraction

import pytest

from gradcli.expr import const
from gradcli.language import parse
from gradcli.truth.repair import Repair
from gradcli.truth.verdict import Judge

pytestmark = pytest.mark.quick


@pytest.mark.parametrize("text", [
    "sqrt(x*y)", "x*log(y)", "abs(y)/y", "where(log(y) > 0, x, 1/y)", "floor(x)*acosh(y)", "sin(1/y)", "gamma(y)*x",
])  # fmt: skip
def test_a_singular_point_leaves_no_circle(text):
    ((_, root),) = parse(text).outputs
    judge, repair = Judge(root, 2), Repair(root, 2)
    powers = [{}, {"x": 1}, {"y": 1}, {"x": 1, "y": 1}, {"y": 2}]

    def judged(x: float) -> None:
        point = {"x": const(Fraction(x)), "y": const(Fraction(0))}
        judge.along(point, "x")
        judge.along(point, "y")
        judge.mixed(point, {"x": 1, "y": 1})
        for one in powers:
            repair.number({"x": x, "y": 0.0}, one)
        repair.numbers([{"x": x, "y": 0.0}], powers)

    # What is made once for an expression is made.
    judged(1.5)
    # What other tests have left may take several passes, where finalizers release more.
    while gc.collect():
        pass
    gc.disable()
    try:
        judged(2.5)
        assert gc.collect() == 0
    finally:
        gc.enable()
