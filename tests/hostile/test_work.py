"""Work is counted before or while it is done, so that short texts end or are refused whatever they ask for.

Counted in steps, never by a clock: each kind of work must take more of the budget where there is more of it, and end
the request where the budget is spent.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcli.calculus.derive import derive
from gradcli.cli import run
from gradcli.compute.program import build
from gradcli.expr import Expr
from gradcli.language import parse
from gradcli.limits import work
from gradcli.notation import write
from gradcli.verify import CheckJob, Texts, run_check


def names(count: int) -> list[str]:
    return [f"v{k}" for k in range(count)]


def expression(text: str) -> Expr:
    ((_, e),) = parse(text).outputs
    return e


def largest(count: int) -> str:
    return f"max({', '.join(names(count))})"


def left() -> float:
    return work._budget.left


def second_order(text: str, count: int) -> float:
    """Steps of all derivatives to order 2."""
    e = expression(text)
    with work.within(1e9):
        before = left()
        derive([("f", e)], names(count), 2)
        return before - left()


@pytest.mark.parametrize("text", ["max({})", "exp({})", "({})**2.5"])
def test_second_derivatives_in_many_variables_count(text: str) -> None:
    few, many = (
        second_order(text.format((", " if "max" in text else "*" if "exp" in text else "+").join(names(n))), n)
        for n in (12, 48)
    )
    assert many > 16 * few


def written_out(notation: str, depth: int) -> float:
    """Steps of a formula that doubles with each level, though its graph grows by one node."""
    e = expression(";".join(["a0=x+y", *[f"a{k}=sin(a{k - 1})+cos(a{k - 1})" for k in range(1, depth)]]))
    with work.within(1e9):
        before = left()
        write(notation, [("f", e)], ["x", "y"])
        return before - left()


@pytest.mark.parametrize("notation", ["latex", "mathml"])
def test_formulas_written_out_count(notation: str) -> None:
    assert written_out(notation, 12) > 12 * written_out(notation, 8)


@pytest.mark.parametrize("call", ["digamma(x)", "polygamma(3, x)", "besselj(0, x)"])
def test_a_call_for_a_single_number_counts_as_what_it_takes(call: str) -> None:
    pytest.importorskip("scipy")
    slow, quick = (build([expression(text)], [["x"]]).operations for text in (call, "sin(x)"))
    assert slow > 100 * quick


def test_checks_of_slow_functions_count() -> None:
    pytest.importorskip("scipy")

    def taken(function: str) -> float:
        with work.within(1e9):
            before = left()
            report = run_check(CheckJob([f"{function}(x)**2"], Texts([f"2*{function}(x)*cos(2*x)"]), points=50))
            assert [v.status for v in report.verdicts] == ["disagrees"]
            return before - left()

    assert taken("digamma") > 10 * taken("sin")


@pytest.mark.parametrize(
    "words",
    [
        ["diff", largest(100), "--order", "2"],
        ["show", largest(100), "--order", "2", "--as", "dot"],
        ["show", "*".join(names(60)), "--order", "2", "--as", "latex"],
        ["show", "*".join(names(60)), "--order", "2", "--as", "mathml"],
    ],
)
def test_a_request_ends_where_its_steps_are_spent(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(work, "REQUEST", 500_000)
    assert run([*words, "-o", "out.txt"]) == 2
    err = capfd.readouterr().err
    assert err.startswith("gradcli: error: the expressions take more than 500,000 steps")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(work, "REQUEST", 50_000_000)
    assert run([*words, "-o", "out.txt"]) == 0
