"""Work is counted before or while it is done, so that short texts end or are refused whatever they ask for.

Counted in steps, never by a clock: each kind of work must take more of the budget where there is more of it, and end
the request where the budget is spent.
"""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from gradcli.calculus.derive import derive
from gradcli.cli import run
from gradcli.compute.program import build
from gradcli.errors import GradError
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


# The budget.


def test_a_budget_is_spent_to_the_last_step() -> None:
    with work.within(10):
        work.spend(4)
        work.ahead(6)
        with pytest.raises(work.SpentError):
            work.ahead(7)
        work.spend(6)
        assert left() == 0
        work.spend(0)
        with pytest.raises(work.SpentError):
            work.spend(0.5)


def test_a_longer_text_earns_steps() -> None:
    with work.within(10):
        work.spend(4)
        work.earn(3)
        assert left() == 9


def test_an_inner_budget_is_a_part_of_the_outer_one() -> None:
    with work.within(100):
        with work.within(30):
            work.spend(12)
            assert left() == 18
        assert left() == 88
        with work.within(part=0.25):
            assert left() == 22
            work.spend(2)
        with work.within(1000):
            assert left() == 86
        with pytest.raises(ValueError, match="inside"), work.within(50):
            work.spend(6)
            raise ValueError("inside")
        assert left() == 80
        with pytest.raises(work.SpentError), work.within(10):
            work.spend(11)
        assert left() == 69


def test_without_a_budget_a_part_of_it_leaves_none() -> None:
    with work.within(), work.within(part=0.5):
        work.spend(3)
    assert left() == math.inf


def test_without_a_budget_nothing_is_refused() -> None:
    before = left()
    work.spend(1e300)
    work.ahead(1e300)
    assert left() == before == math.inf


def test_what_is_spent_before_a_block_is_noticed_there() -> None:
    with work.within(10):
        with pytest.raises(work.SpentError):
            work.spend(11)
        with pytest.raises(work.SpentError), work.within(5):
            pass


def test_a_request_says_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "REQUEST", 1000)
    with work.request():
        work.spend(1000)
    with pytest.raises(GradError, match="more than 1,000 steps") as refused, work.request():
        work.spend(1001)
    assert (refused.value.exit_code, refused.value.__suppress_context__) == (2, True)


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
