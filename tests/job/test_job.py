"""Jobs: what a request means, what is wrong with it, and the same numbers however the work is spread."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from command import environment
from engines import bits

from gradcli import job as room
from gradcli.caret import Source
from gradcli.compute import execute
from gradcli.compute.grid import Axis, Grid, Index
from gradcli.errors import GradError
from gradcli.job import Job, formulas, run
from gradcli.language import parse

pytestmark = pytest.mark.quick


def table(*expressions: str, **request: Any) -> dict[str, list[float]]:
    result = run(Job(expressions, **request))
    columns = result.whole()
    assert all(len(c) == result.size == math.prod(result.shape) for c in columns)
    return {n: [float(v) for v in c] for n, c in zip(result.names, columns, strict=True)}


# What a request means.


def test_the_main_job() -> None:
    result = run(Job(["x**2"], order=2, grids=["3x4"]))
    assert (result.names, result.shape, result.matrix) == (("x", "f", "df_dx", "d2f_dx2"), (3, 4), True)
    assert (result.engine, result.expressions, result.variables, result.order) == ("scalar", {"f": "x**2"}, ["x"], 2)
    x = [float(i + j) for i in range(3) for j in range(4)]
    assert result.whole() == [x, [v * v for v in x], [2 * v for v in x], [2.0] * 12]


def test_names_of_outputs() -> None:
    assert list(table("x", at=["x=1"])) == ["x", "f", "df_dx"]
    assert list(table("x", "2*x", at=["x=1"], order=0)) == ["x", "f1", "f2"]
    assert list(table("x", "g = 2*x", "3*x", at=["x=1"], order=0)) == ["x", "f1", "g", "f2"]
    assert list(table("r = x*y; u = r*r; r + 1", at=["x=1,y=2"], order=0)) == ["x", "y", "u", "f"]
    assert list(table("y*x", at=["x=1,y=2"], wrt=["x", "y"], order=2)) == [
        "y", "x", "f", "df_dx", "df_dy", "d2f_dx2", "d2f_dxdy", "d2f_dy2",
    ]  # fmt: skip


def test_points_of_every_kind() -> None:
    assert table("x", at=["x=1/3"], order=0) == {"x": [1 / 3], "f": [1 / 3]}
    assert table("x*y", grids=["x=0:1:3", "y=1,2"], order=0) == {
        "x": [0.0, 0.0, 0.5, 0.5, 1.0, 1.0],
        "y": [1.0, 2.0] * 3,
        "f": [0.0, 0.0, 0.5, 1.0, 1.0, 2.0],
    }
    assert table("i*y", at=["y=2"], grids=["2x2"], fill="10*i + j", order=1) == {
        "i": [0.0, 1.0, 10.0, 11.0],
        "y": [2.0] * 4,
        "f": [0.0, 2.0, 20.0, 22.0],
        "df_di": [2.0] * 4,
        "df_dy": [0.0, 1.0, 10.0, 11.0],
    }
    assert table("2+3", order=3) == {"f": [5.0]}
    assert table("x**0", at=["x=7"]) == {"x": [7.0], "f": [1.0], "df_dx": [0.0]}


def test_a_variable_is_differentiated_by_before_it_is_filled() -> None:
    found = table("x*y", grids=["1x3"], fill="x = j + 1; y = j + 1")
    assert found["df_dx"] == found["df_dy"] == [1.0, 2.0, 3.0]


def test_a_constant_rule_means_the_same_as_a_value_given() -> None:
    # Exact folding would give 0.3 for 3*(1/10).
    assert table("3*x", grids=["2"], fill="1/10")["f"] == [3 * 0.1] * 2 == table("3*x", grids=["x=0.1,0.1"])["f"]


def test_wrt_and_unused_variables() -> None:
    assert table("x*y", at=["x=2,y=3"], wrt=["y"]) == {"x": [2.0], "y": [3.0], "f": [6.0], "df_dy": [2.0]}
    assert table("x", at=["x=1"], wrt=["z"], allow_unused=True) == {"x": [1.0], "f": [1.0], "df_dz": [0.0]}
    assert table("x", at=["x=1,z=5"], allow_unused=True) == {"x": [1.0], "z": [5.0], "f": [1.0], "df_dx": [1.0]}


@pytest.mark.parametrize(
    ("request_", "message", "hint"),
    [
        ({"expressions": []}, "no expression given", None),
        ({"at": ["x=1,z=2"]}, "'z' is not used in the expression", "its variables are x"),
        ({"at": ["x=1"], "wrt": ["z"]}, "--wrt: 'z' is not used", "its variables are x"),
        ({"expressions": ["alpha"], "at": ["alhpa=1"]}, "'alhpa' is not used", "did you mean 'alpha'?"),
        ({"expressions": ["3"], "at": ["x=1"]}, "'x' is not used", "it has no variables"),
        ({"at": ["x=1"], "wrt": ["x", "x"]}, "--wrt: 'x' is given twice", None),
        ({"at": ["x=1"], "wrt": ["pi"]}, "--wrt: 'pi' is not used", None),
        ({"expressions": ["x*y"], "at": ["x=1"]}, "variable 'y' has no value", "--at y="),
        ({"expressions": ["df_dx*x"], "at": ["x=1,df_dx=1"]}, "'df_dx' would be both", "name the output"),
        ({"expressions": ["y=x", "y=2*x"], "at": ["x=1"]}, "two outputs are called 'y'", "name"),
        ({"at": ["x=1"], "order": -1}, "order must be at least 0", None),
        ({"at": ["x=1"], "order": 201}, "order 201 is beyond the limit of 200", None),
        ({"expressions": ["a*b*c*d"], "at": ["a=1,b=1,c=1,d=1"], "order": 40}, "order 40 in 4 variables", "--wrt"),
        ({"grids": ["x=0:1:11"], "max_points": 10}, "11 points are beyond the limit of 10", None),
        ({"grids": ["x=0:1:2000000000"]}, "points are beyond the limit of 1000000000", None),
        ({"at": ["x=1"], "engine": "abacus"}, "unknown engine 'abacus'", None),
    ],
)
def test_what_is_wrong_is_said_before_any_work(request_: dict[str, Any], message: str, hint: str | None) -> None:
    with pytest.raises(GradError) as caught:
        run(Job(**({"expressions": ["x"]} | request_)))
    assert message in caught.value.message
    assert caught.value.exit_code == 2
    if hint is not None:
        assert hint in (caught.value.hint or "")


def test_errors_of_an_expression_keep_their_place() -> None:
    with pytest.raises(GradError) as caught:
        run(Job(["x", Source("y +", "file.txt")], at=["x=1"]))
    assert caught.value.source == Source("y +", "file.txt")
    assert caught.value.span is not None


# Formulas.


def test_formulas_parse_back() -> None:
    job = Job(["exp(sin(x))*y", "r = sqrt(x*x + y*y); u = log(r)"], order=3)
    found = formulas(job)
    assert {name: parse(text).outputs[0][1] for name, text in found.expressions.items()} == {
        "f": parse("exp(sin(x))*y").outputs[0][1],
        "u": parse("log(sqrt(x*x + y*y))").outputs[0][1],
    }
    assert found.names[:3] == ("f", "df_dx", "df_dy")
    assert [name for name, _ in found.lines if name in found.names] == list(found.names)
    again = parse("\n".join(f"{name} = {text}" for name, text in found.lines))
    assert dict(again.outputs) == dict(room.Request(job, ()).derived)


def test_the_text_of_an_expression_stays_readable() -> None:
    # Written out it would have 2**60 terms.
    doubling = "a0 = x*y\n" + "".join(f"a{k + 1} = a{k}*sin(a{k}) + x\n" for k in range(60))
    text = formulas(Job([doubling], order=0)).expressions["a60"]
    assert len(text) < 5000
    assert parse(text).outputs[-1][1] is parse(doubling).outputs[0][1]


# Engines, blocks, threads.


@pytest.mark.parametrize(("request_", "imported"), [("at=['x=3']", False), ("at=['x=3'], engine='vector'", True)])
def test_few_points_never_wait_for_numpy(request_: str, imported: bool) -> None:
    code = f"import sys; from gradcli.job import Job, run; run(Job(['x**2'], {request_})).whole()"
    code += "; print('numpy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{imported}\n"


def test_the_engine_suits_the_count_of_points() -> None:
    assert run(Job(["x**2"], at=["x=3"])).engine == "scalar"
    assert run(Job(["x**2"], grids=["x=0:1:1000000"])).engine == "vector"
    assert run(Job(["x**2"], grids=["x=0:1:1000000"], engine="scalar")).engine == "scalar"
    assert run(Job(["x**2"], at=["x=3"], engine="vector")).engine == "vector"


@pytest.mark.parametrize("expression", ["x*sin(y)", "x", "y", "3", "exp(-x*x)*y + log(y)", "x; y; x"])
def test_engines_agree(expression: str) -> None:
    request = {"grids": ["x=-1:1:7", "y=log:1:10:5"] if "y" in expression else ["x=-1:1:7"], "order": 2}
    if "x" not in expression:
        request["grids"] = ["y=1,2,3"] if "y" in expression else []
    scalar = run(Job([expression], engine="scalar", **request)).whole()  # type: ignore[arg-type]
    vector = run(Job([expression], engine="vector", **request)).whole()  # type: ignore[arg-type]
    assert all(isinstance(c, list) for c in scalar)
    for a, b in zip(scalar, vector, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14, atol=1e-300)


@pytest.mark.parametrize("engine", ["scalar", "vector", "native"])
def test_any_blocks_and_threads_give_the_same_bits(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for target, threads in ((10**6, 1), (1, 1), (7, 1), (7, 3), (64, 4), (64, None)):
        monkeypatch.setattr(room.engine, "block_points", lambda *_, points=target: points)
        job = Job(["exp(sin(x))*y - z"], order=2, at=["z=2"], grids=["x=0:1:13", "2x5"], engine=engine, threads=threads)
        whole = run(job).whole()
        blocks = list(run(job).blocks)
        assert max(len(b[0]) for b in blocks) <= target
        joined = [[v for b in blocks for v in b[k]] for k in range(len(whole))]
        assert bits(joined) == bits(whole)
        found.append(bits(whole))
    assert all(f == found[0] for f in found)


def test_wide_results_take_shorter_blocks() -> None:
    names = [f"x{k}" for k in range(40)]
    job = Job(["+".join(f"{n}*x0" for n in names)], order=2, at=[f"{n}=1" for n in names[1:]], grids=["x0=0:1:100000"])
    result = run(job)
    block = next(result.blocks)
    assert len(block[0]) * len(block) <= room.engine.ROOM


class Broken(Exception):
    pass


def test_the_first_error_in_order_ends_the_work() -> None:
    started = []

    def make() -> Any:
        def kernel(ins: Any, outs: Any, extents: tuple[int, ...]) -> None:
            lo = int(ins[0][0])
            started.append(lo)
            if lo in (40, 50):
                raise Broken(lo)
            outs[0][:] = ins[0]

        return kernel

    work = execute.Work(make, [(0, 0)], 1, Grid([Axis(["x"], [Index(10_000)])]), True)
    for threads in (1, 4):
        started.clear()
        met = []
        with pytest.raises(Broken, match="40"):
            for block in execute.blocks(work, target=10, threads=threads):
                met += block[0].tolist()
        assert met == [float(k) for k in range(40)]
        # Bounded look-ahead: what a slow reader has not asked for is not computed.
        assert max(started) < 40 + 10 * 4 * threads


def test_a_reader_may_stop() -> None:
    for threads in (1, 3):
        result = run(Job(["x"], grids=["x=0:1:1000000000"], threads=threads))
        blocks = result.blocks
        assert next(blocks)[0][0] == 0.0
        blocks.close()  # type: ignore[attr-defined]


# Values that are not finite.


@pytest.mark.parametrize("engine", ["scalar", "vector", "native"])
def test_they_are_counted(engine: str) -> None:
    result = run(Job(["log(x)"], grids=["x=-1,0,1,inf"], engine=engine))
    assert result.nonfinite == {}
    result.whole()
    assert result.nonfinite == {"x": 1, "f": 3, "df_dx": 2}


@pytest.mark.parametrize("engine", ["scalar", "vector", "native"])
def test_strict_names_the_point(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room.engine, "block_points", lambda *_: 2)
    job = Job(["sqrt(x)*y"], at=["y=2"], grids=["x=4,3,2,1,-0.00001,5"], engine=engine, strict=True)
    blocks = run(job).blocks
    assert [len(next(blocks)[0]) for _ in range(2)] == [2, 2]
    with pytest.raises(GradError, match=r"^at x=-0\.00001, y=2\.0: f is nan$") as caught:
        next(blocks)
    assert caught.value.exit_code == 1
    with pytest.raises(GradError, match="f is nan"):
        run(job).whole()


def test_strict_is_about_results_not_about_points() -> None:
    assert table("1/x", at=["x=inf"], strict=True, order=0) == {"x": [math.inf], "f": [0.0]}


@pytest.mark.parametrize("engine", ["scalar", "vector", "native"])
def test_progress_is_told_in_points(engine: str) -> None:
    for whole in (False, True):
        result = run(Job(["x"], grids=["x=0:1:300000"], engine=engine))
        told: list[int] = []
        result.watch = told.append
        if whole:
            result.whole()
        else:
            list(result.blocks)
        assert told == sorted(told)
        assert told[-1] == 300_000
        assert len(told) > 1
