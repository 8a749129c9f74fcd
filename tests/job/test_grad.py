"""The vector-Jacobian product: its shapes, sums and cotangents, what it refuses, and that it can be done twice."""

from __future__ import annotations

import itertools
import json
import math
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkout import DATA
from command import Shell, environment, process
from engines import bits

from gradcli.compute import engine
from gradcli.job import Job, cotangents, run
from gradcli.job.gradient import GradJob, grad_formulas, run_grad

CASES = [json.loads(line) for line in (DATA / "kinks.jsonl").read_text().splitlines()]
KINKS = [case for case in CASES if any(name.startswith("df_d") for name in case["expect"])]
pytestmark = pytest.mark.usefixtures("empty_folder")


def pipe(*stages: list[str]) -> str:
    """What the last of several commands prints, each reading the one before."""
    out = ""
    for words in stages:
        done = process("grad", *words, input=out)
        assert (done.returncode, done.stderr) == (0, "")
        out = done.stdout
    return out


def gradients(*expressions: str, wrt: str = "x", **request: Any) -> dict[str, list[float]]:
    """The columns of a gradient job that are its gradients."""
    result = run_grad(GradJob(expressions, wrt.split(","), **request))
    names = list(result.shapes or result.names)
    columns = dict(zip(names, result.whole(), strict=True))
    return {n: [float(v) for v in c] for n, c in columns.items() if n.startswith("grad_") and c is not None}


# The main job.


@pytest.mark.quick
def test_the_main_job(shell: Shell) -> None:
    code, out, err = shell("grad", "y = x**2", "--wrt", "x", "--grid", "3x4")
    assert (code, err) == (0, "")
    blocks = [block.splitlines() for block in out.split("\n\n")]
    assert [block[0] for block in blocks] == ["x", "grad_x"]
    assert [[float(v) for v in line.split()] for line in blocks[1][1:]] == [
        [2.0 * (i + j) for j in range(4)] for i in range(3)
    ]


def test_the_gradient_of_the_gradient_is_a_pipe() -> None:
    first = ["y = x**2", "--wrt", "x", "--create-graph"]
    assert pipe(first) == "grad_x = 2*x\n"
    out = pipe(first, ["-f", "-", "--wrt", "x", "--grid", "3x4", "--csv"])
    assert out == "x,grad_x\n" + "".join(f"{float(i + j)},2.0\n" for i in range(3) for j in range(4))
    again = ["-f", "-", "--wrt", "x", "--create-graph"]
    assert pipe(["y = x**4", "--wrt", "x", "--create-graph"], again) == "grad_x = 12*x**2\n"
    last = ["-f", "-", "--wrt", "x", "--grid", "2", "--csv", "--materialize-grads"]
    assert pipe(first, again, last) == "x,grad_x\n0.0,0.0\n1.0,0.0\n"


def test_outputs_and_inputs_are_other_words(shell: Shell) -> None:
    plain = shell("grad", "y = x**2", "z = x*a", "--wrt", "x,a", "--at", "x=3,a=2", "--json")
    assert plain[0] == 0
    words = ["--outputs", "y = x**2", "--outputs", "z = x*a", "--inputs", "x", "--inputs", "a"]
    assert shell("grad", *words, "--at", "x=3,a=2", "--json") == plain
    assert json.loads(plain[1])["columns"] == {"x": 3.0, "a": 2.0, "grad_x": 8.0, "grad_a": 3.0}


# Shapes.


def test_a_gradient_over_the_whole_grid_is_laid_out_like_diff(shell: Shell) -> None:
    assert shell("grad", "x*y", "--wrt", "x,y", "--at", "x=2,y=3", "--csv")[1] == "x,y,grad_x,grad_y\n2.0,3.0,3.0,2.0\n"
    assert shell("grad", "x*y", "--wrt", "x", "--grid", "x=1,2", "--at", "y=3", "--csv")[1] == (
        "x,y,grad_x\n1.0,3.0,3.0\n2.0,3.0,3.0\n"
    )
    found = json.loads(shell("grad", "x*y", "--wrt", "y,x", "--grid", "2x2", "--json")[1])
    assert found["shape"] == [2, 2] and "shapes" not in found
    assert found["columns"]["grad_y"] == [[0.0, 1.0], [1.0, 2.0]]


def test_one_number_gets_the_sum_over_the_points(shell: Shell) -> None:
    code, out, _ = shell("grad", "a*x", "--wrt", "a", "--at", "a=2", "--grid", "x=1,2,4", "--json")
    found = json.loads(out)
    assert (code, found["shape"], found["columns"]) == (0, [], {"a": 2.0, "grad_a": 7.0})
    # An output that is one number is not repeated over the points.
    assert gradients("a*x", "a**2", wrt="a", at=["a=2"], grids=["x=1,2,4"]) == {"grad_a": [11.0]}


@pytest.mark.parametrize("chosen", ["scalar", "vector", "native"])
def test_an_axis_gets_the_sum_over_the_others(chosen: str) -> None:
    request: dict[str, Any] = {"grids": ["x=1,2,4", "y=1,10", "z=5,6"], "engine": chosen}
    assert gradients("x**2*y", wrt="x", grids=["x=1,2,4", "y=1,10"], engine=chosen) == {"grad_x": [22.0, 44.0, 88.0]}
    assert gradients("x**2*y*z", wrt="x", **request) == {"grad_x": [242.0, 484.0, 968.0]}
    assert gradients("x**2 + y + z", wrt="y", **request) == {"grad_y": [6.0, 6.0]}
    assert gradients("x**2 + y + z", wrt="x", **request) == {"grad_x": [8.0, 16.0, 32.0]}
    assert gradients("x*z + y", "sum(y)*x", wrt="z,x", **request) == {
        "grad_z": [14.0, 14.0],
        "grad_x": [22.0 + 4 * 66] * 3,
    }


def test_what_a_shape_fills_has_that_shape() -> None:
    assert gradients("x*a", wrt="x", grids=["a=1,10", "2x2"]) == {"grad_x": [11.0] * 4}
    # Though it be by a constant.
    assert gradients("x**2", wrt="x", grids=["2x2"], fill="3") == {"grad_x": [6.0] * 4}


def test_shapes_that_differ(shell: Shell) -> None:
    words = ["a*x*y", "--wrt", "a,x,y", "--at", "a=2", "--grid", "x=1,2,3", "--grid", "y=1,10"]
    code, out, err = shell("grad", *words, "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert found["shapes"] == {"a": [], "x": [3], "y": [2], "grad_a": [], "grad_x": [3], "grad_y": [2]}
    assert found["columns"] == {
        "a": 2.0, "x": [1.0, 2.0, 3.0], "y": [1.0, 10.0],
        "grad_a": 66.0, "grad_x": [22.0] * 3, "grad_y": [12.0] * 2,
    }  # fmt: skip
    code, out, _ = shell("grad", *words)
    assert out.endswith("grad_a\n66.0\n\ngrad_x\n22.0\n22.0\n22.0\n\ngrad_y\n12.0\n12.0\n")
    for rows in ("--csv", "--tsv", "--jsonl", "--format=markdown"):
        code, out, err = shell("grad", *words, rows)
        assert (code, out) == (2, "")
        assert "grad_a has the shape [], grad_x has the shape [3] along x" in err and "--wrt" in err and "--json" in err


def test_uneven_shapes_name_the_batch(shell: Shell) -> None:
    np.save("v.npy", np.ones((2, 3)))
    words = ["a*x", "--wrt", "a,x", "--at", "a=2", "--grid", "x=1,2,3", "--csv"]
    batched = shell("grad", *words, "--grad-outputs", "v.npy", "--is-grads-batched")
    assert batched[:2] == (2, "")
    assert "grad_a has the shape [2] along the batch, grad_x has the shape [2, 3] along the batch, x" in batched[2]
    assert "grad_a has the shape [], grad_x has the shape [3] along x" in shell("grad", *words)[2]


@pytest.mark.parametrize("chosen", ["scalar", "vector", "native"])
@pytest.mark.parametrize("count", [2, 3, 7, 1000])
def test_axes_a_gradient_does_not_depend_on(chosen: str, count: int) -> None:
    """The sum over an axis counts as if it were written out: rounded once."""
    values = ["0.1,0.2", "0.7", "1e308,-1e308,0.3", "1e-320,3e-320", ",".join(f"0.{k}" for k in range(1, 40))]
    for given in values:
        request: dict[str, Any] = {"grids": ["x=1,2", f"y={given}", f"z=1:2:{count}"], "engine": chosen}
        found = run_grad(GradJob(["x*y"], ["x"], allow_unused=True, **request)).whole()
        written = run_grad(GradJob(["x*y"], ["x"], ["1 + 0*k"], allow_unused=True, **request)).whole()
        assert [struct.pack("<2d", *c) for c in found] == [struct.pack("<2d", *c) for c in written]


# Cotangents.


def test_rules_and_constants() -> None:
    request: dict[str, Any] = {"grids": ["2x3"]}
    x = [float(i + j) for i in range(2) for j in range(3)]
    weights = [10.0 * i + j for i in range(2) for j in range(3)]
    for words in (["y=10*i + j"], ["10*i + j"], ["y = i*10+j"]):
        found = gradients("y = x**2", grad_outputs=words, **request)
        assert found == {"grad_x": [2 * v * w for v, w in zip(x, weights, strict=True)]}
    assert gradients("y = x**2", grad_outputs=["y=ones"], **request) == gradients("y = x**2", **request)
    assert gradients("y = x**2", grad_outputs=["1/2"], **request) == {"grad_x": x}
    two = gradients("y = x**2", "z = sum(x)", grad_outputs=["z=3", "y=j"], **request)
    assert two == {"grad_x": [2 * v * (k % 3) + 3 for k, v in enumerate(x)]}
    # The index is that of the grid, whatever the variables are called.
    assert gradients("i*j", wrt="i", grids=["i=5,6", "j=1,2"], grad_outputs=["i + 10*j"]) == {"grad_i": [20.0, 23.0]}
    assert gradients("x**2", at=["x=0"], grad_outputs=["inf"])["grad_x"] != [0.0]


@pytest.mark.parametrize("chosen", ["scalar", "vector", "native"])
def test_files(chosen: str) -> None:
    numbers = np.random.default_rng(1).integers(-9, 9, (3, 4))
    x, y = np.arange(1.0, 4), np.arange(4.0)
    for k, array in enumerate((numbers, numbers.astype("f4"), np.asfortranarray(numbers), numbers.astype(">f8"))):
        np.save(f"v{k}.npy", array)
        request: dict[str, Any] = {"grad_outputs": [f"v{k}.npy"], "engine": chosen}
        found = gradients("f = x**2*y", wrt="x,y", grids=["x=1,2,3", "y=0,1,2,3"], **request)
        assert found == {
            "grad_x": ((numbers * y).sum(axis=1) * 2 * x).tolist(), "grad_y": (numbers.T @ x**2).tolist(),
        }  # fmt: skip
        shaped = gradients("x**2", grids=["3x4"], **request)["grad_x"]
        assert shaped == (2 * np.add.outer(np.arange(3), np.arange(4)) * numbers).ravel().tolist()
    np.save("s.npy", np.array(2.5))
    assert gradients("sum(x**2)", grids=["x=1,2"], grad_outputs=["s.npy"], engine=chosen) == {"grad_x": [5.0, 10.0]}


@pytest.mark.parametrize("chosen", ["scalar", "vector", "native"])
def test_batches(shell: Shell, chosen: str) -> None:
    np.save("eye.npy", np.eye(4).reshape(4, 2, 2))
    words = ["y = a*x**2", "--at", "a=2", "--grid", "2x2", "--grad-outputs", "y=eye.npy", "--is-grads-batched"]
    words += ["--engine", chosen]
    found = json.loads(shell("grad", *words, "--wrt", "x,a", "--json")[1])
    x = np.array([[0.0, 1.0], [1.0, 2.0]])
    assert found["shapes"] == {"a": [], "x": [2, 2], "grad_x": [4, 2, 2], "grad_a": [4]}
    assert found["columns"]["x"] == x.tolist()
    assert found["columns"]["grad_x"] == [(4 * x * e).tolist() for e in np.eye(4).reshape(4, 2, 2)]
    assert found["columns"]["grad_a"] == (x**2).ravel().tolist()
    out = shell("grad", *words, "--wrt", "x", "--csv")[1].splitlines()
    assert (out[0], out[4], out[5], len(out)) == ("batch,a,x,grad_x", "0.0,2.0,2.0,0.0", "1.0,2.0,0.0,0.0", 17)
    table = shell("grad", *words, "--wrt", "x")[1]
    assert [line for line in table.splitlines() if line.startswith("grad_x")] == [f"grad_x[{k}]" for k in range(4)]
    np.save("pair.npy", np.eye(2))
    np.save("two.npy", np.array([0.0, 1.0]))
    given = {"grad_outputs": ["y=pair.npy", "z=two.npy"], "is_grads_batched": True, "engine": chosen}
    both = gradients("y = x", "z = sum(x**2)", grids=["x=1,2"], **given)
    assert both == {"grad_x": [1.0, 0.0, 2.0, 5.0]}


def test_the_files_among_cotangents() -> None:
    texts = ["v.npy", "y=./w.NPY", " `a b` = u.npy ", "z.npy=1", "i + 1", "y=ones", "npy"]
    assert cotangents.files(texts) == ["v.npy", "./w.NPY", "u.npy"]


@pytest.mark.parametrize(
    "request_",
    [
        {"wrt": ["a", "x"]},
        {"wrt": ["x"]},
        {"wrt": ["x"], "grad_outputs": ["two.npy"], "is_grads_batched": True},
        {"wrt": ["a", "x"], "grad_outputs": ["two.npy"], "is_grads_batched": True},
    ],
)
def test_how_much_is_done_ends_at_1(request_: dict[str, Any]) -> None:
    np.save("two.npy", np.ones((2, 3, 4)))
    result = run_grad(GradJob(["a*x*y"], at=["a=2"], grids=["x=1,2,3", "y=1,2,3,4"], **request_))
    told: list[int] = []
    result.watch = told.append
    result.whole()
    assert told == sorted(told) and result.part(told[-1]) == 1


# What is not used.


def test_unused_inputs(shell: Shell) -> None:
    words = ["y = x**2", "--wrt", "z,x", "--grid", "x=1,2"]
    code, out, err = shell("grad", *words)
    assert (code, out) == (2, "")
    assert "input 'z' appears to not have been used" in err and "--allow-unused" in err
    assert shell("grad", *words, "--allow-unused", "--csv")[1] == "x,grad_z,grad_x\n1.0,,2.0\n2.0,,4.0\n"
    assert shell("grad", *words, "--allow-unused", "--jsonl")[1].startswith(
        '{"x": 1.0, "grad_z": null, "grad_x": 2.0}\n'
    )
    assert shell("grad", *words, "--allow-unused")[1].splitlines()[1].split() == ["1.0", "null", "2.0"]
    assert shell("grad", *words, "--allow-unused", "--digits", "2")[1].splitlines()[1].split() == ["1.0", "null", "2.0"]
    found = json.loads(shell("grad", *words, "--allow-unused", "--json")[1])
    assert (found["columns"]["grad_z"], found["unused"]) == (None, ["grad_z"])
    assert shell("grad", *words, "--materialize-grads", "--at", "z=1", "--json")[0] == 0
    found = json.loads(shell("grad", *words, "--materialize-grads", "--at", "z=1", "--json")[1])
    assert found["columns"]["grad_z"] == 0.0
    graph = ["y = x**2", "--wrt", "z,x", "--create-graph"]
    assert shell("grad", *graph, "--allow-unused")[1] == "grad_x = 2*x\n# grad_z: not used\n"
    assert json.loads(shell("grad", *graph, "--allow-unused", "--json")[1])["unused"] == ["grad_z"]
    assert shell("grad", *graph, "--materialize-grads")[1] == "grad_z = 0\ngrad_x = 2*x\n"
    assert shell("grad", "x", "--wrt", "z", "--grid", "x=1,2", "--allow-unused", "--csv")[1] == "x,grad_z\n1.0,\n2.0,\n"
    assert shell("grad", "x", "--wrt", "z", "--grid", "2", "--allow-unused")[1] == "x\n0.0  1.0\n\ngrad_z\nnull\n"


@pytest.mark.parametrize("expression", ["x*0 + 1", "x**0", "floor(x)", "sum(x)**0", "y = x; y - y"])
def test_constant_but_used(expression: str) -> None:
    assert gradients(expression, grids=["x=1.5,2.5"]) == {"grad_x": [0.0, 0.0]}


# Refusals.


@pytest.mark.quick
@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["x"], "--wrt: the inputs are missing", "--wrt x,y"),
        (["x", "--wrt", "x"], "variable 'x' has no value", "--at x="),
        (["speed**2", "--wrt", "sped", "--grid", "2"], "input 'sped' appears to not", "did you mean 'speed'?"),
        (["x", "--wrt", "x,x", "--grid", "2"], "--wrt: 'x' is given twice", ""),
        (["3", "--wrt", "x", "--allow-unused"], "the output 'f' depends on no variable", ""),
        (["x*grad_x", "--wrt", "x", "--grid", "2"], "'grad_x' would be both a variable and a result", ""),
        (["x", "--wrt", "x", "--grid", "2", "--at", "q=1"], "'q' is not used", ""),
        (["x +", "--wrt", "x"], "unexpected end of expression", ""),
        (["x", "--wrt", "x", "--grid", "2", "--engine", "vector", "--max-points", "1"], "beyond the limit of 1", ""),
    ],
)
def test_refusals(shell: Shell, words: list[str], message: str, hint: str) -> None:
    code, out, err = shell("grad", *words)
    assert (code, out) == (2, "")
    assert message in err and hint in err


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["y=ones", "y=2"], "'y' is given twice"),
        (["z=ones"], "'z' is not an output"),
        (["y=1", "w=1"], "'w' is not an output"),
        (["y=i + k"], "'k' in the cotangent of 'y' is not an index; its indices are i, j"),
        (["y=x"], "'x' in the cotangent of 'y' is not an index"),
        (["y="], "the cotangent of 'y' is missing"),
        (["y=i +"], "unexpected end"),
        (["y=sum(i)"], "takes all points at once"),
        (["pi=1"], "'pi' is not an output"),
        (["y=none.npy"], "none.npy: No such file"),
        (["y=text.npy"], "text.npy: not a .npy file"),
        (["y=short.npy"], "short.npy: the file is cut off: it holds 216 bytes, its header says 224"),
        (["y=zip.npy"], "zip.npy: not a .npy file"),
        (["y=objects.npy"], "objects.npy: an object array (dtype object) would have to be unpickled"),
        (["y=complex.npy"], "complex.npy: holds complex numbers"),
        (["y=words.npy"], "words.npy: holds <U1"),
        (["y=row.npy"], "the cotangent of 'y' in row.npy has a shape of [4], and 'y' has a shape of [3, 4]"),
        (["y=one.npy"], "has a shape of [], and 'y' has a shape of [3, 4]"),
    ],
)
def test_refused_cotangents(shell: Shell, given: list[str], message: str) -> None:
    Path("text.npy").write_text("1,2,3")
    np.save("whole.npy", np.ones((3, 4)))
    Path("short.npy").write_bytes(Path("whole.npy").read_bytes()[:-8])
    np.savez("zip.npz", np.ones(3))
    Path("zip.npz").rename("zip.npy")
    np.save("objects.npy", np.array([None, 1]), allow_pickle=True)
    np.save("complex.npy", np.ones((3, 4), complex))
    np.save("words.npy", np.array(["a"]))
    np.save("row.npy", np.ones(4))
    np.save("one.npy", np.array(1.0))
    words = [word for one in given for word in ("--grad-outputs", one)]
    code, out, err = shell("grad", "y = x**2", "--wrt", "x", "--grid", "3x4", *words)
    assert (code, out) == (2, "")
    assert message in err


def test_refused_batches(shell: Shell) -> None:
    np.save("three.npy", np.ones((3, 2)))
    np.save("two.npy", np.ones((2, 2)))
    np.save("one.npy", np.array(1.0))
    np.save("none.npy", np.ones((0, 2)))
    np.save("wide.npy", np.ones((3, 4)))
    for texts, message in (
        ([], "the cotangent of 'y' must be a FILE.npy"),
        (["y=three.npy", "z=1"], "the cotangent of 'z' must be a FILE.npy"),
        (["y=three.npy", "z=two.npy"], "is the batch, and it is 3 for 'y' but 2 for 'z'"),
        (["y=one.npy", "z=two.npy"], "one.npy is a single number"),
        (["y=none.npy", "z=none.npy"], "the batch is empty"),
        (["y=wide.npy", "z=three.npy"], "the rest of its shape, [4], is not that of the output 'y', [2]"),
    ):
        words = [word for one in texts for word in ("--grad-outputs", one)]
        code, out, err = shell(
            "grad", "y = x", "z = x**2", "--wrt", "x", "--grid", "x=1,2", "--is-grads-batched", *words
        )
        assert (code, out) == (2, "")
        assert message in err
    code, _, err = shell("grad", "x", "--wrt", "x", "--is-grads-batched", "--create-graph", "--grad-outputs", "two.npy")
    assert code == 2 and "--create-graph" in err


def test_refused_graphs(shell: Shell) -> None:
    code, _, err = shell("grad", "x*y", "--wrt", "x", "--grid", "x=1,2", "--grid", "y=1,2", "--create-graph")
    assert code == 2 and "summed over some of the axes alone" in err
    code, _, err = shell("grad", "y = x*v_y", "--wrt", "x", "--create-graph", "--grad-outputs", "i")
    assert code == 2 and "would be called 'v_y'" in err
    code, _, err = shell("grad", "y = sum(x)", "--wrt", "x", "--create-graph", "--grad-outputs", "i")
    assert code == 2 and "single number, which has no indices" in err


def test_non_finite_results(shell: Shell) -> None:
    code, out, err = shell("grad", "sqrt(x)", "--wrt", "x", "--grid", "x=0,1", "--csv")
    assert (code, out) == (0, "x,grad_x\n0.0,inf\n1.0,0.5\n")
    assert "1 non-finite value in grad_x" in err
    code, out, err = shell("grad", "sqrt(x)", "--wrt", "x", "--grid", "x=0,1", "--csv", "--strict")
    assert (code, out) == (1, "") and "at x=0.0: grad_x is inf" in err
    code, out, err = shell(
        "grad", "sqrt(x)*y", "--wrt", "x,y", "--grid", "x=0,1", "--grid", "y=1,2", "--json", "--strict"
    )
    assert (code, out) == (1, "") and "grad_x[0] is inf" in err
    assert "non-finite" in shell("grad", "sqrt(x)*y", "--wrt", "x", "--grid", "x=0,1", "--grid", "y=1,2", "--csv")[2]


# Expressions.


def test_graphs(shell: Shell) -> None:
    assert shell("grad", "a*x", "--wrt", "a", "--create-graph")[1] == "grad_a = x\n"
    assert (
        shell("grad", "a*x", "--wrt", "a", "--at", "a=1", "--grid", "x=1,2", "--create-graph")[1] == "grad_a = sum(x)\n"
    )
    assert shell("grad", "y = x**2", "--wrt", "x", "--create-graph", "--grad-outputs", "i")[1] == "grad_x = 2*x*v_y\n"
    assert shell("grad", "y = x**2", "--wrt", "x", "--create-graph", "--grad-outputs", "3/2")[1] == "grad_x = 3*x\n"
    found = json.loads(shell("grad", "grad_x = x**3", "--wrt", "x", "--create-graph", "--json")[1])
    assert found["expressions"] == {"grad_x": "x**3"} and found["derivatives"] == {"grad_x": "3*x**2"}


def test_a_gradient_that_is_the_same_everywhere_keeps_its_shape(shell: Shell) -> None:
    assert (
        shell("grad", "x*mean(x)", "--wrt", "x", "--create-graph")[1] == "grad_x = along(x, sum(x)/sum(1) + mean(x))\n"
    )
    # The sum over i of 2*mean(x), n times: its gradient is 2 at every point.
    again = "grad_x = along(x, sum(x)/sum(1) + mean(x))"
    assert gradients(again, grids=["x=1,2,6"]) == {"grad_x": [2.0] * 3}
    assert gradients(again, grids=["x=1,2,6"], grad_outputs=["i"]) == {"grad_x": [2.0] * 3}
    words = ["a*x", "--wrt", "x", "--at", "a=2", "--grid", "x=1,2,6", "--create-graph"]
    assert shell("grad", *words)[1] == "grad_x = along(x, a)\n"
    assert gradients("along(x, a)", wrt="a", at=["a=2"], grids=["x=1,2,6"]) == {"grad_a": [3.0]}
    assert run(Job(["along(x, mean(x))"], wrt=(), order=0, grids=["x=1,2,6"])).whole() == [[1.0, 2.0, 6.0], [3.0] * 3]


def test_the_pipe_goes_on_to_zero_and_keeps_shapes(shell: Shell) -> None:
    graph = ["-f", "-", "--wrt", "x", "--create-graph"]
    third = pipe(
        ["y = x**2", "--wrt", "x", "--create-graph"],
        graph,
        ["-f", "-", "--wrt", "x", "--grid", "x=1,2", "--csv"],
    )
    assert third == "x,grad_x\n1.0,0.0\n2.0,0.0\n"
    first = ["y = x + w**2", "--wrt", "x,w", "--create-graph"]
    weights = ["--grad-outputs", "grad_x=i", "--grad-outputs", "grad_w=i"]
    found = pipe(first, ["-f", "-", "--wrt", "w", "--grid", "3", *weights, "--csv"])
    assert found.splitlines()[1:] == ["0.0,0.0,0.0", "1.0,1.0,2.0", "2.0,2.0,4.0"]
    # How many points there are is all that the shape tells here.
    counted = pipe(
        ["y = a**2 + x", "--wrt", "a", "--at", "a=1", "--grid", "3", "--create-graph"],
        ["-f", "-", "--wrt", "a", "--at", "a=1", "--grid", "3", "--csv"],
    )
    assert counted == "a,grad_a\n1.0,6.0\n"


@pytest.mark.parametrize(
    ("expression", "wrt", "at", "x", "expected"),
    [
        ("where(x>0, 1/a, x)", "a", "a=0", [-1, -2], [0.0]),
        ("where(x>0, log(a), x)", "a", "a=-1", [-1, -2], [0.0]),
        ("where(a>0, sum(sqrt(x)), x)", "x", "a=-1", [0, -2, 3], [1.0, 1.0, 1.0]),
        ("where(x>0, sum(sqrt(x-1)), x)", "x", "a=0", [-1, -2], [1.0, 1.0]),
        ("where(x>0, mean(log(x))*x, a*x)", "x", "a=2", [-1, -2], [2.0, 2.0]),
        ("where(max(x)>0, norm(x)/a, x)", "a", "a=0", [-1, -2], [0.0]),
    ],
)
def test_nothing_leaks_from_a_branch_that_is_one_number(
    expression: str, wrt: str, at: str, x: list[float], expected: list[float]
) -> None:
    grids = (f"x={','.join(map(str, x))}",)
    found = gradients(expression, wrt=wrt, at=[at], grids=grids, allow_unused=True)
    assert found[f"grad_{wrt}"] == expected


def test_names_that_a_gradient_would_take(shell: Shell) -> None:
    for words in (["y = x*grad_w + w**2", "--wrt", "w,x"], ["y = x*grad_x", "--wrt", "x"]):
        code, out, err = shell("grad", *words, "--create-graph")
        assert (code, out) == (2, "") and "would be both a variable and a result" in err
    code, _, err = shell(
        "grad", "y=x**2", "--wrt", "x,v_y", "--create-graph", "--grad-outputs", "y=i", "--allow-unused"
    )
    assert code == 2 and "'v_y'" in err


def test_unused_gradients_are_told_in_every_format(shell: Shell) -> None:
    words = ["y = x**2", "--wrt", "x,q", "--allow-unused", "--create-graph"]
    assert shell("grad", *words, "--csv")[1] == "name,expression\ngrad_x,2*x\ngrad_q,\n"
    assert shell("grad", *words, "--jsonl")[1].splitlines()[1] == '{"name": "grad_q", "expression": null}'
    assert shell("grad", *words, "--format", "markdown")[1].splitlines()[-1] == "| grad_q | not used |"


def test_twice_is_the_product_with_a_vector() -> None:
    # The gradient in the cotangent of a vector-Jacobian product is a Jacobian-vector product.
    formulas = grad_formulas(GradJob(["y = x**3"], ["x"], ["i"])).lines
    assert formulas == [("grad_x", "3*x**2*v_y")]
    found = gradients("grad_x = 3*x**2*v_y", wrt="v_y", grids=["3"], grad_outputs=["i + 1"])
    assert found == {"grad_v_y": [0.0, 6.0, 36.0]}


@pytest.mark.parametrize("expression", ["hypot(x, y)", "abs(x)*y", "log(x)*y", "atan2(y, x)", "x**y", "max(x, y)"])
def test_what_is_printed_keeps_the_kinks(expression: str) -> None:
    (line,) = grad_formulas(GradJob([expression], ["x"])).lines
    for at in itertools.product((-1.0, 0.0, 1.0), repeat=2):
        point = [f"x={at[0]},y={at[1]}"]
        printed = run(Job([line[1] + " + x*0 + y*0"], wrt=(), order=0, at=point)).whole()[2]
        assert struct.pack("d", printed[0]) == struct.pack("d", gradients(expression, at=point)["grad_x"][0] + 0)


# Numbers.


@pytest.mark.parametrize("case", KINKS, ids=lambda c: f"{c['expr']} @ {c['at']} {' '.join(c['expect'])}")
def test_kinks(case: dict[str, Any]) -> None:
    point = ",".join(f"{name}={value}" for name, value in case["at"].items())
    wanted = {name.removeprefix("df_d"): float(v) for name, v in case["expect"].items() if name.startswith("df_d")}
    found = gradients(case["expr"], wrt=",".join(wanted), at=[point], allow_unused=True)
    for name, true in wanted.items():
        (computed,) = found[f"grad_{name}"]
        if math.isnan(true) or math.isinf(true):
            assert str(computed) == str(true), name
        else:
            assert abs(computed - true) <= 4 * math.ulp(true), name


@pytest.mark.parametrize("expression", ["exp(x)*sin(y)", "x**3*y - y**2", "where(x > 1, sqrt(x), y)", "hypot(x, y)"])
def test_with_ones_it_is_the_sum_of_what_diff_gives(expression: str) -> None:
    result = run(Job([expression], wrt=["x", "y"], grids=["3x4"]))
    slopes = dict(zip(result.names, result.whole(), strict=True))
    found = gradients(expression, wrt="x,y", grids=["3x4"])
    for name in "xy":
        assert found[f"grad_{name}"] == pytest.approx(slopes[f"df_d{name}"], rel=1e-14)
    points: dict[str, Any] = {"grids": ["x=0.5:2:5", "y=1:3:4"]}
    result = run(Job([expression], wrt=["x", "y"], **points))
    slopes = {n: np.array(c).reshape(5, 4) for n, c in zip(result.names, result.whole(), strict=True)}
    found = gradients(expression, wrt="x,y", **points)
    assert found["grad_x"] == pytest.approx(slopes["df_dx"].sum(axis=1).tolist(), rel=1e-13)
    assert found["grad_y"] == pytest.approx(slopes["df_dy"].sum(axis=0).tolist(), rel=1e-13)


@pytest.mark.parametrize("chosen", ["scalar", "vector", "native"])
def test_any_blocks_and_threads_give_the_same_bits(chosen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save("v.npy", np.random.default_rng(2).normal(size=(13, 2, 5)))
    expression = "y = exp(sin(x))*u - z*x; n = norm(u*x); p = prod(1 + x*u/9)"
    axes: dict[str, Any] = {"at": ["z=2"], "grids": ["x=0:1:13", "2x5"]}
    jobs = [
        GradJob([expression], ["x"], ["y=v.npy"], engine=chosen, **axes),
        GradJob([expression], ["u", "z", "x"], ["n=2"], engine=chosen, **axes),
        GradJob([expression], ["z"], ["y=i - j*k"], engine=chosen, **axes),
        GradJob([expression], ["x", "u"], grids=["130"], at=["z=2"], engine=chosen),
    ]
    for job in jobs:
        found = []
        for target, threads in itertools.product((1, 7, 1000), (1, 2)):
            monkeypatch.setattr(engine, "block_points", lambda *_, points=target: points)
            found.append(bits(run_grad(GradJob(**(vars(job) | {"threads": threads}))).whole()))
        assert all(f == found[0] for f in found)


def test_rows_and_whole_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    np.save("v.npy", np.random.default_rng(2).normal(size=(3, 7, 4)))
    for extra in ({}, {"grad_outputs": ["v.npy"], "is_grads_batched": True}):
        job = GradJob(["x**2*y"], ["x"], grids=["x=1:2:7", "y=1:2:4"], **extra)  # type: ignore[arg-type]
        whole = gradients("x**2*y", grids=job.grids, **extra)["grad_x"]
        for target in (1, 5, 1000):
            monkeypatch.setattr(engine, "block_points", lambda *_, points=target: points)
            assert [v for block in run_grad(job).blocks for v in block[-1]] == whole


@pytest.mark.parametrize("chosen", ["scalar", "vector", "native"])
def test_memory_stays_bounded(chosen: str) -> None:
    import tracemalloc

    points = 20_000 if chosen == "scalar" else 2_000_000
    tracemalloc.start()
    try:
        found = gradients("sum(exp(-a*x))", wrt="a", at=["a=2"], grids=[f"x=0:1:{points}"], engine=chosen)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found["grad_a"][0] == pytest.approx(-points * (1 - 3 * math.exp(-2)) / 4, rel=1e-3)
    # All the points alone would take 16 MB, and as a list more than 1 MB.
    assert most < (1_000_000 if chosen == "scalar" else 12_000_000)


def test_few_points_never_wait_for_numpy() -> None:
    code = "import sys; from gradcli.cli import run; sys.exit(run(sys.argv[1:]) or 7 * ('numpy' in sys.modules))"
    for words in (["x*mean(x)*y", "--wrt=x", "--grid=x=1,2", "--grid=y=1,2"], ["norm(x)", "--wrt=x", "--grid=3"]):
        subprocess.run([sys.executable, "-c", code, "grad", *words], env=environment(), check=True, capture_output=True)
