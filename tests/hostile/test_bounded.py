"""Time and memory stay bounded: short texts end or are refused, wide tables and long grids take linear time.

Work is counted, never timed: the seconds here only guard against what would never end.
"""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from command import Shell, process

from gradcli.calculus.derive import derive, expand
from gradcli.calculus.simplify import attempted, simplified
from gradcli.calculus.simplify.products import powered
from gradcli.cli import run as call
from gradcli.codegen import LANGUAGES
from gradcli.compute.grid import Log
from gradcli.errors import GradError
from gradcli.expr import Expr, readable, text
from gradcli.formats import csv_header, csv_offsets, csv_read
from gradcli.formats.csv_rows import row
from gradcli.formats.input import Input
from gradcli.job import Job, Request, run
from gradcli.language import parse
from gradcli.limits import work
from gradcli.limits.work import SpentError, ahead, earn, spend, within
from gradcli.verify import CheckJob, Texts, run_check, verdict

MEMORY = 1_200_000_000


def bounded(*args: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a run in little memory."""

    def limits() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    found = process(*args, preexec_fn=limits if sys.platform == "linux" else None)
    return found.returncode, found.stdout, found.stderr


def chain(first: str, rule: Callable[[int], str], count: int) -> str:
    return ";".join([f"a0={first}", *[f"a{i}={rule(i)}" for i in range(1, count)]])


SQUARES = chain("x*x+1", lambda i: f"a{i - 1}*a{i - 1}+x", 40)
DIFFS = chain("sin(x)*y", lambda i: f"diff(a{i - 1}**a{i - 1}+x,x)", 20)


@pytest.mark.parametrize(
    ("args", "code", "out", "err"),
    [
        (["show", "x**x**x", "-n", "60", "--simplify"], 0, "d60f_dx60 = ", "not simplified: that takes more work than"),
        (["show", "(x+y)**x**y", "-n", "12", "--simplify"], 0, "d12f_dy12 = ", "and 66 more not simplified"),
        (["check", "x**x**x", "--claim", "d40f_dx40=1"], 2, "unchecked  the work that a check may take is done", ""),
        (["check", SQUARES, "--claim", "1"], 1, "at x=0: claimed 1, true 549755813887", ""),
        (["check", SQUARES, "--claim", "1", "--json"], 1, '"status":"disagrees"', ""),
        (["check", SQUARES, "--equals", "x"], 1, "DISAGREES", ""),
        (["show", SQUARES, "--simplify"], 0, "da39_dx = ", ""),
        (["show", SQUARES, "--as", "latex"], 2, "", "written out the formula has"),
        (["explain", SQUARES], 0, "da39_dx, where a39 = ", ""),
        (["diff", DIFFS, "-n", "3"], 2, "", "the derivatives inside the expression take more work than the limit"),
        (["grad", DIFFS, "--wrt", "x", "--at", "x=1,y=1"], 2, "", "take more work than the limit"),
        (["eval", "x", "--grid", "3", "--fill", "diff(diff(i**i**i,i,30)**i,i,20)"], 2, "", "--fill: order 20"),
        (["show", "x**x**x", "-n", "200", "--simplify"], 2, "", "order 200 of this expression takes 16361591 products"),
        (["show", "x", "-n", "100000"], 2, "", "beyond the limit of 200"),
        (["show", "(3**-1290*5**-880*x)**2047*(3**-1290*x)**2046", "--simplify"], 0, "df_dx = ", ""),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)  # fmt: skip
def test_short_texts_end(args: list[str], code: int, out: str, err: str) -> None:
    found = bounded(*args)
    assert found[0] == code
    assert out in found[1]
    assert err in found[2] if err else found[2] == ""


@pytest.mark.parametrize("quiet", [[], ["-q"]])
def test_what_is_not_simplified_is_told(quiet: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    with within(1_000_000):
        assert call(["show", "x**x**x", "--order", "8", "--simplify", *quiet]) == 0
    out, err = capfd.readouterr()
    assert "d8f_dx8 = " in out
    assert ("d8f_dx8 not simplified: that takes more work than the limit" in err) is (not quiet)
    assert err.count("\n") == (0 if quiet else 1)


# The budget.


def used(task: Callable[[], Any]) -> float:
    """Steps that a task takes, the whole budget being far more."""
    with within(1e12):
        before = work._budget.left
        task()
        return before - work._budget.left


def test_steps_do_not_depend_on_what_came_before() -> None:
    def task() -> Any:
        e = parse("exp(sin(step1))*cos(step2)").outputs[0][1]
        return simplified(e for _, e in derive([("f", e)], ["step1", "step2"], 3))

    first = used(task)
    kept = task()
    assert used(task) == first > 5000
    assert kept


def test_budgets_nest() -> None:
    with within(100):
        with pytest.raises(SpentError), within(10):
            ahead(10)
            spend(11)
        spend(80)
        with pytest.raises(SpentError):
            ahead(10)
        with within(part=1 / 2), pytest.raises(SpentError):
            spend(5)
        earn(50)
        spend(50)
        with pytest.raises(SpentError):
            spend(5)
        with pytest.raises(SpentError), within(50):
            raise AssertionError("nothing is left to begin with")
    spend(1e9)


def test_every_thread_has_its_own_budget() -> None:
    found: list[str] = []

    def other() -> None:
        spend(1e9)
        found.append("done")

    with within(10):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        spend(10)
    assert found == ["done"]


def test_a_spent_request_is_refused() -> None:
    with (
        pytest.raises(GradError, match=r"more than [0-9,]+ steps to work out, which is the limit") as error,
        work.request(),
    ):
        spend(work.REQUEST + 1)
    assert error.value.exit_code == 2


def test_long_texts_bring_their_own_steps() -> None:
    def parsed(count: int) -> None:
        parse("+".join(["x"] * count))

    # 2*count - 1 characters.
    assert used(lambda: parsed(1000)) < -1_900_000
    assert used(lambda: parsed(10)) > -400


def derivatives(source: str, order: int) -> list[Expr]:
    return readable(e for _, e in derive([("f", parse(source).outputs[0][1])], ["x"], order))


def test_what_takes_too_long_to_simplify_stays_as_it_is() -> None:
    given = derivatives("x**x**x", 9)
    with within(2_000_000):
        found = attempted(given)
    assert found[:3] == simplified(given[:3])
    assert None not in found[:4]
    assert found[-1] is None
    with within(2_000_000):
        assert attempted(given) == found
    with within(2_000_000):
        assert simplified(given)[-1] is given[-1]


def test_coefficients_stay_short() -> None:
    for number, n in ((Fraction(3), 10**9), (Fraction(1, 7), -(10**12)), (Fraction(5) ** 3000, 1000)):
        with pytest.raises(GradError):
            powered(number, n)
    assert powered(Fraction(2, 3), -3) == Fraction(27, 8)
    assert powered(Fraction(-1), 10**9 + 1) == -1


def test_derivatives_inside_have_a_part_of_the_budget() -> None:
    e = parse(DIFFS).outputs[-1][1]
    with within(4_000_000):
        with pytest.raises(GradError, match="derivatives inside"):
            expand([e])
        # What follows still has its steps.
        spend(2_900_000)


def test_a_claim_that_takes_too_much_leaves_time_for_the_others() -> None:
    claims = ["d2f_dx2 = 1", "d29f_dx29 = 1", "df_dx = x**(x + x**x - 1)*(x*log(x)*(log(x) + 1) + 1)"]
    with within(4_000_000):
        found = run_check(CheckJob(["x**x**x"], Texts(claims))).verdicts
    assert [v.status for v in found] == ["disagrees", "unchecked", "agrees"]
    assert "the claim has 1 operations, the derivative " in found[1].reason


def test_a_comparison_ends_where_its_work_is_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not before it begins, as that of an expression too large to compare."""
    begun: list[float] = []
    monkeypatch.setattr(verdict, "ahead", lambda steps: begun.append(ahead(steps) or steps))
    with within(2_600_000):
        (found,) = run_check(CheckJob(["x**x**x"], Texts(["d16f_dx16 = 1"]))).verdicts
    assert begun and found.status == "unchecked"
    assert found.reason.startswith("the work that a check may take is done: the claim has 1 operations")


def test_texts_are_cut_before_they_are_written() -> None:
    (e,) = (e for _, e in parse(SQUARES).outputs)
    assert text(e, 60) == text(e, 400)[:60] + " ..."
    assert text(parse("x + y").outputs[0][1], 60) == "x + y"
    assert len(repr(e)) < 500


# What can be known is told before the work.


def never(*_: object) -> NoReturn:
    raise AssertionError("work was done")


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_simplified_code_is_refused_at_once(
    language: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("gradcli.job.request.parse", never)
    assert call(["show", "x**x**x", "--order", "30", "--simplify", "--as", language]) == 2
    assert f"--simplify is for reading, and {language} for computing" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("job", "told"),
    [
        (Job(["x*y"], at=["x=1"]), "'y' has no value"),
        (Job(["x*y"], at=["x=1,y=2,z=3"]), "'z' is not used"),
        (Job(["x"], grids=["x=0:1:1000"], max_points=100), "1000 points are beyond the limit"),
        (Job(["x"], order=300, at=["x=1"]), "order 300 is beyond"),
        (Job(["x*y"], order=160, at=["x=1,y=2"], wrt=["x", "q"]), "'q' is not used"),
    ],
)
def test_points_are_checked_before_derivatives_are_made(job: Job, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcli.job.request.derive", never)
    with pytest.raises(GradError, match=told):
        run(job)


def test_names_that_clash_are_told_before_derivatives_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcli.job.request.derive", never)
    with pytest.raises(GradError, match="both a variable and a result"):
        Request(Job(["f = f1*x", "f1 = x"]), ())


# Logarithmic grids.


@pytest.mark.parametrize(
    ("start", "stop", "length"),
    [
        (1, 1e300, 20_000),
        (5e-324, sys.float_info.max, 20_000),
        (sys.float_info.max, 1e308, 5000),
        (1e-310, 2e-308, 5000),
        (3.0, 3.0000000000000004, 1000),
        (2.5, 2.5, 1),
        (0.1, 1e7, 9),
    ],
)
def test_a_logarithmic_grid_is_the_c_librarys_power_of_ten(start: float, stop: float, length: int) -> None:
    low, high, n = min(start, stop), max(start, stop), float(length - 1)
    a, b = math.log10(start), math.log10(stop)
    wanted = []
    for k in range(length):
        try:
            power = math.pow(10.0, (a * (n - k) + b * k) / (n or 1.0))
        except OverflowError:
            power = math.inf
        wanted.append(start if k == 0 else stop if k == n else min(max(power, low), high))
    if length == 1:
        wanted = [stop]
    grid = Log(start, stop, length)
    for lo, hi in ((0, length), (length // 3, length // 2), (length - 1, length), (0, 1), (length, length)):
        assert grid.array(lo, hi).tobytes() == np.array(wanted[lo:hi], dtype=np.float64).tobytes()
        assert grid.floats(lo, hi) == wanted[lo:hi]


# Wide tables.


class Scanned(bytes):
    """Bytes that count how many of them are looked at in searches."""

    looked = 0

    def find(self, sub: bytes, start: int = 0, end: int | None = None) -> int:  # type: ignore[override]
        end = len(self) if end is None else end
        found = super().find(sub, start, end)
        Scanned.looked += (end if found < 0 else found + len(sub)) - start
        return found


@pytest.mark.parametrize("cell", ["c{}", '"c{}"', '"c,{}"', 'c{}"'], ids=["plain", "quoted", "comma", "stray"])
def test_a_row_is_looked_at_a_few_times_however_wide(cell: str) -> None:
    line = ",".join([cell.format(k) for k in range(20_000)]).encode() + b"\n"
    whole = Scanned(line + b"1," * 20_000)
    Scanned.looked = 0
    cells: list[bytes] = []
    try:
        assert row(whole, 0, b",", "name", 1, cells) == len(line)
        assert len(cells) == 20_000
        assert cells[-1].decode() == cell.format(19_999)
    except GradError as error:
        assert cell == 'c{}"'
        assert "a quote inside a cell" in error.message
    assert 0 < Scanned.looked < 6 * len(whole)


class Unscanned(bytes):
    """Bytes of which parts may be taken, and no more."""

    __contains__ = find = count = isascii = never  # type: ignore[assignment]


@pytest.mark.parametrize("cell", [b"1", b'"1"', "\u00e9".encode()])
def test_a_kept_cell_is_taken_without_a_look_at_the_whole_text(cell: bytes, tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    line = b",".join([cell] * 100) + b"\r\n"
    path.write_bytes(b",".join([b"c%d" % k for k in range(100)]) + b"\r\n" + line)
    table = csv_read.Separated(Input("wide.csv", path.open("rb")), b",")
    cells = csv_offsets.split(line, b",", 100)
    assert cells is not None
    cells = cells._replace(text=Unscanned(cells.text))
    for k in (0, 50, 99):
        kept, bad = table._texts(cells, k, 1)
        assert bad is None
        assert list(kept.cells) == [cell.strip(b'"')]


class Names(tuple[str, ...]):
    """Names that are looked up elsewhere: going through a million of them for each of a million takes for ever."""

    __contains__ = index = never  # type: ignore[assignment]


@pytest.mark.parametrize("options", [[], ["--keep"]])
@pytest.mark.parametrize("arrow", [True, False])
@pytest.mark.parametrize("header", ["c{}", '"c{}"'])
def test_a_wide_table_is_read_by_sets(
    options: list[str], arrow: bool, header: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    width = 50_000
    path = tmp_path / "wide.csv"
    path.write_text(",".join([header.format(k) for k in range(width)]) + "\n" + ",".join(["1"] * width) + "\n")
    checked = csv_header.checked_names
    monkeypatch.setattr(csv_header, "checked_names", lambda *args: Names(checked(*args)))
    if not arrow:
        monkeypatch.setitem(sys.modules, "pyarrow", None)
    out = tmp_path / "out.csv"
    assert call(["eval", "q=c0+c49999", "-i", str(path), *options, "-o", str(out)]) == 0
    lines = [line.split(",") for line in out.read_text().splitlines()]
    assert len(lines) == 2
    assert lines[0][-2:] == ["c49999", "q"] and lines[0][0] == "c0"
    assert [float(cell) for cell in (lines[1][0], *lines[1][-2:])] == [1, 1, 2]
    assert len(lines[0]) == len(lines[1]) == (width + 1 if options else 3)


def test_a_long_text_that_is_nearly_a_number_is_read_in_linear_time(shell: Shell) -> None:
    for option in ("--at", "--grid"):
        code, _, err = shell("eval", "x", option, f"x={'1' * 60_000}x")
        assert code == 2 and err.startswith("gradcli: error: ")
