"""Plain ties in arrays are settled a column at a time: as in lists, row by row."""

from __future__ import annotations

import math
from typing import Any

import pytest

from gradcli.compute import engine
from gradcli.job import Job, Rows, run
from gradcli.job.choices import RULES

pytestmark = pytest.mark.quick

TIES = [
    "relu(x - 1)*x**2",
    "relu(x) - relu(-x)",
    "where(x < 1, x, 2*x)",
    "where(x == 1, 5, x)",
    "floor(x)*x",
    "abs(x)*1e-11 + x",
    "min(x, 1, x**2)",
    "abs(abs(x) - 1)",
    "y = abs(x); z = floor(x)*x",
    "relu(x - t) + abs(t)",
]
"""Rational formulas, which have the same doubles by every engine."""


def told(expression: str, engine_name: str, **request: Any) -> tuple[list[Any], dict[str, int]]:
    grids = ["x=-2:2:9", *(["t=-1:1:5"] if "t)" in expression else [])]
    result = run(Job([expression], grids=grids, engine=engine_name, careful=False, **request))
    columns = [c.plain() if hasattr(c, "plain") else [repr(float(v)) for v in c] for c in result.whole()]
    assert result.hard is not None
    return columns, dict(result.hard.kinds)


@pytest.mark.parametrize("expression", TIES)
@pytest.mark.parametrize("rule", sorted({*RULES} - {"error"}))
def test_ties_at_once_are_those_row_by_row(expression: str, rule: str) -> None:
    for order in (0, 1, 2):
        for more in ({}, {"sides": True}):
            by_row = told(expression, "scalar", order=order, kink=rule, **more)
            assert told(expression, "vector", order=order, kink=rule, **more) == by_row


@pytest.mark.parametrize("options", [{}, {"trust": True}, {"careful": True}])
def test_a_stream_compiles_its_program_once(options: dict[str, bool], tmp_path: Any, monkeypatch: Any) -> None:
    pytest.importorskip("llvmlite")
    path = tmp_path / "rows.csv"
    path.write_text("x\n" + "1.5\n" * 300_000)
    programs = []
    work = engine.work

    def counted(program: Any, grid: Any, name: str) -> Any:
        if name == "native":
            programs.append(program)
        return work(program, grid, name)

    monkeypatch.setattr(engine, "work", counted)
    job = Job(["1/x"], engine="native", order=1, **options)
    rows = sum(len(block[0]) for block in run(job, Rows(paths=[str(path)])).blocks)
    assert rows == 300_000
    assert len(programs) > 1
    assert len({id(program) for program in programs}) == 1


def test_the_mask_of_vector_code_finds_what_is_not_finite() -> None:
    pytest.importorskip("llvmlite")
    result = run(Job(["exp(x)/(1 + exp(x))"], grids=["x=690:730:5"], order=1, engine="native", careful=False))
    _, values, slopes = result.whole()
    assert [float(v) for v in values] == [1.0] * 5
    assert all(map(math.isfinite, slopes))
